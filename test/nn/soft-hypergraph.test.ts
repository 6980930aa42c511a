import { describe, expect, test } from 'vitest';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import {
  Adam,
  fit,
  hyperedgeUsage,
  inference,
  meanSquaredError,
  parameterCount,
  parameters,
  SoftHGNN,
  type SoftHGNNOptions,
  stateOf,
  suggestedHyperedges,
  training,
  withWeights,
} from '../../src/nn/index.js';
import { selectionBalance } from '../../src/nn/selection-balance.js';
import {
  concatenate,
  grad,
  matmul,
  multiply,
  permute,
  Random,
  reshape,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  topK,
  where,
  zeros,
} from '../../src/tensor/index.js';
import { compile, cost, loadPlan, savePlan } from '../../src/trace/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';
import { imagesOf, naiveSoftHGNN } from './soft-hypergraph.js';

const D = 8;
const heads = 2;
const x = uniformTensor(1, [3, 7, D], -2, 2);

function layer(options: SoftHGNNOptions = {}, seed = 3): SoftHGNN {
  return new SoftHGNN(D, new Random(seed), { hyperedges: 5, heads, dropout: 0, ...options });
}

const sparse: SoftHGNNOptions = { hyperedges: 2, selection: { dynamic: 6, k: 3 } };
const variants: Readonly<Record<string, SoftHGNNOptions>> = {
  dense: {},
  static: { dynamic: false },
  'of low rank': { rank: 3 },
  'without gate': { gate: false },
  sparse,
  'sparse without fixed hyperedges': { ...sparse, hyperedges: 0 },
  'sparse with gate': { ...sparse, gate: true },
};

describe.each(Object.entries(variants))('a %s layer', (_, options) => {
  const own = layer(options);
  if (own.gate) own.gate.assign(tensor([0.7]));
  const naive = imagesOf(x).map((image) => naiveSoftHGNN(own, heads, image));

  test('equals the equations, looped over images, tokens, hyperedges and heads', () => {
    expectClose(
      own.forward(x, inference).view(),
      naive.flatMap(({ y }) => y.flat()),
      1e-5,
    );
  });

  test('gives the participation of each token, whose columns sum to 1', () => {
    const { weights, hyperedges } = own.participation(x);
    expect([...hyperedges.view()]).toEqual(naive.flatMap((image) => image.hyperedges));
    const tokensFirst = permute(weights, [0, 2, 1]);
    expectClose(
      tokensFirst.view(),
      naive.flatMap(({ participation }) => participation.flat()),
      1e-5,
    );
    expectClose(sum(weights, 2).view(), new Float32Array(hyperedges.size).fill(1), 1e-6);
    expect([...weights.view()].every((weight) => weight > 0 && weight < 1)).toBe(true);
    const rows = sum(weights, 1).view();
    expect(Math.max(...rows.map((row) => Math.abs(row - 1)))).toBeGreaterThan(0.05);
  });

  test('permutes with its tokens', () => {
    const order = [4, 0, 6, 2, 1, 5, 3];
    const moved = (y: Tensor) =>
      concatenate(
        order.map((n) => slice(y, null, [n, n + 1])),
        1,
      );
    expectClose(own.forward(moved(x), inference).view(), moved(own.forward(x, inference)).view(), 1e-5);
  });

  test('reads maps as tokens, wherever the channels lie', () => {
    const map = reshape(permute(slice(x, null, [0, 6]), [0, 2, 1]), [3, D, 2, 3]);
    const y = own.forward(map, inference);
    expect(y.shape).toEqual([3, D, 2, 3]);
    const tokens = own.forward(slice(x, null, [0, 6]), inference);
    expectClose(y.view(), permute(tokens, [0, 2, 1]).view(), 1e-6);
    expect(own.participation(map).weights.shape.slice(2)).toEqual([2, 3]);
  });

  test('ignores padding', () => {
    const padded = concatenate([x, uniformTensor(5, [3, 4, D], 5, 9)], 1);
    const mask = concatenate([zeros([3, 7]).add(1), zeros([3, 4])], 1);
    const y = slice(own.forward(padded, inference, { mask }), null, [0, 7]);
    expectClose(y.view(), own.forward(x, inference).view(), 1e-5);
    const weights = own.participation(padded, { mask }).weights;
    expect(Math.max(...slice(weights, null, null, [7, 11]).view())).toBe(0);
  });

  test('has the gradient that finite differences give, in inputs and in weights', () => {
    const input = slice(x, [0, 2], [0, 4]);
    // Few tokens far apart: neither the largest of a channel nor the choice changes within a step.
    checkGradient((value) => own.forward(value, inference), [input], { step: 2e-3, tolerance: 1e-2, second: false });
    const names = Object.keys(parameters(own)).filter((name) => !name.startsWith('context'));
    const check = (chosen: readonly string[]) =>
      checkGradient(
        (...values) =>
          withWeights(own, Object.fromEntries(chosen.map((name, i) => [name, values[i] as Tensor])), (live) =>
            live.forward(input, inference),
          ),
        chosen.map((name) => parameters(own)[name] as Tensor),
        { step: 2e-3, tolerance: 1e-2, second: false },
      );
    check(names.filter((name) => /prototypes|gate|bias/.test(name)));
    check(['edge.weight', 'vertex.weight', 'project.weight']);
    if (own.context.length > 0) check([`context.0.weight`]);
  });
});

