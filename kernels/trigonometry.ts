// Sine and cosine over the whole range of f32: reduction by multiples of π/2, then a polynomial.

import { multiplyAdd } from "./math";

/** |x| up to which π/2 in four parts of f32 reduces x exactly enough; beyond, integers do. */
const FOUR_PARTS: f32 = 8192;

export function sin(x: usize, y: usize, begin: i32, end: i32): void { sines(x, y, 0, begin, end); }
export function cos(x: usize, y: usize, begin: i32, end: i32): void { sines(x, y, 1, begin, end); }

/** y = sin x when `quarter` is 0, cos x when it is 1; NaN for ±∞. */
// @ts-ignore: decorator
@inline
function sines(x: usize, y: usize, quarter: i32, begin: i32, end: i32): void {
  let source = x + (<usize>begin << 2);
  let target = y + (<usize>begin << 2);
  const stop = x + (<usize>end << 2);
  for (; source + 32 <= stop; source += 32, target += 32) {
    const lo = v128.load(source);
    const hi = v128.load(source, 16);
    let sinesLo = sinVector(lo, quarter);
    let sinesHi = sinVector(hi, quarter);
    // Compared as integers, NaN is the largest and hides nothing.
    if (isLarge(i32x4.max_s(v128.andnot(lo, f32x4.splat(-0.0)), v128.andnot(hi, f32x4.splat(-0.0))))) {
      sinesLo = withLargeSines(lo, sinesLo, quarter);
      sinesHi = withLargeSines(hi, sinesHi, quarter);
    }
    v128.store(target, sinesLo);
    v128.store(target, sinesHi, 16);
  }
  for (; source < stop; source += 4, target += 4) {
    const value = v128.load32_splat(source);
    v128.store_lane<f32>(target, withLargeSines(value, sinVector(value, quarter), quarter), 0);
  }
}

// @ts-ignore: decorator
@inline
function isLarge(magnitudes: v128): bool {
  return v128.any_true(i32x4.gt_s(magnitudes, f32x4.splat(FOUR_PARTS)));
}

/** sin x (`quarter` 0) or cos x (1) for |x| ≤ `FOUR_PARTS`; other lanes mean nothing. */
// @ts-ignore: decorator
@inline
export function sinVector(x: v128, quarter: i32): v128 {
  // Cody–Waite: products of n < 2¹³ and the first three parts, of at most 11 bits, are exact.
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(0.6366197723675814)));
  let r = multiplyAdd(n, f32x4.splat(-1.5703125), x);
  r = multiplyAdd(n, f32x4.splat(-4.837512969970703e-4), r);
  r = multiplyAdd(n, f32x4.splat(-7.549533620476723e-8), r);
  r = multiplyAdd(n, f32x4.splat(-2.5633440682570896e-12), r);
  const u = f32x4.mul(r, r);
  let s = multiplyAdd(f32x4.splat(2.7183116109677117e-6), u, f32x4.splat(-0.00019839334845976825));
  s = multiplyAdd(s, u, f32x4.splat(0.008333329385909142));
  s = multiplyAdd(s, u, f32x4.splat(-0.16666666641626549));
  s = multiplyAdd(f32x4.mul(s, u), r, r);
  let c = multiplyAdd(f32x4.splat(-2.7210243401368895e-7), u, f32x4.splat(2.479952005663522e-5));
  c = multiplyAdd(c, u, f32x4.splat(-0.0013888883753462415));
  c = multiplyAdd(c, u, f32x4.splat(0.041666666622826386));
  c = f32x4.add(multiplyAdd(f32x4.mul(u, u), c, f32x4.mul(u, f32x4.splat(-0.5))), f32x4.splat(1));
  const quadrant = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(quarter));
  const odd = i32x4.eq(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(1));
  const sign = i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30);
  return v128.xor(v128.bitselect(c, s, odd), sign);
}

/** y with the lanes replaced whose |x| is above `FOUR_PARTS`. */
function withLargeSines(x: v128, y: v128, quarter: i32): v128 {
  const large = i32x4.bitmask(f32x4.gt(f32x4.abs(x), f32x4.splat(FOUR_PARTS)));
  if (large & 1) y = f32x4.replace_lane(y, 0, largeSine(f32x4.extract_lane(x, 0), quarter));
  if (large & 2) y = f32x4.replace_lane(y, 1, largeSine(f32x4.extract_lane(x, 1), quarter));
  if (large & 4) y = f32x4.replace_lane(y, 2, largeSine(f32x4.extract_lane(x, 2), quarter));
  if (large & 8) y = f32x4.replace_lane(y, 3, largeSine(f32x4.extract_lane(x, 3), quarter));
  return y;
}

/**
 * Payne–Hanek: |x| = m·2ᵉ, so m times the bits of 2/π from weight 2¹⁻ᵉ on is the number of quarter
 * turns modulo 4, here with 62 bits of fraction. No f32 is closer to a multiple of π/2 than 2⁻³¹,
 * which leaves 31 of them.
 */
function largeSine(x: f32, quarter: i32): f32 {
  const bits = reinterpret<u32>(x);
  const exponent = <i32>((bits >> 23) & 255);
  if (exponent == 255) return NaN;
  const m = <u64>((bits & 0x7fffff) | 0x800000);
  const first = exponent - 136;
  const turns = m * quarterTurnBits(first) + ((m * (quarterTurnBits(first + 64) >> 32)) >> 32);
  const n = (turns + (<u64>1 << 61)) >> 62;
  const r = <f64><i64>(turns - (n << 62)) * (1.5707963267948966 / 4611686018427387904.0);
  const u = r * r;
  const quadrant = <i32>n + quarter;
  const y = quadrant & 1
    ? 1 + u * (-1 / 2.0 + u * (1 / 24.0 + u * (-1 / 720.0 + u * (1 / 40320.0 + u * (-1 / 3628800.0)))))
    : r + r * u * (-1 / 6.0 + u * (1 / 120.0 + u * (-1 / 5040.0 + u * (1 / 362880.0))));
  // sin −x = −sin x, cos −x = cos x.
  const negative = ((quadrant & 2) != 0) != (quarter == 0 && x < 0);
  return <f32>(negative ? -y : y);
}

/** 64 bits of 2/π from bit `first` on, where bit 16 has weight ½ and those before are 0. */
function quarterTurnBits(first: i32): u64 {
  const word = first >> 6;
  const shift = <u64>(first & 63);
  const high = wordOfQuarterTurns(word) << shift;
  return shift == 0 ? high : high | (wordOfQuarterTurns(word + 1) >> (64 - shift));
}

function wordOfQuarterTurns(word: i32): u64 {
  if (word == 0) return 0x0000a2f9836e4e44;
  if (word == 1) return 0x1529fc2757d1f534;
  if (word == 2) return 0xddc0db6295993c43;
  return 0x9041fe5163abdebb;
}
