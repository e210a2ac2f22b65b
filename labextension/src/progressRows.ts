/** What is said of a cell's jobs, and in which order; decided here, drawn in `progressView.ts`. */

import { TranslationBundle } from '@jupyterlab/translation';

import { ITarget } from './cancelling';
import { IProgressChoices } from './preferences';
import {
  IJob,
  IProgress,
  IQuery,
  isOver,
  IStage,
  ITasks,
  RunState
} from './progressContent';
import { countText, durationText, joined, sizeText } from './words';

export type SegmentKind = 'done' | 'active' | 'bad' | 'skip' | 'unknown';

export interface IBar {
  label: string;
  value: number;
  /** 0 where it is not known. */
  end: number;
  /** From left to right, in percent of the width. */
  segments: { kind: SegmentKind; percent: number }[];
}

/**
 * Who tells of a progress: a kernel that is at work on it; nobody any more, since that kernel ended;
 * or a notebook, as it was saved.
 */
export type Presence = 'live' | 'ended' | 'saved';

export interface IRow {
  /** Tells a row from all others, in every update. */
  key: string;
  state: RunState;
  mark: string;
  title: string;
  what: string;
  url: string;
  bar: IBar | null;
  counts: string;
  time: string;
  facts: string;
  hints: string[];
  /** Null where nothing runs that could be cancelled. */
  target: ITarget | null;
  rows: IRow[];
  isOpen: boolean;
}

export interface IShown {
  mark: string;
  state: RunState;
  head: string;
  facts: string;
  bar: IBar | null;
  target: ITarget | null;
  /** Whether jobs and stages are seen without a click. */
  isOpen: boolean;
  /** What runs or needs a look. */
  rows: IRow[];
  /** What is over and went well. */
  done: IRow[];
  doneTitle: string;
  more: string;
}

/** Of so many running jobs the stages are seen without a click. */
const MOST_OPEN = 3;

const MARKS: Record<RunState, string> = {
  unknown: '?',
  pending: '○',
  running: '…',
  succeeded: '✓',
  failed: '✗',
  cancelled: '⊘',
  skipped: '»'
};

/**
 * Decide what is shown.
 *
 * Only what is live can be cancelled; of all else, what was not over is of unknown outcome.
 */
export function shownProgress(
  progress: IProgress,
  presence: Presence,
  trans: TranslationBundle,
  open: IProgressChoices['open'] = 'running'
): IShown {
  const isRunning = !progress.isFinal && presence === 'live';
  const settle = (state: RunState): RunState =>
    isRunning || isOver(state) ? state : 'unknown';
  // The newest first: a session after the first counts its jobs anew, but is told of later.
  const jobs = [...progress.jobs]
    .reverse()
    .map(job => ({ ...job, state: settle(job.state) }))
    .sort((a, b) => jobRank(a) - jobRank(b));
  const running = jobs.filter(job => !isOver(job.state));
  const troubled = jobs.filter(job => isOver(job.state) && job.state !== 'succeeded');
  const done = jobs.filter(job => job.state === 'succeeded');
  const isFew = running.length <= MOST_OPEN;
  const row = (job: IJob, isOpen: boolean) => jobRow(job, isOpen, settle, isRunning, trans);
  const rows = [
    ...progress.queries.map(query => queryRow(query, isRunning, trans)),
    ...running.map(job => row(job, isFew)),
    ...troubled.map(job => row(job, false))
  ];
  const doneCount = done.length;
  return {
    ...headOf(progress, presence, trans),
    isOpen: open === 'always' || (open === 'running' && isRunning),
    rows: distinct(rows),
    done: distinct(done.map(job => row(job, false))),
    doneTitle: trans._n('%2 finished job', '%2 finished jobs', doneCount, countText(doneCount)),
    more: moreText(progress.omitted, trans)
  };
}

/** Say what is left out. */
function moreText({ jobs, stages, queries }: IProgress['omitted'], trans: TranslationBundle): string {
  const [job, stage, query] = [jobs, stages, queries].map(countText);
  return joined([
    jobs > 0 && trans._n('and %2 more job', 'and %2 more jobs', jobs, job),
    stages > 0 && trans._n('and %2 more stage', 'and %2 more stages', stages, stage),
    queries > 0 && trans._n('and %2 more query', 'and %2 more queries', queries, query)
  ]);
}

