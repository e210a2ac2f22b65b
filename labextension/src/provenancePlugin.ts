/** The plugin that keeps the record of each run with its cell, where the kernel is in provenance mode. */

import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { DisposableDelegate } from '@lumino/disposable';

import { RecordWriter } from './cellRecords';
import { SparkKernels } from './kernel';
import { Preferences, provenanceChoices } from './preferences';
import { recordFactory } from './recordLine';
import { CellNotes } from './cellNotes';
import { Recorder } from './recorder';
import { SessionKernel } from './sessionKernel';
import { Staleness } from './staleness';
import { SummaryWriter } from './summaryWriter';
import { CATEGORY, DOMAIN } from './words';

const ID = '@spark-kernel/labextension:provenance';

namespace CommandIds {
  export const strip = 'spark-kernel:strip-records';
}

/** Make the plugin. */
export function provenancePlugin(
  kernels: SparkKernels,
  writer: RecordWriter
): JupyterFrontEndPlugin<void> {
  return {
    id: ID,
    description: 'Keeps the record of each run with its cell, where the kernel is in provenance mode.',
    autoStart: true,
    requires: [INotebookTracker, IRenderMimeRegistry],
    optional: [ICommandPalette, ITranslator, ISettingRegistry],
    activate: (
      app: JupyterFrontEnd,
      tracker: INotebookTracker,
      rendermime: IRenderMimeRegistry,
      palette: ICommandPalette | null,
      translator: ITranslator | null,
      registry: ISettingRegistry | null
    ) => {
      const trans = (translator ?? nullTranslator).load(DOMAIN);
      const choices = new Preferences(provenanceChoices, registry, ID);
      writer.begin(choices);
      rendermime.addFactory(recordFactory(choices, trans));
      app.docRegistry.addWidgetExtension('Notebook', {
        createNew: (panel: NotebookPanel) => {
          const session = new SessionKernel(panel.sessionContext, kernels);
          const summary = new SummaryWriter(panel);
          const staleness = new Staleness(panel, session);
          const parts = [
            new Recorder(panel, session, writer, summary),
            new CellNotes(panel, staleness, choices, trans),
            staleness,
            summary,
            session
          ];
          return new DisposableDelegate(() => parts.forEach(part => part.dispose()));
        }
      });
      app.commands.addCommand(CommandIds.strip, {
        label: trans.__('Remove All Run Records from Notebook'),
        caption: trans.__('Remove the records that provenance mode has put into this notebook'),
        isEnabled: () => tracker.currentWidget?.content.model?.readOnly === false,
        execute: () => {
          const model = tracker.currentWidget?.content.model;
          return model ? writer.strip(model) : 0;
        }
      });
      palette?.addItem({ command: CommandIds.strip, category: CATEGORY });
    }
  };
}
