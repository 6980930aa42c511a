import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DType, memoryUse } from '../../src/engine/index.js';
import * as library from '../../src/tensor/index.js';
import {
  arange,
  cast,
  emptyTensor,
  eye,
  full,
  leaves,
  ones,
  Random,
  type Shape,
  scope,
  slice,
  Tensor,
  tensor,
  zeros,
} from '../../src/tensor/index.js';
import { uniformTensor } from '../oracle.js';

/** A known computation, whose result a damaged heap would change. */
function expectSoundHeap(): void {
  expect(scope(() => ones([1000]).sum().item())).toBe(1000);
}

const badSizes = [Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5, 2 ** 33, undefined, null, '2', {}];
const badTypes = ['float32', 'int32', 'f64', '', 'toString', 7] as unknown as DType[];

/** Constructors with a shape and, where they take one, an element type. */
const shaped: Readonly<Record<string, (shape: Shape, dtype?: DType) => Tensor>> = {
  zeros: (shape, dtype) => zeros(shape, dtype as 'f32'),
  ones: (shape, dtype) => ones(shape, dtype as 'f32'),
  full: (shape, dtype) => full(shape, 1, dtype as 'f32'),
  emptyTensor: (shape, dtype) => emptyTensor(shape, dtype ?? 'f32'),
  tensor: (shape, dtype) => tensor([1, 2, 3, 4], shape, dtype),
  'Random.uniform': (shape) => new Random(1).uniform(shape),
  'Random.normal': (shape) => new Random(1).normal(shape),
  'Random.bernoulli': (shape) => new Random(1).bernoulli(shape, 0.5),
};

describe('where a tensor is born', () => {
  test.each(Object.entries(shaped))('%s refuses sizes that are no whole numbers', (_, make) => {
    for (const size of badSizes)
      for (const shape of [[size], [2, size], [size, 0], [size, 2, 2]])
        expect(() => make(shape as number[]), String(shape)).toThrow(/shape|size|axis/);
    for (const shape of [3, '3', {}, Int32Array.of(2, 2)] as unknown as Shape[]) expect(() => make(shape)).toThrow();
    expectSoundHeap();
  });

  test('sizes of −1 and −4, whose product is the number of values, are refused', () => {
    expect(() => tensor([1, 2, 3, 4], [-1, -4])).toThrow('tensor: axis 0 of shape [-1, -4] is -1');
    expect(() => tensor([1, 2, 3], [1.5, 2])).toThrow('tensor: axis 0 of shape [1.5, 2] is 1.5');
  });

  test.each(['zeros', 'ones', 'full', 'emptyTensor', 'tensor'])('%s refuses unknown element types', (name) => {
    for (const dtype of badTypes) expect(() => shaped[name]?.([2, 2], dtype)).toThrow(/unknown element type/);
    expectSoundHeap();
  });

  test.each(['zeros', 'ones', 'full'])('%s refuses types that only store', (name) => {
    for (const dtype of ['u8', 'i8'] as const)
      expect(() => shaped[name]?.([8], dtype)).toThrow(`${name}: expected f32 or i32, got ${dtype}`);
  });

  test('a tensor keeps its shape when the array that gave it changes', () => {
    const shape = [2, 2];
    const made = [zeros(shape), tensor([1, 2, 3, 4], shape), tensor([1, 2], [2]).broadcastTo(shape)];
    shape[0] = 1000;
    for (const x of made) expect(x.shape).toEqual([2, 2]);
  });

  test('arange and eye refuse lengths that are no whole numbers', () => {
    for (const n of badSizes) {
      expect(() => arange(n as number)).toThrow(/arange|out of memory/);
      expect(() => eye(n as number)).toThrow(/eye|out of memory/);
    }
    expect(() => arange(2 ** 24 + 2)).toThrow('arange: f32 has no exact 16777217');
    expect(() => arange(300, 'u8' as 'f32')).toThrow('arange: expected f32 or i32');
  });

  test('a region outside its buffer is refused', () => {
    const x = zeros([4]);
    expect(() => new Tensor([5], 'f32', zeros([4]).buffer, 64, x.device)).toThrow('does not lie within a buffer');
    expect(() => new Tensor([1], 'f32', x.buffer, -4, x.device)).toThrow('does not lie within a buffer');
    expect(() => new Tensor([1], 'f32', x.buffer, 2, x.device)).toThrow('does not lie within a buffer');
  });
});

