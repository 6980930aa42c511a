// The training loop: epochs of batches, validation, early stopping, checkpoints that continue bit for bit.
//
// Nothing random is carried from step to step: the order of an epoch and the masks of a step follow from the seed and their number, so a
// run that was cut off and resumed does exactly what an unbroken one does.

import type { Communicator } from '../distributed/index.js';
import { eventTurn } from '../engine/index.js';
import { keep, type Random, scope, type Tensor } from '../tensor/index.js';
import { gradientsOf } from './gradients.js';
import { loadState, type Mode, parameters, stateOf, training, type Weights } from './module.js';
import type { Optimizer, OptimizerState } from './optimizers.js';
import type { Schedule } from './schedules.js';

/** One finished epoch. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Mean loss over the epoch's steps. */
  readonly loss: number;
  /** What `validate` gave, where there is one. */
  readonly metric?: number;
  readonly seconds: number;
}

/** Everything needed to go on: see `CheckpointStore`. */
export interface TrainingState {
  readonly epoch: number;
  readonly step: number;
  readonly weights: Weights;
  readonly optimizer: OptimizerState;
  readonly best: { readonly epoch: number; readonly metric: number; readonly weights: Weights } | undefined;
  readonly history: readonly EpochReport[];
}

/** Where a run keeps its state; `fileCheckpoint` of gossamer/data writes a file. */
export interface CheckpointStore {
  load(): TrainingState | undefined;
  save(state: TrainingState): void;
}

/** What a caller may hang on any training: a way to stop it, to keep its state and to watch it. */
export interface TrainingHooks {
  /** Aborting ends the run after the current step, with a checkpoint and the best weights so far. */
  readonly signal?: AbortSignal | undefined;
  /** Where the state is kept, and continued from. */
  readonly checkpoint?: CheckpointStore | undefined;
  /** Called after each epoch; on resuming first for those that the checkpoint remembers, so that logs are whole. */
  readonly onEpoch?: ((report: EpochReport) => void) | undefined;
}

export interface FitOptions<Model extends object, Batch> extends TrainingHooks {
  readonly model: Model;
  /** Scalar loss of one batch. */
  readonly loss: (model: Model, batch: Batch, mode: Mode) => Tensor;
  /** The batches of an epoch; `random` is that epoch's own stream. Left out, each epoch is one step on everything (`batch` is undefined). */
  readonly batches?: (random: Random) => Iterable<Batch> | AsyncIterable<Batch>;
  readonly optimizer: Optimizer;
  readonly schedule?: Schedule;
  readonly epochs: number;
  readonly random: Random;
  /** A metric of the model after each epoch: chooses the best epoch and stops early. */
  readonly validate?: (model: Model) => number;
  /** Whether a larger or a smaller metric is better. */
  readonly better?: 'larger' | 'smaller';
  /** Stop after so many epochs without a better metric. */
  readonly patience?: number;
  /** Put the weights of the best epoch back at the end (when there is `validate`). */
  readonly restoreBest?: boolean;
  /**
   * Data-parallel training: every rank runs the same `fit` on its share of each batch, gradients are averaged (weighted by `weightOf`) and weights start from rank 0's. The result equals one process on the combined batches.
   * Every rank reads the checkpoint, rank 0 writes it.
   */
  readonly communicator?: Communicator;
  /** How much a rank's batch counts, such as its rows; 1 when left out. */
  readonly weightOf?: (batch: Batch) => number;
  /** Epochs between checkpoints. */
  readonly checkpointEvery?: number;
  /** Called before each step with its number from 0, on resuming from where the run goes on: for what follows a schedule of its own beside the rate. */
  readonly onStep?: (step: number) => void;
  /** Called after each step with its number and loss. */
  readonly onLoss?: (step: number, loss: number) => void;
  /** What a loss that is not finite does: it ends the run with an error (the default), or its step is left out and counts as Infinity. */
  readonly nonFinite?: 'throw' | 'skip';
}

