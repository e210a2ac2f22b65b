import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { actionsOf, executorRows, factsOf, lossText, settingRows } from '../src/cardFacts';
import { readDetails } from '../src/detailsContent';
import { progressChoices, provenanceChoices, statusChoices } from '../src/preferences';
import { readResources, readStatus } from '../src/protocol';

const trans = nullTranslator.load('spark_kernel');

const details = (more: object = {}) =>
  readDetails({
    status: 'ok',
    resources: [
      {
        type: 'settings',
        of: 'session',
        age_s: 0.2,
        settings: [
          { key: 'spark.sql.shuffle.partitions', value: '7', origin: '%%spark_conf', is_chosen: true },
          { key: 'spark.app.id', value: 'local-1', origin: 'Spark', is_chosen: false }
        ],
        ...more
      },
      { type: 'libraries', libraries: [{ kind: 'jar', name: 'a', version: '1', size_bytes: null }] },
      { type: 'clusters', clusters: ['analytics', 'x; import os', 7] }
    ]
  });

describe('settings and libraries', () => {
  it('are read with their origin; names that no cluster can have are left out', () => {
    const read = details();
    expect(read?.settings[0]).toEqual({
      key: 'spark.sql.shuffle.partitions',
      value: '7',
      origin: '%%spark_conf',
      isChosen: true
    });
    expect(read?.libraries[0]).toMatchObject({ kind: 'jar', size: null });
    expect(read?.clusters).toEqual(['analytics']);
  });

  it('are read without a throw, whatever it is, and within bounds', () => {
    for (const content of [null, 7, {}, { status: 'ok', resources: 'x' }, { status: 'error' }]) {
      expect(readDetails(content)).toBeNull();
    }
    const many = Array(100_000).fill({ key: 'k', value: 'v'.repeat(9_000) });
    const read = details({ settings: many });
    expect(read?.settings.length).toBe(500);
    expect(read?.settings[0].value.length).toBe(400);
  });

  it('are found by words of key, value and origin', () => {
    const read = details();
    const keys = (wanted: string) => settingRows(read!, wanted, trans).rows.map(row => row.key);
    expect(keys('')).toHaveLength(2);
    expect(keys('SHUFFLE conf')).toEqual(['spark.sql.shuffle.partitions']);
    expect(keys('local-1')).toEqual(['spark.app.id']);
    expect(settingRows(read!, 'nothing', trans).more).toBe('No setting matches.');
  });

  it('say that there are more where the kernel has left some out', () => {
    const read = details({ omitted: { settings: 3 } });
    expect(settingRows(read!, 'nothing', trans).more).toBe('and 3 more');
  });
});

describe('the cluster card', () => {
  it('offers to start what does not run', () => {
    expect(actionsOf('lost')).toContain('start');
    expect(actionsOf('ready')).toEqual(['restart', 'stop', 'attach']);
  });

  it('says what is lost only where there is something, and that it waits for cells', () => {
    expect(lossText('start', 'stopped', false, trans)).toEqual([]);
    expect(lossText('restart', 'ready', false, trans).join()).toContain('Cached data');
    expect(lossText('restart', 'ready', true, trans).join()).toContain('waits until the cells');
    expect(lossText('stop', 'ready', false, trans).join()).toContain('gets its resources back');
  });

  it('tells of memory and of an error, and of nothing that is not known', () => {
    const error = { name: 'E', message: 'No route', hint: 'Ask' };
    const facts = Object.fromEntries(factsOf(readStatus({ state: 'failed', error }), null, trans));
    expect(facts).toEqual({ State: 'could not start', Error: 'No route · Ask' });
  });

  it('draws some executors of many', () => {
    const executors = Array.from({ length: 180 }, (_, i) => ({ id: `${i}`, is_active: i < 90 }));
    const spark = { type: 'spark', state: 'ready', executors, omitted: { executors: 20 } };
    const { rows, more } = executorRows(readResources({ status: 'ok', resources: [spark] }), trans);
    expect(rows).toHaveLength(50);
    expect(more).toBe('and 150 more');
  });
});

describe('settings of the extension', () => {
  it('have defaults, and bounds that nonsense does not leave', () => {
    expect(statusChoices({})).toEqual({ isShown: true, working: 2, resting: 60 });
    expect(statusChoices({ showCluster: 'x', secondsAtWork: -5, secondsAtRest: 1e9 })).toEqual({
      isShown: true,
      working: 1,
      resting: 3600
    });
    expect(progressChoices({ open: 'sometimes', live: false })).toEqual({
      isLive: false,
      open: 'running'
    });
    expect(provenanceChoices({ showLines: false })).toEqual({
      isWritten: true,
      hasLines: false,
      hasMarks: true
    });
  });
});
