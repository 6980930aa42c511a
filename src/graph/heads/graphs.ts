// Classes of whole graphs: a network of nodes on many graphs at once, and the mean and the maximum
// of its outputs over the nodes of each.

import {
  Adam,
  accuracy,
  consecutive,
  crossEntropy,
  Dropout,
  type Features,
  type FitResult,
  fit,
  inference,
  Linear,
  type Mode,
  meanOverParts,
  minibatches,
  predictedClasses,
  type SemiSupervisedOptions,
  stoppingOf,
} from '../../nn/index.js';
import { type Segments, segmentMax, segmentMean } from '../../sparse/index.js';
import { disjointGraphs, type Graph } from '../../structure/index.js';
import { concatenate, type Random, relu, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { GraphModule } from '../conv/index.js';

/** [mean ‖ max] over the nodes of each graph: [n, d] → [graphs, 2d]; of a graph without nodes 0. */
export function meanMaxReadout(h: Tensor, nodes: Segments): Tensor {
  return concatenate([segmentMean(h, nodes), segmentMax(h, nodes)], 1);
}

/** Many graphs as one, with the nodes of each. */
export interface ReadoutBatch {
  /** The disjoint union. */
  readonly graph: Graph;
  /** Nodes of each graph. */
  readonly nodes: Segments;
  /** Features of all nodes [n, d]. */
  readonly features: Features;
}

/** logits = W·[mean ‖ max](ReLU(h)) + b with h the outputs of a network of nodes. */
export class WholeGraphClassifier {
  /** W [classes, 2·width] and b. */
  readonly head: Linear;
  readonly #dropout: Dropout;

  /** @param network outputs h [n, width] */
  constructor(
    readonly network: GraphModule,
    width: number,
    classes: number,
    random: Random,
    { dropout = 0.5 }: { readonly dropout?: number } = {},
  ) {
    this.head = new Linear(2 * width, classes, random.split('graph head'));
    this.#dropout = new Dropout(dropout);
  }

  /** Logits of each graph [graphs, classes]. */
  forward({ graph, nodes, features }: ReadoutBatch, mode: Mode): Tensor {
    const h = relu(this.network.forward(features, graph, mode));
    return this.head.forward(this.#dropout.forward(meanMaxReadout(h, nodes), mode));
  }
}

/** Graphs with a class each. */
export interface LabelledGraphs {
  /** The graphs. */
  readonly graphs: readonly Graph[];
  /** Features of the nodes of some graphs, one after the other [n, d]. */
  features(graphs: ArrayLike<number>): Features;
  /** Class of each graph. */
  readonly labels: Int32Array;
  /** Graphs to train on. */
  readonly train: Int32Array;
  /** Graphs that choose the epoch. */
  readonly validation: Int32Array;
}

/** Options of training on batches of graphs. */
export interface GraphTrainingOptions extends SemiSupervisedOptions {
  /** Graphs of a step. Default: 32. */
  readonly batchSize?: number;
}

/** The disjoint union of some graphs with their features. */
export function batchOf({ graphs, features }: LabelledGraphs, chosen: ArrayLike<number>): ReadoutBatch {
  const { graph, nodes } = disjointGraphs(Array.from(chosen, (g) => graphs[g] as Graph));
  return { graph, nodes, features: features(chosen) };
}

/**
 * Trains in shuffled batches of graphs with Adam and restores the weights of the best epoch by
 * validation graphs.
 */
export function trainGraphClassifier(
  classifier: WholeGraphClassifier,
  data: LabelledGraphs,
  random: Random,
  options: GraphTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 50, learningRate = 5e-3, weightDecay = 1e-4, batchSize = 32, select = 'accuracy' } = options;
  const lossOf = (live: WholeGraphClassifier, chosen: Int32Array, mode: Mode) =>
    crossEntropy(live.forward(batchOf(data, chosen), mode), tensor(chosen.map((g) => data.labels[g] as number)));
  const parts = consecutive(data.validation, batchSize);
  return fit({
    model: classifier,
    batches: (order) => minibatches(data.train, batchSize, order),
    loss: lossOf,
    optimizer: new Adam({ learningRate, weightDecay }),
    epochs,
    random,
    validate: (live: WholeGraphClassifier) =>
      select === 'loss'
        ? meanOverParts(parts, (part) => lossOf(live, part, inference))
        : wholeGraphAccuracy(live, data, data.validation, batchSize),
    ...stoppingOf(options),
  });
}

/** Logits of some graphs in inference [chosen, classes], batch by batch. */
export function wholeGraphLogits(
  classifier: WholeGraphClassifier,
  data: LabelledGraphs,
  chosen: Int32Array,
  batchSize = 32,
): Tensor {
  const pieces = consecutive(chosen, batchSize).map((part) =>
    scope(() => classifier.forward(batchOf(data, part), inference)),
  );
  return concatenate(pieces, 0);
}

/** Share of some graphs whose class is told right. */
export function wholeGraphAccuracy(
  classifier: WholeGraphClassifier,
  data: LabelledGraphs,
  chosen: Int32Array,
  batchSize = 32,
): number {
  const classes = chosen.map((g) => data.labels[g] as number);
  return scope(() =>
    accuracy(
      predictedClasses(wholeGraphLogits(classifier, data, chosen, batchSize)),
      classes,
      Int32Array.from(chosen.keys()),
    ),
  );
}
