// The study of the taxonomy: every network of it, trained alike on one set.

import { directedNetworks, GCNConv, NodeMLP } from '../../graph/index.js';
import { featureCount, parameterCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { type DirectedTraining, directedScores, trainDirected } from './directed-methods.js';
import { type Create, spread, symmetrised } from './directed-networks.js';
import type { DirectedData } from './directed-sets.js';

/** Titles of the networks of the taxonomy. */
export const moduleTitles = Object.values(directedNetworks).map(({ title }) => title);
/** Titles of those that read sequences. */
export const sequenceTitles = Object.values(directedNetworks)
  .filter(({ framework }) => framework === 'sequence')
  .map(({ title }) => title);

/** What is tried of a network. */
interface Trial {
  readonly learningRate: number;
  readonly create: Create;
}

interface Module {
  readonly title: string;
  readonly framework: string;
  readonly trials: readonly Trial[];
}

/** Settings of every network; of those with q, one of it each. */
const SETTINGS = [
  { learningRate: 0.01, q: 0.25 },
  { learningRate: 0.003, q: 0.1 },
] as const;

/** The networks with one layout of the width of the experiment, and what is tried of each. */
function modulesOf({ hidden, dropout }: DirectedTraining): readonly Module[] {
  const baseline = (title: string, framework: string, create: Create): Module => ({
    title,
    framework,
    trials: SETTINGS.map(({ learningRate }) => ({ learningRate, create })),
  });
  return [
    baseline('MLP', '–', (i, o, random) => new NodeMLP(i, o, random, { hidden, dropout })),
    baseline('GCN, symmetrised', 'message passing', symmetrised(GCNConv, { hidden, dropout })),
    ...Object.values(directedNetworks).map(({ title, framework, create }) => ({
      title,
      framework,
      trials: SETTINGS.map(({ learningRate, q }) => ({
        learningRate,
        create: (i: number, o: number, random: Random) => create(i, o, random, { hidden, dropout, heads: 4, q }),
      })),
    })),
  ];
}

/** Trains every network of the taxonomy with the better of two settings by validation. */
export async function modulesStudy(
  data: DirectedData,
  training: DirectedTraining,
  seeds: number,
  { signal, progress }: Pick<RunContext, 'signal' | 'progress'>,
): Promise<StudyResults> {
  const modules = modulesOf(training);
  const scores: Record<string, number> = {};
  const rows: (string | number)[][] = [];
  for (const [at, { title, framework, trials }] of modules.entries()) {
    const accuracies: number[] = [];
    let [size, seconds] = [0, 0];
    for (let seed = 0; seed < seeds; seed++) {
      const task = data.task(seed);
      const tried: { readonly accuracy: number; readonly validation: number }[] = [];
      for (const { learningRate, create } of trials) {
        signal?.throwIfAborted();
        const random = new Random(seed).split(title);
        const network = create(featureCount(task.features), task.classes, random.split('weights'));
        const started = performance.now();
        const model = await trainDirected(network, task, { ...training, learningRate }, { random, hooks: { signal } });
        seconds += (performance.now() - started) / 1000;
        size = parameterCount(network);
        tried.push(directedScores(model, task) as { accuracy: number; validation: number });
      }
      accuracies.push(tried.reduce((a, b) => (b.validation > a.validation ? b : a)).accuracy);
    }
    scores[`module ${title}`] = summarize(accuracies).mean;
    const time = seconds / (seeds * trials.length);
    rows.push([title, framework, spread(accuracies), time.toFixed(1), size.toLocaleString('en')]);
    progress('taxonomy', (at + 1) / modules.length);
  }
  const settings = SETTINGS.map(({ learningRate, q }) => `learning rate ${learningRate} (where there is a q: ${q})`);
  return studyOf(
    {
      title: 'The networks of the taxonomy, trained alike',
      columns: ['network', 'framework', 'accuracy (%)', 'a training (s)', 'parameters'],
      rows,
      note: `Test accuracy on ${data.name}, ${seeds} seeds; width ${training.hidden}; of ${settings.join(' and ')} the better by validation.`,
    },
    scores,
  );
}
