/** The plugins: what is shown of a kernel "PySpark (cluster)" in JupyterLab and Notebook 7. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableDelegate } from '@lumino/disposable';

import { CurrentKernel } from './current';
import { SparkKernels } from './kernel';
import { progressFactory } from './progressRenderer';
import { SessionKernel } from './sessionKernel';
import { StatusItem } from './statusItem';
import { StrangerOutputs } from './strangerOutputs';
import { ResourceWatch } from './watch';

const DOMAIN = 'spark_kernel';

const status: JupyterFrontEndPlugin<void> = {
  id: '@spark-kernel/labextension:status',
  description: 'Shows the cluster of the current notebook, and what it does.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IStatusBar, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const watch = new ResourceWatch(new CurrentKernel(tracker, kernels));
    const item = () => new StatusItem(watch, trans, () => undefined);
    if (statusBar) {
      statusBar.registerStatusItem(status.id, { item: item(), align: 'left', rank: 5 });
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
        const strangers = new StrangerOutputs(panel, session);
        return new DisposableDelegate(() => {
          strangers.dispose();
          session.dispose();
        });
      }
    });
  }
};

const kernels = new SparkKernels();

export default [status, progress];
