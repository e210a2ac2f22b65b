/**
 * Shows what cells lead to that another page has started: this one before it was loaded anew, or a
 * second window on the notebook. JupyterLab drops the outputs of requests that are not its own.
 */

import { ICodeCellModel, isCodeCellModel } from '@jupyterlab/cells';
import { IDisplayData } from '@jupyterlab/nbformat';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Session } from '@jupyterlab/services';

import { applyReply } from './cellRecords';
import { Follower } from './follower';
import { IDisplay, SparkKernel } from './kernel';
import { KEY, PROGRESS_MIME } from './protocol';
import { fields, text } from './reading';
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
    // With collaboration the outputs come through the shared document.
    if (display.isOwn || !notebook || notebook.collaborative || kernel !== this._session.kernel) {
      return;
    }
    const record = fields(display.content.metadata)[KEY];
    const cell = cellOf(this._panel, display.cellId || text(fields(record).cell_id, 200));
    if (!cell || !isCodeCellModel(cell) || !this._isAlone(kernel)) {
      return;
    }
    if (display.cellId) {
      putProgress(cell, display);
    }
    if (record !== undefined && !isChanged(cell.sharedModel.getSource(), record)) {
      applyReply(cell, display.content.metadata);
    }
  }

  /** Whether no other notebook has the kernel: a copy of this one has cells of the same ids. */
  private _isAlone(kernel: SparkKernel): boolean {
    const users = [...this._sessions.running()].filter(
      session => session.kernel?.id === kernel.connection.id
    );
    return users.length <= 1;
  }

}

/** Put a display into a cell's outputs, in the place of the one that it updates. */
function putProgress(cell: ICodeCellModel, display: IDisplay): void {
  const output = {
    output_type: 'display_data',
    data: fields(display.content.data),
    metadata: fields(display.content.metadata)
  } as unknown as IDisplayData;
  for (let i = 0; i < cell.outputs.length; i++) {
    const shown = fields(cell.outputs.get(i).data[PROGRESS_MIME]);
    if (shown.cell_id === display.cellId && shown.is_final !== true) {
      cell.outputs.set(i, output);
      return;
    }
  }
  cell.outputs.add(output);
}
