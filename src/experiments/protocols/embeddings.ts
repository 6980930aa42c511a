// Node embeddings, evaluated by downstream tasks: multi-label node classification by one-vs-rest
// logistic regression with nested shares of labels, and link prediction of held-out edges by
// logistic regression on products of vectors. Settings are chosen on training labels and training
// edges alone.

import type { MultiLabelGraph } from '../../data/index.js';
import { loadMultiLabelGraph } from '../../data/node.js';
import {
  type LinkExamples,
  labelledNodes,
  linkClassification,
  type MultiLabels,
  multiLabelScores,
  type NodeSplit,
  type Pairs,
  splitNodes,
} from '../../embedding/index.js';
import { blockModel, type Graph, holdOutEdges, sampleNonEdges } from '../../structure/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { auc, macroF1, microF1, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues, share } from '../parts/options.js';
import { bestSetting, type Setting, tuned } from '../parts/tuning.js';

/** Share of the edges that link prediction holds out, for the test and again for the choice. */
const HELD_OUT = 0.1;
/** Edges at most, and as many pairs without one, that link prediction is trained on. */
const TRAINING_LINKS = { test: 5000, trial: 2000 };
/** Edges at most, and as many pairs without one, that it is scored on. */
const TEST_LINKS = 20_000;
/** Splits of the training nodes that settings are chosen on: half fit, half score. */
const INNER_SPLITS = 3;
/** Iterations at most of a classifier that only chooses. */
const iterations = 30;
/** C of the classifiers: inverse strength of the L2 penalty. The choice is per embedding. */
const STRENGTHS = [1, 0.1, 10].map((c) => ({ c }));
/** Larger shares of the labels, which hold the training nodes of the smaller ones. */
export const LARGER_SHARES = [0.5, 0.9];

export const embeddingOptions = {
  dim: count(128, 'embedding dimension of the projections', { smoke: 32 }),
  share: share(0.1, 'share of the labelled nodes for training, and for all choices', { minimum: 0.01, maximum: 0.49 }),
  trials: count(20, 'settings tried for each method on training data', { smoke: 2 }),
};

type Options = OptionValues<typeof embeddingOptions>;

const ofHalf = (metric: typeof microF1) => relabelled(metric, { label: `${metric.label}, half of the labels` });
const ofMost = (metric: typeof microF1) => relabelled(metric, { label: `${metric.label}, 90 % of the labels` });

