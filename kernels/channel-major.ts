// Sparse weights times dense activations with channels outermost: y[o, p] = Σ w[o, c]·x[c, p].
// Weights are stored in blocks of 1, 2, 4 or 8 rows that share their columns, so that each vector
// of pixels loaded serves all rows of the block. A tile of pixels is copied to where its channels
// lie side by side, since channels of images often fall on few sets of the cache, and passes over
// all rows from there.

import { activate, Activation } from "./activation";
import { multiplyAdd } from "./math";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/**
 * One tile of pixels: `count` of `width`, all rows. `source` is where the first pixel of the tile
 * lies, and offsets lead from it to the entries' pixels; `y` is the place of the first pixel in the
 * first row, and `stride` bytes lead to the next.
 */
// @ts-ignore: decorator
@inline
export function blocksOfTile(
  height: i32, width: i32, source: usize, indptr: usize, offsets: usize, values: usize, bias: usize, y: usize, rows: i32, count: i32, stride: usize, low: v128, high: v128,
): void {
  const blocks = (rows + height - 1) / height;
  let entry = load<i32>(indptr);
  let value = values + ((<usize>entry * height) << 2);
  for (let block = 0; block < blocks; block++) {
    const row = block * height;
    const stop = load<i32>(indptr + (<usize>block << 2), 4);
    const target = y + <usize>row * stride;
    if (count == width) {
      if (height == 1 && width == 32) {
        let s0 = start(bias, row), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (; entry < stop; entry++, value += 4) {
          const p = source + <usize>load<u32>(offsets + (<usize>entry << 2));
          const w = v128.load32_splat(value);
          s0 = multiplyAdd(w, v128.load(p), s0);
          s1 = multiplyAdd(w, v128.load(p, 16), s1);
          s2 = multiplyAdd(w, v128.load(p, 32), s2);
          s3 = multiplyAdd(w, v128.load(p, 48), s3);
          s4 = multiplyAdd(w, v128.load(p, 64), s4);
          s5 = multiplyAdd(w, v128.load(p, 80), s5);
          s6 = multiplyAdd(w, v128.load(p, 96), s6);
          s7 = multiplyAdd(w, v128.load(p, 112), s7);
        }
        storeFour(target, s0, s1, s2, s3, low, high);
        storeFour(target + 64, s4, s5, s6, s7, low, high);
      } else if (height == 8) {
        const last = rows - 1;
        let a = start(bias, row), b = start(bias, min(row + 1, last)), c = start(bias, min(row + 2, last)), d = start(bias, min(row + 3, last));
        let e = start(bias, min(row + 4, last)), f = start(bias, min(row + 5, last)), g = start(bias, min(row + 6, last)), h = start(bias, min(row + 7, last));
        for (; entry < stop; entry++, value += 32) {
          const q = v128.load(source + <usize>load<u32>(offsets + (<usize>entry << 2)));
          a = multiplyAdd(v128.load32_splat(value), q, a);
          b = multiplyAdd(v128.load32_splat(value, 4), q, b);
          c = multiplyAdd(v128.load32_splat(value, 8), q, c);
          d = multiplyAdd(v128.load32_splat(value, 12), q, d);
          e = multiplyAdd(v128.load32_splat(value, 16), q, e);
          f = multiplyAdd(v128.load32_splat(value, 20), q, f);
          g = multiplyAdd(v128.load32_splat(value, 24), q, g);
          h = multiplyAdd(v128.load32_splat(value, 28), q, h);
        }
        storeOne(target, a, low, high);
        if (row + 1 < rows) storeOne(target + stride, b, low, high);
        if (row + 2 < rows) storeOne(target + 2 * stride, c, low, high);
        if (row + 3 < rows) storeOne(target + 3 * stride, d, low, high);
        if (row + 4 < rows) storeOne(target + 4 * stride, e, low, high);
        if (row + 5 < rows) storeOne(target + 5 * stride, f, low, high);
        if (row + 6 < rows) storeOne(target + 6 * stride, g, low, high);
        if (row + 7 < rows) storeOne(target + 7 * stride, h, low, high);
      } else if (height == 1) {
        let s0 = start(bias, row), s1 = s0, s2 = s0, s3 = s0;
        for (; entry < stop; entry++, value += 4) {
          const p = source + <usize>load<u32>(offsets + (<usize>entry << 2));
          const w = v128.load32_splat(value);
          s0 = multiplyAdd(w, v128.load(p), s0);
          s1 = multiplyAdd(w, v128.load(p, 16), s1);
          s2 = multiplyAdd(w, v128.load(p, 32), s2);
          s3 = multiplyAdd(w, v128.load(p, 48), s3);
        }
        storeFour(target, s0, s1, s2, s3, low, high);
      } else if (height == 2) {
        let s0 = start(bias, row), s1 = s0, s2 = s0, s3 = s0;
        let t0 = start(bias, min(row + 1, rows - 1)), t1 = t0, t2 = t0, t3 = t0;
        for (; entry < stop; entry++, value += 8) {
          const p = source + <usize>load<u32>(offsets + (<usize>entry << 2));
          const v = v128.load32_splat(value);
          const w = v128.load32_splat(value, 4);
          let q = v128.load(p);
          s0 = multiplyAdd(v, q, s0);
          t0 = multiplyAdd(w, q, t0);
          q = v128.load(p, 16);
          s1 = multiplyAdd(v, q, s1);
          t1 = multiplyAdd(w, q, t1);
          q = v128.load(p, 32);
          s2 = multiplyAdd(v, q, s2);
          t2 = multiplyAdd(w, q, t2);
          q = v128.load(p, 48);
          s3 = multiplyAdd(v, q, s3);
          t3 = multiplyAdd(w, q, t3);
        }
        storeFour(target, s0, s1, s2, s3, low, high);
        if (row + 1 < rows) storeFour(target + stride, t0, t1, t2, t3, low, high);
      } else {
        const last = rows - 1;
        let s0 = start(bias, row), s1 = s0, t0 = start(bias, min(row + 1, last)), t1 = t0;
        let u0 = start(bias, min(row + 2, last)), u1 = u0, v0 = start(bias, min(row + 3, last)), v1 = v0;
        for (; entry < stop; entry++, value += 16) {
          const p = source + <usize>load<u32>(offsets + (<usize>entry << 2));
          const q0 = v128.load(p), q1 = v128.load(p, 16);
          let w = v128.load32_splat(value);
          s0 = multiplyAdd(w, q0, s0);
          s1 = multiplyAdd(w, q1, s1);
          w = v128.load32_splat(value, 4);
          t0 = multiplyAdd(w, q0, t0);
          t1 = multiplyAdd(w, q1, t1);
          w = v128.load32_splat(value, 8);
          u0 = multiplyAdd(w, q0, u0);
          u1 = multiplyAdd(w, q1, u1);
          w = v128.load32_splat(value, 12);
          v0 = multiplyAdd(w, q0, v0);
          v1 = multiplyAdd(w, q1, v1);
        }
        storeTwo(target, s0, s1, low, high);
        if (row + 1 < rows) storeTwo(target + stride, t0, t1, low, high);
        if (row + 2 < rows) storeTwo(target + 2 * stride, u0, u1, low, high);
        if (row + 3 < rows) storeTwo(target + 3 * stride, v0, v1, low, high);
      }
      continue;
    }
    // The last pixels, four at a time and then one by one.
    for (let r = 0; r < min(height, rows - row); r++) {
      for (let i = 0; i < count;) {
        const four = i + 4 <= count;
        let s = start(bias, row + r);
        let at = value + (<usize>r << 2);
        for (let e = entry; e < stop; e++, at += <usize>height << 2) {
          const p = source + <usize>load<u32>(offsets + (<usize>e << 2)) + (<usize>i << 2);
          s = multiplyAdd(v128.load32_splat(at), four ? v128.load(p) : v128.load32_zero(p), s);
        }
        const place = target + <usize>r * stride + (<usize>i << 2);
        s = f32x4.pmin(f32x4.pmax(s, low), high);
        if (four) v128.store(place, s);
        else v128.store_lane<f32>(place, s, 0);
        i += four ? 4 : 1;
      }
    }
    value += (<usize>(stop - entry) * height) << 2;
    entry = stop;
  }
}

