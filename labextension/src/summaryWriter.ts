/** Keeps the summary of a notebook's latest run in its metadata, in provenance mode. */

import { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';

import { currentRecord, quietly } from './cellRecords';
import { Follower } from './follower';
import { KEY } from './protocol';
import { Fields, fields } from './reading';
import { IRunCell, latestRun, sessionOf, summaryOf } from './runSummary';

const CALM_MS = 1_000;
const MOST_SESSIONS = 16;

export class SummaryWriter extends Follower {
  constructor(private _panel: NotebookPanel) {
    super();
    // What is saved is true also where the last cell is just done.
    _panel.context.saveState.connect((_, state) => state === 'started' && this._write(), this);
  }

  /** Take note of a reply whose record was written into a cell, or took one away. */
  note(replyMetadata: unknown): void {
    const content = fields(fields(replyMetadata)[KEY]);
    const settings = fields(content.session).settings;
    if (content.provenance === true) {
      const session = sessionOf(content);
      this._settings.delete(session);
      this._settings.set(session, fields(settings));
      if (this._settings.size > MOST_SESSIONS) {
        this._settings.delete(this._settings.keys().next().value as string);
      }
    }
    this._isDue = true;
    clearTimeout(this._timer);
    this._timer = window.setTimeout(() => this._write(), CALM_MS);
  }

  protected override end(): void {
    clearTimeout(this._timer);
  }

  private _write(): void {
    const notebook = this._panel.content.model;
    if (!this._isDue || this.isDisposed || !notebook || notebook.isDisposed) {
      return;
    }
    this._isDue = false;
    clearTimeout(this._timer);
    const run = latestRun(runCells(notebook));
    if (run.length === 0) {
      if (notebook.getMetadata(KEY) !== undefined) {
        quietly(notebook, () => notebook.deleteMetadata(KEY));
      }
      return;
    }
    // A run that another client has recorded keeps what that said of it.
    const settings = this._settings.get(sessionOf(run[0].record));
    const summary = settings && summaryOf(run, settings);
    if (summary && JSON.stringify(summary) !== JSON.stringify(notebook.getMetadata(KEY))) {
      quietly(notebook, () => notebook.setMetadata(KEY, summary));
    }
  }

  private _settings = new Map<string, Fields>();
  private _isDue = false;
  private _timer = 0;
}

function runCells(notebook: INotebookModel): IRunCell[] {
  const found: IRunCell[] = [];
  for (const cell of notebook.cells) {
    if (currentRecord(cell)) {
      found.push({ tags: cell.getMetadata('tags'), record: fields(cell.getMetadata(KEY)) });
    }
  }
  return found;
}
