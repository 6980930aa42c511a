// Sets of graphs by name, from an archive, from graph6, or from a folder of tables.

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readBytes, readText } from './files.js';
import { datasetPaths, locateDataset } from './folders.js';
import { readNpz } from './formats/index.js';
import { isFolder, tableIn } from './graph-folder.js';
import { type WholeGraphs, wholeGraphsFromArrays, wholeGraphsFromTables } from './whole-graphs.js';
import { wholeGraphsFromGraph6 } from './whole-graphs-graph6.js';

/** Folds of a set whose graphs come in pairs. */
const PAIR_FOLDS = 10;

/**
 * Loads a set of graphs: a known name; a `.npz` archive as `wholeGraphsFromArrays` reads it;
 * graph6 text (.g6); or a folder with edges.csv, and maybe graphs.csv and nodes.csv, as
 * `wholeGraphsFromTables` reads them (also .tsv and .txt), or with graphs.g6 and maybe graphs.csv,
 * as `wholeGraphsFromGraph6` does.
 *
 * @throws Error for an unknown name, or naming a file, line or array that is missing or does not
 * fit
 */
export function loadWholeGraphs(source: string): WholeGraphs {
  const { path, record } = locateDataset(source, 'whole-graphs');
  if (isFolder(path)) return fromFolder(path);
  if (path.endsWith('.g6')) {
    const table = record && datasetPaths(record)[1];
    return wholeGraphsFromGraph6(readText(path), source, table && readText(table));
  }
  if (!path.endsWith('.npz'))
    throw new Error(
      `"${path}" is no set of graphs: expected a folder with edges.csv or graphs.g6, an archive .npz, or graph6 text .g6`,
    );
  const data = wholeGraphsFromArrays(readNpz(readBytes(path), basename(path)), source);
  if (!record?.paired) return data;
  // Graphs 2k and 2k + 1 go into one fold, so that none is learnt from its twin.
  return { ...data, folds: Int32Array.from({ length: data.graphs.count }, (_, g) => (g >> 1) % PAIR_FOLDS) };
}

/** Whether a path is a file or a folder of graphs in graph6. */
export function isGraph6(path: string): boolean {
  return path.endsWith('.g6') || (isFolder(path) && existsSync(join(path, 'graphs.g6')));
}

function fromFolder(path: string): WholeGraphs {
  const read = (table: string) => {
    const file = tableIn(path, table);
    return file && readText(file);
  };
  const name = basename(resolve(path));
  const edges = read('edges');
  if (edges !== undefined) return wholeGraphsFromTables({ graphs: read('graphs'), edges, nodes: read('nodes') }, name);
  if (!isGraph6(path)) throw new Error(`folder "${path}" holds no edges.csv (or .tsv, .txt) and no graphs.g6`);
  return wholeGraphsFromGraph6(readText(join(path, 'graphs.g6')), name, read('graphs'));
}
