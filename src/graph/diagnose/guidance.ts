// The guidance score S: whether directions carry information on labels. After AMUD (Sun et al.,
// ICDE 2024), which guides the choice between directed and undirected graphs; this form is our own.
//
//   h(G) = (P(y_u = y_v | G_uv > 0) − p_s) / (1 − p_s),  p_s = P(y_u = y_v) of two labelled nodes
//   S = 1 − |h(A_u·A_u)| / max(|h(AA)|, |h(AAᵀ)|, |h(AᵀA)|),  A_u = A ∪ Aᵀ, clipped to [0, 1]

import { forEachReached, type Graph, pathsFrom, stepsOf } from '../../structure/index.js';
import { spread, type WorkOptions } from './homophily.js';

/** Patterns of two arcs that S compares. */
export const guidancePatterns = ['AA', 'AAᵀ', 'AᵀA', 'A_uA_u'] as const;

/** A pattern of two arcs; the last ignores directions. */
export type GuidancePattern = (typeof guidancePatterns)[number];

/** What pairs of labelled nodes say of a pattern. */
export interface PatternAgreement {
  /** Ordered pairs of labelled nodes that the pattern joins. */
  readonly pairs: number;
  /** Share of them of one class; NaN without any. */
  readonly agreement: number;
  /** h, the agreement above chance as a share of what is above chance; NaN without any pair. */
  readonly excess: number;
  /** Whether all labelled nodes were asked, or some in view of the work. */
  readonly complete: boolean;
}

/** The guidance score of a graph. */
export interface Guidance {
  /** S from 0 to 1; NaN where it is undecided. */
  readonly score: number;
  /** `directed` from S = 0.5 on; `undecided` counsels the undirected graph, too. */
  readonly advice: 'directed' | 'undirected' | 'undecided';
  /** What S is made from. */
  readonly patterns: Readonly<Record<GuidancePattern, PatternAgreement>>;
  /** p_s. */
  readonly chance: number;
  /** Nodes with a label. */
  readonly labelled: number;
}

/** Options of `guidance`. */
export interface GuidanceOptions extends WorkOptions {
  /** Pairs that a pattern needs to be counted. Default: 100. */
  readonly minimumPairs?: number;
  /** S from which on directions are kept. Default: 0.5. */
  readonly threshold?: number;
}

/**
 * S of a graph from the labels of some nodes, which must not be test nodes. Patterns are binary and
 * without loops. One of fewer pairs than the minimum is left out; without any directed pattern, or
 * without the undirected one, S is undecided: few pairs agree or differ by chance.
 *
 * @param labels class of each node, −1 where unknown
 */
export function guidance(
  graph: Graph,
  labels: Int32Array,
  { minimumPairs = 100, threshold = 0.5, work = 5e7 }: GuidanceOptions = {},
): Guidance {
  const chance = chanceAgreement(labels);
  const both = graph.undirected();
  const measure = (pattern: GuidancePattern) =>
    agreementOf(pattern === 'A_uA_u' ? [both, both] : stepsOf(graph, pattern), labels, chance, work);
  const patterns = Object.fromEntries(guidancePatterns.map((pattern) => [pattern, measure(pattern)])) as Record<
    GuidancePattern,
    PatternAgreement
  >;
  const enough = (pattern: GuidancePattern) => patterns[pattern].pairs >= minimumPairs;
  const directed = guidancePatterns
    .filter((pattern) => pattern !== 'A_uA_u' && enough(pattern))
    .map((pattern) => Math.abs(patterns[pattern].excess));
  const most = Math.max(...directed);
  const labelled = labels.reduce((count, label) => count + Number(label >= 0), 0);
  if (directed.length === 0 || !enough('A_uA_u') || !(most > 0))
    return { score: Number.NaN, advice: 'undecided', patterns, chance, labelled };
  const score = Math.min(1, Math.max(0, 1 - Math.abs(patterns.A_uA_u.excess) / most));
  return { score, advice: score >= threshold ? 'directed' : 'undirected', patterns, chance, labelled };
}

/** Probability that two different labelled nodes are of one class; NaN with fewer than two. */
export function chanceAgreement(labels: Int32Array): number {
  const counts: number[] = [];
  for (const label of labels) if (label >= 0) counts[label] = (counts[label] ?? 0) + 1;
  const total = counts.reduce((sum, count) => sum + (count ?? 0), 0);
  const same = counts.reduce((sum, count) => sum + (count ?? 0) * ((count ?? 0) - 1), 0);
  return same / (total * (total - 1));
}

function agreementOf(steps: readonly Graph[], labels: Int32Array, chance: number, work: number): PatternAgreement {
  const sources: number[] = [];
  let [left, complete] = [work, true];
  for (const source of spread(labels.length)) {
    if ((labels[source] as number) < 0) continue;
    if (left <= 0) {
      complete = false;
      break;
    }
    left -= pathsFrom(steps, source);
    sources.push(source);
  }
  let [pairs, same] = [0, 0];
  forEachReached(steps, sources, (source, target) => {
    if ((labels[target] as number) < 0) return;
    pairs += 1;
    if (labels[source] === labels[target]) same += 1;
  });
  const agreement = same / pairs;
  return { pairs, agreement, excess: (agreement - chance) / (1 - chance), complete };
}
