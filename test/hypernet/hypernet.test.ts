import { describe, expect, test } from 'vitest';
import * as h from '../../src/hypernet/index.js';
import { LeNet } from '../../src/models/index.js';
import {
  Adam,
  Conv2d,
  crossEntropy,
  gradientsOf,
  inference,
  LayerNorm,
  Linear,
  MLP,
  parameter,
  parameterCount,
  parameters,
  stateOf,
  withWeights,
} from '../../src/nn/index.js';
import { keep, Random, scope, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const random = () => new Random(5);
const mlp = (sizes: readonly number[] = [2, 8, 2]) => new MLP(sizes, random());
const forward = (live: MLP, x: Tensor) => live.forward(x, inference);
const vector = (size: number) => new h.VectorCondition(size);

describe('generators', () => {
  test('one chunk, one head and all at once are the same with the same matrices', () => {
    const target = mlp();
    const n = parameterCount(target);
    const trunk = h.mlpTrunk([6]);
    const make = (generator: h.Strategy) => new h.Hypernet(target, vector(3), random(), { trunk, generator });
    const [all, head, chunk] = [make(h.once()), make(h.heads(1)), make(h.chunks(n, 0))];
    const matrix = stateOf(all)['generator.out.weight'] as Tensor;
    (stateOf(head)['generator.heads.0.weight'] as Tensor).assign(matrix);
    (stateOf(chunk)['generator.out.weight'] as Tensor).assign(matrix);
    const c = uniformTensor(1, [4, 3]);
    const expected = all.generate(c);
    for (const other of [head, chunk].map((hypernet) => hypernet.generate(c)))
      for (const [name, weight] of Object.entries(expected)) expect(other[name]?.dataSync()).toEqual(weight.dataSync());
  });

  test('parameters are as many as the closed forms say', () => {
    const target = mlp([5, 7, 3]);
    const n = parameterCount(target);
    expect(n).toBe(5 * 7 + 7 + 7 * 3 + 3);
    const count = (generator: h.Strategy) =>
      new h.Hypernet(target, vector(4), random(), { trunk: h.mlpTrunk([10, 6]), generator }).size;
    const trunk = (e: number) => (4 + e) * 10 + 10 + 10 * 6 + 6;
    expect(count(h.once())).toBe(trunk(0) + 6 * n + n);
    expect(count(h.heads('layer'))).toBe(trunk(0) + 6 * n + n);
    expect(count(h.chunks(16, 3))).toBe(trunk(3) + 6 * 16 + 16 + Math.ceil(n / 16) * 3);
    expect(count(h.components('layer', 3))).toBe(trunk(3) + 7 * (5 * 7 + 7) + 2 * 3);
    expect(count(h.components('tensor', 2))).toBe(trunk(2) + 7 * 35 + 4 * 2);
    expect(count(h.components('filter', 2))).toBe(trunk(2) + 7 * 7 + (7 + 1 + 3 + 1) * 2);
  });

  test('parts come out in the order of the tensors, surplus cut off', () => {
    const target = mlp([3, 4, 2]);
    for (const generator of [h.chunks(5), h.components('layer'), h.components('filter'), h.heads('tensor')]) {
      const hypernet = new h.Hypernet(target, vector(2), random(), { generator });
      const weights = hypernet.generate(uniformTensor(1, [3, 2]));
      expect(Object.entries(weights).map(([name, { shape }]) => [name, shape])).toEqual(
        Object.entries(parameters(target)).map(([name, { shape }]) => [name, [3, ...shape]]),
      );
    }
    const rules = [
      { names: /weight$/, strategy: h.chunks(4) },
      { names: /bias$/, strategy: h.once() },
    ];
    const both = new h.Hypernet(target, vector(2), random(), { generator: h.mixed(rules) });
    expect(Object.keys(both.generate(uniformTensor(1, [1, 2])))).toEqual(Object.keys(parameters(target)));
  });

  test('described chunks make weights for targets of other shapes', () => {
    const hypernet = new h.Hypernet(mlp(), vector(2), random(), { generator: h.described(10) });
    const wider = mlp([2, 19, 5, 2]);
    const shapes = Object.fromEntries(Object.entries(parameters(wider)).map(([name, { shape }]) => [name, shape]));
    const weights = h.weightsOf(hypernet.generate(uniformTensor(1, [1, 2]), { shapes }), 0);
    expect(withWeights(wider, weights, (live) => forward(live, uniformTensor(2, [4, 2]))).shape).toEqual([4, 2]);
  });
});

describe('targets', () => {
  class Small {
    readonly conv = new Conv2d(2, 4, 3, random(), { padding: 1, stride: 2 });
    readonly grouped = new Conv2d(4, 6, 3, random(), { groups: 2, bias: false });
    readonly norm = new LayerNorm(6);
    readonly head = new Linear(6, 3, random());

    forward(x: Tensor): Tensor {
      const y = this.grouped.forward(this.conv.forward(x).relu()).mean([2, 3]);
      return this.head.forward(this.norm.forward(y), 'relu');
    }
  }

  test('B networks at once equal one after another, through products, convolutions and norms', () => {
    for (const [target, shape, run] of [
      [mlp([3, 9, 4]), [3], forward],
      [new Small(), [2, 9, 11], (live: Small, x: Tensor) => live.forward(x)],
    ] as const) {
      const hypernet = new h.Hypernet(target as MLP, vector(2), random());
      const c = uniformTensor(1, [4, 2]);
      const x = uniformTensor(2, [4 * 3, ...shape]);
      const together = hypernet.run(c, x, run as typeof forward);
      for (let b = 0; b < 4; b++) {
        const alone = hypernet.run(c.slice([b, b + 1]), x.slice([3 * b, 3 * b + 3]), run as typeof forward);
        expectClose(together.slice([3 * b, 3 * b + 3]).view(), alone.view(), 1e-5);
      }
    }
  });

  test('layers that take one set of weights at a time run one after another', () => {
    const target = new LeNet(random());
    const select = { layers: Linear };
    const hypernet = new h.Hypernet(target, vector(2), random(), { select, generator: h.chunks(500) });
    const logits = hypernet.run(uniformTensor(1, [2, 2]), uniformTensor(2, [4, 1, 28, 28]), (live, x) =>
      live.forward(x, inference),
    );
    expect(logits.shape).toEqual([4, 10]);
    // Convolutions are not generated: they train beside.
    expect(Object.keys(hypernet.rest).every((name) => name.startsWith('conv'))).toBe(true);
    expect(Object.keys(parameters(hypernet)).some((name) => name.startsWith('rest.conv'))).toBe(true);
  });

  test('θ⁰ from the target, with outputs at 0, is the target bit for bit', () => {
    const target = mlp([3, 9, 4]);
    const hypernet = new h.Hypernet(target, vector(2), random(), { residual: 'target' });
    for (const [name, weight] of Object.entries(parameters(hypernet)))
      if (name.startsWith('generator.')) weight.assign(new Float32Array(weight.size));
    const x = uniformTensor(1, [5, 3]);
    expect(hypernet.run(uniformTensor(2, [1, 2]), x, forward).dataSync()).toEqual(forward(target, x).dataSync());
  });

  test('a start by output biases gives every condition the usual start of the target', () => {
    const target = mlp([3, 9, 4]);
    const hypernet = new h.Hypernet(target, vector(2), random(), { init: 'bias' });
    const x = uniformTensor(1, [5, 3]);
    for (const seed of [2, 3])
      expectClose(hypernet.run(uniformTensor(seed, [1, 2]), x, forward).view(), forward(target, x).view(), 1e-6);
  });
});

test('gradients reach Φ, embeddings and weights that are not generated', () => {
  const target = mlp([3, 5, 2]);
  const condition = new h.TaskCondition(3, 4, random());
  const hypernet = new h.Hypernet(target, condition, random(), {
    trunk: h.mlpTrunk([6], { activation: 'tanh' }),
    generator: h.chunks(7),
    select: '**.weight',
  });
  const x = uniformTensor(1, [6, 3]);
  const labels = tensor(Int32Array.of(0, 1, 1, 0, 1, 0));
  const loss = (live: typeof hypernet) => crossEntropy(live.run([0, 2, 2], x, forward), labels);
  const weights = parameters(hypernet);
  const { gradient } = valueAndGrad((w: Record<string, Tensor>) => withWeights(hypernet, w, loss))(weights);
  for (const [name, weight] of Object.entries(weights)) {
    const values = weight.view();
    for (let i = 0; i < values.length; i += Math.ceil(values.length / 5)) {
      const kept = values[i] as number;
      const at = (value: number) => {
        values[i] = value;
        return scope(() => loss(hypernet).item());
      };
      const difference = (at(kept + 1e-2) - at(kept - 1e-2)) / 2e-2;
      values[i] = kept;
      expect(Math.abs(difference - (gradient[name]?.view()[i] as number))).toBeLessThan(2e-3);
    }
  }
});

test('a hypernetwork makes the weights of a hypernetwork', () => {
  const inner = new h.Hypernet(mlp(), vector(2), random(), { trunk: h.mlpTrunk([4]) });
  const outer = new h.Hypernet(inner, vector(3), random(), { generator: h.chunks(20) });
  const x = uniformTensor(1, [4, 2]);
  const run = (live: typeof outer) =>
    live.run(uniformTensor(2, [1, 3]), x, (own, rows) => own.run(uniformTensor(3, [1, 2]), rows, forward));
  const { gradient } = valueAndGrad((w: Record<string, Tensor>) =>
    withWeights(outer, w, (live) => run(live).square().sum()),
  )(parameters(outer));
  expect(Object.values(gradient).filter((g) => g.view().some((value) => value !== 0)).length).toBeGreaterThan(3);
});

describe('first weights', () => {
  const deep = () => new MLP([64, 64, 64, 64, 64, 64, 64], random());
  /**
   * Second moments of the hidden features of the target, geometric mean over networks and
   * conditions of variance 1: a condition of larger norm scales all layers alike.
   */
  const variances = (init: h.HypernetInit) => {
    const target = deep();
    const options = { trunk: h.mlpTrunk([64]), init };
    const x = new Random(3).normal([32, 64]);
    const sums = new Float64Array(6);
    for (let draw = 0; draw < 40; draw++)
      scope(() =>
        new h.Hypernet(target, vector(32), new Random(draw), options).run(
          new Random(100 + draw).normal([1, 32]),
          x,
          (live) => {
            const all = [x];
            for (const block of live.blocks) all.push(block.linear.forward(all.at(-1) as Tensor, 'relu'));
            all.forEach((y, i) => {
              sums[i] = (sums[i] as number) + Math.log(y.square().mean().item()) / 40;
            });
            return x;
          },
        ),
      );
    return sums.map(Math.exp);
  };

  test('hyperfan-in keeps the variance of activations over five layers; layers as they start do not', () => {
    for (const value of variances('hyperfan-in').subarray(1)) expect(Math.abs(value - 1)).toBeLessThan(0.25);
    const last = variances('torch').at(-1) as number;
    expect(Math.max(last, 1 / last)).toBeGreaterThan(5);
  });

  test('fan-out gives each tensor rows of deviation gain/√numel', () => {
    const hypernet = new h.Hypernet(mlp([20, 30, 10]), vector(4), random(), { init: 'fan-out' });
    const out = stateOf(hypernet)['generator.out.weight'] as Tensor;
    for (const { offset, size, shape } of hypernet.layout.entries) {
      if (shape.length < 2) continue;
      const rows = out.slice([offset, offset + size]).view();
      const deviation = Math.sqrt(rows.reduce((sum, v) => sum + v * v, 0) / rows.length);
      expect(deviation / (h.gainOf('leakyRelu') / Math.sqrt(size))).toBeCloseTo(1, 1);
    }
  });
});

describe('magnitude-invariant parametrisation', () => {
  const norm = (weights: Record<string, Tensor>) =>
    Math.sqrt(Object.values(weights).reduce((sum, w) => sum + w.square().sum().item(), 0));

  test('rectifiers without biases are homogeneous, tanh is not, and the encoding ends it', () => {
    for (const [activation, homogeneous] of [
      ['relu', true],
      ['leakyRelu', true],
      ['tanh', false],
      ['gelu', false],
    ] as const) {
      const trunk = h.mlpTrunk([16, 32, 64], { activation, init: 'fan-out' });
      const hypernet = new h.Hypernet(mlp(), vector(1), random(), { trunk, init: 'fan-out' });
      const size = (gamma: number) => scope(() => norm(hypernet.generate(tensor([[gamma]]))));
      for (const gamma of [0.1, 0.2, 0.4]) {
        const ratio = size(2 * gamma) / size(gamma);
        if (homogeneous) expect(Math.abs(ratio - 2)).toBeLessThan(1e-4);
        else expect(Math.abs(ratio - 2)).toBeGreaterThan(1e-3);
      }
    }
  });

  test('codes have a constant norm, and sizes of weights hardly vary', () => {
    const codes = h.encodeCondition(new Random(1).uniform([50, 3]), 'cos|sin');
    for (let i = 0; i < 50; i++)
      expect(
        Math.sqrt(
          codes
            .slice([i, i + 1])
            .square()
            .sum()
            .item(),
        ),
      ).toBeCloseTo(Math.sqrt(3), 5);
    const spread = (encoding: h.Encoding) => {
      const options = { trunk: h.MIP_OPTIONS.trunk, init: 'fan-out', encoding } as const;
      const hypernet = new h.Hypernet(mlp(), vector(1), random(), options);
      const logs = Array.from({ length: 100 }, (_, i) =>
        scope(() => Math.log(norm(hypernet.generate(tensor([[(i + 1) / 100]]))))),
      );
      const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
      return Math.sqrt(logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logs.length);
    };
    expect(spread('cos|sin')).toBeLessThan(0.5);
    expect(spread('none')).toBeGreaterThan(0.9);
  });

  test('θ⁰ as a tensor equals θ⁰ as the bias of the last layer', () => {
    const target = mlp();
    const hypernet = new h.Hypernet(target, vector(2), random(), h.MIP_OPTIONS);
    const c = uniformTensor(1, [1, 2], 0, 1);
    const x = uniformTensor(2, [4, 2]);
    const loss = (live: typeof hypernet) => live.run(c, x, forward).square().sum();
    const base = hypernet.base as Record<string, Tensor>;
    const expected = hypernet.run(c, x, forward).dataSync();
    const { gradients } = gradientsOf(hypernet, loss);
    const layer = hypernet.generator.outputs()[0]?.layer as Linear;
    layer.bias = parameter(tensor(hypernet.layout.pack(base)));
    for (const weight of Object.values(base)) weight.assign(new Float32Array(weight.size));
    expectClose(hypernet.run(c, x, forward).view(), expected, 1e-5);
    const asBias = gradientsOf(hypernet, loss).gradients['generator.out.bias'] as Tensor;
    const asTensor = Object.fromEntries(Object.keys(base).map((name) => [name, gradients[`base.${name}`] as Tensor]));
    expectClose(asBias.view(), hypernet.layout.pack(asTensor), 1e-4);
  });
});

describe('designs by the five criteria', () => {
  const inputs = {
    task: { static: [1], dynamic: uniformTensor(1, [1, 4]) },
    data: { static: uniformTensor(2, [6, 3]), dynamic: uniformTensor(3, [6, 3]) },
    noise: { static: uniformTensor(4, [1, 4]), dynamic: uniformTensor(5, [1, 4]) },
  } as const;

  test('each of 192 makes weights of its target, or says why it does not exist', () => {
    const designs = h.allDesigns();
    expect(designs.length).toBe(192);
    expect(new Set(designs.map((design) => JSON.stringify(design))).size).toBe(192);
    const wider = mlp([2, 12, 2]);
    const shapesOf = (model: MLP) =>
      Object.fromEntries(Object.entries(parameters(model)).map(([name, { shape }]) => [name, shape]));
    let missing = 0;
    for (const design of designs)
      scope(() => {
        const make = () => h.designHypernet(mlp(), design, random(), { features: 3 });
        const reason = h.whyNot(design);
        if (reason !== undefined) {
          missing += 1;
          expect(make).toThrow(reason);
          return;
        }
        const dynamic = design.weights === 'dynamic';
        const target = dynamic ? wider : mlp();
        const made = make().generate(
          inputs[design.condition][design.inputs],
          dynamic ? { shapes: shapesOf(wider) } : {},
        );
        expect(
          Object.fromEntries(Object.entries(h.weightsOf(made, 0)).map(([name, { shape }]) => [name, shape])),
        ).toEqual(shapesOf(target));
      });
    // Layers for each weight (two of four generations) cannot serve targets that vary (one of two).
    expect(missing).toBe(192 / 4);
  });

  test('the condition on data needs the width of an example', () => {
    const design = {
      condition: 'data',
      generation: 'once',
      inputs: 'static',
      weights: 'static',
      trunk: 'mlp',
    } as const;
    expect(() => h.designHypernet(mlp(), design, random())).toThrow('needs `features`');
  });
});

test('kept weights are made again once Φ has moved', () => {
  const hypernet = new h.Hypernet(mlp(), new h.TaskCondition(3, 4, random()), random());
  const cache = new h.WeightCache(hypernet, 2);
  const first = cache.of('a', [0]);
  expect(cache.of('a', [0])).toBe(first);
  cache.of('b', [1]);
  cache.of('c', [2]);
  expect(cache.of('b', [1])).not.toBe(first);
  const held = cache.of('b', [1]);
  const weight = Object.values(parameters(hypernet))[1] as Tensor;
  weight.assign(weight.dataSync().map((value) => value + 1));
  expect(cache.of('b', [1])).not.toBe(held);
  cache.clear();
});

test('entropies of a mixture split as they should', () => {
  const draws = [
    tensor([
      [1, 0],
      [0.5, 0.5],
    ]),
    tensor([
      [0, 1],
      [0.5, 0.5],
    ]),
  ].map(keep);
  const { total, aleatoric, epistemic } = h.predictiveClasses((i) => draws[i] as Tensor, 2);
  expectClose(total, [Math.LN2, Math.LN2], 1e-6);
  expectClose(aleatoric, [0, Math.LN2], 1e-6);
  expectClose(epistemic, [Math.LN2, 0], 1e-6);
  const values = h.predictiveValues((i) => ({ mean: tensor([i, 2]), variance: tensor([1, 3]) }), 2);
  expectClose(values.epistemic, [0.25, 0], 1e-6);
  expectClose(values.total, [1.25, 3], 1e-6);
});

test('weights that scale at every step learn the sum of a sequence', () => {
  const cell = new h.HyperRNN(1, 12, random(), { smallHidden: 6 });
  const head = new Linear(12, 1, random());
  const model = { cell, head };
  const optimizer = new Adam({ learningRate: 0.01 });
  const x = uniformTensor(1, [64, 6, 1]);
  const wanted = x.sum(1);
  const losses: number[] = [];
  for (let step = 0; step < 150; step++)
    scope(() => {
      const weights = parameters(model);
      const { value, gradient } = valueAndGrad((w: Record<string, Tensor>) =>
        withWeights(model, w, (live) =>
          live.head.forward(live.cell.forward(x).state.hidden).subtract(wanted).square().mean(),
        ),
      )(weights);
      optimizer.update(weights, gradient);
      losses.push(value.item());
    });
  expect(losses.at(-1)).toBeLessThan(0.1 * (losses[0] as number));
});

test('mistakes are named', () => {
  const target = mlp();
  expect(() => new h.Hypernet(target, vector(2), random(), { select: 'layers.*' })).toThrow(
    'fits none of blocks.0.linear.weight',
  );
  expect(() => h.chunks(0)).toThrow('positive integer');
  const hypernet = new h.Hypernet(target, new h.TaskCondition(3, 4, random()), random());
  expect(() => hypernet.generate([3])).toThrow('task 3 is not one of 0…2');
  expect(() => hypernet.run([0, 1], uniformTensor(1, [3, 2]), forward)).toThrow('do not divide among 2 conditions');
  expect(() => hypernet.generate([0], { shapes: { a: [2] } })).toThrow('described()');
  expect(() => hypernet.layout.pack({ x: tensor([1]) })).toThrow(/missing blocks\.0.*unexpected x/);
  const other = new h.Hypernet(target, vector(2), random());
  expect(() => other.generate(uniformTensor(1, [1, 3]))).toThrow('expected conditions [B, 2], got [1, 3]');
  expect(() => h.mixed([{ names: /bias/, strategy: h.once() }]).create(other.layout, 4, random())).toThrow(
    'no rule fits the weight "blocks.0.linear.weight"',
  );
});
