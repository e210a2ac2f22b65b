package org.sparkkernel;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;

/** Names what a relation of a plan stands for, with its state where Spark knows it already. */
public final class Relations {
  private static final int ROOTS = 10;
  private static final int LISTED = 200000;

  private final DataSeen seen;
  private final Object session;

  /** @param session the classic session of the plan, for what its catalog knows */
  public Relations(DataSeen seen, Object session) {
    this.seen = seen;
    this.session = session;
  }

  /** Gives the datasets behind a V1 relation; none for what is in memory. */
  public List of(Object relation, Object table) {
    String kind = Fields.kind(relation);
    List found = new ArrayList();
    if (table != null) {
      found.add(table(table, relation));
    } else if (relation instanceof HadoopFsRelation) {
      files(relation, found);
    } else if (kind.equals("JDBCRelation")) {
      found.add(jdbc(Fields.of(relation, "jdbcOptions")));
    } else {
      found.add(other(kind, "a source of this kind is not looked into"));
    }
    return found;
  }

  // -- files -------------------------------------------------------------------------------

  private void files(Object relation, List found) {
    String format = format(Fields.of(relation, "fileFormat"));
    Object options = Fields.of(relation, "options");
    if (format.equals("text") && "false".equals(Fields.entry(options, "__globPaths__"))) {
      return; // Spark looks for the schema of another format
    }
    fileIndex(Fields.of(relation, "location"), options, format, found);
  }

  /** Adds what a file index stands for: the place or pattern as it was given, or its roots. */
  private void fileIndex(Object index, Object options, String format, List found) {
    List roots = Fields.list(Fields.of(index, "rootPaths"));
    String given = Fields.entry(options, "path");
    if (given != null) {
      Map dataset = seen.file(given, format);
      fingerprint(dataset, index, options, "");
      found.add(dataset);
    } else if (roots.size() > ROOTS) {
      Map dataset = DataSeen.dataset("file", parent(roots), format);
      dataset.put("note", roots.size() + " places below this one");
      found.add(dataset);
    } else {
      for (int i = 0; i < roots.size(); i++) {
        String root = roots.get(i).toString();
        Map dataset = seen.file(root, format);
        fingerprint(dataset, index, options, roots.size() == 1 ? "" : root);
        found.add(dataset);
      }
    }
  }

  /** Puts the state of the files in as far as Spark has listed them, else they are listed. */
  private void fingerprint(Map dataset, Object index, Object options, String below) {
    if (Fields.kind(index).startsWith("Tahoe") || Fields.kind(index).indexOf("Delta") >= 0) {
      Object version = Fields.path(index, "getSnapshot.version");
      dataset.put("format", "delta");
      dataset.put("fingerprint", version == null ? null : version(version));
      dataset.remove("listing");
      if (version == null) {
        dataset.put("note", "its version is not known");
      }
      return;
    }
    boolean isFiltered = Fields.entry(options, "pathGlobFilter") != null
        || Fields.entry(options, "modifiedBefore") != null
        || Fields.entry(options, "modifiedAfter") != null;
    Object listed = isFiltered ? null : Fields.of(index, "leafFiles");
    if (!(listed instanceof scala.collection.Map)
        || ((scala.collection.Map) listed).size() > LISTED) {
      return;
    }
    FileSums sums = new FileSums();
    scala.collection.Iterator all = ((scala.collection.Map) listed).valuesIterator();
    while (all.hasNext()) {
      FileStatus status = (FileStatus) all.next();
      String path = below.isEmpty() ? "" : status.getPath().toString();
      if (below.isEmpty() || path.equals(below) || path.startsWith(below + "/")) {
        sums.add(status);
      }
    }
    dataset.put("fingerprint", sums.fingerprint());
    dataset.remove("listing");
  }

  private static String parent(List roots) {
    Path common = ((Path) roots.get(0)).getParent();
    for (int i = 1; i < roots.size() && common != null; i++) {
      String path = roots.get(i).toString();
      while (common != null && !path.startsWith(common.toString() + "/")) {
        common = common.getParent();
      }
    }
    return common == null ? roots.get(0).toString() : common.toString();
  }

  public static String format(Object format) {
    Object name = Fields.of(format, "shortName");
    return (name == null ? Fields.text(format) : name.toString()).toLowerCase(Locale.ROOT);
  }

  /** Gives what a data source of V1 writes to or reads from with these options. */
  public Map source(String format, Object options) {
    String url = Fields.entry(options, "url");
    if (url != null && url.startsWith("jdbc:")) {
      return jdbc(url, Fields.entry(options, "dbtable"));
    }
    String path = Fields.entry(options, "path");
    if (path == null) {
      return other(format, "a source of this kind is not looked into");
    }
    Map dataset = seen.file(path, format);
    if (format.equals("delta")) {
      delta(dataset, Fields.text(dataset.get("name")));
    }
    return dataset;
  }

