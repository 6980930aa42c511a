import { describe, expect, test } from 'vitest';
import {
  applyMetanetwork,
  architectureOfGraph,
  chooseEpoch,
  compress,
  dataModel,
  GroupNormShrinking,
  graphFeatures,
  groupScores,
  injectedGradients,
  loadMetanetwork,
  MetaLayer,
  Metanetwork,
  metaGradients,
  metaPrune,
  metaTrain,
  metaTrainingBytes,
  type NetworkGraph,
  networkGraph,
  prunableNetwork,
  pruneThrough,
  pruneToSpeedup,
  pruningCurve,
  type RecipeStep,
  readMetanetwork,
  saveMetanetwork,
  shrinkageGradients,
  shrinkFactors,
  trainMetanetwork,
  weightsOfFeatures,
} from '../../src/compress/index.js';
import { metaPruningLines } from '../../src/compress/recipe-steps.js';
import { type ImageDataset, imageBatches, type LabelledImages } from '../../src/data/index.js';
import { memoryUse, withOwnPeak } from '../../src/engine/index.js';
import { accuracyOn, LeNet, MobileNetV2, SmallResNet } from '../../src/models/index.js';
import {
  BatchNorm2d,
  Conv2d,
  crossEntropy,
  gradientsOf,
  inference,
  type Layer,
  LayerNorm,
  Linear,
  loadState,
  MLP,
  type Mode,
  parameter,
  parameters,
  SGD,
  stateOf,
  type TrainingState,
  type Weights,
  withWeights,
} from '../../src/nn/index.js';
import {
  add,
  concatenate,
  globalAveragePool,
  multiply,
  Random,
  slice,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from '../../src/tensor/index.js';
import { cost, type PruningGroup } from '../../src/trace/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

/** Gives every weight and statistic a value of its own. */
function randomized<Model extends object>(model: Model, seed: number): Model {
  Object.entries(stateOf(model)).forEach(([name, own], i) => {
    const low = name.endsWith('runningVariance') ? 0.5 : -1;
    own.assign(uniformTensor(seed + i, own.shape, low, 1.5));
  });
  return model;
}

const EXAMPLE = [1, 1, 8, 8];
const CLASSES = 4;

function resNet(seed: number, shortcut: 'projection' | 'subsampled' = 'projection', width = 3): SmallResNet {
  const widths = [width, width + 1, width + 2] as const;
  return randomized(new SmallResNet(8, new Random(seed), { channels: 1, classes: CLASSES, widths, shortcut }), seed);
}

/** Concatenation, depthwise convolution with bias, a norm after a concatenation, a gate. */
class Branches implements Layer {
  readonly left = new Conv2d(1, 2, 3, new Random(1), { padding: 1 });
  readonly right = new Conv2d(1, 3, 1, new Random(2));
  readonly norm = new BatchNorm2d(5);
  readonly depthwise = new Conv2d(5, 5, 3, new Random(3), { padding: 1, groups: 5 });
  readonly after = new BatchNorm2d(5);
  readonly gate = new Linear(5, 5, new Random(4));
  readonly head = new Linear(5 * 4, CLASSES, new Random(5));

  forward(x: Tensor, mode: Mode): Tensor {
    const both = concatenate([this.left.forward(x).relu(), this.right.forward(x)], 1);
    const normed = this.norm.forward(both, mode).relu();
    const filtered = this.after.forward(this.depthwise.forward(normed), mode);
    const gate = this.gate.forward(globalAveragePool(filtered)).sigmoid();
    const gated = multiply(filtered, gate.reshape([x.shape[0] as number, 5, 1, 1]));
    const pooled = gated.reshape([x.shape[0] as number, 5, 2, 4, 2, 4]);
    // Four positions of each channel.
    return this.head.forward(slice(gated, null, null, [0, 8, 4], [0, 8, 4]).reshape([pooled.shape[0] as number, 20]));
  }
}

const branches = (seed: number) => randomized(new Branches(), seed);

const networks: Readonly<Record<string, () => [Layer, readonly number[]]>> = {
  'a ResNet with projections': () => [resNet(3), EXAMPLE],
  'a ResNet without': () => [resNet(4, 'subsampled'), EXAMPLE],
  'concatenation, depthwise filters, a gate and a flattened map': () => [branches(5), EXAMPLE],
  'a perceptron with batch norm': () => [
    randomized(new MLP([6, 5, 4, 3], new Random(6), { norm: 'batch' }), 6) as unknown as Layer,
    [2, 6],
  ],
};

const exampleFor = (shape: readonly number[]) => zeros(shape);
const read = (model: Layer, shape = EXAMPLE) => networkGraph(model, exampleFor(shape));

function expectSameWeights(actual: Weights, expected: Weights): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, own] of Object.entries(expected)) {
    expect(actual[name]?.shape).toEqual(own.shape);
    expect(Array.from((actual[name] as Tensor).view()), name).toEqual(Array.from(own.view()));
  }
}

