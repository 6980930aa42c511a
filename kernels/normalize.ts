// Row normalisation: layer norm (centred) and RMS norm (not centred).

import { centredSquares } from "./channels";
import { rowSum } from "./reduce";
import { Optional } from "./optional";

/**
 * For rows [begin, end) of length n: y = (x − mean)·s·γ + β with s = 1/√(mean((x − mean)²) + ε), where the mean is 0 unless
 * `center`. γ and β are left out where their offset is 0; s goes to `inverseDeviation[row]` unless that is 0.
 */
export function standardize(
  x: usize, y: usize, inverseDeviation: Optional, gamma: Optional, beta: Optional, n: i32, epsilon: f32, center: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const source = x + offset;
    const target = y + offset;
    const mean: f32 = center ? rowSum(source, n) / <f32>n : 0;
    const s: f32 = 1 / sqrt<f32>(centredSquares(source, mean, n) / <f32>n + epsilon);
    if (inverseDeviation != 0) store<f32>(inverseDeviation + (<usize>row << 2), s);
    const shift = f32x4.splat(mean);
    const scale = f32x4.splat(s);
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      const at = <usize>i << 2;
      let value = f32x4.mul(f32x4.sub(v128.load(source + at), shift), scale);
      if (gamma != 0) value = f32x4.mul(value, v128.load(gamma + at));
      if (beta != 0) value = f32x4.add(value, v128.load(beta + at));
      v128.store(target + at, value);
    }
    for (; i < n; i++) {
      const at = <usize>i << 2;
      let value = (load<f32>(source + at) - mean) * s;
      if (gamma != 0) value *= load<f32>(gamma + at);
      if (beta != 0) value += load<f32>(beta + at);
      store<f32>(target + at, value);
    }
  }
}
