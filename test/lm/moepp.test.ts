import { describe, expect, test } from 'vitest';
import { randomWindows } from '../../src/data/index.js';
import {
  addZeroComputation,
  decoderConfig,
  decoderOf,
  MoEPlusPlus,
  nextTokenLoss,
  trainLanguageModel,
} from '../../src/lm/index.js';
import { Decoder } from '../../src/models/index.js';
import {
  expertContext,
  loadBalanceLoss,
  type MixtureOfExperts,
  parameters,
  type Routing,
  routeTopK,
  stateOf,
  withWeights,
} from '../../src/nn/index.js';
import {
  add,
  concatenate,
  eye,
  full,
  grad,
  matmul,
  multiply,
  Random,
  reshape,
  silu,
  slice,
  softmax,
  type Tensor,
  tensor,
  zeros,
} from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const D = 6;
const layer = (seed = 1, options: Partial<ConstructorParameters<typeof MoEPlusPlus>[1]> = {}) => {
  const made = new MoEPlusPlus(
    D,
    { experts: { feedForward: 4, constant: 2 }, hidden: 5, ...options },
    new Random(seed),
  );
  made.residual?.assign(uniformTensor(seed + 50, [made.count, made.count]));
  return made;
};

/** Every expert on every token, by the definition. */
function dense(model: MoEPlusPlus, x: Tensor, before?: Tensor): Tensor {
  let logits = matmul(x, model.router.weight, { transposeB: true });
  if (before && model.residual) logits = add(logits, matmul(before, model.residual, { transposeB: true }));
  const { experts, gates } = routeTopK(logits, 2);
  const zero = model.count - 1;
  const ids = experts.view<Int32Array>();
  const open = multiply(
    gates,
    tensor(
      Float32Array.from(ids, (id) => Number(id !== zero)),
      gates.shape,
    ),
  );
  const total = open.sum(1, { keepAxes: true });
  const weights = open.divide(total.maximum(1e-9));
  const { hidden, up, down, count } = model.experts;
  let y = zeros(x.shape);
  for (let e = 0; e < model.count; e++) {
    const gate = multiply(
      weights,
      tensor(
        Float32Array.from(ids, (id) => Number(id === e)),
        gates.shape,
      ),
    ).sum(1, { keepAxes: true });
    let out: Tensor;
    if (e < count) {
      const inner = matmul(x, reshape(slice(up, [e, e + 1]), [2 * hidden, D]), { transposeB: true });
      out = matmul(
        multiply(silu(slice(inner, null, [0, hidden])), slice(inner, null, [hidden, 2 * hidden])),
        reshape(slice(down, [e, e + 1]), [D, hidden]),
        { transposeB: true },
      );
    } else if (e < count + 2) {
      const c = e - count;
      const alpha = softmax(
        matmul(x, reshape(slice(model.constantGate as Tensor, [c, c + 1]), [2, D]), { transposeB: true }),
      );
      out = add(
        multiply(x, slice(alpha, null, [0, 1])),
        multiply(slice(model.constants as Tensor, [c, c + 1]), slice(alpha, null, [1, 2])),
      );
    } else out = e === zero ? zeros(x.shape) : x;
    y = add(y, multiply(out, gate));
  }
  return y;
}

/** Router weights under which every token of ones chooses two given experts. */
function forced(model: MoEPlusPlus, [a, b]: readonly [number, number]): void {
  const weight = new Float32Array(model.count * D);
  weight.fill(2, a * D, (a + 1) * D);
  weight.fill(1, b * D, (b + 1) * D);
  model.router.weight.assign(weight);
}

