// Scaled dot-product attention in blocks of 64 queries × 64 keys (Dao et al. 2022): scores live in a block of scratch, softmax is carried on from block to block, so memory grows with the
// length and not with its square. The gradient makes the scores again from each query's logarithm of its softmax sum: one pass over queries for theirs, one over keys for keys
// and values, so no two threads ever add to the same place.

import { multiplyPanel, NR, packA, packPanel } from "./gemm";
import { expNonPositive, logVector, maxLanes, sumLanes } from "./math";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/** Queries and keys of a block. */
const BLOCK: i32 = 64;
const TILE_ROWS: i32 = 4;

/** Words of the geometry that src/engine/cpu/attention.ts writes; Scale is an f32. */
enum Word {
  Heads, KeyHeads, Queries, Keys, Depth, ValueDepth,
  /** 1: query i sees keys up to i + Keys − Queries. */
  Causal,
  /** Above 0: query i sees keys less than so far from i + Keys − Queries. */
  Window,
  /** Strides of the mask in floats, by batch and by head (0 where it is shared). */
  MaskBatch, MaskHead,
  Scale,
  /** Floats from the keys of one head to those of the next, and of the values: a cache has room after them. The forward pass alone reads these. */
  KeyStride, ValueStride,
}

// @ts-ignore: decorator
@inline
function word(geometry: usize, index: i32): i32 {
  return load<i32>(geometry + (<usize>index << 2));
}

/** Position among the keys that a query stands at. */
// @ts-ignore: decorator
@inline
function place(geometry: usize, query: i32): i32 {
  return query + word(geometry, Word.Keys) - word(geometry, Word.Queries);
}

/** First key that a query sees. */
// @ts-ignore: decorator
@inline
function firstKey(geometry: usize, query: i32): i32 {
  const window = word(geometry, Word.Window);
  return window > 0 ? max(0, place(geometry, query) - window + 1) : 0;
}

/** Key after the last that a query sees. */
// @ts-ignore: decorator
@inline
function endKey(geometry: usize, query: i32): i32 {
  const keys = word(geometry, Word.Keys);
  if (word(geometry, Word.Causal)) return min(keys, place(geometry, query) + 1);
  const window = word(geometry, Word.Window);
  return window > 0 ? min(keys, place(geometry, query) + window) : keys;
}

// @ts-ignore: decorator
@inline
function panelsOf(columns: i32): i32 {
  return (columns + NR - 1) / NR;
}

/** Packs `columns` × depth of B, given where its element (0, 0) lies and its strides in floats. */
function packBlock(source: usize, packed: usize, depth: i32, columns: i32, rowStride: i32, columnStride: i32): void {
  for (let column = 0; column < columns; column += NR) {
    packPanel(source + ((<usize>column * columnStride) << 2), packed, depth, min(NR, columns - column), rowStride, columnStride);
    packed += (<usize>depth * NR) << 2;
  }
}

/** C[rows, columns] (+)= packed A · packed B, rows of C `stride` floats apart. */
function multiplyBlock(packedA: usize, packedB: usize, c: usize, rows: i32, columns: i32, depth: i32, stride: i32, accumulate: bool): void {
  for (let column = 0; column < columns; column += NR) {
    multiplyPanel(packedA, packedB, c + (<usize>column << 2), 0, 0, 0, rows, depth, TILE_ROWS, stride, min(NR, columns - column), accumulate, 0);
    packedB += (<usize>depth * NR) << 2;
  }
}

