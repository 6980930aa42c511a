// What is measured: shapes, and the work or traffic by which a time becomes a rate.

export const gemmSizes = [128, 256, 512, 1024];

/** An engine offers, for each task, a function that sets it up and gives one run: `async () => run`, where `await run()` ends when the result is there. */
export const tasks = [
  ...gemmSizes.map((n) => ({
    group: 'gemm',
    name: `gemm ${n}`,
    setUp: (engine) => engine.gemm?.(n),
    gflop: (2 * n ** 3) / 1e9,
  })),
  {
    group: 'mlp',
    name: 'MLP step 784-256-256-10, batch 128',
    setUp: (engine) => engine.mlpStep?.([784, 256, 256, 10], 128),
    gflop: mlpGflop([784, 256, 256, 10], 128),
  },
  {
    group: 'softmax',
    name: 'softmax 4096×512',
    setUp: (engine) => engine.softmax?.(4096, 512),
    gbyte: (2 * 4 * 4096 * 512) / 1e9,
  },
  {
    group: 'layernorm',
    name: 'layer norm 4096×512',
    setUp: (engine) => engine.layerNorm?.(4096, 512),
    gbyte: (2 * 4 * 4096 * 512) / 1e9,
  },
  {
    group: 'spmm',
    name: 'SpMM 100k nodes, 2M non-zeros, 64 columns',
    setUp: (engine) => engine.spmm?.(100_000, 2_000_000, 64),
    gflop: (2 * 2e6 * 64) / 1e9,
  },
  {
    group: 'spmm',
    name: 'SpMM 100k nodes, 2M non-zeros, 8 columns',
    setUp: (engine) => engine.spmm?.(100_000, 2_000_000, 8),
    gflop: (2 * 2e6 * 8) / 1e9,
  },
];

/** Multiply-adds of forward, weight gradients, and input gradients of all layers but the first. */
function mlpGflop(sizes, batch) {
  let flop = 0;
  for (let i = 0; i + 1 < sizes.length; i++) flop += (i === 0 ? 4 : 6) * batch * sizes[i] * sizes[i + 1];
  return flop / 1e9;
}

/** Repeatable values in [−1, 1): the same for every engine. */
export function values(count, seed = 1) {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** A sparse matrix with about `nnz` elements at uniform places, as coordinates in row order. */
export function coordinates(n, nnz) {
  const perRow = Math.round(nnz / n);
  const columns = values(n * perRow, 7).map((v) => Math.min(n - 1, Math.floor(((v + 1) / 2) * n)));
  const indptr = Int32Array.from({ length: n + 1 }, (_, row) => row * perRow);
  return { indptr, indices: Int32Array.from(columns), data: values(n * perRow, 8) };
}
