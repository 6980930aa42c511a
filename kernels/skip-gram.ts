// Skip-gram with negative sampling (Mikolov et al. 2013), stochastic gradient descent pair by pair.

import { multiplyAdd, sumLanes } from "./math";
import { drawAlias, seedStream } from "./walks";
import { ownScratch } from "./thread";

const TABLE_SIZE = 3072;
/** Targets of a pair with five negatives, which have loops of their own. */
const SIX = 6;

/**
 * (label − σ(logit))·scale, σ read from a table of −6 … 6 in steps of 1/256; beyond them it is 0 or
 * 1 to 0.3 %.
 */
// @ts-ignore: decorator
@inline
function errorOf(logit: f32, label: f32, scale: f32, table: usize): f32 {
  const slot = <i32>((logit + 6) * 256);
  const probability: f32 = logit <= -6 ? 0 : slot >= TABLE_SIZE ? 1 : load<f32>(table + (<usize>max(slot, 0) << 2));
  return (label - probability) * scale;
}

/**
 * One step of gradient descent for every pair of blocks: task t trains the pairs blocks[3t] …
 * blocks[3t + 1] of a grid block whose contexts lie in part blocks[3t + 2]. For pair (u, v) with m
 * negatives n drawn from v's part:
 *   loss = −log σ(V_u·C_v) − weight·Σ log σ(−V_u·C_n)
 * All logits come from the rows as they are before the pair. A negative that is v itself teaches
 * nothing. Negatives come from alias columns [bounds[part], bounds[part + 1]). Tasks run side by
 * side when no two share a row of V or of C. d is a multiple of 4; `scratch` holds d floats and two
 * words a target for each thread.
 */
