// Cost of an event: NAT's caches against features of walks sampled for each pair, at equal hops,
// and against node memories with attention over recent partners. State as after most of the stream,
// arms in turns; weights are random, for time does not depend on them.

import { median, secondsInTurns } from '../../engine/index.js';
import {
  EVALUATION_BATCH,
  negativePool,
  replay,
  streamBatches,
  streamLoss,
  type TemporalNetwork,
  type TemporalSplit,
  temporalScorer,
} from '../../graph/index.js';
import { Adam, gradientsOf, parameters, training } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { linkNetworks, MEMORIES, type NetworkValues, ONE, TWO, WALKS_ONE, WALKS_TWO } from './link-networks.js';

/** Rounds that are timed, after those that warm up. */
const ROUNDS = { repeats: 5, warmUp: 2, statistic: median };
/** Share of the stream that the state has taken in before. */
const WARM = 0.7;

interface SpeedOptions extends NetworkValues {
  readonly batch: number;
  /** Events of a round. */
  readonly timed: number;
}

/** The arms of the comparison. */
const ARMS = [ONE, TWO, WALKS_ONE, WALKS_TWO, MEMORIES] as const;
type Arm = (typeof ARMS)[number];

/** Events of a round: as many as asked for, where the rest of the stream has them. */
function roundSize({ eventCount }: TemporalGraph, timed: number): number {
  const rest = eventCount - Math.floor(WARM * eventCount);
  return Math.min(timed, Math.floor(rest / (ROUNDS.repeats + ROUNDS.warmUp)));
}

/** Passes over successive parts of the rest of the stream, one part a call. */
function passes(graph: TemporalGraph, size: number, pass: (events: Int32Array) => void): () => void {
  let from = Math.floor(WARM * graph.eventCount);
  return () => {
    pass(Int32Array.from({ length: size }, (_, i) => from + i));
    from += size;
  };
}

/** Scores of speed by phase: `test ${arm}` and `train ${arm}` in events a second. */
export async function scoringStudy(
  graph: TemporalGraph,
  random: Random,
  { batch, timed, ...values }: SpeedOptions,
): Promise<StudyResults> {
  const networks = linkNetworks(values);
  const size = roundSize(graph, timed);
  const everything = Int32Array.from({ length: graph.eventCount }, (_, event) => event);
  const warm = everything.subarray(0, Math.floor(WARM * graph.eventCount));
  const none = new Int32Array();
  const split: TemporalSplit = { train: everything, validation: none, test: none };
  const pool = () => [negativePool(graph, split, 'train', 'phase')];
  const create = (arm: Arm) => {
    const make = networks[arm] as NonNullable<(typeof networks)[string]>;
    const network = make(graph, random.split(arm), { width: values.width, dropout: 0.1 });
    replay(temporalScorer(network), graph, warm, batch);
    return network;
  };
  const testPass = (network: TemporalNetwork) => (events: Int32Array) => {
    const scorer = temporalScorer(network);
    for (const { left, right, times, events: own } of streamBatches(graph, events, EVALUATION_BATCH, pool(), random)) {
      scorer.score(left, right, times);
      scorer.observe(own);
    }
  };
  const trainPass = (network: TemporalNetwork) => {
    const optimizer = new Adam({ learningRate: 1e-4 });
    return (events: Int32Array) => {
      for (const own of streamBatches(graph, events, batch, pool(), random)) {
        const { loss, gradients } = gradientsOf(network, (live) => streamLoss(live, own, training(random)));
        optimizer.update(parameters(network), gradients, 1);
        loss.dispose();
        for (const gradient of Object.values(gradients)) gradient.dispose();
        network.observe(own.events);
      }
    };
  };
  const rates = async (pass: (network: TemporalNetwork) => (events: Int32Array) => void) => {
    const arms = ARMS.map((arm) => [arm, passes(graph, size, pass(create(arm)))] as const);
    const seconds = await secondsInTurns(Object.fromEntries(arms) as Record<Arm, () => void>, ROUNDS);
    return Object.fromEntries(ARMS.map((arm) => [arm, size / seconds[arm]])) as Record<Arm, number>;
  };
  const phases = { test: await rates(testPass), train: await rates(trainPass) };
  const scores = Object.fromEntries(
    Object.entries(phases).flatMap(([phase, own]) => ARMS.map((arm) => [`${phase} ${arm}`, own[arm]] as const)),
  );
  return studyOf(
    {
      title: 'Events a second',
      note:
        `Scored with a negative each and taken in, in batches of ${EVALUATION_BATCH}; and training steps of ${batch} events. ` +
        `State as after ${100 * WARM} % of the stream, then ${size} events a round, arms in turns, the median of ` +
        `${ROUNDS.repeats} rounds; untrained, all of width ${values.width}. ${values.walks} walks from each end of a pair.`,
      columns: ['phase', ...ARMS],
      rows: Object.entries(phases).map(([phase, own]) => [phase, ...ARMS.map((arm) => Math.round(own[arm]))]),
    },
    scores,
  );
}
