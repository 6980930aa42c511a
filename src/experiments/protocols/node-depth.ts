// Depth of propagation and of transformation, separately: smoothness of the features after k
// propagations, and the accuracy of networks of every depth.

import { DAGNN, type DepthPoint, depthSweep, gradientProfile, smoothness } from '../../graph/index.js';
import type { SemiSupervisedOptions } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import type { NodeTask } from './nodes.js';

const SHOWN = [0, 1, 2, 5, 10, 15, 20];

/** Score `smoothing`: the share of GSL(2) lost at the tenth propagation, where there are ten. */
export function smoothingStudy({ features, graph }: NodeTask, steps: number): StudyResults {
  const levels = smoothness(features, graph, steps).graph;
  const [second, tenth] = [levels[2], levels[10]];
  const shown = SHOWN.filter((k) => k <= steps);
  return studyOf(
    {
      title: 'Smoothing: how much of the features is left after k propagations',
      note: 'Graph smoothing level: the mean over nodes of cos(xᵏ, x⁰)·(1 − cos(xᵏ, x^∞)). Small is over-smoothed.',
      columns: ['k', ...shown.map(String)],
      rows: [['GSL(k)', ...shown.map((k) => (levels[k] as number).toFixed(3))]],
    },
    second !== undefined && tenth !== undefined ? { smoothing: 1 - tenth / second } : {},
  );
}

const networks: readonly DepthPoint[] = [
  { name: 'GCN, 2 layers', propagations: 2, transformations: 2 },
  { name: 'GCN, 6 layers', propagations: 6, transformations: 6 },
  { name: 'GCN, 10 layers', propagations: 10, transformations: 10 },
  { name: 'ResGCN, 10 layers', propagations: 10, transformations: 10, skip: 'residual' },
  { name: 'DenseGCN, 10 layers', propagations: 10, transformations: 10, skip: 'dense' },
  { name: 'GCN, 2 layers with Â²', propagations: 4, transformations: 2 },
  { name: 'MLP, 2 layers', propagations: 0, transformations: 2 },
  { name: 'MLP, 10 layers', propagations: 0, transformations: 10 },
  { name: 'MLP with skips, 10 layers', propagations: 0, transformations: 10, skip: 'residual' },
  { name: 'two layers, 8 propagations', propagations: 8, transformations: 2 },
  { name: 'two layers, 16 propagations', propagations: 16, transformations: 2 },
  {
    name: 'transformed first: DAGNN',
    propagations: 10,
    transformations: 2,
    create: (inFeatures, classes, random) => new DAGNN(inFeatures, classes, random, { steps: 10, dropout: 0.2 }),
  },
];

/** Scores: the mean accuracy of each network, by its name. */
export async function depthStudy(
  task: NodeTask,
  options: SemiSupervisedOptions & { readonly seeds: readonly number[]; readonly epochs: number },
): Promise<StudyResults> {
  const results = await depthSweep(task, networks, { ...options, weightDecay: 5e-4 });
  const scores = Object.fromEntries(results.map(({ name, accuracies }) => [name, summarize(accuracies).mean]));
  return studyOf(
    {
      title: 'Depth of propagation and of transformation, apart',
      note:
        `Test accuracy in %, mean of ${options.seeds.length} seeds, hidden 64, dropout 0.2, learning rate 0.01, ` +
        `at most ${options.epochs} epochs.`,
      columns: ['network', 'propagations', 'transformations', 'accuracy'],
      rows: results.map(({ name, propagations, transformations }) => [
        name,
        propagations,
        transformations,
        (scores[name] as number).toFixed(1),
      ]),
    },
    scores,
  );
}

/** Epochs at which gradients are shown. */
const PROFILED = [1, 10, 30, 60];

/** Mean |∂L/∂W| of the first layer of plain GCNs, which vanishes where transformations are many. */
export async function gradientStudy(
  task: NodeTask,
  { seeds, signal }: { readonly seeds: readonly number[]; readonly signal?: AbortSignal | undefined },
): Promise<StudyResults> {
  const rows: string[][] = [];
  for (const layers of [2, 6, 10]) {
    const profile = await gradientProfile(
      task,
      { propagations: layers, transformations: layers },
      new Random(seeds[0] as number).split(`gradient ${layers}`),
      { epochs: PROFILED.at(-1) as number, signal },
    );
    rows.push([`GCN, ${layers} layers`, ...PROFILED.map((epoch) => (profile[epoch - 1] as number).toExponential(1))]);
  }
  return studyOf({
    title: 'Gradient of the first layer',
    note: 'Mean |∂L/∂W| after some epochs, one seed.',
    columns: ['network', ...PROFILED.map((epoch) => `epoch ${epoch}`)],
    rows,
  });
}
