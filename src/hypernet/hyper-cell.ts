// Weights that change at every step: a small recurrent network scales the rows of a large one's matrices (Ha, Dai, Le, "HyperNetworks", ICLR 2017, the weight-scaling form).
//
//   ĥ' = GRU([h ‖ x], ĥ),  h' = tanh(LN(d_h(ĥ') ⊙ W_h·h + d_x(ĥ') ⊙ W_x·x + b(ĥ')))

import { GRU, LayerNorm, Linear, parameter } from '../nn/index.js';
import { concatenate, ones, type Random, type Tensor, tanh, zeros } from '../tensor/index.js';

export interface HyperState {
  /** [batch, hidden] */
  readonly hidden: Tensor;
  /** [batch, small] */
  readonly small: Tensor;
}

export interface HyperRNNOptions {
  /** Width of the small network. Default: 16. */
  readonly smallHidden?: number;
}

export class HyperRNN {
  readonly small: GRU;
  readonly fromHidden: Linear;
  readonly fromInput: Linear;
  readonly hiddenScale: Linear;
  readonly inputScale: Linear;
  readonly shift: Linear;
  readonly norm: LayerNorm;
  /** Width of the small network. */
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
      // Scales start near 1, the shift at 0: an ordinary cell that training lets vary.
      layer.weight = parameter(random.split(`${name} weight`).normal([hidden, smallHidden], 0, 0.1 / smallHidden));
      layer.bias = parameter(i < 2 ? ones([hidden]) : zeros([hidden]));
      return layer;
    }) as [Linear, Linear, Linear];
    this.norm = new LayerNorm(hidden);
  }

  start(batch: number): HyperState {
    return { hidden: zeros([batch, this.hidden]), small: zeros([batch, this.smallHidden]) };
  }

  /** One step of x [batch, in]. */
  cell(x: Tensor, { hidden, small }: HyperState): HyperState {
    const code = this.small.cell(concatenate([hidden, x], 1), small);
    const scaled = this.hiddenScale
      .forward(code)
      .multiply(this.fromHidden.forward(hidden))
      .add(this.inputScale.forward(code).multiply(this.fromInput.forward(x)))
      .add(this.shift.forward(code));
    return { hidden: tanh(this.norm.forward(scaled)), small: code };
  }

  /** All steps of x [batch, time, in]: the last state. */
  forward(x: Tensor): HyperState {
    const [batch, time, size] = x.shape as [number, number, number];
    let state = this.start(batch);
    for (let t = 0; t < time; t++) state = this.cell(x.slice(null, [t, t + 1]).reshape([batch, size]), state);
    return state;
  }
}
