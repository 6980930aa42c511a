import { describe, expect, test } from 'vitest';
import {
  type Backbone,
  LightGCN,
  MultVAE,
  NeuMF,
  type StepRequest,
  type StepResult,
  type Weight,
} from '../../src/recommend/index.js';
import { Random, scope } from '../../src/tensor/index.js';
import { interactionsOf } from './planted.js';

/** Ten nodes: four users, six items. */
const tiny = interactionsOf([[0, 1], [1, 2, 3], [4], [0, 5]], 6);
const request: StepRequest = { random: new Random(9), step: 50_000, dense: true };

/** Loss of a batch at the current weights. */
const lossOf = <B>(model: Backbone<B>, batch: B) => scope(() => model.gradients(batch, request).loss);

/**
 * Compares the gradients of a batch with central differences: those of stored entries, and those of
 * all entries of a sparse matrix, for which an entry is stored in a dense twin.
 */
function checkGradients<B>(model: Backbone<B>, twin: Backbone<B>, batch: B, step: number): void {
  scope(() => {
    const result: StepResult = model.gradients(batch, request);
    for (const [name, weight] of Object.entries(model.weights)) {
      const other = twin.weights[name] as Weight;
      const stored = new Map(
        Array.from(weight.pattern?.places() ?? weight.values.view().keys(), (place, e) => [place, e]),
      );
      const gradient = (result.stored[name] as Weight['values']).view();
      const rows = weight.pattern ? result.dense[name]?.(0, weight.rows).slice() : undefined;
      expect(rows !== undefined).toBe(weight.pattern !== undefined);
      const values = other.values.view();
      for (let place = 0; place < weight.size; place += 1 + Math.floor(weight.size / 60)) {
        const before = values[place] as number;
        values[place] = before + step;
        const up = lossOf(twin, batch);
        values[place] = before - step;
        const down = lossOf(twin, batch);
        values[place] = before;
        const slope = (up - down) / (2 * step);
        const tolerance = 2e-3 * Math.max(0.05, Math.abs(slope)) + 2e-5 / step;
        const e = stored.get(place);
        if (e !== undefined) expect(Math.abs((gradient[e] as number) - slope)).toBeLessThan(tolerance);
        if (rows) expect(Math.abs((rows[place] as number) - slope)).toBeLessThan(tolerance);
      }
    }
  });
}

/** A dense model with the numbers of a sparse one. */
function twinOf<B, M extends Backbone<B>>(model: M, dense: M): M {
  for (const [name, weight] of Object.entries(model.weights)) dense.weights[name]?.values.assign(weight.toDense());
  return dense;
}

describe('gradients against finite differences', () => {
  const triples = {
    users: Int32Array.of(0, 1, 1),
    positives: Int32Array.of(1, 3, 1),
    negatives: Int32Array.of(4, 0, 5),
  };

  test.each([0, 1, 3])('LightGCN with %i layers, BPR and a penalty on the initial embeddings', (layers) => {
    const options = { dim: 4, layers, penalty: 0.4 };
    const model = new LightGCN(tiny, new Random(1), { ...options, density: 0.4 });
    const twin = twinOf(model, new LightGCN(tiny, new Random(1), options));
    expect(lossOf(model, triples)).toBeCloseTo(lossOf(twin, triples), 6);
    checkGradients(model, twin, triples, 0.01);
    checkGradients(twin, twin, triples, 0.01);
  });

  test('Mult-VAE, with its dropout, noise and KL term', () => {
    const options = { hidden: 6, latent: 3, beta: 0.2 };
    const model = new MultVAE(tiny, new Random(1), { ...options, density: 0.5 });
    const twin = twinOf(model, new MultVAE(tiny, new Random(1), options));
    const batch = Int32Array.of(0, 1, 3);
    expect(lossOf(model, batch)).toBeCloseTo(lossOf(twin, batch), 5);
    checkGradients(model, twin, batch, 0.02);
  });

  test('NeuMF, whose sparse embeddings are those of the perceptron', () => {
    const options = { dim: 4, dropout: 0 };
    const model = new NeuMF(tiny, new Random(1), { ...options, density: 0.5 });
    expect(Object.entries(model.weights).flatMap(([name, { pattern }]) => (pattern ? [name] : []))).toEqual([
      'userTable',
      'itemTable',
    ]);
    const twin = twinOf(model, new NeuMF(tiny, new Random(1), options));
    const pairs = { users: Int32Array.of(0, 1, 0, 1, 1), items: Int32Array.of(1, 2, 4, 0, 5), positives: 2 };
    expect(lossOf(model, pairs)).toBeCloseTo(lossOf(twin, pairs), 6);
    checkGradients(model, twin, pairs, 0.02);
  });
});

