// Blocks of the Set Transformer (Lee, Lee, Kim, Kosiorek, Choi, Teh, "Set Transformer: A Framework
// for Attention-based Permutation-Invariant Neural Networks", ICML 2019) on many sets at once.
//
//   MAB(Q, K) = O + ReLU(W_o·O), O = Q + multi-head softmax(QKᵀ/√d)·V
//   SAB(X) = MAB(X, X); ISAB(X) = MAB(X, MAB(I, X)) with learned inducing points I
//
// The scale is √d of the full width, and there is no layer norm, as CoNHD and WHATsNet use them.
// Which query reads which key is a sparse pattern, so that memory grows with pairs of the two, not
// with rows times width.

import { Linear, parameter, xavierUniform } from '../../nn/index.js';
import { SparsePattern, sddmm, segmentSoftmax, spmm } from '../../sparse/index.js';
import { type Grouping, memo } from '../../structure/index.js';
import { add, gatherKnownRows, keep, multiply, type Random, reshape, type Tensor, tensor } from '../../tensor/index.js';
import type { SetFunction } from './set-function.js';

/** Multi-head attention block MAB. */
export class AttentionBlock {
  /** Projection of queries. */
  readonly query: Linear;
  /** Projection of keys. */
  readonly key: Linear;
  /** Projection of values. */
  readonly value: Linear;
  /** W_o. */
  readonly output: Linear;
  /** Number of attention heads. */
  readonly heads: number;

  /**
   * @param options number of attention heads. Default: 4
   * @throws Error when the features do not divide into the heads
   */
  constructor(features: number, random: Random, { heads = 4 }: { readonly heads?: number } = {}) {
    this.heads = heads;
    if (features % heads !== 0)
      throw new Error(`AttentionBlock: ${features} features do not divide into ${heads} heads`);
    const layer = (label: string) => new Linear(features, features, random.split(label));
    this.query = layer('query');
    this.key = layer('key');
    this.value = layer('value');
    this.output = layer('output');
  }

  /**
   * Q [queries, d] and K [keys, d] → [queries, d].
   *
   * @param pattern queries × keys: the keys that each query reads; one without keys keeps O = Q
   * @param repeated for queries that are used more than once: the row of Q of each, i32
   */
  forward(queries: Tensor, keys: Tensor, pattern: SparsePattern, repeated?: Tensor): Tensor {
    const projected = this.query.forward(queries);
    const q = repeated ? gatherKnownRows(projected, repeated) : projected;
    const [k, v] = [this.key.forward(keys), this.value.forward(keys)];
    const scale = 1 / Math.sqrt(q.shape[1] as number);
    const o = add(q, attend([q, k, v], pattern, this.heads, scale).output);
    return add(o, this.output.forward(o, 'relu'));
  }
}

/** What each row attends to. */
export interface Attended {
  /** Σ α·v, heads concatenated: [rows, d]; 0 for a row that reads nothing. */
  readonly output: Tensor;
  /** α of each stored element by row, then head, then element: [nnz·heads]. */
  readonly weights: Tensor;
}

/**
 * Multi-head attention of rows to the stored columns of a pattern: α = softmax over a row of
 * scale·⟨q, k⟩, head by head.
 *
 * @param projected queries [rows, d], keys and values [columns, d]
 */
export function attend(
  [q, k, v]: readonly [Tensor, Tensor, Tensor],
  pattern: SparsePattern,
  heads: number,
  scale: number,
): Attended {
  const own = byHead(pattern, heads);
  const split = (x: Tensor) => reshape(x, [-1, (x.shape[1] as number) / heads]); // (rows·heads, d / heads)
  const scores = multiply(sddmm(own, split(q), split(k)), scale);
  const weights = reshape(segmentSoftmax(reshape(scores, [own.nnz, 1]), own.segments), [own.nnz]);
  return { output: reshape(spmm({ pattern: own, values: weights }, split(v)), q.shape), weights };
}

/** The pattern of all heads: row r·heads + h reads c·heads + h for each column c of row r. */
function byHead(pattern: SparsePattern, heads: number): SparsePattern {
  return memo(pattern, `heads ${heads}`, () => {
    const { indptr, indices, rows, columns, nnz } = pattern;
    const offsets = new Int32Array(rows * heads + 1);
    const own = new Int32Array(nnz * heads);
    let at = 0;
    for (let row = 0; row < rows; row++)
      for (let head = 0; head < heads; head++) {
        for (let element = indptr[row] as number; element < (indptr[row + 1] as number); element++)
          own[at++] = (indices[element] as number) * heads + head;
        offsets[row * heads + head + 1] = at;
      }
    return new SparsePattern(rows * heads, columns * heads, offsets, own);
  });
}

