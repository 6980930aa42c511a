// Heuristic baselines of temporal link prediction: memory without learned parameters.

import type { TemporalGraph } from '../../structure/index.js';
import type { TemporalScorer } from './evaluation.js';

/**
 * EdgeBank (Poursafaei et al., NeurIPS 2022): scores 1 for a pair that has interacted before, in
 * either direction, else 0.
 */
export function edgeBank(graph: TemporalGraph): TemporalScorer {
  const met = new Set<number>();
  const key = (u: number, v: number) => Math.min(u, v) * graph.nodeCount + Math.max(u, v);
  return {
    score: (left, right) => Float64Array.from(left, (u, i) => Number(met.has(key(u, right[i] as number)))),
    observe: (events) => {
      for (const e of events) met.add(key(graph.sources[e] as number, graph.targets[e] as number));
    },
  };
}

/** The last `limit` partners of each node. */
class Recent {
  readonly #partners: Map<number, number[]> = new Map();

  constructor(
    readonly graph: TemporalGraph,
    readonly limit: number,
  ) {}

  partnersOf(node: number): readonly number[] {
    return this.#partners.get(node) ?? [];
  }

  observe(events: Int32Array): void {
    for (const e of events) {
      const [u, v] = [this.graph.sources[e] as number, this.graph.targets[e] as number];
      this.#add(u, v);
      this.#add(v, u);
    }
  }

  #add(node: number, partner: number): void {
    const list = this.#partners.get(node) ?? [];
    list.push(partner);
    if (list.length > this.limit) list.shift();
    this.#partners.set(node, list);
  }
}

/**
 * Number of common neighbours among the last `limit` partners of each node, plus 1 when the two
 * have interacted.
 */
export function commonNeighbours(graph: TemporalGraph, limit = 16): TemporalScorer {
  const recent = new Recent(graph, limit);
  return {
    score: (left, right) =>
      Float64Array.from(left, (u, i) => {
        const v = right[i] as number;
        const partnersOfU = new Set(recent.partnersOf(u));
        const partnersOfV = new Set(recent.partnersOf(v));
        return partnersOfV.size === 0
          ? 0
          : [...partnersOfV].reduce((count, w) => count + Number(partnersOfU.has(w)), Number(partnersOfU.has(v)));
      }),
    observe: (events) => recent.observe(events),
  };
}

/** Number of earlier events of the destination. */
export function destinationDegree(graph: TemporalGraph): TemporalScorer {
  const degrees = new Float64Array(graph.nodeCount);
  return {
    score: (_, right) => Float64Array.from(right, (v) => degrees[v] as number),
    observe: (events) => {
      for (const e of events)
        for (const node of [graph.sources[e] as number, graph.targets[e] as number])
          degrees[node] = (degrees[node] as number) + 1;
    },
  };
}
