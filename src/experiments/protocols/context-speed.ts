// Time and memory of contexts over more and more tokens, all arms in turns on one thread.

import { median } from '../../engine/index.js';
import { AttentionContext, NearestContext } from '../../hypergraph/index.js';
import { inference, type Layer, SoftHGNN } from '../../nn/index.js';
import { Random, scope } from '../../tensor/index.js';
import type { RunContext, Scores, StudyResults } from '../parts/contract.js';
import { costsInTurns, type StepCosts } from '../parts/costs.js';
import { studyOf } from '../parts/studies.js';
import { awaitOnOneThread } from '../parts/threads.js';

const FEATURES = 64;
/** Hyperedges of the pair that shows what sparse selection saves, and how many it uses. */
const [MANY, CHOSEN] = [256, 16] as const;
const REPEATS = 7;

/** Names of the arms. */
export const speedArms = {
  attention: 'self-attention',
  nearest: 'HGNN, 8 nearest tokens, search included',
  soft: 'SoftHGNN, 16 hyperedges',
  dense: `SoftHGNN, ${MANY} hyperedges`,
  sparse: `SoftHGNN-SeS, ${CHOSEN} of ${MANY} hyperedges`,
} as const;

type Arm = keyof typeof speedArms;

function layersOf(random: Random): Readonly<Record<Arm, Layer>> {
  const soft = (hyperedges: number) => new SoftHGNN(FEATURES, random.split(hyperedges), { hyperedges });
  return {
    attention: new AttentionContext(FEATURES, random.split('attention'), { heads: 4 }),
    nearest: new NearestContext(FEATURES, random.split('nearest')),
    soft: soft(16),
    dense: soft(MANY),
    sparse: new SoftHGNN(FEATURES, random.split('sparse'), {
      hyperedges: 0,
      selection: { dynamic: MANY, k: CHOSEN },
    }),
  };
}

async function measuredAt(
  layers: Readonly<Record<Arm, Layer>>,
  tokens: number,
  random: Random,
): Promise<StepCosts<Arm>> {
  const x = random.split(tokens).normal([1, tokens, FEATURES]);
  const arms = Object.keys(layers) as Arm[];
  const pass = (arm: Arm) => () => scope(() => void layers[arm].forward(x, inference));
  const bodies = Object.fromEntries(arms.map((arm) => [arm, pass(arm)])) as Record<Arm, () => void>;
  const costs = await costsInTurns(bodies, { repeats: REPEATS, statistic: median });
  x.dispose();
  return costs;
}

/** Slope between two points on logarithmic axes. */
const slope = (from: number, to: number, ratio: number) => Math.log(to / from) / Math.log(ratio);

/**
 * Forward passes over a sixteenth, a quarter and all of `most` tokens of 64 features, batch 1.
 *
 * Scores: the slopes of time and of memory between the last two, and ratios of times at all tokens.
 */
export function speedStudy(most: number, context: Pick<RunContext, 'progress'>): Promise<StudyResults> {
  return awaitOnOneThread(async () => {
    const random = new Random(0).split('speed');
    const layers = layersOf(random);
    const lengths = [most / 16, most / 4, most];
    const measured: StepCosts<Arm>[] = [];
    for (const [at, length] of lengths.entries()) {
      measured.push(await measuredAt(layers, length, random));
      context.progress('speed', (at + 1) / lengths.length);
    }
    const [, quarter, whole] = measured as [StepCosts<Arm>, StepCosts<Arm>, StepCosts<Arm>];
    const ratio = (arm: Arm, other: Arm) => whole.seconds[arm] / whole.seconds[other];
    const scores: Scores = {
      softSlope: slope(quarter.seconds.soft, whole.seconds.soft, 4),
      attentionSlope: slope(quarter.seconds.attention, whole.seconds.attention, 4),
      memorySlope: slope(quarter.bytes.soft, whole.bytes.soft, 4),
      overAttention: ratio('attention', 'soft'),
      overNearest: ratio('nearest', 'soft'),
      saved: ratio('dense', 'sparse'),
    };
    const rows = (Object.keys(speedArms) as Arm[]).map((arm) => [
      speedArms[arm],
      ...measured.map(({ seconds }) => (1000 * seconds[arm]).toFixed(2)),
      slope(quarter.seconds[arm], whole.seconds[arm], 4).toFixed(2),
      ...measured.map(({ bytes }) => (bytes[arm] / 2 ** 20).toFixed(1)),
    ]);
    const heads = (unit: string) => lengths.map((length) => `${length} tokens (${unit})`);
    return studyOf(
      {
        title: 'Time and memory of a forward pass',
        columns: ['layer', ...heads('ms'), 'slope', ...heads('MiB')],
        rows,
        note: `${FEATURES} features, batch 1, one thread; the median of ${REPEATS} passes in turns, and the most memory beyond input and weights. Slope: of time on logarithmic axes between the last two. Self-attention is computed in blocks, so that its memory is linear too.`,
      },
      scores,
    );
  });
}
