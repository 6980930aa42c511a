// Convolution on the CPU: which kernel serves which shape.

import { WINDOW_BYTES } from '../../limits.js';
import type { Region } from '../../region.js';
import type { Execution } from '../execution.js';
import {
  type ConvolutionSizes,
  flattened,
  forwardPass,
  geometryWords,
  inputGradientPasses,
  isDepthwise,
  type Pass,
  preparePass,
} from './convolution-passes.js';
import {
  type DepthwisePass,
  forwardDepthwise,
  inputGradientDepthwise,
  isHalving,
  prepareDepthwise,
} from './depthwise-passes.js';

/** y = activation(x ∗ w + bias + residual). */
export interface ConvolutionArguments {
  readonly x: Region;
  readonly w: Region;
  readonly bias: Region | null;
  /** Added before the activation, of y's shape. */
  readonly residual: Region | null;
  readonly y: Region;
  readonly sizes: ConvolutionSizes;
  /** A code of activation.ts. */
  readonly activation: number;
}

function convolution(run: Execution, args: ConvolutionArguments): void {
  const { x, w, bias, residual, y, activation } = args;
  const sizes = flattened(args.sizes);
  const operands = { x, filters: w, bias, y };
  if (sizes.images === 0) return;
  if (isDepthwise(sizes) && !residual) runDepthwise(run, forwardDepthwise(sizes), activation, operands);
  else runPass(run, forwardPass(sizes), sizes.images, activation, operands, residual);
}

/** Gradient dx of the input from that of the output, which is also the transposed convolution, then with a bias. */
export interface ConvolutionInputGradientArguments {
  readonly gradient: Region;
  readonly w: Region;
  readonly bias: Region | null;
  readonly dx: Region;
  readonly sizes: ConvolutionSizes;
}

function convolutionInputGradient(run: Execution, args: ConvolutionInputGradientArguments): void {
  const { gradient, w, bias, dx } = args;
  const sizes = flattened(args.sizes);
  const operands = { x: gradient, filters: w, bias, y: dx };
  if (sizes.images === 0) return;
  if (isDepthwise(sizes)) runDepthwise(run, inputGradientDepthwise(sizes), 0, operands);
  else for (const pass of inputGradientPasses(sizes)) runPass(run, pass, sizes.images, 0, operands);
}

/** Gradient dw of the filters from the input and the output's gradient. */
export interface ConvolutionFilterGradientArguments {
  readonly x: Region;
  readonly gradient: Region;
  readonly dw: Region;
  readonly sizes: ConvolutionSizes;
}

/** Products of channel and tap in a task of the filters' gradient: enough to share the reading of the output's gradient. */
const PRODUCTS = 36;

function convolutionFilterGradient(run: Execution, args: ConvolutionFilterGradientArguments): void {
  const { x, gradient, dw: result } = args;
  const sizes = flattened(args.sizes);
  if (isDepthwise(sizes)) depthwiseFilterGradient(run, sizes, { x, gradient, result });
  else filterGradient(run, sizes, { x, gradient, result });
}

interface GradientOperands {
  readonly x: Region;
  readonly gradient: Region;
  readonly result: Region;
}

function depthwiseFilterGradient(
  run: Execution,
  sizes: ConvolutionSizes,
  { x, gradient, result }: GradientOperands,
): void {
  const { words, scratchBytes: planeBytes, cost } = prepareDepthwise(forwardDepthwise(sizes), 0);
  const scratchBytes = planeBytes + 4 * sizes.outHeight * ((sizes.outWidth + 3) & ~3);
  run.withInts(words, (geometry) =>
    run.withScratchEach(scratchBytes, (scratch) =>
      run.over(
        'depthwiseFilterGradient',
        { x, gradient, result, scratch, scratchBytes, geometry },
        sizes.channels,
        sizes.images * cost,
      ),
    ),
  );
}

function filterGradient(run: Execution, sizes: ConvolutionSizes, { x, gradient, result }: GradientOperands): void {
  const pass = forwardPass(sizes);
  const { channels, rows, groups, gridHeight, gridWidth, taps } = pass;
  const channelBlock = Math.max(1, Math.min(channels, Math.floor(PRODUCTS / taps.length)));
  const products = channelBlock * taps.length;
  const pixels = gridHeight * gridWidth;
  const imageBytes = 4 * products * ((pixels + 7) & ~3);
  const imageBlock = Math.max(1, Math.min(sizes.images, Math.floor(WINDOW_BYTES / imageBytes)));
  const blocking = { tileRows: 4, channelBlock, panelBlock: 1, imageBlock, images: sizes.images, activation: 0 };
  const scratchBytes = imageBlock * imageBytes;
  run.withInts(geometryWords(pass, blocking), (geometry) =>
    run.withScratchEach(scratchBytes, (scratch) =>
      run.over(
        'filterGradient',
        { x, gradient, result, scratch, scratchBytes, geometry },
        groups * Math.ceil(channels / channelBlock),
        sizes.images * pixels * products * rows * 0.05,
      ),
    ),
  );
}

export const convolutionRoutines = { convolution, convolutionInputGradient, convolutionFilterGradient };

/** What a pass reads and writes. */
interface Operands {
  readonly x: Region;
  readonly filters: Region;
  readonly bias: Region | null;
  readonly y: Region;
}

function runPass(
  run: Execution,
  pass: Pass,
  images: number,
  activation: number,
  { x, filters, bias, y }: Operands,
  residual: Region | null = null,
): void {
  const { channels, rows, groups, gridHeight, gridWidth, taps } = pass;
  const flop = 2 * images * groups * rows * channels * taps.length * gridHeight * gridWidth;
  run.tiles.time(flop, (tileRows) => {
    const { words, packedBytes, packTasks, scratchBytes, tasks, cost } = preparePass(
      pass,
      images,
      activation,
      tileRows,
      run.threads,
    );
    run.withInts(words, (geometry) =>
      run.withScratch(packedBytes, (packed) => {
        run.over('packFilters', { filters, packed, geometry }, packTasks, packedBytes / packTasks / 3);
        run.withScratchEach(scratchBytes, (scratch) =>
          run.over('convolve', { x, packed, bias, residual, y, scratch, scratchBytes, geometry }, tasks, cost),
        );
      }),
    );
  });
}

function runDepthwise(
  run: Execution,
  pass: DepthwisePass,
  activation: number,
  { x, filters, bias, y }: Operands,
): void {
  const { words, scratchBytes, tasks, cost } = prepareDepthwise(pass, activation, !isHalving(pass));
  run.withInts(words, (geometry) =>
    run.withScratchEach(scratchBytes, (scratch) =>
      run.over('depthwise', { x, filters, bias, y, scratch, scratchBytes, geometry }, tasks, cost),
    ),
  );
}