describe('a network as a graph', () => {
  test.each(Object.entries(networks))('comes back bit for bit: %s', (_, make) => {
    const [model, shape] = make();
    const graph = read(model, shape as number[]);
    const back = weightsOfFeatures(graph, graphFeatures(graph, stateOf(model)));
    expectSameWeights(back, parameters(model));
    const x = uniformTensor(9, [2, ...shape.slice(1)]);
    const outputs = withWeights(model, back, (live) => live.forward(x, inference));
    expect(Array.from(outputs.view())).toEqual(Array.from(model.forward(x, inference).view()));
  });

  test.each(Object.entries(networks))('graph, network and graph again are the same: %s', (_, make) => {
    const [model, shape] = make();
    const graph = read(model, shape as number[]);
    const before = graphFeatures(graph, stateOf(model));
    const changed = {
      nodes: add(before.nodes, uniformTensor(11, before.nodes.shape)),
      edges: before.edges.map((own, i) => add(own, uniformTensor(12 + i, own.shape))),
    };
    loadState(model, { ...stateOf(model), ...weightsOfFeatures(graph, changed) });
    const after = graphFeatures(graph, stateOf(model));
    graph.edges.forEach(({ weight }, i) => {
      const expected = weight === undefined ? before : changed;
      expect(Array.from(after.edges[i]?.view() ?? [])).toEqual(Array.from(expected.edges[i]?.view() ?? []));
    });
    const width = before.nodes.shape[1] as number;
    const held = new Set(
      graph.nodes.flatMap(({ start, size, values }) =>
        values
          .filter(({ feature }) => feature !== 'mean' && feature !== 'variance')
          .flatMap(({ feature, branch }) => {
            const slot = 5 * branch + ['scale', 'shift', 'mean', 'variance', 'bias'].indexOf(feature);
            return Array.from({ length: size }, (_, at) => (start + at) * width + slot);
          }),
      ),
    );
    Array.from(after.nodes.view()).forEach((value, at) => {
      expect(value).toBe((held.has(at) ? changed : before).nodes.view()[at]);
    });
  });

  test('of a ResNet has the node sets and edges of a hand list', () => {
    const graph = read(resNet(3));
    const named = (set: number) => graph.nodes[set]?.name;
    expect(graph.nodes.map(({ name, size, start }) => [name, size, start])).toEqual([
      ['image', 1, 0],
      ['conv1', 3, 1],
      ['layer1.0.conv1', 3, 4],
      ['layer1.0.conv2', 3, 7],
      ['layer2.0.conv1', 4, 10],
      ['layer2.0.conv2', 4, 14],
      ['layer3.0.conv1', 5, 18],
      ['layer3.0.conv2', 5, 23],
      ['linear', 4, 28],
    ]);
    expect(graph.edges.map(({ weight, from, to, taps }) => [weight, named(from), named(to), taps])).toEqual([
      ['conv1.weight', 'image', 'conv1', 9],
      ['layer1.0.conv1.weight', 'conv1', 'layer1.0.conv1', 9],
      ['layer1.0.conv2.weight', 'layer1.0.conv1', 'layer1.0.conv2', 9],
      [undefined, 'conv1', 'layer1.0.conv2', 1],
      ['layer2.0.conv1.weight', 'layer1.0.conv2', 'layer2.0.conv1', 9],
      ['layer2.0.conv2.weight', 'layer2.0.conv1', 'layer2.0.conv2', 9],
      ['layer2.0.downsample.0.weight', 'layer1.0.conv2', 'layer2.0.conv2', 1],
      ['layer3.0.conv1.weight', 'layer2.0.conv2', 'layer3.0.conv1', 9],
      ['layer3.0.conv2.weight', 'layer3.0.conv1', 'layer3.0.conv2', 9],
      ['layer3.0.downsample.0.weight', 'layer2.0.conv2', 'layer3.0.conv2', 1],
      ['linear.weight', 'layer3.0.conv2', 'linear', 1],
    ]);
  });

  test('has both norms of a joined shortcut, the running statistics and defaults as node features', () => {
    const model = resNet(3);
    const graph = read(model);
    const { nodes, edges } = graphFeatures(graph, stateOf(model));
    expect(nodes.shape).toEqual([32, 10]);
    const state = stateOf(model);
    const at = (name: string, i: number) => state[name]?.view()[i];
    const norm = (name: string) =>
      ['weight', 'bias', 'runningMean', 'runningVariance'].map((own) => at(`${name}.${own}`, 2));
    const row = (node: number) => Array.from(slice(nodes, [node, node + 1]).view());
    expect(row(14 + 2)).toEqual([...norm('layer2.0.bn2'), 0, ...norm('layer2.0.downsample.1'), 0]);
    expect(row(0)).toEqual([1, 0, 0, 1, 0, 1, 0, 0, 1, 0]);
    expect(row(28 + 2)).toEqual([1, 0, 0, 1, at('linear.bias', 2), 1, 0, 0, 1, 0]);
    // Row-major (out, in), the classifier included.
    const last = edges.at(-1) as Tensor;
    expect(last.shape).toEqual([4, 5, 1]);
    expect(Array.from(last.view())).toEqual(Array.from(state['linear.weight']?.view() ?? []));
    expect(Array.from(edges[3]?.view() ?? [])).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  test('has identity edges to the middle channels where a shortcut pads with zeros', () => {
    const model = new SmallResNet(8, new Random(1), { channels: 1, classes: 2, widths: [1, 3, 5] });
    const graph = read(model);
    const identities = graph.edges.flatMap(({ weight }, i) =>
      weight === undefined ? [Array.from(graphFeatures(graph, stateOf(model)).edges[i]?.view() ?? [])] : [],
    );
    expect(identities[1]).toEqual([0, 1, 0]);
  });

  test('has the positions of a flattened map as numbers of one edge', () => {
    const graph = read(new LeNet(new Random(1)) as unknown as Layer, [1, 1, 28, 28]);
    const flattened = graph.edges.filter(({ weight }) => graph.shapes[weight ?? '']?.length === 2);
    const [{ taps, from }] = flattened as [(typeof flattened)[0]];
    expect(taps * (graph.nodes[from]?.size ?? 0)).toBe(graph.shapes[flattened[0]?.weight ?? '']?.[1]);
    expect(taps).toBeGreaterThan(1);
  });

  test('can be made of inverted residuals', () => {
    const model = new MobileNetV2(new Random(1), { width: 0.1, classes: 3 }) as unknown as Layer;
    const graph = networkGraph(model, zeros([1, 3, 32, 32]));
    expect(graph.edges.filter(({ pairs }) => pairs === 'own').length).toBe(17);
    // Eleven blocks of this width add their input, which others read too, to their own output.
    expect(graph.edges.filter(({ weight }) => weight === undefined).length).toBe(11);
    expect(graph.branches).toBe(1);
    expectSameWeights(weightsOfFeatures(graph, graphFeatures(graph, stateOf(model))), parameters(model));
  });

  test('is refused by name where an operation has no rule or a weight no place', () => {
    const of = (forward: (x: Tensor) => Tensor, own: object = {}) => read({ ...own, forward } as Layer);
    const grouped = new Conv2d(4, 4, 1, new Random(1), { groups: 2 });
    const stem = new Conv2d(1, 4, 1, new Random(1));
    expect(() => of((x) => grouped.forward(stem.forward(x)), { stem, grouped })).toThrow(/has 2 groups/);
    const norm = new LayerNorm(8);
    expect(() => of((x) => norm.forward(x), { norm })).toThrow(/layerNorm .* without a rule/);
    const idle = parameter(zeros([3]));
    expect(() => of((x) => stem.forward(x), { stem, idle })).toThrow(/idle is not in it/);
    const twice = new Conv2d(1, 1, 1, new Random(1));
    expect(() => of((x) => twice.forward(twice.forward(x)), { twice })).toThrow(/twice.weight is used more than once/);
  });
});

/** Σ and products in double precision. */
const silu = (x: number) => x / (1 + Math.exp(-x));

function naiveLinear({ weight, bias }: Linear, x: readonly number[]): number[] {
  const w = weight.view();
  return Array.from(bias?.view() ?? [], (b, o) =>
    x.reduce((total, value, i) => total + value * (w[o * x.length + i] as number), b),
  );
}

interface NaiveEdge {
  readonly source: number;
  readonly target: number;
  readonly e: number[];
}

/** A layer of messages over a list of edges. */
function naiveLayer(layer: MetaLayer, h: readonly number[][], edges: readonly NaiveEdge[]) {
  const d = layer.dimension;
  const sign = (i: number) => (i < d / 2 ? 1 : -1);
  const u = h.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / d;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / d;
    return row.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
  });
  const gate = (own: { linear: Linear }) => u.map((row) => naiveLinear(own.linear, row).map(silu));
  const [a1, a2, a3, a4] = [layer.sender, layer.receiver, layer.source, layer.target].map(gate) as [
    number[][],
    number[][],
    number[][],
    number[][],
  ];
  const conv = (list: readonly NaiveEdge[]) => {
    const product = (a: number[], b: number[], e: number[]) =>
      e.map((value, i) => (a[i] as number) * (b[i] as number) * value);
    const n = h.map((_, v) => {
      const messages = list
        .filter(({ target }) => target === v)
        .map(({ source, e }) => product(a2[v] as number[], a1[source] as number[], e));
      if (messages.length === 0) return naiveLinear(layer.combine, new Array(4 * d).fill(0));
      const columns = Array.from({ length: d }, (_, i) => messages.map((message) => message[i] as number));
      const means = columns.map((own) => own.reduce((a, b) => a + b, 0) / own.length);
      const deviations = columns.map((own, i) =>
        Math.sqrt(own.reduce((a, b) => a + (b - (means[i] as number)) ** 2, 0) / own.length + 1e-5),
      );
      return naiveLinear(layer.combine, [
        ...means,
        ...deviations,
        ...columns.map((own) => Math.max(...own)),
        ...columns.map((own) => Math.min(...own)),
      ]);
    });
    return { n, m: list.map(({ source, target, e }) => product(a3[source] as number[], a4[target] as number[], e)) };
  };
  const along = conv(edges);
  const against = conv(
    edges.map(({ source, target, e }) => ({ source: target, target: source, e: e.map((value, i) => sign(i) * value) })),
  );
  return {
    nodes: h.map((row, v) =>
      row.map((value, i) => value + (along.n[v]?.[i] as number) + (against.n[v]?.[i] as number)),
    ),
    edges: edges.map(({ e }, k) =>
      e.map((value, i) => value + (along.m[k]?.[i] as number) + sign(i) * (against.m[k]?.[i] as number)),
    ),
  };
}

