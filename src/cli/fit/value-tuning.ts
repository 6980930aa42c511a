// Settings of methods for a numeric target, chosen by the root mean squared error on training rows.

import type { ValuedTable } from '../../data/index.js';
import { optionsOf, settingsFor, type TableTuning } from '../../experiments/parts/table-spaces.js';
import { bestSetting, type Setting } from '../../experiments/parts/tuning.js';
import { crossValidateValues, type MethodOptions, type TableMethod } from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';

/** Folds of the training rows that each setting is tried on. */
const FOLDS = 3;

/**
 * The options with the smallest root mean squared error, mean over three folds of the training
 * rows. All methods are given as many settings and the same folds.
 *
 * @param random the same for all methods
 */
export async function chooseValueOptions(
  method: TableMethod,
  training: ValuedTable,
  tuning: TableTuning,
  random: Random,
  signal?: AbortSignal,
): Promise<MethodOptions> {
  const settings = settingsFor(method, tuning);
  const best =
    settings.length === 1
      ? (settings[0] as Setting)
      : await bestSetting(settings, async (setting) => {
          const options = optionsOf(method, setting, tuning.steps);
          const own = new Random(random.key).split('inner');
          const scores = await crossValidateValues(training, [method], own, { folds: FOLDS, options, signal });
          return -scores.reduce((sum, { rmse }) => sum + rmse, 0) / FOLDS;
        });
  return optionsOf(method, best, tuning.steps);
}
