// From GGUF's blocks as they lie in a file to panels of 8 rows, as kernels/blocks.ts reads them. A
// format has llama.cpp's number for it. Rows beyond the matrix are zeros.

import { halfAt, halfOf } from "./half";

const Q4_0 = 2, Q4_1 = 3, Q5_0 = 6, Q5_1 = 7, Q8_0 = 8, Q4_K = 12, Q5_K = 13, Q6_K = 14;

const ROWS = 8;
const LOW: u32 = 0x0f0f0f0f;

/**
 * Values and bytes of a block of the file; bytes of 32 values of a panel before and with their
 * quanta.
 */
function valuesOf(format: i32): i32 {
  return format < Q4_K ? 32 : 256;
}

function bytesOf(format: i32): usize {
  switch (format) {
    case Q4_0: return 18;
    case Q4_1: return 20;
    case Q5_0: return 22;
    case Q5_1: return 24;
    case Q8_0: return 34;
    case Q4_K: return 144;
    case Q5_K: return 176;
    default: return 210;
  }
}

function headOf(format: i32): usize {
  return format == Q4_0 || format == Q8_0 ? 32 : 64;
}

function panelBytesOf(format: i32): usize {
  return headOf(format) + (format == Q4_0 || format == Q4_1 || format == Q4_K ? 128 : 256);
}

/** Packs rows of [rows, columns] in a format. Tasks count panels. */
export function packBlocks(source: usize, target: usize, format: i32, rows: i32, columns: i32, begin: i32, end: i32): void {
  const blocks = columns >> 5;
  const size = panelBytesOf(format);
  const perBlock = valuesOf(format) >> 5;
  for (let panel = begin; panel < end; panel++) {
    let to = target + <usize>panel * blocks * size;
    if ((panel + 1) * ROWS > rows) memory.fill(to, 0, <usize>blocks * size);
    const row = panel * ROWS;
    for (let r = 0; r < min(ROWS, rows - row); r++) {
      let from = source + <usize>(row + r) * (blocks / perBlock) * bytesOf(format);
      let at = to + (<usize>r << 2);
      for (let block = 0; block < blocks; block += perBlock, from += bytesOf(format))
        for (let sub = 0; sub < perBlock; sub++, at += size) packBlock(format, from, sub, at);
    }
  }
}

/** 32 values of one row: `at` is the place of its scale, its quanta follow 32 bytes apart. */
function packBlock(format: i32, from: usize, sub: i32, at: usize): void {
  const q = at + headOf(format);
  switch (format) {
    case Q4_0: {
      store<f32>(at, halfAt(from));
      copyWords(from + 2, q, 4);
      break;
    }
    case Q4_1: {
      store<f32>(at, halfAt(from));
      store<f32>(at, -halfAt(from + 2), 32);
      copyWords(from + 4, q, 4);
      break;
    }
    case Q8_0: {
      store<f32>(at, halfAt(from));
      copyWords(from + 2, q, 8);
      break;
    }
    case Q5_0: {
      const scale = halfAt(from);
      store<f32>(at, scale);
      store<f32>(at, 16 * scale, 32);
      packFive(from + 2, q);
      break;
    }
    case Q5_1: {
      store<f32>(at, halfAt(from));
      store<f32>(at, -halfAt(from + 2), 32);
      packFive(from + 4, q);
      break;
    }
    case Q4_K: {
      packScales(from, sub, at);
      // The file has sub-blocks in pairs, one in the low and one in the high nibbles of 32 bytes.
      const pair = from + 16 + (<usize>(sub >> 1) << 5);
      const shift: u32 = sub & 1 ? 4 : 0;
      for (let g: usize = 0; g < 4; g++)
        store<u32>(q + (g << 5), ((load<u32>(pair + (g << 2)) >> shift) & LOW) | (((load<u32>(pair + (g << 2), 16) >> shift) & LOW) << 4));
      break;
    }
    case Q5_K: {
      packScales(from, sub, at);
      const pair = from + 48 + (<usize>(sub >> 1) << 5);
      const shift: u32 = sub & 1 ? 4 : 0;
      for (let g: usize = 0; g < 8; g++)
        store<u32>(q + (g << 5), ((load<u32>(pair + (g << 2)) >> shift) & LOW) | (((load<u32>(from + (g << 2), 16) >> sub) & 0x01010101) << 4));
      break;
    }
    default: {
      const d = halfAt(from + 208);
      store<f32>(at, d * <f32>load<i8>(from + 192 + 2 * sub));
      store<f32>(at, d * <f32>load<i8>(from + 193 + 2 * sub), 32);
      const part = <usize>sub >> 2, quarter = sub & 3;
      const low = from + (part << 6) + (quarter & 1 ? 32 : 0);
      const high = from + 128 + (part << 5);
      const shift: u32 = quarter < 2 ? 0 : 4;
      for (let g: usize = 0; g < 8; g++)
        store<u32>(q + (g << 5), ((load<u32>(low + (g << 2)) >> shift) & LOW) | (((load<u32>(high + (g << 2)) >> (2 * quarter)) & 0x03030303) << 4));
    }
  }
}

