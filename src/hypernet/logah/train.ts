// Training of a graph hypernetwork on a family of networks:
//
//   loss = (1/m)·Σ_a [L(F_a(x; H(a))) + λ·Σ_p ‖p‖_F]
//
// over m architectures a drawn in each step, the gradient flowing through every network F_a into
// the hypernetwork H. Nothing of the networks themselves is trained.

import {
  AdamW,
  Averaged,
  Clipped,
  type FitResult,
  fit,
  type Mode,
  type TrainingHooks,
  type Weights,
  warmUpCosine,
  withWeights,
} from '../../nn/index.js';
import { add, divide, multiply, type Random, sqrt, square, sum, type Tensor } from '../../tensor/index.js';
import type { EncodedGraph } from './encoded-graph.js';
import { type Architecture, type FamilyModule, graphOf, makeNetwork } from './families.js';
import type { LoGAH } from './hypernet.js';

/** A network of the family that is trained on, with its graph as the encoder reads it. */
export interface FamilyMember<Module extends object = FamilyModule> {
  /** The network; its own weights serve only what is not predicted. */
  readonly module: Module;
  /** Its graph. */
  readonly graph: EncodedGraph;
}

/** Networks with their graphs, to train on. */
export function familyMembers(ghn: LoGAH, architectures: readonly Architecture[], random: Random): FamilyMember[] {
  return architectures.map((architecture, at) => ({
    module: makeNetwork(architecture, random.split(at)),
    graph: ghn.encode(graphOf(architecture)),
  }));
}

/** Options of `trainHypernet`. */
export interface HypernetTrainingOptions<Module extends object, Batch> extends TrainingHooks {
  /** Networks to train on. */
  readonly members: readonly FamilyMember<Module>[];
  /** Draws the data of a step. */
  readonly draw: (random: Random) => Batch;
  /** Loss of a network with predicted weights on a batch. */
  readonly loss: (live: Module, batch: Batch, mode: Mode) => Tensor;
  /** Steps. Default: 1500. */
  readonly steps?: number;
  /** m: architectures of a step. Default: 2. */
  readonly metaBatch?: number;
  /** Largest learning rate of AdamW. Default: 3e-4. */
  readonly learningRate?: number;
  /** Decoupled weight decay. Default: 0.01. */
  readonly weightDecay?: number;
  /** λ: weight of the norms of predicted parameters. Default: 3e-5. */
  readonly penalty?: number;
  /** Largest norm of the gradient. Default: 5. */
  readonly clip?: number;
  /** Decay of averaged weights, which then are the result; 0 for none. Default: 0. */
  readonly average?: number;
  /** Steps of an epoch, after which progress is told and `validate` is asked. Default: 100. */
  readonly reportEvery?: number;
  /** What chooses the epoch that is kept, smaller being better. Default: the last is kept. */
  readonly validate?: (ghn: LoGAH) => number;
}

interface Step<Module extends object, Batch> {
  readonly members: readonly FamilyMember<Module>[];
  readonly batch: Batch;
}

/**
 * Trains a hypernetwork in place: AdamW with warm-up and a cosine, clipped gradients; steps whose
 * loss is not finite are left out.
 *
 * @throws RangeError for a family without networks, or a meta-batch below 1
 */
export async function trainHypernet<Module extends object, Batch>(
  ghn: LoGAH,
  random: Random,
  options: HypernetTrainingOptions<Module, Batch>,
): Promise<FitResult> {
  const { members, draw, steps = 1500, metaBatch = 2, learningRate = 3e-4, weightDecay = 0.01 } = options;
  const { clip = 5, average = 0, validate, signal, checkpoint, onEpoch } = options;
  if (members.length === 0) throw new RangeError('trainHypernet: the family has no networks');
  if (!(Number.isInteger(metaBatch) && metaBatch >= 1))
    throw new RangeError(`trainHypernet: metaBatch must be at least 1, got ${metaBatch}`);
  const every = Math.min(steps, options.reportEvery ?? 100);
  const clipped = new Clipped(new AdamW({ learningRate, weightDecay }), clip);
  const averaged = average > 0 ? new Averaged(clipped, average) : undefined;
  const result = await fit<LoGAH, Step<Module, Batch>>({
    model: ghn,
    epochs: Math.ceil(steps / every),
    random,
    optimizer: averaged ?? clipped,
    schedule: warmUpCosine(steps),
    nonFinite: 'skip',
    *batches(order) {
      for (let i = 0; i < every; i++) {
        const own = order.split(i);
        const chosen = own.split('members').permutation(members.length).slice(0, metaBatch);
        yield { members: Array.from(chosen, (at) => members[at] as FamilyMember<Module>), batch: draw(own) };
      }
    },
    loss: (live, step, mode) => hypernetLoss(live, step, mode, options),
    ...(validate && { validate, better: 'smaller' as const }),
    signal,
    checkpoint,
    onEpoch,
  });
  if (averaged && result.stopped !== 'aborted') averaged.loadInto(ghn);
  return result;
}

/** Mean loss of the networks of a step, and the norms of their weights. */
export function hypernetLoss<Module extends object, Batch>(
  ghn: LoGAH,
  { members, batch }: Step<Module, Batch>,
  mode: Mode,
  { loss, penalty = 3e-5 }: Pick<HypernetTrainingOptions<Module, Batch>, 'loss' | 'penalty'>,
): Tensor {
  const predicted = ghn.predict(members.map(({ graph }) => graph));
  const losses = members.map(({ module }, at) => {
    const weights = predicted[at] as Weights;
    const own = withWeights(module, weights, (live) => loss(live, batch, mode));
    return penalty > 0 ? add(own, multiply(frobeniusNorms(weights), penalty)) : own;
  });
  return divide(
    losses.reduce((total, one) => add(total, one)),
    losses.length,
  );
}

/** Keeps the gradient of a norm finite at 0. */
const NORM_FLOOR = 1e-12;

/** Σ_p ‖p‖_F. */
function frobeniusNorms(weights: Weights): Tensor {
  return Object.values(weights)
    .map((weight) => sqrt(add(sum(square(weight)), NORM_FLOOR)))
    .reduce((total, norm) => add(total, norm));
}
