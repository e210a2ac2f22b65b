/** The buttons of a progress: they open and close its parts, and cancel what runs. */

import { TranslationBundle } from '@jupyterlab/translation';

import { INews, ITarget } from './cancelling';
import { element, setAttribute, setText } from './dom';

/** Cancels something, and tells how that went, with the words for when it went well. */
export type Cancel = (target: ITarget, done: string) => Promise<INews>;

/** What all parts of a progress share. */
export interface ITools {
  trans: TranslationBundle;
  cancel: Cancel;
  news: News;
}

/** Says how cancelling went: in sight where something is wrong, else the jobs themselves show it. */
export class News {
  readonly node = element('div', { attributes: { role: 'status' } });

  say(news: INews): void {
    this.node.className = news.isGood ? 'spark-kernel-unseen' : 'spark-kernel-problem';
    this._isGood = news.isGood;
    setText(this.node, news.isGood || this._isLive ? news.text : '');
  }

  /** Say whether anything runs: what went wrong matters no longer than that. */
  set isLive(isLive: boolean) {
    this._isLive = isLive;
    if (!isLive && !this._isGood) {
      setText(this.node, '');
    }
  }

  private _isLive = false;
  private _isGood = true;
}

/** A button that opens and closes; remembers what a person has chosen. */
export class FoldButton {
  readonly button: HTMLButtonElement;
  changed: () => void = () => undefined;

  /** @param label its name, where no text in it says that */
  constructor(label: string | null = null) {
    this.button = element('button', {
      className: 'spark-kernel-fold',
      attributes: { type: 'button', 'aria-expanded': 'false' }
    });
    setAttribute(this.button, 'aria-label', label);
    this.button.addEventListener('click', () => {
      this._chosen = !this.isOpen;
      this._show();
      this.changed();
    });
  }

  get isOpen(): boolean {
    return this._chosen ?? this._offered;
  }

  /** Open or close it, as if a person had. */
  choose(isOpen: boolean): void {
    this._chosen = isOpen;
    this._show();
  }

  /** Open or close it where nobody has chosen. */
  offer(isOpen: boolean): void {
    this._offered = isOpen;
    this._show();
  }

  private _show(): void {
    setAttribute(this.button, 'aria-expanded', String(this.isOpen));
  }

  private _chosen: boolean | null = null;
  private _offered = false;
}

/** A button that cancels one thing, once. It is never disabled, which would take the focus from it. */
export class CancelButton {
  readonly node: HTMLButtonElement;

  /** @param _done what is said when it is cancelled */
  constructor(
    label: string,
    title: string,
    private _done: string,
    private _tools: ITools
  ) {
    this.node = element('button', {
      className: 'spark-kernel-cancel',
      text: label,
      title,
      attributes: { type: 'button', 'aria-label': title }
    });
    this.node.hidden = true;
    this.node.addEventListener('click', () => void this._press());
  }

  /** Say what it cancels; without that it is not shown. */
  aim(target: ITarget | null): void {
    this._target = target;
    this.node.hidden = target === null;
  }

  private async _press(): Promise<void> {
    const { cancel, news } = this._tools;
    if (!this._target || this._isAtWork) {
      return;
    }
    this._work(true);
    // Else the same words would not be said a second time.
    news.say({ text: '', isGood: true });
    const told = await cancel(this._target, this._done);
    news.say(told);
    // A second press must be possible where the first led to nothing.
    setTimeout(() => this._work(false), told.isGood ? 2_000 : 0);
  }

  private _work(isAtWork: boolean): void {
    this._isAtWork = isAtWork;
    setAttribute(this.node, 'aria-disabled', isAtWork ? 'true' : null);
  }

  private _target: ITarget | null = null;
  private _isAtWork = false;
}
