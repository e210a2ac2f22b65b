/** What follows signals until it is disposed of. */

import { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

export abstract class Follower implements IDisposable {
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** End; can be called twice. */
  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.end();
      Signal.clearData(this);
    }
  }

  /** Let go of what is held beside signals. */
  protected end(): void {}

  private _isDisposed = false;
}