test('heads change the temperature alone: one product with scale 1/(h·√(D/h))', () => {
  const [two, four] = [layer({ heads: 2 }), layer({ heads: 4 })];
  for (const [own, count] of [
    [two, 2],
    [four, 4],
  ] as const) {
    const naive = imagesOf(x).map((image) => naiveSoftHGNN(own, count, image));
    const state = stateOf(own);
    const Z = own.project.forward(x);
    const first = naive[0];
    expect(first).toBeDefined();
    // P = P₀ when the context is 0.
    for (const weight of [state['context.0.weight'], state['context.0.bias']]) weight?.assign(zeros(weight.shape));
    const s = multiply(matmul(Z, own.prototypes, { transposeB: true }), 1 / (count * Math.sqrt(D / count)));
    expectClose(own.participation(x).weights.view(), permute(softmax(s, 1), [0, 2, 1]).view(), 1e-5);
  }
});

test('without context and with equal prototypes all hyperedges are the same', () => {
  const own = layer({ dynamic: true });
  const state = stateOf(own);
  for (const name of ['context.0.weight', 'context.0.bias']) state[name]?.assign(zeros(state[name].shape));
  own.prototypes.assign(uniformTensor(4, [1, D]).add(zeros([5, D])));
  const { weights } = own.participation(x);
  for (let m = 1; m < 5; m++)
    expect([...slice(weights, null, [m, m + 1]).dataSync()]).toEqual([...slice(weights, null, [0, 1]).dataSync()]);
});

describe('prototypes follow what is in the image', () => {
  test('by the mean and by the largest of each channel', () => {
    // Two images of equal mean and other maxima, and the reverse: only one half of the context differs.
    const own = layer();
    const tokens = imagesOf(x)[0] as readonly (readonly number[])[];
    const stretched = tokens.map((row, n) => row.map((v) => (n === 0 ? v + 3 : n === 1 ? v - 3 : v)));
    const both = tensor([tokens.flat(), stretched.flat()].flat(), [2, 7, D]);
    const rest = own.participation(both).weights.view();
    // Token 5 is alike in both images; static prototypes give it the same ratio to token 6.
    const ratio = (image: number, m: number) =>
      (rest[(image * 5 + m) * 7 + 5] as number) / (rest[(image * 5 + m) * 7 + 6] as number);
    expect(Math.abs(ratio(0, 0) / ratio(1, 0) - 1)).toBeGreaterThan(1e-3);
    const fixed = layer({ dynamic: false });
    const same = fixed.participation(both).weights.view();
    const fixedRatio = (image: number, m: number) =>
      (same[(image * 5 + m) * 7 + 5] as number) / (same[(image * 5 + m) * 7 + 6] as number);
    expect(fixedRatio(0, 0) / fixedRatio(1, 0)).toBeCloseTo(1, 4);
  });
});

