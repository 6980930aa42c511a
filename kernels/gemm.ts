// Packed single-precision GEMM: C = activation(A · B + bias).
//
// A is cut into panels of 4 or 6 rows, B into panels of 8 columns, both stored with the shared
// dimension outermost, so that the inner loop reads two contiguous streams. Plain SIMD uses a 4×8
// tile: 8 accumulators, two vectors of B, one of A and the product before it is added. With fused
// multiply-add no product needs a register, so 6×8 just fits 15, if each scalar of A is splat right
// before its use; whether a runtime's compiler keeps it there is measured by the caller, who says
// how many rows a tile has. Each element of C is summed over k in ascending order within blocks of
// KC and the blocks in ascending order, whatever range of rows a thread is given, so results do not
// depend on the thread count.

import { activate, Activation } from "./activation";
import { multiplyAdd } from "./math";
import { ownScratch, ownTile } from "./thread";
import { Optional } from "./optional";

/** Columns of a packed panel of B. */
export const NR: i32 = 8;
/** Length of a block of the shared dimension: one panel of B is then 16 KiB and stays in L1. */
const KC: i32 = 512;

/**
 * Packs panels [begin, end) of a batch of k×n matrices B. `rowStride` and `columnStride` are in
 * elements, so a transposed B is the same call with the two exchanged. Layout: batch, block of KC,
 * panel, k, 8 columns (zero padded).
 */
export function gemmPackB(
  b: usize, packed: usize, k: i32, n: i32, rowStride: i32, columnStride: i32, batchStride: i32, begin: i32, end: i32,
): void {
  const panels = (n + NR - 1) / NR;
  for (let index = begin; index < end; index++) {
    const batch = index / panels;
    const panel = index % panels;
    const column = panel * NR;
    const width = min(NR, n - column);
    let source = b + (((<usize>batch) * batchStride + column * columnStride) << 2);
    const target = packed + (((<usize>batch) * panels * NR * k) << 2);
    for (let kBlock = 0; kBlock < k; kBlock += KC) {
      const depth = min(KC, k - kBlock);
      packPanel(source, target + (((<usize>kBlock) * panels * NR + panel * depth * NR) << 2), depth, width, rowStride, columnStride);
      source += (<usize>depth * rowStride) << 2;
    }
  }
}

/** Packs depth × width (at most 8) of B, zero padded to 8 columns. */
export function packPanel(source: usize, out: usize, depth: i32, width: i32, rowStride: i32, columnStride: i32): void {
  if (width == NR && columnStride == 1) {
    for (let p = 0; p < depth; p++) {
      v128.store(out, v128.load(source));
      v128.store(out, v128.load(source, 16), 16);
      out += NR << 2;
      source += rowStride << 2;
    }
  } else if (width == NR && rowStride == 1) {
    packTransposed8(source, out, depth, columnStride << 2);
  } else {
    for (let p = 0; p < depth; p++) {
      for (let j = 0; j < width; j++) store<f32>(out + (j << 2), load<f32>(source + ((j * columnStride) << 2)));
      for (let j = width; j < NR; j++) store<f32>(out + (j << 2), 0);
      out += NR << 2;
      source += rowStride << 2;
    }
  }
}

/** Interleaves 8 contiguous streams, `stride` bytes apart, into rows of 8. */
function packTransposed8(source: usize, out: usize, depth: i32, stride: usize): void {
  let p = 0;
  for (; p + 4 <= depth; p += 4) {
    transpose4(source, out, stride, NR << 2);
    transpose4(source + 4 * stride, out + 16, stride, NR << 2);
    source += 16;
    out += (4 * NR) << 2;
  }
  for (; p < depth; p++) {
    for (let j = 0; j < NR; j++) store<f32>(out + (j << 2), load<f32>(source + j * stride));
    source += 4;
    out += NR << 2;
  }
}

/** Transposes a 4×4 block: row strides in bytes. */
// @ts-ignore: decorator
@inline
export function transpose4(source: usize, target: usize, sourceStride: usize, targetStride: usize): void {
  transposeRows4(source, source + sourceStride, source + 2 * sourceStride, source + 3 * sourceStride, target, targetStride);
}

