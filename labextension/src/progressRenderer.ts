/** Renders the progress MIME type; above `text/html`, so that the fallback is not shown as well. */

import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { IProgress, readProgress } from './progressContent';
import { ITarget, shownProgress } from './progressRows';
import { ProgressView } from './progressView';
import { KEY, PROGRESS_MIME } from './protocol';
import { runText } from './record';
import { SessionKernel } from './sessionKernel';

const RANK = 20;

/**
 * Make a factory of renderers.
 *
 * @param session the kernel of the notebook that they belong to; null where there is none
 */
export function progressFactory(
  session: SessionKernel | null,
  trans: TranslationBundle
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [PROGRESS_MIME],
    defaultRank: RANK,
    createRenderer: () => new ProgressRenderer(session, trans)
  };
}

class ProgressRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private _session: SessionKernel | null,
    private _trans: TranslationBundle
  ) {
    super();
    this._view = new ProgressView(this.node, _trans, target => this._cancel(target));
    _session?.changed.connect(this._follow, this);
    this._follow();
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._progress = readProgress(model.data[PROGRESS_MIME]);
    this._run = runText(model.metadata[KEY]);
    this._draw();
    return Promise.resolve();
  }

  private _follow(): void {
    this._session?.kernel?.liveChanged.connect(this._hear, this);
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
      const isLive = this._session?.kernel?.isLive(this._progress.cellId) ?? false;
      this._view.draw(shownProgress(this._progress, isLive, this._trans), this._run);
    }
  }

  private _cancel(target: ITarget): Promise<string> {
    const kernel = this._session?.kernel;
    return kernel
      ? kernel.cancel(target.scope, target.id)
      : Promise.resolve(this._trans.__('There is no kernel any more.'));
  }

  private _view: ProgressView;
  private _progress: IProgress | null = null;
  private _run = '';
}
