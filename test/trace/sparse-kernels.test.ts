import { afterEach, describe, expect, test, vi } from 'vitest';
import { MobileNetV1 } from '../../src/models/index.js';
import { inference, parameters } from '../../src/nn/index.js';
import { conv2d, linear, Random, type Tensor } from '../../src/tensor/index.js';
import { compile, type KernelChoice, Plan, type SparseOptions } from '../../src/trace/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

/** A weight of which a share of the elements is zero. */
function withZeros(seed: number, shape: readonly number[], share: number): Tensor {
  const weight = uniformTensor(seed, shape);
  const draws = uniform(seed + 100, weight.size, 0, 1);
  weight.assign(weight.dataSync().map((value, i) => ((draws[i] as number) < share ? 0 : value)));
  return weight;
}

/** relu(x) convolved, with relu(x) added. */
function shortcut(x: Tensor, weight: Tensor): Tensor {
  const y = x.relu();
  return conv2d(y, weight).add(y);
}

const kernelsOf = (plan: Plan) => plan.data.program.steps.map(({ kernel }) => kernel);
const isSparse = (kernel: string) => kernel.startsWith('sparseChannels');

function compiled(fn: (x: Tensor) => Tensor, x: Tensor, options: Omit<SparseOptions, 'onChoice'>) {
  const choices: KernelChoice[] = [];
  const plan = compile(fn, [x], { sparse: { ...options, onChoice: (choice) => choices.push(choice) } });
  return { plan, choices };
}

describe('the kernel of a layer, measured', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** A clock on which only plans take time, as many milliseconds as their kernels are given. */
  function clock(milliseconds: { dense: number; sparse: number }): string[][] {
    let now = 0;
    const timed: string[][] = [];
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    vi.spyOn(Plan.prototype, 'execute').mockImplementation(function (this: Plan) {
      const kernels = kernelsOf(this);
      timed.push(kernels);
      now += kernels.some(isSparse) ? milliseconds.sparse : milliseconds.dense;
    });
    return timed;
  }

  const [pointwise, x] = [withZeros(1, [16, 24, 1, 1], 0.7), uniformTensor(2, [1, 24, 7, 7])];
  const layer = (input: Tensor) => conv2d(input, pointwise);

  test.each([
    [{ dense: 3, sparse: 1 }, 'sparse', '3.0 times as fast as the dense kernel'],
    [{ dense: 1, sparse: 4 }, 'dense', 'the dense kernel is 4.0 times as fast'],
    [{ dense: 2, sparse: 2 }, 'dense', 'the dense kernel is 1.0 times as fast'],
  ] as const)('is the faster one: %o', (milliseconds, kernel, reason) => {
    clock(milliseconds);
    const { plan, choices } = compiled(layer, x, { choose: 'measured' });
    expect(choices).toMatchObject([{ kernel, reason, milliseconds }]);
    expect(kernelsOf(plan).some(isSparse)).toBe(kernel === 'sparse');
  });

  test('a shortcut counts as part of the sparse form', () => {
    const timed = clock({ dense: 3, sparse: 1 });
    const square = withZeros(3, [24, 24, 1, 1], 0.7);
    compiled((input) => shortcut(input, square), x, { choose: 'measured' });
    const sparse = timed.filter((kernels) => kernels.some(isSparse));
    expect(sparse.length).toBeGreaterThan(6);
    for (const kernels of sparse) expect(kernels.length).toBe(2);
  });

  test('is compared with the very kernels of the dense plan, whose weights are packed beforehand', () => {
    const timed = clock({ dense: 3, sparse: 1 });
    compiled(layer, x, { choose: 'measured' });
    const dense = kernelsOf(compile(layer, [x], { sparse: false }));
    expect(dense).not.toContain('packFilters');
    const others = timed.filter((kernels) => !kernels.some(isSparse));
    expect(others.length).toBeGreaterThan(6);
    for (const kernels of others) expect(kernels).toEqual(dense);
  });

  test('is the one that its report says, in every layer of a network on the real clock', () => {
    const model = new MobileNetV1(new Random(1), {
      channels: 1,
      classes: 4,
      stem: [16, 2],
      blocks: [
        [64, 1],
        [64, 1],
        [128, 2],
      ],
    });
    const pointwise = Object.values(parameters(model)).filter(({ shape }) => shape.length === 4 && shape[2] === 1);
    for (const [i, weight] of pointwise.entries())
      weight.assign(withZeros(i, weight.shape, [0.25, 0.6, 0.97][i] as number).dataSync());
    const image = uniformTensor(5, [1, 1, 28, 28]);
    const forward = (input: Tensor) => model.forward(input, inference);
    const { plan, choices } = compiled(forward, image, { choose: 'measured' });
    const measured = choices.filter(({ milliseconds }) => milliseconds);
    expect(measured.length).toBe(3);
    for (const { kernel, milliseconds } of measured) {
      const { dense, sparse } = milliseconds as { dense: number; sparse: number };
      expect(kernel).toBe(sparse < dense ? 'sparse' : 'dense');
    }
    expect(kernelsOf(plan).filter(isSparse).length).toBe(choices.filter(({ kernel }) => kernel === 'sparse').length);
    expectClose((plan.run(image)[0] as Tensor).view(), forward(image).view(), 1e-4);
  });
});

