/**
 * Puts the record of a run into its cell, and takes every trace away again. The same schema as that
 * of `spark_kernel.recording`, which does it outside of JupyterLab.
 */

import { ICellModel, ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { INotebookModel } from '@jupyterlab/notebook';

import { KEY } from './protocol';
import { fields } from './reading';
import { IRecord, readRecord } from './record';
import { isCleared, outcomeOf, strippedOutputs } from './recordRules';

/**
 * Let a reply do to a cell what it should; gives whether that changed the cell's record. Not an edit:
 * undo does not take it back.
 */
export function applyReply(cell: ICellModel, metadata: unknown): boolean {
  const outcome = outcomeOf(metadata);
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

/** Remove every trace of records from a notebook; gives how many cells had one. */
export function stripNotebook(notebook: INotebookModel): number {
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

function stripOutputs(cell: ICodeCellModel): boolean {
  const outputs = cell.outputs.toJSON();
  if (!outputs.some(output => fields(output.metadata)[KEY] !== undefined)) {
    return false;
  }
  cell.outputs.fromJSON(strippedOutputs(outputs));
  return true;
}

/** Change a cell or a notebook in a way that undo does not take back. */
export function quietly(of: ICellModel | INotebookModel, change: () => void): void {
  of.sharedModel.transact(change, false);
}