describe('MoE++', () => {
  test('by its dispatch equals every expert on every token, with logits of the layer before too', () => {
    const x = uniformTensor(2, [40, D]);
    const model = layer();
    expectClose(model.forward(x).dataSync(), dense(model, x).dataSync());
    const before = uniformTensor(3, [40, model.count]);
    const context = { ...expertContext(), logits: before };
    expectClose(model.forward(x, context).dataSync(), dense(model, x, before).dataSync());
    // What is handed on are the logits after the addition.
    expectClose(
      context.logits.dataSync(),
      add(
        matmul(x, model.router.weight, { transposeB: true }),
        matmul(before, model.residual as Tensor, { transposeB: true }),
      ).dataSync(),
    );
  });

  test('gradients of everything, the residual and the constants among it', () => {
    const model = layer(4);
    const names = Object.keys(parameters(model));
    expect(names).toEqual(['router.weight', 'residual', 'experts.up', 'experts.down', 'constantGate', 'constants']);
    const before = uniformTensor(3, [14, model.count]);
    checkGradient(
      (x: Tensor, ...values: Tensor[]) =>
        withWeights(model, Object.fromEntries(names.map((name, i) => [name, values[i] as Tensor])), (live) =>
          live.forward(x, { ...expertContext(), logits: before }),
        ),
      [uniformTensor(2, [14, D]), ...Object.values(parameters(model))],
      { step: 1e-3, tolerance: 2e-2, second: false },
    );
  });

  test('tokens of experts that cost nothing never reach the grouped product', () => {
    const x = tensor(new Float32Array(3 * D).fill(1), [3, D]);
    const model = layer();
    const [copy, zero] = [6, 7];
    forced(model, [zero, copy]);
    const context = expertContext();
    expectClose(model.forward(x, context).dataSync(), x.dataSync());
    expect(context.usage[0]?.rows).toBe(0);
    // A feed-forward expert beside the zero expert has all the weight.
    forced(model, [1, zero]);
    const fresh = expertContext();
    const alone = model.forward(x, fresh).dataSync();
    expect(fresh.usage[0]?.rows).toBe(3);
    const kept = layer(1, { zeroGate: 'keep' });
    forced(kept, [1, zero]);
    const share = 1 / (1 + Math.exp(-D));
    expectClose(
      kept.forward(x).dataSync(),
      alone.map((value) => value * share),
      1e-4,
    );
  });

  test('with probabilities as gates, the zero expert’s share is lost', () => {
    const x = uniformTensor(7, [12, D]);
    const open = layer(1, { zeroGate: 'softmax' });
    const { experts, gates, probabilities } = open.route(x);
    const chosen = experts.view<Int32Array>();
    expect([...chosen]).toContain(open.count - 1);
    expectClose(
      gates.dataSync(),
      Array.from(chosen, (expert, slot) =>
        expert === open.count - 1
          ? 0
          : (probabilities.dataSync()[Math.floor(slot / 2) * open.count + expert] as number),
      ),
    );
  });

  test('gating residuals: nothing at the start; the identity routes a layer as the one before', () => {
    const first = layer(1);
    const second = layer(2);
    second.residual?.assign(zeros([8, 8]));
    const x = uniformTensor(5, [20, D]);
    const context = expertContext();
    first.forward(x, context);
    expectClose(second.route(x, context).logits.dataSync(), second.route(x).logits.dataSync());
    second.router.weight.assign(zeros([8, D]));
    second.residual?.assign(eye(8));
    second.forward(x, context);
    expect([...(context.usage[1]?.routing.experts.view<Int32Array>() ?? [])]).toEqual([
      ...(context.usage[0]?.routing.experts.view<Int32Array>() ?? []),
    ]);
    const other = layer(3, { experts: { feedForward: 3 } });
    expect(() => other.forward(x, context)).toThrow('the one before has 8, this one 5');
  });

  test('the balance loss at uniform probabilities: (N_FFN + τ·N_ZC)/N', () => {
    const model = layer(1, { tau: 0.25 });
    const choices = Int32Array.from({ length: 16 }, (_, i) => i % 8);
    const routing = {
      k: 2,
      experts: tensor(choices, [8, 2], 'i32'),
      gates: zeros([8, 2]),
      probabilities: tensor(new Float32Array(64).fill(1 / 8), [8, 8]),
      logits: zeros([8, 8]),
    };
    expect(loadBalanceLoss(routing, model.loadWeights).item()).toBeCloseTo((4 + 0.25 * 4) / 8, 6);
  });

  test('the gradient of the balance loss by a probability is N/k·ηᵢ·fᵢ/T', () => {
    const model = layer(1, { tau: 0.25 });
    const choices = [0, 1, 0, 2, 0, 6, 7, 4];
    const probabilities = softmax(uniformTensor(3, [4, 8]));
    const gradient = grad((p: Tensor) =>
      loadBalanceLoss(
        { k: 2, experts: tensor(choices, [4, 2], 'i32'), probabilities: p } as Routing,
        model.loadWeights,
      ),
    )(probabilities);
    const slots = [3, 1, 1, 0, 1, 0, 1, 1];
    const eta = [1, 1, 1, 1, 0.25, 0.25, 0.25, 0.25];
    const row = slots.map((count, i) => (8 / 2) * (eta[i] as number) * (count / 4) * (1 / 4));
    expectClose(gradient.dataSync(), [...row, ...row, ...row, ...row], 1e-6);
  });

  test('standardised logits, and options that make no sense', () => {
    const scaled = layer(1, { logitScale: 1, gatingResidual: false });
    const x = uniformTensor(6, [10, D]);
    const { logits, probabilities } = scaled.route(x);
    const row = Array.from(logits.dataSync().subarray(0, 8));
    const average = row.reduce((a, b) => a + b, 0) / 8;
    const deviation = Math.sqrt(row.reduce((sum, value) => sum + (value - average) ** 2, 0) / 7);
    expectClose(
      probabilities.dataSync().subarray(0, 8),
      softmax(
        tensor(
          row.map((value) => value / deviation),
          [1, 8],
        ),
      ).dataSync(),
      1e-4,
    );
    expect(() => layer(1, { experts: { feedForward: 0 } })).toThrow('at least one feed-forward expert');
    expect(() => layer(1, { k: 9 })).toThrow('cannot choose 9 of 8');
    expect(() => layer(1, { tau: 0 })).toThrow('τ must be in (0, 1], got 0');
    expect(() => layer(1, { capacityFactor: 0 })).toThrow('the capacity factor must be positive, got 0');
  });

  describe('capacity', () => {
    // ⌈1·2·8·η/(0.5·4 + 4)⌉: 1.33 → 2 slots of a feed-forward expert, 2.67 → 3 of the others.
    const limited = layer(1, { tau: 0.5, capacityFactor: 1 });
    const choices = [0, 1, 0, 4, 0, 6, 6, 7, 6, 4, 6, 7, 3, 4, 7, 4];
    const gates = uniformTensor(8, [8, 2]);
    const routing = {
      k: 2,
      experts: tensor(choices, [8, 2], 'i32'),
      gates,
      probabilities: zeros([8, 8]),
      logits: zeros([8, 8]),
    };

    test('is ⌈γ·k·τ·T/(τ·N_FFN + N_ZC)⌉ for feed-forward experts, 1/τ of that for the others', () => {
      expect([...(limited.capacities(8) ?? [])]).toEqual([2, 2, 2, 2, 3, 3, 3, 3]);
      expect([...(limited.capacities(36) ?? [])]).toEqual([6, 6, 6, 6, 12, 12, 12, 12]);
      expect(layer(1).capacities(8)).toBeUndefined();
      const single = layer(1, { k: 1, tau: 0.5, capacityFactor: 2 });
      expect([...(single.capacities(36) ?? [])]).toEqual([6, 6, 6, 6, 12, 12, 12, 12]);
    });

    test('in training drops the last slots of experts of every kind, and the other gates stay', () => {
      const plan = limited.dispatch(routing, expertContext({ training: true }));
      // The third token loses expert 0, the sixth expert 6, the eighth its second constant.
      expect([...plan.dropped]).toEqual([1, 0, 0, 0, 1, 0, 1, 0]);
      expect(Array.from(plan.accepted ?? [], (kept, slot) => (kept ? -1 : slot)).filter((slot) => slot >= 0)).toEqual([
        4, 10, 15,
      ]);
      expect(plan.size).toBe(4);
      const x = uniformTensor(9, [8, D]);
      const open = gates.dataSync().slice();
      for (const slot of [4, 10, 15]) open[slot] = 0;
      const free = limited.dispatch(routing);
      expectClose(
        limited.compute(x, routing, plan).dataSync(),
        limited.compute(x, { ...routing, gates: tensor(open, [8, 2]) }, free).dataSync(),
        1e-6,
      );
    });

    test('holds in training alone', () => {
      const x = tensor(new Float32Array(32 * D).fill(1), [32, D]);
      const without = layer(1, { tau: 0.5 });
      const [training, inference] = [expertContext({ training: true }), expertContext()];
      expect(limited.forward(x, training).dataSync()).not.toEqual(without.forward(x).dataSync());
      expect(limited.forward(x, inference).dataSync()).toEqual(without.forward(x).dataSync());
      const sum = (values: Iterable<number> = []) => [...values].reduce((a, b) => a + b, 0);
      // All tokens choose the same two experts.
      expect(sum(training.usage[0]?.dropped)).toBeGreaterThan(32);
      expect(sum(inference.usage[0]?.dropped)).toBe(0);
      // What is dropped counts in the balance loss as it was routed.
      expectClose(training.losses[0]?.dataSync() ?? [], inference.losses[0]?.dataSync() ?? new Float32Array(1));
    });
  });
});

