// GMPool (Baek, Kang, Hwang, "Accurate Learning of Graph Representations with Graph Multiset
// Pooling", ICLR 2021): learned seeds attend to the rows of each segment.
//
//   Q = S·W_q + b,  A = softmax(Q·Kᵀ/√d),  O = Q + A·V,  O ← O + ReLU(O·W_o + b)

import { LayerNorm, Linear, parameter, xavierUniform } from '../../nn/index.js';
import { type Segments, SparsePattern, segmentSoftmax, spmm } from '../../sparse/index.js';
import { memo } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  keep,
  matmul,
  multiply,
  type Random,
  reshape,
  softmax,
  type Tensor,
  tensor,
} from '../../tensor/index.js';

/** Layout of a `SeedPool`. */
export interface SeedPoolOptions {
  /**
   * What the softmax runs over. `seeds`: each row is shared out among the seeds, a soft clustering.
   * `rows`: each seed reads a mean of the rows. Default: `rows`.
   */
  readonly over?: 'seeds' | 'rows';
  /** Number of attention heads, which must divide the features. Default: 1. */
  readonly heads?: number;
  /** Whether both sums are followed by a layer norm. Default: false. */
  readonly norm?: boolean;
}

/** Pooled rows, and the attention that made them. */
export interface SeedPooled {
  /** O [segments·K, d], K rows for each segment. */
  readonly pooled: Tensor;
  /** Aᵀ of each head [rows, K]. */
  readonly attention: readonly Tensor[];
}

/** Attention of learned seeds, on many segments at once. */
export class SeedPool {
  /** S [K, d]. */
  seeds: Tensor;
  /** W_q. */
  readonly query: Linear;
  /** W_o. */
  readonly output: Linear;
  /** Layer norms after the two sums; none by default. */
  readonly norms: readonly LayerNorm[];
  /** What the softmax runs over. */
  readonly over: 'seeds' | 'rows';
  /** Number of attention heads. */
  readonly heads: number;

  /**
   * @param seeds K, the rows of the result for each segment
   * @throws Error when the features do not divide into the heads
   */
  constructor(
    features: number,
    seeds: number,
    random: Random,
    { over = 'rows', heads = 1, norm = false }: SeedPoolOptions = {},
  ) {
    if (features % heads !== 0) throw new Error(`SeedPool: ${features} features do not divide into ${heads} heads`);
    this.over = over;
    this.heads = heads;
    this.seeds = parameter(xavierUniform(random.split('seeds'), [seeds, features]));
    this.query = new Linear(features, features, random.split('query'), { init: 'xavier' });
    this.output = new Linear(features, features, random.split('output'), { init: 'xavier' });
    this.norms = norm ? [new LayerNorm(features), new LayerNorm(features)] : [];
  }

  /** Number of seeds K. */
  get count(): number {
    return this.seeds.shape[0] as number;
  }

  /** Keys and values [rows, d] → [segments·K, d]. A segment without rows keeps O = Q. */
  forward(keys: Tensor, values: Tensor, segments: Segments): SeedPooled {
    const query = this.query.forward(this.seeds); // (K, d)
    const { toSeeds, permutation, seedOf } = seedPatterns(segments, this.count);
    const features = this.seeds.shape[1] as number;
    const width = features / this.heads;
    const attention: Tensor[] = [];
    const read = Array.from({ length: this.heads }, (_, head) => {
      const own = (x: Tensor) => (this.heads === 1 ? x : x.slice(null, [head * width, (head + 1) * width]));
      const scores = multiply(matmul(own(keys), own(query), { transposeB: true }), 1 / Math.sqrt(features));
      const shares = this.over === 'seeds' ? softmax(scores) : segmentSoftmax(scores, segments); // (rows, K)
      attention.push(shares);
      return spmm({ pattern: toSeeds, values: gatherKnownRows(reshape(shares, [-1]), permutation) }, own(values));
    });
    const [first, second] = this.norms;
    const o = add(gatherKnownRows(query, seedOf), concatenate(read, 1));
    const normed = first ? first.forward(o) : o;
    const sum = add(normed, this.output.forward(normed, 'relu'));
    return { pooled: second ? second.forward(sum) : sum, attention };
  }

  /** Back to rows: Aᵀ·O [rows, d]. */
  unpool({ pooled, attention }: SeedPooled, segments: Segments): Tensor {
    const { toRows } = seedPatterns(segments, this.count);
    const width = (pooled.shape[1] as number) / this.heads;
    return concatenate(
      attention.map((shares, head) =>
        spmm(
          { pattern: toRows, values: reshape(shares, [-1]) },
          this.heads === 1 ? pooled : pooled.slice(null, [head * width, (head + 1) * width]),
        ),
      ),
      1,
    );
  }
}

/** Which seeds of which segment each row belongs to. */
interface SeedPatterns {
  /** rows × segments·K: each row reads the seeds of its segment. */
  readonly toRows: SparsePattern;
  /** segments·K × rows: its transpose. */
  readonly toSeeds: SparsePattern;
  /** Position in `toRows` of each element of `toSeeds`. */
  readonly permutation: Tensor;
  /** Seed of each row of the pooled: i32 [segments·K]. */
  readonly seedOf: Tensor;
}

function seedPatterns(segments: Segments, seeds: number): SeedPatterns {
  return memo(segments, `seeds ${seeds}`, () => {
    const { size, count } = segments;
    const ids = segments.ids.view();
    const columns = new Int32Array(size * seeds);
    for (let row = 0; row < size; row++)
      for (let k = 0; k < seeds; k++) columns[row * seeds + k] = (ids[row] as number) * seeds + k;
    const offsets = Int32Array.from({ length: size + 1 }, (_, row) => row * seeds);
    const toRows = new SparsePattern(size, count * seeds, offsets, columns);
    const { pattern: toSeeds, permutation } = toRows.transposed();
    const seedOf = Int32Array.from({ length: count * seeds }, (_, row) => row % seeds);
    return { toRows, toSeeds, permutation, seedOf: keep(tensor(seedOf)) };
  });
}
