// Node embeddings, evaluated by downstream tasks: multi-label node classification by one-vs-rest
// logistic regression, and link prediction of held-out edges by cosine similarity.

import type { MultiLabelGraph } from '../../data/index.js';
import { loadMultiLabelGraph } from '../../data/node.js';
import {
  linkPrediction,
  type MultiLabels,
  multiLabelScores,
  type NodeScores,
  type Pairs,
} from '../../embedding/index.js';
import { blockModel, type Graph, holdOutEdges, sampleNonEdges } from '../../structure/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { auc, macroF1, microF1, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues, share } from '../parts/options.js';

/** Share of the edges that link prediction holds out. */
const HELD_OUT = 0.1;

export const embeddingOptions = {
  dim: count(128, 'embedding dimension', { smoke: 32 }),
  share: share(0.1, 'share of the labelled nodes that the classifier is trained on', { minimum: 0.01, maximum: 0.95 }),
  shuffles: count(3, 'random splits of the labelled nodes for each embedding', { smoke: 1 }),
};

export const embeddingMetrics = {
  micro: microF1,
  macro: macroF1,
  auc: relabelled(auc, { label: 'links, AUC' }),
  seconds: relabelled(seconds, { label: 'embedding', digits: 4 }),
};

/**
 * The embedded block model, or a graph of the catalogue or of a file; one without labels is for
 * links alone.
 */
export async function loadEmbeddingGraph(source: string): Promise<MultiLabelGraph> {
  if (source !== 'blocks') return loadMultiLabelGraph(source);
  const { graph, labels } = blockModel(new Random(0).split('fastrp'));
  const indptr = Int32Array.from({ length: labels.length + 1 }, (_, v) => v);
  return { name: source, graph, labels: { indptr, labels, count: Math.max(...labels) + 1 } };
}

export function describeEmbeddingGraph({ name, graph, labels }: MultiLabelGraph): string {
  return `${name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges${labels ? `, ${labels.count} labels` : ''}`;
}

/** Evaluation data of one seed, shared by all methods. */
export interface EmbeddingTask {
  readonly graph: Graph;
  readonly labels: MultiLabels | undefined;
  /** Share of the labelled nodes that the classifier is trained on. */
  readonly share: number;
  /** One random stream for each split of the labelled nodes. */
  readonly splits: readonly Random[];
  /** The graph without the held-out edges, and those edges. */
  readonly held: Pairs & { readonly graph: Graph };
  readonly nonEdges: Pairs;
}

export function embeddingTask(
  { graph, labels }: MultiLabelGraph,
  { share: trained, shuffles }: OptionValues<typeof embeddingOptions>,
  random: Random,
): EmbeddingTask {
  const held = holdOutEdges(graph, HELD_OUT, random.split('links'));
  const splits = Array.from({ length: shuffles }, (_, i) => random.split('labels').split(i));
  const nonEdges = sampleNonEdges(graph, held.sources.length, random.split('non-edges'));
  return { graph, labels, share: trained, splits, held, nonEdges };
}

export interface EmbeddingMethod {
  readonly title: string;
  /** @returns [nodes, columns] */
  embed(graph: Graph, run: MethodRun): Tensor | Promise<Tensor>;
  /** C of the classifier: inverse strength of its L2 penalty. */
  readonly c: number;
  /**
   * Whether to evaluate link prediction too, from a second embedding trained without the held-out
   * edges.
   */
  readonly links: boolean;
}

/** A method that embeds the graph of a task. The embedding is freed once scored. */
export function embeddingMethod({ title, embed, c, links }: EmbeddingMethod, task: EmbeddingTask): Method<Tensor> {
  const { graph, held, nonEdges } = task;
  return {
    title,
    train: (run) => embed(graph, run),
    async score(embedding, run) {
      const labels = task.labels ? labelScores(embedding, task.labels, task, c) : {};
      embedding.dispose();
      if (!links) return labels;
      const blind = await embed(held.graph, run);
      const { auc: area } = linkPrediction(blind, held, nonEdges);
      blind.dispose();
      return { ...labels, auc: 100 * area };
    },
  };
}

/** Micro- and macro-F1 in %, means over the splits. */
function labelScores(
  embedding: Tensor,
  labels: MultiLabels,
  { splits, share: trained }: EmbeddingTask,
  c: number,
): Scores {
  const scores = splits.map((random) =>
    multiLabelScores(embedding, labels, { share: trained, c, random: new Random(random.key) }),
  );
  const mean = (metric: keyof NodeScores) => scores.reduce((sum, own) => sum + own[metric], 0) / scores.length;
  return { micro: 100 * mean('microF1'), macro: 100 * mean('macroF1') };
}

/**
 * Macro-F1 on one split of the labelled nodes, to tune by; undefined for a graph without labels.
 */
export function tuningScore({ labels, share: trained }: EmbeddingTask, c: number, { key }: Random) {
  return (
    labels &&
    ((embedding: Tensor) => multiLabelScores(embedding, labels, { share: trained, c, random: new Random(key) }).macroF1)
  );
}