describe('values', () => {
  test.each([
    ['i32', 1.5],
    ['i32', Number.NaN],
    ['i32', 2 ** 31],
    ['i32', -(2 ** 31) - 1],
    ['u8', 256],
    ['u8', -1],
    ['i8', 128],
    ['f32', 1e39],
    ['f32', -1e39],
    ['f32', '1'],
    ['f32', true],
    ['f32', null],
    ['f32', 1n],
  ] as [DType, number][])('an element of type %s cannot be %s', (dtype, value) => {
    expect(() => tensor([0, value], [2], dtype)).toThrow(/element 1 is/);
    if (typeof value === 'number') {
      expect(() => tensor(Float64Array.of(0, value), [2], dtype)).toThrow('tensor: element 1 is');
      expect(() => tensor([0, 0], [2], dtype).assign(Float64Array.of(0, value) as never)).toThrow(/element 1 is/);
    }
    if (dtype === 'f32' || dtype === 'i32') expect(() => full([2], value, dtype)).toThrow('full: element 0 is');
  });

  test('the limits of each type are elements of it', () => {
    for (const [dtype, values] of [
      ['i32', [-(2 ** 31), 2 ** 31 - 1]],
      ['u8', [0, 255]],
      ['i8', [-128, 127]],
      ['f32', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4028234663852886e38, 1e-50]],
    ] as const)
      expect([...tensor([...values], undefined, dtype).view()]).toEqual(values.map((v) => (v === 1e-50 ? 0 : v)));
    expect(tensor(Number.NaN).item()).toBeNaN();
  });

  test('what is no array of numbers is refused', () => {
    const wrong = [
      undefined,
      null,
      'text',
      ['ab'],
      [[1], 2],
      [1, [2]],
      [[1, 2], [3]],
      [undefined],
      {},
      new DataView(new ArrayBuffer(4)),
      BigInt64Array.of(1n),
    ];
    for (const values of wrong) expect(() => tensor(values as unknown as number[]), String(values)).toThrow(/tensor: /);
    expectSoundHeap();
  });

  test('a number beside an i32 tensor must be an i32', () => {
    const x = tensor([1, 2], [2], 'i32');
    for (const value of [1.5, Number.NaN, 2 ** 31])
      expect(() => x.add(value)).toThrow('add with an i32 tensor: element');
    expect([...x.add(-2).view<Int32Array>()]).toEqual([-1, 0]);
    expect(() => x.multiply('2' as never)).toThrow('multiply: expected a tensor, got 2');
  });

  test('assign and full of other types leave neighbours alone', () => {
    const neighbours = [tensor(new Float32Array(64).fill(5)), tensor(new Float32Array(64).fill(7))];
    expect(() => full([1024], 1, 'u8' as 'f32')).toThrow();
    expect(() => cast(tensor([1, 2, 3]), 'u8' as 'f32')).toThrow('cast: expected f32 or i32, got u8');
    for (const dtype of ['u8', 'i8'] as const) {
      const bytes = tensor(
        Array.from({ length: 12 }, (_, i) => i),
        [3, 4],
        dtype,
      );
      for (const [name, operate] of Object.entries({
        transpose: () => bytes.transpose(),
        slice: () => bytes.slice(null, [1, 3]),
        pad: () =>
          bytes.pad([
            [1, 1],
            [0, 0],
          ]),
        broadcastTo: () => bytes.broadcastTo([2, 3, 4]),
        concatenate: () => library.concatenate([bytes, bytes]),
        gatherRows: () => bytes.gatherRows(tensor([0], [1], 'i32')),
        zerosLike: () => library.zerosLike(bytes),
      }))
        expect(operate, name).toThrow(`${name === 'transpose' ? 'permute' : name}: expected f32 or i32, got ${dtype}`);
      expect([...bytes.slice([1, 2]).view<Uint8Array>()]).toEqual([4, 5, 6, 7]);
    }
    expect(neighbours.map((x) => x.view()[0])).toEqual([5, 7]);
  });

  test('bounds of a slice that are no whole numbers are refused', () => {
    const x = tensor([0, 1, 2, 3, 4, 5]);
    for (const bound of [0.5, Number.NaN, undefined, '1'])
      for (const range of [
        [bound, 3],
        [0, bound],
      ])
        expect(() => slice(x, range as [number, number])).toThrow('slice: ');
    expect([...slice(x, [2, Number.POSITIVE_INFINITY]).view()]).toEqual([2, 3, 4, 5]);
  });
});

