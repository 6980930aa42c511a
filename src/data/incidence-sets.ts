// Edge-dependent labels by name, from an archive, or from a folder of tables.

import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { SparseMatrix } from '../sparse/index.js';
import { gatherKnownRows, keep, Random, tensor } from '../tensor/index.js';
import { readBytes, readUnpackedText } from './files.js';
import { locateDataset } from './folders.js';
import { type NamedArray, readNpz, toInts } from './formats/index.js';
import type { InflateOptions } from './formats/inflate.js';
import { tableIn } from './graph-folder.js';
import { hasHypergraph, loadHypergraph } from './hypergraph-sets.js';
import {
  type IncidenceReading,
  incidencesFromLines,
  incidencesFromTables,
  namesIncidences,
} from './incidence-tables.js';
import { type IncidenceDataset, incidencesFromArrays } from './incidences.js';

/** Sets whose vertices (`orig_id`) are those of a hypergraph with features. */
const featureSources: Readonly<Record<string, string>> = { 'cora-outsider': 'coauthorship-cora' };

/** What `loadIncidences` reads. */
export interface IncidenceFileOptions extends IncidenceReading, InflateOptions {
  /** Whether a folder's table of nodes, of numbers, becomes features. Default: true. */
  readonly features?: boolean;
}

/**
 * Loads a class for each vertex in each hyperedge: a known name; a `.npz` archive as
 * `incidencesFromArrays` reads it; a table of incidences (see `incidencesFromTables`); or a folder
 * with hyperedges (such a table) or hypergraph and labels (see `incidencesFromLines`), and features
 * in nodes. Tables are .csv, .tsv or .txt, also .gz.
 *
 * @param seed of a random split. Default: 0
 * @throws Error for an unknown name, or naming a file or array that is missing or does not fit.
 */
export function loadIncidences(source: string, seed = 0, options: IncidenceFileOptions = {}): IncidenceDataset {
  const { path, record } = locateDataset(source, 'incidences');
  const random = new Random(seed).split('split');
  if (statSync(path).isDirectory()) return fromFolder(path, random, options);
  if (TEXT.test(path))
    return incidencesFromTables({ hyperedges: readUnpackedText(path, options) }, basename(path), random, options);
  const arrays = readNpz(readBytes(path), source);
  const data = incidencesFromArrays(arrays, source);
  const features = record && featuresOf(record.name, arrays);
  return features ? { ...data, features } : data;
}

/** Endings of tables of text, in the order in which they are looked for. */
export const textEndings = ['.csv', '.tsv', '.txt', '.csv.gz', '.tsv.gz', '.txt.gz'];
const TEXT = /\.(csv|tsv|txt)(\.gz)?$/i;

/** Rows of the features of the hypergraph that a set was made from, where that is at hand. */
function featuresOf(name: string, arrays: Readonly<Record<string, NamedArray>>) {
  const source = featureSources[name];
  if (!source || !arrays.orig_id || !hasHypergraph(source)) return undefined;
  const { features } = loadHypergraph(source);
  const rows = toInts(arrays.orig_id, 'orig_id');
  if (!features) return undefined;
  return features instanceof SparseMatrix ? features.selectRows(rows) : keep(gatherKnownRows(features, tensor(rows)));
}

function fromFolder(folder: string, random: Random, options: IncidenceFileOptions): IncidenceDataset {
  const { features = true } = options;
  const read = (name: string) => {
    const path = tableIn(folder, name, textEndings);
    return path === undefined ? undefined : readUnpackedText(path, options);
  };
  const name = basename(resolve(folder));
  const nodes = features ? read('nodes') : undefined;
  const hyperedges = read('hyperedges');
  const labels = read('labels');
  if (hyperedges !== undefined && (labels === undefined || namesIncidences(hyperedges, name, options)))
    return incidencesFromTables({ hyperedges, ...(nodes !== undefined && { nodes }) }, name, random, options);
  const lines = hyperedges ?? read('hypergraph');
  if (lines === undefined || labels === undefined)
    throw new Error(`folder "${folder}" has neither hyperedges.csv nor hypergraph.txt with labels.txt`);
  return incidencesFromLines(lines, labels, name, random, nodes, options);
}
