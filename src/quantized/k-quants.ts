// Other block formats of GGUF as matrices for products: quanta, scales and offsets apart. Five and six bits take a byte.

import { BLOCK, BlockMatrix, type BlockParts } from './blocks.js';
import { halfToFloat } from './half.js';

/** Values and bytes of a block as the file has it. */
const layouts = {
  Q4_1: { values: 32, bytes: 20 },
  Q5_0: { values: 32, bytes: 22 },
  Q5_1: { values: 32, bytes: 24 },
  Q4_K: { values: 256, bytes: 144 },
  Q5_K: { values: 256, bytes: 176 },
  Q6_K: { values: 256, bytes: 210 },
} as const;

export type UnpackedFormat = keyof typeof layouts;

export const unpackedFormats: readonly string[] = Object.keys(layouts);

/** 6-bit scale and minimum of sub-block j of a K-quant, from its twelve bytes. */
export function scaleAndMinimum(at: (i: number) => number, j: number): [scale: number, minimum: number] {
  if (j < 4) return [at(j) & 63, at(j + 4) & 63];
  return [(at(j + 4) & 15) | ((at(j - 4) >> 6) << 4), (at(j + 4) >> 4) | ((at(j) >> 6) << 4)];
}

/** Where a block's parts go. */
interface Target {
  readonly quanta: Uint8Array;
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

type Unpack = (bytes: Uint8Array, at: number, block: number, target: Target) => void;

const half = (bytes: Uint8Array, at: number) => halfToFloat((bytes[at] as number) | ((bytes[at + 1] as number) << 8));

/** Q5_0 and Q5_1: nibbles with a fifth bit, a byte each. */
function unpackFive(minimum: boolean): Unpack {
  return (bytes, at, block, { quanta, scales, offsets }) => {
    const d = half(bytes, at);
    const start = at + (minimum ? 4 : 2);
    for (let j = 0; j < BLOCK; j++) {
      const byte = bytes[start + 4 + (j & 15)] as number;
      const fifth = ((bytes[start + (j >> 3)] as number) >> (j & 7)) & 1;
      quanta[block * BLOCK + j] = (j < 16 ? byte & 15 : byte >> 4) | (fifth << 4);
    }
    scales[block] = d;
    offsets[block] = minimum ? -half(bytes, at + 2) : 16 * d;
  };
}

/** The eight scales and offsets that Q4_K and Q5_K begin with. */
function unpackScales(bytes: Uint8Array, at: number, block: number, { scales, offsets }: Target): void {
  const [d, dmin] = [half(bytes, at), half(bytes, at + 2)];
  for (let sub = 0; sub < 8; sub++) {
    const [scale, minimum] = scaleAndMinimum((i) => bytes[at + 4 + i] as number, sub);
    scales[block * 8 + sub] = d * scale;
    offsets[block * 8 + sub] = dmin * minimum;
  }
}

const unpackers: Readonly<Record<UnpackedFormat, Unpack>> = {
  Q4_1: (bytes, at, block, { quanta, scales, offsets }) => {
    quanta.set(bytes.subarray(at + 4, at + 20), block * 16);
    scales[block] = half(bytes, at);
    offsets[block] = -half(bytes, at + 2);
  },
  Q5_0: unpackFive(false),
  Q5_1: unpackFive(true),
  Q4_K: (bytes, at, block, target) => {
    unpackScales(bytes, at, block, target);
    for (let sub = 0; sub < 8; sub++) {
      const to = block * 8 + sub;
      // The file has sub-blocks in pairs, one in the low and one in the high nibbles of 32 bytes.
      const from = at + 16 + (sub >> 1) * 32;
      const shift = sub & 1 ? 4 : 0;
      for (let j = 0; j < 16; j++) {
        const [low, high] = [bytes[from + j] as number, bytes[from + 16 + j] as number];
        target.quanta[to * 16 + j] = ((low >> shift) & 15) | (((high >> shift) & 15) << 4);
      }
    }
  },
  Q5_K: (bytes, at, block, target) => {
    unpackScales(bytes, at, block, target);
    for (let sub = 0; sub < 8; sub++) {
      const to = block * 8 + sub;
      const from = at + 48 + (sub >> 1) * 32;
      for (let j = 0; j < BLOCK; j++) {
        const fifth = ((bytes[at + 16 + j] as number) >> sub) & 1;
        target.quanta[to * BLOCK + j] = (((bytes[from + j] as number) >> (sub & 1 ? 4 : 0)) & 15) | (fifth << 4);
      }
    }
  },
  Q6_K: (bytes, at, block, { quanta, scales }) => {
    const d = half(bytes, at + 208);
    for (let i = 0; i < 256; i++) {
      const [part, l, quarter] = [i >> 7, i & 31, (i & 127) >> 5];
      const low = bytes[at + part * 64 + l + (quarter & 1 ? 32 : 0)] as number;
      const high = bytes[at + 128 + part * 32 + l] as number;
      quanta[block * 256 + i] = ((quarter < 2 ? low & 15 : low >> 4) | (((high >> (2 * quarter)) & 3) << 4)) - 32;
    }
    for (let j = 0; j < 16; j++) scales[block * 16 + j] = d * (((bytes[at + 192 + j] as number) << 24) >> 24);
  },
};

/** A matrix from the bytes of a file. @throws Error when their number does not fit. */
export function unpackBlocks(bytes: Uint8Array, format: UnpackedFormat, rows: number, columns: number): BlockMatrix {
  const { values, bytes: size } = layouts[format];
  const blocks = (rows * columns) / values;
  if (columns % values !== 0 || bytes.length !== blocks * size)
    throw new Error(`unpackBlocks: ${rows}×${columns} in ${format} takes ${blocks * size} bytes, got ${bytes.length}`);
  const kind: BlockParts['kind'] = format === 'Q6_K' ? 'halves' : format.startsWith('Q4') ? 'nibbles' : 'bytes';
  const elements = rows * columns;
  const parts = {
    quanta: new Uint8Array(kind === 'nibbles' ? elements / 2 : elements),
    scales: new Float32Array(elements / (kind === 'halves' ? BLOCK / 2 : BLOCK)),
    offsets: new Float32Array(kind === 'halves' ? 0 : elements / BLOCK),
  };
  for (let block = 0; block < blocks; block++) unpackers[format](bytes, block * size, block, parts);
  const { offsets, ...rest } = parts;
  return new BlockMatrix({ kind, rows, columns, ...rest, ...(kind !== 'halves' && { offsets }) });
}
