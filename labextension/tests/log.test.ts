import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { readError } from '../src/errorContent';
import { FoldMemory, kindOf } from '../src/foldMemory';
import { readLogPart, readPosition } from '../src/logContent';
import {
  foundIn,
  levelOf,
  LogLines,
  MOST_KEPT,
  nextFound,
  piecesOf,
  searchOf
} from '../src/logLines';
import { LogReading } from '../src/logReading';

const trans = nullTranslator.load('spark_kernel');
const place = (offset: number, log = 'driver-1') => ({ log, offset, check: 1 });
const log = (id = 'driver-1', more: object = {}) => ({
  id,
  started: '2026-11-25T10:00:00',
  is_current: true,
  is_running: true,
  ...more
});
const reply = (lines: unknown, more: object = {}) =>
  readLogPart({
    status: 'ok',
    log: log(),
    lines,
    position: place(10),
    is_continued: true,
    marked: null,
    omitted: { bytes_before: 0, bytes_after: 0 },
    logs: [log()],
    ...more
  });
const texts = (reading: LogReading) => reading.lines.all.map(line => line.text);

describe('the level of a line', () => {
  it('is read from what log4j, Java and Spark write', () => {
    const levels: [string, string | null][] = [
      ['26/11/25 10:32:23 ERROR TaskSetManager: Task 1 failed', 'error'],
      ['26/11/25 10:32:23 WARN Utils: x', 'warn'],
      ['2026-11-25 10:32:23,123 INFO  [main] x.Y - z', 'info'],
      ['2026-11-25T10:32:23.123Z [dag-scheduler] DEBUG x', 'all'],
      ['[2026-11-25 10:32:23] FATAL x', 'error'],
      ['WARNING: Using incubator modules: jdk.incubator.vector', 'warn'],
      ['{"ts":"2026-11-25T10:32:23Z","level":"ERROR","msg":"x"}', 'error'],
      ['OpenJDK 64-Bit Server VM warning: Sharing is off', 'warn'],
      ['[spark-kernel] starting java directly', 'info'],
      ['\tat org.apache.spark.X(ERROR.scala:1)', null],
      ['Caused by: java.io.IOException: ERROR 7', null],
      ['an ERROR in the middle', null]
    ];
    for (const [line, level] of levels) {
      expect([line, levelOf(line)]).toEqual([line, level]);
    }
  });

  it('is that of the message to which a stack trace belongs', () => {
    const lines = new LogLines();
    lines.add(['26/11/25 10:00:00 INFO A: b', '26/11/25 10:00:00 ERROR A: c', 'java.E: d']);
    lines.add(['\tat e']);
    lines.add(['26/11/25 10:00:00 DEBUG A: f']);
    expect(lines.shown('error').map(line => line.text)).toHaveLength(3);
    expect(lines.shown('warn')).toHaveLength(3);
    expect(lines.shown('info')).toHaveLength(4);
    expect(lines.shown('all')).toHaveLength(5);
  });

  it('is an error for an exception that nobody logged', () => {
    const lines = new LogLines();
    lines.add(['java.lang.NullPointerException: x', '\tat y']);
    expect(lines.shown('error')).toHaveLength(2);
  });

  it('is found at once in a line that is made to be slow', () => {
    const evil = `${'1 '.repeat(2000)}${'{"level'.repeat(300)}`;
    expect(levelOf(evil)).toBeNull();
  });
});

