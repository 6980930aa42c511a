// Softmax family over contiguous rows.

import { exponentials, logOfSum, rowPeak, RUN, sumExponentials } from "./reduce";

/**
 * y = softmax(x) for rows [begin, end) of length n. A row of −∞, or with ∞, gives NaN, as 0/0 does.
 */
export function softmax(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  if (n > RUN) {
    longSoftmax(x, y, n, begin, end);
    return;
  }
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    scaleRow(y + offset, n, 1 / exponentials(x + offset, y + offset, n, rowPeak(x + offset, n), true));
  }
}

function longSoftmax(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const largest = rowPeak(x + offset, n);
    let total: f64 = 0;
    for (let first = 0; first < n; first += RUN) {
      const at = offset + (<usize>first << 2);
      total += exponentials(x + at, y + at, min(RUN, n - first), largest, true);
    }
    scaleRow(y + offset, n, <f32>(1 / total));
  }
}

// @ts-ignore: decorator
@inline
function scaleRow(y: usize, n: i32, factor: f32): void {
  const scale = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const at = y + (<usize>i << 2);
    v128.store(at, f32x4.mul(v128.load(at), scale));
  }
  for (; i < n; i++) {
    const at = y + (<usize>i << 2);
    store<f32>(at, load<f32>(at) * factor);
  }
}

/**
 * y = (x − m) − log Σ exp(x − m) with the largest m of a row, for rows [begin, end) of length n.
 * NaN where softmax is.
 */
export function logSoftmax(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const largest = rowPeak(x + offset, n);
    const log = logOfSum(sumExponentials(x + offset, n, largest));
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
