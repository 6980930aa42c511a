// CoNHD (Zheng & Worring, "Co-Representation Neural Hypergraph Diffusion for Edge-Dependent Node
// Classification", CIKM 2025): one vector for every (vertex, hyperedge) incidence, diffused within
// hyperedges and within vertices by learned equivariant functions φ and ϕ in place of the gradients
// (GD) or proximal maps (ADMM) of structural regularisers.
//
//   GD: h^{t+1} = W_u [h^t ‖ φ(H_e) ‖ ϕ(H_v) ‖ h⁰] + b_u
//   ADMM: m^{t+1} = φ(2H_e − M_e) + m^t − h^t, m' likewise over vertices;
//         h^{t+1} = W_u [m^{t+1} ‖ m'^{t+1} ‖ h⁰] + b_u
//
// In a batch each layer works on the incidences that the asked ones still depend on.

import { dropFeatures, LayerNorm, Linear, type Mode } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import type { IncidenceLevel, IncidenceList } from '../../structure/index.js';
import { add, concatenate, gatherKnownRows, type Random, scope, subtract, type Tensor } from '../../tensor/index.js';
import { type Diffusion, type DiffusionOptions, LearnedDiffusion } from './diffusion.js';
import type { IncidenceInput, IncidenceNetwork } from './incidence-network.js';

/** Layout of CoNHD. */
export interface CoNHDOptions extends Partial<DiffusionOptions> {
  /** Width of co-representations. Default: 64. */
  readonly hidden?: number;
  /** Diffusion steps, which share their weights. Default: 2. */
  readonly layers?: number;
  /** Update rule. Default: 'gd'. */
  readonly diffusion?: 'gd' | 'admm';
  /** Dropout probability of vertex features. Default: 0. */
  readonly inputDropout?: number;
  /** Layer norm after every diffusion step. Default: false. */
  readonly layerNorm?: boolean;
}

/** What logits are about: incidences, or the means of their representations. */
export type ScoredUnit = 'incidence' | 'vertex' | 'hyperedge';

/** Co-representations and messages at the incidences of a level. */
interface State {
  readonly h: Tensor;
  /** Messages of ADMM within hyperedges and within vertices; GD keeps none. */
  readonly messages: readonly [Tensor, Tensor];
  /** h⁰. */
  readonly initial: Tensor;
}

/** Rows of an update at a time in inference. */
const ROWS_AT_ONCE = 32_768;

/** Co-representation diffusion with a linear classifier of every incidence. */
export class CoNHD implements IncidenceNetwork {
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
  /** The layout, defaults filled in. */
  readonly options: Required<CoNHDOptions>;

  constructor(inFeatures: number, classes: number, random: Random, options: CoNHDOptions = {}) {
    const settings: Required<CoNHDOptions> = {
      ...{ hidden: 64, layers: 2, diffusion: 'gd', inputDropout: 0, layerNorm: false },
      ...{ block: 'mean', depth: 2, dropout: 0.3, positions: 0, aggregated: false },
      ...options,
    };
    const { hidden, diffusion, layerNorm } = settings;
    this.input = new Linear(inFeatures, hidden, random.split('input'));
    this.withinHyperedge = new LearnedDiffusion(settings, random.split('hyperedge'));
    this.withinVertex = new LearnedDiffusion(settings, random.split('vertex'));
    this.update = new Linear((diffusion === 'gd' ? 4 : 3) * hidden, hidden, random.split('update'));
    if (layerNorm) this.norm = new LayerNorm(hidden);
    this.scorer = new Linear(hidden, classes, random.split('scorer'));
    this.options = settings;
  }

  get reach(): number {
    return this.options.layers;
  }

