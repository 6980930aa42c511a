// Questions on pairs of nodes of a graph, with the answers held out of it. Of a directed one:
// whether an arc leads from one to the other, which way it leads, or both at once (Zhang et al.,
// NeurIPS 2021); of an undirected one: whether there is a link.

import type { Random } from '../../tensor/index.js';
import { Graph } from '../graph.js';

/** What is asked of a pair (u, v). */
export const arcQuestions = {
  /** 1: there is an arc u → v; 0: there is none. */
  existence: ['no arc', 'arc'],
  /** Of pairs that one arc joins: 0: u → v; 1: v → u. */
  direction: ['forward', 'backward'],
  /** 0: u → v; 1: v → u; 2: no arc either way. */
  'three-class': ['forward', 'backward', 'none'],
  /** Of an undirected graph: 1: there is an edge; 0: there is none. */
  links: ['no link', 'link'],
} as const;

/** A question by name. */
export type ArcQuestion = keyof typeof arcQuestions;

/** Pairs with their answers. */
export interface ArcExamples {
  /** First node of each pair. */
  readonly sources: Int32Array;
  /** Second node of each pair. */
  readonly targets: Int32Array;
  /** Answer for each pair, an index of the names of answers. */
  readonly classes: Int32Array;
}

/** A question with examples of each part. */
export interface ArcTask {
  /** What is asked. */
  readonly question: ArcQuestion;
  /** Names of the answers. */
  readonly classNames: readonly string[];
  /** The arcs that networks may read: those of no validation or test pair. */
  readonly graph: Graph;
  /** Pairs to train on; their arcs are in the graph. */
  readonly train: ArcExamples;
  /** Pairs that choose the epoch. */
  readonly validation: ArcExamples;
  /** Pairs that score. */
  readonly test: ArcExamples;
}

/** Shares of the pairs that are joined. */
export interface ArcShares {
  /** Default: 0.15. */
  readonly test?: number;
  /** Default: 0.05. */
  readonly validation?: number;
}

/** A pair u < v with an arc, and which way: 0 u → v, 1 v → u, 2 both. */
interface Pair {
  readonly u: number;
  readonly v: number;
  readonly way: 0 | 1 | 2;
}

/**
 * Holds out pairs of nodes with their arcs such that the others keep the graph as connected as it
 * is, and makes examples: of both orders of a pair alternately; pairs with arcs both ways are no
 * examples of directions; as many pairs without arcs as the question needs, distinct, drawn evenly.
 *
 * @throws Error where the graph has no directions to ask for, or has some that a question of links
 * would leave out, or too few arcs that connect nothing else
 */
export function arcTask(
  graph: Graph,
  question: ArcQuestion,
  random: Random,
  { test = 0.15, validation = 0.05 }: ArcShares = {},
): ArcTask {
  if (question !== 'links' && !graph.directed) throw new Error('arcTask: the graph has no directions to ask for');
  if (question === 'links' && graph.directed)
    throw new Error('arcTask: the graph has directions; ask for "existence", or leave them out of the graph');
  const pairs = pairsOf(graph);
  const order = random.split('pairs').permutation(pairs.length);
  const shuffled = Array.from(order, (at) => pairs[at] as Pair);
  const counts = { test: Math.round(test * pairs.length), validation: Math.round(validation * pairs.length) };
  const tree = spanningForest(graph.nodeCount, shuffled);
  const free = shuffled.filter((_, at) => !tree.has(at));
  if (counts.test < 1 || counts.validation < 1 || free.length < counts.test + counts.validation)
    throw new Error(
      `arcTask: of ${pairs.length} joined pairs, ${free.length} can be held out without parting the graph; ` +
        `${counts.test} to test and ${counts.validation} to validate are asked for`,
    );
  const parts = {
    test: free.slice(0, counts.test),
    validation: free.slice(counts.test, counts.test + counts.validation),
  };
  const held = new Set([...parts.test, ...parts.validation]);
  const others = shuffled.filter((pair) => !held.has(pair));
  const gone = new Set(Array.from(held, ({ u, v }) => u * graph.nodeCount + v));
  const absent = absentPairs(graph, question, random.split('absent'));
  const examples = (part: readonly Pair[]) => examplesOf(part, question, absent);
  return {
    question,
    classNames: arcQuestions[question],
    graph: withoutPairs(graph, gone),
    train: examples(others),
    validation: examples(parts.validation),
    test: examples(parts.test),
  };
}

