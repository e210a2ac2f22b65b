/** Remembers which folds of errors a person has opened: for each cell, and as a habit. */

import { fields } from './reading';

const NAME = 'spark-kernel:folds';
const MOST_CELLS = 300;
const MOST_FOLDS = 40;
const LONGEST = 100;

/** What keeps texts by name, as the storage of a browser does. */
export interface IKeeper {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

type Folds = Map<string, boolean>;

export class FoldMemory {
  /** @param keeper where it outlives the page; the notebook itself is left alone */
  constructor(private _keeper: IKeeper | null) {
    try {
      const kept = fields(JSON.parse(_keeper?.getItem(NAME) ?? '{}'));
      for (const [cell, folds] of Object.entries(fields(kept.cells)).slice(-MOST_CELLS)) {
        this._cells.set(cell, readFolds(folds));
      }
      this._habits = readFolds(kept.habits);
    } catch {
      // What another version, or a person, has left there.
    }
  }

  /**
   * Whether a fold was left open; null where nobody has touched one like it.
   *
   * @param fold its name in the cell
   * @param kind what a person opens by habit; empty for a fold that is none
   */
  isOpen(cell: string, fold: string, kind: string): boolean | null {
    return this._cells.get(cell)?.get(fold) ?? this._habits.get(kind) ?? null;
  }

  /** Note that a person has opened or closed a fold. */
  set(cell: string, fold: string, kind: string, isOpen: boolean): void {
    if (cell) {
      const folds: Folds = this._cells.get(cell) ?? new Map();
      put(folds, fold, isOpen, MOST_FOLDS);
      put(this._cells, cell, folds, MOST_CELLS);
    }
    if (kind) {
      put(this._habits, kind, isOpen, MOST_FOLDS);
    }
    this._keep();
  }

  private _keep(): void {
    const cells = Object.fromEntries(
      [...this._cells].map(([cell, folds]) => [cell, Object.fromEntries(folds)])
    );
    try {
      const habits = Object.fromEntries(this._habits);
      this._keeper?.setItem(NAME, JSON.stringify({ cells, habits }));
    } catch {
      // A full or forbidden storage: it is remembered as long as the page lives.
    }
  }

  private _cells = new Map<string, Folds>();
  private _habits: Folds = new Map();
}

/** Tell the kind of a fold from its title: numbers and classes make no kind of their own. */
export function kindOf(title: string): string {
  return title
    .replace(/^\d+: /, '')
    .replace(/[:\d(].*$/s, '')
    .trim()
    .slice(0, LONGEST);
}

/** Put a value last, and let the first go where there are too many. */
function put<T>(of: Map<string, T>, key: string, value: T, most: number): void {
  of.delete(key);
  of.set(key.slice(0, LONGEST), value);
  if (of.size > most) {
    of.delete(of.keys().next().value as string);
  }
}

function readFolds(value: unknown): Folds {
  const found = Object.entries(fields(value)).slice(-MOST_FOLDS);
  return new Map(found.map(([name, isOpen]) => [name, isOpen === true]));
}
