// Gossamer.

import {
  cpu,
  layerNorm,
  matmul,
  ones,
  Random,
  scope,
  setThreads,
  softmax,
  tensor,
  valueAndGrad,
  zeros,
} from '../../dist/index.js';
import { crossEntropy, inference, MLP, parameters, SGD, withWeights } from '../../dist/nn/index.js';
import { SparseMatrix, SparsePattern, spmm } from '../../dist/sparse/index.js';
import { coordinates, values } from '../tasks.mjs';

export const name = 'gossamer';
export const multithreaded = true;
export const detail = () => cpu.featureLevel;

export function setUp(threads) {
  setThreads(threads);
}

const matrix = (rows, columns, seed) => tensor(values(rows * columns, seed), [rows, columns]);
/** Runs in a scope and touches the result. */
const measured = (body) => async () => scope(() => body().view()[0]);

export const engine = {
  async gemm(n) {
    const a = matrix(n, n, 1);
    const b = matrix(n, n, 2);
    return measured(() => matmul(a, b));
  },
  async mlpStep(sizes, batch) {
    const model = new MLP(sizes, new Random(1));
    const x = matrix(batch, sizes[0], 3);
    const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i % sizes.at(-1)));
    const optimizer = new SGD({ learningRate: 0.01 });
    const step = valueAndGrad((weights) =>
      withWeights(model, weights, (live) => crossEntropy(live.forward(x, inference), labels)),
    );
    return async () =>
      scope(() => {
        const weights = parameters(model);
        const { value, gradient } = step(weights);
        optimizer.update(weights, gradient);
        return value.item();
      });
  },
  async softmax(rows, n) {
    const x = matrix(rows, n, 4);
    return measured(() => softmax(x));
  },
  async layerNorm(rows, n) {
    const x = matrix(rows, n, 5);
    const gamma = ones([n]);
    const beta = zeros([n]);
    return measured(() => layerNorm(x, gamma, beta));
  },
  async spmm(n, nnz, columns) {
    const { indptr, indices, data } = coordinates(n, nnz);
    const sparse = new SparseMatrix(new SparsePattern(n, n, indptr, indices), tensor(data));
    const x = matrix(n, columns, 6);
    return measured(() => spmm(sparse, x));
  },
};
