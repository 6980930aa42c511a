// Compressed-sparse-row products. Each output row (SpMM) or stored element (SDDMM) belongs to one
// thread.

import { multiplyAdd, sumLanes } from "./math";
import { Optional } from "./optional";
import { RUN } from "./reduce";
import { ownTile } from "./thread";

/**
 * y[r, :] = Σₑ valueₑ · x[columnₑ, :] over the stored elements e of rows [begin, end). `indices` =
 * 0 means columnₑ = e (a segment sum); `values` = 0 means 1. Features are taken 32 at a time, so
 * that a row's accumulators stay in registers.
 */
export function spmm(indptr: usize, indices: Optional, values: Optional, x: usize, y: usize, d: i32, begin: i32, end: i32): void {
  const stride = <usize>d << 2;
  for (let row = begin; row < end; row++) {
    const first = load<i32>(indptr + (<usize>row << 2));
    const last = load<i32>(indptr + (<usize>row << 2), 4);
    const target = y + row * stride;
    if (last - first > LONG_ROW) {
      longRow(indices, values, x, target, d, first, last);
      continue;
    }
    let column = 0;
    for (; column + 32 <= d; column += 32) spmm32(indices, values, x + (<usize>column << 2), target + (<usize>column << 2), stride, first, last);
    for (; column + 8 <= d; column += 8) spmm8(indices, values, x + (<usize>column << 2), target + (<usize>column << 2), stride, first, last);
    for (; column + 4 <= d; column += 4) {
      let total = f32x4.splat(0);
      for (let e = first; e < last; e++) {
        total = multiplyAdd(weight(values, e), v128.load(x + columnOf(indices, e) * stride + (<usize>column << 2)), total);
      }
      v128.store(target + (<usize>column << 2), total);
    }
    for (; column < d; column++) spmm1(indices, values, x + (<usize>column << 2), target + (<usize>column << 2), stride, first, last);
  }
}

/** Elements of a row that are added in f32; the sums of longer rows are added in f64. */
const LONG_ROW: i32 = 1024;

/** A row of `spmm` with more than `LONG_ROW` elements, 8 features at a time. */
function longRow(indices: usize, values: usize, x: usize, y: usize, d: i32, first: i32, last: i32): void {
  const stride = <usize>d << 2;
  const sums = ownTile();
  for (let column = 0; column < d; column += 8) {
    const width = min(8, d - column);
    const at = <usize>column << 2;
    memory.fill(sums, 0, 64);
    for (let e = first; e < last; e += LONG_ROW) {
      const stop = min(e + LONG_ROW, last);
      if (width == 8) spmm8(indices, values, x + at, y + at, stride, e, stop);
      else for (let j = 0; j < width; j++) spmm1(indices, values, x + at + (<usize>j << 2), y + at + (<usize>j << 2), stride, e, stop);
      for (let j = 0; j < width; j++) {
        const sum = sums + (<usize>j << 3);
        store<f64>(sum, load<f64>(sum) + load<f32>(y + at + (<usize>j << 2)));
      }
    }
    for (let j = 0; j < width; j++) store<f32>(y + at + (<usize>j << 2), <f32>load<f64>(sums + (<usize>j << 3)));
  }
}

/**
 * y[r, :] = scale[r] · Σₑ valueₑ · x[columnₑ, :]: `spmm` with its rows scaled, such as means of
 * neighbours.
 */
export function spmmScaled(indptr: usize, indices: usize, values: Optional, scale: usize, x: usize, y: usize, d: i32, begin: i32, end: i32): void {
  spmm(indptr, indices, values, x, y, d, begin, end);
  const stride = <usize>d << 2;
  for (let row = begin; row < end; row++) {
    const factor = v128.load32_splat(scale + (<usize>row << 2));
    const target = y + row * stride;
    let at: usize = 0;
    for (; at + 16 <= stride; at += 16) v128.store(target + at, f32x4.mul(v128.load(target + at), factor));
    for (; at < stride; at += 4) store<f32>(target + at, load<f32>(target + at) * f32x4.extract_lane(factor, 0));
  }
}

/**
 * y[r, :] += α/‖x_r‖ · x_r, or α · x_r without `normalize`: x lies in blocks of `width` columns,
 * block b at x + b·(rows·width) floats, the last one narrower. A row of zeros adds nothing.
 */