export interface FitResult {
  readonly history: readonly EpochReport[];
  readonly bestEpoch: number | undefined;
  readonly bestMetric: number | undefined;
  readonly stopped: 'completed' | 'early' | 'aborted';
}

/** Trains a module in place. @throws Error when the loss is not finite and such steps are not skipped, naming epoch and step. */
export async function fit<Model extends object, Batch = undefined>(
  options: FitOptions<Model, Batch>,
): Promise<FitResult> {
  const run = new Run(options);
  run.resume();
  return run.train();
}

/** Epochs a loop runs before it looks up, at most this many milliseconds apart, so that signals and timers get their turn. */
const BREATH_MS = 100;

class Run<Model extends object, Batch> {
  #epoch = 0;
  #step = 0;
  #best: TrainingState['best'];
  readonly #history: EpochReport[] = [];
  #breath = performance.now();

  constructor(readonly options: FitOptions<Model, Batch>) {
    if (!(Number.isInteger(options.epochs) && options.epochs >= 0))
      throw new RangeError(`fit: epochs must be a non-negative integer, got ${options.epochs}`);
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
    this.#best = state.best && { ...state.best, weights: copyWeights(state.best.weights) };
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
      if (this.#exhausted()) {
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

  #exhausted(): boolean {
    const { patience } = this.options;
    return patience !== undefined && this.#best !== undefined && this.#epoch - this.#best.epoch >= patience;
  }

  /** @returns false when the run was aborted; the unfinished epoch is then undone, so that a resumed run repeats it whole. */
  async #trainEpoch(): Promise<boolean> {
    const { model, optimizer, random, batches, signal, validate, checkpoint } = this.options;
    const undo =
      signal && checkpoint
        ? { weights: copyWeights(stateOf(model)), optimizer: copyState(optimizer.state()), step: this.#step }
        : undefined;
    const started = performance.now();
    const epoch = this.#epoch + 1;
    let total = 0;
    let steps = 0;
    try {
      for await (const batch of batches?.(random.split('order').split(epoch)) ?? [undefined as Batch]) {
        await this.#breathe();
        if (signal?.aborted) {
          if (undo) this.#undo(undo);
          return false;
        }
        total += this.#trainStep(batch, epoch);
        steps += 1;
      }
    } finally {
      disposeWeights(undo?.weights);
      disposeWeights(undo?.optimizer.tensors);
    }
    this.#epoch = epoch;
    const metric = validate && scope(() => validate(model));
    if (metric !== undefined) this.#keepBest(epoch, metric);
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
    const { loss: value, gradients } = gradientsOf(model, (live) => loss(live, batch, mode));
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

  /** The mean loss and, in place, the mean gradients over all ranks. */
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
    const { model, better = 'larger' } = this.options;
    const sofar = this.#best?.metric;
    if (sofar !== undefined && !(better === 'larger' ? metric > sofar : metric < sofar)) return;
    disposeWeights(this.#best?.weights);
    this.#best = { epoch, metric, weights: copyWeights(stateOf(model)) };
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

  #undo({ weights, optimizer, step }: { weights: Weights; optimizer: OptimizerState; step: number }): void {
    loadState(this.options.model, weights);
    this.options.optimizer.restore(optimizer);
    this.#step = step;
    this.#save();
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#breath < BREATH_MS) return;
    await eventTurn();
    this.#breath = performance.now();
  }
}

function copyWeights(weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, keep(weight.clone())]));
}

function copyState(state: OptimizerState): OptimizerState {
  return { step: state.step, tensors: copyWeights(state.tensors) };
}

function disposeWeights(weights: Weights | undefined): void {
  for (const weight of Object.values(weights ?? {})) weight.dispose();
}

/** Index batches of a shuffled epoch: each an i32 array of at most `batchSize` of the `count` rows. */
export function* minibatches(count: number, batchSize: number, random: Random): Generator<Int32Array> {
  if (!(batchSize >= 1)) throw new RangeError(`minibatches: the batch size must be at least 1, got ${batchSize}`);
  const order = random.permutation(count);
  for (let start = 0; start < count; start += batchSize) yield order.subarray(start, start + batchSize);
}
