// Reductions over segments: rows indptr[s] … indptr[s+1] of x[·, d] belong to segment s. (Sums are
// `spmm` without indices.)

import { expNonPositive } from "./math";

/**
 * y[s, c] = max over the segment of x[·, c], and positions[s, c] the row that holds it (the first
 * of equals). An empty segment gives 0 and position −1.
 */
export function segmentMax(indptr: usize, x: usize, y: usize, positions: usize, d: i32, begin: i32, end: i32): void {
  for (let segment = begin; segment < end; segment++) {
    const first = load<i32>(indptr + (<usize>segment << 2));
    const last = load<i32>(indptr + (<usize>segment << 2), 4);
    for (let column = 0; column < d; column++) {
      let best: f32 = 0;
      let where = -1;
      for (let row = first; row < last; row++) {
        const value = load<f32>(x + ((<usize>row * d + column) << 2));
        if (where < 0 || value > best || (value != value && best == best)) {
          best = value;
          where = row;
        }
      }
      const at = (<usize>segment * d + column) << 2;
      store<f32>(y + at, best);
      store<i32>(positions + at, where);
    }
  }
}

/** Rows whose terms are added before their sum joins the total. */
const BLOCK: i32 = 1024;

/** Softmax over each segment, column by column. */
export function segmentSoftmax(indptr: usize, x: usize, y: usize, d: i32, begin: i32, end: i32): void {
  const stride = <usize>d << 2;
  for (let segment = begin; segment < end; segment++) {
    const first = load<i32>(indptr + (<usize>segment << 2));
    const last = load<i32>(indptr + (<usize>segment << 2), 4);
    let column = 0;
    for (; column + 4 <= d; column += 4) {
      const offset = <usize>column << 2;
      let largest = f32x4.splat(-Infinity);
      for (let row = first; row < last; row++) largest = f32x4.max(largest, v128.load(x + row * stride + offset));
      let total = f32x4.splat(0);
      for (let start = first; start < last; start += BLOCK) {
        const stop = min(start + BLOCK, last);
        let part = f32x4.splat(0);
        for (let row = start; row < stop; row++) {
          const e = expNonPositive(f32x4.sub(v128.load(x + row * stride + offset), largest));
          part = f32x4.add(part, e);
          v128.store(y + row * stride + offset, e);
        }
        total = f32x4.add(total, part);
      }
      const scale = f32x4.div(f32x4.splat(1), total);
      for (let row = first; row < last; row++) {
        const at = y + row * stride + offset;
        v128.store(at, f32x4.mul(v128.load(at), scale));
      }
    }
    for (; column < d; column++) {
      const offset = <usize>column << 2;
      let largest: f32 = -Infinity;
      for (let row = first; row < last; row++) largest = max(largest, load<f32>(x + row * stride + offset));
      let total: f64 = 0;
      for (let row = first; row < last; row++) {
        const e = f32x4.extract_lane(expNonPositive(f32x4.splat(load<f32>(x + row * stride + offset) - largest)), 0);
        total += e;
        store<f32>(y + row * stride + offset, e);
      }
      const scale = <f32>(1 / total);
      for (let row = first; row < last; row++) {
        const at = y + row * stride + offset;
        store<f32>(at, load<f32>(at) * scale);
      }
    }
  }
}
