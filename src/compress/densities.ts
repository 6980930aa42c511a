// Distribution of a total sparsity over the layers of a network.

import { type Shape, sizeOf } from '../tensor/index.js';
import { requireSparsity } from './masks.js';

/** A weight that is to be pruned. */
export interface PrunableLayer {
  /** Key of the result. */
  readonly name: string;
  /** Shape of the weight, [out, in, …]. */
  readonly shape: Shape;
}

/**
 * How a total sparsity is distributed over layers. `uniform`: the same sparsity for every layer.
 * `erk`: Erdős–Rényi-kernel, where small layers stay denser. `global`: one magnitude threshold for
 * all layers, at most 99 % zeros in each. `global-normalized`: the same with magnitudes over the
 * layer's root mean square, at most 90 % zeros in each.
 */
export type Distribution = 'uniform' | 'erk' | 'global' | 'global-normalized';

/**
 * Erdős–Rényi-kernel sparsities (Mocanu et al. 2018; Evci et al. 2020): the density of a layer is
 * ε·Σ dims / Π dims, with ε such that (1 − S) of all weights remain; layers whose density would
 * exceed 1 stay dense.
 *
 * @param sparsity S, the share of zeros over all layers, in [0, 1)
 * @returns sparsity of each layer by name
 * @throws RangeError when the sparsity is not in [0, 1)
 */
export function erkSparsities(layers: readonly PrunableLayer[], sparsity: number): Map<string, number> {
  requireSparsity(sparsity);
  const dense = new Set<string>();
  const raw = ({ shape }: PrunableLayer) => shape.reduce((a, b) => a + b, 0) / sizeOf(shape);
  for (;;) {
    let budget = 0;
    let unit = 0;
    for (const layer of layers) {
      const size = sizeOf(layer.shape);
      budget += (dense.has(layer.name) ? -sparsity : 1 - sparsity) * size;
      if (!dense.has(layer.name)) unit += raw(layer) * size;
    }
    const scale = unit > 0 ? budget / unit : 0;
    const over = layers.filter((layer) => !dense.has(layer.name) && scale * raw(layer) > 1);
    if (over.length === 0)
      return new Map(layers.map((layer) => [layer.name, dense.has(layer.name) ? 0 : 1 - scale * raw(layer)]));
    const largest = Math.max(...over.map(raw));
    for (const layer of over) if (raw(layer) === largest) dense.add(layer.name);
  }
}
