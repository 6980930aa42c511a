// Heuristic baselines of temporal link prediction: memory without learned parameters.

import type { TemporalGraph } from '../../structure/index.js';
import type { TemporalScorer } from './evaluation.js';

/** Calls `visit` with both ends of each event. */
function endsOf(
  { sources, targets }: TemporalGraph,
  events: Int32Array,
  visit: (u: number, v: number, event: number) => void,
): void {
  for (const event of events) visit(sources[event] as number, targets[event] as number, event);
}

/** A scorer from the score of one pair and what an event changes. */
function heuristic(
  graph: TemporalGraph,
  score: (u: number, v: number, time: number) => number,
  learn: (u: number, v: number, event: number) => void,
): TemporalScorer {
  return {
    score: (left, right, times) => Float64Array.from(left, (u, i) => score(u, right[i] as number, times[i] as number)),
    observe: (events) => endsOf(graph, events, learn),
  };
}

/** Time of the last event of each pair, in either direction. */
function lastMeetings({ nodeCount, times }: TemporalGraph) {
  const last = new Map<number, number>();
  const key = (u: number, v: number) => Math.min(u, v) * nodeCount + Math.max(u, v);
  return {
    of: (u: number, v: number) => last.get(key(u, v)),
    add: (u: number, v: number, event: number) => void last.set(key(u, v), times[event] as number),
  };
}

/** Number of events of each node. */
function degreesOf({ nodeCount }: TemporalGraph) {
  const degrees = new Float64Array(nodeCount);
  return {
    of: (node: number) => degrees[node] as number,
    add: (u: number, v: number) => {
      degrees[u] = (degrees[u] as number) + 1;
      degrees[v] = (degrees[v] as number) + 1;
    },
  };
}

/**
 * EdgeBank (Poursafaei et al., NeurIPS 2022): scores 1 for a pair that has interacted before, in
 * either direction, else 0.
 *
 * @param window only interactions at most this long before count. Default: all
 */
export function edgeBank(graph: TemporalGraph, window = Number.POSITIVE_INFINITY): TemporalScorer {
  const meetings = lastMeetings(graph);
  const score = (u: number, v: number, time: number) => {
    const last = meetings.of(u, v);
    return Number(last !== undefined && time - last <= window);
  };
  return heuristic(graph, score, meetings.add);
}

/** EdgeBank, ties broken by the number of earlier events of the destination. */
export function edgeBankByDegree(graph: TemporalGraph): TemporalScorer {
  const meetings = lastMeetings(graph);
  const degrees = degreesOf(graph);
  const score = (u: number, v: number) =>
    Number(meetings.of(u, v) !== undefined) + degrees.of(v) / (2 * graph.eventCount + 1);
  return heuristic(graph, score, (u, v, event) => {
    meetings.add(u, v, event);
    degrees.add(u, v);
  });
}

/** Number of earlier events of the destination. */
export function destinationDegree(graph: TemporalGraph): TemporalScorer {
  const degrees = degreesOf(graph);
  return heuristic(graph, (_, v) => degrees.of(v), degrees.add);
}

/** How recently the destination had an event: the number of its last one, −1 for none. */
export function destinationRecency(graph: TemporalGraph): TemporalScorer {
  const last = new Float64Array(graph.nodeCount).fill(-1);
  return heuristic(
    graph,
    (_, v) => last[v] as number,
    (u, v, event) => {
      last[u] = event;
      last[v] = event;
    },
  );
}

/**
 * Number of common neighbours among the last `limit` partners of each node, plus 1 when the two
 * have interacted.
 */
export function commonNeighbours(graph: TemporalGraph, limit = 16): TemporalScorer {
  const recent = new Map<number, number[]>();
  const add = (node: number, partner: number) => {
    const list = recent.get(node) ?? [];
    list.push(partner);
    if (list.length > limit) list.shift();
    recent.set(node, list);
  };
  const score = (u: number, v: number) => {
    const ofU = new Set(recent.get(u));
    const ofV = new Set(recent.get(v));
    return [...ofV].filter((w) => ofU.has(w)).length + Number(ofU.has(v));
  };
  return heuristic(graph, score, (u, v) => {
    add(u, v);
    add(v, u);
  });
}