/** Give each row a key of its own: a query that is started again keeps its id. */
function distinct(rows: IRow[]): IRow[] {
  const counts = new Map<string, number>();
  return rows.map(row => {
    const before = counts.get(row.key) ?? 0;
    counts.set(row.key, before + 1);
    return before ? { ...row, key: `${row.key}-again-${before}` } : row;
  });
}

function headOf(
  progress: IProgress,
  presence: Presence,
  trans: TranslationBundle
): Pick<IShown, 'mark' | 'state' | 'head' | 'facts' | 'bar' | 'target'> {
  const { totals } = progress;
  const isRunning = !progress.isFinal && presence === 'live';
  const jobs = totals.running + totals.finished;
  const jobsText = trans._n('%2 Spark job', '%2 Spark jobs', jobs, countText(jobs));
  const sizes = joined([
    totals.inputBytes > 0 && trans.__('%1 read', sizeText(totals.inputBytes)),
    totals.shuffleReadBytes > 0 && trans.__('%1 shuffle read', sizeText(totals.shuffleReadBytes))
  ]);
  const tasks = countsText(totals.tasks);
  const common = joined([tasks && trans.__('%1 tasks', tasks), sizes]);
  const time = durationText(progress.elapsed, progress.isFinal);
  if (isRunning) {
    const head = totals.running
      ? totals.finished
        ? trans.__('%1 of %2 running', countText(totals.running), jobsText)
        : trans.__('%1 running', jobsText)
      : jobsText;
    const bar = jobs > 0 ? barOf(trans.__('All tasks'), totals.tasks) : null;
    const target: ITarget | null = progress.cellId ? { scope: 'cell', id: progress.cellId } : null;
    return { mark: '', state: 'running', head, facts: joined([common, time]), bar, target };
  }
  const state = progress.isFinal ? outcome(progress) : 'unknown';
  const count = (state: RunState) => progress.jobs.filter(job => job.state === state).length;
  const cancelled = count('cancelled');
  const unknown = count('unknown');
  const failed = totals.failed - cancelled;
  const words = progress.isFinal
    ? joined([
        jobsText,
        failed > 0 && trans.__('%1 failed', countText(failed)),
        cancelled > 0 && trans.__('%1 cancelled', countText(cancelled)),
        unknown > 0 && trans.__('%1 with unknown outcome', countText(unknown))
      ])
    : joined([
        jobsText,
        presence === 'saved'
          ? trans.__('not finished when this was saved')
          : trans.__('the kernel ended, so the outcome is not known')
      ]);
  return {
    mark: MARKS[state],
    state,
    head: words,
    facts: joined([common, time]),
    bar: null,
    target: null
  };
}

function outcome(progress: IProgress): RunState {
  const states = progress.jobs.map(job => job.state);
  for (const state of ['failed', 'cancelled', 'unknown', 'running'] as const) {
    if (states.includes(state)) {
      return state;
    }
  }
  return progress.totals.failed > 0 ? 'failed' : 'succeeded';
}

function jobRow(
  job: IJob,
  isOpen: boolean,
  settle: (state: RunState) => RunState,
  isLive: boolean,
  trans: TranslationBundle
): IRow {
  const title = trans.__('Job %1', job.id);
  const canEnd = isLive && !isOver(job.state);
  return {
    ...workOf(title, job),
    // Each session counts its jobs from 0.
    key: `job-${job.id}-${job.submitted}`,
    what: job.description,
    facts: taskFacts(job.state, job.tasks, trans),
    hints: [],
    target: canEnd ? { scope: 'job', id: job.id } : null,
    rows: [...job.stages]
      .map(stage => ({ ...stage, state: settle(stage.state) }))
      .sort((a, b) => stageRank(a) - stageRank(b) || b.id - a.id)
      .map(stage => stageRow(stage, trans)),
    isOpen
  };
}

function stageRow(stage: IStage, trans: TranslationBundle): IRow {
  const title = trans.__('Stage %1', stage.id);
  const sizes = joined([
    stage.inputBytes > 0 && trans.__('%1 read', sizeText(stage.inputBytes)),
    stage.shuffleReadBytes > 0 && trans.__('%1 shuffle read', sizeText(stage.shuffleReadBytes)),
    stage.shuffleWriteBytes > 0 &&
      trans.__('%1 shuffle written', sizeText(stage.shuffleWriteBytes)),
    stage.spillBytes > 0 && trans.__('%1 spilled', sizeText(stage.spillBytes))
  ]);
  return {
    ...workOf(title, stage),
    key: `stage-${stage.id}-${stage.attempt}`,
    what: stage.name,
    facts: joined([
      // Spark counts from 0; people do not.
      stage.attempt > 0 && trans.__('attempt %1', stage.attempt + 1),
      taskFacts(stage.state, stage.tasks, trans),
      sizes
    ]),
    hints: stage.hints.map(hint => hint.sentence || hint.name),
    target: null,
    rows: [],
    isOpen: false
  };
}