describe('the lines of a log', () => {
  it('are bounded, and the newest stay', () => {
    const lines = new LogLines();
    lines.add(Array.from({ length: MOST_KEPT + 10 }, (_, i) => `line ${i}`));
    expect(lines.all).toHaveLength(MOST_KEPT);
    expect(lines.all[0].text).toBe('line 10');
  });

  it('are found in any case, and no pattern of a person counts', () => {
    const lines = new LogLines();
    lines.add(['a (b', 'c', 'A (B and a (b']);
    const search = searchOf('a (B');
    const found = foundIn(lines.all, search);
    expect(found).toEqual([1, 3]);
    expect([nextFound(found, 0, 1), nextFound(found, 1, 1), nextFound(found, 3, 1)]).toEqual([1, 3, 1]);
    expect([nextFound(found, 1, -1), nextFound(found, 3, -1)]).toEqual([3, 1]);
    expect(nextFound([], 3, 1)).toBe(0);
    expect(piecesOf('x A (B y', search).filter(piece => piece.isFound)).toEqual([
      { text: 'A (B', isFound: true }
    ]);
    expect(searchOf('')).toBeNull();
    expect(foundIn(lines.all, searchOf('.*'))).toEqual([]);
  });

  it('lose nothing when they are cut into what is found and the rest', () => {
    for (const line of ['', 'abab', 'xaby', 'İab', '<b>ab</b>']) {
      expect(piecesOf(line, searchOf('ab')).map(piece => piece.text).join('')).toBe(line);
    }
  });

  it('lead from a place to the error before it', () => {
    const lines = new LogLines();
    lines.add(['26/11/25 10:00:00 ERROR A: x', '\tat y', '26/11/25 10:00:00 INFO A: z', 'more']);
    expect(lines.meant(3)?.text).toContain('ERROR');
    expect(lines.meant(0)?.text).toContain('ERROR');
    expect(new LogLines().meant(5)).toBeNull();
  });
});

describe('the reading of a log', () => {
  it('begins at the end, and goes on where it was', () => {
    const reading = new LogReading(trans);
    expect(reading.request).toEqual({});
    expect(reading.take(reply(['a'])).hasChanged).toBe(true);
    expect(reading.request).toEqual({ after: place(10) });
    reading.take(reply(['b'], { position: place(20) }));
    expect(texts(reading)).toEqual(['a', 'b']);
    expect(reading.take(reply([], { position: place(20) })).hasChanged).toBe(false);
  });

  it('says what is left out', () => {
    const reading = new LogReading(trans);
    reading.take(reply(['a']));
    reading.take(reply(['z'], { omitted: { bytes_before: 2048, bytes_after: 0 } }));
    expect(texts(reading)).toEqual(['a', '2.0 KiB left out', 'z']);
  });

  it('goes on with the log of another driver, and says so', () => {
    const reading = new LogReading(trans);
    reading.take(reply(['a']));
    reading.take(reply(['last words'], { log: log('driver-1', { is_current: false, is_running: false }) }));
    expect(reading.note).toContain('has ended');
    expect(reading.request).toEqual({});
    reading.take(reply(['hello'], { log: log('driver-2'), position: place(1, 'driver-2') }));
    expect(texts(reading)).toEqual([
      'a',
      'last words',
      'Another driver, started 2026-11-25 10:00:00: its log follows',
      'hello'
    ]);
  });

  it('begins anew where the log was cut', () => {
    const reading = new LogReading(trans);
    reading.take(reply(['a']));
    reading.take(reply(['b'], { is_continued: false }));
    expect(texts(reading)).toEqual(['b']);
  });

  it('looks at a place, and stays there until it is told to follow', () => {
    const reading = new LogReading(trans);
    reading.lookAt(place(5));
    expect(reading.request).toEqual({ around: place(5) });
    const lines = ['26/11/25 10:00:00 ERROR A: x', 'y', 'z'];
    const { meant } = reading.take(
      reply(lines, { marked: 2, omitted: { bytes_before: 0, bytes_after: 7 } })
    );
    expect(reading.lines.all.find(line => line.id === meant)?.text).toBe(lines[0]);
    expect(reading.note).toContain('at the time of the error');
    expect(reading.isAtEnd).toBe(false);
    reading.restart();
    expect(reading.request).toEqual({});
    expect(reading.isAtEnd).toBe(true);
  });

  it('says that a place is gone, and shows what there is', () => {
    const reading = new LogReading(trans);
    reading.lookAt(place(5, 'driver-0'));
    expect(reading.take(reply(['a'], { is_continued: false })).meant).toBe(0);
    expect(reading.note).toContain('is gone');
    expect(reading.request).toEqual({ after: place(10) });
  });

  it('says why there is no log, and does not insist on one that is gone', () => {
    const reading = new LogReading(trans);
    reading.restart('driver-0');
    expect(reading.request).toEqual({ log: 'driver-0' });
    reading.take(readLogPart({ status: 'error', evalue: 'There is no log' }));
    expect(reading.note).toBe('There is no log');
    expect(reading.request).toEqual({});
    reading.take(readLogPart({ status: 'ok', log: null, reason: 'Spark Connect' }));
    expect(reading.note).toBe('Spark Connect');
    reading.take(null);
    expect(reading.note).toContain('does not answer');
  });
});

