// Patterns that have names.

import { type NamedPattern, parsePattern } from './pattern.js';

/** Edges of patterns by name. */
export const namedPatterns: Readonly<Record<string, string>> = {
  edge: 'ab',
  'path-3': 'ab bc',
  'path-4': 'ab bc cd',
  'star-4': 'ab ac ad',
  triangle: 'ab bc ca',
  'cycle-4': 'ab bc cd da',
  'cycle-5': 'ab bc cd de ea',
  'cycle-6': 'ab bc cd de ef fa',
  'tailed-triangle': 'ab bc ca ad',
  'chordal-cycle-4': 'ab bc cd da ac',
  bull: 'ab bc ca ad be',
  house: 'ab bc cd da ae be',
  'clique-4': 'ab ac ad bc bd cd',
  'clique-5': 'ab ac ad ae bc bd be cd ce de',
};

/**
 * A pattern by its name, such as `triangle`, or by its edges, as `parsePattern` reads them.
 *
 * @param red names of the red nodes
 * @throws Error for text that is neither, with the names that there are
 */
export function patternNamed(text: string, red: readonly string[] = []): NamedPattern {
  const known = namedPatterns[text.trim().toLowerCase()];
  if (known !== undefined) return parsePattern(known, red);
  // A single word is an edge only where it is short: `cycle-9` is not one between "cycle" and "9".
  const isName = /^[^\s,;]{3,}$/.test(text.trim()) && !/^[^-]{1,2}-[^-]{1,2}$/.test(text.trim());
  if (isName)
    throw new Error(
      `pattern: there is no "${text}"; write edges such as "ab bc ca", or one of ${Object.keys(namedPatterns).join(', ')}`,
    );
  return parsePattern(text, red);
}
