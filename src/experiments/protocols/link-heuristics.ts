// Heuristics of temporal link prediction, by title.

import {
  commonNeighbours,
  destinationDegree,
  destinationRecency,
  edgeBank,
  edgeBankByDegree,
  type TemporalScorer,
  type TemporalSplit,
} from '../../graph/index.js';
import type { TemporalGraph } from '../../structure/index.js';

export const BANK = 'EdgeBank';
export const BY_DEGREE = 'EdgeBank, ties by degree';
export const COMMON = 'common neighbours';

/** The window of EdgeBank: as long as the test takes. */
function testSpan({ times }: TemporalGraph, { test }: TemporalSplit): number {
  return (times[test.at(-1) as number] as number) - (times[test[0] as number] as number);
}

/** Makers of the heuristics. */
export const heuristics: Readonly<Record<string, (graph: TemporalGraph, split: TemporalSplit) => TemporalScorer>> = {
  [BANK]: (graph) => edgeBank(graph),
  'EdgeBank, window': (graph, split) => edgeBank(graph, testSpan(graph, split)),
  [BY_DEGREE]: edgeBankByDegree,
  [COMMON]: (graph) => commonNeighbours(graph),
  degree: destinationDegree,
  recency: destinationRecency,
};
