// The linear assignment problem: one column for each row of a square matrix, at the least total
// cost (Kuhn 1955), by shortest augmenting paths with potentials (Jonker & Volgenant 1987).

/** How an assignment weighs its matrix. */
export interface AssignmentOptions {
  /** Whether the total is to be the largest rather than the least. Default: false. */
  readonly maximise?: boolean;
  /** Called after each row with the share of the rows that have a column. */
  readonly onProgress?: (share: number) => void;
}

/**
 * The columns π(0) … π(n − 1), each taken once, that minimise Σᵢ cost[i, π(i)]. Time O(n³), memory
 * O(n) beside the matrix.
 *
 * @param cost row-major [n, n]
 * @throws Error when there are not n² finite values.
 */
export function linearAssignment(
  cost: ArrayLike<number>,
  n: number,
  { maximise = false, onProgress }: AssignmentOptions = {},
): Int32Array {
  if (cost.length !== n * n) throw new Error(`linearAssignment: expected ${n}×${n} values, got ${cost.length}`);
  for (let i = 0; i < cost.length; i++)
    if (!Number.isFinite(cost[i])) throw new Error(`linearAssignment: element ${i} is ${cost[i]}`);
  const sign = maximise ? -1 : 1;
  // Potentials of rows and columns; column n stands for the row that looks for one.
  const [ofRow, ofColumn] = [new Float64Array(n), new Float64Array(n + 1)];
  const rowOf = new Int32Array(n + 1).fill(-1);
  const [slack, before, visited] = [new Float64Array(n), new Int32Array(n), new Uint8Array(n + 1)];
  for (let start = 0; start < n; start++) {
    rowOf[n] = start;
    slack.fill(Number.POSITIVE_INFINITY);
    visited.fill(0);
    let column = n;
    while (rowOf[column] !== -1) {
      visited[column] = 1;
      const row = rowOf[column] as number;
      const [at, potential] = [row * n, ofRow[row] as number];
      let [least, next] = [Number.POSITIVE_INFINITY, -1];
      for (let j = 0; j < n; j++) {
        if (visited[j]) continue;
        const reduced = sign * (cost[at + j] as number) - potential - (ofColumn[j] as number);
        if (reduced < (slack[j] as number)) {
          slack[j] = reduced;
          before[j] = column;
        }
        if ((slack[j] as number) < least) [least, next] = [slack[j] as number, j];
      }
      for (let j = 0; j <= n; j++)
        if (visited[j]) {
          const taken = rowOf[j] as number;
          ofRow[taken] = (ofRow[taken] as number) + least;
          ofColumn[j] = (ofColumn[j] as number) - least;
        } else if (j < n) slack[j] = (slack[j] as number) - least;
      column = next;
    }
    while (column !== n) {
      const previous = before[column] as number;
      rowOf[column] = rowOf[previous] as number;
      column = previous;
    }
    onProgress?.((start + 1) / n);
  }
  const assigned = new Int32Array(n);
  for (let j = 0; j < n; j++) assigned[rowOf[j] as number] = j;
  return assigned;
}
