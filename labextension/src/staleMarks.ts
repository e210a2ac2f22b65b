/** Says below a cell that its source is not the one that its outputs came from. */

import { Cell, CodeCell } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';
import { PanelLayout, Widget } from '@lumino/widgets';

import { element } from './dom';
import { Follower } from './follower';
import { KEY } from './protocol';
import { readRecord, recordText } from './record';
import { isChanged } from './recordRules';

const CALM_MS = 400;

export class StaleMarks extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _trans: TranslationBundle
  ) {
    super();
    _panel.content.modelContentChanged.connect(this._plan, this);
    _panel.content.modelChanged.connect(this._plan, this);
    void _panel.context.ready.then(() => this._plan());
  }

  protected override end(): void {
    clearTimeout(this._timer);
  }

  private _plan(): void {
    clearTimeout(this._timer);
    if (!this.isDisposed && this._hasRecords()) {
      this._timer = window.setTimeout(() => this._mark(), CALM_MS);
    }
  }

  /** Notebooks without records, which are most, cost a look at each cell's metadata. */
  private _hasRecords(): boolean {
    if (this._marks.size > 0) {
      return true;
    }
    for (const cell of this._panel.content.model?.cells ?? []) {
      if (cell.getMetadata(KEY) !== undefined) {
        return true;
      }
    }
    return false;
  }

  private _mark(): void {
    if (this.isDisposed || this._panel.isDisposed) {
      return;
    }
    for (const cell of this._panel.content.widgets) {
      const record = cell instanceof CodeCell ? cell.model.getMetadata(KEY) : undefined;
      const source = record === undefined ? '' : cell.model.sharedModel.getSource();
      this._set(cell, record !== undefined && isChanged(source, record) ? record : undefined);
    }
    for (const [cell] of this._marks) {
      if (cell.isDisposed) {
        this._marks.delete(cell);
      }
    }
  }

  private _set(cell: Cell, record: unknown): void {
    const mark = this._marks.get(cell);
    if (record === undefined) {
      mark?.dispose();
      this._marks.delete(cell);
    } else if (!mark || mark.isDisposed) {
      const of = readRecord(record);
      const made = new Widget({ node: element('div', { attributes: { role: 'note' } }) });
      made.addClass('spark-kernel-stale');
      made.node.textContent = this._trans.__('Changed since it ran (%1)', of ? recordText(of) : '');
      (cell.layout as PanelLayout).addWidget(made);
      this._marks.set(cell, made);
    }
  }

  private _marks = new Map<Cell, Widget>();
  private _timer = 0;
}