export const embeddingMetrics = {
  micro: microF1,
  macro: macroF1,
  micro50: ofHalf(microF1),
  macro50: ofHalf(macroF1),
  micro90: ofMost(microF1),
  macro90: ofMost(macroF1),
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

/** Labels with nested splits of their nodes. */
export interface LabelTask {
  readonly labels: MultiLabels;
  /** By share, the smallest first: each holds the training nodes of those before it. */
  readonly splits: readonly { readonly share: number; readonly nodes: NodeSplit }[];
  /** Splits of the training nodes of the smallest share, for choices. */
  readonly inner: readonly NodeSplit[];
}

/** Links to predict from an embedding of the graph without them. */
export interface LinkTask {
  readonly graph: Graph;
  readonly train: LinkExamples;
  readonly test: LinkExamples;
}

/** Evaluation data of one seed, shared by all methods. */
export interface EmbeddingTask {
  readonly graph: Graph;
  readonly labels: LabelTask | undefined;
  readonly links: LinkTask;
  /** Links among the training edges of `links`, for choices. */
  readonly trial: LinkTask;
}

export function embeddingTask(
  { graph, labels }: MultiLabelGraph,
  { share: trained }: Pick<Options, 'share'>,
  random: Random,
): EmbeddingTask {
  const links = linkTask(graph, TRAINING_LINKS.test, random.split('links'));
  return {
    graph,
    labels: labels && labelTask(labels, trained, random),
    links,
    trial: linkTask(links.graph, TRAINING_LINKS.trial, random.split('inner links')),
  };
}

/** Splits of the labelled nodes of one seed. */
export function labelTask(labels: MultiLabels, trained: number, random: Random): LabelTask {
  const nodes = labelledNodes(labels);
  const { key } = random.split('labels');
  const splits = [trained, ...LARGER_SHARES].map((own) => ({
    share: own,
    nodes: splitNodes(nodes, own, new Random(key)),
  }));
  const { train } = (splits[0] as (typeof splits)[number]).nodes;
  const inner = Array.from({ length: INNER_SPLITS }, (_, i) =>
    splitNodes(train, 0.5, random.split('inner labels').split(i)),
  );
  return { labels, splits, inner };
}

/** Holds out edges of a graph, and draws as many pairs that it does not join. */
function linkTask(graph: Graph, training: number, random: Random): LinkTask {
  const held = holdOutEdges(graph, HELD_OUT, random.split('held'));
  const { sources, targets } = held.graph.edges();
  const chosen = random.split('training').permutation(sources.length).subarray(0, training);
  const edges = { sources: chosen.map((e) => sources[e] as number), targets: chosen.map((e) => targets[e] as number) };
  const among = { sources: held.sources.subarray(0, TEST_LINKS), targets: held.targets.subarray(0, TEST_LINKS) };
  // What is held out is not known in training: it may be among those pairs without an edge.
  return {
    graph: held.graph,
    train: { edges, nonEdges: sampleNonEdges(held.graph, edges.sources.length, random.split('training non-edges')) },
    test: { edges: among, nonEdges: sampleNonEdges(graph, among.sources.length, random.split('non-edges')) },
  };
}

/** Macro-F1 on the inner splits, in [0, 1], of the best C. */
function innerLabels(embedding: Tensor, { labels, inner }: LabelTask) {
  const scoreOf = ({ c }: { c: number }) =>
    inner.reduce((sum, split) => sum + multiLabelScores(embedding, labels, split, { c, iterations }).macroF1, 0) /
    inner.length;
  return bestOf(STRENGTHS, scoreOf);
}

/** What a choice of settings is judged by: larger is better. */
export const innerLabelScore = (embedding: Tensor, task: LabelTask): number => innerLabels(embedding, task).score;

/** Micro- and macro-F1 in % by share of the labels, with the C that is best on the inner splits. */
export function labelScores(embedding: Tensor, task: LabelTask): Scores {
  return judgedLabels(embedding, task).scores;
}

/** `labelScores`, with the score on the inner splits by which C was chosen. */
export function judgedLabels(embedding: Tensor, task: LabelTask): { scores: Scores; inner: number } {
  const {
    setting: { c },
    score: inner,
  } = innerLabels(embedding, task);
  const scores = task.splits.map(({ share: trained, nodes }, at) => {
    const { microF1: micro, macroF1: macro } = multiLabelScores(embedding, task.labels, nodes, { c });
    const name = at === 0 ? '' : Math.round(100 * trained);
    return { [`micro${name}`]: 100 * micro, [`macro${name}`]: 100 * macro };
  });
  return { scores: Object.assign({}, ...scores), inner };
}

/** Area under the ROC curve in %, with the C that is best on half of the training pairs. */
export function linkScore(embedding: Tensor, { train, test }: LinkTask): number {
  const half = (from: 0 | 1): LinkExamples => ({
    edges: part(train.edges, from),
    nonEdges: part(train.nonEdges, from),
  });
  const inner = { train: half(0), test: half(1) };
  const { setting } = bestOf(STRENGTHS, ({ c }) => linkClassification(embedding, inner, c).auc);
  return 100 * linkClassification(embedding, { train, test }, setting.c).auc;
}

/** The first or second half of some pairs. */
function part({ sources, targets }: Pairs, from: 0 | 1): Pairs {
  const middle = sources.length >> 1;
  const cut = (nodes: Int32Array) => (from === 0 ? nodes.subarray(0, middle) : nodes.subarray(middle));
  return { sources: cut(sources), targets: cut(targets) };
}

function bestOf<S>(settings: readonly S[], scoreOf: (setting: S) => number): { setting: S; score: number } {
  const scored = settings.map((setting) => ({ setting, score: scoreOf(setting) }));
  return scored.reduce((best, own) => (own.score > best.score ? own : best));
}

/** Vectors with the setting that they were made by. */
interface Embedded {
  readonly setting: Setting;
  readonly embedding: Tensor;
}

export interface EmbeddingMethod<S extends Setting = Setting> {
  readonly title: string;
  /** Settings to try, the usual one first; a single one is not tuned. */
  readonly settings: readonly S[];
  /**
   * The vectors of a graph's nodes.
   *
   * @param trial whether the vectors only judge the setting, so that they may be fewer or trained
   * for a shorter time
   * @returns [nodes, columns]
   */
  embed(graph: Graph, setting: S, run: MethodRun, trial: boolean): Tensor | Promise<Tensor>;
}

/**
 * A method that embeds the graph of a task. Each setting is tried once, on the graph without the
 * edges of both link tasks: from that embedding the one choice is made by labels, the other by
 * links. Embeddings are freed once scored.
 */
export function embeddingMethod(method: EmbeddingMethod, task: EmbeddingTask): Method<Embedded> {
  const { title, settings, embed } = method;
  const { graph, labels, links, trial } = task;
  const byLinks = new Map<Setting, number>();
  const train = async (setting: Setting, run: MethodRun) => ({
    setting,
    embedding: await embed(graph, setting, run, false),
  });
  const score = async ({ embedding }: Embedded, run: MethodRun) => {
    const scores = labels ? labelScores(embedding, labels) : {};
    embedding.dispose();
    const setting = await bestSetting(settings, (own) => byLinks.get(own) ?? 0);
    const blind = await embed(links.graph, setting, run, false);
    const area = linkScore(blind, links);
    blind.dispose();
    return { ...scores, auc: area };
  };
  const [usual, ...others] = settings;
  if (usual && others.length === 0) return { title, score, train: (run) => train(usual, run) };
  return tuned<Setting, Embedded>({
    title,
    settings,
    train,
    score,
    trial: async (setting, run) => ({ setting, embedding: await embed(trial.graph, setting, run, true) }),
    validation({ setting, embedding }) {
      const area = linkScore(embedding, trial);
      byLinks.set(setting, area);
      return labels ? innerLabelScore(embedding, labels) : area;
    },
    discard: ({ embedding }) => embedding.dispose(),
  });
}
