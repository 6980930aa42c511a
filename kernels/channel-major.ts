// Sparse weights times dense activations with channels outermost: y[o, p] = Σ w[o, c]·x[c, p]. Weights are stored in blocks of 1, 2 or 4 rows that share their columns, so that each vector of pixels loaded serves all rows of
// the block. A tile of pixels is copied to where its channels lie side by side, since channels of images often fall on few sets of the cache, and passes over all rows from there.

import { activate, Activation } from "./activation";
import { multiplyAdd } from "./math";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/**
 * Tasks count tiles of 16 pixels (8 for blocks of 4). indptr [blocks + 1]; offsets [stored] hold channels times bytes of a channel in the tile; values [stored, height]; `bias` one float a row or 0. Rows past `rows` in the
 * last block are not stored. `scratch` holds a tile of `columns` channels for each thread.
 */
// @ts-ignore: decorator
@inline
function product(
  height: i32, indptr: usize, offsets: usize, values: usize, bias: usize, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32,
): void {
  const width = height == 4 ? 8 : 16;
  const blocks = (rows + height - 1) / height;
  const stride = <usize>pixels << 2;
  // Without activation the limits are infinite; curves are applied afterwards, since a call among the sums would keep them in memory.
  const low = f32x4.splat(activation == Activation.Relu || activation == Activation.Relu6 ? 0 : -Infinity);
  const high = f32x4.splat(activation == Activation.Relu6 ? 6 : Infinity);
  for (let tile = begin; tile < end; tile++) {
    const pixel = tile * width;
    const count = min(width, pixels - pixel);
    const source = copyTile(x + (<usize>pixel << 2), ownScratch(scratch, columns * (width << 2)), columns, stride, width);
    let entry = load<i32>(indptr);
    let value = values + ((<usize>entry * height) << 2);
    for (let block = 0; block < blocks; block++) {
      const row = block * height;
      const stop = load<i32>(indptr + (<usize>block << 2), 4);
      const target = y + ((<usize>row * pixels + pixel) << 2);
      if (count == width) {
        if (height == 1) {
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
    if (activation > Activation.Relu6) activateTile(y + (<usize>pixel << 2), rows, count, stride, activation);
  }
}

/** Copies a tile of every channel; past the last pixel it may copy what follows. */
// @ts-ignore: decorator
@inline
function copyTile(from: usize, tile: usize, columns: i32, stride: usize, width: i32): usize {
  for (let c = 0, to = tile; c < columns; c++, from += stride, to += <usize>width << 2) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    if (width == 16) {
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
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
function activateTile(y: usize, rows: i32, count: i32, stride: usize, activation: i32): void {
  for (let row = 0; row < rows; row++, y += stride) {
    let at = y;
    const stop = y + (<usize>count << 2);
    for (; at + 16 <= stop; at += 16) v128.store(at, activate(activation, v128.load(at)));
    for (; at < stop; at += 4) v128.store_lane<f32>(at, activate(activation, v128.load32_zero(at)), 0);
  }
}

export function sparseChannels1(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(1, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}

export function sparseChannels2(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(2, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}

export function sparseChannels4(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, columns: i32, pixels: i32, activation: i32, scratch: usize, begin: i32, end: i32): void {
  product(4, indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch, begin, end);
}