export function addNormalizedRows(x: usize, y: usize, alpha: f32, normalize: i32, rows: i32, width: i32, d: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    let squares: f32 = 0;
    if (normalize) {
      for (let column = 0; column < d; column += width) {
        const count = min(width, d - column);
        const own = x + ((<usize>rows * column + <usize>row * count) << 2);
        squares += dot(own, own, count);
      }
    }
    const factor: f32 = normalize ? (squares > 1e-24 ? alpha / sqrt<f32>(squares) : 0) : alpha;
    const four = f32x4.splat(factor);
    for (let column = 0; column < d; column += width) {
      const count = min(width, d - column);
      let from = x + ((<usize>rows * column + <usize>row * count) << 2);
      let to = y + ((<usize>row * d + column) << 2);
      let i = 0;
      for (; i + 4 <= count; i += 4, from += 16, to += 16) v128.store(to, multiplyAdd(four, v128.load(from), v128.load(to)));
      for (; i < count; i++, from += 4, to += 4) store<f32>(to, load<f32>(to) + factor * load<f32>(from));
    }
  }
}

/** squares[r] += ‖x_r‖². x [rows, d]. */
export function addRowSquares(x: usize, squares: usize, d: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const own = x + ((<usize>row * d) << 2);
    const at = squares + (<usize>row << 2);
    store<f32>(at, load<f32>(at) + dot(own, own, d));
  }
}

/** y[r, :] += α/√squares[r] · x[r, :]; a row of zeros adds nothing. x, y [rows, d]. */
export function addRowsOverNorm(x: usize, y: usize, squares: usize, alpha: f32, d: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const square = load<f32>(squares + (<usize>row << 2));
    const factor: f32 = square > 1e-24 ? alpha / sqrt<f32>(square) : 0;
    const offset = (<usize>row * d) << 2;
    for (let at = offset; at < offset + (<usize>d << 2); at += 4) store<f32>(y + at, load<f32>(y + at) + factor * load<f32>(x + at));
  }
}

/**
 * y[r, :] = scale[r] · Σₑ valueₑ · R[columnₑ, :] for a very sparse R in compressed rows (starts,
 * columns, entries): a scatter of few numbers a neighbour. y [rows, d].
 */