describe('decoders with MoE++', () => {
  const size = { vocabulary: 20, features: 16, layers: 2, heads: 2, hidden: 12, context: 64 };
  const plus = { experts: { feedForward: 4, constant: 2 }, k: 2, hidden: 12, tau: 0.5, capacityFactor: 0.4 };
  const config = decoderConfig({ ...size, experts: { count: 4, k: 2, normalised: true, zeroComputation: plus } });
  const train = Int32Array.from({ length: 400 }, (_, i) => (i * i + (i >> 2)) % 20);

  test('copies add the normalised input to the residual stream', () => {
    const copies = { experts: { feedForward: 1, copy: 1, zero: 0 }, k: 1, hidden: 4 };
    const decoder = new Decoder(
      { ...size, layers: 1, feedForward: (_, random) => new MoEPlusPlus(16, copies, random) },
      new Random(1),
    );
    const [block] = decoder.model.layers;
    const mixture = block?.mlp as MoEPlusPlus;
    // Positive inputs, so that the second row of the router wins.
    decoder.model.embedTokens.weight.assign(add(uniformTensor(2, [20, 16]), full([20, 16], 2)));
    mixture.router.weight.assign(
      tensor(
        Float32Array.from({ length: 32 }, (_, i) => Number(i >= 16)),
        [2, 16],
      ),
    );
    block?.selfAttn.oProj.weight.assign(zeros([16, 16]));
    // A scale by feature: else the last norm hides how long the copy is.
    const scale = tensor(Float32Array.from({ length: 16 }, (_, i) => 1 + i));
    block?.postAttentionLayernorm.weight.assign(scale);
    const h = decoder.model.embedTokens.forward(tensor([3, 7], [1, 2], 'i32'));
    const normed = (x: Tensor) => x.divide(add(x.multiply(x).mean(2, { keepAxes: true }), full([1], 1e-6)).sqrt());
    const expected = matmul(
      reshape(normed(add(h, multiply(normed(h), scale))), [2, 16]),
      decoder.model.embedTokens.weight,
      {
        transposeB: true,
      },
    );
    expectClose(decoder.forward(tensor([3, 7], [1, 2], 'i32')).dataSync(), expected.dataSync(), 1e-4);
  });

  test('the training loss is the cross-entropy plus β = 0.01 times the balance losses, with capacities', async () => {
    const decoder = decoderOf(config, new Random(1));
    const tokens = randomWindows(train, 4, 16, new Random(2).split('order').split(1).split(0));
    const context = expertContext({ training: true });
    const crossEntropy = nextTokenLoss(decoder, tokens, context).item();
    const balance = context.losses.reduce((sum, loss) => sum + loss.item(), 0);
    expect(context.losses).toHaveLength(2);
    expect(context.usage[0]?.dropped.some((slots) => slots > 0)).toBe(true);
    const losses = async (options: { balance?: number }) => {
      const { history } = await trainLanguageModel(decoderOf(config, new Random(1)), { train }, new Random(2), {
        ...{ steps: 1, batch: 4, length: 16 },
        ...options,
      });
      return history[0]?.loss as number;
    };
    expect(await losses({})).toBeCloseTo(crossEntropy + 0.01 * balance, 5);
    expect(await losses({ balance: 2 })).toBeCloseTo(crossEntropy + 2 * balance, 4);
    // Inference keeps all slots.
    const unlimited = decoderConfig({
      ...size,
      experts: { count: 4, k: 2, normalised: true, zeroComputation: { ...plus, capacityFactor: 100 } },
    });
    const all = nextTokenLoss(decoderOf(unlimited, new Random(1)), tokens, expertContext({ training: true })).item();
    expect(nextTokenLoss(decoder, tokens).item()).toBeCloseTo(all, 6);
    expect(Math.abs(crossEntropy - all)).toBeGreaterThan(1e-4);
  });

  test('the balance loss spreads tokens, and fewer feed-forward experts are computed for a small τ', async () => {
    const trained = async (tau: number, balance: number) => {
      const zeroComputation = { ...plus, tau, capacityFactor: undefined } as unknown as typeof plus;
      const own = { ...config, experts: { count: 4, k: 2, normalised: true, zeroComputation } };
      const decoder = decoderOf(own, new Random(1));
      await trainLanguageModel(decoder, { train }, new Random(2), { steps: 60, batch: 4, length: 16, balance });
      const context = expertContext();
      nextTokenLoss(decoder, randomWindows(train, 16, 16, new Random(5)), context);
      const [first, second] = context.usage.map(({ counts, rows }) => ({ largest: Math.max(...counts), rows }));
      return {
        largest: (first?.largest ?? 0) + (second?.largest ?? 0),
        rows: (first?.rows ?? 0) + (second?.rows ?? 0),
      };
    };
    const [balanced, free, small] = [await trained(1, 1), await trained(1, 0), await trained(0.05, 1)];
    expect(free.largest).toBeGreaterThan(1.2 * balanced.largest);
    expect(small.rows).toBeLessThan(0.7 * balanced.rows);
  }, 20_000);

  describe('warm start', () => {
    const plain = decoderConfig({ ...size, experts: { count: 4, k: 2, normalised: true } });
    const old = decoderOf(plain, new Random(1));
    const { model, config: grown } = addZeroComputation(old, plain, new Random(3), { tau: 0.5 });
    const layers = model.model.layers.map(({ mlp }) => mlp as MoEPlusPlus);

    test('adds small rows to the routers; residuals and constants are zero, all else stays', () => {
      expect(grown.experts?.zeroComputation).toMatchObject({
        ...{ experts: { feedForward: 4, constant: 2, copy: 1, zero: 1 }, k: 2, hidden: 12, tau: 0.5 },
        zeroGate: 'renormalise',
      });
      const state = stateOf(model);
      for (const [name, values] of Object.entries(stateOf(old)))
        expect(state[name]?.dataSync().slice(0, values.size)).toEqual(values.dataSync());
      for (const { router, residual, constants } of layers) {
        const added = router.weight.dataSync().subarray(4 * 16);
        expect(added).toHaveLength(4 * 16);
        expect(Math.sqrt(added.reduce((sum, value) => sum + value * value, 0) / added.length)).toBeCloseTo(0.01, 2);
        expect(residual?.dataSync().every((value) => value === 0)).toBe(true);
        expect(constants?.dataSync().every((value) => value === 0)).toBe(true);
      }
      expect(layers[0]?.router.weight.dataSync().slice(64)).not.toEqual(layers[1]?.router.weight.dataSync().slice(64));
    });

    test.each([
      ['renormalised', plain],
      ['unnormalised', { ...plain, experts: { count: 4, k: 1, normalised: false } }],
    ])('with new logits of −∞ a layer with %s gates gives the old outputs bit for bit', (_, own) => {
      const before = decoderOf(own, new Random(1));
      const after = addZeroComputation(before, own, new Random(3)).model;
      const x = uniformTensor(4, [10, 16]);
      for (const [i, block] of after.model.layers.entries()) {
        const mixture = block.mlp as MoEPlusPlus;
        const trained = before.model.layers[i]?.mlp as MixtureOfExperts;
        mixture.router.forward = (tokens) =>
          concatenate([trained.router.forward(tokens), full([10, 4], Number.NEGATIVE_INFINITY)], 1);
        expect([...mixture.forward(x).dataSync()]).toEqual([...trained.forward(x).dataSync()]);
      }
    });

    test('refuses decoders without mixtures, and those that have zero-computation experts', () => {
      const dense = decoderConfig(size);
      expect(() => addZeroComputation(decoderOf(dense, new Random(1)), dense, new Random(1))).toThrow(
        'layers are dense',
      );
      expect(() => addZeroComputation(model, grown, new Random(1))).toThrow('has zero-computation experts already');
    });
  });
});
