// What joint features cost: NAT's caches against features made for each event from sampled walks, as CAWN and its kin do.

import { NAT, natScorer } from '../graph/index.js';
import { Linear } from '../nn/index.js';
import { Segments, segmentSum } from '../sparse/index.js';
import type { TemporalGraph } from '../structure/index.js';
import { type Random, scope, tensor } from '../tensor/index.js';

/** Walks from each end of a pair, and their length. */
const WALKS = 32;
const LENGTH = 2;
/** Numbers of a joint row: counts by step, for either end. */
const FEATURES = 2 * (LENGTH + 1);
const WIDTH = 64;

/** Times of events that a node takes part in, with its partners: what walks are sampled from. */
class History {
  readonly #partners: number[][];

  constructor(readonly graph: TemporalGraph) {
    this.#partners = Array.from({ length: graph.nodeCount }, () => []);
  }

  observe(event: number): void {
    const [u, v] = [this.graph.sources[event] as number, this.graph.targets[event] as number];
    (this.#partners[u] as number[]).push(v);
    (this.#partners[v] as number[]).push(u);
  }

  /** Counts of each node at each step of walks that prefer recent partners: its distance features. */
  walk(start: number, random: Random): Map<number, Float32Array> {
    const counts = new Map<number, Float32Array>([[start, Float32Array.of(WALKS, 0, 0)]]);
    for (let walk = 0; walk < WALKS; walk++) {
      let node = start;
      for (let step = 1; step <= LENGTH; step++) {
        const partners = this.#partners[node] as number[];
        if (partners.length === 0) break;
        // Linear preference for the recent: the larger of two draws.
        const at = Math.max(random.integer(partners.length), random.integer(partners.length));
        node = partners[at] as number;
        const own = counts.get(node) ?? new Float32Array(LENGTH + 1);
        own[step] = (own[step] as number) + 1;
        counts.set(node, own);
      }
    }
    return counts;
  }

  /** Joint rows of every node that walks from u or from v reach. */
  joint(u: number, v: number, random: Random, into: number[]): void {
    const sides = [this.walk(u, random), this.walk(v, random)];
    const none = new Float32Array(LENGTH + 1);
    for (const node of new Set(sides.flatMap((side) => [...side.keys()])))
      for (const side of sides) into.push(...(side.get(node) ?? none));
  }
}

/** A network of NAT's shape on the joint features of walks. */
class WalkReader {
  readonly #pool: Linear;
  readonly #hidden: Linear;
  readonly #head: Linear;

  constructor(random: Random) {
    this.#pool = new Linear(FEATURES, 2 * WIDTH, random.split('pool'));
    this.#hidden = new Linear(2 * WIDTH, WIDTH, random.split('hidden'));
    this.#head = new Linear(WIDTH, 1, random.split('head'));
  }

  /** Logits of the events whose joint rows stand one after another. */
  score(rows: readonly number[], sizes: readonly number[]): Float32Array {
    return scope(() => {
      const x = tensor(Float32Array.from(rows), [rows.length / FEATURES, FEATURES]);
      const pooled = segmentSum(this.#pool.forward(x, 'relu'), Segments.fromSizes(sizes));
      return Float32Array.from(this.#head.forward(this.#hidden.forward(pooled, 'relu')).view());
    });
  }
}

/** Events scored a second by either. */
export function walkFeatureSpeed(
  graph: TemporalGraph,
  random: Random,
  { slots, batch }: { readonly slots: readonly number[]; readonly batch: number },
) {
  const count = Math.min(2000, graph.eventCount);
  const model = new NAT(graph, random.split('model'), { slots });
  const scorer = natScorer(model);
  const events = Int32Array.from({ length: count }, (_, i) => i);
  const ends = (own: Int32Array) =>
    [own.map((e) => graph.sources[e] as number), own.map((e) => graph.targets[e] as number)] as const;
  const pass = () => {
    for (let at = 0; at < count; at += batch) {
      const own = events.subarray(at, at + batch);
      const [left, right] = ends(own);
      scorer.score(left, right, new Float64Array(own.length));
      scorer.observe(own);
    }
  };
  pass();
  model.reset();
  const started = performance.now();
  pass();
  const nat = count / ((performance.now() - started) / 1000);

  const history = new History(graph);
  const draws = random.split('walks');
  const reader = new WalkReader(random.split('reader'));
  const began = performance.now();
  let touched = 0;
  for (let at = 0; at < count; at += batch) {
    const rows: number[] = [];
    const sizes: number[] = [];
    for (const event of events.subarray(at, at + batch)) {
      const before = rows.length;
      history.joint(graph.sources[event] as number, graph.targets[event] as number, draws, rows);
      sizes.push((rows.length - before) / FEATURES);
    }
    touched += rows.length;
    reader.score(rows, sizes);
    for (const event of events.subarray(at, at + batch)) history.observe(event);
  }
  const walks = count / ((performance.now() - began) / 1000);
  return {
    studies: [
      {
        title: 'Events scored a second',
        note: `NAT, against a network of the same shape on joint features of ${WALKS} walks of ${LENGTH} steps from each end, made for each event from lists of partners (${Math.round(touched / count)} numbers an event). First ${count} events.`,
        columns: ['NAT', 'walks', 'times faster'],
        rows: [[Math.round(nat), Math.round(walks), (nat / walks).toFixed(1)]],
      },
    ],
    scores: { speedRatio: nat / walks },
  };
}
