import { describe, expect, test } from 'vitest';
import {
  type CellOperation,
  cellOperation,
  cellOperations,
  decodeCell,
  FactorizedReduce,
  genotypeNetwork,
  genotypes,
  mixedNetwork,
  nodesOf,
  requireGenotype,
  skipShare,
} from '../../src/models/index.js';
import {
  architectureOf,
  inference,
  MixedOperator,
  parameterCount,
  parameterOwners,
  parameters,
  runSequence,
  training,
} from '../../src/nn/index.js';
import { Random, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

describe('operations of cells', () => {
  test('have the size that their stride gives, on odd sides too', () => {
    for (const name of cellOperations)
      for (const stride of [1, 2])
        for (const [height, width] of [
          [8, 8],
          [7, 5],
          [1, 2],
        ] as const)
          scope(() => {
            const layers = cellOperation(name, { channels: 4, stride }, new Random(1));
            const y = runSequence(layers, zeros([2, 4, height, width]), inference);
            expect(y.shape, name).toEqual([2, 4, Math.ceil(height / stride), Math.ceil(width / stride)]);
          });
  });

  test('a factorised reduce reads every second pixel, then those one off both ways, 0 beyond', () => {
    const layer = new FactorizedReduce(1, 2, new Random(1));
    layer.conv1.weight.assign(tensor([3], [1, 1, 1, 1]));
    layer.conv2.weight.assign(tensor([-2], [1, 1, 1, 1]));
    const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, -9], [1, 1, 3, 3]);
    const expected = [3, 9, 21, 0, -10, 0, 0, 0];
    const scale = 1 / Math.sqrt(1 + 1e-5);
    expectClose(
      layer.forward(x, inference).view(),
      expected.map((value) => value * scale),
    );
  });

  test('none is 0, a skip of stride 1 the identity', () => {
    const x = uniformTensor(1, [1, 3, 4, 4]);
    const of = (name: CellOperation) =>
      runSequence(cellOperation(name, { channels: 3, stride: 1 }, new Random(1)), x, inference);
    expect(of('skip_connect')).toBe(x);
    expect(
      of('none')
        .dataSync()
        .every((value) => value === 0),
    ).toBe(true);
  });
});

describe('networks of cells', () => {
  test('have the parameters that a count by hand gives', () => {
    const [C, classes] = [4, 3];
    const genotype = requireGenotype({
      normal: [
        ['sep_conv_3x3', 0],
        ['skip_connect', 1],
      ],
      reduce: [
        ['dil_conv_5x5', 1],
        ['skip_connect', 0],
      ],
    });
    const network = genotypeNetwork(genotype, { channels: 1, classes, width: C, cells: 3 }, new Random(1));
    const norm = (channels: number) => 2 * channels;
    const project = (from: number, to: number) => from * to + norm(to);
    const stem = 9 * 3 * C + norm(3 * C);
    // A node a cell: C channels out of the first cell, 2C and 4C out of the reductions.
    const separable = 2 * (9 * C + C * C + norm(C));
    const normal = 2 * project(3 * C, C) + separable;
    const dilated = (own: number) => 25 * own + own * own + norm(own);
    const first = project(3 * C, 2 * C) + project(C, 2 * C) + dilated(2 * C) + project(2 * C, 2 * C);
    // The cell before the last one has the larger map: its projection reduces, too.
    const second = project(C, 4 * C) + project(2 * C, 4 * C) + dilated(4 * C) + project(4 * C, 4 * C);
    expect(parameterCount(network)).toBe(stem + normal + first + second + 4 * C * classes + classes);
    expect(network.forward(zeros([2, 1, 9, 7]), inference).shape).toEqual([2, classes]);
  });

  test('search: an edge from each state before a node, α shared by the cells of a type, norms without parameters', () => {
    const operations = ['none', 'skip_connect', 'avg_pool_3x3', 'sep_conv_3x3'] as const;
    const { network, edges } = mixedNetwork(
      { nodes: 4, operations },
      { width: 2, cells: 5, classes: 2 },
      new Random(1),
    );
    expect(edges.normal).toHaveLength(14);
    expect(edges.reduce).toHaveLength(14);
    expect(Object.keys(architectureOf(network))).toHaveLength(28);
    const mixed = parameterOwners(network).filter(({ owner }) => owner instanceof MixedOperator);
    expect(mixed).toHaveLength(5 * 14);
    const names = Object.keys(parameters(network)).filter((name) => /cells.*(norm|\.bias)/.test(name));
    expect(names).toEqual([]);
    expect(network.forward(zeros([2, 1, 8, 8]), training(new Random(1))).shape).toEqual([2, 2]);
  });

  test('cannot be smaller than three cells, nor searched without an operation', () => {
    expect(() => genotypeNetwork(genotypes['dass-99'], { cells: 2 }, new Random(1))).toThrow('at least 3 cells');
    expect(() => mixedNetwork({ operations: ['none'] }, {}, new Random(1))).toThrow('no operation but "none"');
    expect(() => mixedNetwork({ nodes: 0, operations: cellOperations }, {}, new Random(1))).toThrow('1 node or more');
  });
});

