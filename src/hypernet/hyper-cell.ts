// Dynamic weights: at every time step a small GRU generates the row scales of the weight matrices
// of a larger recurrent network (Ha, Dai, Le, "HyperNetworks", ICLR 2017, the weight-scaling form).
//
//   ĥ' = GRU([h ‖ x], ĥ),  h' = tanh(LN(d_h(ĥ') ⊙ W_h·h + d_x(ĥ') ⊙ W_x·x + b(ĥ')))

import { GRU, LayerNorm, Linear, parameter } from '../nn/index.js';
import { concatenate, ones, type Random, type Tensor, tanh, zeros } from '../tensor/index.js';

/** Recurrent state of `HyperRNN`. */
export interface HyperState {
  /** h: state of the main network [batch, hidden]. */
  readonly hidden: Tensor;
  /** ĥ: state of the small network [batch, smallHidden]. */
  readonly small: Tensor;
}

/** Options of `HyperRNN`. */
export interface HyperRNNOptions {
  /** Hidden size of the small network. Default: 16. */
  readonly smallHidden?: number;
}

/**
 * A recurrent network whose weights are rescaled at every step by a smaller one: h′ = tanh(LN(d_h ⊙
 * W_h·h + d_x ⊙ W_x·x + b)) with d_h, d_x and b linear in ĥ′ = GRU([h ‖ x], ĥ). Ha et al.,
 * "HyperNetworks", ICLR 2017.
 */
export class HyperRNN {
  /** GRU over [h ‖ x]. */
  readonly small: GRU;
  /** W_h [hidden, hidden]. */
  readonly fromHidden: Linear;
  /** W_x [hidden, inFeatures]. */
  readonly fromInput: Linear;
  /** d_h: ĥ′ → row scales of W_h, near 1 initially. */
  readonly hiddenScale: Linear;
  /** d_x: ĥ′ → row scales of W_x, near 1 initially. */
  readonly inputScale: Linear;
  /** b: ĥ′ → dynamic bias, near 0 initially. */
  readonly shift: Linear;
  /** Layer norm before the tanh. */
  readonly norm: LayerNorm;
  /** Hidden size of the small network. */
  readonly smallHidden: number;

  constructor(
    readonly inFeatures: number,
    readonly hidden: number,
    random: Random,
    { smallHidden = 16 }: HyperRNNOptions = {},
  ) {
    this.smallHidden = smallHidden;
    this.small = new GRU(hidden + inFeatures, smallHidden, random.split('small'));
    this.fromHidden = new Linear(hidden, hidden, random.split('hidden'), { bias: false });
    this.fromInput = new Linear(inFeatures, hidden, random.split('input'), { bias: false });
    [this.hiddenScale, this.inputScale, this.shift] = ['hidden scale', 'input scale', 'shift'].map((name, i) => {
      const layer = new Linear(smallHidden, hidden, random.split(name));
      // Scales start near 1 and the shift near 0, so that the cell starts as an ordinary RNN.
      layer.weight = parameter(random.split(`${name} weight`).normal([hidden, smallHidden], 0, 0.1 / smallHidden));
      layer.bias = parameter(i < 2 ? ones([hidden]) : zeros([hidden]));
      return layer;
    }) as [Linear, Linear, Linear];
    this.norm = new LayerNorm(hidden);
  }

  /** The zero state for a batch. */
  start(batch: number): HyperState {
    return { hidden: zeros([batch, this.hidden]), small: zeros([batch, this.smallHidden]) };
  }

  /** One time step: x [batch, inFeatures] and the state → the next state. */
  cell(x: Tensor, { hidden, small }: HyperState): HyperState {
    const code = this.small.cell(concatenate([hidden, x], 1), small);
    const scaled = this.hiddenScale
      .forward(code)
      .multiply(this.fromHidden.forward(hidden))
      .add(this.inputScale.forward(code).multiply(this.fromInput.forward(x)))
      .add(this.shift.forward(code));
    return { hidden: tanh(this.norm.forward(scaled)), small: code };
  }

  /**
   * All time steps of x [batch, time, inFeatures] from the zero state → h of all steps [batch,
   * time, hidden] and the last state.
   */
  forward(x: Tensor): { outputs: Tensor; state: HyperState } {
    const [batch, time, size] = x.shape as [number, number, number];
    let state = this.start(batch);
    const outputs = Array.from({ length: time }, (_, t) => {
      state = this.cell(x.slice(null, [t, t + 1]).reshape([batch, size]), state);
      return state.hidden.reshape([batch, 1, this.hidden]);
    });
    return { outputs: concatenate(outputs, 1), state };
  }
}
