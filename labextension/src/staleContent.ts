/** What the kernel says of the results of a notebook: which are out of date, and why. */

import { Fields, fields, items, text } from './reading';

const MOST_CELLS = 1_000;
const MOST_CHARACTERS = 2_000_000;

/** A code cell as the kernel is to judge it. */
export interface IJudgedCell {
  id: string;
  source: string;
  execution_count: number | null;
  metadata: Fields;
}

/** Whether cells are as many as the kernel judges on the way; otherwise nothing is known of them. */
export function canBeJudged(cells: IJudgedCell[]): boolean {
  const characters = cells.reduce((all, cell) => all + cell.source.length, 0);
  return cells.length <= MOST_CELLS && characters <= MOST_CHARACTERS;
}

/** Read the content of a `spark_stale_reply`: why cells are out of date, by their ids. */
export function readStale(content: unknown): Map<string, string> | null {
  const of = fields(content);
  if (of.status !== 'ok') {
    return null;
  }
  const found = new Map<string, string>();
  for (const one of items(of.cells, MOST_CELLS)) {
    const reasons = items(one.reasons, 5).map(reason => text(reason.text, 300));
    const said = reasons.filter(Boolean).join('; ');
    if (one.verdict === 'stale' && said) {
      found.set(text(one.id, 200), said);
    }
  }
  return found;
}
