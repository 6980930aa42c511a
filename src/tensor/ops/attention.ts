// Scaled dot-product attention and rotary position embedding.

import type { AttentionSizes } from '../../engine/index.js';
import { apply, applyAll, type Op, onlyGradient, privately, requireDType } from '../apply.js';
import { tensor } from '../create.js';
import { throughReference } from '../reference.js';
import { formatShape, requireCount, requireNumber, type Shape, sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, multiply } from './binary.js';
import { broadcastTo, reshape } from './layout.js';
import { matmul } from './matmul.js';
import { logSumExp, sum } from './reduce.js';
import { softmax } from './softmax.js';

/** Options of `attention`. */
export interface AttentionOptions {
  /**
   * Each query attends to no later key (default false). With fewer queries than keys the queries
   * are the last ones.
   */
  readonly causal?: boolean;
  /**
   * Sliding window: key j is visible to query i if i − j < window (and j − i < window unless
   * causal); 0, the default, for all keys.
   */
  readonly window?: number;
  /** Added to the scores, −∞ to hide a key; broadcasts to [batch, heads, queries, keys]. */
  readonly mask?: Tensor;
  /** Factor of the scores; 1/√depth when left out. */
  readonly scale?: number;
}

interface Attributes {
  readonly causal: boolean;
  readonly window: number;
  readonly scale: number;
}

function sizesOf(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor | undefined,
  { causal, window, scale }: Attributes,
): AttentionSizes {
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, keyHeads, keys] = k.shape as [number, number, number];
  const [maskBatch, maskHeads] = mask ? (mask.shape as [number, number]) : [1, 1];
  const perHead = maskHeads === 1 ? 0 : queries * keys;
  const perBatch = maskBatch === 1 ? 0 : maskHeads * queries * keys;
  return {
    batch,
    heads,
    keyHeads,
    queries,
    keys,
    depth,
    valueDepth: v.shape[3] as number,
    causal: Number(causal),
    window,
    maskBatchStride: perBatch,
    maskHeadStride: perHead,
    scale,
  };
}

/** The definition, with all scores materialised. */
function attentionReference(inputs: readonly Tensor[], attributes: Attributes): [y: Tensor, logSums: Tensor] {
  const [q, k, v, mask] = inputs as [Tensor, Tensor, Tensor, Tensor | undefined];
  const [batch, heads, queries] = q.shape as [number, number, number];
  const [, keyHeads, keys] = k.shape as [number, number, number];
  const shared = (x: Tensor) => {
    const last = x.shape[3] as number;
    const grouped = reshape(x, [batch, keyHeads, 1, keys, last]);
    return reshape(broadcastTo(grouped, [batch, keyHeads, heads / keyHeads, keys, last]), [batch, heads, keys, last]);
  };
  const scores = multiply(matmul(q, shared(k), { transposeB: true }), attributes.scale);
  const visible = add(scores, visibility(queries, keys, attributes));
  const all = mask ? add(visible, mask) : visible;
  return [matmul(softmax(all), shared(v)), logSumExp(all, -1, { keepAxes: true })];
}

/** 0 where a key is visible to a query, −∞ elsewhere. */
function visibility(queries: number, keys: number, { causal, window }: Attributes): Tensor {
  const values = new Float32Array(queries * keys);
  for (let i = 0; i < queries; i++) {
    for (let j = 0; j < keys; j++) {
      const ahead = j - (i + keys - queries);
      if ((causal && ahead > 0) || (window > 0 && Math.abs(ahead) >= window)) values[i * keys + j] = -Infinity;
    }
  }
  return tensor(values, [queries, keys]);
}

/** Scores of all heads: batch·heads·queries·keys. */
function scoreCount([batch = 1, heads = 1, queries = 1]: Shape, [, , keys = 1]: Shape): number {
  return batch * heads * queries * keys;
}

/**
 * The operation behind `attention`; a second output holds log Σ exp of the scores for the backward
 * pass.
 */
