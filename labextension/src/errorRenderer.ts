/**
 * Renders an error of Spark's: its HTML as any client shows it, with folds that remember, and with
 * buttons that lead to the driver's log and to the stage that failed.
 */

import { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { TranslationBundle } from '@jupyterlab/translation';
import { Message } from '@lumino/messaging';
import { PanelLayout, Widget } from '@lumino/widgets';

import { button, element } from './dom';
import { ERROR_MIME, IError, IStage, readError } from './errorContent';
import { FoldMemory, kindOf } from './foldMemory';
import { SparkKernel } from './kernel';
import { ILogPosition } from './logContent';
import { findStage } from './progressView';
import { text } from './reading';
import { SessionKernel } from './sessionKernel';

const RANK = 20;
const SHOWN = ['text/html', 'text/plain'];
const LONGEST_TITLE = 100;

/** What an error needs of the page around it. */
export interface IErrorPlace {
  /** Renders what other clients show. */
  rendermime: IRenderMimeRegistry;
  /** The kernel of the notebook; null where there is none. */
  session: SessionKernel | null;
  folds: FoldMemory;
  openLog: (kernel: SparkKernel, position: ILogPosition) => void;
  trans: TranslationBundle;
}

/** Make a factory of renderers. */
export function errorFactory(place: IErrorPlace): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [ERROR_MIME],
    defaultRank: RANK,
    createRenderer: () => new ErrorRenderer(place)
  };
}

class ErrorRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(private _place: IErrorPlace) {
    super();
    this.addClass('spark-kernel-error');
    this._parts = this.layout = new PanelLayout();
    const buttons = new Widget({ node: this._buttons });
    buttons.addClass('spark-kernel-error-actions');
    this._parts.addWidget(buttons);
    // It does not bubble, and folds come and go with the HTML.
    this.node.addEventListener('toggle', event => this._toggled(event), true);
    _place.session?.changed.connect(this._follow, this);
    this._follow();
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._error = readError(model.data[ERROR_MIME]);
    const mimeType = SHOWN.find(name => name in model.data);
    if (mimeType) {
      const shown = this._place.rendermime.createRenderer(mimeType);
      this._shown?.dispose();
      this._shown = shown;
      this._parts.addWidget(shown);
      await shown.renderModel(model);
      this._open(shown.node);
    }
    this._draw();
  }

  protected override onAfterAttach(_: Message): void {
    this._draw(); // from here on it is in a cell
  }

  private _follow(): void {
    this._place.session?.kernel?.statusChanged.connect(this._draw, this);
    this._draw();
  }

  private _draw(): void {
    const error = this._error;
    if (this.isDisposed || !error) {
      return;
    }
    const trans = this._place.trans;
    const kernel = this._place.session?.kernel ?? null;
    const parts: HTMLElement[] = [];
    const { log } = error;
    if (kernel && log) {
      const title = trans.__('Show what the driver log says at the time of this error');
      parts.push(
        button(trans.__('Driver log'), () => this._place.openLog(kernel, log), title)
      );
    }
    const isLive = !!error.applicationId && kernel?.status?.application.id === error.applicationId;
    for (const stage of error.stages) {
      const made = this._stage(stage, isLive);
      if (made) {
        parts.push(made);
      }
    }
    const drawn = [...this._buttons.children];
    // Left alone where nothing is new, so that a button keeps the focus.
    if (drawn.length !== parts.length || !parts.every((part, i) => part.isEqualNode(drawn[i]))) {
      this._buttons.replaceChildren(...parts);
    }
    this._buttons.hidden = parts.length === 0;
  }

  /** Lead to a stage: its page while its application lives, else its row in the progress, if any. */
  private _stage(stage: IStage, isLive: boolean): HTMLElement | null {
    const trans = this._place.trans;
    const name = trans.__('Stage %1', String(stage.id));
    if (isLive && stage.url) {
      const title = trans.__('Open the page of stage %1 in the Spark UI', String(stage.id));
      const attributes = { href: stage.url, target: '_blank', rel: 'noopener' };
      return element('a', { text: `${name} ↗`, title, attributes });
    }
    const title = trans.__('Show stage %1 in the progress of this cell', String(stage.id));
    const find = (isShown: boolean) => {
      const cell = this.node.closest('.jp-Cell');
      return cell !== null && findStage(cell, stage.id, isShown);
    };
    return find(false) ? button(name, () => find(true), title) : null;
  }

  private _open(node: HTMLElement): void {
    for (const [fold, name, kind] of namedFolds(node)) {
      const isOpen = this._place.folds.isOpen(this._error?.cellId ?? '', name, kind);
      fold.open = isOpen ?? fold.open;
      this._states.set(fold, fold.open);
    }
  }

  private _toggled(event: Event): void {
    for (const [fold, name, kind] of namedFolds(this.node)) {
      // What was opened from here is told too, and is nobody's wish.
      if (fold === event.target && this._states.get(fold) !== fold.open) {
        this._states.set(fold, fold.open);
        this._place.folds.set(this._error?.cellId ?? '', name, kind, fold.open);
      }
    }
  }

  private _buttons = element('div');
  private _parts: PanelLayout;
  private _shown: Widget | null = null;
  private _error: IError | null = null;
  private _states = new WeakMap<HTMLDetailsElement, boolean>();
}

/** Name the folds of an error: the outermost by its place alone, those within by kind and number. */
function namedFolds(node: HTMLElement): [HTMLDetailsElement, string, string][] {
  const counts = new Map<string, number>();
  return [...node.querySelectorAll('details')].map(fold => {
    const isOuter = !fold.parentElement?.closest('details');
    const title = text(fold.querySelector('summary')?.textContent, LONGEST_TITLE);
    const kind = isOuter ? '' : kindOf(title);
    const number = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, number);
    return [fold, `${kind}#${number}`, kind];
  });
}
