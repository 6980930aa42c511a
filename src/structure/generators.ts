// Random hypergraphs, graphs and event streams.

import type { Random } from '../tensor/index.js';
import { Graph } from './graph.js';
import { Hypergraph } from './hypergraph.js';
import { AliasTable } from './sampling.js';
import { TemporalGraph } from './temporal.js';

/**
 * Random hypergraph: hyperedge sizes uniform in [smallest, largest], vertices uniform without
 * replacement.
 */
export function uniformHypergraph(
  vertices: number,
  hyperedges: number,
  [smallest, largest]: readonly [number, number],
  random: Random,
): Hypergraph {
  const lists = Array.from({ length: hyperedges }, () =>
    random.sample(vertices, smallest + random.integer(largest - smallest + 1)),
  );
  return new Hypergraph(vertices, lists);
}

/** Parameters of a planted hypergraph. */
export interface PlantedOptions {
  /** Number of vertices. Default: 2000. */
  readonly vertices?: number;
  /** Number of hyperedges. Default: 1500. */
  readonly hyperedges?: number;
  /** Number of classes. Default: 5. */
  readonly classes?: number;
  /** Size of the vocabulary of all words. Default: 500. */
  readonly features?: number;
  /** Words in the vocabulary of each class. Default: 40. */
  readonly classWords?: number;
  /** Words drawn per vertex, repeats included. Default: 12. */
  readonly wordsPerVertex?: number;
  /** Probability that a word is drawn from the vocabulary of the vertex's class. Default: 0.35. */
  readonly wordPurity?: number;
  /**
   * Probability that a member of a hyperedge is drawn from the hyperedge's class. Default: 0.85.
   */
  readonly memberPurity?: number;
}

/** A hypergraph with planted classes and bag-of-words features. */
export interface PlantedHypergraph {
  /** Hyperedges whose members are mostly of one class. */
  readonly hypergraph: Hypergraph;
  /** Class of each vertex [vertices]. */
  readonly labels: Int32Array;
  /** Distinct words of each vertex, ascending. */
  readonly words: readonly Int32Array[];
  /** Size of the vocabulary. */
  readonly wordCount: number;
}

/**
 * Planted partition with bag-of-words features: each class has a vocabulary, vertices draw most
 * words from all words, hyperedges have at most 2 + Poisson(2) members, mostly of one class. So
 * words alone are weak evidence of the class and hyperedges strong.
 */
export function plantedHypergraph(random: Random, options: PlantedOptions = {}): PlantedHypergraph {
  const {
    vertices = 2000,
    hyperedges = 1500,
    classes = 5,
    features = 500,
    classWords = 40,
    wordsPerVertex = 12,
    wordPurity = 0.35,
    memberPurity = 0.85,
  } = options;
  const vocabularies = Array.from({ length: classes }, () => random.sample(features, classWords));
  const labels = Int32Array.from({ length: vertices }, () => random.integer(classes));
  const byClass = vocabularies.map((_, c) => Array.from(labels.keys()).filter((v) => labels[v] === c));
  const words = Array.from(labels, (label) => {
    const vocabulary = vocabularies[label] as Int32Array;
    const drawn = Array.from({ length: wordsPerVertex }, () =>
      random.float() < wordPurity ? (vocabulary[random.integer(classWords)] as number) : random.integer(features),
    );
    return Int32Array.from(new Set(drawn)).sort();
  });
  const lists = Array.from({ length: hyperedges }, () => {
    const peers = byClass[random.integer(classes)] as number[];
    const size = 2 + random.poisson(2);
    const members = Array.from({ length: size }, () =>
      peers.length > 0 && random.float() < memberPurity
        ? (peers[random.integer(peers.length)] as number)
        : random.integer(vertices),
    );
    return [...new Set(members)];
  });
  return { hypergraph: new Hypergraph(vertices, lists), labels, words, wordCount: features };
}

/**
 * Erdős–Rényi graph: n·meanDegree/2 edges between uniform nodes, of which repeats and self-loops
 * are dropped.
 */
export function erdosRenyi(random: Random, nodes: number, meanDegree: number): Graph {
  const count = Math.round((nodes * meanDegree) / 2);
  const ends = () => Int32Array.from({ length: count }, () => random.integer(nodes));
  return Graph.fromEdges(nodes, ends(), ends(), { selfLoops: 'drop' });
}

/**
 * A connected graph: a random tree, each node in a random order attached to a uniformly chosen
 * earlier one, and then random edges until there are `edges`.
 *
 * @throws RangeError unless `edges` is from nodes − 1 to nodes·(nodes − 1)/2
 */
export function connectedGraph(random: Random, nodes: number, edges: number): Graph {
  if (!(edges >= nodes - 1 && edges <= (nodes * (nodes - 1)) / 2))
    throw new RangeError(`connectedGraph: ${nodes} nodes cannot be connected by ${edges} edges, each once`);
  const order = random.permutation(nodes);
  const pairs = new Map<number, readonly [number, number]>();
  const add = (u: number, v: number) => pairs.set(Math.min(u, v) * nodes + Math.max(u, v), [u, v]);
  for (let i = 1; i < nodes; i++) add(order[i] as number, order[random.integer(i)] as number);
  while (pairs.size < edges) {
    const [u, v] = [random.integer(nodes), random.integer(nodes)];
    if (u !== v) add(u, v);
  }
  const ends = [...pairs.values()];
  return Graph.fromEdges(
    nodes,
    ends.map(([u]) => u),
    ends.map(([, v]) => v),
  );
}

