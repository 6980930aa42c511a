// A graph in a folder of tables.

import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readText } from './files.js';
import { type GraphTableOptions, graphFromTables, type NamedGraph } from './graph-tables.js';

/** Whether a path is a folder. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Reads `nodes` and `edges`, each .csv, .tsv or .txt, of a folder as `graphFromTables` does.
 *
 * @throws Error naming the file that is missing, or what is wrong with a line
 */
export function loadGraphFolder(folder: string, options: GraphTableOptions = {}): NamedGraph {
  const read = (table: string) => {
    const path = ['.csv', '.tsv', '.txt'].map((ending) => join(folder, `${table}${ending}`)).find(existsSync);
    if (!path) throw new Error(`folder "${folder}" holds no ${table}.csv (or .tsv, .txt)`);
    return readText(path);
  };
  return graphFromTables({ nodes: read('nodes'), edges: read('edges') }, basename(resolve(folder)), options);
}
