// Resizing: along each axis, every output is a weighted sum of a few inputs.

import { matmul, resize, type Tensor, tensor, transpose } from '../../../tensor/index.js';
import type { NodeInputs } from './inputs.js';
import { type OnnxNode, type Operators, operator } from './node.js';

/** Where the centre of an output pixel lies among the inputs. */
type Coordinates = (at: number, axis: ResizedAxis) => number;

/** An axis that changes its length. */
interface ResizedAxis {
  readonly from: number;
  readonly to: number;
  /** Output pixels an input pixel. */
  readonly scale: number;
}

function halfPixel(at: number, { scale }: ResizedAxis): number {
  return (at + 0.5) / scale - 0.5;
}

const coordinates = {
  half_pixel: halfPixel,
  pytorch_half_pixel: (at, axis) => (axis.to > 1 ? halfPixel(at, axis) : 0),
  align_corners: (at, { from, to }) => (to > 1 ? (at * (from - 1)) / (to - 1) : 0),
  asymmetric: (at, { scale }) => at / scale,
  tf_half_pixel_for_nn: (at, { scale }) => (at + 0.5) / scale,
  half_pixel_symmetric: (at, axis) => {
    const centre = axis.from / 2;
    return centre * (1 - axis.to / (axis.scale * axis.from)) + halfPixel(at, axis);
  },
} as const satisfies Record<string, Coordinates>;

/** From which opset on a mode exists, or up to which. */
function coordinateModes(version: number): (keyof typeof coordinates)[] {
  const all = Object.keys(coordinates) as (keyof typeof coordinates)[];
  return all.filter((mode) => {
    if (mode === 'tf_half_pixel_for_nn') return version < 13;
    return mode !== 'half_pixel_symmetric' || version >= 19;
  });
}

const rounding = {
  round_prefer_floor: (x: number) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x: number) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
} as const;

/** Weights of the input pixels around a position. */
type Interpolation = (position: number) => readonly (readonly [pixel: number, weight: number])[];

/** Keys' cubic convolution with parameter a: weights of the four pixels around a position. */
function cubic(a: number): Interpolation {
  return (position) => {
    const base = Math.floor(position);
    return [-1, 0, 1, 2].map((offset) => {
      const distance = Math.abs(position - base - offset);
      const weight =
        distance <= 1
          ? ((a + 2) * distance - (a + 3)) * distance * distance + 1
          : ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
      return [base + offset, weight] as const;
    });
  };
}

function linear(position: number): ReturnType<Interpolation> {
  const base = Math.floor(position);
  return [
    [base, base + 1 - position],
    [base + 1, position - base],
  ];
}

/** The matrix [to, from] that resizes an axis. Pixels beyond the ends are those at the ends. */
function interpolationMatrix(
  axis: ResizedAxis,
  place: Coordinates,
  interpolate: Interpolation,
  excludeOutside: boolean,
): Tensor {
  const { from, to } = axis;
  const matrix = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    const all = interpolate(place(row, axis));
    const kept = excludeOutside ? all.filter(([pixel]) => pixel >= 0 && pixel < from) : all;
    const total = excludeOutside ? kept.reduce((sum, [, weight]) => sum + weight, 0) : 1;
    for (const [pixel, weight] of kept) {
      const column = row * from + Math.min(Math.max(pixel, 0), from - 1);
      matrix[column] = (matrix[column] as number) + weight / total;
    }
  }
  return tensor(matrix, [to, from]);
}

/** Scales are stored in single precision: one that rounds a quotient of lengths stands for it. */
function exactScale(scale: number, from: number, to: number): number {
  const quotient = to / from;
  return Math.abs(scale - quotient) <= 2 ** -23 * quotient ? quotient : scale;
}

