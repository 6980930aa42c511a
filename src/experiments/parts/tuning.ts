// Hyperparameters chosen on validation data, by the same rule and with the same number of trials
// for every method of a comparison.

import { Random } from '../../tensor/index.js';
import type { Method, MethodRun } from './methods.js';
import type { Setting } from './scores.js';

export type { Setting } from './scores.js';

/** Values of each hyperparameter, the usual one first. */
export type Grid<S extends Setting> = { readonly [Name in keyof S]: readonly S[Name][] };

/**
 * At most `trials` settings of a grid: the usual values first, then others drawn uniformly without
 * repetition.
 *
 * @throws RangeError when a hyperparameter has no value, or `trials` is not a positive integer.
 */
export function settingsOf<S extends Setting>(grid: Grid<S>, trials: number, random: Random): S[] {
  const names = Object.keys(grid) as (keyof S & string)[];
  const empty = names.find((name) => grid[name].length === 0);
  if (empty) throw new RangeError(`settingsOf: the grid has no value of "${empty}"`);
  if (!Number.isSafeInteger(trials) || trials < 1)
    throw new RangeError(`settingsOf: trials must be a positive integer, got ${trials}`);
  const size = names.reduce((product, name) => product * grid[name].length, 1);
  const setting = (index: number) => {
    let rest = index;
    const values = names.map((name) => {
      const own = grid[name];
      const value = own[rest % own.length];
      rest = Math.floor(rest / own.length);
      return [name, value];
    });
    return Object.fromEntries(values) as S;
  };
  const others = Array.from(random.permutation(size - 1).subarray(0, trials - 1), (at) => at + 1);
  return [0, ...others].map(setting);
}

export interface TunedMethod<S extends Setting, Model> extends Omit<Method<Model>, 'train'> {
  /** Settings to try; the first of the best is chosen. */
  readonly settings: readonly S[];
  train(setting: S, run: MethodRun): Model | Promise<Model>;
  /**
   * Trains the model of a trial, where its data are others or it can be cheaper. Default: `train`.
   */
  trial?(setting: S, run: MethodRun): Model | Promise<Model>;
  /** Score on validation data; larger is better, NaN never wins. Test data must not enter. */
  validation(model: Model, run: MethodRun): number | Promise<number>;
  /** Frees the model of a trial. */
  discard?(model: Model): void;
  /**
   * An object, such as the data set, for which the choice is made once and kept for all seeds. Only
   * for a fixed split: otherwise a node that validates the choice may be a test node of another
   * seed. Default: a choice in each seed.
   */
  readonly once?: object;
}

/** Choices made once, by the object that they belong to and the title of the method. */
const choices = new WeakMap<object, Map<string, Setting>>();

/**
 * A method that tries each setting, chooses by validation score, and trains again with the choice
 * on the run's own stream. The time of the trials is not counted as training. A choice that is made
 * once depends on neither the seed nor the order of seeds.
 */
export function tuned<S extends Setting, Model>(method: TunedMethod<S, Model>): Method<Model> {
  const { settings, train, once, title } = method;
  return {
    title,
    score: method.score,
    async train(run) {
      const kept = once && (choices.get(once)?.get(title) as S | undefined);
      const setting = kept ?? (await choose(method, run));
      if (once) choices.set(once, (choices.get(once) ?? new Map()).set(title, setting));
      run.chose({ trials: settings.length, setting });
      return train(setting, run);
    },
  };
}

async function choose<S extends Setting, Model>(method: TunedMethod<S, Model>, run: MethodRun): Promise<S> {
  const { settings, once, title } = method;
  const [first] = settings;
  if (!first) throw new RangeError(`tuned: no settings of "${title}" to try`);
  if (settings.length === 1) return first;
  const random = (once ? new Random(0).split(title) : run.random).split('trials');
  return bestSetting(settings, async (setting, at) => {
    const { signal } = run.hooks;
    signal?.throwIfAborted();
    // Every trial starts from the same stream, so that the settings alone differ.
    const trial = { ...run, random: new Random(random.key), hooks: { signal } };
    const model = await (method.trial ?? method.train)(setting, trial);
    const score = await method.validation(model, trial);
    method.discard?.(model);
    run.progress((at + 1) / (settings.length + 1));
    return score;
  });
}

/**
 * The first of the settings with the best score; larger is better, NaN never wins.
 *
 * @throws RangeError when there are no settings
 */
export async function bestSetting<S extends Setting>(
  settings: readonly S[],
  scoreOf: (setting: S, at: number) => number | Promise<number>,
): Promise<S> {
  const [first] = settings;
  if (!first) throw new RangeError('bestSetting: no settings to try');
  let best = { setting: first, score: Number.NEGATIVE_INFINITY };
  for (const [at, setting] of settings.entries()) {
    const score = await scoreOf(setting, at);
    if (score > best.score) best = { setting, score };
  }
  return best.setting;
}
