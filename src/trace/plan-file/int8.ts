// What the kernels of int8 read and write for their arguments: products, convolutions and what
// stands between them.

import type { CallArguments } from './arguments.js';
import { type CallCheck, readActivation } from './check.js';
import { fits, isWindow } from './convolutions.js';

/** k as int8 matrices lie in memory. */
function paddedToFour(k: number): number {
  return 4 * Math.ceil(k / 4);
}

const quantizeRows: CallCheck = (a) => {
  const [m, k] = [a.size('m'), a.size('k')];
  a.flag('sevenBit');
  a.read('x', m * k);
  a.write('q', 2 * m * paddedToFour(k), 1);
  a.write('scales', m);
  a.optionalWrite('zeros', m);
};

/** Panels of eight rows of an int8 matrix [n, k]. */
function panelBytes(n: number, k: number): number {
  return 8 * Math.ceil(n / 8) * paddedToFour(k);
}

const gemmInt8: CallCheck = (a) => {
  const [m, n, k] = [a.size('m'), a.size('n'), a.size('k')];
  a.flag('sevenBit');
  a.read('a', 2 * m * paddedToFour(k), 1);
  a.read('packed', panelBytes(n, k), 1);
  a.read('sums', n);
  a.read('rowScale', m);
  a.optionalRead('zero', m);
  a.read('columnScale', n);
  a.optionalRead('bias', n);
  a.write('y', m * n);
  readActivation(a);
};

/** Capacity of the kernels' table of tap addresses. */
const MOST_TAPS = 128;

const geometryNames = [
  ...['images', 'height', 'width', 'outHeight', 'outWidth', 'kernelHeight', 'kernelWidth', 'strideY', 'strideX'],
  ...['channels', 'pitch', 'filters', 'outPitch', 'dilationY', 'dilationX'],
] as const;

type Int8Sizes = Readonly<Record<(typeof geometryNames)[number], number>>;

/** Sizes of an int8 convolution; a pixel's channels fill a pitch of whole vectors. */
function int8Sizes(a: CallArguments): Int8Sizes & Record<'padLeft' | 'firstIn' | 'firstOut', number> {
  const table = a.table('geometry');
  const sizes = Object.fromEntries(geometryNames.map((name) => [name, table.size(name)])) as Int8Sizes;
  const [padTop, padLeft] = [table.integer('padTop', 0), table.integer('padLeft', 0)];
  const [firstIn, firstOut] = [table.integer('firstIn', 0), table.integer('firstOut', 0)];
  table.finish();
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX } = sizes;
  const rows = { input: sizes.height, output: sizes.outHeight, kernel: kernelHeight, stride: strideY };
  const columns = { input: sizes.width, output: sizes.outWidth, kernel: kernelWidth, stride: strideX };
  if (
    !fits({ ...rows, before: padTop, dilation: dilationY }) ||
    !fits({ ...columns, before: padLeft, dilation: dilationX })
  )
    a.fail('has outputs that its geometry does not give');
  if (sizes.kernelHeight * sizes.kernelWidth > MOST_TAPS) a.fail(`has more than ${MOST_TAPS} taps`);
  return { ...sizes, padLeft, firstIn, firstOut };
}

/** A group's channels must lie in a pixel. */
function requireGroup(a: CallArguments, pitch: number, first: number, channels: number): void {
  if (pitch % 16 !== 0 || first + channels > pitch)
    a.fail(`has channels ${first} to ${first + channels} of a pitch of ${pitch} bytes`);
}

function requirePitch(a: CallArguments, pitch: number, channels: number): void {
  if (pitch !== 16 * Math.ceil(channels / 16)) a.fail(`has a pitch of ${pitch} bytes for ${channels} channels`);
}

/** How results are rounded and clamped. */
function readRequantization(a: CallArguments): void {
  const table = a.table('requantization');
  for (const name of ['zero', 'lowest', 'highest']) table.integer(name, -128, 127);
  table.finish();
}

/** Quanta that a convolution writes, and what scales them. */
function requantized(a: CallArguments, { images, outHeight, outWidth, filters, outPitch }: Int8Sizes): number {
  readRequantization(a);
  const output = images * outHeight * outWidth * outPitch;
  const own = 16 * Math.ceil(filters / 16);
  a.read('scale', own);
  a.read('shift', own);
  a.write('y', output, 1);
  return output;
}

const convolveInt8: CallCheck = (a) => {
  const sizes = int8Sizes(a);
  const { images, height, width, kernelHeight, kernelWidth, channels, pitch, filters } = sizes;
  requireGroup(a, pitch, sizes.firstIn, channels);
  requireGroup(a, sizes.outPitch, sizes.firstOut, filters);
  const output = requantized(a, sizes);
  a.flag('sevenBit');
  a.number('residualScale');
  a.read('x', images * height * width * pitch, 1);
  a.read('packed', panelBytes(filters, kernelHeight * kernelWidth * paddedToFour(channels)), 1);
  a.read('pad', pitch, 1);
  a.optionalRead('residual', output, 1);
};