describe('the kernel of a layer, by rule', () => {
  const x = uniformTensor(2, [1, 24, 8, 8]);
  const choiceOf = (fn: (x: Tensor) => Tensor, options: Partial<SparseOptions> = {}) =>
    compiled(fn, x, { choose: 'rule', ...options }).choices.at(-1);

  test.each([
    ['too few zeros', (y: Tensor) => conv2d(y, withZeros(1, [8, 24, 1, 1], 0.05)), / zeros: too few/],
    ['below two thirds', (y: Tensor) => conv2d(y, withZeros(1, [64, 24, 1, 1], 0.5)), /zeros: below 66 %/],
    [
      'a depthwise filter',
      (y: Tensor) => conv2d(y, withZeros(1, [24, 1, 3, 3], 0.9), undefined, { padding: 1, groups: 24 }),
      /^depthwise$/,
    ],
    ['groups', (y: Tensor) => conv2d(y, withZeros(1, [8, 12, 1, 1], 0.9), undefined, { groups: 2 }), /^2 groups$/],
    ['a 3×3 filter', (y: Tensor) => conv2d(y, withZeros(1, [8, 24, 3, 3], 0.9)), /^3×3, not pointwise$/],
    ['a stride', (y: Tensor) => conv2d(y, withZeros(1, [8, 24, 1, 1], 0.9), undefined, { stride: 2 }), /^stride 2×2$/],
    [
      'an activation after a shortcut',
      (y: Tensor) => shortcut(y, withZeros(1, [24, 24, 1, 1], 0.9)).relu(),
      /^relu after a shortcut$/,
    ],
    [
      'a linear layer',
      (y: Tensor) => linear(y.reshape([1, -1]), withZeros(1, [8, 24 * 64], 0.9)),
      /^linear: decided by measurement alone$/,
    ],
  ] as const)('%s stays dense and says why', (_, fn, reason) => {
    expect(choiceOf(fn)).toMatchObject({ kernel: 'dense', reason: expect.stringMatching(reason) });
  });

  test('mostly zeros are sparse, blocks from 30 %, and a threshold may be given', () => {
    expect(choiceOf((y) => conv2d(y, withZeros(1, [64, 24, 1, 1], 0.8)))).toMatchObject({
      kernel: 'sparse',
      blockHeight: 1,
    });
    const rows = withZeros(4, [16, 24], 0.4).dataSync();
    const blocks = uniformTensor(1, [64, 24, 1, 1]);
    blocks.assign(blocks.dataSync().map((value, i) => (rows[Math.floor(i / 96) * 24 + (i % 24)] === 0 ? 0 : value)));
    expect(choiceOf((y) => conv2d(y, blocks))).toMatchObject({ kernel: 'sparse', blockHeight: 4 });
    const half = (y: Tensor) => conv2d(y, withZeros(1, [64, 24, 1, 1], 0.5));
    expect(choiceOf(half, { threshold: 0.3 })).toMatchObject({ kernel: 'sparse', blockHeight: 1 });
    expect(choiceOf(half, { threshold: 0.9 })).toMatchObject({ kernel: 'dense' });
  });
});
