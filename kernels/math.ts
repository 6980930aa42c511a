// Four-lane transcendental functions: range reduction to a small interval, then a near-minimax
// polynomial fitted for it by iteratively reweighted least squares. Errors against Math.* are a few
// units in the last place: docs/numerics.md lists them, test/tensor/unary.test.ts pins them.

// Constants of exp and log. A compiler may rematerialise a vector constant on every iteration of a
// loop, which costs more than the arithmetic: V8 13 and 14 do, and there reading a global, an
// operand from memory, is twice as fast. V8 11, which has no relaxed SIMD, does better with the
// constant itself. So the relaxed level reads globals that `prepareConstants` sets once, and the
// other has them in place: `pick` chooses. 1.5·2²³: adding it rounds to an integer and leaves that
// in the low bits.
const MAGIC: f32 = 12582912;
const EXP_HIGHEST: f32 = 89;
const EXP_LOWEST: f32 = -104;
const EXP_SMALLEST: f32 = -87;
const LOG2E: f32 = 1.4426950408889634;
const MINUS_LN2_HIGH: f32 = -0.693359375;
const LN2_LOW: f32 = 2.12194440e-4;
const ONE: f32 = 1;
const E0: f32 = 0.5000000095138301;
const E1: f32 = 0.16666518887708037;
const E2: f32 = 0.04166620595411091;
const E3: f32 = 0.008368883566335602;
const E4: f32 = 0.001395048097568171;
const L0: f32 = 0.33333310438442754;
const L1: f32 = -0.24999986625684742;
const L2: f32 = 0.20002226703507855;
const L3: f32 = -0.16669249463058944;
const L4: f32 = 0.1421865543276988;
const L5: f32 = -0.12384370293343426;
const L6: f32 = 0.11873016257088692;
const L7: f32 = -0.11789695596805194;
const L8: f32 = 0.06915147002562494;
const EXPONENT_BIAS: i32 = 127;

let magic: v128 = i32x4.splat(0);
let expHighest: v128 = i32x4.splat(0);
let expLowest: v128 = i32x4.splat(0);
let expSmallest: v128 = i32x4.splat(0);
let log2e: v128 = i32x4.splat(0);
let minusLn2High: v128 = i32x4.splat(0);
let ln2Low: v128 = i32x4.splat(0);
let one: v128 = i32x4.splat(0);
let e0: v128 = i32x4.splat(0);
let e1: v128 = i32x4.splat(0);
let e2: v128 = i32x4.splat(0);
let e3: v128 = i32x4.splat(0);
let e4: v128 = i32x4.splat(0);
let l0: v128 = i32x4.splat(0);
let l1: v128 = i32x4.splat(0);
let l2: v128 = i32x4.splat(0);
let l3: v128 = i32x4.splat(0);
let l4: v128 = i32x4.splat(0);
let l5: v128 = i32x4.splat(0);
let l6: v128 = i32x4.splat(0);
let l7: v128 = i32x4.splat(0);
let l8: v128 = i32x4.splat(0);
let exponentBias: v128 = i32x4.splat(0);

/** Sets the constants that this instance reads as globals. */
export function prepareConstants(): void {
  magic = f32x4.splat(MAGIC);
  expHighest = f32x4.splat(EXP_HIGHEST);
  expLowest = f32x4.splat(EXP_LOWEST);
  expSmallest = f32x4.splat(EXP_SMALLEST);
  log2e = f32x4.splat(LOG2E);
  minusLn2High = f32x4.splat(MINUS_LN2_HIGH);
  ln2Low = f32x4.splat(LN2_LOW);
  one = f32x4.splat(ONE);
  e0 = f32x4.splat(E0);
  e1 = f32x4.splat(E1);
  e2 = f32x4.splat(E2);
  e3 = f32x4.splat(E3);
  e4 = f32x4.splat(E4);
  l0 = f32x4.splat(L0);
  l1 = f32x4.splat(L1);
  l2 = f32x4.splat(L2);
  l3 = f32x4.splat(L3);
  l4 = f32x4.splat(L4);
  l5 = f32x4.splat(L5);
  l6 = f32x4.splat(L6);
  l7 = f32x4.splat(L7);
  l8 = f32x4.splat(L8);
  exponentBias = i32x4.splat(EXPONENT_BIAS);
}

// @ts-ignore: decorator
@inline
function pick(global: v128, value: f32): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? global : f32x4.splat(value);
}

// @ts-ignore: decorator
@inline
function pickBias(): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? exponentBias : i32x4.splat(EXPONENT_BIAS);
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

/** exp r − 1 for |r| ≤ ln2/2. */
// @ts-ignore: decorator
@inline
function expReducedMinus1(r: v128): v128 {
  let p = multiplyAdd(pick(e4, E4), r, pick(e3, E3));
  p = multiplyAdd(p, r, pick(e2, E2));
  p = multiplyAdd(p, r, pick(e1, E1));
  p = multiplyAdd(p, r, pick(e0, E0));
  return multiplyAdd(f32x4.mul(r, r), p, r);
}

/** exp r for |r| ≤ ln2/2. */
// @ts-ignore: decorator
@inline
function expReduced(r: v128): v128 {
  return f32x4.add(expReducedMinus1(r), pick(one, ONE));
}

