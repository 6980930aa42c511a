import { describe, expect, test } from 'vitest';
import { readSafetensors, safetensorsPieces, writeSafetensors } from '../../src/data/index.js';
import { LowRankDecoder } from '../../src/hypernet/logah/decoder.js';
import {
  type Architecture,
  type ArchitectureGraph,
  architectureGraph,
  assignWeights,
  drawGPT2,
  drawViT,
  familyMembers,
  graphOf,
  grid,
  hypernetLoss,
  LoGAH,
  logahPresets,
  makeNetwork,
  parameterTotals,
  predictedTensors,
  predictionReport,
  predictWeights,
  reportLines,
  torchName,
  trainHypernet,
  virtualEdges,
  withShapes,
} from '../../src/hypernet/logah/index.js';
import { SizeTable } from '../../src/hypernet/logah/sizes.js';
import { GPT2, gpt2Presets, gpt2Shapes, SmallResNet } from '../../src/models/index.js';
import {
  Conv2d,
  crossEntropy,
  GRU,
  gradientsOf,
  inference,
  Linear,
  parameterCount,
  parameters,
  withWeights,
} from '../../src/nn/index.js';
import { cumulativeSum, keep, Random, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { decodedByLoops, encodedByLoops, Plain, shortestPaths } from './logah-oracle.js';

const TINY = { features: 16, rank: 4, layers: 2, heads: 2, maxWidth: 32, kernels: 4 } as const;

const vit: Architecture = {
  family: 'vit',
  ...{ imageSize: 4, patchSize: 2, channels: 1, classes: 10, features: 8, layers: 2, heads: 2, hidden: 16 },
};

function values(t: Tensor): number[] {
  return Array.from(t.dataSync<Float32Array>());
}

function expectClose(a: ArrayLike<number>, b: ArrayLike<number>, digits = 4): void {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i] as number, digits);
}

/** Weights of one graph by name, outside any scope. */
function predictOne(ghn: LoGAH, graph: ArchitectureGraph): Record<string, Tensor> {
  return ghn.predict([ghn.encode(graph)])[0] as Record<string, Tensor>;
}

/** A graph with its nodes in another order; the input stays first. */
function permuted(graph: ArchitectureGraph, order: readonly number[]): ArchitectureGraph {
  const place = new Map(order.map((node, at) => [node, at]));
  return {
    nodes: order.map((node) => graph.nodes[node] as (typeof graph.nodes)[number]),
    edges: graph.edges.map(([from, to]) => [place.get(from) as number, place.get(to) as number] as const),
    unpredicted: graph.unpredicted,
  };
}

