/** What the status bar says of a kernel; decided here, drawn in `statusItem.ts`. */

import { TranslationBundle } from '@jupyterlab/translation';

import { IMetric, IResources, IStatus, State } from './protocol';
import { countText, durationText, joined, sizeText } from './words';

export interface IStatusLine {
  /** The end of the class that colours the mark. */
  kind: 'wait' | 'good' | 'bad' | 'off';
  /** The cluster, and what it does. */
  text: string;
  /** All of it, for a pointer that rests there and for a screen reader. */
  title: string;
  /** What a screen reader says when it changes: the state alone, for load and seconds never rest. */
  spoken: string;
  /** Part of all cores that are in use, from 0 to 1; null where that is not known. */
  used: number | null;
}

const KINDS: Record<State, IStatusLine['kind']> = {
  unknown: 'wait',
  starting: 'wait',
  restarting: 'wait',
  ready: 'good',
  failed: 'bad',
  lost: 'bad',
  stopped: 'off'
};

/**
 * Say how a cluster is.
 *
 * @param elapsed seconds since the start under way began; null where that is not known
 */
export function statusLine(
  status: IStatus | null,
  resources: IResources | null,
  elapsed: number | null,
  trans: TranslationBundle
): IStatusLine {
  const state = status?.state ?? 'unknown';
  const kind = KINDS[state];
  const name = status?.cluster.name || status?.cluster.master || 'Spark';
  const spoken = joined([name, stateText(state, trans)]);
  if (!status || kind !== 'good') {
    const time = kind === 'wait' && elapsed !== null ? durationText(elapsed, false) : '';
    const what = kind === 'wait' ? status?.message || stateText(state, trans) : '';
    const text = joined([name, what || stateText(state, trans), time]);
    const why = joined([status?.error?.message, status?.error?.hint]) || status?.message;
    return { kind, text, title: joined([text, kind === 'wait' ? '' : why]), spoken, used: null };
  }
  return { kind, spoken, ...load(name, resources, trans) };
}

/**
 * Tell when a start began, from what is heard of it: never later than was told before, as messages
 * may be late.
 *
 * @param before the status before this one
 * @param begun when the start of that status began, like `now` in milliseconds
 */
export function beginOf(
  status: IStatus,
  before: IStatus | null,
  begun: number | null,
  now: number
): number | null {
  if (status.elapsed === null || KINDS[status.state] !== 'wait') {
    return null;
  }
  const heard = now - 1000 * status.elapsed;
  const isSame = begun !== null && status.elapsed >= (before?.elapsed ?? 0);
  return isSame ? Math.min(begun, heard) : heard;
}

function load(
  name: string,
  resources: IResources | null,
  trans: TranslationBundle
): Pick<IStatusLine, 'text' | 'title' | 'used'> {
  const metrics = resources?.metrics ?? {};
  const jobs = metrics.active_jobs?.value ?? 0;
  const tasks = metrics.active_tasks?.value ?? 0;
  const cores = metrics.cores?.max ?? null;
  const inUse = metrics.cores?.value ?? 0;
  const cached = metrics.storage_memory?.value ?? null;
  const heap = metrics.heap?.value ?? null;
  const executors = metrics.executors?.value ?? null;
  const isAtWork = jobs > 0 || tasks > 0;
  const jobsText = trans._n('%2 job', '%2 jobs', jobs, countText(jobs));
  const tasksText = trans._n('%2 task', '%2 tasks', tasks, countText(tasks));
  const work = isAtWork ? joined([jobsText, tasksText]) : trans.__('ready');
  const coresText =
    cores !== null &&
    (isAtWork
      ? trans._n('%2 of %3 core', '%2 of %3 cores', cores, countText(inUse), countText(cores))
      : trans._n('%2 core', '%2 cores', cores, countText(cores)));
  const cachedText = !!cached && trans.__('%1 cached', sizeText(cached));
  const text = joined([name, work, coresText, cachedText]);
  const title = joined([
    name,
    work,
    coresText,
    executors !== null && trans._n('%2 executor', '%2 executors', executors, countText(executors)),
    cached !== null && trans.__('%1 for cached data', share(cached, metrics.storage_memory, trans)),
    heap !== null && trans.__('%1 of the driver’s memory', share(heap, metrics.heap, trans))
  ]);
  return { text, title, used: cores ? Math.min(inUse / cores, 1) : null };
}

function share(value: number, of: IMetric, trans: TranslationBundle): string {
  const size = sizeText(value);
  return of.max === null ? size : trans.__('%1 of %2', size, sizeText(of.max));
}

/** Name a state in a word or two. */
export function stateText(state: State, trans: TranslationBundle): string {
  switch (state) {
    case 'starting':
      return trans.__('starting');
    case 'restarting':
      return trans.__('restarting');
    case 'ready':
      return trans.__('ready');
    case 'failed':
      return trans.__('could not start');
    case 'lost':
      return trans.__('lost');
    case 'stopped':
      return trans.__('stopped');
    default:
      return trans.__('asking the kernel');
  }
}
