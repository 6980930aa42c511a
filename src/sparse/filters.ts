// Sparse filters of any size on NCHW images. A filter [out, in, k, k] is stored in blocks of output
// channels that share their entries (input channel and tap), so that whole kernels that are zero
// are skipped; a depthwise filter [channels, 1, k, k] in groups of channels that share their taps.

import {
  type Activation,
  activations,
  type ConvolutionSizes,
  cpu,
  type Device,
  depthwisePlanes,
  paddedPlanes,
  regionAt,
  tapPlaces,
} from '../engine/index.js';
import {
  type ConvolutionOptions,
  convolutionAttributes,
  convolutionSizes,
  emptyTensor,
  formatShape,
  keep,
  requireDType,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import type { BlockHeight } from './channel-major.js';

/** The stored entries of sparse filters. */
export interface FilterEntries {
  /** [blocks + 1]: where the entries of each block of output channels begin. */
  readonly indptr: Int32Array;
  /** Input channel of each entry; 0 in depthwise filters. */
  readonly channels: Int32Array;
  /** Tap of each entry, row by row. */
  readonly taps: Int32Array;
}

/**
 * The entries of filters [out, in, k, k] in blocks of `height` output channels, and their values
 * [entries, height].
 */
export function packFilters(weights: Tensor, height: number): FilterEntries & { readonly values: Float32Array } {
  const rows = weights.shape[0] as number;
  const inner = weights.size / rows;
  const area = sizeOfKernel(weights);
  const values = weights.view();
  const indptr = [0];
  const places: number[] = [];
  const stored: number[] = [];
  for (let row = 0; row < rows; row += height) {
    const end = Math.min(rows, row + height);
    for (let place = 0; place < inner; place++) {
      const own = Array.from({ length: height }, (_, r) =>
        row + r < end ? (values[(row + r) * inner + place] as number) : 0,
      );
      if (own.every((value) => value === 0)) continue;
      places.push(place);
      stored.push(...own);
    }
    indptr.push(places.length);
  }
  return {
    indptr: Int32Array.from(indptr),
    channels: Int32Array.from(places, (place) => Math.floor(place / area)),
    taps: Int32Array.from(places, (place) => place % area),
    values: Float32Array.from(stored),
  };
}

/**
 * The taps of depthwise filters [channels, 1, k, k] that groups of `height` channels keep, and
 * their values: group by group, the kept taps of each channel side by side.
 */
export function packTaps(weights: Tensor, height: number): FilterEntries & { readonly values: Float32Array } {
  const rows = weights.shape[0] as number;
  const area = sizeOfKernel(weights);
  const values = weights.view();
  const indptr = [0];
  const taps: number[] = [];
  const stored: number[] = [];
  for (let row = 0; row < rows; row += height) {
    const channels = Array.from({ length: Math.min(height, rows - row) }, (_, r) => row + r);
    const kept = Array.from({ length: area }, (_, tap) => tap).filter((tap) =>
      channels.some((channel) => values[channel * area + tap] !== 0),
    );
    taps.push(...kept);
    indptr.push(taps.length);
    for (let r = 0; r < height; r++)
      stored.push(...kept.map((tap) => (r < channels.length ? (values[(row + r) * area + tap] as number) : 0)));
  }
  const entries = Int32Array.from(taps);
  return {
    indptr: Int32Array.from(indptr),
    channels: entries.map(() => 0),
    taps: entries,
    values: Float32Array.from(stored),
  };
}

function sizeOfKernel({ shape }: Tensor): number {
  return (shape[2] as number) * (shape[3] as number);
}

/**
 * Bytes from an output pixel's place in the padded planes to the pixel of each entry, kept for each
 * size of image.
 */
export class EntryOffsets {
  readonly #bySize = new Map<string, Tensor>();

  /** @param bytes of an element of the padded planes */
  constructor(
    readonly entries: Pick<FilterEntries, 'channels' | 'taps'>,
    readonly depthwise: boolean,
    readonly bytes: 2 | 4,
  ) {}

  of(sizes: ConvolutionSizes): Tensor {
    const planes = this.depthwise ? depthwisePlanes(sizes) : paddedPlanes(sizes);
    const places = tapPlaces(sizes, planes);
    const key = `${planes.size} ${places.join()}`;
    const known = this.#bySize.get(key);
    if (known) return known;
    const { channels, taps } = this.entries;
    const offsets = channels.map(
      (channel, i) => this.bytes * (channel * planes.size + (places[taps[i] as number] as number)),
    );
    const made = keep(tensor(offsets));
    this.#bySize.set(key, made);
    return made;
  }
}

/** Sparse filters [out, in, k, k], or depthwise ones [channels, 1, k, k]. */
export class SparseFilters {
  /** Shape of the weights. */
  readonly shape: readonly number[];
  /** Stored weights, including zeros inside blocks. */
  readonly stored: number;
  readonly #indptr: Tensor;
  readonly #values: Tensor;
  readonly #entries: number;
  readonly #offsets: EntryOffsets;

  /**
   * @param weights [out, in, k, k], or [channels, 1, k, k] where `depthwise`
   * @param height output channels that share their entries; of depthwise filters any number
   */
  constructor(
    weights: Tensor,
    readonly height: number,
    readonly depthwise = false,
  ) {
    requireDType('SparseFilters', 'f32', weights);
    if (weights.rank !== 4 || (depthwise && weights.shape[1] !== 1))
      throw new Error(
        `SparseFilters: expected [out, in, k, k] or depthwise [c, 1, k, k], got ${formatShape(weights.shape)}`,
      );
    if (!depthwise && ![1, 2, 4, 8].includes(height))
      throw new Error(`SparseFilters: blocks have 1, 2, 4 or 8 rows, not ${height}`);
    this.shape = weights.shape;
    const { values, ...entries } = depthwise ? packTaps(weights, height) : packFilters(weights, height);
    this.#entries = entries.taps.length;
    this.stored = values.length;
    this.#indptr = keep(tensor(entries.indptr));
    this.#values = keep(tensor(values.length > 0 ? values : new Float32Array(1)));
    this.#offsets = new EntryOffsets(entries, depthwise, 4);
  }

  /**
   * activation(w ∗ x + bias): x [n, in, h, w] → [n, out, h′, w′]; bias [out].
   *
   * @param options stride, padding and dilation, as of `conv2d`
   */
  convolve(
    x: Tensor,
    options: Omit<ConvolutionOptions, 'groups'> & { readonly bias?: Tensor; readonly activation?: Activation } = {},
  ): Tensor {
    const { bias, activation = 'none', ...geometry } = options;
    const groups = this.depthwise ? (this.shape[0] as number) : 1;
    const sizes = convolutionSizes(
      x.shape,
      this.shape,
      convolutionAttributes(x.shape, this.shape, { ...geometry, groups }),
    );
    const y = emptyTensor([sizes.images, sizes.filters, sizes.outHeight, sizes.outWidth], 'f32');
    this.write(cpu, x, y, bias, activation, sizes);
    return y;
  }

  /** `convolve` into a given tensor of any device, such as one that records a plan. */
  write(
    device: Device,
    x: Tensor,
    y: Tensor,
    bias: Tensor | undefined,
    activation: Activation,
    sizes: ConvolutionSizes,
  ): void {
    const own = {
      ...{ indptr: this.#indptr, offsets: this.#offsets.of(sizes), values: this.#values, bias: bias ?? null },
      ...{ sizes: { ...sizes, images: 1 }, activation: activations[activation], stored: this.#entries },
    };
    for (let image = 0; image < sizes.images; image++) {
      const from = regionAt(x, (4 * image * x.size) / sizes.images);
      const to = regionAt(y, (4 * image * y.size) / sizes.images);
      if (this.depthwise) device.run('sparseTaps', { ...own, x: from, y: to, height: this.height });
      else device.run('sparseWindows', { ...own, x: from, y: to, height: this.height as BlockHeight });
    }
  }
}
