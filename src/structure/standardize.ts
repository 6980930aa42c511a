// Standardisation of feature tables.

/** Mean and standard deviation of each column. */
export interface ColumnStatistics {
  /** Mean of each column. */
  readonly means: Float32Array;
  /** 1 for a constant column. */
  readonly deviations: Float32Array;
}

/**
 * Standardises each column of a row-major table [n, width] to mean 0 and standard deviation 1, in
 * place; constant columns become 0.
 *
 * @param rows those whose mean and deviation count. Default: all
 * @returns the statistics, for `applyStatistics` to other rows
 */
export function standardizeTable(table: Float32Array, width: number, rows?: Int32Array): ColumnStatistics {
  const own = rows ?? Int32Array.from({ length: table.length / width }, (_, row) => row);
  const means = new Float32Array(width);
  const deviations = new Float32Array(width);
  for (let j = 0; j < width; j++) {
    const mean = own.reduce((total, row) => total + (table[row * width + j] as number), 0) / own.length;
    const squares = own.reduce((total, row) => total + ((table[row * width + j] as number) - mean) ** 2, 0);
    means[j] = mean;
    deviations[j] = Math.sqrt(squares / own.length) || 1;
  }
  const statistics = { means, deviations };
  applyStatistics(table, statistics);
  return statistics;
}

/** Subtracts means and divides by deviations, in place. */
export function applyStatistics(table: Float32Array, { means, deviations }: ColumnStatistics): void {
  const width = means.length;
  table.forEach((value, at) => {
    table[at] = (value - (means[at % width] as number)) / (deviations[at % width] as number);
  });
}
