// Gossamer.

import {
  conv2d,
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
import { Decoder, SmallResNet } from '../../dist/models/index.js';
import { crossEntropy, inference, MLP, parameters, SGD, training, withWeights } from '../../dist/nn/index.js';
import { SparseMatrix, SparsePattern, spmm } from '../../dist/sparse/index.js';
import { compile } from '../../dist/trace/index.js';
import { coordinates, values } from '../tasks.mjs';
import { prunedMobileNet } from './onnx.mjs';

export const name = 'gossamer';
export const multithreaded = true;
export const detail = () => cpu.featureLevel;

export function setUp(threads) {
  setThreads(threads);
}

const matrix = (rows, columns, seed) => tensor(values(rows * columns, seed), [rows, columns]);
/** Runs in a scope and touches the result. */
const measured = (body) => async () => scope(() => body().view()[0]);

const images = (shape, seed) =>
  tensor(
    values(
      shape.reduce((a, b) => a * b),
      seed,
    ),
    shape,
  );

/** One step of SGD on a model, with a loss of its live copy. */
function trainingStep(model, loss) {
  const optimizer = new SGD({ learningRate: 0.01, momentum: 0.9 });
  const step = valueAndGrad((weights) => withWeights(model, weights, loss));
  return async () =>
    scope(() => {
      const weights = parameters(model);
      const { value, gradient } = step(weights);
      optimizer.update(weights, gradient);
      return value.item();
    });
}

const classes = (count, of) => tensor(Int32Array.from({ length: count }, (_, i) => (i * 5) % of));

export const engine = {
  async convolution({ images: n, channels, filters, size, kernel, stride, padding, groups }) {
    const x = images([n, channels, size, size], 1);
    const w = images([filters, channels / groups, kernel, kernel], 2);
    // Compiled, as a layer of a deployed model is: the filters are packed once.
    const plan = compile((input) => conv2d(input, w, undefined, { stride, padding, groups }), [x]);
    return async () => scope(() => plan.run(x)[0].view()[0]);
  },
  async convolutionStep({ images: n, channels, filters, size, kernel, stride, padding, groups }) {
    const inputs = {
      x: images([n, channels, size, size], 1),
      w: images([filters, channels / groups, kernel, kernel], 2),
    };
    const step = valueAndGrad(({ x, w }) => conv2d(x, w, undefined, { stride, padding, groups }).sum());
    return async () => scope(() => step(inputs).gradient.w.view()[0]);
  },
  /** @param bits of activations in a plan on bytes. */
  async mobilenet(zeros = 0, bits) {
    const model = prunedMobileNet(zeros);
    const x = images([1, 3, 224, 224], 1);
    const options = bits ? { int8: { calibration: [[x]], bits } } : {};
    const plan = compile((input) => model.forward(input, inference), [x], options);
    return async () => scope(() => plan.run(x)[0].view()[0]);
  },
  async resnetStep(batch) {
    const model = new SmallResNet(20, new Random(1));
    const [x, labels] = [images([batch, 3, 32, 32], 1), classes(batch, 10)];
    const mode = training(new Random(2));
    return trainingStep(model, (live) => crossEntropy(live.forward(x, mode), labels));
  },
  async decoderStep(batch, length) {
    const model = new Decoder({ vocabulary: 256, features: 128, layers: 4, heads: 4 }, new Random(1));
    const tokens = tensor(
      Int32Array.from({ length: batch * length }, (_, i) => (i * 7) % 256),
      [batch, length],
    );
    const labels = classes(batch * length, 256);
    return trainingStep(model, (live) => crossEntropy(live.forward(tokens).reshape([-1, 256]), labels));
  },
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
