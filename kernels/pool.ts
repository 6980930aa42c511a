// Pooling and resizing of planes. Windows come as tables, so strides, padding and adaptive sizes
// are all one loop: for each output row its first and end input row, then the same for columns.

import { Optional } from "./optional";

// @ts-ignore: decorator
@inline
function entry(table: usize, index: i32): i32 {
  return load<i32>(table + (<usize>index << 2));
}

/**
 * y = largest of each window (NaN counts as largest), `positions` its place in the plane, the first
 * of equals; −∞ and −1 for an empty window. Tasks count planes.
 */
export function maxPool(
  x: usize, y: usize, positions: Optional, windows: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, begin: i32, end: i32,
): void {
  const columns = windows + (<usize>(2 * outHeight) << 2);
  const alike = alikeFrom(columns, outWidth);
  let alikeEnd = alike + 1;
  while (alikeEnd < outWidth && slides(columns, alikeEnd)) alikeEnd++;
  const step = alike + 1 < outWidth ? entry(columns, 2 * alike + 2) - entry(columns, 2 * alike) : 1;
  const span = entry(columns, 2 * alike + 1) - entry(columns, 2 * alike);
  // 3 wide, one column apart, cut off at both borders: the common pooling that keeps the size.
  const centred = positions == 0 && width >= 4 && outWidth == width && step == 1 && span == 3 && alike == 1
    && alikeEnd == width - 1 && entry(columns, 0) == 0 && entry(columns, 1) == 2
    && entry(columns, 2 * width - 2) == width - 2 && entry(columns, 2 * width - 1) == width;
  for (let plane = begin; plane < end; plane++) {
    const source = x + ((<usize>plane * height * width) << 2);
    const first = (<usize>plane * outHeight * outWidth) << 2;
    for (let i = 0; i < outHeight; i++) {
      const top = entry(windows, 2 * i), bottom = entry(windows, 2 * i + 1);
      const out = first + ((<usize>i * outWidth) << 2);
      if (centred && bottom > top) {
        for (let at = 0; at < width; at += 4)
          largestOfThree(source, y + out, top, bottom, at + 4 <= width ? at : width - 4, width);
        continue;
      }
      const byFour = alikeEnd - alike >= 4 && span > 0 && bottom > top;
      for (let j = 0; j < outWidth; j++) {
        if (byFour && j == alike) {
          // The last four overlap those before them where four do not divide their number.
          for (let at = alike; at < alikeEnd; at += 4) {
            const from = at + 4 <= alikeEnd ? at : alikeEnd - 4;
            const left = entry(columns, 2 * from);
            const to = out + (<usize>from << 2);
            if (positions != 0) firstOfFour(source, y + to, positions + to, top, bottom, left, left + span, width, step);
            else largestOfFour(source, y + to, top, bottom, left, left + span, width, step);
          }
          j = alikeEnd - 1;
          continue;
        }
        const left = entry(columns, 2 * j), right = entry(columns, 2 * j + 1);
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
        const to = out + (<usize>j << 2);
        store<f32>(y + to, best);
        if (positions != 0) store<i32>(positions + to, position);
      }
    }
  }
}

/** Whether window j lies one or two columns behind the window before it, and is as wide. */
// @ts-ignore: decorator
@inline
function neighbours(columns: usize, j: i32): bool {
  const step = entry(columns, 2 * j) - entry(columns, 2 * j - 2);
  return (step == 1 || step == 2) && entry(columns, 2 * j + 1) - entry(columns, 2 * j - 1) == step;
}

/** Whether window j goes on as the two windows before it do. */
function slides(columns: usize, j: i32): bool {
  if (!neighbours(columns, j)) return false;
  if (j < 2 || !neighbours(columns, j - 1)) return true;
  return entry(columns, 2 * j) - entry(columns, 2 * j - 2) == entry(columns, 2 * j - 2) - entry(columns, 2 * j - 4);
}