export const attentionOp: Op<Attributes> = {
  name: 'attention',
  // Scores, then sums of values; keys that a mask hides are counted with the others.
  multiplyAdds: ([q, k, v]) => scoreCount(q as Shape, k as Shape) * ((q?.[3] as number) + (v?.[3] as number)),
  infer: ([q, k, v]) => {
    const [batch, heads, queries] = (q as Tensor).shape as [number, number, number];
    requireDType('attention', 'f32', q as Tensor, k as Tensor, v as Tensor);
    return [
      { shape: [batch, heads, queries, (v as Tensor).shape[3] as number], dtype: 'f32' },
      { shape: [batch, heads, queries, 1], dtype: 'f32' },
    ];
  },
  compute: (device, [q, k, v, mask], [y, logSums], attributes) =>
    device.run('attention', {
      q: q as Tensor,
      k: k as Tensor,
      v: v as Tensor,
      mask: mask ?? null,
      y: y as Tensor,
      logSums: logSums as Tensor,
      sizes: sizesOf(q as Tensor, k as Tensor, v as Tensor, mask, attributes),
    }),
  vjp: (backward) => {
    const { inputs, outputs, gradients, needed, attributes } = backward;
    // A learned mask has as many gradients as there are scores, so blocks would save nothing.
    if (gradients[1] || needed[3]) return throughReference(attentionReference)(backward);
    const [q, k, v, mask] = inputs as [Tensor, Tensor, Tensor, Tensor | undefined];
    const [y, logSums] = outputs as [Tensor, Tensor];
    const g = gradients[0] as Tensor;
    const flows = applyAll(attentionGradientOp, [g, q, k, v, y, logSums, ...(mask ? [mask] : [])], attributes);
    return mask ? [...flows, undefined] : flows;
  },
};

/** (g, q, k, v, y, logSums, mask?) → gradients of q, k, v. */
const attentionGradientOp: Op<Attributes> = {
  name: 'attentionGradient',
  // Scores again, their gradients, and the gradients of q, k and v.
  multiplyAdds: ([, q, k, v]) => scoreCount(q as Shape, k as Shape) * (3 * (q?.[3] as number) + 2 * (v?.[3] as number)),
  infer: ([, q, k, v]) => [q, k, v].map((input) => ({ shape: (input as Tensor).shape, dtype: 'f32' })),
  compute(device, [g, q, k, v, y, logSums, mask], [dq, dk, dv], attributes) {
    privately(() => {
      const deltas = sum(multiply(g as Tensor, y as Tensor), -1);
      device.run('attentionGradient', {
        q: q as Tensor,
        k: k as Tensor,
        v: v as Tensor,
        mask: mask ?? null,
        gradient: g as Tensor,
        logSums: logSums as Tensor,
        deltas,
        dq: dq as Tensor,
        dk: dk as Tensor,
        dv: dv as Tensor,
        sizes: sizesOf(q as Tensor, k as Tensor, v as Tensor, mask, attributes),
      });
    });
  },
  vjp: throughReference(([g, q, k, v, , , mask], attributes) => {
    const inputs = [q as Tensor, k as Tensor, v as Tensor, ...(mask ? [mask] : [])];
    return attentionVjpReference(g as Tensor, inputs, attributes);
  }),
};

/** The gradients of q, k and v by the textbook, in operations that can be differentiated again. */
function attentionVjpReference(g: Tensor, inputs: readonly Tensor[], attributes: Attributes): Tensor[] {
  const [q, k, v, mask] = inputs as [Tensor, Tensor, Tensor, Tensor | undefined];
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, keyHeads, keys, valueDepth] = v.shape as [number, number, number, number];
  const grouped = (x: Tensor, last: number) => reshape(x, [batch, keyHeads, (heads / keyHeads) * queries, last]);
  const [q3, g3] = [grouped(q, depth), grouped(g, valueDepth)];
  const hidden = broadcastTo(visibility(queries, keys, attributes), [batch, heads, queries, keys]);
  const scores = add(
    multiply(matmul(q3, k, { transposeB: true }), attributes.scale),
    grouped(mask ? add(hidden, mask) : hidden, keys),
  );
  const p = softmax(scores);
  const dp = matmul(g3, v, { transposeB: true });
  const weighted = multiply(p, dp);
  const flows = multiply(
    add(weighted, multiply(p, multiply(sum(weighted, -1, { keepAxes: true }), -1))),
    attributes.scale,
  );
  return [
    reshape(matmul(flows, k), q.shape),
    matmul(flows, q3, { transposeA: true }),
    matmul(p, g3, { transposeA: true }),
  ];
}