/** Most pairs of members that `PairAttentionBlock` takes. */
const PAIR_LIMIT = 50_000_000;

/** SAB: every member of a set attends to every member; its cost is quadratic in the set's size. */
export class PairAttentionBlock implements SetFunction {
  /** MAB(X, X). */
  readonly attention: AttentionBlock;

  /** @throws Error when the features do not divide into the heads */
  constructor(features: number, random: Random, { heads = 4 }: { readonly heads?: number } = {}) {
    this.attention = new AttentionBlock(features, random, { heads });
  }

  /** @throws Error when the sets have more than 50 million pairs of members, with what to do */
  forward(x: Tensor, sets: Grouping): Tensor {
    return this.attention.forward(x, x, pairsOf(sets));
  }
}

/** Layout of an `InducedAttentionBlock`. */
export interface InducedAttentionOptions {
  /** Number of learned queries (inducing points). Default: 4. */
  readonly points?: number;
  /** Number of attention heads. Default: 4. */
  readonly heads?: number;
}

/** ISAB: out = MAB(X, MAB(I, X)), at a cost linear in the size of a set. */
export class InducedAttentionBlock implements SetFunction {
  /** I [points, d]. */
  inducing: Tensor;
  /** MAB(I, X). */
  readonly first: AttentionBlock;
  /** MAB(X, H). */
  readonly second: AttentionBlock;
  /** Number of inducing points. */
  readonly points: number;

  /** @throws Error when the features do not divide into the heads */
  constructor(features: number, random: Random, { points = 4, heads = 4 }: InducedAttentionOptions = {}) {
    this.points = points;
    this.inducing = parameter(xavierUniform(random, [points, features]));
    this.first = new AttentionBlock(features, random.split('first'), { heads });
    this.second = new AttentionBlock(features, random.split('second'), { heads });
  }

  forward(x: Tensor, sets: Grouping): Tensor {
    const { toPoints, toMembers, pointOf } = inducedPatterns(sets, this.points);
    const summaries = this.first.forward(this.inducing, x, toPoints, pointOf); // (sets·points, d)
    return this.second.forward(x, summaries, toMembers);
  }
}

/** nnz × nnz: the members of the set of each member. */
function pairsOf(sets: Grouping): SparsePattern {
  return memo(sets, 'pairs', () => {
    const { indptr, indices } = sets.pattern;
    const groups = sets.ids.view();
    const offsets = new Int32Array(groups.length + 1);
    let pairs = 0;
    groups.forEach((set, row) => {
      pairs += (indptr[set + 1] as number) - (indptr[set] as number);
      offsets[row + 1] = pairs;
    });
    if (pairs > PAIR_LIMIT)
      throw new Error(
        `PairAttentionBlock: the sets have ${pairs} pairs of members, more than ${PAIR_LIMIT}; use an InducedAttentionBlock or a MeanBlock`,
      );
    const columns = new Int32Array(pairs);
    groups.forEach((set, row) => {
      columns.set(indices.subarray(indptr[set], indptr[set + 1]), offsets[row]);
    });
    return new SparsePattern(groups.length, groups.length, offsets, columns);
  });
}

/** Attention between the members of sets and the inducing points of each set. */
interface InducedPatterns {
  /** sets·points × nnz: every point reads the members of its set. */
  readonly toPoints: SparsePattern;
  /** nnz × sets·points: every member reads the points of its set. */
  readonly toMembers: SparsePattern;
  /** Inducing point of each row of `toPoints`: i32 [sets·points]. */
  readonly pointOf: Tensor;
}

function inducedPatterns(sets: Grouping, points: number): InducedPatterns {
  return memo(sets, `induced ${points}`, () => {
    const groups = sets.ids.view();
    const columns = new Int32Array(groups.length * points);
    groups.forEach((set, row) => {
      for (let p = 0; p < points; p++) columns[row * points + p] = set * points + p;
    });
    const offsets = Int32Array.from({ length: groups.length + 1 }, (_, row) => row * points);
    const toMembers = new SparsePattern(groups.length, sets.count * points, offsets, columns);
    const pointOf = Int32Array.from({ length: sets.count * points }, (_, row) => row % points);
    return { toPoints: toMembers.transposed().pattern, toMembers, pointOf: keep(tensor(pointOf)) };
  });
}
