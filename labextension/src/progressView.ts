/**
 * Draws the progress of a cell. Rows are kept from update to update, so that what a person has
 * opened stays open, a button that has the focus keeps it, and little of the page changes.
 */

import { TranslationBundle } from '@jupyterlab/translation';

import { element, link, setAttribute, setText } from './dom';
import { IBar, IRow, IShown, ITarget } from './progressRows';

/** Cancels something; gives an empty text, or why that failed. */
export type Cancel = (target: ITarget) => Promise<string>;

const FIND = 'spark-kernel-find-stage';

/** Find a stage in a progress within an element, and show its row if that is wanted. */
export function findStage(within: Element, stage: number, isShown: boolean): boolean {
  // Who listens says by cancelling that it has the stage.
  const asked = () => new CustomEvent(FIND, { detail: { stage, isShown }, cancelable: true });
  return [...within.querySelectorAll('.spark-kernel-progress')].some(
    node => !node.dispatchEvent(asked())
  );
}

export class ProgressView {
  constructor(
    readonly node: HTMLElement,
    private _trans: TranslationBundle,
    private _cancel: Cancel
  ) {
    node.classList.add('spark-kernel-progress');
    setAttribute(node, 'role', 'group');
    setAttribute(node, 'aria-label', _trans.__('Spark progress'));
    this._fold = new Fold(_trans.__('Jobs and stages'));
    this._doneFold = new Fold('');
    this._stop = new CancelButton(_trans.__('Cancel cell'), _trans.__('Cancel this cell'), _cancel);
    this._head.append(this._fold.button, this._mark, this._title, this._facts, this._stop.node);
    this._inside.append(this._rows, this._doneTitle, this._done, this._more);
    this._doneTitle.append(this._doneFold.button, this._doneText);
    node.append(this._head, this._bar, this._problem, this._inside);
    this._fold.changed = () => this._redraw();
    this._doneFold.changed = () => this._redraw();
    node.addEventListener(FIND, event => this._find(event as CustomEvent));
  }

  /** Draw an update. */
  draw(shown: IShown, extra = ''): void {
    this._last = [shown, extra];
    const isRunning = shown.state === 'running';
    this._fold.offer(shown.isOpen);
    const isOpen = this._fold.isOpen;
    setText(this._mark, shown.mark);
    setAttribute(this._mark, 'data-state', shown.state);
    this._mark.hidden = !shown.mark;
    setText(this._title, shown.head);
    setText(this._facts, [shown.facts, extra].filter(Boolean).join(' · '));
    drawBar(this._bar, shown.bar);
    this._stop.aim(shown.target, this._problem);
    this._inside.hidden = !isOpen;
    if (!isOpen) {
      return;
    }
    this._active.draw(this._rows, shown.rows, this._trans, this._cancel, this._problem);
    this._doneFold.offer(!isRunning && shown.rows.length === 0);
    this._doneTitle.hidden = shown.done.length === 0;
    setText(this._doneText, shown.doneTitle);
    this._done.hidden = !this._doneFold.isOpen;
    const done = this._doneFold.isOpen ? shown.done : [];
    this._finished.draw(this._done, done, this._trans, this._cancel, this._problem);
    setText(this._more, shown.more);
    this._more.hidden = !shown.more;
  }

  private _find(event: CustomEvent<{ stage: number; isShown: boolean }>): void {
    const stage = `stage-${event.detail.stage}-`;
    const jobOf = (rows: IRow[]) => rows.find(row => row.rows.some(one => one.key.startsWith(stage)));
    const active = jobOf(this._last?.[0].rows ?? []);
    const job = active ?? jobOf(this._last?.[0].done ?? []);
    if (job) {
      event.preventDefault();
    }
    if (job && event.detail.isShown) {
      this._fold.choose(true);
      if (!active) {
        this._doneFold.choose(true);
      }
      this._redraw();
      (active ? this._active : this._finished).reveal(job.key, stage);
    }
  }

  private _redraw(): void {
    if (this._last) {
      this.draw(...this._last);
    }
  }

  private _head = element('div', { className: 'spark-kernel-head' });
  private _mark = element('span', { className: 'spark-kernel-sign' });
  private _title = element('b');
  private _facts = element('span', { className: 'spark-kernel-quiet' });
  private _bar = element('div');
  private _problem = element('div', {
    className: 'spark-kernel-problem',
    attributes: { role: 'status' }
  });
  private _inside = element('div');
  private _rows = element('ul');
  private _doneTitle = element('div', { className: 'spark-kernel-quiet' });
  private _doneText = element('span');
  private _done = element('ul');
  private _more = element('div', { className: 'spark-kernel-quiet' });
  private _stop: CancelButton;
  private _fold: Fold;
  private _doneFold: Fold;
  private _active = new Rows();
  private _finished = new Rows();
  private _last: [IShown, string] | null = null;
}

/** A button that opens and closes; remembers what a person has chosen. */
class Fold {
  readonly button: HTMLButtonElement;
  changed: () => void = () => undefined;

