// One layer for all subgraph networks: a list of aggregations.

import { BatchNorm1d, Linear, type Mode, parameter } from '../../nn/index.js';
import { add, type Random, type Tensor, tensor, zeros } from '../../tensor/index.js';
import { type Aggregation, type CellTensors, cellNumber, neighbourSum, plusRows, sumByIndex } from '../dense/index.js';

/** Linear – batch norm – ReLU – Linear. */
export class CellMLP {
  /** First layer. */
  readonly inner: Linear;
  /** Batch norm between them. */
  readonly norm: BatchNorm1d;
  /** Second layer. */
  readonly outer: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.inner = new Linear(inFeatures, outFeatures, random.split('inner'));
    this.norm = new BatchNorm1d(outFeatures);
    this.outer = new Linear(outFeatures, outFeatures, random.split('outer'));
  }

  /** [n, inFeatures] → [n, outFeatures]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.outer.forward(this.norm.forward(this.inner.forward(x), mode, 'relu'));
  }
}

/** What one aggregation adds to a layer. */
class Branch {
  /** ε [1], by which the cell itself counts: 1 + ε. */
  epsilon: Tensor;
  /** B, from the features of edges to what messages along them add; only for `uL` and `vL`. */
  readonly edges: Linear | undefined;
  readonly mlp: CellMLP;

  constructor(
    readonly aggregation: Aggregation,
    features: number,
    edgeFeatures: number,
    random: Random,
  ) {
    this.epsilon = parameter(zeros([1]));
    const isLocal = aggregation === 'uL' || aggregation === 'vL';
    this.edges = isLocal && edgeFeatures > 0 ? new Linear(edgeFeatures, features, random.split('edges')) : undefined;
    this.mlp = new CellMLP(features, features, random);
  }

  forward(h: Tensor, cells: CellTensors, edges: Tensor | undefined, mode: Mode): Tensor {
    return this.mlp.forward(this.aggregate(h, cells, edges), mode);
  }

  /** (1 + ε)·h(u, v) + what the aggregation delivers. */
  aggregate(h: Tensor, cells: CellTensors, edges: Tensor | undefined): Tensor {
    const scale = add(this.epsilon, 1);
    const { batch, first, second } = cells;
    switch (this.aggregation) {
      case 'uL':
        return neighbourSum(h, scale, cells, 'second', edges && this.edges?.forward(edges));
      case 'vL':
        return neighbourSum(h, scale, cells, 'first', edges && this.edges?.forward(edges));
      case 'uG':
        return plusRows(h, scale, sumByIndex(h, first, batch.cells.count), first);
      case 'vG':
        return plusRows(h, scale, sumByIndex(h, second, batch.graphs.nodeCount), second);
      default:
        return plusRows(h, scale, h, otherCell(cells, this.aggregation));
    }
  }
}

/** The number of cell (v, u), (u, u) or (v, v) for each cell (u, v): i32 [cells]. */
function otherCell({ batch }: CellTensors, which: 'vu' | 'uu' | 'vv'): Tensor {
  const { first, second } = batch;
  return tensor(
    first.map((u, cell) => {
      const v = second[cell] as number;
      return cellNumber(batch, which === 'uu' ? u : v, which === 'vv' ? v : u);
    }),
  );
}

/**
 * h'(u, v) = ReLU(BN(Σ over aggregations a of MLP_a((1 + ε_a)·h(u, v) + m_a(u, v)))).
 *
 * m of `uL` is Σ over neighbours w of v of ReLU(h(u, w) + B(e(v, w))), that of `vL` Σ over
 * neighbours w of u of ReLU(h(w, v) + B(e(u, w))); the others add h as `aggregations` says.
 */
export class SubgraphLayer {
  /** One for each aggregation. */
  readonly branches: readonly Branch[];
  /** Batch norm of their sum. */
  readonly norm: BatchNorm1d;

  constructor(list: readonly Aggregation[], features: number, edgeFeatures: number, random: Random) {
    this.branches = list.map((name) => new Branch(name, features, edgeFeatures, random.split(name)));
    this.norm = new BatchNorm1d(features);
  }

  /** h [cells, features], edges [m, edgeFeatures] → [cells, features]. */
  forward(h: Tensor, cells: CellTensors, edges: Tensor | undefined, mode: Mode): Tensor {
    const total = this.branches.map((branch) => branch.forward(h, cells, edges, mode)).reduce(add);
    return this.norm.forward(total, mode, 'relu');
  }
}
