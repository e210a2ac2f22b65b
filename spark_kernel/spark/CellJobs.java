package org.sparkkernel;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.spark.JobExecutionStatus;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.python.BasePythonRunner;
import org.apache.spark.api.python.PythonWorker;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.streaming.StreamingQuery;
import org.apache.spark.sql.streaming.StreamingQueryProgress;
import org.apache.spark.status.AppStatusStore;
import org.apache.spark.status.JobDataWrapper;
import org.apache.spark.status.StageDataWrapper;
import org.apache.spark.status.api.v1.ExecutorSummary;
import org.apache.spark.status.api.v1.JobData;
import org.apache.spark.status.api.v1.StageData;
import org.apache.spark.status.api.v1.StageStatus;
import org.apache.spark.status.api.v1.TaskData;
import org.apache.spark.status.api.v1.TaskSorting;
import org.apache.spark.status.api.v1.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver's half of cell_jobs.py: each question and each change in one call through py4j.
 *
 * <p>Compiled in the driver by Janino, the compiler of Spark's own generated code, so it is written
 * in the Java that Janino takes: no lambdas, no generics.
 */
public class CellJobs {
  private static final String TAGS = "spark.job.tags";
  private static final String GROUP = "spark.jobGroup.id";
  private static final String DESCRIPTION = "spark.job.description";
  private static final String INTERRUPT = "spark.job.interruptOnCancel";
  private static final String OUR_DESCRIPTION = "spark.kernel.cell.description";
  private static final String MONITOR =
      "org.apache.spark.api.python.BasePythonRunner$MonitorThread";
  private static final Logger LOG = LoggerFactory.getLogger("org.sparkkernel.CellJobs");
  private static final int FAILURE_JOBS = 100;
  private static final int FAILURE_TASKS = 100;
  private static final int LATE_JOBS = 50;
  private static final int LATE_SAMPLES = 10;
  private static final int RECORDED_OWNERS = 1000;
  private static final int RECORDED_IDS = 10000;
  private static final int RECORDED_STAGES = 20000;
  private static final long RECORD_WAIT_NANOS = 100000000L;
  private static final long RECORD_PAUSE_NANOS = 100000L;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final SparkContext context;
  private final AppStatusStore store;
  private final String prefix;
  private final AtomicBoolean isEndingWorkers = new AtomicBoolean();
  private final List queries = Collections.synchronizedList(new ArrayList());
  private final Map firstJobs = new ConcurrentHashMap();
  private final Map lateJobs = new java.util.TreeMap();
  private volatile int missing = -1;

  public CellJobs(SparkContext context, String prefix) {
    this.context = context;
    this.store = context.statusStore();
    this.prefix = prefix;
  }

  // -- whose jobs this thread starts -------------------------------------------------------

  /** Gives this thread the local properties of the one whose connection broke; gives them. */
  public Properties adopt(Properties previous) {
    if (previous != null) {
      context.setLocalProperties((Properties) previous.clone());
    }
    return context.getLocalProperties();
  }

  /** Lets this thread start jobs for an owner, but keeps what the user has set. */
  public void bind(String owner, String description) {
    if (firstJobs.size() > RECORDED_OWNERS) {
      firstJobs.clear();
    }
    firstJobs.putIfAbsent(owner, Integer.valueOf(context.dagScheduler().numTotalJobs()));
    Properties properties = context.getLocalProperties();
    String group = properties.getProperty(GROUP);
    if (group == null || group.startsWith(prefix)) {
      properties.setProperty(GROUP, owner);
      properties.setProperty(INTERRUPT, "true");
    }
    String shown = properties.getProperty(DESCRIPTION);
    if (shown == null || shown.equals(properties.getProperty(OUR_DESCRIPTION))) {
      properties.setProperty(DESCRIPTION, description);
      properties.setProperty(OUR_DESCRIPTION, description);
    }
    setTags(properties, owner);
  }

  /** Takes from this thread what {@link #bind} gave it. */
  public void unbind() {
    Properties properties = context.getLocalProperties();
    String group = properties.getProperty(GROUP);
    if (group != null && group.startsWith(prefix)) {
      properties.remove(GROUP);
      properties.remove(INTERRUPT);
    }
    String shown = properties.getProperty(DESCRIPTION);
    if (shown != null && shown.equals(properties.getProperty(OUR_DESCRIPTION))) {
      properties.remove(DESCRIPTION);
    }
    properties.remove(OUR_DESCRIPTION);
    setTags(properties, null);
  }