/** Scores of a block ← scale·scores + mask, −∞ where a query must not see a key and up to the next whole vector. */
function maskScores(scores: usize, mask: usize, geometry: usize, query: i32, rows: i32, key: i32, columns: i32): void {
  const scale = load<f32>(geometry + (Word.Scale << 2));
  const factor = f32x4.splat(scale);
  const keys = word(geometry, Word.Keys);
  const whole = (columns + 3) & ~3;
  for (let row = 0; row < rows; row++) {
    const line = scores + ((<usize>row * BLOCK) << 2);
    for (let i = 0; i < whole; i += 4) {
      const at = line + (<usize>i << 2);
      v128.store(at, f32x4.mul(v128.load(at), factor));
    }
    if (mask != 0) {
      const addends = mask + ((<usize>(query + row) * keys + key) << 2);
      for (let i = 0; i < columns; i++) {
        const at = <usize>i << 2;
        store<f32>(line + at, load<f32>(line + at) + load<f32>(addends + at));
      }
    }
    const first = firstKey(geometry, query + row) - key;
    const end = min(columns, endKey(geometry, query + row) - key);
    for (let i = 0; i < min(first, whole); i++) store<f32>(line + (<usize>i << 2), -Infinity);
    for (let i = max(end, 0); i < whole; i++) store<f32>(line + (<usize>i << 2), -Infinity);
  }
}

// @ts-ignore: decorator
@inline
function maskOf(mask: usize, geometry: usize, index: i32): usize {
  if (mask == 0) return 0;
  const heads = word(geometry, Word.Heads);
  return mask + (<usize>(index / heads * word(geometry, Word.MaskBatch) + index % heads * word(geometry, Word.MaskHead)) << 2);
}

/** Which (batch, key head) a (batch, head) reads. */
// @ts-ignore: decorator
@inline
function keyHeadOf(geometry: usize, index: i32): i32 {
  const heads = word(geometry, Word.Heads);
  const keyHeads = word(geometry, Word.KeyHeads);
  return index / heads * keyHeads + index % heads * keyHeads / heads;
}

/**
 * y = softmax(scale·q·kᵀ + mask)·v and the logarithm of each query's softmax sum; a query that sees no key gives 0 and −∞. Tasks count (batch, head, block of queries).
 * q [b, heads, queries, depth], k [b, keyHeads, keys, depth], v [b, keyHeads, keys, valueDepth].
 */
export function attention(
  q: usize, k: usize, v: usize, mask: Optional, y: usize, logSums: usize, scratch: usize, scratchBytes: i32, geometry: usize, begin: i32, end: i32,
): void {
  const queries = word(geometry, Word.Queries);
  const keys = word(geometry, Word.Keys);
  const depth = word(geometry, Word.Depth);
  const valueDepth = word(geometry, Word.ValueDepth);
  const blocks = (queries + BLOCK - 1) / BLOCK;
  const packedQ = ownScratch(scratch, scratchBytes);
  const packedK = packedQ + ((BLOCK * depth) << 2);
  const packedV = packedK + ((BLOCK * depth) << 2);
  const scores = packedV + ((BLOCK * panelsOf(valueDepth) * NR) << 2);
  const packedScores = scores + ((BLOCK * BLOCK) << 2);
  const peaks = packedScores + ((BLOCK * BLOCK) << 2);
  const sums = peaks + (BLOCK << 2);
  for (let task = begin; task < end; task++) {
    const index = task / blocks;
    const query = (task % blocks) * BLOCK;
    const rows = min(BLOCK, queries - query);
    const source = keyHeadOf(geometry, index);
    const keysAt = k + ((<usize>source * word(geometry, Word.KeyStride)) << 2);
    const valuesAt = v + ((<usize>source * word(geometry, Word.ValueStride)) << 2);
    const headMask = maskOf(mask, geometry, index);
    const output = y + (((<usize>index * queries + query) * valueDepth) << 2);
    packA(q + (((<usize>index * queries + query) * depth) << 2), packedQ, rows, depth, depth, 1, TILE_ROWS);
    memory.fill(output, 0, <usize>(rows * valueDepth) << 2);
    for (let row = 0; row < rows; row++) {
      store<f32>(peaks + (<usize>row << 2), -Infinity);
      store<f32>(sums + (<usize>row << 2), 0);
    }
    const stop = endKey(geometry, query + rows - 1);
    for (let key = firstKey(geometry, query) / BLOCK * BLOCK; key < stop; key += BLOCK) {
      const columns = min(BLOCK, keys - key);
      packBlock(keysAt + ((<usize>key * depth) << 2), packedK, depth, columns, 1, depth);
      multiplyBlock(packedQ, packedK, scores, rows, columns, depth, BLOCK, false);
      maskScores(scores, headMask, geometry, query, rows, key, columns);
      for (let row = 0; row < rows; row++) {
        softmaxStep(scores + ((<usize>row * BLOCK) << 2), columns, peaks + (<usize>row << 2), sums + (<usize>row << 2), output + ((<usize>row * valueDepth) << 2), valueDepth);
      }
      packA(scores, packedScores, rows, columns, BLOCK, 1, TILE_ROWS);
      packBlock(valuesAt + ((<usize>key * valueDepth) << 2), packedV, columns, valueDepth, valueDepth, 1);
      multiplyBlock(packedScores, packedV, output, rows, valueDepth, columns, valueDepth, true);
    }
    for (let row = 0; row < rows; row++) {
      const total = load<f32>(sums + (<usize>row << 2));
      const line = output + ((<usize>row * valueDepth) << 2);
      if (total > 0) scaleRow(line, valueDepth, 1 / total);
      else if (total != total) scaleRow(line, valueDepth, total);
      store<f32>(logSums + ((<usize>index * queries + query + row) << 2), load<f32>(peaks + (<usize>row << 2)) + logOf(total));
    }
  }
}

