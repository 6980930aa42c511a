// The weights of layers of blocks as the products with used blocks read them.

import {
  BlockMatrix,
  blockMajor,
  type ExpertBlockSizes,
  fitsFormat,
  panelBytes,
  type QuantizedFormat,
} from '../../quantized/index.js';
import { keep, permute, reshape, type Tensor } from '../../tensor/index.js';
import { DenseMatrix, type LoadedMatrix, type WeightMatrix } from './matrix.js';

/** W_up and W_down of a layer of blocks. */
export interface BlockMatrices {
  /** [E·e, d]. */
  readonly up: WeightMatrix;
  /** As `blockMajor` gives it; for dense execution [d, E·e]. */
  readonly down: WeightMatrix;
}

/** One of the two matrices of a layer of blocks. */
export interface StackedBlocks {
  readonly sizes: ExpertBlockSizes;
  readonly side: 'up' | 'down';
  readonly execution: 'sparse' | 'dense';
}

/** Quantised, where a format is given and fits the columns; else f32 of its own. */
function stored(values: Tensor, format?: QuantizedFormat): LoadedMatrix {
  const [, columns] = values.shape as [number, number];
  if (format && columns % 32 === 0) return BlockMatrix.quantize(values, format);
  return new DenseMatrix(keep(values.clone()));
}

/** W_up [E·e, d], from that or [E, e, d]. @throws Error for other sizes. */
export function blockUp(up: Tensor, sizes: ExpertBlockSizes, format?: QuantizedFormat): LoadedMatrix {
  const { count, width, features } = sizes;
  if (up.size !== count * width * features || up.shape.at(-1) !== features)
    throw new Error(`W_up of ${count} blocks ${width}×${features} is not of shape [${up.shape.join(', ')}]`);
  return stored(reshape(up, [count * width, features]), blockFormat(sizes, format));
}

/** W_down, from [d, E·e] or [E, d, e], for the execution. @throws Error for other sizes. */
export function blockDown(
  down: Tensor,
  { sizes, execution }: Pick<StackedBlocks, 'sizes' | 'execution'>,
  format?: QuantizedFormat,
): LoadedMatrix {
  const { count, width, features } = sizes;
  if (execution === 'dense') {
    const whole = down.rank === 3 ? permute(down, [1, 0, 2]) : down;
    return stored(reshape(whole, [features, count * width]), format);
  }
  const weights = blockMajor(down, sizes, blockFormat(sizes, format));
  if (weights instanceof BlockMatrix) return weights;
  return new DenseMatrix(keep(weights));
}

/** The format, where blocks of these sizes have products in it. */
const blockFormat = (sizes: ExpertBlockSizes, format?: QuantizedFormat) => (fitsFormat(sizes) ? format : undefined);

/** Rows, columns and bytes in memory. */
export function blockShape({ sizes, side, execution }: StackedBlocks, format?: QuantizedFormat) {
  const { count, width, features } = sizes;
  const own = execution === 'dense' && side === 'down' ? format : blockFormat(sizes, format);
  const [rows, columns] =
    side === 'up'
      ? [count * width, features]
      : execution === 'dense'
        ? [features, count * width]
        : own
          ? [count * features, width]
          : [count * width, features];
  const isQuantized = own !== undefined && columns % 32 === 0;
  return { rows, columns, bytes: isQuantized ? panelBytes(own, rows, columns) : 4 * rows * columns };
}
