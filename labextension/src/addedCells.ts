/**
 * Sees to the records of cells that come into a notebook: what is pasted, split off, moved, or brought
 * back by undo.
 */

import { ICellModel, isCodeCellModel } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';

import { applyReply } from './cellRecords';
import { Follower } from './follower';
import { KEY } from './protocol';
import { Fields } from './reading';
import { outcomeOf, outcomeOfAdded } from './recordRules';

/** Some 3 KB each. */
const MOST_LATEST = 500;

export class AddedCells extends Follower {
  constructor(private _panel: NotebookPanel) {
    super();
    void _panel.context.ready.then(() => {
      if (!this.isDisposed) {
        this._panel.content.model?.cells.changed.connect(this._meet, this);
      }
    });
  }

  /** Keep the record of the latest run of a cell, whether it is in the notebook or not. */
  note(cellId: string, metadata: unknown): void {
    const outcome = outcomeOf(metadata);
    if (outcome.kind === 'keep') {
      return;
    }
    this._latest.delete(cellId);
    if (outcome.kind === 'write') {
      this._latest.set(cellId, outcome.record);
    }
    if (this._latest.size > MOST_LATEST) {
      this._latest.delete(this._latest.keys().next().value as string);
    }
  }

  private _meet(_: unknown, change: { type: string; newValues: ICellModel[] }): void {
    for (const cell of change.type === 'add' ? change.newValues : []) {
      this._check(cell);
      if (this._latest.has(cell.id)) {
        // JupyterLab brings a cell back first, and then what it has run since it went.
        cell.stateChanged.connect(this._check, this);
      }
    }
  }

  private _check(cell: ICellModel): void {
    if (!isCodeCellModel(cell)) {
      return;
    }
    const { id, executionCount } = cell;
    const added = { id, executionCount, record: cell.getMetadata(KEY) };
    const outcome = outcomeOfAdded(added, this._latest.get(id));
    if (outcome.kind === 'write') {
      applyReply(cell, { [KEY]: outcome.record });
    } else if (outcome.kind === 'remove') {
      cell.sharedModel.transact(() => cell.deleteMetadata(KEY), false);
    }
  }

  private _latest = new Map<string, Fields>();
}
