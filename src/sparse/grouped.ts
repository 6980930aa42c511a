// Grouped matrix products: a matrix for each group of rows, as for the experts of a mixture.

import { activations, regionAt } from '../engine/index.js';
import { apply, formatShape, type Op, onlyGradient, type Shape, sizeOf, type Tensor } from '../tensor/index.js';
import type { Segments } from './segments.js';

interface Attributes {
  /** Rows of each group, in order. */
  readonly segments: Segments;
  readonly transposeB: boolean;
}

const groupedMatmulOp: Op<Attributes> = {
  name: 'groupedMatmul',
  multiplyAdds: ([x], output) => sizeOf(output) * (x?.[1] as number),
  infer: ([x, w], { transposeB }) => [
    { shape: [(x as Tensor).shape[0] as number, (w as Tensor).shape[transposeB ? 1 : 2] as number], dtype: 'f32' },
  ],
  compute(device, [x, w], [y], { segments, transposeB }) {
    const [k, n] = [(x as Tensor).shape[1] as number, (y as Tensor).shape[1] as number];
    device.run('groupedMatmul', {
      x: x as Tensor,
      w: w as Tensor,
      y: y as Tensor,
      n,
      k,
      transposeB: Number(transposeB),
      starts: segments.offsets,
    });
  },
  vjp: (backward) => {
    const [x, w] = backward.inputs as [Tensor, Tensor];
    const { segments, transposeB } = backward.attributes;
    const g = onlyGradient(backward);
    return [
      backward.needed[0] ? apply(groupedMatmulOp, [g, w], { segments, transposeB: !transposeB }) : undefined,
      backward.needed[1] ? apply(groupedOuterOp, transposeB ? [g, x] : [x, g], { segments }) : undefined,
    ];
  },
};

/** wₑ = Σ over the rows of group e of aᵀ·b: [groups, columns of a, columns of b]. */
const groupedOuterOp: Op<{ readonly segments: Segments }> = {
  name: 'groupedOuter',
  multiplyAdds: ([a, b]) => sizeOf(a as Shape) * (b?.[1] as number),
  infer: ([a, b], { segments }) => [
    { shape: [segments.count, (a as Tensor).shape[1] as number, (b as Tensor).shape[1] as number], dtype: 'f32' },
  ],
  compute(device, [a, b], [w], { segments }) {
    const [m, n] = [(a as Tensor).shape[1] as number, (b as Tensor).shape[1] as number];
    for (let group = 0; group < segments.count; group++) {
      const [start, end] = [segments.offsets[group] as number, segments.offsets[group + 1] as number];
      const target = regionAt(w as Tensor, 4 * group * m * n);
      if (start === end) device.run('fill', { y: target, bits: 0, n: m * n });
      else
        device.run('matmul', {
          a: regionAt(a as Tensor, 4 * start * m),
          b: regionAt(b as Tensor, 4 * start * n),
          bias: null,
          c: target,
          batch: 1,
          m,
          n,
          k: end - start,
          transposeA: 1,
          transposeB: 0,
          activation: activations.none,
        });
    }
  },
  vjp: (backward) => {
    const [a, b] = backward.inputs as [Tensor, Tensor];
    const { segments } = backward.attributes;
    const g = onlyGradient(backward);
    return [
      backward.needed[0] ? apply(groupedMatmulOp, [b, g], { segments, transposeB: true }) : undefined,
      backward.needed[1] ? apply(groupedMatmulOp, [a, g], { segments, transposeB: false }) : undefined,
    ];
  },
};

/**
 * y[rows of group e] = x[rows of group e]·Wₑ, or ·Wₑᵀ with `transposeB` (default false). Groups may
 * be empty and of any size.
 *
 * @param x [n, k], rows sorted by group
 * @param w [groups, k, m], or [groups, m, k] when transposed
 * @param segments rows of each group
 * @returns [n, m]
 */
export function groupedMatmul(
  x: Tensor,
  w: Tensor,
  segments: Segments,
  { transposeB = false }: { transposeB?: boolean } = {},
): Tensor {
  const inner = w.shape[transposeB ? 2 : 1];
  if (
    x.rank !== 2 ||
    w.rank !== 3 ||
    x.shape[1] !== inner ||
    w.shape[0] !== segments.count ||
    x.shape[0] !== segments.size
  )
    throw new Error(
      `groupedMatmul: ${segments.size} rows in ${segments.count} groups do not fit x ${formatShape(x.shape)} and w ${formatShape(w.shape)}`,
    );
  return apply(groupedMatmulOp, [x, w], { segments, transposeB });
}
