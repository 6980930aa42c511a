import { describe, expect, test } from 'vitest';
import { generatedCatalogue, HashedTextEncoder } from '../../src/data/index.js';
import {
  drawEpisode,
  drawLabels,
  encodeCatalogue,
  HyperPAVE,
  type HyperPAVEOptions,
  meanAveragePrecision,
  productTask,
  scoreProducts,
  textsOfCatalogue,
  trainHyperPAVE,
  type ZeroShotSplit,
  zeroShotSplit,
} from '../../src/hypergraph/index.js';
import { Random, tensor } from '../../src/tensor/index.js';

const catalogue = generatedCatalogue(new Random(1), { products: 150 });
const split = zeroShotSplit(catalogue, new Random(2));
const texts = encodeCatalogue(
  catalogue,
  new HashedTextEncoder({ dimension: 64, idf: 'plain' }).fit(textsOfCatalogue(catalogue)),
);

test('values of the test and of validation are disjoint, and no training product has one', () => {
  const { unseenTest, unseenValidation, train, validation, test: tests } = split;
  const used = new Set(catalogue.labels.flatMap((own) => [...own])).size;
  expect(unseenTest).toHaveLength(Math.round(0.12 * used));
  expect(unseenValidation).toHaveLength(Math.round(0.08 * used));
  expect([...unseenTest].filter((value) => unseenValidation.includes(value))).toEqual([]);
  const has = (products: Int32Array, values: Int32Array) =>
    Array.from(products, (p) => (catalogue.labels[p] as Int32Array).some((value) => values.includes(value)));
  expect(has(train, unseenTest).concat(has(train, unseenValidation)).some(Boolean)).toBe(false);
  expect(has(validation, unseenTest).some(Boolean)).toBe(false);
  expect(has(validation, unseenValidation).every(Boolean)).toBe(true);
  expect(has(tests, unseenTest).every(Boolean)).toBe(true);
  expect(train.length + validation.length + tests.length).toBe(150);
  expect(() =>
    zeroShotSplit({ labels: [Int32Array.of(0)], values: [{ attribute: 'a', value: 'b' }] }, new Random(0)),
  ).toThrow('none is left to train on');
});

test('the task shows labels of training products alone, in every relation and hyperedge', () => {
  const { graph } = productTask(catalogue, texts, split);
  const train = new Set(split.train);
  catalogue.labels.forEach((own, p) => {
    expect([...(graph.labels[p] as Int32Array)]).toEqual(train.has(p) ? [...own] : []);
  });
  const first = graph.counts.products + graph.counts.categories;
  const members = (kind: 'aspect' | 'category') =>
    graph
      .hyperedges(kind)
      .hyperedges()
      .flatMap((own) => [...own]);
  for (const value of [...split.unseenTest, ...split.unseenValidation]) {
    expect(members('aspect')).not.toContain(first + value);
    expect(members('category')).not.toContain(first + value);
    expect([...graph.values.indices]).not.toContain(value);
  }
});

describe('an episode', () => {
  const labels = productTask(catalogue, texts, split).graph.labels;
  const labelled = labels.filter((own) => own.length > 0).length;
  const seen = new Set(labels.flatMap((own) => [...own]));

  test('hides a fifth of the seen values and all labels of three tenths of the products', () => {
    const { visible } = drawEpisode(labels, 150, new Random(3));
    const shown = new Set(visible.flatMap((own) => [...own]));
    const empty = labels.filter((own, p) => own.length > 0 && visible[p]?.length === 0).length;
    expect(empty).toBeGreaterThanOrEqual(Math.round(0.3 * labelled));
    expect(shown.size).toBeLessThanOrEqual(seen.size - Math.round(0.2 * seen.size));
    visible.forEach((own, p) => {
      expect([...own].every((value) => labels[p]?.includes(value))).toBe(true);
    });
  });

  test('asks all hidden labels with two negatives each, which are seen values that the product lacks', () => {
    for (const draw of [drawEpisode, drawLabels]) {
      const { visible, pairs, targets } = draw(labels, 150, new Random(4));
      let negatives = 0;
      labels.forEach((own, p) => {
        const row = Array.from(
          { length: (pairs.indptr[p + 1] as number) - (pairs.indptr[p] as number) },
          (_, k) => (pairs.indptr[p] as number) + k,
        );
        const asked = (target: number) =>
          row.filter((e) => targets[e] === target).map((e) => pairs.indices[e] as number);
        expect(asked(1)).toEqual([...own].filter((value) => !visible[p]?.includes(value)));
        for (const value of asked(0)) {
          expect(own.includes(value)).toBe(false);
          expect(seen.has(value)).toBe(true);
        }
        expect(new Set(asked(0)).size).toBe(asked(0).length);
        negatives += asked(0).length;
      });
      const positives = targets.filter((target) => target === 1).length;
      expect(positives).toBeGreaterThan(10);
      expect(negatives).toBeGreaterThan(1.9 * positives);
      expect(negatives).toBeLessThanOrEqual(2 * positives);
    }
  });

  test('asks hidden values alone of products that keep labels', () => {
    const { visible, pairs, targets } = drawEpisode(labels, 150, new Random(5));
    const shown = new Set(visible.flatMap((own) => [...own]));
    visible.forEach((own, p) => {
      if (own.length === 0) return;
      for (let e = pairs.indptr[p] as number; e < (pairs.indptr[p + 1] as number); e++)
        expect(shown.has(pairs.indices[e] as number)).toBe(false);
    });
    expect(targets).toContain(0);
  });
});

