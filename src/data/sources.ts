// Labelled source files: a folder with one folder of files for each class, a table of texts, or a
// known set.

import { existsSync, readdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { readText } from './files.js';
import { hasDataset, locateDataset } from './folders.js';
import { isFolder } from './graph-folder.js';
import { loadTable, type TableFileOptions } from './table-files.js';

/** A source text. */
export interface SourceFile {
  /** Path of the file, or the table and row. */
  readonly path: string;
  /** Its text; empty where it cannot be read. */
  readonly source: string;
  /** Why it cannot be read, such as bytes that are no UTF-8. */
  readonly fault?: string;
}

/** Source files with classes. */
export interface LabelledSources {
  /** Known name, folder or path. */
  readonly name: string;
  /** The files, class by class where they come from folders. */
  readonly files: readonly SourceFile[];
  /** Class of each file: an index into `classes`. */
  readonly labels: Int32Array;
  /** Names of the classes, ascending. */
  readonly classes: readonly string[];
}

/** Options of `loadSources`. */
export interface SourceOptions {
  /** Column of a table with the code. Default: `code`. */
  readonly code?: string;
  /** Column of a table with the class. Default: `label`. */
  readonly target?: string;
  /** How tables are read. */
  readonly table?: TableFileOptions;
}

/** Whether a known set of sources lies on this machine. */
export function hasSources(name: string): boolean {
  return hasDataset(name, 'sources');
}

/**
 * A known set, a folder with a folder of source files for each class (of any depth), or a table
 * with a text and a class in each row.
 *
 * @param endings of the files to read, such as `.py`; other files are left out
 * @throws Error naming the folder without such files, the column that is missing, or the row
 * without code or class
 */
export async function loadSources(
  path: string,
  endings: readonly string[],
  { code = 'code', target = 'label', table }: SourceOptions = {},
): Promise<LabelledSources> {
  if (existsSync(path) && isFolder(path)) return classFolders(path, endings);
  const { path: file, record } = locateDataset(path, 'sources');
  const columns = record?.sources ?? { code, target };
  return sourcesInTable(file, record?.name ?? path, columns, table);
}

/** Paths of the source files in a folder of any depth, or of one file, in order. */
export function sourceFilesIn(path: string, endings: readonly string[]): string[] {
  if (!isFolder(path)) return [path];
  const waiting = [path];
  const found: string[] = [];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const own = join(folder, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') waiting.push(own);
      else if (entry.isFile() && endings.some((ending) => entry.name.toLowerCase().endsWith(ending))) found.push(own);
    }
  return found.sort();
}

function classFolders(folder: string, endings: readonly string[]): LabelledSources {
  const byClass = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ name, paths: sourceFilesIn(join(folder, name), endings) }))
    .filter(({ paths }) => paths.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (byClass.length < 2)
    throw new Error(
      `folder "${folder}" must hold a folder of source files (${endings.join(', ')}) for each of at least two classes; it holds ${byClass.length}`,
    );
  const listed = byClass.flatMap(({ paths }, label) => paths.map((path) => ({ path, label })));
  return {
    name: basename(resolve(folder)),
    files: listed.map(({ path }) => sourceAt(path, relative(folder, path))),
    labels: Int32Array.from(listed, ({ label }) => label),
    classes: byClass.map(({ name }) => name),
  };
}

/** A file by the name that it is listed by. */
function sourceAt(file: string, path: string): SourceFile {
  try {
    return { path, source: readText(file) };
  } catch (error) {
    return { path, source: '', fault: (error as Error).message };
  }
}

async function sourcesInTable(
  path: string,
  name: string,
  { code, target }: { readonly code: string; readonly target: string },
  options: TableFileOptions = {},
): Promise<LabelledSources> {
  const { columns, rows } = await loadTable(path, { ...options, categorical: [code, target] });
  const valuesOf = (column: string) => {
    const found = columns.find((own) => own.name === column);
    if (!found)
      throw new Error(`"${path}" has no column "${column}"; it has ${columns.map((own) => own.name).join(', ')}`);
    return Array.from({ length: rows }, (_, row) => {
      const value = found.values[row];
      if (value === undefined || value === '') throw new Error(`"${path}", row ${row + 1}: no "${column}"`);
      return String(value);
    });
  };
  const [texts, names] = [valuesOf(code), valuesOf(target)];
  const classes = [...new Set(names)].sort();
  if (classes.length < 2)
    throw new Error(`"${path}": the column "${target}" holds one class alone: "${classes[0] ?? ''}"`);
  return {
    name,
    files: texts.map((source, row) => ({ path: `${name}, row ${row + 1}`, source })),
    labels: Int32Array.from(names, (own) => classes.indexOf(own)),
    classes,
  };
}
