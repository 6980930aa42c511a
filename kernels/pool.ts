// Pooling and resizing of planes. Windows come as tables, so strides, padding and adaptive sizes are all one loop: for each output row its first and end input row, then
// the same for columns.

import { Optional } from "./optional";

// @ts-ignore: decorator
@inline
function entry(table: usize, index: i32): i32 {
  return load<i32>(table + (<usize>index << 2));
}

/** y = largest of each window (NaN counts as largest), `positions` its place in the plane, the first of equals; −∞ and −1 for an empty window. Tasks count planes. */
export function maxPool(
  x: usize, y: usize, positions: Optional, windows: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const columns = windows + (<usize>(2 * outHeight) << 2);
  for (let plane = begin; plane < end; plane++) {
    const source = x + ((<usize>plane * height * width) << 2);
    let out = (<usize>plane * outHeight * outWidth) << 2;
    for (let i = 0; i < outHeight; i++) {
      const top = entry(windows, 2 * i), bottom = entry(windows, 2 * i + 1);
      for (let j = 0; j < outWidth; j++, out += 4) {
        const left = entry(columns, 2 * j), right = entry(columns, 2 * j + 1);
        if (fourAlike(columns, j, outWidth)) {
          const step = entry(columns, 2 * j + 2) - left;
          maxOfFour(source, y + out, positions != 0 ? positions + out : 0, top, bottom, left, right, width, step);
          j += 3;
          out += 12;
          continue;
        }
        let best: f32 = -Infinity;
        let position = -1;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            const at = row * width + column;
            const value = load<f32>(source + (<usize>at << 2));
            if (value > best || position < 0 || (value != value && best == best)) {
              best = value;
              position = at;
            }
          }
        }
        store<f32>(y + out, best);
        if (positions != 0) store<i32>(positions + out, position);
      }
    }
  }
}

/** Whether the windows from j on are four of one width, one or two columns apart. */
// @ts-ignore: decorator
@inline
function fourAlike(columns: usize, j: i32, outWidth: i32): bool {
  if (j + 4 > outWidth) return false;
  const first = entry(columns, 2 * j), last = entry(columns, 2 * j + 6);
  const step = entry(columns, 2 * j + 2) - first;
  return (step == 1 || step == 2) && last - first == 3 * step && entry(columns, 2 * j + 4) - first == 2 * step
    && entry(columns, 2 * j + 1) - first == entry(columns, 2 * j + 7) - last && entry(columns, 2 * j + 3) - step == entry(columns, 2 * j + 1)
    && entry(columns, 2 * j + 5) - 2 * step == entry(columns, 2 * j + 1);
}

/** Four neighbouring windows at once. */
function maxOfFour(source: usize, y: usize, positions: usize, top: i32, bottom: i32, left: i32, right: i32, width: i32, step: i32): void {
  let best = f32x4.splat(-Infinity);
  let position = i32x4.splat(-1);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(step));
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = row * width + column;
      const from = source + (<usize>at << 2);
      const value = step == 1 ? v128.load(from) : v128.shuffle<f32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6);
      const nan = v128.and(f32x4.ne(value, value), f32x4.eq(best, best));
      const better = v128.or(v128.or(f32x4.gt(value, best), nan), i32x4.lt_s(position, i32x4.splat(0)));
      best = v128.bitselect(value, best, better);
      position = v128.bitselect(i32x4.add(i32x4.splat(at), lanes), position, better);
    }
  }
  v128.store(y, best);
  if (positions != 0) v128.store(positions, position);
}

/** result[plane, positions[plane, i]] += values[plane, i], from zero: the gradient of `maxPool`. Tasks count planes. */
export function unpool(values: usize, positions: usize, result: usize, count: i32, size: i32, begin: i32, end: i32): void {
  for (let plane = begin; plane < end; plane++) {
    const target = result + ((<usize>plane * size) << 2);
    memory.fill(target, 0, <usize>size << 2);
    for (let i = plane * count; i < (plane + 1) * count; i++) {
      const position = entry(positions, i);
      if (position < 0) continue;
      const at = target + (<usize>position << 2);
      store<f32>(at, load<f32>(at) + load<f32>(values + (<usize>i << 2)));
    }
  }
}

/** result[plane, i] = values[plane, positions[plane, i]]: the transpose of `unpool`. Tasks count planes. */
export function pickPositions(values: usize, positions: usize, result: usize, count: i32, size: i32, begin: i32, end: i32): void {
  for (let plane = begin; plane < end; plane++) {
    const source = values + ((<usize>plane * size) << 2);
    for (let i = plane * count; i < (plane + 1) * count; i++) {
      const position = entry(positions, i);
      store<f32>(result + (<usize>i << 2), position < 0 ? 0 : load<f32>(source + (<usize>position << 2)));
    }
  }
}

