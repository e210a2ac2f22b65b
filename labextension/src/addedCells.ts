/**
 * Sees to the records of cells that come into a notebook: what is pasted, split off, moved, or brought
 * back by undo.
 */

import { ICellModel, isCodeCellModel } from '@jupyterlab/cells';
import { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';

import { RecordWriter } from './cellRecords';
import { Follower } from './follower';
import { KEY } from './protocol';
import { outcomeOfAdded } from './recordRules';

export class AddedCells extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _writer: RecordWriter
  ) {
    super();
    void _panel.context.ready.then(() => {
      if (!this.isDisposed) {
        this._panel.content.model?.cells.changed.connect(this._meet, this);
      }
    });
  }

  private _meet(_: unknown, change: { type: string; newValues: ICellModel[] }): void {
    const notebook = this._panel.content.model;
    if (!notebook || change.type !== 'add') {
      return;
    }
    if (change.newValues.length === notebook.cells.length) {
      // All of it was read from the file anew, whose records are those that count.
      this._writer.latest.forget(notebook);
      return;
    }
    for (const cell of change.newValues) {
      this._check(notebook, cell);
      if (this._writer.latest.of(notebook, cell.id)) {
        // JupyterLab brings a cell back first, and then what it has run since it went.
        cell.stateChanged.connect(() => this._check(notebook, cell), this);
      }
    }
  }

  private _check(notebook: INotebookModel, cell: ICellModel): void {
    if (isCodeCellModel(cell)) {
      const { id, executionCount } = cell;
      const added = { id, executionCount, record: cell.getMetadata(KEY) };
      this._writer.apply(cell, outcomeOfAdded(added, this._writer.latest.of(notebook, id)));
    }
  }
}
