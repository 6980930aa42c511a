// Directed walks: a node as the walks that start there (a design of our own after DiRW, Su et al.,
// "DiRW: Path-Aware Digraph Learning for Heterophily", 2024). A step is the node that it reaches
// and a mark of its number and direction; heads of attention choose among steps.
//
//   t_{v,s} = ReLU(x_{w_s}·W + e_{position, direction}),  e of the start for v itself
//   α = softmax_s(a·t_{v,s} + b_{position, direction}) for each head
//   h_v = [t_{v,0} ‖ Σ_s α_s·t_{v,s}]

import { Dropout, dropFeatures, type Features, Linear, type Mode, parameter, randomOf } from '../../nn/index.js';
import { Segments, segmentSoftmax, segmentSum } from '../../sparse/index.js';
import { type DirectedWalkOptions, directedWalks, type Graph, memo } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  keep,
  multiply,
  Random,
  relu,
  reshape,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { forwardAll, type RowwiseModule } from '../decoupled/rowwise.js';

/** Layout of a network of directed walks. */
export interface DirectedWalkNetworkOptions extends DirectedWalkOptions {
  /** Width of a step. Default: 64. */
  readonly hidden?: number;
  /** Attention heads, which divide the width. Default: 4. */
  readonly heads?: number;
  /** Dropout probability of features and before the classifier. Default: 0.5. */
  readonly dropout?: number;
  /** Nodes of a training step. Default: 1024. */
  readonly batchSize?: number;
}

/** A node, then the steps of its walks, for each node of a batch. */
interface StepTokens {
  readonly segments: Segments;
  /** Node of each token. */
  readonly nodes: Tensor;
  /** 0 for the node itself, then 1 + 2·position + (1 along an arc, 0 against it). */
  readonly marks: Tensor;
  /** The token of each node itself. */
  readonly first: Tensor;
}

/**
 * Learned attention over the steps of walks. A training pass draws walks anew; in inference they
 * are fixed by the node.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws RangeError unless the heads divide the width
 */
export class DirectedWalkNetwork implements RowwiseModule {
  /** W. */
  readonly input: Linear;
  /** e [1 + 2ℓ, hidden]. */
  marks: Tensor;
  /** a of each head. */
  readonly attention: Linear;
  /** b [1 + 2ℓ, heads]. */
  preferences: Tensor;
  /** Classifier of [node ‖ walks]. */
  readonly head: Linear;
  /** Nodes of a training step. */
  readonly batchSize: number;
  readonly #walks: Required<DirectedWalkOptions>;
  readonly #heads: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    {
      hidden = 64,
      heads = 4,
      dropout = 0.5,
      walks = 8,
      length = 4,
      forward = 0.5,
      batchSize = 1024,
    }: DirectedWalkNetworkOptions = {},
  ) {
    if (hidden % heads !== 0)
      throw new RangeError(`DirectedWalkNetwork: a width of ${hidden} does not divide among ${heads} heads`);
    const kinds = 1 + 2 * length;
    this.input = new Linear(inFeatures, hidden, random.split('input'));
    this.marks = parameter(random.split('marks').normal([kinds, hidden], 0, 0.1));
    this.attention = new Linear(hidden, heads, random.split('attention'));
    this.preferences = parameter(random.split('preferences').normal([kinds, heads], 0, 1));
    this.head = new Linear(2 * hidden, outFeatures, random.split('head'));
    this.batchSize = batchSize;
    this.#walks = { walks, length, forward };
    this.#heads = heads;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return forwardAll(this, x, graph, mode);
  }

  forwardRows(x: Features, graph: Graph, rows: Int32Array, mode: Mode): Tensor {
    const { segments, nodes, marks, first } = this.#tokens(graph, rows, mode);
    const projected = this.input.forward(dropFeatures(x, this.#dropout.p, mode));
    const tokens = relu(add(gatherKnownRows(projected, nodes), gatherKnownRows(this.marks, marks))); // (T, hidden)
    const scores = add(this.attention.forward(tokens), gatherKnownRows(this.preferences, marks)); // (T, heads)
    const alpha = reshape(segmentSoftmax(scores, segments), [segments.size, this.#heads, 1]);
    const split = reshape(tokens, [segments.size, this.#heads, -1]);
    const pooled = reshape(segmentSum(multiply(split, alpha), segments), [rows.length, -1]);
    const joined = concatenate([gatherKnownRows(tokens, first), pooled], 1);
    return this.head.forward(this.#dropout.forward(joined, mode));
  }

  #tokens(graph: Graph, rows: Int32Array, mode: Mode): StepTokens {
    const make = (random: Random) => tokensOf(graph, rows, random, this.#walks);
    if (mode.training) return make(new Random(randomOf(mode, 'DirectedWalkNetwork').next()));
    const { walks, length, forward } = this.#walks;
    // The same rows are asked for in every validation.
    const kept = memo(graph, `walk tokens ${walks} ${length} ${forward}`, () => new WeakMap<Int32Array, StepTokens>());
    const known = kept.get(rows) ?? make(new Random(0).split('walks'));
    for (const own of [known.nodes, known.marks, known.first]) keep(own);
    kept.set(rows, known);
    return known;
  }
}

function tokensOf(graph: Graph, rows: Int32Array, random: Random, options: DirectedWalkOptions): StepTokens {
  const { offsets, nodes, positions, along } = directedWalks(graph, random, options, rows);
  const total = nodes.length + rows.length;
  const [tokens, marks, starts] = [new Int32Array(total), new Int32Array(total), new Int32Array(rows.length + 1)];
  let at = 0;
  rows.forEach((row, i) => {
    tokens[at++] = row;
    for (let step = offsets[i] as number; step < (offsets[i + 1] as number); step++) {
      tokens[at] = nodes[step] as number;
      marks[at++] = 1 + 2 * (positions[step] as number) + (along[step] as number);
    }
    starts[i + 1] = at;
  });
  return {
    segments: new Segments(starts),
    nodes: tensor(tokens),
    marks: tensor(marks),
    first: tensor(starts.slice(0, rows.length)),
  };
}
