// The encoder of computational graphs: features of nodes, and a Graphormer on them (Ying et al.
// 2021, as in GHN-3).
//
//   x_v = primitive_v + shape_v + in(deg⁻) + out(deg⁺) + dist(A[0, v])
//   x ← x + MHSA(LN(x)), with logits q·kᵀ/√d_h + bias(A, Aᵀ);  x ← x + FF(LN(x))

import { joinHeads, LayerNorm, Linear, parameter, splitHeads, truncatedNormal } from '../../nn/index.js';
import {
  add,
  attention,
  concatenate,
  gatherRows,
  permute,
  type Random,
  reshape,
  slice,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { type EncodedGraph, MOST_DEGREE, MOST_DISTANCE } from './encoded-graph.js';
import { primitives } from './primitives.js';
import type { SizeTable } from './sizes.js';

/** Rows of the table of distances: 0 … 254, behind two that pad. */
const EDGES = 257;

/** A table of embeddings from a truncated normal of deviation 1/√d. */
function table(rows: number, features: number, random: Random): Tensor {
  return parameter(truncatedNormal(random, [rows, features], features ** -0.5));
}

/** Features of nodes: sums of embeddings [n, d]. */
export class NodeFeatures {
  /** [15, d]. */
  embed: Tensor;
  /** [channels + 1, d/4]. */
  channels: Tensor;
  /** [kernels + 1, d/4]. */
  spatial: Tensor;
  /** [101, d]. */
  inDegree: Tensor;
  /** [101, d]. */
  outDegree: Tensor;
  /** [1001, d]. */
  distance: Tensor;

  constructor(
    readonly features: number,
    sizes: SizeTable,
    random: Random,
  ) {
    const quarter = features / 4;
    this.embed = table(primitives.length, features, random);
    this.channels = table(sizes.channels.length + 1, quarter, random);
    this.spatial = table(sizes.kernels.length + 1, quarter, random);
    this.inDegree = table(MOST_DEGREE + 1, features, random);
    this.outDegree = table(MOST_DEGREE + 1, features, random);
    this.distance = table(MOST_DISTANCE + 1, features, random);
  }

  /** Features of all nodes [n, d]. */
  forward(graph: EncodedGraph): Tensor {
    const n = graph.graph.nodes.length;
    const halves = (rows: Tensor) => reshape(rows, [n, this.features / 2]);
    const shape = concatenate(
      [halves(gatherRows(this.channels, graph.channels)), halves(gatherRows(this.spatial, graph.spatial))],
      1,
    );
    return [
      gatherRows(this.embed, graph.primitives),
      shape,
      gatherRows(this.inDegree, graph.inDegrees),
      gatherRows(this.outDegree, graph.outDegrees),
      gatherRows(this.distance, graph.distances),
    ].reduce((sum, part) => add(sum, part));
  }
}

/** Bias of attention by the distances of a pair in both directions: [1, heads, n, n]. */
export class EdgeBias {
  /** Rows of distances [257, d], initially sines and cosines; the first is 0. */
  edges: Tensor;
  /** [d, 2d]. */
  readonly hidden: Linear;
  /** [heads, d]. */
  readonly out: Linear;

  constructor(features: number, heads: number, random: Random) {
    this.edges = parameter(tensor(sinusoids(EDGES, features), [EDGES, features]));
    this.hidden = new Linear(2 * features, features, random);
    this.out = new Linear(features, heads, random);
  }

  /** Computed once for each different pair, then spread over all. */
  forward({ graph, edgePairs, edgeIndex }: EncodedGraph): Tensor {
    const n = graph.nodes.length;
    const pairs = reshape(gatherRows(this.edges, edgePairs), [edgePairs.shape[0] as number, -1]); // [p, 2d]
    const bias = this.out.forward(this.hidden.forward(pairs, 'relu')); // [p, heads]
    return reshape(permute(gatherRows(bias, edgeIndex), [1, 0]), [1, -1, n, n]);
  }
}

/** Rows sin(p·ω), cos(p·ω) in turn, with ω = 10000^(−2i/d); the first row is 0. */
function sinusoids(rows: number, features: number): Float32Array {
  const values = new Float32Array(rows * features);
  for (let p = 1; p < rows; p++) {
    for (let i = 0; i < features; i++) {
      const angle = p * 10000 ** (-(i - (i % 2)) / features);
      values[p * features + i] = i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return values;
}

/** A transformer layer whose attention takes a bias. */
class GraphormerLayer {
  readonly ln1: LayerNorm;
  /** Without bias [3d, d]. */
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly ln2: LayerNorm;
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(
    readonly features: number,
    readonly heads: number,
    random: Random,
  ) {
    this.ln1 = new LayerNorm(features);
    this.qkv = new Linear(features, 3 * features, random, { bias: false });
    this.proj = new Linear(features, features, random);
    this.ln2 = new LayerNorm(features);
    this.fc1 = new Linear(features, 4 * features, random);
    this.fc2 = new Linear(4 * features, features, random);
  }

  /** x [1, n, d], bias [1, heads, n, n] → [1, n, d]. */
  forward(x: Tensor, bias: Tensor): Tensor {
    const { features, heads } = this;
    const projected = this.qkv.forward(this.ln1.forward(x));
    const part = (i: number) => splitHeads(slice(projected, null, null, [i * features, (i + 1) * features]), heads);
    const y = add(x, this.proj.forward(joinHeads(attention(part(0), part(1), part(2), { mask: bias }))));
    return add(y, this.fc2.forward(this.fc1.forward(this.ln2.forward(y)).gelu()));
  }
}

/** Sizes of a `GraphEncoder`. */
export interface GraphEncoderOptions {
  /** Width d, a multiple of 4 and of the heads. */
  readonly features: number;
  /** Number of layers. */
  readonly layers: number;
  /** Heads of attention. */
  readonly heads: number;
  /** Whether a layer norm follows the last layer. */
  readonly finalNorm: boolean;
}

/** Vectors of the nodes of a graph: [n, d]. */
export class GraphEncoder {
  /** Features of nodes. */
  readonly nodes: NodeFeatures;
  /** Bias of attention, made once and used by all layers. */
  readonly bias: EdgeBias;
  /** Transformer layers. */
  readonly layers: readonly GraphormerLayer[];
  /** Norm behind the last layer, if any. */
  readonly norm: LayerNorm | undefined;

  /** @throws RangeError unless 4 and the heads divide the width */
  constructor(sizes: SizeTable, { features, layers, heads, finalNorm }: GraphEncoderOptions, random: Random) {
    if (features % 4 !== 0 || features % heads !== 0)
      throw new RangeError(`GraphEncoder: a width of ${features} must be a multiple of 4 and of the ${heads} heads`);
    this.nodes = new NodeFeatures(features, sizes, random.split('nodes'));
    this.bias = new EdgeBias(features, heads, random.split('edges'));
    this.layers = Array.from(
      { length: layers },
      (_, at) => new GraphormerLayer(features, heads, random.split('layers').split(at)),
    );
    this.norm = finalNorm ? new LayerNorm(features) : undefined;
  }

  /** Vectors of all nodes [n, d]. */
  forward(graph: EncodedGraph): Tensor {
    const x = this.nodes.forward(graph);
    const bias = this.bias.forward(graph);
    const [n, d] = x.shape as [number, number];
    const y = reshape(
      this.layers.reduce((value, layer) => layer.forward(value, bias), reshape(x, [1, n, d])),
      [n, d],
    );
    return this.norm ? this.norm.forward(y) : y;
  }
}
