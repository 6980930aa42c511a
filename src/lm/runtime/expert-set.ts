// The experts of a layer with weights of any format: read ahead where they are in a file, and of
// one token only the neurons whose gates are open.

import { activated, type DispatchPlan, type ExpertActivation, type ExpertSet } from '../../nn/experts/index.js';
import { gatedNeurons, type RowMatrix } from '../../quantized/index.js';
import { add, concatenate, slice, type Tensor, zeros } from '../../tensor/index.js';
import { multiplyAll, type WeightMatrix } from './matrix.js';
import { ByNeuron, isByRow, rowsOf, storedOf } from './neurons.js';
import type { StoredMatrix, WeightStore } from './store.js';

/** W_down(SiLU(W_gate x) ⊙ W_up x); without a gate W_down·ReLU(W_up x)². */
export interface GatedWeights {
  readonly gate: WeightMatrix | undefined;
  readonly up: WeightMatrix;
  readonly down: WeightMatrix;
}

/** The matrices in the order of their use. */
export const matricesOf = ({ gate, up, down }: GatedWeights): WeightMatrix[] => [...(gate ? [gate] : []), up, down];

export const bytesOf = (matrices: readonly WeightMatrix[]) => matrices.reduce((sum, { bytes }) => sum + bytes, 0);

/** The feed-forward function of one expert, or of a dense layer. */
export function gated({ gate, up, down }: GatedWeights, x: Tensor, activation: ExpertActivation): Tensor {
  const [values, gates] = multiplyAll(gate ? [up, gate] : [up], x) as [Tensor, Tensor?];
  return down.multiply(activated(activation, gates, values));
}

/** Tokens of a pass up to which choices count in the statistics: prompts use nearly all experts. */
const COUNTED = 8;

/** Experts that a layer was promised: each is released when it has been used. */
export class Wanted {
  constructor(
    readonly store: WeightStore | undefined,
    readonly matrices: Map<number, readonly StoredMatrix[]>,
  ) {}

  /** The matrices of an expert may be evicted. */
  release(expert: number): void {
    this.store?.release(this.matrices.get(expert) ?? []);
    this.matrices.delete(expert);
  }

  /** Releases all that are left. */
  end(): void {
    for (const expert of [...this.matrices.keys()]) this.release(expert);
  }
}

/** Experts with weights of any format; each expert that a batch chooses is read once. */
export class MatrixExperts implements ExpertSet {
  readonly #stored: readonly (readonly StoredMatrix[])[];
  readonly #store: WeightStore | undefined;
  /** Whether gates and ups can be computed neuron by neuron. */
  readonly isSparse: boolean;
  /** Neurons of chosen experts in passes of one token, and those whose gate was closed. */
  readonly neurons = { all: 0, closed: 0 };

  /**
   * @param k experts that a token uses
   * @throws RangeError when memory does not hold those of one token.
   */
  constructor(
    readonly weights: readonly GatedWeights[],
    readonly features: number,
    readonly activation: ExpertActivation,
    k: number,
  ) {
    this.#stored = weights.map((one) => matricesOf(one).flatMap((matrix) => storedOf(matrix) ?? []));
    this.#store = this.#stored[0]?.[0]?.store;
    this.isSparse = activation === 'reglu' && weights.every(({ gate, up }) => gate && isByRow(gate) && isByRow(up));
    const largest = Math.max(...this.#stored.map(bytesOf));
    if (this.#store && k * largest > this.#store.budget)
      throw new RangeError(
        `each token uses ${k} experts of ${largest} bytes, together ${k * largest}: more than the ${this.#store.budget} bytes for weights`,
      );
  }

  get count(): number {
    return this.weights.length;
  }

  /** When the experts of this layer begin to be read; undefined where they are in memory. */
  get readAhead() {
    return this.#store?.readAhead;
  }

  /** Promises a layer the experts that its tokens chose: i32 [tokens, k], most probable first. */
  want(choices: Tensor): Wanted {
    const [tokens, k] = choices.shape as [number, number];
    const chosen = choices.view<Int32Array>();
    const order = new Set<number>();
    for (let rank = 0; rank < k; rank++)
      for (let token = 0; token < tokens; token++) order.add(chosen[token * k + rank] as number);
    const matrices = new Map(
      [...order].flatMap((e) => (e in this.#stored ? [[e, this.#stored[e] ?? []] as const] : [])),
    );
    this.#store?.want([...matrices.values()].flat(), tokens <= COUNTED);
    return new Wanted(this.#store, matrices);
  }

  #isReady(expert: number): boolean {
    return this.#stored[expert]?.every((matrix) => matrix.store.isReady(matrix)) === true;
  }

  /** Experts that need not wait before the others, those with most rows first. */
  #inOrder(experts: readonly number[], rows: (expert: number) => number): number[] {
    const late = new Map(experts.map((expert) => [expert, Number(!this.#isReady(expert))]));
    return [...experts].sort((a, b) => (late.get(a) as number) - (late.get(b) as number) || rows(b) - rows(a));
  }

  forward(rows: Tensor, { segments }: Pick<DispatchPlan, 'segments'>, wanted?: Wanted): Tensor {
    const { offsets } = segments;
    const range = (expert: number): [number, number] => [offsets[expert] as number, offsets[expert + 1] as number];
    const used = Array.from(this.weights.keys()).filter((expert) => range(expert)[0] < range(expert)[1]);
    const results = new Map<number, Tensor>();
    for (const expert of this.#inOrder(used, (e) => range(e)[1] - range(e)[0])) {
      const weights = this.weights[expert] as GatedWeights;
      results.set(expert, gated(weights, slice(rows, range(expert)), this.activation));
      wanted?.release(expert);
    }
    return used.length === 0
      ? zeros([0, this.features])
      : concatenate(used.map((expert) => results.get(expert) as Tensor));
  }

  /**
   * The experts of one token x [1, features], weighted by its gates and added in the order of their
   * rank: only neurons whose gate is open are computed behind it.
   */
  forwardOne(x: Tensor, experts: ArrayLike<number>, gates: ArrayLike<number>, wanted?: Wanted): Tensor {
    const ranked = Array.from(experts);
    const hidden = new Map<number, Tensor>();
    for (const expert of this.#inOrder(ranked, () => 1)) {
      const { gate, up } = this.weights[expert] as GatedWeights;
      const own = { gate: rowsOf(gate as WeightMatrix) as RowMatrix, up: rowsOf(up) as RowMatrix };
      const neurons = gatedNeurons(own, x, gates[ranked.indexOf(expert)] as number);
      this.#count(neurons);
      hidden.set(expert, neurons);
    }
    let dense: Tensor | undefined;
    const y = zeros([1, this.features]);
    for (const expert of ranked) {
      const { down } = this.weights[expert] as GatedWeights;
      const neurons = hidden.get(expert) as Tensor;
      const stored = down instanceof ByNeuron ? rowsOf(down.stored) : undefined;
      if (stored) stored.addTo(y, neurons);
      else dense = dense ? add(dense, down.multiply(neurons)) : down.multiply(neurons);
      wanted?.release(expert);
    }
    return dense ? add(y, dense) : y;
  }

  #count(hidden: Tensor): void {
    const values = hidden.view<Float32Array>();
    let closed = 0;
    for (let i = 0; i < values.length; i++) if (values[i] === 0) closed += 1;
    this.neurons.all += values.length;
    this.neurons.closed += closed;
  }
}
