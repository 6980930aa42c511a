// Embeddings of knowledge graphs: triples (head, relation, tail) scored by TransE, RotatE, DistMult
// or ComplEx, trained block by block of a grid. Rows have d floats, a multiple of 8; for RotatE and
// ComplEx the first half is real, the second imaginary, and a relation of RotatE has its phases in
// the first half.

import { expVector, multiplyAdd, sigmoidVector, softplusVector, sumLanes } from "./math";
import { ownScratch } from "./thread";
import { sinVector } from "./trigonometry";
import { below, nextWord, seedStream } from "./walks";

/** Words of a task: see `trainTriples`. */
const WORDS = 8;
const TRANSE = 0;
const ROTATE = 1;
const DISTMULT = 2;
/** Keeps moduli and steps finite. */
const TINY: f32 = 1e-12;

/**
 * Score s of a triple, and where `gradients` is not 0 its derivatives in head, relation and tail
 * there, d floats each:
 *   TransE   γ − Σ |h + r − t|            RotatE   γ − Σ |h∘e^{ir} − t|
 *   DistMult Σ h·r·t                      ComplEx  Re Σ h·r·conj(t)
 */
function scoreOf(model: i32, h: usize, r: usize, t: usize, bytes: usize, margin: f32, gradients: usize): f32 {
  let sum = f32x4.splat(0);
  const one = f32x4.splat(1);
  const toR = gradients + bytes;
  const toT = toR + bytes;
  if (model == TRANSE || model == DISTMULT) {
    for (let k: usize = 0; k < bytes; k += 16) {
      const head = v128.load(h + k);
      const relation = v128.load(r + k);
      const tail = v128.load(t + k);
      if (model == DISTMULT) {
        const both = f32x4.mul(head, relation);
        sum = multiplyAdd(both, tail, sum);
        if (gradients == 0) continue;
        v128.store(gradients + k, f32x4.mul(relation, tail));
        v128.store(toR + k, f32x4.mul(head, tail));
        v128.store(toT + k, both);
        continue;
      }
      const apart = f32x4.sub(f32x4.add(head, relation), tail);
      sum = f32x4.add(sum, f32x4.abs(apart));
      if (gradients == 0) continue;
      const sign = v128.bitselect(apart, one, f32x4.splat(-0.0));
      v128.store(gradients + k, f32x4.neg(sign));
      v128.store(toR + k, f32x4.neg(sign));
      v128.store(toT + k, sign);
    }
    return model == TRANSE ? margin - sumLanes(sum) : sumLanes(sum);
  }
  const half = bytes >> 1;
  for (let k: usize = 0; k < half; k += 16) {
    const hr = v128.load(h + k);
    const hi = v128.load(h + half + k);
    const tr = v128.load(t + k);
    const ti = v128.load(t + half + k);
    if (model == ROTATE) {
      const phase = v128.load(r + k);
      const c = sinVector(phase, 1);
      const s = sinVector(phase, 0);
      const turnedReal = f32x4.sub(f32x4.mul(hr, c), f32x4.mul(hi, s));
      const turnedImaginary = f32x4.add(f32x4.mul(hr, s), f32x4.mul(hi, c));
      const real = f32x4.sub(turnedReal, tr);
      const imaginary = f32x4.sub(turnedImaginary, ti);
      const modulus = f32x4.sqrt(multiplyAdd(real, real, multiplyAdd(imaginary, imaginary, f32x4.splat(TINY))));
      sum = f32x4.add(sum, modulus);
      if (gradients == 0) continue;
      const a = f32x4.div(real, modulus);
      const b = f32x4.div(imaginary, modulus);
      v128.store(gradients + k, f32x4.neg(f32x4.add(f32x4.mul(a, c), f32x4.mul(b, s))));
      v128.store(gradients + half + k, f32x4.sub(f32x4.mul(a, s), f32x4.mul(b, c)));
      v128.store(toR + k, f32x4.sub(f32x4.mul(a, turnedImaginary), f32x4.mul(b, turnedReal)));
      v128.store(toR + half + k, f32x4.splat(0));
      v128.store(toT + k, a);
      v128.store(toT + half + k, b);
      continue;
    }
    const rr = v128.load(r + k);
    const ri = v128.load(r + half + k);
    const real = f32x4.sub(f32x4.mul(hr, rr), f32x4.mul(hi, ri));
    const imaginary = f32x4.add(f32x4.mul(hr, ri), f32x4.mul(hi, rr));
    sum = multiplyAdd(real, tr, multiplyAdd(imaginary, ti, sum));
    if (gradients == 0) continue;
    v128.store(gradients + k, f32x4.add(f32x4.mul(rr, tr), f32x4.mul(ri, ti)));
    v128.store(gradients + half + k, f32x4.sub(f32x4.mul(rr, ti), f32x4.mul(ri, tr)));
    v128.store(toR + k, f32x4.add(f32x4.mul(hr, tr), f32x4.mul(hi, ti)));
    v128.store(toR + half + k, f32x4.sub(f32x4.mul(hr, ti), f32x4.mul(hi, tr)));
    v128.store(toT + k, real);
    v128.store(toT + half + k, imaginary);
  }
  return model == ROTATE ? margin - sumLanes(sum) : sumLanes(sum);
}

