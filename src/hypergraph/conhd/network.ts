// CoNHD (Zheng & Worring, "Co-Representation Neural Hypergraph Diffusion for Edge-Dependent Node
// Classification", CIKM 2025): one vector for every (vertex, hyperedge) incidence, diffused within
// hyperedges and within vertices by learned equivariant functions φ and ϕ in place of the gradients
// (GD) or proximal maps (ADMM) of structural regularisers.
//
//   GD: h^{t+1} = W_u [h^t ‖ φ(H_e) ‖ ϕ(H_v) ‖ h⁰] + b_u ADMM: m^{t+1} = φ(2H_e − M_e) + m^t − h^t,
//   m' likewise over vertices; h^{t+1} = W_u [m^{t+1} ‖ m'^{t+1} ‖ h⁰] + b_u

import { Dropout, dropFeatures, type Features, LayerNorm, Linear, type Mode } from '../../nn/index.js';
import type { Grouping, IncidenceList } from '../../structure/index.js';
import { add, concatenate, gatherKnownRows, type Random, subtract, type Tensor } from '../../tensor/index.js';
import { InducedAttentionBlock, MeanBlock, meanOfSet, type SetFunction } from './blocks.js';

/** Layout of CoNHD. */
export interface CoNHDOptions {
  /** Width of co-representations. Default: 64. */
  readonly hidden?: number;
  /** Diffusion steps, which share their weights. Default: 2. */
  readonly layers?: number;
  /** Update rule. Default: 'gd'. */
  readonly diffusion?: 'gd' | 'admm';
  /**
   * Set function of φ and ϕ: `MeanBlock` (UNB) or `InducedAttentionBlock` (ISAB). Default: 'mean'.
   */
  readonly block?: 'mean' | 'attention';
  /** Blocks stacked in φ and in ϕ. Default: 2. */
  readonly depth?: number;
  /** Dropout probability of the messages φ and ϕ. Default: 0.3. */
  readonly dropout?: number;
  /** Dropout probability of vertex features. Default: 0. */
  readonly inputDropout?: number;
  /** Width of the positional encoding; 0 uses none. Default: 0. */
  readonly positions?: number;
  /** Layer norm after every diffusion step. Default: false. */
  readonly layerNorm?: boolean;
  /**
   * Ablation: replaces every message by the mean of its set, the limitation that the paper removes.
   * Default: false.
   */
  readonly aggregated?: boolean;
}

/** Input of networks on incidences. */
export interface CoNHDInput {
  /** Vertex features [N, d], dense or sparse. */
  readonly features: Features;
  /** The incidences, nnz in number. */
  readonly incidences: IncidenceList;
  /** Positional encoding of each incidence, [nnz, positions], such as `rankPositions`. */
  readonly positions?: Tensor;
}

/** φ or ϕ: stacked set functions on h + W_pe·p, with p the positional encoding. */
class Diffusion {
  readonly blocks: readonly SetFunction[];
  readonly position: Linear | undefined;
  readonly #dropout: Dropout;
  readonly #aggregated: boolean;

  constructor({ hidden, block, depth, dropout, positions, aggregated }: Required<CoNHDOptions>, random: Random) {
    this.blocks = Array.from({ length: depth }, (_, i) =>
      block === 'mean' ? new MeanBlock(hidden, random.split(i)) : new InducedAttentionBlock(hidden, random.split(i)),
    );
    if (positions > 0) this.position = new Linear(positions, hidden, random.split('position'), { bias: false });
    this.#dropout = new Dropout(dropout);
    this.#aggregated = aggregated;
  }

  forward(h: Tensor, sets: Grouping, positions: Tensor | undefined, mode: Mode): Tensor {
    const coded = this.position && positions ? add(h, this.position.forward(positions)) : h;
    const out = this.blocks.reduce((x, block) => block.forward(x, sets), coded);
    return this.#dropout.forward(this.#aggregated ? meanOfSet(out, sets) : out, mode);
  }
}

/** Co-representation diffusion with a linear classifier of every incidence. */
export class CoNHD {
  /** Linear layer of vertex features, before ReLU. */
  readonly input: Linear;
  /** φ. */
  readonly withinHyperedge: Diffusion;
  /** ϕ. */
  readonly withinVertex: Diffusion;
  /** W_u and b_u. */
  readonly update: Linear;
  /** Layer norm after each step, with `layerNorm`. */
  readonly norm: LayerNorm | undefined;
  /** Classifier of co-representations. */
  readonly scorer: Linear;
  readonly #options: Required<CoNHDOptions>;

  constructor(inFeatures: number, classes: number, random: Random, options: CoNHDOptions = {}) {
    const settings: Required<CoNHDOptions> = {
      ...{ hidden: 64, layers: 2, diffusion: 'gd', block: 'mean', depth: 2, dropout: 0.3, inputDropout: 0 },
      ...{ positions: 0, layerNorm: false, aggregated: false },
      ...options,
    };
    const { hidden, diffusion } = settings;
    this.input = new Linear(inFeatures, hidden, random.split('input'));
    this.withinHyperedge = new Diffusion(settings, random.split('hyperedge'));
    this.withinVertex = new Diffusion(settings, random.split('vertex'));
    this.update = new Linear((diffusion === 'gd' ? 4 : 3) * hidden, hidden, random.split('update'));
    if (settings.layerNorm) this.norm = new LayerNorm(hidden);
    this.scorer = new Linear(hidden, classes, random.split('scorer'));
    this.#options = settings;
  }

  /** Co-representations after the last step: [nnz, hidden], in the order of the incidences. */
  hidden({ features, incidences, positions }: CoNHDInput, mode: Mode): Tensor {
    const { layers, diffusion, inputDropout } = this.#options;
    const { byHyperedge, byVertex } = incidences;
    const vertices = this.input.forward(dropFeatures(features, inputDropout, mode), 'relu');
    const initial = gatherKnownRows(vertices, byVertex.ids);
    const inEdge = (x: Tensor) => this.withinHyperedge.forward(x, byHyperedge, positions, mode);
    const inVertex = (x: Tensor) => this.withinVertex.forward(x, byVertex, positions, mode);
    let h = initial;
    let [m, n] = [initial, initial];
    for (let layer = 0; layer < layers; layer++) {
      if (diffusion === 'gd') [m, n] = [inEdge(h), inVertex(h)];
      else {
        const message = (previous: Tensor, apply: (x: Tensor) => Tensor) =>
          add(apply(subtract(add(h, h), previous)), subtract(previous, h));
        [m, n] = [message(m, inEdge), message(n, inVertex)];
      }
      const parts = diffusion === 'gd' ? [h, m, n, initial] : [m, n, initial];
      const next = this.update.forward(concatenate(parts, 1));
      h = this.norm ? this.norm.forward(next) : next;
    }
    return h;
  }

  /** Logits of each incidence: [nnz, classes]. */
  forward(input: CoNHDInput, mode: Mode): Tensor {
    return this.scorer.forward(this.hidden(input, mode));
  }
}
