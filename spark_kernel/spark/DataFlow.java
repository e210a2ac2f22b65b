package org.sparkkernel;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerEvent;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd;
import org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver's half of data_flow.py: hears of executions, and keeps what each tag read and wrote.
 *
 * <p>Compiled in the driver by Janino, as CellJobs is, and in a queue of the listener bus of its own.
 */
public class DataFlow extends SparkListener {
  private static final String QUEUE = "spark-kernel-data";
  private static final String TAGS = "spark.job.tags";
  private static final String EXECUTION = "spark.sql.execution.id";
  private static final Logger LOG = LoggerFactory.getLogger("org.sparkkernel.DataFlow");
  private static final int KEPT_TAGS = 500;
  private static final int EXECUTIONS = 200;
  private static final long EACH_LISTING_MS = 200;
  private static final long ALL_LISTINGS_MS = 500;
  private static final long ASKED_LISTING_MS = 2000;

  private final SparkContext context;
  private final String prefix;
  private final FileListing files;
  private final RddReader rdds;
  private final Map tags = new LinkedHashMap();
  private final Map tagOfExecution = new HashMap();

  public DataFlow(SparkContext context, String prefix) {
    this.context = context;
    this.prefix = prefix;
    this.files = new FileListing(context.hadoopConfiguration());
    this.rdds = new RddReader(context, files);
    context.listenerBus().addToQueue(this, QUEUE);
  }

  public void stop() {
    context.listenerBus().removeListener(this);
    files.stop();
  }

  // -- what is heard -----------------------------------------------------------------------

  public void onOtherEvent(SparkListenerEvent event) {
    try {
      if (event instanceof SparkListenerSQLExecutionStart) {
        started((SparkListenerSQLExecutionStart) event);
      } else if (event instanceof SparkListenerSQLExecutionEnd) {
        ended((SparkListenerSQLExecutionEnd) event);
      } else if (event instanceof DataMarker) {
        ((DataMarker) event).heard(this);
      }
    } catch (Throwable failed) {
      LOG.info("what an execution read is not known: " + failed);
    }
  }

  public void onJobStart(SparkListenerJobStart job) {
    try {
      Properties properties = job.properties();
      String tag = properties == null || properties.getProperty(EXECUTION) != null
          ? null : ours(properties.getProperty(TAGS, "").split(","));
      if (tag != null) {
        DataOfTag data = of(tag);
        if (data.jobs++ < EXECUTIONS) {
          rdds.readJob(job, data.seen, data.hasRddOutput);
        } else {
          data.seen.readUnknown("more than " + EXECUTIONS + " jobs");
        }
      }
    } catch (Throwable failed) {
      LOG.info("what a job read is not known: " + failed);
    }
  }

  private void started(SparkListenerSQLExecutionStart event) {
    List names = Fields.list(event.jobTags());
    String tag = ours((String[]) names.toArray(new String[0]));
    // What a reader does to find a schema is told with what it gives.
    if (tag == null || event.details().indexOf("DataFrameReader.") >= 0) {
      return;
    }
    DataOfTag data = of(tag);
    synchronized (this) {
      tagOfExecution.put(Long.valueOf(event.executionId()), tag);
      data.running++;
    }
  }

  private void ended(SparkListenerSQLExecutionEnd event) {
    String tag;
    DataOfTag data;
    synchronized (this) {
      tag = (String) tagOfExecution.remove(Long.valueOf(event.executionId()));
      if (tag == null) {
        return;
      }
      data = of(tag);
      data.running--;
    }
    QueryExecution execution = event.qe();
    if (execution == null) {
      data.seen.readUnknown("an execution without a plan");
    } else if (Fields.kind(execution).equals("IncrementalExecution")) {
      return; // a batch of a stream, which is told when it starts
    } else if (data.executions++ < EXECUTIONS) {
      Object session = execution.sparkSession();
      Object plan = execution.analyzed();
      PlanReader reader = new PlanReader(data.seen, rdds, session);
      if (!(plan instanceof org.apache.spark.sql.catalyst.plans.logical.Command)) {
        Object cached = Fields.of(execution, "withCachedData");
        plan = cached == null ? reader.cached(plan) : cached;
      }
      reader.read(plan);
    } else {
      data.seen.readUnknown("more than " + EXECUTIONS + " executions");
    }
  }