describe('graphs of networks', () => {
  test('a vision transformer of two blocks has the nodes, edges and distances of the paper', () => {
    const { nodes, edges, unpredicted } = graphOf(vit);
    const block = (i: number) => [
      `ln blocks.${i}.norm1.weight`,
      `conv blocks.${i}.attn.qkv.weight`,
      `bias blocks.${i}.attn.qkv.bias`,
      'msa',
      `conv blocks.${i}.attn.proj.weight`,
      `bias blocks.${i}.attn.proj.bias`,
      'sum',
      `ln blocks.${i}.norm2.weight`,
      `conv blocks.${i}.mlp.fc1.weight`,
      `bias blocks.${i}.mlp.fc1.bias`,
      `conv blocks.${i}.mlp.fc2.weight`,
      `bias blocks.${i}.mlp.fc2.bias`,
      'sum',
    ];
    const stem = ['input', 'conv patchEmbed.proj.weight', 'bias patchEmbed.proj.bias', 'pos_enc posEmbed'];
    const head = ['ln norm.weight', 'glob_avg', 'conv head.weight', 'bias head.bias'];
    expect(nodes.map(({ primitive, parameter }) => [primitive, parameter].filter(Boolean).join(' '))).toEqual([
      ...stem,
      ...block(0),
      ...block(1),
      ...head,
    ]);
    const chain = Array.from({ length: nodes.length - 1 }, (_, i) => `${i},${i + 1}`);
    // Around attention, and around the feed-forward layer, of both blocks.
    expect(edges.map((edge) => edge.join()).sort()).toEqual([...chain, '3,10', '10,16', '16,23', '23,29'].sort());
    expect(unpredicted).toEqual([]);
    expect(nodes[4]).toMatchObject({ pairedBias: 'blocks.0.norm1.bias', shape: [8] });
    const a = virtualEdges({ nodes, edges, unpredicted });
    const n = nodes.length;
    expect([a[3 * n + 10], a[3 * n + 16], a[0 * n + 4], a[4 * n + 3], a[n - 1]]).toEqual([1, 2, 4, 0, 11]);
  });

  test('virtual edges are the shortest paths of Floyd and Warshall up to the cutoff', () => {
    const random = new Random(3);
    for (const cutoff of [1, 2, 5, 50]) {
      const n = 24;
      const nodes = Array.from({ length: n }, () => ({ primitive: 'sum' as const }));
      const edges = Array.from({ length: 40 }, () => random.integer(n - 1)).map((from) => {
        return [from, from + 1 + random.integer(n - 1 - from)] as const;
      });
      const graph = { nodes, edges, unpredicted: [] };
      expect(Array.from(virtualEdges(graph, cutoff))).toEqual(shortestPaths(graph, cutoff).flat());
    }
    expect(() => virtualEdges({ nodes: [], edges: [], unpredicted: [] }, 300)).toThrow('from 1 to 254');
  });

  test('a narrow network stands for a wide one: shapes are put into its graph', () => {
    const gpt: Architecture = { family: 'gpt2', vocabulary: 50, context: 12, features: 24, layers: 2, heads: 3 };
    for (const own of [vit, gpt, { ...gpt, tied: false }, { ...vit, pooling: 'class' as const }]) {
      const inputs = own.family === 'vit' ? [zeros([1, 1, 4, 4])] : [tensor(new Int32Array(3), [1, 3])];
      expect(graphOf(own)).toEqual(architectureGraph(makeNetwork(own, new Random(0)), inputs));
    }
    expect(() => withShapes(graphOf(gpt), { ...gpt2Shapes(gpt), extra: [1] })).toThrow('no parameter "extra"');
    expect(() => withShapes(graphOf(gpt), {})).toThrow('no shape of');
  });

  test('tied weights count once, norms take their bias, a class token is listed', () => {
    const { nodes } = graphOf({ family: 'gpt2', vocabulary: 20, context: 8, features: 8, layers: 1, heads: 2 });
    expect(nodes.at(-1)).toMatchObject({ primitive: 'conv', tied: 'transformer.wte.weight' });
    expect(nodes.filter(({ parameter }) => parameter === 'transformer.wte.weight')).toHaveLength(1);
    const { unpredicted } = graphOf({ ...vit, pooling: 'class' });
    expect(unpredicted).toEqual([{ name: 'clsToken', shape: [1, 1, 8], reason: expect.stringContaining('joined') }]);
  });

  test('a residual network has batch norms, sums, and a global average before its classifier', () => {
    const net = new SmallResNet(8, new Random(0));
    const { nodes, unpredicted } = architectureGraph(net, [zeros([1, 3, 16, 16])]);
    const count = (primitive: string) => nodes.filter((node) => node.primitive === primitive).length;
    expect([count('conv'), count('bn'), count('sum'), count('glob_avg'), count('bias')]).toEqual([8, 7, 3, 1, 1]);
    expect(unpredicted).toEqual([]);
    const named = nodes.flatMap((node) => [node.parameter, node.pairedBias].filter((name) => name !== undefined));
    expect(named.sort()).toEqual(Object.keys(parameters(net)).sort());
  });

  test('grouped and dilated convolutions are primitives of their own', () => {
    const random = new Random(0);
    const conv = new Conv2d(4, 4, 3, random, { groups: 4, padding: 1 });
    const dilated = new Conv2d(4, 4, 3, random, { groups: 2, padding: 2, dilation: 2 });
    const net = { conv, dilated, forward: (x: Tensor) => dilated.forward(conv.forward(x).relu()) };
    const { nodes } = architectureGraph(net, [zeros([1, 4, 6, 6])]);
    expect(nodes.map(({ primitive }) => primitive)).toEqual(['input', 'sep_conv', 'bias', 'dil_conv', 'bias']);
  });

  test('what is not known is refused by name, or registered; what has no node is listed', () => {
    const net = {
      fc: new Linear(4, 4, new Random(0)),
      scale: keep(parameters(new Linear(4, 1, new Random(1))).weight as Tensor),
      unused: new Linear(2, 2, new Random(2)),
      forward(x: Tensor) {
        return cumulativeSum(this.fc.forward(x).multiply(this.scale));
      },
    };
    const inputs = [zeros([2, 4])];
    expect(() => architectureGraph(net, inputs)).toThrow(
      /operation "cumulativeSum" is not known; register it with operations/,
    );
    const { nodes, unpredicted } = architectureGraph(net, inputs, { operations: { cumulativeSum: 'bridge' } });
    expect(nodes.map(({ primitive }) => primitive)).toEqual(['input', 'conv', 'bias']);
    expect(unpredicted.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      'scale: no primitive stands for a parameter of "multiply"',
      'unused.weight: the traced pass does not use it',
      'unused.bias: the traced pass does not use it',
    ]);
  });

  test('a recurrent network is refused', () => {
    const cell = new Linear(4, 4, new Random(0));
    const net = { cell, forward: (x: Tensor) => cell.forward(cell.forward(x).tanh()) };
    expect(() => architectureGraph(net, [zeros([1, 4])])).toThrow('a recurrent network has no acyclic graph');
    const gru = new GRU(3, 4, new Random(0));
    expect(() => architectureGraph(gru, [zeros([1, 3, 3])])).toThrow();
  });
});

