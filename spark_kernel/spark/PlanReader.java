package org.sparkkernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.plans.logical.Command;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.execution.CommandExecutionMode;

/**
 * Reads an analyzed plan: what it stands on, and what its commands write.
 *
 * <p>The analyzed plan names every source, also those that the optimizer finds no need of. Where it
 * is answered from the cache, the plan that filled the cache counts: its files are the ones read.
 */
public final class PlanReader {
  private static final int NODES = 5000;
  private static final Set IN_MEMORY = new HashSet(Arrays.asList(new String[] {
    "LocalRelation", "Range", "OneRowRelation", "EmptyRelation", "CommandResult", "CTERelationRef",
    "UnionLoopRef", "ResolvedIdentifier", "ResolvedNamespace", "ResolvedTable",
    "ResolvedPersistentView", "ResolvedTempView", "ResolvedNonPersistentFunc",
    "ResolvedPersistentFunc", "ResolvedFieldName"
  }));
  private static final Set TARGETS = new HashSet(Arrays.asList(new String[] {
    "table", "tableDesc", "tableName", "tableIdent", "tableIdentifier", "targetTable", "target",
    "name", "child", "identifier", "logicalRelation", "catalogTable"
  }));
  private static final String[] CHANGES = {
    "Create", "Insert", "Append", "Overwrite", "Replace", "Write", "Save", "Alter", "Truncate",
    "Load", "Drop", "Delete", "Update", "Merge", "Optimized", "Restore", "Clone", "Convert",
    "Rename", "AddColumn", "AddPartition", "RecoverPartitions"
  };

  private final DataSeen seen;
  private final RddReader rdds;
  private final Object session;
  private final Relations relations;
  private final List left = new ArrayList();

  public PlanReader(DataSeen seen, RddReader rdds, Object session) {
    this.seen = seen;
    this.rdds = rdds;
    this.session = session;
    this.relations = new Relations(seen, session);
  }

  public void read(Object plan) {
    IdentityHashMap known = new IdentityHashMap();
    left.add(plan);
    while (!left.isEmpty()) {
      Object node = left.remove(left.size() - 1);
      if (known.put(node, node) != null) {
        continue;
      }
      if (known.size() > NODES) {
        seen.readUnknown("the plan is too large to be read to its end");
        return;
      }
      try {
        visit(node, Fields.kind(node));
      } catch (Throwable failed) {
        seen.readUnknown("a part of the plan cannot be read: " + Fields.kind(node));
      }
    }
  }

  private void visit(Object node, String kind) {
    List children = Fields.list(Fields.of(node, "children"));
    if (node instanceof Command) {
      if (kind.startsWith("Explain") || kind.startsWith("Describe")) {
        return;
      }
      command(node, kind);
      List inner = Fields.list(Fields.of(node, "innerChildren"));
      for (int i = 0; i < inner.size(); i++) {
        if (inner.get(i) instanceof LogicalPlan) {
          left.add(cached(inner.get(i)));
        }
      }
      for (int i = 0; i < children.size(); i++) {
        left.add(cached(children.get(i)));
      }
      return;
    } else if (kind.equals("View")) {
      boolean isTemporary = Boolean.TRUE.equals(Fields.of(node, "isTempView"));
      seen.read(relations.view(Fields.of(node, "desc"), isTemporary));
    } else if (children.isEmpty()) {
      leaf(node, kind);
    }
    left.addAll(children);
    left.addAll(Fields.list(Fields.of(node, "subqueries")));
  }

  /** Gives a plan with what the cache answers put in, as Spark's own planning does. */
  public Object cached(Object plan) {
    Object manager = Fields.path(session, "sharedState.cacheManager");
    if (manager == null || !Boolean.FALSE.equals(Fields.of(manager, "isEmpty"))) {
      return plan;
    }
    Object execution = Fields.invoke(Fields.of(session, "sessionState"), "executePlan",
        new Object[] {plan, CommandExecutionMode.SKIP()});
    Object found = execution == null ? null : Fields.of(execution, "withCachedData");
    return found == null ? plan : found;
  }

  // -- what is read ------------------------------------------------------------------------

  private void leaf(Object node, String kind) {
    if (kind.equals("LogicalRelation")) {
      readAll(relations.of(Fields.of(node, "relation"), Fields.path(node, "catalogTable")));
    } else if (kind.equals("HiveTableRelation")) {
      seen.read(relations.table(Fields.of(node, "tableMeta"), null));
    } else if (kind.equals("DataSourceV2Relation")) {
      readAll(relations.v2(node));
    } else if (kind.equals("DataSourceV2ScanRelation")) {
      readAll(relations.v2(Fields.of(node, "relation")));
    } else if (kind.equals("InMemoryRelation")) {
      Object plan = Fields.path(node, "cacheBuilder.logicalPlan");
      if (plan == null) {
        seen.readUnknown("cached data");
      } else {
        left.add(plan);
      }
    } else if (kind.equals("LogicalRDD") || kind.equals("ExternalRDD")) {
      rdds.read(Fields.of(node, "rdd"), seen);
    } else if (kind.equals("MemoryPlan")) {
      seen.read(Relations.other("memory", "what a stream has brought so far"));
    } else if (kind.equals("StreamingRelation")) {
      stream(Fields.of(node, "dataSource"), Fields.text(Fields.of(node, "sourceName")));
    } else if (kind.equals("StreamingRelationV2")) {
      streamV2(node);
    } else if (!IN_MEMORY.contains(kind) && !kind.startsWith("Unresolved")) {
      seen.readUnknown("a part of the plan is not known: " + kind);
    }
  }