/**
 * A step of AdaGrad with one accumulator a row: G ← G + mean g², x ← x − rate·g/√G with g =
 * scale·gradient + decay·x.
 */
// @ts-ignore: decorator
@inline
function descend(x: usize, gradient: usize, bytes: usize, accumulator: usize, scale: f32, rate: f32, decay: f32): void {
  const factor = f32x4.splat(scale);
  const shrink = f32x4.splat(decay);
  let squares = f32x4.splat(0);
  for (let k: usize = 0; k < bytes; k += 16) {
    const g = multiplyAdd(factor, v128.load(gradient + k), f32x4.mul(shrink, v128.load(x + k)));
    v128.store(gradient + k, g);
    squares = multiplyAdd(g, g, squares);
  }
  const total = load<f32>(accumulator) + sumLanes(squares) / <f32>(bytes >> 2);
  store<f32>(accumulator, total);
  const step = f32x4.splat(-rate / (Mathf.sqrt(total) + 1e-8));
  for (let k: usize = 0; k < bytes; k += 16)
    v128.store(x + k, multiplyAdd(step, v128.load(gradient + k), v128.load(x + k)));
}

// @ts-ignore: decorator
@inline
function lane(x: v128): f32 {
  return f32x4.extract_lane(x, 0);
}

/**
 * Trains the triples of blocks in order. A task: [first triple, triple behind the last, first row
 * of its heads, their number, first row of its tails, their number, stream, 0]. Triples are (head,
 * relation, tail) in rows of `entities`. Of each, `negatives` copies have another head (odd ones)
 * or tail (even ones) drawn from the part of that side:
 *   loss = −log σ(s) − Σ_i p_i·log σ(−s_i),  p = softmax(adversarial·s_i)
 * with all scores of before the step. Task t has a copy of all relations at relations +
 * t·relationCount rows, and of their accumulators. losses [tasks, 2] of f64: sum and number.
 */