describe('normalisation over hyperedges', () => {
  test('gives each token a distribution over them, padding none', () => {
    const own = layer({ normalize: 'hyperedges' });
    const { weights } = own.participation(x);
    const expected = imagesOf(x).flatMap((image) =>
      naiveSoftHGNN(own, heads, image).similarities.flatMap((row) => {
        const total = row.reduce((all, s) => all + Math.exp(s), 0);
        return row.map((s) => Math.exp(s) / total);
      }),
    );
    expectClose(permute(weights, [0, 2, 1]).view(), expected, 1e-5);
    expectClose(sum(weights, 1).view(), new Float32Array(21).fill(1), 1e-6);
    const mask = tensor([1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0], [3, 7]);
    const shares = sum(own.participation(x, { mask }).weights, 1).view();
    expectClose(shares, mask.view(), 1e-6);
  });
});

describe('dropout', () => {
  test('falls on similarities, so that a dropped one is 0', () => {
    const own = layer({ dropout: 0.5, gate: false });
    const mode = training(new Random(5));
    const y = own.forward(x, mode);
    expect([...y.view()]).not.toEqual([...own.forward(x, inference).view()]);
    // −∞ would take tokens out: with every similarity dropped all tokens take part alike.
    const all = layer({ dropout: 0.999999, gate: false });
    const uniform = layer({ gate: false });
    for (const weight of Object.values(stateOf(uniform.project))) weight.assign(zeros(weight.shape));
    const rest = { edge: all.edge, vertex: all.vertex };
    for (const [name, { weight, bias }] of Object.entries(rest)) {
      const target = uniform[name as 'edge' | 'vertex'];
      target.weight.assign(weight);
      target.bias?.assign(bias as Tensor);
    }
    expectClose(all.forward(x, training(new Random(1))).view(), uniform.forward(x, inference).view(), 1e-5);
  });
});

