/**
 * Keeps what is known of the current kernel fresh: it asks for resources, but only while somebody
 * can see the answer, often while Spark works and seldom while it rests.
 */

import { Kernel } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { CurrentKernel } from './current';
import { SparkKernel } from './kernel';
import { IStatusChoices, Preferences } from './preferences';
import { IResources, IStatus, State } from './protocol';

/** A card in sight is kept from growing old; the driver rests between two questions. */
const ATTENDED_MS = 30_000;
const SOON_MS = 300;
/** The kernel answers with what it has, and takes samples for 15 s from then on. */
const OLD_S = 3;
const MOST_SAMPLES = 30;
const AGAIN_MS = 1_100;

/** Whether Spark is at work, so that what is known changes by itself. */
export function isWorking(
  kernelStatus: Kernel.Status,
  status: IStatus | null,
  resources: IResources | null
): boolean {
  if (status?.state === 'starting' || status?.state === 'restarting') {
    return true;
  }
  return kernelStatus === 'busy' || (resources?.metrics.active_jobs?.value ?? 0) > 0;
}

export class ResourceWatch {
  constructor(
    readonly current: CurrentKernel,
    private _choices: Preferences<IStatusChoices>
  ) {
    current.changed.connect(this._begin, this);
    _choices.changed.connect(() => this._plan(SOON_MS));
    document.addEventListener('visibilitychange', () => this._plan(SOON_MS));
    this._begin();
  }

  /** What the kernel has last told; null where it has not. */
  get resources(): IResources | null {
    return this._resources;
  }

  /** How many tasks an executor ran, at each of the latest samples. */
  history(executor: string): readonly number[] {
    return this._history.get(executor) ?? [];
  }

  /** Ask often from now on; until what this gives is called. */
  attend(): () => void {
    this._attention += 1;
    this._plan(0);
    return () => (this._attention -= 1);
  }

  /** Emitted when the kernel, its status or its resources are others. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private _begin(): void {
    const kernel = this.current.kernel;
    if (this._kernel) {
      this._kernel.statusChanged.disconnect(this._hear, this);
      this._kernel.connection.statusChanged.disconnect(this._turn, this);
    }
    this._kernel = kernel;
    this._resources = null;
    this._history.clear();
    if (kernel) {
      kernel.statusChanged.connect(this._hear, this);
      kernel.connection.statusChanged.connect(this._turn, this);
    }
    this._hear();
    this._plan(0);
  }

  private _hear(): void {
    const state = this._kernel?.status?.state;
    if (state !== this._state) {
      this._state = state;
      this._plan(SOON_MS);
    }
    this._changed.emit();
  }

  private _turn(): void {
    this._plan(SOON_MS);
  }

  private _plan(delay: number): void {
    clearTimeout(this._timer);
    if (this._kernel && !this._kernel.isDisposed && !document.hidden) {
      this._timer = window.setTimeout(() => void this._ask(), delay);
    }
  }

  private async _ask(): Promise<void> {
    const kernel = this._kernel;
    if (!kernel || this._isAsking) {
      return;
    }
    if (this.current.panel?.isVisible) {
      this._isAsking = true;
      const resources = await kernel.resources();
      this._isAsking = false;
      if (kernel !== this._kernel) {
        return this._plan(0);
      }
      this._resources = resources ?? this._resources;
      if (resources) {
        this._remember(resources);
      }
      this._changed.emit();
    }
    this._plan(this._rest(kernel));
  }

  /** Give the time until the next question. */
  private _rest(kernel: SparkKernel): number {
    const { working, resting } = this._choices.now;
    const isAtWork = isWorking(kernel.connection.status, kernel.status, this._resources);
    if (!isAtWork && this._attention === 0) {
      return 1000 * resting;
    }
    if ((this._resources?.age ?? 0) > OLD_S) {
      return AGAIN_MS;
    }
    return isAtWork ? 1000 * working : Math.min(ATTENDED_MS, 1000 * resting);
  }

  private _remember(resources: IResources): void {
    const before = this._history;
    this._history = new Map();
    for (const one of resources.executors) {
      const values = [...(before.get(one.id) ?? []), one.activeTasks];
      this._history.set(one.id, values.slice(-MOST_SAMPLES));
    }
  }

  private _history = new Map<string, number[]>();
  private _attention = 0;
  private _kernel: SparkKernel | null = null;
  private _resources: IResources | null = null;
  private _timer = 0;
  private _isAsking = false;
  private _state: State | undefined;
  private _changed = new Signal<this, void>(this);
}
