import { describe, expect, test } from 'vitest';
import { randomWindows, windowsAt } from '../../src/data/index.js';
import {
  AdaptiveFactor,
  activationLocality,
  adjacentWindows,
  BlockFFN,
  BlockSparsity,
  BlockUsage,
  CHUNK_LENGTHS,
  chunkSparsification,
  decoderConfig,
  decoderOf,
  decoderUsage,
  documentLoss,
  documentSampler,
  nextTokenLoss,
  ReMoEObjective,
  RivalBlocks,
  type RivalRouter,
  reluGates,
  scheduleFor,
  splitDocuments,
  trainLanguageModel,
} from '../../src/lm/index.js';
import { type BlockGates, expertContext, RMSNorm, stateOf, type TrainingState } from '../../src/nn/index.js';
import { full, multiply, ones, Random, reshape, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

const [D, E, W] = [6, 5, 3];

/** The layer in plain f64 loops. */
function layerByLoops(layer: BlockFFN, x: Tensor, epsilon = 1e-5): number[] {
  const { count, width } = layer.sizes;
  const [router, norm, up, down] = [layer.routerProj, layer.routerNorm, layer.upProj, layer.downProj].map(
    ({ weight }) => weight.dataSync(),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const d = layer.features;
  const input = x.dataSync();
  const out: number[] = [];
  for (let t = 0; t < input.length / d; t++) {
    const own = input.subarray(t * d, (t + 1) * d);
    const dot = (matrix: Float32Array, row: number) =>
      own.reduce((sum, value, i) => sum + value * (matrix[row * d + i] as number), 0);
    const a = Array.from({ length: count }, (_, i) => Math.max(0, dot(router, i)));
    const rms = Math.sqrt(a.reduce((sum, value) => sum + value * value, 0) / count + epsilon);
    const y = new Float64Array(d);
    for (let i = 0; i < count; i++) {
      const gate = ((a[i] as number) / rms) * (norm[i] as number);
      for (let j = 0; j < width; j++) {
        const inner = dot(up, i * width + j);
        const hidden = (gate * inner) / (1 + Math.exp(-inner));
        for (let k = 0; k < d; k++)
          y[k] = (y[k] as number) + hidden * (down[k * count * width + i * width + j] as number);
      }
    }
    out.push(...y);
  }
  return out;
}

const layer = (seed = 1) => new BlockFFN(D, { count: E, width: W }, new Random(seed));
const gatesOf = (x: Tensor, of: BlockFFN): BlockGates => {
  let seen: BlockGates | undefined;
  of.forward(x, expertContext({ onGates: (gates) => (seen = gates) }));
  return seen as BlockGates;
};

describe('a layer of blocks', () => {
  test('is that of plain loops, for any leading axes', () => {
    const own = layer();
    own.routerNorm.weight.assign(uniformTensor(3, [E], 0.5, 2));
    const x = uniformTensor(2, [2, 4, D]);
    expectClose(own.forward(x).dataSync(), layerByLoops(own, x), 1e-5);
    expectClose(own.forward(reshape(x, [8, D])).dataSync(), layerByLoops(own, x), 1e-5);
  });

  test('each token has its own number of blocks; one whose logits are all negative has none, and 0', () => {
    const own = layer();
    own.routerProj.weight.assign(uniformTensor(7, [E, D]));
    const x = uniformTensor(5, [40, D]);
    const { gates } = gatesOf(x, own);
    const counts = Array.from({ length: 40 }, (_, t) =>
      gates
        .dataSync()
        .subarray(t * E, (t + 1) * E)
        .reduce((sum, gate) => sum + Number(gate !== 0), 0),
    );
    expect(new Set(counts).size).toBeGreaterThan(2);
    own.routerProj.weight.assign(full([E, D], -1));
    const positive = uniformTensor(6, [3, D], 0.1, 1);
    expect(own.forward(positive).dataSync()).toEqual(new Float32Array(3 * D));
  });

  test('gates do not change with the scale of the logits, and double with w', () => {
    const logits = uniformTensor(8, [6, E], -2, 3);
    const norm = (scale: number) => ({ weight: full([E], scale), epsilon: 1e-12 });
    const { gates } = reluGates(logits, norm(1));
    expectClose(reluGates(multiply(logits, 2), norm(1)).gates.dataSync(), gates.dataSync(), 1e-5);
    expectClose(reluGates(logits, norm(2)).gates.dataSync(), multiply(gates, 2).dataSync(), 1e-6);
    const [scaled, plain] = [3, 1].map((w) =>
      chunkSparsification(reshape(reluGates(logits, norm(w)).normalised, [1, 6, E]), undefined, 3).item(),
    );
    expect(scaled).toBe(plain);
  });

  test('gradients reach router, norm, blocks and input', () => {
    const own = layer(4);
    const x = uniformTensor(9, [3, D]);
    const weights = [own.routerProj.weight, own.routerNorm.weight, own.upProj.weight, own.downProj.weight];
    checkGradient(
      (input, router, norm, up, down) => {
        const [a, b, c, d] = [own.routerProj, own.routerNorm, own.upProj, own.downProj];
        [a.weight, b.weight, c.weight, d.weight] = [router, norm, up, down] as [Tensor, Tensor, Tensor, Tensor];
        return own.forward(input as Tensor);
      },
      [x, ...weights],
      { step: 2e-3, second: false },
    );
  });

  test('sizes that make no layer are refused', () => {
    expect(() => new BlockFFN(4, { count: 0, width: 2 }, new Random(1))).toThrow('0 blocks of width 2');
  });
});

/** BCE of probabilities, in f64. */
const bce = (z: number, y: number) => Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z)));
const logistic = (z: number) => 1 / (1 + Math.exp(-z));

