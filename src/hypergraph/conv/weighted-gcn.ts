// Graph convolutions on lists of edges whose weights are values, with gradients to them: what edge
// scores act through.

import { type Features, featureCount, Linear } from '../../nn/index.js';
import { SparseMatrix, SparsePattern, segmentSum, spmm } from '../../sparse/index.js';
import { type EdgeEnds, memo } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  keep,
  matmul,
  ones,
  power,
  type Random,
  reshape,
  type Tensor,
  tensor,
} from '../../tensor/index.js';

/** A + I of a list of edges, and what each stored element is. */
interface LoopedPattern {
  /** n×n: row v holds v itself, then the nodes that v receives from. */
  readonly pattern: SparsePattern;
  /** Edge of each stored element, m for a loop: i32 [nnz]. */
  readonly edgeOf: Tensor;
}

/** Edges that are self-loops are left out, since every node has its loop of weight 1. */
function loopedPattern(ends: EdgeEnds, directed: boolean): LoopedPattern {
  return memo(ends, `loopedPattern ${directed}`, () => {
    const { nodeCount, sources, targets } = ends;
    const offsets = new Int32Array(nodeCount + 1);
    const each = (visit: (row: number, column: number, edge: number) => void) => {
      for (let v = 0; v < nodeCount; v++) visit(v, v, sources.length);
      for (let e = 0; e < sources.length; e++) {
        const [u, v] = [sources[e] as number, targets[e] as number];
        if (u === v) continue;
        visit(v, u, e);
        if (!directed) visit(u, v, e);
      }
    };
    each((row) => {
      offsets[row + 1] = (offsets[row + 1] as number) + 1;
    });
    for (let v = 0; v < nodeCount; v++) offsets[v + 1] = (offsets[v + 1] as number) + (offsets[v] as number);
    const next = offsets.slice();
    const columns = new Int32Array(offsets[nodeCount] as number);
    const edgeOf = new Int32Array(columns.length);
    each((row, column, edge) => {
      const at = next[row] as number;
      next[row] = at + 1;
      columns[at] = column;
      edgeOf[at] = edge;
    });
    return { pattern: new SparsePattern(nodeCount, nodeCount, offsets, columns), edgeOf: keep(tensor(edgeOf)) };
  });
}

/**
 * D̃^{−1/2}(A + I)D̃^{−1/2} with A[v, u] = w of the edge between u and v, and D̃ the weighted
 * degrees of A + I, which are at least 1.
 *
 * @param weights w [m], not negative; all 1 when left out
 * @param directed whether an edge passes messages from source to target alone. Default: false
 */
export function weightedOperator(ends: EdgeEnds, weights?: Tensor, directed = false): SparseMatrix {
  if (!weights)
    return memo(ends, `unweightedOperator ${directed}`, () => {
      const { pattern, values } = normalized(ends, ones([ends.sources.length]), directed);
      return new SparseMatrix(pattern, values && keep(values));
    });
  return normalized(ends, weights, directed);
}

function normalized(ends: EdgeEnds, weights: Tensor, directed: boolean): SparseMatrix {
  const { pattern, edgeOf } = loopedPattern(ends, directed);
  const values = gatherKnownRows(concatenate([weights, ones([1])]), edgeOf); // (nnz)
  const degrees = segmentSum(values, pattern.segments); // (n)
  const root = power(degrees, -0.5);
  return new SparseMatrix(pattern, values).scale(root, root);
}

/** X' = D̃^{−1/2}(A_w + I)D̃^{−1/2}·XΘ + b; see `weightedOperator`. */
export class WeightedGCNConv {
  /** Θ, from Glorot-uniform values, and b, from 0. */
  readonly linear: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.linear = new Linear(inFeatures, outFeatures, random, { init: 'xavier' });
  }

  /** Node features [n, in] → [n, out] by an operator [n, n]. */
  forward(x: Features, operator: SparseMatrix): Tensor {
    const { weight, bias, outFeatures } = this.linear;
    if (x instanceof SparseMatrix) return add(spmm(operator, spmm(x, weight, { transposeX: true })), bias as Tensor);
    const first = featureCount(x) < outFeatures;
    const y = first
      ? matmul(spmm(operator, x), weight, { transposeB: true })
      : spmm(operator, matmul(x, weight, { transposeB: true }));
    return add(y, bias as Tensor);
  }
}

/** Operators of each type of edge: means over the neighbours by edges of that type. */
function relationOperators(ends: EdgeEnds, types: Int32Array, count: number): SparseMatrix[] {
  return memo(types, `relationOperators ${count}`, () =>
    Array.from({ length: count }, (_, type) => {
      const rows: number[] = [];
      const columns: number[] = [];
      types.forEach((own, e) => {
        if (own !== type) return;
        rows.push(ends.sources[e] as number, ends.targets[e] as number);
        columns.push(ends.targets[e] as number, ends.sources[e] as number);
      });
      const sums = SparseMatrix.fromCoordinates(ends.nodeCount, ends.nodeCount, rows, columns);
      const means = sums.scale(tensor(sums.rowSums().map((degree) => (degree === 0 ? 0 : 1 / degree))));
      return new SparseMatrix(means.pattern, means.values && keep(means.values));
    }),
  );
}

/**
 * R-GCN (Schlichtkrull et al., ESWC 2018): x'_v = W₀x_v + Σ_r mean over the neighbours u by edges
 * of type r of W_r x_u + b.
 */
export class RelationalConv {
  /** W₀ and b. */
  readonly own: Linear;
  /** W_r of all types, one after another: [types·out, in]. */
  readonly relations: Linear;

  constructor(
    inFeatures: number,
    readonly outFeatures: number,
    readonly types: number,
    random: Random,
  ) {
    this.own = new Linear(inFeatures, outFeatures, random.split('own'), { init: 'xavier' });
    this.relations = new Linear(inFeatures, types * outFeatures, random.split('relations'), {
      bias: false,
      init: 'xavier',
    });
  }

  /** Node features [n, in] → [n, out]; `types` is the type of each edge [m], −1 for no messages. */
  forward(x: Tensor, ends: EdgeEnds, types: Int32Array): Tensor {
    const messages = reshape(this.relations.forward(x), [ends.nodeCount, this.types, this.outFeatures]);
    const received = relationOperators(ends, types, this.types).map((operator, r) =>
      spmm(operator, reshape(messages.slice(null, [r, r + 1], null), [ends.nodeCount, this.outFeatures])),
    );
    return received.reduce((sum, one) => add(sum, one), this.own.forward(x));
  }
}
