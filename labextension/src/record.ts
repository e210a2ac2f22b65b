/** Reads the record of a cell's run. The schema is that of the protocol's part "Provenance". */

import { TranslationBundle } from '@jupyterlab/translation';

import { amount, count, fields, text, word } from './reading';
import { countText, durationText, joined, sizeText } from './words';

const STATUSES = ['unknown', 'ok', 'error', 'aborted', 'interrupted'] as const;
const MOST_DATASETS = 1_000;

export interface IRecord {
  status: (typeof STATUSES)[number];
  user: string;
  host: string;
  finished: Date | null;
  duration: number | null;
  jobs: number;
  /** In bytes; null where that is not known. */
  read: number | null;
  written: number | null;
  /** How many things were read and written; null where that is not known. */
  inputs: number | null;
  outputs: number | null;
  sourceSum: string;
}

/** Read a record; null where a document or a message holds none. */
export function readRecord(content: unknown): IRecord | null {
  const of = fields(content);
  const status = word(of.status, STATUSES);
  if (typeof of.source_sha256 !== 'string' || status === 'unknown') {
    return null;
  }
  const finished = new Date(text(of.finished, 40));
  const totals = fields(of.totals);
  return {
    status,
    user: text(of.user, 80),
    host: text(of.host, 200),
    finished: Number.isNaN(finished.getTime()) ? null : finished,
    duration: amount(of.duration_s),
    jobs: (Array.isArray(of.jobs) ? of.jobs.length : 0) + count(fields(of.omitted).jobs),
    read: amount(totals.input_bytes),
    written: amount(totals.output_bytes),
    inputs: lengthOf(of.inputs),
    outputs: lengthOf(of.outputs),
    sourceSum: text(of.source_sha256, 64)
  };
}

function lengthOf(value: unknown): number | null {
  return Array.isArray(value) ? Math.min(value.length, MOST_DATASETS) : null;
}

/** Say who ran a cell, and when; empty where there is no record. */
export function runText(content: unknown): string {
  const record = readRecord(content);
  return record ? joined([record.user, record.finished && momentText(record.finished)]) : '';
}

/** Say how a run went, in one line, without when that was. */
export function recordText(record: IRecord, trans: TranslationBundle): string {
  const { jobs } = record;
  return joined([
    statusText(record, trans),
    durationText(record.duration),
    jobs > 0 && trans._n('%2 job', '%2 jobs', jobs, countText(jobs)),
    dataText(
      record.read ? trans.__('read %1', sizeText(record.read)) : '',
      record.inputs
        ? trans._n('%2 input', '%2 inputs', record.inputs, countText(record.inputs))
        : ''
    ),
    dataText(
      record.written ? trans.__('wrote %1', sizeText(record.written)) : '',
      record.outputs
        ? trans._n('%2 output', '%2 outputs', record.outputs, countText(record.outputs))
        : ''
    ),
    record.user
  ]);
}

/** Say all of it, for a pointer that rests there. */
export function recordTitle(record: IRecord, trans: TranslationBundle): string {
  const when = record.finished && momentText(record.finished);
  return joined([recordText(record, trans), record.host, when]);
}

function statusText(record: IRecord, trans: TranslationBundle): string {
  switch (record.status) {
    case 'error':
      return trans.__('failed');
    case 'aborted':
      return trans.__('not run: a cell before it failed');
    case 'interrupted':
      return trans.__('interrupted');
    default:
      return '';
  }
}

function dataText(...parts: string[]): string {
  return parts.filter(Boolean).join(', ');
}

// One for all: to make a format takes as long as to use it fifty times, and each cell has a moment.
const MOMENTS = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** Say a moment in the words of the reader's language. */
export function momentText(moment: Date): string {
  return MOMENTS.format(moment);
}

/** Say how long ago a moment was; a moment of long ago by its date. */
export function agoText(moment: Date, now: Date, trans: TranslationBundle): string {
  const seconds = (now.getTime() - moment.getTime()) / 1000;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) {
    // A clock of another machine may be ahead of this one.
    return seconds > -120 ? trans.__('just now') : momentText(moment);
  }
  if (minutes < 60) {
    return trans.__('%1 min ago', minutes);
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return trans.__('%1 h ago', hours);
  }
  const days = Math.floor(hours / 24);
  return days < 7 ? trans._n('%1 day ago', '%1 days ago', days) : momentText(moment);
}
