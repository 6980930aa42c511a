// Items and clicks from tables.

import type { Column, ColumnTable } from '../../data/index.js';
import { ClickLog } from './click-log.js';
import type { CatalogueItem, ItemLibrary } from './domain.js';

const CREATORS = ['creator', 'artist', 'author'];

/** Columns of tables of items and clicks that are names, whatever they look like. */
export const namedColumns: readonly string[] = ['id', 'title', 'tags', 'node', 'query', 'item', ...CREATORS];

/**
 * Items from a table with the columns `id` and `title`, and `creator` (or `artist`, `author`) and
 * `tags` where there are any; tags stand between semicolons, bars or commas.
 *
 * @throws Error naming a column that is missing, or the first row without id or title
 */
export function itemsOfTable(table: ColumnTable): CatalogueItem[] {
  const [ids, titles] = [textsOf(table, 'id'), textsOf(table, 'title')];
  const name = CREATORS.find((column) => table.columns.some((own) => own.name === column));
  const creators = name === undefined ? [] : textsOf(table, name);
  const tags = table.columns.some((own) => own.name === 'tags') ? textsOf(table, 'tags') : [];
  return ids.map((id, row) => ({
    id: valueAt(id, 'id', row),
    title: valueAt(titles[row], 'title', row),
    creator: creators[row],
    tags: tagsOf(tags[row] ?? ''),
  }));
}

const tagsOf = (text: string) =>
  text
    .split(/[;|,]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');

/**
 * A click log from a table with the columns `node`, `query` and `item`, and `sequence` where clicks
 * of a node are not in order. Items that the library lacks are known by their identifier alone.
 *
 * @throws Error naming a column that is missing, a field that is empty, a sequence that is not an
 * integer from 1 or occurs twice
 */
export function clicksOfTable(table: ColumnTable, library: ItemLibrary): ClickLog {
  const log = new ClickLog();
  const columns = ['node', 'query', 'item'].map((name) => textsOf(table, name));
  const sequences = table.columns.find(({ name }) => name === 'sequence');
  const last = new Map<string, number>();
  for (let row = 0; row < table.rows; row++) {
    const [author, query, item] = ['node', 'query', 'item'].map((name, at) =>
      valueAt(columns[at]?.[row], name, row),
    ) as [string, string, string];
    const sequence = sequences ? Number(sequences.values[row]) : (last.get(author) ?? 0) + 1;
    last.set(author, sequence);
    if (!(Number.isSafeInteger(sequence) && sequence >= 1))
      throw new Error(`the sequence in row ${row + 1} is "${sequences?.values[row]}"; expected an integer from 1`);
    const { title, tags } = library.get(item) ?? { title: item, tags: [] };
    const term = library.domain.normalise(query);
    if (!log.append({ author, sequence, term, item, title, tags, time: row }))
      throw new Error(`row ${row + 1} is another click ${sequence} of the node "${author}"`);
  }
  return log;
}

function textsOf({ columns }: ColumnTable, name: string): (string | undefined)[] {
  const column: Column | undefined = columns.find((own) => own.name === name);
  if (!column)
    throw new Error(`no column "${name}"; the table has ${columns.map((own) => `"${own.name}"`).join(', ')}`);
  return Array.from(column.values as ArrayLike<string | number | undefined>, (value) =>
    value === undefined || Number.isNaN(value) ? undefined : String(value),
  );
}

function valueAt(value: string | undefined, name: string, row: number): string {
  if (value === undefined || value.trim() === '') throw new Error(`the ${name} is missing in row ${row + 1}`);
  return value;
}