const f = (seed: number, ...shape: number[]) => uniformTensor(seed, shape);
const ints = (shape: number[], ...values: number[]) => tensor(Int32Array.from(values), shape);
const positive = (seed: number, ...shape: number[]) => uniformTensor(seed, shape, 0.1, 1);

/** Arguments with which each operation works; they are changed one by one into wrong ones. */
const operations: Readonly<Record<string, () => unknown[]>> = {
  abs: () => [f(1, 3, 4)],
  adaptiveAveragePool2d: () => [f(1, 1, 2, 5, 4), [2, 3]],
  adaptiveMaxPool2d: () => [f(1, 1, 2, 5, 4), 2],
  add: () => [f(1, 3, 4), f(2, 4)],
  affine: () => [f(1, 5), 2, 1],
  aggregate: () => [f(1, 1, 4, 3, 3), f(2, 1, 2, 9, 3, 3)],
  arange: () => [5, 'i32'],
  argmax: () => [f(1, 3, 4), 1],
  argmin: () => [f(1, 3, 4), 0],
  argsort: () => [f(1, 3, 4), 0, true],
  attention: () => [
    f(1, 1, 2, 3, 4),
    f(2, 1, 1, 5, 4),
    f(3, 1, 1, 5, 2),
    { causal: true, window: 3, mask: f(4, 3, 5), scale: 0.5 },
  ],
  averagePool2d: () => [f(1, 1, 2, 5, 4), [2, 2], { stride: 1, padding: [1, 0], countPadding: false }],
  batchNorm: () => [f(1, 2, 3, 4), f(2, 3), f(3, 3), 1e-5],
  batchNormInference: () => [f(1, 2, 3, 4), f(2, 3), f(3, 3), f(4, 3), positive(5, 3), 1e-5],
  broadcastTo: () => [f(1, 3, 1), [2, 3, 4]],
  cast: () => [f(1, 3), 'i32'],
  channelAffine: () => [f(1, 2, 3, 4), f(2, 3), f(3, 3)],
  clip: () => [f(1, 5), -0.5, 0.5],
  concatenate: () => [[f(1, 2, 3), f(2, 2, 1)], 1],
  conv1d: () => [f(1, 2, 4, 9), f(2, 4, 2, 3), f(3, 4), { stride: 1, padding: 'causal', dilation: 2, groups: 2 }],
  conv3d: () => [
    f(1, 1, 2, 3, 4, 3),
    f(2, 2, 2, 2, 1, 3),
    f(3, 2),
    { stride: [1, 2, 1], padding: [1, 0, 1], dilation: 1 },
  ],
  conv2d: () => [
    f(1, 1, 4, 6, 5),
    f(2, 2, 2, 3, 2),
    f(3, 2),
    { stride: [2, 1], padding: [1, 0], dilation: 1, groups: 2 },
  ],
  convTranspose2d: () => [
    f(1, 1, 4, 3, 4),
    f(2, 4, 1, 3, 2),
    f(3, 2),
    { stride: [2, 1], padding: [1, 0], outputPadding: [1, 0], dilation: 1, groups: 2 },
  ],
  cos: () => [f(1, 5)],
  cosineSimilarities: () => [f(1, 3, 4), f(2, 2, 4), 1e-12],
  cumulativeSum: () => [f(1, 3, 4), 0, true],
  divide: () => [f(1, 3, 4), positive(2, 4)],
  dropout: () => [f(1, 3, 4), 0.5, [1, 2]],
  einsum: () => ['ij,jk->ik', f(1, 3, 4), f(2, 4, 2)],
  elu: () => [f(1, 5), 0.5],
  emptyTensor: () => [[2, 3], 'f32'],
  equal: () => [f(1, 3, 4), f(1, 3, 4)],
  erf: () => [f(1, 5)],
  exp: () => [f(1, 5)],
  expandAxis: () => [f(1, 3), 0],
  eye: () => [4],
  fft: () => [{ re: f(1, 3, 6), im: f(2, 3, 6) }],
  fft2: () => [{ re: f(1, 4, 6), im: f(2, 4, 6) }],
  flip: () => [f(1, 3, 4), 0],
  floor: () => [f(1, 5)],
  full: () => [[2, 3], 4, 'f32'],
  gatherRows: () => [f(1, 4, 3), ints([3], 3, 0, 1)],
  gelu: () => [f(1, 5)],
  globalAveragePool: () => [f(1, 2, 3, 2, 2)],
  greater: () => [f(1, 3, 4), 0],
  greaterEqual: () => [f(1, 3, 4), f(2, 4)],
  groupNorm: () => [f(1, 2, 4, 3), 2, f(2, 4), f(3, 4), 1e-5],
  hardSigmoid: () => [f(1, 5)],
  hardSwish: () => [f(1, 5)],
  inverseFft: () => [{ re: f(1, 3, 5), im: f(2, 3, 5) }],
  inverseFft2: () => [{ re: f(1, 4, 3), im: f(2, 4, 3) }],
  layerNorm: () => [f(1, 3, 4), f(2, 4), f(3, 4), 1e-5],
  leakyRelu: () => [f(1, 5), 0.1],
  less: () => [f(1, 3, 4), f(2, 4)],
  lessEqual: () => [f(1, 3, 4), 0],
  linear: () => [f(1, 3, 4), f(2, 2, 4), f(3, 2), 'relu'],
  linearScan: () => [f(1, 2, 3, 4), f(2, 2, 3, 4), f(3, 2, 4)],
  log: () => [positive(1, 5)],
  logSoftmax: () => [f(1, 3, 4), 0],
  logSumExp: () => [f(1, 3, 4), [0], { keepAxes: true }],
  matmul: () => [f(1, 2, 3, 4), f(2, 5, 4), { transposeA: false, transposeB: true }],
  max: () => [f(1, 3, 4), [0, 1], { keepAxes: true }],
  maxPool1d: () => [f(1, 2, 3, 7), 3, { stride: 2, padding: 1 }],
  maxPool2d: () => [f(1, 1, 2, 5, 4), 2, { stride: [1, 2], padding: 1 }],
  maximum: () => [f(1, 3, 4), f(2, 4)],
  mean: () => [f(1, 3, 4), [1]],
  min: () => [f(1, 3, 4), 0],
  minimum: () => [f(1, 3, 4), 0.5],
  multiply: () => [f(1, 3, 4), 2],
  negate: () => [f(1, 5)],
  normalizeRows: () => [f(1, 3, 4), 1e-12],
  notEqual: () => [f(1, 3, 4), f(2, 4)],
  oneHot: () => [ints([3], 0, 2, 1), 4],
  ones: () => [[2, 3], 'i32'],
  pad: () => [
    f(1, 3, 4),
    [
      [1, 0],
      [0, 2],
    ],
    1,
  ],
  pairwiseDistances: () => [f(1, 3, 4), f(2, 2, 4), 1e-12],
  permute: () => [f(1, 2, 3, 4), [2, 0, 1]],
  pickColumns: () => [f(1, 3, 4), ints([3], 3, 0, 1)],
  positiveMask: () => [f(1, 3, 4), f(2, 4)],
  power: () => [positive(1, 3, 4), 3],
  putAlong: () => [f(1, 3, 2), ints([3, 2], 4, 0, 1, 1, 2, 3), 5],
  putRows: () => [f(1, 3, 2), ints([3, 2], 4, 0, 1, -1, 2, 3), 5],
  reciprocal: () => [positive(1, 5)],
  relu: () => [f(1, 5)],
  relu6: () => [f(1, 5)],
  reshape: () => [f(1, 3, 4), [2, -1]],
  resize: () => [f(1, 1, 2, 3, 4), [5, 2], { mode: 'bilinear', alignCorners: true }],
  rmsNorm: () => [f(1, 3, 4), f(2, 4), 1e-6],
  rotary: () => [f(1, 2, 3, 6), { cosines: f(2, 3, 2), sines: f(3, 3, 2) }, true],
  rotaryTables: () => [3, 4, { base: 100, start: 2, divisors: [1, 2], magnitude: 1 }],
  rsqrt: () => [positive(1, 5)],
  scatterAddRows: () => [f(1, 3, 2), ints([3], 3, 0, 3), 4],
  selectiveScan: () => [
    { x: f(1, 2, 4, 3), delta: positive(2, 2, 4, 3), a: f(3, 3, 2), b: f(4, 2, 4, 2), c: f(5, 2, 4, 2), d: f(6, 3) },
    { chunk: 3 },
  ],
  sigmoid: () => [f(1, 5)],
  sign: () => [f(1, 5)],
  silu: () => [f(1, 5)],
  sin: () => [f(1, 5)],
  slice: () => [f(1, 5, 4), [1, 4, 2], [3, -4, -1]],
  softmax: () => [f(1, 3, 4), 0],
  softplus: () => [f(1, 5)],
  sort: () => [f(1, 3, 4), 0, true],
  sqrt: () => [positive(1, 5)],
  square: () => [f(1, 5)],
  squaredDistances: () => [f(1, 3, 4), f(2, 2, 4)],
  squeeze: () => [f(1, 3, 1, 4), 1],
  stack: () => [[f(1, 2, 3), f(2, 2, 3)], 1],
  standardize: () => [f(1, 3, 4), 1e-5, true],
  signs: () => [f(1, 3)],
  stopGradient: () => [f(1, 3)],
  straightThrough: () => [f(1, 3), f(2, 3)],
  subtract: () => [1, f(1, 3)],
  sum: () => [f(1, 3, 4, 2), [0, 2], { keepAxes: false }],
  sumTo: () => [f(1, 3, 4), [4]],
  takeAlong: () => [f(1, 3, 4), ints([3, 2], 3, 0, 1, 1, 2, 0)],
  takeRows: () => [f(1, 4, 2), ints([3, 2], 3, -1, 1, 1, 2, 0)],
  tanh: () => [f(1, 5)],
  tensor: () => [
    [
      [1, 2],
      [3, 4],
    ],
    [4],
    'f32',
  ],
  topK: () => [f(1, 3, 4), 2, { axis: 1, largest: false }],
  transpose: () => [f(1, 2, 3, 4), 0, 2],
  unique: () => [ints([4], 3, 1, 3, 2)],
  center: () => [f(1, 3, 4), [1]],
  variance: () => [f(1, 3, 4), [1], { keepAxes: true, ddof: 1 }],
  where: () => [f(1, 3), f(2, 3), 0],
  zeros: () => [[2, 3], 'f32'],
  zerosLike: () => [f(1, 3)],
};

