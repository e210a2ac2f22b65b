/** What a cell's Spark jobs do, as the kernel's progress tells it; read with the care of `reading.ts`. */

import { amount, count, Fields, fields, items, text, webAddress, word } from './reading';

const MOST = 200;
/** Of all jobs together, many more than the kernel shows: each is a row to decide on, and to draw. */
const MOST_STAGES = 400;

export const RUN_STATES = [
  'unknown',
  'pending',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'skipped'
] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface ITasks {
  /** 0 where it is not known; includes the skipped ones. */
  total: number;
  completed: number;
  active: number;
  failed: number;
  skipped: number;
}

export interface IStage {
  id: number;
  attempt: number;
  name: string;
  state: RunState;
  url: string;
  duration: number | null;
  tasks: ITasks;
  inputBytes: number;
  shuffleReadBytes: number;
  shuffleWriteBytes: number;
  spillBytes: number;
  hints: { name: string; sentence: string }[];
}

export interface IJob {
  id: number;
  description: string;
  state: RunState;
  url: string;
  /** In milliseconds, by the driver's clock; 0 where it is not known. */
  submitted: number;
  duration: number | null;
  tasks: ITasks;
  stages: IStage[];
}

export interface IQuery {
  id: string;
  name: string;
  batch: number | null;
  inputRows: number | null;
  processedRows: number | null;
  isActive: boolean;
}

export interface IProgress {
  cellId: string;
  isFinal: boolean;
  elapsed: number | null;
  jobs: IJob[];
  queries: IQuery[];
  /** What was left out, by the kernel or here. */
  omitted: { jobs: number; stages: number; queries: number };
  totals: {
    running: number;
    finished: number;
    failed: number;
    tasks: ITasks;
    inputBytes: number;
    shuffleReadBytes: number;
  };
}

/** Read the content of the progress MIME type. */
export function readProgress(content: unknown): IProgress {
  const of = fields(content);
  const omitted = fields(of.omitted);
  const totals = fields(of.totals);
  const jobs = readJobs(of.jobs);
  const queries = items(of.queries, MOST).map(readQuery);
  return {
    cellId: text(of.cell_id, 200),
    isFinal: of.is_final === true,
    elapsed: amount(of.elapsed_s),
    jobs,
    queries,
    omitted: {
      jobs: count(omitted.jobs) + lengthOf(of.jobs) - jobs.length,
      stages: count(omitted.stages) + stagesOf(items(of.jobs, MOST)) - stagesOf(jobs),
      queries: count(omitted.queries) + lengthOf(of.queries) - queries.length
    },
    totals: {
      running: count(totals.running),
      finished: count(totals.finished),
      failed: count(totals.failed),
      tasks: readTasks(totals.tasks),
      inputBytes: count(totals.input_bytes),
      shuffleReadBytes: count(totals.shuffle_read_bytes)
    }
  };
}

function stagesOf(jobs: { stages?: unknown }[]): number {
  return jobs.reduce((sum, job) => sum + lengthOf(job.stages), 0);
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** Whether a job, a stage or a query has come to its end. */
export function isOver(state: RunState): boolean {
  return state !== 'running' && state !== 'pending';
}

function readJobs(content: unknown): IJob[] {
  let room = MOST_STAGES;
  return items(content, MOST).map(of => {
    const job = readJob(of, room);
    room -= job.stages.length;
    return job;
  });
}

function readJob(of: Fields, mostStages: number): IJob {
  return {
    id: count(of.id),
    description: text(of.description, 300),
    state: word(of.state, RUN_STATES),
    url: webAddress(of.url),
    submitted: count(of.submitted),
    duration: amount(of.duration_s),
    tasks: readTasks(of.tasks),
    stages: items(of.stages, mostStages).map(readStage)
  };
}

function readStage(of: Fields): IStage {
  const sentences = Array.isArray(of.hint_texts) ? of.hint_texts : [];
  const hints = Array.isArray(of.hints) ? of.hints.slice(0, 10) : [];
  return {
    id: count(of.id),
    attempt: count(of.attempt),
    name: text(of.name, 300),
    state: word(of.state, RUN_STATES),
    url: webAddress(of.url),
    duration: amount(of.duration_s),
    tasks: readTasks(of.tasks),
    inputBytes: count(of.input_bytes),
    shuffleReadBytes: count(of.shuffle_read_bytes),
    shuffleWriteBytes: count(of.shuffle_write_bytes),
    spillBytes: count(of.spill_bytes),
    hints: hints.map((hint, i) => ({
      name: text(hint, 40).replace(/_/g, ' '),
      sentence: text(sentences[i], 400)
    }))
  };
}

function readQuery(of: Fields): IQuery {
  return {
    id: text(of.id, 120),
    name: text(of.name, 120),
    batch: amount(of.batch_id),
    inputRows: amount(of.input_rows_per_s),
    processedRows: amount(of.processed_rows_per_s),
    isActive: of.is_active === true
  };
}

function readTasks(content: unknown): ITasks {
  const of = fields(content);
  return {
    total: count(of.total),
    completed: count(of.completed),
    active: count(of.active),
    failed: count(of.failed),
    skipped: count(of.skipped)
  };
}
