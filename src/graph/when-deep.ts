// When deep networks are needed (Zhang et al., "Evaluating Deep Graph Neural Networks", 2021,
// section 5): labels, edges or features taken away, and the depth that is best then.

import { accuracy, type Features, inference, predictedClasses, type SemiSupervisedOptions } from '../nn/index.js';
import { SparseMatrix } from '../sparse/index.js';
import { Graph } from '../structure/index.js';
import { Random, scope, tensor } from '../tensor/index.js';
import type { GraphModule } from './conv/index.js';
import type { LabelledGraph } from './labelled-graph.js';
import { trainNodes } from './training.js';

/** Shares of the data that `sparsify` keeps, in (0, 1]. Default: 1 each. */
export interface Sparsity {
  /** Share of the training labels of each class, of which at least one stays. */
  readonly labels?: number;
  /** Share of the edges. */
  readonly edges?: number;
  /** Share of the nodes that keep their features; those of the others become 0. */
  readonly features?: number;
}

/**
 * The data with random training labels, edges or features removed: label, edge and feature
 * sparsity, where deep propagation should help. Weights of edges are kept.
 *
 * @throws RangeError for a share outside (0, 1]
 */
export function sparsify<T extends LabelledGraph>(
  data: T,
  { labels = 1, edges = 1, features = 1 }: Sparsity,
  random: Random,
): T {
  for (const [name, share] of Object.entries({ labels, edges, features }))
    if (!(share > 0 && share <= 1)) throw new RangeError(`sparsify: ${name} is a share in (0, 1], got ${share}`);
  const keep = (count: number, share: number, label: string) =>
    random
      .split(label)
      .permutation(count)
      .subarray(0, Math.max(1, Math.round(share * count)))
      .sort();
  const { graph, train } = data;
  return {
    ...data,
    graph: edges === 1 ? graph : withEdges(graph, (count) => keep(count, edges, 'edges')),
    train: labels === 1 ? train : fewerOfEach(data, (count, c) => keep(count, labels, `labels ${c}`)),
    features: features === 1 ? data.features : blankRows(data.features, keep(graph.nodeCount, features, 'features')),
  };
}

function withEdges(graph: Graph, keep: (count: number) => Int32Array): Graph {
  const { sources, targets, weights } = graph.edges();
  const kept = keep(sources.length);
  return Graph.fromEdges(
    graph.nodeCount,
    kept.map((e) => sources[e] as number),
    kept.map((e) => targets[e] as number),
    { directed: graph.directed, ...(weights && { weights: Float32Array.from(kept, (e) => weights[e] as number) }) },
  );
}

function fewerOfEach({ train, labels, classes }: LabelledGraph, keep: (count: number, c: number) => Int32Array) {
  const kept = Array.from({ length: classes }, (_, c) => {
    const own = train.filter((row) => labels[row] === c);
    return own.length === 0 ? [] : Array.from(keep(own.length, c), (at) => own[at] as number);
  });
  return Int32Array.from(kept.flat()).sort();
}

/** Features with all rows except `kept` set to 0. */
function blankRows(features: Features, kept: Int32Array): Features {
  const rows = features instanceof SparseMatrix ? features.rows : (features.shape[0] as number);
  const mask = new Float32Array(rows);
  for (const row of kept) mask[row] = 1;
  return features instanceof SparseMatrix ? features.scale(tensor(mask)) : features.multiply(tensor(mask, [rows, 1]));
}

/** Test accuracies under one sparsity. */
export interface DeepResult<Name extends string> {
  /** What was taken away from the data. */
  readonly name: Name;
  /** For each depth, the accuracy of each seed in %, at the best epoch by validation. */
  readonly accuracies: readonly (readonly number[])[];
}

/**
 * Trains a network of each depth under each sparsity: answers when a deep one is needed.
 *
 * @param sparsities what is kept, by name
 * @param create builds a network of one of the depths
 */
export async function whenDeep<Name extends string>(
  data: LabelledGraph & { readonly test: Int32Array },
  sparsities: Readonly<Record<Name, Sparsity>>,
  depths: readonly number[],
  { seeds = [0], ...options }: SemiSupervisedOptions & { readonly seeds?: readonly number[] },
  create: (depth: number, random: Random) => GraphModule,
): Promise<DeepResult<Name>[]> {
  const results: DeepResult<Name>[] = [];
  for (const [name, sparsity] of Object.entries(sparsities) as [Name, Sparsity][]) {
    const accuracies = depths.map(() => [] as number[]);
    for (const seed of seeds) {
      const random = new Random(seed).split(name);
      const sparser = sparsify(data, sparsity, random);
      for (const [at, depth] of depths.entries()) {
        const own = random.split(depth);
        const { network } = await trainNodes(create(depth, own.split('weights')), sparser, own, options);
        accuracies[at]?.push(testAccuracy(network, sparser));
      }
    }
    results.push({ name, accuracies });
  }
  return results;
}

/** Accuracy in % on the test nodes. */
export function testAccuracy(
  network: GraphModule,
  { features, graph, labels, test }: LabelledGraph & { readonly test: Int32Array },
): number {
  return 100 * scope(() => accuracy(predictedClasses(network.forward(features, graph, inference)), labels, test));
}
