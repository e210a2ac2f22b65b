/**
 * Says below cells what their records tell: that a cell is out of date, and how it ran where none of
 * its outputs says so.
 */

import { Cell, CodeCell } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IOutputModel } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';
import { PanelLayout } from '@lumino/widgets';

import { currentRecord } from './cellRecords';
import { Follower } from './follower';
import { IProvenanceChoices, Preferences } from './preferences';
import { KEY, PROGRESS_MIME } from './protocol';
import { fields, text } from './reading';
import { readRecord, recordTitle } from './record';
import { RecordNote } from './recordLine';
import { isChanged } from './recordRules';
import { Staleness } from './staleness';

const CALM_MS = 400;
/** A job that runs lets nothing calm down. */
const LONGEST_MS = 3_000;

/** What is said below a cell, and of what it was decided. */
interface INote {
  widget: RecordNote;
  said: string;
}

export class CellNotes extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _staleness: Staleness,
    private _choices: Preferences<IProvenanceChoices>,
    private _trans: TranslationBundle
  ) {
    super();
    _panel.content.modelContentChanged.connect(this._plan, this);
    _panel.content.modelChanged.connect(this._plan, this);
    _choices.changed.connect(this._review, this);
    _staleness.changed.connect(this._draw, this);
    void _panel.context.ready.then(() => this._plan());
  }

  protected override end(): void {
    clearTimeout(this._timer);
  }

  private _plan(): void {
    clearTimeout(this._timer);
    if (!this.isDisposed) {
      const now = performance.now();
      this._latest = this._timer ? this._latest : now + LONGEST_MS;
      const rest = Math.min(CALM_MS, Math.max(this._latest - now, 0));
      this._timer = window.setTimeout(() => this._review(), rest);
    }
  }

  /** Draw what is known, and find out what is not. */
  private _review(): void {
    clearTimeout(this._timer);
    this._timer = 0;
    if (this.isDisposed || !this._hasRecords()) {
      return;
    }
    this._draw();
    if (this._choices.now.hasMarks) {
      this._staleness.plan();
    }
  }

  /** Notebooks without records, which are most, cost a look at each cell's metadata. */
  private _hasRecords(): boolean {
    if (this._notes.size > 0) {
      return true;
    }
    for (const cell of this._panel.content.model?.cells ?? []) {
      if (cell.getMetadata(KEY) !== undefined) {
        return true;
      }
    }
    return false;
  }

  private _draw(): void {
    if (this.isDisposed || this._panel.isDisposed) {
      return;
    }
    for (const cell of this._panel.content.widgets) {
      this._drawCell(cell);
    }
    for (const [cell] of this._notes) {
      if (cell.isDisposed) {
        this._notes.delete(cell);
      }
    }
  }

  private _drawCell(cell: Cell): void {
    const record = currentRecord(cell.model);
    if (!(cell instanceof CodeCell) || !record || isUnderWay(cell)) {
      return this._remove(cell);
    }
    if (cell.isPlaceholder()) {
      return this._await(cell);
    }
    const { hasLines, hasMarks } = this._choices.now;
    const mark = hasMarks ? this._markOf(cell) : '';
    const shown = hasLines && !showsRecord(cell) ? record : null;
    if (!mark && !shown) {
      return this._remove(cell);
    }
    const title = recordTitle(record, this._trans);
    const said = [mark, shown !== null, title].join('\n');
    const note = this._notes.get(cell);
    if (note?.said === said && !note.widget.isDisposed) {
      return;
    }
    const widget = note && !note.widget.isDisposed ? note.widget : new RecordNote();
    widget.draw(shown, mark, title, this._trans);
    if (widget.parent !== cell) {
      (cell.layout as PanelLayout).addWidget(widget);
    }
    this._notes.set(cell, { widget, said });
  }

  /** Draw a cell once it has its parts: what is added before comes to stand above them. */
  private _await(cell: Cell): void {
    if (this._awaited.has(cell)) {
      return;
    }
    this._awaited.add(cell);
    void cell.ready.then(() => {
      if (!this.isDisposed && !cell.isDisposed) {
        this._drawCell(cell);
      }
    });
  }

  /** Say why a cell is out of date; that its source has changed this page sees by itself, and at once. */
  private _markOf(cell: CodeCell): string {
    if (isChanged(cell.model.sharedModel.getSource(), cell.model.getMetadata(KEY))) {
      return this._trans.__('Changed since it ran');
    }
    const reason = this._staleness.reason(cell.model.id);
    return reason && this._trans.__('Out of date: %1', reason);
  }

  private _remove(cell: Cell): void {
    this._notes.get(cell)?.widget.dispose();
    this._notes.delete(cell);
  }

  private _notes = new Map<Cell, INote>();
  private _awaited = new WeakSet<Cell>();
  private _timer = 0;
  private _latest = 0;
}

/** Whether a cell runs, so that its record is of an earlier run than what it shows. */
function isUnderWay(cell: CodeCell): boolean {
  const { id, outputs, executionState } = cell.model;
  for (let i = 0; i < outputs.length; i++) {
    if (unfinishedIn(outputs.get(i)) === id) {
      return true;
    }
  }
  return executionState === 'running';
}

/** Give the cell whose progress an output is that was not final; empty where it is none. */
function unfinishedIn(output: IOutputModel): string {
  let found = unfinished.get(output);
  if (found === undefined) {
    const mayBe = output.type === 'display_data' && !(KEY in output.metadata);
    const progress = mayBe ? fields(output.data[PROGRESS_MIME]) : {};
    found = progress.is_final === true ? '' : text(progress.cell_id, 200);
    unfinished.set(output, found);
  }
  return found;
}

/** JupyterLab copies all of an output for each look into it, and an update is another output. */
const unfinished = new WeakMap<IOutputModel, string>();

/** Whether one of the outputs of a cell carries a record, and so says it. */
function showsRecord(cell: CodeCell): boolean {
  const { outputs } = cell.model;
  for (let i = 0; i < outputs.length; i++) {
    if (readRecord(outputs.get(i).metadata[KEY])) {
      return true;
    }
  }
  return false;
}