  private void setTags(Properties properties, String owner) {
    StringBuilder tags = new StringBuilder(owner == null ? "" : owner);
    String[] present = properties.getProperty(TAGS, "").split(",");
    for (int i = 0; i < present.length; i++) {
      if (!present[i].isEmpty() && !present[i].startsWith(prefix)) {
        tags.append(tags.length() == 0 ? "" : ",").append(present[i]);
      }
    }
    if (tags.length() == 0) {
      properties.remove(TAGS);
    } else {
      properties.setProperty(TAGS, tags.toString());
    }
  }

  // -- cancelling --------------------------------------------------------------------------

  /** Cancels the jobs of an owner, and those that it is about to start; says whether any ran. */
  public boolean cancel(String owner, String reason) {
    boolean isRunning = false;
    scala.collection.Iterator all =
        store.jobsList(Collections.singletonList(JobExecutionStatus.RUNNING)).iterator();
    while (all.hasNext() && !isRunning) {
      isRunning = ownerOf((JobData) all.next()).equals(owner);
    }
    context.cancelJobGroupAndFutureJobs(owner, reason);
    context.cancelJobsWithTag(owner, reason);
    endWorkers();
    return isRunning;
  }

  /** Cancels one job; says whether it ran. */
  public boolean cancelJob(int id, String reason) {
    try {
      boolean isRunning = store.job(id).status() == JobExecutionStatus.RUNNING;
      context.cancelJob(id, reason);
      endWorkers();
      return isRunning;
    } catch (NoSuchElementException unknown) {
      return false;
    }
  }

  /** Cancels one stage, and with it the jobs that need it; says whether it ran. */
  public boolean cancelStage(int id, String reason) {
    try {
      boolean isRunning = store.lastStageAttempt(id).status() == StageStatus.ACTIVE;
      context.cancelStage(id, reason);
      endWorkers();
      return isRunning;
    } catch (NoSuchElementException unknown) {
      return false;
    }
  }

  /** Cancels every job that runs, whoever started it; gives their ids, by commas. */
  public String cancelAll(String reason) {
    StringBuilder ids = new StringBuilder();
    scala.collection.Iterator all =
        store.jobsList(Collections.singletonList(JobExecutionStatus.RUNNING)).iterator();
    while (all.hasNext()) {
      int id = ((JobData) all.next()).jobId();
      context.cancelJob(id, reason);
      ids.append(ids.length() == 0 ? "" : ",").append(id);
    }
    endWorkers();
    return ids.toString();
  }

  /**
   * Ends the Python workers of killed tasks at once where the driver runs the tasks itself.
   *
   * <p>Spark looks for them every two seconds, and until then they hold their cores. On a cluster
   * only a short spark.python.task.killTimeout helps.
   */
  private void endWorkers() {
    if (!context.isLocal() || !isEndingWorkers.compareAndSet(false, true)) {
      return;
    }
    Thread ending = new Thread("spark-kernel-end-workers") {
      public void run() {
        try {
          for (int pause = 50; pause <= 800; pause *= 2) {
            Thread.sleep(pause);
            endWorkersOfKilledTasks();
          }
        } catch (Throwable unlikely) {
          LOG.info("Python workers are left to Spark: " + unlikely);
        } finally {
          isEndingWorkers.set(false);
        }
      }
    };
    ending.setDaemon(true);
    ending.start();
  }

  /** Does for each killed task what Spark's own monitor of its worker will do in its time. */
  private void endWorkersOfKilledTasks() throws Throwable {
    java.util.Iterator threads = Thread.getAllStackTraces().keySet().iterator();
    while (threads.hasNext()) {
      Object monitor = threads.next();
      if (!monitor.getClass().getName().equals(MONITOR)) {
        continue;
      }
      TaskContext task = (TaskContext) field(monitor, "context");
      if (task.isInterrupted() && !task.isCompleted()) {
        BasePythonRunner runner = (BasePythonRunner) field(monitor, "$outer");
        String internal = BasePythonRunner.class.getName().replace('.', '$') + "$$";
        Object[] arguments = new Object[] {
          field(monitor, "env"),
          runner.pythonExec(),
          runner.getClass().getMethod(internal + "workerModule").invoke(runner),
          runner.getClass().getMethod(internal + "daemonModule").invoke(runner),
          scala.collection.immutable.Map$.MODULE$.from(
              scala.jdk.javaapi.CollectionConverters.asScala(runner.envVars())),
          field(monitor, "worker")
        };
        destroyer(arguments[0].getClass()).invokeWithArguments(arguments);
      }
    }
  }

