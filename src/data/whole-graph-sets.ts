// Sets of graphs by name, from an archive, or from a folder of tables.

import { basename, resolve } from 'node:path';
import { readBytes, readText } from './files.js';
import { locateDataset } from './folders.js';
import { readNpz } from './formats/index.js';
import { isFolder, tableIn } from './graph-folder.js';
import { type WholeGraphs, wholeGraphsFromArrays, wholeGraphsFromTables } from './whole-graphs.js';

/**
 * Loads a set of graphs: a known name; a `.npz` archive as `wholeGraphsFromArrays` reads it; or a
 * folder with edges.csv, and maybe graphs.csv and nodes.csv, as `wholeGraphsFromTables` reads them
 * (also .tsv and .txt).
 *
 * @throws Error for an unknown name, or naming a file, line or array that is missing or does not
 * fit
 */
export function loadWholeGraphs(source: string): WholeGraphs {
  const { path } = locateDataset(source, 'whole-graphs');
  if (!isFolder(path)) {
    if (!path.endsWith('.npz'))
      throw new Error(`"${path}" is no set of graphs: expected a folder with edges.csv, or an archive .npz`);
    return wholeGraphsFromArrays(readNpz(readBytes(path), basename(path)), source);
  }
  const read = (table: string) => {
    const file = tableIn(path, table);
    return file && readText(file);
  };
  const edges = read('edges');
  if (edges === undefined) throw new Error(`folder "${path}" holds no edges.csv (or .tsv, .txt)`);
  return wholeGraphsFromTables({ graphs: read('graphs'), edges, nodes: read('nodes') }, basename(resolve(path)));
}
