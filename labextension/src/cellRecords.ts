/**
 * Puts the record of a run into its cell, and takes every trace away again. The same schema as that
 * of `spark_kernel.recording`, which does it outside of JupyterLab.
 */

import { ICellModel, ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { IOutput } from '@jupyterlab/nbformat';
import { INotebookModel } from '@jupyterlab/notebook';
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';

import { KEY, PROGRESS_MIME } from './protocol';
import { Fields, fields } from './reading';
import { readRecord } from './record';

/** What a reply holds beside its record, for the notebook and not for the cell. */
const SESSION = 'session';
/** A record is some kilobytes; more than this is none. */
const LONGEST = 200_000;

/** What becomes of a cell's record when a reply has come: another one, none, or what is there. */
export type Outcome = { kind: 'write'; record: Fields } | { kind: 'remove' } | { kind: 'keep' };

/**
 * Decide what a reply does to the cell.
 *
 * Without provenance mode nothing is written; but a record of an earlier run would be a lie.
 */
export function outcomeOf(metadata: unknown): Outcome {
  const content = fields(fields(metadata)[KEY]);
  if (!readRecord(content)) {
    return { kind: 'keep' };
  }
  if (content.provenance !== true) {
    return { kind: 'remove' };
  }
  const { [SESSION]: _, ...record } = content;
  return JSON.stringify(record).length > LONGEST ? { kind: 'remove' } : { kind: 'write', record };
}

/** Let a reply do to a cell what it should. Not an edit: undo does not take it back. */
export function applyReply(cell: ICellModel, metadata: unknown): void {
  const outcome = outcomeOf(metadata);
  if (outcome.kind === 'write') {
    quietly(cell, () => cell.setMetadata(KEY, outcome.record as never));
  } else if (outcome.kind === 'remove' && cell.getMetadata(KEY) !== undefined) {
    quietly(cell, () => cell.deleteMetadata(KEY));
  }
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
    notebook.deleteMetadata(KEY);
  }
  return stripped;
}

/** Leave out displays that are only a record, and the records of others. */
export function strippedOutputs(outputs: IOutput[]): IOutput[] {
  return outputs
    .filter(output => {
      const isRecord = fields(output.metadata)[KEY] !== undefined;
      return !isRecord || PROGRESS_MIME in fields(output.data);
    })
    .map(output => {
      const { [KEY]: record, ...metadata } = fields(output.metadata);
      return record === undefined ? output : ({ ...output, metadata } as IOutput);
    });
}

/** Whether a cell's source is another than the one that its record is of. */
export function isChanged(source: string, record: unknown): boolean {
  const sum = readRecord(record)?.sourceSum;
  return !!sum && sum !== bytesToHex(sha256(utf8ToBytes(source)));
}

function stripOutputs(cell: ICodeCellModel): boolean {
  const outputs = cell.outputs.toJSON();
  if (!outputs.some(output => fields(output.metadata)[KEY] !== undefined)) {
    return false;
  }
  cell.outputs.fromJSON(strippedOutputs(outputs));
  return true;
}

function quietly(cell: ICellModel, change: () => void): void {
  cell.sharedModel.transact(change, false);
}