/** Nodes of each edge, in the order of its features. */
function edgeEnds({ nodes, edges }: NetworkGraph): { source: number; target: number }[] {
  return edges.flatMap(({ from, to, pairs }) => {
    const [sources, targets] = [from, to].map((set) => nodes[set]) as [
      NetworkGraph['nodes'][0],
      NetworkGraph['nodes'][0],
    ];
    return Array.from({ length: targets.size }, (_, o) =>
      Array.from({ length: pairs === 'all' ? sources.size : 1 }, (_, i) => ({
        source: sources.start + (pairs === 'all' ? i : o),
        target: targets.start + o,
      })),
    ).flat();
  });
}

const rowsOf = (x: Tensor) => {
  const d = x.shape.at(-1) as number;
  return Array.from({ length: x.size / d }, (_, i) => Array.from(x.view().subarray(i * d, (i + 1) * d)));
};

describe('a layer of messages', () => {
  test.each([
    ['a ResNet', () => resNet(3)],
    ['concatenation and depthwise filters', () => branches(5)],
  ] as const)('equals a loop over the edges: %s', (_, make) => {
    const graph = read(make());
    const d = 4;
    const layer = new MetaLayer(d, new Random(2));
    const features = graphFeatures(graph, stateOf(make()));
    const nodes = uniformTensor(21, [features.nodes.shape[0] as number, d], -1, 2);
    const edges = features.edges.map((own, i) => uniformTensor(22 + i, [...own.shape.slice(0, 2), d], -1, 2));
    const ends = edgeEnds(graph);
    const list = edges.flatMap(rowsOf).map((e, i) => ({ ...(ends[i] as (typeof ends)[0]), e }));
    const expected = naiveLayer(layer, rowsOf(nodes), list);
    const actual = layer.forward(graph, { nodes, edges });
    expectClose(actual.nodes.view(), expected.nodes.flat(), 1e-4);
    expectClose(actual.edges.flatMap(rowsOf).flat(), expected.edges.flat(), 1e-4);
  });

  test('sends e along an edge and ε⊙e against it', () => {
    const linear = new Linear(1, 1, new Random(1));
    const graph = read({ linear, forward: (x: Tensor) => linear.forward(x) } as Layer, [1, 1]);
    const layer = new MetaLayer(2, new Random(1));
    for (const own of Object.values(parameters(layer))) own.assign(zeros(own.shape));
    const gates = { sender: 1, receiver: 2, source: 3, target: 4 };
    for (const [name, value] of Object.entries(gates))
      layer[name as keyof typeof gates].linear.bias?.assign(tensor([value, value]));
    // D passes the mean alone.
    layer.combine.weight.assign(tensor([1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [2, 8]));
    const { nodes, edges } = layer.forward(graph, { nodes: zeros([2, 2]), edges: [tensor([5, 7], [1, 1, 2])] });
    const message = silu(1) * silu(2);
    expectClose(nodes.view(), [5 * message, -7 * message, 5 * message, 7 * message], 1e-5);
    const update = 1 + 2 * silu(3) * silu(4);
    expectClose(edges[0]?.view() ?? [], [5 * update, 7 * update], 1e-5);
  });
});

/** The state with the channels of a group in another order. */
function permuted({ channels }: PruningGroup, order: readonly number[], state: Weights): Weights {
  const copies = Object.fromEntries(Object.entries(state).map(([name, own]) => [name, Float32Array.from(own.view())]));
  for (const axis of [0, 1]) {
    const before = Object.fromEntries(Object.entries(copies).map(([name, own]) => [name, own.slice()]));
    channels.forEach((slices, channel) => {
      const sources = channels[order[channel] as number] as typeof slices;
      for (const own of slices.filter((each) => each.axis === axis)) {
        const source = sources.find((each) => each.weight === own.weight && each.axis === axis) as typeof own;
        const shape = state[own.weight]?.shape as readonly number[];
        const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
        const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
        const at = (o: number, index: number, i: number) => (o * (shape[axis] as number) + index) * inner + i;
        for (let o = 0; o < outer; o++)
          for (let i = 0; i < inner; i++)
            (copies[own.weight] as Float32Array)[at(o, own.index, i)] = before[own.weight]?.[
              at(o, source.index, i)
            ] as number;
      }
    });
  }
  return Object.fromEntries(Object.entries(copies).map(([name, own]) => [name, tensor(own, state[name]?.shape ?? [])]));
}

const metanetworkFor = (model: Layer, seed = 1, scale = 0.1) =>
  new Metanetwork(architectureOfGraph(read(model)), new Random(seed), {
    ...{ dimension: 4, layers: 2 },
    ...{ nodeScale: scale, edgeScale: scale },
  });

describe('a metanetwork', () => {
  test('answers with permuted weights where channels are permuted', () => {
    const model = resNet(3);
    const metanetwork = metanetworkFor(model);
    const expected = metanetwork.weights(read(model), model);
    const { groups } = prunableNetwork(model, zeros(EXAMPLE));
    for (const group of groups) {
      const order = group.channels.map((_, i) => (i + 1) % group.channels.length);
      const other = resNet(3);
      loadState(other, permuted(group, order, stateOf(model)));
      const actual = metanetwork.weights(read(other), other);
      for (const [name, own] of Object.entries(permuted(group, order, { ...stateOf(model), ...expected })))
        if (actual[name]) expectClose(actual[name].view(), own.view(), 1e-5);
    }
  });

  test('returns its input at r = 0, changes every weight otherwise, and no statistic', () => {
    const model = resNet(3);
    expectSameWeights(metanetworkFor(model, 1, 0).weights(read(model), model), parameters(model));
    const before = Object.fromEntries(Object.entries(stateOf(model)).map(([name, own]) => [name, own.clone()]));
    const changed = metanetworkFor(model).weights(read(model), model);
    for (const [name, own] of Object.entries(parameters(model)))
      expect(Array.from(changed[name]?.view() ?? []), name).not.toEqual(Array.from(own.view()));
    expectSameWeights(stateOf(model), before);
    applyMetanetwork(metanetworkFor(model), model, images(4, 4, 1));
    expectSameWeights(stateOf(model), { ...before, ...changed });
  });

  test('has the factors of nodes and edges apart', () => {
    const model = resNet(3);
    const options = { dimension: 4, layers: 1, nodeScale: 0, edgeScale: 0.1 };
    const metanetwork = new Metanetwork(architectureOfGraph(read(model)), new Random(1), options);
    const changed = metanetwork.weights(read(model), model);
    for (const [name, own] of Object.entries(parameters(model)))
      expect(Array.from(changed[name]?.view() ?? []).join() === Array.from(own.view()).join(), name).toBe(
        own.rank === 1,
      );
  });

  test('is saved and loaded, and reads networks with other numbers of channels', () => {
    const model = resNet(3);
    const metanetwork = metanetworkFor(model);
    const loaded = loadMetanetwork(saveMetanetwork(metanetwork));
    const wider = resNet(8, 'projection', 5);
    expectSameWeights(loaded.weights(read(wider), wider), metanetwork.weights(read(wider), wider));
    const trained = {
      ...{ data: 'flowers', network: 'resnet20', models: ['a', 'b'], epoch: 2, epochs: 3 },
      ...{ speedups: [2], accuracies: [0.5] },
    };
    expect(readMetanetwork(saveMetanetwork(metanetwork, trained)).trained).toEqual(trained);
    expect(readMetanetwork(saveMetanetwork(metanetwork)).trained).toBeUndefined();
    expect(() => loadMetanetwork(saveMetanetwork(metanetwork).slice(0, 40))).toThrow();
  });

  test('refuses another architecture and names the layers', () => {
    const metanetwork = metanetworkFor(resNet(3));
    const other = resNet(4, 'subsampled');
    expect(() => metanetwork.weights(read(other), other)).toThrow(
      /another architecture: .*layer2\.0\.downsample\.0\.weight is missing/,
    );
    const kernel = { stem: new Conv2d(1, 4, 5, new Random(1)), forward: (x: Tensor): Tensor => kernel.stem.forward(x) };
    const narrow = { stem: new Conv2d(1, 4, 3, new Random(1)), forward: (x: Tensor): Tensor => narrow.stem.forward(x) };
    expect(() => metanetworkFor(kernel).weights(read(narrow), narrow)).toThrow(
      /stem\.weight is 9 taps.*expected 25 taps/,
    );
    expect(() => new Metanetwork(metanetwork.architecture, new Random(1), { dimension: 5 })).toThrow(/even, got 5/);
  });
});

/** Pictures whose brightest quadrant is their class. */
function images(train: number, test: number, seed: number): ImageDataset {
  const draw = (count: number, own: number): LabelledImages => {
    const noise = uniform(own, count * 64, 0, 100);
    const labels = Int32Array.from({ length: count }, (_, i) => i % CLASSES);
    const pixels = Uint8Array.from(noise, (value, at) => {
      const [image, place] = [Math.floor(at / 64), at % 64];
      const quadrant = 2 * Number(place >= 32) + Number(place % 8 >= 4);
      return value + (quadrant === image % CLASSES ? 120 : 0);
    });
    return { count, channels: 1, height: 8, width: 8, pixels, labels };
  };
  const classes = Array.from({ length: CLASSES }, (_, i) => `quadrant ${i}`);
  return {
    name: 'quadrants',
    classes,
    train: draw(train, seed),
    test: draw(test, seed + 1),
    mean: [0.3],
    deviation: [0.25],
  };
}

/** Every counted slice of a channel by a loop over all elements: Σ w² of each member. */
function naiveScores({ channels }: PruningGroup, state: Weights): number[] {
  const raw = channels.map((slices) => {
    const counted = slices.filter(
      ({ weight }) => (state[weight]?.rank ?? 0) > 1 || /bn\d\.weight|downsample\.1\.weight/.test(weight),
    );
    let total = 0;
    for (const { weight, axis, index } of counted) {
      const own = state[weight] as Tensor;
      own.view().forEach((value, at) => {
        const inner = own.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
        if (Math.floor(at / inner) % (own.shape[axis] as number) === index) total += value * value;
      });
    }
    return total / counted.length;
  });
  return raw.map((score) => score / Math.max(...raw));
}

describe('group norms', () => {
  const model = resNet(3);
  const network = prunableNetwork(model, zeros(EXAMPLE));

  test('have the groups of a hand list', () => {
    const kernels = network.groups.map(({ members, channels }) => [
      channels.length,
      members.filter((name) => /(conv\d|downsample\.0|linear)\.weight:/.test(name)),
    ]);
    expect(kernels).toEqual([
      [
        3,
        [
          'conv1.weight:0',
          'layer1.0.conv1.weight:1',
          'layer1.0.conv2.weight:0',
          'layer2.0.conv1.weight:1',
          'layer2.0.downsample.0.weight:1',
        ],
      ],
      [3, ['layer1.0.conv1.weight:0', 'layer1.0.conv2.weight:1']],
      [4, ['layer2.0.conv1.weight:0', 'layer2.0.conv2.weight:1']],
      [
        4,
        [
          'layer2.0.conv2.weight:0',
          'layer2.0.downsample.0.weight:0',
          'layer3.0.conv1.weight:1',
          'layer3.0.downsample.0.weight:1',
        ],
      ],
      [5, ['layer3.0.conv1.weight:0', 'layer3.0.conv2.weight:1']],
      [5, ['layer3.0.conv2.weight:0', 'layer3.0.downsample.0.weight:0', 'linear.weight:1']],
    ]);
  });

  test('score channels as a loop does: mean over members, over the maximum', () => {
    for (const group of network.groups)
      expectClose(groupScores(group, stateOf(model), network.counted), naiveScores(group, stateOf(model)), 1e-6);
    const [group] = network.groups as [PruningGroup];
    const plain = groupScores(group, stateOf(model), network.counted, { normalizer: 'none' });
    const mean = groupScores(group, stateOf(model), network.counted, { normalizer: 'mean' });
    expectClose(
      mean,
      plain.map((score) => score / (plain.reduce((a, b) => a + b, 0) / plain.length)),
      1e-9,
    );
    const absolute = { w: tensor([-1, 2, -3, 4], [2, 2]) };
    const two = { members: [], channels: [0, 1].map((index) => [{ weight: 'w', axis: 0, index }]) };
    expect(Array.from(groupScores(two, absolute, new Set(['w']), { norm: 1, normalizer: 'none' }))).toEqual([3, 7]);
    const both = {
      members: [],
      channels: [0, 1].map((index) => [0, 1].map((axis) => ({ weight: 'w', axis, index }))),
    };
    expect(Array.from(groupScores(both, absolute, new Set(['w']), { norm: 1, normalizer: 'none' }))).toEqual([
      3.5, 6.5,
    ]);
  });

  test('give γ of 1 to the largest and α to the smallest, by √I', () => {
    expectClose(shrinkFactors(Float64Array.of(1, 0.25, 0.04), 16) ?? [], [1, 16 ** (0.5 / 0.8), 16], 1e-9);
    expect(shrinkFactors(Float64Array.of(0.5, 0.5), 16)).toBeUndefined();
    expect(shrinkFactors(Float64Array.of(0.5, Number.NaN), 16)).toBeUndefined();
  });

  test('have the gradient of ½λΣγ‖w‖² with γ stopped', () => {
    const gammas = network.groups.map((group) => {
      const roots = naiveScores(group, stateOf(model)).map(Math.sqrt);
      const [least, most] = [Math.min(...roots), Math.max(...roots)];
      return roots.map((root) => 8 ** ((most - root) / (most - least)));
    });
    const penalty = (weights: Record<string, Tensor>) =>
      network.groups
        .flatMap(({ channels }, g) =>
          channels.flatMap((slices, c) =>
            slices
              .filter(({ weight }) => network.counted.has(weight))
              .map(({ weight, axis, index }) => {
                const own = weights[weight] as Tensor;
                const part = axis === 0 ? slice(own, [index, index + 1]) : slice(own, null, [index, index + 1]);
                return multiply(sum(square(part)), 0.5 * 3 * (gammas[g]?.[c] as number));
              }),
          ),
        )
        .reduce(add);
    const { gradient } = valueAndGrad(penalty)({ ...parameters(model) });
    const injected = shrinkageGradients(network, parameters(model), { strength: 3, alpha: 8 });
    for (const [name, own] of Object.entries(gradient))
      expectClose(injected[name] ?? new Float32Array(own.size), own.view(), 1e-4);
    expect(Object.keys(injected)).not.toContain('bn1.bias');
    expect(Object.keys(injected)).toContain('bn1.weight');
    const optimizer = new GroupNormShrinking(new SGD({ learningRate: 0.1 }), network, { strength: 3, alpha: 8 });
    const weights = Object.fromEntries(Object.entries(parameters(model)).map(([name, own]) => [name, own.clone()]));
    optimizer.update(
      weights,
      Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, zeros(shape)])),
    );
    for (const [name, own] of Object.entries(weights))
      expectClose(
        own.view(),
        (parameters(model)[name] as Tensor).view().map((value, i) => value - 0.1 * (injected[name]?.[i] ?? 0)),
        1e-5,
      );
  });
});

