/**
 * Asks the kernel which results of a notebook are out of date: after a run has ended and after edits
 * have calmed down, where the notebook has records. What is not known gets no mark.
 */

import { isCodeCellModel } from '@jupyterlab/cells';
import { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { Kernel } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { Follower } from './follower';
import { RESTARTS, SparkKernel } from './kernel';
import { Patience } from './patience';
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
    _session.changed.connect(this._begin, this);
    this._begin();
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
      const rest = Math.max(CALM_MS, this._patience.rest(performance.now()));
      this._timer = window.setTimeout(() => void this._ask(kernel), rest);
    }
  }

  protected override end(): void {
    clearTimeout(this._timer);
  }

  /** Forget what another process of the kernel, or another kernel, has said. */
  private _begin(): void {
    this._session.kernel?.connection.statusChanged.connect(this._turn, this);
    this._asked = '';
    this._patience = new Patience();
    this._take(new Map());
    this.plan();
  }

  private _turn(_: unknown, status: Kernel.Status): void {
    if (RESTARTS.includes(status)) {
      this._begin();
    }
  }

  private async _ask(kernel: SparkKernel): Promise<void> {
    const notebook = this._panel.content.model;
    if (!notebook || this.isDisposed) {
      return;
    }
    // A cell that runs makes another of every answer, and nobody sees that of a notebook out of sight.
    const isSeen = this._panel.isVisible && !document.hidden;
    if (kernel.connection.status !== 'idle' || !isSeen || this._isAsking) {
      return this.plan();
    }
    const cells = cellsOf(notebook);
    const said = JSON.stringify(cells);
    const hasRecords = cells.some(cell => KEY in cell.metadata);
    if (said === this._asked || !hasRecords || !canBeJudged(cells)) {
      return;
    }
    this._asked = said;
    this._isAsking = true;
    const told = await kernel.stale(cells).catch(() => null);
    this._isAsking = false;
    if (this.isDisposed || said !== this._asked) {
      return;
    }
    this._patience.heard(told !== null, performance.now());
    this._take(told ?? new Map());
    if (!told) {
      // It judges another notebook, or is of an earlier version.
      this._asked = '';
      if (this._patience.isWorthAnother) {
        this.plan();
      }
    }
  }

  private _take(reasons: Map<string, string>): void {
    const isOther = this._reasons.size > 0 || reasons.size > 0;
    this._reasons = reasons;
    if (isOther) {
      this._changed.emit();
    }
  }

  private _reasons = new Map<string, string>();
  private _asked = '';
  private _isAsking = false;
  private _patience = new Patience();
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
