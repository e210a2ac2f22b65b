/**
 * Shows what JupyterLab drops of our displays: those of cells that another page has started (this one
 * before it was loaded anew, or a second window on the notebook), and updates of a moved cell's.
 */

import { ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { IDisplayData } from '@jupyterlab/nbformat';
import { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { KernelAPI, Session } from '@jupyterlab/services';

import { RecordWriter } from './cellRecords';
import { Follower } from './follower';
import { IDisplay, SparkKernel } from './kernel';
import { KEY, PROGRESS_MIME } from './protocol';
import { Fields, fields, text } from './reading';
import { cellOf } from './recorder';
import { isChanged, outcomeOf } from './recordRules';
import { SessionKernel } from './sessionKernel';
import { IShownRun, isOfShownRun, isOnlyNotebook, LatestRuns } from './strangerRuns';

export class StrangerOutputs extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _session: SessionKernel,
    private _sessions: Session.IManager,
    private _writer: RecordWriter
  ) {
    super();
    _session.changed.connect(this._follow, this);
    this._follow();
  }

  private _follow(): void {
    this._session.kernel?.displayed.connect(this._show, this);
  }

  private _show(kernel: SparkKernel, display: IDisplay): void {
    const notebook = this._panel.content.model;
    const record = fields(display.content.metadata)[KEY];
    const cell = cellOf(this._panel, display.cellId || text(fields(record).cell_id, 200));
    if (!notebook || kernel !== this._session.kernel || !cell || !isCodeCellModel(cell)) {
      return;
    }
    if (display.isOwn) {
      this._runs.take(cell.id, display.run);
      showMoved(cell, display);
    } else if (!notebook.collaborative && this._isOnly(kernel)) {
      // With collaboration the outputs come through the shared document.
      this._showStranger(kernel, notebook, cell, display);
    }
  }

  private _showStranger(
    kernel: SparkKernel,
    notebook: INotebookModel,
    cell: ICodeCellModel,
    display: IDisplay
  ): void {
    const bearing = this._runs.bearingOf(cell.id, display.run);
    if (bearing === 'earlier' || cell.executionState === 'running') {
      return; // this page has started a later run
    }
    const progress = progressOf(display);
    const isShown = bearing === 'same' || (bearing === 'first' && isOfShownRun(shownOf(cell), progress));
    if (!isShown && !progress && cell.outputs.length > 0) {
      return; // a record alone, of a run whose results are not here
    }
    const isDirty = notebook.dirty;
    this._runs.take(cell.id, display.run);
    if (!isShown && progress) {
      clear(cell);
    }
    if (progress) {
      putProgress(cell, display);
    }
    const record = fields(display.content.metadata)[KEY];
    if (record !== undefined && !isChanged(cell.sharedModel.getSource(), record)) {
      this._writer.apply(cell, outcomeOf(display.content.metadata));
    }
    if (!isDirty) {
      notebook.dirty = false;
      if (record !== undefined || progress?.is_final) {
        void this._saveLater(kernel, notebook);
      }
    }
  }

  /**
   * Let the notebook be saved, unless another window is there that does so: this one only looks on,
   * and JupyterLab would ask which of the two is to be kept.
   */
  private async _saveLater(kernel: SparkKernel, notebook: INotebookModel): Promise<void> {
    if (this._isAsking) {
      return;
    }
    this._isAsking = true;
    const { id, serverSettings } = kernel.connection;
    const model = await KernelAPI.getKernelModel(id, serverSettings).catch(() => undefined);
    this._isAsking = false;
    if (!this.isDisposed && (model?.connections ?? 1) <= 1) {
      notebook.dirty = true;
    }
  }

  private _isOnly(kernel: SparkKernel): boolean {
    return isOnlyNotebook(this._sessions.running(), kernel.connection.id);
  }

  private _runs = new LatestRuns();
  private _isAsking = false;
}

/** JupyterLab itself has shown a display of this page's by now, unless the cell was moved meanwhile. */
function showMoved(cell: ICodeCellModel, display: IDisplay): void {
  const place = placeOf(cell);
  if (display.cellId && place >= 0) {
    const shown = fields(cell.outputs.get(place).data[PROGRESS_MIME]);
    if (shown.is_final !== true && shown.elapsed_s !== progressOf(display)?.elapsed_s) {
      cell.outputs.set(place, outputOf(display));
    }
  }
}

/** Let a cell begin another run, as JupyterLab does. */
function clear(cell: ICodeCellModel): void {
  // Within a silent change it would keep the number beside it.
  cell.executionCount = null;
  cell.sharedModel.transact(() => cell.clearExecution(), false, 'silent-change');
}

/** Put a display into a cell's outputs, in the place of the one that it updates. */
function putProgress(cell: ICodeCellModel, display: IDisplay): void {
  const place = placeOf(cell);
  if (place >= 0) {
    cell.outputs.set(place, outputOf(display));
  } else {
    cell.outputs.add(outputOf(display));
  }
}

/** Find the progress of a cell in its outputs; -1 where there is none. */
function placeOf(cell: ICodeCellModel): number {
  for (let i = 0; i < cell.outputs.length; i++) {
    if (fields(cell.outputs.get(i).data[PROGRESS_MIME]).cell_id === cell.id) {
      return i;
    }
  }
  return -1;
}

function shownOf(cell: ICodeCellModel): IShownRun {
  const place = placeOf(cell);
  const progress = place < 0 ? null : fields(cell.outputs.get(place).data[PROGRESS_MIME]);
  return { executionCount: cell.executionCount, progress };
}

function progressOf(display: IDisplay): Fields | null {
  return display.cellId ? fields(fields(display.content.data)[PROGRESS_MIME]) : null;
}

function outputOf(display: IDisplay): IDisplayData {
  return {
    output_type: 'display_data',
    data: fields(display.content.data),
    metadata: fields(display.content.metadata)
  } as unknown as IDisplayData;
}
