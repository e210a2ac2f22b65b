/**
 * Shows the progress of cells that another page has started: this one before it was loaded anew, or
 * a second window on the notebook. JupyterLab drops the outputs of requests that are not its own.
 */

import { ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { IDisplayData } from '@jupyterlab/nbformat';
import { NotebookPanel } from '@jupyterlab/notebook';
import { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { IProgressMessage, SparkKernel } from './kernel';
import { PROGRESS_MIME } from './protocol';
import { fields } from './reading';
import { SessionKernel } from './sessionKernel';

export class StrangerOutputs implements IDisposable {
  constructor(
    private _panel: NotebookPanel,
    private _session: SessionKernel
  ) {
    _session.changed.connect(this._follow, this);
    this._follow();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _follow(): void {
    this._session.kernel?.progressed.connect(this._show, this);
  }

  private _show(kernel: SparkKernel, message: IProgressMessage): void {
    const notebook = this._panel.content.model;
    // With collaboration the outputs come through the shared document.
    if (message.isOwn || !notebook || notebook.collaborative || kernel !== this._session.kernel) {
      return;
    }
    for (const cell of notebook.cells) {
      if (cell.id === message.cellId && isCodeCellModel(cell)) {
        putProgress(cell, message);
      }
    }
  }

  private _isDisposed = false;
}

/** Put a display into a cell's outputs, in the place of the one that it updates. */
function putProgress(cell: ICodeCellModel, message: IProgressMessage): void {
  const output = {
    output_type: 'display_data',
    data: fields(message.content.data),
    metadata: fields(message.content.metadata)
  } as unknown as IDisplayData;
  for (let i = 0; i < cell.outputs.length; i++) {
    const shown = fields(cell.outputs.get(i).data[PROGRESS_MIME]);
    if (shown.cell_id === message.cellId && shown.is_final !== true) {
      cell.outputs.set(i, output);
      return;
    }
  }
  cell.outputs.add(output);
}
