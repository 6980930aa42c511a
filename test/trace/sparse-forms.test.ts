import { describe, expect, test } from 'vitest';
import type { RecordedCall } from '../../src/engine/index.js';
import { conv2d, linear, reshape, type Tensor } from '../../src/tensor/index.js';
import {
  type CompileOptions,
  calibrateKernels,
  compile,
  fitCosts,
  type KernelChoice,
  type KernelCosts,
  loadPlan,
  type Plan,
  savePlan,
} from '../../src/trace/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

/** Weights of which units of `height` output channels are zero: whole kernels, or taps. */
function pruned(seed: number, shape: readonly number[], height: number, share = 0.5): Tensor {
  const weight = uniformTensor(seed, shape);
  const inner = weight.size / (shape[0] as number);
  const width = shape.length === 4 && (shape[1] as number) > 1 ? (shape[2] as number) * (shape[3] as number) : 1;
  const draws = uniform(seed + 1, weight.size, 0, 1);
  const unit = (i: number) =>
    (Math.floor(Math.floor(i / inner) / height) * inner) / width + Math.floor((i % inner) / width);
  weight.assign(weight.dataSync().map((value, i) => ((draws[unit(i)] as number) < share ? 0 : value)));
  return weight;
}

const weights = {
  stem: uniformTensor(1, [16, 2, 3, 3]),
  full: pruned(2, [24, 16, 3, 3], 4),
  depthwise: pruned(3, [24, 1, 3, 3], 4, 0.4),
  strided: pruned(4, [32, 24, 1, 1], 2),
  pointwise: pruned(5, [32, 32, 1, 1], 8),
  head: pruned(6, [12, 32 * 16], 4),
};

/** Every kind of layer, with a shortcut around a sparse one. */
function network(x: Tensor): Tensor {
  const a = conv2d(x, weights.stem, undefined, { padding: 1 }).relu();
  const b = conv2d(a, weights.full, undefined, { padding: 1 }).relu();
  const c = conv2d(b, weights.depthwise, undefined, { padding: 1, groups: 24 }).relu();
  const d = conv2d(c, weights.strided, undefined, { stride: 2 });
  const e = conv2d(d, weights.pointwise).add(d);
  return linear(reshape(e, [1, -1]), weights.head);
}

const x = uniformTensor(7, [1, 2, 8, 8]);
const always = (dense: number, sparse: number): KernelCosts => ({ dense: () => dense, sparse: () => sparse });
const kernelsOf = (plan: Plan) => plan.data.recorded.calls.map(({ kernel }) => kernel);

function planned(costs: KernelCosts, options: CompileOptions = {}) {
  const choices: KernelChoice[] = [];
  const plan = compile(network, [x], {
    weights,
    ...options,
    sparse: { choose: 'model', costs, onChoice: (choice) => choices.push(choice) },
  });
  return { plan, choices };
}

