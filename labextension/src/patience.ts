/** When somebody may be asked again who gave no good answer: ever later, and soon nevermore unasked. */

const FIRST_MS = 5_000;
const LONGEST_MS = 300_000;
const MOST_TRIES = 4;

export class Patience {
  /** Take note of an answer, or that none came. */
  heard(isAnswer: boolean, now: number): void {
    this._failures = isAnswer ? 0 : this._failures + 1;
    const rest = Math.min(FIRST_MS * 2 ** (this._failures - 1), LONGEST_MS);
    this._next = isAnswer ? 0 : now + rest;
  }

  /** Give the milliseconds until one may ask. */
  rest(now: number): number {
    return Math.max(this._next - now, 0);
  }

  /** Whether to ask again without another reason; otherwise an edit or a run does. */
  get isWorthAnother(): boolean {
    return this._failures > 0 && this._failures < MOST_TRIES;
  }

  private _failures = 0;
  private _next = 0;
}
