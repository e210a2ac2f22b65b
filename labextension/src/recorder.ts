/**
 * Follows the requests of one notebook, and puts the record of each into the cell that it came from:
 * by the cell's id, wherever it has been moved to, and when it is back if it is gone.
 */

import { ICellModel, isCodeCellModel } from '@jupyterlab/cells';
import { NotebookPanel } from '@jupyterlab/notebook';
import { Kernel, KernelMessage } from '@jupyterlab/services';

import { applyOutcome } from './cellRecords';
import { Follower } from './follower';
import { KEY } from './protocol';
import { Fields, fields, text } from './reading';
import { outcomeOf, outcomeOfAdded } from './recordRules';
import { SessionKernel } from './sessionKernel';

const MOST_WAITING = 2_000;
/** Some 3 KB each. */
const MOST_LATEST = 500;

export class Recorder extends Follower {
  constructor(
    private _panel: NotebookPanel,
    private _session: SessionKernel
  ) {
    super();
    _session.changed.connect(this._follow, this);
    this._follow();
    void _panel.context.ready.then(() => {
      if (!this.isDisposed) {
        _panel.content.model?.cells.changed.connect(this._meet, this);
      }
    });
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
    put(this._waiting, request, cellId, MOST_WAITING);
  }

  private _record(cellId: string, metadata: unknown): void {
    const outcome = outcomeOf(metadata);
    if (outcome.kind === 'write') {
      put(this._latest, cellId, outcome.record, MOST_LATEST);
    } else if (outcome.kind === 'remove') {
      this._latest.delete(cellId);
    }
    const cell = cellOf(this._panel, cellId);
    if (cell) {
      applyOutcome(cell, outcome);
    }
  }

  /** See to cells that are new in the notebook, or back in it. */
  private _meet(_: unknown, change: { type: string; newValues: ICellModel[] }): void {
    for (const cell of change.type === 'add' ? change.newValues : []) {
      if (isCodeCellModel(cell)) {
        this._check(cell);
        if (this._latest.has(cell.id)) {
          // JupyterLab brings a cell back first, and then what it has run since it went.
          cell.stateChanged.connect(this._check, this);
        }
      }
    }
  }

  private _check(cell: ICellModel): void {
    if (isCodeCellModel(cell)) {
      const { id, executionCount } = cell;
      const added = { id, executionCount, record: cell.getMetadata(KEY) };
      applyOutcome(cell, outcomeOfAdded(added, this._latest.get(id)));
    }
  }

  private _waiting = new Map<string, string>();
  private _latest = new Map<string, Fields>();
}

/** Put something into a map that holds the latest alone. */
function put<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) {
    map.delete(map.keys().next().value as string);
  }
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
