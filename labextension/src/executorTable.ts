/** Draws the executors, each with its tasks over time. Rows are kept from one update to the next. */

import { TranslationBundle } from '@jupyterlab/translation';

import { executorRows, IExecutorRow } from './cardFacts';
import { element, link, setText } from './dom';
import { ILink, IResources } from './protocol';
import { place } from './steady';

export class ExecutorTable {
  readonly node = element('table', { className: 'spark-kernel-executors' });

  constructor(private _trans: TranslationBundle) {
    this.node.setAttribute('aria-label', _trans.__('Executors'));
    const heads = [_trans.__('Executor'), _trans.__('Tasks'), _trans.__('Cached data')];
    const cells = heads.map(text => element('th', { text, attributes: { scope: 'col' } }));
    this._more = element('caption', { className: 'spark-kernel-quiet' });
    this.node.append(this._more, element('thead', {}, element('tr', {}, ...cells)), this._body);
  }

  /** @param history how many tasks an executor ran, at each of the latest samples */
  draw(resources: IResources | null, history: (id: string) => readonly number[]): void {
    const { rows, shown, more } = executorRows(resources, this._trans);
    const kept = new Map<string, ExecutorRow>();
    rows.forEach((row, i) => {
      const view = this._rows.get(row.id) ?? new ExecutorRow();
      kept.set(row.id, view);
      view.draw(row, shown[i].logs, history(row.id), shown[i].cores);
    });
    place(
      this._body,
      [...kept.values()].map(view => view.node)
    );
    this._rows = kept;
    this.node.hidden = rows.length === 0;
    setText(this._more, more);
    this._more.hidden = !more;
  }

  private _body = element('tbody');
  private _more: HTMLElement;
  private _rows = new Map<string, ExecutorRow>();
}

class ExecutorRow {
  readonly node: HTMLElement;

  constructor() {
    const name = element('th', { attributes: { scope: 'row' } });
    name.append(this._name, this._host, this._logs);
    const tasks = element('td', {}, this._tasks, this._spark.node, this._failed);
    this.node = element('tr', {}, name, tasks, element('td', {}, this._memory));
  }

  draw(row: IExecutorRow, logs: ILink[], history: readonly number[], cores: number): void {
    setText(this._name, row.name);
    setText(this._host, row.host);
    setText(this._tasks, row.tasks);
    setText(this._failed, row.failed);
    setText(this._memory, row.memory);
    this._spark.draw(history, cores);
    drawLinks(this._logs, logs);
  }

  private _name = element('div');
  private _host = element('div', { className: 'spark-kernel-quiet' });
  private _logs = element('div', { className: 'spark-kernel-links' });
  private _tasks = element('div');
  private _failed = element('div', { className: 'spark-kernel-problem' });
  private _memory = element('div');
  private _spark = new Sparkline();
}

/** Draw links; not anew where they are the same, so that one can be focused and clicked. */
export function drawLinks(list: HTMLElement, links: ILink[]): void {
  const open = links.filter(one => one.url);
  const said = open.map(one => `${one.text} ${one.url}`).join('\n');
  if (list.dataset.links !== said) {
    list.dataset.links = said;
    list.replaceChildren(...open.map(one => link(one.text || one.rel, one.url)));
  }
  list.hidden = open.length === 0;
}

const SPACE = 'http://www.w3.org/2000/svg';

/** How many tasks ran, from then to now; the numbers beside it say how many it is. */
class Sparkline {
  readonly node = document.createElementNS(SPACE, 'svg');

  constructor() {
    this.node.setAttribute('class', 'spark-kernel-sparkline');
    this.node.setAttribute('viewBox', '0 0 60 16');
    this.node.setAttribute('aria-hidden', 'true');
    this.node.append(this._line);
  }

  draw(values: readonly number[], most: number): void {
    const top = Math.max(most, 1, ...values);
    const first = 60 - (values.length - 1) * 2;
    const points = values.map(
      (value, i) => `${first + 2 * i},${(15 - (14 * value) / top).toFixed(1)}`
    );
    this._line.setAttribute('points', points.join(' '));
  }

  private _line = document.createElementNS(SPACE, 'polyline');
}