  // -- tables ------------------------------------------------------------------------------

  /** Gives a table of the session's catalog; the relation may be null. */
  public Map table(Object table, Object relation) {
    Object identifier = Fields.of(table, "identifier");
    String format = Fields.text(Fields.path(table, "provider")).toLowerCase(Locale.ROOT);
    Map dataset = DataSeen.dataset("table", name(identifier), format);
    Object uri = Fields.path(table, "storage.locationUri");
    Object options = Fields.path(table, "storage.properties");
    if (format.equals("jdbc")) {
      return jdbc(Fields.text(Fields.entry(options, "url")), Fields.entry(options, "dbtable"));
    }
    if (uri == null) {
      dataset.put("note", "no place of files is known");
      return dataset;
    }
    String place = DataSeen.place(uri);
    dataset.put("location", place);
    dataset.put("listing", place);
    if (format.equals("delta")) {
      delta(dataset, place);
    } else if (relation instanceof HadoopFsRelation) {
      Object index = Fields.of(relation, "location");
      fingerprint(dataset, index, Fields.of(relation, "options"), "");
    }
    return dataset;
  }

  /** Gives a table by its name, as the catalog knows it now; with its name alone if it is gone. */
  public Map tableNamed(Object identifier) {
    Object catalog = Fields.path(session, "sessionState.catalog");
    Object table = catalog == null
        ? null : Fields.invoke(catalog, "getTableMetadata", new Object[] {identifier});
    if (table == null) {
      Map dataset = DataSeen.dataset("table", name(identifier), "");
      dataset.put("note", "not in the catalog");
      return dataset;
    }
    return isView(table) ? view(table, false) : table(table, null);
  }

  public static boolean isView(Object table) {
    return Fields.text(Fields.path(table, "tableType.name")).equals("VIEW");
  }

  /** Gives a view: a temporary one by its name, another with a sum of what it says. */
  public Map view(Object table, boolean isTemporary) {
    Object identifier = Fields.of(table, "identifier");
    if (isTemporary) {
      return DataSeen.dataset("other", shortName(identifier), "view");
    }
    Map dataset = DataSeen.dataset("table", name(identifier), "view");
    Object text = Fields.path(table, "viewText");
    if (text != null) {
      dataset.put("fingerprint", version(sum(text.toString())));
    }
    return dataset;
  }

  public static String shortName(Object identifier) {
    Object database = Fields.path(identifier, "database");
    Object name = Fields.of(identifier, "table");
    return database == null ? Fields.text(name) : database + "." + name;
  }

  public String name(Object identifier) {
    Object catalog = Fields.path(identifier, "catalog");
    Object database = Fields.path(identifier, "database");
    if (database == null) {
      database = Fields.path(session, "catalog.currentDatabase");
    }
    return (catalog == null ? "spark_catalog" : catalog) + "." + database + "."
        + Fields.of(identifier, "table");
  }

