// TensorFlow.js on its WebAssembly backend.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { values } from '../tasks.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');

export const name = 'tfjs';
export const multithreaded = false;
export const detail = () => `${tf.version.tfjs} wasm`;

export async function setUp() {
  wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  await tf.ready();
}

const matrix = (rows, columns, seed) => tf.tensor2d(values(rows * columns, seed), [rows, columns]);
const measured = (body) => async () => {
  const y = tf.tidy(body);
  y.dataSync();
  y.dispose();
};

const images = ({ images: n, size, channels }) =>
  tf.tensor4d(values(n * size * size * channels, 1), [n, size, size, channels]);

/** tfjs keeps channels last. */
function convolve({ stride, padding, groups }) {
  return groups === 1
    ? (x, w) => tf.conv2d(x, w, stride, padding)
    : (x, w) => tf.depthwiseConv2d(x, w, stride, padding);
}

function filtersOf({ kernel, channels, filters, groups }) {
  const shape = groups === 1 ? [kernel, kernel, channels, filters] : [kernel, kernel, channels, 1];
  return tf.tensor4d(
    values(
      shape.reduce((a, b) => a * b),
      2,
    ),
    shape,
  );
}

export const engine = {
  async convolution(layer) {
    const [x, w, run] = [images(layer), filtersOf(layer), convolve(layer)];
    return measured(() => run(x, w));
  },
  async convolutionStep(layer) {
    const [x, w, run] = [images(layer), filtersOf(layer), convolve(layer)];
    const gradients = tf.grads((a, b) => run(a, b).sum());
    return async () => {
      const results = gradients([x, w]);
      results[1].dataSync();
      for (const result of results) result.dispose();
    };
  },
  async gemm(n) {
    const a = matrix(n, n, 1);
    const b = matrix(n, n, 2);
    return measured(() => tf.matMul(a, b));
  },
  async mlpStep(sizes, batch) {
    const weights = sizes
      .slice(1)
      .flatMap((out, i) => [
        tf.variable(matrix(sizes[i], out, i + 1).mul(1 / Math.sqrt(sizes[i]))),
        tf.variable(tf.zeros([out])),
      ]);
    const x = matrix(batch, sizes[0], 3);
    const labels = tf
      .oneHot(
        tf.tensor1d(
          Int32Array.from({ length: batch }, (_, i) => i % sizes.at(-1)),
          'int32',
        ),
        sizes.at(-1),
      )
      .toFloat();
    const optimizer = tf.train.sgd(0.01);
    const logits = () => {
      let h = x;
      for (let i = 0; i < weights.length; i += 2) {
        h = tf.add(tf.matMul(h, weights[i]), weights[i + 1]);
        if (i + 2 < weights.length) h = tf.relu(h);
      }
      return h;
    };
    return async () => {
      const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(labels, logits()), true, weights);
      loss.dataSync();
      loss.dispose();
    };
  },
  async softmax(rows, n) {
    const x = matrix(rows, n, 4);
    return measured(() => tf.softmax(x));
  },
  async layerNorm(rows, n) {
    const x = matrix(rows, n, 5);
    const gamma = tf.ones([n]);
    const beta = tf.zeros([n]);
    return measured(() => {
      const { mean, variance } = tf.moments(x, -1, true);
      return x
        .sub(mean)
        .mul(tf.rsqrt(variance.add(1e-5)))
        .mul(gamma)
        .add(beta);
    });
  },
};
