// Softmax family over contiguous rows.

import { expNonPositive, sumLanes } from "./math";
import { rowLogSumExp, rowPeak } from "./reduce";

/** y = softmax(x) for rows [begin, end) of length n. A row of −∞ gives NaN, as 0/0 does. */
export function softmax(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const source = x + offset;
    const target = y + offset;
    const shift = f32x4.splat(rowPeak(source, n));
    let total = f32x4.splat(0);
    let i = 0;
    for (; i + 8 <= n; i += 8) {
      const at = <usize>i << 2;
      const e0 = expNonPositive(f32x4.sub(v128.load(source + at), shift));
      const e1 = expNonPositive(f32x4.sub(v128.load(source + at, 16), shift));
      total = f32x4.add(total, f32x4.add(e0, e1));
      v128.store(target + at, e0);
      v128.store(target + at, e1, 16);
    }
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      const e = expNonPositive(f32x4.sub(v128.load(source + at), shift));
      total = f32x4.add(total, e);
      v128.store(target + at, e);
    }
    let sum = sumLanes(total);
    for (; i < n; i++) {
      const at = <usize>i << 2;
      const e = expNonPositive(f32x4.sub(v128.load32_zero(source + at), shift));
      sum += f32x4.extract_lane(e, 0);
      v128.store_lane<f32>(target + at, e, 0);
    }
    const inverse: f32 = 1 / sum;
    const scale = f32x4.splat(inverse);
    i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = target + (<usize>i << 2);
      v128.store(at, f32x4.mul(v128.load(at), scale));
    }
    for (; i < n; i++) {
      const at = target + (<usize>i << 2);
      store<f32>(at, load<f32>(at) * inverse);
    }
  }
}

/** y = x − log Σ exp x for rows [begin, end) of length n. */
export function logSoftmax(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const shift = rowLogSumExp(x + offset, n);
    const shiftVector = f32x4.splat(shift);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = offset + (<usize>i << 2);
      v128.store(y + at, f32x4.sub(v128.load(x + at), shiftVector));
    }
    for (; i < n; i++) {
      const at = offset + (<usize>i << 2);
      store<f32>(y + at, load<f32>(x + at) - shift);
    }
  }
}