/** What takes functions, records of operations or trees, or trusts its caller by its name. */
const others = new Set(
  [
    'apply applyAll checkpoint grad isObserved joinedArrays jvp keep leaves mapTree observe onlyGradient privately scope unobserved',
    'valueAndGrad vjp watchReads whileRecording checkIndices requireChoice requireDType requireTensor convolutionCount',
    'broadcastShapes convolutionAttributes convolutionSizes pair triple formatShape sameShape sizeOf Random Scope Tensor gatherKnownRows putKnownRows',
    'throughReference productGradients',
  ].flatMap((names) => names.split(' ')),
);

const wildValues: readonly (() => unknown)[] = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, -1, -2, 0, 0.5, 1.5, 1, 2, 3, 7, 2 ** 33, 2 ** 33 + 2].map((n) => () => n),
  ...[undefined, null, 'x', '1', true, 'u8', 'i8', 'float32', [], [1], [1, 2, 3], [Number.NaN, 1], {}].map(
    (v) => () => v,
  ),
  () => f(9),
  () => f(9, 0),
  () => f(9, 1),
  () => f(9, 3),
  () => f(9, 4, 3),
  () => f(9, 2, 0, 3),
  () => f(9, 2, 2, 2, 2),
  () => f(9, 1, 1, 1, 1, 1),
  () => ints([4], 0, 100, -7, 2),
  () => ints([3, 4], ...Array.from({ length: 12 }, (_, i) => i)),
  () => tensor(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), [3, 4]),
  () => tensor(Int8Array.of(1, 2, 3)),
  () => f(9, 3).transpose,
];

