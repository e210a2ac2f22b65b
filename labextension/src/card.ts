/** The cluster card: what a click on the cluster in the status bar opens. */

import { Dialog, InputDialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { element, link } from './dom';
import { SparkKernel } from './kernel';
import { IExecutor, ILink, IResources, IStatus } from './protocol';
import { fields, text } from './reading';
import { stateText } from './statusLine';
import { ResourceWatch } from './watch';
import { countText, joined, sizeText } from './words';

const MOST_ROWS = 50;
const LONGEST = 20_000;
/** The names that a cluster can have. */
const CLUSTER = /^[\w.-]+$/;

/** Show the card until it is closed. */
export async function showCard(
  watch: ResourceWatch,
  trans: TranslationBundle,
  showLog: (() => void) | null
): Promise<void> {
  const body = new ClusterCard(watch, trans, () => dialog.reject(), showLog);
  const dialog = new Dialog({
    title: trans.__('Spark cluster'),
    body,
    hasClose: true,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
  const release = watch.attend();
  try {
    await dialog.launch();
  } finally {
    release();
    body.dispose();
  }
}

class ClusterCard extends Widget {
  constructor(
    private _watch: ResourceWatch,
    private _trans: TranslationBundle,
    private _close: () => void,
    showLog: (() => void) | null
  ) {
    super();
    this.addClass('spark-kernel-card');
    this.node.append(this._facts, this._links, this._executors, this._actions);
    const lost = _trans.__(
      'Jobs that run are cancelled. Cached data, temporary views and DataFrames are lost; other Python variables stay.'
    );
    const back = _trans.__('The cluster gets its resources back.');
    this._log.addEventListener('click', () => {
      _close();
      showLog?.();
    });
    this._log.hidden = showLog === null;
    this._actions.append(
      this._log,
      this._action(_trans.__('Restart Spark'), kernel =>
        this._change(kernel, _trans.__('Restart Spark'), '%spark restart', lost)
      ),
      this._action(_trans.__('Stop Spark'), kernel =>
        this._change(kernel, _trans.__('Stop Spark'), '%spark stop', `${lost} ${back}`)
      ),
      this._action(_trans.__('Attach to Another Cluster'), kernel => this._attach(kernel, lost))
    );
    _watch.changed.connect(this._draw, this);
    this._draw();
  }

  private _draw(): void {
    const kernel = this._watch.current.kernel;
    const status = kernel?.status;
    this._actions.hidden = !kernel;
    if (!status) {
      this._facts.replaceChildren(element('dd', { text: this._trans.__('Nothing is known yet.') }));
      return;
    }
    const resources = this._watch.resources;
    this._facts.replaceChildren(
      ...factsOf(status, resources, this._trans).flatMap(([name, value]) => [
        element('dt', { text: name }),
        element('dd', { text: value })
      ])
    );
    this._drawLinks(status.links);
    this._drawExecutors(resources);
  }

  private _drawLinks(links: ILink[]): void {
    const text = links.map(one => `${one.text} ${one.url}`).join('\n');
    if (this._links.dataset.links !== text) {
      // Not drawn anew each second, so that a link can be focused and clicked.
      this._links.dataset.links = text;
      this._links.replaceChildren(
        ...links.filter(one => one.url).map(one => link(one.text || one.rel, one.url))
      );
    }
  }

  private _drawExecutors(resources: IResources | null): void {
    const executors = resources?.executors.slice(0, MOST_ROWS) ?? [];
    this._executors.hidden = executors.length === 0;
    const trans = this._trans;
    const heads = [
      trans.__('Executor'),
      trans.__('Host'),
      trans.__('Tasks'),
      '',
      trans.__('Failed'),
      trans.__('Cached data'),
      trans.__('Logs')
    ];
    const head = element('tr', {}, ...heads.map(text => element('th', { text })));
    const rows = executors.map(one => this._executorRow(one));
    const all = (resources?.omittedExecutors ?? 0) + (resources?.executors.length ?? 0);
    const more = all - executors.length;
    if (more > 0) {
      const text = trans.__('and %1 more', countText(more));
      rows.push(element('tr', {}, element('td', { text, attributes: { colspan: '7' } })));
    }
    this._executors.replaceChildren(element('thead', {}, head), element('tbody', {}, ...rows));
  }

  private _executorRow(one: IExecutor): HTMLTableRowElement {
    const cells = [
      one.isActive ? one.id : this._trans.__('%1 (gone)', one.id),
      one.host,
      `${countText(one.activeTasks)} / ${countText(one.cores)}`
    ].map(text => element('td', { text }));
    const line = element('td', {}, sparkline(this._watch.history(one.id), one.cores));
    const rest = [
      countText(one.failedTasks),
      `${sizeText(one.memoryUsed)} / ${sizeText(one.memoryMax)}`
    ].map(text => element('td', { text }));
    const logs = element('td', {}, ...one.logs.map(log => link(log.text, log.url)));
    return element('tr', {}, ...cells, line, ...rest, logs);
  }

  private _action(
    label: string,
    act: (kernel: SparkKernel) => Promise<void>
  ): HTMLButtonElement {
    const button = element('button', {
      className: 'jp-mod-styled jp-mod-reject',
      text: `${label}…`,
      attributes: { type: 'button' }
    });
    button.addEventListener('click', () => {
      const kernel = this._watch.current.kernel;
      // JupyterLab shows one dialog after the other.
      this._close();
      if (kernel) {
        void act(kernel);
      }
    });
    return button;
  }

  /** Run a command that changes the session, for people who know what they lose. */
  private async _change(
    kernel: SparkKernel,
    title: string,
    code: string,
    lost: string
  ): Promise<void> {
    const buttons = [Dialog.cancelButton(), Dialog.warnButton({ label: title })];
    const answer = await showDialog({ title, body: lost, buttons });
    if (answer.button.accept) {
      const { error } = await run(kernel, code);
      if (error) {
        await showErrorMessage(title, error);
      }
    }
  }

  private async _attach(kernel: SparkKernel, lost: string): Promise<void> {
    const title = this._trans.__('Attach to Another Cluster');
    const { printed, error } = await run(kernel, '%spark attach');
    const names = printed.split('\n').filter(name => CLUSTER.test(name));
    if (names.length === 0) {
      await showErrorMessage(title, text(error || printed, 1000));
      return;
    }
    const chosen = await InputDialog.getItem({ title, items: names });
    if (chosen.value && CLUSTER.test(chosen.value)) {
      await this._change(kernel, title, `%spark attach ${chosen.value}`, lost);
    }
  }

  private _log = element('button', {
    className: 'jp-mod-styled jp-mod-reject',
    text: this._trans.__('Driver log'),
    attributes: { type: 'button' }
  });
  private _facts = element('dl');
  private _links = element('div', { className: 'spark-kernel-links' });
  private _executors = element('table');
  private _actions = element('div', { className: 'spark-kernel-actions' });
}

function factsOf(
  status: IStatus,
  resources: IResources | null,
  trans: TranslationBundle
): [string, string][] {
  const { cluster, application, error } = status;
  const metrics = resources?.metrics ?? {};
  const heap = metrics.heap;
  const memory = metrics.storage_memory;
  const share = (metric: typeof heap) =>
    metric && metric.value !== null
      ? joined([sizeText(metric.value), metric.max !== null && `/ ${sizeText(metric.max)}`]).replace(' · ', ' ')
      : '';
  const facts: [string, string][] = [
    [trans.__('Cluster'), joined([cluster.name, cluster.master !== cluster.name && cluster.master])],
    [trans.__('State'), joined([stateText(status.state, trans), status.message])],
    [trans.__('Error'), joined([error?.message, error?.hint])],
    [trans.__('Application'), joined([application.id, application.name])],
    [trans.__('Started'), joined([application.user, application.started])],
    [trans.__('Cached data'), share(memory)],
    [trans.__('Driver memory'), share(heap)],
    [
      trans.__('Versions'),
      joined((resources?.versions ?? []).map(one => `${one.name} ${one.version}`))
    ]
  ];
  return facts.filter(([, value]) => value);
}

/** Draw how many tasks an executor ran, from then to now. */
function sparkline(values: readonly number[], most: number): SVGSVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const drawn = document.createElementNS(space, 'svg');
  drawn.setAttribute('class', 'spark-kernel-sparkline');
  drawn.setAttribute('viewBox', '0 0 60 16');
  drawn.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'polyline');
  const top = Math.max(most, 1, ...values);
  const first = 60 - (values.length - 1) * 2;
  line.setAttribute(
    'points',
    values.map((value, i) => `${first + 2 * i},${(15 - (14 * value) / top).toFixed(1)}`).join(' ')
  );
  drawn.append(line);
  return drawn;
}

/** Run a command of the kernel's, after the cells that wait; tells what it printed, or its error. */
async function run(
  kernel: SparkKernel,
  code: string
): Promise<{ printed: string; error: string }> {
  const future = kernel.connection.requestExecute({ code, store_history: false });
  let printed = '';
  future.onIOPub = message => {
    if (message.header.msg_type === 'stream' && printed.length < LONGEST) {
      printed += String(fields(message.content).text ?? '');
    }
  };
  const content = (await future.done)?.content;
  const error = content?.status === 'error' ? text(`${content.ename}: ${content.evalue}`) : '';
  return { printed, error };
}
