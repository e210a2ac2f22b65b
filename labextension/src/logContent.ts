/** Reads parts of the driver's log, and places in it, as the kernel tells them. */

import { amount, count, Fields, fields, items, logLine, text } from './reading';

const MOST_LINES = 5_000;
const MOST_LOGS = 20;
const LONGEST_LINE = 4_200;

/** A place in a log; only the kernel knows what it means. */
export interface ILogPosition {
  log: string;
  offset: number;
  check: number;
}

export interface ILog {
  id: string;
  /** When its driver began, in the time of the kernel's machine. */
  started: string;
  isCurrent: boolean;
  isRunning: boolean;
}

export interface ILogPart {
  /** The log that the lines are from; null where there is none. */
  log: ILog | null;
  /** Why there is none, or what went wrong. */
  reason: string;
  lines: string[];
  /** Where the lines end. */
  position: ILogPosition | null;
  /** Whether they go on where it was asked. */
  isContinued: boolean;
  /** Which line is the first behind the place that was asked for; null where none was. */
  marked: number | null;
  bytesBefore: number;
  bytesAfter: number;
  logs: ILog[];
}

/** Read the content of a `spark_log_reply`. */
export function readLogPart(content: unknown): ILogPart {
  const of = fields(content);
  const omitted = fields(of.omitted);
  const isGood = of.status === 'ok';
  return {
    log: isGood && of.log ? readLog(fields(of.log)) : null,
    reason: text(isGood ? of.reason : of.evalue, 1000),
    lines: isGood ? readLines(of.lines) : [],
    position: isGood ? readPosition(of.position) : null,
    isContinued: of.is_continued === true,
    marked: of.marked === null || of.marked === undefined ? null : count(of.marked),
    bytesBefore: count(omitted.bytes_before),
    bytesAfter: count(omitted.bytes_after),
    logs: items(of.logs, MOST_LOGS).map(readLog)
  };
}

/** Read a place in a log; null where it is none. */
export function readPosition(value: unknown): ILogPosition | null {
  const of = fields(value);
  const log = text(of.log, 80);
  const offset = amount(of.offset);
  const check = amount(of.check);
  return log && offset !== null && check !== null ? { log, offset, check } : null;
}

function readLines(value: unknown): string[] {
  const lines = Array.isArray(value) ? value.slice(-MOST_LINES) : [];
  return lines.map(line => logLine(line, LONGEST_LINE));
}

function readLog(of: Fields): ILog {
  return {
    id: text(of.id, 80),
    started: text(of.started, 40).replace('T', ' '),
    isCurrent: of.is_current === true,
    isRunning: of.is_running === true
  };
}
