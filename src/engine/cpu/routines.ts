// Every kernel that a device must offer, with its arguments, and how the CPU runs it: which loop is cut for threads and what
// one step of it costs. Offsets come first, then sizes. Costs are rough nanoseconds a step on one thread; they decide
// whether a call is worth waking other threads for.

import { attendCache, attention, attentionGradient } from './attention.js';
import { convolution, convolutionFilterGradient, convolutionInputGradient } from './convolution.js';
import { convolveInt8, depthwiseInt8, windowsInt8 } from './int8.js';
import type { Execution } from './runner.js';

type Routine = (run: Execution, ...args: number[]) => void;

/** y ← f(x) over n elements, with extra scalars: (x, y, …scalars, n). */
function elementwise(kernel: string, cost: number): Routine {
  return (run, ...args) => {
    const n = args.pop() as number;
    run.over(kernel, args, n, cost);
  };
}

/** c ← a ∘ b with broadcasting: (a, b, c, d0, d1, d2, d3, a's strides ×4, b's strides ×4). */
function broadcasting(kernel: string, cost: number): Routine {
  return (run, a = 0, b = 0, c = 0, d0 = 1, d1 = 1, d2 = 1, d3 = 1, ...strides) =>
    run.over(kernel, [a, b, c, d1, d2, d3, ...strides], d0 * d1 * d2 * d3, cost);
}

/** Rows of length n: (x, y, …others, rows, n). */
function rowwise(kernel: string, cost: number): Routine {
  return (run, ...args) => {
    const n = args.pop() as number;
    const rows = args.pop() as number;
    run.over(kernel, [...args, n], rows, cost * n + 5);
  };
}

/** Steps of the reduced axis that one partial result covers. */
const REDUCE_BLOCK = 4096;
const REDUCE_TILE = 16;

/** (x, y, outer, n, inner, scale): y[outer, inner] = scale · reduce over n. */
function reduction(kernel: string): Routine {
  return (run, x = 0, y = 0, outer = 1, n = 1, inner = 1, scale = 1) => {
    const blocks = Math.ceil(n / REDUCE_BLOCK);
    const tiles = Math.ceil(inner / REDUCE_TILE);
    const pass = (from: number, to: number, length: number, block: number, parts: number, factor: number) =>
      run.over(
        kernel,
        [from, to, length, inner, block, factor],
        outer * parts * tiles,
        Math.min(block, length) * Math.min(inner, REDUCE_TILE) * 0.15 + 5,
      );
    if (blocks <= 1) return pass(x, y, n, Math.max(n, 1), 1, scale);
    run.withScratch(outer * blocks * inner * 4, (partial) => {
      pass(x, partial, n, REDUCE_BLOCK, blocks, 1);
      pass(partial, y, blocks, blocks, 1, scale);
    });
  };
}

/** Filters of each pixel's own: (first, second, result, images, channels, sharing, height, width); see kernels/aggregation.ts. */
function aggregation(kernel: string, paddedFilters = 0): Routine {
  return (run, first = 0, second = 0, result = 0, images = 1, channels = 1, sharing = 1, height = 1, width = 1) => {
    const scratchBytes = (channels / sharing + paddedFilters) * (height + 2) * (width + 2) * 4;
    run.withScratchEach(scratchBytes, (scratch) =>
      run.over(
        kernel,
        [first, second, result, scratch, scratchBytes, channels, sharing, height, width],
        images * sharing,
        (channels / sharing) * height * width * 3,
      ),
    );
  };
}

/** Blocks of 16 random elements: (…args, size). */
function randomBlocks(kernel: string, cost: number): Routine {
  return (run, ...args) => run.over(kernel, args, Math.ceil((args.at(-1) as number) / 16), cost);
}

const GEMM_DEPTH = 512;
const PANEL = 8;
/** Rows of A up to which B is not worth packing. */
const FEW_ROWS = 4;
/** A multiple of both micro-kernels' rows; 72 × 512 floats of A are 144 KiB and stay in L2. */
const LARGEST_ROW_BLOCK = 72;
/** Enough that no thread has much more than its share. */
const BLOCKS_PER_THREAD = 12;

