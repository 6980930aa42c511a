// Order: stable radix sort of rows, the k largest of rows, cumulative sums.

import { ownScratch } from "./thread";

/** Bits of an f32 as an unsigned integer that sorts as the float does; every NaN comes last. */
// @ts-ignore: decorator
@inline
function sortableBits(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  if (value != value) return 0xffffffff;
  return bits & 0x80000000 ? ~bits : bits | 0x80000000;
}

/**
 * order[r] = the positions that sort row r of x[·, n], stable; descending where `descending`, equal
 * elements staying in order. x holds f32, or i32 when `integers`. `scratch` holds 4·n + 256 words a
 * thread. Tasks count rows.
 */
export function argsort(x: usize, order: usize, n: i32, descending: i32, integers: i32, scratch: usize, begin: i32, end: i32): void {
  const bytes = <usize>n << 2;
  const base = ownScratch(scratch, (4 * n + 256) << 2);
  const counts = base + 4 * bytes;
  for (let row = begin; row < end; row++) {
    let keys = base, places = base + bytes, otherKeys = base + 2 * bytes, otherPlaces = base + 3 * bytes;
    const source = x + <usize>row * bytes;
    for (let i = 0; i < n; i++) {
      const at = <usize>i << 2;
      const key = integers ? load<u32>(source + at) ^ 0x80000000 : sortableBits(load<f32>(source + at));
      store<u32>(keys + at, descending ? ~key : key);
      store<i32>(places + at, i);
    }
    for (let shift = 0; shift < 32; shift += 8) {
      memory.fill(counts, 0, 1024);
      for (let i = 0; i < n; i++) {
        const digit = counts + ((<usize>(load<u32>(keys + (<usize>i << 2)) >> shift) & 255) << 2);
        store<i32>(digit, load<i32>(digit) + 1);
      }
      // A digit that all keys share moves nothing.
      if (load<i32>(counts + ((<usize>(load<u32>(keys) >> shift) & 255) << 2)) == n) continue;
      let total = 0;
      for (let digit: usize = 0; digit < 1024; digit += 4) {
        const count = load<i32>(counts + digit);
        store<i32>(counts + digit, total);
        total += count;
      }
      for (let i = 0; i < n; i++) {
        const key = load<u32>(keys + (<usize>i << 2));
        const digit = counts + ((<usize>(key >> shift) & 255) << 2);
        const to = load<i32>(digit);
        store<i32>(digit, to + 1);
        store<u32>(otherKeys + (<usize>to << 2), key);
        store<i32>(otherPlaces + (<usize>to << 2), load<i32>(places + (<usize>i << 2)));
      }
      let swap = keys; keys = otherKeys; otherKeys = swap;
      swap = places; places = otherPlaces; otherPlaces = swap;
    }
    memory.copy(order + <usize>row * bytes, places, bytes);
  }
}

/**
 * The k largest of each row of sign·x[·, n], largest first, of equals the first: their positions.
 * Tasks count rows. NaN counts as largest.
 */
export function topK(x: usize, positions: usize, n: i32, k: i32, sign: f32, scratch: usize, begin: i32, end: i32): void {
  const best = ownScratch(scratch, k << 2);
  for (let row = begin; row < end; row++) {
    const source = x + ((<usize>row * n) << 2);
    const target = positions + ((<usize>row * k) << 2);
    let count = 0;
    for (let i = 0; i < n; i++) {
      const raw = sign * load<f32>(source + (<usize>i << 2));
      const value: f32 = raw != raw ? Infinity : raw;
      if (count == k && value <= load<f32>(best + (<usize>(k - 1) << 2))) continue;
      let at = count < k ? count++ : k - 1;
      for (; at > 0 && load<f32>(best + (<usize>(at - 1) << 2)) < value; at--) {
        store<f32>(best + (<usize>at << 2), load<f32>(best + (<usize>(at - 1) << 2)));
        store<i32>(target + (<usize>at << 2), load<i32>(target + (<usize>(at - 1) << 2)));
      }
      store<f32>(best + (<usize>at << 2), value);
      store<i32>(target + (<usize>at << 2), i);
    }
  }
}

/**
 * y = running sums of x[outer, n, inner] along n, from the end when `reverse`. Tasks count (outer,
 * inner).
 */
export function cumulativeSum(x: usize, y: usize, n: i32, inner: i32, reverse: i32, begin: i32, end: i32): void {
  const step: isize = reverse ? -(<isize>inner << 2) : <isize>inner << 2;
  for (let task = begin; task < end; task++) {
    let at: isize = (<isize>(task / inner) * n * inner + task % inner) << 2;
    if (reverse) at += (<isize>(n - 1) * inner) << 2;
    let total: f64 = 0;
    for (let i = 0; i < n; i++, at += step) {
      total += load<f32>(x + at);
      store<f32>(y + at, <f32>total);
    }
  }
}

/**
 * h[t] = a[t]·h[t − 1] + b[t] along the middle axis of [outer, n, inner], from the end when
 * `reverse`; h before the first is 0. Tasks count (outer, 4 inner).
 */
export function linearScan(a: usize, b: usize, h: usize, n: i32, inner: i32, reverse: i32, begin: i32, end: i32): void {
  const strips = (inner + 3) / 4;
  const step: isize = reverse ? -(<isize>inner << 2) : <isize>inner << 2;
  for (let task = begin; task < end; task++) {
    const column = (task % strips) * 4;
    let at: isize = (<isize>(task / strips) * n * inner + column) << 2;
    if (reverse) at += (<isize>(n - 1) * inner) << 2;
    if (column + 4 <= inner) {
      let state = f32x4.splat(0);
      for (let i = 0; i < n; i++, at += step) {
        state = f32x4.add(f32x4.mul(v128.load(a + at), state), v128.load(b + at));
        v128.store(h + at, state);
      }
    } else {
      for (let lane = column; lane < inner; lane++) {
        let place: isize = at + (<isize>(lane - column) << 2);
        let state: f32 = 0;
        for (let i = 0; i < n; i++, place += step) {
          state = load<f32>(a + place) * state + load<f32>(b + place);
          store<f32>(h + place, state);
        }
      }
    }
  }
}
