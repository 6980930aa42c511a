// Where data sets lie: the folder in GOSSAMER_DATA, else a per-user cache.

import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { SparseMatrix } from '../sparse/index.js';
import { readBytes, readText } from './files.js';
import { readNpz } from './formats/index.js';
import {
  type HypergraphDataset,
  hypergraphFromArrays,
  hypergraphFromTables,
  normalizeRows,
  plantedDataset,
} from './hypergraphs.js';

/** The folder that holds data sets. */
export function dataFolder(): string {
  return process.env.GOSSAMER_DATA ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gossamer', 'data');
}

/** Archives by name: HyperGCN's co-citation and co-authorship sets, and Planetoid's citation graphs. */
const hypergraphFiles: Readonly<Record<string, string>> = {
  'coauthorship-cora': 'hypergraphs/coauthorship-cora.npz',
  'coauthorship-dblp': 'hypergraphs/coauthorship-dblp.npz',
  'cocitation-citeseer': 'hypergraphs/cocitation-citeseer.npz',
  'cocitation-cora': 'hypergraphs/cocitation-cora.npz',
  'cocitation-pubmed': 'hypergraphs/cocitation-pubmed.npz',
  cora: 'planetoid/cora.npz',
  citeseer: 'planetoid/citeseer.npz',
};

/** Names that `loadHypergraph` knows. */
export const hypergraphNames: readonly string[] = ['planted', ...Object.keys(hypergraphFiles)];

/** Whether a named data set lies on this machine. */
export function hasHypergraph(name: string): boolean {
  const file = hypergraphFiles[name];
  return name === 'planted' || (file !== undefined && existsSync(join(dataFolder(), file)));
}

/**
 * Loads a labelled hypergraph: a known name, a `.npz` archive, or a folder with hyperedges.csv, features.csv and labels.csv. Bags of words are normalised by row.
 *
 * @throws Error that says what is missing and where it was looked for.
 */
export function loadHypergraph(source: string, seed = 0): HypergraphDataset {
  if (source === 'planted') return plantedDataset(seed);
  const file = hypergraphFiles[source];
  if (file) return fromArchive(join(dataFolder(), file), source);
  if (!existsSync(source)) {
    throw new Error(`data "${source}" is neither a file or folder nor a known set (${hypergraphNames.join(', ')})`);
  }
  return statSync(source).isDirectory()
    ? fromFolder(source)
    : fromArchive(source, basename(source).replace(/\.npz$/, ''));
}

function fromArchive(path: string, name: string): HypergraphDataset {
  if (!existsSync(path)) {
    throw new Error(
      `data set "${name}" is not on this machine: expected "${path}"; set GOSSAMER_DATA to the folder that holds ${hypergraphFiles[name] ?? 'it'}`,
    );
  }
  const dataset = hypergraphFromArrays(readNpz(readBytes(path), basename(path)), name);
  return dataset.features instanceof SparseMatrix ? { ...dataset, features: normalizeRows(dataset.features) } : dataset;
}

function fromFolder(folder: string): HypergraphDataset {
  const table = (name: string): string | undefined => {
    const path = [`${name}.csv`, `${name}.tsv`].map((file) => join(folder, file)).find(existsSync);
    return path && readText(path);
  };
  const hyperedges = table('hyperedges');
  if (hyperedges === undefined) throw new Error(`folder "${folder}" has no hyperedges.csv or hyperedges.tsv`);
  return hypergraphFromTables({ hyperedges, features: table('features'), labels: table('labels') }, basename(folder));
}