// @ts-ignore: decorator
@inline
function logOf(value: f32): f32 {
  return f32x4.extract_lane(logVector(f32x4.splat(value)), 0);
}

/** Turns a row of scores into exp(score − peak) with the peak so far, and scales what earlier blocks summed down to it. */
function softmaxStep(line: usize, columns: i32, peakAt: usize, sumAt: usize, output: usize, valueDepth: i32): void {
  const before = load<f32>(peakAt);
  const stop = line + (<usize>((columns + 3) & ~3) << 2);
  let top = f32x4.splat(before);
  for (let at = line; at < stop; at += 16) top = f32x4.max(v128.load(at), top);
  const peak = maxLanes(top);
  // A row that has seen no key yet keeps −∞; its exponentials are all 0.
  const shift = f32x4.splat(peak == -Infinity ? 0 : peak);
  let total = f32x4.splat(0);
  for (let at = line; at < stop; at += 16) {
    const e = expNonPositive(f32x4.sub(v128.load(at), shift));
    total = f32x4.add(total, e);
    v128.store(at, e);
  }
  const sum = load<f32>(sumAt);
  if (sum != 0 && peak != before) {
    const factor = f32x4.extract_lane(expNonPositive(f32x4.splat(before - peak)), 0);
    scaleRow(output, valueDepth, factor);
    store<f32>(sumAt, sum * factor + sumLanes(total));
  } else {
    store<f32>(sumAt, sum + sumLanes(total));
  }
  store<f32>(peakAt, peak);
}

function scaleRow(row: usize, n: i32, factor: f32): void {
  const stop = row + (<usize>n << 2);
  const scale = f32x4.splat(factor);
  for (; row + 16 <= stop; row += 16) v128.store(row, f32x4.mul(v128.load(row), scale));
  for (; row < stop; row += 4) store<f32>(row, load<f32>(row) * factor);
}

/** From scores: the softmax p in place, and gradients ← scale·p·(gradients − delta), where `gradients` holds those of p. */
function softmaxGradient(scores: usize, gradients: usize, geometry: usize, logSums: usize, deltas: usize, rows: i32, columns: i32): void {
  const scale = f32x4.splat(load<f32>(geometry + (Word.Scale << 2)));
  for (let row = 0; row < rows; row++) {
    const logSum = load<f32>(logSums + (<usize>row << 2));
    const shift = f32x4.splat(logSum == -Infinity ? 0 : logSum);
    const delta = v128.load32_splat(deltas + (<usize>row << 2));
    const line = (<usize>row * BLOCK) << 2;
    const stop = line + (<usize>((columns + 3) & ~3) << 2);
    for (let at = line; at < stop; at += 16) {
      const p = expNonPositive(f32x4.sub(v128.load(scores + at), shift));
      v128.store(scores + at, p);
      // Columns that do not exist hold whatever was there: p is 0, but 0·NaN is not.
      const flow = f32x4.mul(f32x4.mul(p, scale), f32x4.sub(v128.load(gradients + at), delta));
      v128.store(gradients + at, v128.and(flow, f32x4.ne(p, f32x4.splat(0))));
    }
  }
}

