package org.sparkkernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.Dependency;
import org.apache.spark.rdd.RDD;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.scheduler.StageInfo;
import org.apache.spark.storage.RDDInfo;

/**
 * Finds what RDDs stand on, by their lineage.
 *
 * <p>An RDD made of a DataFrame does not tell its sources any more; those that were made while we
 * looked on are remembered by their numbers, with what the DataFrame read.
 */
public final class RddReader {
  private static final int RDDS = 5000;
  private static final int REMEMBERED = 1000;
  private static final Set FILES = new HashSet(Arrays.asList(new String[] {
    "textFile", "wholeTextFiles", "binaryFiles", "binaryRecords", "hadoopFile", "newAPIHadoopFile",
    "sequenceFile", "objectFile"
  }));
  private static final Set IN_MEMORY = new HashSet(Arrays.asList(new String[] {
    "parallelize", "makeRDD", "range", "Range", "emptyRDD", "LocalTableScan"
  }));

  private final Map known = Collections.synchronizedMap(new LinkedHashMap());

  /** Remembers what an RDD stands on. */
  public void remember(int rdd, DataSeen sources) {
    synchronized (known) {
      known.put(Integer.valueOf(rdd), sources);
      Iterator oldest = known.keySet().iterator();
      while (known.size() > REMEMBERED) {
        oldest.next();
        oldest.remove();
      }
    }
  }

  /** Reads the lineage of an RDD. */
  public void read(Object rdd, DataSeen seen) {
    List left = new ArrayList();
    Set visited = new HashSet();
    left.add(rdd);
    while (!left.isEmpty()) {
      RDD one = (RDD) left.remove(left.size() - 1);
      if (!visited.add(Integer.valueOf(one.id()))) {
        continue;
      }
      if (visited.size() > RDDS) {
        seen.readUnknown("an RDD with a long lineage");
        return;
      }
      DataSeen sources = (DataSeen) known.get(Integer.valueOf(one.id()));
      if (sources != null) {
        seen.readAll(sources);
        continue;
      }
      List dependencies = Fields.list(one.dependencies());
      if (dependencies.isEmpty()) {
        leaf(RDDInfo.fromRdd(one), seen);
      }
      for (int i = 0; i < dependencies.size(); i++) {
        left.add(((Dependency) dependencies.get(i)).rdd());
      }
    }
  }

  /** Reads what a job tells that belongs to no execution of SQL. */
  public void readJob(SparkListenerJobStart job, DataSeen seen, boolean isOutputKnown) {
    Map infos = new HashMap();
    Set parents = new HashSet();
    String details = "";
    List stages = Fields.list(job.stageInfos());
    for (int i = 0; i < stages.size(); i++) {
      StageInfo stage = (StageInfo) stages.get(i);
      details = details + stage.details();
      List rdds = Fields.list(stage.rddInfos());
      for (int j = 0; j < rdds.size() && infos.size() < RDDS; j++) {
        RDDInfo info = (RDDInfo) rdds.get(j);
        infos.put(Integer.valueOf(info.id()), info);
        parents.addAll(Fields.list(info.parentIds()));
      }
    }
    // What is done to find a schema is told with what comes of it.
    if (details.indexOf("DataFrameReader.") >= 0 || details.indexOf("SparkSession.sql(") >= 0
        || details.indexOf("SparkSession.table(") >= 0) {
      return;
    }
    if (details.indexOf(".saveAs") >= 0 && !isOutputKnown) {
      seen.writtenUnknown("by a job of an RDD");
    }
    List left = new ArrayList(infos.keySet());
    left.removeAll(parents);
    Set visited = new HashSet();
    while (!left.isEmpty()) {
      Object id = left.remove(left.size() - 1);
      RDDInfo info = (RDDInfo) infos.get(id);
      if (!visited.add(id)) {
        continue;
      }
      DataSeen sources = (DataSeen) known.get(id);
      if (sources != null) {
        seen.readAll(sources);
      } else if (info == null) {
        seen.readUnknown("an RDD with a long lineage");
      } else if (info.parentIds().isEmpty()) {
        leaf(info, seen);
      } else {
        left.addAll(Fields.list(info.parentIds()));
      }
    }
  }

  private void leaf(RDDInfo info, DataSeen seen) {
    String scope = Fields.text(Fields.of(Fields.option(info.scope()), "name"));
    String name = Fields.text(info.name());
    boolean isClass = name.matches("\\w+RDD(\\w*)");
    if (FILES.contains(scope) && !isClass) {
      String[] paths = name.split(",(?![^{]*\\})");
      for (int i = 0; i < paths.length; i++) {
        seen.read(seen.file(paths[i].trim(), scope.endsWith("extFile")
            || scope.equals("wholeTextFiles") ? "text" : ""));
      }
    } else if (!IN_MEMORY.contains(scope) && !name.startsWith("ParallelCollection")
        && !name.startsWith("EmptyRDD")) {
      seen.readUnknown(isClass ? "an RDD that hides its source: " + name : "an RDD");
    }
  }
}
