// Binary convolutions on planes of bits, each output channel computed from another one where that
// is shorter: see channel-tree.ts for the sums and plane-grid.ts for the planes.

import { apply, keep, type Op, permute, reshape, slice, type Tensor, tensor } from '../tensor/index.js';
import { type ChannelLists, channelLists, slicesFor } from './channel-tree.js';
import type { PlaneGrid, PlaneMap } from './plane-grid.js';

/** 32-bit words of a vector, and pixels. */
const [WORDS, VECTOR] = [4, 128];
/** Word of ones. */
const ONES = -1;

interface SignPlanes {
  readonly grid: PlaneGrid;
  readonly phases: number;
}

const signPlanesOp: Op<SignPlanes> = {
  name: 'signPlanes',
  multiplyAdds: 0,
  infer: ([x], { grid, phases }) => [
    { shape: [(x as Tensor).shape[1] as number, phases ** 2, WORDS * grid.planeVectors], dtype: 'i32' },
  ],
  compute(device, [x], [bits], { grid, phases }) {
    const [images, channels, height, width] = (x as Tensor).shape as [number, number, number, number];
    const { rows, pitch, vectors, guard } = grid;
    device.run('fill', { y: bits as Tensor, bits: ONES, n: (bits as Tensor).size });
    const sizes = { images, channels, height, width, phases, rows, pitch, vectors, guard };
    device.run('signPlanes', { x: x as Tensor, bits: bits as Tensor, ...sizes });
  },
};

/**
 * Signs of maps [images, channels, height, width] as planes of a grid: [channels, phases², words].
 *
 * @throws Error when the grid is for other images
 */
export function signPlanes(x: Tensor, grid: PlaneGrid, phases: number): Tensor {
  const [images = 0, , height = 0, width = 0] = x.shape;
  const fits = grid.rows * phases >= height && grid.pitch * phases >= width;
  if (x.rank !== 4 || images !== grid.images || !fits)
    throw new Error(`signPlanes: maps ${x} do not fit a grid of ${grid.images} images with ${phases}² phases`);
  return apply(signPlanesOp, [x], { grid, phases });
}

/**
 * How the channels are spread over threads. `pixels`: a thread computes all channels of some
 * pixels. `levels`: the channels of one depth in the tree are computed side by side, one depth
 * after the other, which is for few pixels.
 */
export type PlaneSchedule = 'pixels' | 'levels';

interface PlaneConvolve {
  readonly grid: PlaneGrid;
  readonly lists: ChannelLists;
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly phases: number;
  readonly sums: boolean;
  readonly schedule: PlaneSchedule;
  /** Pixels that are computed, of all images. */
  readonly pixels: number;
}

/**
 * Inputs: planes, ends, offsets, parents, order, limits, mask and the weights, which the lists
 * stand for: they are read by counts of parameters alone.
 */
const planeConvolveOp: Op<PlaneConvolve> = {
  name: 'planeConvolution',
  multiplyAdds: (_inputs, _output, { lists, pixels }) =>
    pixels * lists.differences.reduce((sum, count) => sum + count, 0),
  infer: (_, { grid, lists, phases, stride, sums }) => {
    const shape = [lists.order.length, (phases / stride) ** 2];
    return [
      sums
        ? { shape: [...shape, VECTOR * grid.vectors], dtype: 'f32' }
        : { shape: [...shape, WORDS * grid.planeVectors], dtype: 'i32' },
    ];
  },
  compute(device, inputs, [y], { grid, lists, channels, kernel, stride, phases, sums, schedule }) {
    const [bits, indptr, offsets, parents, targets, limits, mask] = inputs as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const { pitch, vectors, guard } = grid;
    const slices = slicesFor(channels * kernel ** 2);
    if (!sums) device.run('fill', { y: y as Tensor, bits: ONES, n: (y as Tensor).size });
    const args = {
      ...{ bits, indptr, offsets, parents, targets, limits, mask, y: y as Tensor },
      ...{ channels, filters: lists.order.length, kernel, stride, phases, pitch, vectors, guard, slices },
      ...{ sums: Number(sums), stored: lists.offsets.length },
    };
    if (schedule === 'pixels') device.run('planeTree', args);
    else device.run('planeLevels', { ...args, ends: lists.levels });
  },
};

/**
 * What follows a sum y of a channel: 1 where y is at least `least`, −1 elsewhere, or the other way
 * round.
 */
export interface SignThreshold {
  /**
   * Least y that gives 1; −1 where turned. May lie outside of −L … L: the sign is then constant.
   */
  readonly least: number;
  /** Whether the comparison is turned round, as after a norm of negative scale. */
  readonly turned: boolean;
}