describe('activation locality', () => {
  test('is ln 2 where all logits are 0', () => {
    expect(activationLocality(full([2, 4, E], 0)).item()).toBeCloseTo(Math.LN2, 6);
  });

  test('is the mean over pairs of neighbours and blocks, each window for itself', () => {
    const r = uniform(11, 2 * 3 * 2, -0.02, 0.02);
    let expected = 0;
    for (let b = 0; b < 2; b++)
      for (let t = 1; t < 3; t++)
        for (let i = 0; i < 2; i++) {
          const at = (b * 3 + t) * 2 + i;
          expected += bce(100 * (r[at - 2] as number), logistic(100 * (r[at] as number))) / 8;
        }
    expect(activationLocality(tensor(r, [2, 3, 2])).item()).toBeCloseTo(expected, 5);
    // Two tokens, one block: logits of ±1 agree or not.
    expect(activationLocality(tensor([1, 1], [1, 2, 1])).item()).toBeCloseTo(0, 6);
    expect(activationLocality(tensor([1, -1], [1, 2, 1])).item()).toBeCloseTo(100, 3);
  });

  test('padding has no pairs', () => {
    const r = uniformTensor(12, [1, 4, 2], -0.05, 0.05);
    const first = tensor(r.dataSync().slice(0, 6), [1, 3, 2]);
    const masked = activationLocality(r, [1, 1, 1, 0]).item();
    expect(masked).toBeCloseTo(activationLocality(first).item(), 5);
  });

  test('gradients flow to both neighbours', () => {
    const r = uniformTensor(13, [2, 3, 2], -0.02, 0.02);
    checkGradient((x) => activationLocality(x as Tensor), [r], { step: 5e-4, tolerance: 2e-2, second: false });
    // The last token is a target alone.
    const { gradient } = valueAndGrad((x: Tensor) => activationLocality(x))(r);
    expect(Math.abs(gradient.dataSync()[4] as number)).toBeGreaterThan(1e-3);
  });
});