/** Sum of each window over `divisor`, or over its number of pixels when that is 0. Tasks count planes. */
export function averagePool(
  x: usize, y: usize, windows: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, divisor: f32, begin: i32, end: i32,
): void {
  const columns = windows + (<usize>(2 * outHeight) << 2);
  for (let plane = begin; plane < end; plane++) {
    const source = x + ((<usize>plane * height * width) << 2);
    let out = y + ((<usize>plane * outHeight * outWidth) << 2);
    for (let i = 0; i < outHeight; i++) {
      const top = entry(windows, 2 * i), bottom = entry(windows, 2 * i + 1);
      for (let j = 0; j < outWidth; j++, out += 4) {
        const left = entry(columns, 2 * j), right = entry(columns, 2 * j + 1);
        let total: f32 = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) total += load<f32>(source + (<usize>(row * width + column) << 2));
        }
        store<f32>(out, total / (divisor != 0 ? divisor : <f32>((bottom - top) * (right - left))));
      }
    }
  }
}

/** The transpose of `averagePool`: each window's value, over its divisor, added to its pixels. Tasks count planes. */
export function averageUnpool(
  y: usize, x: usize, windows: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, divisor: f32, begin: i32, end: i32,
): void {
  const columns = windows + (<usize>(2 * outHeight) << 2);
  for (let plane = begin; plane < end; plane++) {
    const target = x + ((<usize>plane * height * width) << 2);
    memory.fill(target, 0, <usize>(height * width) << 2);
    let from = y + ((<usize>plane * outHeight * outWidth) << 2);
    for (let i = 0; i < outHeight; i++) {
      const top = entry(windows, 2 * i), bottom = entry(windows, 2 * i + 1);
      for (let j = 0; j < outWidth; j++, from += 4) {
        const left = entry(columns, 2 * j), right = entry(columns, 2 * j + 1);
        const share = load<f32>(from) / (divisor != 0 ? divisor : <f32>((bottom - top) * (right - left)));
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            const at = target + (<usize>(row * width + column) << 2);
            store<f32>(at, load<f32>(at) + share);
          }
        }
      }
    }
  }
}

/**
 * Separable interpolation: y[i, j] = Σ of the four pixels (rows low, high; columns low, high) by their weights. `table` holds for each output row, then each column: low, high (i32) and
 * the weight of high (f32). Tasks count planes.
 */
export function resize(x: usize, y: usize, table: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32): void {
  for (let plane = begin; plane < end; plane++) {
    const source = x + ((<usize>plane * height * width) << 2);
    let out = y + ((<usize>plane * outHeight * outWidth) << 2);
    let row = table;
    for (let i = 0; i < outHeight; i++, row += 12) {
      const top = source + (<usize>(load<i32>(row) * width) << 2);
      const bottom = source + (<usize>(load<i32>(row, 4) * width) << 2);
      const down = load<f32>(row, 8);
      let column = table + <usize>outHeight * 12;
      for (let j = 0; j < outWidth; j++, column += 12, out += 4) {
        const left = <usize>load<i32>(column) << 2;
        const right = <usize>load<i32>(column, 4) << 2;
        const across = load<f32>(column, 8);
        const upper = load<f32>(top + left) * (1 - across) + load<f32>(top + right) * across;
        const lower = load<f32>(bottom + left) * (1 - across) + load<f32>(bottom + right) * across;
        store<f32>(out, upper * (1 - down) + lower * down);
      }
    }
  }
}

/** The transpose of `resize`. */
export function resizeTransposed(y: usize, x: usize, table: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32): void {
  for (let plane = begin; plane < end; plane++) {
    const target = x + ((<usize>plane * height * width) << 2);
    memory.fill(target, 0, <usize>(height * width) << 2);
    let from = y + ((<usize>plane * outHeight * outWidth) << 2);
    let row = table;
    for (let i = 0; i < outHeight; i++, row += 12) {
      const top = target + (<usize>(load<i32>(row) * width) << 2);
      const bottom = target + (<usize>(load<i32>(row, 4) * width) << 2);
      const down = load<f32>(row, 8);
      let column = table + <usize>outHeight * 12;
      for (let j = 0; j < outWidth; j++, column += 12, from += 4) {
        const left = <usize>load<i32>(column) << 2;
        const right = <usize>load<i32>(column, 4) << 2;
        const across = load<f32>(column, 8);
        const value = load<f32>(from);
        addTo(top + left, value * (1 - down) * (1 - across));
        addTo(top + right, value * (1 - down) * across);
        addTo(bottom + left, value * down * (1 - across));
        addTo(bottom + right, value * down * across);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, value: f32): void {
  store<f32>(at, load<f32>(at) + value);
}
