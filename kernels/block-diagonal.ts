// Rows times a block-diagonal matrix.

import { multiplyAdd } from "./math";

/** Rows whose sums run beside each other, so that none waits for the last. */
const ROWS = 4;

/**
 * y[r, e·outer + j] = Σᵢ x[r, e·inner + i]·w[e, i, j] for rows [begin, end). Sums are over i in
 * ascending order, whatever the range.
 */
export function blockDiagonal(x: usize, w: usize, y: usize, blocks: i32, inner: i32, outer: i32, begin: i32, end: i32): void {
  const sourceStride = (<usize>blocks * inner) << 2, targetStride = (<usize>blocks * outer) << 2;
  let row = begin;
  for (; row + ROWS <= end; row += ROWS) fourRows(x + row * sourceStride, w, y + row * targetStride, blocks, inner, outer);
  for (; row < end; row++) oneRow(x + row * sourceStride, w, y + row * targetStride, blocks, inner, outer);
}

function fourRows(x: usize, w: usize, y: usize, blocks: i32, inner: i32, outer: i32): void {
  const sourceStride = (<usize>blocks * inner) << 2, targetStride = (<usize>blocks * outer) << 2;
  const matrixRow = <usize>outer << 2;
  for (let e = 0; e < blocks; e++) {
    let j = 0;
    for (; j + 4 <= outer; j += 4) {
      const column = <usize>j << 2;
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      let source = x, weights = w + column;
      for (let i = 0; i < inner; i++, source += 4, weights += matrixRow) {
        const weight = v128.load(weights);
        s0 = multiplyAdd(v128.load32_splat(source), weight, s0);
        s1 = multiplyAdd(v128.load32_splat(source + sourceStride), weight, s1);
        s2 = multiplyAdd(v128.load32_splat(source + 2 * sourceStride), weight, s2);
        s3 = multiplyAdd(v128.load32_splat(source + 3 * sourceStride), weight, s3);
      }
      const target = y + column;
      v128.store(target, s0);
      v128.store(target + targetStride, s1);
      v128.store(target + 2 * targetStride, s2);
      v128.store(target + 3 * targetStride, s3);
    }
    for (; j < outer; j++)
      for (let r = 0; r < ROWS; r++) store<f32>(y + r * targetStride + (<usize>j << 2), element(x + r * sourceStride, w, inner, outer, j));
    x += <usize>inner << 2;
    y += matrixRow;
    w += inner * matrixRow;
  }
}

function oneRow(x: usize, w: usize, y: usize, blocks: i32, inner: i32, outer: i32): void {
  const matrixRow = <usize>outer << 2;
  for (let e = 0; e < blocks; e++) {
    let j = 0;
    for (; j + 4 <= outer; j += 4) {
      let total = f32x4.splat(0);
      let weights = w + (<usize>j << 2);
      for (let i = 0; i < inner; i++, weights += matrixRow)
        total = multiplyAdd(v128.load32_splat(x + (<usize>i << 2)), v128.load(weights), total);
      v128.store(y + (<usize>j << 2), total);
    }
    for (; j < outer; j++) store<f32>(y + (<usize>j << 2), element(x, w, inner, outer, j));
    x += <usize>inner << 2;
    y += matrixRow;
    w += inner * matrixRow;
  }
}

/** Σᵢ x[i]·w[i, j]. */
// @ts-ignore: decorator
@inline
function element(x: usize, w: usize, inner: i32, outer: i32, j: i32): f32 {
  let total: f32 = 0;
  for (let i = 0; i < inner; i++) total += load<f32>(x + (<usize>i << 2)) * load<f32>(w + ((<usize>i * outer + j) << 2));
  return total;
}