  private static String sum(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return new BigInteger(1, digest).toString(16).substring(0, 16);
    } catch (Exception impossible) {
      return null;
    }
  }

  // -- tables of other catalogs ------------------------------------------------------------

  /** Gives what a relation of V2 stands for. */
  public List v2(Object relation) {
    Object table = Fields.of(relation, "table");
    Object options = Fields.of(relation, "options");
    Object catalog = Fields.path(relation, "catalog");
    Object identifier = Fields.path(relation, "identifier");
    List found = new ArrayList();
    if (catalog != null && identifier != null) {
      found.add(v2Table(catalog, identifier, table));
    } else if (Fields.of(table, "fileIndex") != null) {
      String format = Fields.text(Fields.of(table, "formatName")).toLowerCase(Locale.ROOT);
      fileIndex(Fields.of(table, "fileIndex"), options, format, found);
    } else {
      String path = Fields.entry(options, "path");
      Object version = tableVersion(table);
      String name = Fields.text(Fields.of(table, "name"));
      if (path != null && version != null) {
        Map dataset = DataSeen.dataset("file", seen.qualified(path), tableFormat(table));
        dataset.put("fingerprint", version(version));
        found.add(dataset);
      } else if (!Fields.kind(table).equals("RangeTable")) {
        found.add(other(name, "a source of this kind is not looked into"));
      }
    }
    return found;
  }

  /** Gives what a relation of V2 stands for after it was written: its own table is from before. */
  public List v2Written(Object relation) {
    Object catalog = Fields.path(relation, "catalog");
    Object identifier = Fields.path(relation, "identifier");
    Object now = catalog == null || identifier == null ? null : loaded(catalog, identifier);
    if (now == null) {
      return v2(relation);
    }
    List found = new ArrayList();
    found.add(v2Table(catalog, identifier, now));
    return found;
  }

  private static Object loaded(Object catalog, Object identifier) {
    return Fields.invoke(catalog, "loadTable", new Object[] {identifier});
  }

  public Map v2Table(Object catalog, Object identifier, Object table) {
    String name = v2Name(catalog, identifier);
    if (table == null) {
      table = loaded(catalog, identifier);
    }
    Object v1 = Fields.of(table, "v1Table");
    if (v1 != null) {
      return isView(v1) ? view(v1, false) : table(v1, null);
    }
    Object jdbc = Fields.of(table, "jdbcOptions");
    if (jdbc != null) {
      return jdbc(Fields.text(Fields.of(jdbc, "url")), v2Name(null, identifier));
    }
    Map dataset = DataSeen.dataset("table", name, table == null ? "" : tableFormat(table));
    String location = Fields.entry(Fields.of(table, "properties"), "location");
    if (location != null) {
      dataset.put("location", seen.qualified(location));
    }
    Object version = tableVersion(table);
    if (version != null) {
      dataset.put("fingerprint", version(version));
    } else {
      dataset.put("note", table == null ? "not in the catalog" : "its version is not known");
    }
    return dataset;
  }

  public static String v2Name(Object catalog, Object identifier) {
    StringBuilder name = new StringBuilder(
        catalog == null ? "" : Fields.text(Fields.of(catalog, "name")) + ".");
    Object namespace = Fields.of(identifier, "namespace");
    String[] parts = namespace instanceof String[] ? (String[]) namespace : new String[0];
    for (int i = 0; i < parts.length; i++) {
      name.append(parts[i]).append(".");
    }
    return name.append(Fields.text(Fields.of(identifier, "name"))).toString();
  }

  private static String tableFormat(Object table) {
    String provider = Fields.entry(Fields.of(table, "properties"), "provider");
    String type = table.getClass().getName();
    if (type.indexOf("iceberg") >= 0) {
      return "iceberg";
    }
    return provider == null && type.indexOf("delta") >= 0 ? "delta" : Fields.text(provider);
  }

  /** Gives the version of a table of Delta or Iceberg, or as Spark 4.1 asks for it. */
  private static Object tableVersion(Object table) {
    if (table == null) {
      return null;
    }
    String[] ways = {
      "initialSnapshot.version", "snapshotId", "table.currentSnapshot.snapshotId", "version"
    };
    for (int i = 0; i < ways.length; i++) {
      Object version = Fields.path(table, ways[i]);
      if (version != null) {
        return version;
      }
    }
    return null;
  }

  /** Gives the state of a folder of Delta. */
  public Map delta(String place) {
    Map dataset = DataSeen.dataset("file", place, "delta");
    delta(dataset, place);
    return dataset;
  }

  private void delta(Map dataset, String place) {
    dataset.remove("listing");
    Object version = deltaVersion(place);
    if (version == null) {
      dataset.put("note", "its version is not known");
    } else {
      dataset.put("fingerprint", version(version));
    }
  }

  private Object deltaVersion(String place) {
    try {
      ClassLoader loader = Thread.currentThread().getContextClassLoader();
      Class log = Class.forName("org.apache.spark.sql.delta.DeltaLog$", true, loader);
      Object companion = log.getField("MODULE$").get(null);
      java.lang.reflect.Method[] methods = log.getMethods();
      for (int i = 0; i < methods.length; i++) {
        Class[] types = methods[i].getParameterTypes();
        if (methods[i].getName().equals("forTable") && types.length == 2
            && types[1] == String.class) {
          Object found = methods[i].invoke(companion, new Object[] {session, place});
          return Fields.path(found, "unsafeVolatileSnapshot.version");
        }
      }
    } catch (Throwable unknown) {
      return null;
    }
    return null;
  }

  private static Map version(Object version) {
    Map found = new LinkedHashMap();
    found.put("version", version.toString());
    return found;
  }

  // -- all else ----------------------------------------------------------------------------

  private static Map jdbc(Object options) {
    Object table = Fields.entry(Fields.of(options, "parameters"), "dbtable");
    return jdbc(Fields.text(Fields.of(options, "url")), (String) table);
  }

  private static Map jdbc(String url, String table) {
    Map dataset = DataSeen.dataset("jdbc", url, "jdbc");
    dataset.put("table", table == null ? "" : table);
    dataset.put("note", "a database is not looked into");
    return dataset;
  }

  public static Map other(String name, String note) {
    Map dataset = DataSeen.dataset("other", name, name);
    dataset.put("note", note);
    return dataset;
  }
}
