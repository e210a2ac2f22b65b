/**
 * Draws a record as one quiet line: in the place of the display that carries it, and below cells
 * whose record has no display.
 */

import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { element, setAttribute, setText } from './dom';
import { IProvenanceChoices, Preferences } from './preferences';
import { KEY, RECORD_MIME } from './protocol';
import { agoText, IRecord, momentText, readRecord, recordText, recordTitle } from './record';

/** Above `text/html`, which says the same, but with the time of the day alone. */
const RANK = 20;
const TICK_MS = 30_000;
const MOMENT = 'spark-kernel-moment';

/** Make a factory of renderers. */
export function recordFactory(
  choices: Preferences<IProvenanceChoices>,
  trans: TranslationBundle
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [RECORD_MIME],
    defaultRank: RANK,
    createRenderer: () => new RecordRenderer(choices, trans)
  };
}

class RecordRenderer extends Widget implements IRenderMime.IRenderer {
  constructor(
    private _choices: Preferences<IProvenanceChoices>,
    private _trans: TranslationBundle
  ) {
    super();
    this.addClass('spark-kernel-record');
    _choices.changed.connect(this._draw, this);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._record = readRecord(model.metadata[KEY]);
    this._draw();
    return Promise.resolve();
  }

  private _draw(): void {
    const isShown = this._record && this._choices.now.hasLines;
    this.node.replaceChildren(...(isShown ? [lineOf(this._record as IRecord, this._trans)] : []));
  }

  private _record: IRecord | null = null;
}

/** Draw a record. */
function lineOf(record: IRecord, trans: TranslationBundle): HTMLElement {
  const text = recordText(record, trans);
  const line = element('span', { text, title: recordTitle(record, trans) });
  if (record.finished) {
    line.append(text && ' · ', momentOf(record.finished, trans));
  }
  return line;
}

function momentOf(moment: Date, trans: TranslationBundle): HTMLElement {
  const attributes = { datetime: moment.toISOString() };
  const made = element('time', { className: MOMENT, title: momentText(moment), attributes });
  setText(made, agoText(moment, new Date(), trans));
  keepTime(trans);
  return made;
}

let isKept = false;

/** Let all moments in the page grow old, from the first one on. */
function keepTime(trans: TranslationBundle): void {
  if (isKept) {
    return;
  }
  isKept = true;
  setInterval(() => {
    if (document.hidden) {
      return;
    }
    const now = new Date();
    document.querySelectorAll<HTMLTimeElement>(`time.${MOMENT}`).forEach(made => {
      setText(made, agoText(new Date(made.dateTime), now, trans));
    });
  }, TICK_MS);
}

/** Draw a line below a cell, as a widget of its layout. */
export class RecordNote extends Widget {
  constructor() {
    super();
    this.addClass('spark-kernel-note');
    setAttribute(this.node, 'role', 'note');
  }

  /**
   * @param record what the line says; null where something else says it
   * @param mark why the cell is out of date; empty where it is not
   */
  draw(record: IRecord | null, mark: string, title: string, trans: TranslationBundle): void {
    const marks = mark ? [element('span', { className: 'spark-kernel-stale', text: mark, title })] : [];
    const line = record ? [lineOf(record, trans)] : [];
    this.node.replaceChildren(...marks, ...line);
  }
}
