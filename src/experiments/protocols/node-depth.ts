// Depth of propagation and of transformation, separately: smoothness of the features after k
// propagations, and the accuracy of networks of every depth.

import { type DepthPoint, depthSweep, smoothness } from '../../graph/index.js';
import type { SemiSupervisedOptions } from '../../nn/index.js';
import type { StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import type { NodeTask } from './nodes.js';

const SHOWN = [0, 1, 2, 5, 10, 15, 20];

/** Score `smoothing`: the share of GSL(1) lost at the tenth propagation, where there are ten. */
export function smoothingStudy({ features, graph }: NodeTask, steps: number): StudyResults {
  const levels = smoothness(features, graph, steps).graph;
  const [first, tenth] = [levels[1], levels[10]];
  const shown = SHOWN.filter((k) => k <= steps);
  return studyOf(
    {
      title: 'Smoothing: how much of the features is left after k propagations',
      note: 'Graph smoothing level: the mean over nodes of cos(xᵏ, x⁰)·(1 − cos(xᵏ, x^∞)). Small is over-smoothed.',
      columns: ['k', ...shown.map(String)],
      rows: [['GSL(k)', ...shown.map((k) => (levels[k] as number).toFixed(3))]],
    },
    first !== undefined && tenth !== undefined ? { smoothing: 1 - tenth / first } : {},
  );
}

const few: readonly DepthPoint[] = [
  { name: 'GCN, 2 layers', propagations: 2, transformations: 2 },
  { name: 'GCN, 6 layers', propagations: 6, transformations: 6 },
  { name: 'GCN, 10 layers', propagations: 10, transformations: 10 },
  { name: 'ResGCN, 10 layers', propagations: 10, transformations: 10, skip: 'residual' },
];

/**
 * Networks of the study; `few` of them suffice to show that stacked transformations harm a GCN, and
 * what skip connections do.
 */
const networks = {
  few,
  all: [
    ...few,
    { name: 'DenseGCN, 10 layers', propagations: 10, transformations: 10, skip: 'dense' },
    { name: 'MLP, 2 layers', propagations: 0, transformations: 2 },
    { name: 'MLP, 10 layers', propagations: 0, transformations: 10 },
    { name: 'MLP with skips, 10 layers', propagations: 0, transformations: 10, skip: 'residual' },
    { name: 'two layers, 8 propagations', propagations: 8, transformations: 2 },
    { name: 'two layers, 16 propagations', propagations: 16, transformations: 2 },
  ],
} satisfies Record<string, readonly DepthPoint[]>;

/** Scores: the mean accuracy of each network, by its name. */
export async function depthStudy(
  task: NodeTask,
  which: keyof typeof networks,
  options: SemiSupervisedOptions & { readonly seeds: readonly number[]; readonly epochs: number },
): Promise<StudyResults> {
  const results = await depthSweep(task, networks[which], { ...options, weightDecay: 5e-4 });
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
