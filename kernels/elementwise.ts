// Elementwise kernels over flat ranges. Each exported kernel is one loop template, specialised by a
// constant operation code that the compiler folds away.

import { erfVector, expMinus1NonPositive, expVector, logVector, multiplyAdd, sigmoidVector, softplusVector, tanhVector } from "./math";
import { powerVector } from "./power";

enum Unary { Abs, Sqrt, Exp, Log, Tanh, Sigmoid, Erf, Gelu, Relu, Sign, Floor, Reciprocal, Rsqrt, Square, LeakyRelu, Elu, Softplus, Silu, Relu6, Affine, DivideBy, ToInt, ToFloat }

// @ts-ignore: decorator
@inline
function unaryVector(op: i32, x: v128, p: v128, q: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  if (op == Unary.Abs) return f32x4.abs(x);
  if (op == Unary.Sqrt) return f32x4.sqrt(x);
  if (op == Unary.Exp) return expVector(x);
  if (op == Unary.Log) return logVector(x);
  if (op == Unary.Tanh) return tanhVector(x);
  if (op == Unary.Sigmoid) return sigmoidVector(x);
  if (op == Unary.Erf) return erfVector(x);
  if (op == Unary.Gelu) {
    const half = f32x4.mul(x, f32x4.splat(0.5));
    return multiplyAdd(half, erfVector(f32x4.mul(x, f32x4.splat(0.7071067811865476))), half);
  }
  if (op == Unary.Relu) return f32x4.pmax(x, zero);
  if (op == Unary.Sign) {
    const signed = v128.and(v128.bitselect(x, one, f32x4.splat(-0.0)), f32x4.ne(x, zero));
    return v128.bitselect(signed, x, f32x4.eq(x, x));
  }
  if (op == Unary.Floor) return f32x4.floor(x);
  if (op == Unary.Reciprocal) return f32x4.div(one, x);
  if (op == Unary.Rsqrt) return f32x4.div(one, f32x4.sqrt(x));
  if (op == Unary.Square) return f32x4.mul(x, x);
  if (op == Unary.LeakyRelu) return v128.bitselect(f32x4.mul(x, p), x, f32x4.lt(x, zero));
  if (op == Unary.Elu) {
    return v128.bitselect(f32x4.mul(p, expMinus1NonPositive(x)), x, f32x4.lt(x, zero));
  }
  if (op == Unary.Softplus) return softplusVector(x);
  if (op == Unary.Silu) return f32x4.mul(x, sigmoidVector(x));
  if (op == Unary.Relu6) return f32x4.pmin(f32x4.pmax(x, zero), f32x4.splat(6));
  if (op == Unary.Affine) return f32x4.add(f32x4.mul(x, p), q);
  if (op == Unary.DivideBy) return f32x4.div(x, p);
  if (op == Unary.ToInt) return i32x4.trunc_sat_f32x4_s(x);
  if (op == Unary.ToFloat) return f32x4.convert_i32x4_s(x);
  return x;
}

// @ts-ignore: decorator
@inline
function unary(op: i32, x: usize, y: usize, p: f32, q: f32, begin: i32, end: i32): void {
  const pVector = f32x4.splat(p);
  const qVector = f32x4.splat(q);
  let source = x + (<usize>begin << 2);
  let target = y + (<usize>begin << 2);
  const stop = x + (<usize>end << 2);
  // Two vectors an iteration share the constants, which compilers rematerialise in each.
  while (source + 32 <= stop) {
    const lo = unaryVector(op, v128.load(source), pVector, qVector);
    const hi = unaryVector(op, v128.load(source, 16), pVector, qVector);
    v128.store(target, lo);
    v128.store(target, hi, 16);
    source += 32;
    target += 32;
  }
  while (source + 16 <= stop) {
    v128.store(target, unaryVector(op, v128.load(source), pVector, qVector));
    source += 16;
    target += 16;
  }
  while (source < stop) {
    v128.store_lane<f32>(target, unaryVector(op, v128.load32_zero(source), pVector, qVector), 0);
    source += 4;
    target += 4;
  }
}

