// Gaussian vectors of names, for features where there are none.

import { cpu, regionAt } from '../engine/index.js';
import { emptyTensor, type Random, type Tensor } from '../tensor/index.js';

/**
 * A vector with independent entries from N(0, 1/dimensions) for each name, [names, dimensions]. It
 * follows from the name, so that it is the same among other names. Its expected length is 1.
 */
export function gaussianOfNames(names: readonly string[], random: Random, dimensions: number): Tensor {
  const vectors = emptyTensor([names.length, dimensions], 'f32');
  const deviation = 1 / Math.sqrt(dimensions);
  for (const [v, name] of names.entries()) {
    const y = regionAt(vectors, 4 * v * dimensions);
    cpu.run('randomNormal', { y, key: random.split(name).key, mean: 0, deviation, size: dimensions });
  }
  return vectors;
}
