/**
 * Follows the requests of one notebook, and puts the record of each into the cell that it came from:
 * by the cell's id, wherever it has been moved to, and when it is back if it is gone.
 */

import { ICellModel } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Kernel, KernelMessage } from '@jupyterlab/services';

import { AddedCells } from './addedCells';
import { RecordWriter } from './cellRecords';
import { Follower } from './follower';
import { Fields, fields, text } from './reading';
import { outcomeOf } from './recordRules';
import { SessionKernel } from './sessionKernel';
import { SummaryWriter } from './summaryWriter';

const MOST_WAITING = 2_000;

export class Recorder extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _session: SessionKernel,
    private _writer: RecordWriter,
    private _summary: SummaryWriter
  ) {
    super();
    _session.changed.connect(this._follow, this);
    this._follow();
    this._added = new AddedCells(_panel, _writer);
  }

  protected override end(): void {
    this._added.dispose();
  }

  private _follow(): void {
    this._session.kernel?.connection.anyMessage.connect(this._see, this);
  }

  private _see(connection: Kernel.IKernelConnection, seen: Kernel.IAnyMessageArgs): void {
    const message = seen.msg as KernelMessage.IMessage;
    const type = message.header.msg_type as string;
    if (type === 'execute_request' && seen.direction === 'send') {
      this._remember(message.header.msg_id, text(fields(message.metadata).cellId, 200));
    } else if (type === 'execute_reply' && seen.direction === 'recv') {
      const parent = fields(message.parent_header) as Fields;
      const request = text(parent.msg_id, 200);
      const cellId = this._waiting.get(request);
      this._waiting.delete(request);
      if (cellId && connection === this._session.kernel?.connection) {
        this._record(cellId, message.metadata);
      }
    }
  }

  private _remember(request: string, cellId: string): void {
    if (!cellId) {
      return;
    }
    this._waiting.set(request, cellId);
    if (this._waiting.size > MOST_WAITING) {
      this._waiting.delete(this._waiting.keys().next().value as string);
    }
  }

  private _record(cellId: string, metadata: unknown): void {
    const notebook = this._panel.content.model;
    if (!notebook || !this._writer.isOn) {
      return;
    }
    this._writer.latest.note(notebook, cellId, metadata);
    const cell = cellOf(this._panel, cellId);
    if (cell && this._writer.apply(cell, outcomeOf(metadata))) {
      this._summary.note(metadata);
    }
  }

  private _added: AddedCells;
  private _waiting = new Map<string, string>();
}

/** Find a cell of a notebook by its id. */
export function cellOf(panel: NotebookPanel, cellId: string): ICellModel | null {
  for (const cell of panel.content.model?.cells ?? []) {
    if (cell.id === cellId) {
      return cell;
    }
  }
  return null;
}
