// Examples in parts, where all at once are too many.

import { scope, type Tensor } from '../tensor/index.js';

/** Consecutive parts of at most `most` numbers. */
export function consecutive(numbers: Int32Array, most: number): Int32Array[] {
  return Array.from({ length: Math.ceil(numbers.length / most) }, (_, i) => numbers.subarray(i * most, (i + 1) * most));
}

/**
 * The mean of a loss over examples from its means over their parts; each part has a scope.
 *
 * @param lossOf mean loss of the examples of a part
 */
export function meanOverParts(parts: readonly Int32Array[], lossOf: (part: Int32Array) => Tensor): number {
  const sum = parts.reduce((total, part) => total + part.length * scope(() => lossOf(part).item()), 0);
  return sum / parts.reduce((count, part) => count + part.length, 0);
}
