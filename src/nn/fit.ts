// The training loop: epochs of batches, validation, early stopping, checkpoints that resume bit for
// bit.
//
// No random state is carried from step to step: the order of an epoch and the dropout masks of a
// step depend on the seed and the epoch's or step's number alone, so a resumed run computes exactly
// what an uninterrupted one does.

import type { Communicator } from '../distributed/index.js';
import { eventTurn } from '../engine/index.js';
import { type Random, scope, type Tensor } from '../tensor/index.js';
import { gradientsOf } from './gradients.js';
import {
  cloneWeights,
  disposeWeights,
  loadState,
  lossWithTerms,
  type Mode,
  parameters,
  stateOf,
  training,
  type Weights,
} from './module.js';
import type { Optimizer, OptimizerState } from './optimizers.js';
import type { Schedule } from './schedules.js';

/** Log entry of one finished epoch. */
export interface EpochReport {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Number of epochs of the whole run. */
  readonly epochs: number;
  /** Mean training loss over the steps of the epoch. */
  readonly loss: number;
  /** Value of `validate`, where given. */
  readonly metric?: number;
  /** Wall time of the epoch in seconds, validation included. */
  readonly seconds: number;
}

/** Complete state of a run at the end of an epoch, as a `CheckpointStore` keeps it. */
export interface TrainingState {
  /** Finished epochs. */
  readonly epoch: number;
  /** Finished optimiser steps. */
  readonly step: number;
  /** Parameters and buffers by name. */
  readonly weights: Weights;
  /** Step count and moments of the optimiser. */
  readonly optimizer: OptimizerState;
  /** The best epoch so far by `validate`, with its weights; undefined without validation. */
  readonly best: { readonly epoch: number; readonly metric: number; readonly weights: Weights } | undefined;
  /** Reports of the finished epochs. */
  readonly history: readonly EpochReport[];
}

/** Storage of a run's state; `fileCheckpoint` of gossamer/data writes a file. */
export interface CheckpointStore {
  /** The stored state, or undefined when there is none. */
  load(): TrainingState | undefined;
  /** Replaces the stored state. */
  save(state: TrainingState): void;
}

/** Options of every training function: cancellation, checkpoints and progress. */
export interface TrainingHooks {
  /**
   * Aborting ends the run after the current step; with a checkpoint the unfinished epoch is rolled
   * back and the state saved. The best weights so far are restored.
   */
  readonly signal?: AbortSignal | undefined;
  /** Where the state is saved, and from where the run resumes. */
  readonly checkpoint?: CheckpointStore | undefined;
  /**
   * Called after each epoch. On resuming it is first called for the epochs in the checkpoint, so
   * that logs are complete.
   */
  readonly onEpoch?: ((report: EpochReport) => void) | undefined;
}

/** Options of `fit`. */
export interface FitOptions<Model extends object, Batch> extends TrainingHooks {
  /** The module to train, in place. */
  readonly model: Model;
  /** Scalar loss of one batch; terms that layers add by `mode.addLoss` are added to it. */
  readonly loss: (model: Model, batch: Batch, mode: Mode) => Tensor;
  /**
   * Batches of an epoch; `random` is the stream of that epoch. Without it an epoch is one
   * full-batch step and `batch` is undefined.
   */
  readonly batches?: (random: Random) => Iterable<Batch> | AsyncIterable<Batch>;
  /** Updates the parameters after each step. */
  readonly optimizer: Optimizer;
  /** Learning-rate factor by step. Default: 1. */
  readonly schedule?: Schedule;
  /** Number of epochs of the whole run, those of a resumed checkpoint included. */
  readonly epochs: number;
  /** Seeds the batch order and the draws of the training passes. */
  readonly random: Random;
  /** Metric of the model after an epoch: selects the best epoch and drives early stopping. */
  readonly validate?: (model: Model) => number;
  /** Epochs from one use of `validate` to the next; the last epoch has one, too. Default: 1. */
  readonly validateEvery?: number;
  /** Whether a larger or a smaller metric is better. Default: `larger`. */
  readonly better?: 'larger' | 'smaller';
  /** Early stopping: number of epochs without a better metric. Default: no early stopping. */
  readonly patience?: number;
  /** A metric is better when it exceeds the best by more than this share of it. Default: 0. */
  readonly tolerance?: number;
  /**
   * Number of epochs without a better metric after which the weights of the best epoch are taken up
   * again and training goes on from there. Default: never.
   */
  readonly reloadAfter?: number | undefined;
  /** Restore the weights of the best epoch at the end, if there is `validate`. Default: true. */
  readonly restoreBest?: boolean;
  /**
   * Data-parallel training: every rank runs the same `fit` on its share of each batch. Weights
   * start from rank 0's, gradients are averaged over the ranks with weights `weightOf`, so the
   * result equals that of one process on the combined batches. Every rank reads the checkpoint,
   * rank 0 writes it. Default: one process.
   */
  readonly communicator?: Communicator;
  /** Weight of this rank's batch in the average, such as its number of rows. Default: 1. */
  readonly weightOf?: (batch: Batch) => number;
  /** Epochs between checkpoints. Default: 1. */
  readonly checkpointEvery?: number;
  /**
   * Called before each step with its number, from 0 or on resuming from the first step of the run:
   * for hyperparameters with a schedule of their own.
   */
  readonly onStep?: (step: number) => void;
  /** Called after each step with its number and loss. */
  readonly onLoss?: (step: number, loss: number) => void;
  /**
   * What a loss that is not finite does: it ends the run with an error (the default), or its step
   * is left out and counts as Infinity.
   */
  readonly nonFinite?: 'throw' | 'skip';
}

