/** The plugins: what is shown of a kernel "PySpark (cluster)" in JupyterLab and Notebook 7. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import { NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableDelegate } from '@lumino/disposable';

import { RecordWriter } from './cellRecords';
import { SparkKernels } from './kernel';
import { logPlugin } from './logPlugin';
import { Preferences, progressChoices } from './preferences';
import { offerProgress } from './progressRenderer';
import { provenancePlugin } from './provenancePlugin';
import { SessionKernel } from './sessionKernel';
import { statusPlugin } from './statusPlugin';
import { StrangerOutputs } from './strangerOutputs';
import { DOMAIN } from './words';

const kernels = new SparkKernels();
const writer = new RecordWriter();

const progress: JupyterFrontEndPlugin<void> = {
  id: '@spark-kernel/labextension:progress',
  description: 'Shows what the Spark jobs of a cell do, and cancels them.',
  autoStart: true,
  optional: [ITranslator, ISettingRegistry, IConsoleTracker],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    registry: ISettingRegistry | null,
    consoles: IConsoleTracker | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const choices = new Preferences(progressChoices, registry, progress.id);
    // What is neither a notebook nor a console shows the kernel's own HTML, which is live too.
    consoles?.widgetAdded.connect((_, panel: ConsolePanel) => {
      const session = new SessionKernel(panel.sessionContext, kernels);
      const offer = offerProgress(panel.console.rendermime, session, choices, trans);
      panel.disposed.connect(() => {
        offer.dispose();
        session.dispose();
      });
    });
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => {
        const session = new SessionKernel(panel.sessionContext, kernels);
        const offer = offerProgress(panel.content.rendermime, session, choices, trans);
        const strangers = new StrangerOutputs(
          panel,
          session,
          app.serviceManager.sessions,
          writer
        );
        return new DisposableDelegate(() => {
          offer.dispose();
          strangers.dispose();
          session.dispose();
        });
      }
    });
  }
};

export default [statusPlugin(kernels), progress, provenancePlugin(kernels, writer), logPlugin(kernels)];
