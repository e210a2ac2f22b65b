import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { cancelNews, readCancelled } from '../src/cancelling';
import { readProgress } from '../src/progressContent';
import { barOf, shownProgress } from '../src/progressRows';
import { readResources, readStatus } from '../src/protocol';
import { Fields } from '../src/reading';
import { beginOf, statusLine } from '../src/statusLine';
import { longestRise } from '../src/steady';
import { isWorking } from '../src/watch';
import { durationText, sizeText } from '../src/words';

const trans = nullTranslator.load('spark_kernel');

const tasks = (total: number, completed = 0, active = 0, failed = 0, skipped = 0) => ({
  total,
  completed,
  active,
  failed,
  skipped
});

const progress = (more: object = {}) =>
  readProgress({
    cell_id: 'c',
    is_final: false,
    elapsed_s: 3,
    jobs: [
      { id: 1, state: 'succeeded', tasks: tasks(4, 4) },
      { id: 2, state: 'running', tasks: tasks(8, 2, 2), stages: [{ id: 5, state: 'running' }] },
      { id: 3, state: 'failed', tasks: tasks(2, 1, 0, 4) }
    ],
    queries: [{ id: 'q', is_active: true }],
    totals: { running: 1, finished: 2, failed: 1, tasks: tasks(14, 7, 2) },
    ...more
  });

describe('the progress of a cell', () => {
  it('shows first what runs, then what failed, and keeps the rest folded', () => {
    const shown = shownProgress(progress(), 'live', trans);
    expect(shown.rows.map(row => row.key)).toEqual(['query-q', 'job-2-0', 'job-3-0']);
    expect(shown.done.map(row => row.key)).toEqual(['job-1-0']);
    expect(shown.head).toBe('1 of 3 Spark jobs running');
  });

  it('can cancel the cell, a running job and an active query, while it is live', () => {
    const shown = shownProgress(progress(), 'live', trans);
    expect(shown.target).toEqual({ scope: 'cell', id: 'c' });
    expect(shown.rows.map(row => row.target?.scope)).toEqual(['query', 'job', undefined]);
  });

  it('can cancel nothing without a kernel, and does not say that anything runs', () => {
    for (const [presence, said] of [['saved', 'when this was saved'], ['ended', 'the kernel ended']] as const) {
      const shown = shownProgress(progress(), presence, trans);
      expect(shown.target).toBeNull();
      expect(shown.rows.every(row => row.target === null && row.state !== 'running')).toBe(true);
      expect(shown.head).toContain(said);
    }
  });

  it('keeps the jobs of two sessions apart, and shows the newer ones first', () => {
    const job = (submitted: number, state: string) => ({ id: 0, submitted, state });
    const jobs = [job(10, 'succeeded'), job(20, 'running'), job(30, 'running')];
    const shown = shownProgress(progress({ jobs, queries: [{ id: 'q' }, { id: 'q' }] }), 'live', trans);
    expect(shown.rows.map(row => row.key)).toEqual(['query-q', 'query-q-again-1', 'job-0-30', 'job-0-20']);
    expect(shown.done.map(row => row.key)).toEqual(['job-0-10']);
  });

  it('says what is left out, by the kernel or by the page', () => {
    const stages = Array.from({ length: 150 }, (_, id) => ({ id }));
    const jobs = Array.from({ length: 201 }, (_, id) => ({ id, stages: id < 3 ? stages : [] }));
    const omitted = { jobs: 2, stages: 7, queries: 1 };
    const shown = shownProgress(progress({ jobs, omitted }), 'live', trans);
    expect(shown.more).toBe('and 3 more jobs · and 57 more stages · and 1 more query');
    expect(shownProgress(progress(), 'live', trans).more).toBe('');
  });

  it('tells those that were cancelled from those that failed', () => {
    const jobs = [{ id: 1, state: 'cancelled' }];
    const totals = { running: 0, finished: 1, failed: 1 };
    const shown = shownProgress(progress({ is_final: true, jobs, queries: [], totals }), 'live', trans);
    expect(shown.head).toBe('1 Spark job · 1 cancelled');
    expect(shown.target).toBeNull();
  });

  it('says of how many jobs nobody knows how they ended', () => {
    const jobs = [{ id: 1, state: 'unknown' }];
    const totals = { running: 0, finished: 1, failed: 0 };
    const shown = shownProgress(progress({ is_final: true, jobs, queries: [], totals }), 'live', trans);
    expect(shown.head).toBe('1 Spark job · 1 with unknown outcome');
  });

  it('draws bars that never leave their place', () => {
    const bar = barOf('x', tasks(10, 9, 5, 99));
    expect(bar.segments.map(part => part.percent).reduce((a, b) => a + b)).toBe(100);
    expect(barOf('x', tasks(0)).end).toBe(0);
    expect(barOf('x', tasks(10, 2, 0, 0, 4)).end).toBe(6);
  });
});

