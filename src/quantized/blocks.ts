// Block-quantised weights in llama.cpp's formats, packed for products: the values of a block share
// a scale and have four to eight bits.

import { cpu } from '../engine/index.js';
import {
  emptyTensor,
  formatShape,
  keep,
  requireDType,
  reshape,
  scope,
  slice,
  type Tensor,
  tensor,
} from '../tensor/index.js';

/** Columns that share a block once packed. */
export const BLOCK = 32;

/** Rows of a panel. */
const ROWS = 8;

/** Memory layout of a matrix, see kernels/blocks.ts. */
type BlockKind = 'nibbles' | 'shiftedNibbles' | 'bytes' | 'smallBytes' | 'halves';

/** Bytes of a panel's block before its quanta and with them, and the product of each kind. */
const kinds = {
  nibbles: { head: 32, bytes: 160, product: 'matmulInt4' },
  shiftedNibbles: { head: 64, bytes: 192, product: 'matmulUint4' },
  bytes: { head: 32, bytes: 288, product: 'matmulInt8' },
  smallBytes: { head: 64, bytes: 320, product: 'matmulUint5' },
  halves: { head: 64, bytes: 320, product: 'matmulInt6' },
} as const;

interface BlockLayout {
  /** The number of the format in GGUF. */
  readonly code: number;
  /** Values and bytes of a block in a file. */
  readonly values: number;
  readonly bytes: number;
  readonly kind: BlockKind;
}

/** Formats of matrices, by llama.cpp's names. */
export const blockFormats = {
  Q4_0: { code: 2, values: 32, bytes: 18, kind: 'nibbles' },
  Q4_1: { code: 3, values: 32, bytes: 20, kind: 'shiftedNibbles' },
  Q5_0: { code: 6, values: 32, bytes: 22, kind: 'smallBytes' },
  Q5_1: { code: 7, values: 32, bytes: 24, kind: 'smallBytes' },
  Q8_0: { code: 8, values: 32, bytes: 34, kind: 'bytes' },
  Q4_K: { code: 12, values: 256, bytes: 144, kind: 'shiftedNibbles' },
  Q5_K: { code: 13, values: 256, bytes: 176, kind: 'smallBytes' },
  Q6_K: { code: 14, values: 256, bytes: 210, kind: 'halves' },
} as const satisfies Readonly<Record<string, BlockLayout>>;

/** Name of a block format. */
export type BlockFormat = keyof typeof blockFormats;

/** Formats that values can be quantised to here. */
export type QuantizedFormat = 'Q8_0' | 'Q4_0';

/** Bytes of a file that are packed at a time. */
const CHUNK_BYTES = 2 ** 23;

/** Writes `target.length` bytes of a matrix, from byte `offset` on, to `target`. */
export type BlockReader = (target: Uint8Array, offset: number) => void;

/** A matrix [rows, columns] in blocks along its rows, for products with f32 activations. */
export class BlockMatrix {
  /** Panels of 8 rows, u8 [⌈rows/8⌉, bytes of a panel]. */
  readonly #panels: Tensor;
  readonly #kind: (typeof kinds)[BlockKind];

  private constructor(
    readonly format: BlockFormat,
    readonly rows: number,
    readonly columns: number,
    panels: Tensor,
  ) {
    this.#kind = kinds[blockFormats[format].kind];
    this.#panels = panels;
  }

  /** The packed matrix, for kernels that read parts of it. */
  get panels(): Tensor {
    return this.#panels;
  }

  /** Bytes of the packed matrix, all of which a product reads. */
  get bytes(): number {
    return this.#panels.size;
  }

  /** Quantises a matrix [rows, columns] of a multiple of 32 columns. */
  static quantize(weights: Tensor, format: QuantizedFormat): BlockMatrix {
    requireDType('BlockMatrix', 'f32', weights);
    const [rows, columns] = weights.shape as [number, number];
    if (weights.rank !== 2) throw new Error(`BlockMatrix: expected a matrix, got ${formatShape(weights.shape)}`);
    requireColumns(format, columns);
    const flat = reshape(weights, [weights.size]);
    const { values, bytes } = blockFormats[format];
    return BlockMatrix.read(format, rows, columns, (target, offset) =>
      scope(() => {
        const [from, count] = [(offset / bytes) * values, (target.length / bytes) * values];
        target.set(encoded(slice(flat, [from, from + count]), format).view<Uint8Array>());
      }),
    );
  }

  /** From the bytes of llama.cpp's blocks, row after row. */
  static fromBytes(bytes: Uint8Array, format: BlockFormat, rows: number, columns: number): BlockMatrix {
    requireColumns(format, columns);
    const expected = blockBytes(format, rows, columns);
    if (bytes.length !== expected)
      throw new Error(`BlockMatrix: ${rows}×${columns} in ${format} takes ${expected} bytes, got ${bytes.length}`);
    return BlockMatrix.read(format, rows, columns, (target, offset) =>
      target.set(bytes.subarray(offset, offset + target.length)),
    );
  }

  /** `fromBytes` chunk by chunk, from any source, directly into the engine's memory. */
  static read(format: BlockFormat, rows: number, columns: number, read: BlockReader): BlockMatrix {
    requireColumns(format, columns);
    const panels = keep(emptyTensor([Math.ceil(rows / ROWS), panelBytes(format, ROWS, columns)], 'u8'));
    const rowBytes = blockBytes(format, 1, columns);
    const step = Math.max(1, Math.floor(CHUNK_BYTES / (ROWS * rowBytes))) * ROWS;
    for (let row = 0; row < rows; row += step)
      scope(() => {
        const count = Math.min(step, rows - row);
        const source = emptyTensor([count * rowBytes], 'u8');
        read(source.view<Uint8Array>(), row * rowBytes);
        const target = slice(panels, [row / ROWS, Math.ceil((row + count) / ROWS)]);
        cpu.run('packBlocks', { source, target, format: blockFormats[format].code, rows: count, columns });
      });
    return new BlockMatrix(format, rows, columns, panels);
  }

