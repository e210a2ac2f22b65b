/** Reads the record of a cell's run. The schema is that of the protocol's part "Provenance". */

import { amount, fields, text } from './reading';
import { durationText, joined } from './words';

export interface IRecord {
  status: string;
  user: string;
  finished: Date | null;
  duration: number | null;
  sourceSum: string;
}

/** Read a record; null where a document or a message holds none. */
export function readRecord(content: unknown): IRecord | null {
  const of = fields(content);
  if (typeof of.source_sha256 !== 'string' || typeof of.status !== 'string') {
    return null;
  }
  const finished = new Date(text(of.finished, 40));
  return {
    status: text(of.status, 20),
    user: text(of.user, 80),
    finished: Number.isNaN(finished.getTime()) ? null : finished,
    duration: amount(of.duration_s),
    sourceSum: text(of.source_sha256, 64)
  };
}

/** Say who ran a cell, and when; empty where there is no record. */
export function runText(content: unknown): string {
  const record = readRecord(content);
  return record ? joined([record.user, record.finished && whenText(record.finished)]) : '';
}

/** Say how a run went, in one line. */
export function recordText(record: IRecord): string {
  const when = record.finished && whenText(record.finished);
  return joined([record.status !== 'ok' && record.status, durationText(record.duration), record.user, when]);
}

function whenText(moment: Date): string {
  return moment.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}
