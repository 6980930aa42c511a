// Names of columns and of parts that tables of nodes, vertices and hyperedges have in common.

import type { Split } from './splits.js';

/** Columns that may hold a class, the first that there is. */
export const CLASS_COLUMNS = ['label', 'class'];
/** The column of the parts of a split. */
export const SPLIT_COLUMN = 'split';

const parts: Readonly<Record<string, keyof Split>> = {
  ...{ train: 'train', training: 'train' },
  ...{ validation: 'validation', valid: 'validation', val: 'validation', dev: 'validation' },
  ...{ test: 'test', testing: 'test' },
};

/** The part of a split that a text names, in any case of letters; undefined for any other text. */
export function partNamed(text: string): keyof Split | undefined {
  const lower = text.toLowerCase();
  return Object.hasOwn(parts, lower) ? parts[lower] : undefined;
}
