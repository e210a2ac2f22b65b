/** Follows the kernel of one notebook, through restarts and changes of kernel. */

import { ISessionContext } from '@jupyterlab/apputils';
import { ISignal, Signal } from '@lumino/signaling';

import { Follower } from './follower';
import { SparkKernel, SparkKernels } from './kernel';

export class SessionKernel extends Follower {
  constructor(
    private _context: ISessionContext,
    private _kernels: SparkKernels
  ) {
    super();
    _context.kernelChanged.connect(this._look, this);
    _context.disposed.connect(this.dispose, this);
    void this._look();
  }

  /** The kernel; null where the notebook has none, or another's. */
  get kernel(): SparkKernel | null {
    return this._kernel;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  protected override end(): void {
    this._set(null);
  }

  private async _look(): Promise<void> {
    const connection = this._context.session?.kernel;
    if (connection !== this._kernel?.connection) {
      this._set(null);
    }
    const kernel = await this._kernels.of(connection);
    if (!this.isDisposed && connection === this._context.session?.kernel) {
      this._set(kernel);
    }
  }

  private _set(kernel: SparkKernel | null): void {
    if (kernel !== this._kernel) {
      this._kernel = kernel;
      this._changed.emit();
    }
  }

  private _kernel: SparkKernel | null = null;
  private _changed = new Signal<this, void>(this);
}
