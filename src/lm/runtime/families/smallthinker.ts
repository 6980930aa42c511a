// SmallThinker (2025): routers on the raw residual stream before attention, experts with gated
// ReLU, and layers without rotary embeddings and with full attention between layers with both.

import type { GgufValue } from '../../../data/index.js';

/** Layers from one with full attention to the next where GGUF does not say. */
const PERIOD = 4;

/** The window and period with which llama.cpp runs every file of this architecture. */
const LLAMA_CPP = { window: 4096, period: PERIOD };

/** What these models have in place of the usual. */
interface Own {
  readonly activation: 'reglu';
  readonly hidden?: number;
  readonly window?: number;
  readonly fullLayers?: readonly number[];
  readonly nopeLayers?: readonly number[];
  readonly experts: {
    readonly count: number;
    readonly k: number;
    readonly normalised: true;
    readonly early: boolean;
    readonly gates?: 'sigmoid';
  };
}

/** Layers without rotary embeddings and with full attention: every `period`-th, from the first. */
export function everyLayer(layers: number, period: number): number[] {
  return Array.from({ length: Math.ceil(layers / period) }, (_, i) => i * period);
}

/**
 * What the metadata of a GGUF file says beyond the common keys: a window goes with full attention
 * and no rotary embeddings in every fourth layer, from the first; without one there is neither.
 */
export function smallThinkerOfGguf(metadata: Readonly<Record<string, GgufValue>>, layers: number, count: number): Own {
  const value = (key: string) => metadata[`smallthinker.${key}`];
  const window = Number(value('attention.sliding_window') ?? 0);
  const pattern = value('attention.sliding_window_pattern');
  const period = typeof pattern === 'number' && pattern > 0 ? pattern : PERIOD;
  const full = Array.isArray(pattern)
    ? (pattern as readonly GgufValue[]).flatMap((slides, layer) => (slides ? [] : [layer]))
    : everyLayer(layers, period);
  const gating = Number(value('expert_gating_func') ?? 2);
  if (gating !== 1 && gating !== 2)
    throw new Error(`"smallthinker.expert_gating_func" is ${gating}; 1 (softmax) and 2 (sigmoid) are supported`);
  const k = Number(value('expert_used_count'));
  return {
    activation: 'reglu',
    ...(window > 0 && { fullLayers: full, nopeLayers: full }),
    experts: { count, k, normalised: true, early: true, ...(gating === 2 && { gates: 'sigmoid' }) },
  };
}

/**
 * What config.json says under names of its own. `rope_layout` has 1 for rotary embeddings,
 * `sliding_window_layout` 1 for the window.
 *
 * @throws Error naming a key that is missing or that asks for what is not supported.
 */
export function smallThinkerOfHuggingFace(config: Readonly<Record<string, unknown>>, layers: number): Own {
  const number = (...keys: readonly string[]): number => {
    const found = keys.map((key) => config[key]).find((value) => typeof value === 'number');
    if (found === undefined) throw new Error(`config.json lacks "${keys[0]}"`);
    return found as number;
  };
  const zeros = (key: string): number[] => {
    const layout = config[key];
    if (layout === undefined || layout === null) return [];
    if (!Array.isArray(layout) || layout.length !== layers || !layout.every((one) => one === 0 || one === 1))
      throw new Error(`"${key}" is no list of ${layers} zeros and ones`);
    return layout.flatMap((one, layer) => (one === 0 ? [layer] : []));
  };
  if (config.moe_enable_secondary_experts === true)
    throw new Error('"moe_enable_secondary_experts" is true; secondary experts are not supported');
  const [nopeLayers, fullLayers] = [zeros('rope_layout'), zeros('sliding_window_layout')];
  const isWindowed = Array.isArray(config.sliding_window_layout) && fullLayers.length < layers;
  const window = isWindowed ? number('sliding_window_size') : 0;
  const softmax = config.moe_primary_router_apply_softmax === true;
  return {
    activation: 'reglu',
    hidden: number('moe_ffn_hidden_size', 'moe_intermediate_size'),
    window,
    ...(window > 0 && fullLayers.length > 0 && { fullLayers }),
    ...(nopeLayers.length > 0 && { nopeLayers }),
    experts: {
      count: number('moe_num_primary_experts', 'num_experts'),
      k: number('moe_num_active_primary_experts', 'num_experts_per_tok'),
      ...{ normalised: true, early: config.moe_enable_early_router !== false },
      ...(!softmax && { gates: 'sigmoid' }),
    },
  };
}

/** Where llama.cpp would compute something else than a configuration says; undefined if nowhere. */
export function llamaCppDiffers(config: {
  readonly architecture: string;
  readonly layers: number;
  readonly window: number;
  readonly fullLayers?: readonly number[];
  readonly nopeLayers?: readonly number[];
}): string | undefined {
  const { architecture, layers, window, fullLayers = [], nopeLayers = [] } = config;
  if (architecture !== 'smallthinker' || window === 0) return undefined;
  const expected = everyLayer(layers, LLAMA_CPP.period).join();
  if (window === LLAMA_CPP.window && fullLayers.join() === expected && nopeLayers.join() === expected) return undefined;
  return `the model has a window of ${window} and full attention in layers ${fullLayers.join(', ') || 'none'}, and runs so here; llama.cpp takes a window of ${LLAMA_CPP.window} and every fourth layer whatever a file says`;
}
