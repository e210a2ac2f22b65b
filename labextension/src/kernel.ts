/**
 * One kernel of ours, as a page knows it: what it has said of itself, and what it can be asked.
 *
 * All requests go over the control channel, which answers while a cell runs.
 */

import { Kernel, KernelMessage } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { ICancelled, readCancelled } from './cancelling';
import { DETAILS, IDetails, readDetails } from './detailsContent';
import { Follower } from './follower';
import { ILogPart, readLogPart } from './logContent';
import {
  FEATURE,
  IResources,
  IStatus,
  KEY,
  PROGRESS_MIME,
  readResources,
  readStatus,
  STATUS
} from './protocol';
import { Fields, fields, text } from './reading';
import { IJudgedCell, readStale } from './staleContent';
import { beginOf } from './statusLine';
import { IRun, readRun } from './strangerRuns';

const PATIENCE_MS = 10_000;
export const RESTARTS: readonly Kernel.Status[] = ['restarting', 'autorestarting'];
const ENDS: Kernel.Status[] = [...RESTARTS, 'terminating', 'dead'];
const DISPLAYS = ['display_data', 'update_display_data'];

/** A display of ours, as it came: a cell's progress, its record, or both. */
export interface IDisplay {
  /** The cell whose progress it is; empty where it is none. */
  cellId: string;
  /** Whether this page has run the cell, so that JupyterLab shows the display by itself. */
  isOwn: boolean;
  run: IRun;
  content: Fields;
}

export class SparkKernel extends Follower {
  constructor(readonly connection: Kernel.IKernelConnection) {
    super();
    connection.iopubMessage.connect(this._hear, this);
    connection.statusChanged.connect(this._turn, this);
    connection.disposed.connect(this.dispose, this);
  }

  /** The latest status; null before the first. */
  get status(): IStatus | null {
    return this._status;
  }

  /** When the start under way began, by `performance.now()`; null where that is not known. */
  get begun(): number | null {
    return this._begun;
  }

  get statusChanged(): ISignal<this, void> {
    return this._statusChanged;
  }

  /** Emitted with the cell that begins or ceases to be live; empty where all cease. */
  get liveChanged(): ISignal<this, string> {
    return this._liveChanged;
  }

  /** Emitted for each display of ours. */
  get displayed(): ISignal<this, IDisplay> {
    return this._displayed;
  }

  /** Whether the kernel has said, to this page, that jobs of a cell run. */
  isLive(cellId: string): boolean {
    return this._live.has(cellId);
  }

  /** Ask what machine, kernel and cluster have; null where no sensible answer comes in time. */
  async resources(): Promise<IResources | null> {
    const content = await this._ask('resource_info', { types: ['spark'] });
    const resources = content && readResources(content);
    if (resources && !this.isDisposed) {
      // Stages and times are only in the status, which a page may have come too late for.
      const { stages, elapsed } = this._status ?? resources.status;
      this._set({ ...resources.status, stages, elapsed });
    }
    return resources;
  }

  /** Ask for settings, libraries and clusters; null where no sensible answer comes in time. */
  async details(): Promise<IDetails | null> {
    return readDetails(await this._ask('resource_info', { types: DETAILS }));
  }

  /** Ask which results are out of date; null where no sensible answer comes in time. */
  async stale(cells: IJudgedCell[]): Promise<Map<string, string> | null> {
    return readStale(await this._ask('spark_stale', { cells }));
  }

  /**
   * Cancel what runs.
   *
   * @param scope "cell", "job", "stage", "query" or "all"
   */
  async cancel(scope: string, id: string | number | null): Promise<ICancelled> {
    return readCancelled(await this._ask('spark_cancel', id === null ? { scope } : { scope, id }));
  }

  /** Ask for a part of the driver's log; null where no answer comes in time. */
  async log(request: Fields): Promise<ILogPart | null> {
    const content = await this._ask('spark_log', request);
    return content && readLogPart(content);
  }

  private _hear(_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage): void {
    const type = message.header.msg_type as string;
    if (type === STATUS) {
      const status = readStatus(message.content);
      this._begun = beginOf(status, this._status, this._begun, performance.now());
      this._set(status);
    } else if (DISPLAYS.includes(type)) {
      this._hearDisplay(message);
    }
  }

