// Labelled hypergraphs by name, from an archive, or from a folder of tables.

import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { SparseMatrix } from '../sparse/index.js';
import { datasetOf, namesOf, type TypedPaths } from './catalogue.js';
import { normalizeRows } from './features.js';
import { readBytes } from './files.js';
import { datasetPaths, hasDataset } from './folders.js';
import { readNpz } from './formats/index.js';
import { loadHypergraphFolder } from './hypergraph-folder.js';
import { type HypergraphDataset, hypergraphFromArrays, plantedDataset } from './hypergraphs.js';
import { hypergraphFromTypes } from './typed-hypergraphs.js';

/** Names that `loadHypergraph` knows. */
export const hypergraphNames: readonly string[] = ['planted', ...namesOf('hypergraph')];

/** Whether a known hypergraph is on this machine. */
export function hasHypergraph(name: string): boolean {
  return name === 'planted' || hasDataset(name, 'hypergraph');
}

/**
 * Loads a labelled hypergraph: a known name, a `.npz` archive (see `hypergraphFromArrays`), or a
 * folder: nodes.csv (see `nodeTable`) with hyperedges.csv (`hyperedge,node` and maybe `weight`) or
 * with edges.csv of a graph (`source,target`); or hyperedges.csv and, optionally, features.csv and
 * labels.csv (see `hypergraphFromTables`). Sparse features are scaled to unit row sums.
 *
 * @param seed of the generated set `planted`
 *
 * @throws Error for an unknown name, or saying which file is missing and where it was looked for.
 */
export function loadHypergraph(source: string, seed = 0): HypergraphDataset {
  if (source === 'planted') return plantedDataset(seed);
  const record = datasetOf(source, 'hypergraph');
  if (record) return fromArchive(datasetPaths(record)[0] as string, source, record.typed);
  if (!existsSync(source)) {
    throw new Error(`data "${source}" is neither a file or folder nor a known set (${hypergraphNames.join(', ')})`);
  }
  return statSync(source).isDirectory()
    ? loadHypergraphFolder(source)
    : fromArchive(source, basename(source).replace(/\.npz$/, ''));
}

function fromArchive(path: string, name: string, typed?: TypedPaths): HypergraphDataset {
  const arrays = readNpz(readBytes(path), basename(path));
  const dataset = typed ? hypergraphFromTypes(arrays, name, typed) : hypergraphFromArrays(arrays, name);
  return dataset.features instanceof SparseMatrix ? { ...dataset, features: normalizeRows(dataset.features) } : dataset;
}