/** The axes that change, from the inputs scales or sizes. */
function resizedAxes(
  node: OnnxNode,
  inputs: NodeInputs,
  shape: readonly number[],
  axes: readonly number[],
): ResizedAxis[] {
  const scales = inputs.has(2) ? inputs.readFloats(2) : [];
  const sizes = inputs.optionalInts(3) ?? [];
  const given = scales.length ? scales : sizes;
  if (scales.length > 0 === sizes.length > 0) node.fail('expects either scales or sizes');
  if (given.length !== axes.length) node.fail(`has ${given.length} scales or sizes for ${axes.length} axes`);
  if (!given.every((value) => value > 0 && Number.isFinite(value)))
    node.fail('has scales or sizes that are not above 0');
  const resized = shape.map((from): ResizedAxis => ({ from, to: from, scale: 1 }));
  axes.forEach((axis, i) => {
    const from = shape[axis] as number;
    const to = scales.length ? Math.floor(from * exactScaleOf(scales[i] as number, from)) : (sizes[i] as number);
    if (!(to > 0)) node.fail(`resizes axis ${axis} of ${from} to ${to}`);
    node.requireRoom([to, from]);
    const scale = scales.length ? exactScale(scales[i] as number, from, to) : to / from;
    resized[axis] = { from, to, scale };
  });
  return resized;
}

/** A scale without its rounding, where that makes a whole length: the floor must not lose it. */
function exactScaleOf(scale: number, from: number): number {
  return exactScale(scale, from, Math.round(from * scale) || 1);
}

const resizing = operator(1, 4, (node) => {
  const mode = node.choice('mode', ['nearest', 'linear', 'cubic'], 'nearest');
  const coordinateMode = node.choice('coordinate_transformation_mode', coordinateModes(node.version), 'half_pixel');
  const nearestMode = node.choice(
    'nearest_mode',
    Object.keys(rounding) as (keyof typeof rounding)[],
    'round_prefer_floor',
  );
  const a = node.float('cubic_coeff_a', -0.75);
  const excludeOutside = node.flag('exclude_outside');
  node.unused('extrapolation_value', 'float');
  const given = node.version >= 18 ? node.ints('axes') : undefined;
  if (node.version >= 18) {
    if (node.flag('antialias')) node.fail('smooths before it shrinks (antialias), which is not supported');
    node.choice('keep_aspect_ratio_policy', ['stretch'], 'stretch');
  }
  const interpolations: Readonly<Record<typeof mode, Interpolation>> = {
    nearest: (position) => [[rounding[nearestMode](position), 1]],
    linear,
    cubic: cubic(a),
  };
  return (inputs) => {
    const x = inputs.floats(0);
    const axes = node.resolveAxes(given ?? x.shape.map((_, axis) => axis), x.rank);
    const resized = resizedAxes(node, inputs, x.shape, axes);
    node.requireRoom(resized.map(({ to }) => to));
    const standard = standardResize(mode, coordinateMode, nearestMode);
    if (coordinateMode === 'align_corners' && resized.some(({ from, to, scale }) => scale !== to / from))
      node.fail('aligns corners by scales that give no whole lengths, of which readings differ');
    const changes = resized.map(({ from, to, scale }) => from !== to || scale !== 1);
    const images = x.rank === 4 && !changes[0] && !changes[1];
    const plain = resized.every(({ from, to, scale }) => scale === to / from && (to > 1 || from === 1));
    if (standard && images && plain && !excludeOutside)
      return resize(x, [resized[2]?.to as number, resized[3]?.to as number], standard);
    return resized.reduce((y, axis, at) => {
      if (!changes[at]) return y;
      const matrix = interpolationMatrix(axis, coordinates[coordinateMode], interpolations[mode], excludeOutside);
      return transpose(
        matmul(transpose(y, at, -1).reshape([-1, axis.from]), matrix, { transposeB: true }).reshape(
          transposedShape(y.shape, at, axis.to),
        ),
        at,
        -1,
      );
    }, x);
  };
});

/** The shape of y with an axis last that has another length. */
function transposedShape(shape: readonly number[], axis: number, length: number): number[] {
  const result = [...shape];
  result[axis] = shape.at(-1) as number;
  result[shape.length - 1] = length;
  return result;
}

/** The options of our own operation on images that does the same, if any. */
function standardResize(
  mode: string,
  coordinateMode: string,
  nearestMode: string,
): Parameters<typeof resize>[2] | undefined {
  if (mode === 'nearest')
    return coordinateMode === 'asymmetric' && nearestMode === 'floor' ? { mode: 'nearest' } : undefined;
  if (mode === 'cubic') return undefined;
  if (coordinateMode === 'align_corners') return { alignCorners: true };
  return coordinateMode === 'half_pixel' || coordinateMode === 'pytorch_half_pixel' ? {} : undefined;
}

export const resizeReaders: Operators = { Resize: resizing };
