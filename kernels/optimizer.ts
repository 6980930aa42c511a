// Parameter updates in place. Element i of every argument belongs together; ranges are over
// elements.

import { Optional } from "./optional";

/**
 * Largest gradient whose square f32 holds. A step depends on ratios of gradients alone, so that it
 * is right for larger ones too until much smaller ones follow.
 */
const LARGEST: f32 = 1.84e19;

/** g between ±LARGEST; infinities and NaN stay, and make the weight NaN. */
@inline
function bounded(g: v128): v128 {
  const limited = f32x4.pmax(f32x4.pmin(g, f32x4.splat(LARGEST)), f32x4.splat(-LARGEST));
  return v128.bitselect(limited, g, f32x4.lt(f32x4.abs(g), f32x4.splat(Infinity)));
}

/**
 * Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019): `coupled` adds weightDecay·w to the
 * gradient, otherwise the weight shrinks by rate·weightDecay. `share1` = 1 − β₁ and `share2` =
 * 1 − β₂, which would lose digits in f32, `correction1` = 1 − β₁ᵗ and `correction2` = 1 − β₂ᵗ.
 * Finite gradients count as ±LARGEST at most.
 */
export function adam(
  parameter: usize, gradient: usize, first: usize, second: usize, rate: f32, beta1: f32, share1: f32, beta2: f32, share2: f32, epsilon: f32,
  weightDecay: f32, coupled: i32, correction1: f32, correction2: f32, begin: i32, end: i32,
): void {
  const decay: f32 = coupled ? weightDecay : 0;
  const shrink: f32 = coupled ? 1 : 1 - rate * weightDecay;
  const step: f32 = rate / correction1;
  const rootCorrection: f32 = sqrt<f32>(correction2);
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const w = v128.load(parameter + at);
    let g = f32x4.add(v128.load(gradient + at), f32x4.mul(w, f32x4.splat(decay)));
    let square = f32x4.mul(g, g);
    if (v128.any_true(f32x4.eq(square, f32x4.splat(Infinity)))) {
      g = bounded(g);
      square = f32x4.mul(g, g);
    }
    const m = f32x4.add(f32x4.mul(v128.load(first + at), f32x4.splat(beta1)), f32x4.mul(g, f32x4.splat(share1)));
    const v = f32x4.add(f32x4.mul(v128.load(second + at), f32x4.splat(beta2)), f32x4.mul(square, f32x4.splat(share2)));
    v128.store(first + at, m);
    v128.store(second + at, v);
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v), f32x4.splat(rootCorrection)), f32x4.splat(epsilon));
    v128.store(parameter + at, f32x4.sub(f32x4.mul(w, f32x4.splat(shrink)), f32x4.mul(f32x4.splat(step), f32x4.div(m, denominator))));
  }
  for (; i < end; i++) {
    const at = <usize>i << 2;
    const w = load<f32>(parameter + at);
    const g = f32x4.extract_lane(bounded(f32x4.splat(load<f32>(gradient + at) + w * decay)), 0);
    const m = load<f32>(first + at) * beta1 + g * share1;
    const v = load<f32>(second + at) * beta2 + g * g * share2;
    store<f32>(first + at, m);
    store<f32>(second + at, v);
    store<f32>(parameter + at, w * shrink - step * (m / (sqrt<f32>(v) / rootCorrection + epsilon)));
  }
}

/**
 * SGD with coupled weight decay: v ← momentum·v + g; w ← w − rate·(nesterov ? g + momentum·v : v).
 * `velocity` is 0 without momentum.
 */
export function sgd(
  parameter: usize, gradient: usize, velocity: Optional, rate: f32, momentum: f32, weightDecay: f32, nesterov: i32, begin: i32, end: i32,
): void {
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const w = v128.load(parameter + at);
    const g = f32x4.add(v128.load(gradient + at), f32x4.mul(w, f32x4.splat(weightDecay)));
    let direction = g;
    if (velocity != 0) {
      const v = f32x4.add(f32x4.mul(v128.load(velocity + at), f32x4.splat(momentum)), g);
      v128.store(velocity + at, v);
      direction = nesterov ? f32x4.add(g, f32x4.mul(v, f32x4.splat(momentum))) : v;
    }
    v128.store(parameter + at, f32x4.sub(w, f32x4.mul(direction, f32x4.splat(rate))));
  }
  for (; i < end; i++) {
    const at = <usize>i << 2;
    const w = load<f32>(parameter + at);
    const g = load<f32>(gradient + at) + w * weightDecay;
    let direction = g;
    if (velocity != 0) {
      const v = load<f32>(velocity + at) * momentum + g;
      store<f32>(velocity + at, v);
      direction = nesterov ? g + v * momentum : v;
    }
    store<f32>(parameter + at, w - direction * rate);
  }
}

/**
 * AdaDelta (Zeiler 2012) with coupled weight decay: s ← ρs + (1 − ρ)g²; Δ = √((u + ε)/(s + ε))·g; u
 * ← ρu + (1 − ρ)Δ²; w ← w − rate·Δ, with s in `squares` and u in `updates`. Finite gradients count
 * as ±LARGEST at most.
 */
export function adadelta(
  parameter: usize, gradient: usize, squares: usize, updates: usize, rate: f32, rho: f32, share: f32, epsilon: f32, weightDecay: f32,
  begin: i32, end: i32,
): void {
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const at = <usize>i << 2;
    const w = v128.load(parameter + at);
    const g = bounded(f32x4.add(v128.load(gradient + at), f32x4.mul(w, f32x4.splat(weightDecay))));
    const s = f32x4.add(f32x4.mul(v128.load(squares + at), f32x4.splat(rho)), f32x4.mul(f32x4.mul(g, g), f32x4.splat(share)));
    const u = v128.load(updates + at);
    const ratio = f32x4.div(f32x4.sqrt(f32x4.add(u, f32x4.splat(epsilon))), f32x4.sqrt(f32x4.add(s, f32x4.splat(epsilon))));
    const step = f32x4.mul(ratio, g);
    v128.store(squares + at, s);
    v128.store(updates + at, f32x4.add(f32x4.mul(u, f32x4.splat(rho)), f32x4.mul(f32x4.mul(step, step), f32x4.splat(share))));
    v128.store(parameter + at, f32x4.sub(w, f32x4.mul(step, f32x4.splat(rate))));
  }
  for (; i < end; i++) {
    const at = <usize>i << 2;
    const w = load<f32>(parameter + at);
    const g = f32x4.extract_lane(bounded(f32x4.splat(load<f32>(gradient + at) + w * weightDecay)), 0);
    const s = load<f32>(squares + at) * rho + g * g * share;
    const u = load<f32>(updates + at);
    const step = (sqrt<f32>(u + epsilon) / sqrt<f32>(s + epsilon)) * g;
    store<f32>(squares + at, s);
    store<f32>(updates + at, u * rho + step * step * share);
    store<f32>(parameter + at, w - rate * step);
  }
}