const train = async (layout: HyperPAVEOptions, own = catalogue, episodes = true, epochs = 4) => {
  const task = productTask(own, texts, split);
  const network = new HyperPAVE(64, new Random(5), { features: 16, ...layout });
  const result = await trainHyperPAVE(network, task, new Random(6), { epochs, episodes });
  return { network, task, result };
};

/** The catalogue with other labels of some products. */
const altered = (products: Int32Array) => {
  const labels = [...catalogue.labels];
  products.forEach((p, at) => {
    // One product loses its labels, the next has one more, of any value.
    labels[p] =
      at % 2 === 0
        ? new Int32Array(0)
        : Int32Array.from(new Set([...(labels[p] as Int32Array), (7 * at) % 150])).sort();
  });
  return { ...catalogue, labels };
};

describe('labels that must not be seen', () => {
  test.each([
    ['user', {}, true],
    ['inventory', { hyperedges: 'inventory' }, true],
    ['all', { hyperedges: 'all' }, true],
    ['graph', { hyperedges: 'none' }, true],
    ['text', { hyperedges: 'none', messagePassing: false }, true],
    ['released', { hyperedges: 'all', residual: false }, true],
    ['no episodes', { hyperedges: 'all' }, false],
  ] as const)('%s: those of test products change no score, bit for bit', async (_, layout, episodes) => {
    const scores = async (own: typeof catalogue) => {
      const { network, task } = await train(layout, own, episodes);
      return scoreProducts(network, texts, task.graph, split.test).scores;
    };
    expect(await scores(altered(split.test))).toEqual(await scores(catalogue));
  });

  test('those of validation products change which epoch is kept, and nothing else', async () => {
    const losses = async (own: typeof catalogue) =>
      (await train({ hyperedges: 'all' }, own)).result.history.map(({ loss }) => loss);
    expect(await losses(altered(split.validation))).toEqual(await losses(catalogue));
  });
});

test('the vectors of words are fixed: training changes the network alone', async () => {
  const before = texts.dataSync();
  const { network } = await train({});
  expect(texts.dataSync()).toEqual(before);
  expect(network.project(tensor(texts.view<Float32Array>(), texts.shape)).shape).toEqual([305, 16]);
  expect(Object.keys(network)).not.toContain('texts');
});

test('training finds unseen values better than chance, and keeps the best epoch', async () => {
  const { network, task, result } = await train({ features: 64 }, catalogue, true, 25);
  const metrics = result.history.map(({ metric }) => metric as number);
  expect(result.bestMetric).toBe(Math.max(...metrics));
  const map = (scores: Float32Array) =>
    meanAveragePrecision({ products: split.test, scores, values: 150 }, catalogue.labels, split.unseenTest);
  const ours = map(scoreProducts(network, texts, task.graph, split.test).scores);
  const chance = map(new Random(1).uniform([split.test.length * 150]).dataSync<Float32Array>());
  expect(ours).toBeGreaterThan(1.8 * chance);
  // The chosen validation score is that of the network that was kept.
  const { products, candidates } = task.validation as { products: Int32Array; candidates: Int32Array };
  const again = scoreProducts(network, texts, task.graph, products);
  expect(meanAveragePrecision(again, catalogue.labels, candidates)).toBeCloseTo(result.bestMetric as number, 6);
});

test('an encoder gives categories of vectors the mean of their products', () => {
  const own: ZeroShotSplit = split;
  expect(own.test.length).toBeGreaterThan(0);
  const vectors = { products: new Random(1).normal([150, 8]), values: new Random(2).normal([150, 8]) };
  const encoded = encodeCatalogue({ ...catalogue, vectors }, new HashedTextEncoder());
  expect(encoded.shape).toEqual([305, 8]);
  const members = catalogue.categoriesOf.flatMap((of, p) => (of.includes(2) ? [p] : []));
  const mean = Array.from(
    { length: 8 },
    (_, k) => members.reduce((sum, p) => sum + (vectors.products.view()[p * 8 + k] as number), 0) / members.length,
  );
  Array.from(encoded.view().subarray(152 * 8, 153 * 8)).forEach((value, k) => {
    expect(value).toBeCloseTo(mean[k] as number, 5);
  });
});
