/** Draws a log: lines with levels, a filter, a search, and a switch that follows what comes. */

import { TranslationBundle } from '@jupyterlab/translation';

import { button, element, setAttribute, setText } from './dom';
import { ILog } from './logContent';
import { foundIn, ILogLine, Level, LEVELS, LogLines, nextFound, piecesOf, searchOf } from './logLines';
import { countText } from './words';

const CALM_MS = 150;
/** So near to the end, in pixels, a person is taken to be there. */
const NEAR_END = 24;

/** What a person does to a log, for whoever reads it. */
export interface ILogWishes {
  follow: (isFollowing: boolean) => void;
  choose: (log: string) => void;
}

export class LogView {
  constructor(
    node: HTMLElement,
    private _lines: LogLines,
    private _trans: TranslationBundle,
    private _wishes: ILogWishes
  ) {
    node.classList.add('spark-kernel-log');
    setAttribute(this._list, 'aria-label', _trans.__('Lines of the driver log'));
    node.append(this._toolbar(), this._note, this._list);
    this._list.addEventListener('scroll', () => this._scrolled());
  }

  get isFollowing(): boolean {
    return this._isFollowing;
  }

  /** Follow what comes, or stay; tells nobody. */
  follow(isFollowing: boolean): void {
    this._isFollowing = isFollowing;
    this._isLeftByScrolling = false;
    setAttribute(this._follow, 'aria-pressed', String(isFollowing));
    if (isFollowing) {
      this._toEnd();
    }
  }

  /** Draw the lines as they are now, and what is to be said of them. */
  draw(note: string, logs: readonly ILog[], shown: string): void {
    this._drawLogs(logs, shown);
    const text = note || (this._lines.all.length ? '' : this._trans.__('The log is empty so far.'));
    setText(this._note, text);
    this._note.hidden = !text;
    this._drawLines(false);
  }

  /** Go to a line, whatever the filter. */
  show(id: number): void {
    const line = this._lines.all.find(one => one.id === id);
    if (line && !this._lines.shown(this._level).includes(line)) {
      this._filter.value = this._level = 'all';
      this._drawLines(true);
    }
    this._goTo(id);
  }

  /** Be where a person left it: hidden elements lose their place. */
  restore(): void {
    if (this._isFollowing) {
      this._toEnd();
    } else {
      this._list.scrollTop = this._top;
    }
  }

  focus(): void {
    this._list.focus({ preventScroll: true });
  }

  end(): void {
    clearTimeout(this._timer);
  }

  private _toolbar(): HTMLElement {
    const trans = this._trans;
    const names: Record<Level, string> = {
      error: trans.__('Errors'),
      warn: trans.__('Warnings'),
      info: trans.__('Info'),
      all: trans.__('All')
    };
    this._filter.append(
      ...LEVELS.map(level => element('option', { text: names[level], attributes: { value: level } }))
    );
    this._filter.value = this._level;
    setAttribute(this._filter, 'aria-label', trans.__('Least level that is shown'));
    setAttribute(this._logs, 'aria-label', trans.__('Driver'));
    setAttribute(this._query, 'aria-label', trans.__('Search in the log'));
    this._query.placeholder = trans.__('Search');
    this._filter.addEventListener('change', () => {
      this._level = this._filter.value as Level;
      this._drawLines(true);
    });
    this._logs.addEventListener('change', () => this._wishes.choose(this._logs.value));
    this._query.addEventListener('input', () => this._plan());
    this._query.addEventListener('keydown', event => this._press(event));
    this._follow = button(
      trans.__('Follow'),
      () => this._wishes.follow(!this._isFollowing),
      trans.__('Show new lines as they come')
    );
    this._back = arrow('↑', trans.__('Previous line that is found'), () => this._step(-1));
    this._on = arrow('↓', trans.__('Next line that is found'), () => this._step(1));
    const parts = [this._logs, this._filter, this._query, this._back, this._on, this._count];
    const attributes = { role: 'toolbar', 'aria-label': trans.__('Driver log') };
    const bar = element('div', { className: 'spark-kernel-log-bar', attributes }, ...parts);
    bar.append(this._follow);
    this.follow(true);
    return bar;
  }

