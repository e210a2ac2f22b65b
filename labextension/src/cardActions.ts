/** What the cluster card can do: start, restart, stop, attach; each says before what is lost. */

import { Dialog, InputDialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { Action, lossText } from './cardFacts';
import { IDetails } from './detailsContent';
import { element } from './dom';
import { SparkKernel } from './kernel';
import { text } from './reading';

/** Name an action. */
export function actionLabel(action: Action, trans: TranslationBundle): string {
  switch (action) {
    case 'start':
      return trans.__('Start Spark');
    case 'restart':
      return trans.__('Restart Spark');
    case 'stop':
      return trans.__('Stop Spark');
    case 'attach':
      return trans.__('Attach to Another Cluster');
  }
}

/**
 * Do something with the session of a kernel, after a person has agreed.
 *
 * @param details asks which clusters there are
 */
export async function act(
  action: Action,
  kernel: SparkKernel,
  details: () => Promise<IDetails | null>,
  trans: TranslationBundle
): Promise<void> {
  const title = actionLabel(action, trans);
  const name = action === 'attach' ? await chosenCluster(await details(), title, trans) : '';
  if (name === null) {
    return;
  }
  // After a reload a page does not know until the kernel is idle.
  const isBusy = kernel.connection.status !== 'idle';
  const lost = lossText(action, kernel.status?.state ?? 'unknown', isBusy, trans);
  if (lost.length > 0 && !(await isAgreed(title, name, lost))) {
    return;
  }
  const why = await run(kernel, commandOf(action, name), trans);
  if (why) {
    await showErrorMessage(title, why);
  }
}

function commandOf(action: Action, cluster: string): string {
  switch (action) {
    case 'stop':
      return '%spark stop';
    case 'attach':
      return `%spark attach ${cluster}`;
    default:
      // It starts Spark also where there is none.
      return '%spark restart';
  }
}

async function chosenCluster(
  details: IDetails | null,
  title: string,
  trans: TranslationBundle
): Promise<string | null> {
  const names = details?.clusters ?? [];
  if (names.length === 0) {
    const none = trans.__('No cluster is named yet; `spark-kernel clusters --help` tells how.');
    const silent = trans.__('The kernel did not answer.');
    await showErrorMessage(title, details ? details.problem || none : silent);
    return null;
  }
  const chosen = await InputDialog.getItem({ title, label: trans.__('Cluster'), items: names });
  // A name that somebody typed is no name that the kernel gave.
  return chosen.button.accept && names.includes(chosen.value ?? '') ? chosen.value : null;
}

async function isAgreed(title: string, name: string, lost: string[]): Promise<boolean> {
  const body = new Widget({
    node: element('div', {}, ...lost.map(said => element('p', { text: said })))
  });
  body.addClass('spark-kernel-loss');
  const buttons = [Dialog.cancelButton(), Dialog.warnButton({ label: title })];
  const shown = name ? `${title}: ${name}` : title;
  return (await showDialog({ title: shown, body, buttons })).button.accept;
}

/** Run a command of the kernel's after the cells that wait; gives why it failed, or an empty text. */
async function run(kernel: SparkKernel, code: string, trans: TranslationBundle): Promise<string> {
  try {
    // A failure here is none of the user's cells, which go on.
    const request = { code, store_history: false, stop_on_error: false };
    const content = (await kernel.connection.requestExecute(request).done)?.content;
    return content?.status === 'error' ? text(`${content.ename}: ${content.evalue}`, 1000) : '';
  } catch {
    return trans.__('The kernel ended before this was done.');
  }
}
