import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Staleness } from '../src/staleness';

vi.mock('@jupyterlab/cells', () => ({ isCodeCellModel: () => true }));
vi.mock('@jupyterlab/services', () => ({ KernelMessage: {} }));

/** A notebook with one recorded cell, and a kernel that answers what it is told to. */
function setting() {
  const connection = { status: 'idle', statusChanged: new Signal<object, string>({}) };
  const kernel = { connection, answer: null as Map<string, string> | null, asked: 0, stale: () => {
    kernel.asked += 1;
    return Promise.resolve(kernel.answer);
  } };
  const cell = {
    id: 'a', source: '1', executionCount: 1, getMetadata: () => ({ status: 'ok' }),
    sharedModel: { getSource: () => cell.source }
  };
  const panel = { isVisible: true, content: { model: { cells: [cell] } } };
  const session = { kernel: kernel as typeof kernel | null, changed: new Signal<object, void>({}) };
  const staleness = new Staleness(panel as never, session as never);
  return { cell, connection, kernel, panel, session, staleness };
}

describe('the kernel is asked which results are out of date', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('window', globalThis);
    vi.stubGlobal('document', { hidden: false });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('once, and again after an edit', async () => {
    const { cell, kernel, staleness } = setting();
    kernel.answer = new Map([['a', 'why']]);
    await vi.advanceTimersByTimeAsync(60_000);
    staleness.plan();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([kernel.asked, staleness.reason('a')]).toEqual([1, 'why']);
    cell.source = '2';
    staleness.plan();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kernel.asked).toBe(2);
    staleness.dispose();
  });

  it('a few times if it does not know, and then only after edits, and seldom', async () => {
    const { cell, kernel, staleness } = setting();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(kernel.asked).toBe(4);
    for (let minute = 0; minute < 60; minute++) {
      cell.source = `${minute}`;
      staleness.plan();
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(kernel.asked).toBeLessThan(24);
    kernel.answer = new Map();
    staleness.plan();
    await vi.advanceTimersByTimeAsync(600_000);
    const asked = kernel.asked;
    cell.source = 'x';
    staleness.plan();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(kernel.asked).toBe(asked + 1);
    staleness.dispose();
  });

  it('only while a person can see the notebook and nothing runs', async () => {
    const { connection, kernel, panel, staleness } = setting();
    panel.isVisible = false;
    await vi.advanceTimersByTimeAsync(60_000);
    panel.isVisible = true;
    connection.status = 'busy';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kernel.asked).toBe(0);
    connection.status = 'idle';
    await vi.advanceTimersByTimeAsync(2_000);
    expect(kernel.asked).toBe(1);
    staleness.dispose();
  });

  it('anew after a restart: what an earlier process said counts no more', async () => {
    const { connection, kernel, session, staleness } = setting();
    kernel.answer = new Map([['a', 'why']]);
    await vi.advanceTimersByTimeAsync(2_000);
    const changed = vi.fn();
    staleness.changed.connect(changed);
    connection.statusChanged.emit('restarting');
    expect([staleness.reason('a'), changed.mock.calls.length]).toEqual(['', 1]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([kernel.asked, staleness.reason('a')]).toEqual([2, 'why']);
    session.kernel = null;
    session.changed.emit();
    expect(staleness.reason('a')).toBe('');
    staleness.dispose();
  });
});
