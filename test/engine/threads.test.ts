import { afterAll, expect, test } from 'vitest';
import { setThreads, threads } from '../../src/engine/index.js';
import { Segments, SparseMatrix, sddmm, segmentMax, segmentSoftmax, spmm } from '../../src/sparse/index.js';
import * as ops from '../../src/tensor/index.js';
import { uniform, uniformTensor } from '../oracle.js';

const initial = threads();
afterAll(() => setThreads(initial));

/** Every kernel on inputs large enough to be cut up. */
function everything(): Record<string, ops.Tensor> {
  const a = uniformTensor(1, [301, 517]);
  const b = uniformTensor(2, [517, 203]);
  const wide = uniformTensor(3, [1000, 300]);
  const indices = ops.tensor(Int32Array.from(uniform(4, 5000, 0, 999.5)));
  const rows = uniform(5, 40_000, 0, 999.5).map(Math.floor);
  const columns = uniform(6, 40_000, 0, 999.5).map(Math.floor);
  const sparse = SparseMatrix.fromCoordinates(1000, 1000, rows, columns, uniform(7, 40_000));
  const segments = Segments.fromSizes(Array.from({ length: 100 }, (_, i) => i % 21));
  const grouped = wide.slice([0, segments.size]);
  const key = new ops.Random(1).next();
  const step = ops.valueAndGrad((w: ops.Tensor) => a.matmul(w).tanh().square().mean())(b);
  return {
    matmul: a.matmul(b),
    transposed: a.matmul(b, { transposeB: false }).transpose(),
    exp: wide.exp(),
    row: wide.add(uniformTensor(8, [300])),
    column: wide.multiply(uniformTensor(9, [1000, 1])),
    sumAll: wide.sum(),
    sumRows: wide.sum(1),
    sumColumns: wide.sum(0),
    max: wide.max(0),
    argmax: wide.argmax(),
    softmax: wide.softmax(),
    logSumExp: wide.logSumExp(1),
    norm: ops.standardize(wide)[0],
    permute: wide.reshape([10, 100, 300]).permute([2, 0, 1]),
    gather: wide.gatherRows(indices),
    scatter: ops.scatterAddRows(uniformTensor(10, [5000, 40]), indices, 1000),
    spmm: spmm(sparse, wide),
    spmmT: spmm(sparse.transpose(), wide),
    sddmm: sddmm(sparse.pattern, wide, wide),
    segmentMax: segmentMax(grouped, segments),
    segmentSoftmax: segmentSoftmax(grouped, segments),
    uniform: new ops.Random(3).uniform([100_001]),
    normal: new ops.Random(3).normal([100_001]),
    dropout: ops.dropout(wide, 0.3, key),
    gradient: step.gradient,
  };
}

test('results are bit-identical for 1, 2 and 4 threads', () => {
  const bits = (count: number) => {
    setThreads(count);
    return Object.entries(everything()).map(([name, y]) => [name, new Int32Array(y.dataSync().buffer)] as const);
  };
  const one = new Map(bits(1));
  for (const count of [2, 4]) {
    for (const [name, values] of bits(count))
      expect(
        Buffer.compare(Buffer.from(values.buffer), Buffer.from((one.get(name) as Int32Array).buffer)),
        `${name} on ${count} threads`,
      ).toBe(0);
  }
});

test('both tiles of the matrix product, which take turns at first, give the same bits', () => {
  const a = uniformTensor(1, [250, 700]);
  const b = uniformTensor(2, [700, 131]);
  const first = a.matmul(b).dataSync();
  for (let i = 0; i < 40; i++) expect(a.matmul(b).dataSync()).toEqual(first);
});

test('the thread count is checked', () => {
  expect(() => setThreads(0)).toThrow('setThreads: expected an integer from 1 to 64, got 0');
  expect(() => setThreads(1.5)).toThrow(RangeError);
});
