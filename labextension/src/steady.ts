/**
 * Keeps the page steady while it is drawn anew: a node that is moved or taken out loses the focus and
 * a press on it, and a notebook whose focus is nowhere hears no key.
 */

/** Make nodes the children of a list, in their order, and move as few as can be. */
export function place(list: Element, nodes: readonly Element[]): void {
  const ranks = new Map(nodes.map((node, i) => [node, i]));
  const there: number[] = [];
  for (const child of [...list.children]) {
    const rank = ranks.get(child);
    if (rank === undefined) {
      child.remove();
    } else {
      there.push(rank);
    }
  }
  const staying = longestRise(there);
  let next: Element | null = null;
  for (let i = nodes.length - 1; i >= 0; i--) {
    if (!staying.has(i)) {
      list.insertBefore(nodes[i], next);
    }
    next = nodes[i];
  }
}

/** Find the most of different numbers that can stay where they are, when all are to rise. */
export function longestRise(numbers: readonly number[]): Set<number> {
  /** Of each rise that ends at a place: how long it is, and the place before. */
  const rises: [number, number][] = [];
  let best = -1;
  numbers.forEach((number, i) => {
    rises[i] = [1, -1];
    // The most often everything is in order, and the first look backwards is enough.
    for (let before = i - 1; before >= 0 && rises[i][0] <= before + 1; before--) {
      if (numbers[before] < number && rises[before][0] >= rises[i][0]) {
        rises[i] = [rises[before][0] + 1, before];
      }
    }
    if (best < 0 || rises[i][0] > rises[best][0]) {
      best = i;
    }
  });
  const found = new Set<number>();
  for (let i = best; i >= 0; i = rises[i][1]) {
    found.add(numbers[i]);
  }
  return found;
}

/**
 * Change a part of the page; what has the focus in it keeps it, as long as it can be seen.
 *
 * @param stand what gets the focus else
 */
export function keepFocus(part: HTMLElement, change: () => void, stand: () => HTMLElement): void {
  const focused = part.ownerDocument.activeElement;
  const had = focused instanceof HTMLElement && part.contains(focused) ? focused : null;
  change();
  if (had && (part.ownerDocument.activeElement !== had || !isSeen(had))) {
    (isSeen(had) ? had : stand()).focus({ preventScroll: true });
  }
}

function isSeen(node: HTMLElement): boolean {
  return node.isConnected && node.checkVisibility({ visibilityProperty: true });
}
