// Block-quantised weights: 32 values share one half-precision scale. Q8_0 keeps a byte a value, Q4_0 half a byte; both are llama.cpp's formats, bit for bit.

import { cpu } from '../engine/index.js';
import { emptyTensor, formatShape, keep, requireDType, type Tensor, tensor } from '../tensor/index.js';
import { floatToHalf, halfToFloat } from './half.js';

export type BlockFormat = 'Q8_0' | 'Q4_0';

/** Values that share a scale. */
export const BLOCK = 32;

const quantaBytes: Readonly<Record<BlockFormat, number>> = { Q8_0: 32, Q4_0: 16 };

/** How a matrix lies in memory: `bytes` and `nibbles` with a scale for 32 values, `halves` bytes with a scale for 16. */
export type BlockKind = 'bytes' | 'nibbles' | 'halves';

export interface BlockParts {
  readonly kind: BlockKind;
  readonly rows: number;
  readonly columns: number;
  /** Bytes [rows, columns], or pairs of nibbles [rows, columns / 2]: element j of a block in the low, j + 16 in the high half of its byte j. */
  readonly quanta: Uint8Array;
  /** [rows, columns / 32], for halves [rows, columns / 16]. */
  readonly scales: Float32Array;
  /** What is taken off the values of a block [rows, columns / 32]; without it nibbles stand for q − 8. Halves have none. */
  readonly offsets?: Float32Array;
}

/** A matrix [rows, columns] in blocks along its rows, for products with f32 activations. */
export class BlockMatrix {
  readonly kind: BlockKind;
  readonly rows: number;
  readonly columns: number;
  readonly quanta: Tensor;
  readonly scales: Tensor;
  readonly offsets: Tensor | undefined;

  constructor({ kind, rows, columns, quanta, scales, offsets }: BlockParts) {
    requireColumns(columns);
    this.kind = kind;
    this.rows = rows;
    this.columns = columns;
    const bytes = kind === 'nibbles' ? quanta : new Int8Array(quanta.buffer, quanta.byteOffset, quanta.length);
    this.quanta = keep(tensor(bytes, [rows, kind === 'nibbles' ? columns / 2 : columns]));
    this.scales = keep(tensor(scales, [rows, scales.length / rows]));
    this.offsets = offsets && keep(tensor(offsets, [rows, columns / BLOCK]));
  }

  /** Bytes that a product reads. */
  get bytes(): number {
    return this.quanta.size + 4 * (this.scales.size + (this.offsets?.size ?? 0));
  }

  /** Quantises a matrix [rows, columns] of a multiple of 32 columns. */
  static quantize(weights: Tensor, format: BlockFormat): BlockMatrix {
    requireDType('BlockMatrix', 'f32', weights);
    const [rows, columns] = weights.shape as [number, number];
    if (weights.rank !== 2) throw new Error(`BlockMatrix: expected a matrix, got ${formatShape(weights.shape)}`);
    requireColumns(columns);
    return BlockMatrix.fromBytes(quantizeBlocks(weights.view(), format), format, rows, columns);
  }

  /** From the bytes of llama.cpp's blocks: scale, then quanta, block after block. */
  static fromBytes(bytes: Uint8Array, format: BlockFormat, rows: number, columns: number): BlockMatrix {
    requireColumns(columns);
    const size = quantaBytes[format];
    const blocks = (rows * columns) / BLOCK;
    if (bytes.length !== blocks * (size + 2))
      throw new Error(
        `BlockMatrix: ${rows}×${columns} in ${format} takes ${blocks * (size + 2)} bytes, got ${bytes.length}`,
      );
    const quanta = new Uint8Array(blocks * size);
    const scales = new Float32Array(blocks);
    for (let block = 0; block < blocks; block++) {
      const at = block * (size + 2);
      scales[block] = halfToFloat((bytes[at] as number) | ((bytes[at + 1] as number) << 8));
      quanta.set(bytes.subarray(at + 2, at + 2 + size), block * size);
    }
    return new BlockMatrix({ kind: format === 'Q8_0' ? 'bytes' : 'nibbles', rows, columns, quanta, scales });
  }

