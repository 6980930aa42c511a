// Readers of models and plans, each of which computes with whatever it reads, and valid files of
// each.

import { inference, MLP } from '../../src/nn/index.js';
import {
  averagePool2d,
  conv2d,
  convTranspose2d,
  gatherRows,
  maxPool2d,
  Random,
  resize,
  type Tensor,
  tensor,
} from '../../src/tensor/index.js';
import { compile, exportOnnx, importOnnx, loadPlan, savePlan } from '../../src/trace/index.js';
import { checksum } from '../../src/trace/plan-file/file.js';
import { uniformTensor } from '../oracle.js';
import { floats, longs, modelFile, node } from './onnx-models.js';

const x = uniformTensor(1, [1, 2, 6, 5]);
const tokens = tensor(Int32Array.of(0, 2, 1), [3]);
const table = uniformTensor(2, [4, 3]);
const mlp = new MLP([4, 8, 3], new Random(3));
const weights = [
  uniformTensor(4, [4, 2, 3, 3]),
  uniformTensor(5, [4, 1, 3, 3]),
  uniformTensor(6, [4, 4, 3, 3]),
  uniformTensor(7, [4, 3, 2, 2]),
] as const;

/** Full, depthwise and transposed convolutions, pools, a resize, a shortcut. */
function convnet(image: Tensor): Tensor {
  const [full, depthwise, square, up] = weights;
  const a = conv2d(image, full, uniformTensor(8, [4]), { padding: 1 }).relu();
  const b = conv2d(a, depthwise, undefined, { padding: 1, groups: 4, stride: 2 });
  const c = conv2d(b, square, undefined, { padding: 'same' }).add(b).relu();
  const d = resize(convTranspose2d(c, up, undefined, { stride: 2 }), [5, 4]);
  return averagePool2d(maxPool2d(d, 2, { stride: 1 }), 2).softmax(-1);
}

const resized = modelFile({
  nodes: [
    node('Conv', ['x', 'w', 'b'], ['c'], { auto_pad: 'SAME_UPPER', strides: [2, 2], kernel_shape: [3, 3] }),
    node('Resize', ['c', '', 'scales'], ['r'], { mode: 'cubic', coordinate_transformation_mode: 'align_corners' }),
    node('ConvTranspose', ['r', 'u'], ['t'], { output_shape: [11, 12], strides: [2, 2] }),
    node('AveragePool', ['t'], ['p'], { kernel_shape: [2, 3], ceil_mode: 1, strides: [2, 2] }),
    node('Pad', ['p', 'pads'], ['q'], { mode: 'reflect' }),
    node('Split', ['q'], ['y', 'z'], { axis: 1, num_outputs: 2 }),
  ],
  inputs: [{ name: 'x', shape: x.shape }],
  initializers: [
    floats('w', [...weights[0].view()], weights[0].shape),
    floats('b', [1, 2, 3, 4]),
    floats('scales', [1, 1, 2, 2]),
    floats('u', [...weights[3].view()], weights[3].shape),
    longs('pads', [0, 0, 1, 1, 0, 0, 0, 1]),
  ],
  outputs: { y: 'float', z: 'float' },
  version: 18,
});

const shapes = modelFile({
  nodes: [
    node('Shape', ['x'], ['s'], { start: 1 }),
    node('Gather', ['s', 'i'], ['g'], { axis: 0 }),
    node('Mul', ['g', 'two'], ['m']),
    node('Div', ['m', 'two'], ['d']),
    node('Concat', ['one', 'd'], ['target'], { axis: 0 }),
    node('Expand', ['k', 'target'], ['e']),
    node('Slice', ['x', 'starts', 'ends', 'axes', 'steps'], ['l']),
    node('ReduceSum', ['l', 'axes'], ['r'], { keepdims: 0 }),
    node('TopK', ['r', 'one'], ['top', 'at'], { axis: -1 }),
    node('Tile', ['top', 'repeats'], ['y']),
    node('ConstantOfShape', ['target'], ['z'], { value: floats('', [2]) }),
  ],
  inputs: [{ name: 'x', shape: x.shape }],
  initializers: [
    longs('i', [-1, 0, 1]),
    longs('two', [2]),
    longs('one', [1]),
    floats('k', [1, 2], [1, 1, 2, 1]),
    ...Object.entries({ starts: 4, ends: -9, axes: 3, steps: -2 }).map(([name, value]) => longs(name, [value])),
    longs('repeats', [1, 2, 3]),
  ],
  outputs: { y: 'float', z: 'float', at: 'int64', e: 'float' },
});

function planFile(fn: (...inputs: Tensor[]) => unknown, inputs: readonly Tensor[], int8 = false): Uint8Array {
  const plan = compile(fn, inputs, int8 ? { int8: { calibration: [inputs] } } : {});
  const file = savePlan(plan, { name: 'fuzzed' });
  plan.dispose();
  return file;
}

/** Loads a plan and runs it on zeros. */
const runOnZeros = (file: Uint8Array): void => {
  const plan = loadPlan(file);
  try {
    const inputs = plan.data.inputs.map(({ shape, dtype }) =>
      tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape, dtype),
    );
    for (const output of plan.run(...inputs)) output.view();
  } finally {
    plan.dispose();
  }
};

/** The file with the checksum that belongs to it, so that damage gets past it. */
function resealed(file: Uint8Array): Uint8Array {
  const own = Uint8Array.from(file);
  const end = own.length - 4;
  if (end >= 0) new DataView(own.buffer).setUint32(end, checksum(own.subarray(0, end)), true);
  return own;
}

const planSeeds = () => [
  planFile(convnet, [x]),
  planFile((image) => convnet(image).sum(), [x], true),
  planFile(
    (a) => [mlp.forward(a, inference), a.argmax(1), a.permute([1, 0]).slice([3, 0, -2]).logSumExp(0)],
    [uniformTensor(9, [2, 4])],
  ),
  planFile((indices) => gatherRows(table, indices).multiply(2), [tokens]),
];

/** Cases of the fuzzed readers of this floor. */
export const traceCases = [
  {
    name: 'onnx of a convnet',
    seeds: () => [exportOnnx(convnet, [x]), resized, shapes],
    read: (file: Uint8Array): void => {
      for (const output of importOnnx(file).forward(x)) output.view();
    },
  },
  {
    name: 'onnx as a plan',
    seeds: () => [exportOnnx(convnet, [x]), resized],
    read: (file: Uint8Array): void => {
      const model = importOnnx(file, { mostElements: 2 ** 16 });
      const plan = compile((image) => model.forward(image), [x]);
      try {
        for (const output of plan.run(x)) output.view();
      } finally {
        plan.dispose();
      }
    },
  },
  { name: 'plan', seeds: planSeeds, read: runOnZeros },
  { name: 'plan past its checksum', seeds: planSeeds, read: (file: Uint8Array): void => runOnZeros(resealed(file)) },
] as const;
