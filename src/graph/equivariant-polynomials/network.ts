// PPGN++: networks whose features of pairs of nodes are multiplied as matrices.

import { Linear, type Mode } from '../../nn/index.js';
import {
  add,
  concatenate,
  multiply,
  ones,
  type Random,
  relu,
  requireChoice,
  slice,
  subtract,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import {
  type CellTensors,
  cellNumber,
  cellProduct,
  type GraphBatch,
  graphSizes,
  plusRows,
  segmentOfEach,
  sumByIndex,
  type WholeGraphNetwork,
} from '../dense/index.js';

/** Layout of a network on pairs of nodes. */
export interface PPGNOptions {
  /**
   * `++`: blocks also read the transpose of their input and the identity matrix; `plain`: the
   * provably powerful graph network of Maron et al. 2019. Default: `++`.
   */
  readonly variant?: '++' | 'plain';
  /** Blocks. Default: 8. */
  readonly depth?: number;
  /** Channels h of a block. Default: 95. */
  readonly hidden?: number;
  /** Width of the perceptron behind the pooling. Default: that of `hidden`. */
  readonly suffix?: number;
}

/** Numbers of features and outputs. */
export interface PPGNSizes {
  /** Features of nodes, 0 for none. */
  readonly nodes: number;
  /** Features of edges, 0 for none. */
  readonly edges: number;
  /** Features of pairs, such as polynomials, 0 for none. */
  readonly pairs: number;
  /** Numbers of a graph that are predicted. */
  readonly outputs: number;
}

/** Two layers with a ReLU after each. */
class PairMLP {
  /** First layer; of a transposed input too, its weights for the input come first. */
  readonly first: Linear;
  /** Second layer. */
  readonly second: Linear;
  readonly #channels: number;

  constructor(
    channels: number,
    hidden: number,
    readonly transposes: boolean,
    random: Random,
  ) {
    this.#channels = channels;
    this.first = new Linear(transposes ? 2 * channels : channels, hidden, random.split('first'), { init: 'xavier' });
    this.second = new Linear(hidden, hidden, random.split('second'), { init: 'xavier' });
  }

  /** x [cells, channels] → [cells, hidden]. */
  forward(x: Tensor, transposed: Tensor): Tensor {
    if (!this.transposes) return this.second.forward(this.first.forward(x, 'relu'), 'relu');
    // [T ; Tᵀ]·W = T·W₁ + (T·W₂)ᵀ, without a transposed copy of the input.
    const { weight, bias } = this.first;
    const direct = x.matmul(slice(weight, null, [0, this.#channels]), { transposeB: true }).add(bias as Tensor);
    const turned = x.matmul(slice(weight, null, [this.#channels, 2 * this.#channels]), { transposeB: true });
    return this.second.forward(relu(plusRows(direct, ones([1]), turned, transposed)), 'relu');
  }
}

/**
 * M₁ = MLP₁([T ; Tᵀ]), M₂ = MLP₂(T), M = M₁·M₂ channel by channel, output W·[T ; M] + b; T has the
 * identity matrix as a further channel. A plain block has neither the identity nor the transpose.
 */
export class PPGNBlock {
  /** Perceptron of the left factor. */
  readonly left: PairMLP;
  /** Perceptron of the right factor. */
  readonly right: PairMLP;
  /** From the input and the product to the output. */
  readonly skip: Linear;
  readonly #hidden: number;
  readonly #isPlain: boolean;

  constructor(channels: number, hidden: number, variant: '++' | 'plain', random: Random) {
    this.#hidden = hidden;
    this.#isPlain = variant === 'plain';
    const own = channels + Number(!this.#isPlain);
    this.left = new PairMLP(own, hidden, !this.#isPlain, random.split('left'));
    this.right = new PairMLP(own, hidden, false, random.split('right'));
    this.skip = new Linear(own + hidden, hidden, random.split('skip'), { init: 'xavier' });
  }

  /** T [cells, channels] → [cells, hidden]. */
  forward(t: Tensor, pairs: PairIndex): Tensor {
    const x = this.#isPlain ? t : concatenate([t, pairs.identity], 1);
    const product = cellProduct(
      this.left.forward(x, pairs.transposed),
      this.right.forward(x, pairs.transposed),
      pairs.cells,
    );
    const { weight, bias } = this.skip;
    const channels = x.shape[1] as number;
    const direct = x.matmul(slice(weight, null, [0, channels]), { transposeB: true }).add(bias as Tensor);
    return add(direct, product.matmul(slice(weight, null, [channels, channels + this.#hidden]), { transposeB: true }));
  }
}

/** What blocks and the pooling read of a batch. */
interface PairIndex {
  readonly cells: CellTensors;
  /** 1 on the diagonal [cells, 1]. */
  readonly identity: Tensor;
  /** The number of cell (v, u) for each (u, v). */
  readonly transposed: Tensor;
  /** The graph of each cell. */
  readonly graphOf: Tensor;
  /** The graph of each cell on the diagonal, −1 for others. */
  readonly diagonalOf: Tensor;
}

function pairIndex(cells: CellTensors): PairIndex {
  const { batch } = cells;
  const { first, second } = batch;
  const graphOfNode = segmentOfEach(batch.graphs.nodes);
  return {
    cells,
    identity: tensor(
      Float32Array.from(first, (u, cell) => Number(u === second[cell])),
      [first.length, 1],
    ),
    transposed: tensor(first.map((u, cell) => cellNumber(batch, second[cell] as number, u))),
    graphOf: tensor(first.map((u) => graphOfNode[u] as number)),
    diagonalOf: tensor(first.map((u, cell) => (u === second[cell] ? (graphOfNode[u] as number) : -1))),
  };
}

/**
 * A network from graphs to numbers: blocks on all pairs of nodes, then the means of the diagonal
 * and of all else, and Linear – ReLU – Linear.
 *
 * Input channels: the adjacency, features of edges at both of their cells, features of nodes on the
 * diagonal, features of pairs. The mean of no cells, of one node's pairs, is 0.
 *
 * @see Puny, Lim, Kiani, Maron, Lipman, "Equivariant Polynomials for Graph Neural Networks", ICML
 * 2023
 */
export class PPGN implements WholeGraphNetwork {
  /** The blocks. */
  readonly blocks: readonly PPGNBlock[];
  /** From the pooled channels to the outputs. */
  readonly head: readonly [Linear, Linear];
  readonly #hidden: number;
  readonly #channels: number;

  constructor(
    sizes: PPGNSizes,
    random: Random,
    { variant = '++', depth = 8, hidden = 95, suffix = hidden }: PPGNOptions = {},
  ) {
    requireChoice('PPGN', 'the variant', variant, ['++', 'plain']);
    this.#hidden = hidden;
    this.#channels = 1 + sizes.edges + sizes.nodes + sizes.pairs;
    this.blocks = Array.from(
      { length: depth },
      (_, l) => new PPGNBlock(l === 0 ? this.#channels : hidden, hidden, variant, random.split(l)),
    );
    this.head = [
      new Linear(2 * hidden, suffix, random.split('head 1'), { init: 'xavier' }),
      new Linear(suffix, sizes.outputs, random.split('head 2'), { init: 'xavier' }),
    ];
  }

  /** `cellBytes` of a network with so many input channels. */
  static cellBytes(channels: number, { depth = 8, hidden = 95 }: PPGNOptions): number {
    return 4 * (26 * hidden * depth + 6 * channels);
  }

  /** Bytes that a cell takes in a step of training, activations and gradients. */
  get cellBytes(): number {
    return PPGN.cellBytes(this.#channels, { depth: this.blocks.length, hidden: this.#hidden });
  }

  /**
   * The input channels of a batch: [cells, 1 + edge features + node features + pair features].
   *
   * @throws Error when there are other features than the network reads
   */
  input({ cells, nodes, edges, pairs }: GraphBatch): Tensor {
    const { batch, count } = cells;
    const { sources, targets, edgeCount, nodeCount } = batch.graphs;
    const ends = (from: Int32Array, to: Int32Array) =>
      tensor(from.map((u, e) => cellNumber(batch, u, to[e] as number)));
    const own = edges ? concatenate([ones([edgeCount, 1]), edges], 1) : ones([edgeCount, 1]);
    const both = add(sumByIndex(own, ends(sources, targets), count), sumByIndex(own, ends(targets, sources), count));
    const diagonal = tensor(Int32Array.from({ length: nodeCount }, (_, v) => cellNumber(batch, v, v)));
    const channels = [both, ...(nodes ? [sumByIndex(nodes, diagonal, count)] : []), ...(pairs ? [pairs] : [])];
    const t = channels.length > 1 ? concatenate(channels, 1) : both;
    if (t.shape[1] !== this.#channels)
      throw new Error(`PPGN: pairs have ${t.shape[1]} channels, the network reads ${this.#channels}`);
    return t;
  }

  /** Graphs → [graphs, outputs]. */
  forward(batch: GraphBatch, _: Mode): Tensor {
    const pairs = pairIndex(batch.cells);
    let t = this.input(batch);
    for (const block of this.blocks) t = block.forward(t, pairs);
    const [inner, outer] = this.head;
    return outer.forward(relu(inner.forward(this.#pooled(t, pairs))));
  }

  /** Means of the diagonal and of all other cells: [graphs, 2·hidden]. */
  #pooled(t: Tensor, { cells, graphOf, diagonalOf }: PairIndex): Tensor {
    const sizes = graphSizes(cells.batch.graphs);
    const share = (of: (n: number) => number) =>
      tensor(
        Float32Array.from(sizes, (n) => (of(n) === 0 ? 0 : 1 / of(n))),
        [sizes.length, 1],
      );
    const diagonal = sumByIndex(t, diagonalOf, sizes.length);
    const others = subtract(sumByIndex(t, graphOf, sizes.length), diagonal);
    return concatenate(
      [
        multiply(
          diagonal,
          share((n) => n),
        ),
        multiply(
          others,
          share((n) => n * (n - 1)),
        ),
      ],
      1,
    );
  }
}