describe('sparse selection', () => {
  const own = layer(sparse);

  test('with all dynamic hyperedges is the dense layer without gate', () => {
    const whole = layer({ hyperedges: 2, selection: { dynamic: 6, k: 6 } });
    const dense = layer({ hyperedges: 8, gate: false });
    for (const [name, weight] of Object.entries(stateOf(whole))) stateOf(dense)[name]?.assign(weight);
    expectClose(whole.forward(x, inference).view(), dense.forward(x, inference).view(), 1e-5);
  });

  /** The released form: every column is computed, and those that are not chosen masked after it. */
  function masked(live: SoftHGNN, input: Tensor): Tensor {
    const dense = layer({ hyperedges: 8, gate: false });
    const names = Object.keys(parameters(dense));
    return withWeights(
      dense,
      Object.fromEntries(names.map((name) => [name, parameters(live)[name] as Tensor])),
      (all) => {
        const { hyperedges } = own.participation(input);
        const used = new Float32Array(input.shape[0] as number).fill(0);
        const q = new Float32Array(used.length * 8);
        hyperedges.view<Int32Array>().forEach((m, at) => {
          q[Math.floor(at / 5) * 8 + m] = 1;
        });
        const A = multiply(all.participation(input).weights, tensor(q, [used.length, 8, 1]));
        const E = all.edge.forward(matmul(A, input)).gelu();
        return input.add(all.vertex.forward(matmul(A, E, { transposeA: true })).gelu());
      },
    );
  }

  test('equals masking after the softmax, forward and in the gradient of every weight', () => {
    expectClose(own.forward(x, inference).view(), masked(own, x).view(), 1e-5);
    const probe = uniformTensor(9, x.shape);
    const gradientOf = (fn: (live: SoftHGNN) => Tensor) =>
      grad((weights: Record<string, Tensor>) => withWeights(own, weights, (live) => sum(multiply(fn(live), probe))))(
        parameters(own),
      );
    const [gathered, released] = [
      gradientOf((live) => live.forward(x, inference)),
      gradientOf((live) => masked(live, x)),
    ];
    for (const name of Object.keys(parameters(own)))
      expectClose(gathered[name]?.view() as Float32Array, released[name]?.view() as Float32Array, 1e-4);
  });

  test('each image of a batch has its own choice, as alone', () => {
    const { hyperedges } = own.participation(x);
    const choices = [0, 1, 2].map((b) => [...slice(hyperedges, [b, b + 1]).dataSync()].slice(2).sort().join());
    expect(new Set(choices).size).toBeGreaterThan(1);
    const alone = [0, 1, 2].flatMap((b) => [...own.participation(slice(x, [b, b + 1])).hyperedges.dataSync()]);
    expect([...hyperedges.view()]).toEqual(alone);
  });

  test('of equal scores the lowest number is chosen', () => {
    const tied = layer({ ...sparse, dynamic: false });
    tied.prototypes.assign(uniformTensor(4, [1, D]).add(zeros([8, D])));
    expect([...tied.participation(slice(x, [0, 1])).hyperedges.view()]).toEqual([0, 1, 2, 3, 4]);
  });

  test('computes columns for the chosen hyperedges alone', () => {
    const tokens = zeros([1, 512, 32]);
    const multiplyAdds = (options: SoftHGNNOptions) => {
      const made = new SoftHGNN(32, new Random(0), options);
      return cost((input) => made.forward(input, inference), [tokens], parameters(made)).multiplyAdds;
    };
    const dense = multiplyAdds({ hyperedges: 128 });
    const chosen = multiplyAdds({ hyperedges: 0, selection: { dynamic: 128, k: 8 } });
    const few = multiplyAdds({ hyperedges: 8 });
    // The context, 2D·M·D, is computed for all; the rest for eight.
    const context = 2 * 32 * 128 * 32;
    expect(chosen - context).toBeLessThan(1.1 * (few - 2 * 32 * 8 * 32));
    expect(dense - context).toBeGreaterThan(10 * (chosen - context));
  });

  test('runs in a plan, for one image and for several, and for one from its file', () => {
    for (const batch of [1, 3]) {
      const input = slice(x, [0, batch]);
      const plan = compile((tokens) => own.forward(tokens, inference), [zeros(input.shape)]);
      const expected = own.forward(input, inference).view();
      expectClose((plan.run(input)[0] as Tensor).view(), expected, 1e-5);
      if (batch === 1) expectClose((loadPlan(savePlan(plan)).run(input)[0] as Tensor).view(), expected, 1e-5);
    }
  });
});

