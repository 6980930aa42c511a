// SparseByteNN (Xu, Liu, Xu, Wang, Li, Yan, Li, Fu, Pan, Chen, "SparseByteNN: A Novel Mobile
// Inference Acceleration Framework Based on Fine-Grained Group Sparsity", arXiv 2310.19509).
//
// n neighbouring output channels share one pattern of zeros, so that a vector kernel skips work
// already where a third of the weights is gone: each vector of pixels that it loads serves n rows.
// Which channels are neighbours is free: before pruning, channels change places over the whole
// network, which computes the same, so that channels that need the same inputs share a group. The
// paper's text and code are not published; what stands here is ours, from the abstract and from
// "1×N Pattern for Pruning Convolutional Neural Networks" (Lin et al., TPAMI 2022).

import { type Layer, stateOf, type Weights } from '../nn/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { type Distribution, erkSparsities } from './densities.js';
import { chosenWeights, type LayerChoice, matches } from './layers.js';
import { type Pattern, patternHeights } from './masks.js';
import { pruneOnce } from './pruning.js';
import { type Rearrangement, rearrange } from './rearrange.js';

/** Patterns by name of layers with `*`, of which the first that fits counts, or one for all. */
export type PatternChoice = Pattern | Readonly<Record<string, Pattern>>;

/** Options of `pruneGroups`. */
export interface GroupPruningOptions {
  /** s: share of zeros in the pruned layers, in [0, 1). Default: 0.3. */
  readonly sparsity?: number;
  /** Default: `block4`. */
  readonly pattern?: PatternChoice;
  /** Layers to prune. Default: `convolutions`. */
  readonly layers?: LayerChoice;
  /** Whether channels are rearranged first. Default: true. */
  readonly rearrange?: boolean;
  /** How the sparsity is distributed over layers. Default: `uniform`. */
  readonly distribution?: Distribution;
}

/** The layers that are pruned. */
export interface GroupLayers {
  /** Their weights by name. */
  readonly weights: Weights;
  /** The pattern of each weight. */
  readonly patternOf: (name: string) => Pattern;
  /** Layers that were chosen but stay dense, and why. */
  readonly dense: ReadonlyMap<string, string>;
}

/** Inputs, and groups of output channels, below which blocks do not pay. */
const [LEAST_INPUTS, LEAST_GROUPS] = [16, 4];

/**
 * The layers that a choice prunes in groups. Layers of fewer than 16 inputs or fewer than 4 groups
 * of output channels stay dense, unless they are named.
 *
 * @throws Error when no layer is chosen, when all are too small, or when a layer has no pattern
 */
export function groupLayers(
  model: Layer,
  { layers = 'convolutions', pattern = 'block4' }: Pick<GroupPruningOptions, 'layers' | 'pattern'> = {},
): GroupLayers {
  const chosen = chosenWeights(model, layers);
  const patternOf = patternsOf(pattern);
  const dense = new Map<string, string>();
  for (const [name, weight] of Object.entries(chosen)) {
    const reason = typeof layers === 'string' ? tooSmall(weight, patternOf(name)) : undefined;
    if (reason) dense.set(name, reason);
  }
  const weights = Object.fromEntries(Object.entries(chosen).filter(([name]) => !dense.has(name)));
  if (Object.keys(weights).length === 0)
    throw new Error(`all chosen layers are too small for blocks: ${[...dense].map((own) => own.join(' ')).join('; ')}`);
  return { weights, patternOf, dense };
}

/**
 * The layers of a prune step of a recipe: those of `groupLayers` where it rearranges, else all that
 * it chooses.
 *
 * @throws Error when no layer is chosen or one has no pattern
 */
export function prunedLayers(
  model: Layer,
  {
    layers,
    pattern = 'unstructured',
    rearrange: moving,
  }: Pick<GroupPruningOptions, 'layers' | 'pattern' | 'rearrange'>,
): GroupLayers {
  if (moving) return groupLayers(model, { ...(layers && { layers }), pattern });
  const weights = chosenWeights(model, layers);
  const patternOf = patternsOf(pattern);
  for (const name of Object.keys(weights)) patternOf(name);
  return { weights, patternOf, dense: new Map() };
}

/**
 * The pattern of each weight.
 *
 * @throws Error naming a layer for which there is none
 */
