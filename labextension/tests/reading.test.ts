import { describe, expect, it } from 'vitest';

import { readProgress } from '../src/progressContent';
import { readResources, readStatus } from '../src/protocol';
import { amount, count, fields, items, text, webAddress, word } from '../src/reading';

describe('what a kernel says', () => {
  it('gives addresses of web pages alone', () => {
    expect(webAddress('http://host:4040/jobs/')).toBe('http://host:4040/jobs/');
    for (const bad of ['javascript:alert(1)', ' JavaScript:alert(1)', 'data:text/html,x', 'file:///etc', '/x', 7, null]) {
      expect(webAddress(bad)).toBe('');
    }
  });

  it('gives text on one line, without what turns its direction, and cut', () => {
    expect(text('a\nb\u202ec\u0000d')).toBe('a b c d');
    expect(text('x'.repeat(100), 10)).toBe('xxxxxxxxx…');
    expect(text({ toString: () => 'x' })).toBe('');
  });

  it('gives numbers within bounds', () => {
    expect(amount(-5)).toBe(0);
    expect(amount(Infinity)).toBeNull();
    expect(amount('5')).toBeNull();
    expect(count(1e300)).toBe(1e15);
    expect(count(2.9)).toBe(2);
  });

  it('gives objects, lists and words of the kind that is asked for', () => {
    expect(fields([1])).toEqual({});
    expect(items('abc', 5)).toEqual([]);
    expect(items([1, null, { a: 1 }], 5)).toEqual([{}, {}, { a: 1 }]);
    expect(items(Array(1000).fill({}), 3)).toHaveLength(3);
    expect(word('evil', ['unknown', 'ready'])).toBe('unknown');
  });

  it('is read without a throw, whatever it is', () => {
    for (const content of [null, 7, 'x', [], {}, { jobs: 7, links: 'x', cluster: [], resources: [1] }]) {
      expect(readProgress(content).jobs).toEqual([]);
      expect(readStatus(content).state).toBe('unknown');
      expect(readResources(content)).toBeNull();
    }
  });

  it('gives no more stages of a cell than a page can draw, however many jobs have some', () => {
    const jobs = Array(1000).fill({ stages: Array(1000).fill({}) });
    const read = readProgress({ jobs }).jobs;
    expect(read).toHaveLength(200);
    expect(read.flatMap(job => job.stages)).toHaveLength(400);
  });

  it('tells of resources by name, and of logs that a browser may open', () => {
    const spark = {
      type: 'spark',
      state: 'ready',
      metrics: [{ name: 'cores', value: null, max: 8 }, { name: '__proto__', value: 1 }],
      executors: [{ id: '1', is_active: true, logs: { stdout: 'javascript:1', stderr: 'http://h/' } }]
    };
    const read = readResources({ status: 'ok', age_s: 2, resources: [spark] });
    expect(read?.metrics.cores).toEqual({ value: null, max: 8 });
    expect(read?.executors[0].logs.map(log => log.rel)).toEqual(['stderr']);
    expect(read?.age).toBe(2);
  });
});
