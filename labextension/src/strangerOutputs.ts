/**
 * Shows what JupyterLab drops of our displays: those of cells that another page has started (this one
 * before it was loaded anew, or a second window on the notebook), and updates of a moved cell's.
 */

import { ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { IDisplayData } from '@jupyterlab/nbformat';
import { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { KernelAPI, Session } from '@jupyterlab/services';

import { applyReply } from './cellRecords';
import { Follower } from './follower';
import { IDisplay, SparkKernel } from './kernel';
import { KEY, PROGRESS_MIME } from './protocol';
import { Fields, fields, text } from './reading';
import { cellOf } from './recorder';
import { isChanged } from './recordRules';
import { SessionKernel } from './sessionKernel';

export class StrangerOutputs extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _session: SessionKernel,
    private _sessions: Session.IManager
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
    if (!notebook || kernel !== this._session.kernel) {
      return;
    }
    if (display.isOwn) {
      this._showMoved(display);
    } else if (!notebook.collaborative) {
      // With collaboration the outputs come through the shared document.
      this._showStranger(kernel, notebook, display);
    }
  }

  /** JupyterLab itself has shown the display by now, unless the cell was moved meanwhile. */
  private _showMoved(display: IDisplay): void {
    const cell = cellOf(this._panel, display.cellId);
    const place = cell && isCodeCellModel(cell) ? placeOf(cell, display.cellId) : -1;
    if (cell && isCodeCellModel(cell) && place >= 0) {
      const shown = fields(cell.outputs.get(place).data[PROGRESS_MIME]);
      if (shown.elapsed_s !== progressOf(display).elapsed_s) {
        cell.outputs.set(place, outputOf(display));
      }
    }
  }

  private _showStranger(kernel: SparkKernel, notebook: INotebookModel, display: IDisplay): void {
    const record = fields(display.content.metadata)[KEY];
    const cell = cellOf(this._panel, display.cellId || text(fields(record).cell_id, 200));
    if (!cell || !isCodeCellModel(cell) || !this._isAlone(kernel)) {
      return;
    }
    const isDirty = notebook.dirty;
    if (display.cellId) {
      putProgress(cell, display);
    }
    if (record !== undefined && !isChanged(cell.sharedModel.getSource(), record)) {
      applyReply(cell, display.content.metadata);
    }
    if (!isDirty) {
      notebook.dirty = false;
      if (record !== undefined || progressOf(display).is_final) {
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

  /** Whether no other notebook has the kernel: a copy of this one has cells of the same ids. */
  private _isAlone(kernel: SparkKernel): boolean {
    const users = [...this._sessions.running()].filter(
      session => session.kernel?.id === kernel.connection.id
    );
    return users.length <= 1;
  }

  private _isAsking = false;
}

/** Put a display into a cell's outputs, in the place of the one that it updates. */
function putProgress(cell: ICodeCellModel, display: IDisplay): void {
  const place = placeOf(cell, display.cellId);
  if (place >= 0) {
    cell.outputs.set(place, outputOf(display));
  } else {
    cell.outputs.add(outputOf(display));
  }
}

/** Find the progress of a cell that is not final, in its outputs; -1 where there is none. */
function placeOf(cell: ICodeCellModel, cellId: string): number {
  for (let i = 0; cellId && i < cell.outputs.length; i++) {
    const shown = fields(cell.outputs.get(i).data[PROGRESS_MIME]);
    if (shown.cell_id === cellId && shown.is_final !== true) {
      return i;
    }
  }
  return -1;
}

function progressOf(display: IDisplay): Fields {
  return fields(fields(display.content.data)[PROGRESS_MIME]);
}

function outputOf(display: IDisplay): IDisplayData {
  return {
    output_type: 'display_data',
    data: fields(display.content.data),
    metadata: fields(display.content.metadata)
  } as unknown as IDisplayData;
}