describe('the load-balancing term', () => {
  const options = { k: 2, balance: 1, gradient: 'straight-through' } as const;
  const term = (scores: Tensor, changes: Partial<Parameters<typeof selectionBalance>[2]> = {}) => {
    const all = { ...options, ...changes };
    return selectionBalance(scores, topK(scores, all.k)[1], all);
  };

  test('is the squared distance of the shares of use from k/M, 0 for all of them', () => {
    const scores = tensor(
      [
        [3, 2, 1, 0],
        [3, 0, 2, 1],
      ].flat(),
      [2, 4],
    );
    // Shares of use 1, ½, ½, 0.
    expect(term(scores).item()).toBeCloseTo((0.25 + 0 + 0 + 0.25) / 4, 6);
    expect(term(scores, { balance: 3 }).item()).toBeCloseTo(0.375, 6);
    expect(term(scores, { k: 4 }).item()).toBe(0);
  });

  test('its gradient lowers the score of an over-used hyperedge and raises that of an unused one', () => {
    const scores = tensor(
      [
        [3, 2, 1, 0],
        [3, 0, 2, 1],
        [4, 1, 2, 0],
      ].flat(),
      [3, 4],
    );
    const gradient = grad((u: Tensor) => term(u))(scores).dataSync();
    for (let b = 0; b < 3; b++) {
      expect(gradient[4 * b] as number).toBeGreaterThan(0);
      expect(gradient[4 * b + 3] as number).toBeLessThan(0);
    }
    expect([...grad((u: Tensor) => term(u, { gradient: 'none' }))(scores).dataSync()]).toEqual(new Array(12).fill(0));
  });

  test('its gradient is that of k·softmax(u/τ), τ the deviation of the scores', () => {
    const values = [
      [3, 2, 1, 0],
      [3, 0, 2, 1],
    ];
    const used = [1, 0.5, 0.5, 0];
    const tau = values.map((row) => {
      const m = row.reduce((a, b) => a + b) / 4;
      return Math.sqrt(row.reduce((a, b) => a + (b - m) ** 2, 0) / 4) + 1e-6;
    });
    // d/du of Σₘ (2/M)(pₘ − k/M)·p̂ₘ, with the first factors and τ held.
    const soft = (rows: readonly (readonly number[])[]) =>
      [0, 1, 2, 3].reduce((all, m) => {
        const share = rows.reduce((sumOf, row, b) => {
          const e = row.map((u) => Math.exp(u / (tau[b] as number)));
          return sumOf + (2 * (e[m] as number)) / e.reduce((a, c) => a + c) / 2;
        }, 0);
        return all + (2 / 4) * ((used[m] as number) - 0.5) * share;
      }, 0);
    const numeric = values.flatMap((row, b) =>
      row.map((_, m) => {
        const shifted = (by: number) => values.map((own, i) => own.map((u, j) => (i === b && j === m ? u + by : u)));
        return (soft(shifted(1e-4)) - soft(shifted(-1e-4))) / 2e-4;
      }),
    );
    expectClose(grad((u: Tensor) => term(u))(tensor(values.flat(), [2, 4])).dataSync(), numeric, 1e-4);
  });

  test('training adds it to the loss, so that unused hyperedges come into use', async () => {
    const images = uniformTensor(8, [40, 6, D], -1, 1);
    const usage = async (balance: number, gradient: 'straight-through' | 'none' = 'straight-through') => {
      const model = layer({ hyperedges: 0, selection: { dynamic: 12, k: 2, balance, gradient } });
      // Two hyperedges whose scores are far above all others.
      model.prototypes.assign(
        where(tensor([1, 1, ...new Array(10).fill(0)], [12, 1]), zeros([12, D]).add(1.5), model.prototypes),
      );
      model.project.bias?.assign(zeros([D]).add(1));
      const losses: number[] = [];
      await fit({
        model,
        epochs: 60,
        random: new Random(2),
        optimizer: new Adam({ learningRate: 1e-2 }),
        loss: (live, _batch, mode) => meanSquaredError(live.forward(images, mode), images),
        onLoss: (_, loss) => losses.push(loss),
      });
      const { hyperedges } = model.participation(images);
      return { ...hyperedgeUsage(hyperedges.dataSync<Int32Array>(), 0, 12), losses, state: stateOf(model) };
    };
    const [without, released, balanced] = [await usage(0), await usage(30, 'none'), await usage(30)];
    expect(without.dead).toBeGreaterThan(6);
    expect(balanced.dead).toBeLessThan(without.dead - 3);
    expect(balanced.entropy).toBeGreaterThan(without.entropy + 0.3);
    // The constant term of the release is in the loss, and changes nothing.
    expect(released.losses[0] as number).toBeGreaterThan((without.losses[0] as number) + 0.1);
    for (const [name, weight] of Object.entries(released.state))
      expectClose(weight.view(), without.state[name]?.view() as Float32Array, 1e-5);
  });

  test('the entropy of usage is ln M when all are used alike', () => {
    expect(hyperedgeUsage([3, 4, 5, 6, 0, 1], 3, 4)).toEqual({ entropy: expect.closeTo(Math.log(4), 12), dead: 0 });
    expect(hyperedgeUsage([3, 3, 3, 4], 3, 4)).toEqual({
      entropy: expect.closeTo(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25), 12),
      dead: 2,
    });
  });
});

