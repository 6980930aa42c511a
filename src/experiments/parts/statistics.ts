// Statistics over seeds.

export interface Summary {
  readonly mean: number;
  /** Sample standard deviation; 0 for one value. */
  readonly sd: number;
}

/** Mean and deviation of the defined values; NaN when there is none. */
export function summarize(all: readonly number[]): Summary {
  const values = all.filter((value) => !Number.isNaN(value));
  if (values.length === 0) return { mean: Number.NaN, sd: 0 };
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, sd: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}
