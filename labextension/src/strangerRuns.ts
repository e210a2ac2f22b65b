/** Decides what displays of cells that another page has started mean for what a cell shows here. */

import { Fields, fields, items, text } from './reading';

const MOST_CELLS = 2_000;
const MOST_LISTED = 1_000;

/** The run of a cell that a display is of. */
export interface IRun {
  /** Its execute request. */
  id: string;
  /** When that was sent, by the clock of who sent it. */
  sent: number;
}

/** Read the header of an execute request. */
export function readRun(header: Fields): IRun {
  return { id: text(header.msg_id, 200), sent: Date.parse(text(header.date, 40)) || 0 };
}

/** What a run is to the latest run of its cell whose displays this page has met: none for "first". */
export type Bearing = 'first' | 'same' | 'later' | 'earlier';

/** The latest runs of cells, as a page knows them by their displays. */
export class LatestRuns {
  /** Find out what a run is to the latest of its cell. */
  bearingOf(cellId: string, run: IRun): Bearing {
    const latest = this._latest.get(cellId);
    if (!latest || latest.id === run.id) {
      return latest ? 'same' : 'first';
    }
    // Jobs may outlive their cell, so an earlier run can go on to tell of itself.
    return run.sent >= latest.sent ? 'later' : 'earlier';
  }

  /** Take a run as the latest of its cell. */
  take(cellId: string, run: IRun): void {
    this._latest.delete(cellId);
    this._latest.set(cellId, run);
    if (this._latest.size > MOST_CELLS) {
      this._latest.delete(this._latest.keys().next().value as string);
    }
  }

  private _latest = new Map<string, IRun>();
}

/** What a cell shows when the first display of a run comes that this page has not met. */
export interface IShownRun {
  /** Null while it runs, and in a file that was saved meanwhile. */
  executionCount: number | null;
  /** The content of the progress among its outputs; null where there is none. */
  progress: Fields | null;
}

/**
 * Whether a display is of the run that a cell shows, and not of a later one.
 *
 * @param progress the content of the display's progress; null where it has none
 */
export function isOfShownRun(shown: IShownRun, progress: Fields | null): boolean {
  if (!shown.progress || !progress) {
    return shown.executionCount === null;
  }
  // The last progress of a run is final, and no number of a run goes back.
  if (shown.progress.is_final === true || Number(progress.elapsed_s) < Number(shown.progress.elapsed_s)) {
    return false;
  }
  const before = partsOf(shown.progress);
  const now = new Set(partsOf(progress));
  const { jobs, queries } = fields(progress.omitted);
  const isCut = Number(jobs) > 0 || Number(queries) > 0;
  return before.length === 0 || isCut || before.some(part => now.has(part));
}

/** Name the jobs and queries of a progress; ids of jobs begin again with the next driver. */
function partsOf(progress: Fields): string[] {
  return [
    ...items(progress.jobs, MOST_LISTED).map(job => JSON.stringify([job.id, job.submitted])),
    ...items(progress.queries, MOST_LISTED).map(query => JSON.stringify(query.id))
  ];
}

/** A session as the server lists it. */
export interface ISessionOfKernel {
  type: string;
  kernel: { id: string } | null;
}

/**
 * Whether no other notebook has a kernel: a copy of this one would have cells of the same ids.
 * Cells of consoles have ids of their own.
 */
export function isOnlyNotebook(sessions: Iterable<ISessionOfKernel>, kernelId: string): boolean {
  let notebooks = 0;
  for (const { type, kernel } of sessions) {
    notebooks += kernel?.id === kernelId && type !== 'console' ? 1 : 0;
  }
  return notebooks <= 1;
}
