// What joint features cost: NAT's caches against features made for each event from sampled walks, as CAWN and its kin do.

import { NAT, natScorer } from '../graph/index.js';
import type { TemporalGraph } from '../structure/index.js';
import type { Random } from '../tensor/index.js';

/** Walks from each end of a pair, and their length. */
const WALKS = 32;
const LENGTH = 2;

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
}

/** Events scored a second by either; the walks' features are made but not even read by a network. */
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
  const began = performance.now();
  let touched = 0;
  for (const event of events) {
    const joint = [graph.sources[event] as number, graph.targets[event] as number].map((node) =>
      history.walk(node, draws),
    );
    // The joint features of every node that either reached.
    for (const node of new Set(joint.flatMap((side) => [...side.keys()]))) {
      const features = joint.flatMap((side) => [...(side.get(node) ?? new Float32Array(LENGTH + 1))]);
      touched += features.length;
    }
    history.observe(event);
  }
  const walks = count / ((performance.now() - began) / 1000);
  return {
    studies: [
      {
        title: 'Events scored a second',
        note: `NAT with its network, against the features alone of ${WALKS} walks of ${LENGTH} steps from each end, without one (${Math.round(touched / count)} numbers an event). First ${count} events.`,
        columns: ['NAT', 'walks', 'times faster'],
        rows: [[Math.round(nat), Math.round(walks), (nat / walks).toFixed(1)]],
      },
    ],
    scores: { speedRatio: nat / walks },
  };
}
