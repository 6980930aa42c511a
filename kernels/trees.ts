// Decision trees on binned columns: quantising columns, histograms of a node's rows, and the split
// of its rows. Codes are column-major: codes[column·rows + row].

import { ownScratch } from "./thread";

/** Most bins of a column, and room for the thresholds between them. */
const BINS: i32 = 256;
const CUTS: i32 = 255;
/** Rows whose pairs are gathered at a time: 16 KiB, which stay in L1. */
const BLOCK: i32 = 1024;

/** Bits of an f32 as an unsigned integer that sorts as the float does; NaN comes last. */
// @ts-ignore: decorator
@inline
function sortable(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  if (value != value) return 0xffffffff;
  return bits & 0x80000000 ? ~bits : bits | 0x80000000;
}

/** The float of such an integer. */
// @ts-ignore: decorator
@inline
function floatAt(keys: usize, i: i32): f32 {
  const key = load<u32>(keys + (<usize>i << 2));
  return reinterpret<f32>(key & 0x80000000 ? key & 0x7fffffff : ~key);
}

/**
 * Sorts floats as integers by radix; `keys` and `others` hold a word for each.
 *
 * @returns which of them holds the result
 */
function sortColumn(values: usize, keys: usize, others: usize, digits: usize, count: i32): usize {
  for (let i = 0; i < count; i++)
    store<u32>(keys + (<usize>i << 2), sortable(load<f32>(values + (<usize>i << 2))));
  for (let shift = 0; shift < 32; shift += 8) {
    memory.fill(digits, 0, 1024);
    for (let i = 0; i < count; i++) {
      const digit = digits + ((<usize>(load<u32>(keys + (<usize>i << 2)) >> shift) & 255) << 2);
      store<i32>(digit, load<i32>(digit) + 1);
    }
    // A digit that all keys share moves nothing.
    if (load<i32>(digits + ((<usize>(load<u32>(keys) >> shift) & 255) << 2)) == count) continue;
    let total = 0;
    for (let digit: usize = 0; digit < 1024; digit += 4) {
      const own = load<i32>(digits + digit);
      store<i32>(digits + digit, total);
      total += own;
    }
    for (let i = 0; i < count; i++) {
      const key = load<u32>(keys + (<usize>i << 2));
      const digit = digits + ((<usize>(key >> shift) & 255) << 2);
      const to = load<i32>(digit);
      store<i32>(digit, to + 1);
      store<u32>(others + (<usize>to << 2), key);
    }
    const swap = keys; keys = others; others = swap;
  }
  return keys;
}

/**
 * Thresholds of sorted values: halfway between distinct ones where there are at most 256, else 255
 * quantiles without repetitions.
 *
 * @returns their number
 */
function cutsOf(sorted: usize, cuts: usize, count: i32): i32 {
  let cut = 0;
  for (let i = 1; i < count; i++) {
    const before = floatAt(sorted, i - 1), value = floatAt(sorted, i);
    if (value == before) continue;
    if (cut == CUTS) {
      cut = CUTS + 1;
      break;
    }
    store<f32>(cuts + (<usize>(cut++) << 2), <f32>((<f64>before + <f64>value) / 2));
  }
  if (cut <= CUTS) return cut;
  cut = 0;
  for (let i = 1; i < BINS; i++) {
    const value = floatAt(sorted, <i32>(<i64>i * count / BINS));
    if (cut > 0 && value == load<f32>(cuts + (<usize>(cut - 1) << 2))) continue;
    store<f32>(cuts + (<usize>(cut++) << 2), value);
  }
  return cut;
}

/**
 * Quantises columns of values[·, rows]: cuts[column, 255] holds the thresholds of each, ascending,
 * counts[column] their number, and codes[·, rows] how many of them lie below each value. `scratch`
 * holds 2·rows + 256 words a thread. Tasks count columns.
 */
export function binColumns(values: usize, codes: usize, cuts: usize, counts: usize, rows: i32, scratch: usize, begin: i32, end: i32): void {
  const bytes = <usize>rows << 2;
  const keys = ownScratch(scratch, (2 * rows + BINS) << 2);
  for (let column = <usize>begin; column < <usize>end; column++) {
    const own = values + column * bytes;
    const limits = cuts + column * (CUTS << 2);
    const sorted = sortColumn(own, keys, keys + bytes, keys + 2 * bytes, rows);
    const count = cutsOf(sorted, limits, rows);
    store<i32>(counts + (column << 2), count);
    // No value lies above the thresholds that are missing.
    for (let cut = count; cut < CUTS; cut++) store<f32>(limits + (<usize>cut << 2), Infinity);
    const out = codes + column * rows;
    for (let row: usize = 0; row < <usize>rows; row++) {
      const value = load<f32>(own + (row << 2));
      let below: usize = 0;
      for (let step: usize = 128; step > 0; step >>= 1)
        below += load<f32>(limits + ((below + step - 1) << 2)) < value ? step : 0;
      store<u8>(out + row, <u8>below);
    }
  }
}

/**
 * Histograms of the rows order[0 … count − 1] over columns[begin … end − 1]: for each bin both sums
 * of pairs[row], in the order of the rows, in f64 from histogram[starts[c]] on. `scratch` holds 16
 * KiB a thread.
 */
export function nodeHistogram(
  codes: usize, rows: i32, order: usize, pairs: usize, columns: usize, starts: usize, histogram: usize, count: i32, scratch: usize, begin: i32, end: i32,
): void {
  const from = <usize>load<i32>(starts + (<usize>begin << 2));
  const to = <usize>load<i32>(starts + (<usize>end << 2));
  memory.fill(histogram + (from << 3), 0, (to - from) << 3);
  const gathered = ownScratch(scratch, BLOCK << 4);
  for (let first = 0; first < count; first += BLOCK) {
    const length = <usize>min(BLOCK, count - first);
    const block = order + (<usize>first << 2);
    for (let i: usize = 0; i < length; i++)
      v128.store(gathered + (i << 4), v128.load(pairs + (<usize>load<i32>(block + (i << 2)) << 4)));
    for (let c = <usize>begin; c < <usize>end; c++) {
      const own = codes + <usize>load<i32>(columns + (c << 2)) * rows;
      const sums = histogram + (<usize>load<i32>(starts + (c << 2)) << 3);
      for (let i: usize = 0; i < length; i++) {
        const at = sums + (<usize>load<u8>(own + load<i32>(block + (i << 2))) << 4);
        v128.store(at, f64x2.add(v128.load(at), v128.load(gathered + (i << 4))));
      }
    }
  }
}

/**
 * Splits the rows order[0 … count − 1] in chunks of `perChunk`: those with codes ≤ bin move to the
 * front of their chunk, the others to the same place of `aside`, both in order; counts[chunk] is
 * the number of the first. Tasks count chunks.
 */
export function splitRows(codes: usize, order: usize, aside: usize, counts: usize, bin: i32, count: i32, perChunk: i32, begin: i32, end: i32): void {
  for (let chunk = begin; chunk < end; chunk++) {
    const first = chunk * perChunk;
    const last = min(first + perChunk, count);
    let left = order + (<usize>first << 2);
    let right = aside + (<usize>first << 2);
    for (let i = first; i < last; i++) {
      const row = load<i32>(order + (<usize>i << 2));
      store<i32>(left, row);
      store<i32>(right, row);
      const isRight = <usize>(<i32>load<u8>(codes + row) > bin);
      left += (1 - isRight) << 2;
      right += isRight << 2;
    }
    store<i32>(counts + (<usize>chunk << 2), <i32>((left - order) >> 2) - first);
  }
}
