// Edge-dependent labels: a class for each vertex in each hyperedge.

import { IncidenceList, standardizeTable } from '../structure/index.js';
import type { Random } from '../tensor/index.js';
import { type Arrays, countOf, requiredArrays } from './features.js';
import { readLines, toInts } from './formats/index.js';
import type { Split } from './splits.js';

/** A hypergraph with a class for each incidence. */
export interface IncidenceDataset {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** Pairs of a vertex and a hyperedge. */
  readonly incidences: IncidenceList;
  /** The class of each incidence. */
  readonly labels: Int32Array;
  /** Number of classes. */
  readonly classes: number;
  /** Indices of the incidences of training, validation and test hyperedges. */
  readonly split: Split;
}

/**
 * Labelled incidences from an archive's arrays: `he_indptr` [M + 1], `he_indices` [I], `pin_labels`
 * [I], and `split` [M] of 0 (train), 1 (validation) and 2 (test).
 *
 * @throws Error naming an array that is missing or does not fit.
 */
export function incidencesFromArrays(arrays: Arrays, name: string): IncidenceDataset {
  const need = requiredArrays(arrays, name);
  const ints = (key: string) => toInts(need(key), key);
  const vertices = ints('he_indices');
  const count = countOf(vertices, `data set "${name}": vertex`);
  const incidences = new IncidenceList(count, ints('he_indptr'), vertices);
  const labels = ints('pin_labels');
  if (labels.length !== incidences.count)
    throw new Error(`data set "${name}": ${labels.length} labels for ${incidences.count} incidences`);
  return dataset(name, incidences, labels, ints('split'));
}

/**
 * Labelled incidences from two aligned texts of tab- or comma-separated lines: the vertices of each
 * hyperedge in one, their labels in the other. Hyperedges are split at random 60 : 20 : 20.
 *
 * @throws Error naming the first line whose labels do not match its vertices.
 */
export function incidencesFromLines(
  hyperedges: string,
  labels: string,
  name: string,
  random: Random,
): IncidenceDataset & { readonly vertexNames: readonly string[] } {
  const lists = readLines(hyperedges, name);
  const classes = readLines(labels, `${name} labels`);
  if (lists.length !== classes.length)
    throw new Error(`data set "${name}": ${lists.length} hyperedges and ${classes.length} lines of labels`);
  const ids = new Map<string, number>();
  const classIds = new Map<string, number>();
  const numberOf = (known: Map<string, number>, text: string) => {
    const id = known.get(text) ?? known.size;
    known.set(text, id);
    return id;
  };
  const members = lists.map((line, e) => {
    if (line.length !== classes[e]?.length)
      throw new Error(`data set "${name}", line ${e + 1}: ${line.length} vertices and ${classes[e]?.length} labels`);
    return line.map((vertex) => numberOf(ids, vertex));
  });
  const flat = Int32Array.from(classes.flat(), (label) => numberOf(classIds, label));
  const order = random.permutation(lists.length);
  const parts = new Int32Array(lists.length);
  order.forEach((e, at) => {
    parts[e] = at < 0.6 * lists.length ? 0 : at < 0.8 * lists.length ? 1 : 2;
  });
  return { ...dataset(name, IncidenceList.fromLists(ids.size, members), flat, parts), vertexNames: [...ids.keys()] };
}

function dataset(name: string, incidences: IncidenceList, labels: Int32Array, parts: Int32Array): IncidenceDataset {
  const rows = [[], [], []] as number[][];
  const { offsets } = incidences.hyperedges;
  parts.forEach((part, e) => {
    for (let i = offsets[e] as number; i < (offsets[e + 1] as number); i++) rows[part]?.push(i);
  });
  const [train, validation, test] = rows.map((own) => Int32Array.from(own)) as [Int32Array, Int32Array, Int32Array];
  return {
    name,
    incidences,
    labels,
    classes: countOf(labels, `data set "${name}": class`),
    split: { train, validation, test },
  };
}

/**
 * The embedded default: each vertex has a hidden authority θ ~ N(0, 1), hyperedges have 2 to 6
 * vertices, and the label of an incidence is 0 where the vertex has the largest θ of the hyperedge,
 * 2 where it has the smallest, else 1. Of the 16 features, 8 are noisy multiples of θ and 8 are
 * noise.
 */
export function roleDataset(
  random: Random,
  { vertices = 600, hyperedges = 900 } = {},
): IncidenceDataset & { readonly features: Float32Array; readonly width: number } {
  const theta = Float64Array.from({ length: vertices }, () => random.gaussian());
  const scales = Array.from({ length: 8 }, () => random.gaussian());
  const width = 16;
  const features = new Float32Array(vertices * width);
  for (let v = 0; v < vertices; v++)
    for (let j = 0; j < width; j++) {
      const a = scales[j];
      features[v * width + j] =
        a === undefined ? random.gaussian() : a * (theta[v] as number) + Math.abs(a) * random.gaussian();
    }
  standardizeTable(features, width);
  const lists = Array.from({ length: hyperedges }, () => random.sample(vertices, 2 + random.integer(5)));
  const labels = Int32Array.from(
    lists.flatMap((members) => {
      const own = Array.from(members, (v) => theta[v] as number);
      const [low, high] = [Math.min(...own), Math.max(...own)];
      return own.map((value) => (value === high ? 0 : value === low ? 2 : 1));
    }),
  );
  const order = random.permutation(hyperedges);
  const parts = new Int32Array(hyperedges);
  order.forEach((e, at) => {
    parts[e] = at < 0.6 * hyperedges ? 0 : at < 0.8 * hyperedges ? 1 : 2;
  });
  return { ...dataset('role', IncidenceList.fromLists(vertices, lists), labels, parts), features, width };
}