  /** Finds SparkEnv.destroyPythonWorker; all its methods together cannot be loaded. */
  private static MethodHandle destroyer(Class environment) throws Exception {
    Class[] types = new Class[] {
      String.class, String.class, String.class, scala.collection.immutable.Map.class,
      PythonWorker.class
    };
    return MethodHandles.publicLookup().findVirtual(
        environment, "destroyPythonWorker", MethodType.methodType(void.class, types));
  }

  private static Object field(Object object, String name) throws Exception {
    Field field = object.getClass().getDeclaredField(name);
    field.setAccessible(true);
    return field.get(object);
  }

  /** Stops a streaming query that a cell has started, by its id, run id or name; gives its id. */
  public String stopQuery(String name) throws Exception {
    Object[] tracked = queries.toArray();
    for (int i = 0; i < tracked.length; i++) {
      StreamingQuery query = (StreamingQuery) ((Object[]) tracked[i])[0];
      boolean isMeant = name.equals(query.name()) || query.id().toString().startsWith(name)
          || query.runId().toString().startsWith(name);
      if (isMeant && query.isActive()) {
        query.stop();
        return query.id().toString();
      }
    }
    return "";
  }

  /** Sees to it that a thread nobody waits for any more starts no job that lives. */
  public void abandon(Properties properties, String owner) {
    properties.setProperty(GROUP, owner);
  }

  // -- watching ----------------------------------------------------------------------------

  /** Waits until the status store has heard of everything that has happened. */
  public boolean settle(long timeoutMs) {
    try {
      context.listenerBus().waitUntilEmpty(timeoutMs);
      return true;
    } catch (Exception stillBusy) {
      return false;
    }
  }

  /** Waits until the context has stopped, whoever has stopped it. */
  public void awaitEnd() throws InterruptedException {
    while (!context.isStopped()) {
      Thread.sleep(500);
    }
  }

  public void track(StreamingQuery query, String owner) {
    queries.add(new Object[] {query, owner});
  }

  /**
   * Gives, as JSON, the jobs of all owners from an id on, oldest first, and those asked for.
   *
   * @param from id of the first new job
   * @param running ids of older jobs, by commas
   * @param jobLimit the most new jobs to give; "is_cut" tells whether there are more
   * @param stageLimit the most stages of a job
   */
  public String sample(int from, String running, int jobLimit, int stageLimit) throws Exception {
    List jobs = new ArrayList();
    Map live = liveStages();
    String[] ids = running.isEmpty() ? new String[0] : running.split(",");
    for (int i = 0; i < ids.length; i++) {
      try {
        jobs.add(describe(store.job(Integer.parseInt(ids[i])), stageLimit, live));
      } catch (NoSuchElementException evicted) {
        Map gone = new LinkedHashMap();
        gone.put("id", Integer.valueOf(ids[i]));
        jobs.add(gone);
      }
    }
    addLateJobs(jobs, stageLimit, live);
    int known = jobs.size();
    boolean isCut = false;
    int next = from;
    java.util.Iterator view =
        store.store().view(JobDataWrapper.class).first(Integer.valueOf(from)).iterator();
    while (view.hasNext()) {
      if (jobs.size() - known >= jobLimit) {
        isCut = true;
        break;
      }
      JobData job = ((JobDataWrapper) view.next()).info();
      for (int id = Math.max(next, job.jobId() - LATE_JOBS); id < job.jobId(); id++) {
        lateJobs.put(Integer.valueOf(id), Integer.valueOf(LATE_SAMPLES));
      }
      next = job.jobId() + 1;
      if (!ownerOf(job).isEmpty()) {
        jobs.add(describe(job, stageLimit, live));
      }
    }
    Map sample = new LinkedHashMap();
    sample.put("now", Long.valueOf(System.currentTimeMillis()));
    sample.put("next", Integer.valueOf(next));
    sample.put("is_cut", Boolean.valueOf(isCut));
    sample.put("executors", Integer.valueOf(executors()));
    sample.put("jobs", jobs);
    sample.put("queries", describeQueries(true));
    return MAPPER.writeValueAsString(sample);
  }