/** What the rows of jobs and of stages have in common. */
function workOf(title: string, work: IJob | IStage) {
  return {
    state: work.state,
    mark: MARKS[work.state],
    title,
    url: work.url,
    bar: work.state === 'skipped' ? null : barOf(title, work.tasks),
    counts: countsText(work.tasks),
    time: durationText(work.duration, isOver(work.state))
  };
}

function queryRow(query: IQuery, isLive: boolean, trans: TranslationBundle): IRow {
  const isActive = query.isActive && isLive;
  const state: RunState = isActive ? 'running' : query.isActive ? 'unknown' : 'succeeded';
  return {
    key: `query-${query.id}`,
    state,
    mark: MARKS[state],
    title: trans.__('Query %1', query.name || query.id),
    what: '',
    url: '',
    bar: null,
    counts: '',
    time: '',
    facts: joined([
      isActive ? trans.__('active') : query.isActive ? '' : trans.__('ended'),
      query.batch !== null && trans.__('batch %1', countText(query.batch)),
      query.inputRows !== null && trans.__('%1 rows/s in', countText(query.inputRows)),
      query.processedRows !== null &&
        trans.__('%1 rows/s processed', countText(query.processedRows))
    ]),
    hints: [],
    target: isActive ? { scope: 'query', id: query.id } : null,
    rows: [],
    isOpen: false
  };
}

/** Order jobs: what runs, then what went wrong, then the rest. */
function jobRank(job: IJob): number {
  return !isOver(job.state) ? 0 : job.state === 'succeeded' ? 2 : 1;
}

function stageRank(stage: IStage): number {
  if (stage.state === 'running') {
    return 0;
  }
  return stage.state === 'failed' || stage.hints.length > 0 ? 1 : 2;
}

/** How many tasks there will be, without those that are skipped; 0 where that is not known. */
function expected(tasks: ITasks): number {
  return Math.max(tasks.total - tasks.skipped, 0);
}

/** Say how many tasks are done, of how many. */
export function countsText(tasks: ITasks): string {
  const end = expected(tasks);
  if (end > 0) {
    return `${countText(tasks.completed)} / ${countText(end)}`;
  }
  return tasks.completed > 0 ? countText(tasks.completed) : '';
}

/** Draw tasks: those that failed are seen only while their partitions are not done. */
export function barOf(label: string, tasks: ITasks): IBar {
  const end = expected(tasks);
  const whole = end + tasks.skipped;
  if (whole === 0) {
    return { label, value: 0, end: 0, segments: [{ kind: 'unknown', percent: 100 }] };
  }
  let room = end;
  const segments: IBar['segments'] = [];
  const parts: [SegmentKind, number][] = [
    ['done', tasks.completed],
    ['active', tasks.active],
    ['bad', tasks.failed]
  ];
  for (const [kind, many] of parts) {
    const seen = Math.min(many, room);
    room -= seen;
    if (seen > 0) {
      segments.push({ kind, percent: (100 * seen) / whole });
    }
  }
  if (tasks.skipped > 0) {
    segments.push({ kind: 'skip', percent: (100 * Math.min(tasks.skipped, whole)) / whole });
  }
  return { label, value: Math.min(tasks.completed, end), end, segments };
}

function taskFacts(state: RunState, tasks: ITasks, trans: TranslationBundle): string {
  const words: Partial<Record<RunState, string>> = {
    pending: trans.__('waiting'),
    failed: trans.__('failed'),
    cancelled: trans.__('cancelled'),
    skipped: trans.__('skipped'),
    unknown: trans.__('outcome unknown')
  };
  return joined([
    words[state],
    tasks.active > 0 && !isOver(state) && trans.__('%1 running', countText(tasks.active)),
    tasks.failed > 0 &&
      trans._n('%2 failed task', '%2 failed tasks', tasks.failed, countText(tasks.failed)),
    tasks.skipped > 0 && trans.__('%1 skipped', countText(tasks.skipped))
  ]);
}
