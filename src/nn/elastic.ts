// Elastic networks: one set of weights that contains those of many smaller networks. A layer of
// fewer channels has the first ones, a smaller kernel the centre of the larger one, and a shallower
// stage its first blocks (Cai et al., "Once-for-All", ICLR 2020).

import { add, type Random, slice, stopGradient, type Tensor } from '../tensor/index.js';
import type { Configuration, GeneGroup, Genes } from './genes.js';
import type { Layer } from './layer.js';
import { crossEntropy, distillation } from './losses.js';
import { disposeWeights, type Mode, parameters, randomOf, stateOf, type Weights, withWeights } from './module.js';

/** A network with smaller ones in it. */
export interface Elastic extends Layer {
  /** What of it is elastic. */
  readonly genes: Genes;
  /** Groups in the order in which progressive training sets them free. */
  readonly phases: readonly string[];
  /**
   * How it is trained. `sandwich`: in each step the largest, the smallest and two random networks
   * (Yu et al., "BigNAS", ECCV 2020). `progressive`: the largest alone, then with two random ones
   * whose groups are set free in phases.
   */
  readonly training: 'sandwich' | 'progressive';
  /** Share of the training that is done, which progressive training follows. */
  progress: number;
  /**
   * A network of the sizes of a sub-network, with the same names of weights and weights of its own.
   */
  subNetwork(configuration: Configuration): Layer;
}

/** Whether a layer has smaller networks in it. */
export function isElastic(layer: Layer): layer is Elastic {
  return 'subNetwork' in layer && typeof layer.subNetwork === 'function';
}

/** The configuration whose genes all have the value that `choose` takes of theirs. */
export function configurationWith(genes: Genes, choose: (group: GeneGroup, name: string) => number): Configuration {
  return Object.fromEntries(
    Object.entries(genes).map(([name, group]) => [
      name,
      Array.from({ length: group.count }, () => choose(group, name)),
    ]),
  );
}

const first = ({ values }: GeneGroup) => values[0] as number;
const last = ({ values }: GeneGroup) => values[values.length - 1] as number;

/**
 * The part of a weight that a smaller one is: the first elements of the first two axes, the centre
 * of the others.
 *
 * @throws RangeError where the smaller one is not smaller
 */
function part(weight: Tensor, shape: readonly number[], name: string): Tensor {
  if (weight.rank !== shape.length || shape.some((size, axis) => size > (weight.shape[axis] as number)))
    throw new RangeError(
      `elastic: "${name}" is [${weight.shape.join(', ')}], which has no [${shape.join(', ')}] in it`,
    );
  if (shape.every((size, axis) => size === weight.shape[axis])) return weight;
  const ranges = shape.map((size, axis): readonly [number, number] => {
    const from = axis < 2 ? 0 : ((weight.shape[axis] as number) - size) >> 1;
    return [from, from + size];
  });
  return slice(weight, ...ranges);
}

/**
 * The parameters of a sub-network as parts of those of the elastic one; gradients flow to these.
 *
 * @throws Error naming a parameter that the elastic network lacks, or that does not lie in its own
 */
export function sharedWeights(network: Elastic, sub: Layer): Weights {
  return partsOf(parameters(network), parameters(sub));
}

function partsOf(shared: Weights, own: Weights): Weights {
  return Object.fromEntries(
    Object.entries(own).map(([name, { shape }]) => {
      const weight = shared[name];
      if (!weight) throw new Error(`elastic: the network has no weight "${name}"`);
      return [name, part(weight, shape, name)];
    }),
  );
}

/**
 * A sub-network by itself, with copies of its weights and of the parts of the running statistics,
 * which are to be estimated anew: see `estimateStatistics`. The elastic network stays as it is.
 */
export function extractSubNetwork(network: Elastic, configuration: Configuration): Layer {
  const sub = network.subNetwork(configuration);
  const own = stateOf(sub);
  for (const [name, weight] of Object.entries(partsOf(stateOf(network), own))) {
    own[name]?.assign(weight);
    if (weight !== stateOf(network)[name]) weight.dispose();
  }
  return sub;
}

/** Groups that a training has set free so far. */
function freeGroups({ training, phases, progress }: Elastic): ReadonlySet<string> {
  if (training === 'sandwich') return new Set(phases);
  return new Set(phases.slice(0, Math.floor(progress * (phases.length + 1))));
}

/** Networks beside the largest and, in the sandwich, the smallest one of a step. */
const DRAWN = 2;

/** The sub-networks that a step trains beside the largest. */
function drawn(network: Elastic, random: Random): Configuration[] {
  const { genes, training } = network;
  const free = freeGroups(network);
  if (free.size === 0) return [];
  const draws = Array.from({ length: DRAWN }, () =>
    configurationWith(genes, (group, name) =>
      free.has(name) ? (group.values[random.integer(group.values.length)] as number) : last(group),
    ),
  );
  return training === 'sandwich' ? [configurationWith(genes, first), ...draws] : draws;
}

/**
 * The loss of a step: cross-entropy of the largest network, and for each smaller one the
 * cross-entropy with the largest one's probabilities, of which there is no gradient.
 *
 * @param logits of a network, [n, classes]
 * @param labels i32 [n]
 */
export function elasticLoss(network: Elastic, logits: (layer: Layer) => Tensor, labels: Tensor, mode: Mode): Tensor {
  const full = logits(network);
  const teacher = stopGradient(full);
  return drawn(network, randomOf(mode, 'elasticLoss')).reduce(
    (loss, configuration) => {
      const sub = network.subNetwork(configuration);
      try {
        const reached = withWeights(sub, sharedWeights(network, sub), logits);
        return add(loss, distillation(reached, teacher, labels, { weight: 1, temperature: 1 }));
      } finally {
        disposeWeights(stateOf(sub));
      }
    },
    crossEntropy(full, labels),
  );
}