export function abs(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Abs, x, y, 0, 0, begin, end); }
export function sqrt(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Sqrt, x, y, 0, 0, begin, end); }
export function exp(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Exp, x, y, 0, 0, begin, end); }
export function log(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Log, x, y, 0, 0, begin, end); }
export function tanh(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Tanh, x, y, 0, 0, begin, end); }
export function sigmoid(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Sigmoid, x, y, 0, 0, begin, end); }
export function erf(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Erf, x, y, 0, 0, begin, end); }
export function gelu(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Gelu, x, y, 0, 0, begin, end); }
export function relu(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Relu, x, y, 0, 0, begin, end); }
export function sign(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Sign, x, y, 0, 0, begin, end); }
export function floor(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Floor, x, y, 0, 0, begin, end); }
export function reciprocal(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Reciprocal, x, y, 0, 0, begin, end); }
export function rsqrt(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Rsqrt, x, y, 0, 0, begin, end); }
export function square(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Square, x, y, 0, 0, begin, end); }
export function leakyRelu(x: usize, y: usize, slope: f32, begin: i32, end: i32): void { unary(Unary.LeakyRelu, x, y, slope, 0, begin, end); }
export function elu(x: usize, y: usize, alpha: f32, begin: i32, end: i32): void { unary(Unary.Elu, x, y, alpha, 0, begin, end); }
export function softplus(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Softplus, x, y, 0, 0, begin, end); }
export function silu(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Silu, x, y, 0, 0, begin, end); }
export function relu6(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.Relu6, x, y, 0, 0, begin, end); }
/** y = scale·x + shift. */
export function affine(x: usize, y: usize, scale: f32, shift: f32, begin: i32, end: i32): void { unary(Unary.Affine, x, y, scale, shift, begin, end); }
/** y = x/divisor. */
export function divideBy(x: usize, y: usize, divisor: f32, begin: i32, end: i32): void { unary(Unary.DivideBy, x, y, divisor, 0, begin, end); }
/** f32 → i32, towards zero. */
export function toInt(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.ToInt, x, y, 0, 0, begin, end); }
/** i32 → f32. */
export function toFloat(x: usize, y: usize, begin: i32, end: i32): void { unary(Unary.ToFloat, x, y, 0, 0, begin, end); }

/** Writes the 32-bit pattern `bits` (of an f32 or an i32) to every element. */
export function fill(y: usize, bits: i32, begin: i32, end: i32): void {
  const vector = i32x4.splat(bits);
  let target = y + (<usize>begin << 2);
  const stop = y + (<usize>end << 2);
  for (; target + 16 <= stop; target += 16) v128.store(target, vector);
  for (; target < stop; target += 4) store<i32>(target, bits);
}

/** target += scale·source, in place. */
export function accumulate(target: usize, source: usize, scale: f32, begin: i32, end: i32): void {
  const factor = f32x4.splat(scale);
  for (let i = begin; i < end; i += 4) {
    const at = <usize>i << 2;
    if (i + 4 <= end) {
      v128.store(target + at, multiplyAdd(v128.load(source + at), factor, v128.load(target + at)));
    } else {
      for (let j = at; j < (<usize>end << 2); j += 4) {
        const lane = multiplyAdd(v128.load32_zero(source + j), factor, v128.load32_zero(target + j));
        v128.store_lane<f32>(target + j, lane, 0);
      }
    }
  }
}

enum Binary { Add, Subtract, Multiply, Divide, Power, Maximum, Minimum, Equal, NotEqual, Less, LessEqual, PositiveMask, AddInt, SubtractInt, MultiplyInt, MaximumInt, MinimumInt, EqualInt, LessInt }

