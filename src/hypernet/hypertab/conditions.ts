// Inputs of HyperTab's hypernetwork: the column mask itself, a sum of learnt embeddings of its
// columns, or its principal components.

import { svd } from '../../linalg/index.js';
import { buffer, parameter } from '../../nn/index.js';
import { matmul, type Random, subtract, type Tensor, tensor } from '../../tensor/index.js';
import { type Condition, VectorCondition } from '../condition.js';

/** What the hypernetwork is given of a mask M [D]. */
export type MaskInput = 'mask' | 'embedding' | 'pca';

/** Most dimensions of embeddings and of principal components. */
const DIMENSIONS = 32;

/** Σ of the embeddings of a view's columns: M [B, D] → M·E [B, e]. */
class EmbeddingCondition implements Condition {
  /** E [D, e], initialised from N(0, 1). */
  readonly embeddings: Tensor;

  constructor(
    columns: number,
    readonly size: number,
    random: Random,
  ) {
    this.embeddings = parameter(random.normal([columns, size]));
  }

  forward(masks: Tensor): Tensor {
    return matmul(masks, this.embeddings);
  }
}

/**
 * Principal components of the B masks: M [B, D] → (M − M̄)·V [B, q]; fixed, saved with the model.
 */
class ComponentCondition implements Condition {
  readonly size: number;
  /** M̄ [D]. */
  readonly mean: Tensor;
  /** V [D, q]. */
  readonly components: Tensor;

  constructor(masks: Float32Array, columns: number) {
    const views = masks.length / columns;
    const mean = new Float32Array(columns);
    masks.forEach((value, at) => {
      mean[at % columns] = (mean[at % columns] as number) + value / views;
    });
    this.size = Math.min(DIMENSIONS, columns, views);
    const { v } = svd(
      tensor(
        masks.map((value, at) => value - (mean[at % columns] as number)),
        [views, columns],
      ),
    );
    const [all, rank] = [v.view(), v.shape[1] as number];
    const leading = Float32Array.from(
      { length: columns * this.size },
      (_, at) => all[Math.floor(at / this.size) * rank + (at % this.size)] as number,
    );
    this.mean = buffer(tensor(mean));
    this.components = buffer(tensor(leading, [columns, this.size]));
  }

  forward(masks: Tensor): Tensor {
    return matmul(subtract(masks, this.mean), this.components);
  }
}

/**
 * The condition of the hypernetwork.
 *
 * @param masks all masks [B, D], row-major
 */
export function maskCondition(input: MaskInput, masks: Float32Array, columns: number, random: Random): Condition {
  if (input === 'embedding') return new EmbeddingCondition(columns, Math.min(DIMENSIONS, columns), random);
  if (input === 'pca') return new ComponentCondition(masks, columns);
  return new VectorCondition(columns);
}