export function spmmSparse(
  indptr: usize, indices: usize, values: Optional, scale: usize, starts: usize, columns: usize, entries: usize, y: usize, d: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const target = y + ((<usize>row * d) << 2);
    memory.fill(target, 0, <usize>d << 2);
    const factor = load<f32>(scale + (<usize>row << 2));
    const last = load<i32>(indptr + (<usize>row << 2), 4);
    for (let e = load<i32>(indptr + (<usize>row << 2)); e < last; e++) {
      const weight: f32 = values == 0 ? factor : factor * load<f32>(values + (<usize>e << 2));
      const source = load<i32>(indices + (<usize>e << 2));
      const stop = load<i32>(starts + (<usize>source << 2), 4);
      for (let i = load<i32>(starts + (<usize>source << 2)); i < stop; i++) {
        const at = target + (<usize>load<i32>(columns + (<usize>i << 2)) << 2);
        store<f32>(at, load<f32>(at) + weight * load<f32>(entries + (<usize>i << 2)));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function columnOf(indices: usize, e: i32): usize {
  return indices == 0 ? <usize>e : <usize>load<i32>(indices + (<usize>e << 2));
}

// @ts-ignore: decorator
@inline
function weight(values: usize, e: i32): v128 {
  return values == 0 ? f32x4.splat(1) : v128.load32_splat(values + (<usize>e << 2));
}

function spmm32(indices: usize, values: usize, x: usize, y: usize, stride: usize, first: i32, last: i32): void {
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0, t4 = t0, t5 = t0, t6 = t0, t7 = t0;
  for (let e = first; e < last; e++) {
    const source = x + columnOf(indices, e) * stride;
    const w = weight(values, e);
    t0 = multiplyAdd(w, v128.load(source), t0);
    t1 = multiplyAdd(w, v128.load(source, 16), t1);
    t2 = multiplyAdd(w, v128.load(source, 32), t2);
    t3 = multiplyAdd(w, v128.load(source, 48), t3);
    t4 = multiplyAdd(w, v128.load(source, 64), t4);
    t5 = multiplyAdd(w, v128.load(source, 80), t5);
    t6 = multiplyAdd(w, v128.load(source, 96), t6);
    t7 = multiplyAdd(w, v128.load(source, 112), t7);
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
  v128.store(y, t2, 32);
  v128.store(y, t3, 48);
  v128.store(y, t4, 64);
  v128.store(y, t5, 80);
  v128.store(y, t6, 96);
  v128.store(y, t7, 112);
}

function spmm8(indices: usize, values: usize, x: usize, y: usize, stride: usize, first: i32, last: i32): void {
  let t0 = f32x4.splat(0), t1 = t0;
  for (let e = first; e < last; e++) {
    const source = x + columnOf(indices, e) * stride;
    const w = weight(values, e);
    t0 = multiplyAdd(w, v128.load(source), t0);
    t1 = multiplyAdd(w, v128.load(source, 16), t1);
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
}

function spmm1(indices: usize, values: usize, x: usize, y: usize, stride: usize, first: i32, last: i32): void {
  let total = f32x4.splat(0);
  for (let e = first; e < last; e++) total = multiplyAdd(weight(values, e), v128.load32_zero(x + columnOf(indices, e) * stride), total);
  v128.store_lane<f32>(y, total, 0);
}

/**
 * y[r, o] = Σₑ valueₑ · w[o, columnₑ] over the stored elements of rows [begin, end): SpMM with a
 * dense side [d, columns] that is read where it lies. For so few elements that transposing it would
 * cost more.
 */
export function spmmTransposed(
  indptr: usize, indices: Optional, values: Optional, w: usize, y: usize, columns: i32, d: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const first = load<i32>(indptr + (<usize>row << 2));
    const last = load<i32>(indptr + (<usize>row << 2), 4);
    for (let o = 0; o < d; o++) {
      const line = w + ((<usize>o * columns) << 2);
      let total: f64 = 0;
      for (let e = first; e < last; e++) {
        const value: f32 = values == 0 ? 1 : load<f32>(values + (<usize>e << 2));
        total += value * load<f32>(line + (columnOf(indices, e) << 2));
      }
      store<f32>(y + ((<usize>row * d + o) << 2), <f32>total);
    }
  }
}

/**
 * y[e] = ⟨a[row of e, :], b[columnₑ, :]⟩ for the stored elements of rows [begin, end); `indices` =
 * 0 means columnₑ = e.
 */
export function sddmm(indptr: usize, indices: Optional, a: usize, b: usize, y: usize, d: i32, begin: i32, end: i32): void {
  const stride = <usize>d << 2;
  for (let row = begin; row < end; row++) {
    const first = load<i32>(indptr + (<usize>row << 2));
    const last = load<i32>(indptr + (<usize>row << 2), 4);
    const left = a + row * stride;
    for (let e = first; e < last; e++) {
      store<f32>(y + (<usize>e << 2), dot(left, b + columnOf(indices, e) * stride, d));
    }
  }
}

/** Inner product of d contiguous floats. */
export function dot(a: usize, b: usize, d: i32): f32 {
  if (d > RUN) return longDot(a, b, d);
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  const stop = a + (<usize>d << 2);
  for (; a + 64 <= stop; a += 64, b += 64) {
    t0 = multiplyAdd(v128.load(a), v128.load(b), t0);
    t1 = multiplyAdd(v128.load(a, 16), v128.load(b, 16), t1);
    t2 = multiplyAdd(v128.load(a, 32), v128.load(b, 32), t2);
    t3 = multiplyAdd(v128.load(a, 48), v128.load(b, 48), t3);
  }
  for (; a + 16 <= stop; a += 16, b += 16) t0 = multiplyAdd(v128.load(a), v128.load(b), t0);
  let total = sumLanes(f32x4.add(f32x4.add(t0, t1), f32x4.add(t2, t3)));
  for (; a < stop; a += 4, b += 4) total += load<f32>(a) * load<f32>(b);
  return total;
}

function longDot(a: usize, b: usize, d: i32): f32 {
  let total: f64 = 0;
  for (; d > 0; d -= RUN, a += RUN << 2, b += RUN << 2) total += dot(a, b, min(RUN, d));
  return <f32>total;
}
