// What is tried for each method on tables: the usual value of each hyperparameter first.

import type { LabelledTable } from '../../data/index.js';
import {
  crossValidate,
  type FoldScore,
  innerFolds,
  type MethodOptions,
  rowsOf,
  type TableMethod,
  TableModel,
  testScores,
  withoutRows,
} from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import { bestSetting, type Grid, type Setting, settingsOf } from './tuning.js';

/** How settings are chosen from the training rows of an outer fold. */
export interface TableTuning {
  /** `none`: the usual setting; `holdout`: a quarter of the rows; `folds`: three folds. */
  readonly tuning: 'none' | 'holdout' | 'folds';
  /** Settings that are tried for each method. */
  readonly trials: number;
  /** Optimiser steps of a training at most, for all methods that take steps. */
  readonly steps: number;
  /** Hyperparameters that are given, by method: used as they are. */
  readonly given: MethodOptions;
}

const networks = {
  learningRate: [1e-3, 3e-4, 3e-3, 1e-2],
  epochs: [200, 50, 100],
  hidden: [64, 32, 128, 256],
  layers: [1, 2],
  weightDecay: [1e-4, 1e-2, 1e-6],
};

/** As many values from 10^low to 10^high, without 1, evenly spaced by their logarithm. */
function powersOfTen(low: number, high: number, values: number): number[] {
  const exponents = Array.from({ length: values }, (_, i) => low + ((high - low) * i) / (values - 1));
  return exponents.filter((exponent) => exponent !== 0).map((exponent) => Number((10 ** exponent).toPrecision(3)));
}

/** The space of each method; depth 64 lets trees grow to purity. */
export const tableSpaces = {
  hypertab: {
    learningRate: [1e-3, 1e-4, 3e-4, 3e-3],
    epochs: [30, 10, 100],
    hidden: [10, 5, 20, 50],
    views: [50, 30, 100, 250],
    subsample: [0.5, 0.2, 0.35, 0.75, 0.9],
  },
  forest: {
    trees: [100, 300],
    columnShare: [0, 0.1, 0.3, 0.5, 0.8],
    depth: [64, 4, 8],
    leastLeaf: [1, 2, 4],
  },
  boosting: {
    rounds: [100, 50, 200],
    learningRate: [0.3, 0.03, 0.1],
    depth: [6, 2, 3, 4],
    lambda: [1, 0.1, 10],
    rowShare: [1, 0.5, 0.8],
    columnShare: [1, 0.5, 0.8],
  },
  mlp: { ...networks, dropout: [0, 0.2, 0.5] },
  dropout: { ...networks, inputDropout: [0.1, 0.2, 0.3, 0.5] },
  logistic: { c: [1, ...powersOfTen(-3, 3, 21)] },
} as const satisfies Record<TableMethod, Grid<Setting>>;

/** Methods whose training takes optimiser steps. */
const stepwise: readonly TableMethod[] = ['hypertab', 'mlp', 'dropout'];

/**
 * Hyperparameters of a setting as options of the method; a share of no columns means the usual
 * ⌊√D⌋.
 */
export function optionsOf(method: TableMethod, setting: Setting, steps: number): MethodOptions {
  const { columnShare, ...rest } = setting;
  const options = {
    ...rest,
    ...(columnShare !== undefined && columnShare !== 0 && { columnShare }),
    ...(stepwise.includes(method) && { maxSteps: steps }),
  };
  return { [method]: options };
}

/** The settings that are tried for a method: its space, in which given values stand alone. */
export function settingsFor(method: TableMethod, { trials, tuning, given }: TableTuning): Setting[] {
  const fixed = Object.entries((given[method] ?? {}) as Setting).map(([name, value]) => [name, [value]] as const);
  const grid: Grid<Setting> = { ...tableSpaces[method], ...Object.fromEntries(fixed) };
  return settingsOf(grid, tuning === 'none' ? 1 : trials, new Random(0).split(method));
}

/**
 * The options that have the best balanced accuracy on held-out training rows. All methods are given
 * as many settings and the same rows; encoding and oversampling are fitted on what each trains on.
 *
 * @param random the same for all methods
 */
export async function chooseOptions(
  method: TableMethod,
  training: LabelledTable,
  tuning: TableTuning,
  random: Random,
  signal?: AbortSignal,
): Promise<MethodOptions> {
  const settings = settingsFor(method, tuning);
  const folds = tuning.tuning === 'folds' ? 3 : 4;
  const parts = innerFolds(training, folds, random.split('inner'));
  const held = tuning.tuning === 'folds' ? parts : parts.slice(0, 1);
  const best =
    settings.length === 1
      ? (settings[0] as Setting)
      : await bestSetting(settings, async (setting) => {
          const options = optionsOf(method, setting, tuning.steps);
          let total = 0;
          for (const part of held) {
            const own = new Random(random.key).split('trial');
            const model = await TableModel.train(method, withoutRows(training, part), '', own, { options, signal });
            total += testScores(model, rowsOf(training, part)).balanced;
          }
          return total / held.length;
        });
  return optionsOf(method, best, tuning.steps);
}

/** Cross-validation in which every method's options are chosen within each training part. */
export function crossValidateTuned(
  data: LabelledTable,
  method: TableMethod,
  tuning: TableTuning,
  random: Random,
  {
    folds,
    signal,
    onProgress,
  }: { readonly folds: number; readonly signal?: AbortSignal | undefined; onProgress?(share: number): void },
): Promise<FoldScore[]> {
  return crossValidate(data, [method], random, {
    folds,
    signal,
    choose: (own, training, draws) => chooseOptions(own, training, tuning, draws, signal),
    onProgress,
  });
}
