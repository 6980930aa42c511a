// Skip-gram with negative sampling (Mikolov et al. 2013), stochastic gradient descent pair by pair.

import { multiplyAdd, sumLanes } from "./math";
import { drawAlias, seedStream } from "./walks";
import { ownScratch } from "./thread";

/** `table` holds σ for −6 … 6 in steps of 1/256; beyond them it is 0 or 1 to 0.3 %. */
const TABLE_SIZE = 3072;

/**
 * One step of gradient descent for every pair of blocks: task t trains the pairs blocks[3t] … blocks[3t + 1] of a grid block whose contexts lie in part blocks[3t + 2]. For pair (u, v) with m negatives n drawn from v's part:
 *   loss = −log σ(V_u·C_v) − weight·Σ log σ(−V_u·C_n)
 * V_u is updated after the pair, C rows at once. Negatives come from alias columns [bounds[part], bounds[part + 1]). Tasks run side by side when no two share a row of V or of C. d is a multiple of 4; `scratch` holds d floats for each thread.
 */
export function skipGram(
  pairs: usize, blocks: usize, vertices: usize, contexts: usize, d: i32, probabilities: usize, aliases: usize, bounds: usize, table: usize, scratch: usize, negatives: i32, weight: f32, rate: f32, decay: f32, key0: i32, key1: i32, first: i32, begin: i32, end: i32,
): void {
  const bytes = <usize>d << 2;
  const gradient = ownScratch(scratch, d << 2);
  for (let task = begin; task < end; task++) {
    const entry = blocks + <usize>task * 12;
    const last = load<i32>(entry, 4);
    const part = load<i32>(entry, 8);
    const low = load<i32>(bounds + (<usize>part << 2));
    const count = load<i32>(bounds + (<usize>part << 2), 4) - low;
    seedStream(key0, key1, <u64>first + <u64>task);
    for (let pair = load<i32>(entry); pair < last; pair++) {
      const u = vertices + <usize>load<i32>(pairs + (<usize>pair << 3)) * bytes;
      const target = load<i32>(pairs + (<usize>pair << 3), 4);
      for (let k: usize = 0; k < bytes; k += 16) v128.store(gradient + k, f32x4.splat(0));
      for (let m = 0; m <= negatives; m++) {
        const row = m == negatives ? target : low + drawAlias(probabilities, aliases, low, count);
        // A negative that is the pair's own context teaches nothing.
        if (m < negatives && row == target) continue;
        const c = contexts + <usize>row * bytes;
        let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
        let k: usize = 0;
        for (; k + 64 <= bytes; k += 64) {
          s0 = multiplyAdd(v128.load(u + k), v128.load(c + k), s0);
          s1 = multiplyAdd(v128.load(u + k, 16), v128.load(c + k, 16), s1);
          s2 = multiplyAdd(v128.load(u + k, 32), v128.load(c + k, 32), s2);
          s3 = multiplyAdd(v128.load(u + k, 48), v128.load(c + k, 48), s3);
        }
        for (; k < bytes; k += 16) s0 = multiplyAdd(v128.load(u + k), v128.load(c + k), s0);
        const logit = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
        const slot = <i32>((logit + 6) * 256);
        const probability: f32 = logit <= -6 ? 0 : slot >= TABLE_SIZE ? 1 : load<f32>(table + (<usize>max(slot, 0) << 2));
        const label: f32 = m == negatives ? 1 : 0;
        const scale = rate * (m == negatives ? <f32>1 : weight);
        const step = f32x4.splat((label - probability) * scale);
        const shrink = f32x4.splat(1 - decay * scale);
        if (decay == 0) {
          for (k = 0; k < bytes; k += 16) {
            const old = v128.load(c + k);
            v128.store(gradient + k, multiplyAdd(step, old, v128.load(gradient + k)));
            v128.store(c + k, multiplyAdd(step, v128.load(u + k), old));
          }
        } else {
          for (k = 0; k < bytes; k += 16) {
            const old = v128.load(c + k);
            const own = v128.load(u + k);
            v128.store(gradient + k, f32x4.sub(multiplyAdd(step, old, v128.load(gradient + k)), f32x4.mul(own, f32x4.splat(decay * scale))));
            v128.store(c + k, multiplyAdd(step, own, f32x4.mul(old, shrink)));
          }
        }
      }
      for (let k: usize = 0; k < bytes; k += 16) v128.store(u + k, f32x4.add(v128.load(u + k), v128.load(gradient + k)));
    }
  }
}
