/** The plugins: what is shown of a kernel "PySpark (cluster)" in JupyterLab and Notebook 7. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CurrentKernel } from './current';
import { SparkKernels } from './kernel';
import { StatusItem } from './statusItem';
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

const kernels = new SparkKernels();

export default [status];
