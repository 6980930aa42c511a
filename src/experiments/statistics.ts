// Numbers over seeds.

export interface Summary {
  readonly mean: number;
  /** Sample standard deviation; 0 for one value. */
  readonly sd: number;
}

/** Mean and deviation of the values that are numbers; NaN when none is. */
export function summarize(all: readonly number[]): Summary {
  const values = all.filter((value) => !Number.isNaN(value));
  if (values.length === 0) return { mean: Number.NaN, sd: 0 };
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, sd: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Median seconds of `repeats` calls after `warmUp` that do not count. */
export function medianSeconds(body: () => void, repeats = 7, warmUp = 3): number {
  for (let i = 0; i < warmUp; i++) body();
  return median(
    Array.from({ length: repeats }, () => {
      const start = performance.now();
      body();
      return (performance.now() - start) / 1000;
    }),
  );
}