  /**
   * Adds jobs that the store did not have yet when it had later ones.
   *
   * <p>Threads get the numbers of their jobs in another order than that in which they submit them. A
   * number that never comes is looked for a few times.
   */
  private void addLateJobs(List jobs, int stageLimit, Map live) throws Exception {
    java.util.Iterator late = lateJobs.entrySet().iterator();
    while (late.hasNext()) {
      Map.Entry one = (Map.Entry) late.next();
      JobData job = job(((Integer) one.getKey()).intValue());
      int left = ((Integer) one.getValue()).intValue() - 1;
      if (job != null && !ownerOf(job).isEmpty()) {
        jobs.add(describe(job, stageLimit, live));
      }
      if (job != null || left == 0) {
        late.remove();
      } else {
        one.setValue(Integer.valueOf(left));
      }
    }
  }

  /** Gives, as JSON, what runs now, whoever started it. */
  public String running(int limit) throws Exception {
    List jobs = new ArrayList();
    Map live = liveStages();
    scala.collection.Iterator all =
        store.jobsList(Collections.singletonList(JobExecutionStatus.RUNNING)).iterator();
    while (all.hasNext() && jobs.size() < limit) {
      jobs.add(describe((JobData) all.next(), 0, live));
    }
    Map found = new LinkedHashMap();
    found.put("now", Long.valueOf(System.currentTimeMillis()));
    found.put("jobs", jobs);
    found.put("queries", describeQueries(false));
    return MAPPER.writeValueAsString(found);
  }

  /**
   * Gives, as JSON, one telling task of a stage, or null.
   *
   * @param kind "running" for the oldest that runs, "longest" for the longest that has ended,
   *     "failed" for one that has failed
   */
  public String task(int stageId, int attempt, String kind) throws Exception {
    List statuses = Collections.singletonList(TaskStatus.RUNNING);
    TaskSorting sorting = TaskSorting.ID;
    if (kind.equals("longest")) {
      statuses = Collections.singletonList(TaskStatus.SUCCESS);
      sorting = TaskSorting.DECREASING_RUNTIME;
    } else if (kind.equals("failed")) {
      statuses = Collections.singletonList(TaskStatus.FAILED);
    }
    scala.collection.Iterator found =
        store.taskList(stageId, attempt, 0, 1, sorting, statuses).iterator();
    if (!found.hasNext()) {
      return "null";
    }
    TaskData task = (TaskData) found.next();
    Map described = new LinkedHashMap();
    described.put("index", Integer.valueOf(task.index()));
    described.put("host", task.host());
    described.put("duration_ms", task.duration().isDefined() ? task.duration().get()
        : (Object) Long.valueOf(System.currentTimeMillis() - task.launchTime().getTime()));
    String error = task.errorMessage().isDefined() ? (String) task.errorMessage().get() : "";
    described.put("error", error.substring(0, Math.min(error.length(), 2000)));
    return MAPPER.writeValueAsString(described);
  }

  /** Gives, as JSON, the latest failed task that ended a job of some owners (by commas), or null. */
  public String failure(String owners) throws Exception {
    List tags = java.util.Arrays.asList(owners.split(","));
    java.util.Iterator view =
        store.store().view(JobDataWrapper.class).reverse().max(FAILURE_JOBS).iterator();
    while (view.hasNext()) {
      JobData job = ((JobDataWrapper) view.next()).info();
      if (job.status() != JobExecutionStatus.FAILED || !tags.contains(ownerOf(job))) {
        continue;
      }
      scala.collection.Iterator ids = job.stageIds().iterator();
      while (ids.hasNext()) {
        int id = ((Number) ids.next()).intValue();
        for (int attempt = 0; ; attempt++) {
          StageData stage = stage(id, attempt);
          if (stage == null) {
            break;
          }
          if (stage.status() == StageStatus.FAILED) {
            return MAPPER.writeValueAsString(describeFailure(stage));
          }
        }
      }
    }
    return "null";
  }

  private Map describeFailure(StageData stage) {
    Map described = new LinkedHashMap();
    described.put("stage", Integer.valueOf(stage.stageId()));
    described.put("stage_attempt", Integer.valueOf(stage.attemptId()));
    String reason = stage.failureReason().isDefined() ? (String) stage.failureReason().get() : "";
    described.put("reason", reason.substring(0, Math.min(reason.length(), 8000)));
    TaskData last = null;
    scala.collection.Iterator failed = store.taskList(stage.stageId(), stage.attemptId(), 0,
        FAILURE_TASKS, TaskSorting.ID, Collections.singletonList(TaskStatus.FAILED)).iterator();
    while (failed.hasNext()) {
      TaskData task = (TaskData) failed.next();
      if (last == null || task.attempt() > last.attempt()) {
        last = task;
      }
    }
    if (last != null) {
      described.put("task", Integer.valueOf(last.index()));
      described.put("attempt", Integer.valueOf(last.attempt()));
      described.put("host", last.host());
      described.put("executor", last.executorId());
    }
    return described;
  }