describe('chunk sparsification', () => {
  const C = 8;

  test('closed forms: uniform tokens, and one block for all', () => {
    const uniformLoss = chunkSparsification(ones([2, 2 * C, 4]), undefined, C).item();
    expect(uniformLoss).toBeCloseTo(1 - (1 - 1 / 4 + 1e-5) ** C, 4);
    const one = tensor(
      Float32Array.from({ length: C * 4 }, (_, i) => Number(i % 4 === 2)),
      [1, C, 4],
    );
    // The block that is used contributes 1, the three others nothing.
    expect(chunkSparsification(one, undefined, C).item()).toBeCloseTo(1 / 4, 3);
  });

  test('is that of plain loops', () => {
    const values = uniform(21, 2 * 2 * C * 3, 0, 2).map((value) => (value > 1 ? value : 0));
    const own = chunkSparsification(tensor(values, [2, 2 * C, 3]), undefined, C).item();
    let unused = 0;
    for (let chunk = 0; chunk < 4; chunk++)
      for (let i = 0; i < 3; i++) {
        let sum = 0;
        for (let t = chunk * C; t < (chunk + 1) * C; t++) {
          const total = [0, 1, 2].reduce((all, j) => all + (values[t * 3 + j] as number), 0);
          sum += Math.log(1 - (values[t * 3 + i] as number) / (total + 1e-5) + 1e-5);
        }
        unused += Math.exp(sum) / 12;
      }
    expect(own).toBeCloseTo(1 - unused, 5);
  });

  test('a chunk half masked is its unmasked half, and chunks of padding alone are left out', () => {
    const values = uniformTensor(22, [1, C, 3], 0, 1);
    const half = tensor(values.dataSync().slice(0, 12), [1, C / 2, 3]);
    const mask = Array.from({ length: C }, (_, t) => Number(t < C / 2));
    const expected = chunkSparsification(half, undefined, C / 2).item();
    expect(Math.abs(chunkSparsification(values, mask, C).item() - expected)).toBeLessThan(1e-3);
    const long = tensor([...values.dataSync(), ...new Float32Array(3 * C)], [1, 2 * C, 3]);
    const padded = chunkSparsification(long, [...mask, ...new Float32Array(C)], C).item();
    expect(Math.abs(padded - expected)).toBeLessThan(1e-3);
  });

  test('gradients pass the norm of the router and the sum over blocks', () => {
    const logits = uniformTensor(23, [C, 4], -1, 2);
    const norm = new RMSNorm(4, { epsilon: 1e-5 });
    checkGradient(
      (r) => chunkSparsification(reshape(reluGates(r as Tensor, norm).normalised, [1, C, 4]), undefined, C / 2),
      [logits],
      { step: 1e-3, tolerance: 2e-2, second: false },
    );
  });

  test('windows that are no chunks are refused', () => {
    expect(() => chunkSparsification(ones([1, 70, 2]))).toThrow('windows of 70 tokens are no chunks of 64');
  });
});

describe('the adaptive factor', () => {
  /** Means of windows of 100: 1 up to update 900, then one each. */
  const replay = (means: readonly number[], cap = 4) => {
    const factor = new AdaptiveFactor({ cap });
    const values: number[] = [Number.NaN];
    for (let update = 1; update <= 1000 + 100 * means.length; update++) {
      values.push(factor.value);
      factor.update(update <= 900 ? 1 : (means[Math.ceil((update - 1000) / 100)] as number));
    }
    return values;
  };

  test('is κ₀ for 1000 updates, then moves to the ratio of means', () => {
    const values = replay([0.8, 0.9, 0.9]);
    expect(values[999]).toBe(0.05);
    expect(values[1000]).toBe(0.05);
    // ρ = 0.8: the factor falls.
    expect(values[1050]).toBeCloseTo(0.05 * 0.9, 9);
    expect(values[1100]).toBeCloseTo(0.04, 9);
    // ρ = 0.9/0.8: it grows by that; then ρ = 1 leaves it.
    expect(values[1200]).toBeCloseTo((0.04 * 0.9) / 0.8, 9);
    expect(values[1300]).toBeCloseTo((0.04 * 0.9) / 0.8, 9);
  });

  test('waits for its start, whatever the losses are until then', () => {
    const factor = new AdaptiveFactor({ start: 6, window: 2, initial: 1 });
    for (const loss of [1, 1, 3, 3, 9]) {
      factor.update(loss);
      expect(factor.value).toBe(1);
    }
    factor.update(9);
    expect(factor.value).toBeCloseTo(1 + (3 - 1) / 2, 9);
  });

  test('growth is at least 2.5 %, and κ at most four times κ₀', () => {
    expect(replay([1.01, 1.01])[1100]).toBeCloseTo(0.05 * 1.025, 9);
    expect(replay([2, 6, 6])[1200]).toBeCloseTo(0.2, 9);
  });

  test('goes on from its state', () => {
    const options = { start: 4, window: 2, initial: 1 };
    const losses = [1, 2, 4, 3, 5, 1, 2, 7, 8, 8];
    const whole = new AdaptiveFactor(options);
    const [first, second] = [new AdaptiveFactor(options), new AdaptiveFactor(options)];
    for (const loss of losses) whole.update(loss);
    for (const loss of losses.slice(0, 5)) first.update(loss);
    second.restore(first.state());
    for (const loss of losses.slice(5)) second.update(loss);
    expect(second.state()).toEqual(whole.state());
    expect(second.value).toBe(whole.value);
  });
});

