// The trainable decoder of a runtime's configuration: what trains here runs there, by one description.

import { Decoder, decoderDefaults } from '../models/index.js';
import { MixtureOfExperts } from '../nn/index.js';
import type { Random } from '../tensor/index.js';
import { MoEPlusPlus } from './moepp.js';
import type { LanguageModelConfig } from './runtime/config.js';

/** What a configuration needs; the rest has defaults. */
export type DecoderConfig = Pick<LanguageModelConfig, 'vocabulary' | 'features' | 'layers' | 'heads' | 'context'> &
  Partial<LanguageModelConfig>;

/** With the defaults filled in: as many key heads as heads, gated layers 8/3 as wide, all positions seen. */
export function decoderConfig(given: DecoderConfig): LanguageModelConfig {
  return { architecture: 'llama', interleaved: false, ...decoderDefaults(given), ...given };
}

/** A decoder with random weights; as Qwen2 it has biases of queries, keys and values, as Qwen3 norms of queries and keys. Its state is what `namedWeights` reads. */
export function decoderOf(config: LanguageModelConfig, random: Random): Decoder {
  const { experts, features, hidden, activation, unturned, architecture, ...sizes } = config;
  const mixture = (layer: Random) => {
    if (experts?.zeroComputation) return new MoEPlusPlus(features, experts.zeroComputation, layer);
    const { count = 1, k = 1, normalised = true } = experts ?? {};
    const gates = normalised ? 'renormalised' : 'softmax';
    return new MixtureOfExperts(
      features,
      { experts: count, k, hidden, gates, ...(activation && { activation }) },
      layer,
    );
  };
  return new Decoder(
    {
      ...{ ...sizes, features, hidden },
      ...{ qkvBias: architecture === 'qwen2', qkNorm: architecture.startsWith('qwen3') },
      ...(activation && { activation }),
      ...(unturned && { rotary: (layer: number) => !unturned.includes(layer) }),
      ...(experts && { feedForward: (_: number, layer: Random) => mixture(layer) }),
    },
    random,
  );
}