  // -- what is recorded of a cell ----------------------------------------------------------

  /**
   * Gives, as JSON, the jobs of owners that are done, and what all of their stages have used.
   *
   * @param owners by commas
   * @param limit the most jobs to list; the totals are of all
   */
  public String record(String owners, int limit) throws Exception {
    List tags = java.util.Arrays.asList(owners.split(","));
    int end = context.dagScheduler().numTotalJobs();
    int from = end;
    for (int i = 0; i < tags.size(); i++) {
      Integer first = (Integer) firstJobs.remove(tags.get(i));
      from = Math.min(from, first == null ? end : first.intValue());
    }
    from = Math.max(from, end - RECORDED_IDS);
    awaitStore(from, end, tags);
    List listed = new ArrayList();
    java.util.Set stages = new java.util.HashSet();
    long[] totals = new long[TOTALS.length];
    int found = 0;
    for (int id = from; id < end; id++) {
      JobData job = job(id);
      if (job == null || !tags.contains(ownerOf(job))) {
        continue;
      }
      found++;
      Map described = recorded(job, stages, totals);
      if (listed.size() < limit) {
        listed.add(described);
      }
    }
    Map record = new LinkedHashMap();
    record.put("jobs", listed);
    record.put("omitted", Integer.valueOf(found - listed.size()));
    Map named = new LinkedHashMap();
    for (int i = 0; i < TOTALS.length; i++) {
      named.put(TOTALS[i], Long.valueOf(totals[i]));
    }
    record.put("totals", named);
    scala.Option attempt = context.applicationAttemptId();
    record.put("attempt", attempt.isDefined() ? attempt.get() : null);
    record.put("settings", Integer.valueOf(SQLConf.get().settings().hashCode()));
    return MAPPER.writeValueAsString(record);
  }

  private static final String[] TOTALS = new String[] {
    "input_bytes", "input_records", "output_bytes", "output_records", "shuffle_read_bytes",
    "shuffle_write_bytes", "spill_bytes", "run_ms", "cpu_ns", "gc_ms"
  };

  /** Adds what each stage has used that no job before had; gives the job. */
  private Map recorded(JobData job, java.util.Set counted, long[] totals) throws Exception {
    int ran = 0;
    String reason = "";
    scala.collection.Iterator ids = job.stageIds().iterator();
    while (ids.hasNext() && counted.size() < RECORDED_STAGES) {
      Object id = ids.next();
      boolean isNew = counted.add(id);
      boolean hasRun = false;
      for (int attempt = 0; ; attempt++) {
        StageData stage = stage(((Number) id).intValue(), attempt);
        if (stage == null) {
          break;
        }
        if (stage.status() == StageStatus.SKIPPED || stage.status() == StageStatus.PENDING) {
          continue;
        }
        hasRun = true;
        if (stage.status() == StageStatus.FAILED && stage.failureReason().isDefined()) {
          reason = cut((String) stage.failureReason().get());
        }
        if (isNew) {
          addUse(stage, totals);
        }
      }
      ran += hasRun ? 1 : 0;
    }
    Map described = new LinkedHashMap();
    described.put("id", Integer.valueOf(job.jobId()));
    described.put("status", job.status().toString());
    described.put("reason", reason);
    described.put("submitted", millis(job.submissionTime()));
    described.put("completed", millis(job.completionTime()));
    described.put("stages", Integer.valueOf(ran));
    described.put("tasks", Integer.valueOf(job.numTasks() - job.numSkippedTasks()));
    described.put("failed_tasks", Integer.valueOf(job.numFailedTasks()));
    return described;
  }

  private static void addUse(StageData stage, long[] totals) {
    long[] used = new long[] {
      stage.inputBytes(), stage.inputRecords(), stage.outputBytes(), stage.outputRecords(),
      stage.shuffleReadBytes(), stage.shuffleWriteBytes(), stage.diskBytesSpilled(),
      stage.executorRunTime(), stage.executorCpuTime(), stage.jvmGcTime()
    };
    for (int i = 0; i < used.length; i++) {
      totals[i] += used[i];
    }
  }

