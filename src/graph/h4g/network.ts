// H4G: vectors of nodes and of class texts meet in hyperbolic space, at a radius that is learnt.
//
//   u_v = ρ·z_v/‖z_v‖ (or z_v),   x'_v = exp₀(S·u_v),   t'_c = exp₀(S·ρ·ψ(text)/‖·‖)
//   s(v, c) = −d(x'_v, t'_c)/τ,   prediction argmax_c s(v, c)
//
// The texts that are compared are brought to one radius, their mean: else those of small radius
// would be nearest to most nodes.
// z_v comes from a graph encoder on frozen text vectors, S is block-diagonal (`BlockScaling`). S
// acts on tangent vectors, in one step with the lift: in single precision what the lift clips at
// radius 12.2 no S brings back. With cosines in place of −d the same parts are a Euclidean method.
//
// Zhang et al., "H4G: Unlocking Faithful Inference for Zero-Shot Graph Learning in Hyperbolic
// Space", KDD 2026 (arXiv 2510.12094).

import {
  BlockScaling,
  inference,
  type Mode,
  PoincareBall,
  parameter,
  type ScalingForm,
  tangentDistances,
} from '../../nn/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import {
  cosineSimilarities,
  divide,
  exp,
  gatherKnownRows,
  mean,
  multiply,
  normalizeRows,
  type Random,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { GPSEncoder, type GPSOptions } from './gps.js';
import { type GraphTextEncoder, HopGates, type PreparedGraph } from './hop-gates.js';

/** Layout of `H4G`. */
export interface H4GOptions {
  /** Graph encoder: gated hops, or a graph transformer on subgraphs. Default: `hops`. */
  readonly encoder?: 'hops' | 'gps';
  /** Propagations of `hops`. Default: 2. */
  readonly hops?: number;
  /** Layout of `gps`. */
  readonly gps?: GPSOptions;
  /** `adapter`: the encoder stays as it is, S and τ alone are learnt. Default: `joint`. */
  readonly training?: 'joint' | 'adapter';
  /** How S is made, or `none` for S = I. Default: `contractive`. */
  readonly scaling?: ScalingForm | 'none';
  /** Rows of a block of S, which divides the width. Default: 8. */
  readonly block?: number;
  /** Whether texts are scaled by the S of the nodes. Default: true. */
  readonly shareScaling?: boolean;
  /**
   * Whether the texts that are compared have one radius, their mean: otherwise those of small
   * radius are the nearest ones of most nodes. Default: true.
   */
  readonly equalRadii?: boolean;
  /** Similarity: −d in the ball, or the cosine of the scaled vectors. Default: `ball`. */
  readonly geometry?: 'ball' | 'cosine';
  /** c of the curvature −c. Default: 1. */
  readonly curvature?: number;
  /**
   * ρ: length of tangent vectors before they are scaled; the radius is twice as large. Default: 8.
   */
  readonly length?: number;
  /**
   * Whether vectors have length ρ (`unit`), or the norms of the encoders times ρ. Default: `unit`.
   */
  readonly norms?: 'unit' | 'kept';
  /** Whether a node's point is the gyromidpoint of itself and its neighbours. Default: false. */
  readonly midpoints?: boolean;
  /** τ before training. Default: 0.3. */
  readonly temperature?: number;
}

/** Nodes and class texts in one space. */
export class H4G {
  /** From texts and edges to vectors of nodes. */
  readonly encoder: GraphTextEncoder;
  /** S of nodes; none where S = I. */
  readonly scaling?: BlockScaling;
  /** S of texts, where it is another. */
  readonly textScaling?: BlockScaling;
  /** ln τ [1, 1]. */
  readonly logTemperature: Tensor;
  /** The space. */
  readonly #ball: PoincareBall;
  readonly #options: H4GOptions;

