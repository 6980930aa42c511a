// Evaluation of embeddings: multi-label node classification and link prediction.

import {
  areaUnderCurve,
  averagePrecision,
  type LogisticRegressionOptions,
  logisticRegression,
  logisticScores,
} from '../nn/index.js';
import {
  add,
  gatherRows,
  mean,
  multiply,
  type Random,
  rsqrt,
  scope,
  subtract,
  type Tensor,
  tensor,
  variance,
} from '../tensor/index.js';

/** Several labels for each node, in compressed rows. */
export interface MultiLabels {
  /** Labels of node v: labels[indptr[v]] … labels[indptr[v + 1] − 1]. */
  readonly indptr: Int32Array;
  /** Labels 0 … count − 1, node after node. */
  readonly labels: Int32Array;
  /** Number of different labels. */
  readonly count: number;
}

/** F1 scores of multi-label classification, in [0, 1]. */
export interface NodeScores {
  /** F1 of all (node, label) decisions together. */
  readonly microF1: number;
  /** Mean F1 of the labels. */
  readonly macroF1: number;
}

/** Nodes that a classifier is fitted on, and nodes that it is scored on. */
export interface NodeSplit {
  /** Node numbers. */
  readonly train: Int32Array;
  /** Node numbers. */
  readonly test: Int32Array;
}

/** The nodes that have a label, in ascending order. */
export function labelledNodes({ indptr }: MultiLabels): Int32Array {
  return Int32Array.from({ length: indptr.length - 1 }, (_, v) => v).filter(
    (v) => (indptr[v + 1] as number) > (indptr[v] as number),
  );
}

/**
 * The first nodes of a random order for training, the others for the test. Of the same stream, a
 * larger share holds the training nodes of a smaller one.
 *
 * @param share of the nodes to train on, in (0, 1); at least one node is on either side
 * @throws RangeError for fewer than two nodes
 */
export function splitNodes(nodes: Int32Array, share: number, random: Random): NodeSplit {
  if (nodes.length < 2) throw new RangeError(`splitNodes: two nodes are needed, got ${nodes.length}`);
  const order = random.permutation(nodes.length).map((at) => nodes[at] as number);
  const cut = Math.min(nodes.length - 1, Math.max(1, Math.round(share * nodes.length)));
  return { train: order.subarray(0, cut), test: order.subarray(cut) };
}

/**
 * The usual protocol: one-vs-rest logistic regression on the training nodes; every test node is
 * assigned its true number of labels, those with the highest scores.
 *
 * @param embedding [n, dim]
 * @param options of the regression
 */
export function multiLabelScores(
  embedding: Tensor,
  labels: MultiLabels,
  { train, test }: NodeSplit,
  options: LogisticRegressionOptions = {},
): NodeScores {
  return scope(() => {
    const model = logisticRegression(gatherRows(embedding, tensor(train)), targetsOf(labels, train), options);
    const scores = logisticScores(model, gatherRows(embedding, tensor(test))).view();
    return f1Scores(labels, test, (i, k) => topLabels(scores.subarray(i * labels.count, (i + 1) * labels.count), k));
  });
}

/** Multi-hot labels of the given nodes: [nodes, count]. */
export function targetsOf({ indptr, labels, count }: MultiLabels, nodes: Int32Array): Tensor {
  const targets = new Float32Array(nodes.length * count);
  nodes.forEach((v, i) => {
    for (let at = indptr[v] as number; at < (indptr[v + 1] as number); at++)
      targets[i * count + (labels[at] as number)] = 1;
  });
  return tensor(targets, [nodes.length, count]);
}

/** The k labels of the highest scores. */
export function topLabels(scores: Float32Array, k: number): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => (scores[b] as number) - (scores[a] as number))
    .slice(0, k);
}

/** F1 of predictions: `predict(i, k)` gives the k labels of the i-th node. */
export function f1Scores(
  { indptr, labels, count }: MultiLabels,
  nodes: Int32Array,
  predict: (i: number, k: number) => number[],
): NodeScores {
  const [correct, predicted, actual] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const increment = (counts: Float64Array, label: number) => {
    counts[label] = (counts[label] as number) + 1;
  };
  nodes.forEach((v, i) => {
    const truth = new Set(labels.subarray(indptr[v], indptr[v + 1]));
    for (const label of truth) increment(actual, label);
    for (const label of predict(i, truth.size)) {
      increment(predicted, label);
      if (truth.has(label)) increment(correct, label);
    }
  });
  const f1 = (c: number, p: number, a: number) => (p + a === 0 ? 0 : (2 * c) / (p + a));
  const total = (counts: Float64Array) => counts.reduce((a, b) => a + b, 0);
  const each = Array.from(correct, (c, label) => f1(c, predicted[label] as number, actual[label] as number));
  return {
    microF1: f1(total(correct), total(predicted), total(actual)),
    macroF1: each.reduce((a, b) => a + b, 0) / count,
  };
}

/** Pairs of nodes: (sources[i], targets[i]). */
export interface Pairs {
  /** Node numbers. */
  readonly sources: Int32Array;
  /** Node numbers, as many. */
  readonly targets: Int32Array;
}

/** Metrics of link prediction, in [0, 1]. */
export interface LinkScores {
  /** Area under the ROC curve. */
  readonly auc: number;
  /** Average precision. */
  readonly averagePrecision: number;
}

/** Pairs with an edge and pairs without one. */
export interface LinkExamples {
  /** Pairs that are joined by an edge. */
  readonly edges: Pairs;
  /** Pairs that are not. */
  readonly nonEdges: Pairs;
}

/**
 * Link prediction: logistic regression on the elementwise products of the two nodes' vectors, their
 * columns standardised by the training pairs.
 *
 * @param embedding [n, dim]
 * @param c inverse L2 regularisation strength of the regression. Default: 1
 */
export function linkClassification(
  embedding: Tensor,
  { train, test }: { readonly train: LinkExamples; readonly test: LinkExamples },
  c = 1,
): LinkScores {
  return scope(() => {
    const fitted = pairProducts(embedding, train);
    const centre = mean(fitted, 0);
    const scale = rsqrt(add(variance(fitted, 0), 1e-20));
    const standardized = (x: Tensor) => multiply(subtract(x, centre), scale);
    const targets = linkTargets(train);
    const model = logisticRegression(standardized(fitted), tensor(targets, [targets.length, 1]), { c });
    const scores = logisticScores(model, standardized(pairProducts(embedding, test))).view();
    const labels = linkTargets(test);
    return { auc: areaUnderCurve(scores, labels), averagePrecision: averagePrecision(scores, labels) };
  });
}

/** Products of the vectors of each pair, edges first: [pairs, dim]. */
function pairProducts(embedding: Tensor, { edges, nonEdges }: LinkExamples): Tensor {
  const ends = (side: keyof Pairs) => {
    const nodes = new Int32Array(edges[side].length + nonEdges[side].length);
    nodes.set(edges[side]);
    nodes.set(nonEdges[side], edges[side].length);
    return gatherRows(embedding, tensor(nodes));
  };
  return multiply(ends('sources'), ends('targets'));
}

/** 1 for each edge, then 0 for each pair without one. */
function linkTargets({ edges, nonEdges }: LinkExamples): Float32Array {
  return new Float32Array(edges.sources.length + nonEdges.sources.length).fill(1, 0, edges.sources.length);
}