  /**
   * Waits until the store knows what the scheduler knows of the jobs of some owners.
   *
   * <p>The events come in their order: once the store has heard of the last job, it has of all. A
   * job that could not even be submitted never comes; it is waited for once.
   */
  private void awaitStore(int from, int end, List tags) throws Exception {
    long deadline = System.nanoTime() + RECORD_WAIT_NANOS;
    if (from < end && missing != end) {
      while (job(end - 1) == null) {
        if (System.nanoTime() > deadline) {
          missing = end;
          break;
        }
        LockSupport.parkNanos(RECORD_PAUSE_NANOS);
      }
    }
    for (int id = from; id < end; id++) {
      JobData job = job(id);
      while (job != null && job.status() == JobExecutionStatus.RUNNING
          && tags.contains(ownerOf(job))
          && !context.dagScheduler().jobIdToActiveJob().contains(Integer.valueOf(id))) {
        if (System.nanoTime() > deadline) {
          return;
        }
        LockSupport.parkNanos(RECORD_PAUSE_NANOS);
        job = job(id);
      }
    }
  }

  private JobData job(int id) throws Exception {
    try {
      return ((JobDataWrapper) store.store().read(JobDataWrapper.class, Integer.valueOf(id)))
          .info();
    } catch (NoSuchElementException none) {
      return null;
    }
  }

  /** Gives, as JSON, the settings of the context and those of the session of this thread. */
  public String settings() throws Exception {
    Map settings = new java.util.TreeMap();
    scala.Tuple2[] all = context.getConf().getAll();
    for (int i = 0; i < all.length; i++) {
      settings.put(all[i]._1(), all[i]._2());
    }
    Map session = SQLConf.get().settings();
    synchronized (session) {
      settings.putAll(session);
    }
    return MAPPER.writeValueAsString(settings);
  }

  // -- what the application has ------------------------------------------------------------

  /**
   * Gives, as JSON, what the application has and uses: metrics as [value, maximum], executors.
   *
   * @param limit the most executors to give, the living ones first
   */
  public String resources(int limit) throws Exception {
    List active = new ArrayList();
    List gone = new ArrayList();
    long cores = 0;
    long tasks = 0;
    long slots = 0;
    long memoryUsed = 0;
    long memoryMax = 0;
    scala.collection.Iterator all = store.executorList(false).iterator();
    while (all.hasNext()) {
      ExecutorSummary executor = (ExecutorSummary) all.next();
      memoryUsed += executor.isActive() ? executor.memoryUsed() : 0;
      memoryMax += executor.isActive() ? executor.maxMemory() : 0;
      if (executor.id().equals("driver") && !context.isLocal()) {
        continue;
      }
      (executor.isActive() ? active : gone).add(executor);
      if (executor.isActive()) {
        cores += executor.totalCores();
        tasks += activeTasks(executor);
        slots += executor.maxTasks();
      }
    }
    int coresPerTask = context.getConf().getInt("spark.task.cpus", 1);
    Runtime runtime = Runtime.getRuntime();
    Map metrics = new LinkedHashMap();
    metrics.put("executors", new Object[] {Integer.valueOf(active.size()), null});
    metrics.put("cores", pair(Math.min(cores, tasks * coresPerTask), cores));
    metrics.put("storage_memory", pair(memoryUsed, memoryMax));
    metrics.put("heap", pair(runtime.totalMemory() - runtime.freeMemory(), runtime.maxMemory()));
    metrics.put("active_tasks", pair(tasks, slots));
    int jobs = context.statusTracker().getActiveJobIds().length;
    metrics.put("active_jobs", new Object[] {Integer.valueOf(jobs), null});
    List listed = new ArrayList();
    for (int i = 0; i < active.size() && listed.size() < limit; i++) {
      listed.add(describe((ExecutorSummary) active.get(i)));
    }
    for (int i = gone.size() - 1; i >= 0 && listed.size() < limit; i--) {
      listed.add(describe((ExecutorSummary) gone.get(i)));
    }
    Map versions = new LinkedHashMap();
    versions.put("spark", context.version());
    versions.put("hadoop", org.apache.hadoop.util.VersionInfo.getVersion());
    versions.put("scala", scala.util.Properties.versionNumberString());
    versions.put("java", System.getProperty("java.version"));
    Map found = new LinkedHashMap();
    found.put("user", context.sparkUser());
    found.put("started", Long.valueOf(context.startTime()));
    found.put("versions", versions);
    found.put("metrics", metrics);
    found.put("executors", listed);
    found.put("omitted", Integer.valueOf(active.size() + gone.size() - listed.size()));
    return MAPPER.writeValueAsString(found);
  }

