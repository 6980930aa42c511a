// Labelled texts in a table: known ones, and files.

import { readUnpackedText } from './files.js';
import { hasDataset, locateDataset } from './folders.js';
import { readCsv } from './formats/index.js';
import { classesOf, columnFinder } from './node-tables.js';

/** Texts with a class each. */
export interface LabelledTexts {
  /** Known name or path. */
  readonly name: string;
  /** The texts. */
  readonly texts: readonly string[];
  /** Class of each text: an index into `classes`. */
  readonly labels: Int32Array;
  /** Names of the classes, ascending. */
  readonly classes: readonly string[];
}

/** Whether a known set of labelled texts lies on this machine. */
export function hasLabelledTexts(name: string): boolean {
  return hasDataset(name, 'labelled-texts');
}

/**
 * A known set, or a table (.csv, .tsv, also .gz) with the columns `label` and `text`.
 *
 * @throws Error when it is neither, when a column is missing, or naming the line without a label
 */
export function loadLabelledTexts(source: string): LabelledTexts {
  const { path } = locateDataset(source, 'labelled-texts');
  const table = readCsv(readUnpackedText(path), path);
  const at = columnFinder(table);
  const [label, text] = [at('label'), at('text')];
  if (label < 0 || text < 0)
    throw new Error(`"${path}": labelled texts need the columns label and text, got ${table.columns.join(', ')}`);
  const { labels, names } = classesOf(table, label);
  const missing = labels.indexOf(-1);
  if (missing >= 0) throw new Error(`"${path}", line ${missing + 2}: the text has no label`);
  return { name: source, texts: table.rows.map((row) => row[text] as string), labels, classes: names };
}
