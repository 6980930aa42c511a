// What each kernel reads and writes for its arguments. A plan file may call these kernels alone.

import type { KernelName } from '../../engine/index.js';
import { binaryChecks } from './binary.js';
import { type CallCheck, readActivation } from './check.js';
import { convolutionChecks } from './convolutions.js';
import { int8Checks } from './int8.js';
import { sparseWindowChecks } from './sparse-windows.js';

const unary: CallCheck = (a) => {
  const n = a.integer('n', 0);
  a.read('x', n);
  a.write('y', n);
};

/** A function of one tensor with more numbers. */
function unaryWith(...numbers: readonly string[]): CallCheck {
  return (a) => {
    for (const name of numbers) a.number(name);
    unary(a);
  };
}

/** Elements from the first to behind the last of a strided box. */
function span(sizes: readonly number[], strides: readonly number[]): readonly [first: number, end: number] {
  let [first, end] = [0, 1];
  sizes.forEach((size, axis) => {
    const reach = (size - 1) * (strides[axis] as number);
    if (reach < 0) first += reach;
    else end += reach;
  });
  return [first, end];
}

function product(values: readonly number[]): number {
  return values.reduce((total, value) => total * value, 1);
}

const broadcasting: CallCheck = (a) => {
  const sizes = a.integers('sizes', 1, { length: 4 });
  for (const [operand, name] of [
    ['a', 'stridesA'],
    ['b', 'stridesB'],
  ] as const) {
    const strides = a.integers(name, 0, { length: 4 });
    if ((strides[3] as number) > 1) a.fail(`has the innermost stride ${strides[3]}`);
    a.readSpan(operand, ...span(sizes, strides));
  }
  a.write('c', product(sizes));
};

const matmul: CallCheck = (a) => {
  const [batch, m, n, k] = ['batch', 'm', 'n', 'k'].map((name) => a.size(name)) as [number, number, number, number];
  a.read('a', batch * m * k);
  a.read('b', batch * k * n);
  a.optionalRead('bias', n);
  a.write('c', batch * m * n);
  a.flag('transposeA');
  a.flag('transposeB');
  readActivation(a);
};

const squaredDistances: CallCheck = (a) => {
  const [rows, n, d] = [a.size('rows'), a.size('n'), a.size('d')];
  a.read('x', rows * d);
  a.read('z', n * d);
  a.read('squaresX', rows);
  a.read('squaresZ', n);
  a.write('y', rows * n);
};

const groupedMatmul: CallCheck = (a) => {
  const [n, k] = [a.size('n'), a.size('k')];
  const starts = a.integers('starts', 0);
  const ascending = starts.length > 1 && starts[0] === 0 && starts.every((start, i) => start >= (starts[i - 1] ?? 0));
  if (!ascending) a.fail('has starts that do not ascend from 0');
  const rows = starts.at(-1) as number;
  a.read('x', rows * k);
  a.read('w', (starts.length - 1) * n * k);
  a.write('y', rows * n);
  a.flag('transposeB');
};

const blockDiagonal: CallCheck = (a) => {
  const [rows, blocks, inner, outer] = [a.size('rows'), a.size('blocks'), a.size('inner'), a.size('outer')];
  a.read('x', rows * blocks * inner);
  a.read('w', blocks * inner * outer);
  a.write('y', rows * blocks * outer);
};

const reduction: CallCheck = (a) => {
  const [outer, n, inner] = [a.size('outer'), a.size('n'), a.size('inner')];
  a.number('divisor');
  a.read('x', outer * n * inner);
  a.write('y', outer * inner);
};

/** A function of rows of length n whose result has as many elements a row as `width` says. */
function rowwise(width: (n: number) => number): CallCheck {
  return (a) => {
    const [rows, n] = [a.size('rows'), a.size('n')];
    a.read('x', rows * n);
    a.write('y', rows * width(n));
  };
}

const standardize: CallCheck = (a) => {
  const [rows, n] = [a.size('rows'), a.size('n')];
  a.read('x', rows * n);
  a.write('y', rows * n);
  a.optionalWrite('inverseDeviation', rows);
  a.optionalRead('gamma', n);
  a.optionalRead('beta', n);
  a.number('epsilon');
  a.flag('center');
};

/** A running function along an axis. */
function running(sources: readonly string[], target: string): CallCheck {
  return (a) => {
    const elements = a.size('outer') * a.size('n') * a.size('inner');
    for (const source of sources) a.read(source, elements);
    a.write(target, elements);
    a.flag('reverse');
  };
}

const copyStrided: CallCheck = (a) => {
  const box = a.table('box');
  const sizes = box.integers('sizes', 1, { length: 6 });
  const strides = (name: string) => box.integers(name, -(2 ** 31), { length: 6 });
  a.readSpan('x', ...span(sizes, strides('sourceStrides')));
  a.writeSpan('y', ...span(sizes, strides('targetStrides')));
  box.finish();
};

const gatherRows: CallCheck = (a) => {
  const [count, rows, d] = [a.size('count'), a.size('rows'), a.size('d')];
  a.read('x', rows * d);
  a.indices('indices', count, rows);
  a.write('y', count * d);
};

const takeRows: CallCheck = (a) => {
  const [rows, sources, d] = [a.size('rows'), a.size('sources'), a.size('d')];
  a.read('x', sources * d);
  a.indices('positions', rows * d, sources, -1);
  a.write('y', rows * d);
};

const scatterAddRows: CallCheck = (a) => {
  const [count, rows, d] = [a.size('count'), a.size('rows'), a.size('d')];
  a.read('x', count * d);
  a.read('indices', count);
  a.write('y', rows * d);
};

