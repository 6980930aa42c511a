// A model from graphs of texts: encode, pair each node with another text about it, hold pairs out
// to choose the epoch and the probabilities of known classes, train.

import { halvesOf, LatentTextEncoder, type TextGraph, wordsOf } from '../../data/index.js';
import type { FitResult } from '../../nn/index.js';
import { Graph } from '../../structure/index.js';
import { gatherKnownRows, keep, type Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import { type GivenEncoder, H4GModel, type KnownProbability } from './model.js';
import { H4G, type H4GOptions } from './network.js';
import { smallestOf } from './radius-report.js';
import { type AlignmentOptions, type AlignmentTask, trainH4G } from './training.js';

/** Options of `fitTextGraphs`. */
export interface TextGraphFitOptions extends Omit<AlignmentOptions, 'validate'> {
  /** Layout of the network. */
  readonly network?: H4GOptions;
  /** Numbers of a text vector of the built-in encoder. Default: 256. */
  readonly textFeatures?: number;
  /** Seed of the built-in encoder. Default: 0. */
  readonly seed?: number;
  /** A sentence model in place of the built-in encoder. */
  readonly encoder?: GivenEncoder | undefined;
  /** Share of the pairs that is held out. Default: 0.1. */
  readonly validation?: number;
}

/** A trained model and how well it finds texts that it had not seen. */
export interface FittedTextGraphs {
  /** It answers for new graphs and classes. */
  readonly model: H4GModel;
  /** Epochs, and which was kept. */
  readonly training: FitResult;
  /** Held-out pairs. */
  readonly heldOut: number;
  /** Share of held-out nodes whose nearest held-out text is theirs. */
  readonly retrieval: number;
}

/** Nodes of all graphs in one, with a text of each and another text about it. */
interface Pairs {
  readonly graph: Graph;
  readonly texts: readonly string[];
  readonly abouts: readonly string[];
  /** Nodes with a word in both. */
  readonly nodes: Int32Array;
}

/**
 * Trains on pairs of all graphs.
 *
 * @throws Error without a graph, or with too few pairs
 */
export async function fitTextGraphs(
  graphs: readonly TextGraph[],
  random: Random,
  options: TextGraphFitOptions = {},
): Promise<FittedTextGraphs> {
  const { network: layout = {}, validation = 0.1, encoder: given } = options;
  const pairs = pairsOf(graphs);
  const encoder = given?.encoder ?? latentEncoder(graphs, options);
  const order = random.split('split').permutation(pairs.nodes.length);
  const held = Math.round(validation * order.length);
  const part = (from: number, to: number) =>
    Int32Array.from(order.subarray(from, to), (at) => pairs.nodes[at] as number);
  const [heldOut, train] = [part(0, held), part(held, order.length)];
  const network = new H4G(encoder.dimension, random.split('weights'), layout);
  const prepared = network.prepare(pairs.graph, encoder.encode(pairs.texts));
  const taskOf = (nodes: Int32Array): AlignmentTask => ({
    prepared,
    nodes,
    about: encoder.encode(Array.from(nodes, (v) => pairs.abouts[v] as string)),
  });
  const unseen = taskOf(heldOut);
  const training = await trainH4G(network, taskOf(train), random.split('training'), {
    ...options,
    ...(held > 1 && { validate: (live) => retrievalOf(live, unseen) }),
  });
  const model = new H4GModel(
    network,
    {
      features: encoder.dimension,
      options: layout,
      encoder: given
        ? { kind: 'onnx', digest: given.digest }
        : { kind: 'latent', options: (encoder as LatentTextEncoder).state().options },
      known: knownProbabilities(network, unseen, random.split('known')),
      trained: graphs.map(({ name, graph }) => ({ name, nodes: graph.nodeCount, edges: graph.edgeCount })),
      pairs: train.length,
    },
    encoder,
  );
  return { model, training, heldOut: held, retrieval: held > 1 ? retrievalOf(network, unseen) : Number.NaN };
}

function latentEncoder(graphs: readonly TextGraph[], { textFeatures = 256, seed = 0 }: TextGraphFitOptions) {
  const corpus = graphs.flatMap(({ texts, summaries }) => [...texts, ...(summaries ?? [])]);
  return new LatentTextEncoder({ dimension: textFeatures, seed }).fit(corpus);
}

/**
 * The graphs side by side. A node with a summary is paired with it; of others the first half of the
 * text is paired with the second, so that no word is on both sides.
 */
export function pairsOf(graphs: readonly TextGraph[]): Pairs {
  if (graphs.length === 0) throw new Error('fitTextGraphs: no graph is given');
  const texts: string[] = [];
  const abouts: string[] = [];
  const [sources, targets, weights]: [number[], number[], number[]] = [[], [], []];
  for (const { graph, texts: own, summaries } of graphs) {
    const first = texts.length;
    const edges = graph.edges();
    edges.sources.forEach((u, e) => {
      sources.push(first + u);
      targets.push(first + (edges.targets[e] as number));
      weights.push(edges.weights?.[e] ?? 1);
    });
    own.forEach((text, v) => {
      const [begin, rest] = summaries ? [text, summaries[v] as string] : halvesOf(text);
      texts.push(begin);
      abouts.push(rest);
    });
  }
  const hasWord = (text: string | undefined) => wordsOf(text ?? '').length > 0;
  const nodes = Int32Array.from(texts.keys()).filter((v) => hasWord(texts[v]) && hasWord(abouts[v]));
  return { graph: Graph.fromEdges(texts.length, sources, targets, { weights }), texts, abouts, nodes };
}

/** Share of the nodes of a task whose nearest text is their own. */
export function retrievalOf(network: H4G, task: AlignmentTask): number {
  return scope(() => {
    const nearest = smallestOf(distancesOf(network, task));
    return nearest.filter((text, node) => text === node).length / nearest.length;
  });
}

function distancesOf(network: H4G, { prepared, nodes, about }: AlignmentTask): Tensor {
  return network.similarities(network.nodePoints(prepared, nodes), network.textPoints(about)).multiply(-1);
}

/** Numbers of classes that probabilities are measured for. */
const CLASSES = [2, 3, 5, 10, 20, 50, 100];
/** Held-out pairs that a 5 % quantile needs. */
const LEAST_HELD = 20;
/** Share of nodes of known classes that may be called unknown. */
const LOST = 0.05;

/** Of held-out nodes among their own and other held-out texts. */
function knownProbabilities(network: H4G, task: AlignmentTask, random: Random): KnownProbability[] {
  const count = task.nodes.length;
  if (count < LEAST_HELD) return [];
  const { prepared, nodes, about } = task;
  const points = keep(scope(() => network.nodePoints(prepared, nodes)));
  const texts = keep(scope(() => network.textPoints(about)));
  const known = CLASSES.filter((classes) => classes <= count).map((classes) => {
    const most = nodes.map(() => 0);
    const best = Float64Array.from(most.keys(), (node) =>
      scope(() => {
        const others = random.sample(count - 1, classes - 1).map((at) => (at >= node ? at + 1 : at));
        const among = gatherKnownRows(texts, tensor(Int32Array.of(node, ...others)));
        const own = gatherKnownRows(points, tensor(Int32Array.of(node)));
        return Math.max(...softmax(network.similarities(own, among)).view());
      }),
    ).sort();
    return { classes, probability: best[Math.floor(LOST * count)] as number };
  });
  points.dispose();
  texts.dispose();
  return known;
}