  constructor(label: string) {
    this.button = element('button', {
      className: 'spark-kernel-fold',
      attributes: { type: 'button', 'aria-expanded': 'false' }
    });
    if (label) {
      setAttribute(this.button, 'aria-label', label);
    }
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

/** A button that cancels one thing, once. */
class CancelButton {
  readonly node: HTMLButtonElement;

  constructor(
    label: string,
    title: string,
    cancel: Cancel
  ) {
    this.node = element('button', {
      className: 'spark-kernel-cancel',
      text: label,
      title,
      attributes: { type: 'button', 'aria-label': title }
    });
    this.node.hidden = true;
    this.node.addEventListener('click', () => void this._press(cancel));
  }

  /** Say what it cancels; without that it is not shown. */
  aim(target: ITarget | null, problem: HTMLElement): void {
    if (target?.id !== this._target?.id || target?.scope !== this._target?.scope) {
      this.node.disabled = false;
    }
    this._target = target;
    this._problem = problem;
    this.node.hidden = target === null;
  }

  private async _press(cancel: Cancel): Promise<void> {
    if (!this._target) {
      return;
    }
    this.node.disabled = true;
    const why = await cancel(this._target);
    if (this._problem) {
      setText(this._problem, why);
    }
    // A second press must be possible where the first led to nothing.
    setTimeout(() => (this.node.disabled = false), why ? 0 : 2_000);
  }

  private _target: ITarget | null = null;
  private _problem: HTMLElement | null = null;
}

/** A list of rows, each of which is kept as long as it is shown. */
class Rows {
  draw(
    list: HTMLElement,
    rows: IRow[],
    trans: TranslationBundle,
    cancel: Cancel,
    problem: HTMLElement
  ): void {
    const views = new Map<string, RowView>();
    rows.forEach((row, place) => {
      const view = this._views.get(row.key) ?? new RowView(row, trans, cancel, problem);
      views.set(row.key, view);
      view.draw(row);
      if (list.children[place] !== view.node) {
        list.insertBefore(view.node, list.children[place] ?? null);
      }
    });
    for (const [key, view] of this._views) {
      if (!views.has(key)) {
        view.node.remove();
      }
    }
    this._views = views;
  }

  /** Open a row, and go to the first within whose key begins so. */
  reveal(key: string, within: string): void {
    this._views.get(key)?.reveal(within);
  }

  /** Go to the first row whose key begins so, and mark it: a notebook may take the focus away. */
  goTo(begin: string): void {
    const found = [...this._views].find(([key]) => key.startsWith(begin))?.[1].node;
    for (const { node } of this._views.values()) {
      setAttribute(node, 'aria-current', node === found ? 'true' : null);
    }
    found?.setAttribute('tabindex', '-1');
    found?.focus();
    found?.scrollIntoView({ block: 'nearest' });
  }

  private _views = new Map<string, RowView>();
}

class RowView {
  readonly node = element('li');

  constructor(
    row: IRow,
    private _trans: TranslationBundle,
    private _cancel: Cancel,
    private _problem: HTMLElement
  ) {
    this._fold = new Fold(_trans.__('Stages of %1', row.title));
    const label = _trans.__('Cancel %1', row.title);
    this._stop = new CancelButton(_trans.__('Cancel'), label, _cancel);
    this._name = link(row.title, row.url);
    const words = element('div', { className: 'spark-kernel-words' });
    words.append(this._fold.button, this._mark, this._name, ' ', this._what, ' ', this._facts);
    const numbers = element('div', { className: 'spark-kernel-numbers' });
    numbers.append(this._bar, this._counts, this._time, this._stop.node);
    const line = element('div', { className: 'spark-kernel-row' }, words, numbers);
    this.node.append(line, this._hints, this._list);
    this._fold.changed = () => this._last && this.draw(this._last);
  }

  draw(row: IRow): void {
    this._last = row;
    this._fold.offer(row.isOpen);
    this._fold.button.style.visibility = row.rows.length ? '' : 'hidden';
    setText(this._mark, row.mark);
    setAttribute(this._mark, 'data-state', row.state);
    setText(this._what, row.what);
    setText(this._facts, row.facts);
    drawBar(this._bar, row.bar);
    setText(this._counts, row.counts);
    setText(this._time, row.time);
    this._stop.aim(row.target, this._problem);
    setText(this._hints, row.hints.map(hint => `⚠ ${hint}`).join('\n'));
    this._hints.hidden = row.hints.length === 0;
    const isOpen = this._fold.isOpen && row.rows.length > 0;
    this._list.hidden = !isOpen;
    const rows = isOpen ? row.rows : [];
    this._rows.draw(this._list, rows, this._trans, this._cancel, this._problem);
  }

  reveal(within: string): void {
    this._fold.choose(true);
    if (this._last) {
      this.draw(this._last);
    }
    this._rows.goTo(within);
  }

  private _mark = element('span', { className: 'spark-kernel-sign' });
  private _name: HTMLElement;
  private _what = element('span');
  private _facts = element('span', { className: 'spark-kernel-quiet' });
  private _bar = element('div');
  private _counts = element('span');
  private _time = element('span');
  private _hints = element('div', { className: 'spark-kernel-hints' });
  private _list = element('ul');
  private _fold: Fold;
  private _stop: CancelButton;
  private _rows = new Rows();
  private _last: IRow | null = null;
}

function drawBar(node: HTMLElement, bar: IBar | null): void {
  node.hidden = bar === null;
  if (!bar) {
    return;
  }
  node.className = 'spark-kernel-tasks';
  setAttribute(node, 'role', 'progressbar');
  setAttribute(node, 'aria-label', bar.label);
  setAttribute(node, 'aria-valuemin', '0');
  setAttribute(node, 'aria-valuemax', bar.end ? String(bar.end) : null);
  setAttribute(node, 'aria-valuenow', bar.end ? String(bar.value) : null);
  while (node.children.length > bar.segments.length) {
    node.lastElementChild?.remove();
  }
  bar.segments.forEach((segment, i) => {
    const part = (node.children[i] as HTMLElement) ?? node.appendChild(element('i'));
    setAttribute(part, 'data-kind', segment.kind);
    part.style.width = `${segment.percent.toFixed(2)}%`;
  });
}
