/**
 * Keeps the settings and libraries of the current kernel's session: asked for while somebody looks at
 * them, when they may have changed, and not otherwise.
 */

import { Kernel } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { IDetails } from './detailsContent';
import { Follower } from './follower';
import { SparkKernel } from './kernel';
import { ResourceWatch } from './watch';

/** The kernel asks the driver once a second at most. */
const AGAIN_MS = 1_200;
const MOST_TRIES = 4;

export class Details extends Follower {
  constructor(private _watch: ResourceWatch) {
    super();
    _watch.changed.connect(this._look, this);
    this._look();
  }

  /** What the kernel has told; null where it has not. */
  get known(): IDetails | null {
    return this._known;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Say whether somebody looks. */
  set isWanted(isWanted: boolean) {
    if (isWanted !== this._isWanted) {
      this._isWanted = isWanted;
      this._refresh();
    }
  }

  protected override end(): void {
    clearTimeout(this._timer);
    this._kernel?.connection.statusChanged.disconnect(this._turn, this);
  }

  private _look(): void {
    const kernel = this._watch.current.kernel;
    const state = kernel?.status?.state;
    if (kernel !== this._kernel) {
      this._kernel?.connection.statusChanged.disconnect(this._turn, this);
      kernel?.connection.statusChanged.connect(this._turn, this);
      this._known = null;
      this._changed.emit();
    }
    if (kernel !== this._kernel || state !== this._state) {
      this._kernel = kernel;
      this._state = state;
      this._refresh();
    }
  }

  /** A cell that is done may have changed a setting, or added a library. */
  private _turn(_: Kernel.IKernelConnection, status: Kernel.Status): void {
    if (status === 'idle') {
      this._refresh();
    }
  }

  private _refresh(): void {
    clearTimeout(this._timer);
    if (this._isWanted && this._kernel && !this.isDisposed) {
      this._tries = 0;
      this._asked = performance.now();
      void this._ask();
    }
  }

  private async _ask(): Promise<void> {
    const kernel = this._kernel;
    const asked = this._asked;
    const told = await kernel?.details();
    if (this.isDisposed || kernel !== this._kernel || asked !== this._asked) {
      return;
    }
    if (told) {
      this._known = told;
      this._changed.emit();
    }
    // The first answer holds what the kernel knew before it was asked.
    this._tries += 1;
    const age = told?.age ?? Infinity;
    if (1000 * age > performance.now() - asked && this._tries < MOST_TRIES) {
      this._timer = window.setTimeout(() => void this._ask(), AGAIN_MS);
    }
  }

  private _kernel: SparkKernel | null = null;
  private _state: string | undefined;
  private _known: IDetails | null = null;
  private _isWanted = false;
  private _tries = 0;
  private _asked = 0;
  private _timer = 0;
  private _changed = new Signal<this, void>(this);
}
