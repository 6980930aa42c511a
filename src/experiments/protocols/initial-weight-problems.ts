// The networks whose starts are compared: vision transformers on pictures of 14 × 14 pixels, GPT-2
// on windows of 64 tokens; their families, and the hypernetworks of equal size.

import type { ImageDataset } from '../../data/index.js';
import { textNames } from '../../data/node.js';
import type { Architecture, LoGAHOptions } from '../../hypernet/index.js';
import { loadImageSet } from './images.js';
import { halved, pictureProblem, textProblem, type WeightProblem } from './initial-weights.js';
import { loadTokens } from './text.js';

export const LOGAH = 'LoGAH';
export const TILING = 'GHN-3, repeated blocks';

/** Depths and widths of a family. */
export const family = { layers: [1, 2, 3], widths: [16, 24, 32] } as const;

/** Byte pairs of a text, and tokens of a window. */
export const textSizes = { pairs: 512, length: 64 } as const;

export const isText = (source: string): boolean => textNames.includes(source);

const vit = (patchSize: number): Architecture => ({
  ...{ family: 'vit', imageSize: 14, patchSize, channels: 1, classes: 10 },
  ...{ features: 2, layers: 1, heads: 2, hidden: 64 },
});

const gpt = (vocabulary: number): Architecture => ({
  ...{ family: 'gpt2', vocabulary, context: textSizes.length },
  ...{ features: 2, layers: 1, heads: 2, hidden: 64, tied: false },
});

/** Architectures that no hypernetwork sees: within the family's depths and widths, and beyond. */
export function heldOut(base: Architecture): readonly [within: Architecture, beyond: Architecture] {
  return [{ ...base, layers: 3, features: 24 } as Architecture, { ...base, layers: 4, features: 48 } as Architecture];
}

/** Both hypernetworks by title; GHN-3's has as many parameters or more. */
export function hypernets(problem: WeightProblem): Readonly<Record<string, LoGAHOptions>> {
  const patch = problem.base.family === 'vit' ? problem.base.patchSize : 1;
  const shared = { classes: 10, features: 32, layers: 2, heads: 4, kernels: 8 } as const;
  // 0.02 is for widths of 768; these are narrower.
  const scaling = problem.measure === 'accuracy' ? {} : ({ scaling: 'deviation', range: 0.1 } as const);
  return {
    [LOGAH]: { ...shared, rank: 8, maxWidth: 512, ...scaling },
    [TILING]: { ...shared, decoder: 'tiling', block: 24, kernel: Math.max(3, patch), ...scaling },
  };
}

/** Sizes of a problem. */
export interface ProblemSizes {
  readonly rows: number;
  readonly tests: number;
  readonly patch: number;
  readonly batch: number;
}

/** Loads pictures, which are halved, or a text. */
export async function loadProblem(
  source: string,
  { rows, tests, patch, batch }: ProblemSizes,
  onDownload?: (name: string) => void,
): Promise<WeightProblem> {
  if (isText(source)) {
    const { tokens, tokenizer } = await loadTokens(source, textSizes, onDownload);
    const windows = { length: textSizes.length, batch: Math.max(4, Math.round(batch / 4)), rows: Math.round(rows / 2) };
    return textProblem(tokens, gpt(tokenizer.size), windows);
  }
  const data = await loadImageSet(source, { images: rows, tests }, onDownload);
  const small: ImageDataset = { ...data, train: halved(data.train), test: halved(data.test) };
  return pictureProblem(small, vit(patch), { rows: data.train.count, batch });
}
