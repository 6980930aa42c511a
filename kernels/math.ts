// Four-lane transcendental functions: range reduction to a small interval, then a near-minimax polynomial fitted for it
// by iteratively reweighted least squares. Errors against Math.* are a few units in the last place; test/kernels pins them.

// Constants of exp and log live in globals that `initialize` sets once: a compiler makes a vector constant anew in every turn of a loop,
// which costs more than the arithmetic, but reads a global from memory as an operand. (Twice as fast in V8 13 and 14.)
let magic: v128 = i32x4.splat(0);
let expHighest: v128 = magic, expLowest: v128 = magic, expSmallest: v128 = magic, log2e: v128 = magic, minusLn2High: v128 = magic, ln2Low: v128 = magic, one: v128 = magic;
let e0: v128 = magic, e1: v128 = magic, e2: v128 = magic, e3: v128 = magic, e4: v128 = magic, exponentBias: v128 = magic;
let l0: v128 = magic, l1: v128 = magic, l2: v128 = magic, l3: v128 = magic, l4: v128 = magic, l5: v128 = magic, l6: v128 = magic, l7: v128 = magic, l8: v128 = magic;

/** To be called once on every instance before any kernel. */
export function initialize(): void {
  // 1.5·2²³: adding it rounds to an integer and leaves that in the low bits.
  magic = f32x4.splat(12582912);
  expHighest = f32x4.splat(89);
  expLowest = f32x4.splat(-104);
  expSmallest = f32x4.splat(-87);
  log2e = f32x4.splat(1.4426950408889634);
  minusLn2High = f32x4.splat(-0.693359375);
  ln2Low = f32x4.splat(2.12194440e-4);
  one = f32x4.splat(1);
  exponentBias = i32x4.splat(127);
  e0 = f32x4.splat(0.5000000095138301);
  e1 = f32x4.splat(0.16666518887708037);
  e2 = f32x4.splat(0.04166620595411091);
  e3 = f32x4.splat(0.008368883566335602);
  e4 = f32x4.splat(0.001395048097568171);
  l0 = f32x4.splat(0.33333310438442754);
  l1 = f32x4.splat(-0.24999986625684742);
  l2 = f32x4.splat(0.20002226703507855);
  l3 = f32x4.splat(-0.16669249463058944);
  l4 = f32x4.splat(0.1421865543276988);
  l5 = f32x4.splat(-0.12384370293343426);
  l6 = f32x4.splat(0.11873016257088692);
  l7 = f32x4.splat(-0.11789695596805194);
  l8 = f32x4.splat(0.06915147002562494);
}

/** a·b + c, fused where the feature level has it. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
function horner(p: v128, x: v128, coefficient: f32): v128 {
  return multiplyAdd(p, x, f32x4.splat(coefficient));
}

/** exp r for |r| ≤ ln2/2. */
// @ts-ignore: decorator
@inline
function expReduced(r: v128): v128 {
  let p = multiplyAdd(e4, r, e3);
  p = multiplyAdd(p, r, e2);
  p = multiplyAdd(p, r, e1);
  p = multiplyAdd(p, r, e0);
  return f32x4.add(multiplyAdd(f32x4.mul(r, r), p, r), one);
}

// @ts-ignore: decorator
@inline
export function expVector(x: v128): v128 {
  // x = n·ln2 + r; exp x = 2ⁿ·exp r, the power in two halves so that subnormal results survive. pmin and pmax keep a NaN in their first
  // operand and are one instruction each.
  const clamped = f32x4.pmax(f32x4.pmin(x, expHighest), expLowest);
  const rounded = f32x4.add(f32x4.mul(clamped, log2e), magic);
  const n = f32x4.sub(rounded, magic);
  const p = expReduced(multiplyAdd(n, ln2Low, multiplyAdd(n, minusLn2High, clamped)));
  const power = i32x4.sub(rounded, magic);
  const half = i32x4.shr_s(power, 1);
  const partial = f32x4.mul(p, i32x4.shl(i32x4.add(half, exponentBias), 23));
  return f32x4.mul(partial, i32x4.shl(i32x4.add(i32x4.sub(power, half), exponentBias), 23));
}

/** exp x for x ≤ 0, as softmax needs it: 0 below −87, where results would be subnormal. */
// @ts-ignore: decorator
@inline
export function expNonPositive(x: v128): v128 {
  const clamped = f32x4.pmax(x, expSmallest);
  const rounded = f32x4.add(f32x4.mul(clamped, log2e), magic);
  const n = f32x4.sub(rounded, magic);
  const p = expReduced(multiplyAdd(n, ln2Low, multiplyAdd(n, minusLn2High, clamped)));
  const power = i32x4.shl(i32x4.add(i32x4.sub(rounded, magic), exponentBias), 23);
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, expSmallest));
}