/**
 * C = activation(op(A)·op(B) + bias): (a, b, bias, c, batch, m, n, k, transposeA, transposeB, activation), where op(A) is m×k, op(B) k×n,
 * bias n floats or 0, activation a code of activation.ts.
 */
const matmul: Routine = (
  run,
  a = 0,
  b = 0,
  bias = 0,
  c = 0,
  batch = 1,
  m = 1,
  n = 1,
  k = 1,
  transposeA = 0,
  transposeB = 0,
  activation = 0,
) => {
  if (batch === 1 && m <= FEW_ROWS && !transposeA) {
    const strips = Math.ceil(n / 16);
    run.over('gemmFewRows', [a, b, c, bias, m, n, k, transposeB, activation], strips, m * k * 2.5);
    return;
  }
  const panels = Math.ceil(n / PANEL);
  run.withScratch(batch * panels * PANEL * k * 4, (packed) => {
    run.over('gemmPackB', [b, packed, k, n, transposeB ? 1 : n, transposeB ? k : 1, k * n], batch * panels, k * 3);
    run.tiles.time(2 * batch * m * n * k, (tileRows) => {
      const rows = run.threads === 1 ? m : Math.min(m, (batch * m) / run.threads / BLOCKS_PER_THREAD);
      const rowBlock = Math.min(LARGEST_ROW_BLOCK, tileRows * Math.max(1, Math.ceil(rows / tileRows)));
      const blocks = batch * Math.ceil(m / rowBlock);
      const strides = transposeA ? [1, m] : [k, 1]; // of A, by row and by column
      run.withScratchEach(rowBlock * Math.min(k, GEMM_DEPTH) * 4, (panelsOfA) =>
        run.over(
          'gemm',
          [a, packed, c, bias, panelsOfA, m, n, k, ...strides, m * k, activation, rowBlock, tileRows],
          blocks,
          rowBlock * n * (k + 8) * 0.04,
        ),
      );
    });
  });
};

/**
 * y[rows of group e] = x[rows of group e]·op(Wₑ): (x, w, y, groups, n, k, transposeB, …first row of each group and the end), where op(Wₑ) is k×n.
 */
const groupedMatmul: Routine = (run, x = 0, w = 0, y = 0, groups = 1, n = 1, k = 1, transposeB = 0, ...starts) => {
  const used = Array.from({ length: groups }, (_, e) => e).filter(
    (e) => (starts[e + 1] as number) > (starts[e] as number),
  );
  const packedSize = Math.ceil(n / PANEL) * PANEL * k;
  run.withScratch(Math.max(1, used.length) * packedSize * 4, (packed) => {
    const table: number[] = [];
    used.forEach((e, slot) => {
      const strides = transposeB ? [1, k] : [n, 1];
      const panels = Math.ceil(n / PANEL);
      const target = packed + slot * packedSize * 4;
      run.over('gemmPackB', [w + e * n * k * 4, target, k, n, ...strides, 0], panels, k * 3);
      for (let row = starts[e] as number; row < (starts[e + 1] as number); row += GROUP_ROWS)
        table.push(row, Math.min(GROUP_ROWS, (starts[e + 1] as number) - row), slot * packedSize);
    });
    const blocks = table.length / 3;
    if (blocks === 0) return;
    run.withInts(table, (address) =>
      run.withScratchEach(GROUP_ROWS * Math.min(k, GEMM_DEPTH) * 4, (scratch) =>
        run.over(
          'gemmGrouped',
          [x, packed, y, address, scratch, n, k, GROUP_ROWS, 4],
          blocks,
          GROUP_ROWS * n * k * 0.04,
        ),
      ),
    );
  });
};

/** Rows of a block of a grouped product. */
const GROUP_ROWS = 48;

/** Pixels that sparse weights in blocks of `height` rows take at a time. */
export function sparseTilePixels(height: number): number {
  return height === 4 ? 8 : 16;
}

