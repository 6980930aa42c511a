// The best of N random sub-networks, judged before any training (Farahani 2024): it starts at a
// lower loss than others of its sparsity, and is trained from there with its parent's values.

import { type Layer, replaceWeights, stateOf } from '../../nn/index.js';
import { type Random, scope, type Tensor } from '../../tensor/index.js';
import { randomSearch, type Trial } from '../search/random-search.js';
import { type Examples, someExamples } from './examples.js';
import { type FitnessOptions, InitialFitness } from './fitness.js';
import { type KeptNodes, type NodeSampling, NodeSpace, weightSparsity } from './nodes.js';

/** Options of `searchSubNetwork`. */
export interface SubNetworkSearchOptions extends NodeSampling, FitnessOptions {
  /** N: number of sub-networks drawn. 1 takes a random one, without judging it. Default: 1000. */
  readonly candidates?: number;
  /** Examples of the search set S, drawn from those given. Default: 2000. */
  readonly searchSet?: number;
  /** Fitness of the first candidates, where an earlier run has computed it. Default: none. */
  readonly known?: ArrayLike<number>;
  /** Aborts between two candidates. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each candidate. */
  readonly onTrial?: (trial: Trial) => void;
}

/** What `searchSubNetwork` found. */
export interface FoundSubNetwork {
  /** The node space that it was found in. */
  readonly nodes: NodeSpace;
  /** Nodes that are on in the best candidate. */
  readonly kept: KeptNodes;
  /** Every candidate with its fitness, in order; one random candidate has NaN. */
  readonly trials: readonly Trial[];
  /** The best of them. */
  readonly best: Trial;
  /** Share of the parent's weights that it lacks. */
  readonly weightSparsity: number;
  /** Layer whose outputs were computed once for all; undefined where none could be. */
  readonly sharedLayer: string | undefined;
  /** `aborted` where the signal came first; the model then is the parent. */
  readonly stopped: 'completed' | 'aborted';
}

/** The search set of a data set: a random part that depends on the stream and its size alone. */
export function searchSetOf(examples: Examples, random: Random, size = 2000): Examples {
  const chosen = random.split('search set').sample(examples.count, Math.min(size, examples.count));
  return someExamples(examples, chosen);
}

/** An input of one example. */
export const exampleInput = (examples: Examples): Tensor => examples.inputs(Int32Array.of(0));

/**
 * Draws sub-networks of an untrained network, keeps the best by its initial loss, and cuts it out:
 * the model then is that smaller network, with the parent's values (biases of nodes that are off
 * gone with them).
 *
 * @param model the parent, changed in place
 * @param examples training examples, from which the search set is drawn
 * @param random source of the search set and of the candidates
 * @throws Error when the model has no hidden nodes, or no candidate has a fitness
 * @example
 * const model = new MLP([784, 512, 512, 10], random.split('parent'));
 * await searchSubNetwork(model, examples, random, { sparsity: 0.9 });
 * await trainOnExamples(model, examples, random.split('fit'));
 */
export async function searchSubNetwork(
  model: Layer,
  examples: Examples,
  random: Random,
  options: SubNetworkSearchOptions,
): Promise<FoundSubNetwork> {
  const { candidates = 1000, searchSet, signal, onTrial, known } = options;
  const nodes = scope(() => new NodeSpace(model, exampleInput(examples)));
  nodes.widths(options.sparsity);
  const draw = {
    space: nodes.space,
    sample: (stream: Random) => nodes.sample(stream, options),
    seed: random.split('candidates'),
    budget: candidates,
    ...{ signal, ...(known && { known }), ...(onTrial && { onTrial }) },
  };
  const one = candidates === 1 && !known;
  const judge = one
    ? undefined
    : new InitialFitness(model, nodes, searchSetOf(examples, random, searchSet), random, options);
  const sharedLayer = judge?.sharedLayer;
  const { trials, best, stopped } = await randomSearch({
    ...draw,
    fitness: (kept) => judge?.of(kept) ?? Number.NaN,
  }).finally(() => judge?.release());
  const chosen = best ?? (one && trials[0]);
  if (!chosen) {
    if (stopped === 'completed')
      throw new Error(`random search: none of ${candidates} sub-networks has a loss; look for NaN in the data`);
    throw new DOMException('the search was stopped', 'AbortError');
  }
  const kept = nodes.space.decode(chosen.genome);
  const parent = stateOf(model);
  const part = scope(() => {
    const cut = nodes.cut(parent, kept, options);
    const share = weightSparsity(parent, { ...parent, ...cut });
    if (stopped === 'completed') replaceWeights(model, cut);
    return share;
  });
  return { nodes, kept, trials, best: chosen, weightSparsity: part, sharedLayer, stopped };
}