const depthwiseInt8: CallCheck = (a) => {
  const sizes = int8Sizes(a);
  const { images, height, width, kernelHeight, kernelWidth, channels, pitch, filters } = sizes;
  requirePitch(a, pitch, channels);
  requirePitch(a, sizes.outPitch, filters);
  if (sizes.firstIn !== 0 || sizes.firstOut !== 0) a.fail('has a group of depthwise channels');
  if (filters !== channels) a.fail(`has ${filters} filters for ${channels} channels`);
  const reach = (kernelWidth - 1) * (sizes.dilationX as number) + 1;
  if (sizes.padLeft >= reach) a.fail(`pads ${sizes.padLeft} pixels for windows of ${reach}`);
  requantized(a, sizes);
  a.flag('sevenBit');
  if (a.has('residual')) {
    a.optionalRead('residual', 0, 1);
    a.number('residualScale');
  }
  a.read('x', images * height * width * pitch, 1);
  a.read('packed', pitch * kernelWidth * Math.ceil(kernelHeight / 4) * 4, 1);
  a.read('pad', pitch, 1);
};

const windowsInt8: CallCheck = (a) => {
  const sizes = int8Sizes(a);
  const { images, height, width, outHeight, outWidth, kernelHeight, kernelWidth, channels, outPitch } = sizes;
  requirePitch(a, outPitch, channels * kernelHeight * kernelWidth);
  a.number('scale');
  a.integer('zero', -128, 127);
  a.flag('sevenBit');
  a.read('x', images * channels * height * width);
  a.write('y', images * outHeight * outWidth * outPitch, 1);
};

const dequantizeInt8: CallCheck = (a) => {
  const [images, channels, pixels, pitch] = [a.size('images'), a.size('channels'), a.size('pixels'), a.size('pitch')];
  if (pitch < channels) a.fail(`has a pitch of ${pitch} bytes for ${channels} channels`);
  a.number('scale');
  a.integer('zero', -128, 127);
  a.read('x', images * pixels * pitch, 1);
  a.write('y', images * channels * pixels);
};

/** Bytes of images with channels last, and of what their windows give. */
function pooled(a: CallArguments) {
  const [images, height, width, pitch] = [a.size('images'), a.size('height'), a.size('width'), a.size('pitch')];
  if (pitch % 16 !== 0) a.fail(`has a pitch of ${pitch} bytes`);
  const rows = a.rows('rows', 2, (row) => isWindow(row, height));
  const columns = a.rows('columns', 2, (row) => isWindow(row, width));
  a.read('x', images * height * width * pitch, 1);
  a.write('y', images * rows * columns * pitch, 1);
}

/** Scale and zero of quanta that are read. */
function readScale(a: CallArguments, name = ''): void {
  a.number(`scale${name}`);
  a.integer(`zero${name}`, -128, 127);
}

const averagePoolInt8: CallCheck = (a) => {
  readScale(a);
  readRequantization(a);
  a.integer('divisor', 0);
  pooled(a);
};

const sumPixelsInt8: CallCheck = (a) => {
  const [images, channels, pixels, pitch] = [a.size('images'), a.size('channels'), a.size('pixels'), a.size('pitch')];
  requirePitch(a, pitch, channels);
  readScale(a);
  a.read('x', images * pixels * pitch, 1);
  a.write('y', images * channels);
};

const gateInt8: CallCheck = (a) => {
  const [images, channels, pitch] = [a.size('images'), a.size('channels'), a.size('pitch')];
  const pixels = images * a.size('rows') * a.size('width');
  requirePitch(a, pitch, channels);
  readScale(a);
  readRequantization(a);
  a.read('x', pixels * pitch, 1);
  a.read('gate', images * channels);
  a.write('y', pixels * pitch, 1);
};

/** A number of whole vectors of bytes. */
function wholeBytes(a: CallArguments): number {
  const bytes = a.size('bytes');
  if (bytes % 16 !== 0) a.fail(`has ${bytes} bytes, no multiple of 16`);
  return bytes;
}

const tableInt8: CallCheck = (a) => {
  const bytes = wholeBytes(a);
  a.read('x', bytes, 1);
  a.read('table', 256, 1);
  a.write('y', bytes, 1);
};

const addInt8: CallCheck = (a) => {
  const bytes = wholeBytes(a);
  for (const name of ['A', 'B']) readScale(a, name);
  readRequantization(a);
  a.read('a', bytes, 1);
  a.read('b', bytes, 1);
  a.write('y', bytes, 1);
};

const joinInt8: CallCheck = (a) => {
  const [channels, pitch, outPitch, pixels] = [
    a.size('channels'),
    a.size('pitch'),
    a.size('outPitch'),
    a.size('pixels'),
  ];
  requirePitch(a, pitch, channels);
  requireGroup(a, outPitch, a.integer('first', 0), channels);
  readScale(a);
  readRequantization(a);
  a.read('x', pixels * pitch, 1);
  a.write('y', pixels * outPitch, 1);
};

export const int8Checks = {
  quantizeRows,
  gemmInt8,
  convolveInt8,
  depthwiseInt8,
  windowsInt8,
  dequantizeInt8,
  maxPoolInt8: pooled,
  averagePoolInt8,
  sumPixelsInt8,
  gateInt8,
  tableInt8,
  addInt8,
  joinInt8,
} as const;