/** Options of `PlaneConvolution`. */
export interface PlaneConvolutionOptions {
  /** Signs of the weights, [filters, channels, kernel, kernel]: negative values stand for −1. */
  readonly weight: Tensor;
  /** A parent's code for each filter, see `parentOf`; −1 for filters that are computed in full. */
  readonly parents: ArrayLike<number>;
  /** Step of the filters. Default: 1. */
  readonly stride?: number;
  /** The map that is read, whose phases the stride divides. */
  readonly map: PlaneMap;
  /** The cells of all maps. */
  readonly grid: PlaneGrid;
  /** What makes signs of the sums, of each filter; left out, the sums are the result. */
  readonly thresholds?: readonly SignThreshold[];
  /** How threads share the work. Default: `pixels`. */
  readonly schedule?: PlaneSchedule;
}

/**
 * A binary convolution of planes with odd square filters and −1 around the maps, padded so that a
 * stride of 1 keeps their size. Every integer equals that of the direct sum, in whatever order the
 * channels are computed.
 */
export class PlaneConvolution {
  /** The map that is made. */
  readonly map: PlaneMap;
  /** What the kernels take of the trees. */
  readonly lists: ChannelLists;
  readonly #inputs: readonly Tensor[];
  readonly #attributes: PlaneConvolve;

  /** @throws RangeError for even or oblong filters, or strides that do not divide the phases */
  constructor({ weight, parents, stride = 1, map, grid, thresholds, schedule = 'pixels' }: PlaneConvolutionOptions) {
    const [filters = 0, channels = 0, kernel = 0, width] = weight.shape;
    if (weight.rank !== 4 || kernel !== width || kernel % 2 === 0)
      throw new RangeError(`PlaneConvolution: filters are odd squares, got weights ${weight}`);
    if (parents.length !== filters)
      throw new RangeError(`PlaneConvolution: ${parents.length} parents for ${filters} filters`);
    if (map.phases % stride !== 0)
      throw new RangeError(`PlaneConvolution: a stride of ${stride} does not divide ${map.phases} phases`);
    const taps = channels * kernel ** 2;
    this.lists = channelLists(weight.view(), taps, parents);
    this.map = {
      size: [Math.ceil(map.size[0] / stride), Math.ceil(map.size[1] / stride)],
      phases: map.phases / stride,
    };
    const { ends, offsets, parents: sources, order } = this.lists;
    const limits = limitsOf(this.lists, taps, thresholds);
    const ints = [ends, offsets, sources, order, limits, grid.mask(this.map)].map((values) => keep(tensor(values)));
    this.#inputs = [...ints, weight];
    const sums = thresholds === undefined;
    const pixels = grid.images * this.map.size[0] * this.map.size[1];
    const { lists } = this;
    this.#attributes = { grid, lists, channels, kernel, stride, phases: map.phases, sums, schedule, pixels };
  }

  /**
   * @param bits planes [channels, phases², words]
   * @returns planes [filters, phases², words], or without thresholds the sums
   * [images, filters, height, width]
   */
  forward(bits: Tensor): Tensor {
    const y = apply(planeConvolveOp, [bits, ...this.#inputs], this.#attributes);
    if (!this.#attributes.sums) return y;
    const { images, rows, pitch } = this.#attributes.grid;
    const { phases, size } = this.map;
    const [filters = 0] = y.shape;
    const [high, wide] = size.map((length) => Math.ceil(length / phases)) as [number, number];
    const cells = slice(
      reshape(y, [filters * phases ** 2, -1]),
      [0, filters * phases ** 2],
      [0, images * rows * pitch],
    );
    const pixels = slice(reshape(cells, [-1, rows, pitch]), [0, filters * phases ** 2 * images], [0, high], [0, wide]);
    // [filters, py, px, image, i, j] → [image, filters, i, py, j, px]
    const split = reshape(pixels, [filters, phases, phases, images, high, wide]);
    const joined = reshape(permute(split, [3, 0, 4, 1, 5, 2]), [images, filters, high * phases, wide * phases]);
    return slice(joined, [0, images], [0, filters], [0, size[0]], [0, size[1]]);
  }

  /** Frees the lists. */
  dispose(): void {
    for (const list of this.#inputs.slice(0, -1)) list.dispose();
  }
}

/** What the kernel adds to each position's count: for the sums, or to compare them. */
function limitsOf(
  { order, corrections }: ChannelLists,
  taps: number,
  thresholds: readonly SignThreshold[] | undefined,
): Int32Array {
  const modulus = 2 ** slicesFor(taps);
  const wrapped = (value: number) => ((value % modulus) + modulus) % modulus;
  return Int32Array.from(order, (channel, position) => {
    const correction = corrections[position] as number;
    if (!thresholds) return wrapped(correction);
    const { least, turned } = thresholds[channel] as SignThreshold;
    // y ≥ least means m ≤ (L − least)/2, where m lies in 0 … L.
    const most = Math.min(taps, Math.max(-1, Math.floor((taps - least) / 2)));
    const limit = wrapped(correction - most - 1);
    return turned ? limit - 2 ** 31 : limit;
  });
}
