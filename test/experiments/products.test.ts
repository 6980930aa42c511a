import { expect, test } from 'vitest';
import { generatedCatalogue } from '../../src/data/index.js';
import { runMethods } from '../../src/experiments/parts/methods.js';
import { resolveOptions } from '../../src/experiments/parts/options.js';
import { ValueGenerator } from '../../src/experiments/protocols/product-generation.js';
import { productMethods, productOptions, productTitles } from '../../src/experiments/protocols/product-methods.js';
import { isExplicit, productRunOf, productScores } from '../../src/experiments/protocols/products.js';
import { zeroShotSplit } from '../../src/hypergraph/index.js';
import { Random } from '../../src/tensor/index.js';
import { context } from './context.js';

const catalogue = generatedCatalogue(new Random(1), { products: 80, categories: 2, attributes: 2, values: 6 });
const split = zeroShotSplit(catalogue, new Random(2), { test: 0.2, validation: 0.15 });
const values = resolveOptions(productOptions, { smoke: true });

/** Scores of all methods on test products, and what generation writes. */
async function scoresOf(own: typeof catalogue) {
  const scores: Record<string, Float32Array | readonly (readonly number[])[]> = {};
  await runMethods(productMethods(productRunOf(own, split), values), context(0), {
    score: (model, { title }) => {
      scores[title] = model.score(split.test).scores;
      if (model.emitted) scores[`${title}, written`] = model.emitted(split.test).map((set) => [...set]);
      return {};
    },
  });
  return scores;
}

test('no method sees a label of a test product: other labels of theirs change no score, bit for bit', async () => {
  const labels = [...catalogue.labels];
  split.test.forEach((p, at) => {
    labels[p] = at % 2 === 0 ? new Int32Array(0) : Int32Array.of(at % catalogue.values.length);
  });
  const [plain, other] = [await scoresOf(catalogue), await scoresOf({ ...catalogue, labels })];
  expect(Object.keys(plain).sort()).toEqual([...productTitles, 'Generation, written'].sort());
  for (const title of Object.keys(plain)) expect([title, other[title]]).toEqual([title, plain[title]]);
}, 120_000);

test('zero-shot metrics rank unseen values alone; those of texts tell what texts name', () => {
  const run = productRunOf(catalogue, split);
  const unseen = new Set(split.unseenTest);
  const count = catalogue.values.length;
  // Perfect among the unseen values, but below every seen one.
  const score = (products: Int32Array) => ({
    products,
    values: count,
    scores: Float32Array.from({ length: products.length * count }, (_, i) => {
      const value = i % count;
      if (!unseen.has(value)) return 5;
      return catalogue.labels[products[Math.floor(i / count)] as number]?.includes(value) ? 1 : -1;
    }),
  });
  const scores = productScores({ score, parameters: 0, validation: 0 }, run);
  expect(scores.zeroShot).toBeCloseTo(100, 6);
  expect(scores.f1).toBeCloseTo(100, 6);
  expect(scores.map).toBeLessThan(60);
  expect(scores.explicit).toBe(0);
  expect(scores.implicit).toBe(0);
  const explicit = isExplicit(catalogue);
  const [p] = split.test;
  for (const value of catalogue.labels[p as number] as Int32Array)
    expect(explicit(p as number, value)).toBe(
      catalogue.texts[p as number]?.split(' ').includes(catalogue.values[value]?.value as string),
    );
});

test('generation writes values that it was trained on, and its likelihoods are of their words', async () => {
  // Without validation the last epoch is kept.
  const { texts, graph } = productRunOf(catalogue, split).task;
  const run = { ...productRunOf(catalogue, split), task: { texts, graph } };
  const generator = new ValueGenerator(catalogue, 32, new Random(3));
  await generator.train(run, new Random(4), { epochs: 120, learningRate: 5e-3, patience: 120 });
  const written = generator.emitted(split.train);
  const own = Array.from(split.train, (p) => catalogue.labels[p] as Int32Array);
  const right = written.reduce((sum, set, at) => sum + [...set].filter((value) => own[at]?.includes(value)).length, 0);
  const all = written.reduce((sum, set) => sum + set.size, 0);
  expect(all).toBeGreaterThan(split.train.length);
  expect(right / all).toBeGreaterThan(0.5);
  const { scores } = generator.score(split.train, Int32Array.of(0, 1));
  expect(scores.filter((score) => Number.isFinite(score))).toHaveLength(2 * split.train.length);
  expect(Math.max(...scores)).toBeLessThan(0);
}, 120_000);
