import { describe, expect, test } from 'vitest';
import {
  channelLists,
  depthsOf,
  PlaneConvolution,
  type PlaneConvolutionOptions,
  PlaneGrid,
  type SignThreshold,
  signPlanes,
} from '../../src/quantized/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { compile, loadPlan, savePlan } from '../../src/trace/index.js';
import { uniformTensor } from '../oracle.js';

const signOf = (value: number) => (value < 0 ? -1 : 1);

/** Sums of a binary convolution, −1 around the maps, by loops over integers. */
function directSums(x: Tensor, weight: Tensor, stride: number): { values: number[]; shape: number[] } {
  const [images, channels, height, width] = x.shape as [number, number, number, number];
  const [filters, , kernel] = weight.shape as [number, number, number];
  const before = (kernel - 1) / 2;
  const [high, wide] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  const [xs, ws] = [x.dataSync(), weight.dataSync()];
  const values: number[] = [];
  for (let n = 0; n < images; n++)
    for (let o = 0; o < filters; o++)
      for (let i = 0; i < high; i++)
        for (let j = 0; j < wide; j++) {
          let sum = 0;
          for (let c = 0; c < channels; c++)
            for (let dy = 0; dy < kernel; dy++)
              for (let dx = 0; dx < kernel; dx++) {
                const [y, z] = [stride * i + dy - before, stride * j + dx - before];
                const inside = y >= 0 && y < height && z >= 0 && z < width;
                const value = inside ? signOf(xs[((n * channels + c) * height + y) * width + z] as number) : -1;
                sum += value * signOf(ws[((o * channels + c) * kernel + dy) * kernel + dx] as number);
              }
          values.push(sum);
        }
  return { values, shape: [images, filters, high, wide] };
}

/** A random parent before each channel but the first, some of them negated. */
function randomCodes(filters: number, random: Random, negated = false): Int32Array {
  return Int32Array.from({ length: filters }, (_, channel) => {
    if (channel === 0) return -1;
    const parent = Math.floor(random.float() * channel);
    return negated && random.float() < 0.5 ? -2 - parent : parent;
  });
}

interface Case {
  readonly images: number;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly size: readonly [number, number];
}

const cases: readonly Case[] = [
  { images: 1, channels: 1, filters: 1, kernel: 1, stride: 1, size: [1, 1] },
  { images: 3, channels: 5, filters: 7, kernel: 3, stride: 1, size: [9, 13] },
  { images: 2, channels: 20, filters: 6, kernel: 3, stride: 2, size: [14, 14] },
  { images: 2, channels: 4, filters: 5, kernel: 3, stride: 2, size: [7, 11] },
  { images: 1, channels: 40, filters: 9, kernel: 1, stride: 1, size: [16, 17] },
  { images: 2, channels: 3, filters: 4, kernel: 5, stride: 1, size: [6, 5] },
  { images: 1, channels: 3, filters: 4, kernel: 5, stride: 3, size: [10, 8] },
];

function sumsOf({ images, kernel, stride, size }: Case, x: Tensor, options: Partial<PlaneConvolutionOptions>): Tensor {
  const map = { size, phases: stride };
  const grid = new PlaneGrid(images, map, kernel);
  const { weight, parents } = options as Pick<PlaneConvolutionOptions, 'weight' | 'parents'>;
  const convolution = new PlaneConvolution({ stride, map, grid, ...options, weight, parents });
  return convolution.forward(signPlanes(x, grid, stride));
}

const operands = ({ images, channels, filters, kernel, size }: Case) => [
  uniformTensor(1, [images, channels, ...size]),
  uniformTensor(2, [filters, channels, kernel, kernel]),
];

