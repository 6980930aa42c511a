// Discrete Fourier transform of rows whose length is a power of two: Stockham's radix-2 form, which
// needs no bit reversal.

import { ownScratch } from "./thread";

/**
 * (re, im)[·, n] → their transforms; `twiddles` holds cos and −sin (or +sin for the inverse) of
 * 2πj/n for j < n/2. `scratch` holds 4·n floats a thread. Tasks count rows.
 */
export function fourier(re: usize, im: usize, outRe: usize, outIm: usize, twiddles: usize, n: i32, scratch: usize, begin: i32, end: i32): void {
  const bytes = <usize>n << 2;
  const base = ownScratch(scratch, n << 4);
  const half = n >> 1;
  for (let row = begin; row < end; row++) {
    let fromRe = base, fromIm = base + bytes, toRe = base + 2 * bytes, toIm = base + 3 * bytes;
    memory.copy(fromRe, re + <usize>row * bytes, bytes);
    memory.copy(fromIm, im + <usize>row * bytes, bytes);
    // At each stage `count` transforms lie interleaved; neighbours `half` apart join.
    for (let count = half, length = 1; count >= 1; count >>= 1, length <<= 1) {
      for (let j = 0; j < length; j++) {
        const twiddle = twiddles + (<usize>(j * count) << 3);
        const c = load<f32>(twiddle);
        const s = load<f32>(twiddle, 4);
        for (let i = 0; i < count; i++) {
          const even = <usize>(2 * j * count + i) << 2;
          const odd = even + (<usize>count << 2);
          const oddRe = load<f32>(fromRe + odd) * c - load<f32>(fromIm + odd) * s;
          const oddIm = load<f32>(fromRe + odd) * s + load<f32>(fromIm + odd) * c;
          const low = <usize>(j * count + i) << 2;
          const high = low + (<usize>half << 2);
          store<f32>(toRe + low, load<f32>(fromRe + even) + oddRe);
          store<f32>(toIm + low, load<f32>(fromIm + even) + oddIm);
          store<f32>(toRe + high, load<f32>(fromRe + even) - oddRe);
          store<f32>(toIm + high, load<f32>(fromIm + even) - oddIm);
        }
      }
      let swap = fromRe; fromRe = toRe; toRe = swap;
      swap = fromIm; fromIm = toIm; toIm = swap;
    }
    memory.copy(outRe + <usize>row * bytes, fromRe, bytes);
    memory.copy(outIm + <usize>row * bytes, fromIm, bytes);
  }
}
