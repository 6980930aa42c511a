// Tests that colour ordered pairs of nodes: the subgraph Weisfeiler-Lehman tests (SWL), of which
// pair (u, v) is node v in the subgraph with root u, and the folklore tests of dimension 2.

import type { GraphCollection } from '../../structure/index.js';
import type { Aggregation } from '../dense/aggregations.js';
import {
  type Colours,
  elementHashes,
  emptyHashes,
  type Hashes,
  MultisetHash,
  type Round,
  SequenceHash,
} from './colours.js';

/** Labels that tests start from. */
export interface Labels {
  /** Label of each node, a number from 0; all the same when left out. */
  readonly nodes?: ArrayLike<number> | undefined;
  /** Label of each edge, a number from 0; all the same when left out. */
  readonly edges?: ArrayLike<number> | undefined;
}

/** Where the pairs of each graph start: [graphs + 1]. */
export function pairOffsets({ nodes }: GraphCollection): Float64Array {
  const offsets = new Float64Array(nodes.count + 1);
  for (let g = 0; g < nodes.count; g++)
    offsets[g + 1] = (offsets[g] as number) + ((nodes.offsets[g + 1] as number) - (nodes.offsets[g] as number)) ** 2;
  return offsets;
}

/** Calls `visit` with each graph: its first node, its nodes, its first pair. */
function eachGraph(graphs: GraphCollection, visit: (first: number, n: number, start: number) => void): void {
  const { offsets } = graphs.nodes;
  let start = 0;
  for (let g = 0; g < graphs.count; g++) {
    const first = offsets[g] as number;
    const n = (offsets[g + 1] as number) - first;
    visit(first, n, start);
    start += n * n;
  }
}

/**
 * First colours χ(u, v) = hash(label of u, label of v, [u = v]); with `adjacent` also the label of
 * the edge of u and v, if there is one.
 */
export function initialPairs(graphs: GraphCollection, { nodes, edges }: Labels, adjacent: boolean): Hashes {
  const { indptr, indices, edgeOf } = graphs.neighbours;
  const pairs = pairOffsets(graphs);
  const hashes = emptyHashes(pairs[graphs.count] as number);
  const hash = new SequenceHash();
  const label = (node: number) => nodes?.[node] ?? 0;
  eachGraph(graphs, (first, n, start) => {
    const between = new Int32Array(n);
    for (let u = 0; u < n; u++) {
      between.fill(0);
      if (adjacent)
        for (let e = indptr[first + u] as number; e < (indptr[first + u + 1] as number); e++)
          between[(indices[e] as number) - first] = 1 + (edges?.[edgeOf[e] as number] ?? 0);
      for (let v = 0; v < n; v++)
        hash
          .start(Number(u === v))
          .add(label(first + u))
          .add(label(first + v))
          .add(between[v] as number)
          .store(hashes, start + u * n + v);
    }
  });
  return hashes;
}