  private void readAll(List datasets) {
    for (int i = 0; i < datasets.size(); i++) {
      seen.read((Map) datasets.get(i));
    }
  }

  private void stream(Object source, String name) {
    Object options = Fields.of(source, "options");
    List paths = Fields.list(Fields.of(source, "paths"));
    String format = Fields.text(Fields.of(source, "className")).toLowerCase(Locale.ROOT);
    format = format.substring(format.lastIndexOf('.') + 1);
    if (Fields.entry(options, "path") != null) {
      seen.read(seen.file(Fields.entry(options, "path"), format));
    } else if (paths.isEmpty()) {
      seen.read(Relations.other(name, "a stream"));
    }
    for (int i = 0; i < paths.size(); i++) {
      seen.read(seen.file(paths.get(i).toString(), format));
    }
  }

  private void streamV2(Object node) {
    Object catalog = Fields.path(node, "catalog");
    Object identifier = Fields.path(node, "identifier");
    if (catalog != null && identifier != null) {
      seen.read(relations.v2Table(catalog, identifier, Fields.of(node, "table")));
    } else {
      seen.read(Relations.other(Fields.text(Fields.of(node, "sourceName")), "a stream"));
    }
  }

  // -- what is written ---------------------------------------------------------------------

  private void command(Object node, String kind) {
    if (kind.equals("InsertIntoHadoopFsRelationCommand")) {
      Object table = Fields.path(node, "catalogTable");
      seen.written(table != null
          ? relations.table(table, null)
          : seen.file(Fields.text(Fields.of(node, "outputPath")),
              Relations.format(Fields.of(node, "fileFormat"))));
    } else if (kind.equals("SaveIntoDataSourceCommand")) {
      String format = Relations.format(Fields.of(node, "dataSource"));
      seen.written(relations.source(shortened(format), Fields.of(node, "options")));
    } else if (kind.endsWith("DirCommand")) {
      Object uri = Fields.path(node, "storage.locationUri");
      String format = Fields.text(Fields.of(node, "provider")).toLowerCase(Locale.ROOT);
      seen.written(seen.file(DataSeen.place(uri), format));
    } else if (kind.equals("CreateViewCommand") || kind.equals("AlterViewAsCommand")) {
      view(Fields.of(node, "name"), Fields.text(Fields.of(node, "viewType")));
    } else if (kind.equals("CreateTempViewUsing")) {
      boolean isGlobal = Boolean.TRUE.equals(Fields.of(node, "global"));
      view(Fields.of(node, "tableIdent"), isGlobal ? "GlobalTempView" : "LocalTempView");
      String format = Fields.text(Fields.of(node, "provider")).toLowerCase(Locale.ROOT);
      seen.read(relations.source(format, Fields.of(node, "options")));
    } else if (kind.equals("CacheTableAsSelect")) {
      String name = Fields.text(Fields.of(node, "tempViewName"));
      seen.written(DataSeen.dataset("other", name, "view"));
    } else if (kind.equals("DropTempViewCommand")) {
      dropped(DataSeen.dataset("other", viewName(Fields.of(node, "ident"), false), "view"));
    } else if (kind.equals("DropTableCommand")) {
      drop(Fields.of(node, "tableName"), Boolean.TRUE.equals(Fields.of(node, "isView")));
    } else if (isChange(kind)) {
      if (kind.equals("LoadDataCommand")) {
        seen.read(seen.file(Fields.text(Fields.of(node, "path")), ""));
      }
      targets((scala.Product) node, kind);
    } else if (!node.getClass().getName().startsWith("org.apache.spark.sql.ca")
        && !node.getClass().getName().startsWith("org.apache.spark.sql.execution.")) {
      targets((scala.Product) node, kind);
    }
  }

  private static boolean isChange(String kind) {
    for (int i = 0; i < CHANGES.length; i++) {
      if (kind.startsWith(CHANGES[i])) {
        return kind.indexOf("Function") < 0 && kind.indexOf("Namespace") < 0
            && kind.indexOf("Database") < 0 && kind.indexOf("Variable") < 0;
      }
    }
    return false;
  }

  /** Finds what a command changes among its own fields, by their names and types. */
  private void targets(scala.Product node, String kind) {
    int found = 0;
    for (int i = 0; i < node.productArity(); i++) {
      if (TARGETS.contains(node.productElementName(i))) {
        found += target(Fields.option(node.productElement(i)), kind) ? 1 : 0;
      }
    }
    if (found == 0) {
      seen.writtenUnknown("by a command whose target is not known: " + kind);
    }
  }