/** Places in nested arguments: the path of each argument and of each value in a list or record. */
function places(value: unknown, path: readonly string[] = []): string[][] {
  const branch = Array.isArray(value) || (typeof value === 'object' && value?.constructor === Object);
  const inner = branch ? Object.entries(value as object).flatMap(([key, child]) => places(child, [...path, key])) : [];
  return path.length ? [[...path], ...inner] : inner;
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string, unknown>)[key] = replaced((value as Record<string, unknown>)[key], rest, by);
  return copy;
}

/** Fills the free blocks that small tensors get with a value. */
function poison(value: number): void {
  scope(() => {
    for (const size of [16, 32, 48, 64, 80, 96, 128, 256, 1024])
      for (let i = 0; i < 6; i++) tensor(new Float32Array(size).fill(value));
  });
}

/** Bits of every tensor in a result, and all else as it is. */
function contents(result: unknown): unknown[] {
  return leaves(result).map((leaf) => {
    if (!(leaf instanceof Tensor)) return leaf;
    expect(leaf.shape.every((size) => Number.isInteger(size) && size >= 0)).toBe(true);
    const values = leaf.dataSync();
    expect(values.length).toBe(leaf.shape.reduce((product, size) => product * size, 1));
    return { shape: leaf.shape, dtype: leaf.dtype, bytes: [...new Uint8Array(values.buffer)].join() };
  });
}