describe('what a kernel says of a log or an error', () => {
  it('is read without a throw, within bounds', () => {
    for (const content of [null, 7, 'x', [], {}, { status: 'ok', lines: 7, logs: 'x', log: [] }]) {
      expect(readLogPart(content).lines).toEqual([]);
      expect(readError(content)).toEqual({ cellId: '', applicationId: '', stages: [], log: null });
    }
    const part = reply(['\u202eevil\u0000', 7, 'x'.repeat(10_000), '   indented']);
    expect(part.lines.map(line => line.length)).toEqual([6, 0, 4_200, 11]);
    expect(reply(Array(9_000).fill('x')).lines).toHaveLength(5_000);
    expect(readPosition({ log: 'x', offset: '1', check: 1 })).toBeNull();
  });

  it('leads to pages of stages alone that a browser may open, and to each once', () => {
    const stage = { id: 3, attempt: 0, url: 'javascript:alert(1)' };
    const good = { id: 4, attempt: 1, url: 'http://h:4040/stages/stage/?id=4&attempt=1' };
    const errors = [{ stage }, { stage: good }, { stage: good }, { stage: { id: 'x' } }, {}];
    expect(readError({ errors }).stages).toEqual([{ ...stage, url: '' }, good]);
  });
});

describe('folds', () => {
  const keeper = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value)
    };
  };

  it('are remembered for a cell, by habit, and in the next page', () => {
    const kept = keeper();
    const memory = new FoldMemory(kept);
    expect(memory.isOpen('c', '#1', '')).toBeNull();
    memory.set('c', '#1', '', true);
    memory.set('c', 'JVM cause#1', 'JVM cause', true);
    const next = new FoldMemory(kept);
    expect(next.isOpen('c', '#1', '')).toBe(true);
    expect(next.isOpen('d', '#1', '')).toBeNull();
    expect(next.isOpen('d', 'JVM cause#2', 'JVM cause')).toBe(true);
    next.set('d', 'JVM cause#2', 'JVM cause', false);
    expect(next.isOpen('c', 'JVM cause#1', 'JVM cause')).toBe(true);
  });

  it('are bounded, and survive what others leave in the storage', () => {
    const kept = keeper();
    const memory = new FoldMemory(kept);
    for (let i = 0; i < 400; i++) {
      memory.set(`cell-${i}`, '#1', '', true);
    }
    expect(memory.isOpen('cell-0', '#1', '')).toBeNull();
    expect(memory.isOpen('cell-399', '#1', '')).toBe(true);
    for (const bad of ['{', '[]', '7', '{"cells":7}', '{"cells":{"c":[1]},"habits":"x"}']) {
      kept.setItem('spark-kernel:folds', bad);
      expect(new FoldMemory(kept).isOpen('c', '#1', '')).toBeNull();
    }
    const full = { getItem: () => null, setItem: () => { throw new Error('full'); } };
    const other = new FoldMemory(full);
    other.set('c', '#1', '', true);
    expect(other.isOpen('c', '#1', '')).toBe(true);
  });

  it('are of one kind whatever their numbers', () => {
    expect(kindOf('2: JVM cause 1 of 3: java.io.IOException')).toBe('JVM cause');
    expect(kindOf('Python traceback')).toBe('Python traceback');
  });
});
