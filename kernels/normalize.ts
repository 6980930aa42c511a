// Row normalisation: layer norm (centred) and RMS norm (not centred).

import { centredSums, isFar, varianceOf } from "./channels";
import { Optional } from "./optional";
import { dot } from "./sparse";

/**
 * For rows [begin, end) of length n: y = (x − mean)·s·γ + β with s = 1/√(mean((x − mean)²) + ε),
 * where the mean is 0 unless `center`. γ and β are left out where their offset is 0; s goes to
 * `inverseDeviation[row]` unless that is 0.
 *
 * Deviations are taken from a pivot first, since the mean as f32 may be off by more than the
 * deviation: the mean is pivot + rest.
 */
export function standardize(
  x: usize, y: usize, inverseDeviation: Optional, gamma: Optional, beta: Optional, n: i32, epsilon: f32, center: i32, begin: i32, end: i32,
): void {
  const share: f64 = 1 / <f64>n;
  const shares = f64x2.splat(share);
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row * n) << 2;
    const source = x + offset;
    const target = y + offset;
    let pivot: f32 = 0, rest: f32 = 0, variance: f32 = 0;
    if (center) {
      pivot = load<f32>(source);
      let moments = f64x2.mul(centredSums(source, pivot, n), shares);
      if (isFar(moments)) {
        pivot += <f32>f64x2.extract_lane(moments, 0);
        moments = f64x2.mul(centredSums(source, pivot, n), shares);
      }
      rest = <f32>f64x2.extract_lane(moments, 0);
      variance = varianceOf(moments);
    } else {
      variance = <f32>(<f64>dot(source, source, n) * share);
    }
    const s: f32 = 1 / sqrt<f32>(variance + epsilon);
    if (inverseDeviation != 0) store<f32>(inverseDeviation + (<usize>row << 2), s);
    const shift = f32x4.splat(pivot);
    const secondShift = f32x4.splat(rest);
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
      let value = ((load<f32>(source + at) - pivot) - rest) * s;
      if (gamma != 0) value *= load<f32>(gamma + at);
      if (beta != 0) value += load<f32>(beta + at);
      store<f32>(target + at, value);
    }
  }
}