  /**
   * @param features d, the numbers of a text vector
   * @throws RangeError when blocks do not divide the features, or for an option out of range
   */
  constructor(
    readonly features: number,
    random: Random,
    options: H4GOptions = {},
  ) {
    const { encoder = 'hops', scaling = 'contractive', block = 8, shareScaling = true, temperature = 0.3 } = options;
    const { training = 'joint', curvature = 1, length = 8 } = options;
    for (const [name, value] of Object.entries({ temperature, length }))
      if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`H4G: ${name} must be positive, got ${value}`);
    if (encoder === 'gps' && training === 'adapter')
      throw new RangeError('H4G: an untrained graph transformer would stay untrained; train it jointly');
    this.encoder =
      encoder === 'gps'
        ? new GPSEncoder(features, random.split('encoder'), options.gps)
        : new HopGates({ learned: training === 'joint', ...(options.hops !== undefined && { hops: options.hops }) });
    if (scaling !== 'none') {
      this.scaling = new BlockScaling(features, { block, form: scaling });
      if (!shareScaling) this.textScaling = new BlockScaling(features, { block, form: scaling });
    }
    this.logTemperature = parameter(tensor([Math.log(temperature)], [1, 1]));
    this.#ball = new PoincareBall(curvature);
    this.#options = options;
  }

  /** The space of the points. */
  get ball(): PoincareBall {
    return this.#ball;
  }

  /** Whether similarities are distances in the ball. */
  get isHyperbolic(): boolean {
    return this.#options.geometry !== 'cosine';
  }

  /** A graph with vectors of its texts [n, d], prepared for `nodeVectors`. */
  prepare(graph: Graph, texts: Tensor): PreparedGraph {
    return this.encoder.prepare(graph, texts);
  }

  /** Tangent vectors u of nodes [rows, d], before they are scaled. */
  nodeTangents(prepared: PreparedGraph, rows: Int32Array, mode: Mode = inference): Tensor {
    return this.#lifted(this.encoder.forward(prepared, rows, mode));
  }

  /**
   * S·u of nodes [rows, d]; their points are exp₀ of it, but for `midpoints`.
   *
   * @param matrices the blocks of S, where they are at hand
   */
  nodeVectors(prepared: PreparedGraph, rows: Int32Array, mode: Mode = inference, matrices?: Tensor): Tensor {
    return this.#scaled(this.encoder.forward(prepared, rows, mode), this.scaling, matrices);
  }

  /**
   * S·u of texts whose vectors are given [m, d].
   *
   * @param matrices the blocks of S, where they are at hand
   */
  textVectors(texts: Tensor, matrices?: Tensor): Tensor {
    const scaled = this.#scaled(texts, this.textScaling ?? this.scaling, matrices);
    const { equalRadii = true } = this.#options;
    return equalRadii && this.isHyperbolic && this.scaling ? atMeanNorm(scaled) : scaled;
  }

  /** Points of nodes [rows, d]: in the ball, or the scaled vectors of cosines. */
  nodePoints(prepared: PreparedGraph, rows: Int32Array, mode: Mode = inference, matrices?: Tensor): Tensor {
    if (!this.isHyperbolic) return this.nodeVectors(prepared, rows, mode, matrices);
    if (!this.#options.midpoints) return this.ball.exp(this.nodeVectors(prepared, rows, mode, matrices));
    const all = Int32Array.from({ length: prepared.graph.nodeCount }, (_, v) => v);
    const operator = graphOperator(prepared.graph, { exponent: 0 });
    const points = this.ball.midpoints(operator, this.ball.exp(this.nodeVectors(prepared, all, mode, matrices)));
    return gatherKnownRows(points, tensor(rows));
  }

  /** Points of texts whose vectors are given [m, d]. */
  textPoints(texts: Tensor, matrices?: Tensor): Tensor {
    const vectors = this.textVectors(texts, matrices);
    return this.isHyperbolic ? this.ball.exp(vectors) : vectors;
  }

  /** Points of nodes and of texts; the blocks of an S that both share are made once. */
  points(
    prepared: PreparedGraph,
    rows: Int32Array,
    texts: Tensor,
    mode: Mode = inference,
  ): { readonly nodes: Tensor; readonly texts: Tensor } {
    const shared = this.textScaling ? undefined : this.scaling?.matrices();
    return { nodes: this.nodePoints(prepared, rows, mode, shared), texts: this.textPoints(texts, shared) };
  }

  /** s(v, c) of points of nodes [n, d] and of texts [m, d]: [n, m]. */
  similarities(nodes: Tensor, texts: Tensor): Tensor {
    const alike = this.isHyperbolic
      ? multiply(this.ball.distances(nodes, texts), -1)
      : cosineSimilarities(nodes, texts);
    return divide(alike, exp(this.logTemperature));
  }

  /** d(exp₀(a), exp₀(b)) of scaled vectors, which clips nothing: [n, m]. */
  exactDistances(nodes: Tensor, texts: Tensor): Tensor {
    return tangentDistances(this.ball, nodes, texts);
  }

  /** S·u of u = ρ·z/‖z‖, 0 of 0, or ρ·z, with ρ in the blocks. */
  #scaled(z: Tensor, scaling: BlockScaling | undefined, matrices: Tensor | undefined): Tensor {
    return scaling ? scaling.forward(this.#direction(z), this.#length, matrices) : this.#lifted(z);
  }

  /** ρ·z/‖z‖, 0 of 0; or ρ·z. */
  #lifted(z: Tensor): Tensor {
    return multiply(this.#direction(z), this.#length);
  }

  #direction(z: Tensor): Tensor {
    return this.#options.norms === 'kept' ? z : normalizeRows(z, 1e-9);
  }

  get #length(): number {
    return this.#options.length ?? 8;
  }
}

/** Rows of the mean of their norms; 0 stays 0. */
function atMeanNorm(x: Tensor): Tensor {
  const units = normalizeRows(x, 1e-9);
  return multiply(units, mean(sum(multiply(x, units), -1)));
}

/** Parameters that S adds: d·b, and a gate for each block. */
export function scalingParameters({ scaling, textScaling }: H4G): number {
  const count = (own: BlockScaling | undefined) => (own?.blocks?.size ?? 0) + (own?.gates?.size ?? 0);
  return count(scaling) + count(textScaling);
}
