/** What people have chosen in the settings editor; the defaults where there is no registry. */

import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ISignal, Signal } from '@lumino/signaling';

import { amount, Fields, fields, word } from './reading';

export interface IStatusChoices {
  isShown: boolean;
  /** Every how many seconds a kernel is asked, while it works and while it rests. */
  working: number;
  resting: number;
}

export const OPENINGS = ['running', 'always', 'never'] as const;

export interface IProgressChoices {
  /** Whether progress is drawn here; otherwise it is the kernel's own HTML. */
  isLive: boolean;
  /** When jobs and stages are open without a click. */
  open: (typeof OPENINGS)[number];
}

export interface IProvenanceChoices {
  isWritten: boolean;
  hasLines: boolean;
  hasMarks: boolean;
}

/** Read the settings of the status. */
export function statusChoices(of: Fields): IStatusChoices {
  return {
    isShown: of.showCluster !== false,
    working: within(of.secondsAtWork, 2, 1, 60),
    resting: within(of.secondsAtRest, 60, 10, 3600)
  };
}

/** Read the settings of the progress. */
export function progressChoices(of: Fields): IProgressChoices {
  return { isLive: of.live !== false, open: word(of.open, OPENINGS) };
}

/** Read the settings of provenance. */
export function provenanceChoices(of: Fields): IProvenanceChoices {
  return {
    isWritten: of.writeRecords !== false,
    hasLines: of.showLines !== false,
    hasMarks: of.showMarks !== false
  };
}

function within(value: unknown, usual: number, least: number, most: number): number {
  return Math.min(Math.max(amount(value) ?? usual, least), most);
}

/** The choices of one plugin, as they are now. */
export class Preferences<T> {
  constructor(
    private _read: (of: Fields) => T,
    registry: ISettingRegistry | null,
    plugin: string
  ) {
    this._now = _read({});
    if (registry) {
      void this._follow(registry, plugin);
    }
  }

  get now(): T {
    return this._now;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private async _follow(registry: ISettingRegistry, plugin: string): Promise<void> {
    try {
      const settings = await registry.load(plugin);
      settings.changed.connect(() => this._take(settings));
      this._take(settings);
    } catch (error) {
      console.warn(`The settings of ${plugin} could not be read; its defaults hold.`, error);
    }
  }

  private _take(settings: ISettingRegistry.ISettings): void {
    this._now = this._read(fields(settings.composite));
    this._changed.emit();
  }

  private _now: T;
  private _changed = new Signal<this, void>(this);
}