/** The same for four rows that lie anywhere. */
// @ts-ignore: decorator
@inline
function transposeRows4(a0: usize, a1: usize, a2: usize, a3: usize, target: usize, stride: usize): void {
  const r0 = v128.load(a0);
  const r1 = v128.load(a1);
  const r2 = v128.load(a2);
  const r3 = v128.load(a3);
  const lo01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const hi01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const lo23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const hi23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<f32>(lo01, lo23, 0, 1, 4, 5));
  v128.store(target + stride, v128.shuffle<f32>(lo01, lo23, 2, 3, 6, 7));
  v128.store(target + 2 * stride, v128.shuffle<f32>(hi01, hi23, 0, 1, 4, 5));
  v128.store(target + 3 * stride, v128.shuffle<f32>(hi01, hi23, 2, 3, 6, 7));
}

/**
 * Packs rows × depth of A into panels of `tileRows` rows, padding the last by repeating its final
 * row.
 */
export function packA(source: usize, packed: usize, rows: i32, depth: i32, rowStride: i32, columnStride: i32, tileRows: i32): void {
  for (let row = 0; row < rows; row += tileRows) {
    const last = rows - 1;
    const a0 = source + ((row * rowStride) << 2);
    const a1 = source + ((min(row + 1, last) * rowStride) << 2);
    const a2 = source + ((min(row + 2, last) * rowStride) << 2);
    const a3 = source + ((min(row + 3, last) * rowStride) << 2);
    packRows4(a0, a1, a2, a3, packed, depth, rowStride == 1 && row + 4 <= rows, columnStride, tileRows << 2);
    if (tileRows == 6) {
      const a4 = source + ((min(row + 4, last) * rowStride) << 2);
      const a5 = source + ((min(row + 5, last) * rowStride) << 2);
      packRows2(a4, a5, packed + 16, depth, columnStride, tileRows << 2);
    }
    packed += (<usize>tileRows * depth) << 2;
  }
}

/**
 * Interleaves four rows: element p of each goes to byte p·stride. `adjacent` says that the four lie
 * side by side at every p.
 */
function packRows4(a0: usize, a1: usize, a2: usize, a3: usize, packed: usize, depth: i32, adjacent: bool, columnStride: i32, stride: usize): void {
  let p = 0;
  if (adjacent) {
    for (; p < depth; p++) {
      v128.store(packed, v128.load(a0));
      a0 += columnStride << 2;
      packed += stride;
    }
  } else if (columnStride == 1) {
    for (; p + 4 <= depth; p += 4) {
      transposeRows4(a0, a1, a2, a3, packed, stride);
      a0 += 16; a1 += 16; a2 += 16; a3 += 16;
      packed += 4 * stride;
    }
  }
  const step = columnStride << 2;
  for (; p < depth; p++) {
    store<f32>(packed, load<f32>(a0));
    store<f32>(packed, load<f32>(a1), 4);
    store<f32>(packed, load<f32>(a2), 8);
    store<f32>(packed, load<f32>(a3), 12);
    a0 += step; a1 += step; a2 += step; a3 += step;
    packed += stride;
  }
}

/** Interleaves two rows likewise. */
function packRows2(a0: usize, a1: usize, packed: usize, depth: i32, columnStride: i32, stride: usize): void {
  const step = columnStride << 2;
  for (let p = 0; p < depth; p++) {
    store<f32>(packed, load<f32>(a0));
    store<f32>(packed, load<f32>(a1), 4);
    a0 += step; a1 += step;
    packed += stride;
  }
}

/**
 * C = activation(A · B + bias) for row blocks [begin, end) of a batch, where a block is `blockRows`
 * rows of one matrix. `scratch` holds blockRows × min(k, KC) floats a thread. `bias` is 0 or the
 * offset of n floats; `activation` a code of activation.ts; `tileRows` 4 or 6, of which `blockRows`
 * is a multiple.
 */
