import { describe, expect, test, vi } from 'vitest';
import { secondsInTurns } from '../../src/engine/index.js';
import type { RunContext } from '../../src/experiments/parts/contract.js';
import { runMethods } from '../../src/experiments/parts/methods.js';
import { settingsOf, type TunedMethod, tuned } from '../../src/experiments/parts/tuning.js';
import { chosenSettings } from '../../src/experiments/runner/result.js';
import type { TrainingHooks } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';
import { context as quiet } from './context.js';

describe('settings of a grid', () => {
  const grid = { rate: [1, 2, 3], depth: [1, 2], skip: [true, false] };
  const written = (settings: readonly object[]) => settings.map((setting) => JSON.stringify(setting));

  test('the usual values first, no setting twice, all of them at most', () => {
    const all = settingsOf(grid, 99, new Random(1));
    expect(all[0]).toEqual({ rate: 1, depth: 1, skip: true });
    expect(new Set(written(all)).size).toBe(12);
    const some = settingsOf(grid, 5, new Random(1));
    expect(written(some)).toEqual(written(all).slice(0, 5));
    expect(written(settingsOf(grid, 5, new Random(2)))).not.toEqual(written(some));
    expect(settingsOf({ rate: [7] }, 3, new Random(0))).toEqual([{ rate: 7 }]);
  });

  test('an empty grid of a hyperparameter and a wrong number of trials are refused', () => {
    expect(() => settingsOf({ rate: [], depth: [1] }, 1, new Random(0))).toThrow('no value of "rate"');
    for (const trials of [0, 1.5, Number.NaN])
      expect(() => settingsOf(grid, trials, new Random(0))).toThrow('trials must be a positive integer');
  });
});

describe('a tuned method', () => {
  const checkpoint = {} as NonNullable<TrainingHooks['checkpoint']>;
  const context = (seed: number, signal?: AbortSignal): RunContext => ({
    ...quiet(seed, signal),
    hooks: () => ({ signal, checkpoint }),
  });
  type Model = { readonly rate: number; readonly drawn: number };
  type Setting = { readonly rate: number };

  /** Validation prefers a rate of 2. */
  function method(own: Partial<TunedMethod<Setting, Model>> = {}) {
    const trained: (Model & { readonly saves: boolean })[] = [];
    const made = tuned<Setting, Model>({
      title: 'm',
      settings: [{ rate: 1 }, { rate: 2 }, { rate: 3 }],
      train: ({ rate }, { random, hooks }) => {
        const model = { rate, drawn: random.float() };
        trained.push({ ...model, saves: hooks.checkpoint !== undefined });
        return model;
      },
      validation: ({ rate }) => (rate === 3 ? Number.NaN : -Math.abs(rate - 2)),
      ...own,
    });
    return { made, trained };
  }

  test('chooses by validation score; trials share a stream and save nothing, the last training has its own', async () => {
    const { made, trained } = method();
    const { methods, kept } = await runMethods([made], context(4), { keep: 'm' });
    expect(trained.map(({ rate }) => rate)).toEqual([1, 2, 3, 2]);
    expect(new Set(trained.slice(0, 3).map(({ drawn }) => drawn)).size).toBe(1);
    expect(kept).toEqual({ rate: 2, drawn: new Random(4).split('m').float() });
    expect(trained.map(({ saves }) => saves)).toEqual([false, false, false, true]);
    expect(methods[0]?.tuning).toEqual({ trials: 3, setting: { rate: 2 } });
    expect(chosenSettings(methods)).toBe('rate 2, of 3 trials');
  });

  test('a setting may be tried by a cheaper training, which is not kept', async () => {
    const tried: number[] = [];
    const { made, trained } = method({
      trial: ({ rate }) => {
        tried.push(rate);
        return { rate: 4 - rate, drawn: 0 };
      },
      validation: ({ rate }) => rate,
    });
    const { methods } = await runMethods([made], context(4));
    expect(tried).toEqual([1, 2, 3]);
    expect(trained.map(({ rate }) => rate)).toEqual([1]);
    expect(methods[0]?.tuning?.setting).toEqual({ rate: 1 });
  });

  test('among equals the first, which is the usual one, wins; a single setting needs no trial', async () => {
    const equal = method({ validation: () => 0 });
    const { methods } = await runMethods([equal.made], context(0));
    expect(methods[0]?.tuning?.setting).toEqual({ rate: 1 });
    const single = method({ settings: [{ rate: 9 }] });
    await runMethods([single.made], context(0));
    expect(single.trained.map(({ rate }) => rate)).toEqual([9]);
  });

  test('a choice made once is kept for all seeds, whichever comes first', async () => {
    const noisy = { validation: ({ drawn, rate }: Model) => Math.sin(1e4 * drawn * rate) };
    const chosen = async (seeds: number[]) => {
      const { made, trained } = method({ ...noisy, once: {} });
      const each = [];
      for (const seed of seeds) each.push((await runMethods([made], context(seed))).methods[0]?.tuning?.setting);
      return { each, trainings: trained.length };
    };
    const forward = await chosen([1, 2, 3]);
    expect(forward.trainings).toBe(3 + 3);
    expect(await chosen([3, 2, 1])).toEqual(forward);
    expect(new Set(forward.each).size).toBe(1);
  });

  test('the models of trials are freed, an abort stops between trials, trials are not timed', async () => {
    const freed: number[] = [];
    const controller = new AbortController();
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    const takesRateSeconds = ({ rate }: Setting) => {
      clock += 1000 * rate;
      return { rate, drawn: 0 };
    };
    const { made } = method({ train: takesRateSeconds, discard: ({ rate }) => void freed.push(rate) });
    const { methods } = await runMethods([made], context(0));
    expect(freed).toEqual([1, 2, 3]);
    expect(methods[0]?.scores.seconds).toBe(2);
    now.mockRestore();
    const stopped = method({ discard: () => controller.abort() });
    await expect(runMethods([stopped.made], context(0, controller.signal))).rejects.toThrow();
    expect(stopped.trained.length).toBe(1);
  });

  test('settings of several seeds are counted', () => {
    const seed = (rate: number) => ({ method: 'm', scores: {}, tuning: { trials: 8, setting: { rate, depth: 2 } } });
    expect(chosenSettings([seed(1), seed(2), seed(1)])).toBe(
      'rate 1, depth 2 (2 seeds); rate 2, depth 2 (1 seed), of 8 trials each',
    );
    expect(chosenSettings([{ method: 'm', scores: {} }])).toBeUndefined();
  });
});

test('arms are timed in turns', async () => {
  const order: string[] = [];
  const times = await secondsInTurns(
    { a: () => void order.push('a'), b: async () => void order.push('b') },
    { repeats: 3, warmUp: 1 },
  );
  expect(order.join('')).toBe('abababab');
  expect(Object.keys(times)).toEqual(['a', 'b']);
});
