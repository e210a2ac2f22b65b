/** Opens the driver log of a kernel: one panel for each, below the notebook. */

import { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { SparkKernel } from './kernel';
import { ILogPosition } from './logContent';
import { LogPanel } from './logPanel';

export class LogPanels {
  constructor(
    private _app: JupyterFrontEnd,
    private _labShell: ILabShell | null,
    private _trans: TranslationBundle
  ) {}

  /**
   * Show the log of a kernel's driver.
   *
   * @param notebook the notebook below which a new panel opens
   * @param position the place to show; null for the end
   */
  open(kernel: SparkKernel, notebook: Widget, position: ILogPosition | null = null): void {
    let panel = this._panels.get(kernel.connection.id);
    if (!panel || panel.isDisposed) {
      const made = new LogPanel(kernel, notebook.title.label, this._trans);
      panel = made;
      this._panels.set(kernel.connection.id, made);
      made.disposed.connect(() => {
        if (this._panels.get(kernel.connection.id) === made) {
          this._panels.delete(kernel.connection.id);
        }
      });
      this._add(made, notebook);
    }
    this._app.shell.activateById(panel.id);
    panel.lookAt(position);
  }

  private _add(panel: LogPanel, notebook: Widget): void {
    if (this._labShell) {
      this._labShell.add(panel, 'main', { mode: 'split-bottom', ref: notebook.id });
    } else {
      // Notebook 7 has one document to a page, and a place below it.
      this._app.shell.add(panel, 'down');
    }
  }

  private _panels = new Map<string, LogPanel>();
}
