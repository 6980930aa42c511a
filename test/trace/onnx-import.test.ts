import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../src/tensor/index.js';
import { compile, importOnnx } from '../../src/trace/index.js';
import type { NodeProto, TensorProto } from '../../src/trace/onnx/schema.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { type Attributes, floats, ints, longs, modelFile, node, type Parts } from './onnx-models.js';

async function runtimeResults(file: Uint8Array, inputs: Readonly<Record<string, Tensor>>): Promise<number[][]> {
  const session = await InferenceSession.create(file, { logSeverityLevel: 4 });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [
      name,
      new OrtTensor(x.dtype === 'f32' ? 'float32' : 'int32', x.dataSync(), [...x.shape]),
    ]),
  );
  const results = await session.run(feeds);
  return session.outputNames.map((name) => Array.from(results[name]?.data as ArrayLike<number>, Number));
}

/** ONNX Runtime, direct run and plan must agree. */
async function expectRuntimeValues(parts: Parts, ...inputs: readonly Tensor[]): Promise<void> {
  const file = modelFile({ ...parts, inputs: inputs.map(({ shape }, i) => ({ name: 'xwb'[i] as string, shape })) });
  const expected = await runtimeResults(file, Object.fromEntries(inputs.map((x, i) => ['xwb'[i] as string, x])));
  const model = importOnnx(file);
  const plan = compile((...given) => model.forward(...given), inputs);
  for (const results of [model.forward(...inputs), plan.run(...inputs)])
    for (const [i, values] of expected.entries()) expectClose(results[i]?.view() as Float32Array, values, 1e-5);
  plan.dispose();
}

/** A model of one node of x (and more), run directly. */
function run(parts: Omit<Parts, 'inputs'>, x: Tensor): Tensor[] {
  return importOnnx(
    modelFile({ ...parts, inputs: [{ name: 'x', shape: x.shape, type: x.dtype === 'f32' ? 'float' : 'int32' }] }),
  ).forward(x);
}

/** The values that a graph without inputs gives. */
function constant(
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
  type: 'int64' | 'int32' | 'float' | 'bool' = 'int64',
  version = 17,
): number[] {
  const [y] = importOnnx(modelFile({ nodes, initializers, outputs: { y: type }, version })).forward();
  return Array.from((y as Tensor).dataSync());
}

const one = (opType: string, attributes: Attributes = {}, inputs: readonly string[] = ['x']) => [
  node(opType, inputs, ['y'], attributes),
];

