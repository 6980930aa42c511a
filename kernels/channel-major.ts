// Sparse weights times dense activations with channels outermost: y[o, p] = Σ w[o, c]·x[c, p]. Weights are stored in blocks of 1, 2 or 4 rows that share their columns, so that each vector of pixels loaded serves all rows of
// the block. A tile of pixels passes over all rows while its channels stay in cache.

import { activate } from "./activation";
import { multiplyAdd } from "./math";

/**
 * Tasks count tiles of 16 pixels (8 for blocks of 4). indptr [blocks + 1]; indices [stored] hold channels; values [stored, height]; `bias` one float a row or 0. Rows past `rows` in the last block are not stored.
 */
// @ts-ignore: decorator
@inline
function product(
  height: i32, indptr: usize, indices: usize, values: usize, bias: usize, x: usize, y: usize, rows: i32, pixels: i32, activation: i32, begin: i32, end: i32,
): void {
  const width = height == 4 ? 8 : 16;
  const blocks = (rows + height - 1) / height;
  const stride = <usize>pixels << 2;
  for (let tile = begin; tile < end; tile++) {
    const pixel = tile * width;
    const count = min(width, pixels - pixel);
    const source = x + (<usize>pixel << 2);
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
            const p = source + <usize>load<i32>(indices + (<usize>entry << 2)) * stride;
            const w = v128.load32_splat(value);
            s0 = multiplyAdd(w, v128.load(p), s0);
            s1 = multiplyAdd(w, v128.load(p, 16), s1);
            s2 = multiplyAdd(w, v128.load(p, 32), s2);
            s3 = multiplyAdd(w, v128.load(p, 48), s3);
          }
          storeFour(target, s0, s1, s2, s3, activation);
        } else if (height == 2) {
          let s0 = start(bias, row), s1 = s0, s2 = s0, s3 = s0;
          let t0 = start(bias, min(row + 1, rows - 1)), t1 = t0, t2 = t0, t3 = t0;
          for (; entry < stop; entry++, value += 8) {
            const p = source + <usize>load<i32>(indices + (<usize>entry << 2)) * stride;
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
          storeFour(target, s0, s1, s2, s3, activation);
          if (row + 1 < rows) storeFour(target + stride, t0, t1, t2, t3, activation);
        } else {
          const last = rows - 1;
          let s0 = start(bias, row), s1 = s0, t0 = start(bias, min(row + 1, last)), t1 = t0;
          let u0 = start(bias, min(row + 2, last)), u1 = u0, v0 = start(bias, min(row + 3, last)), v1 = v0;
          for (; entry < stop; entry++, value += 16) {
            const p = source + <usize>load<i32>(indices + (<usize>entry << 2)) * stride;
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
          storeTwo(target, s0, s1, activation);
          if (row + 1 < rows) storeTwo(target + stride, t0, t1, activation);
          if (row + 2 < rows) storeTwo(target + 2 * stride, u0, u1, activation);
          if (row + 3 < rows) storeTwo(target + 3 * stride, v0, v1, activation);
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
            const p = source + <usize>load<i32>(indices + (<usize>e << 2)) * stride + (<usize>i << 2);
            s = multiplyAdd(v128.load32_splat(at), four ? v128.load(p) : v128.load32_zero(p), s);
          }
          const place = target + <usize>r * stride + (<usize>i << 2);
          s = activate(activation, s);
          if (four) v128.store(place, s);
          else v128.store_lane<f32>(place, s, 0);
          i += four ? 4 : 1;
        }
      }
      value += (<usize>(stop - entry) * height) << 2;
      entry = stop;
    }
  }
}

// @ts-ignore: decorator
@inline
function start(bias: usize, row: i32): v128 {
  return bias != 0 ? v128.load32_splat(bias + (<usize>row << 2)) : f32x4.splat(0);
}

function storeTwo(at: usize, a: v128, b: v128, activation: i32): void {
  v128.store(at, activate(activation, a));
  v128.store(at, activate(activation, b), 16);
}

function storeFour(at: usize, a: v128, b: v128, c: v128, d: v128, activation: i32): void {
  storeTwo(at, a, b, activation);
  storeTwo(at + 32, c, d, activation);
}

export function sparseChannels1(indptr: usize, indices: usize, values: usize, bias: usize, x: usize, y: usize, rows: i32, pixels: i32, activation: i32, begin: i32, end: i32): void {
  product(1, indptr, indices, values, bias, x, y, rows, pixels, activation, begin, end);
}

export function sparseChannels2(indptr: usize, indices: usize, values: usize, bias: usize, x: usize, y: usize, rows: i32, pixels: i32, activation: i32, begin: i32, end: i32): void {
  product(2, indptr, indices, values, bias, x, y, rows, pixels, activation, begin, end);
}

export function sparseChannels4(indptr: usize, indices: usize, values: usize, bias: usize, x: usize, y: usize, rows: i32, pixels: i32, activation: i32, begin: i32, end: i32): void {
  product(4, indptr, indices, values, bias, x, y, rows, pixels, activation, begin, end);
}
