// Powers, in double precision: the error of log a would be multiplied by b otherwise.

/**
 * aᵇ as IEEE 754 has it: a⁰ = 1ᵇ = 1 even for NaN, a negative base needs an integer exponent, else
 * NaN.
 */
// @ts-ignore: decorator
@inline
export function powerVector(a: v128, b: v128): v128 {
  const one = f32x4.splat(1);
  const base = f32x4.abs(a);
  const low = powerPair(f64x2.promote_low_f32x4(base), f64x2.promote_low_f32x4(b));
  const high = powerPair(f64x2.promote_low_f32x4(upperHalf(base)), f64x2.promote_low_f32x4(upperHalf(b)));
  const magnitude = v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
  const integer = f32x4.eq(f32x4.nearest(b), b);
  const half = f32x4.mul(b, f32x4.splat(0.5));
  const odd = v128.and(integer, f32x4.ne(f32x4.nearest(half), half));
  let y = v128.xor(magnitude, v128.and(v128.and(odd, a), f32x4.splat(-0.0)));
  const invalid = v128.andnot(v128.and(f32x4.lt(a, f32x4.splat(0)), f32x4.gt(a, f32x4.splat(-Infinity))), integer);
  y = v128.bitselect(f32x4.splat(NaN), y, invalid);
  // −1 to an infinite exponent is 1 too; other even exponents give it anyway.
  const unit = v128.andnot(f32x4.eq(base, one), v128.or(odd, invalid));
  return v128.bitselect(one, y, v128.or(f32x4.eq(b, f32x4.splat(0)), v128.or(f32x4.eq(a, one), unit)));
}

// @ts-ignore: decorator
@inline
function upperHalf(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 1);
}

/** xʸ = 2^(y·log₂ x) of two doubles x ≥ 0, to about 3·10⁻⁹ relative. */
function powerPair(x: v128, y: v128): v128 {
  // x = m·2ᵉ with m in [√½, √2); log₂ m = 2·atanh(s)/ln 2 with s = (m − 1)/(m + 1).
  const shifted = i64x2.sub(x, i64x2.splat(0x3fe6a09e667f3bcd));
  const m = i64x2.sub(x, v128.and(shifted, i64x2.splat(0xfff0000000000000)));
  const exponents = i32x4.shr_s(shifted, 20);
  const e = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(exponents, exponents, 1, 3, 1, 3));
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)));
  const z = f64x2.mul(s, s);
  let p = f64x2.add(f64x2.mul(z, f64x2.splat(0.340714021476421)), f64x2.splat(0.41167366416168566));
  p = f64x2.add(f64x2.mul(z, p), f64x2.splat(0.5770835676174939));
  p = f64x2.add(f64x2.mul(z, p), f64x2.splat(0.9617966734435781));
  p = f64x2.add(f64x2.mul(z, p), f64x2.splat(2.8853900817899936));
  let log = f64x2.add(e, f64x2.mul(s, p));
  log = v128.bitselect(f64x2.splat(-Infinity), log, f64x2.eq(x, f64x2.splat(0)));
  log = v128.bitselect(log, x, f64x2.lt(x, f64x2.splat(Infinity)));
  // 2ᵖ = 2ⁿ·2ᶠ with |f| ≤ ½. Beyond ±1000 the result is 0 or ∞ in f32 anyway.
  const power = f64x2.pmax(f64x2.pmin(f64x2.mul(y, log), f64x2.splat(1000)), f64x2.splat(-1000));
  const n = f64x2.nearest(power);
  const f = f64x2.sub(power, n);
  let q = f64x2.add(f64x2.mul(f, f64x2.splat(0.00015461444695978927)), f64x2.splat(0.0013400428177416795));
  q = f64x2.add(f64x2.mul(f, q), f64x2.splat(0.009618056678528164));
  q = f64x2.add(f64x2.mul(f, q), f64x2.splat(0.05550327226670956));
  q = f64x2.add(f64x2.mul(f, q), f64x2.splat(0.24022650922288802));
  q = f64x2.add(f64x2.mul(f, q), f64x2.splat(0.6931472067028321));
  q = f64x2.add(f64x2.mul(f, q), f64x2.splat(1));
  const high = i32x4.shl(i32x4.add(i32x4.trunc_sat_f64x2_s_zero(n), i32x4.splat(1023)), 20);
  return f64x2.mul(q, v128.shuffle<i32>(high, i32x4.splat(0), 4, 0, 5, 1));
}