describe('genotypes', () => {
  const edge = (none: number, skip: number, sep: number) => ({ none, skip_connect: skip, sep_conv_3x3: sep });

  test('each node keeps its two strongest edges by their best operation, and none never wins', () => {
    const shares = [
      // Node 2: of two edges both stay, the stronger one first.
      edge(0.9, 0.04, 0.06),
      edge(0.1, 0.5, 0.4),
      // Node 3: the edge that is almost none is the weakest.
      edge(0.2, 0.2, 0.6),
      edge(0.98, 0.01, 0.01),
      edge(0.3, 0.4, 0.3),
    ];
    expect(decodeCell(shares)).toEqual([
      ['skip_connect', 1],
      ['sep_conv_3x3', 0],
      ['sep_conv_3x3', 0],
      ['skip_connect', 2],
    ]);
    expect(() => decodeCell(shares.slice(0, 4))).toThrow('not those of whole nodes');
  });

  test('the published ones are genotypes of four nodes, and JSON of DARTS is read', () => {
    for (const genotype of Object.values(genotypes)) {
      const { normal, reduce } = requireGenotype(JSON.parse(JSON.stringify(genotype)));
      expect([nodesOf(normal).length, nodesOf(reduce).length]).toEqual([4, 4]);
    }
    expect(genotypes['dass-90'].normal[6]).toEqual(['sep_conv_3x3', 2]);
    expect(skipShare(genotypes['dass-99'])).toBe(7 / 16);
    const pair = [
      ['skip_connect', 0],
      ['sep_conv_3x3', 1],
    ];
    const darts = { normal: pair, normal_concat: [2], reduce: pair, reduce_concat: [2] };
    expect(requireGenotype(darts)).toEqual({ normal: pair, reduce: pair });
  });

  test.each([
    [undefined, 'expected an object'],
    [{ normal: [], reduce: [] }, '"normal" must be a list of edges, two a node'],
    [
      {
        normal: [
          ['sep', 0],
          ['skip_connect', 1],
        ],
      },
      'edge 1 of "normal": the operation must be one of max_pool_3x3',
    ],
    [
      {
        normal: [
          ['none', 0],
          ['skip_connect', 1],
        ],
      },
      'got "none"',
    ],
    [
      {
        normal: [
          ['skip_connect', 0],
          ['skip_connect', 2],
        ],
      },
      'node 2 takes inputs from 0 to 1, got 2',
    ],
    [
      {
        normal: [
          ['skip_connect', 0],
          ['skip_connect', 1],
        ],
        normal_concat: [1, 2],
      },
      '"normal_concat" must be all nodes, 2',
    ],
  ])('%j is refused', (value, message) => {
    expect(() => requireGenotype(value, 'cell.json')).toThrow(message);
  });
});

/** A cell written out: stem, two projections, one node of two edges, and the classifier. */
test('a cell computes its equations', () => {
  const genotype = requireGenotype({
    normal: [
      ['skip_connect', 0],
      ['max_pool_3x3', 1],
      ['skip_connect', 2],
      ['avg_pool_3x3', 0],
    ],
    reduce: [
      ['max_pool_3x3', 0],
      ['max_pool_3x3', 1],
    ],
  });
  const network = genotypeNetwork(genotype, { width: 2, cells: 3, classes: 2 }, new Random(1));
  const x = uniformTensor(2, [1, 1, 4, 4]);
  const stem = runSequence(network.stem, x, inference);
  const cell = network.cells[0] as (typeof network.cells)[number];
  const [s0, s1] = cell.preprocess.map((layers) => runSequence(layers, stem, inference)) as [Tensor, Tensor];
  const at = (map: Float32Array, channel: number, row: number, column: number) =>
    row < 0 || row > 3 || column < 0 || column > 3 ? Number.NaN : (map[channel * 16 + row * 4 + column] as number);
  const around = (map: Float32Array, channel: number, row: number, column: number) =>
    [-1, 0, 1]
      .flatMap((dy) => [-1, 0, 1].map((dx) => at(map, channel, row + dy, column + dx)))
      .filter((value) => !Number.isNaN(value));
  const [a, b] = [s0.dataSync<Float32Array>(), s1.dataSync<Float32Array>()];
  const places = Array.from({ length: 32 }, (_, i) => [i >> 4, (i >> 2) & 3, i & 3] as const);
  const first = places.map(([c, y, z]) => at(a, c, y, z) + Math.max(...around(b, c, y, z)));
  const second = places.map(([c, y, z], i) => {
    const near = around(a, c, y, z);
    return (first[i] as number) + near.reduce((sum, value) => sum + value, 0) / near.length;
  });
  expectClose(cell.forward(stem, stem, inference).view(), [...first, ...second]);
});
