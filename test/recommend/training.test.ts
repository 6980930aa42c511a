import { describe, expect, test } from 'vitest';
import type { TrainingState } from '../../src/nn/index.js';
import { Adam } from '../../src/nn/index.js';
import {
  type Backbone,
  type DSLOptions,
  DynamicSparsity,
  holdOut,
  LightGCN,
  MultVAE,
  NeuMF,
  Popularity,
  Recommender,
  rankingScores,
  recommenderOf,
  trainRecommender,
} from '../../src/recommend/index.js';
import { keep, Random, scope, type tensor, zeros } from '../../src/tensor/index.js';
import { planted } from './planted.js';

const data = planted(48);
const gcn = (density: number) => new LightGCN(data, new Random(3), { dim: 8, layers: 2, batch: 128, density });
const dsl: DSLOptions = { interval: 2 };
const options = { epochs: 4, learningRate: 0.02, dsl };

/** A checkpoint in memory. */
function memory() {
  let kept: TrainingState | undefined;
  const copy = (all: TrainingState['weights']) =>
    Object.fromEntries(
      Object.entries(all).map(([name, own]) => [name, keep(zeros(own.shape, own.dtype as 'f32')).assign(own)]),
    );
  return {
    load: () => kept,
    save: (state: TrainingState) => {
      kept = {
        ...state,
        history: [...state.history],
        weights: copy(state.weights),
        optimizer: { step: state.optimizer.step, tensors: copy(state.optimizer.tensors) },
        best: state.best && { ...state.best, weights: copy(state.best.weights) },
      };
    },
  };
}

describe('the budget', () => {
  test.each([
    ['LightGCN', () => gcn(0.25)],
    ['Mult-VAE', () => new MultVAE(data, new Random(3), { hidden: 12, latent: 4, density: 0.25 })],
    ['NeuMF', () => new NeuMF(data, new Random(3), { dim: 4, batch: 128, negatives: 2, density: 0.25 })],
  ] as const)('of %s is the same in every matrix after every step, and what is not stored is 0', async (_, make) => {
    const model = make() as Backbone;
    const sparse = Object.values(model.weights).filter(({ pattern }) => pattern);
    expect(sparse.length).toBeGreaterThan(0);
    let patterns = new Set<string>();
    const check = () => {
      for (const weight of sparse) {
        const nnz = Math.max(1, Math.round(0.25 * weight.size));
        expect([weight.values.size, weight.pattern?.nnz, weight.pattern?.offsets.at(-1)]).toEqual([nnz, nnz, nnz]);
        const stored = new Set(weight.pattern?.places());
        expect(stored.size).toBe(nnz);
        expect(weight.toDense().every((value, place) => value === 0 || stored.has(place))).toBe(true);
      }
      patterns.add(String(sparse[0]?.pattern?.places()));
    };
    const result = await trainRecommender(model, new Random(4), { ...options, epochs: 2, onStep: check });
    expect(patterns.size).toBeGreaterThan(1);
    expect(result.coverage).toBeGreaterThan(0.25);
    expect(result.coverage).toBeLessThanOrEqual(1);
    patterns = new Set();
    await trainRecommender(make() as Backbone, new Random(4), { ...options, epochs: 1, dsl: { interval: 0 } });
  });

  test('in bytes: values, columns, starts of rows, moments and a bit for each entry', async () => {
    const model = gcn(0.1);
    const { peakBytes } = await trainRecommender(model, new Random(4), options);
    const [rows, nnz] = [88, Math.round(8.8 * 8)];
    expect(peakBytes).toBe(4 * nnz + 4 * (rows + 1 + nnz) + 8 * nnz + 4 * Math.ceil((8 * rows) / 32));
    const dense = await trainRecommender(gcn(1), new Random(4), options);
    expect(dense.peakBytes).toBe(12 * 8 * rows);
  });

  test('multiply-adds: those of each step, and of the dense gradient at explorations alone', async () => {
    const model = gcn(0.25);
    const { step, exploration } = model.cost();
    const { multiplyAdds } = await trainRecommender(model, new Random(4), { ...options, epochs: 3 });
    const steps = 3 * model.stepsPerEpoch;
    expect(multiplyAdds).toBe(steps * step + Math.floor(steps / 2) * exploration);
  });
});

