// Batch normalisation of rows x[rows, d]: columns are channels. Sums run over blocks of rows that
// stay in cache, so that any number of threads gives the same bits, and each element is read once.

import { activate } from "./activation";
import { loadSome, storeSome } from "./lanes";
import { multiplyAdd } from "./math";
import { Optional } from "./optional";

/**
 * sums[b, 0, :] = Σ (x − mean) and sums[b, 1, :] = Σ (x − mean)² over the rows of block b. Tasks
 * count blocks of `block` rows.
 */
export function rowDeviations(x: usize, mean: usize, sums: usize, rows: i32, d: i32, block: i32, begin: i32, end: i32): void {
  const stride = <usize>d << 2;
  for (let part = begin; part < end; part++) {
    const count = min(block, rows - part * block);
    const source = x + ((<usize>part * block * d) << 2);
    const target = sums + ((<usize>part * 2 * d) << 2);
    let column = 0;
    for (; column + 8 <= d; column += 8) {
      const at = <usize>column << 2;
      const m0 = v128.load(mean + at), m1 = v128.load(mean + at, 16);
      let s0 = f32x4.splat(0), s1 = s0, q0 = s0, q1 = s0;
      let place = source + at;
      for (let i = 0; i < count; i++, place += stride) {
        const d0 = f32x4.sub(v128.load(place), m0);
        const d1 = f32x4.sub(v128.load(place, 16), m1);
        s0 = f32x4.add(s0, d0);
        s1 = f32x4.add(s1, d1);
        q0 = multiplyAdd(d0, d0, q0);
        q1 = multiplyAdd(d1, d1, q1);
      }
      v128.store(target + at, s0);
      v128.store(target + at, s1, 16);
      v128.store(target + stride + at, q0);
      v128.store(target + stride + at, q1, 16);
    }
    for (; column < d; column += 4) {
      const at = <usize>column << 2;
      const width = d - column;
      const m = loadSome(mean + at, width);
      let s = f32x4.splat(0), q = s;
      let place = source + at;
      for (let i = 0; i < count; i++, place += stride) {
        const difference = f32x4.sub(loadSome(place, width), m);
        s = f32x4.add(s, difference);
        q = multiplyAdd(difference, difference, q);
      }
      storeSome(target + at, s, width);
      storeSome(target + stride + at, q, width);
    }
  }
}

/** y[r, :] = activation((x − mean)·scale + shift) for rows [begin, end). */
export function rowAffine(x: usize, mean: usize, scale: usize, shift: usize, y: usize, d: i32, activation: i32, begin: i32, end: i32): void {
  const stride = <usize>d << 2;
  for (let row = begin; row < end; row++) {
    const source = x + row * stride, target = y + row * stride;
    let at: usize = 0;
    for (; at + 16 <= stride; at += 16) {
      const value = multiplyAdd(f32x4.sub(v128.load(source + at), v128.load(mean + at)), v128.load(scale + at), v128.load(shift + at));
      v128.store(target + at, activate(activation, value));
    }
    if (at < stride) {
      const width = <i32>((stride - at) >> 2);
      const centred = f32x4.sub(loadSome(source + at, width), loadSome(mean + at, width));
      storeSome(target + at, activate(activation, multiplyAdd(centred, loadSome(scale + at, width), loadSome(shift + at, width))), width);
    }
  }
}

/** g where y > 0, else 0; all of g where no y is given. */
// @ts-ignore: decorator
@inline
function flowing(g: v128, y: usize, count: i32): v128 {
  return y == 0 ? g : v128.and(g, f32x4.gt(loadSome(y, count), f32x4.splat(0)));
}

/**
 * sums[b, 0, :] = Σ g, sums[b, 1, :] = Σ g·(x − mean) and sums[b, 2, :] = Σ (x − mean) over the
 * rows of block b, with g = 0 where y ≤ 0 if there is y. Tasks count blocks of `block` rows.
 */