describe('pruning to a speed-up', () => {
  const costOf = (own: Layer) => cost((x) => own.forward(x, inference), [zeros(EXAMPLE)], parameters(own)).multiplyAdds;

  test('removes the channels of lowest score first, and counts what is left', () => {
    const model = resNet(7, 'projection', 6);
    const network = prunableNetwork(model, zeros(EXAMPLE));
    const lowest = network.groups
      .flatMap((group, g) => naiveScores(group, stateOf(model)).map((score, c) => ({ g, c, score })))
      .sort((a, b) => a.score - b.score)[0] as { g: number; c: number };
    const first = network.groups[lowest.g]?.channels[lowest.c]?.find(({ axis }) => axis === 0);
    const [before, weight] = [costOf(model), (first && stateOf(model)[first.weight]) as Tensor];
    const rows = rowsOf(weight.reshape([weight.shape[0] as number, -1]));
    // So little that the first channel is enough.
    const done = pruneToSpeedup(model, zeros(EXAMPLE), { speedup: 1.0001 });
    expect(done).toMatchObject({ before, after: costOf(model), speedup: before / costOf(model), removed: 1 });
    const left = stateOf(model)[first?.weight ?? ''] as Tensor;
    expect(left.shape[0]).toBe(rows.length - 1);
    const others = prunableNetwork(model, zeros(EXAMPLE)).groups.map(({ channels }) => channels.length);
    expect(others.map((count, g) => (network.groups[g]?.channels.length ?? 0) - count)).toEqual(
      others.map((_, g) => Number(g === lowest.g)),
    );
  });

  test('takes the wanted speed-up, from another number where one is given', () => {
    const model = resNet(7, 'projection', 6);
    const before = costOf(model);
    const half = pruneToSpeedup(model, zeros(EXAMPLE), { speedup: 2 });
    expect(half.speedup).toBeGreaterThanOrEqual(2);
    expect(half.after).toBe(costOf(model));
    expect(pruneToSpeedup(model, zeros(EXAMPLE), { speedup: 2, from: before }).removed).toBe(0);
    expect(pruneToSpeedup(model, zeros(EXAMPLE), { speedup: 4, from: before }).after).toBeLessThanOrEqual(before / 4);
    expect(model.forward(uniformTensor(1, [2, 1, 8, 8]), inference).shape).toEqual([2, CLASSES]);
  });

  test('leaves the outputs where the removed channels are zero', () => {
    const model = resNet(7, 'projection', 6);
    const { groups } = prunableNetwork(model, zeros(EXAMPLE));
    const group = groups[1] as PruningGroup;
    const state = Object.fromEntries(
      Object.entries(stateOf(model)).map(([name, own]) => [name, own.dataSync() as Float32Array]),
    );
    for (const { weight, axis, index } of (group.channels[2] ?? []).concat(group.channels[4] ?? [])) {
      const { shape } = stateOf(model)[weight] as Tensor;
      const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      state[weight]?.forEach((_, at, all) => {
        if (Math.floor(at / inner) % (shape[axis] as number) === index && !weight.endsWith('Variance')) all[at] = 0;
      });
    }
    for (const [name, own] of Object.entries(stateOf(model)))
      own.assign(tensor(state[name] as Float32Array, own.shape));
    const x = uniformTensor(5, [3, 1, 8, 8]);
    const expected = model.forward(x, inference).dataSync();
    // Two of the 42 channels have score 0.
    const scored = { speedup: 1.2, steps: 42 };
    expect(pruneToSpeedup(model, zeros(EXAMPLE), scored).removed).toBe(2);
    expect(model.layer1[0]?.conv1.weight.shape[0]).toBe(4);
    expectClose(model.forward(x, inference).view(), expected, 1e-6);
  });

  test('refuses what is out of reach, and leaves the model as it was', () => {
    const model = resNet(3);
    const before = Object.fromEntries(Object.entries(stateOf(model)).map(([name, own]) => [name, own.clone()]));
    expect(() => pruneToSpeedup(model, zeros(EXAMPLE), { speedup: 1e6 })).toThrow(
      /speed-up of 1000000 is out of reach: with one channel/,
    );
    expectSameWeights(stateOf(model), before);
    expect(() => pruneToSpeedup(model, zeros(EXAMPLE), { speedup: 1 })).toThrow(/above 1, got 1/);
  });

  test('takes other criteria', () => {
    const model = resNet(7, 'projection', 6);
    const scores = ({ groups }: { groups: readonly PruningGroup[] }) =>
      groups.map(({ channels }, g) => channels.map((_, c) => (g === 2 ? c - 100 : c)));
    pruneToSpeedup(model, zeros(EXAMPLE), { speedup: 1.1, scores });
    expect(model.layer2[0]?.conv1.weight.shape[0]).toBeLessThan(7);
    expect(model.conv1.weight.shape[0]).toBe(6);
  });
});