describe('losses by hand', () => {
  test('BPR of matrix factorisation: mean softplus, and λ/2·Σ‖e‖²/batch', () => {
    const model = new LightGCN(interactionsOf([[0]], 2), new Random(1), { dim: 1, layers: 0, penalty: 0.5 });
    model.weights.table?.values.assign(Float32Array.of(2, 3, -1));
    const batch = { users: Int32Array.of(0), positives: Int32Array.of(0), negatives: Int32Array.of(1) };
    expect(lossOf(model, batch)).toBeCloseTo(Math.log1p(Math.exp(-(6 + 2))) + 0.25 * (4 + 9 + 1), 5);
  });

  test('NeuMF averages positives and negatives apart', () => {
    const model = new NeuMF(interactionsOf([[0]], 4), new Random(1), { dim: 2, dropout: 0 });
    for (const weight of Object.values(model.weights)) weight.values.view().fill(0);
    model.weights['head.bias']?.values.assign(Float32Array.of(1));
    const pairs = { users: new Int32Array(4), items: Int32Array.of(0, 1, 2, 3), positives: 1 };
    expect(lossOf(model, pairs)).toBeCloseTo(Math.log1p(Math.exp(-1)) + Math.log1p(Math.exp(1)), 5);
  });

  test('the propagation is the symmetric normalisation, averaged over the layers', () => {
    const model = new LightGCN(interactionsOf([[0, 1], [1]], 2), new Random(1), { dim: 1, layers: 2 });
    model.weights.table?.values.assign(Float32Array.of(1, 2, 3, 4));
    model.refresh();
    const [a, b] = [1 / Math.sqrt(2), 1 / 2];
    const step = ([u, v, i, j]: number[]) => [
      a * (i as number) + b * (j as number),
      a * (j as number),
      a * (u as number),
      b * (u as number) + a * (v as number),
    ];
    const first = step([1, 2, 3, 4]);
    const second = step(first);
    const mean = [1, 2, 3, 4].map((own, at) => (own + (first[at] as number) + (second[at] as number)) / 3);
    expect(model.scores(0)[0]).toBeCloseTo((mean[0] as number) * (mean[2] as number), 5);
    expect(model.scores(1)[1]).toBeCloseTo((mean[1] as number) * (mean[3] as number), 5);
    // A new user: the mean of its items' rows.
    const own = ((mean[2] as number) + (mean[3] as number)) / 2;
    expect(model.scoresOf(Int32Array.of(0, 1))[1]).toBeCloseTo(own * (mean[3] as number), 5);
  });
});

describe('answers', () => {
  test('of sparse models are those of dense ones with the same numbers', () => {
    const gcn = new LightGCN(tiny, new Random(2), { dim: 8, density: 0.3 });
    const vae = new MultVAE(tiny, new Random(2), { hidden: 8, latent: 4, density: 0.3 });
    const pairs = [
      [gcn, twinOf(gcn, new LightGCN(tiny, new Random(2), { dim: 8 }))],
      [vae, twinOf(vae, new MultVAE(tiny, new Random(2), { hidden: 8, latent: 4 }))],
    ] as const;
    for (const [model, twin] of pairs) {
      twin.refresh();
      for (let user = 0; user < 4; user++) {
        const [own, other] = [model.scores(user), twin.scores(user)];
        own.forEach((score, item) => {
          expect(Math.abs(score - (other[item] as number))).toBeLessThan(1e-6);
        });
      }
    }
  });

  test('a node without edges is served as it is, and is no NaN', () => {
    const model = new LightGCN(interactionsOf([[0], []], 3), new Random(1), { dim: 4 });
    expect(model.scores(1).every(Number.isFinite)).toBe(true);
  });

  test('costs: products of stored weights alone', () => {
    const vae = (density: number) =>
      new MultVAE(tiny, new Random(1), { hidden: 20, latent: 5, batch: 2, density }).cost();
    const [dense, sparse] = [vae(1), vae(0.1)];
    // encoder 20·6, posterior 10·20, decoder 20·5, output 6·20
    expect(dense).toEqual({ step: 2 * (2 * 120 + 3 * (200 + 100 + 120)), exploration: 0, inference: 540 });
    expect(sparse).toEqual({ step: dense.step / 10, exploration: 2 * 0.9 * 540, inference: 54 });
    const gcn = new LightGCN(tiny, new Random(1), { dim: 10, density: 0.1, batch: 8 });
    const edges = 2 * 8;
    expect(gcn.cost().step).toBe(2 * (edges + 2 * edges * 10) + 3 * 8 * 10);
    expect(gcn.cost().exploration).toBe(edges * 10 - edges);
  });
});
