// Published super-networks as tables of genes (DyNAS-T, `dynast/supernetwork`): what each may
// choose, and which genes the others leave without effect.

import type { Configuration, Genes } from '../../nn/index.js';

/** A value of a configuration. */
const valueOf = (configuration: Configuration, group: string, at = 0) => configuration[group]?.[at] as number;

/** Blocks of the four stages of OFA-ResNet50 at depth gene 0; the gene adds to them. */
const RESNET_BLOCKS = [2, 2, 4, 2] as const;
/** Largest depth gene of OFA-ResNet50. */
const DEEPEST = 2;

/** Whether block `at` of OFA-ResNet50, counted over all stages, is in use. */
function isResNetBlock(at: number, configuration: Configuration): boolean {
  let first = 0;
  for (const [stage, blocks] of RESNET_BLOCKS.entries()) {
    const most = blocks + DEEPEST;
    if (at < first + most) return at - first < blocks + valueOf(configuration, 'depth', stage + 1);
    first += most;
  }
  return false;
}

/**
 * OFA-ResNet50: 5 depths, 18 expansions, 6 widths. The first depth is that of the stem, whose
 * middle layer is there for 2 alone.
 */
export const ofaResNet50: Genes = {
  depth: { count: 5, values: [0, 1, 2], same: (value, at) => (at === 0 && value === 1 ? 0 : value) },
  expand: { count: 18, values: [0.2, 0.25, 0.35], active: isResNetBlock },
  width: { count: 6, values: [0, 1, 2] },
};

/** Layers of a stage of OFA-MobileNetV3 at its deepest. */
const LAYERS = 4;
const isMobileLayer = (at: number, configuration: Configuration) =>
  at % LAYERS < valueOf(configuration, 'depth', Math.floor(at / LAYERS));

/** OFA-MobileNetV3, of width 1.0 and 1.2: 20 kernels, 20 expansions, 5 depths. */
export const ofaMobileNetV3: Genes = {
  kernel: { count: 20, values: [3, 5, 7], active: isMobileLayer },
  expand: { count: 20, values: [3, 4, 6], active: isMobileLayer },
  depth: { count: 5, values: [2, 3, 4] },
};

const isDecoderLayer = (at: number, configuration: Configuration) => at < valueOf(configuration, 'decoderLayers');

/**
 * The transformer of WMT English–German (HAT): 6 encoder layers, 1 to 6 decoder layers; the span is
 * how many of the last encoder layers cross-attention sees (−1: one).
 */
export const transformerWmt: Genes = {
  encoderEmbed: { count: 1, values: [512, 640] },
  decoderEmbed: { count: 1, values: [512, 640] },
  encoderFfn: { count: 6, values: [1024, 2048, 3072] },
  decoderFfn: { count: 6, values: [1024, 2048, 3072], active: isDecoderLayer },
  decoderLayers: { count: 1, values: [1, 2, 3, 4, 5, 6] },
  encoderHeads: { count: 6, values: [4, 8] },
  decoderHeads: { count: 6, values: [4, 8], active: isDecoderLayer },
  crossHeads: { count: 6, values: [4, 8], active: isDecoderLayer },
  crossSpan: { count: 6, values: [-1, 1, 2], active: isDecoderLayer },
};

const isBertLayer = (at: number, configuration: Configuration) => at < valueOf(configuration, 'layers');

/** BERT for SST-2: 6 to 12 layers, heads and FFN width of each. */
export const bertSst2: Genes = {
  layers: { count: 1, values: [6, 7, 8, 9, 10, 11, 12] },
  heads: { count: 12, values: [6, 8, 10, 12], active: isBertLayer },
  ffn: { count: 12, values: [1024, 2048, 3072], active: isBertLayer },
};

/** The published spaces by name. */
export const publishedSpaces = {
  'ofa-resnet50': ofaResNet50,
  'ofa-mobilenet-v3': ofaMobileNetV3,
  'transformer-wmt': transformerWmt,
  'bert-sst2': bertSst2,
} as const satisfies Readonly<Record<string, Genes>>;
