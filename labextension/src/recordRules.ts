/** Decides what becomes of the record of a run: what is written, what is removed, what is stale. */

import type { IOutput } from '@jupyterlab/nbformat';
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';

import { KEY, PROGRESS_MIME } from './protocol';
import { Fields, fields } from './reading';
import { IRecord, readRecord } from './record';

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

/** A cell that has come into a notebook: pasted, split off, moved, or brought back by undo. */
export interface IAdded {
  id: string;
  /** Null where it has not run. */
  executionCount: number | null;
  record: unknown;
}

/**
 * Decide what becomes of the record of a cell that has come into a notebook.
 *
 * Undo brings a cell back as it was when it went, with the outputs of what it has run since; and of
 * a cell that is split, both parts hold the record of the whole.
 *
 * @param latest the record of the latest run that this page knows of the cell
 */
export function outcomeOfAdded(cell: IAdded, latest: Fields | undefined): Outcome {
  const held = readRecord(cell.record) ? fields(cell.record) : {};
  if (cell.executionCount === null) {
    const isCopy = held.cell_id !== undefined && held.cell_id !== cell.id;
    return { kind: isCopy ? 'remove' : 'keep' };
  }
  const isLatest = latest?.execution_count === cell.executionCount;
  return latest && isLatest && held.started !== latest.started
    ? { kind: 'write', record: latest }
    : { kind: 'keep' };
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

/** Whether the outputs of a run were cleared, which leaves the record where it is. */
export function isCleared(record: IRecord, hasOutputs: boolean, count: number | null): boolean {
  return !hasOutputs && count === null && record.status !== 'aborted';
}
