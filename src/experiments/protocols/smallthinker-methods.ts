// SmallThinker's layers and what they are compared with: a router after attention, SiLU in the
// experts, dense networks, and windows between layers of full attention.

import { bytesInMemory, SafetensorsReader } from '../../data/index.js';
import {
  decoderConfig,
  everyLayer,
  KeyValueCache,
  LanguageModel,
  type LanguageModelConfig,
  safetensorsWeights,
  smallThinkerParameters,
  WeightStore,
} from '../../lm/index.js';
import { scope } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { decoderFile, decoderMethod, type TokenizedText, type TrainedDecoder, textOptions } from './text.js';

export const smallThinkerOptions = {
  ...textOptions,
  batch: count(8, 'windows per step'),
  features: count(64, 'width of the model', { smoke: 32, minimum: 16 }),
  hidden: count(64, 'width of an expert', { smoke: 32, minimum: 8 }),
  layers: count(4, 'layers', { smoke: 2 }),
  experts: count(8, 'experts of a layer', { smoke: 4, minimum: 2 }),
  window: count(16, 'tokens that layers with a window see', { smoke: 4, minimum: 2 }),
  studies: choice(['all', 'none'], 'reads behind attention, balance by groups, recall, and the sparse head'),
};

export type SmallThinkerValues = OptionValues<typeof smallThinkerOptions>;

/** Experts that a token uses. */
export const TOP = 2;

export const OWN = 'SmallThinker';
export const LATE = 'router after attention';
export const SWIGLU = 'SwiGLU mixture';
export const DENSE_ACTIVE = 'dense ReGLU, equal active';
export const DENSE_TOTAL = 'dense ReGLU, equal total';
export const HYBRID = 'SmallThinker, windows';

export const methodTitles = [OWN, LATE, SWIGLU, DENSE_ACTIVE, DENSE_TOTAL, HYBRID];

/** The configuration of each method. */
export function configsOf(
  vocabulary: number,
  { features, hidden, layers, experts: count, window, length }: Omit<SmallThinkerValues, 'studies'>,
): Readonly<Record<string, LanguageModelConfig>> {
  const sizes = { vocabulary, features, layers, heads: 4, keyHeads: 2, context: 32 * length };
  const experts = { count, k: TOP, normalised: true };
  const full = everyLayer(layers, 4);
  const own = decoderConfig({ ...sizes, hidden, activation: 'reglu', experts: { ...experts, early: true } });
  // A router has as many parameters as a third of a neuron for each expert.
  const dense = (wide: number) =>
    decoderConfig({ ...sizes, hidden: wide * hidden + Math.round(count / 3), activation: 'reglu' });
  return {
    [OWN]: own,
    [LATE]: { ...own, experts },
    [SWIGLU]: decoderConfig({ ...sizes, hidden, experts }),
    [DENSE_ACTIVE]: dense(TOP),
    [DENSE_TOTAL]: dense(count),
    [HYBRID]: { ...own, window, fullLayers: full, nopeLayers: full },
  };
}

/** All methods, which start alike and read the same windows. */
export function smallThinkerMethods(data: TokenizedText, values: SmallThinkerValues) {
  const configs = configsOf(data.tokenizer.size, values);
  return methodTitles.map((title) => decoderMethod(title, configs[title] as LanguageModelConfig, data, values));
}

/** Test tokens that the runtime makes one by one to count open gates. */
const COUNTED = 192;

/** A trained decoder in the runtime, from its own file. */
export function inRuntime(trained: TrainedDecoder, data: TokenizedText): LanguageModel {
  const file = new SafetensorsReader(bytesInMemory(decoderFile(trained, data), 'model'));
  return new LanguageModel(trained.config, safetensorsWeights([file], new WeightStore()));
}

/**
 * Parameters that a token uses, allocated bytes of all keys and values, multiply-adds of the
 * feed-forward layers for one token, and of mixtures with ReLU the share of neurons whose gate is
 * closed, in the layer with the fewest.
 */
export function sparsityScores(trained: TrainedDecoder, data: TokenizedText): Scores {
  const { features, hidden, layers, experts, activation } = trained.config;
  const each = features * hidden;
  const { active } = smallThinkerParameters(trained.config, { tied: true });
  const router = experts ? experts.count * features : 0;
  const cache = new KeyValueCache(trained.config, { format: 'f16' });
  cache.reserve(trained.config.context);
  const same = { active, cacheBytes: cache.bytes };
  cache.dispose();
  if (!experts || activation !== 'reglu')
    return { ...same, multiplyAdds: layers * (router + 3 * (experts?.k ?? 1) * each) };
  const closed = scope(() => {
    const model = inRuntime(trained, data);
    const cache = model.cache();
    for (const token of data.tokens.test.subarray(0, COUNTED)) scope(() => void model.forward([token], cache));
    cache.dispose();
    return model.closedNeurons;
  });
  // Gates are all computed, ups and downs of open ones.
  const used = closed.reduce((sum, share) => sum + experts.k * each * (1 + 2 * (1 - share)), 0);
  return { ...same, multiplyAdds: layers * router + used, sparsity: 100 * Math.min(...closed) };
}
