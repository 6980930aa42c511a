// Studies of understanding: the guidance score over ten splits, and directions one by one.

import { DirGNN, type Guidance, type GuidancePattern, guidance, guidancePatterns } from '../../graph/index.js';
import { featureCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { type DirectedTraining, directedScores, trainDirected } from './directed-methods.js';
import { type DirectedData, FILTERED, knownLabels, loadDirected } from './directed-sets.js';

/** Splits over which S is told. */
const SPLITS = 10;

const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};

/** S of the task of a seed, from the labels of nodes to train and to validate alone. */
export function guidanceOf(data: DirectedData, seed: number): Guidance {
  const task = data.task(seed);
  return guidance(task.graph, knownLabels(task));
}

/**
 * S over ten splits or draws; an undecided split counts as 0: its advice is the undirected graph.
 */
export function guidanceStudy(data: DirectedData): StudyResults {
  const all = Array.from({ length: SPLITS }, (_, seed) => guidanceOf(data, seed));
  const scores = all.map(({ score }) => (Number.isNaN(score) ? 0 : score));
  const undecided = all.filter(({ advice }) => advice === 'undecided').length;
  const [low, high, middle] = [Math.min(...scores), Math.max(...scores), median(scores)];
  const row = (pattern: GuidancePattern) => {
    const own = all.map(({ patterns }) => patterns[pattern]);
    return [
      pattern,
      median(own.map(({ pairs }) => pairs)).toLocaleString('en'),
      `${(100 * median(own.map(({ agreement }) => agreement))).toFixed(1)} %`,
      median(own.map(({ excess }) => excess)).toFixed(2),
    ];
  };
  return studyOf(
    {
      title: `Do directions matter? S = ${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)} over ${SPLITS} splits)`,
      columns: ['pattern', 'pairs', 'of one class', 'above chance'],
      rows: guidancePatterns.map(row),
      note:
        `Medians over ${SPLITS} splits; S reads the labels of nodes to train and to validate alone, ` +
        `S ≥ 0.5 counsels directions${undecided > 0 ? `; ${undecided} splits are undecided, for which S counts as 0` : ''}.`,
    },
    { S: middle, 'S, least': low, 'S, most': high },
  );
}

/** Weights of out-neighbours. */
const sides = [
  { title: 'out-neighbours alone', alpha: 1 },
  { title: 'in-neighbours alone', alpha: 0 },
  { title: 'both', alpha: 0.5 },
] as const;

/**
 * Dir-GCN of four layers by one side at a time, on chameleon and on its twin without duplicated
 * nodes, which is never left out.
 */
export async function sidesStudy(
  training: DirectedTraining,
  seeds: number,
  { signal }: Pick<RunContext, 'signal'>,
): Promise<StudyResults> {
  const scores: Record<string, number> = {};
  const names = ['chameleon', FILTERED];
  for (const name of names) {
    const data = await loadDirected(name);
    for (const { title, alpha } of sides) {
      const own: number[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        signal?.throwIfAborted();
        const task = data.task(seed);
        const random = new Random(seed).split(`${name} ${title}`);
        const network = new DirGNN(featureCount(task.features), task.classes, random.split('weights'), {
          alpha,
          layers: 4,
          hidden: training.hidden,
          dropout: training.dropout,
          normalize: training.normalize === 'yes',
        });
        const model = await trainDirected(network, task, training, { random, hooks: { signal } });
        own.push(directedScores(model, task).accuracy as number);
      }
      scores[`${name}: ${title}`] = own.reduce((sum, value) => sum + value, 0) / own.length;
    }
  }
  return studyOf(
    {
      title: 'Dir-GCN by one side at a time, with duplicated nodes and without',
      columns: ['', ...names],
      rows: sides.map(({ title }) => [
        title,
        ...names.map((name) => `${(scores[`${name}: ${title}`] as number).toFixed(1)} %`),
      ]),
      note: `Test accuracy, mean over ${seeds} standard splits, four layers. Nodes of chameleon have duplicates with the same targets in other parts of the split; the filtered set has none.`,
    },
    scores,
  );
}
