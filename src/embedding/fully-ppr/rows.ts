// Sparse rows of counts: for each source, the nodes at which its walks ended.

/** Estimated personalised PageRank in compressed sparse rows of counts. */
export interface PageRankRows {
  /** Source of each row. */
  readonly sources: Int32Array;
  /** Row i holds entries indptr[i] … indptr[i + 1] − 1. */
  readonly indptr: Int32Array;
  /** End node of each entry, ascending within a row. */
  readonly targets: Int32Array;
  /** Number of walks that ended there. */
  readonly counts: Int32Array;
  /** Walks from each source: π̂ = counts / walks. */
  readonly walks: number;
}

/** 0, 1, …, n − 1: every node as a source. */
export function allNodes(n: number): Int32Array {
  const nodes = new Int32Array(n);
  for (let v = 0; v < n; v++) nodes[v] = v;
  return nodes;
}

/** Rows from the ends of walks, [sources, walks], sorted within each row. */
export function rowsFromEnds(sources: Int32Array, ends: Int32Array, walks: number): PageRankRows {
  const indptr = new Int32Array(sources.length + 1);
  const targets = new Int32Array(ends.length);
  const counts = new Int32Array(ends.length);
  let at = 0;
  for (let i = 0; i < sources.length; i++) {
    for (let j = i * walks; j < (i + 1) * walks; at++) {
      const end = ends[j] as number;
      let next = j + 1;
      while (next < (i + 1) * walks && ends[next] === end) next += 1;
      targets[at] = end;
      counts[at] = next - j;
      j = next;
    }
    indptr[i + 1] = at;
  }
  return { sources, indptr, targets: targets.slice(0, at), counts: counts.slice(0, at), walks };
}

/**
 * The k nodes with the highest π̂ in row i, in descending order; ties in ascending order of the
 * node.
 */
export function topTargets(
  { indptr, targets, counts, walks }: PageRankRows,
  i: number,
  k: number,
): { node: number; score: number }[] {
  const entries = Array.from(
    { length: (indptr[i + 1] as number) - (indptr[i] as number) },
    (_, j) => (indptr[i] as number) + j,
  );
  return entries
    .sort((a, b) => (counts[b] as number) - (counts[a] as number) || (targets[a] as number) - (targets[b] as number))
    .slice(0, k)
    .map((e) => ({ node: targets[e] as number, score: (counts[e] as number) / walks }));
}
