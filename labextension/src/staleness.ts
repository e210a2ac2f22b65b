/**
 * Asks the kernel which results of a notebook are out of date: after a run has ended and after edits
 * have calmed down, where the notebook has records. What is not known gets no mark.
 */

import { isCodeCellModel } from '@jupyterlab/cells';
import { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { ISignal, Signal } from '@lumino/signaling';

import { Follower } from './follower';
import { SparkKernel } from './kernel';
import { KEY } from './protocol';
import { SessionKernel } from './sessionKernel';
import { canBeJudged, IJudgedCell } from './staleContent';

const CALM_MS = 1_500;

export class Staleness extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _session: SessionKernel
  ) {
    super();
    _session.changed.connect(() => this.plan(), this);
  }

  /** Say why a cell is out of date; empty where it is not, or nobody knows. */
  reason(cellId: string): string {
    return this._reasons.get(cellId) ?? '';
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Ask once things have calmed down. */
  plan(): void {
    clearTimeout(this._timer);
    const kernel = this._session.kernel;
    if (kernel && !this.isDisposed) {
      this._timer = window.setTimeout(() => void this._ask(kernel), CALM_MS);
    }
  }

  protected override end(): void {
    clearTimeout(this._timer);
  }

  private async _ask(kernel: SparkKernel): Promise<void> {
    const notebook = this._panel.content.model;
    if (!notebook || this.isDisposed) {
      return;
    }
    // A cell that runs makes another of every answer.
    if (kernel.connection.status !== 'idle') {
      return this.plan();
    }
    const cells = cellsOf(notebook);
    const said = JSON.stringify(cells);
    const hasRecords = cells.some(cell => KEY in cell.metadata);
    if (said === this._asked || !hasRecords || !canBeJudged(cells)) {
      return;
    }
    this._asked = said;
    const told = await kernel.stale(cells);
    if (this.isDisposed || kernel !== this._session.kernel) {
      return;
    }
    if (!told) {
      // It judges another notebook, or is of an earlier version; the next edit asks again.
      this._asked = '';
    }
    this._reasons = told ?? new Map<string, string>();
    this._changed.emit();
  }

  private _reasons = new Map<string, string>();
  private _asked = '';
  private _timer = 0;
  private _changed = new Signal<this, void>(this);
}

function cellsOf(notebook: INotebookModel): IJudgedCell[] {
  const found: IJudgedCell[] = [];
  for (const cell of notebook.cells) {
    if (isCodeCellModel(cell)) {
      const record = cell.getMetadata(KEY);
      found.push({
        id: cell.id,
        source: cell.sharedModel.getSource(),
        execution_count: cell.executionCount,
        metadata: record === undefined ? {} : { [KEY]: record }
      });
    }
  }
  return found;
}