const exported = new Map<string, unknown>(Object.entries(library));

/** What a call gives after free memory was filled with a value: its result, or that it is refused. */
function outcome(name: string, args: () => readonly unknown[], fill: number): unknown[] | 'refused' {
  return scope(() => {
    const operation = exported.get(name) as (...args: readonly unknown[]) => unknown;
    const given = args();
    poison(fill);
    try {
      const result = operation(...given);
      return name === 'emptyTensor' ? [] : contents(result);
    } catch (error) {
      expect(error, `${name}: ${String(error)}`).toBeInstanceOf(Error);
      expect(error, `${name} reached outside memory`).not.toBeInstanceOf(WebAssembly.RuntimeError);
      return 'refused';
    }
  });
}

describe('right or refused', () => {
  test('every export is covered here', () => {
    const functions = Object.entries(library).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
    expect(functions.filter((name) => !operations[name] && !others.has(name))).toEqual([]);
    expect([...others, ...Object.keys(operations)].filter((name) => !(name in library))).toEqual([]);
  });

  test.each(Object.entries(operations))('%s, whatever its arguments are', (name, args) => {
    expect(outcome(name, args, 1e30), 'the arguments of the table').not.toBe('refused');
    const paths = places(args());
    const before = scope(() => memoryUse().buffers);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.constantFrom(...wildValues), (path, wild) => {
        const changed = () => replaced(args(), path, wild()) as unknown[];
        const first = outcome(name, changed, 1e30);
        // What depends on the contents of free memory comes from outside the tensors.
        expect(outcome(name, changed, -7)).toEqual(first);
        expectSoundHeap();
      }),
      { numRuns: Number(process.env.RUNS ?? 60), seed: 7 },
    );
    expect(scope(() => memoryUse().buffers)).toBe(before);
  });
});