export function patternsOf(choice: PatternChoice): (name: string) => Pattern {
  if (typeof choice === 'string') return () => choice;
  return (name) => {
    const found = Object.entries(choice).find(([names]) => matches(name, names));
    if (found) return found[1];
    throw new Error(`no pattern is given for "${name}"; add "*" for all other layers`);
  };
}

function tooSmall({ shape }: Tensor, pattern: Pattern): string | undefined {
  const [outputs, inputs = 1] = shape as [number, number];
  const depthwise = shape.length === 4 && inputs === 1;
  const height = pattern === '2:4' ? 1 : patternHeights[pattern];
  if (inputs < LEAST_INPUTS && !depthwise) return `has ${inputs} inputs`;
  if (outputs < LEAST_GROUPS * height) return `has ${outputs} outputs for groups of ${height}`;
  return undefined;
}

/**
 * Rearranges the channels of the whole network for the layers that will be pruned.
 *
 * @param example an input of the model; only its shape matters
 */
export function rearrangeFor(
  model: Layer,
  example: Tensor,
  { weights, patternOf }: Pick<GroupLayers, 'weights' | 'patternOf'>,
  { sparsity = 0.3, distribution = 'uniform' }: Pick<GroupPruningOptions, 'sparsity' | 'distribution'>,
  random: Random,
): Rearrangement {
  const entries = Object.entries(weights);
  // Under a global threshold the shares of layers follow from their final scores: taken as uniform.
  const shares =
    distribution === 'erk'
      ? erkSparsities(
          entries.map(([name, { shape }]) => ({ name, shape })),
          sparsity,
        )
      : undefined;
  const pruned = entries.map(([name]) => [name, { pattern: patternOf(name), sparsity: shares?.get(name) ?? sparsity }]);
  return rearrange(model, example, Object.fromEntries(pruned), random);
}

/** Result of `pruneGroups`. */
export interface GroupPruning {
  /** 1 keeps a weight, 0 holds it at zero: for `Frozen`. */
  readonly masks: Weights;
  /** What was rearranged. */
  readonly rearrangement?: Rearrangement;
  /** Layers that were chosen but stay dense, and why. */
  readonly dense: ReadonlyMap<string, string>;
}

/**
 * Prunes a trained network in groups of output channels, in place and at once: rearranges its
 * channels, then zeroes the ⌊s·G⌋ units of least magnitude in each layer. Fine-tuning with `Frozen`
 * keeps the zeros.
 *
 * @param example an input of the model; only its shape matters
 * @example
 * const { masks } = pruneGroups(model, zeros([1, 3, 224, 224]), new Random(0), { sparsity: 0.3 });
 * const wrapOptimizer = (inner) => new Frozen(inner, masks);
 * await trainOnImages(model, data, random, { epochs: 5, wrapOptimizer });
 *
 * @throws RangeError when the sparsity is not in [0, 1); Error when no layer is chosen or channels
 * cannot change places
 */
export function pruneGroups(
  model: Layer,
  example: Tensor,
  random: Random,
  options: GroupPruningOptions = {},
): GroupPruning {
  const { sparsity = 0.3, distribution = 'uniform', rearrange: moving = true } = options;
  const layers = groupLayers(model, options);
  const rearrangement = moving ? rearrangeFor(model, example, layers, { sparsity, distribution }, random) : undefined;
  const masks = pruneOnce(layers.weights, { sparsity, distribution, pattern: layers.patternOf });
  return { masks, dense: layers.dense, ...(rearrangement && { rearrangement }) };
}

/** Shares of zeros. */
export interface ZeroShares {
  /** Share of zeros in the layers that have any. */
  readonly sparseLayers: number;
  /** Share of zeros among all parameters of the network. */
  readonly network: number;
}

/** Shares of zeros in the sparse layers, and in the whole network. */
export function zeroShares(model: Layer): ZeroShares {
  let [zeros, sparse, all] = [0, 0, 0];
  for (const [name, weight] of Object.entries(stateOf(model))) {
    if (/running|numBatches/.test(name)) continue;
    const own = weight.view().reduce((count, value) => count + Number(value === 0), 0);
    all += weight.size;
    if (!name.endsWith('weight') || weight.rank < 2 || own === 0) continue;
    zeros += own;
    sparse += weight.size;
  }
  return { sparseLayers: sparse === 0 ? 0 : zeros / sparse, network: all === 0 ? 0 : zeros / all };
}