/** Outcome of a training run. */
export interface FitResult {
  /** Reports of all epochs, those of a resumed checkpoint included. */
  readonly history: readonly EpochReport[];
  /** Epoch with the best metric, from 1; undefined without `validate`. */
  readonly bestEpoch: number | undefined;
  /** Metric of that epoch. */
  readonly bestMetric: number | undefined;
  /**
   * Whether the run finished all epochs, stopped early by `patience`, or was aborted by `signal`.
   */
  readonly stopped: 'completed' | 'early' | 'aborted';
}

/**
 * Trains a module in place.
 *
 * @throws Error when the loss is not finite and such steps are not skipped, naming epoch and step.
 */
export async function fit<Model extends object, Batch = undefined>(
  options: FitOptions<Model, Batch>,
): Promise<FitResult> {
  const run = new Run(options);
  run.resume();
  return run.train();
}

/**
 * Longest time in ms between two returns to the event loop, so that signals and timers are handled.
 */
const EVENT_LOOP_MS = 100;

class Run<Model extends object, Batch> {
  #epoch = 0;
  #step = 0;
  #best: TrainingState['best'];
  readonly #history: EpochReport[] = [];
  #lastYield = performance.now();

  constructor(readonly options: FitOptions<Model, Batch>) {
    if (!(Number.isInteger(options.epochs) && options.epochs >= 0))
      throw new RangeError(`fit: epochs must be a non-negative integer, got ${options.epochs}`);
    const { validateEvery = 1 } = options;
    if (!(Number.isInteger(validateEvery) && validateEvery >= 1))
      throw new RangeError(`fit: validateEvery must be a positive integer, got ${validateEvery}`);
  }

  resume(): void {
    const { checkpoint, model, optimizer } = this.options;
    const state = checkpoint?.load();
    if (!state) {
      this.#shareWeights();
      return;
    }
    loadState(model, state.weights);
    optimizer.restore(state.optimizer);
    this.#epoch = state.epoch;
    this.#step = state.step;
    this.#best = state.best && { ...state.best, weights: cloneWeights(state.best.weights) };
    this.#history.push(...state.history);
    for (const report of state.history) this.options.onEpoch?.(report);
  }

