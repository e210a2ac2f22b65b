package org.sparkkernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.Dependency;
import org.apache.spark.SparkContext;
import org.apache.spark.rdd.HadoopRDD;
import org.apache.spark.rdd.NewHadoopRDD;
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

  private static final int FOLDERS = 10;
  private static final String INPUTS = "mapreduce.input.fileinputformat.inputdir";

  private final SparkContext context;
  private final FileListing files;
  private final Map known = Collections.synchronizedMap(new LinkedHashMap());

  public RddReader(SparkContext context, FileListing files) {
    this.context = context;
    this.files = files;
  }

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
    Map infos = new HashMap();
    left.add(rdd);
    while (!left.isEmpty()) {
      RDD one = (RDD) left.remove(left.size() - 1);
      Integer id = Integer.valueOf(one.id());
      if (infos.containsKey(id)) {
        continue;
      }
      if (infos.size() > RDDS) {
        seen.readUnknown("an RDD with a long lineage");
        return;
      }
      RDDInfo info = RDDInfo.fromRdd(one);
      infos.put(id, info);
      DataSeen sources = (DataSeen) known.get(id);
      List dependencies = Fields.list(one.dependencies());
      if (sources == null && dependencies.isEmpty()) {
        sources = new DataSeen(files);
        if (!leafOfFiles(one, sources)) {
          leaf(info, infos, sources);
        }
        remember(one.id(), sources);
      }
      if (sources != null) {
        seen.readAll(sources);
        continue;
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
    DataSeen found = new DataSeen(files);
    if (!readInfos(left, infos, found)) {
      // The RDDs themselves tell more, as long as the job runs.
      Object active = Fields.invoke(Fields.path(context, "dagScheduler.jobIdToActiveJob"), "get",
          new Object[] {Integer.valueOf(job.jobId())});
      Object rdd = Fields.path(Fields.option(active), "finalStage.rdd");
      if (rdd != null) {
        read(rdd, seen);
        return;
      }
    }
    seen.readAll(found);
  }

  /** Reads what is told of RDDs; whether all of it could be named. */
  private boolean readInfos(List left, Map infos, DataSeen seen) {
    boolean isNamed = true;
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
        isNamed = leaf(info, infos, seen) && isNamed;
      } else {
        left.addAll(Fields.list(info.parentIds()));
      }
    }
    return isNamed;
  }

  /** Reads an RDD that stands on no other, by what is told of it; whether it could be named. */
  private boolean leaf(RDDInfo info, Map infos, DataSeen seen) {
    String scope = scope(info);
    String name = Fields.text(info.name());
    if (IN_MEMORY.contains(scope) || name.startsWith("ParallelCollection")
        || name.startsWith("EmptyRDD")) {
      return true;
    }
    boolean isClass = isClass(name);
    if (FILES.contains(scope)) {
      Iterator others = infos.values().iterator();
      while (isClass && others.hasNext()) { // the path may be the name of what is made of it
        RDDInfo other = (RDDInfo) others.next();
        if (!isClass(other.name()) && Fields.text(info.scope()).equals(Fields.text(other.scope()))) {
          name = other.name();
          isClass = false;
        }
      }
      if (!isClass) {
        String format = scope.equals("textFile") || scope.equals("wholeTextFiles") ? "text" : "";
        paths(name, format, seen);
        return true;
      }
    }
    seen.readUnknown(isClass ? "an RDD that hides its source: " + name : "an RDD");
    return false;
  }

  private static String scope(RDDInfo info) {
    return Fields.text(Fields.of(Fields.option(info.scope()), "name"));
  }

  private static boolean isClass(String name) {
    return name.matches("\\w+RDD\\w*");
  }

  private void paths(String names, String format, DataSeen seen) {
    String[] paths = names.split(",(?![^{]*\\})");
    for (int i = 0; i < paths.length; i++) {
      seen.read(seen.file(paths[i].trim(), format));
    }
  }

  /** Reads an RDD of files by what it holds; whether it is one. */
  private boolean leafOfFiles(RDD rdd, DataSeen seen) {
    String kind = Fields.kind(rdd);
    if (kind.equals("FileScanRDD")) {
      return scanned(rdd, seen);
    }
    Object conf = rdd instanceof HadoopRDD || rdd instanceof NewHadoopRDD
        ? Fields.of(rdd, "getConf") : null;
    String paths = conf == null ? null : ((Configuration) conf).get(INPUTS);
    if (paths == null) {
      return false;
    }
    String scope = scope(RDDInfo.fromRdd(rdd));
    String format = scope.equals("textFile") || scope.equals("wholeTextFiles") ? "text" : "";
    paths(paths, format, seen);
    return true;
  }

  /** Reads the scan of a DataFrame: the folders of its files, above those of partitions. */
  private boolean scanned(RDD rdd, DataSeen seen) {
    Set folders = new LinkedHashSet();
    List partitions = Fields.list(Fields.of(rdd, "filePartitions"));
    for (int i = 0; i < partitions.size(); i++) {
      Object[] scans = (Object[]) Fields.of(partitions.get(i), "files");
      for (int j = 0; scans != null && j < scans.length; j++) {
        Path folder = (Path) Fields.of(scans[j], "toPath");
        if (folder == null) {
          return false;
        }
        folder = folder.getParent();
        while (folder.getName().indexOf('=') > 0) {
          folder = folder.getParent();
        }
        folders.add(folder.toString());
      }
    }
    if (folders.isEmpty() || folders.size() > FOLDERS) {
      return false;
    }
    Iterator all = folders.iterator();
    while (all.hasNext()) {
      seen.read(seen.file((String) all.next(), ""));
    }
    return true;
  }
}
