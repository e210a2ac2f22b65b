/** The driver log of one kernel: asked for while it can be seen and is followed, at an easy pace. */

import { TranslationBundle } from '@jupyterlab/translation';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { SparkKernel } from './kernel';
import { ILogPosition } from './logContent';
import { LogReading } from './logReading';
import { LogView } from './logView';

const SOON_MS = 1_000;
const LATE_MS = 4_000;

export class LogPanel extends Widget {
  constructor(
    private _kernel: SparkKernel,
    notebook: string,
    trans: TranslationBundle
  ) {
    super();
    this.id = `spark-kernel-log-${_kernel.connection.id}`;
    this.title.label = trans.__('Driver log');
    this.title.caption = trans.__('The log of the Spark driver of %1', notebook);
    this.title.closable = true;
    this._reading = new LogReading(trans);
    this._view = new LogView(this.node, this._reading.lines, trans, {
      follow: isFollowing => this._follow(isFollowing),
      choose: log => this._choose(log)
    });
    document.addEventListener('visibilitychange', this._look);
    _kernel.connection.disposed.connect(this.dispose, this);
    this._draw();
  }

  /** Show what the log says around a place, such as that of an error; or go to its end. */
  lookAt(position: ILogPosition | null): void {
    if (position) {
      this._reading.lookAt(position);
      this._view.follow(false);
      this._plan(0);
    }
  }

  override dispose(): void {
    if (!this.isDisposed) {
      clearTimeout(this._timer);
      document.removeEventListener('visibilitychange', this._look);
      this._kernel.connection.disposed.disconnect(this.dispose, this);
      this._view.end();
      super.dispose();
    }
  }

  protected override onAfterShow(_: Message): void {
    this._view.restore();
    this._plan(0);
  }

  protected override onAfterAttach(_: Message): void {
    this._plan(0);
  }

  protected override onBeforeHide(_: Message): void {
    clearTimeout(this._timer);
  }

  protected override onActivateRequest(_: Message): void {
    this._view.focus();
  }

  protected override onCloseRequest(_: Message): void {
    this.dispose();
  }

  private _follow(isFollowing: boolean): void {
    if (isFollowing && !this._reading.isAtEnd) {
      this._reading.restart();
    }
    this._view.follow(isFollowing);
    this._plan(0);
  }

  private _choose(log: string): void {
    const isCurrent = this._reading.logs.some(one => one.id === log && one.isCurrent);
    this._reading.restart(isCurrent ? '' : log);
    this._follow(true);
  }

  private _plan(delay: number): void {
    clearTimeout(this._timer);
    const isSeen = this.isAttached && this.isVisible && !document.hidden;
    if (isSeen && !this.isDisposed && this._isWanted) {
      this._timer = window.setTimeout(() => void this._ask(), delay);
    }
  }

  /** While a person reads, nothing comes; unless there is nothing to read yet. */
  private get _isWanted(): boolean {
    return this._view.isFollowing || !('after' in this._reading.request);
  }

  private async _ask(): Promise<void> {
    if (this._isAsking) {
      return;
    }
    this._isAsking = true;
    const request = this._reading.request;
    const part = await this._kernel.log(request);
    this._isAsking = false;
    if (this.isDisposed) {
      return;
    }
    if (JSON.stringify(request) !== JSON.stringify(this._reading.request)) {
      return this._plan(0); // a person has asked for something else meanwhile
    }
    const { hasChanged, meant } = this._reading.take(part);
    this._draw();
    if (meant) {
      this._view.show(meant);
    }
    this._pace = hasChanged ? SOON_MS : Math.min(2 * this._pace, LATE_MS);
    this._plan('after' in this._reading.request ? this._pace : SOON_MS);
  }

  private _draw(): void {
    const { note, logs, shownLog } = this._reading;
    this._view.draw(note, logs, shownLog);
  }

  private _look = () => this._plan(0);
  private _reading: LogReading;
  private _view: LogView;
  private _timer = 0;
  private _pace = SOON_MS;
  private _isAsking = false;
}
