// Random vectors of names, for features where there are none.

import type { Random } from '../tensor/index.js';

/**
 * A vector of random signs for each name, [names, dimensions] row by row. It follows from the name,
 * so that it is the same among other names.
 */
export function randomSigns(names: readonly string[], random: Random, dimensions: number): Float32Array {
  const signs = new Float32Array(names.length * dimensions);
  for (const [v, name] of names.entries()) {
    const stream = random.split(name);
    for (let k = 0; k < dimensions; k++) signs[v * dimensions + k] = stream.float() < 0.5 ? -1 : 1;
  }
  return signs;
}