  /** The dequantised matrix, f32 [rows, columns]. */
  dequantize(): Tensor {
    return this.rowsAt(Array.from({ length: this.rows }, (_, row) => row));
  }

  /** Some rows, dequantised: f32 [rows.length, columns]. */
  rowsAt(rows: ArrayLike<number>): Tensor {
    const values = new Float32Array(rows.length * this.columns);
    const quanta = this.#panels.view<Uint8Array>();
    const numbers = new Float32Array(quanta.buffer, quanta.byteOffset, quanta.length / 4);
    const blocks = this.columns / BLOCK;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      for (let block = 0; block < blocks; block++) {
        const at = (Math.floor(row / ROWS) * blocks + block) * this.#kind.bytes + 4 * (row % ROWS);
        const [first, second] = [numbers[at / 4] as number, numbers[at / 4 + ROWS] as number];
        const own = values.subarray(i * this.columns + block * BLOCK, i * this.columns + (block + 1) * BLOCK);
        for (let j = 0; j < BLOCK; j++) own[j] = this.#value(quanta, at + this.#kind.head, j, first, second);
      }
    }
    return tensor(values, [rows.length, this.columns]);
  }

  /**
   * Value j of a row's block, whose quanta begin at byte `at`, with the first two numbers of its
   * head.
   */
  #value(quanta: Uint8Array, at: number, j: number, first: number, second: number): number {
    const byteOf = (index: number) => quanta[at + (index >> 2) * 4 * ROWS + (index & 3)] as number;
    const nibble = () => (byteOf(j & 15) >> (j < 16 ? 0 : 4)) & 15;
    switch (this.#kind) {
      case kinds.nibbles:
        return first * (nibble() - 8);
      case kinds.shiftedNibbles:
        return first * nibble() - second;
      case kinds.bytes:
        return first * ((byteOf(j) << 24) >> 24);
      case kinds.smallBytes:
        return first * byteOf(j) - second;
      default:
        return (j < 16 ? first : second) * (byteOf(j) - 32);
    }
  }

  /**
   * y = x·Wᵀ. Activations are quantised to int8 blocks on the fly; sums within a block are
   * integers, sums over blocks f32.
   *
   * @param x f32 [m, columns]
   * @returns f32 [m, rows]
   */
  multiply(x: Tensor): Tensor {
    const m = this.#requireRows(x);
    const y = emptyTensor([m, this.rows], 'f32');
    cpu.run(this.#kind.product, { x, panels: this.#panels, y, m, n: this.rows, blocks: this.columns / BLOCK });
    return y;
  }

  /**
   * x·Wᵀ for several matrices of equal columns: x is quantised once for each kind of format, and
   * all run in one call of the thread pool. The results are those of `multiply`, to the bit.
   *
   * @param x f32 [m, columns]
   * @returns f32 [m, rows] for each matrix
   */
  static multiplyAll(matrices: readonly BlockMatrix[], x: Tensor): Tensor[] {
    const [m = 0] = matrices.map((matrix) => matrix.#requireRows(x));
    const products = matrices.map((matrix) => ({
      kernel: matrix.#kind.product,
      panels: matrix.#panels,
      y: emptyTensor([m, matrix.rows], 'f32'),
      n: matrix.rows,
    }));
    cpu.run('matmulBlocks', { x, m, blocks: (x.shape[1] as number) / BLOCK, products });
    return products.map(({ y }) => y);
  }

  /** Rows of activations. @throws Error unless they are f32 [m, columns] */
  #requireRows(x: Tensor): number {
    requireDType('BlockMatrix', 'f32', x);
    if (x.rank !== 2 || x.shape[1] !== this.columns)
      throw new Error(`BlockMatrix: expected [m, ${this.columns}], got ${formatShape(x.shape)}`);
    return x.shape[0] as number;
  }

  /** Frees the matrix. */
  dispose(): void {
    this.#panels.dispose();
  }
}

/** Bytes of a matrix in memory. */
export function panelBytes(format: BlockFormat, rows: number, columns: number): number {
  return Math.ceil(rows / ROWS) * (columns / BLOCK) * kinds[blockFormats[format].kind].bytes;
}

/** Bytes of a matrix in a file. */
export function blockBytes(format: BlockFormat, rows: number, columns: number): number {
  const { values, bytes } = blockFormats[format];
  return ((rows * columns) / values) * bytes;
}

function requireColumns(format: BlockFormat, columns: number): void {
  const { values } = blockFormats[format];
  if (columns % values !== 0)
    throw new RangeError(`BlockMatrix: columns in ${format} must be a multiple of ${values}, got ${columns}`);
}

/** Quantises values to the bytes of blocks, each a half-precision scale and its quanta. */
export function quantizeBlocks(values: Float32Array, format: QuantizedFormat): Uint8Array {
  return scope(() => encoded(tensor(values), format).dataSync<Uint8Array>());
}

function encoded(values: Tensor, format: QuantizedFormat): Tensor {
  const blocks = values.size / BLOCK;
  const bytes = emptyTensor([blocks * blockFormats[format].bytes], 'u8');
  cpu.run('encodeBlocks', { x: values, y: bytes, format: blockFormats[format].code, n: blocks });
  return bytes;
}
