import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

const FOLDER = join(__dirname, '..', 'src');
/** What puts a text before people's eyes, or into their ears, with a text that is written right there. */
const BARE = [
  /\b(?:text|title|label|caption|placeholder)\s*[:=]\s*(['"`])[^'"`$]*[A-Za-z]{2}[^'"`]*\1/,
  /'aria-label'\s*[,:]\s*(['"`])[^'"`]*[A-Za-z]{2}/,
  /\bsetText\([^,]+,\s*(['"`])[^'"`]*[A-Za-z]{2}/,
  /\btextContent\s*=\s*(['"`])[^'"`]*[A-Za-z]{2}/,
  /\bshowErrorMessage\(\s*(['"`])/
];

describe('what people read', () => {
  it('can be translated: it goes through the bundle', () => {
    const bare = readdirSync(FOLDER).flatMap(name =>
      readFileSync(join(FOLDER, name), 'utf8')
        .split('\n')
        .filter(line => BARE.some(pattern => pattern.test(line)))
        .map(line => `${name}: ${line.trim()}`)
    );
    expect(bare).toEqual([]);
  });

  it('is markup nowhere', () => {
    const parsed = readdirSync(FOLDER).filter(name =>
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(
        readFileSync(join(FOLDER, name), 'utf8')
      )
    );
    expect(parsed).toEqual([]);
  });
});
