// Passes of the depthwise kernel, one filter a channel, and the geometry tables that kernels/depthwise.ts reads.

import type { ConvolutionSizes } from './convolution-passes.js';

/** Words, padded-plane bytes and cost of a depthwise pass: fields as in kernels/depthwise.ts. */
export interface DepthwisePass extends Omit<ConvolutionSizes, 'filters' | 'groups'> {
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
export function isHalving(pass: DepthwisePass): boolean {
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX } = pass;
  return kernelHeight === 3 && kernelWidth === 3 && strideY === 2 && strideX === 2 && dilationY * dilationX === 1;
}

export function forwardDepthwise(sizes: ConvolutionSizes): DepthwisePass {
  return { ...sizes, spreadY: 1, spreadX: 1, reversed: false };
}

export function inputGradientDepthwise(sizes: ConvolutionSizes): DepthwisePass {
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
