/** A part of the card that opens and closes. */

import { element, setText } from './dom';

export class Fold {
  readonly node: HTMLDetailsElement;
  readonly body = element('div', { className: 'spark-kernel-fold-body' });

  /** @param toggled called when a person has opened or closed it */
  constructor(title: string, toggled: () => void) {
    const summary = element('summary', {}, element('span', { text: title }), ' ', this._count);
    this.node = element('details', { className: 'spark-kernel-part' }, summary, this.body);
    this.node.addEventListener('toggle', toggled);
  }

  get isOpen(): boolean {
    return this.node.open;
  }

  /** Say how many things are inside. */
  set count(text: string) {
    setText(this._count, text);
  }

  private _count = element('span', { className: 'spark-kernel-quiet' });
}