  /**
   * Co-representations after the last step: [nnz, hidden] in the order of the incidences, of a
   * batch [asked, hidden].
   *
   * @throws Error when a batch has fewer levels than the network has layers
   */
  hidden(input: IncidenceInput, mode: Mode): Tensor {
    const { layers, inputDropout } = this.options;
    const { features, levels } = input;
    if (levels && levels.length !== layers)
      throw new Error(`CoNHD: the batch has ${levels.length} levels, the network ${layers} layers; sample ${layers}`);
    const vertices = this.input.forward(dropFeatures(features, inputDropout, mode), 'relu');
    const initial = gatherKnownRows(vertices, input.incidences.byVertex.ids);
    let state: State = { h: initial, messages: [initial, initial], initial };
    let around: Pick<IncidenceInput, 'incidences' | 'positions'> = input;
    for (let layer = 0; layer < layers; layer++) {
      const level = levels?.[layer];
      const [from, outer] = [state, around];
      state = scope(() => this.#layer(from, outer, level, mode));
      const positions = outer.positions && pick(outer.positions, level);
      around = { incidences: level?.incidences ?? outer.incidences, ...(positions && { positions }) };
    }
    return state.h;
  }

  /** Logits of each incidence [nnz, classes], of a batch [asked, classes]. */
  forward(input: IncidenceInput, mode: Mode): Tensor {
    return this.scorer.forward(this.hidden(input, mode));
  }

  /**
   * Logits of each vertex [N, classes] or hyperedge [M, classes], from the mean of its
   * co-representations; of all incidences, not of a batch.
   */
  scores(input: IncidenceInput, unit: Exclude<ScoredUnit, 'incidence'>, mode: Mode): Tensor {
    const { byVertex, byHyperedge } = input.incidences;
    const sets = unit === 'vertex' ? byVertex : byHyperedge;
    return this.scorer.forward(spmm(sets.means, this.hidden(input, mode)));
  }

  #layer(state: State, around: Pick<IncidenceInput, 'incidences' | 'positions'>, level: Level, mode: Mode): State {
    const { h } = state;
    const initial = pick(state.initial, level);
    const within = (side: 'hyperedges' | 'vertices', x: Tensor) => this.#within(side, x, around, level, mode);
    if (this.options.diffusion === 'gd') {
      const [m, n] = [within('hyperedges', h), within('vertices', h)];
      return { h: this.#updated([pick(h, level), m, n, initial], mode), messages: [initial, initial], initial };
    }
    const message = (side: 'hyperedges' | 'vertices', previous: Tensor) =>
      add(within(side, subtract(add(h, h), previous)), pick(subtract(previous, h), level));
    const [m, n] = [message('hyperedges', state.messages[0]), message('vertices', state.messages[1])];
    return { h: this.#updated([m, n, initial], mode), messages: [m, n], initial };
  }

  /**
   * φ or ϕ at the incidences of the level. The sets of one side are whole there, those of the other
   * side in the level around it.
   */
  #within(
    side: 'hyperedges' | 'vertices',
    x: Tensor,
    { incidences, positions }: Pick<IncidenceInput, 'incidences' | 'positions'>,
    level: Level,
    mode: Mode,
  ): Tensor {
    const map = side === 'hyperedges' ? this.withinHyperedge : this.withinVertex;
    const sets = (list: IncidenceList) => (side === 'hyperedges' ? list.byHyperedge : list.byVertex);
    if (!level || level.grown === side) return pick(map.forward(x, sets(incidences), positions, mode), level);
    return map.forward(pick(x, level), sets(level.incidences), positions && pick(positions, level), mode);
  }

  /** W_u·[parts] + b_u, in inference some rows at a time. */
  #updated(parts: readonly Tensor[], mode: Mode): Tensor {
    const apply = (rows: readonly Tensor[]) => {
      const next = this.update.forward(concatenate(rows, 1));
      return this.norm ? this.norm.forward(next) : next;
    };
    const count = (parts[0] as Tensor).shape[0] as number;
    if (mode.training || count <= ROWS_AT_ONCE) return apply(parts);
    const starts = Array.from({ length: Math.ceil(count / ROWS_AT_ONCE) }, (_, i) => i * ROWS_AT_ONCE);
    return concatenate(
      starts.map((start) =>
        scope(() => apply(parts.map((part) => part.slice([start, Math.min(count, start + ROWS_AT_ONCE)])))),
      ),
    );
  }
}

type Level = IncidenceLevel | undefined;

/** The rows of a level out of those around it. */
function pick(x: Tensor, level: Level): Tensor {
  return level ? gatherKnownRows(x, level.rows) : x;
}