export function rowProducts(g: usize, x: usize, y: Optional, mean: usize, sums: usize, rows: i32, d: i32, block: i32, begin: i32, end: i32): void {
  const stride = <usize>d << 2;
  for (let part = begin; part < end; part++) {
    const count = min(block, rows - part * block);
    const first = (<usize>part * block * d) << 2;
    const target = sums + ((<usize>part * 3 * d) << 2);
    let column = 0;
    for (; column + 8 <= d; column += 8) {
      const at = <usize>column << 2;
      const m0 = v128.load(mean + at), m1 = v128.load(mean + at, 16);
      let s0 = f32x4.splat(0), s1 = s0, p0 = s0, p1 = s0, o0 = s0, o1 = s0;
      let place = first + at;
      for (let i = 0; i < count; i++, place += stride) {
        const g0 = flowing(v128.load(g + place), y == 0 ? 0 : y + place, 4);
        const g1 = flowing(v128.load(g + place, 16), y == 0 ? 0 : y + place + 16, 4);
        const d0 = f32x4.sub(v128.load(x + place), m0);
        const d1 = f32x4.sub(v128.load(x + place, 16), m1);
        s0 = f32x4.add(s0, g0);
        s1 = f32x4.add(s1, g1);
        p0 = multiplyAdd(g0, d0, p0);
        p1 = multiplyAdd(g1, d1, p1);
        o0 = f32x4.add(o0, d0);
        o1 = f32x4.add(o1, d1);
      }
      v128.store(target + at, s0);
      v128.store(target + at, s1, 16);
      v128.store(target + stride + at, p0);
      v128.store(target + stride + at, p1, 16);
      v128.store(target + 2 * stride + at, o0);
      v128.store(target + 2 * stride + at, o1, 16);
    }
    for (; column < d; column += 4) {
      const at = <usize>column << 2;
      const width = d - column;
      const m = loadSome(mean + at, width);
      let s = f32x4.splat(0), p = s, o = s;
      let place = first + at;
      for (let i = 0; i < count; i++, place += stride) {
        const value = flowing(loadSome(g + place, width), y == 0 ? 0 : y + place, width);
        const centred = f32x4.sub(loadSome(x + place, width), m);
        s = f32x4.add(s, value);
        p = multiplyAdd(value, centred, p);
        o = f32x4.add(o, centred);
      }
      storeSome(target + at, s, width);
      storeSome(target + stride + at, p, width);
      storeSome(target + 2 * stride + at, o, width);
    }
  }
}

/**
 * dx = scale·g + slope·(x − mean) + shift for rows [begin, end), with g = 0 where y ≤ 0 if there is
 * y: the gradient of batch normalisation, whose sums are in slope and shift.
 */
export function rowNormGradient(
  g: usize, x: usize, y: Optional, mean: usize, scale: usize, slope: usize, shift: usize, dx: usize, d: i32, begin: i32, end: i32,
): void {
  const stride = <usize>d << 2;
  for (let row = begin; row < end; row++) {
    const first = row * stride;
    let at: usize = 0;
    for (; at + 16 <= stride; at += 16) {
      const centred = f32x4.sub(v128.load(x + first + at), v128.load(mean + at));
      const value = flowing(v128.load(g + first + at), y == 0 ? 0 : y + first + at, 4);
      const rest = multiplyAdd(v128.load(slope + at), centred, v128.load(shift + at));
      v128.store(dx + first + at, multiplyAdd(v128.load(scale + at), value, rest));
    }
    if (at < stride) {
      const width = <i32>((stride - at) >> 2);
      const centred = f32x4.sub(loadSome(x + first + at, width), loadSome(mean + at, width));
      const value = flowing(loadSome(g + first + at, width), y == 0 ? 0 : y + first + at, width);
      const rest = multiplyAdd(loadSome(slope + at, width), centred, loadSome(shift + at, width));
      storeSome(dx + first + at, multiplyAdd(loadSome(scale + at, width), value, rest), width);
    }
  }
}
