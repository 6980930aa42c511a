// A recurrent hypernetwork: it makes the weights of a target layer by layer, each step seeing what
// the steps before it made.

import { GRU, Linear, LSTM, parameter, stateOf } from '../../nn/index.js';
import {
  add,
  concatenate,
  mean,
  multiply,
  type Random,
  reshape,
  scope,
  slice,
  square,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { groupsOf, sizeOfGroup } from '../generator.js';
import { initializeOutputs } from '../init.js';
import type { Layout } from '../layout.js';
import { cutParts, tokensWith } from '../part-generators.js';

/** Options of `RecurrentHypernet`. */
export interface RecurrentHypernetOptions {
  /** Kind of its units. Default: `lstm`. */
  readonly cell?: 'lstm' | 'gru';
  /** n: number of its units. Default: 32. */
  readonly units?: number;
  /** m: weights of a step, none of which spans two layers; 0 makes a layer a step. Default: 0. */
  readonly chunk?: number;
  /** d_c: dimension of a step's embedding. Default: 8. */
  readonly position?: number;
  /** Whether the state starts anew with each layer, which depends on no other. Default: false. */
  readonly cut?: boolean;
}

/** Units that came together: cells, and an output layer from them to the weights of a step. */
interface Units {
  readonly cell: LSTM | GRU;
  readonly out: Linear;
}

/**
 * w_s = W_o·h_s + b_o with (h_s, k_s) = LSTM([e; c_s], h_{s−1}, k_{s−1}) for the steps s in the
 * order of the layers, so that ∂w_s/∂c_{s′} = 0 for s′ > s alone.
 *
 * **Growth**: units that are added read all units before them, which do not read the new ones:
 * w_s = W_o·h_s + b_o + Σ_g a_g·W_g·h_s^g with W_g = 0 at the start and a_g = 1 for tasks learned
 * since, 0 for earlier ones, whose weights the new units therefore cannot change.
 */
export class RecurrentHypernet {
  /** Units, those it was made with first. */
  readonly units: Units[] = [];
  /** Embeddings c_s of the steps [S, d_c]. */
  readonly positions: Tensor;
  /** First task that the added units serve, of each addition. */
  readonly since: number[] = [];
  /** Weights of each step. */
  readonly sizes: readonly number[];
  readonly #layers: readonly number[];
  readonly #inFeatures: number;
  readonly #options: Required<RecurrentHypernetOptions>;

  /** @throws RangeError unless units, and weights of a step where given, are positive integers */
  constructor(
    readonly layout: Layout,
    embedding: number,
    random: Random,
    { cell = 'lstm', units = 32, chunk = 0, position = 8, cut = false }: RecurrentHypernetOptions = {},
  ) {
    if (!(Number.isInteger(units) && units >= 1)) throw new RangeError(`RecurrentHypernet: there are ${units} units`);
    if (!(Number.isInteger(chunk) && chunk >= 0))
      throw new RangeError(`RecurrentHypernet: a step makes ${chunk} weights`);
    this.#options = { cell, units, chunk, position, cut };
    const steps = groupsOf(layout, 'layer').map((group) => {
      const size = sizeOfGroup(group);
      const longest = chunk || size;
      return Array.from({ length: Math.ceil(size / longest) }, (_, k) => Math.min(longest, size - k * longest));
    });
    this.sizes = steps.flat();
    this.#layers = steps.map(({ length }) => length);
    this.#inFeatures = embedding + position;
    this.positions = parameter(random.split('positions').normal([this.sizes.length, position]));
    const first = this.#make(units, random.split('units'), true);
    this.units.push(first);
    initializeOutputs(
      [{ layer: first.out, blocks: [{ from: 0, to: first.out.outFeatures, entries: layout.entries }] }],
      layout,
      {},
      'hyperfan-in',
      random.split('init'),
    );
    // The initialisation counts on features of second moment 1.
    scope(() => {
      const states = this.states(random.split('measure').normal([32, embedding]));
      const moment = mean(square(states[0] as Tensor)).item();
      first.out.weight.assign(multiply(first.out.weight, 1 / Math.sqrt(moment)));
    });
  }

  #make(units: number, random: Random, bias: boolean): Units {
    const before = this.units.reduce((total, { cell }) => total + cell.hidden, 0);
    const inFeatures = this.#inFeatures + before;
    const { cell: kind } = this.#options;
    const cell =
      kind === 'lstm'
        ? new LSTM(inFeatures, units, random.split('cell'))
        : new GRU(inFeatures, units, random.split('cell'));
    // Open forget gates.
    if (kind === 'lstm') cell.biasIh.view().fill(1, units, 2 * units);
    return { cell, out: new Linear(units, Math.max(...this.sizes), random.split('out'), { bias }) };
  }

  /**
   * Adds units for the tasks from `task` on; the weights of those before it stay as they are.
   *
   * @param freeze whether all that was there stops training. Default: false
   */
  grow(units: number, task: number, random: Random, freeze = false): void {
    if (freeze)
      for (const weight of Object.values(stateOf({ units: this.units, positions: this.positions })))
        weight.role = 'buffer';
    const made = this.#make(units, random, false);
    made.out.weight.assign(zeros(made.out.weight.shape));
    this.units.push(made);
    this.since.push(task);
  }

  /** Outputs h [B, S, n] of each addition of units, for embeddings [B, d]. */
  states(embeddings: Tensor): Tensor[] {
    const tokens = tokensWith(embeddings, this.positions);
    const states: Tensor[] = [];
    for (const { cell } of this.units) {
      // New units read what the old ones held after the step before.
      const x = states.length === 0 ? tokens : concatenate([tokens, ...states.map((h) => this.#before(h))], 2);
      states.push(this.#run(cell, x));
    }
    return states;
  }

  /** The states a step before, 0 before the first one of a run. */
  #before(states: Tensor): Tensor {
    const [batch, , n] = states.shape as [number, number, number];
    const parts = this.#segments(states).flatMap((part) => [
      zeros([batch, 1, n]),
      slice(part, null, [0, (part.shape[1] as number) - 1]),
    ]);
    return concatenate(
      parts.filter(({ shape }) => shape[1] !== 0),
      1,
    );
  }

  /** The steps that one run of the cells takes: all of them, or those of a layer. */
  #segments(x: Tensor): Tensor[] {
    if (!this.#options.cut) return [x];
    let from = 0;
    return this.#layers.map((steps) => {
      from += steps;
      return slice(x, null, [from - steps, from]);
    });
  }

  #run(cell: LSTM | GRU, x: Tensor): Tensor {
    const parts = this.#segments(x).map((part) => cell.forward(part).outputs);
    return parts.length === 1 ? (parts[0] as Tensor) : concatenate(parts, 1);
  }

  /** Weights of B tasks by name, [B, …shape], from their embeddings [B, d]. */
  generate(embeddings: Tensor, tasks: readonly number[]): Record<string, Tensor> {
    return this.weightsFrom(this.states(embeddings), tasks);
  }

  /** Weights of B tasks by name, [B, …shape], from the outputs h of all units. */
  weightsFrom(states: readonly Tensor[], tasks: readonly number[]): Record<string, Tensor> {
    const made = states.map((h, g) => {
      const w = (this.units[g] as Units).out.forward(h);
      if (g === 0) return w;
      const serves = tasks.map((task) => Number(task >= (this.since[g - 1] as number)));
      return multiply(w, reshape(tensor(Float32Array.from(serves)), [tasks.length, 1, 1]));
    });
    return this.layout.unpack(
      cutParts(
        made.reduce((a, b) => add(a, b)),
        this.sizes,
      ),
    );
  }
}
