// Mixed training images: mixup and CutMix. Both return images and target probabilities for
// `softCrossEntropy`.

import { add, gatherRows, multiply, oneHot, type Random, type Tensor, tensor, where } from '../tensor/index.js';

/** A batch of mixed images. */
export interface MixedBatch {
  /** Mixed images, of the shape given. */
  readonly images: Tensor;
  /** Target probabilities [n, classes]. */
  readonly targets: Tensor;
}

/** A draw from Beta(α, α), by Jöhnk's method for α ≤ 1 and as a ratio of gamma variates else. */
function beta(alpha: number, random: Random): number {
  if (alpha <= 1) {
    for (;;) {
      const [x, y] = [random.float() ** (1 / alpha), random.float() ** (1 / alpha)];
      if (x + y > 0 && x + y <= 1) return x / (x + y);
    }
  }
  const [x, y] = [random.gamma(alpha), random.gamma(alpha)];
  return x / (x + y);
}

function partners(labels: Tensor, classes: number, random: Random) {
  const order = tensor(random.permutation(labels.size));
  const targets = oneHot(labels, classes);
  return { order, targets, others: gatherRows(targets, order) };
}

function mixed(a: Tensor, b: Tensor, share: number): Tensor {
  return add(multiply(a, share), multiply(b, 1 - share));
}

/**
 * mixup (Zhang et al. 2018): λ·xᵢ + (1 − λ)·xⱼ of images and one-hot labels with a random partner
 * j, λ ~ Beta(α, α) once per batch. images [n, …], labels i32 [n]; α defaults to 0.2.
 */
export function mixup(images: Tensor, labels: Tensor, classes: number, random: Random, alpha = 0.2): MixedBatch {
  const { order, targets, others } = partners(labels, classes, random);
  const share = beta(alpha, random);
  return { images: mixed(images, gatherRows(images, order), share), targets: mixed(targets, others, share) };
}

/**
 * CutMix (Yun et al. 2019): one random box of each image replaced by its partner's, labels mixed by
 * the share of pixels; 1 − area ~ Beta(α, α) once per batch. images [n, c, h, w], labels i32 [n]; α
 * defaults to 1.
 */
export function cutmix(images: Tensor, labels: Tensor, classes: number, random: Random, alpha = 1): MixedBatch {
  const { order, targets, others } = partners(labels, classes, random);
  const [height, width] = images.shape.slice(2) as [number, number];
  const side = Math.sqrt(1 - beta(alpha, random));
  const span = (length: number) => {
    const centre = Math.floor(random.float() * length);
    const half = Math.floor((side * length) / 2);
    return [Math.max(0, centre - half), Math.min(length, centre + half)] as const;
  };
  const [[top, bottom], [left, right]] = [span(height), span(width)];
  const kept = new Float32Array(height * width).fill(1);
  for (let y = top; y < bottom; y++) kept.fill(0, y * width + left, y * width + right);
  const share = 1 - ((bottom - top) * (right - left)) / (height * width);
  const mask = tensor(kept, [1, 1, height, width]);
  return {
    images: where(mask.broadcastTo(images.shape), images, gatherRows(images, order)),
    targets: mixed(targets, others, share),
  };
}
