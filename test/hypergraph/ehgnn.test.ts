import { describe, expect, test } from 'vitest';
import {
  DeepNodeNetwork,
  EdgeClusterAutoencoder,
  endpointFeatures,
  GraphClassifier,
  type GraphInput,
  graphPoolings,
  NodeClusterAutoencoder,
  reconstructionLoss,
} from '../../src/hypergraph/index.js';
import { Adam, crossEntropy, fit, gradientsOf, inference, training } from '../../src/nn/index.js';
import { Graph, GraphCollection } from '../../src/structure/index.js';
import { concatenate, Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const ring = Graph.fromEdges(6, [0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]);
const star = Graph.fromEdges(5, [0, 0, 0, 0], [1, 2, 3, 4]);
const dots = Graph.fromEdges(3, [], []);
const graphs = GraphCollection.of([ring, dots, star]);
const input: GraphInput = { graphs, nodes: uniformTensor(1, [14, 3]), edges: uniformTensor(2, [10, 2]) };
const sizes = { nodes: 3, edges: 2, classes: 2 };

function part(chosen: readonly number[], { graphs: all, nodes, edges }: GraphInput): GraphInput {
  const { graphs: own, nodeRows, edgeRows } = all.select(chosen);
  return {
    graphs: own,
    nodes: nodes.gatherRows(tensor(nodeRows)),
    edges: edges?.gatherRows(tensor(edgeRows)),
  };
}

/** The same graphs with edges in another order and turned around. */
function shuffled({ graphs: all, nodes, edges }: GraphInput): GraphInput {
  const order = Int32Array.of(5, 3, 1, 0, 2, 4, 9, 8, 6, 7);
  const at = (side: Int32Array) => order.map((e) => side[e] as number);
  return {
    graphs: new GraphCollection(all.nodes, all.edges, at(all.targets), at(all.sources)),
    nodes,
    edges: edges?.gatherRows(tensor(order)),
  };
}

describe.each(graphPoolings)('a classifier of graphs with pooling %s', (pooling) => {
  const model = new GraphClassifier(sizes, new Random(4), { pooling, hidden: 8, ratio: 0.6, dropout: 0 });
  const logits = Array.from(model.forward(input, inference).view());

  test('gives a batch what it gives the graphs one by one, in any order', () => {
    const own = [0, 1, 2].flatMap((g) => Array.from(model.forward(part([g], input), inference).view()));
    expectClose(own, logits, 1e-4);
    const turned = model.forward(part([2, 0, 1], input), inference).view();
    expectClose(turned, [...logits.slice(4), ...logits.slice(0, 4)], 1e-4);
  });

  test('does not read the order of edges or of their ends', () => {
    expectClose(model.forward(shuffled(input), inference).view(), logits, 1e-4);
  });

  test('trains every weight', () => {
    const labels = tensor(Int32Array.of(0, 1, 1));
    const { gradients } = gradientsOf(model, (live) =>
      crossEntropy(live.forward(input, training(new Random(0))), labels),
    );
    const largest = (gradient: Tensor) => gradient.view().reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    const still = Object.entries(gradients).filter(([, gradient]) => largest(gradient) === 0);
    // Keys have no gradient where a softmax shifts by a constant.
    expect(still.map(([name]) => name).filter((name) => !/(key|keys).*bias/i.test(name))).toEqual([]);
  });
});

describe('a classifier with HyperDrop', () => {
  test('keeps every node, and Σ⌈ρ·m⌉ edges after each drop', () => {
    const model = new GraphClassifier(sizes, new Random(4), { hidden: 8, ratio: 0.5 });
    const { drops } = model.classify(input, inference);
    expect(drops.map(({ graphs: left }) => left.nodeCount)).toEqual([14, 14]);
    expect(drops.map(({ graphs: left }) => Array.from(left.edges.offsets))).toEqual([
      [0, 3, 3, 5],
      [0, 2, 2, 3],
    ]);
  });

  test('passes the scores to the graph convolutions as weights', () => {
    const model = new GraphClassifier(sizes, new Random(4), { hidden: 8, ratio: 1, dropout: 0 });
    const before = Array.from(model.forward(input, inference).view());
    for (const layer of model.edgeLayers) layer.drop.score.bias = tensor([-9]);
    const alone = Array.from(model.forward(input, inference).view());
    expect(Math.abs((alone[0] as number) - (before[0] as number))).toBeGreaterThan(1e-4);
    // With all weights 0 every later layer sees nodes alone: as if those edges were not there.
    const plain = new GraphClassifier(sizes, new Random(4), { hidden: 8, pooling: 'none', dropout: 0 });
    expect(Object.keys(plain.edgeLayers)).toEqual([]);
  });

  test('ties on constant edge features, and tells edges apart by their ends', () => {
    const bare = { graphs, nodes: input.nodes };
    const make = (edgeInit: 'ones' | 'endpoints') =>
      new GraphClassifier({ ...sizes, edges: 0 }, new Random(4), { hidden: 8, edgeInit });
    const scores = (edgeInit: 'ones' | 'endpoints') =>
      make(edgeInit).classify(bare, inference).drops[0]?.scores.view() as Float32Array;
    expect(Math.max(...scores('ones')) - Math.min(...scores('ones'))).toBeLessThan(1e-5);
    expect(Math.max(...scores('endpoints')) - Math.min(...scores('endpoints'))).toBeGreaterThan(1e-3);
  });

  test('scores each direction by itself when asked, and twice the edges count', () => {
    const model = new GraphClassifier(sizes, new Random(4), { hidden: 8, ratio: 0.5, directed: true });
    const { drops, logits } = model.classify(input, inference);
    expect(Array.from(drops[0]?.graphs.edges.offsets ?? [])).toEqual([0, 6, 6, 10]);
    expect(logits.view().every(Number.isFinite)).toBe(true);
  });

  test('names what is wrong with its input', () => {
    const model = new GraphClassifier(sizes, new Random(4), { hidden: 8 });
    expect(() => model.forward({ graphs, nodes: input.nodes }, inference)).toThrow(/edges have 0 features, expected 2/);
    expect(() => new GraphClassifier(sizes, new Random(4), { ratio: 0 })).toThrow(/above 0 and at most 1, got 0/);
    expect(() => new GraphClassifier(sizes, new Random(4), { conv: 'gin' })).toThrow(/weights the edges of gcn/);
  });

  test('learns a class that the relevant edges tell among as many others', async () => {
    const random = new Random(11);
    const labels = Int32Array.from({ length: 60 }, (_, g) => g % 2);
    const colours: number[] = [];
    const marks: number[] = [];
    const drawn = Array.from(labels, (label) => {
      const own = Int32Array.from({ length: 10 }, () => random.integer(2));
      colours.push(...Array.from(own).flatMap((colour) => [1 - colour, colour]));
      const pairs = Array.from({ length: 10 }, (_, u) => [u, (u + 1 + random.integer(9)) % 10] as const);
      const graph = Graph.fromEdges(
        10,
        pairs.map(([u]) => u),
        pairs.map(([, v]) => v),
      );
      // Class 1 is told by marked edges between nodes of one colour, class 0 by those of two.
      const { sources, targets } = graph.edges();
      sources.forEach((u, e) => {
        marks.push((own[u] === own[targets[e] as number]) === (label === 1) ? 1 : -1);
      });
      return graph;
    });
    const many = GraphCollection.of(drawn);
    const whole = {
      graphs: many,
      nodes: tensor(colours, [many.nodeCount, 2]),
      edges: tensor(marks, [many.edgeCount, 1]),
    };
    const model = new GraphClassifier({ nodes: 2, edges: 1, classes: 2 }, new Random(1), {
      hidden: 16,
      ratio: 0.5,
      dropout: 0,
    });
    const { history } = await fit({
      model,
      loss: (live, _: undefined, mode) => crossEntropy(live.forward(whole, mode), tensor(labels)),
      optimizer: new Adam({ learningRate: 1e-2 }),
      epochs: 90,
      random: new Random(2),
    });
    expect(history.at(-1)?.loss).toBeLessThan(0.3);
  });
});

test('features of ends do not depend on the direction', () => {
  const one = endpointFeatures(input.nodes, graphs).view();
  const other = endpointFeatures(
    input.nodes,
    new GraphCollection(graphs.nodes, graphs.edges, graphs.targets, graphs.sources),
  );
  expectClose(other.view(), one);
});

describe('autoencoders of edge types', () => {
  const types = Int32Array.of(0, 0, 0, 2, 2, 2, 1, 1, 1, 1);
  const typed = { graphs, types };
  const makers = {
    HyperCluster: () => new EdgeClusterAutoencoder(3, 3, new Random(5), { hidden: 8 }),
    GCN: () => new NodeClusterAutoencoder(3, 3, new Random(5), { hidden: 8 }),
    'R-GCN': () => new NodeClusterAutoencoder(3, 3, new Random(5), { hidden: 8, layers: 'rgcn' }),
  };

  test.each(Object.entries(makers))('%s gives a batch what it gives the graphs one by one', (_, make) => {
    const model = make();
    const whole = model.forward(typed);
    expect(whole.shape).toEqual([10, 3]);
    const single = [0, 2].map((g) => {
      const { graphs: own, edgeRows } = graphs.select([g]);
      return model.forward({ graphs: own, types: edgeRows.map((e) => types[e] as number) });
    });
    expectClose(concatenate(single).view(), whole.view(), 1e-5);
  });

  test.each(Object.entries(makers))('%s learns the types of a few graphs', async (_, make) => {
    const model = make();
    const first = reconstructionLoss(model, typed).item();
    const { history } = await fit({
      model,
      loss: (live) => reconstructionLoss(live, typed),
      optimizer: new Adam({ learningRate: 1e-2 }),
      epochs: 80,
      random: new Random(1),
    });
    expect(history.at(-1)?.loss).toBeLessThan(first / 2);
  });

  test('the decoder of R-GCN does not read the types', () => {
    const model = makers['R-GCN']();
    const pooled = model.encode(typed);
    const spread = model.pool.unpool(pooled, graphs.nodes);
    expect(spread.shape).toEqual([14, 8]);
    expect(model.decoder.every((conv) => conv.constructor.name === 'WeightedGCNConv')).toBe(true);
  });
});

describe('deep networks on nodes', () => {
  const graph = GraphCollection.of([ring]);
  const x = uniformTensor(3, [6, 4]);

  test('drop edges in training alone, after layers 2, 6, 10, …', () => {
    const network = new DeepNodeNetwork(4, 3, new Random(1), { layers: 8, ratio: 0.5, dropout: 0 });
    expect(network.drops.length).toBe(2);
    const still = network.forward(x, graph, inference).view();
    expectClose(network.forward(x, graph, inference).view(), still);
    const moved = network.forward(x, graph, training(new Random(0))).view();
    expect(Math.max(...moved.map((value, i) => Math.abs(value - (still[i] as number))))).toBeGreaterThan(1e-5);
  });

  test('without a ratio are GCN, and train with batch norm too', () => {
    const plain = new DeepNodeNetwork(4, 3, new Random(1), { layers: 4 });
    expect([plain.drops.length, plain.edgeConvs.length, plain.norms.length]).toEqual([0, 0, 0]);
    const normed = new DeepNodeNetwork(4, 3, new Random(1), { layers: 4, batchNorm: true });
    expect(normed.norms.length).toBe(3);
    expect(normed.hidden(x, graph, inference).shape).toEqual([6, 32]);
  });

  test('have the gradient that finite differences give', () => {
    const network = new DeepNodeNetwork(4, 2, new Random(1), { layers: 4, hidden: 6, ratio: 0.9, dropout: 0 });
    checkGradient((own) => network.forward(own as Tensor, graph, inference), [x], {
      step: 1e-3,
      tolerance: 3e-2,
      second: false,
    });
  });
});
