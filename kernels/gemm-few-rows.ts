// Products of few rows, where packing B would cost more than multiplying: B is read once, where it
// lies. The shared dimension is cut into blocks, summed in f32, and the blocks' sums are added in
// f64, so that the error grows with a block and not with k.

import { activate } from "./activation";
import { multiplyAdd } from "./math";
import { Optional } from "./optional";
import { dot } from "./sparse";
import { ownTile } from "./thread";

/** Columns of a strip. */
const STRIP: i32 = 16;
/** Length of a block of the shared dimension. */
const BLOCK: i32 = 1024;

/**
 * C = activation(A·B + bias). A is m×k, row-major. B is k×n, or n×k when `transposed`. Tasks
 * [begin, end) count strips of 16 columns.
 */
export function gemmFewRows(
  a: usize, b: usize, c: usize, bias: Optional, m: i32, n: i32, k: i32, transposed: i32, activation: i32, begin: i32, end: i32,
): void {
  for (let strip = begin; strip < end; strip++) {
    const column = strip * STRIP;
    const columns = min(STRIP, n - column);
    for (let row = 0; row < m; row++) {
      const source = a + ((<usize>row * k) << 2);
      const target = c + ((<usize>row * n + column) << 2);
      if (transposed || n == 1) {
        for (let j = 0; j < columns; j++) {
          store<f32>(target + (<usize>j << 2), dot(source, b + ((<usize>(column + j) * k) << 2), k));
        }
      } else {
        rowTimesStrip(source, b + (<usize>column << 2), target, n, k, columns);
      }
      for (let j = 0; j < columns; j++) {
        const at = <usize>j << 2;
        let value = load<f32>(target + at);
        if (bias != 0) value += load<f32>(bias + (<usize>column << 2) + at);
        store<f32>(target + at, f32x4.extract_lane(activate(activation, f32x4.splat(value)), 0));
      }
    }
  }
}

/** c = a·B for `columns` ≤ 16 columns of B [k, n]. */
function rowTimesStrip(a: usize, b: usize, c: usize, n: i32, k: i32, columns: i32): void {
  const stride = <usize>n << 2;
  if (k <= BLOCK) {
    blockTimesStrip(a, b, c, stride, k, columns);
    return;
  }
  const sums = ownTile();
  memory.fill(sums, 0, STRIP << 3);
  for (let first = 0; first < k; first += BLOCK) {
    blockTimesStrip(a + (<usize>first << 2), b + <usize>first * stride, c, stride, min(BLOCK, k - first), columns);
    for (let j = 0; j < columns; j++) {
      const sum = sums + (<usize>j << 3);
      store<f64>(sum, load<f64>(sum) + load<f32>(c + (<usize>j << 2)));
    }
  }
  for (let j = 0; j < columns; j++) store<f32>(c + (<usize>j << 2), <f32>load<f64>(sums + (<usize>j << 3)));
}

function blockTimesStrip(a: usize, b: usize, c: usize, stride: usize, depth: i32, columns: i32): void {
  if (columns == STRIP) {
    blockTimesSixteen(a, b, c, stride, depth);
    return;
  }
  let j = 0;
  for (; j + 4 <= columns; j += 4) blockTimesFour(a, b + (<usize>j << 2), c + (<usize>j << 2), stride, depth);
  for (; j < columns; j++) blockTimesOne(a, b + (<usize>j << 2), c + (<usize>j << 2), stride, depth);
}

function blockTimesSixteen(a: usize, b: usize, c: usize, stride: usize, depth: i32): void {
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0;
  for (let p = 0; p < depth; p++) {
    const scalar = v128.load32_splat(a + (<usize>p << 2));
    c0 = multiplyAdd(scalar, v128.load(b), c0);
    c1 = multiplyAdd(scalar, v128.load(b, 16), c1);
    c2 = multiplyAdd(scalar, v128.load(b, 32), c2);
    c3 = multiplyAdd(scalar, v128.load(b, 48), c3);
    b += stride;
  }
  v128.store(c, c0);
  v128.store(c, c1, 16);
  v128.store(c, c2, 32);
  v128.store(c, c3, 48);
}

function blockTimesFour(a: usize, b: usize, c: usize, stride: usize, depth: i32): void {
  let even = f32x4.splat(0), odd = even;
  let p = 0;
  for (; p + 2 <= depth; p += 2) {
    even = multiplyAdd(v128.load32_splat(a), v128.load(b), even);
    odd = multiplyAdd(v128.load32_splat(a, 4), v128.load(b + stride), odd);
    a += 8;
    b += 2 * stride;
  }
  if (p < depth) even = multiplyAdd(v128.load32_splat(a), v128.load(b), even);
  v128.store(c, f32x4.add(even, odd));
}

function blockTimesOne(a: usize, b: usize, c: usize, stride: usize, depth: i32): void {
  let even: f32 = 0, odd: f32 = 0;
  let p = 0;
  for (; p + 2 <= depth; p += 2) {
    even += load<f32>(a) * load<f32>(b);
    odd += load<f32>(a, 4) * load<f32>(b + stride);
    a += 8;
    b += 2 * stride;
  }
  if (p < depth) even += load<f32>(a) * load<f32>(b);
  store<f32>(c, even + odd);
}
