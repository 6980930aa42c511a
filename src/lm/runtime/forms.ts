// How the matrices of files lie in memory, and how their bytes become so: where they are read on
// another thread, they come as they are, and are brought into form when they are first used.

import { type ByteSource, widenHalves } from '../../data/index.js';
import {
  type BlockFormat,
  BlockMatrix,
  blockBytes,
  blockFormats,
  panelBytes,
  type QuantizedFormat,
  type RowFormat,
  RowMatrix,
  rowBytes,
} from '../../quantized/index.js';
import { emptyTensor, keep, scope, type Tensor, transpose } from '../../tensor/index.js';
import { DenseMatrix, type LoadedMatrix, type StoredWeights } from './matrix.js';

/**
 * What products need of a matrix: all of it (`whole`), single rows (`rows`), or single rows of its
 * transpose (`neurons`).
 */
export type Layout = 'whole' | 'rows' | 'neurons';

/** A matrix in memory, made of the bytes of a file. */
type Form = Pick<StoredWeights, 'bytes' | 'byRow'> & Required<Pick<StoredWeights, 'stage' | 'finish'>>;

const rowFormats: readonly string[] = ['F32', 'Q8_0', 'Q4_0'] satisfies RowFormat[];

/** Whether single rows of a type of GGUF can be used as they are. */
export const hasRows = (type: string): type is RowFormat => rowFormats.includes(type);

const bytesIn = (staged: Tensor) => {
  const { buffer, byteOffset, byteLength } = staged.view();
  return new Uint8Array(buffer, byteOffset, byteLength);
};

/** Reads as a file does, from bytes in memory. */
const readerOf = (staged: Tensor) => (target: Uint8Array, offset: number) => {
  const bytes = bytesIn(staged);
  target.set(bytes.subarray(offset, offset + target.length));
};

/** The form of a matrix of GGUF. */
export function ggufForm(type: string, rows: number, columns: number, layout: Layout): Form {
  if (type === 'F32' || type === 'F16' || type === 'BF16') return floatForm(type, rows, columns, layout, undefined);
  if (layout === 'rows' && hasRows(type))
    return {
      ...{ bytes: rowBytes(type, rows, columns), byRow: true },
      stage: () => RowMatrix.stage(type, rows, columns),
      finish: (staged) => new RowMatrix(type, rows, columns, staged),
    };
  const format = type as BlockFormat;
  return {
    bytes: panelBytes(format, rows, columns),
    stage: () => keep(emptyTensor([blockBytes(format, rows, columns)], 'u8')),
    finish: (staged) => {
      const matrix = BlockMatrix.read(format, rows, columns, readerOf(staged));
      staged.dispose();
      return matrix;
    },
  };
}

/** The form of a float matrix, quantised to a format where its columns allow it. */
export function floatForm(
  type: 'F32' | 'F16' | 'BF16',
  rows: number,
  columns: number,
  layout: Layout,
  quantised: QuantizedFormat | undefined,
): Form {
  const turned = layout === 'neurons';
  const [height, width] = turned ? [columns, rows] : [rows, columns];
  const format = quantised !== undefined && width % blockFormats[quantised].values === 0 ? quantised : undefined;
  const bytes =
    layout === 'whole' && format ? panelBytes(format, height, width) : rowBytes(format ?? 'F32', height, width);
  const stage = () =>
    keep(type === 'F32' ? emptyTensor([rows, columns], 'f32') : emptyTensor([2 * rows * columns], 'u8'));
  const finish = (staged: Tensor): LoadedMatrix => {
    const made = scope(() => {
      const values = type === 'F32' ? staged : widenHalves([rows, columns], type, readerOf(staged));
      const own = turned ? transpose(values) : values;
      if (layout !== 'whole') return format ? RowMatrix.from(own, format) : new RowMatrix('F32', height, width, own);
      return format ? BlockMatrix.quantize(own, format) : new DenseMatrix(keep(own));
    });
    if (format || turned || type !== 'F32') staged.dispose();
    return made;
  };
  return { bytes, stage, finish, ...(layout !== 'whole' && { byRow: true }) };
}

/** A matrix [rows, columns] of a file, from a position on; `formOf` gives the form of some rows. */
export function storedIn(
  source: ByteSource,
  position: number,
  formOf: (rows: number) => Form,
  { rows, columns, layout }: { readonly rows: number; readonly columns: number; readonly layout: Layout },
): Omit<StoredWeights, 'use'> {
  const { descriptor, name } = source;
  const whole = formOf(rows);
  return {
    ...whole,
    ...(layout === 'neurons' ? { rows: columns, columns: rows } : { rows, columns }),
    ...(descriptor !== undefined && { range: { descriptor, position, name } }),
    read: (range) => {
      if (range && layout === 'neurons') throw new Error('a matrix that is turned when it is read has no rows to read');
      const [from, to] = range ?? [0, rows];
      const form = range ? formOf(to - from) : whole;
      const staged = form.stage();
      const bytes = bytesIn(staged);
      try {
        source.read(bytes, position + (from * bytes.length) / (to - from));
      } catch (error) {
        staged.dispose();
        throw error;
      }
      return form.finish(staged);
    },
  };
}