function pairsOf(graph: Graph): Pair[] {
  const pairs: Pair[] = [];
  graph.forEachEntry((a, b) => {
    if (a === b) return;
    const isBoth = graph.hasEdge(b, a);
    if (isBoth && a > b) return;
    pairs.push({ u: Math.min(a, b), v: Math.max(a, b), way: isBoth ? 2 : a < b ? 0 : 1 });
  });
  return pairs;
}

/** Places of the pairs that join what those before them do not. */
function spanningForest(n: number, pairs: readonly Pair[]): Set<number> {
  const parent = Int32Array.from({ length: n }, (_, v) => v);
  const root = (v: number): number => {
    let own = v;
    while (parent[own] !== own) own = parent[own] = parent[parent[own] as number] as number;
    return own;
  };
  const tree = new Set<number>();
  pairs.forEach(({ u, v }, at) => {
    const [a, b] = [root(u), root(v)];
    if (a === b) return;
    parent[a] = b;
    tree.add(at);
  });
  return tree;
}

function withoutPairs(graph: Graph, gone: ReadonlySet<number>): Graph {
  const n = graph.nodeCount;
  const [sources, targets, weights] = [[] as number[], [] as number[], [] as number[]];
  graph.forEachEntry((a, b, weight) => {
    if (gone.has(Math.min(a, b) * n + Math.max(a, b))) return;
    sources.push(a);
    targets.push(b);
    weights.push(weight);
  });
  return Graph.fromEdges(n, sources, targets, { directed: graph.directed, ...(graph.weights && { weights }) });
}

/**
 * Draws pairs without arcs, none twice, of links in neither order: of existence without u → v, else
 * without arcs either way.
 */
function absentPairs(graph: Graph, question: ArcQuestion, random: Random): () => readonly [number, number] {
  const n = graph.nodeCount;
  const drawn = new Set<number>();
  return () => {
    for (let tries = 0; tries < 10_000; tries++) {
      const [u, v] = [random.integer(n), random.integer(n)];
      const isJoined = graph.hasEdge(u, v) || (question !== 'existence' && graph.hasEdge(v, u));
      const key = question === 'links' ? Math.min(u, v) * n + Math.max(u, v) : u * n + v;
      if (u === v || isJoined || drawn.has(key)) continue;
      drawn.add(key);
      return [u, v];
    }
    throw new Error('arcTask: the graph is too dense to find pairs without an arc');
  };
}

function examplesOf(
  pairs: readonly Pair[],
  question: ArcQuestion,
  absent: () => readonly [number, number],
): ArcExamples {
  const [sources, targets, classes] = [[] as number[], [] as number[], [] as number[]];
  const put = ([u, v]: readonly [number, number], answer: number) => {
    sources.push(u);
    targets.push(v);
    classes.push(answer);
  };
  let turn = 0;
  for (const { u, v, way } of pairs) {
    const [from, to] = way === 1 ? [v, u] : [u, v];
    if (question === 'existence') {
      put([from, to], 1);
      if (way === 2) put([to, from], 1);
      for (let i = 0; i < (way === 2 ? 2 : 1); i++) put(absent(), 0);
      continue;
    }
    if (question === 'links') {
      put([u, v], 1);
      put(absent(), 0);
      continue;
    }
    if (way === 2) continue;
    const isSwapped = turn++ % 2 === 1;
    put(isSwapped ? [to, from] : [from, to], Number(isSwapped));
    // Two pairs that are joined, one of each order, and one that is not.
    if (question === 'three-class' && isSwapped) put(absent(), 2);
  }
  return {
    sources: Int32Array.from(sources),
    targets: Int32Array.from(targets),
    classes: Int32Array.from(classes),
  };
}