/** The first window that the next one is like: behind it windows slide. */
function alikeFrom(columns: usize, outWidth: i32): i32 {
  for (let j = 1; j < outWidth; j++) if (neighbours(columns, j)) return j - 1;
  return 0;
}

/** Values of a place in four neighbouring windows. */
// @ts-ignore: decorator
@inline
function four(from: usize, step: i32): v128 {
  return step == 1 ? v128.load(from) : v128.shuffle<f32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6);
}

/** Four windows of three columns around those from `at` on; beyond the border lies nothing. */
function largestOfThree(source: usize, y: usize, top: i32, bottom: i32, at: i32, width: i32): void {
  let best = f32x4.splat(-Infinity);
  let nan = i32x4.splat(0);
  for (let row = top; row < bottom; row++) {
    const from = source + (<usize>(row * width + at) << 2);
    const middle = v128.load(from);
    const left = at == 0 ? v128.shuffle<f32>(middle, middle, 0, 0, 1, 2) : v128.load(from - 4);
    const right = at + 4 == width ? v128.shuffle<f32>(middle, middle, 1, 2, 3, 3) : v128.load(from + 4);
    nan = v128.or(v128.or(nan, f32x4.ne(left, left)), v128.or(f32x4.ne(middle, middle), f32x4.ne(right, right)));
    best = f32x4.pmax(f32x4.pmax(f32x4.pmax(best, left), middle), right);
  }
  v128.store(y + (<usize>at << 2), v128.bitselect(f32x4.splat(NaN), best, nan));
}

/** Four neighbouring windows at once. */
function largestOfFour(source: usize, y: usize, top: i32, bottom: i32, left: i32, right: i32, width: i32, step: i32): void {
  let best = f32x4.splat(-Infinity);
  let nan = i32x4.splat(0);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const value = four(source + (<usize>(row * width + column) << 2), step);
      nan = v128.or(nan, f32x4.ne(value, value));
      best = f32x4.pmax(best, value);
    }
  }
  v128.store(y, v128.bitselect(f32x4.splat(NaN), best, nan));
}

/** Four neighbouring windows at once, with the places of their first maxima. */
function firstOfFour(
  source: usize, y: usize, positions: usize, top: i32, bottom: i32, left: i32, right: i32, width: i32, step: i32,
): void {
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(step));
  const start = top * width + left;
  let best = four(source + (<usize>start << 2), step);
  let position = i32x4.add(i32x4.splat(start), lanes);
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = row * width + column;
      const value = four(source + (<usize>at << 2), step);
      const better = v128.andnot(f32x4.eq(best, best), f32x4.le(value, best));
      best = v128.bitselect(value, best, better);
      position = v128.bitselect(i32x4.add(i32x4.splat(at), lanes), position, better);
    }
  }
  v128.store(y, best);
  v128.store(positions, position);
}

/**
 * result[plane, positions[plane, i]] += values[plane, i], from zero: the gradient of `maxPool`.
 * Tasks count planes.
 */
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

/**
 * result[plane, i] = values[plane, positions[plane, i]]: the transpose of `unpool`. Tasks count
 * planes.
 */
export function pickPositions(values: usize, positions: usize, result: usize, count: i32, size: i32, begin: i32, end: i32): void {
  for (let plane = begin; plane < end; plane++) {
    const source = values + ((<usize>plane * size) << 2);
    for (let i = plane * count; i < (plane + 1) * count; i++) {
      const position = entry(positions, i);
      store<f32>(result + (<usize>i << 2), position < 0 ? 0 : load<f32>(source + (<usize>position << 2)));
    }
  }
}

/**
 * Sum of each window over `divisor`, or over its number of pixels when that is 0. Tasks count
 * planes.
 */
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

/**
 * The transpose of `averagePool`: each window's value, over its divisor, added to its pixels. Tasks
 * count planes.
 */
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
 * Separable interpolation: y[i, j] = Σ of the four pixels (rows low, high; columns low, high) by
 * their weights. `table` holds for each output row, then each column: low, high (i32) and the
 * weight of high (f32). Tasks count planes.
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
