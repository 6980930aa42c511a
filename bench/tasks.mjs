// What is measured: shapes, and the work or traffic by which a time becomes a rate.

export const gemmSizes = [128, 256, 512, 1024];

const layer = (name, images, channels, filters, size, kernel, stride, padding, groups = 1) => ({
  ...{ name, images, channels, filters, size, kernel, stride, padding, groups },
});

/** Layers of MobileNetV1/V2 and ResNet-18, and depthwise ones. */
const convolutions = [
  layer('3×3 64→64 @56 (ResNet-18)', 1, 64, 64, 56, 3, 1, 1),
  layer('3×3 128→128 @28 (ResNet-18)', 1, 128, 128, 28, 3, 1, 1),
  layer('3×3 16→16 @32, batch 16 (ResNet-20)', 16, 16, 16, 32, 3, 1, 1),
  layer('3×3 64→64 @8, batch 16 (ResNet-20)', 16, 64, 64, 8, 3, 1, 1),
  layer('1×1 96→24 @56 (MobileNetV2)', 1, 96, 24, 56, 1, 1, 0),
  layer('depthwise 3×3 144 @56', 1, 144, 144, 56, 3, 1, 1, 144),
  layer('3×3 256→256 @14 (ResNet-18)', 1, 256, 256, 14, 3, 1, 1),
  layer('3×3 512→512 @7 (ResNet-18)', 1, 512, 512, 7, 3, 1, 1),
  layer('7×7/2 3→64 @224 (ResNet-18)', 1, 3, 64, 224, 7, 2, 3),
  layer('3×3/2 3→32 @224 (MobileNet)', 1, 3, 32, 224, 3, 2, 1),
  layer('1×1 16→96 @112 (MobileNetV2)', 1, 16, 96, 112, 1, 1, 0),
  layer('1×1 64→384 @14 (MobileNetV2)', 1, 64, 384, 14, 1, 1, 0),
  layer('1×1 320→1280 @7 (MobileNetV2)', 1, 320, 1280, 7, 1, 1, 0),
  layer('1×1 512→512 @14 (MobileNetV1)', 1, 512, 512, 14, 1, 1, 0),
  layer('depthwise 3×3/2 96 @112', 1, 96, 96, 112, 3, 2, 1, 96),
  layer('depthwise 3×3 384 @14', 1, 384, 384, 14, 3, 1, 1, 384),
  layer('depthwise 7×7 96 @56', 1, 96, 96, 56, 7, 1, 3, 96),
];

/**
 * An engine offers, for each task, a function that sets it up and gives one run: `async () => run`,
 * where `await run()` ends when the result is there.
 */
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
  ...convolutions.map((layer) => ({
    group: 'conv',
    name: `conv ${layer.name}`,
    setUp: (engine) => engine.convolution?.(layer),
    gflop: convolutionGflop(layer),
  })),
  ...convolutions.slice(0, 6).map((layer) => ({
    group: 'convstep',
    name: `conv and gradients ${layer.name}`,
    setUp: (engine) => engine.convolutionStep?.(layer),
    gflop: 3 * convolutionGflop(layer),
  })),
  {
    group: 'mobilenet',
    name: 'MobileNetV2 at 224², batch 1',
    setUp: (engine) => engine.mobilenet?.(),
    gflop: 0.601548544,
  },
  {
    group: 'mobilenet',
    name: 'MobileNetV2 at 224², 80 % of the 1×1 weights zero in 4×1 blocks',
    setUp: (engine) => engine.mobilenet?.(0.8),
    gflop: 0.601548544,
  },
  ...[8, 7].map((bits) => ({
    group: 'mobilenet',
    name: `MobileNetV2 at 224², weights of 8 bits, activations of ${bits}`,
    setUp: (engine) => engine.mobilenet?.(0, bits),
    gflop: 0.601548544,
  })),
  {
    group: 'resnet20',
    name: 'ResNet-20 step, batch 64, 32×32',
    setUp: (engine) => engine.resnetStep?.(64),
    gflop: (6 * 64 * 40551040) / 1e9,
  },
  {
    group: 'decoder',
    name: 'decoder step, 4 layers of 128, batch 16 × 128 tokens',
    setUp: (engine) => engine.decoderStep?.(16, 128),
    gflop: decoderGflop({ layers: 4, features: 128, hidden: 344, vocabulary: 256, tokens: 16 * 128, length: 128 }),
  },
];

function decoderGflop({ layers, features, hidden, vocabulary, tokens, length }) {
  const weights = layers * (4 * features ** 2 + 3 * features * hidden) + vocabulary * features;
  return (6 * tokens * (weights + layers * 2 * length * features)) / 1e9;
}

function convolutionGflop({ images, channels, filters, size, kernel, stride, padding, groups }) {
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return (2 * images * filters * out * out * (channels / groups) * kernel * kernel) / 1e9;
}

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
