// The uncertainty of a distribution over networks on several seeds, beside plain networks.

import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { joinStudies, studyOf } from '../parts/studies.js';
import { FRESH_SEEDS, rowScores, summarizeRow } from './hypernet-guide/summary.js';
import { DRAWS, grid, type Likelihoods, MEMBERS, type NoisySine, STEP_DRAWS, trainNoisySine } from './noisy-sine.js';

/** Scores beside the ensemble, and beside one of its networks, carry these names. */
export const ENSEMBLE = 'uncertainty quantification';
export const ONE_NETWORK = 'uncertainty quantification, one network';

const arms: readonly (readonly [string, keyof Likelihoods])[] = [
  ['one plain network', 'plain'],
  [`an ensemble of ${MEMBERS} plain networks`, 'ensemble'],
  [`hypernetwork, ${DRAWS} networks`, 'hypernet'],
];

/** Predictive uncertainty inside and outside the data range, over several seeds. */
export async function uncertaintyStudy(
  { steps, seeds }: { readonly steps: number; readonly seeds: number },
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const runs: NoisySine[] = [];
  for (let at = 0; at < seeds; at++) {
    const onEpoch = (share: number) => progress('uncertainty', (at + share) / seeds);
    const random = new Random(FRESH_SEEDS + seed + at).split('uncertainty');
    runs.push(await trainNoisySine(steps, random, { signal, onEpoch }));
  }
  return joinStudies(deviations(runs), likelihoods(runs));
}

const over = (runs: readonly NoisySine[], value: (run: NoisySine) => number) => summarize(runs.map(value)).mean;

function deviations(runs: readonly NoisySine[]): StudyResults {
  const row = (title: string, values: (run: NoisySine) => readonly number[]) => [
    title,
    ...grid.map((_, i) => over(runs, (run) => values(run)[i] as number).toFixed(3)),
  ];
  return studyOf(
    {
      title: 'Uncertainty of a distribution over networks: y = sin 3x + noise, data in −1 … 1',
      note:
        `Standard deviations over ${DRAWS} networks, means over ${runs.length} seeds: of their means (epistemic), and with the noise that ` +
        `they predict (total). Each step draws ${STEP_DRAWS} new networks and maximises the likelihood of their mixture. ` +
        `Outside over inside, by seed: ${runs.map(({ ratio }) => ratio.toFixed(1)).join(', ')}.`,
      columns: ['x', ...grid.map(String)],
      rows: [row('epistemic', ({ epistemic }) => epistemic), row('total', ({ total }) => total)],
    },
    {
      unsure: runs.filter(({ ratio }) => ratio >= 2).length / runs.length,
      epistemic: Math.min(...runs.map(({ inside }) => inside)),
    },
  );
}

function likelihoods(runs: readonly NoisySine[]): StudyResults {
  const excesses = runs.map(({ within }) => within.hypernet - within.plain);
  const beside = (problem: string, arm: 'plain' | 'ensemble') => {
    const pairs = runs.map(({ outside }) => ({ hypernet: outside.hypernet, plain: outside[arm] }));
    return rowScores(problem, summarizeRow({ better: 'smaller' }, pairs));
  };
  return studyOf(
    {
      title: 'Negative log-likelihood of test points, beside plain networks',
      note:
        `Means over ${runs.length} seeds. All train by the same steps and schedule; the networks of the ensemble each by their own likelihood. ` +
        `Excess of the hypernetwork inside over one plain network, by seed: ${excesses.map((excess) => excess.toFixed(3)).join(', ')}.`,
      columns: ['method', 'inside the data', 'outside, 1 ≤ |x| < 2'],
      rows: arms.map(([title, arm]) => [
        title,
        over(runs, ({ within }) => within[arm]).toFixed(3),
        over(runs, ({ outside }) => outside[arm]).toFixed(2),
      ]),
    },
    { excess: Math.max(...excesses), ...beside(ENSEMBLE, 'ensemble'), ...beside(ONE_NETWORK, 'plain') },
  );
}
