// Networks that answer for some nodes without the hidden features of others: what they read of the
// graph is propagated beforehand, or sampled for each node. They train in mini-batches of nodes.

import {
  Adam,
  accuracy,
  crossEntropy,
  type Features,
  type FitResult,
  fit,
  inference,
  type Mode,
  minibatches,
  predictedClasses,
  stoppingOf,
} from '../../nn/index.js';
import { type Graph, memo } from '../../structure/index.js';
import { concatenate, keep, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { GraphModule } from '../conv/index.js';
import type { LabelledGraph } from '../labelled-graph.js';
import type { RowTrainingOptions } from './hop-network.js';

/** A network that answers node by node. */
export interface RowwiseModule extends GraphModule {
  /** Nodes of a training step. */
  readonly batchSize: number;
  /** Logits of some nodes [rows, out]. */
  forwardRows(x: Features, graph: Graph, rows: Int32Array, mode: Mode): Tensor;
}

/** Whether a network answers node by node. */
export function isRowwise(network: GraphModule): network is RowwiseModule {
  return 'forwardRows' in network;
}

/** Nodes that are answered for at a time. */
const PIECE = 4096;

/** Logits of all nodes, or of some in inference, piece by piece. */
export function forwardAll(network: RowwiseModule, x: Features, graph: Graph, mode: Mode, rows?: Int32Array): Tensor {
  const all = rows ?? memo(graph, 'all nodes', () => Int32Array.from({ length: graph.nodeCount }, (_, v) => v));
  if (mode.training || all.length <= PIECE) return network.forwardRows(x, graph, all, mode);
  const pieces: Tensor[] = [];
  for (let from = 0; from < all.length; from += PIECE)
    pieces.push(scope(() => network.forwardRows(x, graph, all.subarray(from, from + PIECE), mode)));
  return concatenate(pieces, 0);
}

/**
 * Trains with Adam in shuffled batches of the training nodes and restores the weights of the best
 * epoch by validation.
 *
 * @param options `batchSize`. Default: that of the network
 */
export async function trainRowwise<M extends RowwiseModule>(
  network: M,
  { features, graph, labels, train, validation }: LabelledGraph,
  random: Random,
  options: RowTrainingOptions = {},
): Promise<{ network: M; training: FitResult }> {
  const { epochs = 200, learningRate = 0.01, weightDecay = 5e-4, select = 'accuracy' } = options;
  const classesOf = (rows: Int32Array) => rows.map((row) => labels[row] as number);
  const lossOf = (logits: Tensor, rows: Int32Array) => crossEntropy(logits, tensor(classesOf(rows)));
  const validate = (live: M) => {
    const logits = forwardAll(live, features, graph, inference, validation);
    if (select === 'loss') return lossOf(logits, validation).item();
    return accuracy(predictedClasses(logits), classesOf(validation), Int32Array.from(validation.keys()));
  };
  const result = await fit({
    model: network,
    batches: (order) => minibatches(train, options.batchSize ?? network.batchSize, order),
    loss: (live: M, rows: Int32Array, mode) => lossOf(live.forwardRows(features, graph, rows, mode), rows),
    optimizer: new Adam({ learningRate, weightDecay }),
    epochs,
    random,
    validate,
    ...stoppingOf(options),
  });
  return { network, training: result };
}

/** What is computed once of features on a graph, by a name. */
export function computedOnce(graph: Graph, x: Features, name: string, make: () => Tensor): Tensor {
  const known = memo(graph, 'computedOnce', () => new WeakMap<object, Map<string, Tensor>>());
  const own = known.get(x) ?? new Map<string, Tensor>();
  known.set(x, own);
  const tensorOf = own.get(name) ?? keep(scope(make));
  own.set(name, tensorOf);
  return tensorOf;
}
