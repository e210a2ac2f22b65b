/** Which kernel of ours belongs to the notebook that a person looks at. */

import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISignal, Signal } from '@lumino/signaling';

import { SparkKernel, SparkKernels } from './kernel';

export class CurrentKernel {
  constructor(tracker: INotebookTracker, kernels: SparkKernels) {
    this._kernels = kernels;
    tracker.currentChanged.connect((_, panel) => this._follow(panel), this);
    this._follow(tracker.currentWidget);
  }

  /** The kernel; null where the notebook has none, or another's. */
  get kernel(): SparkKernel | null {
    return this._kernel;
  }

  /** The notebook that the kernel belongs to. */
  get panel(): NotebookPanel | null {
    return this._panel;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private _follow(panel: NotebookPanel | null): void {
    if (panel === this._panel) {
      return;
    }
    this._panel?.sessionContext.kernelChanged.disconnect(this._look, this);
    this._panel = panel;
    panel?.sessionContext.kernelChanged.connect(this._look, this);
    panel?.disposed.connect(() => panel === this._panel && this._follow(null), this);
    void this._look();
  }

  private async _look(): Promise<void> {
    const panel = this._panel;
    const connection = panel?.sessionContext.session?.kernel;
    this._set(connection ? this._kernel : null);
    const kernel = await this._kernels.of(connection);
    if (panel === this._panel && connection === panel?.sessionContext.session?.kernel) {
      this._set(kernel);
    }
  }

  private _set(kernel: SparkKernel | null): void {
    if (kernel !== this._kernel) {
      this._kernel = kernel;
      this._changed.emit();
    }
  }

  private _kernels: SparkKernels;
  private _panel: NotebookPanel | null = null;
  private _kernel: SparkKernel | null = null;
  private _changed = new Signal<this, void>(this);
}
