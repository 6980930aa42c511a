// Vectors of four lanes at the end of a row, where fewer elements are left.

/** Up to four elements of a row, the others 0. */
// @ts-ignore: decorator
@inline
export function loadSome(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load(at);
  let value = v128.load32_zero(at);
  if (count > 1) value = v128.load32_lane(at, value, 1, 4);
  if (count > 2) value = v128.load32_lane(at, value, 2, 8);
  return value;
}

/** Stores the first elements of four, as many as there are. */
// @ts-ignore: decorator
@inline
export function storeSome(at: usize, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(at, value);
    return;
  }
  v128.store_lane<f32>(at, value, 0);
  if (count > 1) v128.store_lane<f32>(at, value, 1, 4);
  if (count > 2) v128.store_lane<f32>(at, value, 2, 8);
}
