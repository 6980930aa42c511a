// The metanetwork: a graph network that reads a trained network and answers with slightly changed
// weights. With u = LayerNorm(h), messages from w to v and edge updates of one of its layers are
//
//   n_v  = D·[mean, std, max, min over w of A₂u_v ⊙ A₁u_w ⊙ e_wv],
//   m_wv = A₃u_w ⊙ A₄u_v ⊙ e_wv,
//
// once along the edges, once against them with ε⊙e in the place of e (ε: the edge inverter, 1 in
// the first half and −1 in the second), and h ← h + n + n′, e ← e + m + ε⊙m′. All edges between two
// node sets are one tensor [targets, sources, d]; means and extremes are reductions over an axis.
//
// Liu, Wang, Zhang: Meta Pruning via Graph Metanetworks, 2025, arXiv 2506.12041.

import { type Layer, Linear, stateOf, type Weights } from '../../nn/index.js';
import {
  add,
  concatenate,
  max,
  mean,
  min,
  multiply,
  permute,
  type Random,
  reshape,
  silu,
  slice,
  sqrt,
  standardize,
  type Tensor,
  tensor,
  variance,
  zeros,
} from '../../tensor/index.js';
import {
  type Architecture,
  architectureOfGraph,
  type NetworkGraph,
  type NodeSet,
  requireArchitecture,
} from './graph.js';
import { type GraphFeatures, graphFeatures, weightsOfFeatures } from './graph-features.js';

/** Options of a metanetwork. */
export interface MetanetworkOptions {
  /** d: width of nodes and edges, even. Default: 16. */
  readonly dimension?: number;
  /** T: number of layers. Default: 3. */
  readonly layers?: number;
  /** r_n: factor of the change of node features. Default: 0.01. */
  readonly nodeScale?: number;
  /** r_e: factor of the change of edge features. Default: 0.01. */
  readonly edgeScale?: number;
}

/** ε of the standard deviation: √(variance + ε), whose gradient at equal messages is finite. */
const DEVIATION_EPSILON = 1e-5;

/** LayerNorm without weights over the last axis. */
function normalized(x: Tensor): Tensor {
  const [y] = standardize(reshape(x, [-1, x.shape.at(-1) as number]));
  return reshape(y, x.shape);
}

/** Linear and SiLU. */
class Gate {
  readonly linear: Linear;

  constructor(dimension: number, random: Random) {
    this.linear = new Linear(dimension, dimension, random);
  }

  forward(x: Tensor): Tensor {
    return silu(this.linear.forward(x));
  }
}

/** LayerNorm, linear, SiLU, linear: from d numbers to the change of the features. */
class Head {
  readonly hidden: Gate;
  readonly out: Linear;

  constructor(dimension: number, features: number, random: Random) {
    this.hidden = new Gate(dimension, random.split('hidden'));
    this.out = new Linear(dimension, features, random.split('out'));
  }

  forward(x: Tensor): Tensor {
    return this.out.forward(this.hidden.forward(normalized(x)));
  }
}

/** Hidden state of a graph: nodes [nodes, d], and [targets, sources, d] of each edge set. */
type Hidden = GraphFeatures;

/** Mean, standard deviation, largest and smallest of messages [receivers, senders, d]. */
function aggregated(messages: Tensor): Tensor {
  const deviation = sqrt(add(variance(messages, 1), DEVIATION_EPSILON));
  return concatenate([mean(messages, 1), deviation, max(messages, 1), min(messages, 1)], 1);
}

/** A₁u … A₄u [nodes, d]. */
type Gates = Readonly<Record<'sender' | 'receiver' | 'source' | 'target', Tensor>>;

/** One layer of messages in both directions. */
export class MetaLayer {
  /** A₁: of the sender of a message. */
  readonly sender: Gate;
  /** A₂: of its receiver. */
  readonly receiver: Gate;
  /** A₃: of an edge's source, for the update of the edge. */
  readonly source: Gate;
  /** A₄: of its target. */
  readonly target: Gate;
  /** D: from the four aggregates to d numbers. */
  readonly combine: Linear;

  constructor(
    readonly dimension: number,
    random: Random,
  ) {
    this.sender = new Gate(dimension, random.split('sender'));
    this.receiver = new Gate(dimension, random.split('receiver'));
    this.source = new Gate(dimension, random.split('source'));
    this.target = new Gate(dimension, random.split('target'));
    this.combine = new Linear(4 * dimension, dimension, random.split('combine'));
  }

  /** h and e after the messages along the edges and against them. */
  forward(graph: NetworkGraph, { nodes, edges }: Hidden): Hidden {
    const inverter = edgeInverter(this.dimension);
    const u = normalized(nodes);
    const gates = {
      sender: this.sender.forward(u),
      receiver: this.receiver.forward(u),
      source: this.source.forward(u),
      target: this.target.forward(u),
    };
    const along = this.#pass(graph, gates, edges, 'along');
    const inverted = edges.map((own) => multiply(own, inverter));
    const against = this.#pass(graph, gates, inverted, 'against');
    return {
      nodes: add(nodes, add(along.nodes, against.nodes)),
      edges: edges.map((own, i) =>
        add(own, add(along.edges[i] as Tensor, multiply(against.edges[i] as Tensor, inverter))),
      ),
    };
  }