  /** The values that the quanta stand for, f32 [rows, columns]. */
  dequantize(): Tensor {
    return this.rowsAt(Array.from({ length: this.rows }, (_, row) => row));
  }

  /** The values of some rows, f32 [rows.length, columns]. */
  rowsAt(rows: ArrayLike<number>): Tensor {
    const values = new Float32Array(rows.length * this.columns);
    const [scales, offsets] = [this.scales.view(), this.offsets?.view()];
    const quanta = this.quanta.view<Int8Array>();
    const shared = this.kind === 'halves' ? BLOCK / 2 : BLOCK;
    for (let i = 0; i < rows.length; i++) {
      const first = (rows[i] as number) * this.columns;
      for (let column = 0; column < this.columns; column++) {
        const place = first + column;
        const block = Math.floor(place / BLOCK);
        const scale = scales[Math.floor(place / shared)] as number;
        values[i * this.columns + column] =
          this.kind === 'nibbles'
            ? scale * (((quanta[block * 16 + (place % 16)] as number) >> (place % BLOCK < 16 ? 0 : 4)) & 15) -
              (offsets?.[block] ?? 8 * scale)
            : scale * (quanta[place] as number) - (offsets?.[block] ?? 0);
      }
    }
    return tensor(values, [rows.length, this.columns]);
  }

  /**
   * y = x·Wᵀ: x f32 [m, columns] → [m, rows]. The activations are quantised to blocks of bytes on the way; products are integers, sums of blocks floats.
   */
  multiply(x: Tensor): Tensor {
    requireDType('BlockMatrix', 'f32', x);
    if (x.rank !== 2 || x.shape[1] !== this.columns)
      throw new Error(`BlockMatrix: expected [m, ${this.columns}], got ${formatShape(x.shape)}`);
    const m = x.shape[0] as number;
    const blocks = this.columns / BLOCK;
    // Two bytes each: whole numbers of 16 bits.
    const quanta = emptyTensor([m, 2 * this.columns], 'i8');
    const scales = emptyTensor([m, blocks], 'f32');
    const sums = emptyTensor([m, blocks], 'f32');
    const y = emptyTensor([m, this.rows], 'f32');
    cpu.run('quantizeBlocks', [x, quanta, scales, sums, m * blocks]);
    const sizes = [m, this.rows, blocks];
    if (this.kind === 'halves') cpu.run('matmulQ8Halves', [quanta, scales, this.quanta, this.scales, y, ...sizes]);
    else
      cpu.run(this.kind === 'bytes' ? 'matmulQ8' : 'matmulQ4', [
        ...[quanta, scales, sums, this.quanta, this.scales, this.offsets ?? null, y],
        ...sizes,
      ]);
    for (const temporary of [quanta, scales, sums]) temporary.dispose();
    return y;
  }
}

function requireColumns(columns: number): void {
  if (columns % BLOCK !== 0)
    throw new RangeError(`BlockMatrix: columns must be a multiple of ${BLOCK}, got ${columns}`);
}

/** Values as the bytes of blocks: a half-precision scale, then the quanta. */
export function quantizeBlocks(values: Float32Array, format: BlockFormat): Uint8Array {
  const size = quantaBytes[format];
  const blocks = values.length / BLOCK;
  const bytes = new Uint8Array(blocks * (size + 2));
  for (let block = 0; block < blocks; block++) {
    const x = values.subarray(block * BLOCK, (block + 1) * BLOCK);
    const at = block * (size + 2);
    const largest = x.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    // Q4_0 gives the value of largest magnitude, with its sign, the quantum −8.
    const scale = format === 'Q8_0' ? Math.abs(largest) / 127 : largest / -8;
    const half = floatToHalf(scale);
    bytes[at] = half & 255;
    bytes[at + 1] = half >> 8;
    const inverse = scale === 0 ? 0 : 1 / scale;
    if (format === 'Q8_0') {
      x.forEach((value, j) => {
        bytes[at + 2 + j] = Math.round(value * inverse) & 255;
      });
      continue;
    }
    const quantum = (value: number) => Math.min(15, Math.trunc(value * inverse + 8.5));
    for (let j = 0; j < 16; j++) bytes[at + 2 + j] = quantum(x[j] as number) | (quantum(x[j + 16] as number) << 4);
  }
  return bytes;
}
