/**
 * Draws the progress of a cell. Rows are kept from update to update, so that what a person has
 * opened stays open, a button that has the focus keeps it, and little of the page changes.
 */

import { TranslationBundle } from '@jupyterlab/translation';

import { element, link, setAttribute, setText } from './dom';
import { Cancel, CancelButton, FoldButton, ITools, News } from './progressButtons';
import { IBar, IRow, IShown } from './progressRows';
import { keepFocus, place } from './steady';

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
    trans: TranslationBundle,
    cancel: Cancel
  ) {
    node.classList.add('spark-kernel-progress');
    setAttribute(node, 'role', 'group');
    setAttribute(node, 'aria-label', trans.__('Spark progress'));
    this._tools = { trans, cancel, news: new News() };
    const said = trans.__('This cell was cancelled.');
    const title = trans.__('Cancel this cell');
    this._stop = new CancelButton(trans.__('Cancel cell'), title, said, this._tools);
    this._fold.button.append(this._mark, this._title);
    this._head.append(this._fold.button, this._facts, this._stop.node);
    this._doneTitle.append(this._doneFold.button);
    this._inside.append(this._rows, this._doneTitle, this._done, this._more);
    node.append(this._head, this._bar, this._tools.news.node, this._inside);
    this._fold.changed = () => this._redraw();
    this._doneFold.changed = () => this._redraw();
    node.addEventListener(FIND, event => this._find(event as CustomEvent));
  }

  /** Draw an update; without a button that had the focus, the notebook is to hear the next key. */
  draw(shown: IShown, extra = ''): void {
    this._last = [shown, extra];
    keepFocus(
      this.node,
      () => this._draw(shown, extra),
      () => this._fold.button
    );
  }

  private _draw(shown: IShown, extra: string): void {
    const isRunning = shown.state === 'running';
    this._fold.offer(shown.isOpen);
    const isOpen = this._fold.isOpen;
    setText(this._mark, shown.mark);
    setAttribute(this._mark, 'data-state', shown.state);
    this._mark.hidden = !shown.mark;
    setText(this._title, shown.head);
    setText(this._facts, [shown.facts, extra].filter(Boolean).join(' · '));
    drawBar(this._bar, shown.bar);
    this._stop.aim(shown.target);
    this._tools.news.isLive = shown.target !== null;
    this._inside.hidden = !isOpen;
    if (!isOpen) {
      return;
    }
    this._active.draw(this._rows, shown.rows, this._tools);
    this._doneFold.offer(!isRunning && shown.rows.length === 0);
    this._doneTitle.hidden = shown.done.length === 0;
    setText(this._doneFold.button, shown.doneTitle);
    this._done.hidden = !this._doneFold.isOpen;
    this._finished.draw(this._done, this._doneFold.isOpen ? shown.done : [], this._tools);
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
  private _inside = element('div');
  private _rows = element('ul');
  private _doneTitle = element('div', { className: 'spark-kernel-quiet' });
  private _done = element('ul');
  private _more = element('div', { className: 'spark-kernel-quiet' });
  private _tools: ITools;
  private _stop: CancelButton;
  private _fold = new FoldButton();
  private _doneFold = new FoldButton();
  private _active = new Rows();
  private _finished = new Rows();
  private _last: [IShown, string] | null = null;
}

/** A list of rows, each of which is kept as long as it is shown. */
class Rows {
  draw(list: HTMLElement, rows: IRow[], tools: ITools): void {
    const views = new Map<string, RowView>();
    for (const row of rows) {
      const view = this._views.get(row.key) ?? new RowView(row, tools);
      views.set(row.key, view);
      view.draw(row);
    }
    place(
      list,
      [...views.values()].map(view => view.node)
    );
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
    private _tools: ITools
  ) {
    const { trans } = _tools;
    this._fold = new FoldButton(trans.__('Stages of %1', row.title));
    const label = trans.__('Cancel %1', row.title);
    const said = trans.__('%1 was cancelled.', row.title);
    this._stop = new CancelButton(trans.__('Cancel'), label, said, _tools);
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
    this._stop.aim(row.target);
    setText(this._hints, row.hints.map(hint => `⚠ ${hint}`).join('\n'));
    this._hints.hidden = row.hints.length === 0;
    const isOpen = this._fold.isOpen && row.rows.length > 0;
    this._list.hidden = !isOpen;
    const rows = isOpen ? row.rows : [];
    this._rows.draw(this._list, rows, this._tools);
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
  private _fold: FoldButton;
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