/**
 * Tasks count tiles of 16 pixels (8 for blocks of 4, 4 for blocks of 8). indptr [blocks + 1];
 * offsets [stored] hold channels times bytes of a channel in the tile; values [stored, height];
 * `bias` one float a row or 0. Rows past `rows` in the last block are not stored. `scratch` holds a
 * tile of `columns` channels for each thread.
 */
// @ts-ignore: decorator
@inline
function product(
  height: i32, width: i32, indptr: usize, offsets: usize, values: usize, bias: usize, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32,
): void {
  const stride = <usize>pixels << 2;
  // Without activation the limits are infinite; curves are applied afterwards, since a call among
  // the sums would keep them in memory.
  const low = lowest(activation), high = highest(activation);
  for (let tile = begin; tile < end; tile++) {
    const pixel = tile * width;
    const count = min(width, pixels - pixel);
    const source = copyTile(x + (<usize>pixel << 2), ownScratch(scratch, columns * (width << 2)), columns, stride, width);
    blocksOfTile(height, width, source, indptr, offsets, values, bias, y + (<usize>pixel << 2), rows, count, stride, low, high);
    if (activation > Activation.Relu6) activateTile(y + (<usize>pixel << 2), rows, count, stride, activation);
  }
}

/** The least that an activation lets through, in every lane. */
// @ts-ignore: decorator
@inline
export function lowest(activation: i32): v128 {
  return f32x4.splat(activation == Activation.Relu || activation == Activation.Relu6 ? 0 : -Infinity);
}

