// Hyperparameters of LoGAH, its published sizes, and the numbers of parameters that go with them.

import { languageVocabularies, SizeTable } from './sizes.js';

/** Options of `LoGAH`; plain data, kept in model files. The defaults are LoGAH-Tiny's. */
export interface LoGAHOptions {
  /** Classes of the last layer, a size of their own in the vocabulary of shapes. Default: 10. */
  readonly classes?: number;
  /** Width d of node vectors. Default: 64. */
  readonly features?: number;
  /** Rank r of the factors. Default: 32. */
  readonly rank?: number;
  /** Layers of the encoder. Default: 3. */
  readonly layers?: number;
  /** Heads of attention. Default: 8. */
  readonly heads?: number;
  /** Widest layer; factors have 16·maxWidth rows. Default: 2048. */
  readonly maxWidth?: number;
  /**
   * `own`: decodes as many channels as the factors have rows; `paper`: maxWidth. Default: `own`.
   */
  readonly cap?: 'own' | 'paper';
  /** Whether a layer norm follows the encoder. Default: false. */
  readonly finalNorm?: boolean;
  /** How weights are scaled: by fan-in, or to a deviation. Default: `fan-in`. */
  readonly scaling?: 'fan-in' | 'deviation';
  /** Deviation of weights with `deviation`. Default: 0.02. */
  readonly range?: number;
  /** Longest path that makes a virtual edge. Default: 50. */
  readonly cutoff?: number;
  /** Kernels of 1 … this size have an embedding each. Default: 16. */
  readonly kernels?: number;
  /** Further channel counts with an embedding, such as vocabulary sizes. Default: none. */
  readonly vocabularies?: readonly number[];
  /** `low-rank`, or the `tiling` block of GHN-3. Default: `low-rank`. */
  readonly decoder?: 'low-rank' | 'tiling';
  /** Channels of the block with `tiling`. Default: `features`. */
  readonly block?: number;
  /** Largest kernel of the block with `tiling`. Default: 16. */
  readonly kernel?: number;
}

/** Options with their defaults. */
export type ResolvedOptions = Required<LoGAHOptions>;

/** @throws RangeError naming an option that is no positive whole number, or out of range */
export function resolveOptions(options: LoGAHOptions = {}): ResolvedOptions {
  const { features = 64 } = options;
  const resolved: ResolvedOptions = {
    ...{ classes: 10, rank: 32, layers: 3, heads: 8, maxWidth: 2048, cap: 'own', finalNorm: false },
    ...{ scaling: 'fan-in', range: 0.02, cutoff: 50, kernels: 16, vocabularies: [], decoder: 'low-rank' },
    ...{ block: features, kernel: 16 },
    ...options,
    features,
  };
  const counts = ['classes', 'features', 'rank', 'layers', 'heads', 'maxWidth', 'block', 'kernel'] as const;
  for (const name of counts)
    if (!(Number.isInteger(resolved[name]) && resolved[name] >= 1))
      throw new RangeError(`LoGAH: ${name} must be a positive whole number, got ${resolved[name]}`);
  if (!(resolved.range > 0)) throw new RangeError(`LoGAH: range must be positive, got ${resolved.range}`);
  return resolved;
}

/** Numbers of parameters by part. */
export interface ParameterTotals {
  /** Parameters that are used, as `parameterCount` of the network counts them. */
  readonly used: number;
  /**
   * Parameters of the released code that no forward pass uses: a square linear layer of the
   * decoder, and placeholders of 1 × 1 for the decoder of vectors.
   */
  readonly unused: number;
  /** Both: the totals that the released code prints. */
  readonly total: number;
}

const linear = (inner: number, out: number) => inner * out + out;

/** Parameters of a hypernetwork in closed form, without making it. */
export function parameterTotals(options: LoGAHOptions = {}): ParameterTotals {
  const resolved = resolveOptions(options);
  const { features: d, rank: r, layers, heads, maxWidth, finalNorm, decoder, block, kernel, classes } = resolved;
  const { channels, kernels } = new SizeTable(classes, { kernels: resolved.kernels, more: resolved.vocabularies });
  const nodes = (15 + 2 * 101 + 1001) * d + (channels.length + 1 + kernels.length + 1) * (d / 4);
  const edges = 257 * d + linear(2 * d, d) + linear(d, heads);
  const layer = 3 * d * d + linear(d, d) + 4 * d + linear(d, 4 * d) + linear(4 * d, d);
  const encoder = nodes + edges + layers * layer + (finalNorm ? 2 * d : 0);
  const lowRank = linear(d, 4 * d) + linear(4 * d, 8 * d) + linear(8 * d, 2 * r * r) + linear(r, 16 * maxWidth);
  const tiling =
    linear(d, 4 * d * kernel * kernel) +
    linear(4 * d, 8 * d) +
    linear(8 * d, block * block) +
    linear(d, 2 * d) +
    linear(2 * d, 2 * block) +
    2 * linear(block, classes);
  const used = encoder + (decoder === 'low-rank' ? lowRank : tiling);
  const unused = decoder === 'low-rank' ? linear(r, r) + 2 * linear(1, 1) : 0;
  return { used, unused, total: used + unused };
}

/**
 * Published configurations. Totals with the parameters that the released code counts: LoGAH-Tiny
 * 2,540,252 (of 10 classes; 3,621,596 and 5,784,284 at `maxWidth` 4096 and 8192), LoGAH-Small
 * 21,412,794; GHN-3-T 6,906,504.
 */
export const logahPresets = {
  'logah-tiny': {},
  'logah-small': { features: 128, rank: 90, layers: 5, heads: 16, classes: 100, finalNorm: true },
  'logah-base': { features: 256, rank: 128, layers: 5, heads: 16, classes: 100, finalNorm: true },
  'logah-tiny-gpt': { maxWidth: 8192, scaling: 'deviation', vocabularies: languageVocabularies, finalNorm: true },
  'ghn3-t': { decoder: 'tiling', classes: 1000 },
  'ghn3-s': { decoder: 'tiling', features: 128, layers: 5, heads: 16, classes: 1000, finalNorm: true },
  'ghn3-l': { decoder: 'tiling', features: 256, layers: 12, heads: 16, classes: 1000, finalNorm: true },
  'ghn3-xl': { decoder: 'tiling', features: 384, layers: 24, heads: 16, classes: 1000, finalNorm: true },
} as const satisfies Record<string, LoGAHOptions>;
