package org.sparkkernel;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.Path;

/**
 * The data that was read and written under one tag: plain values alone, nothing of a plan.
 *
 * <p>What is here of one dataset is a map as read_dataset in data_names.py reads it. "listing" is a
 * path whose files are still to be looked at.
 */
public final class DataSeen {
  private static final int LIMIT = 50;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final FileListing files;
  private final Map inputs = new LinkedHashMap();
  private final Map outputs = new LinkedHashMap();
  private int omittedInputs;
  private int omittedOutputs;

  public DataSeen(FileListing files) {
    this.files = files;
  }

  public static Map dataset(String kind, String name, String format) {
    Map made = new LinkedHashMap();
    made.put("kind", kind);
    made.put("name", name);
    made.put("format", format == null ? "" : format);
    return made;
  }

  /** Gives a file or folder whose files are looked at in the end. */
  public Map file(String path, String format) {
    String name = files.qualified(path);
    Map made = dataset("file", name, format);
    made.put("listing", name);
    return made;
  }

  public String qualified(String path) {
    return files.qualified(path);
  }

  public synchronized void read(Map dataset) {
    if (isPassing(dataset)) {
      return;
    }
    String key = key(dataset);
    Map known = (Map) inputs.get(key);
    if (known == null) {
      if (inputs.size() < LIMIT) {
        inputs.put(key, new LinkedHashMap(dataset));
      } else {
        omittedInputs++;
      }
      return;
    }
    Object before = known.get("fingerprint");
    Object now = dataset.get("fingerprint");
    if (before != null && now != null && !before.equals(now)) {
      known.put("fingerprint", null);
      known.put("note", "read in more than one state");
    }
  }

  public synchronized void written(Map dataset) {
    if (isPassing(dataset)) {
      return;
    }
    String key = key(dataset);
    if (!outputs.containsKey(key) && outputs.size() >= LIMIT) {
      omittedOutputs++;
      return;
    }
    outputs.put(key, new LinkedHashMap(dataset));
  }

  /** Takes away the state of what was read and written at once: Spark knows the later one alone. */
  public synchronized void forgetRewritten() {
    Set written = new HashSet();
    Iterator values = outputs.values().iterator();
    while (values.hasNext()) {
      written.add(((Map) values.next()).get("name"));
    }
    values = inputs.values().iterator();
    while (values.hasNext()) {
      Map dataset = (Map) values.next();
      if (written.contains(dataset.get("name")) && !"view".equals(dataset.get("format"))) {
        dataset.remove("fingerprint");
        dataset.remove("listing");
        dataset.put("note", "written by the same statement");
      }
    }
  }

  /** Says that something was read that cannot be named, so that nobody takes it for nothing. */
  public void readUnknown(String note) {
    Map unknown = dataset("other", "unknown source", "");
    unknown.put("note", note);
    read(unknown);
  }

  public void writtenUnknown(String note) {
    Map unknown = dataset("other", "unknown target", "");
    unknown.put("note", note);
    written(unknown);
  }

  public synchronized void addAll(DataSeen other) {
    List read = other.values(true);
    for (int i = 0; i < read.size(); i++) {
      read((Map) read.get(i));
    }
    List written = other.values(false);
    for (int i = 0; i < written.size(); i++) {
      written((Map) written.get(i));
    }
    omittedInputs += other.omittedInputs;
    omittedOutputs += other.omittedOutputs;
  }

  public void readAll(DataSeen other) {
    List read = other.values(true);
    for (int i = 0; i < read.size(); i++) {
      read((Map) read.get(i));
    }
  }

  private synchronized List values(boolean isInput) {
    return new ArrayList((isInput ? inputs : outputs).values());
  }

  /** Looks at the files that are still to be looked at, and gives everything as JSON. */
  public synchronized String finish(long eachMs, long allMs) throws Exception {
    long deadline = System.nanoTime() + allMs * 1000000L;
    Map found = new LinkedHashMap();
    found.put("inputs", finished(inputs, omittedInputs, eachMs, deadline));
    found.put("outputs", finished(outputs, omittedOutputs, eachMs, deadline));
    return MAPPER.writeValueAsString(found);
  }

  private List finished(Map datasets, int omitted, long eachMs, long deadline) {
    List all = new ArrayList();
    Set places = new HashSet(); // whoever fills a table writes the files there too
    Set formats = new HashSet(); // what is known with its format need not be told without
    Iterator values = datasets.values().iterator();
    while (values.hasNext()) {
      Map dataset = (Map) values.next();
      places.add(dataset.get("location"));
      if (!"".equals(dataset.get("format"))) {
        formats.add(dataset.get("name"));
      }
    }
    values = datasets.values().iterator();
    while (values.hasNext()) {
      Map dataset = (Map) values.next();
      if (dataset.get("kind").equals("file") && (places.contains(dataset.get("name"))
          || ("".equals(dataset.get("format")) && formats.contains(dataset.get("name"))))) {
        continue;
      }
      Object listing = dataset.remove("listing");
      if (listing != null && dataset.get("fingerprint") == null && dataset.get("note") == null) {
        long leftMs = (deadline - System.nanoTime()) / 1000000L;
        if (leftMs > 0) {
          dataset.putAll(files.look((String) listing, Math.min(eachMs, leftMs), false));
        } else {
          dataset.put("note", "not listed: others of this cell took too long");
        }
      }
      all.add(dataset);
    }
    if (omitted > 0) {
      Map rest = dataset("other", "…", "");
      rest.put("note", "and more: " + omitted + " mentions beyond the first " + LIMIT);
      all.add(rest);
    }
    return all;
  }

  /** Whether it is a view of PySpark's for one statement, or what Delta notes for itself. */
  private static boolean isPassing(Map dataset) {
    String name = Fields.text(dataset.get("name"));
    Object format = dataset.get("format");
    if (name.indexOf("/_delta_log") >= 0) {
      return format.equals("") || format.equals("delta");
    }
    return format.equals("view") && name.startsWith("_pyspark_");
  }

  private static String key(Map dataset) {
    return dataset.get("kind") + "\n" + dataset.get("name") + "\n" + dataset.get("table") + "\n"
        + dataset.get("format");
  }

  /** Gives a URI as Hadoop writes paths, without the escapes of a URI. */
  public static String place(Object uri) {
    return uri instanceof java.net.URI ? new Path((java.net.URI) uri).toString() : Fields.text(uri);
  }
}
