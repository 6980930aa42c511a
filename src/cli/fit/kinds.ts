// What kind of data a path or a name holds.

import { existsSync } from 'node:fs';
import { type DatasetKind, datasetOf } from '../../data/index.js';
import { isFolder, isGraphFile, sourceFilesIn, tableIn } from '../../data/node.js';
import { languageNames, languages } from '../../hypergraph/ast/languages.js';
import type { DataKind } from './learner.js';

/** Kinds of known sets, in the order in which a name is looked up. */
const KNOWN: readonly (readonly [DatasetKind, DataKind])[] = [
  ['table', 'table'],
  ['images', 'pictures'],
  ['graph', 'graph'],
  ['multi-label-graph', 'graph'],
  ['edges', 'graph'],
  ['whole-graphs', 'graphs'],
  ['hypergraph', 'hypergraph'],
  ['incidences', 'hypergraph'],
  ['temporal', 'events'],
  ['sources', 'sources'],
];

/**
 * The kind of the data at a path, from its name, the files of a folder, or the first bytes of a
 * file: a folder with hyperedges is a hypergraph, one with graphs a set of them, one with edges a
 * graph, one with source files below it holds sources, any other one pictures; a file is a graph
 * where `readGraph` knows it, else a table. A known set has its own kind.
 */
export function kindOf(path: string): DataKind {
  if (path === '-') return 'table';
  if (isFolder(path)) return kindOfFolder(path);
  if (existsSync(path)) return isGraphFile(path) ? 'graph' : 'table';
  return KNOWN.find(([kind]) => datasetOf(path, kind))?.[1] ?? 'table';
}

function kindOfFolder(folder: string): DataKind {
  if (tableIn(folder, 'hyperedges') || tableIn(folder, 'hypergraph', ['.txt'])) return 'hypergraph';
  if (tableIn(folder, 'graphs')) return 'graphs';
  if (tableIn(folder, 'edges')) return 'graph';
  const endings = languageNames.flatMap((name) => languages[name].endings);
  return sourceFilesIn(folder, endings).length > 0 ? 'sources' : 'pictures';
}