describe('the encoder', () => {
  const three: ArchitectureGraph = {
    nodes: [
      { primitive: 'input' },
      { primitive: 'conv', parameter: 'a', shape: [12, 3, 3, 2] },
      { primitive: 'bias', parameter: 'b', shape: [12] },
    ],
    edges: [
      [0, 1],
      [1, 2],
      [0, 2],
    ],
    unpredicted: [],
  };

  test('equals plain loops: features, bias of edges in both directions, dense attention', () => {
    const ghn = new LoGAH(new Random(1), TINY);
    const weights = new Plain(parameters(ghn));
    const sizes = new SizeTable(10, { kernels: 4 });
    const wide = architectureGraph(makeNetwork(vit, new Random(0)), [zeros([1, 1, 4, 4])]);
    for (const graph of [three, wide]) {
      const expected = encodedByLoops(weights, graph, sizes, { layers: 2, heads: 2, cutoff: 50 });
      expectClose(values(ghn.encoder.forward(ghn.encode(graph))), expected.flat(), 3);
    }
  });

  test('sizes that are no entry take the nearest one', () => {
    const sizes = new SizeTable(10);
    expect([sizes.channels.length, sizes.kernels.length]).toEqual([391, 10]);
    const channel = (c: number) => sizes.channels[sizes.rows([c, 1, 1, 1])[0]];
    const kernel = (k: number) => sizes.kernels[sizes.rows([1, 1, k, 1])[2]];
    expect([1, 2, 3, 4, 7, 10, 20, 70, 5000, 50257].map(channel)).toEqual([1, 1, 3, 8, 8, 10, 16, 64, 4992, 8192]);
    expect([1, 2, 3, 4, 14, 16, 30].map(kernel)).toEqual([1, 3, 3, 3, 14, 16, 16]);
    expect(sizes.none).toEqual([391, 391, 10, 10]);
  });

  test('the order of nodes changes no tensor; an edge or a distant shape changes them', () => {
    const ghn = new LoGAH(new Random(2), TINY);
    const graph = graphOf(vit);
    const before = predictOne(ghn, graph);
    const order = [0, ...Array.from(new Random(4).permutation(graph.nodes.length - 1), (i) => i + 1)];
    const shuffled = predictOne(ghn, permuted(graph, order));
    for (const [name, weight] of Object.entries(before)) expectClose(values(shuffled[name] as Tensor), values(weight));
    const changed = (other: ArchitectureGraph) => {
      const name = 'patchEmbed.proj.weight';
      const [a, b] = [values(before[name] as Tensor), values(predictOne(ghn, other)[name] as Tensor)];
      return Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));
    };
    expect(changed({ ...graph, edges: graph.edges.filter(([from]) => from !== 3) })).toBeGreaterThan(1e-4);
    const nodes = graph.nodes.map((node) => (node.parameter === 'head.weight' ? { ...node, shape: [56, 8] } : node));
    expect(changed({ ...graph, nodes })).toBeGreaterThan(1e-5);
  });
});