describe('training', () => {
  test('of all weights is that of a plain loop with Adam, bit for bit', async () => {
    const model = gcn(1);
    await trainRecommender(model, new Random(4), options);
    const twin = gcn(1);
    const random = new Random(4);
    const adam = new Adam({ learningRate: 0.02 });
    for (let epoch = 1; epoch <= 4; epoch++)
      for (const batch of twin.batches(random.split('order').split(epoch)))
        scope(() => {
          const { stored } = twin.gradients(batch, { random, step: 1, dense: false });
          const factor = 0.01 + (0.99 * (1 + Math.cos((Math.PI * (epoch - 1)) / 4))) / 2;
          const values = twin.weights.table?.values as ReturnType<typeof tensor>;
          adam.update({ table: values }, { table: stored.table as typeof values }, factor);
        });
    expect(model.weights.table?.values.dataSync()).toEqual(twin.weights.table?.values.dataSync());
  });

  test('of sparse weights is gradient, Adam, then the exploration, step by step', async () => {
    const model = gcn(0.25);
    await trainRecommender(model, new Random(4), { ...options, epochs: 2 });
    const twin = gcn(0.25);
    const random = new Random(4);
    const adam = new Adam({ learningRate: 0.02 });
    const sparsity = new DynamicSparsity(twin.weights, 2 * twin.stepsPerEpoch, random.split('sparsity'), dsl);
    let t = 0;
    for (const epoch of [1, 2])
      for (const batch of twin.batches(random.split('order').split(epoch)))
        scope(() => {
          t += 1;
          const result = twin.gradients(batch, { random, step: t, dense: sparsity.exploresAt(t) });
          const factor = epoch === 1 ? 1 : 0.01 + 0.99 / 2;
          adam.update({ table: twin.weights.table?.values as ReturnType<typeof tensor> }, { ...result.stored }, factor);
          sparsity.afterStep(t, result, adam);
        });
    expect(model.weights.table?.toDense()).toEqual(twin.weights.table?.toDense());
  });

  test('of a sparse model learns more than what is popular, and moving weights beats a mask that stays', async () => {
    const { train, held } = holdOut(planted(120), 0.25, new Random(2));
    const score = async (own: DSLOptions) => {
      const model = new LightGCN(train, new Random(3), { dim: 16, batch: 256, density: 0.1 });
      await trainRecommender(model, new Random(4), { epochs: 40, learningRate: 0.03, dsl: own });
      return rankingScores(model, train, held, { k: 5 }).recall;
    };
    const [moving, still] = [await score({ interval: 3 }), await score({ interval: 0 })];
    expect(still).toBeGreaterThan(rankingScores(new Popularity(train), train, held, { k: 5 }).recall);
    expect(moving).toBeGreaterThan(still);
  });

  test('keeps the best epoch, with the places that its weights had', async () => {
    const metrics = [1, 5, 2, 3];
    const kept: number[][] = [];
    const model = gcn(0.25);
    const result = await trainRecommender(model, new Random(4), {
      ...options,
      validate: () => {
        kept.push([...(model.weights.table?.toDense() ?? [])]);
        return metrics[kept.length - 1] as number;
      },
    });
    expect([result.bestEpoch, result.bestMetric]).toEqual([2, 5]);
    expect([...(model.weights.table?.toDense() ?? [])]).toEqual(kept[1]);
    expect(kept[1]).not.toEqual(kept[3]);
  });

  test.each(['within', 'global'] as const)(
    'stopped and resumed gives what an unbroken run does (%s)',
    async (redistribution) => {
      const run = { ...options, dsl: { ...dsl, redistribution, keepMoments: redistribution === 'global' } };
      const make = () => new MultVAE(data, new Random(3), { hidden: 12, latent: 4, density: 0.25 });
      const whole = make();
      const expected = await trainRecommender(whole, new Random(4), run);
      const stop = new AbortController();
      const checkpoint = memory();
      const halted = make();
      let steps = 0;
      const first = await trainRecommender(halted, new Random(4), {
        ...run,
        ...{ checkpoint, signal: stop.signal },
        onStep: () => {
          steps += 1;
          if (steps === Math.ceil(1.5 * halted.stepsPerEpoch)) stop.abort();
        },
      });
      expect([first.stopped, first.history.length]).toEqual(['aborted', 1]);
      const resumed = make();
      const epochs: number[] = [];
      const second = await trainRecommender(resumed, new Random(4), {
        ...run,
        checkpoint,
        onEpoch: ({ epoch }) => epochs.push(epoch),
      });
      expect(epochs).toEqual([1, 2, 3, 4]);
      expect([second.multiplyAdds, second.coverage, second.peakBytes]).toEqual([
        expected.multiplyAdds,
        expected.coverage,
        expected.peakBytes,
      ]);
      for (const [name, weight] of Object.entries(resumed.weights))
        expect(weight.toDense()).toEqual(whole.weights[name]?.toDense());
    },
  );

  test('a loss that is not finite is an error', async () => {
    const model = gcn(1);
    model.weights.table?.values.view().fill(Number.NaN);
    await expect(trainRecommender(model, new Random(4), options)).rejects.toThrow('the loss became NaN in epoch 1');
  });
});