  private static Object pair(long value, long max) {
    return new Object[] {Long.valueOf(value), Long.valueOf(max)};
  }

  /** Spark counts a task that has ended until it hears of that, which is after the next began. */
  private static int activeTasks(ExecutorSummary executor) {
    return Math.min(executor.activeTasks(), executor.maxTasks());
  }

  private static Map describe(ExecutorSummary executor) {
    Map described = new LinkedHashMap();
    described.put("id", executor.id());
    String address = executor.hostPort();
    int colon = address.lastIndexOf(':');
    described.put("host", colon < 0 ? address : address.substring(0, colon));
    described.put("is_active", Boolean.valueOf(executor.isActive()));
    described.put("cores", Integer.valueOf(executor.totalCores()));
    described.put("active_tasks", Integer.valueOf(activeTasks(executor)));
    described.put("failed_tasks", Integer.valueOf(executor.failedTasks()));
    described.put("memory_used_bytes", Long.valueOf(executor.memoryUsed()));
    described.put("memory_max_bytes", Long.valueOf(executor.maxMemory()));
    described.put("disk_used_bytes", Long.valueOf(executor.diskUsed()));
    described.put("logs",
        scala.jdk.javaapi.CollectionConverters.asJava(executor.executorLogs()));
    return described;
  }

  private int executors() {
    return context.isLocal() ? 1 : context.getExecutorMemoryStatus().size() - 1;
  }

  private String ownerOf(JobData job) {
    scala.collection.Iterator tags = job.jobTags().iterator();
    while (tags.hasNext()) {
      String tag = (String) tags.next();
      if (tag.startsWith(prefix)) {
        return tag;
      }
    }
    return "";
  }

  /**
   * Gives the stages that run as they are now: the store hears of their tasks with delay.
   *
   * <p>Of one that the store knows to be over, the store knows more: it has ended since.
   */
  private Map liveStages() {
    Map live = new java.util.HashMap();
    scala.collection.Iterator all = store.activeStages().iterator();
    while (all.hasNext()) {
      StageData stage = (StageData) all.next();
      live.put(stage.stageId() + "." + stage.attemptId(), stage);
    }
    return live;
  }

  private Map describe(JobData job, int stageLimit, Map live) throws Exception {
    Map described = new LinkedHashMap();
    described.put("id", Integer.valueOf(job.jobId()));
    described.put("owner", ownerOf(job));
    described.put("group", job.jobGroup().isDefined() ? job.jobGroup().get() : "");
    described.put("name", cut(job.name()));
    described.put("description",
        job.description().isDefined() ? cut((String) job.description().get()) : "");
    described.put("status", job.status().toString());
    described.put("submitted", millis(job.submissionTime()));
    described.put("completed", millis(job.completionTime()));
    described.put("tasks", Integer.valueOf(job.numTasks()));
    int done = job.numCompletedIndices();
    int active = job.numActiveTasks();
    int failed = job.numFailedTasks();
    scala.collection.Iterator ids = job.stageIds().iterator();
    while (!live.isEmpty() && ids.hasNext()) {
      int id = ((Number) ids.next()).intValue();
      for (int attempt = 0; ; attempt++) {
        StageData stored = stage(id, attempt);
        if (stored == null) {
          break;
        }
        StageData now = (StageData) live.get(id + "." + attempt);
        if (now != null && stored.status() == StageStatus.ACTIVE) {
          done += now.numCompletedIndices() - stored.numCompletedIndices();
          active += now.numActiveTasks() - stored.numActiveTasks();
          failed += now.numFailedTasks() - stored.numFailedTasks();
        }
      }
    }
    described.put("done", Integer.valueOf(done));
    described.put("active", Integer.valueOf(active));
    described.put("failed", Integer.valueOf(failed));
    described.put("skipped", Integer.valueOf(job.numSkippedTasks()));
    if (stageLimit > 0) {
      addStages(job, stageLimit, described, live);
    }
    return described;
  }

