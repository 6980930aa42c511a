// Recurrent layers with PyTorch's weights: the gates are stacked along the rows of one matrix.

import {
  add,
  concatenate,
  linear,
  multiply,
  type Random,
  reshape,
  slice,
  subtract,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import { parameter } from './module.js';

/** Weights of one recurrent layer, drawn from U(−1/√hidden, 1/√hidden). */
abstract class Recurrent {
  /** Input weights W [gates·hidden, inFeatures]. */
  weightIh: Tensor;
  /** Recurrent weights U [gates·hidden, hidden]. */
  weightHh: Tensor;
  /** [gates·hidden] */
  biasIh: Tensor;
  /** [gates·hidden] */
  biasHh: Tensor;

  constructor(
    readonly inFeatures: number,
    readonly hidden: number,
    gates: number,
    random: Random,
  ) {
    const bound = 1 / Math.sqrt(hidden);
    const draw = (...shape: number[]) => parameter(random.uniform(shape, -bound, bound));
    this.weightIh = draw(gates * hidden, inFeatures);
    this.weightHh = draw(gates * hidden, hidden);
    this.biasIh = draw(gates * hidden);
    this.biasHh = draw(gates * hidden);
  }

  /** x·W_ihᵀ + b_ih of all time steps in one product: [batch, time, gates·hidden]. */
  protected inputs(x: Tensor): Tensor {
    if (x.rank !== 3 || x.shape[2] !== this.inFeatures)
      throw new Error(`${this.constructor.name}: expected [batch, time, ${this.inFeatures}], got ${x}`);
    return linear(x, this.weightIh, this.biasIh);
  }

  protected gate(gates: Tensor, index: number): Tensor {
    return slice(gates, null, [index * this.hidden, (index + 1) * this.hidden]);
  }
}

function atTime(x: Tensor, t: number): Tensor {
  const [batch, , features] = x.shape as [number, number, number];
  return reshape(slice(x, null, [t, t + 1]), [batch, features]);
}

function stackTimes(states: readonly Tensor[]): Tensor {
  return concatenate(
    states.map((state) => reshape(state, [state.shape[0] as number, 1, -1])),
    1,
  );
}

/** State of an LSTM between time steps. */
export interface LSTMState {
  /** h [batch, hidden]. */
  readonly hidden: Tensor;
  /** c [batch, hidden]. */
  readonly cell: Tensor;
}

/**
 * Long short-term memory (Hochreiter & Schmidhuber 1997): [i, f, g, o] = x·Wᵀ + b + h·Uᵀ + b′,
 * c ← σ(f) ⊙ c + σ(i) ⊙ tanh g, h ← σ(o) ⊙ tanh c. Weight rows in the order i, f, g, o.
 */
export class LSTM extends Recurrent {
  constructor(inFeatures: number, hidden: number, random: Random) {
    super(inFeatures, hidden, 4, random);
  }

  /** One time step: `gates` is x·W_ihᵀ + b_ih [batch, 4·hidden]. */
  #step(gates: Tensor, { hidden, cell }: LSTMState): LSTMState {
    const summed = add(gates, linear(hidden, this.weightHh, this.biasHh));
    const [i, f, g, o] = [0, 1, 2, 3].map((index) => this.gate(summed, index)) as [Tensor, Tensor, Tensor, Tensor];
    const next = add(multiply(f.sigmoid(), cell), multiply(i.sigmoid(), g.tanh()));
    return { hidden: multiply(o.sigmoid(), next.tanh()), cell: next };
  }

  /** One time step: x [batch, in]. */
  cell(x: Tensor, state: LSTMState): LSTMState {
    return this.#step(linear(x, this.weightIh, this.biasIh), state);
  }

  /**
   * x [batch, time, in] → outputs h of all steps [batch, time, hidden] and the final state. Default
   * initial state: 0.
   */
  forward(x: Tensor, initial?: LSTMState): { outputs: Tensor; state: LSTMState } {
    const [batch, time] = x.shape as [number, number];
    const gates = this.inputs(x);
    let state = initial ?? { hidden: zeros([batch, this.hidden]), cell: zeros([batch, this.hidden]) };
    const outputs: Tensor[] = [];
    for (let t = 0; t < time; t++) {
      state = this.#step(atTime(gates, t), state);
      outputs.push(state.hidden);
    }
    return { outputs: stackTimes(outputs), state };
  }
}

/**
 * Gated recurrent unit (Cho et al. 2014): r, z = σ(x·Wᵀ + b + h·Uᵀ + b′),
 * n = tanh(W_n x + b + r ⊙ (U_n h + b′)), h ← (1 − z) ⊙ n + z ⊙ h. Weight rows in the order r, z,
 * n.
 */
export class GRU extends Recurrent {
  constructor(inFeatures: number, hidden: number, random: Random) {
    super(inFeatures, hidden, 3, random);
  }

  #step(input: Tensor, hidden: Tensor): Tensor {
    const recurrent = linear(hidden, this.weightHh, this.biasHh);
    const r = add(this.gate(input, 0), this.gate(recurrent, 0)).sigmoid();
    const z = add(this.gate(input, 1), this.gate(recurrent, 1)).sigmoid();
    const n = add(this.gate(input, 2), multiply(r, this.gate(recurrent, 2))).tanh();
    return add(n, multiply(z, subtract(hidden, n)));
  }

  /** One time step: x [batch, in], hidden [batch, hidden] → [batch, hidden]. */
  cell(x: Tensor, hidden: Tensor): Tensor {
    return this.#step(linear(x, this.weightIh, this.biasIh), hidden);
  }

  /**
   * x [batch, time, in] → outputs h of all steps [batch, time, hidden] and the final state
   * [batch, hidden]. Default initial state: 0.
   */
  forward(x: Tensor, initial?: Tensor): { outputs: Tensor; state: Tensor } {
    const [batch, time] = x.shape as [number, number];
    const inputs = this.inputs(x);
    let state = initial ?? zeros([batch, this.hidden]);
    const outputs: Tensor[] = [];
    for (let t = 0; t < time; t++) {
      state = this.#step(atTime(inputs, t), state);
      outputs.push(state);
    }
    return { outputs: stackTimes(outputs), state };
  }
}
