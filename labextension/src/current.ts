/** Which kernel of ours belongs to the notebook that a person looks at. */

import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISignal, Signal } from '@lumino/signaling';

import { SparkKernel, SparkKernels } from './kernel';
import { SessionKernel } from './sessionKernel';

export class CurrentKernel {
  constructor(tracker: INotebookTracker, kernels: SparkKernels) {
    this._kernels = kernels;
    tracker.currentChanged.connect((_, panel) => this._follow(panel), this);
    this._follow(tracker.currentWidget);
  }

  /** The kernel; null where the notebook has none, or another's. */
  get kernel(): SparkKernel | null {
    return this._followed?.kernel ?? null;
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
    this._followed?.dispose();
    this._panel = panel;
    this._followed = panel ? new SessionKernel(panel.sessionContext, this._kernels) : null;
    this._followed?.changed.connect(() => this._changed.emit());
    // Connecting the same slot again changes nothing, however often a notebook is looked at.
    panel?.disposed.connect(this._leave, this);
    this._changed.emit();
  }

  private _leave(panel: NotebookPanel): void {
    if (panel === this._panel) {
      this._follow(null);
    }
  }

  private _kernels: SparkKernels;
  private _panel: NotebookPanel | null = null;
  private _followed: SessionKernel | null = null;
  private _changed = new Signal<this, void>(this);
}
