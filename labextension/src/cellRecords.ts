/**
 * Puts the record of a run into its cell, and takes every trace away again. The same schema as that
 * of `spark_kernel.recording`, which does it outside of JupyterLab.
 */

import { ICellModel, ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { INotebookModel } from '@jupyterlab/notebook';

import { LatestRecords } from './latestRecords';
import { IProvenanceChoices, Preferences } from './preferences';
import { KEY } from './protocol';
import { fields } from './reading';
import { IRecord, readRecord } from './record';
import { isCleared, Outcome, strippedOutputs } from './recordRules';

/** Writes records into the cells of a page's notebooks; everybody who does so does it here. */
export class RecordWriter {
  readonly latest = new LatestRecords();

  /** Write from now on, as long as a person wants that. */
  begin(choices: Preferences<IProvenanceChoices>): void {
    this._choices = choices;
  }

  /** Whether records are written: not where the plugin that keeps them is disabled. */
  get isOn(): boolean {
    return this._choices?.now.isWritten ?? false;
  }

  /** Let a cell's record become what was decided; gives whether that changed it. No step of undo. */
  apply(cell: ICellModel, outcome: Outcome): boolean {
    if (!this.isOn) {
      return false;
    }
    if (outcome.kind === 'write') {
      quietly(cell, () => cell.setMetadata(KEY, outcome.record as never));
      return true;
    }
    if (outcome.kind === 'remove' && cell.getMetadata(KEY) !== undefined) {
      quietly(cell, () => cell.deleteMetadata(KEY));
      return true;
    }
    return false;
  }

  /** Remove every trace of records from a notebook, for good; gives how many cells had one. */
  strip(notebook: INotebookModel): number {
    this.latest.forget(notebook);
    let stripped = 0;
    for (const cell of notebook.cells) {
      const hadRecord = cell.getMetadata(KEY) !== undefined;
      if (hadRecord) {
        quietly(cell, () => cell.deleteMetadata(KEY));
      }
      const hadTrace = isCodeCellModel(cell) && stripOutputs(cell);
      stripped += hadRecord || hadTrace ? 1 : 0;
    }
    if (notebook.getMetadata(KEY) !== undefined) {
      quietly(notebook, () => notebook.deleteMetadata(KEY));
    }
    return stripped;
  }

  private _choices: Preferences<IProvenanceChoices> | null = null;
}

function stripOutputs(cell: ICodeCellModel): boolean {
  const outputs = cell.outputs.toJSON();
  if (!outputs.some(output => fields(output.metadata)[KEY] !== undefined)) {
    return false;
  }
  cell.outputs.fromJSON(strippedOutputs(outputs));
  return true;
}

/** Give the record of what a cell shows; null where there is none, or the outputs were cleared. */
export function currentRecord(cell: ICellModel): IRecord | null {
  const content = isCodeCellModel(cell) ? cell.getMetadata(KEY) : undefined;
  const record = content === undefined ? null : readRecord(content);
  return record &&
    isCodeCellModel(cell) &&
    !isCleared(record, cell.outputs.length > 0, cell.executionCount)
    ? record
    : null;
}

/** Change a cell or a notebook in a way that undo does not take back. */
export function quietly(of: ICellModel | INotebookModel, change: () => void): void {
  of.sharedModel.transact(change, false);
}
