/** What the cluster card says; decided here, drawn in `card.ts`. */

import { TranslationBundle } from '@jupyterlab/translation';

import { IDetails, ILibrary, ISetting, matching } from './detailsContent';
import { IExecutor, IMetric, IResources, IStatus, State } from './protocol';
import { momentText } from './record';
import { stateText } from './statusLine';
import { countText, joined, sizeText } from './words';

/** So many rows of one kind are drawn. */
const MOST_ROWS = 200;
const MOST_EXECUTORS = 50;

/** Say what there is, as names with values. */
export function factsOf(
  status: IStatus,
  resources: IResources | null,
  trans: TranslationBundle
): [string, string][] {
  const { cluster, application, error } = status;
  const metrics = resources?.metrics ?? {};
  const versions = resources?.versions ?? [];
  const facts: [string, string][] = [
    [trans.__('Cluster'), joined([cluster.name, cluster.master !== cluster.name && cluster.master])],
    [
      trans.__('State'),
      // The message of a session that is ready repeats what stands beside it.
      joined([stateText(status.state, trans), status.state !== 'ready' && status.message])
    ],
    [trans.__('Error'), joined([error?.message, error?.hint])],
    [trans.__('Application'), joined([application.name, application.id])],
    [trans.__('Started'), joined([application.user, startedText(application.started)])],
    [trans.__('Cores in use'), shareText(metrics.cores, countText, trans)],
    [trans.__('Cached data'), shareText(metrics.storage_memory, sizeText, trans)],
    [trans.__('Driver memory'), shareText(metrics.heap, sizeText, trans)],
    [trans.__('Versions'), joined(versions.map(one => `${one.name} ${one.version}`))]
  ];
  return facts.filter(([, value]) => value);
}

function startedText(started: string): string {
  const moment = new Date(started);
  return Number.isNaN(moment.getTime()) ? started : momentText(moment);
}

function shareText(
  metric: IMetric | undefined,
  say: (value: number) => string,
  trans: TranslationBundle
): string {
  if (!metric || metric.value === null) {
    return '';
  }
  const value = say(metric.value);
  return metric.max === null ? value : trans.__('%1 of %2', value, say(metric.max));
}

/** What is said of an executor. */
export interface IExecutorRow {
  id: string;
  name: string;
  host: string;
  tasks: string;
  failed: string;
  memory: string;
}

/** Say what executors there are, and how many are left out. */
export function executorRows(
  resources: IResources | null,
  trans: TranslationBundle
): { rows: IExecutorRow[]; shown: IExecutor[]; more: string } {
  const all = resources?.executors ?? [];
  const shown = all.slice(0, MOST_EXECUTORS);
  const rows = shown.map(one => ({
    id: one.id,
    name: one.isActive ? one.id : trans.__('%1 (gone)', one.id),
    host: one.host,
    tasks: trans.__('%1 of %2', countText(one.activeTasks), countText(one.cores)),
    failed: one.failedTasks
      ? trans._n('%2 failed task', '%2 failed tasks', one.failedTasks, countText(one.failedTasks))
      : '',
    memory: trans.__('%1 of %2', sizeText(one.memoryUsed), sizeText(one.memoryMax))
  }));
  const more = all.length - shown.length + (resources?.omittedExecutors ?? 0);
  return { rows, shown, more: moreText(more, trans) };
}

/** Say what settings there are that match some words, and how many are left out. */
export function settingRows(
  details: IDetails,
  wanted: string,
  trans: TranslationBundle
): { rows: ISetting[]; more: string } {
  const found = matching(details.settings, wanted);
  const rows = found.slice(0, MOST_ROWS);
  // What the kernel has left out cannot be searched, which must not look as if it were not there.
  const more = found.length - rows.length + details.omittedSettings;
  if (rows.length === 0 && more === 0) {
    return { rows, more: wanted ? trans.__('No setting matches.') : trans.__('None.') };
  }
  return { rows, more: moreText(more, trans) };
}

/** Say what a library is, and where it is from. */
export function libraryText(one: ILibrary, trans: TranslationBundle): [string, string] {
  const name = [one.name, one.version].filter(Boolean).join(' ');
  const size = one.size === null ? '' : sizeText(one.size);
  return [name, joined([one.kind, size, one.origin && trans.__('from %1', one.origin)])];
}

/** Say how many more there are; empty for none. */
export function moreText(count: number, trans: TranslationBundle): string {
  return count > 0 ? trans.__('and %1 more', countText(count)) : '';
}

/** What can be done with a session. */
export type Action = 'start' | 'restart' | 'stop' | 'attach';

/** Say what can be done in a state. */
export function actionsOf(state: State): Action[] {
  switch (state) {
    case 'failed':
    case 'lost':
    case 'stopped':
      return ['start', 'attach'];
    default:
      return ['restart', 'stop', 'attach'];
  }
}

/** Say what is lost, and what happens meanwhile, for people who are about to do it. */
export function lossText(
  action: Action,
  state: State,
  isBusy: boolean,
  trans: TranslationBundle
): string[] {
  const isThere = state === 'ready';
  const said = [
    isBusy && trans.__('This waits until the cells that run or wait are done.'),
    isThere &&
      trans.__(
        'Jobs and streaming queries that still run then are cancelled. Cached data, temporary views and DataFrames are lost; other Python variables stay.'
      ),
    action === 'stop' &&
      trans.__('The cluster gets its resources back. “Start Spark” brings up another session.'),
    action === 'attach' &&
      trans.__('Settings that the notebook has changed and libraries that it has added come along.')
  ];
  return said.filter((one): one is string => typeof one === 'string');
}
