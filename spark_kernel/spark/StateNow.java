package org.sparkkernel;

import java.util.Map;
import org.apache.spark.sql.catalyst.TableIdentifier;
import org.apache.spark.sql.connector.catalog.Identifier;

/** Finds data by what a record says of it, in the state that it is in now. */
public final class StateNow {
  private final DataSeen seen;
  private final Object session;
  private final Relations relations;

  public StateNow(DataSeen seen, Object session) {
    this.seen = seen;
    this.session = session;
    this.relations = new Relations(seen, session);
  }

  /** Gives it as {@link DataSeen} does, or null. */
  public Map of(String kind, String name, String format, String location)
      throws Exception {
    if (kind.equals("file")) {
      return format.equals("delta") ? relations.delta(name) : seen.file(name, format);
    }
    return kind.equals("table") && session != null ? table(name.split("\\.")) : null;
  }

  private Map table(String[] parts) throws Exception {
    if (parts.length < 2) {
      return null;
    }
    int last = parts.length - 1;
    if (parts[0].equals("spark_catalog") && parts.length == 3) {
      return relations.tableNamed(new TableIdentifier(parts[2], scala.Option.apply(parts[1])));
    }
    Object manager = Fields.path(session, "sessionState.catalogManager");
    Object catalog = Fields.invoke(manager, "catalog", new Object[] {parts[0]});
    String[] namespace = new String[last - 1];
    System.arraycopy(parts, 1, namespace, 0, namespace.length);
    return catalog == null
        ? null : relations.v2Table(catalog, identifier(namespace, parts[last]), null);
  }

  /** Janino calls no static method of an interface. */
  private static Object identifier(String[] namespace, String name) throws Exception {
    return Identifier.class.getMethod("of", new Class[] {String[].class, String.class})
        .invoke(null, new Object[] {namespace, name});
  }
}
