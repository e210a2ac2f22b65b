/** The cluster in the status bar; in Notebook 7, which has none, in the notebook's toolbar. */

import { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { IStatusChoices, Preferences } from './preferences';
import { element, setAttribute, setText } from './dom';
import { statusLine } from './statusLine';
import { ResourceWatch } from './watch';

const TICK_MS = 1_000;

export class StatusItem extends Widget {
  constructor(
    watch: ResourceWatch,
    private _choices: Preferences<IStatusChoices>,
    trans: TranslationBundle,
    open: () => void
  ) {
    super();
    this.addClass('spark-kernel-status');
    this._watch = watch;
    this._trans = trans;
    this._mark = element('span', {
      className: 'spark-kernel-mark',
      attributes: { 'aria-hidden': 'true' }
    });
    this._text = element('span', { className: 'spark-kernel-text' });
    this._fill = element('span');
    this._bar = element(
      'span',
      { className: 'spark-kernel-bar', attributes: { 'aria-hidden': 'true' } },
      this._fill
    );
    this._button = element('button', { attributes: { type: 'button' } });
    this._button.append(this._mark, this._text, this._bar);
    this._button.addEventListener('click', open);
    this._spoken = element('span', {
      className: 'spark-kernel-unseen',
      attributes: { role: 'status' }
    });
    this.node.append(this._button, this._spoken);
    watch.changed.connect(this._draw, this);
    _choices.changed.connect(this._draw, this);
    this._draw();
  }

  /** Whether there is a cluster to tell of. */
  get isActive(): boolean {
    return this._isActive;
  }

  get activeChanged(): ISignal<this, void> {
    return this._activeChanged;
  }

  override dispose(): void {
    clearTimeout(this._timer);
    super.dispose();
  }

  private _draw(): void {
    clearTimeout(this._timer);
    const kernel = this._choices.now.isShown ? this._watch.current.kernel : null;
    if (this.isDisposed) {
      return;
    }
    if (this._isActive !== !!kernel) {
      this._isActive = !!kernel;
      this._activeChanged.emit();
    }
    // The status bar shows its items by itself.
    this.setHidden(!kernel);
    if (!kernel) {
      return;
    }
    const begun = kernel.begun;
    const elapsed = begun === null ? null : (performance.now() - begun) / 1000;
    const line = statusLine(kernel.status, this._watch.resources, elapsed, this._trans);
    setAttribute(this._mark, 'data-kind', line.kind);
    setText(this._text, line.text);
    setAttribute(this._button, 'title', line.title);
    setAttribute(this._button, 'aria-label', this._trans.__('Spark cluster: %1', line.title));
    setText(this._spoken, line.spoken);
    this._bar.hidden = line.used === null;
    this._fill.style.width = `${Math.round(100 * (line.used ?? 0))}%`;
    if (line.kind === 'wait' && !document.hidden) {
      this._timer = window.setTimeout(() => this._draw(), TICK_MS);
    }
  }

  private _watch: ResourceWatch;
  private _trans: TranslationBundle;
  private _mark: HTMLElement;
  private _text: HTMLElement;
  private _fill: HTMLElement;
  private _bar: HTMLElement;
  private _button: HTMLButtonElement;
  private _spoken: HTMLElement;
  private _timer = 0;
  private _isActive = false;
  private _activeChanged = new Signal<this, void>(this);
}