describe('operators mean what their opset says', () => {
  const x = uniformTensor(1, [2, 3, 4], -2, 2);

  test.each(['Softmax', 'LogSoftmax', 'Hardmax'])(
    '%s joins axes before opset 13, and takes one from it on',
    async (opType) => {
      await expectRuntimeValues({ nodes: one(opType), version: 11 }, x);
      await expectRuntimeValues({ nodes: one(opType, { axis: 0 }), version: 12 }, x);
      await expectRuntimeValues({ nodes: one(opType, { axis: 1 }), version: 13 }, x);
      await expectRuntimeValues({ nodes: one(opType), version: 13 }, x);
    },
  );

  test('Celu of large values is their value', async () => {
    await expectRuntimeValues({ nodes: one('Celu', { alpha: { float: 0.1 } }) }, tensor([3e38, 1e-3, -0.1, -3e38]));
  });

  test('Shape takes start and end from opset 15 on', () => {
    const lengths = (attributes: Attributes, version = 15) =>
      Array.from(
        (run({ nodes: one('Shape', attributes), outputs: { y: 'int64' }, version }, x)[0] as Tensor).dataSync(),
      );
    expect(lengths({ start: 1 })).toEqual([3, 4]);
    expect(lengths({ start: -3, end: -1 })).toEqual([2, 3]);
    expect(lengths({ start: 2, end: 1 })).toEqual([]);
    expect(() => lengths({ start: 1 }, 13)).toThrow(
      'Shape "y" has the attribute "start", which is not supported in opset 13',
    );
  });

  test('ReduceSum without axes reduces all or none', async () => {
    await expectRuntimeValues({ nodes: one('ReduceSum', { noop_with_empty_axes: 1 }) }, x);
    await expectRuntimeValues({ nodes: one('ReduceSum') }, x);
    expect(() => run({ nodes: one('ReduceSum', { axes: [1] }) }, x)).toThrow('attribute "axes"');
    expect(() =>
      run({ nodes: one('ReduceSum', {}, ['x', 'axes']), initializers: [longs('axes', [1])], version: 12 }, x),
    ).toThrow('2 inputs, of which 1 are supported in opset 12');
  });

  test('ArgMax gives the last of equals where asked', () => {
    const equals = tensor([[3, 1, 3, 2]]);
    const position = (last: number) =>
      (
        run(
          { nodes: one('ArgMax', { axis: 1, select_last_index: last }), outputs: { y: 'int64' } },
          equals,
        )[0] as Tensor
      ).item();
    expect([position(0), position(1)]).toEqual([0, 2]);
  });

  test('Split by num_outputs makes the last part shorter', () => {
    const parts = (length: number, outputs: readonly string[], attributes: Attributes, version = 18) =>
      run(
        {
          nodes: [node('Split', ['x'], outputs, attributes)],
          outputs: Object.fromEntries(outputs.map((name) => [name, 'float'])),
          version,
        },
        uniformTensor(1, [length]),
      ).map(({ size }) => size);
    expect(parts(7, ['a', 'b', 'c'], { num_outputs: 3 })).toEqual([3, 3, 1]);
    expect(() => parts(7, ['a', 'b', 'c'], { num_outputs: 2 })).toThrow('splits into 2, but has 3 outputs');
    expect(() => parts(7, ['a', 'b'], {}, 13)).toThrow('cannot split 7 into 2 equal parts');
  });

  test('operators of other domains and opsets beyond the known are refused', () => {
    const [custom] = one('Relu');
    expect(() => run({ nodes: [{ ...(custom as NodeProto), domain: 'com.microsoft' }] }, x)).toThrow(
      'com.microsoft.Relu',
    );
    expect(() => run({ nodes: one('Relu'), version: 99 }, x)).toThrow('needs opset 99');
    expect(() => run({ nodes: one('Clip', { min: { float: 0 } }), version: 6 }, x)).toThrow(
      'Clip "y" has the meaning of opset 6',
    );
  });
});

describe('integers', () => {
  test('divide towards zero, in 32 and 64 bits', () => {
    const [a, b] = [
      [-7, 7, -7, 9],
      [2, -2, -2, 3],
    ];
    expect(constant(one('Div', {}, ['a', 'b']), [longs('a', a), longs('b', b)])).toEqual([-3, -3, 3, 3]);
    expect(constant(one('Div', {}, ['a', 'b']), [ints('a', a), ints('b', b)], 'int32')).toEqual([-3, -3, 3, 3]);
    const x = tensor([-7, 7, 5], [3], 'i32');
    const [y] = run({ nodes: one('Div', {}, ['x', 'b']), initializers: [ints('b', [2])], outputs: { y: 'int32' } }, x);
    expect([...(y as Tensor).dataSync()]).toEqual([-3, 3, 2]);
    expect(() => constant(one('Div', {}, ['a', 'b']), [longs('a', [1]), longs('b', [0])])).toThrow(
      'divides an integer by 0',
    );
  });

  test('broadcast in any direction', () => {
    const nodes = one('Add', {}, ['a', 'b']);
    expect(constant(nodes, [longs('a', [1, 2], [2, 1]), longs('b', [10, 20, 30], [1, 3])])).toEqual([
      11, 21, 31, 12, 22, 32,
    ]);
  });

  test('of 64 bits are exact or refused', () => {
    const product = (value: number) =>
      constant([node('Mul', ['a', 'a'], ['p']), node('Cast', ['p'], ['y'], { to: 1 })], [longs('a', [value])], 'float');
    expect(product(3e6)).toEqual([Math.fround(9e12)]);
    expect(() => product(3e8)).toThrow('computes the integer 90000000000000000');
    expect(() => constant(one('Identity', {}, ['a']), [longs('a', [2 ** 40])])).toThrow('does not fit 32 bits');
    expect(() => constant(one('Cast', { to: 6 }, ['a']), [longs('a', [2 ** 31])], 'int32')).toThrow(
      'does not fit 32 bits',
    );
  });

  test('of 64 bits that are traced are not computed in 32', () => {
    const file = modelFile({
      nodes: one('Mul', {}, ['x', 'x']),
      inputs: [{ name: 'x', shape: [2], type: 'int64' }],
      outputs: { y: 'int64' },
    });
    const model = importOnnx(file);
    const x = tensor([3, 70000], [2], 'i32');
    expect(() => model.forward(x)).toThrow('4900000000, which does not fit 32 bits');
    expect(() => compile((given) => model.forward(given), [x])).toThrow('64-bit integers that change with the inputs');
  });

  test('select rows within the axis, however large they are', () => {
    const gather = (data: TensorProto, index: readonly number[]) =>
      constant(one('Gather', {}, ['d', 'i']), [data, longs('i', index)]);
    expect(gather(longs('d', [1, 2, 3, 4, 5, 6], [3, 2]), [-1, 0])).toEqual([5, 6, 1, 2]);
    expect(() => gather(longs('d', [1, 2, 3]), [2 ** 32 + 1])).toThrow('Gather "y" takes index 4294967297 of 3');
    const floatRows = () =>
      constant(one('Gather', {}, ['d', 'i']), [floats('d', [1, 2, 3]), longs('i', [2 ** 32])], 'float');
    expect(floatRows).toThrow('index 4294967296 of 3');
  });

  test('become booleans that are 0 or 1', () => {
    expect(constant(one('Cast', { to: 9 }, ['a']), [longs('a', [0, 5, -1])], 'bool')).toEqual([0, 1, 1]);
    expect(constant(one('Cast', { to: 9 }, ['a']), [floats('a', [0, 0.5, -2, -0])], 'bool')).toEqual([0, 1, 1, 0]);
    expect(constant(one('Cast', { to: 9 }, ['a']), [ints('a', [0, 7])], 'bool')).toEqual([0, 1]);
    expect(() => constant(one('Cast', { to: 10 }, ['a']), [longs('a', [1])])).toThrow('casts to element type 10');
  });
});

