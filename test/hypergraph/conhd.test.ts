import { describe, expect, test } from 'vitest';
import * as h from '../../src/hypergraph/index.js';
import { solve } from '../../src/linalg/index.js';
import { crossEntropy, gradientsOf, inference, parameters, withWeights } from '../../src/nn/index.js';
import { type Grouping, IncidenceList } from '../../src/structure/index.js';
import { concatenate, eye, Random, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';
import { rowsOf } from './incidences.js';

// A vertex stands twice in the first hyperedge; vertex 5 is in none.
const lists = [[0, 1, 0, 2], [2], [1, 3, 4], [4, 0]];
const incidences = IncidenceList.fromLists(6, lists);
const nnz = incidences.count;
const features = uniformTensor(1, [6, 5]);
const positions = h.rankPositions(incidences);

describe('CoNHD', () => {
  const make = (options: h.CoNHDOptions = {}) =>
    new h.CoNHD(5, 3, new Random(3), { hidden: 8, positions: 4, ...options });

  test.each([
    {},
    { diffusion: 'admm' },
    { block: 'induced' },
    { block: 'pairs' },
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

  test('attends to positions with weights of its own on each side', () => {
    const network = make({ layers: 1 });
    const logits = network.forward({ features, incidences, positions }, inference).dataSync();
    for (const side of ['withinHyperedge', 'withinVertex']) {
      const weights = { [`${side}.position.weight`]: uniformTensor(11, [8, 4]) };
      const changed = withWeights(network, { ...parameters(network), ...weights }, (live) =>
        live.forward({ features, incidences, positions }, inference),
      );
      expect(changed.dataSync()).not.toEqual(logits);
    }
    expect(() => network.forward({ features, incidences }, inference)).toThrow('the input has none');
  });

  test('one layer is W_u [h ‖ φ(H_e) ‖ ϕ(H_v) ‖ h⁰] of the parts', () => {
    const network = make({ layers: 1, positions: 0, depth: 1 });
    const h0 = network.input.forward(features, 'relu').gatherRows(incidences.byVertex.ids);
    const block = (side: 'withinHyperedge' | 'withinVertex') =>
      (network[side] as unknown as { readonly blocks: readonly h.SetFunction[] }).blocks[0] as h.SetFunction;
    const m = block('withinHyperedge').forward(h0, incidences.byHyperedge);
    const n = block('withinVertex').forward(h0, incidences.byVertex);
    const expected = network.update.forward(concatenate([h0, m, n, h0], 1));
    expectClose(network.hidden({ features, incidences }, inference).view(), expected.view(), 1e-5);
  });

  test('the aggregated twin gives the members of a set one message', () => {
    const network = make({ layers: 1, aggregated: true });
    const x = uniformTensor(12, [nnz, 8]);
    const out = rowsOf(network.withinHyperedge.forward(x, incidences.byHyperedge, positions, inference));
    for (const row of [1, 2, 3]) expectClose(out[row] as number[], out[0] as number[]);
    const free = make({ layers: 1 }).withinHyperedge.forward(x, incidences.byHyperedge, positions, inference);
    expect(rowsOf(free)[1]).not.toEqual(rowsOf(free)[0]);
  });

  test('scores vertices and hyperedges by the means of their representations', () => {
    const network = make();
    const input = { features, incidences, positions };
    const hidden = rowsOf(network.hidden(input, inference));
    const mean = (rows: number[]) =>
      hidden[0]?.map((_, j) => rows.reduce((t, i) => t + (hidden[i]?.[j] as number), 0) / rows.length) as number[];
    const scored = (rows: number[]) => network.scorer.forward(tensor([mean(rows)])).view();
    expectClose(rowsOf(network.scores(input, 'vertex', inference))[0] as number[], scored([0, 2, 9]));
    expectClose(rowsOf(network.scores(input, 'hyperedge', inference))[2] as number[], scored([5, 6, 7]));
  });
});

describe('the diffusion view: with the exact operators as φ and ϕ', () => {
  // min ½‖h − a‖² + λ/2·Σ_e Σ‖h − mean_e‖² + γ/2·Σ_v Σ‖h − mean_v‖²
  const [lambda, gamma, rate] = [0.7, 0.4, 0.3];
  const x = uniformTensor(6, [6, 2], 0.1, 1);
  const input = { features: x, incidences };

  /** A network whose h⁰ is x at each vertex, with given operators and shares of the update. */
  function exact(
    diffusion: 'gd' | 'admm',
    layers: number,
    operator: (y: Tensor, sets: Grouping, weight: number) => Tensor,
    shares: readonly number[],
  ) {
    const network = new h.CoNHD(2, 2, new Random(0), { hidden: 2, layers, diffusion });
    const side = (weight: number) => ({ forward: (y: Tensor, sets: Grouping) => operator(y, sets, weight) });
    Object.assign(network, { withinHyperedge: side(lambda), withinVertex: side(gamma) });
    network.input.weight.assign(eye(2));
    network.input.bias?.assign(zeros([2]));
    network.update.weight.assign(
      concatenate(
        shares.map((share) => eye(2).multiply(share)),
        1,
      ),
    );
    network.update.bias?.assign(zeros([2]));
    return network;
  }

  const a = x.gatherRows(incidences.byVertex.ids);
  const identity = eye(nnz);
  const system = identity
    .add(h.cliqueGradient(identity, incidences.byHyperedge).multiply(lambda))
    .add(h.cliqueGradient(identity, incidences.byVertex).multiply(gamma));
  const solution = solve(system, a);
  const gradientSteps = (layers: number) =>
    exact('gd', layers, (y, sets) => h.cliqueGradient(y, sets), [1 - rate, -rate * lambda, -rate * gamma, rate]);

  test('a GD layer is an explicit step, and many reach the closed form', () => {
    const m = h.cliqueGradient(a, incidences.byHyperedge).multiply(lambda);
    const n = h.cliqueGradient(a, incidences.byVertex).multiply(gamma);
    expectClose(gradientSteps(1).hidden(input, inference).view(), a.subtract(m.add(n).multiply(rate)).view(), 1e-5);
    expectClose(gradientSteps(100).hidden(input, inference).view(), solution.view(), 1e-4);
  });

  test('ADMM with proximal maps reaches it in 50 steps', () => {
    const network = exact('admm', 50, h.cliqueProximal, [1 / 3, 1 / 3, 1 / 3]);
    expectClose(network.hidden(input, inference).view(), solution.view(), 1e-4);
  });
});

describe('networks on incidences', () => {
  const width = { hidden: 8, dropout: 0, positions: 4 };
  // A ring of hyperedges, so that neighbourhoods end before the hypergraph does.
  const ring = IncidenceList.fromLists(
    20,
    Array.from({ length: 20 }, (_, e) => [e, (e + 1) % 20, ...(e % 3 === 0 ? [e] : [])]),
  );
  const input = { features: uniformTensor(21, [20, 5]), incidences: ring, positions: h.rankPositions(ring) };
  const labels = Int32Array.from({ length: ring.count }, (_, i) => i % 3);
  const train = Int32Array.from({ length: ring.count }, (_, i) => i).filter((i) => i % 5 !== 4);
  const data = { ...input, labels, classes: 3, train, validation: train };
  const vertexNetworks = ['hgnn', 'hnhn', 'unigcnii', 'allset', 'edhnn'] as const;
  const networks: Readonly<Record<string, h.IncidenceNetwork & object>> = {
    'CoNHD, 1 layer': new h.CoNHD(5, 3, new Random(3), { ...width, layers: 1 }),
    'CoNHD, 2 layers': new h.CoNHD(5, 3, new Random(3), { ...width, layers: 2 }),
    'CoNHD, 3 layers': new h.CoNHD(5, 3, new Random(3), { ...width, layers: 3 }),
    'CoNHD, ADMM': new h.CoNHD(5, 3, new Random(3), { ...width, layers: 2, diffusion: 'admm' }),
    MLP: new h.IncidenceMLP(5, 3, new Random(3), width),
    WHATsNet: new h.WhatsNet(5, 3, new Random(3), { ...width, layers: 1 }),
    ...Object.fromEntries(
      vertexNetworks.map((kind) => [
        kind,
        new h.VertexIncidenceNetwork(kind, 5, 3, new Random(3), { ...width, layers: 2 }),
      ]),
    ),
  };
  const hyperedges = Int32Array.of(3, 4, 11);
  const rowsOfHyperedges = Array.from(ring.hyperedges.ids.view().keys()).filter((i) =>
    hyperedges.includes(ring.hyperedges.ids.view()[i] as number),
  );

  test.each(Object.entries(networks))('%s: a batch without a cap has the logits of the whole', (_, network) => {
    const whole = rowsOf(network.forward(input, inference));
    const batches = new h.IncidenceBatches(data, network.reach, 3, Number.POSITIVE_INFINITY);
    const batch = batches.batch(hyperedges, new Random(1));
    const own = rowsOf(network.forward(batch.input, inference));
    expect(own.length).toBe(rowsOfHyperedges.length);
    own.forEach((row, i) => {
      expectClose(row, whole[rowsOfHyperedges[i] as number] as number[], 1e-5);
    });
  });

  test('the gradient of a batch is that of its hyperedges in the whole', () => {
    const network = networks['CoNHD, 2 layers'] as h.CoNHD;
    const batch = new h.IncidenceBatches(data, network.reach, 3, Number.POSITIVE_INFINITY).batch(
      hyperedges,
      new Random(1),
    );
    const trained = rowsOfHyperedges.filter((i) => train.includes(i));
    const classes = tensor(Int32Array.from(trained, (i) => labels[i] as number));
    expect([...batch.classes.view()]).toEqual([...classes.view()]);
    const ofBatch = gradientsOf(network, (live) =>
      crossEntropy(live.forward(batch.input, inference).gatherRows(batch.labelled), batch.classes),
    ).gradients;
    const ofWhole = gradientsOf(network, (live) =>
      crossEntropy(live.forward(input, inference).gatherRows(tensor(Int32Array.from(trained))), classes),
    ).gradients;
    for (const [name, gradient] of Object.entries(ofWhole))
      expectClose(ofBatch[name]?.view() ?? [], gradient.view(), 1e-5);
  });

  test('unlabelled and test incidences never reach the loss', () => {
    const batches = new h.IncidenceBatches(data, 1, 4, 40);
    for (const { labelled, classes, input: own } of batches.draw(new Random(5), 12)) {
      expect(labelled.size).toBeLessThan(own.asked?.size as number);
      expect(classes.size).toBe(labelled.size);
    }
    const poisoned = { ...data, labels: labels.map((label, i) => (train.includes(i) ? label : 99)) };
    for (const { classes } of new h.IncidenceBatches(poisoned, 1, 4, 40).draw(new Random(5), 12))
      expect(Math.max(...classes.view())).toBeLessThan(3);
  });

  test('the validation score is that of validation incidences alone', () => {
    const network = networks.MLP as h.IncidenceNetwork;
    const validation = Int32Array.of(1, 2, 5, 9);
    const changed = labels.map((label, i) => (validation.includes(i) ? label : (label + 1) % 3));
    const score = (own: Int32Array) => h.validationScore(network, { ...data, labels: own, validation });
    expect(score(changed)).toBe(score(labels));
    expect(score(labels)).toBeLessThan(1);
  });

  test('CoNHD says when a batch was sampled for another depth', () => {
    const batch = new h.IncidenceBatches(data, 1, 3, 40).batch(hyperedges, new Random(1));
    expect(() => (networks['CoNHD, 2 layers'] as h.CoNHD).forward(batch.input, inference)).toThrow('1 levels');
  });

  test('every network learns the labels of a small hypergraph', async () => {
    for (const name of ['CoNHD, 1 layer', 'WHATsNet', 'edhnn']) {
      const network = networks[name] as h.IncidenceNetwork & object;
      const before = h.validationScore(network, data);
      await h.trainIncidences(network, data, new Random(8), { epochs: 15, batch: 5, learningRate: 1e-2 });
      expect(h.validationScore(network, data)).toBeGreaterThan(before + 0.1);
    }
  }, 30_000);
});

test('ranks: equal values share one, over the size of the hyperedge', () => {
  // Vertex 0 has degree 2 in hyperedges (counted once in the first), as has 1, 2 and 4; 3 has 1.
  const degreeRanks = rowsOf(positions).map((row) => row[0]);
  expectClose(degreeRanks.slice(0, 4) as number[], [1 / 4, 1 / 4, 1 / 4, 1 / 4]);
  expectClose(degreeRanks.slice(5, 8) as number[], [2 / 3, 1 / 3, 2 / 3]);
});
