import { describe, expect, test } from 'vitest';
import {
  type Aggregation,
  aggregationNames,
  type CellPolicy,
  CellSource,
  cellNumber,
  cellProduct,
  cellTensors,
  type FeaturedGraphs,
  GraphBatches,
  neighbourSum,
  neighbourSumReference,
  outputsOf,
  plusRows,
  type Scheme,
  SubgraphLayer,
  SubgraphNetwork,
  schemeNames,
  schemes,
  sumByIndex,
  testOfScheme,
} from '../../src/graph/index.js';
import { BatchNorm1d, inference, parameters, stateOf, training } from '../../src/nn/index.js';
import {
  cycles,
  erdosRenyi,
  furerBases,
  furerPair,
  Graph,
  GraphCollection,
  graphOfPairs,
  graphOfText,
} from '../../src/structure/index.js';
import { Random, scope, type Tensor, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';
import { PlainNetwork, plainDistances } from './plain-subgraph.js';

const graphs = [
  erdosRenyi(new Random(1), 5, 2.4),
  erdosRenyi(new Random(2), 7, 3),
  graphOfPairs([[0, 1]], 2),
  graphOfPairs([], 1),
  cycles(4),
];
const collection = GraphCollection.of(graphs);

/** Values that differ by name, so that no weight is as another. */
function shake(model: object, seed: number): void {
  for (const [name, x] of Object.entries(stateOf(model))) {
    const random = new Random(seed).split(name);
    const spread = name.endsWith('runningVariance') ? 1 : 0;
    x.assign(Float32Array.from(x.view(), (value) => value + 0.3 * (random.float() - (spread ? 0 : 0.5))));
  }
}

const policies: Readonly<Record<string, CellPolicy>> = {
  'all cells': {},
  'cells within a hop': { hops: 1 },
  'two roots': { roots: 2 },
  'roots left out': { policy: 'deletion' },
  'one copy': { policy: 'plain' },
};

describe('cells', () => {
  test('are all pairs, row after row, with their distances', () => {
    const batch = new CellSource(collection, { cap: 3 }).batch([1, 3]);
    expect(batch.first.length).toBe(50);
    const distances = plainDistances(graphs[1] as Graph, 3);
    for (let u = 0; u < 7; u++)
      for (let v = 0; v < 7; v++) {
        const cell = cellNumber(batch, u, v);
        expect([batch.first[cell], batch.second[cell]]).toEqual([u, v]);
        expect(batch.distances[cell]).toBe(distances[u]?.[v]);
      }
    expect([cellNumber(batch, 7, 7), batch.distances[49]]).toEqual([49, 0]);
  });

  test('are those that a policy leaves', () => {
    const all = [0, 1, 2, 3, 4];
    const distances = graphs.map((graph) => plainDistances(graph, 9));
    const counted = (is: (distance: number) => boolean) => distances.flat(2).filter(is).length;
    expect(new CellSource(collection, { hops: 1 }).batch(all).first.length).toBe(counted((distance) => distance <= 1));
    const deletion = new CellSource(collection, { policy: 'deletion' }).batch(all);
    expect(deletion.first.length).toBe(counted((distance) => distance > 0));
    expect(deletion.distances.every((distance) => distance === 0)).toBe(true);
    expect(cellNumber(deletion, 3, 3)).toBe(-1);
    const sampled = new CellSource(collection, { roots: 2 }).batch(all, new Random(5));
    expect(sampled.first.length).toBe(2 * 5 + 2 * 7 + 2 * 2 + 1 + 2 * 4);
    const other = new CellSource(collection, { roots: 2 }).batch(all, new Random(6));
    expect(other.first).not.toEqual(sampled.first);
    const plain = new CellSource(collection, { policy: 'plain' }).batch(all);
    expect([plain.first.length, plain.rows.size]).toEqual([19, 5]);
    expect(() => new CellSource(collection, { roots: 0 })).toThrow('roots must be a whole number of at least 1, got 0');
  });
});

describe('operations on cells', () => {
  const seeds = { h: 1, e: 2, g: 3 };

  test.each(Object.entries(policies))('sums over neighbours are those of their definition: %s', (_, policy) => {
    const source = new CellSource(collection, policy);
    const batch = source.batch([4, 1, 0, 3, 2], new Random(3));
    for (const d of [1, 3, 8, 21, 32])
      for (const along of policy.policy === 'plain' ? (['second'] as const) : (['second', 'first'] as const))
        for (const withEdges of [false, true])
          scope(() => {
            const cells = cellTensors(batch);
            const h = uniformTensor(seeds.h, [cells.count, d]);
            const e = uniformTensor(seeds.e, [batch.graphs.edgeCount, d]);
            const weights = uniformTensor(seeds.g, [cells.count, d]);
            const of = (sum: typeof neighbourSum) =>
              valueAndGrad((x: Tensor[]) =>
                sum(x[0] as Tensor, x[1] as Tensor, cells, along, withEdges ? x[2] : undefined)
                  .multiply(weights)
                  .sum(),
              )([h, tensor([1.3]), e]);
            const [fast, slow] = [of(neighbourSum), of(neighbourSumReference)];
            expectClose(
              neighbourSum(h, tensor([1.3]), cells, along, withEdges ? e : undefined).view(),
              neighbourSumReference(h, tensor([1.3]), cells, along, withEdges ? e : undefined).view(),
              1e-5,
            );
            fast.gradient.forEach((own, i) => {
              expectClose(own.view(), (slow.gradient[i] as Tensor).view(), 2e-5);
            });
          });
  });

  test('sums over neighbours have second derivatives', () => {
    const batch = new CellSource(GraphCollection.of([graphs[0] as Graph])).batch([0]);
    const cells = cellTensors(batch);
    const h = uniformTensor(4, [cells.count, 2], 0.2, 1);
    const e = uniformTensor(5, [batch.graphs.edgeCount, 2], 0.1, 0.5);
    for (const along of ['first', 'second'] as const)
      checkGradient((x, s, b) => neighbourSum(x, s, cells, along, b), [h, tensor([0.7]), e]);
  });

  test('rows are added by number, nothing for −1', () => {
    const indices = tensor(Int32Array.of(2, -1, 0, 2));
    const [h, x] = [uniformTensor(6, [4, 5]), uniformTensor(7, [3, 5])];
    const y = plusRows(h, tensor([2]), x, indices).view();
    for (let c = 0; c < 5; c++) {
      expect(y[c]).toBeCloseTo(2 * (h.view()[c] as number) + (x.view()[10 + c] as number), 5);
      expect(y[5 + c]).toBeCloseTo(2 * (h.view()[5 + c] as number), 5);
    }
    checkGradient((own, s, other) => plusRows(own, s, other, indices), [h, tensor([2]), x]);
    checkGradient((own) => sumByIndex(own, indices, 3), [h]);
    const sums = sumByIndex(h, indices, 3).view();
    for (let c = 0; c < 5; c++) {
      expect(sums[c]).toBeCloseTo(h.view()[10 + c] as number, 5);
      expect(sums[5 + c]).toBe(0);
      expect(sums[10 + c]).toBeCloseTo((h.view()[c] as number) + (h.view()[15 + c] as number), 5);
    }
  });

  test('products are those of the matrices of each graph and channel', () => {
    const batch = new CellSource(collection).batch([1, 4, 3, 0, 2]);
    const cells = cellTensors(batch);
    for (const d of [1, 3, 4, 10]) {
      const [a, b] = [uniformTensor(8, [cells.count, d]), uniformTensor(9, [cells.count, d])];
      for (const transposeA of [false, true])
        for (const transposeB of [false, true]) {
          const expected = new Float64Array(a.size);
          const { offsets, count } = batch.graphs.nodes;
          for (let g = 0; g < count; g++)
            for (let i = offsets[g] as number; i < (offsets[g + 1] as number); i++)
              for (let j = offsets[g] as number; j < (offsets[g + 1] as number); j++)
                for (let k = offsets[g] as number; k < (offsets[g + 1] as number); k++)
                  for (let c = 0; c < d; c++) {
                    const left = transposeA ? cellNumber(batch, k, i) : cellNumber(batch, i, k);
                    const right = transposeB ? cellNumber(batch, j, k) : cellNumber(batch, k, j);
                    const at = cellNumber(batch, i, j) * d + c;
                    expected[at] =
                      (expected[at] as number) +
                      (a.view()[left * d + c] as number) * (b.view()[right * d + c] as number);
                  }
          expectClose(cellProduct(a, b, cells, { transposeA, transposeB }).view(), expected);
        }
    }
    const one = cellTensors(new CellSource(collection).batch([0, 4]));
    const inputs = [uniformTensor(10, [one.count, 2]), uniformTensor(11, [one.count, 2])];
    for (const transposeA of [false, true])
      for (const transposeB of [false, true])
        checkGradient((a, b) => cellProduct(a, b, one, { transposeA, transposeB }), inputs);
    const part = cellTensors(new CellSource(collection, { hops: 1 }).batch([0]));
    expect(() => cellProduct(uniformTensor(1, [part.count, 1]), uniformTensor(1, [part.count, 1]), part)).toThrow(
      'every graph needs all its cells',
    );
  });
});

describe('batch norm of rows', () => {
  test.each([1, 3, 8, 13, 32])('with a ReLU is that of its definition, %d channels', (d) => {
    const norm = new BatchNorm1d(d);
    shake(norm, 3);
    const before = { mean: norm.runningMean.dataSync(), variance: norm.runningVariance.dataSync() };
    const x = uniformTensor(12, [300, d], 3, 5);
    const y = norm.forward(x, training(new Random(0)), 'relu').view();
    for (let c = 0; c < d; c++) {
      const own = Array.from({ length: 300 }, (_, r) => x.view()[r * d + c] as number);
      const mean = own.reduce((a, b) => a + b) / 300;
      const variance = own.reduce((a, b) => a + (b - mean) ** 2, 0) / 300;
      own.forEach((value, r) => {
        const scaled = ((value - mean) / Math.sqrt(variance + 1e-5)) * (norm.weight.view()[c] as number);
        expect(y[r * d + c]).toBeCloseTo(Math.max(0, scaled + (norm.bias.view()[c] as number)), 4);
      });
      expect(norm.runningMean.view()[c]).toBeCloseTo(0.9 * (before.mean[c] as number) + 0.1 * mean, 5);
      expect(norm.runningVariance.view()[c]).toBeCloseTo(
        0.9 * (before.variance[c] as number) + (0.1 * variance * 300) / 299,
        5,
      );
    }
  });

  test('has its gradients, also second ones', () => {
    for (const activation of ['none', 'relu'] as const) {
      const norm = new BatchNorm1d(5);
      const mode = training(new Random(0));
      checkGradient(
        (x, w, b) => {
          Object.assign(norm, { weight: w, bias: b });
          return norm.forward(x, mode, activation);
        },
        [uniformTensor(13, [7, 5]), uniformTensor(14, [5], 0.5, 1.5), uniformTensor(15, [5], 0.4, 1)],
        { step: 2e-3, tolerance: 3e-2 },
      );
    }
  });
});

/** Random features of nodes and edges, by both ends. */
function featured(graph: Graph, seed: number) {
  const random = new Random(seed);
  const { sources, targets } = graph.edges();
  const nodes = Array.from({ length: graph.nodeCount }, () => [random.float(), random.float()]);
  const bonds = Array.from(sources, () => [random.float() - 0.5, random.float() - 0.5, random.float() - 0.5]);
  const edge = (v: number, w: number) =>
    bonds[sources.findIndex((s, e) => (s === v && targets[e] === w) || (s === w && targets[e] === v))] as number[];
  const input: FeaturedGraphs = {
    graphs: GraphCollection.of([graph]),
    nodes: tensor(nodes.flat(), [graph.nodeCount, 2]),
    edges: tensor(bonds.flat(), [bonds.length, 3]),
  };
  return { input, plain: { graph, nodes, edge } };
}

describe('networks', () => {
  const outputOf = (network: SubgraphNetwork, input: FeaturedGraphs, policy: CellPolicy = {}) => {
    const batches = new GraphBatches(input, policy);
    return outputsOf(
      network,
      batches,
      Int32Array.from({ length: batches.count }, (_, g) => g),
    );
  };

  test.each(aggregationNames.flatMap((name) => [[name], [name, 'uL']]).map((list) => [list.join('+'), list] as const))(
    'a layer of %s is a loop over triples, on cells that are not symmetric',
    (_, list) => {
      for (const pooling of ['VS', 'SV'] as const) {
        const scheme: Scheme = { aggregations: [...new Set(list)] as Aggregation[], pooling };
        const { input, plain } = featured(graphs[0] as Graph, 5);
        const sizes = { nodes: 2, edges: 3, outputs: 2 };
        const network = new SubgraphNetwork(sizes, new Random(1), { scheme, layers: 2, hidden: 5 });
        shake(network, 9);
        const ordered = {
          ...scheme,
          aggregations: aggregationNames.filter((name) => scheme.aggregations.includes(name)),
        };
        expectClose(outputOf(network, input), new PlainNetwork(network, ordered, 2).forward(plain), 2e-5);
      }
    },
  );

  test('agree with the tests: SSWL tells an F5 pair apart, GSWL does not', () => {
    const pair = furerPair(graphOfText(furerBases.F5));
    const difference = (name: 'gswl' | 'sswl' | 'sswl-plus' | 'pswl-sv') => {
      const network = new SubgraphNetwork({ nodes: 0, edges: 0, outputs: 4 }, new Random(3), {
        scheme: name,
        layers: 5,
        hidden: 8,
      });
      const plain = new PlainNetwork(network, schemes[name], 5);
      const [a, b] = pair.map((graph) => plain.forward({ graph })) as [Float64Array, Float64Array];
      return Math.hypot(...a.map((value, i) => value - (b[i] as number))) / Math.hypot(...a);
    };
    expect(difference('sswl')).toBeGreaterThan(1e-6);
    expect(difference('sswl-plus')).toBeGreaterThan(1e-6);
    expect(difference('gswl')).toBeLessThan(1e-12);
    expect(difference('pswl-sv')).toBeLessThan(1e-12);
    expect(testOfScheme(schemes['sswl-plus'])).toBe('SSWL');
    expect(testOfScheme(schemes.mpnn)).toBe('1-WL');
  }, 60_000);

  test.each(schemeNames)('%s gives the same for another order of nodes, and for graphs alone or together', (name) => {
    const network = new SubgraphNetwork({ nodes: 2, edges: 3, outputs: 2 }, new Random(1), {
      scheme: name,
      layers: 2,
      hidden: 8,
    });
    shake(network, 4);
    const { policy } = schemes[name] as Scheme;
    const own = policy ? { policy } : {};
    const all = [graphs[0] as Graph, graphs[1] as Graph].map((graph, i) => featured(graph, i + 5));
    const alone = all.map(({ input }) => Array.from(outputOf(network, input, own)));
    const together: FeaturedGraphs = {
      graphs: GraphCollection.of([graphs[0] as Graph, graphs[1] as Graph]),
      nodes: tensor(
        all.flatMap(({ input }) => Array.from(input.nodes?.view() ?? [])),
        [12, 2],
      ),
      edges: tensor(
        all.flatMap(({ input }) => Array.from(input.edges?.view() ?? [])),
        [collection.select([0, 1]).graphs.edgeCount, 3],
      ),
    };
    expectClose(outputOf(network, together, own), alone.flat(), 1e-5);
    const { plain } = all[1] as (typeof all)[number];
    const n = plain.graph.nodeCount;
    const order = Array.from(new Random(8).permutation(n));
    const { sources, targets } = plain.graph.edges();
    const moved = Graph.fromEdges(
      n,
      sources.map((v) => order[v] as number),
      targets.map((v) => order[v] as number),
    );
    const back = order.map((_, v) => order.indexOf(v));
    const again = moved.edges();
    const input: FeaturedGraphs = {
      graphs: GraphCollection.of([moved]),
      nodes: tensor(
        back.flatMap((v) => plain.nodes[v] as number[]),
        [n, 2],
      ),
      edges: tensor(
        Array.from(again.sources).flatMap((v, e) =>
          plain.edge(back[v] as number, back[again.targets[e] as number] as number),
        ),
        [again.sources.length, 3],
      ),
    };
    expectClose(outputOf(network, input, own), alone[1] as number[], 1e-5);
  });

  test('without a mark cannot tell a ring of six from two of three, with one they can', () => {
    const input = { graphs: GraphCollection.of([cycles(6), cycles(3, 3)]), nodes: undefined, edges: undefined };
    const outputs = (scheme: 'mpnn' | 'swl-vs') => {
      const network = new SubgraphNetwork({ nodes: 0, edges: 0, outputs: 1 }, new Random(2), {
        scheme,
        layers: 3,
        hidden: 8,
      });
      const { policy } = schemes[scheme] as Scheme;
      return outputOf(network, input, policy ? { policy } : {});
    };
    const [a, b] = outputs('mpnn');
    expect(a).toBeCloseTo(b as number, 6);
    const [c, d] = outputs('swl-vs');
    expect(Math.abs((c as number) - (d as number))).toBeGreaterThan(1e-4);
  });

  test('refuse schemes that read what is not there', () => {
    const make = (scheme: Scheme) => () =>
      new SubgraphNetwork({ nodes: 1, edges: 0, outputs: 1 }, new Random(0), { scheme });
    expect(make({ aggregations: ['uL', 'vL'], pooling: 'VS', policy: 'plain' })).toThrow(
      'aggregation vL reads other subgraphs',
    );
    expect(make({ aggregations: ['up' as never], pooling: 'VS' })).toThrow('"up" is none of');
    expect(
      () => new SubgraphNetwork({ nodes: 1, edges: 0, outputs: 1 }, new Random(0), { scheme: 'x' as never }),
    ).toThrow('the scheme');
  });

  test('a layer has one branch for each aggregation, with its own ε', () => {
    const layer = new SubgraphLayer(['vv', 'uL', 'vL'], 4, 3, new Random(1));
    const names = Object.keys(parameters(layer));
    expect(names.filter((name) => name.endsWith('epsilon')).length).toBe(3);
    expect(names.filter((name) => name.includes('.edges.weight')).length).toBe(2);
    expect(layer.norm.forward(uniformTensor(1, [3, 4]), inference).shape).toEqual([3, 4]);
  });
});
