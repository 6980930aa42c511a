// Studies of propagation depth with everything else equal: one linear classifier with the same
// settings on the last hop (SGC), on the mean of all hops, and on hops weighted by node (DGMLP);
// and where the data lack labels, features or edges.

import {
  AdaptiveGCN,
  AdaptiveSGC,
  DepthNetwork,
  fixedWeights,
  type HopCombination,
  HopNetwork,
  hopRows,
  hopWeightings,
  nodeAdaptive,
  type Sparsity,
  testAccuracy,
  trainDecoupled,
  trainNodes,
  whenDeep,
} from '../../graph/index.js';
import { featureCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Scores, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import type { NodeTask } from './nodes.js';

/** Settings shared by all arms of a study. */
export interface HopTraining {
  readonly epochs: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly dropout: number;
  readonly temperature: number;
}

export interface HopStudyOptions extends HopTraining {
  readonly seeds: readonly number[];
  readonly signal: AbortSignal | undefined;
}

const trainingOf = ({ epochs, learningRate, weightDecay, signal }: HopStudyOptions) => ({
  epochs,
  learningRate,
  weightDecay,
  signal,
});

/** Propagations shown; those above the largest are left out. */
const DEPTHS = [1, 2, 5, 10, 15, 20];
export const depthsUpTo = (steps: number) => [...new Set([...DEPTHS.filter((k) => k < steps), steps])];

const combinations = {
  SGC: (steps: number) => fixedWeights(hopWeightings.last(steps)),
  'mean of hops': (steps: number) => fixedWeights(hopWeightings.mean(steps)),
  DGMLP: (steps: number, temperature: number) => nodeAdaptive(steps, { temperature }),
} satisfies Record<string, (steps: number, temperature: number) => HopCombination>;

/** Score of an arm of the study. */
export const hopScore = (arm: keyof typeof combinations, steps: number) => `${arm}, K = ${steps}`;

/** Scores: the mean accuracy of each arm by `hopScore`. */
export async function hopStudy(task: NodeTask, steps: number, options: HopStudyOptions): Promise<StudyResults> {
  const { seeds, dropout, temperature } = options;
  const training = trainingOf(options);
  const depths = depthsUpTo(steps);
  const hops = hopRows(task.features, task.graph, steps, Int32Array.of(...task.train, ...task.validation));
  const scores: Record<string, number> = {};
  const rows: string[][] = [];
  for (const arm of Object.keys(combinations) as (keyof typeof combinations)[]) {
    const row: string[] = [arm];
    for (const k of depths) {
      const accuracies: number[] = [];
      const inputs = featureCount(task.features);
      const combination = combinations[arm](k, temperature);
      for (const seed of seeds) {
        const random = new Random(seed).split(hopScore(arm, k));
        const network = new HopNetwork(inputs, task.classes, combination, random.split('weights'), { dropout });
        await trainDecoupled(network, task, random, { ...training, hops });
        accuracies.push(testAccuracy(network, task));
      }
      const { mean } = summarize(accuracies);
      scores[hopScore(arm, k)] = mean;
      row.push(mean.toFixed(1));
    }
    rows.push(row);
  }
  return studyOf(
    {
      title: 'Propagations, with one linear classifier and the same settings',
      note:
        `Test accuracy in %, mean of ${seeds.length} seeds, features as stored, dropout ${dropout}, at the best epoch ` +
        'by validation. SGC reads the last hop, the mean all hops alike, DGMLP weights them for each node.',
      columns: ['classifier on', ...depths.map((k) => `K = ${k}`)],
      rows,
    },
    scores,
  );
}

/** Data that lack something: shares of labels, edges and features that are kept. */
const sparsities: Readonly<Record<string, Sparsity>> = {
  'whole graph': {},
  'a quarter of the labels': { labels: 0.25 },
  'half of the features': { features: 0.5 },
  '70 % of the edges': { edges: 0.7 },
  '40 % of the edges': { edges: 0.4 },
  '20 % of the edges': { edges: 0.2 },
};

/** Score of the gain of deep over shallow propagation under a sparsity. */
export const gainScore = (sparsity: keyof typeof sparsities) => `gain, ${sparsity}`;

/** Scores: what K = `steps` gains over K = 2 in points, by `gainScore`. */
export async function sparsityStudy(task: NodeTask, steps: number, options: HopStudyOptions): Promise<StudyResults> {
  const { seeds, dropout, temperature } = options;
  const training = trainingOf(options);
  const depths = [2, steps];
  const results = await whenDeep(task, sparsities, depths, { seeds, ...training }, (k, random) => {
    const combination = nodeAdaptive(k, { temperature });
    return new HopNetwork(featureCount(task.features), task.classes, combination, random, { dropout });
  });
  const scores: Record<string, number> = {};
  const rows = results.map(({ name, accuracies }) => {
    const [shallow, deep] = accuracies.map((own) => summarize(own).mean) as [number, number];
    scores[gainScore(name)] = deep - shallow;
    return [name, shallow.toFixed(1), deep.toFixed(1), (deep - shallow).toFixed(1)];
  });
  return studyOf(
    {
      title: 'When do we need deep propagation: labels, features and edges taken away',
      note: `DGMLP, test accuracy in %, mean of ${seeds.length} seeds; what is taken away is drawn anew in each.`,
      columns: ['kept', 'K = 2', `K = ${steps}`, 'gain (points)'],
      rows,
    },
    scores,
  );
}

/** Layers of the GCN that the residual repairs. */
const DEEP = 10;

/** Scores `airGcn` and `airSgc`: what the adaptive initial residual gives in points. */
export async function residualStudy(
  raw: NodeTask,
  scaled: NodeTask,
  steps: number,
  options: HopStudyOptions,
): Promise<StudyResults> {
  const { seeds, dropout, epochs, signal } = options;
  const training = trainingOf(options);
  const inputs = featureCount(raw.features);
  const { classes } = raw;
  const mean = async (name: string, run: (random: Random) => Promise<number>) => {
    const accuracies: number[] = [];
    for (const seed of seeds) accuracies.push(await run(new Random(seed).split(name)));
    return summarize(accuracies).mean;
  };
  const gcn = { epochs, signal, weightDecay: 5e-4 };
  const plain = { propagations: DEEP, transformations: DEEP };
  const scores = {
    gcn: await mean('GCN', async (random) => {
      const network = new DepthNetwork(inputs, classes, plain, random.split('weights'));
      return testAccuracy((await trainNodes(network, scaled, random, gcn)).network, scaled);
    }),
    adaptiveGcn: await mean('GCN + AIR', async (random) => {
      const network = new AdaptiveGCN(inputs, classes, random.split('weights'), { layers: DEEP });
      return testAccuracy((await trainNodes(network, scaled, random, gcn)).network, scaled);
    }),
    sgc: await mean('SGC', async (random) => {
      const combination = fixedWeights(hopWeightings.last(steps));
      const network = new HopNetwork(inputs, classes, combination, random.split('weights'), { dropout });
      return testAccuracy((await trainNodes(network, raw, random, training)).network, raw);
    }),
    adaptiveSgc: await mean('SGC + AIR', async (random) => {
      const network = new AdaptiveSGC(inputs, classes, random.split('weights'), { steps, dropout });
      return testAccuracy((await trainNodes(network, raw, random, training)).network, raw);
    }),
  };
  const row = (title: string, before: number, after: number) => [
    title,
    before.toFixed(1),
    after.toFixed(1),
    (after - before).toFixed(1),
  ];
  const gains: Scores = { airGcn: scores.adaptiveGcn - scores.gcn, airSgc: scores.adaptiveSgc - scores.sgc };
  return studyOf(
    {
      title: 'Adaptive initial residual as a plug-in',
      note: `Test accuracy in %, mean of ${seeds.length} seeds.`,
      columns: ['network', 'without', 'with', 'gain (points)'],
      rows: [
        row(`GCN, ${DEEP} layers`, scores.gcn, scores.adaptiveGcn),
        row(`SGC, K = ${steps}`, scores.sgc, scores.adaptiveSgc),
      ],
    },
    gains,
  );
}