/** Gradient of the queries. `deltas` holds Σ gradient·y for each query. Tasks count (batch, head, block of queries). */
export function attentionQueryGradient(
  q: usize, k: usize, v: usize, mask: Optional, gradient: usize, logSums: usize, deltas: usize, dq: usize, scratch: usize, scratchBytes: i32,
  geometry: usize, begin: i32, end: i32,
): void {
  const queries = word(geometry, Word.Queries);
  const keys = word(geometry, Word.Keys);
  const depth = word(geometry, Word.Depth);
  const valueDepth = word(geometry, Word.ValueDepth);
  const blocks = (queries + BLOCK - 1) / BLOCK;
  const packedQ = ownScratch(scratch, scratchBytes);
  const packedG = packedQ + ((BLOCK * depth) << 2);
  const packedB = packedG + ((BLOCK * valueDepth) << 2);
  const scores = packedB + ((BLOCK * panelsOf(max(depth, valueDepth)) * NR) << 2);
  const flows = scores + ((BLOCK * BLOCK) << 2);
  const packedFlows = flows + ((BLOCK * BLOCK) << 2);
  for (let task = begin; task < end; task++) {
    const index = task / blocks;
    const query = (task % blocks) * BLOCK;
    const rows = min(BLOCK, queries - query);
    const source = keyHeadOf(geometry, index);
    const keysAt = k + ((<usize>source * keys * depth) << 2);
    const valuesAt = v + ((<usize>source * keys * valueDepth) << 2);
    const headMask = maskOf(mask, geometry, index);
    const first = <usize>index * queries + query;
    const output = dq + ((first * depth) << 2);
    packA(q + ((first * depth) << 2), packedQ, rows, depth, depth, 1, TILE_ROWS);
    packA(gradient + ((first * valueDepth) << 2), packedG, rows, valueDepth, valueDepth, 1, TILE_ROWS);
    memory.fill(output, 0, <usize>(rows * depth) << 2);
    const stop = endKey(geometry, query + rows - 1);
    for (let key = firstKey(geometry, query) / BLOCK * BLOCK; key < stop; key += BLOCK) {
      const columns = min(BLOCK, keys - key);
      packBlock(keysAt + ((<usize>key * depth) << 2), packedB, depth, columns, 1, depth);
      multiplyBlock(packedQ, packedB, scores, rows, columns, depth, BLOCK, false);
      maskScores(scores, headMask, geometry, query, rows, key, columns);
      packBlock(valuesAt + ((<usize>key * valueDepth) << 2), packedB, valueDepth, columns, 1, valueDepth);
      multiplyBlock(packedG, packedB, flows, rows, columns, valueDepth, BLOCK, false);
      softmaxGradient(scores, flows, geometry, logSums + (first << 2), deltas + (first << 2), rows, columns);
      packA(flows, packedFlows, rows, columns, BLOCK, 1, TILE_ROWS);
      packBlock(keysAt + ((<usize>key * depth) << 2), packedB, columns, depth, depth, 1);
      multiplyBlock(packedFlows, packedB, output, rows, depth, columns, depth, true);
    }
  }
}

