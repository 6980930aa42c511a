// Alignment of nodes with texts about them, by symmetric InfoNCE on pairs of source graphs.
//
//   loss = ½[CE(s, diag) + CE(sᵀ, diag)] + λ_r·mean Rad(x') + λ_I·mean ‖Qᵢ − I‖²

import {
  Adam,
  Clipped,
  crossEntropy,
  type FitResult,
  fit,
  type Mode,
  minibatches,
  type TrainingHooks,
} from '../../nn/index.js';
import {
  add,
  arange,
  concatenate,
  gatherKnownRows,
  mean,
  multiply,
  type Random,
  type Tensor,
  tensor,
  transpose,
} from '../../tensor/index.js';
import type { PreparedGraph } from './hop-gates.js';
import type { H4G } from './network.js';

/** Pairs of nodes and texts about them. */
export interface AlignmentTask {
  /** The source graphs, side by side in one. */
  readonly prepared: PreparedGraph;
  /** Nodes that have a pair. */
  readonly nodes: Int32Array;
  /** Vector of the text about each of these nodes [nodes, d]. */
  readonly about: Tensor;
}

/** Hyperparameters of `trainH4G`. */
export interface AlignmentOptions extends TrainingHooks {
  /** Epochs. Default: 100. */
  readonly epochs?: number;
  /** Pairs of a batch, each of which is told from all others. Default: 512. */
  readonly batch?: number;
  /** Adam's learning rate. Default: 5e-3. */
  readonly learningRate?: number;
  /** λ_r, which draws points to the origin. Default: 0. */
  readonly radiusPenalty?: number;
  /** λ_I, which holds blocks near the identity. Default: 0.1. */
  readonly identityPenalty?: number;
  /** Score by which the epoch is chosen, larger is better. Default: the last epoch. */
  readonly validate?: ((network: H4G) => number) | undefined;
  /** Epochs without a better score after which training stops. Default: none. */
  readonly patience?: number;
}

/** The loss of a batch of pairs, by their places in the task. */
export function alignmentLoss(
  network: H4G,
  { prepared, nodes, about }: AlignmentTask,
  batch: Int32Array,
  mode: Mode,
  { radiusPenalty = 0, identityPenalty = 0.1 }: AlignmentOptions = {},
): Tensor {
  const rows = batch.map((at) => nodes[at] as number);
  const { nodes: points, texts } = network.points(prepared, rows, gatherKnownRows(about, tensor(batch)), mode);
  const logits = network.similarities(points, texts);
  const partners = arange(batch.length, 'i32');
  let loss = multiply(add(crossEntropy(logits, partners), crossEntropy(transpose(logits), partners)), 0.5);
  if (radiusPenalty > 0 && network.isHyperbolic)
    loss = add(loss, multiply(mean(network.ball.radius(concatenate([points, texts], 0))), radiusPenalty));
  if (identityPenalty > 0)
    for (const scaling of [network.scaling, network.textScaling])
      if (scaling) loss = add(loss, multiply(scaling.offIdentity(), identityPenalty));
  return loss;
}

/** Trains a network in place. @throws Error when there are fewer than two pairs */
export function trainH4G(
  network: H4G,
  task: AlignmentTask,
  random: Random,
  options: AlignmentOptions = {},
): Promise<FitResult> {
  const { epochs = 100, batch = 512, learningRate = 5e-3, validate, patience } = options;
  const count = task.nodes.length;
  if (count < 2)
    throw new Error(`trainH4G: ${count} nodes have a text and another one about them; at least two are needed`);
  // Pairs of the last, short batch would have fewer others to be told from; it joins the order of
  // the next epoch instead.
  const size = Math.min(batch, count);
  return fit({
    model: network,
    loss: (live: H4G, rows: Int32Array, mode) => alignmentLoss(live, task, rows, mode, options),
    batches: (stream) => minibatches(count, size, stream, { dropLast: true }),
    optimizer: new Clipped(new Adam({ learningRate }), 1),
    epochs,
    random,
    ...(validate && { validate, ...(patience !== undefined && { patience }) }),
    checkpointEvery: 10,
    signal: options.signal,
    checkpoint: options.checkpoint,
    onEpoch: options.onEpoch,
  });
}
