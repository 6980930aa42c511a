// Segments: consecutive rows of a tensor that form a unit, such as the stored elements of a sparse
// row, the members of a hyperedge or the nodes of a graph in a batch.

import {
  apply,
  applyAll,
  gatherKnownRows,
  keep,
  multiply,
  type Op,
  onlyGradient,
  putKnownRows,
  reshape,
  type Shape,
  subtract,
  type Tensor,
  tensor,
} from '../tensor/index.js';

/** Segment s holds rows offsets[s] … offsets[s+1] − 1. */
export class Segments {
  /** Number of segments, empty ones among them. */
  readonly count: number;
  /** Rows of all segments. */
  readonly size: number;
  #offsets: Tensor | undefined;
  #ids: Tensor | undefined;
  #inverseSizes: Tensor | undefined;

  /** @throws Error unless the offsets start at 0 and never fall. */
  constructor(readonly offsets: Int32Array) {
    if (offsets.length === 0 || offsets[0] !== 0) throw new Error('Segments: offsets must start with 0');
    for (let s = 1; s < offsets.length; s++) {
      if ((offsets[s] as number) < (offsets[s - 1] as number))
        throw new Error(`Segments: offsets fall at position ${s}`);
    }
    this.count = offsets.length - 1;
    this.size = offsets[this.count] as number;
  }

  /** Segments of the given numbers of rows. */
  static fromSizes(sizes: ArrayLike<number>): Segments {
    const offsets = new Int32Array(sizes.length + 1);
    let end = 0;
    for (let s = 0; s < sizes.length; s++) {
      end += sizes[s] as number;
      offsets[s + 1] = end;
      if (offsets[s + 1] !== end)
        throw new RangeError(
          `Segments: segment ${s} of ${String(sizes[s])} rows; sizes are whole and add up below 2³¹`,
        );
    }
    return new Segments(offsets);
  }

  /** Offsets as an i32 tensor [count + 1]. */
  get offsetTensor(): Tensor {
    this.#offsets ??= keep(tensor(this.offsets));
    return this.#offsets;
  }

  /** The segment of each row: i32 [size]. */
  get ids(): Tensor {
    if (!this.#ids) {
      const ids = new Int32Array(this.size);
      let row = 0;
      for (let s = 0; s < this.count; s++) for (; row < (this.offsets[s + 1] as number); row++) ids[row] = s;
      this.#ids = keep(tensor(ids));
    }
    return this.#ids;
  }

  /** 1 / rows of each segment, 0 for an empty one: [count, 1]. */
  get inverseSizes(): Tensor {
    if (!this.#inverseSizes) {
      const values = Float32Array.from({ length: this.count }, (_, s) => {
        const rows = (this.offsets[s + 1] as number) - (this.offsets[s] as number);
        return rows === 0 ? 0 : 1 / rows;
      });
      this.#inverseSizes = keep(tensor(values, [this.count, 1]));
    }
    return this.#inverseSizes;
  }
}

interface Attributes {
  readonly segments: Segments;
}

function columnsOf(operation: string, x: Tensor, segments: Segments): { flat: Tensor; rest: Shape } {
  if (x.rank === 0 || x.shape[0] !== segments.size) {
    throw new Error(`${operation}: the segments hold ${segments.size} rows, the input is ${x}`);
  }
  const rest = x.shape.slice(1);
  return {
    flat: x.rank === 2 ? x : reshape(x, [segments.size, rest.reduce((product, length) => product * length, 1)]),
    rest,
  };
}

const sumOp: Op<Attributes> = {
  name: 'segmentSum',
  multiplyAdds: 0,
  infer: ([x], { segments }) => [{ shape: [segments.count, (x as Tensor).shape[1] as number], dtype: 'f32' }],
  compute: (device, [x], [y], { segments }) =>
    device.run('spmm', {
      indptr: segments.offsetTensor,
      indices: null,
      values: null,
      x: x as Tensor,
      y: y as Tensor,
      rows: segments.count,
      d: (x as Tensor).shape[1] as number,
    }),
  vjp: (backward) => [gatherKnownRows(onlyGradient(backward), backward.attributes.segments.ids)],
};

/** y[s] = Σ rows of segment s; 0 for an empty one. x [size, …] → [count, …]. */
export function segmentSum(x: Tensor, segments: Segments): Tensor {
  const { flat, rest } = columnsOf('segmentSum', x, segments);
  return reshape(apply(sumOp, [flat], { segments }), [segments.count, ...rest]);
}

/** y[s] = mean of the rows of segment s; 0 for an empty one. x [size, …] → [count, …]. */
export function segmentMean(x: Tensor, segments: Segments): Tensor {
  const { flat, rest } = columnsOf('segmentMean', x, segments);
  return reshape(multiply(apply(sumOp, [flat], { segments }), segments.inverseSizes), [segments.count, ...rest]);
}

const maxOp: Op<Attributes> = {
  name: 'segmentMax',
  multiplyAdds: 0,
  infer: ([x], { segments }) => {
    const shape = [segments.count, (x as Tensor).shape[1] as number];
    return [
      { shape, dtype: 'f32' },
      { shape, dtype: 'i32' },
    ];
  },
  compute: (device, [x], [y, positions], { segments }) =>
    device.run('segmentMax', {
      indptr: segments.offsetTensor,
      x: x as Tensor,
      y: y as Tensor,
      positions: positions as Tensor,
      rows: segments.count,
      d: (x as Tensor).shape[1] as number,
    }),
  vjp: ({ inputs, outputs, gradients }) => [
    putKnownRows(gradients[0] as Tensor, outputs[1] as Tensor, (inputs[0] as Tensor).shape[0] as number),
  ],
};

/**
 * y[s] = columnwise maximum of segment s; 0 for an empty one. The gradient goes to the first of
 * equals. x [size, …] → [count, …].
 */
export function segmentMax(x: Tensor, segments: Segments): Tensor {
  const { flat, rest } = columnsOf('segmentMax', x, segments);
  const [y] = applyAll(maxOp, [flat], { segments });
  return reshape(y as Tensor, [segments.count, ...rest]);
}

const softmaxOp: Op<Attributes> = {
  name: 'segmentSoftmax',
  multiplyAdds: 0,
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: 'f32' }],
  compute: (device, [x], [y], { segments }) =>
    device.run('segmentSoftmax', {
      indptr: segments.offsetTensor,
      x: x as Tensor,
      y: y as Tensor,
      rows: segments.count,
      d: (x as Tensor).shape[1] as number,
    }),
  vjp: (backward) => {
    const { segments } = backward.attributes;
    const [y] = backward.outputs as [Tensor];
    const weighted = multiply(onlyGradient(backward), y);
    return [subtract(weighted, multiply(y, gatherKnownRows(apply(sumOp, [weighted], { segments }), segments.ids)))];
  },
};

/**
 * Softmax over each segment, column by column. x [size, …] → [size, …]; an attention head is a
 * column.
 */
export function segmentSoftmax(x: Tensor, segments: Segments): Tensor {
  const { flat } = columnsOf('segmentSoftmax', x, segments);
  return reshape(apply(softmaxOp, [flat], { segments }), x.shape);
}