/** y = x·Wᵀ with W in panels of 8 rows of a kind (see kernels/blocks.ts): (x, panels, y, m, n, blocks a row). x is quantised on the way. */
function blockProduct(kernel: string, kind: number): Routine {
  return (run, x = 0, panels = 0, y = 0, m = 1, n = 1, blocks = 1) => {
    const count = m * blocks;
    // Numbers of up to two bytes; scales; sums of half blocks.
    run.withScratch(76 * count, (quanta) => {
      const [scales, sums] = [quanta + 64 * count, quanta + 68 * count];
      run.over('quantizeBlocks', [x, quanta, scales, sums, kind], count, 30);
      run.over(kernel, [quanta, scales, sums, panels, y, m, n, blocks], Math.ceil(n / 8), m * blocks * 10);
    });
  };
}

/** Row ranges with about equal numbers of stored elements. */
function byElements(kernel: string, perElement: number): Routine {
  // (indptr, …args, rows, d): the kernel takes (indptr, …args, d).
  return (run, ...args) => {
    const d = args.pop() as number;
    const rows = args.pop() as number;
    run.overSegments(kernel, [...args, d], args[0] as number, rows, perElement * (d + 4));
  };
}

/** (x, y, planes, height, width, outHeight, outWidth, divisor | 0, …windows). */
function averaging(kernel: string): Routine {
  return (run, x = 0, y = 0, planes = 1, h = 1, w = 1, outH = 1, outW = 1, divisor = 0, ...windows) =>
    run.withInts(windows, (table) =>
      run.over(kernel, [x, y, table, h, w, outH, outW, divisor], planes, h * w * 1.5 + outH * outW * 3),
    );
}

/** (x, y, planes, height, width, outHeight, outWidth, …table, its weights as the bits of floats). */
function resizing(kernel: string): Routine {
  return (run, x = 0, y = 0, planes = 1, h = 1, w = 1, outH = 1, outW = 1, ...table) =>
    run.withInts(table, (address) => run.over(kernel, [x, y, address, h, w, outH, outW], planes, outH * outW * 4));
}

