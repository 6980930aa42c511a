// Softmax family over contiguous rows.

import { logOfSum, rowExponentials, rowPeak } from "./reduce";

/**
 * y = softmax(x) for rows [begin, end) of length n. A row of −∞, or with ∞, gives NaN, as 0/0 does.
 */
export function softmax(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const source = x + offset;
    const target = y + offset;
    const sum = rowExponentials(source, target, n, rowPeak(source, n));
    const inverse: f32 = 1 / sum;
    const scale = f32x4.splat(inverse);
    let i = 0;
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

/**
 * y = (x − m) − log Σ exp(x − m) with the largest m of a row, for rows [begin, end) of length n. NaN
 * where softmax is.
 */
export function logSoftmax(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const largest = rowPeak(x + offset, n);
    const log = logOfSum(rowExponentials(x + offset, 0, n, largest));
    const peak = f32x4.splat(largest);
    const logVector = f32x4.splat(log);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = offset + (<usize>i << 2);
      v128.store(y + at, f32x4.sub(f32x4.sub(v128.load(x + at), peak), logVector));
    }
    for (; i < n; i++) {
      const at = offset + (<usize>i << 2);
      store<f32>(y + at, load<f32>(x + at) - largest - log);
    }
  }
}