export function gemm(
  a: usize, packedB: usize, c: usize, bias: Optional, scratch: usize, m: i32, n: i32, k: i32,
  rowStride: i32, columnStride: i32, batchStride: i32, activation: i32, blockRows: i32, tileRows: i32, begin: i32, end: i32,
): void {
  const panels = (n + NR - 1) / NR;
  const blocksPerMatrix = (m + blockRows - 1) / blockRows;
  const packedA = ownScratch(scratch, (blockRows * min(KC, k)) << 2);
  for (let index = begin; index < end; index++) {
    const batch = index / blocksPerMatrix;
    const row = (index % blocksPerMatrix) * blockRows;
    const rows = min(blockRows, m - row);
    const matrixA = a + (((<usize>batch) * batchStride + <usize>row * rowStride) << 2);
    const matrixB = packedB + (((<usize>batch) * panels * NR * k) << 2);
    const matrixC = c + ((((<usize>batch) * m + row) * n) << 2);
    for (let kBlock = 0; kBlock < k || kBlock == 0; kBlock += KC) {
      const depth = min(KC, k - kBlock);
      packA(matrixA + ((<usize>kBlock * columnStride) << 2), packedA, rows, depth, rowStride, columnStride, tileRows);
      const first = kBlock == 0;
      const last = kBlock + KC >= k;
      for (let panel = 0; panel < panels; panel++) {
        const column = panel * NR;
        const panelB = matrixB + (((<usize>kBlock) * panels * NR + panel * depth * NR) << 2);
        const panelBias = first && bias != 0 ? bias + (column << 2) : 0;
        multiplyPanel(
          packedA, panelB, matrixC + (<usize>column << 2), panelBias, 0, 0, rows, depth, tileRows, n, min(NR, n - column), !first,
          last ? activation : Activation.None,
        );
      }
    }
  }
}

/**
 * C = A · Bₑ + bias for blocks of rows that each have a matrix of their own: `table` holds for each
 * block its first row, its number of rows, and the packed offset of its matrix in floats. `scratch`
 * holds blockRows × min(k, KC) floats a thread. Tasks count blocks.
 */
export function gemmGrouped(
  a: usize, packedB: usize, c: usize, table: usize, scratch: usize, n: i32, k: i32, blockRows: i32, tileRows: i32, begin: i32, end: i32,
): void {
  const panels = (n + NR - 1) / NR;
  const packedA = ownScratch(scratch, (blockRows * min(KC, k)) << 2);
  for (let block = begin; block < end; block++) {
    const entry = table + <usize>block * 12;
    const row = load<i32>(entry);
    const rows = load<i32>(entry, 4);
    const matrix = packedB + (<usize>load<i32>(entry, 8) << 2);
    for (let kBlock = 0; kBlock < k; kBlock += KC) {
      const depth = min(KC, k - kBlock);
      packA(a + ((<usize>row * k + kBlock) << 2), packedA, rows, depth, k, 1, tileRows);
      for (let panel = 0; panel < panels; panel++) {
        const column = panel * NR;
        const panelB = matrix + (((<usize>kBlock) * panels * NR + panel * depth * NR) << 2);
        const target = c + ((<usize>row * n + column) << 2);
        multiplyPanel(packedA, panelB, target, 0, 0, 0, rows, depth, tileRows, n, min(NR, n - column), kBlock > 0, Activation.None);
      }
    }
  }
}

/**
 * Rows of packed A times one packed panel of B: C[rows, ≤ 8] = activation(A·B + columnBias +
 * rowBias + residual), C's rows `stride` floats apart, the residual's too; with `accumulate` C's
 * old values are added. Offsets of 0 leave a term out.
 */