export const routines = {
  /** (y, bits, n): bits is the pattern of an f32 or i32. */
  fill: elementwise('fill', 0.15),
  /** (target, source, scale, n): target += scale·source. */
  accumulate: elementwise('accumulate', 0.3),
  abs: elementwise('abs', 0.25),
  sqrt: elementwise('sqrt', 0.4),
  exp: elementwise('exp', 1),
  log: elementwise('log', 1.2),
  tanh: elementwise('tanh', 1.6),
  sigmoid: elementwise('sigmoid', 1.2),
  erf: elementwise('erf', 1.8),
  gelu: elementwise('gelu', 2),
  relu: elementwise('relu', 0.25),
  sin: elementwise('sin', 1.2),
  cos: elementwise('cos', 1.2),
  sign: elementwise('sign', 0.3),
  floor: elementwise('floor', 0.25),
  reciprocal: elementwise('reciprocal', 0.4),
  rsqrt: elementwise('rsqrt', 0.6),
  square: elementwise('square', 0.25),
  leakyRelu: elementwise('leakyRelu', 0.3),
  elu: elementwise('elu', 1.2),
  softplus: elementwise('softplus', 2.4),
  silu: elementwise('silu', 1.3),
  relu6: elementwise('relu6', 0.25),
  /** (x, y, scale, shift, n). */
  affine: elementwise('affine', 0.25),
  toInt: elementwise('toInt', 0.25),
  toFloat: elementwise('toFloat', 0.25),

  add: broadcasting('add', 0.3),
  subtract: broadcasting('subtract', 0.3),
  multiply: broadcasting('multiply', 0.3),
  divide: broadcasting('divide', 0.5),
  power: broadcasting('power', 3),
  maximum: broadcasting('maximum', 0.3),
  minimum: broadcasting('minimum', 0.3),
  equal: broadcasting('equal', 0.3),
  notEqual: broadcasting('notEqual', 0.3),
  less: broadcasting('less', 0.3),
  lessEqual: broadcasting('lessEqual', 0.3),
  positiveMask: broadcasting('positiveMask', 0.3),
  addInt: broadcasting('addInt', 0.3),
  subtractInt: broadcasting('subtractInt', 0.3),
  multiplyInt: broadcasting('multiplyInt', 0.3),
  maximumInt: broadcasting('maximumInt', 0.3),
  minimumInt: broadcasting('minimumInt', 0.3),
  equalInt: broadcasting('equalInt', 0.3),
  lessInt: broadcasting('lessInt', 0.3),

  sum: reduction('sum'),
  max: reduction('max'),
  min: reduction('min'),
  /** (x, positions, outer, n, inner, sign): sign −1 finds the smallest. */
  argmax: (run, x = 0, y = 0, outer = 1, n = 1, inner = 1, sign = 1) =>
    run.over('argmax', [x, y, n, inner, sign], outer * inner, n),
  logSumExp: rowwise('logSumExp', 1.2),
  softmax: rowwise('softmax', 1.5),
  logSoftmax: rowwise('logSoftmax', 1.5),
  /** (x, y, inverseDeviation | 0, γ | 0, β | 0, rows, n, ε, center). */
  standardize: (run, x = 0, y = 0, s = 0, gamma = 0, beta = 0, rows = 1, n = 1, epsilon = 0, center = 1) =>
    run.over('standardize', [x, y, s, gamma, beta, n, epsilon, center], rows, n * 0.6 + 10),

  matmul,
  groupedMatmul,
  convolution,
  convolutionInputGradient,
  convolutionFilterGradient,
  aggregate: aggregation('aggregate'),
  aggregateInputGradient: aggregation('aggregateInputGradient', 9),
  aggregateFilterGradient: aggregation('aggregateFilterGradient'),

  attention,
  attentionGradient,
  /** (x, cosines, sines, y, rows, length, depth, pairs, interleaved, sign). */
  rotate: (
    run,
    x = 0,
    cosines = 0,
    sines = 0,
    y = 0,
    rows = 1,
    length = 1,
    depth = 1,
    pairs = 1,
    interleaved = 0,
    sign = 1,
  ) => run.over('rotate', [x, cosines, sines, y, length, depth, pairs, interleaved, sign], rows, depth * 1.5),
  /** (x, mean, variance, images, channels, pixels). */
  channelMoments: (run, x = 0, mean = 0, variance = 0, images = 1, channels = 1, pixels = 1) =>
    run.over('channelMoments', [x, mean, variance, images, channels, pixels], channels, images * pixels * 0.5),
  /** (x, scale, shift, y, images, channels, pixels, activation). */
  channelAffine: (run, x = 0, scale = 0, shift = 0, y = 0, images = 1, channels = 1, pixels = 1, activation = 0) =>
    run.over('channelAffine', [x, scale, shift, y, channels, pixels, activation], images * channels, pixels * 0.3 + 5),
  /** (g, x, mean, inverse deviation, sums, products, images, channels, pixels). */
  channelProducts: (run, ...args) =>
    run.over('channelProducts', args, args[7] as number, (args[6] as number) * (args[8] as number) * 0.4),
  /** (g, x, mean, inverse deviation, γ, sums, products, dx, images, channels, pixels). */
  batchNormGradient: (run, ...args) =>
    run.over('batchNormGradient', args, (args[8] as number) * (args[9] as number), (args[10] as number) * 0.4 + 10),

  /** (x, y, positions | 0, planes, height, width, outHeight, outWidth, …windows: see kernels/pool.ts). */
  maxPool: (run, x = 0, y = 0, positions = 0, planes = 1, h = 1, w = 1, outH = 1, outW = 1, ...windows) =>
    run.withInts(windows, (table) =>
      run.over('maxPool', [x, y, positions, table, h, w, outH, outW], planes, h * w * 2 + outH * outW * 4),
    ),
  /** (values, positions, result, planes, count, size). */
  unpool: (run, values = 0, positions = 0, result = 0, planes = 1, count = 1, size = 1) =>
    run.over('unpool', [values, positions, result, count, size], planes, count + size * 0.2),
  /** (values, positions, result, planes, count, size). */
  pickPositions: (run, values = 0, positions = 0, result = 0, planes = 1, count = 1, size = 1) =>
    run.over('pickPositions', [values, positions, result, count, size], planes, count),
  averagePool: averaging('averagePool'),
  averageUnpool: averaging('averageUnpool'),
  resize: resizing('resize'),
  resizeTransposed: resizing('resizeTransposed'),

  /** (x, y, batch, rows, columns). */
  transpose: (run, x = 0, y = 0, batch = 1, rows = 1, columns = 1) =>
    run.over('transpose', [x, y, rows, columns], batch * Math.ceil(rows / 16), columns * 8),
  /** (x, y, sizes ×6, source strides ×6, target strides ×6), in elements of 32 bits from the given offsets. */
  copyStrided: (run, x = 0, y = 0, ...box) => {
    const rows = box.slice(0, 5).reduce((product, size) => product * size, 1);
    run.withInts(box, (address) =>
      run.over('copyStrided', [x, y, address], rows, 15 + (box[5] as number) * (box[11] === 1 ? 0.2 : 1)),
    );
  },
  /** (x, indices, y, count, d). */
  gatherRows: (run, x = 0, indices = 0, y = 0, count = 1, d = 1) =>
    run.over('gatherRows', [x, indices, y, d], count, 4 + d * 0.2),
  /** (x, indices, y, count, rows of y, d). */
  scatterAddRows: (run, x = 0, indices = 0, y = 0, count = 1, rows = 1, d = 1) =>
    run.inShares('scatterAddRows', [x, indices, y, count, d], rows, count * (2 + d * 0.3)),
  /** (x, rows, y, rows of y, d). */
  takeRows: (run, x = 0, positions = 0, y = 0, rows = 1, d = 1) =>
    run.over('takeRows', [x, positions, y, d], rows, d * 2),
  /** (x, rows, y, rows of x, rows of y, d). */
  putRows: (run, x = 0, positions = 0, y = 0, count = 1, rows = 1, d = 1) =>
    run.inShares('putRows', [x, positions, y, count, d], rows, count * d * 2),

  /** (indptr, indices | 0, values | 0, x, y, rows, d). */
  spmm: byElements('spmm', 0.15),
  /** (indptr, indices, values | 0, scale, x, y, rows, d). */
  spmmScaled: byElements('spmmScaled', 0.15),
  /** (indptr, indices, values | 0, scale, starts of R, columns of R, entries of R, y, rows, d). */
  spmmSparse: byElements('spmmSparse', 0.05),
  /** (x, y, α, normalize, rows, width of a block, d). */
  addNormalizedRows: (run, x = 0, y = 0, alpha = 1, normalize = 0, rows = 1, width = 1, d = 1) =>
    run.over('addNormalizedRows', [x, y, alpha, normalize, rows, width, d], rows, d * 0.5),
  /** (x, squares, rows, d). */
  addRowSquares: (run, x = 0, squares = 0, rows = 1, d = 1) =>
    run.over('addRowSquares', [x, squares, d], rows, d * 0.3),
  /** (x, y, squares, α, rows, d). */
  addRowsOverNorm: (run, x = 0, y = 0, squares = 0, alpha = 1, rows = 1, d = 1) =>
    run.over('addRowsOverNorm', [x, y, squares, alpha, d], rows, d * 0.5),
  /** (indptr, indices | 0, values | 0, w, y, columns, rows, d). */
  spmmTransposed: byElements('spmmTransposed', 1),
  /** (indptr, indices | 0, a, b, out, rows, d). */
  sddmm: byElements('sddmm', 0.15),
  /** (indptr, x, y, positions, segments, d). */
  segmentMax: byElements('segmentMax', 1),
  /** (indptr, x, y, segments, d). */
  segmentSoftmax: byElements('segmentSoftmax', 3),

  /** (b, packed, sums, n, k). */
  packInt8: (run, b = 0, packed = 0, sums = 0, n = 1, k = 1) =>
    run.over('packInt8', [b, packed, sums, n, k], Math.ceil(n / 8), 8 * k),
  /** (x, q, scales, zeros | 0, m, k, sevenBit). */
  quantizeRows: (run, x = 0, q = 0, scales = 0, zeros = 0, m = 1, k = 1, sevenBit = 0) =>
    run.over('quantizeRows', [x, q, scales, zeros, k, sevenBit], m, k * 0.8),
  /** (a, packed, sums, rowScale, zero | 0, columnScale, bias | 0, y, m, n, k, sevenBit, activation). */
  gemmInt8: (run, ...args) => {
    const [m, n, k] = args.slice(8, 11) as [number, number, number];
    run.over('gemmInt8', args, Math.ceil(m / 4) * Math.ceil(n / 64), Math.min(m, 4) * Math.min(n, 64) * k * 0.04);
  },
  convolveInt8,
  depthwiseInt8,
  windowsInt8,
  /** (x, y, scale, zero, images, channels, pixels, pitch). */
  dequantizeInt8: (run, x = 0, y = 0, scale = 1, zero = 0, images = 1, channels = 1, pixels = 1, pitch = 16) =>
    run.over('dequantizeInt8', [x, y, scale, zero, channels, pixels, pitch], images * channels, pixels * 1.5),
  /** (x, file's bytes, format, blocks). */
  encodeBlocks: elementwise('encodeBlocks', 60),
  /** (file's bytes, panels, format, rows, columns). */
  packBlocks: (run, source = 0, target = 0, format = 0, rows = 1, columns = 1) =>
    run.over('packBlocks', [source, target, format, rows, columns], Math.ceil(rows / 8), columns * 3),
  attendCache,
  /** (x, cache, half, heads, count, depth, start, stride). */
  appendCache: (run, x = 0, cache = 0, half = 0, heads = 1, count = 1, depth = 1, start = 0, stride = 1) =>
    run.over('appendCache', [x, cache, half, count, depth, start, stride], heads, count * depth * (half ? 1 : 0.2)),
  /** (numbers of 16 bits, y, brain, n). */
  widenHalves: elementwise('widenHalves', 2),
  /** (x, panels, y, m, n, blocks a row). */
  matmulNibbles: blockProduct('matmulNibbles', 0),
  matmulShiftedNibbles: blockProduct('matmulShiftedNibbles', 1),
  matmulBytes: blockProduct('matmulBytes', 2),
  matmulSmallBytes: blockProduct('matmulSmallBytes', 3),
  matmulHalves: blockProduct('matmulHalves', 4),
  /** (x, bits, rows, k). */
  packSigns: (run, x = 0, bits = 0, rows = 1, k = 1) => run.over('packSigns', [x, bits, k], rows, k * 0.4),
  /** (a, b, y, m, n, k). */
  matmulBits: (run, a = 0, b = 0, y = 0, m = 1, n = 1, k = 1) =>
    run.over('matmulBits', [a, b, y, m, n, k], Math.ceil(m / 2), n * k * 0.015),
  /** (bits, indptr, offsets, totals, y, planes, filters, pixels, stored, slices: see kernels/binary.ts). */
  sumPlanes: (run, bits = 0, indptr = 0, offsets = 0, totals = 0, y = 0, ...sizes) => {
    const [planes, filters, pixels, stored, slices] = sizes as [number, number, number, number, number];
    const vectors = Math.ceil(pixels / 128);
    run.withScratchEach((planes + 1) * 16, (scratch) =>
      run.over(
        'sumPlanes',
        [bits, indptr, offsets, totals, y, planes, filters, vectors, pixels, slices, scratch],
        filters * vectors,
        (stored / filters) * 1.2 + 100,
      ),
    );
  },
  /** (indptr, offsets in a tile, values, bias | 0, x, y, rows, columns, pixels, activation, height of a block, stored blocks). */
  sparseChannels: (run, indptr = 0, offsets = 0, values = 0, bias = 0, x = 0, y = 0, ...sizes) => {
    const [rows, columns, pixels, activation, height, stored] = sizes as [
      number,
      number,
      number,
      number,
      1 | 2 | 4,
      number,
    ];
    const width = sparseTilePixels(height);
    run.withScratchEach(columns * width * 4, (scratch) =>
      run.over(
        `sparseChannels${height}`,
        [indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch],
        Math.ceil(pixels / width),
        (stored * 4) / 3 + (rows + columns) * 4,
      ),
    );
  },

  /** (indptr, indices, probabilities | 0, aliases | 0, starts, walks, length, back, away, key0, key1, first, walks in all). */
  randomWalks: (run, ...args) => {
    const count = args.pop() as number;
    run.over('randomWalks', args, count, (args[6] as number) * 20);
  },
  /** (walks, total, length, walks a chunk, window, fixed, partOf, parts, counts, pairs | 0, key0, key1, first). */
  walkPairs: (run, ...args) => run.over('walkPairs', args, Math.ceil((args[1] as number) / (args[3] as number)), 1e6),
  /** (sources, indices, probabilities | 0, aliases | 0, entries, total, pairs a chunk, partOf, parts, counts, pairs | 0, key0, key1, first). */
  edgePairs: (run, ...args) => run.over('edgePairs', args, Math.ceil((args[5] as number) / (args[6] as number)), 1e6),
  /** (indptr, indices, alias columns | 0, sources, ends, count, walks, sources a block, threshold, key0, key1). */
  walkEnds: (run, ...args) => {
    const [count, walks, perBlock] = args.slice(5) as [number, number, number];
    run.withScratchEach(perBlock * walks * 12, (scratch) =>
      run.over('walkEnds', [...args, scratch], Math.ceil(count / perBlock), perBlock * walks * 60),
    );
  },
  /** (walkers, indptr, indices, alias columns | 0, nodes, first, unit row, ranks, threshold, key0, key1, count). */
  advanceWalkers: (run, ...args) => {
    const count = args.pop() as number;
    run.over('advanceWalkers', args, count, 12);
  },
  /** (pairs, blocks, vertices, contexts, d, probabilities, aliases, bounds, σ table, negatives, weight, rate, decay, key0, key1, first, tasks). */
  skipGram: (run, ...args) => {
    const tasks = args.pop() as number;
    const [d, negatives] = [args[4] as number, args[9] as number];
    run.withScratchEach(d * 4 + (negatives + 1) * 8, (scratch) =>
      run.over('skipGram', [...args.slice(0, 9), scratch, ...args.slice(9)], tasks, 1e6),
    );
  },

  /** (x, order, rows, n, descending, integers). */
  argsort: (run, x = 0, order = 0, rows = 1, n = 1, descending = 0, integers = 0) =>
    run.withScratchEach((4 * n + 256) * 4, (scratch) =>
      run.over('argsort', [x, order, n, descending, integers, scratch], rows, n * 20 + 1000),
    ),
  /** (x, positions, rows, n, k, sign). */
  topK: (run, x = 0, positions = 0, rows = 1, n = 1, k = 1, sign = 1) =>
    run.withScratchEach(k * 4, (scratch) =>
      run.over('topK', [x, positions, n, k, sign, scratch], rows, n * 2 + k * 10),
    ),
  /** (x, y, outer, n, inner, reverse). */
  cumulativeSum: (run, x = 0, y = 0, outer = 1, n = 1, inner = 1, reverse = 0) =>
    run.over('cumulativeSum', [x, y, n, inner, reverse], outer * inner, n * 1.5),
  /** (a, b, h, outer, n, inner, reverse). */
  linearScan: (run, a = 0, b = 0, h = 0, outer = 1, n = 1, inner = 1, reverse = 0) =>
    run.over('linearScan', [a, b, h, n, inner, reverse], outer * Math.ceil(inner / 4), n * 2),
  /** (re, im, outRe, outIm, turns, rows, n). */
  fourier: (run, re = 0, im = 0, outRe = 0, outIm = 0, turns = 0, rows = 1, n = 1) =>
    run.withScratchEach(n * 16, (scratch) =>
      run.over('fourier', [re, im, outRe, outIm, turns, n, scratch], rows, n * Math.log2(n + 1) * 3),
    ),

  /** (y, key0, key1, size). */
  randomBits: randomBlocks('randomBits', 30),
  /** (y, key0, key1, low, width, size). */
  randomUniform: randomBlocks('randomUniform', 30),
  /** (y, key0, key1, mean, deviation, size). */
  randomNormal: randomBlocks('randomNormal', 60),
  /** (x, y, key0, key1, threshold, scale, size). */
  dropout: randomBlocks('dropout', 30),

  /** (parameter, gradient, m, v, rate, β₁, β₂, ε, weightDecay, coupled, 1−β₁ᵗ, 1−β₂ᵗ, n). */
  adam: elementwise('adam', 1),
  /** (parameter, gradient, velocity | 0, rate, momentum, weightDecay, nesterov, n). */
  sgd: elementwise('sgd', 0.5),
} satisfies Record<string, Routine>;

export type KernelName = keyof typeof routines;