export function trainTriples(
  tasks: usize, triples: usize, entities: usize, entitySums: usize, relations: usize, relationSums: usize, relationCount: i32, d: i32, model: i32, negatives: i32, margin: f32, adversarial: f32, rate: f32, decay: f32, losses: usize, key0: i32, key1: i32, scratch: usize, begin: i32, end: i32,
): void {
  const bytes = <usize>d << 2;
  const gradients = ownScratch(scratch, 12 * d + 8 * negatives);
  const scores = gradients + 3 * bytes;
  const rows = scores + (<usize>negatives << 2);
  for (let task = begin; task < end; task++) {
    const entry = tasks + <usize>(task * WORDS << 2);
    const ownRelations = relations + <usize>task * <usize>relationCount * bytes;
    const ownSums = relationSums + (<usize>task * <usize>relationCount << 2);
    seedStream(key0, key1, <u64>load<i32>(entry, 24));
    let total: f64 = 0;
    for (let at = load<i32>(entry); at < load<i32>(entry, 4); at++) {
      const triple = triples + <usize>at * 12;
      const head = load<i32>(triple);
      const relation = load<i32>(triple, 4);
      const tail = load<i32>(triple, 8);
      const r = ownRelations + <usize>relation * bytes;
      const rSum = ownSums + (<usize>relation << 2);
      let largest: f32 = -Infinity;
      for (let m = 0; m < negatives; m++) {
        const side: usize = m & 1 ? 8 : 16;
        const other = load<i32>(entry + side) + <i32>below(nextWord(), <u32>load<i32>(entry + side, 4));
        store<i32>(rows + (<usize>m << 2), other);
        const h = entities + <usize>(m & 1 ? other : head) * bytes;
        const t = entities + <usize>(m & 1 ? tail : other) * bytes;
        const score = scoreOf(model, h, r, t, bytes, margin, 0);
        store<f32>(scores + (<usize>m << 2), score);
        largest = max<f32>(largest, score);
      }
      let mass: f32 = 0;
      for (let m = 0; m < negatives; m++)
        mass += lane(expVector(f32x4.splat(adversarial * (load<f32>(scores + (<usize>m << 2)) - largest))));
      for (let m = 0; m < negatives; m++) {
        const score = load<f32>(scores + (<usize>m << 2));
        const p = lane(expVector(f32x4.splat(adversarial * (score - largest)))) / mass;
        const other = load<i32>(rows + (<usize>m << 2));
        const h = m & 1 ? other : head;
        const t = m & 1 ? tail : other;
        step(model, entities, h, r, t, bytes, margin, gradients, p * lane(sigmoidVector(f32x4.splat(score))), rate, decay, entitySums, rSum);
        total += p * lane(softplusVector(f32x4.splat(score)));
      }
      const score = scoreOf(model, entities + <usize>head * bytes, r, entities + <usize>tail * bytes, bytes, margin, 0);
      total += lane(softplusVector(f32x4.splat(-score)));
      step(model, entities, head, r, tail, bytes, margin, gradients, -lane(sigmoidVector(f32x4.splat(-score))), rate, decay, entitySums, rSum);
    }
    store<f64>(losses + (<usize>task << 4), total);
    store<f64>(losses + (<usize>task << 4), <f64>(load<i32>(entry, 4) - load<i32>(entry)), 8);
  }
}

/** A step of the three rows of a triple along `slope` times the derivatives of its score. */
function step(
  model: i32, entities: usize, head: i32, r: usize, tail: i32, bytes: usize, margin: f32, gradients: usize, slope: f32, rate: f32, decay: f32, entitySums: usize, rSum: usize,
): void {
  const h = entities + <usize>head * bytes;
  const t = entities + <usize>tail * bytes;
  scoreOf(model, h, r, t, bytes, margin, gradients);
  descend(h, gradients, bytes, entitySums + (<usize>head << 2), slope, rate, decay);
  descend(r, gradients + bytes, bytes, rSum, slope, rate, decay);
  descend(t, gradients + 2 * bytes, bytes, entitySums + (<usize>tail << 2), slope, rate, decay);
}

/**
 * Scores of every entity in the open place of queries (head, relation, tail), of which head or tail
 * is −1: scores [queries, count].
 */
export function scoreEntities(
  queries: usize, entities: usize, relations: usize, count: i32, d: i32, model: i32, margin: f32, scores: usize, begin: i32, end: i32,
): void {
  const bytes = <usize>d << 2;
  for (let query = begin; query < end; query++) {
    const entry = queries + <usize>query * 12;
    const head = load<i32>(entry);
    const tail = load<i32>(entry, 8);
    const r = relations + <usize>load<i32>(entry, 4) * bytes;
    for (let other = 0; other < count; other++) {
      const h = entities + <usize>(head < 0 ? other : head) * bytes;
      const t = entities + <usize>(tail < 0 ? other : tail) * bytes;
      store<f32>(scores + (<usize>(query * count + other) << 2), scoreOf(model, h, r, t, bytes, margin, 0));
    }
  }
}