const trained = (seed: number) => {
  const widths = [3, 4, 5] as const;
  return new SmallResNet(8, new Random(seed), { channels: 1, classes: CLASSES, widths, shortcut: 'projection' });
};
const copyOf = (weights: Weights) =>
  Object.fromEntries(Object.entries(weights).map(([name, own]) => [name, own.clone()]));

/** Mean score of the upper half of the channels of a group over that of the lower, averaged. */
function spread(metanetwork: Metanetwork, model: Layer): number {
  const { graph, network } = dataModel(model, zeros(EXAMPLE));
  const weights = metanetwork.weights(graph, model);
  const ratios = network.groups.map((group) => {
    const scores = Array.from(groupScores(group, weights, network.counted)).sort((a, b) => a - b);
    const half = Math.floor(scores.length / 2);
    const mean = (own: readonly number[]) => own.reduce((a, b) => a + b, 0) / own.length;
    return mean(scores.slice(-half)) / mean(scores.slice(0, half));
  });
  return ratios.reduce((a, b) => a + b, 0) / ratios.length;
}

describe('meta-training', () => {
  const data = images(12, 8, 1);
  const batch = () => imageBatches(data.train, data, 12);
  const shrinkage = { strength: 2, alpha: 16 };

  test('sums the cross-entropy over batches, and adds the group norm once', () => {
    const own = dataModel(trained(1), zeros(EXAMPLE));
    const changed = copyOf(parameters(own.model));
    const once = injectedGradients(own, changed, batch(), shrinkage);
    const twice = injectedGradients(own, changed, [...copies(batch(), 2)], shrinkage);
    expect(twice.crossEntropy).toBeCloseTo(2 * once.crossEntropy, 4);
    const norm = shrinkageGradients(own.network, changed, shrinkage);
    for (const [name, { shape }] of Object.entries(changed)) {
      const penalty = norm[name] ?? new Float32Array(shape.reduce((a, b) => a * b, 1));
      const [a, b] = [once, twice].map(({ gradients }) => gradients[name]?.view() ?? new Float32Array());
      expectClose(
        b as Float32Array,
        Array.from(penalty, (value, i) => value + 2 * ((a?.[i] as number) - value)),
        1e-4,
      );
    }
  });

  test('has the gradient of the whole through the metanetwork', () => {
    const own = dataModel(trained(1), zeros(EXAMPLE));
    const metanetwork = metanetworkFor(own.model);
    const [{ images: x, labels }] = [...copies(batch(), 1)] as [{ images: Tensor; labels: Tensor }];
    const norm = (weights: Weights) => {
      // γ at the changed weights, as constants.
      const injected = shrinkageGradients(own.network, weights, shrinkage);
      return Object.entries(injected)
        .map(([name, values]) => sum(multiply(weights[name] as Tensor, tensor(values, weights[name]?.shape ?? []))))
        .reduce(add);
    };
    const { gradients: expected } = gradientsOf(metanetwork, (live) => {
      const weights = live.weights(own.graph, own.model);
      const loss = withWeights(own.model, weights, (model) => crossEntropy(model.forward(x, inference), labels));
      return add(loss, norm(weights));
    });
    const actual = metaGradients(metanetwork, own, batch(), shrinkage);
    for (const [name, gradient] of Object.entries(expected))
      expectClose(actual.gradients[name]?.view() ?? [], gradient.view(), 1e-3);
  });

  test('makes weak channels weaker at each epoch, leaves the networks alone, and keeps each', async () => {
    const models = [trained(1), trained(2)];
    const before = models.map((model) => copyOf(stateOf(model)));
    const metanetwork = metanetworkFor(models[0] as Layer);
    const spreads = [spread(metanetwork, models[0] as Layer)];
    const onEpoch = () => void spreads.push(spread(metanetwork, models[0] as Layer));
    const options = { epochs: 4, batchSize: 12, learningRate: 0.01, dropAfter: 2, onEpoch };
    const { epochs } = await metaTrain(metanetwork, models, data, new Random(1), options);
    expect(spreads).toEqual([...spreads].sort((a, b) => a - b));
    expect(new Set(spreads).size).toBe(5);
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expectSameWeights(epochs[3]?.weights ?? {}, parameters(metanetwork));
    // The rate falls to a tenth after the second epoch.
    const moved = (a: number, b: number) =>
      Object.entries(epochs[a]?.weights ?? {}).reduce(
        (total, [name, own]) =>
          total +
          own.view().reduce((all, value, i) => all + Math.abs(value - (epochs[b]?.weights[name]?.view()[i] ?? 0)), 0),
        0,
      );
    expect(moved(0, 1)).toBeGreaterThan(4 * moved(1, 2));
    models.forEach((model, i) => {
      expectSameWeights(stateOf(model), before[i] as Weights);
    });
  });

  test('lowers the cross-entropy at each epoch where there is no group norm', async () => {
    const model = trained(1);
    const options = { epochs: 5, batchSize: 12, learningRate: 0.005, dropAfter: 100, shrinkage: { strength: 0 } };
    const { history } = await metaTrain(metanetworkFor(model), [model], data, new Random(1), options);
    const losses = history.map(({ loss }) => loss);
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    expect(new Set(losses).size).toBe(5);
  });

  test('goes on from a checkpoint as if it had not been cut off, with all epochs', async () => {
    const model = trained(1);
    const options = { epochs: 3, batchSize: 12 };
    const whole = metanetworkFor(model);
    await metaTrain(whole, [model], data, new Random(1), options);
    let saved: TrainingState | undefined;
    const checkpoint = {
      load: () => saved,
      save: (state: TrainingState) => {
        saved = {
          ...state,
          weights: copyOf(state.weights),
          optimizer: { ...state.optimizer, tensors: copyOf(state.optimizer.tensors) },
        };
      },
    };
    const cut = new AbortController();
    const onEpoch = ({ epoch }: { epoch: number }) => epoch === 2 && cut.abort();
    const first = await metaTrain(metanetworkFor(model), [model], data, new Random(1), {
      ...options,
      checkpoint,
      onEpoch,
      signal: cut.signal,
    });
    expect(first.stopped).toBe('aborted');
    expect(first.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
    const resumed = metanetworkFor(model, 7);
    const rest = await metaTrain(resumed, [model], data, new Random(1), { ...options, checkpoint });
    expect(rest.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    first.epochs.forEach(({ weights }, i) => {
      expectSameWeights(rest.epochs[i]?.weights ?? {}, weights);
    });
    expectSameWeights(parameters(resumed), parameters(whole));
    const aborted = { ...options, dimension: 4, layers: 1, signal: AbortSignal.abort(new Error('stop')) };
    await expect(trainMetanetwork([trained(1), trained(2)], data, data.test, new Random(1), aborted)).rejects.toThrow(
      'stop',
    );
  });

  test('reads one batch where asked, and stops at a loss that is not finite', async () => {
    const model = trained(1);
    const losses = async (batches: 'all' | 'one') => {
      const { history } = await metaTrain(metanetworkFor(model), [model], data, new Random(1), {
        epochs: 1,
        batchSize: 4,
        batches,
      });
      return history[0]?.loss as number;
    };
    const [all, one] = [await losses('all'), await losses('one')];
    expect(all).toBeGreaterThan(2 * one);
    const broken = trained(1);
    broken.linear.bias?.assign(tensor([Number.NaN, 0, 0, 0]));
    await expect(metaTrain(metanetworkFor(model), [broken], data, new Random(1), { epochs: 1 })).rejects.toThrow(
      /cross-entropy of the changed network is NaN/,
    );
    await expect(metaTrain(metanetworkFor(model), [], data, new Random(1))).rejects.toThrow(/at least one/);
  });

  test('does not learn from the network that chooses the epoch', async () => {
    const options = { epochs: 2, dimension: 4, layers: 1, choice: { speedups: [1.5, 2], adaptEpochs: 0 } };
    const run = (last: number) =>
      trainMetanetwork([trained(1), trained(last)], data, data.test, new Random(1), options);
    const [a, b] = [await run(2), await run(3)];
    a.epochs.forEach(({ weights }, i) => {
      expectSameWeights(weights, b.epochs[i]?.weights ?? {});
    });
    expect(a.curves).toHaveLength(2);
    const three = [...a.epochs, { epoch: 3, weights: copyOf(a.epochs[0]?.weights ?? {}) }];
    const choice = { ...options.choice, every: 2 };
    const some = await chooseEpoch(a.metanetwork, three, trained(2), data, data.test, new Random(1), choice);
    expect(some.map(({ epoch }) => epoch).sort()).toEqual([2, 3]);
    loadState(a.metanetwork, a.epochs.find(({ epoch }) => epoch === a.curves[0].epoch)?.weights ?? {});
    const chosen = a.epochs.find(({ epoch }) => epoch === a.curves[0].epoch);
    expectSameWeights(parameters(a.metanetwork), chosen?.weights ?? {});
    await expect(trainMetanetwork([trained(1)], data, data.test, new Random(1))).rejects.toThrow(/two or more/);
    const same = trained(1);
    await expect(trainMetanetwork([same, same], data, data.test, new Random(1))).rejects.toThrow(/each once/);
  });

  test('chooses the epoch of the best accuracy after pruning, and restores the network', async () => {
    const model = trained(1);
    const before = copyOf(stateOf(model));
    const [good, bad] = [metanetworkFor(model, 1, 0.001), metanetworkFor(model, 1, 0.001)];
    // An epoch that makes every weight huge.
    bad.edgeOut['9']?.out.bias?.assign(uniformTensor(1, [9], 1e6, 2e6));
    const epochs = [bad, good].map((own, i) => ({ epoch: i + 1, weights: copyOf(parameters(own)) }));
    const settings = { speedups: [1.2], adaptEpochs: 12, training: { learningRate: 0.02, batchSize: 6 } };
    const curves = await chooseEpoch(bad, epochs, model, data, data.train, new Random(1), settings);
    expect(curves.map(({ epoch }) => epoch)).toEqual([2, 1]);
    expect(curves[0].accuracies[0]).toBeGreaterThan(curves[1]?.accuracies[0] as number);
    expectSameWeights(stateOf(model), before);
    expectSameWeights(parameters(bad), parameters(good));
  });
});

function* copies<Item extends { images: Tensor; labels: Tensor }>(items: Iterable<Item>, count: number) {
  for (const { images: own, labels } of items)
    for (let i = 0; i < count; i++) yield { images: own.clone(), labels: labels.clone() };
}

describe('pruning with a metanetwork', () => {
  const data = images(16, 8, 3);
  const settings = { speedup: 2, adaptEpochs: 1, epochs: 1, training: { batchSize: 8 } };

  test('gives a smaller network, the same for the same seed, and leaves the metanetwork alone', async () => {
    const metanetwork = metanetworkFor(trained(1));
    const before = copyOf(parameters(metanetwork));
    const [a, b] = [trained(1), trained(1)];
    const done = await metaPrune(a, metanetwork, data, new Random(1), settings);
    await metaPrune(b, metanetwork, data, new Random(1), settings);
    expectSameWeights(stateOf(a), stateOf(b));
    expectSameWeights(parameters(metanetwork), before);
    expect(done.speedup).toBeGreaterThanOrEqual(2);
    expect(done.stopped).toBe('completed');
    expect(done.seconds).toBeLessThan(1);
    const cut = cost((x) => a.forward(x, inference), [zeros(EXAMPLE)], parameters(a)).multiplyAdds;
    expect(cut).toBe(done.after);
  });

  test('is not plain pruning: the weights of the metanetwork are in the answer', async () => {
    const [a, b] = [trained(1), trained(1)];
    await metaPrune(a, metanetworkFor(a, 1, 0.5), data, new Random(1), settings);
    await metaPrune(b, metanetworkFor(b, 1, 0), data, new Random(1), settings);
    expect(Array.from(a.linear.bias?.view() ?? [])).not.toEqual(Array.from(b.linear.bias?.view() ?? []));
  });

  test('estimates statistics anew where nothing is trained', async () => {
    const model = trained(1);
    await metaPrune(model, metanetworkFor(model), data, new Random(1), { speedup: 1.2, adaptEpochs: 0, epochs: 0 });
    expect(Array.from(model.bn1.runningMean.view())).not.toEqual(new Array(model.bn1.features).fill(0));
  });

  test('through several speed-ups ends at each as if it were the only one', () => {
    const [model, alone] = [trained(1), trained(1)];
    const seen: Weights[] = [];
    const done = pruneThrough(model, zeros(EXAMPLE), [3, 1.5], {}, () => void seen.push(copyOf(stateOf(model))));
    for (const [at, speedup] of [1.5, 3].entries()) {
      const own = trained(1);
      expect(pruneToSpeedup(own, zeros(EXAMPLE), { speedup })).toEqual(done[at]);
      expectSameWeights(seen[at] ?? {}, stateOf(own));
    }
    const images = data.test;
    const { accuracies } = pruningCurve(alone, data, images, [3, 1.5]);
    pruneToSpeedup(alone, zeros(EXAMPLE), { speedup: 3 });
    expect(accuracies[0]).toBe(accuracyOn(alone, images, data));
  });

  test('measures accuracy at several speed-ups from the same weights', () => {
    const model = trained(1);
    const before = copyOf(stateOf(model));
    const curve = pruningCurve(model, data, data.test, [1.5, 2]);
    expect(curve.speedups).toEqual([1.5, 2]);
    expect(curve.accuracies).toHaveLength(2);
    expectSameWeights(stateOf(model), before);
  });

  test('as a step of a recipe does what metaPrune does, and tells it', async () => {
    const metanetwork = metanetworkFor(trained(1), 1, 0.2);
    const [model, expected] = [trained(1), trained(1)];
    const step = { do: 'metapruning', metanetwork: 'meta', speedup: 2, adaptEpochs: 1, epochs: 1 } as const;
    const training = { batchSize: 8, learningRate: 0.01, weightDecay: 0.01 };
    const follow = (own: Layer, steps: readonly RecipeStep[], metanetworks = { meta: metanetwork }) =>
      compress(own, data, { steps, training }, { random: new Random(4), metanetworks });
    const { report } = await follow(model, [step]);
    const random = new Random(4).split('step 0');
    await metaPrune(expected, metanetwork, data, random, { speedup: 2, adaptEpochs: 1, epochs: 1, training });
    expectSameWeights(stateOf(model), stateOf(expected));
    expect(report.done).toEqual([
      expect.stringMatching(
        /^changed the weights by the metanetwork in .* trained 1 epochs and removed \d+ channels: 2\.\d+ times fewer/,
      ),
    ]);
    const other = follow(resNet(4, 'subsampled'), [step]);
    await expect(other).rejects.toThrow(/the metanetwork "meta" was made for another architecture/);
    await expect(compress(trained(1), data, { steps: [step] }, { random })).rejects.toThrow(
      /"meta" .* not among those/,
    );
    const late = [{ do: 'prune', sparsity: 0.5, layers: 'all' }, step] as const;
    await expect(follow(trained(1), late)).rejects.toThrow(/before weights are pruned, not after/);
  });

  test('names layers whose channels cannot change, and refuses operations by the layer before them', () => {
    const pruned = pruneToSpeedup(trained(1), zeros(EXAMPLE), { speedup: 1.5 });
    expect([...pruned.fixed]).toEqual([['linear', 'an output']]);
    expect(metaPruningLines({ ...pruned, seconds: 0, stopped: 'completed', fixed: new Map([['a', 'b']]) }, 1)[1]).toBe(
      'a keeps its channels: b',
    );
    class Shuffled implements Layer {
      readonly stem = new Conv2d(1, 4, 3, new Random(1), { padding: 1 });
      readonly head = new Linear(4, 2, new Random(2));
      forward(x: Tensor): Tensor {
        return this.head.forward(globalAveragePool(softmax(this.stem.forward(x), 1)));
      }
    }
    expect(() => networkGraph(new Shuffled(), zeros(EXAMPLE))).toThrow(
      /permute after stem \[1, 4, 8, 8\] .* is an operation without a rule/,
    );
  });
});

test('memory of meta-training is about what a step takes', async () => {
  const data = images(16, 8, 3);
  const [narrow, wide] = [trained(1), resNet(2, 'projection', 12)];
  for (const [model, batchSize, size] of [
    [narrow, 16, { dimension: 4, layers: 1 }],
    [wide, 2, { dimension: 16, layers: 1 }],
    [wide, 2, { dimension: 8, layers: 3 }],
  ] as const) {
    const metanetwork = new Metanetwork(architectureOfGraph(read(model)), new Random(1), size);
    const before = memoryUse().bytes;
    const options = { epochs: 1, batchSize, batches: 'one' } as const;
    const { peakBytes } = await withOwnPeak(() => metaTrain(metanetwork, [model], data, new Random(1), options));
    const ratio = (peakBytes - before) / metaTrainingBytes(model, zeros(EXAMPLE), { batchSize, ...size });
    expect(ratio).toBeGreaterThan(0.6);
    expect(ratio).toBeLessThan(1.7);
  }
});
