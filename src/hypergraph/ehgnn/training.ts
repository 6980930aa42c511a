// Training on whole graphs: a batch of them is one sparse computation; the weights of the least
// validation loss are kept.

import {
  Adam,
  Clipped,
  consecutive,
  constant,
  crossEntropy,
  type FitResult,
  fit,
  inference,
  type Mode,
  meanOverParts,
  minibatches,
  type TrainingHooks,
  warmUpCosine,
} from '../../nn/index.js';
import {
  gatherKnownRows,
  joinedArrays,
  type Random,
  requireChoice,
  scope,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { GraphClassifier } from './classifier.js';
import type { GraphInput, TypedGraphs } from './inputs.js';
import { type EdgeAutoencoder, reconstructionLoss } from './reconstruction.js';

/** Hyperparameters of training on whole graphs. */
export interface GraphTrainingOptions extends TrainingHooks {
  /** Number of epochs. Default: 100. */
  readonly epochs?: number;
  /** Graphs in a batch. Default: 128. */
  readonly batch?: number;
  /** Largest learning rate of Adam. Default: 1e-3. */
  readonly learningRate?: number;
  /**
   * A warm-up over a tenth of the steps, then a cosine to 0; or one rate throughout, for runs that
   * end before the loss does. Default: `cosine`.
   */
  readonly schedule?: 'cosine' | 'constant';
  /** L2 weight decay. Default: 1e-4. */
  readonly weightDecay?: number;
  /** Gradients are scaled down to this norm. Default: 1. */
  readonly maxNorm?: number;
  /**
   * Early stopping: number of epochs without a lower validation loss. Default: no early stopping.
   */
  readonly patience?: number;
}

/** Graphs of a data set that are learnt from, by number. */
export interface GraphSplit {
  /** The training graphs. */
  readonly train: Int32Array;
  /** The graphs whose loss chooses the epoch. */
  readonly validation: Int32Array;
}

/** What is learnt: how graphs become a batch, and its mean loss. */
export interface GraphTask<Model extends object, Batch> {
  /** The graphs of given numbers. */
  select(graphs: Int32Array): Batch;
  /** The mean loss of a batch. */
  loss(model: Model, batch: Batch, mode: Mode): Tensor;
}

/** Some graphs of an input, with their features. */
export function selectInput({ graphs, nodes, edges }: GraphInput, chosen: ArrayLike<number>): GraphInput {
  const { graphs: own, nodeRows, edgeRows } = graphs.select(chosen);
  return {
    graphs: own,
    nodes: gatherKnownRows(nodes, tensor(nodeRows)),
    ...(edges && { edges: gatherKnownRows(edges, tensor(edgeRows)) }),
  };
}

/** Some graphs whose edges have types. */
export function selectTyped({ graphs, types }: TypedGraphs, chosen: ArrayLike<number>): TypedGraphs {
  const { graphs: own, edgeRows } = graphs.select(chosen);
  return { graphs: own, types: edgeRows.map((e) => types[e] as number) };
}

/** Graphs that are validated or answered for at once. */
const AT_ONCE = 512;

/** Numbers in consecutive parts of at most 512. */
export function partsOf(numbers: Int32Array): Int32Array[] {
  return consecutive(numbers, AT_ONCE);
}

/**
 * Trains with Adam on shuffled batches, and restores the weights of the epoch of least validation
 * loss.
 *
 * @throws RangeError when there are no training or validation graphs
 */
export function trainOnGraphs<Model extends object, Batch>(
  model: Model,
  task: GraphTask<Model, Batch>,
  { train, validation }: GraphSplit,
  random: Random,
  options: GraphTrainingOptions = {},
): Promise<FitResult> {
  const { schedule = 'cosine', learningRate = 1e-3, weightDecay = 1e-4, maxNorm = 1, ...others } = options;
  const { epochs = 100, batch = 128, ...hooks } = others;
  requireChoice('trainOnGraphs', 'schedule', schedule, ['cosine', 'constant']);
  if (train.length === 0 || validation.length === 0)
    throw new RangeError(`trainOnGraphs: ${train.length} training and ${validation.length} validation graphs`);
  const steps = epochs * Math.ceil(train.length / batch);
  const parts = partsOf(validation);
  return fit<Model, Batch>({
    model,
    *batches(order) {
      for (const graphs of minibatches(train, batch, order)) yield task.select(graphs);
    },
    loss: (live, own, mode) => task.loss(live, own, mode),
    optimizer: new Clipped(new Adam({ learningRate, weightDecay }), maxNorm),
    schedule: schedule === 'constant' ? constant() : warmUpCosine(steps, 0.1),
    epochs,
    random,
    validate: (live) => meanOverParts(parts, (part) => task.loss(live, task.select(part), inference)),
    better: 'smaller',
    ...hooks,
    checkpointEvery: 5,
  });
}

/** Trains a classifier of graphs on their classes. */
export function trainClassifier(
  model: GraphClassifier,
  input: GraphInput & { readonly labels: Int32Array },
  split: GraphSplit,
  random: Random,
  options: GraphTrainingOptions = {},
): Promise<FitResult> {
  const task: GraphTask<GraphClassifier, GraphInput & { readonly labels: Tensor }> = {
    select: (graphs) => ({
      ...selectInput(input, graphs),
      labels: tensor(graphs.map((graph) => input.labels[graph] as number)),
    }),
    loss: (live, batch, mode) => crossEntropy(live.forward(batch, mode), batch.labels),
  };
  return trainOnGraphs(model, task, split, random, options);
}

/**
 * Trains an autoencoder on the types of edges. Graphs without edges are left out. The weights do
 * not decay unless that is asked for, as in the released code.
 */
export function trainAutoencoder(
  model: EdgeAutoencoder & object,
  input: TypedGraphs,
  split: GraphSplit,
  random: Random,
  options: GraphTrainingOptions = {},
): Promise<FitResult> {
  const { offsets } = input.graphs.edges;
  const withEdges = (graphs: Int32Array) =>
    graphs.filter((graph) => (offsets[graph + 1] as number) > (offsets[graph] as number));
  return trainOnGraphs<EdgeAutoencoder & object, TypedGraphs>(
    model,
    { select: (graphs) => selectTyped(input, graphs), loss: reconstructionLoss },
    { train: withEdges(split.train), validation: withEdges(split.validation) },
    random,
    { weightDecay: 0, ...options },
  );
}

/** Logits [graphs, classes] of graphs of given numbers. */
export function classifyGraphs(model: GraphClassifier, input: GraphInput, graphs: Int32Array): Float32Array {
  const rows = partsOf(graphs).map((part) =>
    scope(() => model.forward(selectInput(input, part), inference).dataSync<Float32Array>()),
  );
  return joinedArrays(Float32Array, rows);
}

/** The most probable type of each edge of graphs of given numbers, edge after edge. */
export function reconstructTypes(model: EdgeAutoencoder, input: TypedGraphs, graphs: Int32Array): Int32Array {
  const types = partsOf(graphs).flatMap((part) =>
    scope(() => {
      const logits = model.forward(selectTyped(input, part));
      const [count, width] = logits.shape as [number, number];
      const values = logits.view();
      return Array.from({ length: count }, (_, e) => {
        const own = values.subarray(e * width, (e + 1) * width);
        return own.indexOf(own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY));
      });
    }),
  );
  return Int32Array.from(types);
}
