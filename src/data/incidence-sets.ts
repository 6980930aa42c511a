// Edge-dependent labels by name, from an archive, or from a folder of tables.

import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SparseMatrix } from '../sparse/index.js';
import { gatherKnownRows, keep, Random, tensor } from '../tensor/index.js';
import { readBytes, readText } from './files.js';
import { locateDataset } from './folders.js';
import { type NamedArray, readNpz, toInts } from './formats/index.js';
import { hasHypergraph, loadHypergraph } from './hypergraph-sets.js';
import { incidencesFromLines, incidencesFromTables } from './incidence-tables.js';
import { type IncidenceDataset, incidencesFromArrays } from './incidences.js';

/** Sets whose vertices (`orig_id`) are those of a hypergraph with features. */
const featureSources: Readonly<Record<string, string>> = { 'cora-outsider': 'coauthorship-cora' };

/**
 * Loads a class for each vertex in each hyperedge: a known name, a `.npz` archive as
 * `incidencesFromArrays` reads it, or a folder with hyperedges.csv (see `incidencesFromTables`) or
 * hypergraph.txt and labels.txt (see `incidencesFromLines`), and features in nodes.csv.
 *
 * @param seed of a random split. Default: 0
 * @throws Error for an unknown name, or naming a file or array that is missing or does not fit.
 */
export function loadIncidences(source: string, seed = 0): IncidenceDataset {
  const { path, record } = locateDataset(source, 'incidences');
  if (statSync(path).isDirectory()) return fromFolder(path, new Random(seed).split('split'));
  const arrays = readNpz(readBytes(path), source);
  const data = incidencesFromArrays(arrays, source);
  const features = record && featuresOf(record.name, arrays);
  return features ? { ...data, features } : data;
}

/** Rows of the features of the hypergraph that a set was made from, where that is at hand. */
function featuresOf(name: string, arrays: Readonly<Record<string, NamedArray>>) {
  const source = featureSources[name];
  if (!source || !arrays.orig_id || !hasHypergraph(source)) return undefined;
  const { features } = loadHypergraph(source);
  const rows = toInts(arrays.orig_id, 'orig_id');
  if (!features) return undefined;
  return features instanceof SparseMatrix ? features.selectRows(rows) : keep(gatherKnownRows(features, tensor(rows)));
}

function fromFolder(folder: string, random: Random): IncidenceDataset {
  const read = (...names: readonly string[]): string | undefined => {
    const path = names.map((name) => join(folder, name)).find(existsSync);
    return path && readText(path);
  };
  const name = basename(folder);
  const nodes = read('nodes.csv', 'nodes.tsv');
  const hyperedges = read('hyperedges.csv', 'hyperedges.tsv');
  if (hyperedges !== undefined)
    return incidencesFromTables({ hyperedges, ...(nodes !== undefined && { nodes }) }, name, random);
  const [lines, labels] = [read('hypergraph.txt'), read('labels.txt')];
  if (lines === undefined || labels === undefined)
    throw new Error(`folder "${folder}" has neither hyperedges.csv nor hypergraph.txt with labels.txt`);
  return incidencesFromLines(lines, labels, name, random, nodes);
}
