// Weights of edges as files write them.

/** What is wrong with a text that is no weight. */
export function wrongWeight(text: string): string {
  return `the weight is "${text}"; weights must be positive and finite in single precision`;
}

/** A weight in single precision, undefined where it is none. */
export function weightOf(text: string): number | undefined {
  const value = text === '' ? Number.NaN : Math.fround(Number(text));
  return value > 0 && value < Number.POSITIVE_INFINITY ? value : undefined;
}
