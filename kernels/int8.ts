// Eight-bit integer products: C[m, n] = Σₖ a[m, k]·b[n, k] in 32 bits, then scaled. Rows of both sides are contiguous along k; tiles are 2 rows of A × 4 of B.
//
// Plain SIMD widens to 16 bits and adds pairs of products, exact for all bytes but −128·−128 pairs. The relaxed dot product takes 16 bytes at once, but hosts agree only where its second
// operand lies in 0…127, so that kernel is for activations of 7 bits without sign.

import { activate } from "./activation";
import { ownTile } from "./thread";

const NR: i32 = 4;

/**
 * Packs rows [begin, end)·4 of B [n, k] for `gemmInt8`: panels of 4 rows, k in chunks of 16 bytes, row after row of the panel; zeros fill k up to a multiple of 16 and missing rows.
 * sums[n] = Σₖ b[n, k]. Tasks count panels.
 */
export function packInt8(b: usize, packed: usize, sums: usize, n: i32, k: i32, begin: i32, end: i32): void {
  const chunks = (k + 15) / 16;
  for (let panel = begin; panel < end; panel++) {
    for (let r = 0; r < NR; r++) {
      const row = panel * NR + r;
      let total = 0;
      for (let chunk = 0; chunk < chunks; chunk++) {
        const target = packed + <usize>((panel * chunks + chunk) * NR + r) * 16;
        for (let i = 0; i < 16; i++) {
          const at = chunk * 16 + i;
          const value = row < n && at < k ? load<i8>(b + <usize>row * k + at) : 0;
          store<i8>(target + i, value);
          total += value;
        }
      }
      if (row < n) store<i32>(sums + (<usize>row << 2), total);
    }
  }
}

// @ts-ignore: decorator
@inline
function dot16(a: v128, b: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

/** Sums of the lanes of four vectors, as one. */
// @ts-ignore: decorator
@inline
function sumFour(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const p = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 4, 2, 6), v128.shuffle<i32>(s0, s1, 1, 5, 3, 7));
  const q = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 4, 2, 6), v128.shuffle<i32>(s2, s3, 1, 5, 3, 7));
  return i32x4.add(v128.shuffle<i32>(p, q, 0, 1, 4, 5), v128.shuffle<i32>(p, q, 2, 3, 6, 7));
}

/** Two rows of A times one panel of B: sums in t0 and t1, stored to `out` (8 words). k in chunks of 16 bytes. */
function tile2x4(a0: usize, a1: usize, b: usize, chunks: i32, out: usize): void {
  let s00 = i32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
  const stop = b + <usize>chunks * 64;
  while (b < stop) {
    const p0 = v128.load8x8_s(a0);
    const p1 = v128.load8x8_s(a1);
    let q = v128.load8x8_s(b);
    s00 = dot16(p0, q, s00);
    s10 = dot16(p1, q, s10);
    q = v128.load8x8_s(b, 16);
    s01 = dot16(p0, q, s01);
    s11 = dot16(p1, q, s11);
    q = v128.load8x8_s(b, 32);
    s02 = dot16(p0, q, s02);
    s12 = dot16(p1, q, s12);
    q = v128.load8x8_s(b, 48);
    s03 = dot16(p0, q, s03);
    s13 = dot16(p1, q, s13);
    const r0 = v128.load8x8_s(a0, 8);
    const r1 = v128.load8x8_s(a1, 8);
    q = v128.load8x8_s(b, 8);
    s00 = dot16(r0, q, s00);
    s10 = dot16(r1, q, s10);
    q = v128.load8x8_s(b, 24);
    s01 = dot16(r0, q, s01);
    s11 = dot16(r1, q, s11);
    q = v128.load8x8_s(b, 40);
    s02 = dot16(r0, q, s02);
    s12 = dot16(r1, q, s12);
    q = v128.load8x8_s(b, 56);
    s03 = dot16(r0, q, s03);
    s13 = dot16(r1, q, s13);
    a0 += 16;
    a1 += 16;
    b += 64;
  }
  v128.store(out, sumFour(s00, s01, s02, s03));
  v128.store(out, sumFour(s10, s11, s12, s13), 16);
}

/** sum + the products of 16 bytes, added by fours; b lies in 0…127. Written as the 16-bit product and a pairwise sum, since the one instruction for both makes V8 load a constant each time. */
// @ts-ignore: decorator
@inline
function dotSeven(a: v128, b: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a, b)));
}

