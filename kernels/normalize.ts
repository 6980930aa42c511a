// Row normalisation: layer norm (centred) and RMS norm (not centred).

import { centredSums } from "./channels";
import { rowSum } from "./reduce";
import { ownTile } from "./thread";
import { Optional } from "./optional";

/**
 * The mean m as f32 is off by up to half a unit in its last place, which may be more than the
 * deviation. So the mean δ of x − m is taken too: the mean is m + δ, the variance mean((x − m)²) − δ².
 *
 * For rows [begin, end) of length n: y = (x − mean)·s·γ + β with s = 1/√(mean((x − mean)²) + ε),
 * where the mean is 0 unless `center`. γ and β are left out where their offset is 0; s goes to
 * `inverseDeviation[row]` unless that is 0.
 */
export function standardize(
  x: usize, y: usize, inverseDeviation: Optional, gamma: Optional, beta: Optional, n: i32, epsilon: f32, center: i32, begin: i32, end: i32,
): void {
  const sums = ownTile();
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const source = x + offset;
    const target = y + offset;
    const mean: f32 = center ? <f32>(rowSum(source, n) / <f64>n) : 0;
    store<f64>(sums, 0);
    store<f64>(sums, 0, 8);
    centredSums(source, mean, n, sums);
    const rest: f64 = center ? load<f64>(sums) / <f64>n : 0;
    const variance: f64 = max(load<f64>(sums, 8) / <f64>n - rest * rest, 0);
    const s = <f32>(1 / sqrt<f64>(variance + <f64>epsilon));
    if (inverseDeviation != 0) store<f32>(inverseDeviation + (<usize>row << 2), s);
    const shift = f32x4.splat(mean);
    const secondShift = f32x4.splat(<f32>rest);
    const scale = f32x4.splat(s);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      let value = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(source + at), shift), secondShift), scale);
      if (gamma != 0) value = f32x4.mul(value, v128.load(gamma + at));
      if (beta != 0) value = f32x4.add(value, v128.load(beta + at));
      v128.store(target + at, value);
    }
    for (; i < n; i++) {
      const at = <usize>i << 2;
      let value = ((load<f32>(source + at) - mean) - <f32>rest) * s;
      if (gamma != 0) value *= load<f32>(gamma + at);
      if (beta != 0) value += load<f32>(beta + at);
      store<f32>(target + at, value);
    }
  }
}