describe('decoders', () => {
  const decoder = (maxWidth: number, cap: 'own' | 'paper' = 'own') =>
    new LowRankDecoder({ features: 8, rank: 5, maxWidth, cap }, new Random(5));

  test('a low-rank weight equals the double loop over the whole buffer, with kernels and groups', () => {
    // K = 32: rows of A reach beyond the first row of [2r, K]; 5 does not divide 32.
    const own = decoder(2);
    const weights = new Plain(parameters({ decoder: own }));
    const x = new Random(6).normal([2, 8]);
    for (const shape of [
      [20, 16, 1, 1],
      [3, 2, 3, 2],
      [7, 1, 3, 3],
      [30, 1, 1, 1],
      [1, 5, 2, 4],
    ] as const) {
      const whole = values(own.weights(x, shape));
      const expected = [0, 1].flatMap((row) =>
        decodedByLoops(weights, values(x).slice(8 * row, 8 * row + 8), shape, 5, 32),
      );
      expectClose(whole, expected, 5);
    }
  });

  test('a square weight has rank r, and no two equal tiles; the block decoder has equal tiles', () => {
    const random = new Random(7);
    const x = random.normal([1, 8], 0, 3);
    const m = values(decoder(64).weights(x, [64, 64, 1, 1]));
    expect(rankOf(m, 64)).toBe(5);
    const tiles = (own: ArrayLike<number>, size: number, tile: number) => {
      const seen = new Set<string>();
      for (let i = 0; i < size; i += tile)
        for (let j = 0; j < size; j += tile)
          seen.add(
            Array.from(
              { length: tile * tile },
              (_, k) => own[(i + Math.floor(k / tile)) * size + j + (k % tile)],
            ).join(),
          );
      return seen.size;
    };
    expect(tiles(values(decoder(512).weights(x, [512, 512, 1, 1])), 512, 64)).toBe(64);
    const one: ArchitectureGraph = {
      nodes: [
        { primitive: 'input' },
        { primitive: 'conv', parameter: 'w', shape: [64, 64] },
        { primitive: 'sum' },
        { primitive: 'sum' },
      ],
      edges: [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
      unpredicted: [],
    };
    const tiling = new LoGAH(random, { ...TINY, decoder: 'tiling', block: 16, kernel: 3 });
    expect(tiles(values(predictOne(tiling, one).w as Tensor), 64, 16)).toBe(1);
    expect(predictionReport(tiling, one).tiled).toEqual([{ name: 'w', shape: [64, 64] }]);
  });

  test("the paper's cap repeats rows beyond maxWidth, ours decodes them; both are reported", () => {
    const architecture: Architecture = { family: 'mlp', inFeatures: 48, classes: 10, features: 40, layers: 1 };
    const [paper, own] = (['paper', 'own'] as const).map((cap) => new LoGAH(new Random(8), { ...TINY, cap }));
    const graph = graphOf(architecture);
    const w = values(predictOne(paper as LoGAH, graph)['blocks.0.linear.weight'] as Tensor);
    const at = (i: number, j: number) => w[i * 48 + j];
    expect([at(33, 5), at(3, 40)]).toEqual([at(1, 5), at(3, 8)]);
    expect(predictionReport(paper as LoGAH, graph).tiled.map(({ name }) => name)).toEqual([
      'blocks.0.linear.weight',
      'blocks.0.linear.bias',
      'head.weight',
    ]);
    expect(predictionReport(own as LoGAH, graph).tiled).toEqual([]);
    expect(reportLines(predictionReport(paper as LoGAH, graph)).join('\n')).toContain('so repeated: 3 tensors');
  });

  test('lengths of gains and biases are rounded as in the released code', () => {
    const own = decoder(64, 'paper');
    expect([6, 7, 9, 24, 32, 64, 100].map((c) => own.decodedLength(c))).toEqual([8, 7, 12, 64, 64, 64, 64]);
    expect(decoder(64).decodedLength(100)).toBe(100);
  });

  test('totals are those of the released code, and those of the networks', () => {
    const total = (options: object) => parameterTotals(options).total;
    expect([2048, 4096, 8192].map((maxWidth) => total({ maxWidth }))).toEqual([2540252, 3621596, 5784284]);
    expect(total(logahPresets['logah-small'])).toBe(21412794);
    expect(total(logahPresets['logah-tiny-gpt'])).toBe(5784460);
    expect(total(logahPresets['logah-base']) / 1e6).toBeCloseTo(78.2, 1);
    expect(total(logahPresets['ghn3-t'])).toBe(6906504);
    expect(
      (['ghn3-s', 'ghn3-l', 'ghn3-xl'] as const).map((name) => (total(logahPresets[name]) / 1e6).toFixed(1)),
    ).toEqual(['35.8', '214.7', '654.4']);
    expect(total({ decoder: 'tiling', block: 2048, classes: 1000 })).toBe(2160963080);
    // 16·(r + 1) for a unit of width.
    expect(total({ maxWidth: 4096 }) - total({ maxWidth: 2048 })).toBe(2048 * 16 * 33);
    for (const options of [{}, logahPresets['logah-small'], { decoder: 'tiling', kernel: 3 } as const])
      expect(parameterCount(new LoGAH(new Random(0), options))).toBe(parameterTotals(options).used);
  });
});

/** Rank by elimination with pivots. */
function rankOf(matrix: readonly number[], n: number): number {
  const rows = Array.from({ length: n }, (_, i) => matrix.slice(i * n, (i + 1) * n));
  const largest = Math.max(...matrix.map(Math.abs));
  let rank = 0;
  for (let column = 0; column < n; column++) {
    let pivot = rank;
    for (let i = rank; i < n; i++)
      if (Math.abs(rows[i]?.[column] as number) > Math.abs(rows[pivot]?.[column] as number)) pivot = i;
    if (pivot >= n || Math.abs(rows[pivot]?.[column] as number) < 1e-4 * largest) continue;
    [rows[rank], rows[pivot]] = [rows[pivot] as number[], rows[rank] as number[]];
    const top = rows[rank] as number[];
    for (let i = rank + 1; i < n; i++) {
      const row = rows[i] as number[];
      const factor = (row[column] as number) / (top[column] as number);
      for (let j = column; j < n; j++) row[j] = (row[j] as number) - factor * (top[j] as number);
    }
    rank += 1;
  }
  return rank;
}

describe('prediction', () => {
  const deviation = (w: readonly number[]) => {
    const mean = w.reduce((a, b) => a + b, 0) / w.length;
    return Math.sqrt(w.reduce((a, b) => a + (b - mean) ** 2, 0) / (w.length - 1));
  };

  /** Numbers of a node as the decoder gives them. */
  function raw(ghn: LoGAH, graph: ArchitectureGraph, name: string, shape: readonly [number, number, number, number]) {
    const node = graph.nodes.findIndex(({ parameter }) => parameter === name);
    const vectors = ghn.encoder.forward(ghn.encode(graph)).dataSync<Float32Array>();
    const x = tensor(vectors.slice(node * 16, (node + 1) * 16), [1, 16]);
    return {
      weights: () => values(ghn.decoder.weights(x, shape, false)),
      vectors: (c: number) => values(ghn.decoder.vectors(x, c, false)),
    };
  }

  test('weights are scaled by fan-in, gains lie in (0, 2), biases in (−1, 1), positions are as decoded', () => {
    const ghn = new LoGAH(new Random(9), TINY);
    const graph = graphOf(vit);
    const weights = predictOne(ghn, graph);
    const of = (name: string) => values(weights[name] as Tensor);
    const qkv = raw(ghn, graph, 'blocks.0.attn.qkv.weight', [24, 8, 1, 1]).weights();
    expectClose(
      of('blocks.0.attn.qkv.weight'),
      qkv.map((v) => v * Math.sqrt(2 / 8)),
      5,
    );
    expect(deviation(of('blocks.0.attn.qkv.weight')) * Math.sqrt(8)).toBeCloseTo(Math.SQRT2 * deviation(qkv), 4);
    const [gains, biases] = [of('norm.weight'), of('norm.bias')];
    const both = raw(ghn, graph, 'norm.weight', [1, 1, 1, 1]).vectors(8);
    expectClose(
      gains,
      both.slice(0, 8).map((v) => 2 / (1 + Math.exp(-0.5 * v))),
      5,
    );
    expectClose(
      biases,
      both.slice(8).map((v) => Math.tanh(0.2 * v)),
      5,
    );
    const plain = raw(ghn, graph, 'head.bias', [1, 1, 1, 1]).vectors(10);
    expectClose(
      of('head.bias'),
      plain.slice(10).map((v) => Math.tanh(0.2 * v)),
      5,
    );
    // [1, 4, 8] is decoded as (1, 8, 2, 2), channels last.
    const grid2 = raw(ghn, graph, 'posEmbed', [1, 8, 2, 2]).weights();
    const expected = Array.from({ length: 32 }, (_, at) => grid2[(at % 8) * 4 + Math.floor(at / 8)] as number);
    expectClose(of('posEmbed'), expected, 5);
  });

  test('depthwise filters have β = 1', () => {
    const conv = new Conv2d(6, 6, 3, new Random(0), { groups: 6 });
    const net = { conv, forward: (x: Tensor) => conv.forward(x).relu() };
    const ghn = new LoGAH(new Random(9), TINY);
    const graph = architectureGraph(net, [zeros([1, 6, 4, 4])]);
    const own = values(predictOne(ghn, graph)['conv.weight'] as Tensor);
    const decoded = raw(ghn, graph, 'conv.weight', [6, 1, 3, 3]).weights();
    expectClose(
      own,
      decoded.map((v) => v / 3),
      5,
    );
  });

  test('weights of language models have the deviation asked for, embeddings are as decoded', () => {
    const ghn = new LoGAH(new Random(10), { ...TINY, scaling: 'deviation', range: 0.02 });
    const graph = graphOf({
      family: 'gpt2',
      vocabulary: 30,
      context: 8,
      features: 16,
      layers: 1,
      heads: 2,
      tied: false,
    });
    const weights = predictOne(ghn, graph);
    for (const name of ['transformer.h.0.attn.cAttn.weight', 'lmHead.weight'])
      expect(deviation(values(weights[name] as Tensor))).toBeCloseTo(0.02, 4);
    const wte = raw(ghn, graph, 'transformer.wte.weight', [30, 16, 1, 1]).weights();
    expectClose(values(weights['transformer.wte.weight'] as Tensor), wte, 5);
  });

  test('streamed and collected weights are equal bit for bit, and close to those of training', () => {
    const gpt: Architecture = { family: 'gpt2', vocabulary: 70, context: 8, features: 16, layers: 2, heads: 2 };
    const cases = [
      [vit, {}],
      [gpt, { scaling: 'deviation' }],
      [gpt, { cap: 'paper' }],
      [vit, { decoder: 'tiling', block: 6, kernel: 2 }],
    ] as const;
    for (const [architecture, options] of cases) {
      const ghn = new LoGAH(new Random(11), { ...TINY, ...options });
      const module = makeNetwork(architecture, new Random(1));
      const inputs = architecture.family === 'vit' ? [zeros([1, 1, 4, 4])] : [tensor(new Int32Array(3), [1, 3])];
      const { weights, report } = predictWeights(ghn, module, inputs);
      const trained = predictOne(ghn, graphOf(architecture));
      const streamed = [...predictedTensors(ghn, ghn.encode(graphOf(architecture)))];
      expect(streamed.map(({ name }) => name).sort()).toEqual(Object.keys(parameters(module)).sort());
      for (const { name, shape, values: parts } of streamed) {
        expect(shape).toEqual(parameters(module)[name]?.shape);
        const all = Array.from(parts(), (part) => Array.from(part)).flat();
        expect(all).toEqual(values(weights[name] as Tensor));
        expectClose(all, values(trained[name] as Tensor), 4);
      }
      expect(report.predicted).toBe(parameterCount(module));
      assignWeights(module, weights);
      expect(values(parameters(module)[streamed[0]?.name as string] as Tensor)).toEqual(
        values(weights[streamed[0]?.name as string] as Tensor),
      );
    }
  });

  test('large weights come in parts of whole channels', () => {
    const ghn = new LoGAH(new Random(12), { ...TINY, maxWidth: 1024 });
    const graph = graphOf({ family: 'mlp', inFeatures: 3000, classes: 3000, features: 8, layers: 0 });
    const head = [...predictedTensors(ghn, ghn.encode(graph))].find(({ name }) => name === 'head.weight');
    const parts = Array.from(head?.values() ?? [], (part) => part.length);
    expect(parts.length).toBe(3);
    expect(parts.every((length) => length % 3000 === 0)).toBe(true);
    expect(parts.reduce((a, b) => a + b, 0)).toBe(9e6);
  });

  test('weights are refused where names or shapes differ', () => {
    const fc = new Linear(2, 2, new Random(0));
    expect(() => assignWeights({ fc }, { other: zeros([1]) })).toThrow('no parameter "other"');
    expect(() => assignWeights({ fc }, { 'fc.weight': zeros([3, 2]) })).toThrow('"fc.weight" is');
  });

  test('names are those of timm and Hugging Face', () => {
    expect(
      [
        'patchEmbed.proj.weight',
        'posEmbed',
        'transformer.h.0.ln1.bias',
        'transformer.lnF.weight',
        'lmHead.weight',
        'transformer.h.3.attn.cAttn.weight',
      ].map(torchName),
    ).toEqual([
      'patch_embed.proj.weight',
      'pos_embed',
      'transformer.h.0.ln_1.bias',
      'transformer.ln_f.weight',
      'lm_head.weight',
      'transformer.h.3.attn.c_attn.weight',
    ]);
  });
});

describe('files in pieces', () => {
  const parts = (all: readonly number[]) => ({
    name: 'w',
    shape: [all.length],
    values: () => [Float32Array.from(all)],
  });
  const bytesOf = (pieces: Iterable<Uint8Array>) => Buffer.concat(Array.from(pieces, (piece) => Buffer.from(piece)));

  test('they are those of writeSafetensors, and bfloat16 is rounded to the nearest, ties to even', () => {
    const all = new Random(21).normal([3, 5]);
    const two = [0, 1].map((i) => values(all).slice(i * 8, i * 8 + 8 - i));
    const pieces = safetensorsPieces(
      [{ name: 'w', shape: [3, 5], values: () => two.map((part) => Float32Array.from(part)) }],
      { format: 'pt' },
    );
    expect(bytesOf(pieces)).toEqual(Buffer.from(writeSafetensors({ w: all }, { format: 'pt' })));
    // 1 + 2⁻⁸ lies between two numbers of bfloat16: the even one is 1; 1 + 3·2⁻⁸ goes up.
    const half = safetensorsPieces([parts([1 + 2 ** -8, 1 + 3 * 2 ** -8, -0.1, Number.NaN])], {}, 'BF16');
    const { w } = readSafetensors(bytesOf(half)).tensors;
    expect(values(w as Tensor)).toEqual([1, 1 + 2 ** -6, -0.10009765625, Number.NaN]);
  });

  test('parts that are fewer than the shape says, and a name twice, are refused', () => {
    const short = { ...parts([1, 2]), shape: [3] };
    expect(() => bytesOf(safetensorsPieces([short]))).toThrow('has 8 bytes of values, its shape says 12');
    expect(() => bytesOf(safetensorsPieces([parts([1]), parts([2])]))).toThrow('two tensors are named "w"');
  });
});

describe('training', () => {
  const two = grid({ family: 'mlp' as const, inFeatures: 4, classes: 3, features: 5, layers: 1 }, [1, 2], [5]);
  const batch = () => ({
    x: new Random(13).normal([16, 4]),
    y: tensor(Int32Array.from({ length: 16 }, (_, i) => i % 3)),
  });
  type Batch = ReturnType<typeof batch>;
  const loss = (live: object, { x, y }: Batch) =>
    crossEntropy((live as { forward(x: Tensor, mode: typeof inference): Tensor }).forward(x, inference), y);

  test('gradients of encoder and decoder through the networks equal central differences', () => {
    const ghn = new LoGAH(new Random(14), { ...TINY, maxWidth: 8 });
    // Twice the usual weights, so that the vectors of nodes matter.
    for (const [name, weight] of Object.entries(parameters(ghn)))
      if (/decoder\.|qkv|bias\.out|proj/.test(name) && weight.rank > 1) {
        const view = weight.view<Float32Array>();
        for (let i = 0; i < view.length; i++) view[i] = 2 * (view[i] as number);
      }
    const members = familyMembers(ghn, two, new Random(15));
    const data = batch();
    const of = () => hypernetLoss(ghn, { members, batch: data }, inference, { loss, penalty: 0.01 });
    const own = parameters(ghn);
    const names = [
      'decoder.expand.weight',
      'decoder.fc3.weight',
      'decoder.fc1.bias',
      'encoder.bias.edges',
      'encoder.bias.hidden.weight',
      'encoder.layers.0.qkv.weight',
      'encoder.nodes.embed',
      'encoder.nodes.channels',
      'encoder.layers.1.fc2.weight',
    ];
    const { gradient } = gradientsAt(ghn, of);
    for (const name of names) {
      const weight = own[name] as Tensor;
      const analytic = gradient[name] as Float32Array;
      // Along the gradient itself, so that the difference is far above rounding.
      const length = Math.hypot(...analytic);
      expect(length, name).toBeGreaterThan(1);
      const step = 2e-3;
      const shifted = (sign: number) => {
        const view = weight.view<Float32Array>();
        const before = view.slice();
        for (let i = 0; i < view.length; i++)
          view[i] = (before[i] as number) + (sign * step * (analytic[i] as number)) / length;
        const value = scope(() => of().item());
        weight.view<Float32Array>().set(before);
        return value;
      };
      const slope = (shifted(1) - shifted(-1)) / (2 * step);
      expect(Math.abs(slope - length) / length, name).toBeLessThan(0.02);
    }
  });

  test('the norms of predicted weights are part of the loss', () => {
    const ghn = new LoGAH(new Random(14), TINY);
    const members = familyMembers(ghn, two.slice(0, 1), new Random(15));
    const at = (penalty: number) => hypernetLoss(ghn, { members, batch: batch() }, inference, { loss, penalty }).item();
    const weights = predictOne(ghn, graphOf(two[0] as Architecture));
    const norms = Object.values(weights).reduce((total, w) => total + Math.hypot(...values(w)), 0);
    expect(at(0.1) - at(0)).toBeCloseTo(0.1 * norms, 3);
  });

  test('it learns to predict networks that work untrained, also of a width that it has not seen', async () => {
    const ghn = new LoGAH(new Random(16), { ...TINY, features: 32, rank: 8 });
    const base = { family: 'mlp' as const, inFeatures: 4, classes: 2, features: 8, layers: 1 };
    const members = familyMembers(ghn, grid(base, [1, 2], [8, 12, 16]), new Random(17));
    // The sign of the product of two inputs: no linear network can.
    const draw = (random: Random) =>
      scope(() => {
        const x = random.uniform([64, 4], -1, 1);
        const v = values(x);
        return {
          x,
          y: tensor(
            Int32Array.from({ length: 64 }, (_, i) => Number((v[4 * i] as number) * (v[4 * i + 1] as number) > 0)),
          ),
        };
      });
    const accuracy = () => {
      const module = makeNetwork({ ...base, features: 10, layers: 2 }, new Random(18));
      const { weights } = predictWeights(ghn, module, [zeros([1, 4])]);
      const { x, y } = draw(new Random(99));
      const logits = values(
        withWeights(module, weights, (live) =>
          (live.forward as (x: Tensor, m: typeof inference) => Tensor)(x, inference),
        ),
      );
      const labels = y.dataSync<Int32Array>();
      return (
        labels.reduce(
          (n, label, i) => n + Number(Number((logits[2 * i + 1] as number) > (logits[2 * i] as number)) === label),
          0,
        ) / 64
      );
    };
    const before = accuracy();
    const { stopped } = await trainHypernet(ghn, new Random(19), {
      members,
      draw,
      loss,
      steps: 800,
      learningRate: 3e-3,
      reportEvery: 400,
    });
    expect(stopped).toBe('completed');
    expect(before).toBeLessThan(0.75);
    expect(accuracy()).toBeGreaterThan(0.85);
  });

  test('refuses a family without networks', async () => {
    const ghn = new LoGAH(new Random(16), TINY);
    const options = { members: [], draw: batch, loss };
    await expect(trainHypernet(ghn, new Random(0), options)).rejects.toThrow('the family has no networks');
    expect(() => new LoGAH(new Random(0), { rank: 0 })).toThrow('rank must be a positive whole number');
    expect(() => new LoGAH(new Random(0), { features: 18, heads: 2 })).toThrow('multiple of 4');
  });
});

/** Gradients of a loss as plain arrays. */
function gradientsAt(ghn: LoGAH, of: () => Tensor): { gradient: Record<string, Float32Array> } {
  const { gradients } = gradientsOf(ghn, of);
  return {
    gradient: Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, g.dataSync<Float32Array>()])),
  };
}