/** The same for A in 0…127, 16 products an instruction where there is one. */
function tile2x4Relaxed(a0: usize, a1: usize, b: usize, chunks: i32, out: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    let s00 = i32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
    const stop = b + <usize>chunks * 64;
    while (b < stop) {
      const p0 = v128.load(a0);
      const p1 = v128.load(a1);
      let q = v128.load(b);
      s00 = dotSeven(q, p0, s00);
      s10 = dotSeven(q, p1, s10);
      q = v128.load(b, 16);
      s01 = dotSeven(q, p0, s01);
      s11 = dotSeven(q, p1, s11);
      q = v128.load(b, 32);
      s02 = dotSeven(q, p0, s02);
      s12 = dotSeven(q, p1, s12);
      q = v128.load(b, 48);
      s03 = dotSeven(q, p0, s03);
      s13 = dotSeven(q, p1, s13);
      a0 += 16;
      a1 += 16;
      b += 64;
    }
    v128.store(out, sumFour(s00, s01, s02, s03));
    v128.store(out, sumFour(s10, s11, s12, s13), 16);
  } else {
    tile2x4(a0, a1, b, chunks, out);
  }
}

/**
 * y[m, n] = activation(rowScale[m]·columnScale[n]·(Σ a·b − zero[m]·sums[n]) + bias[n]) as floats, where A's rows are `stride` bytes apart, a multiple of 16 and zero past k. `sevenBit` says that A
 * lies in 0…127. `bias` may be 0. Tasks count pairs of rows.
 */
export function gemmInt8(
  a: usize, packed: usize, sums: usize, rowScale: usize, zero: usize, columnScale: usize, bias: usize, y: usize, m: i32, n: i32, stride: i32,
  sevenBit: i32, activation: i32, begin: i32, end: i32,
): void {
  const chunks = stride >> 4;
  const panels = (n + NR - 1) / NR;
  const out = ownTile();
  // Panels of B that stay in cache while all rows pass.
  for (let block = 0; block < panels; block += 16) {
    const last = min(block + 16, panels);
    for (let pair = begin; pair < end; pair++) {
      const row = pair * 2;
      const other = min(row + 1, m - 1);
      const a0 = a + <usize>row * stride;
      const a1 = a + <usize>other * stride;
      for (let panel = block; panel < last; panel++) {
        const b = packed + <usize>panel * chunks * 64;
        if (sevenBit) tile2x4Relaxed(a0, a1, b, chunks, out);
        else tile2x4(a0, a1, b, chunks, out);
        const column = panel * NR;
        const columns = min(NR, n - column);
        storeScaled(out, row, column, columns, sums, rowScale, zero, columnScale, bias, y, n, activation);
        if (other > row) storeScaled(out + 16, other, column, columns, sums, rowScale, zero, columnScale, bias, y, n, activation);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function storeScaled(
  tile: usize, row: i32, column: i32, columns: i32, sums: usize, rowScale: usize, zero: usize, columnScale: usize, bias: usize, y: usize, n: i32,
  activation: i32,
): void {
  const scale = load<f32>(rowScale + (<usize>row << 2));
  const shift = zero != 0 ? load<i32>(zero + (<usize>row << 2)) : 0;
  const target = y + ((<usize>row * n + column) << 2);
  const at = <usize>column << 2;
  if (columns == NR) {
    let total = v128.load(tile);
    if (shift != 0) total = i32x4.sub(total, i32x4.mul(v128.load(sums + at), i32x4.splat(shift)));
    let value = f32x4.mul(f32x4.convert_i32x4_s(total), f32x4.mul(v128.load(columnScale + at), f32x4.splat(scale)));
    if (bias != 0) value = f32x4.add(value, v128.load(bias + at));
    v128.store(target, activate(activation, value));
    return;
  }
  for (let j = 0; j < columns; j++) {
    const place = at + (<usize>j << 2);
    const total = load<i32>(tile + (<usize>j << 2)) - (shift != 0 ? shift * load<i32>(sums + place) : 0);
    let value = <f32>total * (load<f32>(columnScale + place) * scale);
    if (bias != 0) value += load<f32>(bias + place);
    store<f32>(target + (<usize>j << 2), f32x4.extract_lane(activate(activation, f32x4.splat(value)), 0));
  }
}

/**
 * Quantises rows of x[m, k]: symmetric to −127…127 with scale max|x|/127, or for `sevenBit` to 0…127 with scale (max − min)/127 and a zero point that stands for 0. q's rows are `stride` bytes apart
 * and zero past k. Tasks count rows.
 */
export function quantizeRows(x: usize, q: usize, scales: usize, zeros: usize, k: i32, stride: i32, sevenBit: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const source = x + ((<usize>row * k) << 2);
    const target = q + <usize>row * stride;
    let low: f32 = 0, high: f32 = 0;
    for (let i = 0; i < k; i++) {
      const value = load<f32>(source + (<usize>i << 2));
      low = min(low, value);
      high = max(high, value);
    }
    const range = sevenBit ? high - low : max(high, -low);
    const scale: f32 = range > 0 ? range / 127 : 1;
    const inverse: f32 = 1 / scale;
    const zero = sevenBit ? <i32>nearest<f32>(-low * inverse) : 0;
    const factor = f32x4.splat(inverse);
    const shift = i32x4.splat(zero);
    const least = i32x4.splat(sevenBit ? 0 : -127), most = i32x4.splat(127);
    let i = 0;
    for (; i + 4 <= k; i += 4) {
      const rounded = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source + (<usize>i << 2)), factor)));
      const value = i32x4.min_s(i32x4.max_s(i32x4.add(rounded, shift), least), most);
      const bytes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(value, value), value);
      store<i32>(target + i, i32x4.extract_lane(bytes, 0));
    }
    for (; i < k; i++) store<i8>(target + i, <i8>max(sevenBit ? 0 : -127, min(127, <i32>nearest<f32>(load<f32>(source + (<usize>i << 2)) * inverse) + zero)));
    for (; i < stride; i++) store<i8>(target + i, 0);
    store<f32>(scales + (<usize>row << 2), scale);
    if (zeros != 0) store<i32>(zeros + (<usize>row << 2), zero);
  }
}