  private String ours(String[] names) {
    for (int i = 0; i < names.length; i++) {
      if (names[i].startsWith(prefix)) {
        return names[i];
      }
    }
    return null;
  }

  private synchronized DataOfTag of(String tag) {
    DataOfTag data = (DataOfTag) tags.get(tag);
    if (data == null) {
      data = new DataOfTag(files);
      tags.put(tag, data);
      Iterator oldest = tags.keySet().iterator();
      while (tags.size() > KEPT_TAGS) {
        oldest.next();
        oldest.remove();
      }
    }
    return data;
  }

  // -- what is told by Python --------------------------------------------------------------

  /** Notes what a DataFrame stands on that a cell has made of a source. */
  public void noteRead(org.apache.spark.sql.classic.Dataset frame, String tag) {
    readFrame(frame, of(tag).seen);
  }

  /** Notes what an RDD stands on that was made of a DataFrame. */
  public void noteRdd(org.apache.spark.sql.classic.Dataset frame, int rdd) {
    DataSeen seen = new DataSeen(files);
    readFrame(frame, seen);
    rdds.remember(rdd, seen);
  }

  /** Notes what a checkpoint stands on; nothing but its number is left of where it came from. */
  public void noteCheckpoint(
      org.apache.spark.sql.classic.Dataset frame, org.apache.spark.sql.classic.Dataset checkpoint) {
    Object rdd = Fields.of(checkpoint.queryExecution().analyzed(), "rdd");
    Object id = rdd == null ? null : Fields.of(rdd, "id");
    if (id != null) {
      noteRdd(frame, ((Integer) id).intValue());
    }
  }

  private void readFrame(org.apache.spark.sql.classic.Dataset frame, DataSeen seen) {
    QueryExecution execution = frame.queryExecution();
    PlanReader reader = new PlanReader(seen, rdds, execution.sparkSession());
    // Not its own plan with the cache put in: that would settle it before the notebook does.
    Object plan = execution.analyzed();
    if (plan instanceof org.apache.spark.sql.catalyst.plans.logical.Command) {
      return; // its execution tells
    }
    reader.read(reader.cached(plan));
  }

  /** Notes where an RDD is saved. */
  public void noteOutput(String path, String format, String tag) {
    DataOfTag data = of(tag);
    data.hasRddOutput = true;
    data.seen.written(data.seen.file(path, format));
  }

  /** Notes a streaming query that a cell has started. */
  public void noteStream(Object query, String tag) {
    DataOfTag data = of(tag);
    new PlanReader(data.seen, rdds, Fields.of(query, "sparkSession")).readStream(query);
  }

  // -- what is asked -----------------------------------------------------------------------

  /** Gives, as JSON, what these tags (by commas) read and wrote, and forgets it. */
  public String taken(String names, long waitMs) throws Exception {
    boolean isHeard = settle(waitMs);
    DataSeen all = new DataSeen(files);
    String[] asked = names.split(",");
    for (int i = 0; i < asked.length; i++) {
      DataOfTag data;
      synchronized (this) {
        data = (DataOfTag) tags.remove(asked[i]);
      }
      if (data != null) {
        all.addAll(data.seen);
        if (data.running > 0) {
          all.readUnknown("still read when the cell ended");
        }
      }
    }
    if (!isHeard) {
      all.readUnknown("Spark did not tell in time what was read");
    }
    return all.finish(EACH_LISTING_MS, ALL_LISTINGS_MS);
  }

  private boolean settle(long waitMs) throws InterruptedException {
    DataMarker marker = new DataMarker(this);
    context.listenerBus().post(marker);
    return marker.await(waitMs);
  }

  /** Gives, as JSON, the state of some data now, or null. */
  public String fingerprint(String kind, String name, String format, String location)
      throws Exception {
    Object session = Fields.option(org.apache.spark.sql.classic.SparkSession.getDefaultSession());
    DataSeen seen = new DataSeen(files);
    Map found = new StateNow(seen, session).of(kind, name, format, location);
    if (found != null && found.get("fingerprint") == null && found.get("listing") != null) {
      found = files.look((String) found.get("listing"), ASKED_LISTING_MS, true);
    }
    Object fingerprint = found == null ? null : found.get("fingerprint");
    return new ObjectMapper().writeValueAsString(fingerprint);
  }
}
