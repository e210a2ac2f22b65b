/**
 * The cluster card: a panel beside the notebook that follows the notebook in front. It is no dialog,
 * so that it can be kept in sight while cells run.
 */

import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { act, actionLabel } from './cardActions';
import { Action, actionsOf, factsOf, libraryText, moreText, settingRows } from './cardFacts';
import { Details } from './details';
import { button, element, setText } from './dom';
import { drawLinks, ExecutorTable } from './executorTable';
import { Fold } from './folds';
import { sparkIcon } from './icon';
import { ISetting } from './detailsContent';
import { keepFocus, place } from './steady';
import { ResourceWatch } from './watch';
import { countText, SHOW_LOG } from './words';

export class ClusterCard extends Widget {
  static readonly ID = 'spark-kernel-cluster';

  constructor(
    private _watch: ResourceWatch,
    private _commands: CommandRegistry,
    private _trans: TranslationBundle
  ) {
    super();
    this.id = ClusterCard.ID;
    this.addClass('spark-kernel-card');
    this.title.icon = sparkIcon;
    this.title.caption = _trans.__('Spark Cluster');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _trans.__('Spark cluster'));
    this.node.tabIndex = -1;
    this._details = new Details(_watch);
    this._executors = new ExecutorTable(_trans);
    this._settings = new Fold(_trans.__('Settings'), () => this._look());
    this._libraries = new Fold(_trans.__('Libraries'), () => this._look());
    this._filter.placeholder = _trans.__('Filter settings');
    this._filter.setAttribute('aria-label', _trans.__('Filter settings'));
    this._filter.addEventListener('input', () => this._drawDetails());
    this._settings.body.append(this._filter, this._settingList, this._settingMore);
    this._libraries.body.append(this._libraryList, this._libraryMore);
    const title = element('h2', { text: _trans.__('Spark cluster') });
    const showLog = () => void _commands.execute(SHOW_LOG);
    this._logButton = button(_trans.__('Driver Log'), showLog);
    this._known.append(
      ...[this._facts, this._links, this._actions, this._executors.node],
      ...[this._settings.node, this._libraries.node]
    );
    this.node.append(title, this._nothing, this._known);
    _watch.changed.connect(this._draw, this);
    this._details.changed.connect(this._drawDetails, this);
    this._draw();
  }

  override dispose(): void {
    this._attend(false);
    this._details.dispose();
    super.dispose();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._attend(true);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._attend(this.isVisible);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._attend(false);
  }

  protected override onBeforeDetach(message: Message): void {
    this._attend(false);
    super.onBeforeDetach(message);
  }

  private _attend(isSeen: boolean): void {
    if (isSeen && !this._release) {
      this._release = this._watch.attend();
      this._draw();
    } else if (!isSeen && this._release) {
      this._release();
      this._release = null;
    }
    this._look();
  }

  /** Ask for settings and libraries only where they are in sight. */
  private _look(): void {
    const isOpen = this._settings.isOpen || this._libraries.isOpen;
    this._details.isWanted = isOpen && this._release !== null;
    this._drawDetails();
  }

  private _draw(): void {
    if (!this._release && this._isDrawn) {
      return;
    }
    this._isDrawn = true;
    // A dialog gives the focus back to its button, and what it did may take that away.
    keepFocus(
      this.node,
      () => this._redraw(),
      () => (this._known.hidden ? null : this._actions.querySelector('button')) ?? this.node
    );
  }

  private _redraw(): void {
    const trans = this._trans;
    const kernel = this._watch.current.kernel;
    const status = kernel?.status;
    this._known.hidden = !status;
    this._nothing.hidden = !!status;
    if (!status) {
      const none = trans.__('The notebook in front has no kernel of Spark.');
      setText(this._nothing, kernel ? trans.__('Nothing is known yet.') : none);
      return;
    }
    const resources = this._watch.resources;
    drawPairs(this._facts, factsOf(status, resources, trans));
    drawLinks(this._links, status.links);
    this._drawActions(actionsOf(status.state));
    this._executors.draw(resources, id => this._watch.history(id));
  }

  private _drawActions(actions: Action[]): void {
    const shown = actions.map(action => this._button(action));
    if (this._commands.hasCommand(SHOW_LOG)) {
      shown.push(this._logButton);
    }
    place(this._actions, shown);
  }

  private _button(action: Action): HTMLElement {
    let made = this._buttons.get(action);
    if (!made) {
      const label = actionLabel(action, this._trans);
      made = button(action === 'start' ? label : `${label}…`, () => this._act(action));
      this._buttons.set(action, made);
    }
    return made;
  }

  private _act(action: Action): void {
    const kernel = this._watch.current.kernel;
    if (kernel) {
      void act(action, kernel, () => kernel.details(), this._trans);
    }
  }

  private _drawDetails(): void {
    const known = this._details.known;
    const trans = this._trans;
    this._settings.count = known ? countText(known.settings.length + known.omittedSettings) : '';
    this._libraries.count = known ? countText(known.libraries.length + known.omittedLibraries) : '';
    if (!known || known.age === null) {
      this._settingList.replaceChildren();
      this._libraryList.replaceChildren();
      setText(this._settingMore, trans.__('Asking the kernel…'));
      setText(this._libraryMore, trans.__('Asking the kernel…'));
      return;
    }
    const { rows, more } = settingRows(known, this._filter.value, trans);
    this._settingList.replaceChildren(...rows.flatMap(one => settingNodes(one)));
    const next = known.isNext ? trans.__('These are for the next session.') : '';
    setText(this._settingMore, [more, next].filter(Boolean).join(' '));
    const pairs = known.libraries.map(one => libraryText(one, trans));
    drawPairs(this._libraryList, pairs);
    const none = pairs.length ? '' : trans.__('None was added; `%spark add` adds one.');
    setText(this._libraryMore, none || moreText(known.omittedLibraries, trans));
  }

  private _details: Details;
  private _executors: ExecutorTable;
  private _settings: Fold;
  private _libraries: Fold;
  private _release: (() => void) | null = null;
  private _isDrawn = false;
  private _buttons = new Map<Action, HTMLElement>();
  private _logButton: HTMLElement;
  private _known = element('div');
  private _nothing = element('p', { className: 'spark-kernel-quiet' });
  private _facts = element('dl');
  private _links = element('div', { className: 'spark-kernel-links' });
  private _actions = element('div', { className: 'spark-kernel-actions' });
  private _filter = element('input', { attributes: { type: 'search' } });
  private _settingList = element('dl', { className: 'spark-kernel-list' });
  private _settingMore = element('p', { className: 'spark-kernel-quiet' });
  private _libraryList = element('dl', { className: 'spark-kernel-list' });
  private _libraryMore = element('p', { className: 'spark-kernel-quiet' });
}

/** Draw names with values, and touch only what is another. */
function drawPairs(list: HTMLElement, pairs: [string, string][]): void {
  const nodes = [...list.children] as HTMLElement[];
  pairs.flat().forEach((text, i) => {
    const node = nodes[i] ?? list.appendChild(element(i % 2 ? 'dd' : 'dt'));
    setText(node, text);
  });
  nodes.slice(2 * pairs.length).forEach(node => node.remove());
}

function settingNodes(one: ISetting): HTMLElement[] {
  // A line may end behind a dot of the key, which copying does not see.
  const [first, ...rest] = one.key.split('.');
  const parts = rest.flatMap(part => ['.', element('wbr'), part]);
  const className = one.isChosen ? 'spark-kernel-chosen' : '';
  const value = element('code', { text: one.value, title: one.value });
  const origin = element('div', { className: 'spark-kernel-quiet', text: one.origin });
  return [element('dt', { className }, first, ...parts), element('dd', {}, value, origin)];
}
