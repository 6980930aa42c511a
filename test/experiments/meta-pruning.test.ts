import { describe, expect, test } from 'vitest';
import {
  architectureOfGraph,
  groupScores,
  Metanetwork,
  networkGraph,
  prunableNetwork,
} from '../../src/compress/index.js';
import { glyphImages, type ImageDataset } from '../../src/data/index.js';
import { shrunkImages } from '../../src/experiments/protocols/images.js';
import {
  copyOf,
  type MadeMetanetwork,
  META,
  type MetaRun,
  normSpread,
  type PruningArm,
  prunedScores,
  pruningArms,
  pruningMethod,
  RANDOM,
  resNet8,
  SHAKEN,
  SHRUNK,
  UNTRAINED,
} from '../../src/experiments/protocols/meta-pruning.js';
import { lostWeights } from '../../src/experiments/protocols/meta-studies.js';
import { parameters, stateOf } from '../../src/nn/index.js';
import { Random, zeros } from '../../src/tensor/index.js';

const data = ((all: ImageDataset): ImageDataset => {
  return { ...all, train: shrunkImages(all.train, 4), test: shrunkImages(all.test, 4) };
})(glyphImages(40, 20, new Random(0)));
const example = zeros([1, 1, 7, 7]);
const values: MetaRun = {
  ...{ width: 4, baseEpochs: 1, metaEpochs: 5, every: 1, adaptEpochs: 1, epochs: 1, batch: 20, metaBatch: 20 },
  ...{ metaRate: 1e-2, scale: 0.1, strength: 0.1, trials: 1, tuning: 0.5 },
};
const base = resNet8(data, 4, new Random(1));
const metanetwork = new Metanetwork(architectureOfGraph(networkGraph(base, example)), new Random(2), {
  ...{ dimension: 4, layers: 1, nodeScale: 0.1, edgeScale: 0.1 },
});
const made: MadeMetanetwork = { metanetwork, heldOut: base, epoch: 1, seconds: [0, 0] };
const arms = new Map(pruningArms(made, data, values).map((arm) => [arm.title, arm]));
const arm = (title: string) => arms.get(title) as PruningArm;

/** Norm of what a way to prune changes in each weight before any training. */
function changed(title: string): Record<string, number> {
  const model = copyOf(base, data, 4);
  arm(title).change?.(model, new Random(3));
  const before = parameters(base);
  return Object.fromEntries(
    Object.entries(parameters(model)).map(([name, own]) => {
      const other = before[name]?.view() as Float32Array;
      return [name, Math.hypot(...Array.from(own.view(), (value, i) => value - (other[i] as number)))];
    }),
  );
}

describe('changes of weights before pruning', () => {
  const learnt = changed(META);
  const whole = (norms: Record<string, number>) => Math.hypot(...Object.values(norms));

  test('random ones have the norm of the metanetwork in each weight', () => {
    for (const [name, norm] of Object.entries(changed(SHAKEN)))
      expect(norm / (learnt[name] as number)).toBeCloseTo(1, 4);
  });

  test('direct shrinking goes as far as the metanetwork, and raises the spread of norms', () => {
    const ratio = whole(changed(SHRUNK)) / whole(learnt);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.001);
    const model = copyOf(base, data, 4);
    arm(SHRUNK).change?.(model, new Random(3));
    expect(normSpread(model, data)).toBeGreaterThan(1.01 * normSpread(base, data));
  });

  test('an untrained metanetwork is another one', () => {
    expect(whole(changed(UNTRAINED))).toBeGreaterThan(0);
    expect(changed(UNTRAINED)).not.toEqual(learnt);
  });
});

test('the spread is the better half of the norms over the worse', () => {
  const { groups, counted } = prunableNetwork(base, example);
  const ratios = groups.map((group) => {
    const scores = [...groupScores(group, stateOf(base), counted)].sort((a, b) => b - a);
    const half = scores.length / 2;
    const sum = (own: number[]) => own.reduce((all, score) => all + score, 0);
    return sum(scores.slice(0, half)) / sum(scores.slice(half));
  });
  expect(normSpread(base, data)).toBeCloseTo(ratios.reduce((all, own) => all + own, 0) / ratios.length, 4);
});

test('no weight is lost on the way to the graph and back', () => {
  expect(lostWeights(base, data)).toBe(0);
});

test('an arm prunes to each speed-up, trains, and leaves the network that it was given', async () => {
  const before = Array.from(base.conv1.weight.view());
  const final = { ...data, test: data.train };
  const method = pruningMethod(arm(RANDOM), base, made, data, { data, final }, values);
  const run = {
    ...{ title: RANDOM, seed: 0, random: new Random(4), hooks: {} },
    ...{ progress: () => undefined, chose: () => undefined },
  };
  const pruned = await method.train(run);
  expect(Array.from(base.conv1.weight.view())).toEqual(before);
  const scores = prunedScores(pruned, final);
  expect(Object.keys(scores)).toEqual(expect.arrayContaining(['accuracy', 'before2', 'before4', 'after3', 'spread']));
  expect(scores.accuracy).toBeCloseTo(
    ((scores.after2 as number) + (scores.after3 as number) + (scores.after4 as number)) / 3,
    6,
  );
  const sizes = pruned.models.map((model) => Object.values(parameters(model)).reduce((sum, { size }) => sum + size, 0));
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  expect(new Set(sizes).size).toBe(3);
});