// @ts-ignore: decorator
@inline
export function logVector(x: v128): v128 {
  // x = m·2ᵉ with m in [√½, √2); log x = e·ln2 + log m. Subnormals are scaled by 2²³ first.
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  // Subtracting the bits of √½ before the shift rounds the exponent so that m lands in that interval.
  const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(shifted, 23);
  const m = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  let e = f32x4.convert_i32x4_s(exponent);
  e = f32x4.sub(e, v128.and(tiny, f32x4.splat(23)));
  const f = f32x4.sub(m, one);
  let p = multiplyAdd(l8, f, l7);
  p = multiplyAdd(p, f, l6);
  p = multiplyAdd(p, f, l5);
  p = multiplyAdd(p, f, l4);
  p = multiplyAdd(p, f, l3);
  p = multiplyAdd(p, f, l2);
  p = multiplyAdd(p, f, l1);
  p = multiplyAdd(p, f, l0);
  const squared = f32x4.mul(f, f);
  let y = f32x4.mul(f32x4.mul(p, f), squared);
  y = multiplyAdd(e, f32x4.splat(-2.12194440e-4), y);
  y = multiplyAdd(squared, f32x4.splat(-0.5), y);
  y = multiplyAdd(e, f32x4.splat(0.693359375), f32x4.add(f, y));
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0)));
  y = v128.bitselect(x, y, f32x4.eq(x, f32x4.splat(Infinity)));
  return v128.bitselect(y, f32x4.splat(NaN), f32x4.ge(x, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
export function sigmoidVector(x: v128): v128 {
  return f32x4.div(one, f32x4.add(one, expVector(f32x4.neg(x))));
}

// @ts-ignore: decorator
@inline
export function tanhVector(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const squared = f32x4.mul(x, x);
  let p = f32x4.splat(-0.00571704451096693);
  p = horner(p, squared, 0.020650586784233923);
  p = horner(p, squared, -0.05374349791591487);
  p = horner(p, squared, 0.13331491284917255);
  p = horner(p, squared, -0.33333283925205737);
  const small = multiplyAdd(f32x4.mul(p, squared), x, x);
  const e = expVector(f32x4.add(magnitude, magnitude));
  const large = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(e, one)));
  const signed = v128.bitselect(x, large, f32x4.splat(-0.0));
  return v128.bitselect(small, signed, f32x4.lt(magnitude, f32x4.splat(0.625)));
}

// @ts-ignore: decorator
@inline
export function erfVector(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const u = f32x4.mul(x, x);
  let p = f32x4.splat(8.345227503925435e-5);
  p = horner(p, u, -0.0008137438240232504);
  p = horner(p, u, 0.005200634371655072);
  p = horner(p, u, -0.026859270813716134);
  p = horner(p, u, 0.11283693942731358);
  p = horner(p, u, -0.3761263369714888);
  p = horner(p, u, 0.1283791666423324);
  const small = multiplyAdd(p, x, x);
  const t = f32x4.pmin(magnitude, f32x4.splat(4));
  let q = f32x4.splat(-4.5649880983052413e-7);
  q = horner(q, t, -1.5212242916852314e-5);
  q = horner(q, t, 0.00040201100361153763);
  q = horner(q, t, -0.004070930238966273);
  q = horner(q, t, 0.024930294948765374);
  q = horner(q, t, -0.10805601648172079);
  q = horner(q, t, -0.6335096353014459);
  q = horner(q, t, -1.1294486448520962);
  q = horner(q, t, 0.0001630797955388344);
  const large = f32x4.sub(f32x4.splat(1), expVector(q));
  const signed = v128.bitselect(x, large, f32x4.splat(-0.0));
  return v128.bitselect(small, signed, f32x4.lt(magnitude, f32x4.splat(0.92)));
}

/** sin x when `quarter` is 0, cos x when it is 1. Cody–Waite reduction by π/2: accurate for |x| up to about 10⁴. */
// @ts-ignore: decorator
@inline
export function sinVector(x: v128, quarter: i32): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(0.6366197723675814)));
  let r = multiplyAdd(n, f32x4.splat(-1.5703125), x);
  r = multiplyAdd(n, f32x4.splat(-4.837512969970703e-4), r);
  r = multiplyAdd(n, f32x4.splat(-7.54978995489e-8), r);
  const u = f32x4.mul(r, r);
  let s = f32x4.splat(2.7183116109677117e-6);
  s = horner(s, u, -0.00019839334845976825);
  s = horner(s, u, 0.008333329385909142);
  s = horner(s, u, -0.16666666641626549);
  s = multiplyAdd(f32x4.mul(s, u), r, r);
  let c = f32x4.splat(-2.7210243401368895e-7);
  c = horner(c, u, 2.479952005663522e-5);
  c = horner(c, u, -0.0013888883753462415);
  c = horner(c, u, 0.041666666622826386);
  c = f32x4.add(multiplyAdd(f32x4.mul(u, u), c, f32x4.mul(u, f32x4.splat(-0.5))), f32x4.splat(1));
  const quadrant = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(quarter));
  const odd = i32x4.eq(v128.and(quadrant, i32x4.splat(1)), i32x4.splat(1));
  const sign = i32x4.shl(v128.and(quadrant, i32x4.splat(2)), 30);
  return v128.xor(v128.bitselect(c, s, odd), sign);
}

/** Sum of the four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  return max(max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)), max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}