/** χ(u, v) ← hash(χ(u, v), what each aggregation delivers); messages know their edges' labels. */
export function subgraphRound(graphs: GraphCollection, list: readonly Aggregation[], edges: Labels['edges']): Round {
  const { indptr, indices, edgeOf } = graphs.neighbours;
  const has = new Set(list);
  const labels = edges ? 1 + Array.from(edges).reduce((most, label) => Math.max(most, label), 0) : 1;
  return ({ of, count }: Colours, next: Hashes) => {
    const elements = elementHashes(count * labels);
    const sum = new MultisetHash();
    const hash = new SequenceHash();
    const take = () => hash.add(sum.low).add(sum.high);
    /** Messages of the neighbours of `anchor`, whose pairs are at `from + step·w`. */
    const neighbours = (anchor: number, first: number, from: number, step: number) => {
      sum.clear();
      for (let e = indptr[anchor] as number; e < (indptr[anchor + 1] as number); e++) {
        const colour = of[from + step * ((indices[e] as number) - first)] as number;
        sum.add(elements, colour * labels + (edges ? (edges[edgeOf[e] as number] as number) : 0));
      }
      take();
    };
    eachGraph(graphs, (first, n, start) => {
      const lines = emptyHashes(n);
      const columns = emptyHashes(n);
      const total = (target: Hashes, at: number, from: number, step: number) => {
        sum.clear();
        for (let w = 0; w < n; w++) sum.add(elements, (of[from + step * w] as number) * labels);
        target.low[at] = sum.low;
        target.high[at] = sum.high;
      };
      for (let u = 0; u < n; u++) {
        if (has.has('uG')) total(lines, u, start + u * n, 1);
        if (has.has('vG')) total(columns, u, start + u, n);
      }
      for (let u = 0; u < n; u++)
        for (let v = 0; v < n; v++) {
          const own = start + u * n + v;
          hash.start(of[own] as number);
          if (has.has('vu')) hash.add(of[start + v * n + u] as number);
          if (has.has('uu')) hash.add(of[start + u * n + u] as number);
          if (has.has('vv')) hash.add(of[start + v * n + v] as number);
          if (has.has('uG')) hash.add(lines.low[u] as number).add(lines.high[u] as number);
          if (has.has('vG')) hash.add(columns.low[v] as number).add(columns.high[v] as number);
          if (has.has('uL')) neighbours(first + v, first, start + u * n, 1);
          if (has.has('vL')) neighbours(first + u, first, start + v, n);
          hash.store(next, own);
        }
    });
  };
}

/**
 * χ(u, v) ← hash(χ(u, v), {{(χ(u, w), χ(w, v))}}) over the neighbours w of v (`local`), over those
 * of u or v (`symmetric`), or over all nodes (`all`).
 */
export function folkloreRound(graphs: GraphCollection, over: 'local' | 'symmetric' | 'all'): Round {
  const { indptr, indices } = graphs.neighbours;
  return ({ of, count }: Colours, next: Hashes) => {
    const elements = elementHashes(count);
    const sum = new MultisetHash();
    const hash = new SequenceHash();
    eachGraph(graphs, (first, n, start) => {
      const seen = new Int32Array(n).fill(-1);
      for (let u = 0; u < n; u++)
        for (let v = 0; v < n; v++) {
          const own = start + u * n + v;
          sum.clear();
          const take = (w: number) => {
            if (seen[w] === own) return;
            seen[w] = own;
            sum.addPair(elements, of[start + u * n + w] as number, of[start + w * n + v] as number);
          };
          const anchors = over === 'all' ? [] : over === 'local' ? [v] : [u, v];
          for (const anchor of anchors)
            for (let e = indptr[first + anchor] as number; e < (indptr[first + anchor + 1] as number); e++)
              take((indices[e] as number) - first);
          if (over === 'all') for (let w = 0; w < n; w++) take(w);
          hash
            .start(of[own] as number)
            .add(sum.low)
            .add(sum.high)
            .store(next, own);
        }
    });
  };
}

/**
 * Colours of nodes from those of pairs: by `VS` node u gets {{χ(u, v)}} over v, by `SV` node v gets
 * {{χ(u, v)}} over u.
 */
export function pooledNodes(graphs: GraphCollection, { of, count }: Colours, pooling: 'VS' | 'SV'): Hashes {
  const elements = elementHashes(count);
  const nodes = emptyHashes(graphs.nodeCount);
  const sum = new MultisetHash();
  eachGraph(graphs, (first, n, start) => {
    for (let node = 0; node < n; node++) {
      sum.clear();
      for (let other = 0; other < n; other++)
        sum.add(elements, of[start + (pooling === 'VS' ? node * n + other : other * n + node)] as number);
      nodes.low[first + node] = sum.low;
      nodes.high[first + node] = sum.high;
    }
  });
  return nodes;
}
