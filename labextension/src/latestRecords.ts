/** Remembers the records of latest runs, so that undo can bring a cell back with the right one. */

import { Fields } from './reading';
import { outcomeOf } from './recordRules';

/** Of each notebook; some 3 KB each. */
const MOST_LATEST = 500;

export class LatestRecords {
  /** Take note of a reply to a cell of a notebook, whether the cell is still in it or not. */
  note(notebook: object, cellId: string, metadata: unknown): void {
    const outcome = outcomeOf(metadata);
    if (outcome.kind === 'keep') {
      return;
    }
    const latest = this._latest.get(notebook) ?? new Map<string, Fields>();
    this._latest.set(notebook, latest);
    latest.delete(cellId);
    if (outcome.kind === 'write') {
      latest.set(cellId, outcome.record);
    }
    if (latest.size > MOST_LATEST) {
      latest.delete(latest.keys().next().value as string);
    }
  }

  /** Give the record of the latest run of a cell. */
  of(notebook: object, cellId: string): Fields | undefined {
    return this._latest.get(notebook)?.get(cellId);
  }

  /** Forget what is of a notebook: it is not to have these any more. */
  forget(notebook: object): void {
    this._latest.delete(notebook);
  }

  private _latest = new WeakMap<object, Map<string, Fields>>();
}