  private _press(event: KeyboardEvent): void {
    if (event.key === 'Enter') {
      this._search();
      this._step(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape' && this._query.value) {
      this._query.value = '';
      this._search();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _plan(): void {
    clearTimeout(this._timer);
    this._timer = window.setTimeout(() => this._search(), CALM_MS);
  }

  private _search(): void {
    clearTimeout(this._timer);
    if (this._query.value !== this._searched) {
      this._searched = this._query.value;
      this._pattern = searchOf(this._searched);
      this._current = 0;
      this._drawLines(true);
    }
  }

  private _step(step: 1 | -1): void {
    const from = this._current || (step > 0 ? 0 : Infinity);
    const id = nextFound(this._found, from, step);
    if (id) {
      this._goTo(id);
    }
  }

  private _goTo(id: number): void {
    this._wishes.follow(false);
    this._rows.get(this._current)?.removeAttribute('aria-current');
    this._current = id;
    const row = this._rows.get(id);
    row?.setAttribute('aria-current', 'true');
    // Not scrollIntoView, which would also scroll what is around the panel.
    if (row) {
      this._list.scrollTop = row.offsetTop - this._list.clientHeight / 2;
      this._top = this._list.scrollTop;
    }
    this._drawCount();
  }

  private _drawLines(isAnew: boolean): void {
    const shown = this._lines.shown(this._level);
    const rows = new Map<number, HTMLElement>();
    for (const line of shown) {
      const old = isAnew ? undefined : this._rows.get(line.id);
      rows.set(line.id, old ?? this._row(line));
    }
    const last = [...this._rows.keys()].pop() ?? 0;
    const first = shown[0]?.id ?? Infinity;
    if (isAnew || first > last) {
      this._list.replaceChildren(...rows.values());
    } else {
      for (const [id, row] of this._rows) {
        if (!rows.has(id)) {
          row.remove();
        }
      }
      this._list.append(...shown.filter(line => line.id > last).map(line => rows.get(line.id)!));
    }
    this._rows = rows;
    this._found = foundIn(shown, this._pattern);
    this._drawCount();
    if (this._isFollowing) {
      this._toEnd();
    }
  }

  private _row(line: ILogLine): HTMLElement {
    const row = element('div', { attributes: { 'data-level': line.level } });
    setAttribute(row, 'data-divider', line.isDivider ? '' : null);
    setAttribute(row, 'aria-current', line.id === this._current ? 'true' : null);
    for (const piece of piecesOf(line.text, this._pattern)) {
      row.append(piece.isFound ? element('mark', { text: piece.text }) : piece.text);
    }
    return row;
  }

  private _drawCount(): void {
    const place = this._found.indexOf(this._current) + 1;
    const all = countText(this._found.length);
    let text = '';
    if (this._pattern) {
      text = place
        ? this._trans.__('%1 of %2', countText(place), all)
        : this._trans._n('%2 line', '%2 lines', this._found.length, all);
    }
    setText(this._count, text);
    this._back.disabled = this._on.disabled = this._found.length === 0;
  }

  private _drawLogs(logs: readonly ILog[], shown: string): void {
    this._logs.hidden = logs.length < 2 && logs.every(log => log.id === shown);
    const name = (log: ILog) =>
      log.isCurrent
        ? this._trans.__('Present driver, %1', log.started)
        : this._trans.__('Driver of %1', log.started);
    const key = JSON.stringify(logs);
    if (this._logs.dataset.logs !== key) {
      this._logs.dataset.logs = key;
      this._logs.replaceChildren(
        ...logs.map(log => element('option', { text: name(log), attributes: { value: log.id } }))
      );
    }
    this._logs.value = shown;
  }

  private _scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this._list;
    if (clientHeight === 0) {
      return;
    }
    const step = scrollTop - this._top;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this._top = scrollTop;
    if (this._isFollowing && step < -1 && !isAtEnd) {
      this._wishes.follow(false);
      this._isLeftByScrolling = true;
    } else if (this._isLeftByScrolling && step > 1 && isAtEnd) {
      this._wishes.follow(true);
    }
  }

  private _toEnd(): void {
    this._list.scrollTop = this._list.scrollHeight;
    this._top = this._list.scrollTop;
  }

  private _logs = element('select');
  private _filter = element('select');
  private _query = element('input', { attributes: { type: 'search', spellcheck: 'false' } });
  private _count = element('span', {
    className: 'spark-kernel-quiet',
    attributes: { role: 'status' }
  });
  private _note = element('div', {
    className: 'spark-kernel-log-note',
    attributes: { role: 'status' }
  });
  private _list = element('div', {
    className: 'spark-kernel-log-lines',
    // Read line by line where a person goes; nobody wants all of it read aloud.
    attributes: { role: 'log', 'aria-live': 'off', tabindex: '0' }
  });
  private _follow!: HTMLButtonElement;
  private _back!: HTMLButtonElement;
  private _on!: HTMLButtonElement;
  private _rows = new Map<number, HTMLElement>();
  private _found: number[] = [];
  private _pattern: RegExp | null = null;
  private _searched = '';
  private _level: Level = 'all';
  private _current = 0;
  private _top = 0;
  private _timer = 0;
  private _isFollowing = true;
  private _isLeftByScrolling = false;
}

/** Make a button that shows an arrow, and says in words what it does. */
function arrow(sign: string, title: string, press: () => void): HTMLButtonElement {
  const made = button(sign, press, title);
  setAttribute(made, 'aria-label', title);
  return made;
}