describe('a recommender in a file', () => {
  const about = {
    options: { dim: 8, layers: 2, density: 0.25 },
    trained: { data: 'x', stored: 1, entries: 2, scores: {} },
  };

  test('answers as before, without what a user has, and says by what', async () => {
    const model = gcn(0.25);
    await trainRecommender(model, new Random(4), options);
    const made = recommenderOf('lightgcn', model, data, about);
    const read = Recommender.load(made.save());
    for (const user of ['u0', 'u7']) {
      const list = read.recommend(user, 5);
      expect(list).toEqual(made.recommend(user, 5));
      expect(list.by).toBe('model');
      const seen = [
        ...data.indices.subarray(data.indptr[Number(user.slice(1))], data.indptr[Number(user.slice(1)) + 1]),
      ];
      expect(list.items.some(({ item }) => seen.includes(Number(item.slice(1))))).toBe(false);
      expect(list.items).toHaveLength(5);
    }
    const fresh = read.recommend('nobody', 5, ['i1', 'i2', 'what']);
    expect(fresh.by).toBe('history');
    expect(fresh.items.map(({ item }) => item)).not.toContain('i1');
    const popular = read.recommend('nobody', 3);
    expect(popular.by).toBe('popularity');
    const counts = new Popularity(data).scores();
    expect(popular.items[0]?.score).toBe(Math.max(...counts));
    expect(() => read.recommend('u0', 0)).toThrow('top must be a positive integer');
  });

  test.each(['multvae', 'neumf', 'item-knn', 'popularity', 'bpr'] as const)(
    'of %s is read as it was written',
    async (kind) => {
      const { makeBackbone, ItemKNN } = await import('../../src/recommend/index.js');
      const shape = {
        multvae: { hidden: 10, latent: 4, density: 0.25 },
        neumf: { dim: 4, density: 0.25 },
        bpr: { dim: 4, density: 0.5 },
      };
      const own = kind === 'item-knn' || kind === 'popularity' ? {} : shape[kind];
      const scorer =
        kind === 'popularity'
          ? new Popularity(data)
          : kind === 'item-knn'
            ? new ItemKNN(data)
            : makeBackbone(kind, data, new Random(6), own);
      const made = recommenderOf(kind, scorer, data, { ...about, options: own });
      const read = Recommender.load(made.save());
      expect(read.recommend('u3', 6)).toEqual(made.recommend('u3', 6));
      const by = kind === 'neumf' || kind === 'popularity' ? 'popularity' : 'history';
      expect(read.recommend('new', 2, ['i1', 'i5']).by).toBe(by);
    },
  );

  test('that is damaged is refused', () => {
    const made = recommenderOf('lightgcn', gcn(0.25), data, {
      ...about,
      options: { dim: 4, layers: 2, density: 0.25 },
    });
    expect(() => Recommender.load(made.save(), 'rec')).toThrow('loadState: "table" is not the one of this model');
  });
});