test('the weights are 2D·M·D + M·D for the hyperedges and three D×D layers', () => {
  const count = (options: SoftHGNNOptions) => parameterCount(new SoftHGNN(64, new Random(0), options));
  const linear = 3 * (64 * 64 + 64);
  expect(count({ hyperedges: 16 })).toBe(2 * 64 * 16 * 64 + 16 * 64 + 16 * 64 + linear + 1);
  expect(count({ hyperedges: 16, dynamic: false, gate: false })).toBe(16 * 64 + linear);
  expect(count({ hyperedges: 16, rank: 4 })).toBe(128 * 4 + 4 + 4 * 16 * 64 + 16 * 64 + 16 * 64 + linear + 1);
  expect(new SoftHGNN(64, new Random(0), { rank: 4 }).contextWeights).toBe(128 * 4 + 4 * 16 * 64);
});

test('memory of a pass grows with the tokens, not with their pairs', async () => {
  const own = new SoftHGNN(16, new Random(0), { hyperedges: 8 });
  const extra = async (tokens: number) => {
    const input = uniformTensor(1, [1, tokens, 16]);
    const before = memoryUse().bytes;
    const { peakBytes } = await withOwnPeak(() => void own.forward(input, inference).view());
    return peakBytes - before;
  };
  const [small, large] = [await extra(1024), await extra(4096)];
  expect(large / small).toBeLessThan(5);
  expect(large).toBeLessThan(4096 * 4096 * 4 * 0.2);
});

describe('what is asked of it wrongly', () => {
  test.each<[SoftHGNNOptions, string]>([
    [{ heads: 3 }, 'SoftHGNN: 8 features do not divide among 3 heads'],
    [{ heads: 0 }, '8 features do not divide among 0 heads'],
    [{ hyperedges: 0 }, 'hyperedges must be a positive integer, or 0 beside dynamic ones, got 0'],
    [{ selection: { dynamic: 4, k: 5 } }, 'cannot choose 5 of 4 dynamic hyperedges'],
    [{ selection: { dynamic: 4, k: 0 } }, 'cannot choose 0 of 4'],
    [{ selection: { balance: -1 } }, 'the weight of the load balance must be ≥ 0, got -1'],
    [{ rank: 0 }, 'the rank must be a positive integer, got 0'],
    [{ normalize: 'rows' as 'tokens' }, 'normalize'],
  ])('%o: %s', (options, message) => {
    expect(() => layer(options)).toThrow(message);
  });

  test('other shapes', () => {
    const own = layer();
    expect(() => own.forward(zeros([2, 3]), inference)).toThrow(
      'expected tokens [B, N, 8] or a map [B, 8, H, W], got [2, 3]',
    );
    expect(() => own.forward(zeros([2, 3, 4]), inference)).toThrow('got [2, 3, 4]');
    expect(() => own.forward(zeros([2, 0, 8]), inference)).toThrow('got [2, 0, 8]');
    expect(() => own.forward(x, inference, { mask: zeros([3, 6]) })).toThrow('expected a mask [3, 7], got [3, 6]');
    const none = concatenate([zeros([2, 7]).add(1), zeros([1, 7])], 0);
    expect(() => own.forward(x, inference, { mask: none })).toThrow('the mask leaves no token of image 2');
    expect(() => own.forward(x, inference, { mask: zeros([3, 7]).add(0.5) })).toThrow('0 for padding, not 0.5');
  });
});

test('hyperedges and heads to begin with follow from tokens and features', () => {
  expect(suggestedHyperedges(49, 48)).toEqual({ hyperedges: 8, heads: 8 });
  expect(suggestedHyperedges(196, 36)).toEqual({ hyperedges: 16, heads: 4 });
  expect(suggestedHyperedges(4096, 15)).toEqual({ hyperedges: 32, heads: 1 });
});
