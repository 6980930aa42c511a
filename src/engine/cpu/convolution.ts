// Convolution on the CPU: which kernel serves which shape, and the geometry tables that the kernels read.

import type { Execution } from './runner.js';

/** Sizes of a convolution x [n, c, h, w] → y [n, o, outH, outW], in the order in which a device's routines take them. */
interface Sizes {
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

function sizesOf(values: readonly number[]): Sizes {
  const [images, channels, height, width, filters, kernelHeight, kernelWidth, outHeight, outWidth, ...rest] =
    values as [number, number, number, number, number, number, number, number, number];
  const [strideY, strideX, padTop, padLeft, dilationY, dilationX, groups] = rest as number[] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const sizes = { images, channels, height, width, filters, kernelHeight, kernelWidth, outHeight, outWidth };
  return flattened({ ...sizes, strideY, strideX, padTop, padLeft, dilationY, dilationX, groups });
}

/** A pointwise convolution sees its pixels as one row: no panel of columns is left half empty at the end of a short row. */
function flattened(sizes: Sizes): Sizes {
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

function isDepthwise({ groups, channels, filters }: Sizes): boolean {
  return groups > 1 && groups === channels && groups === filters;
}

/** (dy, dx, place in the filter): where a tap reads relative to the pixel's origin. */
type Tap = readonly [dy: number, dx: number, place: number];

/** One pass of `convolve`: fields as in kernels/convolution.ts. */
interface Pass {
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

const PANEL = 8;
/** Length of the shared dimension of a block of windows: a panel of it is at most 16 KiB and stays in L1. */
const DEPTH = 512;
/** Bytes of a block of windows: it stays in L2. */
const WINDOWS_BYTES = 192 * 1024;
const MAXIMUM_PANELS = 32;
const TASKS_PER_THREAD = 3;

interface Blocking {
  readonly tileRows: number;
  readonly channelBlock: number;
  readonly panelBlock: number;
  readonly imageBlock: number;
  readonly images: number;
  readonly activation: number;
}

function geometryWords(pass: Pass, blocking: Blocking): number[] {
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

function preparePass(
  pass: Pass,
  images: number,
  activation: number,
  preferredRows: number,
  threads: number,
): PreparedPass {
  const { channels, rows, groups, gridHeight, gridWidth, taps, spread } = pass;
  const tileRows = tileRowsFor(rows, preferredRows);
  const channelBlock = taps.length === 0 ? channels : Math.max(1, Math.min(channels, Math.floor(DEPTH / taps.length)));
  const depth = channelBlock * taps.length;
  const panels = gridHeight * Math.ceil(gridWidth / PANEL);
  const fitting = Math.floor(WINDOWS_BYTES / (4 * PANEL * Math.max(depth, 1)));
  // Small images are cut finer, so that every thread has something to do.
  const shared = threads === 1 ? panels : Math.ceil((panels * images * groups) / (threads * TASKS_PER_THREAD));
  const panelBlock = Math.max(1, Math.min(panels, MAXIMUM_PANELS, fitting, shared));
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

function forwardPass(sizes: Sizes): Pass {
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

function tapsOf({ kernelHeight, kernelWidth, dilationY, dilationX, padTop, padLeft }: Sizes): Tap[] {
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
function* inputGradientPasses(sizes: Sizes): Generator<Pass> {
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

function runPass(run: Execution, pass: Pass, images: number, activation: number, regions: readonly number[]): void {
  const [x, filters, bias, residual, y] = regions as [number, number, number, number, number];
  const { channels, rows, groups, gridHeight, gridWidth, taps } = pass;
  const flop = 2 * images * groups * rows * channels * taps.length * gridHeight * gridWidth;
  run.tiles.time(flop, (tileRows) => {
    const prepared = preparePass(pass, images, activation, tileRows, run.threads);
    run.withInts(prepared.words, (geometry) =>
      run.withScratch(prepared.packedBytes, (packed) => {
        run.over(
          'packFilters',
          [filters, packed, geometry],
          prepared.packTasks,
          prepared.packedBytes / prepared.packTasks / 3,
        );
        run.withScratchEach(prepared.scratchBytes, (scratch) =>
          run.over(
            'convolve',
            [x, packed, bias, residual, y, scratch, prepared.scratchBytes, geometry],
            prepared.tasks,
            prepared.cost,
          ),
        );
      }),
    );
  });
}

/** Words, padded-plane bytes and cost of a depthwise pass: fields as in kernels/depthwise.ts. */
interface DepthwisePass extends Omit<Sizes, 'filters' | 'groups'> {
  readonly spreadY: number;
  readonly spreadX: number;
  readonly reversed: boolean;
}

/** Rows and columns beyond the last pixel that tiles may read. */
const TILE_OVERHANG = { rows: 3, columns: 32 };

export function prepareDepthwise(pass: DepthwisePass, activation: number, split = true) {
  const { images, channels, height, width, outHeight, outWidth, kernelHeight, kernelWidth } = pass;
  const { strideY, strideX, padTop, padLeft, dilationY, dilationX, spreadY, spreadX, reversed } = pass;
  const [phasesY, phasesX] = split ? [strideY, strideX] : [1, 1];
  const down = split ? outHeight : (outHeight - 1) * strideY + 1;
  const across = split ? outWidth : (outWidth - 1) * strideX + 1;
  const phaseRows = down + Math.floor(((kernelHeight - 1) * dilationY) / phasesY) + TILE_OVERHANG.rows;
  const reach = across + Math.floor(((kernelWidth - 1) * dilationX) / phasesX);
  const pitch = (reach + TILE_OVERHANG.columns + 3) & ~3;
  const taps = kernelHeight * kernelWidth;
  return {
    words: [
      ...[
        channels,
        images,
        height,
        width,
        outHeight,
        outWidth,
        kernelHeight,
        kernelWidth,
        strideY,
        strideX,
        padTop,
        padLeft,
      ],
      ...[dilationY, dilationX, spreadY, spreadX, Number(reversed), activation, phaseRows, pitch, phasesY, phasesX],
    ],
    scratchBytes: 4 * (phasesY * phasesX * phaseRows * pitch + ((taps + 3) & ~3)),
    tasks: images * channels,
    cost: outHeight * outWidth * (taps * 0.06 + 0.6) + height * width * 0.2 + 30,
  };
}

/** Whether the kernel for 3×3 at stride 2 applies, which takes the plane whole. */
function isHalving(pass: DepthwisePass): boolean {
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX } = pass;
  return kernelHeight === 3 && kernelWidth === 3 && strideY === 2 && strideX === 2 && dilationY * dilationX === 1;
}

function runDepthwise(run: Execution, pass: DepthwisePass, activation: number, regions: readonly number[]): void {
  const { words, scratchBytes, tasks, cost } = prepareDepthwise(pass, activation, !isHalving(pass));
  run.withInts(words, (geometry) =>
    run.withScratchEach(scratchBytes, (scratch) =>
      run.over('depthwise', [...regions, scratch, scratchBytes, geometry], tasks, cost),
    ),
  );
}

function forwardDepthwise(sizes: Sizes): DepthwisePass {
  return { ...sizes, spreadY: 1, spreadX: 1, reversed: false };
}

function inputGradientDepthwise(sizes: Sizes): DepthwisePass {
  return {
    ...sizes,
    height: sizes.outHeight,
    width: sizes.outWidth,
    outHeight: sizes.height,
    outWidth: sizes.width,
    strideY: 1,
    strideX: 1,
    padTop: sizes.dilationY * (sizes.kernelHeight - 1) - sizes.padTop,
    padLeft: sizes.dilationX * (sizes.kernelWidth - 1) - sizes.padLeft,
    spreadY: sizes.strideY,
    spreadX: sizes.strideX,
    reversed: true,
  };
}

/**
 * y = activation(x ∗ w + bias + residual): (x, w, bias | 0, residual | 0, y, images, channels, height, width, filters, kernelHeight, kernelWidth, outHeight,
 * outWidth, strideY, strideX, padTop, padLeft, dilationY, dilationX, groups, activation).
 */
export function convolution(run: Execution, ...args: number[]): void {
  const sizes = sizesOf(args.slice(5, 21));
  const activation = args[21] as number;
  const [x, w, bias, residual, y] = args as [number, number, number, number, number];
  if (sizes.images === 0) return;
  if (isDepthwise(sizes) && !residual) runDepthwise(run, forwardDepthwise(sizes), activation, [x, w, bias, y]);
  else runPass(run, forwardPass(sizes), sizes.images, activation, [x, w, bias, residual, y]);
}

/** Gradient of the input, which is also the transposed convolution: (gradient of y, w, bias | 0, gradient of x, …sizes as above). */
export function convolutionInputGradient(run: Execution, ...args: number[]): void {
  const sizes = sizesOf(args.slice(4, 20));
  const [g, w, bias, dx] = args as [number, number, number, number];
  if (sizes.images === 0) return;
  if (isDepthwise(sizes)) runDepthwise(run, inputGradientDepthwise(sizes), 0, [g, w, bias, dx]);
  else for (const pass of inputGradientPasses(sizes)) runPass(run, pass, sizes.images, 0, [g, w, bias, 0, dx]);
}

/** Products of channel and tap in a task of the filters' gradient: enough to share the reading of the output's gradient. */
const PRODUCTS = 36;

/** Gradient of the filters: (x, gradient of y, gradient of w, …sizes as above). */
export function convolutionFilterGradient(run: Execution, ...args: number[]): void {
  const sizes = sizesOf(args.slice(3, 19));
  const [x, g, dw] = args as [number, number, number];
  if (isDepthwise(sizes)) {
    const { words, scratchBytes, cost } = prepareDepthwise(forwardDepthwise(sizes), 0);
    const bytes = scratchBytes + 4 * sizes.outHeight * ((sizes.outWidth + 3) & ~3);
    run.withInts(words, (geometry) =>
      run.withScratchEach(bytes, (scratch) =>
        run.over('depthwiseFilterGradient', [x, g, dw, scratch, bytes, geometry], sizes.channels, sizes.images * cost),
      ),
    );
    return;
  }
  const pass = forwardPass(sizes);
  const { channels, rows, groups, gridHeight, gridWidth, taps } = pass;
  const channelBlock = Math.max(1, Math.min(channels, Math.floor(PRODUCTS / taps.length)));
  const products = channelBlock * taps.length;
  const pixels = gridHeight * gridWidth;
  const bytesAnImage = 4 * products * ((pixels + 7) & ~3);
  const imageBlock = Math.max(1, Math.min(sizes.images, Math.floor(WINDOWS_BYTES / bytesAnImage)));
  const blocking = { tileRows: 4, channelBlock, panelBlock: 1, imageBlock, images: sizes.images, activation: 0 };
  const scratchBytes = imageBlock * bytesAnImage;
  run.withInts(geometryWords(pass, blocking), (geometry) =>
    run.withScratchEach(scratchBytes, (scratch) =>
      run.over(
        'filterGradient',
        [x, g, dw, scratch, scratchBytes, geometry],
        groups * Math.ceil(channels / channelBlock),
        sizes.images * pixels * products * rows * 0.05,
      ),
    ),
  );
}
