import { describe, expect, it } from 'vitest';

import { isChanged, outcomeOf, outcomeOfAdded, strippedOutputs } from '../src/recordRules';

const record = { status: 'ok', source_sha256: 'x', provenance: true, version: '1.0' };

describe('the record of a run', () => {
  it('is written in provenance mode, without the part for the notebook', () => {
    const outcome = outcomeOf({ spark_kernel: { ...record, session: { settings: { a: 1 } } } });
    expect(outcome).toEqual({ kind: 'write', record });
  });

  it('is removed without the mode: what is there is of an earlier run', () => {
    expect(outcomeOf({ spark_kernel: { ...record, provenance: false } }).kind).toBe('remove');
  });

  it('is left alone by a reply that holds none', () => {
    for (const metadata of [null, {}, { spark_kernel: 7 }, { spark_kernel: { provenance: true } }]) {
      expect(outcomeOf(metadata).kind).toBe('keep');
    }
  });

  it('is not written where it is far too large', () => {
    const spark_kernel = { ...record, more: 'x'.repeat(300_000) };
    expect(outcomeOf({ spark_kernel }).kind).toBe('remove');
  });

  it('leaves nothing in outputs that are stripped, and outputs of others alone', () => {
    const progress = { 'application/vnd.spark-kernel.progress.v1+json': {} };
    const other = { output_type: 'display_data', data: {}, metadata: { width: 1 } };
    const outputs = [
      { output_type: 'display_data', data: {}, metadata: { spark_kernel: record } },
      { output_type: 'display_data', data: progress, metadata: { spark_kernel: record, a: 1 } },
      other
    ];
    expect(strippedOutputs(outputs)).toEqual([
      { output_type: 'display_data', data: progress, metadata: { a: 1 } },
      other
    ]);
  });

  it('is of another source once that is changed', () => {
    const sum = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect(isChanged('hello', { ...record, source_sha256: sum })).toBe(false);
    expect(isChanged('hello!', { ...record, source_sha256: sum })).toBe(true);
    expect(isChanged('hello', 'nonsense')).toBe(false);
  });
});

describe('a cell that comes into a notebook', () => {
  const held = { ...record, cell_id: 'a', execution_count: 3, started: 'then' };
  const latest = { ...held, execution_count: 4, started: 'now' };

  it('gets the record of the run whose outputs it has', () => {
    const cell = { id: 'a', executionCount: 4, record: held };
    expect(outcomeOfAdded(cell, latest)).toEqual({ kind: 'write', record: latest });
    expect(outcomeOfAdded({ ...cell, record: undefined }, latest).kind).toBe('write');
  });

  it('keeps the record that it has, where that is of its outputs', () => {
    const cell = { id: 'a', executionCount: 3, record: held };
    expect(outcomeOfAdded(cell, latest).kind).toBe('keep');
    expect(outcomeOfAdded(cell, undefined).kind).toBe('keep');
    expect(outcomeOfAdded({ ...cell, record: latest, executionCount: 4 }, latest).kind).toBe('keep');
  });

  it('loses the copy of a record where it has not run, but not that of an aborted run', () => {
    const part = { id: 'b', executionCount: null, record: held };
    expect(outcomeOfAdded(part, undefined).kind).toBe('remove');
    expect(outcomeOfAdded({ ...part, id: 'a' }, undefined).kind).toBe('keep');
    expect(outcomeOfAdded({ ...part, record: undefined }, undefined).kind).toBe('keep');
  });
});
