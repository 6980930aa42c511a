// Half-precision numbers (IEEE binary16) and floats.

/** The half at an address. Infinities and NaNs come out as large numbers. */
// @ts-ignore: decorator
@inline
export function halfAt(at: usize): f32 {
  const bits = <u32>load<u16>(at);
  // Exponents of halves read as such of floats are 112 too low; subnormal numbers come out right
  // too.
  const magnitude = reinterpret<f32>((bits & 0x7fff) << 13) * reinterpret<f32>(0x77800000);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/** Four halves at an address. */
// @ts-ignore: decorator
@inline
export function halvesAt(at: usize): v128 {
  const bits = v128.and(i32x4.shl(v128.load16x4_s(at), 13), i32x4.splat(0x8fffe000));
  return f32x4.mul(bits, f32x4.splat(reinterpret<f32>(0x77800000)));
}

/** The nearest half of a float's bits, ties to even; too large ones become the largest half. */
// @ts-ignore: decorator
@inline
export function halfOf(bits: u32): u32 {
  const sign = (bits >> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000) return sign | 0x7bff;
  // Below the normal halves: adding 0.5 puts what is left of the fraction in place, rounded.
  if (magnitude < 0x38800000) return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) + 0.5) - 0x3f000000);
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
}
