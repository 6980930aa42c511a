import { describe, expect, test } from 'vitest';
import { incidencesFromArrays, incidencesFromLines, roleDataset } from '../../src/data/index.js';
import * as h from '../../src/hypergraph/index.js';
import { solve } from '../../src/linalg/index.js';
import { accuracy, inference, parameters, predictedClasses, withWeights } from '../../src/nn/index.js';
import { IncidenceList } from '../../src/structure/index.js';
import { eye, keep, Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

// A vertex stands twice in the first hyperedge; vertex 5 is in none.
const lists = [[0, 1, 0, 2], [2], [1, 3, 4], [4, 0]];
const incidences = IncidenceList.fromLists(6, lists);
const nnz = incidences.count;
const features = uniformTensor(1, [6, 5]);
const positions = h.rankPositions(incidences);
const blocks = {
  mean: () => new h.MeanBlock(8, new Random(1)),
  attention: () => new h.InducedAttentionBlock(8, new Random(1)),
};

const rowsOf = (x: Tensor) =>
  Array.from({ length: x.shape[0] as number }, (_, i) => [
    ...x.view().subarray(i * (x.shape[1] as number), (i + 1) * (x.shape[1] as number)),
  ]);

describe.each(['mean', 'attention'] as const)('%s block', (kind) => {
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

test('attention without inducing detours equals dense loops', () => {
  const block = blocks.attention();
  const x = uniformTensor(5, [4, 8]);
  const single = IncidenceList.fromLists(4, [[0, 1, 2, 3]]).byHyperedge;
  const [heads, d] = [4, 2];
  /** MAB(Q, K) by loops. */
  const mab = (weights: typeof block.first, q: Tensor, k: Tensor) => {
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
  };
  const expected = mab(block.second, x, mab(block.first, block.inducing, x));
  expectClose(block.forward(x, single).view(), expected.view(), 1e-5);
});

describe('CoNHD', () => {
  const make = (options: h.CoNHDOptions = {}) =>
    new h.CoNHD(5, 3, new Random(3), { hidden: 8, positions: 4, ...options });

  test.each([
    {},
    { diffusion: 'admm' },
    { block: 'attention' },
    { aggregated: true },
    { layerNorm: true },
  ] as h.CoNHDOptions[])('permuted members permute the logits, renamed vertices leave them: %o', (options) => {
    const network = make(options);
    const logits = rowsOf(network.forward({ features, incidences, positions }, inference));
    // Members of the third hyperedge turned round, vertices renumbered v → 5 − v.
    const turned = IncidenceList.fromLists(
      6,
      [[0, 1, 0, 2], [2], [4, 3, 1], [4, 0]].map((members) => members.map((v) => 5 - v)),
    );
    const order = [0, 1, 2, 3, 4, 7, 6, 5, 8, 9];
    const flipped = features.gatherRows(tensor(Int32Array.of(5, 4, 3, 2, 1, 0)));
    const again = rowsOf(
      network.forward(
        { features: flipped, incidences: turned, positions: positions.gatherRows(tensor(Int32Array.from(order))) },
        inference,
      ),
    );
    for (const [to, from] of order.entries()) expectClose(again[to] as number[], logits[from] as number[], 1e-4);
  });

  test('gradients by finite differences', () => {
    const network = make({ layers: 1, depth: 1 });
    const weights = parameters(network);
    const names = ['input.weight', 'update.weight', 'withinVertex.position.weight'];
    checkGradient(
      (...values) =>
        withWeights(network, Object.fromEntries(names.map((name, i) => [name, values[i] as Tensor])), (live) =>
          live.forward({ features, incidences, positions }, inference),
        ),
      names.map((name) => weights[name] as Tensor),
      { second: false, step: 1e-3, tolerance: 5e-2 },
    );
  });

  test('with clique gradients as φ and ϕ, steps descend the quadratic objective to its closed form', () => {
    // min ½‖h − a‖² + λ/2·Σ_e Σ‖h − mean_e‖² + γ/2·Σ_v Σ‖h − mean_v‖²
    const [lambda, gamma, rate] = [0.7, 0.4, 0.3];
    const a = uniformTensor(6, [nnz, 2]);
    let x = a;
    for (let step = 0; step < 500; step++) {
      const gradient = x
        .subtract(a)
        .add(h.cliqueGradient(x, incidences.byHyperedge).multiply(lambda))
        .add(h.cliqueGradient(x, incidences.byVertex).multiply(gamma));
      x = x.subtract(gradient.multiply(rate));
    }
    const identity = eye(nnz);
    const system = identity
      .add(h.cliqueGradient(identity, incidences.byHyperedge).multiply(lambda))
      .add(h.cliqueGradient(identity, incidences.byVertex).multiply(gamma));
    expectClose(x.view(), solve(system, a).view(), 1e-4);
  });

  test('finds roles that vertices alone do not tell', async () => {
    const random = new Random(0);
    const data = roleDataset(random.split('data'), { vertices: 300, hyperedges: 450 });
    const labelled = { ...data, ...data.split, features: keep(tensor(data.features, [300, data.width])) };
    const tested = (network: h.IncidenceNetwork) =>
      100 * accuracy(predictedClasses(network.forward(labelled, inference)), data.labels, data.split.test);
    const [mlp, conhd] = [
      new h.IncidenceMLP(data.width, 3, random.split('mlp'), { hidden: 32 }),
      new h.CoNHD(data.width, 3, random.split('conhd'), { hidden: 32, dropout: 0.2 }),
    ];
    for (const network of [mlp, conhd])
      await h.trainIncidences(network as h.IncidenceNetwork & object, labelled, random, { epochs: 60 });
    expect(tested(conhd)).toBeGreaterThan(tested(mlp) + 6);
  }, 60_000);
});

test('ranks: equal values share one, over the size of the hyperedge', () => {
  // Vertex 0 has degree 2 in hyperedges (counted once in the first), as has 1, 2 and 4; 3 has 1.
  const degreeRanks = rowsOf(positions).map((row) => row[0]);
  expectClose(degreeRanks.slice(0, 4) as number[], [1 / 4, 1 / 4, 1 / 4, 1 / 4]);
  expectClose(degreeRanks.slice(5, 8) as number[], [2 / 3, 1 / 3, 2 / 3]);
});

test('tables of one’s own: lines of vertices and of labels, misfits named', () => {
  const data = incidencesFromLines('a\tb\tc\nb\td\n', '0\t1\t1\n0\t1\n', 'mine', new Random(1));
  expect(data.incidences.count).toBe(5);
  expect(data.vertexNames).toEqual(['a', 'b', 'c', 'd']);
  expect(() => incidencesFromLines('a\tb\n', '0\n', 'mine', new Random(1))).toThrow('line 1: 2 vertices and 1 labels');
  expect(() => incidencesFromLines('a\tb\nc\td\n', '0\t1\n', 'mine', new Random(1))).toThrow(
    '2 hyperedges and 1 lines of labels',
  );
  expect(() => incidencesFromArrays({}, 'mine')).toThrow('array "he_indices" is missing');
});
