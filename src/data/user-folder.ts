// Tables of several users: one table, or a folder with a file for each user.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isFolder } from './graph-folder.js';
import { loadTable, type TableFileOptions } from './table-files.js';
import type { Column, ColumnTable } from './tables.js';

const TABLE = /\.(csv|tsv|txt|parquet|xlsx|xlsm|sqlite3?|db|jsonl|ndjson|json)(\.gz)?$/i;

/**
 * Reads a table, or all tables of a folder as one, in the order of their names with numbers as
 * numbers. A file of a folder is the rows of one user, named like the file without its ending in
 * the column `user`, unless the files have that column themselves.
 *
 * @throws Error naming a file that has other columns than the first, or texts where that one has
 * numbers; a folder without tables
 */
export async function loadUserTable(
  path: string,
  user: string | undefined,
  options: TableFileOptions = {},
): Promise<ColumnTable> {
  if (!isFolder(path)) return loadTable(path, options);
  const files = readdirSync(path)
    .filter((name) => TABLE.test(name) && !name.startsWith('.'))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (files.length === 0)
    throw new Error(`folder "${path}" holds no tables; expected one for each user, such as anna.csv`);
  const parts: Part[] = [];
  for (const file of files) parts.push({ file, table: await loadTable(join(path, file), optionsFor(options)) });
  const [first] = parts as [Part, ...Part[]];
  for (const part of parts) requireColumns(part, first);
  const columns = first.table.columns.map(({ name }) => joined(name, parts));
  const rows = parts.reduce((sum, { table }) => sum + table.rows, 0);
  if (user === undefined || columns.some(({ name }) => name === user)) return { rows, columns };
  const names = parts.flatMap(({ file, table }) => new Array<string>(table.rows).fill(file.replace(TABLE, '')));
  return { rows, columns: [{ name: user, kind: 'category', values: names }, ...columns] };
}

/** Names of categories that files of a folder lack, such as the user, are no error. */
function optionsFor({ categorical, ...rest }: TableFileOptions): TableFileOptions {
  if (categorical === undefined) return rest;
  return {
    ...rest,
    categorical: typeof categorical === 'function' ? categorical : (name) => categorical.includes(name),
  };
}

interface Part {
  readonly file: string;
  readonly table: ColumnTable;
}

function requireColumns({ file, table }: Part, first: Part): void {
  const [own, expected] = [table, first.table].map(({ columns }) => columns.map(({ name }) => name)) as [
    string[],
    string[],
  ];
  const missing = expected.find((name) => !own.includes(name));
  const other = own.find((name) => !expected.includes(name));
  if (missing !== undefined) throw new Error(`"${file}" has no column "${missing}", which "${first.file}" has`);
  if (other !== undefined) throw new Error(`"${file}" has a column "${other}", which "${first.file}" lacks`);
}

/** A column of all files; one of gaps alone takes the kind that it has elsewhere. */
function joined(name: string, parts: readonly Part[]): Column {
  const columns = parts.map(({ file, table }) => ({
    file,
    column: table.columns.find((own) => own.name === name) as Column,
  }));
  const isEmpty = ({ kind, values }: Column) =>
    kind === 'number' ? values.every(Number.isNaN) : values.every((value) => value === undefined);
  const filled = columns.filter(({ column }) => !isEmpty(column));
  const kind = filled[0]?.column.kind ?? 'number';
  const other = filled.find(({ column }) => column.kind !== kind);
  if (other) {
    const noun = (of: Column['kind']) => (of === 'number' ? 'numbers' : 'texts');
    throw new Error(
      `column "${name}" holds ${noun(other.column.kind)} in "${other.file}" and ${noun(kind)} in "${filled[0]?.file}"`,
    );
  }
  if (kind === 'number') {
    const all = columns.flatMap(({ column }) =>
      column.kind === 'number' ? [...column.values] : column.values.map(() => Number.NaN),
    );
    return { name, kind, values: Float64Array.from(all) };
  }
  const texts = columns.flatMap(({ column }): (string | undefined)[] =>
    column.kind === 'category' ? [...column.values] : Array.from(column.values, () => undefined),
  );
  return { name, kind, values: texts };
}
