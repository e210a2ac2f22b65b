/** Renders the progress MIME type; above `text/html`, so that the fallback is not shown as well. */

import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Widget } from '@lumino/widgets';

import { cancelNews, INews, ITarget } from './cancelling';
import { IProgressChoices, Preferences } from './preferences';
import { IProgress, readProgress } from './progressContent';
import { Presence, shownProgress } from './progressRows';
import { ProgressView } from './progressView';
import { KEY, PROGRESS_MIME } from './protocol';
import { runText } from './record';
import { SessionKernel } from './sessionKernel';

const RANK = 20;

/**
 * Draw progress in what a registry renders, as long as people want that.
 *
 * @param session the kernel of the notebook or console that it belongs to
 * @returns what ends to follow their choice
 */
export function offerProgress(
  rendermime: IRenderMimeRegistry,
  session: SessionKernel,
  choices: Preferences<IProgressChoices>,
  trans: TranslationBundle
): IDisposable {
  const factory: IRenderMime.IRendererFactory = {
    safe: true,
    mimeTypes: [PROGRESS_MIME],
    defaultRank: RANK,
    createRenderer: () => new ProgressRenderer(session, choices, trans)
  };
  const follow = () => {
    const isThere = rendermime.getFactory(PROGRESS_MIME) !== undefined;
    if (choices.now.isLive && !isThere) {
      rendermime.addFactory(factory);
    } else if (!choices.now.isLive && isThere) {
      rendermime.removeMimeType(PROGRESS_MIME);
    }
  };
  follow();
  choices.changed.connect(follow);
  return new DisposableDelegate(() => choices.changed.disconnect(follow));
}

class ProgressRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private _session: SessionKernel,
    private _choices: Preferences<IProgressChoices>,
    private _trans: TranslationBundle
  ) {
    super();
    this._view = new ProgressView(this.node, _trans, (...what) => this._cancel(...what));
    _session.changed.connect(this._follow, this);
    _choices.changed.connect(this._draw, this);
    this._follow();
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._progress = readProgress(model.data[PROGRESS_MIME]);
    this._run = runText(model.metadata[KEY]);
    this._draw();
    return Promise.resolve();
  }

  private _follow(): void {
    this._session.kernel?.liveChanged.connect(this._hear, this);
    this._draw();
  }

  /** Draw anew if it is about this cell: a notebook can have a thousand others. */
  private _hear(_: unknown, cellId: string): void {
    if (!cellId || cellId === this._progress?.cellId) {
      this._draw();
    }
  }

  private _draw(): void {
    if (this._progress && !this.isDisposed) {
      const presence = this._presence(this._progress.cellId);
      const { open } = this._choices.now;
      this._view.draw(shownProgress(this._progress, presence, this._trans, open), this._run);
    }
  }

  private _presence(cellId: string): Presence {
    const isLive = this._session.kernel?.isLive(cellId) ?? false;
    this._wasLive ||= isLive;
    return isLive ? 'live' : this._wasLive ? 'ended' : 'saved';
  }

  private async _cancel(target: ITarget, done: string): Promise<INews> {
    const kernel = this._session.kernel;
    if (!kernel) {
      return { text: this._trans.__('There is no kernel any more.'), isGood: false };
    }
    const none = this._trans.__('Nothing was left to cancel.');
    return cancelNews(await kernel.cancel(target.scope, target.id), done, none, this._trans);
  }

  private _view: ProgressView;
  private _progress: IProgress | null = null;
  private _wasLive = false;
  private _run = '';
}
