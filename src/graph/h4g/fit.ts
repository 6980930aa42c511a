// A model from graphs of texts: encode, pair each node with another text about it, hold pairs out
// to choose the epoch and the probabilities of known classes, train.

import {
  HashedTextEncoder,
  halvesOf,
  LatentTextEncoder,
  type SentenceEncoder,
  type TextGraph,
  wordsOf,
} from '../../data/index.js';
import type { FitResult } from '../../nn/index.js';
import { Graph } from '../../structure/index.js';
import { gatherKnownRows, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { encodeTexts, type GivenEncoder, type H4GDescription, H4GModel, type KnownProbability } from './model.js';
import { H4G, type H4GOptions } from './network.js';
import { smallestOf } from './radius-report.js';
import { type AlignmentOptions, type AlignmentTask, trainH4G } from './training.js';

/** Options of `fitTextGraphs`. */
export interface TextGraphFitOptions extends Omit<AlignmentOptions, 'validate'> {
  /** Layout of the network. */
  readonly network?: H4GOptions;
  /**
   * The built-in encoder: `latent` learns directions of the texts and knows no other words;
   * `hashed` has a random vector for any word, so that only equal words are alike. Default:
   * `latent`.
   */
  readonly texts?: 'latent' | 'hashed';
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
  const encoder = given?.encoder ?? builtInEncoder(graphs, options);
  const order = random.split('split').permutation(pairs.nodes.length);
  const held = Math.round(validation * order.length);
  const part = (from: number, to: number) =>
    Int32Array.from(order.subarray(from, to), (at) => pairs.nodes[at] as number);
  const [heldOut, train] = [part(0, held), part(held, order.length)];
  const network = new H4G(encoder.dimension, random.split('weights'), layout);
  const prepared = network.prepare(pairs.graph, encodeTexts(encoder, pairs.texts));
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
      encoder: described(encoder, given),
      known: knownProbabilities(network, unseen, random.split('known')),
      trained: graphs.map(({ name, graph }) => ({ name, nodes: graph.nodeCount, edges: graph.edgeCount })),
      pairs: train.length,
    },
    encoder,
  );
  return { model, training, heldOut: held, retrieval: held > 1 ? retrievalOf(network, unseen) : Number.NaN };
}

function builtInEncoder(graphs: readonly TextGraph[], options: TextGraphFitOptions): SentenceEncoder {
  const { texts = 'latent', textFeatures: dimension = 256, seed = 0 } = options;
  const corpus = graphs.flatMap((graph) => [...graph.texts, ...(graph.summaries ?? [])]);
  if (texts === 'hashed') return new HashedTextEncoder({ dimension, seed }).fit(corpus);
  return new LatentTextEncoder({ dimension, seed }).fit(corpus);
}

function described(encoder: SentenceEncoder, given: GivenEncoder | undefined): H4GDescription['encoder'] {
  if (given) return { kind: 'onnx', digest: given.digest };
  if (encoder instanceof HashedTextEncoder) return { kind: 'hashed', state: encoder.state() };
  return { kind: 'latent', options: (encoder as LatentTextEncoder).state().options };
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
  const points = network.points(prepared, nodes, about);
  return network.similarities(points.nodes, points.texts).multiply(-1);
}

/** Numbers of classes that probabilities are measured for. */
const CLASSES = [2, 3, 5, 10, 20, 50, 100];
/** Held-out pairs that this needs, and those that it looks at, at most. */
const [LEAST_HELD, MOST_HELD] = [20, 500];
/** Draws of other texts, of all nodes in turn. */
const DRAWS = 2000;

/** Share of nodes of known classes that may be called unknown. */
const LOST = 0.1;

/** The probability that nine of ten held-out nodes reach among texts of which one is theirs. */
function knownProbabilities(network: H4G, task: AlignmentTask, random: Random): KnownProbability[] {
  const count = Math.min(task.nodes.length, MOST_HELD);
  if (count < LEAST_HELD) return [];
  const first = Int32Array.from({ length: count }, (_, i) => i);
  const about = gatherKnownRows(task.about, tensor(first));
  const alike = scope(() =>
    distancesOf(network, { ...task, nodes: task.nodes.subarray(0, count), about }).dataSync<Float32Array>(),
  );
  about.dispose();
  /** Softmax of the nearest of some texts. */
  const nearest = (node: number, among: readonly number[]) => {
    const own = among.map((text) => -(alike[node * count + text] as number));
    const most = Math.max(...own);
    return 1 / own.reduce((sum, value) => sum + Math.exp(value - most), 0);
  };
  return CLASSES.filter((classes) => classes <= count).map((classes) => {
    const reached = Float64Array.from({ length: DRAWS }, (_, draw) => {
      const node = draw % count;
      const others = Array.from(random.sample(count - 1, classes - 1), (at) => (at >= node ? at + 1 : at));
      return nearest(node, [node, ...others]);
    }).sort();
    return { classes, probability: reached[Math.floor(LOST * DRAWS)] as number };
  });
}
