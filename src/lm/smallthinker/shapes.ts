// The sizes of SmallThinker's releases.

import { everyLayer, type LanguageModelConfig } from '../runtime/index.js';

const common = {
  ...{ architecture: 'smallthinker', vocabulary: 151_936, headDim: 128, hidden: 768, ropeBase: 1.5e6 },
  ...{ interleaved: false, epsilon: 1e-6, activation: 'reglu' as const },
};

/** SmallThinker-4B-A0.6B: rotary embeddings and full attention in all layers. */
export const smallThinker4B: LanguageModelConfig = {
  ...{ ...common, features: 1536, layers: 32, heads: 12, keyHeads: 2, context: 32_768, window: 0 },
  experts: { count: 32, k: 4, normalised: true, early: true, gates: 'sigmoid' },
};

/**
 * SmallThinker-21B-A3B: every fourth layer has full attention without rotary embeddings, the others
 * a window of 4096 with them.
 */
export const smallThinker21B: LanguageModelConfig = {
  ...{ ...common, features: 2560, layers: 52, heads: 28, keyHeads: 4, context: 16_384, window: 4096 },
  ...{ fullLayers: everyLayer(52, 4), nopeLayers: everyLayer(52, 4) },
  experts: { count: 64, k: 6, normalised: true, early: true, gates: 'sigmoid' },
};

/**
 * Parameters of a decoder of this form: all, V·d·(1 or 2) + L·(d·h·(2H + 2H_kv) + E·d + 3·E·d·f +
 * 2d) + d, and those that a token uses, without the input embedding.
 */
export function smallThinkerParameters(
  { vocabulary, features: d, layers, heads, keyHeads, headDim, hidden, experts }: LanguageModelConfig,
  { tied = false }: { readonly tied?: boolean } = {},
): { readonly total: number; readonly active: number } {
  const { count = 1, k = 1 } = experts ?? {};
  const router = experts ? count * d : 0;
  const layer = (used: number) => d * headDim * (2 * heads + 2 * keyHeads) + router + 3 * used * d * hidden + 2 * d;
  const table = vocabulary * d;
  return { total: table * (tied ? 1 : 2) + layers * layer(count) + d, active: table + layers * layer(k) + d };
}
