// Matrix products.

import { activations } from '../../engine/index.js';
import { apply, type Backward, type Op, onlyGradient, requireDType } from '../apply.js';
import { broadcastShapes, formatShape, requireChoice, sameShape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { positiveMask } from './binary.js';
import { broadcastTo, reshape } from './layout.js';
import { sum } from './reduce.js';

/** Options of `matmul`. */
export interface MatmulOptions {
  /** Multiply by aᵀ, over its last two axes (default false). */
  readonly transposeA?: boolean;
  /** Multiply by bᵀ, over its last two axes (default false). */
  readonly transposeB?: boolean;
}

interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/**
 * The gradients of a product op(A)·op(B) with respect to A and B, by the same product.
 *
 * @param product op(X)·op(Y), with its transposes as `Attributes` say
 */
export function productGradients(
  backward: Backward<Attributes>,
  product: (x: Tensor, y: Tensor, transposes: Attributes) => Tensor,
): (Tensor | undefined)[] {
  const [a, b] = backward.inputs as [Tensor, Tensor];
  const { needed, attributes } = backward;
  const { transposeA, transposeB } = attributes;
  const g = onlyGradient(backward);
  const of = (x: Tensor, y: Tensor, tx: boolean, ty: boolean) => product(x, y, { transposeA: tx, transposeB: ty });
  return [
    needed[0] ? (transposeA ? of(b, g, transposeB, true) : of(g, b, false, !transposeB)) : undefined,
    needed[1] ? (transposeB ? of(g, a, true, transposeA) : of(a, g, !transposeA, false)) : undefined,
  ];
}

/**
 * Sizes m, k, n of op(A)[m, k]·op(B)[k, n].
 *
 * @throws Error naming both shapes when the inner sizes differ.
 */
function productSizes(
  a: Tensor,
  b: Tensor,
  { transposeA, transposeB }: Attributes,
): { m: number; k: number; n: number } {
  const [m, k] = lastTwo(a, transposeA);
  const [inner, n] = lastTwo(b, transposeB);
  if (k !== inner) {
    const show = (x: Tensor, transposed: boolean) => `${formatShape(x.shape)}${transposed ? 'ᵀ' : ''}`;
    throw new Error(`matmul: inner sizes differ: ${show(a, transposeA)} × ${show(b, transposeB)}`);
  }
  return { m, k, n };
}

function lastTwo(x: Tensor, transposed: boolean): [number, number] {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

/** Operands have the same leading axes. */
export const matmulOp: Op<Attributes> = {
  name: 'matmul',
  multiplyAdds: ([a], output, { transposeA }) => sizeOf(output) * (a?.at(transposeA ? -2 : -1) as number),
  infer: ([left, right], attributes) => {
    const a = left as Tensor;
    const b = right as Tensor;
    requireDType('matmul', 'f32', a, b);
    const { m, n } = productSizes(a, b, attributes);
    return [{ shape: [...a.shape.slice(0, -2), m, n], dtype: 'f32' }];
  },
  compute(device, [left, right], [y], attributes) {
    const a = left as Tensor;
    const b = right as Tensor;
    const { m, k, n } = productSizes(a, b, attributes);
    const batch = sizeOf(a.shape.slice(0, -2));
    device.run('matmul', {
      a,
      b,
      bias: null,
      c: y as Tensor,
      batch,
      m,
      n,
      k,
      transposeA: Number(attributes.transposeA),
      transposeB: Number(attributes.transposeB),
      activation: activations.none,
    });
  },
  vjp: (backward) => productGradients(backward, (x, y, own) => apply(matmulOp, [x, y], own)),
};

/**
 * Matrix product over the last two axes; leading axes broadcast.
 *
 * @param a [·, m, k]
 * @param b [·, k, n]
 * @returns [·, m, n]
 * @throws Error when the inner sizes differ.
 */
export function matmul(a: Tensor, b: Tensor, { transposeA = false, transposeB = false }: MatmulOptions = {}): Tensor {
  if (a.rank < 2 || b.rank < 2)
    throw new Error(`matmul: expected at least two axes each, got ${formatShape(a.shape)} × ${formatShape(b.shape)}`);
  const attributes = { transposeA, transposeB };
  if (b.rank === 2 && a.rank > 2 && !transposeA) {
    const { m, n, k } = productSizes(a, b, attributes);
    const rows = sizeOf(a.shape.slice(0, -1));
    return reshape(apply(matmulOp, [reshape(a, [rows, k]), b], attributes), [...a.shape.slice(0, -2), m, n]);
  }
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const withBatch = (x: Tensor) =>
    sameShape(x.shape.slice(0, -2), batch) ? x : broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
  return apply(matmulOp, [withBatch(a), withBatch(b)], attributes);
}

/** The operation behind `linear`: x·Wᵀ + b, with ReLU when fused. */
export const linearOp: Op<{ relu: boolean }> = {
  name: 'linear',
  multiplyAdds: ([x], output) => sizeOf(output) * (x?.at(-1) as number),
  infer: ([x, weight, bias]) => {
    requireDType('linear', 'f32', x as Tensor, weight as Tensor);
    const [m, k] = (x as Tensor).shape as [number, number];
    const [n, inner] = (weight as Tensor).shape as [number, number];
    if (k !== inner)
      throw new Error(
        `linear: input has ${k} features, weight expects ${inner}: ${formatShape([m, k])} × ${formatShape([n, inner])}ᵀ`,
      );
    if (bias && bias.size !== n) throw new Error(`linear: bias has ${bias.size} elements, expected ${n}`);
    return [{ shape: [m, n], dtype: 'f32' }];
  },
  compute(device, [x, weight, bias], [y], { relu }) {
    const [m, k] = (x as Tensor).shape as [number, number];
    const n = (weight as Tensor).shape[0] as number;
    device.run('matmul', {
      a: x as Tensor,
      b: weight as Tensor,
      bias: bias ?? null,
      c: y as Tensor,
      batch: 1,
      m,
      n,
      k,
      transposeA: 0,
      transposeB: 1,
      activation: relu ? activations.relu : activations.none,
    });
  },
  vjp: (backward) => {
    const [x, weight] = backward.inputs as [Tensor, Tensor];
    const [y] = backward.outputs as [Tensor];
    const g = backward.attributes.relu ? positiveMask(onlyGradient(backward), y) : onlyGradient(backward);
    return [
      backward.needed[0] ? matmul(g, weight) : undefined,
      backward.needed[1] ? matmul(g, x, { transposeA: true }) : undefined,
      backward.needed[2] ? sum(g, 0) : undefined,
    ];
  },
};

/**
 * y = x·Wᵀ + b, with a ReLU if given, in one kernel.
 *
 * @param x [·, k]
 * @param weight [n, k]
 * @param bias [n]
 * @returns [·, n]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor, activation: 'none' | 'relu' = 'none'): Tensor {
  if (weight.rank !== 2) throw new Error(`linear: expected a weight [out, in], got ${formatShape(weight.shape)}`);
  if (x.rank === 0) throw new Error('linear: expected an input with features along its last axis');
  requireChoice('linear', 'the activation', activation, ['none', 'relu']);
  const flat = x.rank === 2 ? x : reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1) as number]);
  const y = apply(linearOp, bias ? [flat, weight, bias] : [flat, weight], { relu: activation === 'relu' });
  return x.rank === 2 ? y : reshape(y, [...x.shape.slice(0, -1), weight.shape[0] as number]);
}