  private _hearDisplay(message: KernelMessage.IIOPubMessage): void {
    const content = message.content as unknown as Fields;
    const progress = fields(content.data)[PROGRESS_MIME];
    const cellId = text(fields(progress).cell_id, 200);
    if (!cellId && fields(content.metadata)[KEY] === undefined) {
      return;
    }
    const parent = fields(message.parent_header);
    const isOwn = parent.session === this.connection.clientId;
    this._displayed.emit({ cellId, isOwn, run: readRun(parent), content });
    // Only now, so that nobody sees a display end whose last update has not come yet. A kernel that
    // is being restarted can still say something, and nobody would hear how that ends.
    if (cellId) {
      const isEnding = ENDS.includes(this.connection.status);
      this._setLive(cellId, fields(progress).is_final !== true && !isEnding);
    }
  }

  private _setLive(cellId: string, isLive: boolean): void {
    if (this._live.has(cellId) === isLive) {
      return;
    }
    if (isLive) {
      this._live.add(cellId);
    } else {
      this._live.delete(cellId);
    }
    this._liveChanged.emit(cellId);
  }

  private _turn(_: Kernel.IKernelConnection, status: Kernel.Status): void {
    if (!ENDS.includes(status)) {
      return;
    }
    if (this._live.size > 0) {
      this._live.clear();
      this._liveChanged.emit('');
    }
    if (this._status) {
      // The process itself cannot tell of its end.
      const state = RESTARTS.includes(status) ? 'restarting' : 'stopped';
      this._begun = null;
      this._set({ ...this._status, state, message: '', elapsed: null, stages: [], error: null });
    }
  }

  private _set(status: IStatus): void {
    this._status = status;
    this._statusChanged.emit();
  }

  private _ask(name: string, content: Fields): Promise<Fields | null> {
    if (this.isDisposed || this.connection.connectionStatus !== 'connected') {
      return Promise.resolve(null);
    }
    const request = KernelMessage.createMessage({
      // The types know the messages of the specification alone.
      msgType: `${name}_request` as 'debug_request',
      channel: 'control',
      username: this.connection.username,
      session: this.connection.clientId,
      content: content as unknown as KernelMessage.IDebugRequestMsg['content']
    });
    const future = this.connection.sendControlMessage(request, true, false);
    return new Promise<Fields | null>(resolve => {
      const end = (answer: Fields | null) => {
        clearTimeout(timer);
        future.dispose();
        resolve(answer);
      };
      const timer = setTimeout(() => end(null), PATIENCE_MS);
      // The reply is all there is: the kernel sends no busy and idle around these.
      future.onReply = reply => end(fields(reply.content));
    });
  }

  private _status: IStatus | null = null;
  private _begun: number | null = null;
  private _live = new Set<string>();
  private _liveChanged = new Signal<this, string>(this);
  private _displayed = new Signal<this, IDisplay>(this);
  private _statusChanged = new Signal<this, void>(this);
}

/** The kernels of ours that this page is connected to; of others it only asks what they are. */
export class SparkKernels {
  /** Give the kernel behind a connection; null where it is another's. */
  of(connection: Kernel.IKernelConnection | null | undefined): Promise<SparkKernel | null> {
    if (!connection || connection.isDisposed) {
      return Promise.resolve(null);
    }
    let found = this._found.get(connection);
    if (!found) {
      found = this._look(connection);
      this._found.set(connection, found);
    }
    return found;
  }

  private async _look(connection: Kernel.IKernelConnection): Promise<SparkKernel | null> {
    const isOurs = await Promise.race([saysFeature(connection), speaksOfSpark(connection)]);
    return isOurs && !connection.isDisposed ? new SparkKernel(connection) : null;
  }

  private _found = new WeakMap<Kernel.IKernelConnection, Promise<SparkKernel | null>>();
}

/** Whether a kernel says that it is one of ours; the answer waits for a cell that runs. */
async function saysFeature(connection: Kernel.IKernelConnection): Promise<boolean> {
  const info = (await connection.info) as unknown as Fields;
  return Array.isArray(info.supported_features) && info.supported_features.includes(FEATURE);
}

/** Know a kernel of ours by what only those say, as in a page that is loaded while a cell runs. */
function speaksOfSpark(connection: Kernel.IKernelConnection): Promise<boolean> {
  return new Promise(resolve => {
    const hear = (_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage) => {
      const data = fields((message.content as Fields).data);
      if ((message.header.msg_type as string) === STATUS || PROGRESS_MIME in data) {
        stop();
        resolve(true);
      }
    };
    const stop = () => connection.iopubMessage.disconnect(hear);
    connection.iopubMessage.connect(hear);
    // From here on the kernel itself has said what it is.
    void connection.info.then(stop, stop);
  });
}
