// What a mixture takes: parameters and multiply-adds, by component.

import type { Weights } from '../../nn/index.js';
import type { LanguageModelConfig } from '../runtime/config.js';

/** A quantity of each component of a decoder. */
export interface Components {
  /** The embedding, and a head of its own. */
  readonly embeddings: number;
  /** Projections of queries, keys, values and outputs; with multiply-adds their products. */
  readonly attention: number;
  /** Routers of all layers. */
  readonly routers: number;
  /** Experts of all layers. */
  readonly experts: number;
  /** Scales of norms. */
  readonly norms: number;
  /** Their sum. */
  readonly total: number;
}

/** Parameters of a decoder, and multiply-adds of one token. */
export interface Footprint {
  /** Stored numbers; the places of kept rows count as one each. */
  readonly parameters: Components;
  /** Multiply-adds of a token that sees `length` / 2 tokens before it on average. */
  readonly multiplyAdds: Components;
}

type Component = Exclude<keyof Components, 'total'>;

function componentOf(name: string): Component {
  if (name.includes('.experts.')) return 'experts';
  if (name.includes('.router.')) return 'routers';
  if (name.includes('.selfAttn.') && !name.includes('Norm')) return 'attention';
  return name.includes('embedTokens') || name.startsWith('lmHead') ? 'embeddings' : 'norms';
}

function summed(parts: readonly (readonly [Component, number])[]): Components {
  const of = (wanted: Component) => parts.reduce((sum, [part, value]) => sum + (part === wanted ? value : 0), 0);
  const components = {
    embeddings: of('embeddings'),
    attention: of('attention'),
    routers: of('routers'),
    experts: of('experts'),
    norms: of('norms'),
  };
  return { ...components, total: Object.values(components).reduce((sum, value) => sum + value, 0) };
}

/**
 * The footprint of a decoder of mixtures, from its state as it is saved (`compactState` of one with
 * low-rank experts).
 *
 * @param length tokens of the context that multiply-adds are counted at
 */
export function footprint(state: Weights, config: LanguageModelConfig, length: number): Footprint {
  const { experts, layers, heads, headDim } = config;
  const sizes = Object.entries(state).map(([name, { size, rank }]) => ({ name, size, rank, part: componentOf(name) }));
  const groupsOf = (name: string) => {
    const groups = experts?.groups?.[Number(/layers\.(\d+)\./.exec(name)?.[1])];
    return groups ? Math.max(...groups) + 1 : (experts?.count ?? 1);
  };
  const work = sizes.map(({ name, size, rank, part }): readonly [Component, number] => {
    if (part === 'experts') return [part, name.endsWith('Rows') ? 0 : (size * (experts?.k ?? 1)) / groupsOf(name)];
    // A tied embedding is multiplied once, as the head; an untied one is looked up.
    if (part === 'embeddings') return [part, 'lmHead.weight' in state && name !== 'lmHead.weight' ? 0 : size];
    return [part, rank > 1 ? size : 0];
  });
  const scores: readonly [Component, number] = ['attention', layers * heads * headDim * length];
  return {
    parameters: summed(sizes.map(({ part, size }) => [part, size])),
    multiplyAdds: summed([...work, scores]),
  };
}

/** Sizes of a Switch Transformer of T5's form (Fedus et al. 2022). */
export interface SwitchShape {
  /** Token ids. */
  readonly vocabulary: number;
  /** Width d. */
  readonly features: number;
  /** Width f of a feed-forward layer, or of an expert. */
  readonly hidden: number;
  /** Layers of the encoder, and as many of the decoder; every second one is a mixture. */
  readonly layers: number;
  /** Experts of a mixture. */
  readonly experts: number;
}

/** What is left of a Switch Transformer. */
export interface SwitchCompression {
  /** Mixtures that are merged. */
  readonly merged: number;
  /** Experts of a merged layer. */
  readonly experts: number;
  /** Rank and share of rows of the merged experts. Default: full matrices. */
  readonly lowRank?: { readonly rank: number; readonly rows: number };
}

/**
 * Parameters of a Switch Transformer without norms and biases of positions: tied embedding, 4d² of
 * each attention (the decoder has two in a layer), 2df of each feed-forward layer or expert.
 */
export function switchParameters(
  { vocabulary, features: d, hidden: f, layers, experts }: SwitchShape,
  compression?: SwitchCompression,
): number {
  const feedForward = 2 * d * f;
  const mixtures = layers;
  const rest = vocabulary * d + 3 * layers * 4 * d * d + layers * feedForward + mixtures * experts * d;
  const { merged = 0, experts: left = experts, lowRank } = compression ?? {};
  const small = lowRank ? 2 * lowRank.rank * (d + f) + lowRank.rows * feedForward : feedForward;
  return rest + (mixtures - merged) * experts * feedForward + merged * left * small;
}
