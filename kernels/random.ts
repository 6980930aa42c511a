// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011). Four counters run side by side, one a lane. Element 16·b
// + 4·w + l of a stream is word w of counter 4·b + l, so any range of a stream can be made by any
// thread.

import { logVector } from "./math";
import { sinVector } from "./trigonometry";

let word0: v128 = i32x4.splat(0);
let word1: v128 = i32x4.splat(0);
let word2: v128 = i32x4.splat(0);
let word3: v128 = i32x4.splat(0);

// @ts-ignore: decorator
@inline
function highHalf(a: v128, multiplier: i32): v128 {
  const m = i32x4.splat(multiplier);
  const low = i64x2.extmul_low_i32x4_u(a, m);
  const high = i64x2.extmul_high_i32x4_u(a, m);
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/**
 * Ten rounds on counters 4·block … 4·block + 3 of the stream (key0, key1); leaves the four words in
 * the globals.
 */
function philox(key0: i32, key1: i32, block: i32): void {
  let x0 = i32x4.add(i32x4.splat(block << 2), i32x4(0, 1, 2, 3));
  let x1 = i32x4.splat(block >>> 30);
  let x2 = i32x4.splat(0);
  let x3 = i32x4.splat(0);
  for (let round = 0; round < 10; round++) {
    const high0 = highHalf(x0, 0xd2511f53);
    const low0 = i32x4.mul(x0, i32x4.splat(0xd2511f53));
    const high1 = highHalf(x2, 0xcd9e8d57);
    const low1 = i32x4.mul(x2, i32x4.splat(0xcd9e8d57));
    x0 = v128.xor(v128.xor(high1, x1), i32x4.splat(key0));
    x1 = low1;
    x2 = v128.xor(v128.xor(high0, x3), i32x4.splat(key1));
    x3 = low0;
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  word0 = x0;
  word1 = x1;
  word2 = x2;
  word3 = x3;
}

/** Top 24 bits of each word as a float in [0, 1). */
// @ts-ignore: decorator
@inline
function unit(word: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), f32x4.splat(5.960464477539063e-8));
}

/** Stores up to 16 elements: four vectors in order. */
function storeBlock(y: usize, count: i32, v0: v128, v1: v128, v2: v128, v3: v128): void {
  if (count >= 16) {
    v128.store(y, v0);
    v128.store(y, v1, 16);
    v128.store(y, v2, 32);
    v128.store(y, v3, 48);
    return;
  }
  for (let i = 0; i < count; i++) {
    store<f32>(y + (<usize>i << 2), f32x4.extract_lane(v0, 0));
    v0 = v128.shuffle<f32>(v0, v1, 1, 2, 3, 4);
    v1 = v128.shuffle<f32>(v1, v2, 1, 2, 3, 4);
    v2 = v128.shuffle<f32>(v2, v3, 1, 2, 3, 4);
    v3 = v128.shuffle<f32>(v3, v3, 1, 2, 3, 0);
  }
}

/** Raw 32-bit words; tasks count blocks of 16 elements, of `size` in all. */
export function randomBits(y: usize, key0: i32, key1: i32, size: i32, begin: i32, end: i32): void {
  for (let block = begin; block < end; block++) {
    philox(key0, key1, block);
    storeBlock(y + (<usize>block << 6), size - (block << 4), word0, word1, word2, word3);
  }
}

// @ts-ignore: decorator
@inline
function between(word: v128, shift: v128, scale: v128, limit: v128): v128 {
  return f32x4.pmin(f32x4.add(f32x4.mul(unit(word), scale), shift), limit);
}

/** Uniform floats in [low, low + width), at most `largest`. */
export function randomUniform(
  y: usize, key0: i32, key1: i32, low: f32, width: f32, largest: f32, size: i32, begin: i32, end: i32,
): void {
  const shift = f32x4.splat(low);
  const scale = f32x4.splat(width);
  const limit = f32x4.splat(largest);
  for (let block = begin; block < end; block++) {
    philox(key0, key1, block);
    storeBlock(
      y + (<usize>block << 6), size - (block << 4),
      between(word0, shift, scale, limit), between(word1, shift, scale, limit),
      between(word2, shift, scale, limit), between(word3, shift, scale, limit),
    );
  }
}

/** Normal floats by Box–Muller: words 0 and 1 give a pair, words 2 and 3 another. */
export function randomNormal(y: usize, key0: i32, key1: i32, mean: f32, deviation: f32, size: i32, begin: i32, end: i32): void {
  const shift = f32x4.splat(mean);
  const scale = f32x4.splat(deviation);
  const turn = f32x4.splat(6.283185307179586);
  const one = f32x4.splat(1);
  for (let block = begin; block < end; block++) {
    philox(key0, key1, block);
    const radiusA = f32x4.mul(scale, f32x4.sqrt(f32x4.mul(f32x4.splat(-2), logVector(f32x4.sub(one, unit(word0))))));
    const radiusB = f32x4.mul(scale, f32x4.sqrt(f32x4.mul(f32x4.splat(-2), logVector(f32x4.sub(one, unit(word2))))));
    const angleA = f32x4.mul(turn, unit(word1));
    const angleB = f32x4.mul(turn, unit(word3));
    storeBlock(
      y + (<usize>block << 6), size - (block << 4),
      f32x4.add(f32x4.mul(radiusA, sinVector(angleA, 1)), shift), f32x4.add(f32x4.mul(radiusA, sinVector(angleA, 0)), shift),
      f32x4.add(f32x4.mul(radiusB, sinVector(angleB, 1)), shift), f32x4.add(f32x4.mul(radiusB, sinVector(angleB, 0)), shift),
    );
  }
}

// @ts-ignore: decorator
@inline
function keep(word: v128, threshold: v128, value: v128): v128 {
  return v128.andnot(value, i32x4.lt_u(word, threshold));
}

/** y = x·scale where the element's word is at least `threshold` (as unsigned), else 0. */
export function dropout(x: usize, y: usize, key0: i32, key1: i32, threshold: i32, scale: f32, size: i32, begin: i32, end: i32): void {
  const limit = i32x4.splat(threshold);
  const factor = f32x4.splat(scale);
  for (let block = begin; block < end; block++) {
    philox(key0, key1, block);
    const at = <usize>block << 6;
    const count = size - (block << 4);
    if (count >= 16) {
      v128.store(y + at, keep(word0, limit, f32x4.mul(v128.load(x + at), factor)));
      v128.store(y + at, keep(word1, limit, f32x4.mul(v128.load(x + at, 16), factor)), 16);
      v128.store(y + at, keep(word2, limit, f32x4.mul(v128.load(x + at, 32), factor)), 32);
      v128.store(y + at, keep(word3, limit, f32x4.mul(v128.load(x + at, 48), factor)), 48);
    } else {
      const one = f32x4.splat(1);
      storeBlock(y + at, count, keep(word0, limit, one), keep(word1, limit, one), keep(word2, limit, one), keep(word3, limit, one));
      for (let i = 0; i < count; i++) {
        const element = at + (<usize>i << 2);
        const kept = load<f32>(y + element) != 0;
        store<f32>(y + element, kept ? load<f32>(x + element) * scale : 0);
      }
    }
  }
}