describe('counters', () => {
  const gates = uniform(31, 150 * E).map((value) => (value > 0.6 ? value : 0));

  test('TLS and CLS are brute-force counts, and CLS falls with the length', () => {
    const usage = new BlockUsage(1, E);
    usage.add(0, gates.slice(0, 90 * E));
    usage.add(0, gates.slice(90 * E));
    const documents = [gates.slice(0, 90 * E), gates.slice(90 * E)];
    for (const length of CHUNK_LENGTHS) {
      let [unused, all] = [0, 0];
      for (const document of documents)
        for (let start = 0; start + length <= document.length / E; start += length)
          for (let i = 0; i < E; i++) {
            const chunk = Array.from({ length }, (_, t) => document[(start + t) * E + i]);
            unused += Number(chunk.every((gate) => gate === 0));
            all += 1;
          }
      expect(usage.cls(length)).toBe(unused / all);
    }
    expect(usage.tls).toBe(gates.filter((gate) => gate === 0).length / gates.length);
    const each = CHUNK_LENGTHS.map((length) => usage.cls(length));
    expect(each).toEqual([...each].sort((a, b) => b - a));
  });

  test('chunks do not cross documents', () => {
    const usage = new BlockUsage(1, 1);
    for (const document of [[1], [0, 0, 1]]) usage.add(0, document);
    // (0, 0) is the only chunk of two; across the border (1, 0) would be one.
    expect([usage.tls, usage.cls(2)]).toEqual([0.5, 1]);
  });

  test('means over layers, blocks that are never used, and frequencies', () => {
    const usage = new BlockUsage(2, 2);
    usage.add(0, [1, 0, 1, 0]);
    usage.add(1, [0, 1, 1, 1]);
    expect(usage.tls).toBe((0.5 + 0.25) / 2);
    expect(usage.frequencies.map((layer) => [...layer])).toEqual([
      [1, 0],
      [0.5, 1],
    ]);
    expect([usage.dead, usage.selective]).toEqual([1, 0.25]);
    expect(() => usage.add(0, [1, 2, 3])).toThrow('3 gates are no rows of 2');
  });
});

const config = decoderConfig({
  ...{ vocabulary: 11, features: 16, layers: 2, heads: 2, hidden: 4, context: 64, blocks: { count: 8 } },
});
const tokens = Int32Array.from({ length: 3000 }, (_, i) => ((i >> 1) * (i >> 1)) % 11);