/**
 * Convolution of bytes, channels last: x[n, h, w, c] with windows of taps × c bytes, each pixel two at a time against panels of 4 filters packed as for `gemmInt8` tap after tap (c a multiple of 16).
 * y = clamp(round(acc·scale[o] + shift[o]) + zeroOut) in −128…127, at least `lowest`, where acc = Σ (x − zeroIn)·w: padding holds zeroIn, and its products with the filters' sums are in `shift`. `pad` points to c bytes of
 * zeroIn. geometry: height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft, channels, filters. Tasks count output rows.
 */
export function convolveInt8(
  x: usize, packed: usize, scale: usize, shift: usize, pad: usize, y: usize, zeroOut: i32, lowest: i32, geometry: usize, begin: i32, end: i32,
): void {
  const height = load<i32>(geometry), width = load<i32>(geometry, 4), outHeight = load<i32>(geometry, 8), outWidth = load<i32>(geometry, 12);
  const kernelHeight = load<i32>(geometry, 16), kernelWidth = load<i32>(geometry, 20), strideY = load<i32>(geometry, 24), strideX = load<i32>(geometry, 28);
  const padTop = load<i32>(geometry, 32), padLeft = load<i32>(geometry, 36), channels = load<i32>(geometry, 40), filters = load<i32>(geometry, 44);
  const chunks = channels >> 4;
  const taps = kernelHeight * kernelWidth;
  const panels = (filters + NR - 1) / NR;
  const out = ownTile();
  for (let task = begin; task < end; task++) {
    const image = task / outHeight;
    const i = task % outHeight;
    const plane = x + <usize>image * height * width * channels;
    for (let j = 0; j < outWidth; j += 2) {
      const pair = min(1, outWidth - 1 - j);
      for (let panel = 0; panel < panels; panel++) {
        let t0 = i32x4.splat(0), t1 = t0;
        for (let ky = 0; ky < kernelHeight; ky++) {
          const row = i * strideY + ky - padTop;
          for (let kx = 0; kx < kernelWidth; kx++) {
            const c0 = j * strideX + kx - padLeft;
            const c1 = c0 + pair * strideX;
            const inside = row >= 0 && row < height;
            const a0 = inside && c0 >= 0 && c0 < width ? plane + <usize>(row * width + c0) * channels : pad;
            const a1 = inside && c1 >= 0 && c1 < width ? plane + <usize>(row * width + c1) * channels : pad;
            tile2x4(a0, a1, packed + <usize>(panel * taps + ky * kernelWidth + kx) * chunks * 64, chunks, out);
            t0 = i32x4.add(t0, v128.load(out));
            t1 = i32x4.add(t1, v128.load(out, 16));
          }
        }
        const column = panel * NR;
        const target = y + (<usize>(task * outWidth + j) * filters + column);
        requantize(t0, column, min(NR, filters - column), scale, shift, target, zeroOut, lowest);
        if (pair) requantize(t1, column, min(NR, filters - column), scale, shift, target + filters, zeroOut, lowest);
      }
    }
  }
}

function requantize(total: v128, column: i32, columns: i32, scale: usize, shift: usize, target: usize, zeroOut: i32, lowest: i32): void {
  const at = <usize>column << 2;
  const scaled = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(total), v128.load(scale + at)), v128.load(shift + at));
  const rounded = i32x4.add(i32x4.trunc_sat_f32x4_s(f32x4.nearest(scaled)), i32x4.splat(zeroOut));
  const value = i32x4.min_s(i32x4.max_s(rounded, i32x4.splat(lowest)), i32x4.splat(127));
  const bytes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(value, value), value);
  if (columns == NR) store<i32>(target, i32x4.extract_lane(bytes, 0));
  else for (let j = 0; j < columns; j++) store<i8>(target + j, <i8>(i32x4.extract_lane(bytes, 0) >> (8 * j)));
}
