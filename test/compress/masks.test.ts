import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cubicSparsity, erkSparsities, magnitudeMask, masksOf, Pruning } from '../../src/compress/index.js';
import { AdamW, fit, Linear, meanSquaredError, SGD, stateOf, type TrainingState } from '../../src/nn/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { uniformTensor } from '../oracle.js';

const zerosOf = (values: ArrayLike<number>) => Array.from(values).filter((value) => value === 0).length;

describe('masks', () => {
  test('unstructured: exactly ⌊s·n⌋ go, and none of them is larger than one that stays', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (values, sparsity) => {
          const mask = magnitudeMask(tensor(Float32Array.from(values), [1, values.length]), sparsity);
          expect(zerosOf(mask)).toBe(Math.floor(sparsity * values.length + 1e-9));
          const gone = values.filter((_, i) => mask[i] === 0).map(Math.abs);
          const kept = values.filter((_, i) => mask[i] === 1).map(Math.abs);
          expect(Math.max(0, ...gone)).toBeLessThanOrEqual(Math.min(Number.POSITIVE_INFINITY, ...kept));
        },
      ),
    );
  });

  test('blocks of 2 and 4 output channels go and stay together, rows left over as lower blocks', () => {
    const weight = uniformTensor(1, [10, 6, 1, 1]);
    for (const [pattern, height] of [
      ['block2', 2],
      ['block4', 4],
    ] as const) {
      const mask = magnitudeMask(weight, 0.5, pattern);
      const blocks = Math.ceil(10 / height) * 6;
      const kept = new Set<string>();
      const gone = new Set<string>();
      mask.forEach((value, i) => {
        (value ? kept : gone).add(`${Math.floor(Math.floor(i / 6) / height)},${i % 6}`);
      });
      expect(gone.size).toBe(Math.floor(blocks / 2));
      expect([...kept].filter((block) => gone.has(block))).toEqual([]);
    }
  });

  test('2:4: of four neighbouring inputs the two larger stay, for each output and tap', () => {
    const mask = magnitudeMask(tensor([1, -3, 2, 0.5, 9, 8, 7, 6, 5, 4], [1, 10]), 0.9, '2:4');
    expect([...mask]).toEqual([0, 1, 1, 0, 1, 1, 0, 0, 1, 1]);
    const taps = magnitudeMask(uniformTensor(2, [3, 8, 3, 3]), 0, '2:4');
    expect(zerosOf(taps)).toBe((3 * 8 * 9) / 2);
  });

  test('one threshold for all layers takes the smallest of all', () => {
    const weights = { a: tensor([1, 2, 3, 4], [2, 2]), b: tensor([5, 6, 7, 0.5], [2, 2]) };
    const masks = masksOf(weights, 0.5, { distribution: 'global' });
    expect([...(masks.get('a') as Float32Array), ...(masks.get('b') as Float32Array)]).toEqual([
      0, 0, 0, 1, 1, 1, 1, 0,
    ]);
    expect(() => masksOf(weights, 0.5, { distribution: 'global', pattern: '2:4' })).toThrow('no global threshold');
  });

  test.each([-0.1, 1, Number.NaN])('a sparsity of %d is an error', (sparsity) => {
    expect(() => magnitudeMask(uniformTensor(1, [2, 2]), sparsity)).toThrow('sparsity must be in [0, 1)');
  });
});

test('Erdős–Rényi-kernel densities use up the budget, and layers that would exceed it stay dense', () => {
  const layers = [
    { name: 'small', shape: [4, 3, 3, 3] },
    { name: 'wide', shape: [64, 64, 3, 3] },
    { name: 'linear', shape: [10, 64] },
  ];
  const sparsities = erkSparsities(layers, 0.8);
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const kept = layers.reduce((sum, { name, shape }) => sum + (1 - (sparsities.get(name) as number)) * size(shape), 0);
  expect(kept).toBeCloseTo(0.2 * layers.reduce((sum, { shape }) => sum + size(shape), 0), 3);
  expect(sparsities.get('small')).toBe(0);
  expect(sparsities.get('wide')).toBeGreaterThan(0.8);
});

test('the cubic ramp', () => {
  const options = { sparsity: 0.9, initial: 0.1, start: 10, end: 20 };
  expect([0, 10, 20, 99].map((step) => cubicSparsity(step, options))).toEqual(
    [0.1, 0.1, 0.9, 0.9].map((value) => expect.closeTo(value, 12)),
  );
  expect(cubicSparsity(15, options)).toBeCloseTo(0.9 - 0.8 * 0.125);
  expect(cubicSparsity(3, { sparsity: 0.5 })).toBe(0.5);
});

