// Training on whole graphs with features of cells: batches are cut to a budget of memory, and the
// weights of the least validation loss are kept.

import {
  Adam,
  consecutive,
  crossEntropy,
  type FitResult,
  fit,
  inference,
  LAMB,
  type Mode,
  meanAbsoluteError,
  meanOverParts,
  ReduceOnPlateau,
  type TrainingHooks,
} from '../../nn/index.js';
import { joinedArrays, type Random, requireChoice, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { CellBatch } from './cells.js';
import {
  CELL_BUDGET,
  type CellLimits,
  type GraphBatch,
  type GraphBatches,
  partsWithin,
  requireCells,
} from './inputs.js';

/** A network on whole graphs. */
export interface WholeGraphNetwork {
  /** Bytes that a cell takes in a step of training, about. */
  readonly cellBytes: number;
  /** Graphs → [graphs, outputs]. */
  forward(batch: GraphBatch, mode: Mode): Tensor;
}

/** What is learnt of graphs: a class, or numbers [graphs, width] row after row, as they are. */
export type GraphTargets = { readonly labels: Int32Array } | { readonly values: Float32Array; readonly width: number };

/** Hyperparameters of training on whole graphs. */
export interface WholeGraphTraining extends TrainingHooks, CellLimits {
  /** Epochs. Default: 60. */
  readonly epochs?: number;
  /** Graphs in a batch, fewer where they exceed the budget. Default: 40. */
  readonly batch?: number;
  /** Learning rate at the start. Default: 3e-3. */
  readonly learningRate?: number;
  /**
   * `cosine`: (1 + cos(πt/T))/2 after t of T epochs; `plateau`: halved after `plateau` epochs
   * without a lower validation loss. Default: `cosine`.
   */
  readonly schedule?: 'cosine' | 'plateau';
  /** Epochs without a lower validation loss until the rate is halved. Default: 20. */
  readonly plateau?: number;
  /** L2 weight decay of `adam`, or the decoupled one of `lamb`. Default: 0, of `lamb` 0.01. */
  readonly weightDecay?: number | undefined;
  /** Default: `adam`. */
  readonly optimizer?: 'adam' | 'lamb';
  /** Early stopping: epochs without a lower validation loss. Default: no early stopping. */
  readonly patience?: number | undefined;
}

/** Graphs that are learnt from, and those whose loss chooses the epoch, by number. */
export interface TrainingGraphs {
  /** The training graphs. */
  readonly train: Int32Array;
  /** The graphs whose loss chooses the epoch. */
  readonly validation: Int32Array;
}

interface Batch {
  readonly cells: CellBatch;
  readonly chosen: Int32Array;
}

/** The mean loss over the graphs of a batch: cross-entropy of classes, or absolute error. */
function lossOf(outputs: Tensor, targets: GraphTargets, chosen: Int32Array): Tensor {
  if ('labels' in targets) return crossEntropy(outputs, tensor(chosen.map((g) => targets.labels[g] as number)));
  const { values, width } = targets;
  const own = new Float32Array(chosen.length * width);
  chosen.forEach((g, i) => {
    own.set(values.subarray(g * width, (g + 1) * width), i * width);
  });
  return meanAbsoluteError(outputs, tensor(own, [chosen.length, width]));
}

/**
 * Trains on shuffled batches, and restores the weights of the epoch of least validation loss.
 *
 * @throws RangeError when there are fewer than two training graphs or no validation graph, or when
 * a graph exceeds the limits of memory
 */
export function trainWholeGraphs<Model extends WholeGraphNetwork & object>(
  model: Model,
  batches: GraphBatches,
  targets: GraphTargets,
  { train, validation }: TrainingGraphs,
  random: Random,
  options: WholeGraphTraining = {},
): Promise<FitResult> {
  const { epochs = 60, batch = 40, learningRate = 3e-3, optimizer = 'adam', schedule = 'cosine' } = options;
  const { plateau = 20, weightDecay, budget = CELL_BUDGET, force, roots, patience } = options;
  const { onEpoch, signal, checkpoint } = options;
  requireChoice('trainWholeGraphs', 'the optimizer', optimizer, ['adam', 'lamb']);
  requireChoice('trainWholeGraphs', 'the schedule', schedule, ['cosine', 'plateau']);
  if (train.length < 2 || validation.length === 0)
    throw new RangeError(`trainWholeGraphs: ${train.length} training and ${validation.length} validation graphs`);
  requireCells(batches.source, model.cellBytes, { budget, force, roots });
  const answered = partsOfAnswer(model, batches, validation, budget);
  const rates = schedule === 'cosine' ? new CosineByEpoch(epochs) : new ReduceOnPlateau({ patience: plateau, by: 0.5 });
  const Optimizer = optimizer === 'lamb' ? LAMB : Adam;
  return fit<Model, Batch>({
    model,
    *batches(order) {
      const shuffled = order.permutation(train.length).map((row) => train[row] as number);
      const draws = order.split('roots');
      let step = 0;
      for (const own of batchesOf(shuffled, batch))
        for (const part of partsWithin(batches.source, own, model.cellBytes, budget)) {
          yield { cells: batches.select(part, draws.split(step)), chosen: part };
          step += 1;
        }
    },
    loss: (live, { cells, chosen }, mode) => lossOf(live.forward(batches.tensors(cells), mode), targets, chosen),
    optimizer: new Optimizer({ learningRate, ...(weightDecay !== undefined && { weightDecay }) }),
    schedule: () => rates.factor,
    epochs,
    random,
    validate: (live) => meanOverParts(answered, (part) => lossOf(answersOf(live, batches, part), targets, part)),
    better: 'smaller',
    ...(patience !== undefined && { patience }),
    signal,
    checkpoint,
    onEpoch(report) {
      rates.see(report.metric as number);
      onEpoch?.(report);
    },
    checkpointEvery: 5,
  });
}

/** Consecutive batches; a last one of one graph joins the one before. */
function batchesOf(graphs: Int32Array, batch: number): Int32Array[] {
  const count = Math.max(
    1,
    Math.ceil(graphs.length / batch) - Number(graphs.length > batch && graphs.length % batch === 1),
  );
  return Array.from({ length: count }, (_, i) =>
    graphs.subarray(i * batch, i === count - 1 ? graphs.length : (i + 1) * batch),
  );
}

/** (1 + cos(πt/T))/2 after t of T epochs. */
class CosineByEpoch {
  #finished = 0;

  constructor(readonly epochs: number) {}

  get factor(): number {
    return (1 + Math.cos((Math.PI * Math.min(this.#finished, this.epochs)) / this.epochs)) / 2;
  }

  see(_: number): void {
    this.#finished += 1;
  }
}

/** Graphs that are answered for at once, at most. */
const AT_ONCE = 256;

/** Consecutive parts of the graphs that are answered for at once, within the budget. */
function partsOfAnswer(
  model: WholeGraphNetwork,
  batches: GraphBatches,
  chosen: Int32Array,
  budget: number,
): Int32Array[] {
  // Half of what training takes: there are no gradients.
  return consecutive(chosen, AT_ONCE).flatMap((part) => partsWithin(batches.source, part, model.cellBytes / 2, budget));
}

/** Outputs of the graphs of a part [part, outputs]. */
function answersOf(model: WholeGraphNetwork, batches: GraphBatches, part: Int32Array): Tensor {
  return model.forward(batches.tensors(batches.select(part)), inference);
}

/** Outputs [graphs, outputs] of graphs of given numbers, row after row. */
export function outputsOf(
  model: WholeGraphNetwork,
  batches: GraphBatches,
  chosen: Int32Array,
  { budget = CELL_BUDGET, force, roots }: CellLimits = {},
): Float32Array {
  requireCells(batches.source, model.cellBytes / 2, { budget, force, roots });
  const outputs = partsOfAnswer(model, batches, chosen, budget).map((part) =>
    scope(() => answersOf(model, batches, part).dataSync<Float32Array>()),
  );
  return joinedArrays(Float32Array, outputs);
}
