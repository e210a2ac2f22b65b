/**
 * Reads what came from a kernel or a document, which may hold anything: each reader gives a value
 * of the type that it names, within bounds, and never throws.
 */

const LONGEST = 4096;
const LARGEST = 1e15;
/** Bidirectional overrides and control characters, which can make a line read as another. */
const CONTROL = '[\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]';
const EACH_CONTROL = new RegExp(CONTROL, 'g');
const CONTROLS = new RegExp(`${CONTROL}+`, 'g');

export type Fields = Record<string, unknown>;

/** Read an object; an empty one where it is none. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

/** Read a list of objects, at most `limit` of them. */
export function items(value: unknown, limit: number): Fields[] {
  return Array.isArray(value) ? value.slice(0, limit).map(fields) : [];
}

/** Read a text that fits on a line: without control characters, cut after `limit`. */
export function text(value: unknown, limit = LONGEST): string {
  if (typeof value !== 'string') {
    return '';
  }
  const line = value.slice(0, 2 * limit).replace(CONTROLS, ' ').trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}

/** Read a line of a log: other than a text of ours it keeps its spaces, and is cut without a sign. */
export function logLine(value: unknown, limit: number): string {
  return typeof value === 'string' ? value.slice(0, limit).replace(EACH_CONTROL, ' ') : '';
}

/** Read a number that is not negative; null where it is none. */
export function amount(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value)
    ? Math.min(Math.max(value, 0), LARGEST)
    : null;
}

/** Read a count; 0 where it is none. */
export function count(value: unknown): number {
  return Math.floor(amount(value) ?? 0);
}

/** Read one of a few words; the first where it is none of them. */
export function word<T extends string>(value: unknown, words: readonly T[]): T {
  return words.includes(value as T) ? (value as T) : words[0];
}

/** Read the address of a page that a browser may open; empty where it is none. */
export function webAddress(value: unknown): string {
  if (typeof value !== 'string' || value.length > LONGEST) {
    return '';
  }
  try {
    const url = new URL(value);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : '';
  } catch {
    return '';
  }
}