  private boolean target(Object value, String kind) {
    Object plan = value;
    while (plan instanceof LogicalPlan && Fields.of(plan, "child") != null) {
      plan = Fields.of(plan, "child");
    }
    if (plan == null) {
      return false;
    }
    String type = Fields.kind(plan);
    if (type.equals("CatalogTable")) {
      seen.written(relations.tableNamed(Fields.of(plan, "identifier")));
    } else if (type.equals("TableIdentifier")) {
      seen.written(relations.tableNamed(plan));
    } else if (type.equals("ResolvedIdentifier") || type.equals("ResolvedTable")
        || type.equals("ResolvedPersistentView")) {
      Object catalog = Fields.of(plan, "catalog");
      Map table = relations.v2Table(catalog, Fields.of(plan, "identifier"), null);
      if (kind.startsWith("Drop") && kind.indexOf("Table") >= 0) {
        dropped(table);
      } else {
        seen.written(table);
      }
    } else if (type.equals("DataSourceV2Relation")) {
      writeAll(relations.v2Written(plan));
    } else if (type.equals("LogicalRelation")) {
      Object table = Fields.path(plan, "catalogTable");
      List written = relations.of(Fields.of(plan, "relation"), table);
      for (int i = 0; i < written.size(); i++) {
        refreshed((Map) written.get(i));
      }
      writeAll(written);
    } else {
      return false;
    }
    return true;
  }

  /** Has files looked at anew that were listed before they were written. */
  private static void refreshed(Map dataset) {
    Object place = dataset.get("kind").equals("file")
        ? dataset.get("name") : dataset.get("location");
    if (!dataset.get("kind").equals("jdbc") && !"delta".equals(dataset.get("format"))) {
      dataset.remove("fingerprint");
      dataset.put("listing", place);
    }
  }

  private void writeAll(List datasets) {
    for (int i = 0; i < datasets.size(); i++) {
      seen.written((Map) datasets.get(i));
    }
  }

  private void view(Object identifier, String type) {
    if (type.startsWith("Persisted") || (type.isEmpty() && !isTemporary(identifier))) {
      seen.written(relations.tableNamed(identifier));
    } else {
      String name = viewName(identifier, type.startsWith("Global"));
      seen.written(DataSeen.dataset("other", name, "view"));
    }
  }

  private boolean isTemporary(Object identifier) {
    Object catalog = Fields.path(session, "sessionState.catalog");
    return catalog != null && Boolean.TRUE.equals(
        Fields.invoke(catalog, "isTempView", new Object[] {identifier}));
  }

  private static String viewName(Object identifier, boolean isGlobal) {
    String name = Fields.kind(identifier).equals("TableIdentifier")
        ? Relations.shortName(identifier) : Relations.v2Name(null, identifier);
    return isGlobal && name.indexOf('.') < 0 ? "global_temp." + name : name;
  }

  private void drop(Object identifier, boolean isView) {
    boolean isTemporary = Fields.path(identifier, "database") == null
        || "global_temp".equals(Fields.path(identifier, "database"));
    dropped(isView && isTemporary
        ? DataSeen.dataset("other", Relations.shortName(identifier), "view")
        : DataSeen.dataset("table", relations.name(identifier), isView ? "view" : ""));
  }

  private void dropped(Map dataset) {
    dataset.remove("listing");
    dataset.remove("fingerprint");
    dataset.put("note", "dropped");
    seen.written(dataset);
  }

  private static String shortened(String format) {
    if (format.indexOf('@') >= 0) {
      format = format.substring(0, format.indexOf('@'));
    }
    return format.substring(format.lastIndexOf('.') + 1);
  }

  // -- streams -----------------------------------------------------------------------------

  /** Reads what a streaming query was started with. */
  public void readStream(Object query) {
    Object execution = Fields.of(query, "streamingQuery");
    execution = execution == null ? query : execution;
    Object plan = Fields.field(execution, "analyzedPlan");
    Object sink = Fields.of(execution, "sink");
    if (plan == null) {
      seen.readUnknown("a streaming query");
    } else {
      read(plan);
    }
    if (sink == null) {
      seen.writtenUnknown("by a streaming query");
      return;
    }
    String kind = Fields.kind(sink);
    Object path = Fields.field(sink, "path");
    if (kind.equals("MemorySink")) {
      seen.written(DataSeen.dataset("other", Fields.text(Fields.of(query, "name")), "view"));
    } else if (path != null) {
      seen.written(seen.file(path.toString(), shortened(
          Relations.format(Fields.field(sink, "fileFormat") == null
              ? kind : Fields.field(sink, "fileFormat")))));
    } else {
      Object name = Fields.of(sink, "name");
      seen.written(Relations.other(name == null ? kind : name.toString(), "a stream"));
    }
  }
}
