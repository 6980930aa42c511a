// Products with the blocks of a feed-forward layer that tokens use, f32 or quantised: the weights
// of other blocks are not read.

import { cpu } from '../engine/index.js';
import { emptyTensor, formatShape, permute, reshape, type Tensor, zeros } from '../tensor/index.js';
import { BLOCK, BlockMatrix, type QuantizedFormat } from './blocks.js';

/** Weights of blocks: f32, or quantised. */
export type BlockWeights = Tensor | BlockMatrix;

/** Blocks that any of the tokens uses, ascending: gates [n, E], 0 for unused blocks. */
export function usedBlocks(gates: Tensor): number[] {
  const [tokens, experts] = gates.shape as [number, number];
  const values = gates.view();
  const used = new Uint8Array(experts);
  for (let i = 0; i < tokens * experts; i++) if (values[i] !== 0) used[i % experts] = 1;
  return Array.from(used.keys()).filter((block) => used[block] === 1);
}

/** Sizes of the blocks of a layer. */
export interface ExpertBlockSizes {
  /** Blocks E. */
  readonly count: number;
  /** Hidden units e of a block. */
  readonly width: number;
  /** Input and output features d. */
  readonly features: number;
}

/** Whether a format has kernels for blocks of these sizes, whose rows are whole panels. */
export function fitsFormat({ width, features }: ExpertBlockSizes): boolean {
  return width % BLOCK === 0 && features % BLOCK === 0;
}

/**
 * W_down in the order of blocks: f32 [E·e, d], or quantised [E·d, e] where a format is given.
 *
 * @param down [d, E·e], or the matrices of the blocks one after the other [E, d, e]
 * @throws RangeError when a format does not fit the sizes.
 */
export function blockMajor(down: Tensor, layout: ExpertBlockSizes, format?: QuantizedFormat): BlockWeights {
  const { count, width, features } = layout;
  if (down.size !== count * width * features)
    throw new Error(`blockMajor: ${formatShape(down.shape)} is not W_down of ${count} blocks ${width}×${features}`);
  const stacked = down.rank === 3;
  const matrix = stacked ? down : reshape(down, [features, count, width]);
  if (!format) return reshape(permute(matrix, stacked ? [0, 2, 1] : [1, 2, 0]), [count * width, features]);
  if (!fitsFormat(layout))
    throw new RangeError(`blockMajor: blocks ${width}×${features} in ${format} need multiples of ${BLOCK}`);
  const byBlock = stacked ? matrix : permute(matrix, [1, 0, 2]);
  return BlockMatrix.quantize(reshape(byBlock, [count * features, width]), format);
}

/**
 * Hidden units of the used blocks, h[j, t] = SiLU(W_up,ᵢ·x[t])·A[t, i] with i = used[j].
 *
 * @param x [n, d]
 * @param up W_up [E·e, d]
 * @param gates A [n, E]
 * @returns [used, n, e]
 */
export function blocksUp(x: Tensor, up: BlockWeights, gates: Tensor, used: readonly number[], width: number): Tensor {
  const [n, d] = x.shape as [number, number];
  const experts = gates.shape[1] as number;
  const h = emptyTensor([used.length, n, width], 'f32');
  if (used.length === 0) return h;
  if (up instanceof BlockMatrix) {
    const kernel = kernelOf(up, 'Up');
    cpu.run(kernel, { x, w: up.panels, gates, h, n, d, width, experts, used });
  } else cpu.run('blocksUp', { x, w: up, gates, h, n, d, width, experts, used });
  return h;
}

/**
 * The sum over used blocks of W_down,ᵢ·h[j]: [used, n, e] → [n, d].
 *
 * @param down W_down as `blockMajor` gives it
 */
export function blocksDown(h: Tensor, down: BlockWeights, used: readonly number[], features: number): Tensor {
  const [, n, width] = h.shape as [number, number, number];
  if (used.length === 0) return zeros([n, features]);
  const y = emptyTensor([n, features], 'f32');
  if (down instanceof BlockMatrix) {
    const kernel = kernelOf(down, 'Down');
    cpu.run(kernel, { h, w: down.panels, y, n, d: features, width, used });
  } else cpu.run('blocksDown', { h, w: down, y, n, d: features, width, used });
  return y;
}

/** @throws Error for a format without kernels for blocks. */
function kernelOf<Side extends 'Up' | 'Down'>({ format }: BlockMatrix, side: Side): `blocks${Side}Int${4 | 8}` {
  if (format === 'Q8_0') return `blocks${side}Int8`;
  if (format === 'Q4_0') return `blocks${side}Int4`;
  throw new Error(`blocks in ${format} have no product; Q8_0 and Q4_0 have`);
}
