import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setThreads, threads } from '../../src/engine/index.js';
import {
  conv1d,
  conv2d,
  convTranspose2d,
  Random,
  scope,
  type Tensor,
  tensor,
  valueAndGrad,
} from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

interface Case {
  readonly images: number;
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** The definition, as loops over every index. */
function convolveByLoops(
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
  c: Case,
): { values: number[]; shape: number[] } {
  const [outHeight, outWidth] = [0, 1].map((axis) => {
    const size = axis === 0 ? c.height : c.width;
    return (
      Math.floor(
        (size + 2 * (c.padding[axis] as number) - (c.dilation[axis] as number) * ((c.kernel[axis] as number) - 1) - 1) /
          (c.stride[axis] as number),
      ) + 1
    );
  }) as [number, number];
  const perGroup = c.channels / c.groups;
  const filtersPerGroup = c.filters / c.groups;
  const [xs, ws] = [x.view(), w.view()];
  const values: number[] = [];
  for (let n = 0; n < c.images; n++)
    for (let o = 0; o < c.filters; o++)
      for (let i = 0; i < outHeight; i++)
        for (let j = 0; j < outWidth; j++) {
          let total = bias ? (bias.view()[o] as number) : 0;
          for (let ch = 0; ch < perGroup; ch++)
            for (let ky = 0; ky < c.kernel[0]; ky++)
              for (let kx = 0; kx < c.kernel[1]; kx++) {
                const y = i * c.stride[0] + ky * c.dilation[0] - c.padding[0];
                const xx = j * c.stride[1] + kx * c.dilation[1] - c.padding[1];
                if (y < 0 || y >= c.height || xx < 0 || xx >= c.width) continue;
                const channel = Math.floor(o / filtersPerGroup) * perGroup + ch;
                total +=
                  (xs[((n * c.channels + channel) * c.height + y) * c.width + xx] as number) *
                  (ws[((o * perGroup + ch) * c.kernel[0] + ky) * c.kernel[1] + kx] as number);
              }
          values.push(total);
        }
  return { values, shape: [c.images, c.filters, outHeight, outWidth] };
}

const cases = fc
  .record({
    images: fc.integer({ min: 1, max: 3 }),
    perGroup: fc.integer({ min: 1, max: 5 }),
    filtersPerGroup: fc.integer({ min: 1, max: 9 }),
    groups: fc.integer({ min: 1, max: 4 }),
    height: fc.integer({ min: 1, max: 13 }),
    width: fc.integer({ min: 1, max: 40 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    padding: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
    dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  })
  .map(({ perGroup, filtersPerGroup, ...rest }) => ({
    ...rest,
    channels: perGroup * rest.groups,
    filters: filtersPerGroup * rest.groups,
  }))
  .filter((c) =>
    [0, 1].every(
      (axis) =>
        (axis ? c.width : c.height) + 2 * (c.padding[axis] as number) >
        (c.dilation[axis] as number) * ((c.kernel[axis] as number) - 1),
    ),
  );

function operandsOf(c: Case): [x: Tensor, w: Tensor, bias: Tensor] {
  return [
    uniformTensor(1, [c.images, c.channels, c.height, c.width]),
    uniformTensor(2, [c.filters, c.channels / c.groups, ...c.kernel]),
    uniformTensor(3, [c.filters]),
  ];
}

const named: Record<string, Case> = Object.fromEntries(
  (
    [
      ['pointwise, many channels', 1, 520, 13, 1, 7, 7, 1, 1, 0, 1],
      ['3×3 beyond one block of channels', 1, 70, 9, 1, 5, 17, 3, 1, 1, 1],
      ['7×7 stride 2, as a ResNet begins', 1, 3, 14, 1, 20, 30, 7, 2, 3, 1],
      ['depthwise 3×3', 2, 9, 9, 9, 14, 13, 3, 1, 1, 1],
      ['depthwise 3×3 stride 2', 2, 9, 9, 9, 15, 37, 3, 2, 1, 1],
      ['depthwise 7×7', 1, 5, 5, 5, 14, 50, 7, 1, 3, 1],
      ['depthwise 31×31', 1, 2, 2, 2, 12, 33, 31, 1, 15, 1],
      ['depthwise, dilated', 1, 4, 4, 4, 12, 12, 3, 1, 2, 2],
      ['padding wider than the kernel', 1, 2, 3, 1, 4, 4, 2, 1, 4, 1],
    ] as const
  ).map(([name, images, channels, filters, groups, height, width, kernel, stride, padding, dilation]) => [
    name,
    {
      images,
      channels,
      filters,
      groups,
      height,
      width,
      kernel: [kernel, kernel],
      stride: [stride, stride],
      padding: [padding, padding],
      dilation: [dilation, dilation],
    },
  ]),
);

describe('conv2d equals its definition', () => {
  const check = (c: Case) =>
    scope(() => {
      const [x, w, bias] = operandsOf(c);
      const y = conv2d(x, w, bias, c);
      const { values, shape } = convolveByLoops(x, w, bias, c);
      expect(y.shape).toEqual(shape);
      expectClose(y.view(), values, 2e-5);
    });
  test.each(Object.entries(named))('%s', (_, c) => check(c));
  test('any shape', () => fc.assert(fc.property(cases, check), { numRuns: 300 }));
});

describe('gradients are the transposes of the forward pass', () => {
  // ⟨g, conv(x, w)⟩ is linear in x and in w: its gradients g∗x and g∗w must give the same number
  // back, for every element by itself.
  const check = (c: Case) =>
    scope(() => {
      const [x, w, bias] = operandsOf(c);
      const y = conv2d(x, w, bias, c);
      const g = uniformTensor(4, y.shape);
      const { gradient } = valueAndGrad((tree: { x: Tensor; w: Tensor; bias: Tensor }) =>
        conv2d(tree.x, tree.w, tree.bias, c).multiply(g).sum(),
      )({ x, w, bias });
      const pick = (t: Tensor, at: number) => {
        const unit = new Float32Array(t.size);
        unit[at] = 1;
        return tensor(unit, t.shape);
      };
      const random = new Random(9);
      const inner = (values: readonly number[]) =>
        values.reduce((total, value, i) => total + value * (g.view()[i] as number), 0);
      for (let trial = 0; trial < 6; trial++) {
        const atX = Math.floor(random.float() * x.size);
        expectClose(
          [gradient.x.view()[atX] as number],
          [inner(convolveByLoops(pick(x, atX), w, undefined, c).values)],
          5e-5,
        );
        const atW = Math.floor(random.float() * w.size);
        expectClose(
          [gradient.w.view()[atW] as number],
          [inner(convolveByLoops(x, pick(w, atW), undefined, c).values)],
          5e-5,
        );
      }
      const perFilter = y.size / c.images / c.filters;
      const biasGradient = new Float64Array(c.filters);
      g.view().forEach((value, i) => {
        const filter = Math.floor(i / perFilter) % c.filters;
        biasGradient[filter] = (biasGradient[filter] as number) + value;
      });
      expectClose(gradient.bias.view(), biasGradient, 5e-5);
    });
  test.each(Object.entries(named))('%s', (_, c) => check(c));
  test('any shape', () => fc.assert(fc.property(cases, check), { numRuns: 100 }));
});

test('gradients and their gradients equal finite differences', () => {
  const x = uniformTensor(1, [1, 2, 4, 5]);
  checkGradient(
    (v, w, b) => conv2d(v, w, b, { padding: 1, stride: [2, 1] }),
    [x, uniformTensor(2, [3, 2, 3, 3]), uniformTensor(3, [3])],
  );
  checkGradient(
    (v, w) => conv2d(v, w, undefined, { padding: 1, groups: 2 }).square(),
    [x, uniformTensor(2, [2, 1, 3, 3])],
    { tolerance: 3e-2 },
  );
  checkGradient(
    (v, w, b) => convTranspose2d(v, w, b, { stride: 2, padding: 1, outputPadding: 1 }),
    [x, uniformTensor(2, [2, 3, 3, 3]), uniformTensor(3, [3])],
  );
});

test('conv1d: causal output sees no later input', () => {
  const x = uniformTensor(1, [2, 3, 9]);
  const w = uniformTensor(2, [6, 1, 4]);
  const y = conv1d(x, w, undefined, { padding: 'causal', groups: 3, dilation: 2 });
  expect(y.shape).toEqual([2, 6, 9]);
  const later = tensor(
    x.dataSync().map((value, i) => (i % 9 > 5 ? 100 : value)),
    x.shape,
  );
  const z = conv1d(later, w, undefined, { padding: 'causal', groups: 3, dilation: 2 });
  for (let row = 0; row < 12; row++)
    expectClose(z.view().subarray(row * 9, row * 9 + 6), y.view().subarray(row * 9, row * 9 + 6));
  const naive = (n: number, o: number, t: number) =>
    [0, 1, 2, 3].reduce((total, k) => {
      const at = t + (k - 3) * 2;
      return at < 0
        ? total
        : total + (w.view()[o * 4 + k] as number) * (x.view()[(n * 3 + (o >> 1)) * 9 + at] as number);
    }, 0);
  expectClose(
    y.view(),
    Array.from({ length: 108 }, (_, i) => naive(Math.floor(i / 54), Math.floor(i / 9) % 6, i % 9)),
  );
});

test('padding same keeps ⌈size / stride⌉', () => {
  const y = conv2d(uniformTensor(1, [1, 2, 7, 10]), uniformTensor(2, [3, 2, 3, 3]), undefined, {
    stride: 2,
    padding: 'same',
  });
  expect(y.shape).toEqual([1, 3, 4, 5]);
});

test('results are the same bits on any number of threads', () => {
  const before = threads();
  const results = [1, 2, 3].map((count) => {
    setThreads(count);
    const x = uniformTensor(1, [4, 24, 30, 30]);
    const w = uniformTensor(2, [40, 24, 3, 3]);
    const { value, gradient } = valueAndGrad((t: { x: Tensor; w: Tensor }) =>
      conv2d(t.x, t.w, undefined, { padding: 1 }).square().sum(),
    )({ x, w });
    return [value, gradient.x, gradient.w].map((t) => t.dataSync());
  });
  setThreads(before);
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test('errors say what does not fit', () => {
  const x = uniformTensor(1, [1, 4, 5, 5]);
  expect(() => conv2d(x, uniformTensor(2, [3, 3, 3, 3]))).toThrow(
    'conv2d: 4 input channels in 1 groups do not fit weight [3, 3, 3, 3]',
  );
  expect(() => conv2d(x, uniformTensor(2, [3, 4, 7, 7]))).toThrow('does not fit an image of 5×5');
  expect(() => conv2d(x, uniformTensor(2, [4, 4, 3, 3]), undefined, { stride: 0 })).toThrow(
    'must be positive integers',
  );
});