describe('training', () => {
  const sizes = { steps: 40, batch: 4, length: 16, reportEvery: 10, learningRate: 1e-2 };

  test('the objective is the sum of its terms, means over layers', () => {
    const model = decoderOf(config, new Random(1));
    // Scales of gates, of which the losses know nothing.
    stateOf(model)['model.layers.0.mlp.routerNorm.weight']?.assign(uniformTensor(1, [8], 0.2, 4));
    const gates: BlockGates[] = [];
    const batch = windowsAt(tokens, [0, 50], 16);
    nextTokenLoss(model, batch, expertContext({ onGates: (one) => gates.push(one) }));
    expect(gates.map(({ logits }) => logits.shape)).toEqual([
      [2, 16, 8],
      [2, 16, 8],
    ]);
    const sparsity = new BlockSparsity({ locality: 0.3, chunkSparsity: 0.7, chunk: 8 });
    const mean = (loss: (one: BlockGates) => Tensor) => gates.reduce((sum, one) => sum + loss(one).item() / 2, 0);
    const expected =
      0.3 * mean(({ logits }) => activationLocality(logits)) +
      0.7 * mean(({ normalised }) => chunkSparsification(normalised, undefined, 8));
    expect(sparsity.terms(gates, batch).item()).toBeCloseTo(expected, 4);
    // κ is that of the factor, not κ₀.
    const adaptive = new BlockSparsity({
      locality: 0,
      chunkSparsity: 0.7,
      chunk: 8,
      schedule: { start: 1, window: 1 },
    });
    const first = adaptive.terms(gates, batch).item();
    for (const loss of [1, 2]) adaptive.factor.update(loss);
    expect(adaptive.kappa).toBeCloseTo(1.4, 9);
    expect(adaptive.terms(gates, batch).item()).toBeCloseTo(2 * first, 5);
    // Windows of 16 are padded to one chunk of 64, whose padding uses nothing.
    const padded = new BlockSparsity({ locality: 0, chunkSparsity: 1 }).terms(gates, batch).item();
    expect(padded).toBeCloseTo(
      mean(({ normalised }) => chunkSparsification(normalised, undefined, 16)),
      2,
    );
    expect(() => sparsity.terms([], batch)).toThrow('no layer of blocks');
  });

  test('lowers the loss and makes the blocks sparser than without the objective', async () => {
    const run = async (objective?: BlockSparsity) => {
      const model = decoderOf(config, new Random(2));
      const { history } = await trainLanguageModel(model, { train: tokens }, new Random(3), { ...sizes, objective });
      return { usage: decoderUsage(model, [tokens], { length: 16 }), history };
    };
    const schedule = { start: 10, window: 5 };
    const [plain, sparse] = [
      await run(),
      await run(new BlockSparsity({ locality: 1e-3, chunkSparsity: 1, chunk: 16, schedule })),
    ];
    expect(plain.history.at(-1)?.loss).toBeLessThan((plain.history[0]?.loss as number) - 0.3);
    expect(sparse.usage?.tls).toBeGreaterThan((plain.usage?.tls as number) + 0.1);
    expect(sparse.usage?.cls(8)).toBeGreaterThan((plain.usage?.cls(8) as number) + 0.1);
  });

  test('resumed training goes on exactly, κ and all', async () => {
    const train = async (steps: number, kept?: TrainingState) => {
      const model = decoderOf(config, new Random(2));
      const objective = new BlockSparsity({ chunkSparsity: 0.5, chunk: 16, schedule: { start: 4, window: 4 } });
      let state: TrainingState | undefined;
      const copies = ({ weights, optimizer, ...rest }: TrainingState): TrainingState => {
        const copied = (all: Readonly<Record<string, Tensor>>) =>
          Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values.clone()]));
        const own = { step: optimizer.step, tensors: copied(optimizer.tensors) };
        return { ...rest, weights: copied(weights), optimizer: own };
      };
      await trainLanguageModel(model, { train: tokens }, new Random(3), {
        ...{ ...sizes, steps, objective, reportEvery: 5 },
        checkpoint: { load: () => kept, save: (one) => (state ??= one.epoch === 2 ? copies(one) : undefined) },
      });
      return { kappa: objective.kappa, state, weights: stateOf(model) };
    };
    const whole = await train(20);
    const resumed = await train(20, whole.state);
    expect(resumed.kappa).toBe(whole.kappa);
    expect(whole.kappa).not.toBe(0.5);
    for (const [name, values] of Object.entries(whole.weights))
      expect(resumed.weights[name]?.dataSync()).toEqual(values.dataSync());
  });

  test('windows may be padded: the loss is that of the tokens', () => {
    const model = decoderOf(config, new Random(1));
    const whole = windowsAt(tokens, [5], 8);
    const [inputs, targets] = [whole.inputs.dataSync<Int32Array>(), whole.targets.dataSync<Int32Array>()];
    const padded = {
      inputs: tensor(Int32Array.from([...inputs, 0, 0]), [1, 10]),
      targets: tensor(Int32Array.from([...targets, -100, -100])),
      mask: Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0),
    };
    expect(nextTokenLoss(model, padded).item()).toBeCloseTo(nextTokenLoss(model, whole).item(), 5);
  });
});

