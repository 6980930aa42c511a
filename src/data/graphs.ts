// Labelled graphs with node features: the container and the archive format.

import type { SparseMatrix } from '../sparse/index.js';
import { Graph } from '../structure/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { type Arrays, featuresFromArrays, normalizeRows, requiredArrays } from './features.js';
import { toInts } from './formats/index.js';
import { type Split, splitPerClass } from './splits.js';

export interface GraphDataset {
  readonly name: string;
  readonly graph: Graph;
  /** Node features [n, F]; undefined where a data set has none. */
  readonly features: Tensor | SparseMatrix | undefined;
  /** Class of each node, −1 where unknown. */
  readonly labels: Int32Array;
  readonly classes: number;
  /** The published split, where there is one. */
  readonly split: Split | undefined;
}

/** From an archive's arrays. */
export function graphFromArrays(
  arrays: Arrays,
  name: string,
  { directed, keep, scaleRows }: { readonly directed: boolean; readonly keep: boolean; readonly scaleRows: boolean },
): GraphDataset {
  const need = requiredArrays(arrays, name);
  const labels = toInts(need('labels'), 'labels');
  const ends = toInts(need('edges'), 'edges');
  const at = (offset: number) => Int32Array.from({ length: ends.length / 2 }, (_, e) => ends[2 * e + offset] as number);
  const graph = Graph.fromEdges(labels.length, at(0), at(1), { directed: directed && keep });
  const features = featuresFromArrays(arrays, labels.length, name);
  const rows = (key: string) => arrays[key] && toInts(arrays[key], key);
  const [train, validation, test] = [rows('train_idx'), rows('val_idx'), rows('test_idx')];
  return {
    name,
    graph,
    features: scaleRows && features && 'pattern' in features ? normalizeRows(features) : features,
    labels,
    classes: labels.reduce((most, label) => Math.max(most, label + 1), 0),
    split: train && validation && test ? { train, validation, test } : undefined,
  };
}

/** The published split, or 20 nodes of each class to train on and 30 to validate (Shchur et al. 2018), the rest to test. */
export function splitOf(data: GraphDataset, random: Random): Split {
  return data.split ?? splitPerClass(data.labels, data.classes, { train: 20, validation: 30 }, random);
}
