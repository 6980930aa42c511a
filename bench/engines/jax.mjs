// jax-js on its WebAssembly backend, functions compiled by jit.

import { values } from '../tasks.mjs';

// The library asks the browser's navigator whether there is a GPU; Node 20 has none.
globalThis.navigator ??= { hardwareConcurrency: 2 };
const jax = await import('@jax-js/jax');
const { lax, numpy: np, nn } = jax;

export const name = 'jax-js';
export const multithreaded = false;
export const detail = () => '0.1.25 wasm, jit';

export async function setUp() {
  await jax.init('wasm');
  jax.defaultDevice('wasm');
}

const matrix = (rows, columns, seed) => np.array(values(rows * columns, seed)).reshape([rows, columns]);
/** Calls a jitted function on borrowed arrays and waits for its result. */
const measured =
  (fn, ...inputs) =>
  async () => {
    const y = fn(...inputs.map((x) => x.ref));
    await y.blockUntilReady();
    y.dispose();
  };

const sized = (shape, seed) =>
  np
    .array(
      values(
        shape.reduce((a, b) => a * b),
        seed,
      ),
    )
    .reshape(shape);

/**
 * jax-js has no groups among its convolution's options that differentiate, so depthwise layers are
 * left out.
 */
function convolve({ stride, padding }) {
  return (x, w) =>
    lax.convGeneralDilated(
      x,
      w,
      [stride, stride],
      [
        [padding, padding],
        [padding, padding],
      ],
    );
}

export const engine = {
  async convolution(layer) {
    if (layer.groups > 1) return undefined;
    const { images: n, channels, size, filters, kernel } = layer;
    return measured(
      jax.jit(convolve(layer)),
      sized([n, channels, size, size], 1),
      sized([filters, channels, kernel, kernel], 2),
    );
  },
  async convolutionStep(layer) {
    if (layer.groups > 1) return undefined;
    const { images: n, channels, size, filters, kernel } = layer;
    const run = convolve(layer);
    const step = jax.jit(jax.grad((p) => run(p.x, p.w).sum()));
    const inputs = { x: sized([n, channels, size, size], 1), w: sized([filters, channels, kernel, kernel], 2) };
    return async () => {
      const gradient = step({ x: inputs.x.ref, w: inputs.w.ref });
      await gradient.w.blockUntilReady();
      gradient.w.dispose();
      gradient.x.dispose();
    };
  },
  async gemm(n) {
    return measured(
      jax.jit((a, b) => np.matmul(a, b)),
      matrix(n, n, 1),
      matrix(n, n, 2),
    );
  },
  async mlpStep(sizes, batch) {
    let weights = sizes
      .slice(1)
      .flatMap((out, i) => [matrix(sizes[i], out, i + 1).mul(1 / Math.sqrt(sizes[i])), np.zeros([out])]);
    const x = matrix(batch, sizes[0], 3);
    const labels = nn.oneHot(np.array(Int32Array.from({ length: batch }, (_, i) => i % sizes.at(-1))), sizes.at(-1));
    const loss = (params, input, target) => {
      let h = input;
      for (let i = 0; i < params.length; i += 2) {
        h = np.matmul(h, params[i]).add(params[i + 1]);
        if (i + 2 < params.length) h = nn.relu(h);
      }
      return nn
        .logSoftmax(h, -1)
        .mul(target)
        .sum()
        .mul(-1 / batch);
    };
    const step = jax.jit((params, input, target) => {
      const gradients = jax.grad(loss)(
        params.map((p) => p.ref),
        input,
        target,
      );
      return params.map((p, i) => p.sub(gradients[i].mul(0.01)));
    });
    return async () => {
      weights = step(weights, x.ref, labels.ref);
      await jax.blockUntilReady(weights);
    };
  },
  async softmax(rows, n) {
    return measured(
      jax.jit((x) => nn.softmax(x, -1)),
      matrix(rows, n, 4),
    );
  },
  async layerNorm(rows, n) {
    const fn = jax.jit((x, gamma, beta) => nn.standardize(x, -1).mul(gamma).add(beta));
    return measured(fn, matrix(rows, n, 5), np.ones([n]), np.zeros([n]));
  },
};
