// The sequence view: where walks along arcs and against them lead.

import { type DirectedWalks, directedWalks, type Graph, reversed } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';

/** Walks of one kind. */
export interface WalkView {
  /** Mean number of steps until a walk cannot go on, at most the length asked for. */
  readonly meanLength: number;
  /** Share of walks that end early. */
  readonly ended: number;
  /** Share of walks that come back to their start. */
  readonly returned: number;
  /**
   * Share of steps of each number that reach the class of the start, among steps between labelled
   * nodes; NaN where there are none.
   */
  readonly agreement: readonly number[];
}

/** Kinds of walks. */
export const walkKinds = ['forward', 'backward', 'mixed'] as const;

/** The sequence view: walks along arcs, against them, and with either at each step. */
export type SequenceView = Readonly<Record<(typeof walkKinds)[number], WalkView>>;

/** Options of `sequenceView`. */
export interface SequenceOptions {
  /** Steps of a walk. Default: 6. */
  readonly length?: number;
  /** Walks in all, of each kind. Default: 30,000. */
  readonly walks?: number;
}

/**
 * Walks without immediate return from nodes drawn evenly.
 *
 * @param labels class of each node, −1 where unknown
 */
export function sequenceView(
  graph: Graph,
  labels: Int32Array | undefined,
  { length = 6, walks = 30_000 }: SequenceOptions = {},
): SequenceView {
  const n = graph.nodeCount;
  const random = new Random(0).split('sequenceView');
  const sources = n <= walks ? Int32Array.from({ length: n }, (_, v) => v) : random.split('sources').sample(n, walks);
  const each = Math.max(1, Math.min(50, Math.floor(walks / Math.max(1, sources.length))));
  const view = (own: Graph, forward: 0.5 | 'only') => {
    const taken = directedWalks(own, random.split(`walks ${forward}`), { walks: each, length, forward }, sources);
    return viewOf(taken, sources, each, length, labels);
  };
  return { forward: view(graph, 'only'), backward: view(reversed(graph), 'only'), mixed: view(graph, 0.5) };
}

function viewOf(
  { offsets, nodes, positions }: DirectedWalks,
  sources: Int32Array,
  each: number,
  length: number,
  labels: Int32Array | undefined,
): WalkView {
  const walks = sources.length * each;
  const [same, all] = [new Float64Array(length), new Float64Array(length)];
  let [full, returned] = [0, 0];
  sources.forEach((source, i) => {
    let isBack = false;
    for (let at = offsets[i] as number; at < (offsets[i + 1] as number); at++) {
      const [node, step] = [nodes[at] as number, positions[at] as number];
      if (step === 0) isBack = false;
      if (step === length - 1) full += 1;
      if (node === source && !isBack) {
        isBack = true;
        returned += 1;
      }
      const [a, b] = [labels?.[source] ?? -1, labels?.[node] ?? -1];
      if (a < 0 || b < 0) continue;
      all[step] = (all[step] as number) + 1;
      if (a === b) same[step] = (same[step] as number) + 1;
    }
  });
  return {
    meanLength: nodes.length / walks,
    ended: 1 - full / walks,
    returned: returned / walks,
    agreement: Array.from(same, (value, step) => value / (all[step] as number)),
  };
}
