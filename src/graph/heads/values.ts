// Numbers of nodes: a network with one output, trained by squared error.

import {
  Adam,
  type Features,
  type FitResult,
  fit,
  inference,
  type Mode,
  type SemiSupervisedOptions,
  stoppingOf,
} from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import {
  gatherKnownRows,
  mean,
  type Random,
  reshape,
  scope,
  square,
  subtract,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { GraphModule } from '../conv/index.js';

/** A graph whose nodes have numbers. */
export interface ValuedGraph {
  /** The graph, of n nodes. */
  readonly graph: Graph;
  /** Node features [n, d]. */
  readonly features: Features;
  /** Number of each node [n]; read at the rows of a part alone. */
  readonly values: Float32Array;
  /** Nodes to train on. */
  readonly train: Int32Array;
  /** Nodes that choose the epoch. */
  readonly validation: Int32Array;
}

/** Mean and standard deviation of the training values: networks learn (value − mean)/deviation. */
export interface ValueScale {
  /** Mean of the training values. */
  readonly mean: number;
  /** Their standard deviation. */
  readonly deviation: number;
}

/** The scale of some values; the deviation of equal ones is 1. */
export function scaleOf(values: Float32Array, rows: Int32Array): ValueScale {
  const average = rows.reduce((sum, row) => sum + (values[row] as number), 0) / rows.length;
  const squares = rows.reduce((sum, row) => sum + ((values[row] as number) - average) ** 2, 0);
  return { mean: average, deviation: Math.sqrt(squares / rows.length) || 1 };
}

/**
 * Trains a network of one output by the mean squared error of scaled values and restores the
 * weights of the epoch of the smallest validation error.
 *
 * @param random stream of dropout
 */
export async function trainNodeValues(
  network: GraphModule,
  { graph, features, values, train, validation }: ValuedGraph,
  random: Random,
  { epochs = 200, learningRate = 0.01, weightDecay = 5e-4, ...hooks }: Omit<SemiSupervisedOptions, 'select'> = {},
): Promise<{ readonly scale: ValueScale; readonly training: FitResult }> {
  const scale = scaleOf(values, train);
  const error = (live: GraphModule, rows: Int32Array, mode: Mode) => {
    const output = reshape(gatherKnownRows(live.forward(features, graph, mode), tensor(rows)), [-1]);
    const wanted = Float32Array.from(rows, (row) => ((values[row] as number) - scale.mean) / scale.deviation);
    return mean(square(subtract(output, tensor(wanted))));
  };
  const training = await fit({
    model: network,
    loss: (live: GraphModule, _: undefined, mode) => error(live, train, mode),
    optimizer: new Adam({ learningRate, weightDecay }),
    epochs,
    random,
    validate: (live: GraphModule) => scope(() => error(live, validation, inference)).item(),
    ...stoppingOf({ ...hooks, select: 'loss' }),
  });
  return { scale, training };
}

/** The number of each node [n] in the units of training. */
export function nodeValues(network: GraphModule, features: Features, graph: Graph, scale: ValueScale): Float32Array {
  const output: Tensor = scope(() => network.forward(features, graph, inference));
  return output.view().map((value) => scale.mean + scale.deviation * value);
}