// @ts-ignore: decorator
@inline
export function highest(activation: i32): v128 {
  return f32x4.splat(activation == Activation.Relu6 ? 6 : Infinity);
}

/** Copies a tile of every channel; past the last pixel it may copy what follows. */
// @ts-ignore: decorator
@inline
function copyTile(from: usize, tile: usize, columns: i32, stride: usize, width: i32): usize {
  for (let c = 0, to = tile; c < columns; c++, from += stride, to += <usize>width << 2) {
    v128.store(to, v128.load(from));
    if (width >= 8) v128.store(to, v128.load(from, 16), 16);
    if (width >= 16) {
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
    }
    if (width == 32) {
      v128.store(to, v128.load(from, 64), 64);
      v128.store(to, v128.load(from, 80), 80);
      v128.store(to, v128.load(from, 96), 96);
      v128.store(to, v128.load(from, 112), 112);
    }
  }
  return tile;
}

// @ts-ignore: decorator
@inline
function start(bias: usize, row: i32): v128 {
  return bias != 0 ? v128.load32_splat(bias + (<usize>row << 2)) : f32x4.splat(0);
}

// @ts-ignore: decorator
@inline
function storeOne(at: usize, a: v128, low: v128, high: v128): void {
  v128.store(at, f32x4.pmin(f32x4.pmax(a, low), high));
}

// @ts-ignore: decorator
@inline
function storeTwo(at: usize, a: v128, b: v128, low: v128, high: v128): void {
  v128.store(at, f32x4.pmin(f32x4.pmax(a, low), high));
  v128.store(at, f32x4.pmin(f32x4.pmax(b, low), high), 16);
}

// @ts-ignore: decorator
@inline
function storeFour(at: usize, a: v128, b: v128, c: v128, d: v128, low: v128, high: v128): void {
  storeTwo(at, a, b, low, high);
  storeTwo(at + 32, c, d, low, high);
}

/** Applies a curve to a tile of every row. */
export function activateTile(y: usize, rows: i32, count: i32, stride: usize, activation: i32): void {
  for (let row = 0; row < rows; row++, y += stride) {
    let at = y;
    const stop = y + (<usize>count << 2);
    for (; at + 16 <= stop; at += 16) v128.store(at, activate(activation, v128.load(at)));
    for (; at < stop; at += 4) v128.store_lane<f32>(at, activate(activation, v128.load32_zero(at)), 0);
  }
}

export function sparseChannels1(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(1, 16, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}

export function sparseChannels2(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(2, 16, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}

export function sparseChannels4(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(4, 8, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}

export function sparseChannels8(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(8, 4, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}

/** Single rows with tiles of 32 pixels, as XNNPACK runs them in WebAssembly. */
export function sparseChannelsWide(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(1, 32, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}
