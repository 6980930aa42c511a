// What kind of data a path or a name holds.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { type DatasetKind, datasetOf } from '../../data/index.js';
import {
  filesBelow,
  hasTypedTables,
  isCatalogue,
  isFolder,
  isGraph6,
  isGraphFile,
  isSoundFolder,
  sourceFilesIn,
  tableIn,
  textEndings,
} from '../../data/node.js';
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
  ['hetero-graph', 'hetero-graph'],
  ['temporal', 'events'],
  ['sources', 'sources'],
  ['interactions', 'interactions'],
];

/**
 * The kind of the data at a path, from its name, the files of a folder, or the first bytes of a
 * file: a folder with hyperedges is a hypergraph, one with graphs a set of them, one with tables
 * such as nodes_author a graph of several types, one with edges a graph, one with products a
 * catalogue, one with points pictures to count in, one with source files below it, and not more
 * pictures, holds sources, one with WAV files and no pictures sounds, any other one pictures; a
 * file is a graph where `readGraph` knows it, a team where it is JSON with `agents`, products where
 * it has the columns of HyperPAVE's release, else a table. A known set has its own kind.
 */
export function kindOf(path: string): DataKind {
  if (path === '-') return 'table';
  if (path === 'ambisonics' && !existsSync(path)) return 'sounds';
  if (isFolder(path)) return kindOfFolder(path);
  if (existsSync(path) && isGraph6(path)) return 'graphs';
  if (isCatalogue(path)) return 'products';
  if (existsSync(path)) return isGraphFile(path) ? 'graph' : isTeamFile(path) ? 'team' : 'table';
  return KNOWN.find(([kind]) => datasetOf(path, kind))?.[1] ?? 'table';
}

/** Bytes of a file of agents at most: larger ones are tables, and not read for a look. */
const LARGEST_TEAM = 2 ** 20;

/** Whether a file is a JSON object with a list of agents. */
function isTeamFile(path: string): boolean {
  if (!path.endsWith('.json') || statSync(path).size > LARGEST_TEAM) return false;
  try {
    return Array.isArray((JSON.parse(readFileSync(path, 'utf8')) as { readonly agents?: unknown } | null)?.agents);
  } catch {
    // The reader of tables says what is wrong with it.
    return false;
  }
}

function kindOfFolder(folder: string): DataKind {
  if (['hyperedges', 'hypergraph'].some((name) => tableIn(folder, name, textEndings))) return 'hypergraph';
  if (tableIn(folder, 'graphs') || isGraph6(folder)) return 'graphs';
  if (hasTypedTables(folder)) return 'hetero-graph';
  if (tableIn(folder, 'edges')) return 'graph';
  if (isCatalogue(folder)) return 'products';
  if (tableIn(folder, 'points')) return 'points';
  const endings = languageNames.flatMap((name) => languages[name].endings);
  const sources = sourceFilesIn(folder, endings).length;
  const pictures = filesBelow(folder).pictures.length;
  if (sources === 0 && pictures === 0 && isSoundFolder(folder)) return 'sounds';
  // A script beside pictures does not make their folder one of sources.
  return sources > 0 && sources >= pictures ? 'sources' : 'pictures';
}