// @ts-ignore: decorator
@inline
export function expVector(x: v128): v128 {
  // x = n·ln2 + r; exp x = 2ⁿ·exp r, the power in two halves so that subnormal results survive.
  // pmin and pmax keep a NaN in their first operand and are one instruction each.
  const clamped = f32x4.pmax(f32x4.pmin(x, pick(expHighest, EXP_HIGHEST)), pick(expLowest, EXP_LOWEST));
  const rounded = f32x4.add(f32x4.mul(clamped, pick(log2e, LOG2E)), pick(magic, MAGIC));
  const n = f32x4.sub(rounded, pick(magic, MAGIC));
  const p = expReduced(multiplyAdd(n, pick(ln2Low, LN2_LOW), multiplyAdd(n, pick(minusLn2High, MINUS_LN2_HIGH), clamped)));
  const power = i32x4.sub(rounded, pick(magic, MAGIC));
  const half = i32x4.shr_s(power, 1);
  const partial = f32x4.mul(p, i32x4.shl(i32x4.add(half, pickBias()), 23));
  return f32x4.mul(partial, i32x4.shl(i32x4.add(i32x4.sub(power, half), pickBias()), 23));
}

/** exp x for x ≤ 0, as softmax needs it: 0 below −87, where results would be subnormal. */
// @ts-ignore: decorator
@inline
export function expNonPositive(x: v128): v128 {
  const clamped = f32x4.pmax(x, pick(expSmallest, EXP_SMALLEST));
  const rounded = f32x4.add(f32x4.mul(clamped, pick(log2e, LOG2E)), pick(magic, MAGIC));
  const n = f32x4.sub(rounded, pick(magic, MAGIC));
  const p = expReduced(multiplyAdd(n, pick(ln2Low, LN2_LOW), multiplyAdd(n, pick(minusLn2High, MINUS_LN2_HIGH), clamped)));
  const power = i32x4.shl(i32x4.add(i32x4.sub(rounded, pick(magic, MAGIC)), pickBias()), 23);
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, pick(expSmallest, EXP_SMALLEST)));
}

/** exp x − 1 for x ≤ 0, without cancellation near 0. */
// @ts-ignore: decorator
@inline
export function expMinus1NonPositive(x: v128): v128 {
  const clamped = f32x4.pmax(x, pick(expSmallest, EXP_SMALLEST));
  const rounded = f32x4.add(f32x4.mul(clamped, pick(log2e, LOG2E)), pick(magic, MAGIC));
  const n = f32x4.sub(rounded, pick(magic, MAGIC));
  const q = expReducedMinus1(multiplyAdd(n, pick(ln2Low, LN2_LOW), multiplyAdd(n, pick(minusLn2High, MINUS_LN2_HIGH), clamped)));
  const power = i32x4.shl(i32x4.add(i32x4.sub(rounded, pick(magic, MAGIC)), pickBias()), 23);
  return multiplyAdd(q, power, f32x4.sub(power, pick(one, ONE)));
}

// @ts-ignore: decorator
@inline
export function logVector(x: v128): v128 {
  // x = m·2ᵉ with m in [√½, √2); log x = e·ln2 + log m. Subnormals are scaled by 2²³ first.
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  // Subtracting the bits of √½ before the shift rounds the exponent so that m lands in that
  // interval.
  const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(shifted, 23);
  const m = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  let e = f32x4.convert_i32x4_s(exponent);
  e = f32x4.sub(e, v128.and(tiny, f32x4.splat(23)));
  const f = f32x4.sub(m, pick(one, ONE));
  let p = multiplyAdd(pick(l8, L8), f, pick(l7, L7));
  p = multiplyAdd(p, f, pick(l6, L6));
  p = multiplyAdd(p, f, pick(l5, L5));
  p = multiplyAdd(p, f, pick(l4, L4));
  p = multiplyAdd(p, f, pick(l3, L3));
  p = multiplyAdd(p, f, pick(l2, L2));
  p = multiplyAdd(p, f, pick(l1, L1));
  p = multiplyAdd(p, f, pick(l0, L0));
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
  return f32x4.div(pick(one, ONE), f32x4.add(pick(one, ONE), expVector(f32x4.neg(x))));
}

/** log(1 + eˣ) = max(x, 0) + log(1 + u) with u = e^−|x|, where log(1 + u) = 2·atanh(u/(2 + u)). */
// @ts-ignore: decorator
@inline
export function softplusVector(x: v128): v128 {
  const u = expVector(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(u, f32x4.add(u, f32x4.splat(2)));
  const z = f32x4.mul(s, s);
  let p = f32x4.splat(0.14078889183286505);
  p = horner(p, z, 0.1398257887228303);
  p = horner(p, z, 0.20012297615355504);
  p = horner(p, z, 0.3333316082069003);
  const half = multiplyAdd(f32x4.mul(p, z), s, s);
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), f32x4.add(half, half));
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
  const large = f32x4.sub(pick(one, ONE), f32x4.div(f32x4.splat(2), f32x4.add(e, pick(one, ONE))));
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
