import { describe, expect, test } from 'vitest';
import * as h from '../../src/hypergraph/index.js';
import { IncidenceList } from '../../src/structure/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';
import { rowsOf } from './incidences.js';

// A vertex stands twice in the first hyperedge; vertex 5 is in none.
const incidences = IncidenceList.fromLists(6, [[0, 1, 0, 2], [2], [1, 3, 4], [4, 0]]);
const nnz = incidences.count;
const blocks = {
  mean: () => new h.MeanBlock(8, new Random(1)),
  induced: () => new h.InducedAttentionBlock(8, new Random(1)),
  pairs: () => new h.PairAttentionBlock(8, new Random(1)),
};

describe.each(['mean', 'induced', 'pairs'] as const)('%s block', (kind) => {
  const block = blocks[kind]();
  const x = uniformTensor(2, [nnz, 8]);

  test('works set by set: each alone gives the same', () => {
    for (const grouping of [incidences.byHyperedge, incidences.byVertex]) {
      const whole = rowsOf(block.forward(x, grouping));
      const { indptr, indices } = grouping.pattern;
      for (let set = 0; set < grouping.count; set++) {
        const members = indices.subarray(indptr[set], indptr[set + 1]);
        if (members.length === 0) continue;
        const own = x.gatherRows(tensor(members));
        const single = IncidenceList.fromLists(members.length, [Array.from(members.keys())]).byHyperedge;
        const alone = rowsOf(block.forward(own, single));
        for (const [i, row] of members.entries()) expectClose(whole[row] as number[], alone[i] as number[], 1e-5);
      }
    }
  });

  test('is equivariant: permuted members give permuted outputs', () => {
    const single = IncidenceList.fromLists(5, [[0, 1, 2, 3, 4]]).byHyperedge;
    const own = uniformTensor(3, [5, 8]);
    const order = tensor(Int32Array.of(3, 0, 4, 1, 2));
    expectClose(
      block.forward(own.gatherRows(order), single).view(),
      block.forward(own, single).gatherRows(order).view(),
      1e-5,
    );
  });
});

test('a mean block on a singleton is MLP₂([x ‖ MLP₁(x)])', () => {
  const block = blocks.mean();
  const x = uniformTensor(4, [1, 8]);
  const single = IncidenceList.fromLists(1, [[0]]).byHyperedge;
  const message = block.message[1].forward(block.message[0].forward(x, 'relu'));
  const expected = block.output.forward(block.own.forward(x).add(block.mean.forward(message)).relu());
  expectClose(block.forward(x, single).view(), expected.view());
});

/** MAB(Q, K) of one set by loops, with four heads of width 2. */
function mab(weights: h.AttentionBlock, q: Tensor, k: Tensor): Tensor {
  const [heads, d] = [4, 2];
  const [queries, keys, values] = [weights.query.forward(q), weights.key.forward(k), weights.value.forward(k)].map(
    rowsOf,
  ) as [number[][], number[][], number[][]];
  const o = queries.map((query) =>
    Array.from({ length: heads }, (_, head) => {
      const part = (row: number[]) => row.slice(head * d, head * d + d);
      const scores = keys.map((key) =>
        Math.exp(part(query).reduce((total, value, j) => total + value * (part(key)[j] as number), 0) / Math.sqrt(8)),
      );
      const total = scores.reduce((a, b) => a + b, 0);
      return part(query).map(
        (value, j) =>
          value +
          scores.reduce((sum, score, i) => sum + (score / total) * (part(values[i] as number[])[j] as number), 0),
      );
    }).flat(),
  );
  const out = tensor(o);
  return out.add(weights.output.forward(out, 'relu'));
}

describe('attention blocks equal dense loops', () => {
  const x = uniformTensor(5, [4, 8]);
  const single = IncidenceList.fromLists(4, [[0, 1, 2, 3]]).byHyperedge;

  test('ISAB is MAB(X, MAB(I, X))', () => {
    const block = blocks.induced();
    expectClose(
      block.forward(x, single).view(),
      mab(block.second, x, mab(block.first, block.inducing, x)).view(),
      1e-5,
    );
  });

  test('SAB is MAB(X, X)', () => {
    const block = blocks.pairs();
    expectClose(block.forward(x, single).view(), mab(block.attention, x, x).view(), 1e-5);
  });

  test('heads must divide the features', () => {
    expect(() => new h.AttentionBlock(6, new Random(1))).toThrow('6 features do not divide into 4 heads');
  });
});

test('sets in parts give what all at once give', () => {
  const block = blocks.induced();
  const x = uniformTensor(7, [nnz, 8]);
  for (const sets of [incidences.byHyperedge, incidences.byVertex]) {
    const parts = h.bySetsInParts(sets, 3, 'members', (own, rows) => block.forward(x.gatherRows(rows), own));
    expectClose(parts.view(), block.forward(x, sets).view(), 1e-5);
  }
});
