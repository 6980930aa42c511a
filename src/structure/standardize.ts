// Standardisation of feature tables.

/**
 * Standardises each column of a row-major table [n, width] to mean 0 and standard deviation 1, in
 * place; constant columns become 0.
 */
export function standardizeTable(table: Float32Array, width: number): void {
  const n = table.length / width;
  for (let j = 0; j < width; j++) {
    let [total, squares] = [0, 0];
    for (let at = j; at < table.length; at += width) total += table[at] as number;
    const mean = total / n;
    for (let at = j; at < table.length; at += width) squares += ((table[at] as number) - mean) ** 2;
    const deviation = Math.sqrt(squares / n) || 1;
    for (let at = j; at < table.length; at += width) table[at] = ((table[at] as number) - mean) / deviation;
  }
}