// @ts-ignore: decorator
@inline
export function multiplyPanel(
  packedA: usize, panelB: usize, c: usize, columnBias: usize, rowBias: usize, residual: usize, rows: i32, depth: i32, tileRows: i32,
  stride: i32, columns: i32, accumulate: bool, activation: i32,
): void {
  for (let tile = 0; tile < rows; tile += tileRows) {
    const panelA = packedA + ((<usize>tile * depth) << 2);
    const offset = (<usize>tile * stride) << 2;
    const target = c + offset;
    const addend = residual != 0 ? residual + offset : 0;
    const shift = rowBias != 0 ? rowBias + (<usize>tile << 2) : 0;
    const height = min(tileRows, rows - tile);
    if (height > 4) tile6x8(panelA, panelB, target, columnBias, shift, addend, depth, stride, height, columns, accumulate, activation);
    else tile4x8(panelA, panelB, target, columnBias, shift, addend, depth, tileRows << 2, stride, height, columns, accumulate, activation);
  }
}

// @ts-ignore: decorator
@inline
function rowStart(rowBias: usize, row: usize): v128 {
  return rowBias != 0 ? v128.load32_splat(rowBias + (row << 2)) : f32x4.splat(0);
}

/** Up to 4 rows × up to 8 columns of C from packed panels; panels of A advance by `step` bytes. */
function tile4x8(
  a: usize, b: usize, c: usize, columnBias: usize, rowBias: usize, residual: usize, depth: i32, step: i32, n: i32, rows: i32, columns: i32,
  accumulate: bool, activation: i32,
): void {
  let c00 = rowStart(rowBias, 0), c10 = rowStart(rowBias, 1), c20 = rowStart(rowBias, 2), c30 = rowStart(rowBias, 3);
  let c01 = c00, c11 = c10, c21 = c20, c31 = c30;
  const end = a + depth * step;
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load32_splat(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load32_splat(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load32_splat(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
    a += step;
    b += NR << 2;
  }
  if (columns == NR && !accumulate && residual == 0 && activation <= Activation.Relu6) {
    if (columnBias != 0) {
      const left = v128.load(columnBias), right = v128.load(columnBias, 16);
      c00 = f32x4.add(c00, left); c01 = f32x4.add(c01, right);
      c10 = f32x4.add(c10, left); c11 = f32x4.add(c11, right);
      c20 = f32x4.add(c20, left); c21 = f32x4.add(c21, right);
      c30 = f32x4.add(c30, left); c31 = f32x4.add(c31, right);
    }
    if (activation != Activation.None) {
      const low = f32x4.splat(0), high = f32x4.splat(activation == Activation.Relu6 ? 6 : Infinity);
      c00 = clamp(c00, low, high); c01 = clamp(c01, low, high);
      c10 = clamp(c10, low, high); c11 = clamp(c11, low, high);
      c20 = clamp(c20, low, high); c21 = clamp(c21, low, high);
      c30 = clamp(c30, low, high); c31 = clamp(c31, low, high);
    }
    const row = <usize>n << 2;
    storePair(c, c00, c01);
    if (rows > 1) storePair(c + row, c10, c11);
    if (rows > 2) storePair(c + 2 * row, c20, c21);
    if (rows > 3) storePair(c + 3 * row, c30, c31);
    return;
  }
  const tile = ownTile();
  storePair(tile, c00, c01);
  storePair(tile + 32, c10, c11);
  storePair(tile + 64, c20, c21);
  storePair(tile + 96, c30, c31);
  finishTile(tile, c, columnBias, residual, n, rows, columns, accumulate, activation);
}

/** 5 or 6 rows × up to 8 columns. */
function tile6x8(
  a: usize, b: usize, c: usize, columnBias: usize, rowBias: usize, residual: usize, depth: i32, n: i32, rows: i32, columns: i32,
  accumulate: bool, activation: i32,
): void {
  let c00 = rowStart(rowBias, 0), c10 = rowStart(rowBias, 1), c20 = rowStart(rowBias, 2), c30 = rowStart(rowBias, 3);
  let c40 = rowStart(rowBias, 4), c50 = rowStart(rowBias, 5);
  let c01 = c00, c11 = c10, c21 = c20, c31 = c30, c41 = c40, c51 = c50;
  const end = a + ((depth * 6) << 2);
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load32_splat(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load32_splat(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load32_splat(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
    const a4 = v128.load32_splat(a, 16);
    c40 = multiplyAdd(a4, b0, c40);
    c41 = multiplyAdd(a4, b1, c41);
    const a5 = v128.load32_splat(a, 20);
    c50 = multiplyAdd(a5, b0, c50);
    c51 = multiplyAdd(a5, b1, c51);
    a += 24;
    b += 32;
  }
  if (columns == NR && !accumulate && residual == 0 && activation <= Activation.Relu6) {
    if (columnBias != 0) {
      const left = v128.load(columnBias), right = v128.load(columnBias, 16);
      c00 = f32x4.add(c00, left); c01 = f32x4.add(c01, right);
      c10 = f32x4.add(c10, left); c11 = f32x4.add(c11, right);
      c20 = f32x4.add(c20, left); c21 = f32x4.add(c21, right);
      c30 = f32x4.add(c30, left); c31 = f32x4.add(c31, right);
      c40 = f32x4.add(c40, left); c41 = f32x4.add(c41, right);
      c50 = f32x4.add(c50, left); c51 = f32x4.add(c51, right);
    }
    if (activation != Activation.None) {
      const low = f32x4.splat(0), high = f32x4.splat(activation == Activation.Relu6 ? 6 : Infinity);
      c00 = clamp(c00, low, high); c01 = clamp(c01, low, high);
      c10 = clamp(c10, low, high); c11 = clamp(c11, low, high);
      c20 = clamp(c20, low, high); c21 = clamp(c21, low, high);
      c30 = clamp(c30, low, high); c31 = clamp(c31, low, high);
      c40 = clamp(c40, low, high); c41 = clamp(c41, low, high);
      c50 = clamp(c50, low, high); c51 = clamp(c51, low, high);
    }
    const row = <usize>n << 2;
    storePair(c, c00, c01);
    storePair(c + row, c10, c11);
    storePair(c + 2 * row, c20, c21);
    storePair(c + 3 * row, c30, c31);
    storePair(c + 4 * row, c40, c41);
    if (rows > 5) storePair(c + 5 * row, c50, c51);
    return;
  }
  const tile = ownTile();
  storePair(tile, c00, c01);
  storePair(tile + 32, c10, c11);
  storePair(tile + 64, c20, c21);
  storePair(tile + 96, c30, c31);
  storePair(tile + 128, c40, c41);
  storePair(tile + 160, c50, c51);
  finishTile(tile, c, columnBias, residual, n, rows, columns, accumulate, activation);
}

// @ts-ignore: decorator
@inline
function clamp(x: v128, low: v128, high: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, low), high);
}

// @ts-ignore: decorator
@inline
function storePair(at: usize, lo: v128, hi: v128): void {
  v128.store(at, lo);
  v128.store(at, hi, 16);
}

/**
 * The rest of a tile's work where its sums are not the result yet. It has a function of its own,
 * and the sums pass through memory, because a call among the accumulators makes the compiler keep
 * them there all along.
 */
function finishTile(
  tile: usize, c: usize, columnBias: usize, residual: usize, n: i32, rows: i32, columns: i32, accumulate: bool, activation: i32,
): void {
  const row = <usize>n << 2;
  for (let i = 0; i < rows; i++) {
    let j = 0;
    for (; j + 4 <= columns; j += 4) {
      const at = <usize>j << 2;
      let value = v128.load(tile + at);
      if (accumulate) value = f32x4.add(v128.load(c + at), value);
      if (columnBias != 0) value = f32x4.add(value, v128.load(columnBias + at));
      if (residual != 0) value = f32x4.add(value, v128.load(residual + at));
      v128.store(c + at, activate(activation, value));
    }
    for (; j < columns; j++) {
      const at = <usize>j << 2;
      let value = v128.load32_zero(tile + at);
      if (accumulate) value = f32x4.add(v128.load32_zero(c + at), value);
      if (columnBias != 0) value = f32x4.add(value, v128.load32_zero(columnBias + at));
      if (residual != 0) value = f32x4.add(value, v128.load32_zero(residual + at));
      v128.store_lane<f32>(c + at, activate(activation, value), 0);
    }
    tile += NR << 2;
    c += row;
    if (residual != 0) residual += row;
  }
}
