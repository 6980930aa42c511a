// Warm start of MoE++: a trained mixture of experts gets zero-computation experts beside its own.

import type { Decoder } from '../models/index.js';
import { loadState, stateOf, type Weights } from '../nn/index.js';
import { multiply, type Random, type Tensor } from '../tensor/index.js';
import { decoderOf } from './decoder.js';
import type { MoEPlusPlusOptions } from './moepp.js';
import type { LanguageModelConfig } from './runtime/config.js';

/** What `addZeroComputation` adds: numbers of experts, and options of MoE++. */
export interface ZeroComputation
  extends Omit<MoEPlusPlusOptions, 'experts' | 'k' | 'hidden' | 'activation' | 'zeroGate'>,
    Pick<MoEPlusPlusOptions['experts'], 'copy' | 'zero'> {
  /** Constant experts per layer. Default: 2. */
  readonly constants?: number;
}

/** Standard deviation of the new rows of the routers. */
const ROUTER = 0.01;

/**
 * A copy of a decoder of mixtures, with zero-computation experts in every layer: new rows of the
 * routers from N(0, 0.01²), gating residuals 0, constants v = 0. Where a token chooses none of the
 * new experts, a layer gives what it gave. Train it on from there.
 *
 * @param config configuration of `model`
 * @returns the new decoder and its configuration
 * @throws Error when the decoder has no mixtures, or has zero-computation experts already.
 */
export function addZeroComputation(
  model: Decoder,
  config: LanguageModelConfig,
  random: Random,
  { constants = 2, copy = 1, zero = 1, ...options }: ZeroComputation = {},
): { readonly model: Decoder; readonly config: LanguageModelConfig } {
  const { experts, hidden, activation = 'swiglu' } = config;
  if (!experts) throw new Error('addZeroComputation: the decoder has no mixtures of experts; its layers are dense');
  if (experts.zeroComputation) throw new Error('addZeroComputation: the decoder has zero-computation experts already');
  const zeroComputation: MoEPlusPlusOptions = {
    ...options,
    ...{ experts: { feedForward: experts.count, constant: constants, copy, zero }, k: experts.k, hidden, activation },
    // A layer whose gates are not renormalised keeps them so.
    zeroGate: experts.normalised ? 'renormalise' : 'softmax',
  };
  const grown = { ...config, experts: { ...experts, zeroComputation } };
  const result = decoderOf(grown, random.split('model'));
  const old = stateOf(model);
  const rows = random.split('router');
  const started = Object.entries(stateOf(result)).map(([name, values], i): [string, Tensor] => {
    const own = old[name];
    if (own && name.endsWith('.router.weight')) return [name, withRows(own, values, rows.split(i))];
    if (name.endsWith('.constants')) return [name, multiply(values, 0)];
    return [name, own ?? values];
  });
  loadState(result, Object.fromEntries(started) as Weights);
  return { model: result, config: grown };
}

/** The old rows of a router, then new ones, in the shape of `target`. */
function withRows(old: Tensor, target: Tensor, random: Random): Tensor {
  const rows = random.normal(target.shape, 0, ROUTER);
  rows.view<Float32Array>().set(old.view<Float32Array>());
  return rows;
}
