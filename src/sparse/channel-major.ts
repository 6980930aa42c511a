// Sparse weights of pointwise convolutions: 1×1 filters with mostly zero weights, times NCHW
// images.

import { type Activation, activations, cpu, type Device, regionAt, sparseTilePixels } from '../engine/index.js';
import { emptyTensor, formatShape, keep, requireDType, type Tensor, tensor } from '../tensor/index.js';

/** Rows of a block that share their columns. */
export type BlockHeight = 1 | 2 | 4 | 8;

/** Share of non-zeros that stored blocks must hold for a height to be chosen. */
const LEAST_FILL = 0.9;

/** A sparse matrix [rows, columns] in blocks of 1, 2, 4 or 8 rows that share their columns. */
export class ChannelMatrix {
  /** Output channels. */
  readonly rows: number;
  /** Input channels. */
  readonly columns: number;
  /** Rows per block. */
  readonly height: BlockHeight;
  /** Stored blocks. */
  readonly blocks: number;
  readonly #indptr: Tensor;
  /** Where each stored block's column lies in a tile of pixels, in bytes. */
  readonly #offsets: Tensor;
  readonly #values: Tensor;
  /** Columns of the stored blocks, in bytes of a single pixel. */
  #columnOffsets: Tensor | undefined;
  /** Whether tiles of single rows hold 32 pixels. */
  readonly wide: boolean;

  /**
   * @param weights [rows, columns]
   * @param height rows of a block; default the largest of 1, 2 and 4 whose stored blocks are at
   * least nine tenths non-zero
   * @param options `wide`: single rows take tiles of 32 pixels instead of 16; some hosts with more
   * vector registers run them faster
   */
  constructor(weights: Tensor, height?: BlockHeight, { wide = false }: { readonly wide?: boolean } = {}) {
    requireDType('ChannelMatrix', 'f32', weights);
    if (weights.rank !== 2) throw new Error(`ChannelMatrix: expected a matrix, got ${formatShape(weights.shape)}`);
    [this.rows, this.columns] = weights.shape as [number, number];
    const values = weights.view();
    this.height = wide ? 1 : (height ?? chooseHeight(values, this.rows, this.columns));
    this.wide = wide;
    const packed = pack(values, this.rows, this.columns, this.height);
    this.blocks = packed.indices.length;
    this.#indptr = keep(tensor(packed.indptr));
    const pitch = 4 * sparseTilePixels(this.height, wide);
    this.#offsets = keep(tensor(packed.indices.map((column) => column * pitch)));
    this.#values = keep(tensor(packed.values));
  }

  /** Number of stored weights, including zeros inside blocks. */
  get stored(): number {
    return this.blocks * this.height;
  }

  /**
   * activation(W·x + bias) for each image: x [n, columns, …pixels] → [n, rows, …pixels]; bias
   * [rows].
   */
  multiply(x: Tensor, { bias, activation = 'none' }: { bias?: Tensor; activation?: Activation } = {}): Tensor {
    requireDType('ChannelMatrix', 'f32', x);
    if (x.rank < 2 || x.shape[1] !== this.columns)
      throw new Error(`ChannelMatrix: expected [n, ${this.columns}, …], got ${formatShape(x.shape)}`);
    const y = emptyTensor([x.shape[0] as number, this.rows, ...x.shape.slice(2)], 'f32');
    this.write(cpu, x, y, bias, activation);
    return y;
  }

  /** `multiply` into a given tensor of any device, such as one that records a plan. */
  write(device: Device, x: Tensor, y: Tensor, bias: Tensor | undefined, activation: Activation): void {
    const n = x.shape[0] as number;
    const { rows, columns, height } = this;
    const pixels = x.size / (n * columns);
    const [indptr, values] = [this.#indptr, this.#values];
    const shared = { indptr, values, rows, columns, bias: bias ?? null, activation: activations[activation] };
    for (let image = 0; image < n; image++) {
      const from = regionAt(x, 4 * image * columns * pixels);
      const to = regionAt(y, 4 * image * rows * pixels);
      const own = { ...shared, x: from, y: to, stored: this.blocks };
      if (pixels === 1 && (height === 4 || height === 8))
        device.run('sparseVector', { ...own, height, offsets: this.#columnPlaces() });
      else device.run('sparseChannels', { ...own, height, offsets: this.#offsets, pixels, wide: Number(this.wide) });
    }
  }

  #columnPlaces(): Tensor {
    const tile = sparseTilePixels(this.height, this.wide);
    this.#columnOffsets ??= keep(tensor(this.#offsets.dataSync<Int32Array>().map((offset) => offset / tile)));
    return this.#columnOffsets;
  }
}

/** Whether a block of rows from `row` on has a non-zero in a column. */
function isStored(values: Float32Array, rows: number, columns: number, row: number, column: number, height: number) {
  const end = Math.min(rows, row + height);
  for (let r = row; r < end; r++) if (values[r * columns + column] !== 0) return true;
  return false;
}

/** Number of blocks with a non-zero up to the end of each row of blocks, from 0 on. */
function storedEnds(values: Float32Array, rows: number, columns: number, height: number): Int32Array {
  const ends = new Int32Array(Math.ceil(rows / height) + 1);
  for (let block = 0; block + 1 < ends.length; block++) {
    let count = ends[block] as number;
    for (let column = 0; column < columns; column++)
      count += Number(isStored(values, rows, columns, block * height, column, height));
    ends[block + 1] = count;
  }
  return ends;
}

function pack(values: Float32Array, rows: number, columns: number, height: number) {
  const indptr = storedEnds(values, rows, columns, height);
  const count = indptr.at(-1) as number;
  const indices = new Int32Array(count);
  const stored = new Float32Array(count * height);
  let at = 0;
  for (let row = 0; row < rows; row += height)
    for (let column = 0; column < columns; column++) {
      if (!isStored(values, rows, columns, row, column, height)) continue;
      for (let r = 0; r < Math.min(height, rows - row); r++)
        stored[at * height + r] = values[(row + r) * columns + column] as number;
      indices[at++] = column;
    }
  return { indptr, indices, values: stored };
}

/** Whether the stored blocks of a height hold enough that is not zero. */
export function fillsBlocks(weights: Tensor, height: BlockHeight): boolean {
  const rows = weights.shape[0] as number;
  const values = weights.view();
  const stored = storedEnds(values, rows, weights.size / rows, height).at(-1) as number;
  return nonZerosOf(values) >= LEAST_FILL * height * stored;
}

function nonZerosOf(values: Float32Array): number {
  return values.reduce((count, value) => count + Number(value !== 0), 0);
}

function chooseHeight(values: Float32Array, rows: number, columns: number): BlockHeight {
  const nonZeros = nonZerosOf(values);
  for (const height of [4, 2] as const) {
    const stored = storedEnds(values, rows, columns, height).at(-1) as number;
    if (nonZeros >= LEAST_FILL * height * stored) return height;
  }
  return 1;
}
