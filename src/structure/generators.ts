// Random hypergraphs, graphs and event streams.

import type { Random } from '../tensor/index.js';
import { Graph } from './graph.js';
import { Hypergraph } from './hypergraph.js';
import { AliasTable } from './sampling.js';
import { TemporalGraph } from './temporal.js';

/** Hyperedges of uniform sizes in [smallest, largest] over uniformly drawn vertices. */
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

export interface PlantedOptions {
  readonly vertices?: number;
  readonly hyperedges?: number;
  readonly classes?: number;
  readonly features?: number;
  /** Words of each class's vocabulary. */
  readonly classWords?: number;
  /** Words drawn for each vertex. */
  readonly wordsPerVertex?: number;
  /** Probability that a word comes from the vertex's class. */
  readonly wordPurity?: number;
  /** Probability that a member of a hyperedge comes from its class. */
  readonly memberPurity?: number;
}

export interface PlantedHypergraph {
  readonly hypergraph: Hypergraph;
  readonly labels: Int32Array;
  /** Distinct words of each vertex. */
  readonly words: readonly Int32Array[];
  readonly wordCount: number;
}

/**
 * A planted partition with bag-of-words features: class vocabularies, vertices that draw most words at random, and hyperedges of at most 2 + Poisson(2) members
 * mostly of one class. Words alone say little of a class, hyperedges much.
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
    const own = vocabularies[label] as Int32Array;
    const drawn = Array.from({ length: wordsPerVertex }, () =>
      random.float() < wordPurity ? (own[random.integer(classWords)] as number) : random.integer(features),
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

export interface BlockModelOptions {
  readonly nodes?: number;
  readonly classes?: number;
  readonly meanDegree?: number;
  /** Share of edges drawn without regard to classes. */
  readonly noise?: number;
}

/** A degree-corrected block model: equal classes, node propensities 1 + Pareto(2) up to 20, edges within a class but for the noise. */
export function blockModel(
  random: Random,
  { nodes = 4000, classes = 8, meanDegree = 12, noise = 0.4 }: BlockModelOptions = {},
): { graph: Graph; labels: Int32Array } {
  const labels = Int32Array.from({ length: nodes }, (_, v) => v % classes);
  const propensity = Float64Array.from({ length: nodes }, () => Math.min(20, (1 - random.float()) ** -0.5));
  const all = new AliasTable(propensity);
  const own = Array.from(
    { length: classes },
    (_, c) => new AliasTable(propensity.map((p, v) => (labels[v] === c ? p : 0))),
  );
  const count = Math.round((nodes * meanDegree) / 2);
  const [sources, targets] = [new Int32Array(count), new Int32Array(count)];
  for (let e = 0; e < count; e++) {
    const u = all.draw(random);
    sources[e] = u;
    targets[e] = random.float() < noise ? all.draw(random) : (own[labels[u] as number] as AliasTable).draw(random);
  }
  return { graph: Graph.fromEdges(nodes, sources, targets, { selfLoops: 'drop' }), labels };
}

/** R-MAT (Chakrabarti, Zhan, Faloutsos, SDM 2004) with the usual quarters 0.57, 0.19, 0.19, 0.05: 2^scale nodes, directed, weights 1 … 5 summed over repeats. */
export function rmat(scale: number, edges: number, random: Random): Graph {
  const [sources, targets, weights] = [new Int32Array(edges), new Int32Array(edges), new Float32Array(edges)];
  for (let e = 0; e < edges; e++) {
    let [u, v] = [0, 0];
    for (let bit = 0; bit < scale; bit++) {
      const x = random.float();
      const quarter = x < 0.57 ? 0 : x < 0.76 ? 1 : x < 0.95 ? 2 : 3;
      u = 2 * u + (quarter >> 1);
      v = 2 * v + (quarter & 1);
    }
    sources[e] = u;
    targets[e] = v;
    weights[e] = 1 + random.integer(5);
  }
  return Graph.fromEdges(2 ** scale, sources, targets, { directed: true, weights, duplicates: 'sum' });
}

/**
 * A stream of events that closes triangles: with probability 0.55 an end of one of the last 600 events meets one of the other end's last 8 partners, with 0.15 one of those events repeats, else two nodes meet at random. Times are exponential.
 */
export function triadicStream(random: Random, { nodes = 300, events = 6000 } = {}): TemporalGraph {
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
