// Squared distances between rows, from their inner products where these are exact enough.

import { multiplyAdd, sumLanes } from "./math";

/**
 * Share of ‖x‖² + ‖z‖² above which ‖x‖² + ‖z‖² − 2·x·z keeps all but four bits. Closer rows are
 * subtracted.
 */
const NEAR: f32 = 0.0625;

/**
 * y[i, j] = ‖xᵢ − zⱼ‖² for rows [begin, end) of y[m, n], which holds products of rows that have
 * been shifted alike, and `squaresX`, `squaresZ` their squared norms. x [m, d] and z [n, d] are
 * not shifted.
 */
export function squaredDistances(
  x: usize, z: usize, squaresX: usize, squaresZ: usize, y: usize, n: i32, d: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const own = x + ((<usize>row * d) << 2);
    const square = load<f32>(squaresX + (<usize>row << 2));
    let column = 0;
    for (; column + 4 <= n; column += 4) {
      const at = y + ((<usize>row * n + column) << 2);
      const total = f32x4.add(f32x4.splat(square), v128.load(squaresZ + (<usize>column << 2)));
      const product = v128.load(at);
      const distance = f32x4.sub(total, f32x4.add(product, product));
      const far = f32x4.ge(distance, f32x4.mul(total, f32x4.splat(NEAR)));
      v128.store(at, distance);
      if (i32x4.all_true(far)) continue;
      const mask = i32x4.bitmask(far);
      for (let lane = 0; lane < 4; lane++) {
        if ((mask >> lane) & 1) continue;
        store<f32>(at + (<usize>lane << 2), squaredDistance(own, z + ((<usize>(column + lane) * d) << 2), d));
      }
    }
    for (; column < n; column++) {
      const at = y + ((<usize>row * n + column) << 2);
      const total = square + load<f32>(squaresZ + (<usize>column << 2));
      let distance = total - 2 * load<f32>(at);
      // Overflow gives NaN here, which compares as near.
      if (!(distance >= NEAR * total)) distance = squaredDistance(own, z + ((<usize>column * d) << 2), d);
      store<f32>(at, distance);
    }
  }
}

/** Σ (a − b)² over d contiguous floats. */
function squaredDistance(a: usize, b: usize, d: i32): f32 {
  let t0 = f32x4.splat(0), t1 = t0;
  const stop = a + (<usize>d << 2);
  for (; a + 32 <= stop; a += 32, b += 32) {
    const d0 = f32x4.sub(v128.load(a), v128.load(b));
    const d1 = f32x4.sub(v128.load(a, 16), v128.load(b, 16));
    t0 = multiplyAdd(d0, d0, t0);
    t1 = multiplyAdd(d1, d1, t1);
  }
  for (; a + 16 <= stop; a += 16, b += 16) {
    const difference = f32x4.sub(v128.load(a), v128.load(b));
    t0 = multiplyAdd(difference, difference, t0);
  }
  let total = sumLanes(f32x4.add(t0, t1));
  for (; a < stop; a += 4, b += 4) {
    const difference = load<f32>(a) - load<f32>(b);
    total += difference * difference;
  }
  return total;
}