const spmm: CallCheck = (a) => {
  const [rows, d] = [a.size('rows'), a.size('d')];
  const entries = a.segmentEnds('indptr', rows);
  const sources = Math.floor(a.bytesBehind('x') / (4 * d));
  if (a.isNull('indices')) {
    a.optionalRead('indices', 0);
    a.read('x', entries * d);
  } else {
    a.indices('indices', entries, sources);
  }
  a.optionalRead('values', entries);
  a.write('y', rows * d);
};

const pickPositions: CallCheck = (a) => {
  const [planes, count, size] = [a.size('planes'), a.size('count'), a.size('size')];
  a.read('values', planes * size);
  a.indices('positions', planes * count, size, -1);
  a.write('result', planes * count);
};

const attention: CallCheck = (a) => {
  const sizes = a.table('sizes');
  const names = ['batch', 'heads', 'keyHeads', 'queries', 'keys', 'depth', 'valueDepth'] as const;
  const [batch, heads, keyHeads, queries, keys, depth, valueDepth] = names.map((name) => sizes.size(name)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (heads % keyHeads !== 0) a.fail(`has ${heads} heads for ${keyHeads} heads of keys`);
  sizes.flag('causal');
  sizes.integer('window', 0);
  sizes.number('scale');
  const [maskBatch, maskHead] = [sizes.integer('maskBatchStride', 0), sizes.integer('maskHeadStride', 0)];
  const stride = (name: string, least: number) => (sizes.has(name) ? sizes.integer(name, least) : least);
  const [keyStride, valueStride] = [stride('keyStride', keys * depth), stride('valueStride', keys * valueDepth)];
  sizes.finish();
  a.read('q', batch * heads * queries * depth);
  a.read('k', (batch * keyHeads - 1) * keyStride + keys * depth);
  a.read('v', (batch * keyHeads - 1) * valueStride + keys * valueDepth);
  a.optionalRead('mask', (batch - 1) * maskBatch + (heads - 1) * maskHead + queries * keys);
  a.write('y', batch * heads * queries * valueDepth);
  a.write('logSums', batch * heads * queries);
};

const rotate: CallCheck = (a) => {
  const [rows, length, depth] = [a.size('rows'), a.size('length'), a.size('depth')];
  const pairs = a.integer('pairs', 0, Math.floor(depth / 2));
  a.read('x', rows * depth);
  a.read('cosines', length * pairs);
  a.read('sines', length * pairs);
  a.write('y', rows * depth);
  a.flag('interleaved');
  a.sign('sign');
};

const unaryKernels = [
  ...['abs', 'sqrt', 'exp', 'log', 'tanh', 'sigmoid', 'erf', 'gelu', 'relu', 'sin', 'cos', 'sign', 'floor'],
  ...['reciprocal', 'rsqrt', 'square', 'softplus', 'silu', 'relu6', 'toInt', 'toFloat'],
] as const;

const broadcastingKernels = [
  ...['add', 'subtract', 'multiply', 'divide', 'power', 'maximum', 'minimum', 'equal', 'notEqual', 'less'],
  ...['lessEqual', 'positiveMask', 'addInt', 'subtractInt', 'multiplyInt', 'maximumInt', 'minimumInt'],
  ...['equalInt', 'lessInt'],
] as const;

function forAll(names: readonly string[], check: CallCheck): Readonly<Record<string, CallCheck>> {
  return Object.fromEntries(names.map((name) => [name, check]));
}

const checks: Partial<Readonly<Record<KernelName, CallCheck>>> = {
  ...forAll(unaryKernels, unary),
  ...forAll(broadcastingKernels, broadcasting),
  ...forAll(['sum', 'max', 'min'], reduction),
  ...forAll(
    ['softmax', 'logSoftmax'],
    rowwise((n) => n),
  ),
  ...convolutionChecks,
  ...int8Checks,
  ...sparseWindowChecks,
  ...binaryChecks,
  logSumExp: rowwise(() => 1),
  leakyRelu: unaryWith('slope'),
  elu: unaryWith('alpha'),
  affine: unaryWith('scale', 'shift'),
  signs: unaryWith('low', 'high'),
  divideBy: unaryWith('divisor'),
  fill: (a) => {
    a.integer('bits', -(2 ** 31), 2 ** 32 - 1);
    a.write('y', a.integer('n', 0));
  },
  accumulate: (a) => {
    const n = a.integer('n', 0);
    a.number('scale');
    a.read('source', n);
    a.write('target', n);
  },
  matmul,
  squaredDistances,
  groupedMatmul,
  blockDiagonal,
  standardize,
  argmax: (a) => {
    const [outer, n, inner] = [a.size('outer'), a.size('n'), a.size('inner')];
    a.sign('sign');
    a.read('x', outer * n * inner);
    a.writePositions('y', outer * inner, n);
  },
  argsort: (a) => {
    const [rows, n] = [a.size('rows'), a.size('n')];
    a.flag('descending');
    a.flag('integers');
    a.read('x', rows * n);
    a.writePositions('order', rows * n, n);
  },
  topK: (a) => {
    const [rows, n] = [a.size('rows'), a.size('n')];
    const k = a.integer('k', 1, n);
    a.sign('sign');
    a.read('x', rows * n);
    a.writePositions('positions', rows * k, n);
  },
  cumulativeSum: running(['x'], 'y'),
  linearScan: running(['a', 'b'], 'h'),
  transpose: (a) => {
    const elements = a.size('batch') * a.size('rows') * a.size('columns');
    a.read('x', elements);
    a.write('y', elements);
  },
  copyStrided,
  gatherRows,
  takeRows,
  scatterAddRows,
  spmm,
  pickPositions,
  attention,
  rotate,
};

/** The check of a kernel, for those that a plan file may call. */
export const callChecks: ReadonlyMap<string, CallCheck> = new Map(Object.entries(checks));
