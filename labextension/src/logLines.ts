/** The lines of a log that a page keeps: their levels, which are shown, and what is found in them. */

export const LEVELS = ['error', 'warn', 'info', 'all'] as const;
/** A level, as a filter: this and what is worse. */
export type Level = (typeof LEVELS)[number];

export interface ILogLine {
  /** Rises from line to line. */
  id: number;
  text: string;
  level: Level;
  /** A word of ours between the lines. */
  isDivider: boolean;
  /** Whether a message begins here; what follows, such as a stack trace, belongs to it. */
  isHead: boolean;
}

export interface IPiece {
  text: string;
  isFound: boolean;
}

export const MOST_KEPT = 5_000;
const LONGEST_QUERY = 200;
/** How far before a place the message is looked for that was meant. */
const NEAR = 400;

const WORD = '(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE)';
/** A time, perhaps a thread, and a level; or a level alone; or a line of structured logging. */
const HEAD = new RegExp(
  `^(?:\\[?\\d[\\d/.:,TZ+ -]{5,40}\\]? *(?:\\[[^\\]]{1,80}\\] *)?\\[?${WORD}\\b` +
    `|\\[?${WORD}\\]?[: ]|\\{.{0,200}?"level": ?"${WORD}")`
);
const OF_JVM = /^(?:OpenJDK|Java HotSpot)\(?.{0,40} VM warning:/;
const THROWN = /^(?:Exception in thread |(?:[a-z_]\w*\.)+[A-Z]\w*(?:Error|Exception)\b)/;
const OURS = /^\[spark-kernel\] /;

/** Tell the level of a line that begins a message; null where it belongs to the one before. */
export function levelOf(line: string): Level | null {
  const found = HEAD.exec(line);
  switch (found?.[1] ?? found?.[2] ?? found?.[3]) {
    case 'FATAL':
    case 'ERROR':
    case 'SEVERE':
      return 'error';
    case 'WARN':
    case 'WARNING':
      return 'warn';
    case 'INFO':
      return 'info';
    case 'DEBUG':
    case 'TRACE':
      return 'all';
  }
  if (OF_JVM.test(line)) {
    return 'warn';
  }
  return OURS.test(line) ? 'info' : null;
}

export class LogLines {
  /** All that are kept, the oldest first. */
  get all(): readonly ILogLine[] {
    return this._lines;
  }

  /** Add lines at the end; the oldest go where there are too many. */
  add(texts: readonly string[]): void {
    for (const text of texts) {
      let level = levelOf(text);
      const isHead = level !== null;
      if (level === null) {
        // An exception that nobody logged stands by itself; below a message it is part of that.
        level = this._level ?? (THROWN.test(text) ? 'error' : 'info');
      }
      this._level = level;
      this._push({ id: 0, text, level, isDivider: false, isHead });
    }
  }

  /** Add a word of ours, which every filter shows. */
  divide(text: string): void {
    this._level = null;
    this._push({ id: 0, text, level: 'error', isDivider: true, isHead: true });
  }

  clear(): void {
    this._lines = [];
    this._level = null;
  }

  /** Give the lines that a filter shows. */
  shown(filter: Level): ILogLine[] {
    const most = LEVELS.indexOf(filter);
    return this._lines.filter(line => line.isDivider || LEVELS.indexOf(line.level) <= most);
  }

  /** Find the message that is meant by a place: the last error before it, else what is there. */
  meant(place: number): ILogLine | null {
    const before = this._lines.slice(Math.max(0, place - NEAR), place);
    const error = before.reverse().find(line => line.isHead && line.level === 'error');
    return error ?? before[0] ?? this._lines[place] ?? null;
  }

  private _push(line: ILogLine): void {
    line.id = this._next++;
    this._lines.push(line);
    if (this._lines.length > MOST_KEPT) {
      this._lines.splice(0, this._lines.length - MOST_KEPT);
    }
  }

  private _lines: ILogLine[] = [];
  private _level: Level | null = null;
  private _next = 1;
}

/** Make what finds a text, in any case, in lines; null where nothing is looked for. */
export function searchOf(query: string): RegExp | null {
  const wanted = query.slice(0, LONGEST_QUERY);
  return wanted ? new RegExp(wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu') : null;
}

/** Give the ids of the lines in which something is found. */
export function foundIn(lines: readonly ILogLine[], search: RegExp | null): number[] {
  return search ? lines.filter(line => line.text.search(search) >= 0).map(line => line.id) : [];
}

/** Give the line to go to from one, over the end to the beginning; 0 where there is none. */
export function nextFound(found: readonly number[], from: number, step: 1 | -1): number {
  if (step > 0) {
    return found.find(id => id > from) ?? found[0] ?? 0;
  }
  return [...found].reverse().find(id => id < from) ?? found[found.length - 1] ?? 0;
}

/** Cut a text into what was looked for and the rest. */
export function piecesOf(text: string, search: RegExp | null): IPiece[] {
  const pieces: IPiece[] = [];
  let done = 0;
  for (const match of search ? text.matchAll(search) : []) {
    if (match.index > done) {
      pieces.push({ text: text.slice(done, match.index), isFound: false });
    }
    pieces.push({ text: match[0], isFound: true });
    done = match.index + match[0].length;
  }
  if (done < text.length || pieces.length === 0) {
    pieces.push({ text: text.slice(done), isFound: false });
  }
  return pieces;
}
