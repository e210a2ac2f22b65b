/**
 * Sums up the records of a notebook, for its own metadata. The same as `spark_kernel.recording.summary`,
 * which does it outside of JupyterLab; `docs/protocol.md` names the fields.
 */

import { amount, count, Fields, fields, items, text } from './reading';
import { readRecord } from './record';

const MOST_SETTINGS = 300;
const LONGEST_VALUE = 500;
const MOST_LIBRARIES = 1_000;
/** Of a cell that is meant to fail. */
const EXPECTED = 'raises-exception';
/** The kernel has redacted settings already; this is for whatever else may be told as some. */
const SECRET = /secret|password|token|access[.]?key|account[.]key|private[.]?key/i;
const STATUSES = ['ok', 'error', 'interrupted', 'aborted'];
const WORST_FIRST = ['error', 'interrupted', 'aborted'];
const TOTALS = [
  'input_bytes',
  'input_records',
  'output_bytes',
  'output_records',
  'shuffle_read_bytes',
  'shuffle_write_bytes',
  'spill_bytes',
  'executor_run_s',
  'executor_cpu_s',
  'jvm_gc_s'
];

/** A cell that has run, with its tags and its record. */
export interface IRunCell {
  tags: unknown;
  record: Fields;
}

/** Give the process of the kernel that a record is of. */
export function sessionOf(record: Fields): string {
  return text(fields(record.kernel).session, 200);
}

/** Give the cells that ran in the kernel process that ran last; others are of earlier runs. */
export function latestRun(cells: IRunCell[]): IRunCell[] {
  const recorded = cells.filter(cell => readRecord(cell.record));
  const ran = recorded.filter(cell => momentOf(cell.record.started) !== null);
  if (ran.length === 0) {
    return [];
  }
  const session = sessionOf(latestOf(ran).record);
  return recorded.filter(cell => sessionOf(cell.record) === session);
}

/** Make the summary of a run of at least one cell. */
export function summaryOf(run: IRunCell[], settings: Fields): Fields {
  const records = run.map(cell => cell.record);
  const latest = latestOf(run).record;
  const started = extreme(records.map(record => record.started), Math.min);
  const finished = extreme(records.map(record => record.finished), Math.max);
  const spark = records.map(record => record.spark).filter(isObject).pop() ?? null;
  return {
    version: '1.0',
    run_id: '',
    started,
    finished,
    duration_s:
      started && finished ? ((momentOf(finished) ?? 0) - (momentOf(started) ?? 0)) / 1000 : null,
    status: worstOf(run),
    user: text(latest.user, 200),
    host: text(latest.host, 200),
    cluster: spark ? (fields(spark).cluster ?? null) : null,
    kernel: fields(latest.kernel),
    spark,
    libraries: librariesOf(records),
    settings: shownSettings(settings),
    config_sha256: records.map(record => record.config_sha256).filter(Boolean).pop() ?? null,
    cells: Object.fromEntries(
      STATUSES.map(status => [status, records.filter(one => one.status === status).length])
    ),
    totals: Object.fromEntries(TOTALS.map(name => [name, sumOf(records, name)])),
    jobs: records
      .map(one => (Array.isArray(one.jobs) ? one.jobs.length : 0) + count(fields(one.omitted).jobs))
      .reduce((all, jobs) => all + jobs, 0)
  };
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function momentOf(value: unknown): number | null {
  const moment = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(moment) ? null : moment;
}

function latestOf(run: IRunCell[]): IRunCell {
  const when = (cell: IRunCell) => momentOf(cell.record.started) ?? -Infinity;
  return run.reduce((latest, cell) => (when(cell) > when(latest) ? cell : latest));
}

function extreme(values: unknown[], choose: (...values: number[]) => number): unknown {
  const moments = values.map(momentOf).filter((moment): moment is number => moment !== null);
  const wanted = moments.length ? choose(...moments) : null;
  return values.find(value => wanted !== null && momentOf(value) === wanted) ?? null;
}

/** Give the worst that happened to a cell that was not meant to fail. */
function worstOf(run: IRunCell[]): string {
  const seen = new Set(
    run
      .filter(cell => !(isExpected(cell.tags) && cell.record.status === 'error'))
      .map(cell => cell.record.status)
  );
  return WORST_FIRST.find(status => seen.has(status)) ?? 'ok';
}

function isExpected(tags: unknown): boolean {
  return Array.isArray(tags) && tags.includes(EXPECTED);
}

function librariesOf(records: Fields[]): Fields[] {
  const found = new Map<string, Fields>();
  for (const one of records.flatMap(record => items(record.libraries, MOST_LIBRARIES))) {
    const name = text(one.name, 400);
    if (name) {
      found.set(name, { name, version: text(one.version, 400) });
    }
  }
  return [...found.keys()].sort().map(name => found.get(name) as Fields);
}

function sumOf(records: Fields[], name: string): number | null {
  const known = records
    .map(record => amount(fields(record.totals)[name]))
    .filter((value): value is number => value !== null);
  const total = known.reduce((all, value) => all + value, 0);
  return known.length ? Math.round(1000 * total) / 1000 : null;
}

function shownSettings(settings: Fields): Fields {
  const entries = Object.entries(settings).slice(0, MOST_SETTINGS).sort();
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const said = SECRET.test(key) ? '***' : String(value).slice(0, LONGEST_VALUE);
      return [key, said];
    })
  );
}