/**
 * Scaled dot-product attention, softmax(scale·q·kᵀ + mask)·v.
 *
 * Scores are computed block by block, so memory is linear in the lengths, in both passes. A query
 * without a visible key gives 0. With fewer heads of k and v, each serves heads / keyHeads
 * consecutive heads of q (grouped-query attention). Second derivatives, and gradients of a mask,
 * materialise all scores.
 *
 * @param q [batch, heads, queries, depth]
 * @param k [batch, keyHeads, keys, depth]
 * @param v [batch, keyHeads, keys, valueDepth]
 * @returns [batch, heads, queries, valueDepth]
 * @see Dao, Fu, Ermon, Rudra, Ré: FlashAttention, 2022
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  requireDType('attention', 'f32', q, k, v, ...(options.mask ? [options.mask] : []));
  const shapes = `${formatShape(q.shape)}, ${formatShape(k.shape)}, ${formatShape(v.shape)}`;
  if (q.rank !== 4 || k.rank !== 4 || v.rank !== 4)
    throw new Error(`attention: expected q, k, v [batch, heads, length, depth], got ${shapes}`);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, keyHeads, keys] = k.shape as [number, number, number];
  const fits =
    k.shape[0] === batch &&
    k.shape[3] === depth &&
    heads % keyHeads === 0 &&
    [0, 1, 2].every((axis) => v.shape[axis] === k.shape[axis]);
  if (!fits) throw new Error(`attention: q, k and v do not fit: ${shapes}`);
  const { causal = false, window = 0, mask, scale = 1 / Math.sqrt(depth) } = options;
  if (!Number.isInteger(window) || window < 0)
    throw new RangeError(`attention: the window must be a positive integer, got ${window}`);
  requireNumber('attention', 'the scale', scale);
  const attributes = { causal, window, scale };
  if (!mask) return applyAll(attentionOp, [q, k, v], attributes)[0] as Tensor;
  const padded = reshape(mask, [...new Array<number>(Math.max(0, 4 - mask.rank)).fill(1), ...mask.shape]);
  const [maskBatch, maskHeads] = padded.shape as [number, number];
  if (padded.rank !== 4 || (maskBatch !== 1 && maskBatch !== batch) || (maskHeads !== 1 && maskHeads !== heads))
    throw new Error(
      `attention: a mask ${formatShape(mask.shape)} does not broadcast to [${batch}, ${heads}, ${queries}, ${keys}]`,
    );
  const whole = broadcastTo(padded, [maskBatch, maskHeads, queries, keys]);
  return applyAll(attentionOp, [q, k, v, whole], attributes)[0] as Tensor;
}

/** Cosines and sines of rotary position embedding. */
export interface RotaryTables {
  /** cos and sin of position·base^(−2i/dims): [length, dims / 2]. */
  readonly cosines: Tensor;
  /** sin of the same angles: [length, dims / 2]. */
  readonly sines: Tensor;
}

/** Options of `rotaryTables`. */
export interface RotaryOptions {
  /** Default 10000. */
  readonly base?: number;
  /** The first position; default 0. */
  readonly start?: number;
  /** Divisors of the frequencies, one for each pair [dims / 2]; default 1. */
  readonly divisors?: ArrayLike<number> | undefined;
  /** Factor of cosines and sines; default 1. */
  readonly magnitude?: number | undefined;
}