export function skipGram(
  pairs: usize, blocks: usize, vertices: usize, contexts: usize, d: i32, probabilities: usize, aliases: usize, bounds: usize, table: usize, scratch: usize, negatives: i32, weight: f32, rate: f32, decay: f32, key0: i32, key1: i32, first: i32, begin: i32, end: i32,
): void {
  const bytes = <usize>d << 2;
  const targets = ownScratch(scratch, (d << 2) + ((negatives + 1) << 3));
  const errors = targets + (<usize>(negatives + 1) << 2);
  const gradient = errors + (<usize>(negatives + 1) << 2);
  for (let task = begin; task < end; task++) {
    const entry = blocks + <usize>task * 12;
    const last = load<i32>(entry, 4);
    const part = load<i32>(entry, 8);
    const low = load<i32>(bounds + (<usize>part << 2));
    const count = load<i32>(bounds + (<usize>part << 2), 4) - low;
    seedStream(key0, key1, <u64>first + <u64>task);
    for (let pair = load<i32>(entry); pair < last; pair++) {
      const u = vertices + <usize>load<i32>(pairs + (<usize>pair << 3)) * bytes;
      const context = load<i32>(pairs + (<usize>pair << 3), 4);
      for (let m = 0; m < negatives; m++) {
        const row = low + drawAlias(probabilities, aliases, low, count);
        store<u32>(targets + (<usize>m << 2), <u32>(contexts + <usize>row * bytes));
        store<f32>(errors + (<usize>m << 2), row == context ? 0 : rate * weight);
      }
      store<u32>(targets + (<usize>negatives << 2), <u32>(contexts + <usize>context * bytes));
      if (decay != 0) shrink(u, targets, negatives, bytes, 1 - decay * rate);
      if (negatives == SIX - 1) {
        const c0 = <usize>load<u32>(targets), c1 = <usize>load<u32>(targets, 4), c2 = <usize>load<u32>(targets, 8);
        const c3 = <usize>load<u32>(targets, 12), c4 = <usize>load<u32>(targets, 16), c5 = <usize>load<u32>(targets, 20);
        let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0;
        for (let k: usize = 0; k < bytes; k += 16) {
          const own = v128.load(u + k);
          s0 = multiplyAdd(own, v128.load(c0 + k), s0);
          s1 = multiplyAdd(own, v128.load(c1 + k), s1);
          s2 = multiplyAdd(own, v128.load(c2 + k), s2);
          s3 = multiplyAdd(own, v128.load(c3 + k), s3);
          s4 = multiplyAdd(own, v128.load(c4 + k), s4);
          s5 = multiplyAdd(own, v128.load(c5 + k), s5);
        }
        const g0 = f32x4.splat(errorOf(sumLanes(s0), 0, load<f32>(errors), table));
        const g1 = f32x4.splat(errorOf(sumLanes(s1), 0, load<f32>(errors, 4), table));
        const g2 = f32x4.splat(errorOf(sumLanes(s2), 0, load<f32>(errors, 8), table));
        const g3 = f32x4.splat(errorOf(sumLanes(s3), 0, load<f32>(errors, 12), table));
        const g4 = f32x4.splat(errorOf(sumLanes(s4), 0, load<f32>(errors, 16), table));
        const g5 = f32x4.splat(errorOf(sumLanes(s5), 1, rate, table));
        for (let k: usize = 0; k < bytes; k += 16) {
          const own = v128.load(u + k);
          // A row may stand among the targets twice: each is read after the one before was written.
          let c = v128.load(c0 + k);
          let total = multiplyAdd(g0, c, own);
          v128.store(c0 + k, multiplyAdd(g0, own, c));
          c = v128.load(c1 + k);
          total = multiplyAdd(g1, c, total);
          v128.store(c1 + k, multiplyAdd(g1, own, c));
          c = v128.load(c2 + k);
          total = multiplyAdd(g2, c, total);
          v128.store(c2 + k, multiplyAdd(g2, own, c));
          c = v128.load(c3 + k);
          total = multiplyAdd(g3, c, total);
          v128.store(c3 + k, multiplyAdd(g3, own, c));
          c = v128.load(c4 + k);
          total = multiplyAdd(g4, c, total);
          v128.store(c4 + k, multiplyAdd(g4, own, c));
          c = v128.load(c5 + k);
          total = multiplyAdd(g5, c, total);
          v128.store(c5 + k, multiplyAdd(g5, own, c));
          v128.store(u + k, total);
        }
        continue;
      }
      for (let m = 0; m <= negatives; m++) {
        const c = <usize>load<u32>(targets + (<usize>m << 2));
        let s0 = f32x4.splat(0);
        for (let k: usize = 0; k < bytes; k += 16) s0 = multiplyAdd(v128.load(u + k), v128.load(c + k), s0);
        const at = errors + (<usize>m << 2);
        store<f32>(at, m == negatives ? errorOf(sumLanes(s0), 1, rate, table) : errorOf(sumLanes(s0), 0, load<f32>(at), table));
      }
      for (let k: usize = 0; k < bytes; k += 16) v128.store(gradient + k, v128.load(u + k));
      for (let m = 0; m <= negatives; m++) {
        const c = <usize>load<u32>(targets + (<usize>m << 2));
        const g = v128.load32_splat(errors + (<usize>m << 2));
        for (let k: usize = 0; k < bytes; k += 16) {
          const old = v128.load(c + k);
          v128.store(gradient + k, multiplyAdd(g, old, v128.load(gradient + k)));
          v128.store(c + k, multiplyAdd(g, v128.load(u + k), old));
        }
      }
      for (let k: usize = 0; k < bytes; k += 16) v128.store(u + k, v128.load(gradient + k));
    }
  }
}

/** Shrinks the rows of a pair before its step: L2 decay. */
function shrink(u: usize, targets: usize, negatives: i32, bytes: usize, factor: f32): void {
  const scale = f32x4.splat(factor);
  for (let k: usize = 0; k < bytes; k += 16) v128.store(u + k, f32x4.mul(v128.load(u + k), scale));
  for (let m = 0; m <= negatives; m++) {
    const c = <usize>load<u32>(targets + (<usize>m << 2));
    for (let k: usize = 0; k < bytes; k += 16) v128.store(c + k, f32x4.mul(v128.load(c + k), scale));
  }
}