describe('rivals on the same blocks', () => {
  const rival = (router: RivalRouter) => new RivalBlocks(D, { count: E, width: W }, router, new Random(5));
  const counted = (router: RivalRouter) => {
    const context = expertContext({ onGates: ({ gates }) => seen.push(gates) });
    const seen: Tensor[] = [];
    const y = rival(router).forward(uniformTensor(41, [7, D], -3, 3), context);
    return { gates: seen[0] as Tensor, losses: context.losses, y };
  };

  test('top-k has k blocks a token with gates of sum 1; shared blocks are on with gate 1', () => {
    const { gates, losses, y } = counted({ kind: 'top', k: 2 });
    const shared = counted({ kind: 'top', k: 3, shared: 2 });
    expect([y.shape, losses.length, shared.losses.length]).toEqual([[7, D], 1, 1]);
    for (let t = 0; t < 7; t++) {
      const row = gates.dataSync().subarray(t * E, (t + 1) * E);
      expect(row.filter((gate) => gate !== 0)).toHaveLength(2);
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      const other = shared.gates.dataSync().subarray(t * E, (t + 1) * E);
      expect([...other.subarray(0, 2)]).toEqual([1, 1]);
      expect(other.subarray(2).filter((gate) => gate !== 0)).toHaveLength(1);
    }
  });

  test('ReMoE: its loss by loops, and λ that steers to k blocks', () => {
    const { gates } = counted({ kind: 'relu' });
    const values = gates.dataSync();
    let expected = 0;
    for (let i = 0; i < E; i++) {
      const column = Array.from({ length: 7 }, (_, t) => values[t * E + i] as number);
      expected += column.reduce((a, b) => a + b) * column.filter((gate) => gate > 0).length;
    }
    const objective = new ReMoEObjective({ k: 1, initial: 0.1, growth: 1.5 });
    const batch = randomWindows(tokens, 1, 7, new Random(1));
    const record = { logits: gates, normalised: gates, gates };
    const once = (0.1 * E * expected) / (49 * 1);
    expect(objective.terms([record, record], batch).item()).toBeCloseTo(once, 6);
    objective.advance();
    expect(objective.lambda).toBeCloseTo(0.15, 9);
    const other = new ReMoEObjective({ k: E, initial: 0.1 });
    other.restore(Float64Array.of(0.2));
    other.terms([record], batch);
    other.advance();
    expect(other.lambda).toBeCloseTo(0.2 / 1.05, 9);
    expect([...other.state()]).toEqual([other.lambda]);
  });
});

describe('documents', () => {
  const documents = [4, 9, 1, 30].map((length, d) => Int32Array.from({ length }, (_, i) => 100 * d + i));

  test('windows stay inside one document; behind its end is padding', () => {
    const sample = documentSampler(documents, 6, 8);
    const starts = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { inputs, targets, mask } = sample(new Random(seed));
      const [ids, next, kept] = [inputs.dataSync<Int32Array>(), targets.dataSync<Int32Array>(), mask as Float32Array];
      for (let w = 0; w < 6; w++) {
        const document = documents[Math.floor((ids[8 * w] as number) / 100)] as Int32Array;
        const start = (ids[8 * w] as number) % 100;
        starts.add(ids[8 * w] as number);
        for (let t = 0; t < 8; t++) {
          const own = document[start + t];
          expect(kept[8 * w + t]).toBe(own === undefined ? 0 : 1);
          expect(ids[8 * w + t]).toBe(own ?? 0);
          expect(next[8 * w + t]).toBe(document[start + t + 1] ?? -100);
        }
      }
    }
    // All starts of whole windows, and of documents that are shorter.
    expect([...starts].sort((a, b) => a - b)).toEqual([0, 100, ...Array.from({ length: 22 }, (_, i) => 300 + i)]);
    expect(() => documentSampler([new Int32Array(1)], 2, 8)).toThrow('no document has two tokens');
  });

  test('the last tokens validate, and a document at the cut is cut', () => {
    const { train, validation } = splitDocuments(documents, 0.25);
    expect(train.map(({ length }) => length)).toEqual([4, 9, 1, 19]);
    expect(validation.map((document) => [...document])).toEqual([Array.from({ length: 11 }, (_, i) => 319 + i)]);
  });

  test('the loss is a mean over tokens, whatever the windows are', () => {
    const model = decoderOf(config, new Random(1));
    const texts = [tokens.slice(0, 20), tokens.slice(40, 45)];
    const each = texts.map((text) => nextTokenLoss(model, windowsAt(text, [0], text.length - 1)).item());
    const expected = (19 * (each[0] as number) + 4 * (each[1] as number)) / 23;
    expect(documentLoss(model, texts, { length: 32 })).toBeCloseTo(expected, 5);
    expect(adjacentWindows(texts, 8).map(({ start }) => start)).toEqual([0, 8, 16, 0]);
    // Padding counts in neither TLS nor CLS.
    const usage = decoderUsage(model, texts, { length: 32 });
    const alone = texts.map((text) => decoderUsage(model, [text], { length: text.length }));
    const tls = (20 * (alone[0]?.tls as number) + 5 * (alone[1]?.tls as number)) / 25;
    expect(usage?.tls).toBeCloseTo(tls, 6);
    expect(usage?.cls(8)).toBeCloseTo(alone[0]?.cls(8) as number, 6);
  });

  test('the schedule of few steps is shortened', () => {
    expect(scheduleFor(600)).toEqual({ start: 150, window: 50 });
    expect(scheduleFor(20_000)).toEqual({ start: 1000, window: 100 });
  });
});
