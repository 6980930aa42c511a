// Evaluation of embeddings: multi-label node classification and link prediction.

import { areaUnderCurve, averagePrecision, logisticRegression, logisticScores } from '../nn/index.js';
import { gatherRows, type Random, scope, type Tensor, tensor } from '../tensor/index.js';

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

/**
 * The usual protocol: one-vs-rest logistic regression on a random share of the labelled nodes;
 * every other labelled node is assigned its true number of labels, those with the highest scores.
 *
 * @param embedding [n, dim]
 * @param options `share` of the labelled nodes to train on, in (0, 1); `c`, inverse L2
 * regularisation strength of the regression, default 1; `random`, the stream that draws the
 * training nodes
 */
export function multiLabelScores(
  embedding: Tensor,
  labels: MultiLabels,
  { share, c = 1, random }: { readonly share: number; readonly c?: number; readonly random: Random },
): NodeScores {
  const { indptr } = labels;
  const labelled = Array.from({ length: indptr.length - 1 }, (_, v) => v).filter(
    (v) => (indptr[v + 1] as number) > (indptr[v] as number),
  );
  const order = Array.from(random.permutation(labelled.length), (at) => labelled[at] as number);
  const cut = Math.max(1, Math.round(share * order.length));
  const [train, test] = [order.slice(0, cut), order.slice(cut)];
  return scope(() => {
    const rows = (nodes: readonly number[]) => gatherRows(embedding, tensor(Int32Array.from(nodes)));
    const model = logisticRegression(rows(train), targetsOf(labels, train), { c });
    const scores = logisticScores(model, rows(test)).view();
    return f1Scores(labels, test, (i, k) => topLabels(scores.subarray(i * labels.count, (i + 1) * labels.count), k));
  });
}

/** Multi-hot labels of the given nodes: [nodes, count]. */
function targetsOf({ indptr, labels, count }: MultiLabels, nodes: readonly number[]): Tensor {
  const targets = new Float32Array(nodes.length * count);
  nodes.forEach((v, i) => {
    for (let at = indptr[v] as number; at < (indptr[v + 1] as number); at++)
      targets[i * count + (labels[at] as number)] = 1;
  });
  return tensor(targets, [nodes.length, count]);
}

function topLabels(scores: Float32Array, k: number): number[] {
  return Array.from(scores.keys())
    .sort((a, b) => (scores[b] as number) - (scores[a] as number))
    .slice(0, k);
}

function f1Scores(
  { indptr, labels, count }: MultiLabels,
  nodes: readonly number[],
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

/**
 * Ranks held-out edges against pairs without an edge by the cosine of their embeddings.
 *
 * @param embedding [n, dim]
 */
export function linkPrediction(embedding: Tensor, edges: Pairs, nonEdges: Pairs): LinkScores {
  const d = embedding.shape[1] as number;
  const values = embedding.view();
  const norms = Float64Array.from({ length: embedding.shape[0] as number }, (_, v) =>
    Math.sqrt(values.subarray(v * d, (v + 1) * d).reduce((total, value) => total + value * value, 0)),
  );
  const cosine = (u: number, v: number) => {
    let total = 0;
    for (let j = 0; j < d; j++) total += (values[u * d + j] as number) * (values[v * d + j] as number);
    return total / Math.max(1e-12, (norms[u] as number) * (norms[v] as number));
  };
  const scores = [edges, nonEdges].flatMap(({ sources, targets }) =>
    Array.from(sources, (u, i) => cosine(u, targets[i] as number)),
  );
  const labels = scores.map((_, i) => Number(i < edges.sources.length));
  return { auc: areaUnderCurve(scores, labels), averagePrecision: averagePrecision(scores, labels) };
}
