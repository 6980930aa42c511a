// Random heterogeneous graphs with planted classes.

import type { Random } from '../tensor/index.js';
import { HeteroGraph, type RelationEdges } from './hetero-graph.js';

/** Parameters of planted papers. */
export interface PlantedPapersOptions {
  /** Number of papers n; there are n authors, n/2 terms and n/50 venues. Default: 1000. */
  readonly papers?: number;
  /** Number of classes. Default: 4. */
  readonly classes?: number;
  /** Probability that an edge joins nodes regardless of their classes. Default: 0.4. */
  readonly noise?: number;
}

/** Papers with planted classes among authors, terms and venues. */
export interface PlantedPapers {
  /** Four types and six relations. */
  readonly graph: HeteroGraph;
  /** Class of each paper. */
  readonly labels: Int32Array;
}

/** Relations, with the edges that each node of the first type has. */
const RELATIONS = [
  { source: 'paper', name: 'by', target: 'author', edges: 2 },
  { source: 'paper', name: 'in', target: 'venue', edges: 1 },
  { source: 'paper', name: 'about', target: 'term', edges: 4 },
  { source: 'paper', name: 'cites', target: 'paper', edges: 2 },
  { source: 'author', name: 'knows', target: 'author', edges: 1 },
  { source: 'author', name: 'uses', target: 'term', edges: 2 },
] as const;

/**
 * Papers, authors, terms and venues, each with a class of its own at random, and six relations
 * whose edges mostly join nodes of one class.
 */
export function plantedPapers(
  random: Random,
  { papers = 1000, classes = 4, noise = 0.4 }: PlantedPapersOptions = {},
): PlantedPapers {
  const counts = {
    paper: papers,
    author: papers,
    term: Math.max(classes, Math.round(papers / 2)),
    venue: Math.max(classes, Math.round(papers / 50)),
  };
  const classOf = Object.fromEntries(
    Object.entries(counts).map(([type, count]) => {
      const draws = random.split(type);
      // Every class has a node of each type.
      return [type, Int32Array.from({ length: count }, (_, v) => (v < classes ? v : draws.integer(classes)))];
    }),
  ) as Record<keyof typeof counts, Int32Array>;
  const members = Object.fromEntries(
    Object.entries(classOf).map(([type, labels]) => {
      const byClass = Array.from({ length: classes }, () => [] as number[]);
      for (const [v, label] of labels.entries()) byClass[label]?.push(v);
      return [type, byClass];
    }),
  ) as Record<keyof typeof counts, number[][]>;
  const relations = RELATIONS.map(({ source, name, target, edges }): RelationEdges => {
    const draws = random.split(name);
    const sources = new Int32Array(counts[source] * edges);
    const targets = sources.map((_, e) => {
      const from = Math.floor(e / edges);
      sources[e] = from;
      const peers = members[target][classOf[source][from] as number] as number[];
      return draws.float() < noise ? draws.integer(counts[target]) : (peers[draws.integer(peers.length)] as number);
    });
    return { source, name, target, sources, targets };
  });
  return { graph: HeteroGraph.fromRelations(counts, relations), labels: classOf.paper };
}
