import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { agoText, readRecord, recordText } from '../src/record';
import { isCleared } from '../src/recordRules';
import { latestRun, summaryOf } from '../src/runSummary';
import { canBeJudged, readStale } from '../src/staleContent';

const trans = nullTranslator.load('spark_kernel');

const record = (minute: number, more: object = {}) => ({
  version: '1.0',
  user: 'ada',
  host: 'far',
  started: `2026-11-25T10:0${minute}:00.000Z`,
  finished: `2026-11-25T10:0${minute}:01.500Z`,
  duration_s: 1.5,
  status: 'ok',
  source_sha256: 'x',
  kernel: { name: 'spark-kernel', version: '1', session: 's' },
  spark: { version: '4.3.0', master: 'local[2]', cluster: 'c', application_id: 'a' },
  jobs: [{ id: 1 }],
  omitted: { jobs: 2 },
  totals: { input_bytes: 10, executor_run_s: 0.1, output_bytes: null },
  libraries: [{ name: 'numpy', version: '2' }],
  config_sha256: 'y',
  provenance: true,
  ...more
});
const cell = (minute: number, more: object = {}, tags: unknown = undefined) => ({
  tags,
  record: record(minute, more)
});

describe('the summary of a run', () => {
  it('is of the kernel process that ran last', () => {
    const earlier = cell(1, { kernel: { session: 'before' } });
    const run = latestRun([cell(3), earlier, cell(2), { tags: null, record: { status: 7 } }]);
    expect(run.map(one => one.record.started)).toEqual([
      '2026-11-25T10:03:00.000Z',
      '2026-11-25T10:02:00.000Z'
    ]);
    expect(latestRun([])).toEqual([]);
  });

  it('has the sums, the times and the worst that happened', () => {
    const summary = summaryOf([cell(2), cell(3, { status: 'interrupted' })], { 'spark.a': 1 });
    expect(summary).toMatchObject({
      version: '1.0',
      started: '2026-11-25T10:02:00.000Z',
      finished: '2026-11-25T10:03:01.500Z',
      duration_s: 61.5,
      status: 'interrupted',
      cluster: 'c',
      jobs: 6,
      cells: { ok: 1, error: 0, interrupted: 1, aborted: 0 },
      libraries: [{ name: 'numpy', version: '2' }],
      settings: { 'spark.a': '1' }
    });
    expect(summary.totals).toMatchObject({ input_bytes: 20, executor_run_s: 0.2, output_bytes: null });
  });

  it('does not count the failure of a cell that is meant to fail', () => {
    const failed = { status: 'error' };
    expect(summaryOf([cell(1, failed, ['raises-exception'])], {}).status).toBe('ok');
    expect(summaryOf([cell(1, failed, 'raises-exception')], {}).status).toBe('error');
  });

  it('has no secret among the settings', () => {
    const settings = { 'spark.my.password': 'x', 'fs.azure.account.key.a': 'y', 'spark.long': 'z'.repeat(9000) };
    const shown = summaryOf([cell(1)], settings).settings as Record<string, string>;
    expect(shown['spark.my.password']).toBe('***');
    expect(shown['fs.azure.account.key.a']).toBe('***');
    expect(shown['spark.long']).toHaveLength(500);
  });

  it('is made of whatever a notebook holds', () => {
    const odd = cell(1, { jobs: 7, totals: [], libraries: 'x', spark: 7, kernel: null, started: 3 });
    expect(latestRun([odd])).toEqual([]);
    expect(summaryOf([odd], {})).toMatchObject({ jobs: 2, spark: null, started: null, libraries: [] });
  });
});

describe('the line of a record', () => {
  it('says how a cell went, what it read and wrote, and who ran it', () => {
    const inputs = [{}, {}];
    const totals = { input_bytes: 2048, output_bytes: 1024 };
    const read = readRecord(record(1, { status: 'error', inputs, outputs: [{}], totals }));
    expect(recordText(read!, trans)).toBe(
      'failed · 1.5 s · 3 jobs · read 2.0 KiB, 2 inputs · wrote 1.0 KiB, 1 output · ada'
    );
  });

  it('says how long ago that was, and the date of what was long ago', () => {
    const then = new Date('2026-11-25T10:00:00Z');
    const after = (seconds: number) =>
      agoText(then, new Date(then.getTime() + 1000 * seconds), trans);
    expect(after(20)).toBe('just now');
    expect(after(-20)).toBe('just now');
    expect(after(125)).toBe('2 min ago');
    expect(after(7300)).toBe('2 h ago');
    expect(after(200_000)).toBe('2 days ago');
    expect(after(9_000_000)).toContain('2026');
    expect(after(-9_000)).toContain('2026');
  });

  it('is of no cell whose outputs were cleared', () => {
    const ran = readRecord(record(1))!;
    expect(isCleared(ran, false, null)).toBe(true);
    expect(isCleared(ran, false, 3)).toBe(false);
    expect(isCleared(readRecord(record(1, { status: 'aborted' }))!, false, null)).toBe(false);
  });
});

describe('what is out of date', () => {
  it('is what the kernel is sure of, with its reasons', () => {
    const cells = [
      { id: 'a', verdict: 'stale', reasons: [{ text: 'cell 1 ran later' }, { text: 'x\u202ey' }, 7] },
      { id: 'b', verdict: 'unknown', reasons: [{ text: 'who knows' }] },
      { id: 'c', verdict: 'stale', reasons: [] }
    ];
    const read = readStale({ status: 'ok', cells });
    expect([...read!]).toEqual([['a', 'cell 1 ran later; x y']]);
    expect(readStale({ status: 'error' })).toBeNull();
    expect(readStale(null)).toBeNull();
  });

  it('is not asked of a notebook that is too large', () => {
    const cell = { id: 'a', source: 'x'.repeat(1_000), execution_count: 1, metadata: {} };
    expect(canBeJudged(Array(1_000).fill(cell))).toBe(true);
    expect(canBeJudged(Array(1_001).fill(cell))).toBe(false);
    expect(canBeJudged([{ ...cell, source: 'x'.repeat(2_000_001) }])).toBe(false);
  });
});