// @ts-ignore: decorator
@inline
function mask(condition: v128): v128 {
  return v128.and(condition, f32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function binaryVector(op: i32, a: v128, b: v128): v128 {
  if (op == Binary.Add) return f32x4.add(a, b);
  if (op == Binary.Subtract) return f32x4.sub(a, b);
  if (op == Binary.Multiply) return f32x4.mul(a, b);
  if (op == Binary.Divide) return f32x4.div(a, b);
  if (op == Binary.Power) return powerVector(a, b);
  if (op == Binary.Maximum) return f32x4.max(a, b);
  if (op == Binary.Minimum) return f32x4.min(a, b);
  if (op == Binary.Equal) return mask(f32x4.eq(a, b));
  if (op == Binary.NotEqual) return mask(f32x4.ne(a, b));
  if (op == Binary.Less) return mask(f32x4.lt(a, b));
  if (op == Binary.LessEqual) return mask(f32x4.le(a, b));
  if (op == Binary.PositiveMask) return v128.and(a, f32x4.gt(b, f32x4.splat(0)));
  if (op == Binary.AddInt) return i32x4.add(a, b);
  if (op == Binary.SubtractInt) return i32x4.sub(a, b);
  if (op == Binary.MultiplyInt) return i32x4.mul(a, b);
  if (op == Binary.MaximumInt) return i32x4.max_s(a, b);
  if (op == Binary.MinimumInt) return i32x4.min_s(a, b);
  if (op == Binary.EqualInt) return mask(i32x4.eq(a, b));
  if (op == Binary.LessInt) return mask(i32x4.lt_s(a, b));
  return a;
}

/**
 * c = a ∘ b over [begin, end) of the flat output of shape [·, d1, d2, d3]. Strides are in elements;
 * a stride of 0 broadcasts. The innermost strides are 0 or 1.
 */
// @ts-ignore: decorator
@inline
function binary(
  op: i32, a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32,
  a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32,
): void {
  let index = begin;
  while (index < end) {
    const i3 = index % d3;
    let rest = index / d3;
    const i2 = rest % d2;
    rest /= d2;
    const i1 = rest % d1;
    const i0 = rest / d1;
    const run = min(d3 - i3, end - index);
    let pa = a + (<usize>(i0 * a0 + i1 * a1 + i2 * a2 + i3 * a3) << 2);
    let pb = b + (<usize>(i0 * b0 + i1 * b1 + i2 * b2 + i3 * b3) << 2);
    let pc = c + (<usize>index << 2);
    const stop = pc + (<usize>run << 2);
    if (a3 == 1 && b3 == 1) {
      for (; pc + 16 <= stop; pc += 16, pa += 16, pb += 16) v128.store(pc, binaryVector(op, v128.load(pa), v128.load(pb)));
    } else if (a3 == 1) {
      const right = v128.load32_splat(pb);
      for (; pc + 16 <= stop; pc += 16, pa += 16) v128.store(pc, binaryVector(op, v128.load(pa), right));
    } else if (b3 == 1) {
      const left = v128.load32_splat(pa);
      for (; pc + 16 <= stop; pc += 16, pb += 16) v128.store(pc, binaryVector(op, left, v128.load(pb)));
    } else {
      const constant = binaryVector(op, v128.load32_splat(pa), v128.load32_splat(pb));
      for (; pc + 16 <= stop; pc += 16) v128.store(pc, constant);
    }
    const stepA = <usize>a3 << 2;
    const stepB = <usize>b3 << 2;
    for (; pc < stop; pc += 4, pa += stepA, pb += stepB) {
      v128.store_lane<f32>(pc, binaryVector(op, v128.load32_zero(pa), v128.load32_zero(pb)), 0);
    }
    index += run;
  }
}

export function add(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Add, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function subtract(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Subtract, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function multiply(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Multiply, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function divide(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Divide, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function power(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Power, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function maximum(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Maximum, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function minimum(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Minimum, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function equal(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Equal, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function notEqual(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.NotEqual, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function less(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.Less, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function lessEqual(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.LessEqual, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
/** a where b > 0, else 0: the gradient of ReLU. */
export function positiveMask(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.PositiveMask, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function addInt(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.AddInt, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function subtractInt(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.SubtractInt, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function multiplyInt(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.MultiplyInt, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function maximumInt(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.MaximumInt, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function minimumInt(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.MinimumInt, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function equalInt(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.EqualInt, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
export function lessInt(a: usize, b: usize, c: usize, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32, begin: i32, end: i32): void { binary(Binary.LessInt, a, b, c, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3, begin, end); }