describe('a binary convolution on planes of bits', () => {
  test.each(cases)('equals direct sums in every integer: $kernel×$kernel, stride $stride, $size', (own) => {
    const [x, weight] = operands(own) as [Tensor, Tensor];
    const expected = directSums(x, weight, own.stride);
    const random = new Random(3);
    const orders = [
      new Int32Array(own.filters).fill(-1),
      randomCodes(own.filters, random),
      randomCodes(own.filters, random, true),
    ];
    for (const parents of orders)
      for (const schedule of ['pixels', 'levels'] as const) {
        const y = sumsOf(own, x, { weight, parents, schedule });
        expect(y.shape).toEqual(expected.shape);
        expect(Array.from(y.dataSync())).toEqual(expected.values);
      }
  });

  test('zero is 1, and identical channels are copies', () => {
    const own: Case = { images: 1, channels: 2, filters: 3, kernel: 3, stride: 1, size: [5, 5] };
    const x = tensor(new Float32Array(50), [1, 2, 5, 5]);
    const weight = tensor(
      Float32Array.from({ length: 54 }, (_, at) => ((at % 18) % 3 === 0 ? -0.5 : 0)),
      [3, 2, 3, 3],
    );
    const y = sumsOf(own, x, { weight, parents: [1, -1, 1] });
    expect(Array.from(y.dataSync())).toEqual(directSums(x, weight, 1).values);
  });

  test('a chain of layers by thresholds of either direction equals direct sums and comparisons', () => {
    const [images, size] = [2, [11, 10] as const];
    const widths = [3, 6, 5, 4];
    const strides = [1, 2, 2];
    const random = new Random(5);
    const weights = strides.map((_, at) =>
      uniformTensor(10 + at, [widths[at + 1] as number, widths[at] as number, 3, 3]),
    );
    const limits = strides.map((_, at): SignThreshold[] =>
      Array.from({ length: widths[at + 1] as number }, (__, channel) => ({
        // Some above and below all sums.
        least: channel === 0 ? 1000 : channel === 1 ? -1000 : Math.floor(7 * random.float()) - 3,
        turned: channel % 2 === 0,
      })),
    );
    const x = uniformTensor(4, [images, 3, ...size]);
    let expected = x;
    let map = { size, phases: 4 } as { size: readonly [number, number]; phases: number };
    const grid = new PlaneGrid(images, map, 3);
    let bits = signPlanes(x, grid, 4);
    for (const [at, weight] of weights.entries()) {
      const stride = strides[at] as number;
      const thresholds = limits[at] as SignThreshold[];
      const isLast = at === weights.length - 1;
      const parents = randomCodes(widths[at + 1] as number, random, true);
      const convolution = new PlaneConvolution({
        ...{ weight, parents, stride, map, grid },
        ...(!isLast && { thresholds }),
      });
      const { values, shape } = directSums(expected, weight, stride);
      const pixels = (shape[2] as number) * (shape[3] as number);
      const signed = values.map((value, i) => {
        const { least, turned } = thresholds[Math.floor(i / pixels) % (shape[1] as number)] as SignThreshold;
        return value >= least !== turned ? 1 : -1;
      });
      expected = tensor(Float32Array.from(isLast ? values : signed), shape);
      bits = convolution.forward(bits);
      map = convolution.map;
    }
    expect(bits.shape).toEqual(expected.shape);
    expect(Array.from(bits.dataSync())).toEqual(Array.from(expected.dataSync()));
  });

  test('a plan of it is saved, checked and loaded, in both schedules', () => {
    const own = cases[2] as Case;
    const [x, weight] = operands(own) as [Tensor, Tensor];
    const map = { size: own.size, phases: 2 };
    const grid = new PlaneGrid(own.images, map, 3);
    for (const schedule of ['pixels', 'levels'] as const) {
      const parents = randomCodes(own.filters, new Random(1));
      const convolution = new PlaneConvolution({ weight, parents, stride: 2, map, grid, schedule });
      const plan = compile((images) => convolution.forward(signPlanes(images, grid, 2)), [x]);
      const loaded = loadPlan(savePlan(plan));
      expect(Array.from((loaded.run(x)[0] as Tensor).dataSync())).toEqual(directSums(x, weight, 2).values);
      const call = plan.data.recorded.calls.find(
        ({ kernel }) => kernel.startsWith('planeT') || kernel === 'planeLevels',
      );
      for (const [name, value] of [
        ['guard', 0],
        ['kernel', 99],
        ['filters', own.filters + 1],
        ['slices', 40],
        ['vectors', 64],
        ['stride', 3],
      ] as const) {
        const calls = plan.data.recorded.calls.map((one) =>
          one === call ? { ...one, args: { ...one.args, [name]: value } } : one,
        );
        const broken = { ...plan, data: { ...plan.data, recorded: { ...plan.data.recorded, calls } } };
        expect(() => savePlan(broken as unknown as typeof plan), name).toThrow('plan:');
      }
    }
  });

  test('refuses what it cannot compute', () => {
    const map = { size: [4, 4], phases: 1 } as const;
    const grid = new PlaneGrid(1, map, 3);
    const make = (shape: readonly number[], parents: readonly number[], stride = 1) =>
      new PlaneConvolution({ weight: uniformTensor(1, shape), parents, stride, map, grid });
    expect(() => make([2, 3, 2, 2], [-1, 0])).toThrow('odd squares');
    expect(() => make([2, 3, 3, 3], [-1])).toThrow('1 parents for 2 filters');
    expect(() => make([2, 3, 3, 3], [-1, 0], 2)).toThrow('does not divide 1 phases');
    expect(() => make([2, 3, 3, 3], [-1, 2])).toThrow('parent code 2');
    expect(() => make([2, 3, 3, 3], [1, 0])).toThrow('circle');
    expect(() => signPlanes(uniformTensor(1, [2, 1, 4, 4]), grid, 1)).toThrow('do not fit a grid');
  });
});

describe('the lists of a tree', () => {
  test('hold depths, differences and the order by depth', () => {
    expect(Array.from(depthsOf([2, -1, 1, -2 - 2]))).toEqual([2, 0, 1, 2]);
    const weights = [1, 1, 1, -1, -1, -1, 1, -1, -1];
    const lists = channelLists(weights, 3, [1, -1, 1]);
    expect(Array.from(lists.order)).toEqual([1, 0, 2]);
    expect(Array.from(lists.differences)).toEqual([3, 3, 1]);
    expect(lists.levels).toEqual([0, 1, 3]);
    expect(Array.from(lists.parents)).toEqual([-1, 0, 0]);
    // Channel 2 differs from channel 1 in its first weight, which is 1: its plane is added as it
    // is.
    expect(lists.offsets[32]).toBe(0);
    expect(Array.from(lists.offsets.subarray(33)).every((offset) => offset === 16 * 6)).toBe(true);
  });
});