// @ts-ignore: decorator
@inline
function copyWords(from: usize, q: usize, count: usize): void {
  for (let g: usize = 0; g < count; g++) store<u32>(q + (g << 5), load<u32>(from + (g << 2)));
}

/** Four bytes for four neighbouring fifth bits. */
// @ts-ignore: decorator
@inline
function spread(bits: u32): u32 {
  return (bits & 1) | ((bits & 2) << 7) | ((bits & 4) << 14) | ((bits & 8) << 21);
}

/** Q5_0 and Q5_1: 32 fifth bits, then nibbles; a byte each. */
function packFive(from: usize, q: usize): void {
  const fifth = load<u32>(from);
  for (let g: u32 = 0; g < 4; g++) {
    const words = load<u32>(from + (<usize>g << 2), 4);
    store<u32>(q + (<usize>g << 5), (words & LOW) | (spread(fifth >> (4 * g)) << 4));
    store<u32>(q + (<usize>g << 5), ((words >> 4) & LOW) | (spread(fifth >> (16 + 4 * g)) << 4), 128);
  }
}

/**
 * Scale and offset of one of the eight sub-blocks of Q4_K and Q5_K, from twelve bytes of 6-bit
 * numbers.
 */
function packScales(from: usize, sub: i32, at: usize): void {
  const s = from + 4 + sub;
  const first = <i32>load<u8>(s), second = <i32>load<u8>(s, 4);
  const scale = sub < 4 ? first & 63 : (second & 15) | ((<i32>load<u8>(s - 4) >> 6) << 4);
  const minimum = sub < 4 ? second & 63 : (second >> 4) | ((first >> 6) << 4);
  store<f32>(at, halfAt(from) * <f32>scale);
  store<f32>(at, halfAt(from + 2) * <f32>minimum, 32);
}

/**
 * Quantises floats to blocks of Q8_0 or Q4_0 as they lie in a file, as llama.cpp does. Tasks count
 * blocks.
 */
export function encodeBlocks(x: usize, y: usize, format: i32, begin: i32, end: i32): void {
  for (let block = begin; block < end; block++) {
    const from = x + (<usize>block << 7);
    const to = y + <usize>block * bytesOf(format);
    let largest: f32 = 0;
    for (let i: usize = 0; i < 128; i += 4) {
      const value = load<f32>(from + i);
      if (abs(value) > abs(largest)) largest = value;
    }
    // Q4_0 gives the value of largest magnitude, with its sign, the quantum −8.
    const scale: f32 = format == Q8_0 ? abs(largest) / 127 : largest / -8;
    const inverse: f32 = scale != 0 ? 1 / scale : 0;
    store<u16>(to, halfOf(reinterpret<u32>(scale)));
    if (format == Q8_0) for (let i: usize = 0; i < 32; i++) store<i8>(to + i, awayFromZero(load<f32>(from + (i << 2)) * inverse), 2);
    else
      for (let i: usize = 0; i < 16; i++) {
        const low = min(15, <i32>(load<f32>(from + (i << 2)) * inverse + 8.5));
        const high = min(15, <i32>(load<f32>(from + (i << 2), 64) * inverse + 8.5));
        store<u8>(to + i, low | (high << 4), 2);
      }
  }
}

/** The nearest integer, ties away from zero. */
// @ts-ignore: decorator
@inline
function awayFromZero(value: f32): i8 {
  const whole = trunc(value);
  return <i8>(abs(value - whole) >= 0.5 ? whole + (value < 0 ? <f32>-1 : <f32>1) : whole);
}

/** y ← x, float16 or (when `bfloat16`) bfloat16 as float32. */
export function widenHalves(x: usize, y: usize, bfloat16: i32, begin: i32, end: i32): void {
  for (let i = begin; i < end; i++) {
    const bits = <u32>load<u16>(x + (<usize>i << 1));
    const target = y + (<usize>i << 2);
    if (bfloat16) store<u32>(target, bits << 16);
    else if ((bits & 0x7c00) == 0x7c00) store<u32>(target, ((bits & 0x8000) << 16) | 0x7f800000 | ((bits & 0x3ff) << 13));
    else store<f32>(target, halfAt(x + (<usize>i << 1)));
  }
}
