/** The plugin that shows the cluster of the current notebook, and what it does. */

import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage, WidgetTracker } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { cancelNews } from './cancelling';
import { ClusterCard } from './card';
import { CurrentKernel } from './current';
import { SparkKernels } from './kernel';
import { Preferences, statusChoices } from './preferences';
import { StatusItem } from './statusItem';
import { ResourceWatch } from './watch';
import { CATEGORY, DOMAIN } from './words';

const ID = '@spark-kernel/labextension:status';

namespace CommandIds {
  export const card = 'spark-kernel:show-cluster';
  export const cancel = 'spark-kernel:cancel-all';
}

/** Make the plugin. */
export function statusPlugin(kernels: SparkKernels): JupyterFrontEndPlugin<void> {
  return {
    id: ID,
    description: 'Shows the cluster of the current notebook, and what it does.',
    autoStart: true,
    requires: [INotebookTracker],
    optional: [
      IStatusBar,
      ICommandPalette,
      IMainMenu,
      ITranslator,
      ISettingRegistry,
      ILayoutRestorer
    ],
    activate: (
      app: JupyterFrontEnd,
      tracker: INotebookTracker,
      statusBar: IStatusBar | null,
      palette: ICommandPalette | null,
      menu: IMainMenu | null,
      translator: ITranslator | null,
      registry: ISettingRegistry | null,
      restorer: ILayoutRestorer | null
    ) => {
      const trans = (translator ?? nullTranslator).load(DOMAIN);
      const choices = new Preferences(statusChoices, registry, ID);
      const watch = new ResourceWatch(new CurrentKernel(tracker, kernels), choices);
      const cards = new WidgetTracker<ClusterCard>({ namespace: ClusterCard.ID });
      const place = new CardPlace(app, cards, () => new ClusterCard(watch, app.commands, trans));
      app.commands.addCommand(CommandIds.card, {
        label: trans.__('Show Spark Cluster'),
        caption: trans.__('Show the cluster of this notebook, its executors and its links'),
        isEnabled: () => watch.current.kernel !== null,
        isToggled: () => place.isShown,
        execute: args => place.show(args)
      });
      app.commands.addCommand(CommandIds.cancel, {
        label: trans.__('Cancel All Spark Jobs'),
        caption: trans.__('Cancel every job that runs for this notebook'),
        isEnabled: () => watch.current.kernel !== null,
        execute: async () => {
          const answer = await watch.current.kernel?.cancel('all', null);
          const none = trans.__('No Spark job was running.');
          const news = answer && cancelNews(answer, '', none, trans);
          if (news && !news.isGood) {
            await showErrorMessage(trans.__('Cancel All Spark Jobs'), news.text);
          }
        }
      });
      for (const command of Object.values(CommandIds)) {
        palette?.addItem({ command, category: CATEGORY });
        watch.current.changed.connect(() => app.commands.notifyCommandChanged(command));
      }
      const toggle = { command: CommandIds.card, args: { isToggle: true } };
      menu?.kernelMenu.addGroup([toggle, { command: CommandIds.cancel }], 60);
      void restorer?.restore(cards, {
        command: CommandIds.card,
        args: () => ({ isRestored: true }),
        name: () => ClusterCard.ID
      });
      const open = () => void app.commands.execute(CommandIds.card, { isToggle: true });
      const item = () => new StatusItem(watch, choices, trans, open);
      if (statusBar) {
        const shown = item();
        statusBar.registerStatusItem(ID, {
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
}

/** Where the card is: beside the notebook, from the first time on that somebody wants to see it. */
class CardPlace {
  constructor(
    private _app: JupyterFrontEnd,
    private _cards: WidgetTracker<ClusterCard>,
    private _make: () => ClusterCard
  ) {}

  get isShown(): boolean {
    return this._card?.isVisible ?? false;
  }

  /**
   * Show the card.
   *
   * @param args with `isToggle` one that is shown is put away; with `isRestored` it is where it was
   * when the page was left, and not opened
   */
  async show(args: { isToggle?: unknown; isRestored?: unknown }): Promise<void> {
    if (args.isToggle && this.isShown) {
      return this._putAway();
    }
    if (!this._card || this._card.isDisposed) {
      this._card = this._make();
      this._app.shell.add(this._card, 'right', { rank: 900 });
      await this._cards.add(this._card);
    }
    if (!args.isRestored) {
      this._app.shell.activateById(this._card.id);
    }
  }

  private _putAway(): void {
    // Notebook 7's shell has these too; people may have moved the card to the left.
    const shell = this._app.shell as JupyterFrontEnd.IShell & Partial<ILabShell>;
    const isRight = [...shell.widgets('right')].includes(this._card as ClusterCard);
    if (isRight) {
      shell.collapseRight?.();
    } else {
      shell.collapseLeft?.();
    }
  }

  private _card: ClusterCard | null = null;
}