  /** Adds the stages that tell most: those that run, then those that failed, then the rest. */
  private void addStages(JobData job, int limit, Map described, Map live) throws Exception {
    List active = new ArrayList();
    List failed = new ArrayList();
    List others = new ArrayList();
    long input = 0;
    long shuffle = 0;
    scala.collection.Iterator ids = job.stageIds().iterator();
    while (ids.hasNext()) {
      int id = ((Number) ids.next()).intValue();
      for (int attempt = 0; ; attempt++) {
        StageData stage = stage(id, attempt);
        if (stage == null) {
          break;
        }
        Object now = live.get(id + "." + attempt);
        if (now != null && stage.status() == StageStatus.ACTIVE) {
          stage = (StageData) now;
        }
        input += stage.inputBytes();
        shuffle += stage.shuffleReadBytes();
        if (stage.status() == StageStatus.ACTIVE) {
          active.add(stage);
        } else if (stage.status() == StageStatus.FAILED) {
          failed.add(stage);
        } else if (stage.status() == StageStatus.COMPLETE) {
          others.add(stage);
        }
      }
    }
    int found = active.size() + failed.size() + others.size();
    List shown = new ArrayList();
    addUpTo(limit, active, shown);
    addUpTo(limit, failed, shown);
    addUpTo(limit, others, shown);
    described.put("stages", shown);
    described.put("omitted_stages", Integer.valueOf(found - shown.size()));
    described.put("input_bytes", Long.valueOf(input));
    described.put("shuffle_read_bytes", Long.valueOf(shuffle));
  }

  private void addUpTo(int limit, List stages, List shown) {
    for (int i = 0; i < stages.size() && shown.size() < limit; i++) {
      shown.add(describe((StageData) stages.get(i)));
    }
  }

  private StageData stage(int id, int attempt) throws Exception {
    try {
      Object key = new int[] {id, attempt};
      return ((StageDataWrapper) store.store().read(StageDataWrapper.class, key)).info();
    } catch (NoSuchElementException none) {
      return null;
    }
  }

  private Map describe(StageData stage) {
    Map described = new LinkedHashMap();
    described.put("id", Integer.valueOf(stage.stageId()));
    described.put("attempt", Integer.valueOf(stage.attemptId()));
    described.put("name", cut(stage.name()));
    described.put("status", stage.status().toString());
    described.put("submitted", millis(stage.submissionTime()));
    described.put("launched", millis(stage.firstTaskLaunchedTime()));
    described.put("completed", millis(stage.completionTime()));
    described.put("tasks", Integer.valueOf(stage.numTasks()));
    described.put("done", Integer.valueOf(stage.numCompletedIndices()));
    described.put("ended", Integer.valueOf(stage.numCompleteTasks()));
    described.put("active", Integer.valueOf(stage.numActiveTasks()));
    described.put("failed", Integer.valueOf(stage.numFailedTasks()));
    described.put("run_ms", Long.valueOf(stage.executorRunTime()));
    described.put("input_bytes", Long.valueOf(stage.inputBytes()));
    described.put("shuffle_read_bytes", Long.valueOf(stage.shuffleReadBytes()));
    described.put("shuffle_write_bytes", Long.valueOf(stage.shuffleWriteBytes()));
    described.put("spill_bytes", Long.valueOf(stage.diskBytesSpilled()));
    String reason = stage.failureReason().isDefined() ? (String) stage.failureReason().get() : "";
    described.put("reason", cut(reason));
    return described;
  }

  private List describeQueries(boolean isForgetting) {
    List described = new ArrayList();
    Object[] tracked = queries.toArray();
    for (int i = 0; i < tracked.length; i++) {
      StreamingQuery query = (StreamingQuery) ((Object[]) tracked[i])[0];
      boolean isActive = query.isActive();
      Map one = new LinkedHashMap();
      one.put("owner", ((Object[]) tracked[i])[1]);
      one.put("id", query.id().toString());
      one.put("run_id", query.runId().toString());
      one.put("name", query.name() == null ? "" : cut(query.name()));
      one.put("is_active", Boolean.valueOf(isActive));
      StreamingQueryProgress last = query.lastProgress();
      if (last != null) {
        one.put("batch", Long.valueOf(last.batchId()));
        one.put("input_rate", finite(last.inputRowsPerSecond()));
        one.put("processed_rate", finite(last.processedRowsPerSecond()));
      }
      described.add(one);
      if (!isActive && isForgetting) {
        queries.remove(tracked[i]);
      }
    }
    return described;
  }

  private static Double finite(double value) {
    return Double.isNaN(value) || Double.isInfinite(value) ? null : Double.valueOf(value);
  }

  private static Long millis(scala.Option time) {
    return time.isDefined() ? Long.valueOf(((Date) time.get()).getTime()) : null;
  }

  private static String cut(String text) {
    return text.length() <= 500 ? text : text.substring(0, 500) + "…";
  }
}