describe('cancelling', () => {
  const said = (reply: object | null) => cancelNews(readCancelled(reply as Fields | null), 'done', 'none', trans);

  it('is a success only where something was cancelled', () => {
    expect(said({ status: 'ok', cancelled: [3] })).toEqual({ text: 'done', isGood: true });
    expect(said({ status: 'ok', cancelled: [] })).toEqual({ text: 'none', isGood: false });
  });

  it('says why it failed, also where no sensible answer came', () => {
    expect(said({ status: 'error', evalue: 'No such\njob' })).toEqual({ text: 'No such job', isGood: false });
    for (const reply of [null, {}, { status: 'ok', cancelled: 'x' }, { status: 'error', evalue: 1 }]) {
      expect(said(reply)).toEqual({ text: 'The kernel did not answer.', isGood: false });
    }
  });
});

describe('a list that is drawn anew', () => {
  it('moves as few of its rows as can be', () => {
    expect([...longestRise([0, 1, 2])]).toHaveLength(3);
    // The first of three goes to the end, as a job that failed does.
    expect(longestRise([2, 0, 1])).toEqual(new Set([0, 1]));
    expect(longestRise([1, 2, 0])).toEqual(new Set([1, 2]));
    expect(longestRise([5, 0, 6, 1, 2, 7])).toEqual(new Set([0, 1, 2, 7]));
    expect(longestRise([3, 2, 1])).toHaveProperty('size', 1);
    expect(longestRise([])).toHaveProperty('size', 0);
  });
});

describe('the status bar', () => {
  it('tells the stage of a start, and goes on counting from its beginning', () => {
    const stages = [{ stage: 'runtime_started', started_s: 0 }, { stage: 'driver_starting', started_s: 900 }];
    const said = { state: 'restarting', message: 'Starting the driver', elapsed_s: 901, stages };
    expect(statusLine(readStatus(said), null, 5, trans).text).toBe('Spark · Starting the driver · 5 s');
    expect(statusLine(readStatus(said), null, null, trans).text).toBe('Spark · Starting the driver');
    expect(readStatus({ ...said, stages: stages.slice(0, 1) }).elapsed).toBe(0);
  });

  it('never counts back when a message is late, and begins anew with the next start', () => {
    const at = (elapsed: number, state = 'starting') => readStatus({ state, elapsed_s: elapsed, stages: [{}, { started_s: 0 }] });
    const begun = beginOf(at(1), null, null, 5_000);
    expect(begun).toBe(4_000);
    expect(beginOf(at(2), at(1), begun, 7_500)).toBe(4_000);
    expect(beginOf(at(4), at(2), begun, 7_500)).toBe(3_500);
    expect(beginOf(at(0), at(4), begun, 9_000)).toBe(9_000);
    expect(beginOf(at(4, 'ready'), at(3), begun, 9_000)).toBeNull();
    expect(beginOf(readStatus({ state: 'starting' }), null, null, 9_000)).toBeNull();
  });

  it('tells what works, and which cores and memory are in use', () => {
    const load = (jobs: number, tasks: number, cached: number) =>
      readResources({
        status: 'ok',
        resources: [
          {
            type: 'spark',
            state: 'ready',
            cluster: { name: 'analytics' },
            metrics: [
              { name: 'active_jobs', value: jobs },
              { name: 'active_tasks', value: tasks },
              { name: 'cores', value: tasks, max: 4 },
              { name: 'storage_memory', value: cached, max: 2 ** 30 },
              { name: 'heap', value: 2 ** 20, max: null }
            ]
          }
        ]
      });
    const said = (of: ReturnType<typeof load>) => statusLine(of?.status ?? null, of, null, trans);
    const busy = said(load(2, 3, 2 ** 20));
    expect(busy.text).toBe('analytics · 2 jobs · 3 tasks · 3 of 4 cores · 1.0 MiB cached');
    expect(busy).toMatchObject({ kind: 'good', used: 0.75, spoken: 'analytics · ready' });
    expect(busy.title).toContain('1.0 MiB of 1.0 GiB for cached data · 1.0 MiB of the driver’s memory');
    expect(said(load(0, 0, 0)).text).toBe('analytics · ready · 4 cores');
  });

  it('tells why Spark is not there', () => {
    const error = { name: 'E', message: 'No route', hint: 'Ask' };
    const line = statusLine(readStatus({ state: 'failed', error }), null, null, trans);
    expect(line.kind).toBe('bad');
    expect(line.title).toContain('No route · Ask');
  });

  it('asks often only while something works', () => {
    const ready = readStatus({ state: 'ready' });
    expect(isWorking('idle', ready, null)).toBe(false);
    expect(isWorking('busy', ready, null)).toBe(true);
    expect(isWorking('idle', readStatus({ state: 'starting' }), null)).toBe(true);
  });
});

describe('words', () => {
  it('are those of the displays of the kernel', () => {
    expect(durationText(59.97)).toBe('1 min 0 s');
    expect(durationText(2.4, false)).toBe('2 s');
    expect(durationText(7320)).toBe('2 h 02 min');
    expect(sizeText(1536)).toBe('1.5 KiB');
  });
});
