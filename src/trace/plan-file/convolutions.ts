// What the kernels of images in float32 read and write for their arguments: convolutions, pools and
// channels.

import type { ConvolutionSizes } from '../../engine/index.js';
import type { CallArguments } from './arguments.js';
import { type CallCheck, readActivation } from './check.js';

/** An axis of a convolution. */
interface Axis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly dilation: number;
}

/**
 * Whether an axis has as many outputs as its geometry gives, where padding behind is that in front
 * or one more.
 */
export function fits({ input, output, kernel, stride, before, dilation }: Axis): boolean {
  const reach = (kernel - 1) * dilation + 1;
  const outputs = (after: number) => Math.floor((input + before + after - reach) / stride) + 1;
  return output === outputs(before) || output === outputs(before + 1);
}

const sizeNames = [
  ...['images', 'channels', 'height', 'width', 'filters', 'kernelHeight', 'kernelWidth', 'outHeight', 'outWidth'],
  ...['strideY', 'strideX', 'dilationY', 'dilationX', 'groups'],
] as const;

/** Sizes of a convolution; elements of its input, filters and output. */
export function convolutionElements(a: CallArguments) {
  const table = a.table('sizes');
  const sizes = new Map(sizeNames.map((name) => [name as string, table.size(name)]));
  const size = (name: string) => sizes.get(name) as number;
  const axis = (length: string, side: 'Y' | 'X'): Axis => ({
    input: size(length.toLowerCase()),
    output: size(`out${length}`),
    kernel: size(`kernel${length}`),
    stride: size(`stride${side}`),
    dilation: size(`dilation${side}`),
    before: table.integer(side === 'Y' ? 'padTop' : 'padLeft', 0),
  });
  const axes = [axis('Height', 'Y'), axis('Width', 'X')];
  table.finish();
  const groups = size('groups');
  if (size('channels') % groups !== 0 || size('filters') % groups !== 0)
    a.fail(`has ${size('channels')} channels and ${size('filters')} filters in ${groups} groups`);
  const depthwise = groups > 1 && groups === size('channels') && groups === size('filters');
  for (const one of axes)
    if (!fits(one) || (depthwise && one.before > (one.kernel - 1) * one.dilation))
      a.fail(`has ${one.output} outputs for ${one.input} inputs, which its geometry does not give`);
  const taps = size('kernelHeight') * size('kernelWidth');
  const [padTop, padLeft] = axes.map(({ before }) => before) as [number, number];
  return {
    sizes: { ...(Object.fromEntries(sizes) as Omit<ConvolutionSizes, 'padTop' | 'padLeft'>), padTop, padLeft },
    depthwise,
    filters: size('filters'),
    channels: size('channels'),
    input: size('images') * size('channels') * size('height') * size('width'),
    weights: size('filters') * (size('channels') / groups) * taps,
    output: size('images') * size('filters') * size('outHeight') * size('outWidth'),
  };
}

const convolution: CallCheck = (a) => {
  const { filters, input, weights, output } = convolutionElements(a);
  a.read('x', input);
  a.read('w', weights);
  a.optionalRead('bias', filters);
  a.optionalRead('residual', output);
  a.write('y', output);
  readActivation(a);
};

const transposedConvolution: CallCheck = (a) => {
  const { channels, input, weights, output } = convolutionElements(a);
  a.read('gradient', output);
  a.read('w', weights);
  a.optionalRead('bias', channels);
  a.write('dx', input);
};

const channelAffine: CallCheck = (a) => {
  const [images, channels, pixels] = [a.size('images'), a.size('channels'), a.size('pixels')];
  a.read('x', images * channels * pixels);
  a.optionalRead('center', channels);
  a.read('scale', channels);
  a.read('shift', channels);
  a.write('y', images * channels * pixels);
  readActivation(a);
};

/** Pixels of a tile of `sparseChannels`, by the rows of a block. */
const TILE_PIXELS: Readonly<Record<number, number>> = { 1: 16, 2: 16, 4: 8, 8: 4 };
/** Pixels of a wide tile, of single rows. */
const WIDE_TILE = 32;

const sparseChannels: CallCheck = (a) => {
  const [rows, columns, pixels, height] = [a.size('rows'), a.size('columns'), a.size('pixels'), a.size('height')];
  const wide = a.flag('wide') === 1;
  if (wide && height !== 1) a.fail(`has wide tiles for blocks of ${height} rows`);
  const tileBytes = 4 * (wide ? WIDE_TILE : (TILE_PIXELS[height] ?? a.fail(`has blocks of ${height} rows`)));
  a.number('stored');
  const entries = a.segmentEnds('indptr', Math.ceil(rows / height));
  for (const offset of a.constantInts('offsets', entries))
    if (offset < 0 || offset % tileBytes !== 0 || offset >= columns * tileBytes)
      a.fail(`has the offset ${offset} among ${columns} columns of ${tileBytes} bytes`);
  a.read('values', entries * height);
  a.optionalRead('bias', rows);
  a.read('x', columns * pixels);
  a.write('y', rows * pixels);
  readActivation(a);
};

/** Planes of images, and how many outputs their windows or samples give. */
function planes(a: CallArguments, width: number, check: (row: readonly number[], length: number) => boolean) {
  const [count, height, columns] = [a.size('planes'), a.size('height'), a.size('width')];
  const down = a.rows('rows', width, (row) => check(row, height));
  const across = a.rows('columns', width, (row) => check(row, columns));
  return { input: count * height * columns, output: count * down * across };
}

export function isWindow([first, end]: readonly number[], length: number): boolean {
  return (
    Number.isInteger(first) &&
    Number.isInteger(end) &&
    0 <= (first as number) &&
    (first as number) < (end as number) &&
    (end as number) <= length
  );
}

function isSample([low, high]: readonly number[], length: number): boolean {
  return [low, high].every((at) => Number.isInteger(at) && (at as number) >= 0 && (at as number) < length);
}

const maxPool: CallCheck = (a) => {
  const { input, output } = planes(a, 2, isWindow);
  a.read('x', input);
  a.write('y', output);
  a.optionalWrite('positions', output);
};

const averagePool: CallCheck = (a) => {
  const { input, output } = planes(a, 2, isWindow);
  a.number('divisor');
  a.read('x', input);
  a.write('y', output);
};

const resize: CallCheck = (a) => {
  const { input, output } = planes(a, 3, isSample);
  a.read('x', input);
  a.write('y', output);
};

const aggregate: CallCheck = (a) => {
  const sizes = a.table('sizes');
  const [images, channels, sharing, height, width] = ['images', 'channels', 'sharing', 'height', 'width'].map((name) =>
    sizes.size(name),
  ) as [number, number, number, number, number];
  sizes.finish();
  if (channels % sharing !== 0) a.fail(`has ${channels} channels for ${sharing} filters`);
  a.read('x', images * channels * height * width);
  a.read('filters', images * sharing * 9 * height * width);
  a.write('y', images * channels * height * width);
};

export const convolutionChecks = {
  convolution,
  convolutionInputGradient: transposedConvolution,
  channelAffine,
  sparseChannels,
  maxPool,
  averagePool,
  resize,
  aggregate,
} as const;