/** Parameters of a block model. */
export interface BlockModelOptions {
  /** Number of nodes. Default: 4000. */
  readonly nodes?: number;
  /** Number of classes. Default: 8. */
  readonly classes?: number;
  /** Mean degree before duplicates and self-loops are dropped. Default: 12. */
  readonly meanDegree?: number;
  /** Share of edges drawn without regard to classes. Default: 0.4. */
  readonly noise?: number;
}

/**
 * Degree-corrected stochastic block model: classes of equal size, node propensities 1 + Pareto(2)
 * capped at 20, edges within a class except for the noise.
 */
export function blockModel(
  random: Random,
  { nodes = 4000, classes = 8, meanDegree = 12, noise = 0.4 }: BlockModelOptions = {},
): { graph: Graph; labels: Int32Array } {
  const labels = Int32Array.from({ length: nodes }, (_, v) => v % classes);
  const propensity = Float64Array.from({ length: nodes }, () => Math.min(20, (1 - random.float()) ** -0.5));
  const all = new AliasTable(propensity);
  const byClass = Array.from(
    { length: classes },
    (_, c) => new AliasTable(propensity.map((p, v) => (labels[v] === c ? p : 0))),
  );
  const count = Math.round((nodes * meanDegree) / 2);
  const [sources, targets] = [new Int32Array(count), new Int32Array(count)];
  for (let e = 0; e < count; e++) {
    const u = all.draw(random);
    sources[e] = u;
    targets[e] = random.float() < noise ? all.draw(random) : (byClass[labels[u] as number] as AliasTable).draw(random);
  }
  return { graph: Graph.fromEdges(nodes, sources, targets, { selfLoops: 'drop' }), labels };
}

/**
 * R-MAT graph (Chakrabarti, Zhan, Faloutsos, SDM 2004) with quadrant probabilities 0.57, 0.19,
 * 0.19, 0.05: 2^scale nodes, directed, weights 1 … 5 summed over duplicate edges.
 */
export function rmat(scale: number, edges: number, random: Random): Graph {
  if (!(Number.isInteger(scale) && scale >= 0 && scale <= 30))
    throw new RangeError(`rmat: expected a whole scale from 0 to 30, got ${scale}`);
  const [sources, targets, weights] = [new Int32Array(edges), new Int32Array(edges), new Float32Array(edges)];
  for (let e = 0; e < edges; e++) {
    let [u, v] = [0, 0];
    for (let bit = 0; bit < scale; bit++) {
      const x = random.float();
      const quadrant = x < 0.57 ? 0 : x < 0.76 ? 1 : x < 0.95 ? 2 : 3;
      u = 2 * u + (quadrant >> 1);
      v = 2 * v + (quadrant & 1);
    }
    sources[e] = u;
    targets[e] = v;
    weights[e] = 1 + random.integer(5);
  }
  return Graph.fromEdges(2 ** scale, sources, targets, { directed: true, weights, duplicates: 'sum' });
}

/**
 * Event stream with triadic closure: with probability 0.55 an endpoint of one of the last 600
 * events meets one of the other endpoint's last 8 partners, with 0.15 one of those events repeats,
 * else two uniform nodes meet. Interarrival times are exponential with mean 1. Defaults: 300 nodes,
 * 6000 events.
 */
export function triadicStream(random: Random, { nodes = 300, events = 6000 } = {}): TemporalGraph {
  if (!(nodes >= 2)) throw new RangeError(`triadicStream: expected at least 2 nodes, got ${nodes}`);
  const [sources, targets, times] = [[] as number[], [] as number[], [] as number[]];
  const partners: number[][] = Array.from({ length: nodes }, () => []);
  let time = 0;
  while (sources.length < events) {
    const kind = random.float();
    let pair: readonly [number, number] = [random.integer(nodes), random.integer(nodes)];
    if (sources.length > 0 && kind < 0.7) {
      const at = sources.length - 1 - random.integer(Math.min(600, sources.length));
      const ends = [sources[at] as number, targets[at] as number] as const;
      pair = ends;
      if (kind < 0.55) {
        const side = random.integer(2);
        const [a, b] = [ends[side] as number, ends[1 - side] as number];
        const choices = (partners[a] as number[]).filter((c) => c !== b);
        if (choices.length > 0) pair = [b, choices[random.integer(choices.length)] as number];
      }
    }
    const [u, v] = pair;
    if (u === v) continue;
    time -= Math.log(1 - random.float());
    sources.push(u);
    targets.push(v);
    times.push(time);
    for (const [node, partner] of [
      [u, v],
      [v, u],
    ] as const) {
      const list = partners[node] as number[];
      list.push(partner);
      if (list.length > 8) list.shift();
    }
  }
  return new TemporalGraph(nodes, { sources, targets, times });
}