/**
 * Angles of rotary position embedding for positions start, start + 1, …: θᵢ =
 * base^(−2i/dims)/divisorᵢ.
 */
export function rotaryTables(
  length: number,
  dims: number,
  { base = 10000, start = 0, divisors, magnitude = 1 }: RotaryOptions = {},
): RotaryTables {
  const pairs = dims / 2;
  requireCount('rotaryTables', 'the length', length);
  requireCount('rotaryTables', 'the number of features', dims);
  if (!Number.isInteger(pairs)) throw new RangeError(`rotaryTables: the number of features must be even, got ${dims}`);
  for (const [name, value] of Object.entries({ base, start, magnitude })) requireNumber('rotaryTables', name, value);
  if (divisors && divisors.length !== pairs)
    throw new RangeError(`rotaryTables: ${pairs} pairs need as many divisors, got ${divisors.length}`);
  const frequencies = Float64Array.from(
    { length: pairs },
    (_, pair) => base ** (-pair / pairs) / (divisors?.[pair] ?? 1),
  );
  const angles = Float64Array.from(
    { length: length * pairs },
    (_, at) => (start + Math.floor(at / pairs)) * (frequencies[at % pairs] as number),
  );
  const table = (fn: (angle: number) => number) =>
    tensor(new Float32Array(angles.map((angle) => magnitude * fn(angle))), [length, pairs]);
  return { cosines: table(Math.cos), sines: table(Math.sin) };
}

/** The operation behind `rotary`; `sign` −1 rotates backwards, as gradients need. */
export const rotateOp: Op<{ interleaved: boolean; sign: 1 | -1 }> = {
  name: 'rotate',
  multiplyAdds: 0,
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: 'f32' }],
  compute(device, [x, cosines, sines], [y], { interleaved, sign }) {
    const [length, pairs] = (cosines as Tensor).shape as [number, number];
    const depth = (x as Tensor).shape.at(-1) as number;
    device.run('rotate', {
      x: x as Tensor,
      cosines: cosines as Tensor,
      sines: sines as Tensor,
      y: y as Tensor,
      rows: (x as Tensor).size / depth,
      length,
      depth,
      pairs,
      interleaved: Number(interleaved),
      sign,
    });
  },
  vjp: (backward) => {
    const [, cosines, sines] = backward.inputs as [Tensor, Tensor, Tensor];
    const { interleaved, sign } = backward.attributes;
    const back = { interleaved, sign: sign === 1 ? -1 : 1 } as const;
    return [apply(rotateOp, [onlyGradient(backward), cosines, sines], back), undefined, undefined];
  },
};

/**
 * Rotary position embedding: the pair (a, b) at position m becomes (a·cos mθ − b·sin mθ, a·sin mθ +
 * b·cos mθ).
 *
 * Pairs are (i, i + dims/2) or, `interleaved`, (2i, 2i + 1); features beyond those of the tables
 * stay as they are.
 *
 * @param x [·, length, depth]
 * @returns [·, length, depth]
 * @see Su, Lu, Pan, Murtadha, Wen, Liu: RoFormer, 2021
 */
export function rotary(x: Tensor, { cosines, sines }: RotaryTables, interleaved = false): Tensor {
  requireDType('rotary', 'f32', x, cosines, sines);
  const [length, pairs] = cosines.shape as [number, number];
  if (cosines.rank !== 2 || !sameShape(cosines.shape, sines.shape))
    throw new Error(
      `rotary: expected tables [length, dims / 2], got ${formatShape(cosines.shape)} and ${formatShape(sines.shape)}`,
    );
  if (x.rank < 2 || x.shape.at(-2) !== length || (x.shape.at(-1) as number) < 2 * pairs)
    throw new Error(
      `rotary: tables for ${length} positions of ${2 * pairs} features do not fit ${formatShape(x.shape)}`,
    );
  return apply(rotateOp, [x, cosines, sines], { interleaved, sign: 1 });
}
