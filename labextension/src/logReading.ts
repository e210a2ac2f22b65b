/** Reads a log part by part: decides what is asked for next, and what the answer means. */

import { TranslationBundle } from '@jupyterlab/translation';

import { ILog, ILogPart, ILogPosition } from './logContent';
import { LogLines } from './logLines';
import { Fields } from './reading';
import { joined, sizeText } from './words';

export class LogReading {
  constructor(private _trans: TranslationBundle) {}

  readonly lines = new LogLines();

  /** What is to be said beside the lines. */
  get note(): string {
    return this._note;
  }

  /** The logs that there are, the newest first. */
  get logs(): readonly ILog[] {
    return this._logs;
  }

  /** The log whose lines were read last; empty where there is none. */
  get shownLog(): string {
    return this._shown;
  }

  /** Whether what comes now is behind the last line, so that following shows it all. */
  get isAtEnd(): boolean {
    return this._around === null && this._isAtEnd;
  }

  /** Read a log from its end: that of the present driver, or the one that is named. */
  restart(log = ''): void {
    this._chosen = log;
    this._around = null;
    this._position = null;
    this._isAtEnd = true;
    this._isFresh = true;
  }

  /** Read what is around a place. */
  lookAt(position: ILogPosition): void {
    this.restart(position.log);
    this._around = position;
  }

  /** What to ask the kernel for. */
  get request(): Fields {
    if (this._around) {
      return { around: { ...this._around } };
    }
    if (this._position) {
      return { after: { ...this._position } };
    }
    return this._chosen ? { log: this._chosen } : {};
  }

  /**
   * Take an answer; null is none.
   *
   * @returns whether lines came, and the id of the one to look at where a place was asked for
   */
  take(part: ILogPart | null): { hasChanged: boolean; meant: number } {
    const trans = this._trans;
    if (part === null) {
      this._note = trans.__('The kernel does not answer.');
      return { hasChanged: false, meant: 0 };
    }
    this._logs = part.logs.length ? part.logs : this._logs;
    const { log, position } = part;
    if (!log || !position) {
      this._note = part.reason || trans.__('There is no log.');
      // A log that is gone is not asked for again and again.
      if (this._chosen || this._around) {
        this.restart();
      }
      return { hasChanged: false, meant: 0 };
    }
    const wasAround = this._around !== null;
    if (wasAround && (log.isCurrent || !part.isContinued)) {
      this._chosen = '';
    }
    const isAnew = this._isFresh || !part.isContinued;
    const before = this.lines.all.length;
    this._begin(part, log, isAnew);
    this.lines.add(part.lines);
    this._shown = log.id;
    this._position = position;
    this._around = null;
    this._isFresh = false;
    const isFound = wasAround && part.isContinued;
    this._isAtEnd = !isFound || part.bytesAfter === 0;
    this._note = this._noteOn(part, log, wasAround);
    if (!this._chosen && !log.isCurrent) {
      // All of the old log has been read: the new driver's is next, below it.
      this._position = null;
    }
    const added = this.lines.all.length - part.lines.length;
    const meant = isFound && part.marked !== null ? this.lines.meant(added + part.marked) : null;
    return {
      hasChanged: isAnew || part.lines.length > 0 || this.lines.all.length !== before,
      meant: meant?.id ?? 0
    };
  }

  private _begin(part: ILogPart, log: ILog, isAnew: boolean): void {
    const trans = this._trans;
    if (isAnew) {
      this.lines.clear();
    }
    if (!this._isFresh && this._shown !== log.id) {
      this.lines.divide(trans.__('Another driver, started %1: its log follows', log.started));
    }
    if (part.bytesBefore > 0) {
      this.lines.divide(trans.__('%1 left out', sizeText(part.bytesBefore)));
    }
  }

  private _noteOn(part: ILogPart, log: ILog, wasAround: boolean): string {
    const trans = this._trans;
    const where = part.isContinued
      ? trans.__('The log at the time of the error')
      : trans.__('The log of the time of the error is gone; this is the present one');
    const ended = log.isRunning ? '' : trans.__('This driver has ended');
    return joined([wasAround && where, ended]);
  }

  private _chosen = '';
  private _around: ILogPosition | null = null;
  private _position: ILogPosition | null = null;
  private _isAtEnd = true;
  private _isFresh = true;
  private _note = '';
  private _shown = '';
  private _logs: ILog[] = [];
}