  #shareWeights(): void {
    const { communicator, model } = this.options;
    if (!communicator || communicator.size === 1) return;
    for (const weight of Object.values(stateOf(model))) communicator.broadcast(weight.view());
  }

  async train(): Promise<FitResult> {
    let stopped: FitResult['stopped'] = 'completed';
    while (this.#epoch < this.options.epochs) {
      if (this.#outOfPatience()) {
        stopped = 'early';
        break;
      }
      if (!(await this.#trainEpoch())) {
        stopped = 'aborted';
        break;
      }
      const every = this.options.checkpointEvery ?? 1;
      if (this.#epoch % every === 0 || this.#epoch === this.options.epochs) this.#save();
    }
    const { model, restoreBest = true } = this.options;
    if (restoreBest && this.#best) loadState(model, this.#best.weights);
    const result = { history: this.#history, bestEpoch: this.#best?.epoch, bestMetric: this.#best?.metric, stopped };
    disposeWeights(this.#best?.weights);
    return result;
  }

  #outOfPatience(): boolean {
    const { patience } = this.options;
    return patience !== undefined && this.#best !== undefined && this.#epoch - this.#best.epoch >= patience;
  }

  /**
   * @returns false when the run was aborted; the unfinished epoch is then rolled back, so that a
   * resumed run repeats it from its start.
   */
  async #trainEpoch(): Promise<boolean> {
    const { model, optimizer, random, batches, signal, validate, validateEvery = 1, checkpoint } = this.options;
    const before =
      signal && checkpoint
        ? { weights: cloneWeights(stateOf(model)), optimizer: copyState(optimizer.state()), step: this.#step }
        : undefined;
    const started = performance.now();
    const epoch = this.#epoch + 1;
    let total = 0;
    let steps = 0;
    try {
      for await (const batch of batches?.(random.split('order').split(epoch)) ?? [undefined as Batch]) {
        await this.#yieldToEvents();
        if (signal?.aborted) {
          if (before) this.#rollBack(before);
          return false;
        }
        total += this.#trainStep(batch, epoch);
        steps += 1;
      }
    } finally {
      disposeWeights(before?.weights);
      disposeWeights(before?.optimizer.tensors);
    }
    this.#epoch = epoch;
    const isDue = epoch % validateEvery === 0 || epoch === this.options.epochs;
    const metric = validate && isDue ? scope(() => validate(model)) : undefined;
    if (metric !== undefined) this.#keepBest(epoch, metric);
    this.#reload(epoch);
    const report = {
      epoch,
      epochs: this.options.epochs,
      loss: total / Math.max(steps, 1),
      metric,
      seconds: (performance.now() - started) / 1000,
    };
    this.#history.push(report);
    this.options.onEpoch?.(report);
    return true;
  }

  #trainStep(batch: Batch, epoch: number): number {
    const { model, loss, optimizer, schedule, random, nonFinite = 'throw' } = this.options;
    this.options.onStep?.(this.#step);
    const mode = training(random.split('step').split(this.#step));
    const { loss: value, gradients } = gradientsOf(model, (live) =>
      lossWithTerms(mode, (own) => loss(live, batch, own)),
    );
    const result = this.#average(value.item(), gradients, batch);
    if (Number.isFinite(result)) optimizer.update(parameters(model), gradients, schedule?.(this.#step) ?? 1);
    else if (nonFinite === 'throw')
      throw new Error(
        `fit: the loss became ${result} in epoch ${epoch}, step ${this.#step + 1}; try a smaller learning rate, or look for NaN in the input`,
      );
    value.dispose();
    disposeWeights(gradients);
    const counted = Number.isFinite(result) ? result : Number.POSITIVE_INFINITY;
    this.options.onLoss?.(this.#step, counted);
    this.#step += 1;
    return counted;
  }

  /** Averages loss and gradients over the ranks, the gradients in place. @returns the mean loss. */
  #average(loss: number, gradient: Weights, batch: Batch): number {
    const { communicator, weightOf } = this.options;
    if (!communicator || communicator.size === 1) return loss;
    const weight = weightOf?.(batch) ?? 1;
    const total = Float64Array.of(loss * weight, weight);
    communicator.allReduce(total);
    const share = weight / (total[1] as number);
    for (const tensor of Object.values(gradient)) {
      const values = tensor.view();
      for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * share;
      communicator.allReduce(values);
    }
    return (total[0] as number) / (total[1] as number);
  }

  #keepBest(epoch: number, metric: number): void {
    const { model, better = 'larger', tolerance = 0 } = this.options;
    const best = this.#best?.metric;
    const margin = best !== undefined && Number.isFinite(best) ? tolerance * Math.abs(best) : 0;
    if (best !== undefined && !(better === 'larger' ? metric > best + margin : metric < best - margin)) return;
    disposeWeights(this.#best?.weights);
    this.#best = { epoch, metric, weights: cloneWeights(stateOf(model)) };
  }

  /** With `reloadAfter`: goes back to the best weights every so many epochs after them. */
  #reload(epoch: number): void {
    const { model, reloadAfter } = this.options;
    const since = epoch - (this.#best?.epoch ?? epoch);
    if (reloadAfter && this.#best && since > 0 && since % reloadAfter === 0) loadState(model, this.#best.weights);
  }

  #save(): void {
    if (this.options.communicator && this.options.communicator.rank > 0) return;
    this.options.checkpoint?.save({
      epoch: this.#epoch,
      step: this.#step,
      weights: stateOf(this.options.model),
      optimizer: this.options.optimizer.state(),
      best: this.#best,
      history: this.#history,
    });
  }

  #rollBack({ weights, optimizer, step }: { weights: Weights; optimizer: OptimizerState; step: number }): void {
    loadState(this.options.model, weights);
    this.options.optimizer.restore(optimizer);
    this.#step = step;
    this.#save();
  }

  async #yieldToEvents(): Promise<void> {
    if (performance.now() - this.#lastYield < EVENT_LOOP_MS) return;
    await eventTurn();
    this.#lastYield = performance.now();
  }
}

function copyState(state: OptimizerState): OptimizerState {
  return { step: state.step, tensors: cloneWeights(state.tensors) };
}

/** Options of `minibatches`. */
export interface MinibatchOptions {
  /** Whether a last batch of fewer than `batchSize` rows is left out. Default: false. */
  readonly dropLast?: boolean;
}

/**
 * Batches of a shuffled epoch, i32 arrays of `batchSize`: the last is shorter where `batchSize`
 * does not divide their count, or left out with `dropLast`.
 *
 * @param examples numbers of the examples, or how many there are: 0 … count − 1
 * @throws RangeError when `batchSize` is below 1.
 */
export function* minibatches(
  examples: number | Int32Array,
  batchSize: number,
  random: Random,
  { dropLast = false }: MinibatchOptions = {},
): Generator<Int32Array> {
  if (!(batchSize >= 1)) throw new RangeError(`minibatches: the batch size must be at least 1, got ${batchSize}`);
  const count = typeof examples === 'number' ? examples : examples.length;
  const permutation = random.permutation(count);
  const order = typeof examples === 'number' ? permutation : permutation.map((at) => examples[at] as number);
  const end = dropLast ? count - batchSize + 1 : count;
  for (let start = 0; start < end; start += batchSize) yield order.subarray(start, start + batchSize);
}
