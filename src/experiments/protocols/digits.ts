// Classification of 8 × 8 digits by networks small enough for a hypernetwork to generate their
// weights.

import {
  DIGIT_CLASSES,
  DIGIT_PIXELS,
  type DigitImages,
  drawDigits,
  glyphDigits,
  pooledDigits,
} from '../../data/index.js';
import { loadImages } from '../../data/node.js';
import {
  Adam,
  accuracy,
  BatchNorm1d,
  crossEntropy,
  LayerNorm,
  Linear,
  type Mode,
  minimize,
  predictedClasses,
} from '../../nn/index.js';
import { type Random, scope, type Tensor, tensor } from '../../tensor/index.js';

export const digitSets: readonly string[] = ['glyphs', 'mnist'];

export interface DigitData {
  readonly name: string;
  readonly train: DigitImages;
  readonly test: DigitImages;
}

/** 4,000 drawn digits to train on and 1,000 to test. */
export function drawnDigits(random: Random): DigitData {
  return {
    name: 'glyphs',
    train: glyphDigits(4000, random.split('train')),
    test: glyphDigits(1000, random.split('test')),
  };
}

/** @throws Error for an unknown set, or one that is not on this machine */
export function loadDigits(source: string, random: Random): DigitData {
  if (source === 'glyphs') return drawnDigits(random.split('glyphs'));
  if (source !== 'mnist') throw new Error(`unknown digits "${source}"; known: ${digitSets.join(', ')}`);
  const { train, test } = loadImages('mnist');
  return { name: source, train: pooledDigits(train, 12_000), test: pooledDigits(test, 2000) };
}

export function describeDigits({ name, train, test }: DigitData): string {
  return `${name}: ${train.labels.length} images to train on, ${test.labels.length} to test`;
}

/** x [n, 64] of some images, all when left out. */
export function pixelsOf({ x, labels }: DigitImages, count = labels.length): Tensor {
  return tensor(x.subarray(0, count * DIGIT_PIXELS), [count, DIGIT_PIXELS]);
}

export type DigitNorm = 'none' | 'batch' | 'layer';

/** A perceptron 64 → hidden … → 10; hidden layers are linear → norm → ReLU. */
export class DigitNetwork {
  readonly layers: readonly Linear[];
  readonly norms: readonly (LayerNorm | BatchNorm1d)[];

  constructor(
    hidden: readonly number[],
    random: Random,
    { norm = 'none' }: { readonly norm?: DigitNorm | undefined } = {},
  ) {
    const sizes = [DIGIT_PIXELS, ...hidden, DIGIT_CLASSES];
    this.layers = sizes.slice(1).map((size, i) => new Linear(sizes[i] as number, size, random.split(i)));
    this.norms =
      norm === 'none' ? [] : hidden.map((size) => (norm === 'layer' ? new LayerNorm(size) : new BatchNorm1d(size)));
  }

  /** x [n, 64] → logits [n, 10] */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.layers.reduce((value, layer, i) => {
      const y = layer.forward(value);
      return i === this.layers.length - 1 ? y : (this.norms[i]?.forward(y, mode) ?? y).relu();
    }, x);
  }
}

/** Test accuracy in %. */
export function digitAccuracy(test: DigitImages, logits: (x: Tensor) => Tensor): number {
  return (
    100 *
    accuracy(
      scope(() => predictedClasses(logits(pixelsOf(test)))),
      test.labels,
    )
  );
}

/** Trains with Adam on batches of 64 random images. */
export async function trainOnDigits<Model extends object>(
  model: Model,
  logits: (live: Model, x: Tensor, mode: Mode) => Tensor,
  { train }: DigitData,
  { steps, random, learningRate = 2e-3 }: { steps: number; random: Random; learningRate?: number },
): Promise<void> {
  await minimize(
    model,
    (live, { random: draws, mode }) => {
      const { x, labels } = drawDigits(train, 64, draws);
      return crossEntropy(logits(live, x, mode), labels);
    },
    { steps, random, optimizer: new Adam({ learningRate }) },
  );
}
