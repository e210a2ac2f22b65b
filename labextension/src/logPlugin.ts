/** The plugin for the driver's log, and for errors that lead to it. */

import { ILabShell, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CurrentKernel } from './current';
import { errorFactory } from './errorRenderer';
import { FoldMemory } from './foldMemory';
import { SparkKernels } from './kernel';
import { LogPanels } from './logPanels';
import { SessionKernel } from './sessionKernel';
import { CATEGORY, DOMAIN, SHOW_LOG } from './words';

/** Make the plugin. */
export function logPlugin(kernels: SparkKernels): JupyterFrontEndPlugin<void> {
  return {
    id: '@spark-kernel/labextension:log',
    description: 'Shows the log of the Spark driver, also from an error.',
    autoStart: true,
    requires: [INotebookTracker, IRenderMimeRegistry],
    optional: [ILabShell, ICommandPalette, IMainMenu, ITranslator],
    activate: (
      app: JupyterFrontEnd,
      tracker: INotebookTracker,
      rendermime: IRenderMimeRegistry,
      labShell: ILabShell | null,
      palette: ICommandPalette | null,
      menu: IMainMenu | null,
      translator: ITranslator | null
    ) => {
      const trans = (translator ?? nullTranslator).load(DOMAIN);
      const panels = new LogPanels(app, labShell, trans);
      const current = new CurrentKernel(tracker, kernels);
      app.commands.addCommand(SHOW_LOG, {
        label: trans.__('Show Driver Log'),
        caption: trans.__('Show the log of the Spark driver of this notebook'),
        isEnabled: () => current.kernel !== null,
        execute: () => {
          const { kernel, panel } = current;
          return kernel && panel && panels.open(kernel, panel);
        }
      });
      palette?.addItem({ command: SHOW_LOG, category: CATEGORY });
      menu?.kernelMenu.addItem({ command: SHOW_LOG, rank: 61 });
      current.changed.connect(() => app.commands.notifyCommandChanged(SHOW_LOG));
      const folds = new FoldMemory(storage());
      const openLog = () => undefined;
      rendermime.addFactory(errorFactory({ rendermime, session: null, folds, openLog, trans }));
      app.docRegistry.addWidgetExtension('Notebook', {
        createNew: (panel: NotebookPanel) => {
          const session = new SessionKernel(panel.sessionContext, kernels);
          const { rendermime } = panel.content;
          rendermime.addFactory(
            errorFactory({
              rendermime,
              session,
              folds,
              openLog: (kernel, position) => panels.open(kernel, panel, position),
              trans
            })
          );
          return session;
        }
      });
    }
  };
}

/** Give the storage of the browser; null where pages may not have it. */
function storage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}
