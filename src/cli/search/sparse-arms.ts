// The arms that sparse networks are compared with, trained and shown.

import {
  type ArmResult,
  type Margin,
  type SparseBaselines,
  sparseArms,
  sparseBaselines,
} from '../../compress/index.js';
import { interruptSignal } from '../../data/node.js';
import { isHeInitializable, stateOf, warmUpCosine } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { Bar } from '../bar.js';
import { columns } from '../columns.js';
import type { SparseTask, SubNetworkFlags } from './sparse-tasks.js';

/** What a comparison found, as text and for JSON. */
export interface ComparedArms {
  readonly text: string;
  readonly json: unknown;
}

/**
 * Trains the arms on some seeds, each with a parent of its own.
 *
 * @throws Error without test examples
 */
export async function compareArms(
  task: SparseTask,
  random: Random,
  { repeats, epochs, batch, learningRate, json }: SubNetworkFlags,
  options: Pick<SubNetworkFlags, 'sparsity' | 'candidates' | 'fitness' | 'widths' | 'rescale' | 'searchSet'>,
): Promise<ComparedArms> {
  const { signal, release } = interruptSignal();
  const bar = new Bar('comparing', 'arms', json);
  const own = task.create(random.split('model'));
  try {
    const { searchSet, ...search } = options;
    const result = await sparseBaselines(own, task, {
      ...search,
      arms: isHeInitializable(own) ? ['random', 'random-search', 'fresh'] : ['random', 'random-search'],
      ...(searchSet !== undefined && { searchSet }),
      ...{ repeats, epochs, batchSize: batch, learningRate, signal, random: random.split('arms') },
      schedule: (steps) => warmUpCosine(steps, 0.05),
      initialize: (model, stream) => {
        const other = task.create(stream);
        for (const [name, weight] of Object.entries(stateOf(other))) stateOf(model)[name]?.assign(weight);
      },
      onProgress: (done) => bar.update(done, Math.round(done * repeats * Object.keys(sparseArms).length)),
    });
    bar.close();
    return { text: armsText(result, task.describeScore, repeats, task.isNumber), json: armsJson(result) };
  } finally {
    bar.close();
    release();
  }
}

/** A table of arms, and a line for each margin. */
export function armsText(
  { arms, margins }: SparseBaselines,
  describe: (score: number) => string,
  repeats: number,
  isNumber = false,
): string {
  const rows = arms.map(({ name, parameters, weightSparsity, score }) => [
    ...[name, parameters.toLocaleString('en-US'), `${(100 * weightSparsity).toFixed(1)} %`, describe(score)],
  ]);
  return [
    columns([['', 'parameters', 'weights left out', `mean of ${repeats}`], ...rows]),
    ...margins.map((margin) => marginLine(margin, isNumber)),
  ].join('\n');
}

/** `recipe over random: 1.20 points, …`; of numbers by how much the squared error is smaller. */
function marginLine({ name, over, mean, low, high }: Margin, isNumber: boolean): string {
  const show = (value: number) => (isNumber ? value.toPrecision(3) : (100 * value).toFixed(2));
  const what = isNumber ? `squared error ${show(mean)} deviations² smaller` : `${show(mean)} points`;
  return `${name} over ${over}: ${what}, 95 % interval [${show(low)}, ${show(high)}]`;
}

/** The arms without the score of each example. */
export function armsJson({ arms, margins }: SparseBaselines): unknown {
  return {
    arms: arms.map(({ scores, ...arm }: ArmResult) => ({ ...arm, repeats: scores.length })),
    margins,
  };
}
