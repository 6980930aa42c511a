import { describe, expect, test } from 'vitest';
import { glyphImages } from '../../src/data/index.js';
import { Evidence, evaluateClaims } from '../../src/experiments/parts/claims.js';
import { resolveOptions } from '../../src/experiments/parts/options.js';
import type { MethodScores } from '../../src/experiments/parts/scores.js';
import { splitImages } from '../../src/experiments/protocols/binary-networks.js';
import { neutralClaims } from '../../src/experiments/protocols/neutral-claims.js';
import { type SubNetworkValues, subNetworkOptions } from '../../src/experiments/protocols/sparse-arms.js';
import { stepsTo, subNetworkData, trainArm } from '../../src/experiments/protocols/sparse-sub-networks.js';
import { stateOf } from '../../src/nn/index.js';
import { Random } from '../../src/tensor/index.js';

const values = resolveOptions(subNetworkOptions) as SubNetworkValues;
const levels = [0.5, 0.8, 0.9, 0.95, 0.98];

/** Eight seeds whose random search is ahead of random by some points in the mean, and by ± spread. */
function evidence(gain: number, spread: number, { ahead = 3, bad = 4, steps = 0 } = {}) {
  const results = Array.from({ length: 8 }, (_, seed) => {
    const turn = seed % 2 === 0 ? 1 : -1;
    const methods = levels.flatMap((level): MethodScores[] => [
      { method: `random, p = ${level}`, scores: { accuracy: 80, steps: 100, area: 70 } },
      {
        method: `random search, p = ${level}`,
        scores: { accuracy: 80 + gain + turn * spread, steps: 100 + steps, area: 70, ahead },
      },
      { method: `half of the first layer zeroed, p = ${level}`, scores: { accuracy: 80 - bad } },
    ]);
    return { seed, methods: [{ method: 'fully connected parent', scores: { accuracy: 82 } }, ...methods] };
  });
  const claims = evaluateClaims(neutralClaims, new Evidence('fashion-mnist', values, results));
  const of = (text: string) => claims.find(({ claim }) => claim.includes(text));
  return {
    accuracy: of('interval of accuracy'),
    steps: of('steps to 95 %'),
    area: of('area under'),
    decided: of('Widest'),
    search: of('deviations below'),
    bad: of('zeroed'),
  };
}

describe('random search is as good as random', () => {
  test('where the whole interval lies within the band', () => {
    const equal = evidence(0.2, 0.3);
    expect(equal.accuracy).toMatchObject({ source: 'abstract', words: 'neutral', holds: true });
    expect(equal.accuracy?.value).toBeGreaterThan(0.2);
    expect(equal.accuracy?.value).toBeLessThan(0.5);
    expect([equal.steps, equal.area, equal.decided].map((claim) => claim?.holds)).toEqual([true, true, true]);
  });

  test('not where it is ahead or behind by more than the band', () => {
    for (const gain of [1.2, -1.2]) expect(evidence(gain, 0.1).accuracy?.holds).toBe(false);
    // A mean inside the band does not suffice.
    expect(evidence(0.9, 0.5).accuracy?.holds).toBe(false);
    expect(evidence(0, 0, { steps: 16 }).steps?.holds).toBe(false);
    expect(evidence(0, 0, { steps: 14 }).steps?.holds).toBe(true);
  });

  test('undecided where the interval is wider than the band', () => {
    const wide = evidence(0, 4);
    expect(wide.accuracy?.holds).toBe(false);
    expect(wide.decided?.holds).toBe(false);
  });

  test('void where the search did not work, or the bad arm is not found', () => {
    expect(evidence(0, 0, { ahead: 1.9 }).accuracy).toMatchObject({ holds: false, value: Number.NaN });
    expect(evidence(0, 0, { ahead: 1.9 }).search?.holds).toBe(false);
    const blunt = evidence(0, 0, { bad: 0 });
    expect([blunt.accuracy?.holds, blunt.bad?.holds]).toEqual([false, false]);
  });

  test('short runs decide nothing', () => {
    const claims = evaluateClaims(neutralClaims, new Evidence('fashion-mnist', { ...values, images: 200 }, []));
    expect(claims.map(({ source }) => source)).toEqual(['ours']);
  });
});

test('steps to a share of the final accuracy', () => {
  expect(stepsTo(0.95, [0.1, 0.5, 0.77, 0.7, 0.8], 5)).toBe(10);
  expect(stepsTo(0.95, [0.8, 0.8], 5)).toBe(0);
});

test('the arms of a seed share parent, batches and nodes, and are trained for as many steps', async () => {
  const loaded = glyphImages(140, 40, new Random(0));
  const own = { ...values, width: 12, candidates: 6, searchSet: 40, epochs: 2, batch: 20, curve: 20, every: 2 };
  const split = splitImages(loaded, 40);
  const data = subNetworkData(split, 'mlp');
  const run = () => ({ random: new Random(3), hooks: { signal: undefined } });
  const trained = async (arm: Parameters<typeof trainArm>[0], candidates = 6) =>
    trainArm(arm, 0.5, 1e-2, data, { ...own, candidates }, run(), stateOf(dense.model));
  const dense = await trainArm('dense', 0.5, 1e-2, data, own, run());
  const bits = ({ model }: { readonly model: object }) =>
    Object.values(stateOf(model)).map((weight) => [...weight.view()]);
  // More candidates change neither the random arm nor its batches.
  expect(bits(await trained('random', 2))).toEqual(bits(await trained('random', 50)));
  expect(bits(await trained('random-search', 1))).toEqual(bits(await trained('random')));
  const arms = ['random', 'random-search', 'fresh', 'informed', 'zeroed'] as const;
  for (const arm of arms) {
    const { model, curve } = await trained(arm);
    const classes = loaded.classes.length;
    const shapes = [[6, loaded.train.height * loaded.train.width], [6], [6, 6], [6], [classes, 6], [classes]];
    expect(Object.values(stateOf(model)).map(({ shape }) => shape)).toEqual(shapes);
    // A point before each second of 10 steps, and one at the end.
    expect(curve).toHaveLength(6);
  }
  // Search, rates and training never see the test images.
  const inputs = () => {
    throw new Error('the test images were read');
  };
  const blind = { ...data, test: { ...data.test, inputs } };
  await trainArm('random-search', 0.5, 1e-2, blind, own, run());
});
