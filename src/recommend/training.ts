// Training of recommenders, dense or sparse: epochs of batches, dynamic sparsity, the best epoch by
// validation, checkpoints that resume bit for bit. The order within a step: gradient, Adam,
// schedule, exploration. `fit` of nn does the same for modules, whose weights keep their places.

import { eventTurn } from '../engine/index.js';
import {
  Adam,
  type EpochReport,
  type FitResult,
  type Schedule,
  type TrainingHooks,
  type TrainingState,
} from '../nn/index.js';
import { keep, type Random, scope, type Tensor, zeros } from '../tensor/index.js';
import { type Backbone, storedWeights, trainingBytes, valuesOf } from './backbone.js';
import { type DSLOptions, DynamicSparsity } from './dsl/index.js';
import type { Weight, WeightTable } from './weights.js';

/** How a recommender is trained. */
export interface RecommenderTraining extends TrainingHooks {
  /** Default: 40. */
  readonly epochs?: number;
  /** Adam's learning rate. Default: 1e-2. */
  readonly learningRate?: number;
  /** Factor of the rate at the end of a cosine, by epochs. Default: 0.01; 1 for a constant rate. */
  readonly finalRate?: number;
  /** Metric of the model after an epoch, larger is better: the best epoch is kept. */
  readonly validate?: () => number;
  /** Epochs from one use of `validate` to the next; the last has one, too. Default: 1. */
  readonly validateEvery?: number;
  /** Dynamic sparsity of the sparse weights; without it masks stay. */
  readonly dsl?: DSLOptions;
  /** Called after each step, and its exploration, with its number from 1. */
  readonly onStep?: (step: number) => void;
}

/** What a training took. */
export interface RecommenderResult extends FitResult {
  /** Multiply-adds of products, explorations included. */
  readonly multiplyAdds: number;
  /** Largest number of bytes of weights, their places, Adam's moments and the sparsity's own. */
  readonly peakBytes: number;
  /** Share of the entries of sparse weights that had a value at some time; 1 for dense ones. */
  readonly coverage: number;
  /** Weights that were stored at the end, biases included. */
  readonly stored: number;
}

/** Longest time in ms between two returns to the event loop. */
const EVENT_LOOP_MS = 100;

/**
 * Trains a recommender in place, and restores its best epoch.
 *
 * @throws Error when the loss is not finite, naming the epoch
 */
export async function trainRecommender<Batch>(
  model: Backbone<Batch>,
  random: Random,
  training: RecommenderTraining = {},
): Promise<RecommenderResult> {
  return new Run(model, training, random).train();
}

class Run<Batch> {
  readonly #adam: Adam;
  readonly #sparsity: DynamicSparsity;
  readonly #epochs: number;
  readonly #rate: Schedule;
  readonly #history: EpochReport[] = [];
  #epoch = 0;
  #step = 0;
  #best: TrainingState['best'];
  #multiplyAdds = 0;
  #peakBytes = 0;
  #lastTurn = performance.now();

  constructor(
    readonly model: Backbone<Batch>,
    readonly training: RecommenderTraining,
    readonly random: Random,
  ) {
    const { epochs = 40, learningRate = 1e-2, finalRate = 0.01, dsl } = training;
    this.#epochs = epochs;
    this.#adam = new Adam({ learningRate });
    this.#rate = (epoch) => finalRate + ((1 - finalRate) * (1 + Math.cos((Math.PI * epoch) / epochs))) / 2;
    const steps = epochs * model.stepsPerEpoch;
    this.#sparsity = new DynamicSparsity(model.weights, steps, random.split('sparsity'), dsl ?? { interval: 0 });
  }