test('a pruned weight does not return when a step moves it past others', () => {
  const weight = tensor([1, 2, 3, 4], [2, 2]);
  const ramp = { sparsity: 0.5, initial: 0.25, start: 0, end: 2, every: 1 };
  const pruning = new Pruning(new SGD({ learningRate: 1 }), ['w'], ramp);
  pruning.update({ w: weight }, { w: tensor([0, 0, 0, 0], [2, 2]) });
  expect([...weight.dataSync()]).toEqual([0, 2, 3, 4]);
  // 0.25 → 0.47 of four weights: still one of them.
  pruning.update({ w: weight }, { w: tensor([-10, 0, 0, 0], [2, 2]) });
  expect([...weight.dataSync()]).toEqual([0, 2, 3, 4]);
  pruning.update({ w: weight }, { w: tensor([-10, 0, 0, 3], [2, 2]) });
  expect([...weight.dataSync()]).toEqual([0, 2, 3, 0]);
});

function setUp(optimizer: 'adam' | 'sgd') {
  const model = { layer: new Linear(12, 10, new Random(1)) };
  const inner =
    optimizer === 'adam' ? new AdamW({ learningRate: 1e-2 }) : new SGD({ learningRate: 1e-2, momentum: 0.9 });
  const pruning = new Pruning(inner, ['layer.weight'], { sparsity: 0.75, start: 2, end: 12, every: 3 });
  const x = uniformTensor(2, [16, 12]);
  const y = uniformTensor(3, [16, 10]);
  const options = {
    model,
    loss: (live: typeof model) => meanSquaredError(live.layer.forward(x), y),
    optimizer: pruning,
    random: new Random(4),
  };
  return { model, inner, pruning, options };
}

describe.each(['adam', 'sgd'] as const)('gradual pruning around %s', (optimizer) => {
  test('zeros only grow to the exact share, and momentum of what is gone is zero', async () => {
    const { model, inner, pruning, options } = setUp(optimizer);
    const before = { gone: new Set<number>() };
    await fit({
      ...options,
      epochs: 20,
      onEpoch: () => {
        const values = model.layer.weight.dataSync();
        for (const place of before.gone) expect(values[place] === 0).toBe(true);
        values.forEach((value, i) => {
          if (value === 0) before.gone.add(i);
        });
      },
    });
    const weight = model.layer.weight.dataSync();
    expect(zerosOf(weight)).toBe(90);
    expect(zerosOf((pruning.masks['layer.weight'] as Tensor).dataSync())).toBe(90);
    const moments = Object.entries(inner.state().tensors).filter(([name]) => name.endsWith('layer.weight'));
    for (const [, moment] of moments)
      expect(moment.dataSync().some((value, i) => weight[i] === 0 && value !== 0)).toBe(false);
  });

  test('a run that was cut off goes on to the same weights', async () => {
    const whole = setUp(optimizer);
    await fit({ ...whole.options, epochs: 15 });
    let saved: TrainingState | undefined;
    const cut = setUp(optimizer);
    await fit({
      ...cut.options,
      epochs: 8,
      checkpoint: { load: () => undefined, save: (state) => (saved = copyOf(state)) },
    });
    const resumed = setUp(optimizer);
    await fit({ ...resumed.options, epochs: 15, checkpoint: { load: () => saved, save: () => {} } });
    expect(Object.values(stateOf(resumed.model)).map((t) => t.dataSync())).toEqual(
      Object.values(stateOf(whole.model)).map((t) => t.dataSync()),
    );
  });
});

function copyOf(state: TrainingState): TrainingState {
  const copies = (weights: Readonly<Record<string, Tensor>>) =>
    Object.fromEntries(Object.entries(weights).map(([name, t]) => [name, t.clone()]));
  return {
    ...state,
    weights: copies(state.weights),
    optimizer: { ...state.optimizer, tensors: copies(state.optimizer.tensors) },
  };
}

test('a weight that the model lacks, and no layer at all, are errors', async () => {
  const { options } = setUp('sgd');
  await expect(
    fit({ ...options, optimizer: new Pruning(new SGD(), ['other.weight'], { sparsity: 0.5 }), epochs: 1 }),
  ).rejects.toThrow('no weight "other.weight"');
  expect(() => new Pruning(new SGD(), [], { sparsity: 0.5 })).toThrow('no layer to prune');
});