describe('sparse forms in plans', () => {
  const { plan, choices } = planned(always(2, 1));

  test('every operator has one, in the blocks of its zeros', () => {
    expect(choices.map(({ layer, operator, kernel, blockHeight }) => [layer, operator, kernel, blockHeight])).toEqual([
      ['stem', 'convolution', 'dense', undefined],
      ['full', 'convolution', 'sparse', 4],
      ['depthwise', 'depthwise', 'sparse', 4],
      ['strided', 'pointwise', 'sparse', 2],
      ['pointwise', 'pointwise', 'sparse', 4],
      ['head', 'linear', 'sparse', 4],
    ]);
    expect(choices[1]).toMatchObject({
      predicted: { dense: 2, sparse: 1 },
      reason: '2.0 times as fast as the dense kernel',
    });
    expect(choices[0]).toMatchObject({ predicted: { dense: 2 }, reason: '3×3, not pointwise' });
    for (const kernel of ['sparseWindows', 'sparseTaps', 'sparseChannels', 'sparseVector'])
      expect(kernelsOf(plan)).toContain(kernel);
  });

  test('the plan computes what the network does, and the dense kernels stay where they are faster', () => {
    const wanted = network(x).dataSync();
    expectClose((plan.run(x)[0] as Tensor).view(), wanted, 1e-4);
    const other = planned(always(1, 1));
    expect(other.choices.every(({ kernel }) => kernel === 'dense')).toBe(true);
    expect(other.choices[1]?.reason).toBe('the dense kernel is 1.0 times as fast');
    expect(kernelsOf(other.plan).some((kernel) => kernel.startsWith('sparse'))).toBe(false);
  });

  test('int8 plans run them in int8, near to the floats', () => {
    const calibration = [[x], [uniformTensor(8, [1, 2, 8, 8])]];
    const int8 = planned(always(2, 1), { int8: { calibration } }).plan;
    for (const kernel of ['sparseWindowsInt8', 'sparseTapsInt8', 'sparseVectorInt8'])
      expect(kernelsOf(int8)).toContain(kernel);
    expect(kernelsOf(int8)).not.toContain('sparseChannels');
    const wanted = network(x).dataSync();
    const largest = Math.max(...wanted.map(Math.abs));
    const found = (int8.run(x)[0] as Tensor).view();
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - (found[i] as number))))).toBeLessThan(0.06 * largest);
    expectClose((loadPlan(savePlan(int8)).run(x)[0] as Tensor).view(), found, 0);
  });

  test('a saved plan computes the same; one whose offsets lead astray is refused', () => {
    const file = savePlan(plan);
    expect((loadPlan(file).run(x)[0] as Tensor).dataSync()).toEqual((plan.run(x)[0] as Tensor).dataSync());
    for (const kernel of ['sparseWindows', 'sparseTaps', 'sparseVector']) {
      const [call] = plan.data.recorded.calls.filter((own) => own.kernel === kernel) as [RecordedCall];
      const { buffer, byteOffset } = call.args.offsets as { buffer: number; byteOffset: number };
      const { contents } = plan.data.recorded.buffers[buffer] as { contents: Uint8Array };
      const view = new DataView(contents.buffer, contents.byteOffset);
      const before = view.getInt32(byteOffset, true);
      view.setInt32(byteOffset, 1 << 24, true);
      expect(() => savePlan(plan)).toThrow(`a call of "${kernel}" has the offset 16777216`);
      view.setInt32(byteOffset, before, true);
    }
  });

  test('a cost model that is missing is an error', () => {
    expect(() => compile(network, [x], { sparse: { choose: 'model' } })).toThrow('which "costs" lacks');
  });

  test('tiles of 32 pixels take single rows, and compute the same', () => {
    const weight = pruned(9, [16, 12, 1, 1], 4);
    const image = uniformTensor(1, [1, 12, 7, 9]);
    const layer = (input: Tensor) => conv2d(input, weight);
    const wide = compile(layer, [image], { sparse: { choose: 'rule', threshold: 0, tile: 32 } });
    expect(wide.data.recorded.calls[0]?.args).toMatchObject({ height: 1, wide: 1 });
    expectClose((wide.run(image)[0] as Tensor).view(), layer(image).view(), 1e-5);
  });
});

describe('the cost model', () => {
  test('is the line through its samples, without negative terms', () => {
    const line = (a: number, b: number, c: number) =>
      [
        [1e4, 1e3],
        [4e5, 2e3],
        [2e6, 9e4],
        [9e6, 3e4],
      ].map(([multiplyAdds, moved]) => ({
        multiplyAdds: multiplyAdds as number,
        moved: moved as number,
        milliseconds: a + b * (multiplyAdds as number) + c * (moved as number),
      }));
    for (const wanted of [
      [0.01, 5e-8, 3e-7],
      [0, 5e-8, 0],
      [0.02, 0, 1e-6],
    ] as const)
      fitCosts(line(wanted[0], wanted[1], wanted[2])).forEach((value, i) => {
        expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(1e-6 * (1e-3 + (wanted[i] as number)) + 1e-12);
      });
    for (const value of fitCosts(line(0.01, 5e-8, -1e-9))) expect(value).toBeGreaterThanOrEqual(0);
    expect(() => fitCosts([])).toThrow('determine no costs');
  });

  test('of this machine: more work takes longer, on every kernel', () => {
    const costs = calibrateKernels();
    const [little, much] = [
      { multiplyAdds: 1e5, moved: 1e4 },
      { multiplyAdds: 1e8, moved: 1e6 },
    ];
    for (const operator of ['pointwise', 'convolution', 'depthwise', 'grouped', 'linear'] as const)
      expect(costs.dense(operator, much)).toBeGreaterThan(5 * costs.dense(operator, little));
    for (const kernel of ['channels', 'windows', 'taps'] as const)
      expect(costs.sparse({ kernel, height: 4 }, much)).toBeGreaterThan(
        5 * costs.sparse({ kernel, height: 4 }, little),
      );
  });
});