/** Gradients of keys and values, summed over the heads that share them. Tasks count (batch, key head, block of keys). */
export function attentionKeyGradient(
  q: usize, k: usize, v: usize, mask: Optional, gradient: usize, logSums: usize, deltas: usize, dk: usize, dv: usize, scratch: usize, scratchBytes: i32,
  geometry: usize, begin: i32, end: i32,
): void {
  const queries = word(geometry, Word.Queries);
  const keys = word(geometry, Word.Keys);
  const depth = word(geometry, Word.Depth);
  const valueDepth = word(geometry, Word.ValueDepth);
  const keyHeads = word(geometry, Word.KeyHeads);
  const share = word(geometry, Word.Heads) / keyHeads;
  const blocks = (keys + BLOCK - 1) / BLOCK;
  const packedK = ownScratch(scratch, scratchBytes);
  const packedV = packedK + ((BLOCK * depth) << 2);
  const packedA = packedV + ((BLOCK * valueDepth) << 2);
  const packedB = packedA + ((BLOCK * max(BLOCK, max(depth, valueDepth))) << 2);
  const scores = packedB + ((BLOCK * panelsOf(max(depth, valueDepth)) * NR) << 2);
  const flows = scores + ((BLOCK * BLOCK) << 2);
  for (let task = begin; task < end; task++) {
    const source = task / blocks;
    const key = (task % blocks) * BLOCK;
    const columns = min(BLOCK, keys - key);
    const from = <usize>source * keys + key;
    packBlock(k + ((from * depth) << 2), packedK, depth, columns, 1, depth);
    packBlock(v + ((from * valueDepth) << 2), packedV, valueDepth, columns, 1, valueDepth);
    const keyOutput = dk + ((from * depth) << 2);
    const valueOutput = dv + ((from * valueDepth) << 2);
    memory.fill(keyOutput, 0, <usize>(columns * depth) << 2);
    memory.fill(valueOutput, 0, <usize>(columns * valueDepth) << 2);
    for (let head = 0; head < share; head++) {
      const index = source / keyHeads * word(geometry, Word.Heads) + source % keyHeads * share + head;
      const headMask = maskOf(mask, geometry, index);
      for (let query = 0; query < queries; query += BLOCK) {
        const rows = min(BLOCK, queries - query);
        if (key >= endKey(geometry, query + rows - 1) || key + columns <= firstKey(geometry, query)) continue;
        const first = <usize>index * queries + query;
        const queriesAt = q + ((first * depth) << 2);
        const gradientAt = gradient + ((first * valueDepth) << 2);
        packA(queriesAt, packedA, rows, depth, depth, 1, TILE_ROWS);
        multiplyBlock(packedA, packedK, scores, rows, columns, depth, BLOCK, false);
        maskScores(scores, headMask, geometry, query, rows, key, columns);
        packA(gradientAt, packedA, rows, valueDepth, valueDepth, 1, TILE_ROWS);
        multiplyBlock(packedA, packedV, flows, rows, columns, valueDepth, BLOCK, false);
        softmaxGradient(scores, flows, geometry, logSums + (first << 2), deltas + (first << 2), rows, columns);
        packA(scores, packedA, columns, rows, 1, BLOCK, TILE_ROWS);
        packBlock(gradientAt, packedB, rows, valueDepth, valueDepth, 1);
        multiplyBlock(packedA, packedB, valueOutput, columns, valueDepth, rows, valueDepth, true);
        packA(flows, packedA, columns, rows, 1, BLOCK, TILE_ROWS);
        packBlock(queriesAt, packedB, rows, depth, depth, 1);
        multiplyBlock(packedA, packedB, keyOutput, columns, depth, rows, depth, true);
      }
    }
  }
}

/**
 * Rotary position embedding: pairs of features turned by the angle whose cosine and sine tables [length, pairs] hold. Pairs are (2i, 2i + 1) when `interleaved`, else (i, i + pairs); features
 * beyond 2·pairs are copied. `sign` −1 turns back. Tasks count rows of x[·, length, depth].
 */
export function rotate(
  x: usize, cosines: usize, sines: usize, y: usize, length: i32, depth: i32, pairs: i32, interleaved: i32, sign: f32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const source = x + ((<usize>row * depth) << 2);
    const target = y + ((<usize>row * depth) << 2);
    const angles = (<usize>(row % length) * pairs) << 2;
    const step: usize = interleaved ? 8 : 4;
    const other: usize = interleaved ? 4 : <usize>pairs << 2;
    for (let i = 0; i < pairs; i++) {
      const at = <usize>i * step;
      const c = load<f32>(cosines + angles + (<usize>i << 2));
      const s = sign * load<f32>(sines + angles + (<usize>i << 2));
      const a = load<f32>(source + at);
      const b = load<f32>(source + at + other);
      store<f32>(target + at, a * c - b * s);
      store<f32>(target + at + other, a * s + b * c);
    }
    if (2 * pairs < depth) memory.copy(target + (<usize>pairs << 3), source + (<usize>pairs << 3), <usize>(depth - 2 * pairs) << 2);
  }
}
