// Passes of the convolution kernel: which pixels and taps a convolution or its input's gradient takes at a time, and the
// geometry tables that kernels/convolution.ts reads.

import { GEMM_DEPTH, PANEL, WINDOW_BLOCKS_PER_THREAD, WINDOW_BYTES, WINDOW_PANELS } from '../../limits.js';

/** Sizes of a convolution x [images, channels, height, width] → y [images, filters, outHeight, outWidth]. */
export interface ConvolutionSizes {
  readonly images: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly filters: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationY: number;
  readonly dilationX: number;
  readonly groups: number;
}

/** A pointwise convolution sees its pixels as one row: no panel of columns is left half empty at the end of a short row. */
export function flattened(sizes: ConvolutionSizes): ConvolutionSizes {
  const { kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft, height, width, outHeight, outWidth } = sizes;
  const pointwise =
    kernelHeight * kernelWidth === 1 &&
    strideY * strideX === 1 &&
    padTop === 0 &&
    padLeft === 0 &&
    height === outHeight;
  return pointwise && width === outWidth
    ? { ...sizes, height: 1, width: height * width, outHeight: 1, outWidth: height * width }
    : sizes;
}

export function isDepthwise({ groups, channels, filters }: ConvolutionSizes): boolean {
  return groups > 1 && groups === channels && groups === filters;
}

/** (dy, dx, place in the filter): where a tap reads relative to the pixel's origin. */
type Tap = readonly [dy: number, dx: number, place: number];

/** One pass of `convolve`: fields as in kernels/convolution.ts. */
export interface Pass {
  readonly channels: number;
  readonly rows: number;
  readonly groups: number;
  readonly height: number;
  readonly width: number;
  readonly gridHeight: number;
  readonly gridWidth: number;
  readonly step: readonly [y: number, x: number];
  readonly outHeight: number;
  readonly outWidth: number;
  readonly origin: readonly [y: number, x: number];
  readonly spread: readonly [y: number, x: number];
  readonly strides: readonly [group: number, row: number, channel: number];
  readonly taps: readonly Tap[];
}

interface Blocking {
  readonly tileRows: number;
  readonly channelBlock: number;
  readonly panelBlock: number;
  readonly imageBlock: number;
  readonly images: number;
  readonly activation: number;
}

export function geometryWords(pass: Pass, blocking: Blocking): number[] {
  const { channels, rows, groups, height, width, gridHeight, gridWidth, outHeight, outWidth, taps } = pass;
  const { tileRows, channelBlock, panelBlock, imageBlock, images, activation } = blocking;
  return [
    ...[channels, rows, groups, height, width, gridHeight, gridWidth, ...pass.step, outHeight, outWidth],
    ...[...pass.origin, ...pass.spread, ...pass.strides, tileRows, channelBlock, panelBlock, imageBlock, images],
    ...[activation, taps.length, ...taps.flat()],
  ];
}

/** Rows of a tile that waste little on this many filters. */
function tileRowsFor(rows: number, preferred: number): number {
  return preferred === 6 && (rows >= 48 || rows % 6 === 0 || rows % 6 >= 4) ? 6 : 4;
}

/** A pass with everything laid out: what the kernels are called with. */
export interface PreparedPass {
  readonly words: readonly number[];
  readonly packedBytes: number;
  readonly packTasks: number;
  readonly scratchBytes: number;
  readonly tasks: number;
  /** Rough nanoseconds of a task. */
  readonly cost: number;
}

export function preparePass(
  pass: Pass,
  images: number,
  activation: number,
  preferredRows: number,
  threads: number,
): PreparedPass {
  const { channels, rows, groups, gridHeight, gridWidth, taps, spread } = pass;
  const tileRows = tileRowsFor(rows, preferredRows);
  const channelBlock =
    taps.length === 0 ? channels : Math.max(1, Math.min(channels, Math.floor(GEMM_DEPTH / taps.length)));
  const depth = channelBlock * taps.length;
  const panels = gridHeight * Math.ceil(gridWidth / PANEL);
  const fitting = Math.floor(WINDOW_BYTES / (4 * PANEL * Math.max(depth, 1)));
  // Small images are cut finer, so that every thread has something to do.
  const shared = threads === 1 ? panels : Math.ceil((panels * images * groups) / (threads * WINDOW_BLOCKS_PER_THREAD));
  const panelBlock = Math.max(1, Math.min(panels, WINDOW_PANELS, fitting, shared));
  const paddedRows = Math.ceil(rows / tileRows) * tileRows;
  return {
    words: geometryWords(pass, { tileRows, channelBlock, panelBlock, imageBlock: 1, images, activation }),
    packedBytes: 4 * groups * channels * taps.length * paddedRows,
    packTasks: groups * Math.ceil(rows / tileRows),
    scratchBytes: 4 * PANEL * (panelBlock * depth + (spread[1] > 1 ? rows : 0)),
    tasks: images * groups * Math.ceil(panels / panelBlock),
    cost: panelBlock * PANEL * (channels * taps.length + 8) * (rows + 8) * 0.04,
  };
}

export function forwardPass(sizes: ConvolutionSizes): Pass {
  const channels = sizes.channels / sizes.groups;
  const taps = tapsOf(sizes);
  return {
    channels,
    rows: sizes.filters / sizes.groups,
    groups: sizes.groups,
    height: sizes.height,
    width: sizes.width,
    gridHeight: sizes.outHeight,
    gridWidth: sizes.outWidth,
    step: [sizes.strideY, sizes.strideX],
    outHeight: sizes.outHeight,
    outWidth: sizes.outWidth,
    origin: [0, 0],
    spread: [1, 1],
    strides: [(sizes.filters / sizes.groups) * channels * taps.length, channels * taps.length, taps.length],
    taps,
  };
}

function tapsOf({ kernelHeight, kernelWidth, dilationY, dilationX, padTop, padLeft }: ConvolutionSizes): Tap[] {
  return Array.from(
    { length: kernelHeight * kernelWidth },
    (_, place): Tap => [
      Math.floor(place / kernelWidth) * dilationY - padTop,
      (place % kernelWidth) * dilationX - padLeft,
      place,
    ],
  );
}

/** The passes that give the input's gradient: one for each phase of its pixels, with the taps that reach it. */
export function* inputGradientPasses(sizes: ConvolutionSizes): Generator<Pass> {
  const { strideY, strideX, height, width } = sizes;
  const rows = sizes.channels / sizes.groups;
  const channels = sizes.filters / sizes.groups;
  const all = tapsOf(sizes);
  for (let y = 0; y < Math.min(strideY, height); y++) {
    for (let x = 0; x < Math.min(strideX, width); x++) {
      const taps = all
        .filter(([dy, dx]) => (y - dy) % strideY === 0 && (x - dx) % strideX === 0)
        .map(([dy, dx, place]): Tap => [(y - dy) / strideY, (x - dx) / strideX, place]);
      yield {
        channels,
        rows,
        groups: sizes.groups,
        height: sizes.outHeight,
        width: sizes.outWidth,
        gridHeight: Math.ceil((height - y) / strideY),
        gridWidth: Math.ceil((width - x) / strideX),
        step: [1, 1],
        outHeight: height,
        outWidth: width,
        origin: [y, x],
        spread: [strideY, strideX],
        strides: [channels * rows * all.length, all.length, rows * all.length],
        taps,
      };
    }
  }
}
