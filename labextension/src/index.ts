/** The plugins: what is shown of a kernel "PySpark (cluster)" in JupyterLab and Notebook 7. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableDelegate } from '@lumino/disposable';

import { showCard } from './card';
import { stripNotebook } from './cellRecords';
import { CurrentKernel } from './current';
import { SparkKernels } from './kernel';
import { logPlugin, SHOW_LOG } from './logPlugin';
import { progressFactory } from './progressRenderer';
import { Recorder } from './recorder';
import { SessionKernel } from './sessionKernel';
import { StaleMarks } from './staleMarks';
import { StatusItem } from './statusItem';
import { StrangerOutputs } from './strangerOutputs';
import { ResourceWatch } from './watch';

const DOMAIN = 'spark_kernel';
const CATEGORY = 'Spark';

namespace CommandIds {
  export const card = 'spark-kernel:show-cluster';
  export const cancel = 'spark-kernel:cancel-all';
  export const strip = 'spark-kernel:strip-records';
}

const status: JupyterFrontEndPlugin<void> = {
  id: '@spark-kernel/labextension:status',
  description: 'Shows the cluster of the current notebook, and what it does.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IStatusBar, ICommandPalette, IMainMenu, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    statusBar: IStatusBar | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const watch = new ResourceWatch(new CurrentKernel(tracker, kernels));
    const showLog = () => void app.commands.execute(SHOW_LOG);
    const open = () => showCard(watch, trans, app.commands.hasCommand(SHOW_LOG) ? showLog : null);
    const item = () => new StatusItem(watch, trans, () => void open());
    app.commands.addCommand(CommandIds.card, {
      label: trans.__('Show Spark Cluster'),
      caption: trans.__('Show the cluster of this notebook, its executors and its links'),
      isEnabled: () => watch.current.kernel !== null,
      execute: open
    });
    app.commands.addCommand(CommandIds.cancel, {
      label: trans.__('Cancel All Spark Jobs'),
      caption: trans.__('Cancel every job and streaming query of this notebook'),
      isEnabled: () => watch.current.kernel !== null,
      execute: async () => {
        const why = await watch.current.kernel?.cancel('all', null);
        return why && showErrorMessage(trans.__('Cancel All Spark Jobs'), why);
      }
    });
    for (const command of [CommandIds.card, CommandIds.cancel]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    menu?.kernelMenu.addGroup(
      [CommandIds.card, CommandIds.cancel].map(command => ({ command })),
      60
    );
    watch.changed.connect(() => app.commands.notifyCommandChanged(CommandIds.card));
    if (statusBar) {
      const shown = item();
      statusBar.registerStatusItem(status.id, {
        item: shown,
        align: 'left',
        rank: 5,
        isActive: () => shown.isActive,
        activeStateChanged: shown.activeChanged
      });
    } else {
      tracker.widgetAdded.connect((_, panel) => {
        panel.toolbar.insertBefore('kernelName', 'spark-kernel-status', item());
      });
    }
  }
};

const progress: JupyterFrontEndPlugin<void> = {
  id: '@spark-kernel/labextension:progress',
  description: 'Shows what the Spark jobs of a cell do, and cancels them.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    rendermime.addFactory(progressFactory(null, trans));
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => {
        const session = new SessionKernel(panel.sessionContext, kernels);
        panel.content.rendermime.addFactory(progressFactory(session, trans));
        const strangers = new StrangerOutputs(panel, session, app.serviceManager.sessions);
        return new DisposableDelegate(() => {
          strangers.dispose();
          session.dispose();
        });
      }
    });
  }
};

const provenance: JupyterFrontEndPlugin<void> = {
  id: '@spark-kernel/labextension:provenance',
  description: 'Keeps the record of each run with its cell, where the kernel is in provenance mode.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => {
        const session = new SessionKernel(panel.sessionContext, kernels);
        const parts = [new Recorder(panel, session), new StaleMarks(panel, trans), session];
        return new DisposableDelegate(() => parts.forEach(part => part.dispose()));
      }
    });
    app.commands.addCommand(CommandIds.strip, {
      label: trans.__('Remove All Run Records from Notebook'),
      caption: trans.__('Remove the records that provenance mode has put into this notebook'),
      isEnabled: () => tracker.currentWidget?.content.model?.readOnly === false,
      execute: () => {
        const model = tracker.currentWidget?.content.model;
        return model ? stripNotebook(model) : 0;
      }
    });
    palette?.addItem({ command: CommandIds.strip, category: CATEGORY });
  }
};

const kernels = new SparkKernels();

export default [status, progress, provenance, logPlugin(kernels, DOMAIN, CATEGORY)];