  async train(): Promise<RecommenderResult> {
    const { checkpoint } = this.training;
    const stored = checkpoint?.load();
    if (stored) this.#restore(stored);
    let stopped: FitResult['stopped'] = 'completed';
    while (this.#epoch < this.#epochs) {
      const before = checkpoint && this.training.signal ? copied(this.#state()) : undefined;
      const done = await this.#trainEpoch();
      if (!done && before) {
        this.#restore(before);
        checkpoint?.save(this.#state());
      }
      if (before) disposeState(before);
      if (!done) {
        stopped = 'aborted';
        break;
      }
      checkpoint?.save(this.#state());
    }
    if (this.#best) loadWeights(this.model.weights, this.#best.weights);
    this.model.refresh();
    return {
      history: this.#history,
      bestEpoch: this.#best?.epoch,
      bestMetric: this.#best?.metric,
      stopped,
      multiplyAdds: this.#multiplyAdds,
      peakBytes: this.#peakBytes,
      coverage: this.#sparsity.coverage,
      stored: storedWeights(this.model.weights),
    };
  }

  /** @returns whether the epoch ended; false when it was aborted */
  async #trainEpoch(): Promise<boolean> {
    const { signal, validate, validateEvery = 1, onEpoch } = this.training;
    const started = performance.now();
    const epoch = this.#epoch + 1;
    let [loss, steps] = [0, 0];
    for (const batch of this.model.batches(this.random.split('order').split(epoch))) {
      await this.#turn();
      if (signal?.aborted) return false;
      loss += this.#trainStep(batch);
      steps += 1;
      if (!Number.isFinite(loss))
        throw new Error(`the loss became ${loss} in epoch ${epoch}; try a smaller learning rate`);
    }
    this.#epoch = epoch;
    this.model.refresh();
    const isDue = epoch % validateEvery === 0 || epoch === this.#epochs;
    const metric = validate && isDue ? validate() : undefined;
    if (metric !== undefined && (this.#best === undefined || metric > this.#best.metric)) {
      if (this.#best) disposeAll(this.#best.weights);
      this.#best = { epoch, metric, weights: copies(stateOf(this.model.weights)) };
    }
    const seconds = (performance.now() - started) / 1000;
    const report = {
      epoch,
      epochs: this.#epochs,
      loss: loss / Math.max(1, steps),
      seconds,
      ...(metric !== undefined && { metric }),
    };
    this.#history.push(report);
    onEpoch?.(report);
    return true;
  }

  #trainStep(batch: Batch): number {
    this.#step += 1;
    const step = this.#step;
    return scope(() => {
      const dense = this.#sparsity.needsDense(step);
      const random = this.random.split('step').split(step);
      const result = this.model.gradients(batch, { random, step, dense });
      const { step: own, exploration } = this.model.cost();
      this.#multiplyAdds += own + (dense ? exploration : 0);
      this.#adam.update(valuesOf(this.model.weights), { ...result.stored }, this.#rate(this.#epoch));
      this.#sparsity.afterStep(step, result, this.#adam);
      this.#peakBytes = Math.max(this.#peakBytes, trainingBytes(this.model.weights) + this.#sparsity.bytes);
      this.training.onStep?.(step);
      return result.loss;
    });
  }

  #state(): TrainingState {
    const { step, tensors } = this.#adam.state();
    const counters = keep(zeros([4]));
    counters.assign(Float32Array.from([this.#multiplyAdds, this.#peakBytes].flatMap(halves)));
    return {
      epoch: this.#epoch,
      step: this.#step,
      weights: { ...stateOf(this.model.weights), ...prefixed('sparsity', this.#sparsity.state()), counters },
      optimizer: { step, tensors },
      best: this.#best,
      history: this.#history,
    };
  }

  #restore({ epoch, step, weights, optimizer, best, history }: TrainingState): void {
    loadWeights(this.model.weights, weights);
    this.#adam.restore(optimizer);
    this.#sparsity.restore(unprefixed('sparsity', weights));
    [this.#epoch, this.#step] = [epoch, step];
    const [a = 0, b = 0, c = 0, d = 0] = (weights.counters as Tensor).view();
    [this.#multiplyAdds, this.#peakBytes] = [a * HALF + b, c * HALF + d];
    this.#best = best && { ...best, weights: copies(best.weights) };
    if (this.#history.length > 0) return;
    this.#history.push(...history);
    for (const report of history) this.training.onEpoch?.(report);
  }

  async #turn(): Promise<void> {
    if (performance.now() - this.#lastTurn < EVENT_LOOP_MS) return;
    await eventTurn();
    this.#lastTurn = performance.now();
  }
}

/** Whole numbers below this are exact in f32. */
const HALF = 2 ** 24;
/** A count of at most 2⁴⁸ as two numbers that f32 holds. */
const halves = (count: number): number[] => [Math.floor(count / HALF), Math.round(count % HALF)];

type State = Readonly<Record<string, Tensor>>;

/** Values and places of matrices by name, without a copy. */
export function stateOf(weights: WeightTable): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, { values, pattern }]) => [
      [`${name}.values`, values] as const,
      ...(pattern
        ? [
            [`${name}.offsets`, pattern.segments.offsetTensor] as const,
            [`${name}.indices`, pattern.indexTensor] as const,
          ]
        : []),
    ]),
  );
}

/** Takes up values and places of `stateOf`. @throws Error naming a matrix of another model */
export function loadWeights(weights: WeightTable, state: State): void {
  for (const [name, weight] of Object.entries(weights)) loadWeight(name, weight, state);
}

function loadWeight(name: string, weight: Weight, state: State): void {
  const [values, offsets, indices] = ['values', 'offsets', 'indices'].map((part) => state[`${name}.${part}`]);
  const fits = values && isOf(weight, values, offsets, indices);
  if (!fits) throw new Error(`loadState: "${name}" is not the one of this model`);
  if (weight.pattern && offsets && indices) weight.pattern.restore(offsets, indices);
  if (values.size !== weight.values.size) {
    weight.values.dispose();
    weight.values = keep(zeros([values.size]));
  }
  weight.values.assign(values);
}

function isOf({ pattern, size }: Weight, values: Tensor, offsets?: Tensor, indices?: Tensor): boolean {
  if (!pattern) return values.size === size && !indices;
  return offsets !== undefined && indices?.size === values.size && pattern.fits(offsets, indices);
}

const copies = (state: State): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(state).map(([name, own]) => [
      name,
      keep(zeros(own.shape, own.dtype === 'i32' ? 'i32' : 'f32')).assign(own),
    ]),
  );

const copied = (state: TrainingState): TrainingState => ({
  ...state,
  history: [...state.history],
  weights: copies(state.weights),
  optimizer: { step: state.optimizer.step, tensors: copies(state.optimizer.tensors) },
});

function disposeAll(state: State): void {
  for (const own of Object.values(state)) own.dispose();
}

function disposeState({ weights, optimizer }: TrainingState): void {
  disposeAll(weights);
  disposeAll(optimizer.tensors);
}

const prefixed = (prefix: string, state: State): State =>
  Object.fromEntries(Object.entries(state).map(([name, own]) => [`${prefix}/${name}`, own]));

const unprefixed = (prefix: string, state: State): State =>
  Object.fromEntries(
    Object.entries(state).flatMap(([name, own]) =>
      name.startsWith(`${prefix}/`) ? [[name.slice(prefix.length + 1), own] as const] : [],
    ),
  );
