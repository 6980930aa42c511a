// Cost of a score: NAT's caches against joint features made for each event from sampled walks,
// as CAWN and its kin do, and against node memories with attention over recent partners, as in TGN.
// Weights are random: time does not depend on them.

import { MemoryNetwork, NAT, natScorer, type TemporalScorer, WalkNetwork } from '../../graph/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

/** Walks from each end of a pair, and their length. */
const WALKS = 32;
const LENGTH = 2;
/** Partners that a memory network attends to, and the width of a memory: NAT's own. */
const RECENT = 10;
const MEMORY = 72;
/** Events of a pass. */
const EVENTS = 2000;
/** Passes of each model after one to warm up. */
const PASSES = 2;

interface SpeedOptions {
  /** Slots of NAT's caches by hop. */
  readonly slots: readonly number[];
  readonly batch: number;
}

/**
 * Events per second that a new scorer scores and updates its state with, from the beginning of a
 * stream.
 */
function eventRate(scorer: TemporalScorer, graph: TemporalGraph, batch: number): number {
  const events = Int32Array.from({ length: Math.min(EVENTS, graph.eventCount) }, (_, event) => event);
  const started = performance.now();
  for (let at = 0; at < events.length; at += batch) {
    const own = events.subarray(at, at + batch);
    const ends = (nodes: ArrayLike<number>) => own.map((event) => nodes[event] as number);
    scorer.score(ends(graph.sources), ends(graph.targets), new Float64Array(own.length));
    scorer.observe(own);
  }
  return events.length / ((performance.now() - started) / 1000);
}

/** Scores `walkRatio` and `memoryRatio`: throughput of NAT relative to the others. */
export function scoringStudy(graph: TemporalGraph, random: Random, { slots, batch }: SpeedOptions): StudyResults {
  const scorers: readonly (() => TemporalScorer)[] = [
    () => natScorer(new NAT(graph, random.split('model'), { slots })),
    () => new WalkNetwork(graph, random.split('walks'), { walks: WALKS, length: LENGTH }),
    () => new MemoryNetwork(graph, random.split('memories'), { memory: MEMORY, recent: RECENT }),
  ];
  const best = scorers.map(() => 0);
  // Interleaved, so that background load affects all alike.
  for (let pass = 0; pass <= PASSES; pass++)
    scorers.forEach((create, i) => {
      const rate = eventRate(create(), graph, batch);
      if (pass > 0) best[i] = Math.max(best[i] as number, rate);
    });
  const [nat, walks, memories] = best as [number, number, number];
  return studyOf(
    {
      title: 'Events scored a second',
      note:
        `NAT, against a network of the same shape on joint features of ${WALKS} walks of ${LENGTH} steps from each ` +
        `end, made for each event from lists of partners, and against memories of ${MEMORY} numbers with attention ` +
        `over ${RECENT} recent partners, which sees no joint features. First ${Math.min(EVENTS, graph.eventCount)} ` +
        `events, untrained, the best of ${PASSES} passes.`,
      columns: ['NAT', 'walks', 'times faster', 'memories', 'times faster'],
      rows: [
        [
          Math.round(nat),
          Math.round(walks),
          (nat / walks).toFixed(1),
          Math.round(memories),
          (nat / memories).toFixed(1),
        ],
      ],
    },
    { walkRatio: nat / walks, memoryRatio: nat / memories },
  );
}
