// Activations that products apply to their results before they are stored.

import { erfVector, multiplyAdd, sigmoidVector, tanhVector } from "./math";

/** The codes that `activations` in src/engine/activation.ts names. */
export enum Activation { None, Relu, Relu6, HardSwish, Silu, Sigmoid, HardSigmoid, Gelu, Tanh }

// @ts-ignore: decorator
@inline
export function activate(code: i32, x: v128): v128 {
  if (code == Activation.None) return x;
  if (code > Activation.Relu6) return curve(code, x);
  const positive = f32x4.pmax(x, f32x4.splat(0));
  return code == Activation.Relu6 ? f32x4.pmin(positive, f32x4.splat(6)) : positive;
}

/**
 * The activations that take more than an instruction or two: calls cost less than a copy of them in
 * every kernel.
 */
function curve(code: i32, x: v128): v128 {
  if (code == Activation.Silu) return f32x4.mul(x, sigmoidVector(x));
  if (code == Activation.Sigmoid) return sigmoidVector(x);
  if (code == Activation.Tanh) return tanhVector(x);
  if (code == Activation.Gelu) {
    const half = f32x4.mul(x, f32x4.splat(0.5));
    return multiplyAdd(half, erfVector(f32x4.mul(x, f32x4.splat(0.7071067811865476))), half);
  }
  const gate = f32x4.mul(f32x4.pmin(f32x4.pmax(f32x4.add(x, f32x4.splat(3)), f32x4.splat(0)), f32x4.splat(6)), f32x4.splat(0.16666667));
  return code == Activation.HardSwish ? f32x4.mul(x, gate) : gate;
}