describe('families', () => {
  test('drawn architectures are those of ViTs-1K and GPTs-1K', () => {
    const random = new Random(20);
    for (let i = 0; i < 60; i++) {
      const own = drawViT({ imageSize: 32, patchSize: 2, channels: 3, classes: 10 }, random.split(i));
      const [low, high] = own.layers > 5 ? [128, 256] : own.layers > 3 ? [256, 384] : [384, 512];
      expect(own.layers >= 3 && own.layers <= 9 && own.features >= low && own.features <= high).toBe(true);
      expect(own.features % 32 === 0 && own.features % own.heads === 0).toBe(true);
      const gpt = drawGPT2({ vocabulary: 50257, context: 1024 }, random.split(`g${i}`));
      const [least, most] =
        (gpt.layers as number) > 5 ? [72, 176] : (gpt.layers as number) > 3 ? [128, 176] : [176, 256];
      expect(
        (gpt.features as number) >= least && (gpt.features as number) <= most && (gpt.features as number) % 8 === 0,
      ).toBe(true);
    }
  });

  test('GPT-2 has the published numbers of parameters, and its shapes are those of the network', () => {
    const count = (options: object) =>
      Object.values(gpt2Shapes(options)).reduce((total, shape) => total + shape.reduce((a, b) => a * b, 1), 0);
    expect(count(gpt2Presets.gpt2)).toBe(124439808);
    expect(count(gpt2Presets['gpt2-large'])).toBe(774030080);
    expect(count({ ...gpt2Presets['gpt2-large'], tied: false })).toBe(838359040);
    const small = { vocabulary: 20, context: 8, features: 8, layers: 2, heads: 2 };
    const net = new GPT2(new Random(0), small);
    expect(Object.fromEntries(Object.entries(parameters(net)).map(([name, { shape }]) => [name, shape]))).toEqual(
      gpt2Shapes(small),
    );
    const logits = net.forward(tensor(Int32Array.of(1, 2, 3, 1, 2, 4), [2, 3]));
    expect(logits.shape).toEqual([2, 3, 20]);
    // Causal: the first two positions do not see the third.
    const [a, b] = [values(logits).slice(0, 40), values(logits).slice(60, 100)];
    expectClose(a, b, 5);
    expect(() => net.forward(zeros([1, 9]))).toThrow('more than the context of 8');
  });
});
