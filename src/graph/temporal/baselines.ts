// Heuristics for temporal links: what memory without learning can tell.

import type { TemporalGraph } from '../../structure/index.js';
import type { TemporalScorer } from './evaluation.js';

/** EdgeBank (Poursafaei et al., NeurIPS 2022): 1 for a pair that has met before, either way round, else 0. */
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

  of(node: number): readonly number[] {
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

/** Common neighbours among the last `limit` partners of each, plus 1 where the two have met. */
export function commonNeighbours(graph: TemporalGraph, limit = 16): TemporalScorer {
  const recent = new Recent(graph, limit);
  return {
    score: (left, right) =>
      Float64Array.from(left, (u, i) => {
        const v = right[i] as number;
        const own = new Set(recent.of(u));
        const others = new Set(recent.of(v));
        return others.size === 0 ? 0 : [...others].reduce((count, w) => count + Number(own.has(w)), Number(own.has(v)));
      }),
    observe: (events) => recent.observe(events),
  };
}

/** How often the destination has taken part so far. */
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
