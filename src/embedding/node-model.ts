// Labels of nodes, or links between them, from FastRP vectors: a linear classifier with all that is
// needed to embed the same graph, or one that has changed, in the same way.

import { type AttributedGraph, type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import { eventTurn } from '../engine/index.js';
import { type LogisticModel, logisticRegression, logisticScores } from '../nn/index.js';
import { type Graph, sampleNonEdges } from '../structure/index.js';
import {
  gatherRows,
  keep,
  matmul,
  multiply,
  type Random,
  scope,
  sigmoid,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import { type MultiLabels, multiLabelScores, type NodeSplit, type Pairs, targetsOf } from './evaluate.js';
import {
  type ColumnScale,
  columnScale,
  type NamedEmbeddingOptions,
  namedEmbedding,
  namedOrders,
  standardizedBy,
  weightedOrders,
} from './named-embedding.js';

/** Name and version of the model file. */
export const EMBEDDING_MODEL: ModelKind = { system: 'fastrp', version: '1', madeBy: 'gossamer fit --model fastrp' };

/** What a file says beside the weights. */
export interface EmbeddingModelDescription {
  /** What is predicted. */
  readonly task: 'labels' | 'links';
  /** How nodes are embedded. */
  readonly embedding: Required<NamedEmbeddingOptions>;
  /** Whether edges have a direction. */
  readonly directed: boolean;
  /** The attribute of labels; of links empty. */
  readonly target: string;
  /** Names of the labels. */
  readonly labels: readonly string[];
  /** Whether every node of training has one label. */
  readonly single: boolean;
  /** What it was trained on. */
  readonly trained: { readonly data: string; readonly nodes: number; readonly edges: number };
  /** Scores by name, in percent. */
  readonly scores: Readonly<Record<string, number>>;
}

/**
 * Settings of FastRP that are tried: the paper's, and such as look further or less far. On sparse
 * graphs four steps reach few nodes, and orders 4 to 8 tell more.
 */
const WEIGHTS = [
  [0, 0, 1, 6.67],
  [0, 0, 0, 1, 1, 1, 1, 1],
  [0, 0, 1, 1],
  [0, 1, 1, 1],
  [1, 1, 1, 1],
] as const;
const ORDERS = Math.max(...WEIGHTS.map(({ length }) => length));
const EXPONENTS = [-0.64, -1, -0.25, 0] as const;

/** A setting with its score. */
export interface EmbeddingTrial {
  /** α₁, α₂, … */
  readonly weights: readonly number[];
  /** β. */
  readonly degreeExponent: number;
  /** Larger is better. */
  readonly score: number;
}

/** Options of `tuneNamedEmbedding`. */
export interface EmbeddingTuning extends Omit<NamedEmbeddingOptions, 'weights' | 'degreeExponent'> {
  /** Scores of the first trials, from a run that was cut off. Default: none. */
  readonly known?: readonly number[];
  /** Called after each trial with the scores so far, in order, and the number of all trials. */
  readonly onTrial?: (scores: readonly number[], all: number) => void;
  /** Aborts between trials. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tries weights and degree exponents, the paper's first.
 *
 * @param score quality of standardised vectors [n, dim], larger is better
 * @returns the trials, best first; of equal ones the first that was tried
 */
export async function tuneNamedEmbedding(
  graph: Graph,
  names: readonly string[],
  score: (vectors: Tensor) => number,
  { known = [], onTrial, signal, ...options }: EmbeddingTuning = {},
): Promise<EmbeddingTrial[]> {
  const all = EXPONENTS.length * WEIGHTS.length;
  const scores = known.slice(0, all);
  for (const [e, degreeExponent] of EXPONENTS.entries()) {
    if (scores.length >= (e + 1) * WEIGHTS.length) continue;
    const orders = namedOrders(graph, names, ORDERS, { ...options, degreeExponent });
    try {
      while (scores.length < (e + 1) * WEIGHTS.length) {
        const weights = WEIGHTS[scores.length % WEIGHTS.length] as readonly number[];
        scores.push(
          scope(() => {
            const vectors = weightedOrders(orders, weights);
            return score(standardizedBy(vectors, columnScale(vectors)));
          }),
        );
        onTrial?.(scores, all);
        await eventTurn(signal);
      }
    } finally {
      for (const order of orders) order.dispose();
    }
  }
  const settings = EXPONENTS.flatMap((degreeExponent) => WEIGHTS.map((weights) => ({ weights, degreeExponent })));
  const trials = settings.map((setting, i) => ({ ...setting, score: scores[i] as number }));
  return trials.sort((a, b) => b.score - a.score);
}

/** Predicts labels of nodes, or links. */
export class EmbeddingModel {
  /**
   * @param columns scale of the vectors of training
   * @param classifier of vectors; of links, of products of two vectors (one row)
   */
  constructor(
    readonly description: EmbeddingModelDescription,
    readonly columns: ColumnScale,
    readonly classifier: LogisticModel,
  ) {}

  /** Vectors of the nodes of a graph [n, dim], comparable with those of training. */
  vectors({ graph, nodeNames }: Pick<AttributedGraph, 'graph' | 'nodeNames'>): Tensor {
    return scope(() => standardizedBy(namedEmbedding(graph, nodeNames, this.description.embedding), this.columns));
  }

  /** Probability of each label [n, labels], row after row. */
  labelProbabilities(data: Pick<AttributedGraph, 'graph' | 'nodeNames'>): Float32Array {
    return scope(() => sigmoid(logisticScores(this.classifier, this.vectors(data))).dataSync<Float32Array>());
  }

  /** Probability of a link between the nodes of each pair. */
  linkProbabilities(vectors: Tensor, { sources, targets }: Pairs): Float32Array {
    return scope(() => {
      const ends = (nodes: Int32Array) => gatherRows(vectors, tensor(nodes));
      const products = multiply(ends(sources), ends(targets));
      return sigmoid(logisticScores(this.classifier, products)).dataSync<Float32Array>();
    });
  }

  /**
   * The most probable new links of each node: pairs without an edge, best first.
   *
   * @param count links of a node, at most
   */
  newLinks(
    { graph, nodeNames }: Pick<AttributedGraph, 'graph' | 'nodeNames'>,
    count: number,
  ): { readonly source: number; readonly target: number; readonly probability: number }[] {
    const BLOCK = 256;
    const n = graph.nodeCount;
    const vectors = keep(this.vectors({ graph, nodeNames }));
    const links: { source: number; target: number; probability: number }[] = [];
    for (let from = 0; from < n; from += BLOCK)
      scope(() => {
        const own = Int32Array.from({ length: Math.min(BLOCK, n - from) }, (_, i) => from + i);
        const weighted = multiply(gatherRows(vectors, tensor(own)), this.classifier.weights);
        const scores = matmul(weighted, vectors, { transposeB: true })
          .add(this.classifier.intercepts.reshape([1, 1]))
          .dataSync<Float32Array>();
        own.forEach((source, i) => {
          for (const { node, score } of best(scores.subarray(i * n, (i + 1) * n), count, graph, source))
            links.push({ source, target: node, probability: 1 / (1 + Math.exp(-score)) });
        });
      });
    vectors.dispose();
    return links;
  }

  /** The model as a file. */
  save(): Uint8Array {
    const { columns, classifier } = this;
    return writeModelFile(EMBEDDING_MODEL, this.description, {
      centre: columns.centre,
      scale: columns.scale,
      weights: classifier.weights,
      intercepts: classifier.intercepts,
    });
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): EmbeddingModel {
    const { description, tensors } = readModelFile<EmbeddingModelDescription>(EMBEDDING_MODEL, bytes, name);
    const { centre, scale, weights, intercepts } = tensors;
    if (!centre || !scale || !weights || !intercepts) throw new Error(`file "${name}" is damaged: it lacks weights`);
    return new EmbeddingModel(description, { centre, scale }, { weights, intercepts });
  }
}

/** The nodes of the highest scores that are not the source and that no edge leads to. */
function best(
  scores: Float32Array,
  count: number,
  graph: Graph,
  source: number,
): { readonly node: number; readonly score: number }[] {
  const kept: { node: number; score: number }[] = [];
  scores.forEach((score, node) => {
    if (kept.length === count && score <= (kept.at(-1)?.score as number)) return;
    if (node === source || graph.hasEdge(source, node)) return;
    const at = kept.findIndex((other) => other.score < score);
    kept.splice(at < 0 ? kept.length : at, 0, { node, score });
    if (kept.length > count) kept.pop();
  });
  return kept;
}

/** A classifier of labels on the given nodes. */
export function fitLabels(vectors: Tensor, labels: MultiLabels, nodes: Int32Array, c = 1): LogisticModel {
  return scope(() => logisticRegression(gatherRows(vectors, tensor(nodes)), targetsOf(labels, nodes), { c }));
}

/** Micro-F1 of a classifier fitted on some nodes, on others. */
export function labelScore(vectors: Tensor, labels: MultiLabels, split: NodeSplit, c = 1): number {
  return multiLabelScores(vectors, labels, split, { c }).microF1;
}

/**
 * A classifier of products of vectors: all edges against as many pairs without one. Columns are
 * standardised while it is fitted; the scale is then part of its weights.
 */
export function fitLinks(vectors: Tensor, graph: Graph, random: Random, c = 1): LogisticModel {
  return scope(() => {
    const { sources, targets } = graph.edges();
    const others = sampleNonEdges(graph, sources.length, random);
    const both = (a: Int32Array, b: Int32Array) => {
      const all = new Int32Array(a.length + b.length);
      all.set(a);
      all.set(b, a.length);
      return tensor(all);
    };
    const products = multiply(
      gatherRows(vectors, both(sources, others.sources)),
      gatherRows(vectors, both(targets, others.targets)),
    );
    const columns = columnScale(products);
    const targetsOfPairs = tensor(new Float32Array(2 * sources.length).fill(1, 0, sources.length), [
      2 * sources.length,
      1,
    ]);
    const { weights, intercepts } = logisticRegression(standardizedBy(products, columns), targetsOfPairs, { c });
    const scaledWeights = multiply(weights, columns.scale);
    const shift = multiply(scaledWeights, columns.centre).sum();
    return { weights: scaledWeights, intercepts: intercepts.subtract(shift) };
  });
}
