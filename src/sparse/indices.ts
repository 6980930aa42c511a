// Checks of positions and values that come from JavaScript arrays, where a number may be anything
// and a text may stand for one.

/** Most rows, columns and nodes: positions are 32-bit integers. */
const MAXIMUM = 2 ** 31 - 1;

/** Whether a value is an integer 0 … limit − 1; texts and fractions are none. */
export function isIndex(value: number, limit: number): boolean {
  return (value | 0) === value && value >= 0 && value < limit;
}

/** @throws RangeError naming the structure unless the number of rows, columns or nodes is whole. */
export function requireLimit(structure: string, what: string, count: number): void {
  if (!isIndex(count, MAXIMUM))
    throw new RangeError(
      `${structure}: the number of ${what} must be a whole number below 2³¹ − 1, got ${String(count)}`,
    );
}

/** @throws RangeError naming the first element that is no integer 0 … limit − 1. */
export function requireIndices(structure: string, what: string, values: ArrayLike<number>, limit: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!isIndex(value, limit))
      throw new RangeError(
        `${structure}: ${what} ${shown(value)} of element ${i} is outside 0…${limit - 1} (an integer is expected)`,
      );
  }
}

/** A value in an error message, texts in quotes. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Whether a value is a number that f32 holds as a positive one: neither 0 nor ∞ after rounding. */
export function isPositiveFloat(value: number): boolean {
  const rounded = Math.fround(value);
  return typeof value === 'number' && rounded > 0 && rounded < Number.POSITIVE_INFINITY;
}