describe('images', () => {
  const x = uniformTensor(2, [1, 2, 5, 4]);
  const w = uniformTensor(3, [2, 3, 3, 2]);

  test.each<[string, Attributes]>([
    ['the default', {}],
    ['even padding', { pads: [1, 0, 1, 0], strides: [2, 1] }],
    ['uneven padding', { pads: [1, 0, 0, 1], strides: [2, 3] }],
    ['output padding', { output_padding: [1, 2], strides: [2, 3] }],
    ['an output shape', { output_shape: [10, 8], strides: [2, 2] }],
    ['SAME_UPPER', { auto_pad: 'SAME_UPPER', strides: [2, 2] }],
    ['SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 2] }],
    ['dilations', { dilations: [2, 1], group: 1 }],
  ])('ConvTranspose with %s', async (_, attributes) => {
    await expectRuntimeValues(
      { nodes: one('ConvTranspose', attributes, ['x', 'w', 'b']) },
      x,
      w,
      uniformTensor(4, [3]),
    );
  });

  test.each<[string, Attributes]>([
    ['half pixels', { mode: 'linear' }],
    ['aligned corners', { mode: 'linear', coordinate_transformation_mode: 'align_corners' }],
    ['asymmetric coordinates', { mode: 'linear', coordinate_transformation_mode: 'asymmetric' }],
    ['cubic weights', { mode: 'cubic', cubic_coeff_a: { float: -0.5 } }],
    ['cubic weights inside alone', { mode: 'cubic', exclude_outside: 1 }],
    ['cubic weights and aligned corners', { mode: 'cubic', coordinate_transformation_mode: 'align_corners' }],
    ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].flatMap((nearest_mode) =>
      ['half_pixel', 'asymmetric', 'align_corners'].map((coordinate_transformation_mode): [string, Attributes] => [
        `${nearest_mode} of ${coordinate_transformation_mode}`,
        { mode: 'nearest', nearest_mode, coordinate_transformation_mode },
      ]),
    ),
  ])('Resize by %s', async (_, attributes) => {
    for (const size of [
      [1, 2, 7, 9],
      [1, 2, 3, 2],
    ])
      await expectRuntimeValues(
        { nodes: one('Resize', attributes, ['x', '', '', 'sizes']), initializers: [longs('sizes', size)] },
        x,
      );
  });

  test('Resize goes by the given scales, not by the quotient of lengths', async () => {
    const nodes = one('Resize', { mode: 'linear' }, ['x', '', 'scales']);
    await expectRuntimeValues({ nodes, initializers: [floats('scales', [1, 1, 1.7, 2.3])] }, x);
    await expectRuntimeValues({ nodes, initializers: [floats('scales', [1, 1, 0.6, 0.5])] }, x);
    expect(() =>
      run(
        {
          nodes: one('Resize', { mode: 'linear', antialias: 1 }, ['x', '', 'scales']),
          initializers: [floats('scales', [1, 1, 0.5, 0.5])],
          version: 18,
        },
        x,
      ),
    ).toThrow('antialias');
  });

  test.each<[string, Attributes]>([
    ['uneven padding', { pads: [1, 0, 0, 1] }],
    ['a last window that reaches beyond', { ceil_mode: 1, strides: [2, 2] }],
    ['SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 2] }],
  ])('pools with %s', async (_, attributes) => {
    const nodes = (opType: string) => one(opType, { kernel_shape: [2, 2], ...attributes });
    await expectRuntimeValues({ nodes: nodes('MaxPool') }, x);
    await expectRuntimeValues({ nodes: nodes('AveragePool') }, x);
  });

  test('sequences are convolved and pooled along their one axis', async () => {
    const sequence = uniformTensor(5, [2, 3, 9]);
    await expectRuntimeValues(
      { nodes: one('Conv', { strides: [2], pads: [1, 0] }, ['x', 'w']) },
      sequence,
      uniformTensor(6, [4, 3, 3]),
    );
    await expectRuntimeValues({ nodes: one('MaxPool', { kernel_shape: [3], strides: [2] }) }, sequence);
  });

  test('geometry of the wrong length or sign is refused', () => {
    const convolve = (attributes: Attributes) => () =>
      importOnnx(
        modelFile({
          nodes: one('Conv', attributes, ['x', 'w']),
          inputs: [{ name: 'x', shape: [1, 3, 5, 5] }],
          initializers: [floats('w', new Array(12).fill(1), [1, 3, 2, 2])],
        }),
      ).forward(uniformTensor(1, [1, 3, 5, 5]));
    expect(convolve({ strides: [2] })).toThrow('Conv "y" has strides [2], expected 2 of 1 and more');
    expect(convolve({ strides: [2, 0] })).toThrow('strides [2, 0]');
    expect(convolve({ dilations: [1, 1, 1] })).toThrow('dilations');
    expect(convolve({ pads: [1, 1] })).toThrow('has 2 pads, expected 4');
    expect(convolve({ pads: [-1, 0, 0, 0] })).toThrow('pads');
    expect(convolve({ kernel_shape: [3, 3] })).toThrow('kernel_shape [3, 3], but a weight [1, 3, 2, 2]');
    expect(convolve({ auto_pad: 'SAME_UPPER', pads: [1, 1, 1, 1] })).toThrow('both auto_pad and pads');
    expect(convolve({ auto_pad: 'SAME' })).toThrow('auto_pad "SAME"');
  });
});

describe('nothing in a file is ignored', () => {
  const x = uniformTensor(1, [2, 3]);
  const relu = one('Relu');

  test('attributes that no reader knows, or of another type', () => {
    expect(() => run({ nodes: one('Relu', { slope: 1 }) }, x)).toThrow(
      'importOnnx: Relu "y" has the attribute "slope", which is not supported in opset 17',
    );
    expect(() => run({ nodes: one('LeakyRelu', { alpha: 1 }) }, x)).toThrow(
      'LeakyRelu "y" has the attribute "alpha", which is no float',
    );
    expect(() => run({ nodes: one('Transpose', { perm: 'a' }) }, x)).toThrow('"perm", which is no ints');
    expect(() => run({ nodes: one('Gemm', { transA: 2 }, ['x', 'x']) }, x)).toThrow('transA 2, expected 0 or 1');
  });

  test('inputs and outputs beyond those of the operator, or missing', () => {
    expect(() => run({ nodes: one('Relu', {}, ['x', 'x']) }, x)).toThrow(
      'Relu "y" has 2 inputs, of which 1 are supported',
    );
    expect(() => run({ nodes: one('Add', {}, ['x', '']) }, x)).toThrow('Add "y" lacks input 1');
    expect(() => run({ nodes: one('Relu', {}, ['z']) }, x)).toThrow('reads "z", which nothing made before');
    const pool = node('MaxPool', ['x'], ['y', 'indices'], { kernel_shape: [1, 1] });
    expect(() => run({ nodes: [pool] }, uniformTensor(1, [1, 1, 2, 2]))).toThrow(
      'has 2 outputs, of which 1 are supported',
    );
    expect(() => run({ nodes: [...relu, ...relu] }, x)).toThrow('makes "y", which is there already');
    expect(() => run({ nodes: relu, outputs: { z: 'float' } }, x)).toThrow('no node makes the output "z"');
  });

  test('data in other files, and inputs that do not fit the declaration', () => {
    const outside: TensorProto = { ...floats('w', [1, 2, 3]), dataLocation: 1 };
    expect(() => run({ nodes: one('Add', {}, ['x', 'w']), initializers: [outside] }, x)).toThrow('another file');
    const model = importOnnx(modelFile({ nodes: relu, inputs: [{ name: 'x', shape: [2, 3] }] }));
    expect(() => model.forward(uniformTensor(1, [3, 2]))).toThrow('input "x" is Tensor(f32[3, 2]), expected f32[2, 3]');
    expect(() => model.forward(tensor([1, 2, 3, 4, 5, 6], [2, 3], 'i32'))).toThrow('expected f32[2, 3]');
    expect(() => importOnnx(modelFile({ nodes: relu, inputs: [{ name: 'x', shape: [2], type: 'float16' }] }))).toThrow(
      'element type 10',
    );
  });

  test('values that a trace would fix to its example', () => {
    const file = modelFile({
      nodes: one('Slice', {}, ['x', 'starts', 'ends']),
      inputs: [
        { name: 'x', shape: [5] },
        { name: 'starts', shape: [1], type: 'int64' },
      ],
      initializers: [longs('ends', [4])],
    });
    const model = importOnnx(file);
    const inputs = [uniformTensor(1, [5]), tensor([1], [1], 'i32')] as const;
    expect(model.forward(...inputs)[0]?.shape).toEqual([3]);
    expect(() => compile((...given) => model.forward(...given), inputs)).toThrow("change with the model's inputs");
  });
});

test('tensors far larger than what the file declares are refused, unless asked for', () => {
  const x = uniformTensor(1, [1, 1, 2, 2]);
  const expanded = (length: number, mostElements?: number) => {
    const file = modelFile({
      nodes: one('Expand', {}, ['x', 'shape']),
      inputs: [{ name: 'x', shape: x.shape }],
      initializers: [longs('shape', [length, 1, 2, 2])],
    });
    return importOnnx(file, { ...(mostElements && { mostElements }) }).forward(x)[0]?.size;
  };
  expect(expanded(1000)).toBe(4000);
  expect(() => expanded(1000, 3999)).toThrow('makes a tensor [1000, 1, 2, 2], above the limit of 3999 elements');
  expect(() => expanded(2 ** 23)).toThrow('above the limit of 4194304 elements: raise mostElements');
});

test('Slice limits its ends as ONNX does', () => {
  const slice = (start: number, end: number, step: number) =>
    constant(one('Slice', {}, ['d', 's', 'e', 'a', 't']), [
      longs('d', [0, 1, 2, 3, 4]),
      ...Object.entries({ s: start, e: end, a: 0, t: step }).map(([name, value]) => longs(name, [value])),
    ]);
  expect(slice(-9, 9, 2)).toEqual([0, 2, 4]);
  expect(slice(9, -9, -1)).toEqual([4, 3, 2, 1, 0]);
  expect(slice(-2, -2e9, -2)).toEqual([3, 1]);
  expect(slice(-9, -9, -1)).toEqual([0]);
  expect(slice(3, 1, 1)).toEqual([]);
  expect(() => slice(0, 1, 0)).toThrow('steps 0');
});

test('booleans of a file are buffers, not parameters', () => {
  const mask: TensorProto = { name: 'mask', dataType: 9, dims: [2], rawData: new Uint8Array([0, 255]) };
  const model = importOnnx(
    modelFile({ nodes: one('Not', {}, ['mask']), initializers: [mask], outputs: { y: 'bool' } }),
  );
  expect(model.weights.mask?.role).toBe('buffer');
  expect([...(model.forward()[0] as Tensor).dataSync()]).toEqual([1, 0]);
});
