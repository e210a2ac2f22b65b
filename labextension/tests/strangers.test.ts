import { describe, expect, it } from 'vitest';

import { LatestRecords } from '../src/latestRecords';
import { isOfShownRun, isOnlyNotebook, LatestRuns, readRun } from '../src/strangerRuns';

const run = (id: string, sent: number) => ({ id, sent });
const progress = (id: number, elapsed_s: number, more: object = {}) => ({
  elapsed_s,
  is_final: false,
  jobs: [{ id, submitted: 1000 + id }],
  queries: [],
  omitted: { jobs: 0, stages: 7 },
  ...more
});

describe('a display of a cell that another page has started', () => {
  it('is of the run that was saved while it went on', () => {
    const shown = { executionCount: null, progress: progress(3, 5) };
    expect(isOfShownRun(shown, progress(3, 6))).toBe(true);
    expect(isOfShownRun(shown, progress(4, 9, { omitted: { jobs: 9 } }))).toBe(true);
    expect(isOfShownRun({ ...shown, executionCount: 7 }, progress(3, 6))).toBe(true);
    expect(isOfShownRun({ executionCount: null, progress: null }, progress(3, 6))).toBe(true);
    expect(isOfShownRun({ executionCount: null, progress: null }, null)).toBe(true);
  });

  it('is of another run than results that are whole', () => {
    expect(isOfShownRun({ executionCount: 7, progress: null }, progress(3, 6))).toBe(false);
    expect(isOfShownRun({ executionCount: 7, progress: null }, null)).toBe(false);
    const final = progress(3, 5, { is_final: true });
    expect(isOfShownRun({ executionCount: null, progress: final }, progress(3, 6))).toBe(false);
  });

  it('is of another run than one that was saved while it went on, with other jobs or a shorter time', () => {
    const shown = { executionCount: null, progress: progress(3, 5) };
    expect(isOfShownRun(shown, progress(4, 9))).toBe(false);
    expect(isOfShownRun(shown, progress(3, 4))).toBe(false);
    const next = progress(3, 9, { jobs: [{ id: 3, submitted: 99_000 }] });
    expect(isOfShownRun(shown, next)).toBe(false);
  });

  it('is of no run that came before one that is known', () => {
    const runs = new LatestRuns();
    expect(runs.bearingOf('a', run('x', 1))).toBe('first');
    runs.take('a', run('x', 1));
    expect(runs.bearingOf('a', run('x', 1))).toBe('same');
    expect(runs.bearingOf('b', run('x', 1))).toBe('first');
    expect(runs.bearingOf('a', run('y', 2))).toBe('later');
    runs.take('a', run('y', 2));
    expect(runs.bearingOf('a', run('x', 1))).toBe('earlier');
  });

  it('belongs to a run that anybody may have asked for', () => {
    const date = '2026-01-01T00:00:00.000Z';
    expect(readRun({ msg_id: 'x', date })).toEqual(run('x', Date.parse(date)));
    expect(readRun({ msg_id: 7, date: 'never' })).toEqual(run('', 0));
  });
});

describe('a kernel', () => {
  const session = (type: string, id: string | null) => ({ type, kernel: id ? { id } : null });

  it('is of one notebook, with any number of consoles', () => {
    const own = session('notebook', 'k');
    expect(isOnlyNotebook([own], 'k')).toBe(true);
    const others = [session('console', 'k'), session('notebook', 'x'), session('notebook', null)];
    expect(isOnlyNotebook([own, ...others], 'k')).toBe(true);
  });

  it('is of two notebooks, which may have cells of the same ids', () => {
    const sessions = [session('notebook', 'k'), session('notebook', 'k')];
    expect(isOnlyNotebook(sessions, 'k')).toBe(false);
  });
});

describe('the latest records of a notebook', () => {
  const record = { status: 'ok', source_sha256: 'x', provenance: true };
  const reply = (more: object = {}) => ({ spark_kernel: { ...record, ...more } });

  it('are those of the latest runs in provenance mode', () => {
    const [latest, notebook] = [new LatestRecords(), {}];
    latest.note(notebook, 'a', reply({ execution_count: 1 }));
    latest.note(notebook, 'a', reply({ execution_count: 2 }));
    latest.note(notebook, 'a', {});
    expect(latest.of(notebook, 'a')?.execution_count).toBe(2);
    expect(latest.of({}, 'a')).toBeUndefined();
    latest.note(notebook, 'a', reply({ provenance: false }));
    expect(latest.of(notebook, 'a')).toBeUndefined();
  });

  it('are forgotten where records are removed, and kept in other notebooks', () => {
    const [latest, notebook, other] = [new LatestRecords(), {}, {}];
    latest.note(notebook, 'a', reply());
    latest.note(other, 'a', reply());
    latest.forget(notebook);
    expect(latest.of(notebook, 'a')).toBeUndefined();
    expect(latest.of(other, 'a')).toEqual(record);
  });

  it('are no more than a page can hold', () => {
    const [latest, notebook] = [new LatestRecords(), {}];
    for (let i = 0; i < 600; i++) {
      latest.note(notebook, `c${i}`, reply());
    }
    expect(latest.of(notebook, 'c0')).toBeUndefined();
    expect(latest.of(notebook, 'c599')).toEqual(record);
  });
});