  /** n and m of one direction: against the edges, their targets send and their sources receive. */
  #pass(graph: NetworkGraph, gates: Gates, edges: readonly Tensor[], direction: 'along' | 'against'): Hidden {
    const arriving = graph.nodes.map((): Tensor[] => []);
    const isAlong = direction === 'along';
    const updates = graph.edges.map(({ from, to, pairs }, i) => {
      const own = edges[i] as Tensor;
      const scaled = (bySource: keyof Gates, byTarget: keyof Gates) =>
        multiply(
          multiply(this.#rows(gates[bySource], graph, from, pairs), own),
          this.#rows(gates[byTarget], graph, to, 'own'),
        );
      const messages = isAlong ? scaled('sender', 'receiver') : scaled('receiver', 'sender');
      arriving[isAlong ? to : from]?.push(isAlong || pairs === 'own' ? messages : permute(messages, [1, 0, 2]));
      return isAlong ? scaled('source', 'target') : scaled('target', 'source');
    });
    const aggregates = graph.nodes.map(({ size }, set) => {
      const messages = arriving[set] as Tensor[];
      if (messages.length === 0) return zeros([size, 4 * this.dimension]);
      return aggregated(messages.length === 1 ? (messages[0] as Tensor) : concatenate(messages, 1));
    });
    return { nodes: this.combine.forward(concatenate(aggregates, 0)), edges: updates };
  }

  /**
   * Rows of a node set to multiply edges with: as targets and one-to-one sources [rows, 1, d], as
   * sources of all pairs [1, rows, d].
   */
  #rows(values: Tensor, { nodes }: NetworkGraph, set: number, pairs: 'all' | 'own'): Tensor {
    const { start, size } = nodes[set] as NodeSet;
    const rows = slice(values, [start, start + size]);
    return reshape(rows, pairs === 'all' ? [1, size, this.dimension] : [size, 1, this.dimension]);
  }
}

/** ε [d]: 1 in the first half, −1 in the second. */
function edgeInverter(dimension: number): Tensor {
  return tensor(Float32Array.from({ length: dimension }, (_, i) => (i < dimension / 2 ? 1 : -1)));
}

/**
 * A metanetwork for networks of one architecture, whatever their numbers of channels:
 *
 *   x′ = x + r_n·MLP_n(h),  a′ = a + r_e·MLP_e(e)
 *
 * for node features x and edge features a. Numbers of an edge have an embedding and a head for each
 * size of kernel. Permuting channels of the network permutes the answer likewise.
 *
 * @throws RangeError for an odd or non-positive dimension
 * @see Liu, Wang, Zhang, 2025, arXiv 2506.12041
 */
export class Metanetwork {
  /** W_n: features to d. */
  readonly nodeIn: Linear;
  /** W_e by number of taps. */
  readonly edgeIn: Readonly<Record<string, Linear>>;
  /** The layers of messages. */
  readonly layers: readonly MetaLayer[];
  /** MLP_n. */
  readonly nodeOut: Head;
  /** MLP_e by number of taps. */
  readonly edgeOut: Readonly<Record<string, Head>>;
  /** The options, complete. */
  readonly options: Required<MetanetworkOptions>;

  constructor(
    readonly architecture: Architecture,
    random: Random,
    { dimension = 16, layers = 3, nodeScale = 0.01, edgeScale = 0.01 }: MetanetworkOptions = {},
  ) {
    if (!(Number.isInteger(dimension) && dimension > 0 && dimension % 2 === 0))
      throw new RangeError(`Metanetwork: the dimension must be positive and even, got ${dimension}`);
    this.options = { dimension, layers, nodeScale, edgeScale };
    const { nodeFeatures, edgeWidths } = architecture;
    const byWidth = <T>(make: (width: number) => T) =>
      Object.fromEntries(edgeWidths.map((width) => [width, make(width)]));
    this.nodeIn = new Linear(nodeFeatures, dimension, random.split('nodeIn'));
    this.edgeIn = byWidth((width) => new Linear(width, dimension, random.split(`edgeIn.${width}`)));
    this.layers = Array.from({ length: layers }, (_, i) => new MetaLayer(dimension, random.split(`layers.${i}`)));
    this.nodeOut = new Head(dimension, nodeFeatures, random.split('nodeOut'));
    this.edgeOut = byWidth((width) => new Head(dimension, width, random.split(`edgeOut.${width}`)));
  }

  /** New features of a graph. @throws Error naming the layers of another architecture */
  forward(graph: NetworkGraph, { nodes, edges }: GraphFeatures): GraphFeatures {
    requireArchitecture(this.architecture, architectureOfGraph(graph));
    const { nodeScale, edgeScale } = this.options;
    let hidden: Hidden = {
      nodes: this.nodeIn.forward(nodes),
      edges: edges.map((own, i) => (this.edgeIn[graph.edges[i]?.taps ?? 0] as Linear).forward(own)),
    };
    for (const layer of this.layers) hidden = layer.forward(graph, hidden);
    return {
      nodes: add(nodes, multiply(this.nodeOut.forward(hidden.nodes), nodeScale)),
      edges: edges.map((own, i) => {
        const head = this.edgeOut[graph.edges[i]?.taps ?? 0] as Head;
        return add(own, multiply(head.forward(hidden.edges[i] as Tensor), edgeScale));
      }),
    };
  }

  /**
   * The changed weights of a network by name, for `withWeights`; the network stays as it is, its
   * running statistics among it.
   *
   * @throws Error naming the layers of another architecture
   */
  weights(graph: NetworkGraph, model: Layer): Weights {
    return weightsOfFeatures(graph, this.forward(graph, graphFeatures(graph, stateOf(model))));
  }
}
