// Edge-dependent labels: a class for each vertex in each hyperedge.

import type { SparseMatrix } from '../sparse/index.js';
import { IncidenceList, standardizeTable } from '../structure/index.js';
import { keep, type Random, type Tensor, tensor } from '../tensor/index.js';
import { type Arrays, countOf, featuresFromArrays, requiredArrays } from './features.js';
import { toInts } from './formats/index.js';
import type { Split } from './splits.js';

/** A hypergraph with a class for each incidence. */
export interface IncidenceDataset {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** Pairs of a vertex and a hyperedge. */
  readonly incidences: IncidenceList;
  /** The class of each incidence, −1 where unknown. */
  readonly labels: Int32Array;
  /** Number of classes. */
  readonly classes: number;
  /** Indices of the labelled incidences of training, validation and test hyperedges. */
  readonly split: Split;
  /** Vertex features [N, F]; undefined where a data set has none. */
  readonly features?: Tensor | SparseMatrix;
  /** Names of vertices, hyperedges and classes; their numbers where a data set has none. */
  readonly names: IncidenceNames;
}

/** What vertices, hyperedges and classes are called. */
export interface IncidenceNames {
  /** Names of the vertices, in order. */
  readonly vertices: readonly string[];
  /** Names of the hyperedges, in order. */
  readonly hyperedges: readonly string[];
  /** Names of the classes, in order. */
  readonly classes: readonly string[];
}

/**
 * Labelled incidences from an archive's arrays: `he_indptr` [M + 1], `he_indices` [I], `pin_labels`
 * [I] (−1 for unknown), and `split` [M] of 0 (train), 1 (validation) and 2 (test); vertex features
 * as `featuresFromArrays` reads them.
 *
 * @throws Error naming an array that is missing or does not fit.
 */
export function incidencesFromArrays(arrays: Arrays, name: string): IncidenceDataset {
  const need = requiredArrays(arrays, name);
  const ints = (key: string) => toInts(need(key), key);
  const vertices = ints('he_indices');
  const used = countOf(vertices, `data set "${name}": vertex`);
  const features = featuresFromArrays(arrays, used, name);
  const count = Math.max(used, features ? rowsOf(features) : 0);
  if (features && rowsOf(features) !== count)
    throw new Error(`data set "${name}": features for ${rowsOf(features)} vertices, the hyperedges hold ${count}`);
  const incidences = new IncidenceList(count, ints('he_indptr'), vertices);
  return { ...incidenceDataset(name, incidences, ints('pin_labels'), ints('split')), ...(features && { features }) };
}

function rowsOf(features: Tensor | SparseMatrix): number {
  return 'rows' in features ? features.rows : (features.shape[0] as number);
}

/**
 * Checks labels and the part of each hyperedge: 0 train, 1 validation, 2 test.
 *
 * @throws Error naming the first that does not fit.
 */
export function incidenceDataset(
  name: string,
  incidences: IncidenceList,
  labels: Int32Array,
  parts: Int32Array,
  names?: IncidenceNames,
): IncidenceDataset {
  const fail = (reason: string): never => {
    throw new Error(`data set "${name}": ${reason}`);
  };
  if (labels.length !== incidences.count) fail(`${labels.length} labels for ${incidences.count} incidences`);
  if (parts.length !== incidences.hyperedgeCount)
    fail(`a part for ${parts.length} of ${incidences.hyperedgeCount} hyperedges`);
  const wrong = labels.findIndex((label) => label < -1);
  if (wrong >= 0) fail(`incidence ${wrong} has label ${labels[wrong]}; labels are classes from 0, −1 for unknown`);
  const rows = [[], [], []] as number[][];
  const { offsets } = incidences.hyperedges;
  parts.forEach((part, e) => {
    const own = rows[part] ?? fail(`hyperedge ${e} is in part ${part}; parts are 0 train, 1 validation, 2 test`);
    for (let i = offsets[e] as number; i < (offsets[e + 1] as number); i++) if ((labels[i] as number) >= 0) own.push(i);
  });
  const [train, validation, test] = rows.map((own) => Int32Array.from(own)) as [Int32Array, Int32Array, Int32Array];
  const classes = names?.classes.length ?? countOf(labels, `data set "${name}": class`);
  return {
    name,
    incidences,
    labels,
    classes,
    split: { train, validation, test },
    names: names ?? {
      vertices: numbered(incidences.vertexCount),
      hyperedges: numbered(incidences.hyperedgeCount),
      classes: numbered(classes),
    },
  };
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

/** A random part for each hyperedge: 60 % train, 20 % validation, 20 % test. */
export function randomParts(hyperedges: number, random: Random): Int32Array {
  const parts = new Int32Array(hyperedges);
  random.permutation(hyperedges).forEach((e, at) => {
    parts[e] = at < 0.6 * hyperedges ? 0 : at < 0.8 * hyperedges ? 1 : 2;
  });
  return parts;
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
): IncidenceDataset & { readonly features: Tensor } {
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
  const parts = randomParts(hyperedges, random);
  const dataset = incidenceDataset('role', IncidenceList.fromLists(vertices, lists), labels, parts);
  return { ...dataset, features: keep(tensor(features, [vertices, width])) };
}
