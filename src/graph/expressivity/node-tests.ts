// Tests that colour nodes: the Weisfeiler-Lehman test, and its forms over distances of all pairs.

import { type GraphCollection, hopDistances, resistanceCodes } from '../../structure/index.js';
import {
  type Colours,
  elementHashes,
  emptyHashes,
  type Hashes,
  MultisetHash,
  type Round,
  SequenceHash,
} from './colours.js';
import { type Labels, pairOffsets } from './pair-tests.js';

/** First colours: the labels of nodes. */
export function initialNodes({ nodeCount }: GraphCollection, { nodes }: Labels): Hashes {
  const hashes = emptyHashes(nodeCount);
  const hash = new SequenceHash();
  for (let node = 0; node < nodeCount; node++) hash.start(nodes?.[node] ?? 0).store(hashes, node);
  return hashes;
}

/** χ(v) ← hash(χ(v), {{χ(w)}} over neighbours w, with the label of their edge). */
export function neighbourRound(graphs: GraphCollection, edges: Labels['edges']): Round {
  const { indptr, indices, edgeOf } = graphs.neighbours;
  const labels = edges ? 1 + Array.from(edges).reduce((most, label) => Math.max(most, label), 0) : 1;
  return ({ of, count }: Colours, next: Hashes) => {
    const elements = elementHashes(count * labels);
    const sum = new MultisetHash();
    const hash = new SequenceHash();
    for (let v = 0; v < graphs.nodeCount; v++) {
      sum.clear();
      for (let e = indptr[v] as number; e < (indptr[v + 1] as number); e++)
        sum.add(
          elements,
          (of[indices[e] as number] as number) * labels + (edges ? (edges[edgeOf[e] as number] as number) : 0),
        );
      hash
        .start(of[v] as number)
        .add(sum.low)
        .add(sum.high)
        .store(next, v);
    }
  };
}

/** A number for each pair of nodes of each graph, equal for equal distances. */
export type PairCodes = Int32Array;

/** Hops of shortest paths, 255 where there is none. */
export function hopCodes(graphs: GraphCollection): PairCodes {
  return pairCodes(graphs, hopDistances);
}

/** Numbers of the resistance distances, the same for equal ones in all graphs. */
export function resistanceNumbers(graphs: GraphCollection): PairCodes {
  const numbers = new Map<number, number>();
  return pairCodes(graphs, (graph) =>
    Int32Array.from(resistanceCodes(graph), (code) => {
      const known = numbers.get(code);
      if (known !== undefined) return known;
      numbers.set(code, numbers.size);
      return numbers.size - 1;
    }),
  );
}

function pairCodes(graphs: GraphCollection, of: (graph: ReturnType<GraphCollection['graph']>) => ArrayLike<number>) {
  const offsets = pairOffsets(graphs);
  const codes = new Int32Array(offsets[graphs.count] as number);
  for (let g = 0; g < graphs.count; g++) codes.set(of(graphs.graph(g)), offsets[g]);
  return codes;
}

/** χ(v) ← hash({{(distance of v and w, χ(w))}} over all nodes w of the graph). */
export function distanceRound(graphs: GraphCollection, codes: PairCodes): Round {
  const most = codes.reduce((largest, code) => Math.max(largest, code), 0);
  const { offsets } = graphs.nodes;
  return ({ of, count }: Colours, next: Hashes) => {
    const elements = elementHashes(Math.max(count, most + 1));
    const sum = new MultisetHash();
    const hash = new SequenceHash();
    let at = 0;
    for (let g = 0; g < graphs.count; g++) {
      const [first, end] = [offsets[g] as number, offsets[g + 1] as number];
      for (let v = first; v < end; v++) {
        sum.clear();
        for (let w = first; w < end; w++, at++) sum.addPair(elements, codes[at] as number, of[w] as number);
        hash
          .start(of[v] as number)
          .add(sum.low)
          .add(sum.high)
          .store(next, v);
      }
    }
  };
}
