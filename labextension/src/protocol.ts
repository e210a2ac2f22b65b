/** What the kernel says: names, values, and how they are read. See `docs/protocol.md`. */

import { amount, count, Fields, fields, items, text, webAddress, word } from './reading';

/** Under which all that is ours stands in the dictionaries of others. */
export const KEY = 'spark_kernel';
export const PROGRESS_MIME = 'application/vnd.spark-kernel.progress.v1+json';
/** Of a display that only carries a record, in its metadata. */
export const RECORD_MIME = 'application/vnd.spark-kernel.record.v1+json';
export const STATUS = 'spark_status';
/** A kernel is one of ours if it says that it has this feature. */
export const FEATURE = 'spark status';

const MOST_LINKS = 20;
const MOST_STAGES = 20;
const MOST_EXECUTORS = 200;

export const STATES = [
  'unknown',
  'starting',
  'ready',
  'failed',
  'lost',
  'restarting',
  'stopped'
] as const;
export type State = (typeof STATES)[number];

export interface ILink {
  rel: string;
  text: string;
  /** Empty where it is no page that a browser may open, such as a file. */
  url: string;
}

export interface IStatus {
  state: State;
  stage: string;
  message: string;
  /** Seconds since this start of Spark began, when this was said; null if that is not known. */
  elapsed: number | null;
  stages: { stage: string; duration: number | null }[];
  cluster: { name: string; master: string; deployMode: string };
  application: { id: string; name: string; user: string; started: string };
  links: ILink[];
  error: { name: string; message: string; hint: string } | null;
}

export interface IMetric {
  value: number | null;
  max: number | null;
}

export interface IExecutor {
  id: string;
  host: string;
  isActive: boolean;
  cores: number;
  activeTasks: number;
  failedTasks: number;
  memoryUsed: number;
  memoryMax: number;
  logs: ILink[];
}

export interface IResources {
  status: IStatus;
  /** How old this was when the kernel gave it, in seconds. */
  age: number;
  versions: { name: string; version: string }[];
  metrics: Record<string, IMetric>;
  executors: IExecutor[];
  omittedExecutors: number;
}

/** Read the content of a `spark_status`. */
export function readStatus(content: unknown): IStatus {
  const of = fields(content);
  const cluster = fields(of.cluster);
  const application = fields(of.application);
  return {
    state: word(of.state, STATES),
    stage: text(of.stage, 40),
    message: text(of.message, 400),
    elapsed: elapsedOf(of),
    stages: items(of.stages, MOST_STAGES).map(one => ({
      stage: text(one.stage, 40),
      duration: amount(one.duration_s)
    })),
    cluster: {
      name: text(cluster.name, 80),
      master: text(cluster.master, 400),
      deployMode: text(cluster.deploy_mode, 20)
    },
    application: {
      id: text(application.id, 120),
      name: text(application.name, 120),
      user: text(application.user, 80),
      started: text(application.started, 40)
    },
    links: items(of.links, MOST_LINKS).map(readLink),
    error: of.error ? readError(fields(of.error)) : null
  };
}

/** Read the content of a `resource_info_reply`; null where it tells nothing of Spark. */
export function readResources(content: unknown): IResources | null {
  const of = fields(content);
  const spark = items(of.resources, 10).find(one => one.type === 'spark');
  if (of.status !== 'ok' || !spark) {
    return null;
  }
  const metrics: Record<string, IMetric> = Object.create(null);
  for (const one of items(spark.metrics, 50)) {
    metrics[text(one.name, 40)] = { value: amount(one.value), max: amount(one.max) };
  }
  return {
    status: readStatus(spark),
    age: amount(of.age_s) ?? 0,
    versions: Object.entries(fields(spark.versions))
      .slice(0, 20)
      .map(([name, version]) => ({ name: text(name, 40), version: text(version, 80) }))
      .filter(one => one.version),
    metrics,
    executors: items(spark.executors, MOST_EXECUTORS).map(readExecutor),
    omittedExecutors: count(fields(spark.omitted).executors)
  };
}

/** Tell how long a start has taken: times are the process's, whose own start is the first stage. */
function elapsedOf(of: Fields): number | null {
  const now = amount(of.elapsed_s);
  const begun = amount(items(of.stages, 2)[1]?.started_s) ?? now;
  return now === null || begun === null ? null : Math.max(now - begun, 0);
}

function readError(of: Fields): { name: string; message: string; hint: string } {
  return { name: text(of.name, 120), message: text(of.message, 1000), hint: text(of.hint, 1000) };
}

function readLink(of: Fields): ILink {
  return { rel: text(of.rel, 40), text: text(of.text, 120), url: webAddress(of.url) };
}

function readExecutor(of: Fields): IExecutor {
  const logs = fields(of.logs);
  return {
    id: text(of.id, 80),
    host: text(of.host, 200),
    isActive: of.is_active === true,
    cores: count(of.cores),
    activeTasks: count(of.active_tasks),
    failedTasks: count(of.failed_tasks),
    memoryUsed: count(of.memory_used_bytes),
    memoryMax: count(of.memory_max_bytes),
    logs: ['stdout', 'stderr']
      .map(rel => ({ rel, text: rel, url: webAddress(logs[rel]) }))
      .filter(log => log.url)
  };
}
