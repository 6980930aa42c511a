// The trainable `Decoder` of a runtime configuration: training and inference share one description.

import { Decoder, decoderDefaults } from '../models/index.js';
import { ExpertBank, groupCount, LowRankBank, MergedMixture, MixtureOfExperts } from '../nn/index.js';
import type { Random } from '../tensor/index.js';
import { BlockFFN } from './blockffn/layer.js';
import { MoEPlusPlus } from './moepp.js';
import { gateModeOf, type LanguageModelConfig, requireConfig } from './runtime/config.js';

/** A configuration with its required fields; the others have defaults. */
export type DecoderConfig = Pick<LanguageModelConfig, 'vocabulary' | 'features' | 'layers' | 'heads' | 'context'> &
  Partial<LanguageModelConfig>;

/**
 * Fills in defaults: as many key heads as query heads, hidden dimension 8/3 of the embedding
 * dimension, no sliding window.
 */
export function decoderConfig(given: DecoderConfig): LanguageModelConfig {
  return { architecture: 'llama', interleaved: false, ...decoderDefaults(given), ...given };
}

/**
 * A randomly initialised decoder. Qwen2 has biases of queries, keys and values, Qwen3 norms of
 * queries and keys. `namedWeights` reads its state.
 */
export function decoderOf(config: LanguageModelConfig, random: Random): Decoder {
  if (config.experts?.early) requireConfig(config);
  const { experts, blocks, features, hidden, activation, nopeLayers, fullLayers, architecture, ...sizes } = config;
  requireTrainable(config);
  const mixture = (at: number, layer: Random) => {
    if (experts?.zeroComputation) return new MoEPlusPlus(features, experts.zeroComputation, layer);
    const { count = 1, k = 1, groups: all, rank, early } = experts ?? {};
    const gates = gateModeOf(experts ?? { normalised: true });
    const groups = all?.[at];
    if (groups) {
      const left = groupCount(groups);
      const bank =
        rank === undefined
          ? new ExpertBank(left, features, hidden, layer, { activation })
          : new LowRankBank(left, features, hidden, { rank, activation });
      return new MergedMixture(features, bank, { groups, k, gates }, layer);
    }
    return new MixtureOfExperts(
      features,
      { experts: count, k, hidden, gates, early, ...(activation && { activation }) },
      layer,
    );
  };
  return new Decoder(
    {
      ...{ ...sizes, features, hidden },
      ...{ qkvBias: architecture === 'qwen2', qkNorm: architecture.startsWith('qwen3') },
      ...(activation && { activation }),
      ...(nopeLayers && { rotary: (layer: number) => !nopeLayers.includes(layer) }),
      ...(fullLayers && { full: (layer: number) => fullLayers.includes(layer) }),
      ...(experts && { feedForward: mixture }),
      ...(blocks && {
        feedForward: (_: number, layer: Random) =>
          new BlockFFN(features, { count: blocks.count, width: hidden }, layer, { epsilon: blocks.epsilon }),
      }),
    },
    random,
  );
}

/** @throws Error for parts that only the runtime has. */
function requireTrainable({ latent, scales }: LanguageModelConfig): void {
  if (latent || scales)
    throw new Error('multi-head latent attention and μP scales run, but a decoder with them is not trained here');
}
