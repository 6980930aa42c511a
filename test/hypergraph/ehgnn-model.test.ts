import { describe, expect, test } from 'vitest';
import { type WholeGraphs, wholeGraphsFromTables } from '../../src/data/index.js';
import {
  atomPairs,
  DualConv,
  EdgeClusterAutoencoder,
  EdgeCritic,
  encodedSizes,
  encodeGraphs,
  GraphClassifier,
  type GraphTrainingOptions,
  graphEncoding,
  HyperClusterModel,
  HyperDropModel,
  MoleculeGenerator,
  NodeCritic,
  RelationalConv,
  selectInput,
  trainAdversarially,
  trainAutoencoder,
  trainClassifier,
  typesOfEdges,
} from '../../src/hypergraph/index.js';
import { crossEntropy, inference, stateOf } from '../../src/nn/index.js';
import { Segments } from '../../src/sparse/index.js';
import { Graph, GraphCollection } from '../../src/structure/index.js';
import { concatenate, grad, keep, mean, Random, relu, softmax, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const rows = (lines: readonly string[]) => `${lines.join('\n')}\n`;

/** Paths of three to five nodes; in class `a` all edges are strong. */
function paths(count: number): WholeGraphs {
  const graphs = Array.from({ length: count }, (_, g) => g);
  return wholeGraphsFromTables(
    {
      graphs: rows(['graph,label', ...graphs.map((g) => `${g},${g % 2 ? 'a' : 'b'}`)]),
      edges: rows([
        'graph,source,target,kind,weight',
        ...graphs.flatMap((g) =>
          Array.from(
            { length: 2 + (g % 3) },
            (_, i) => `${g},${i},${i + 1},${g % 2 || i > 0 ? 'strong' : 'weak'},${i}`,
          ),
        ),
      ]),
    },
    'paths',
  );
}

const data = paths(40);
const half = {
  train: Int32Array.from({ length: 30 }, (_, g) => g),
  validation: Int32Array.from({ length: 10 }, (_, g) => 30 + g),
};

describe('a trained classifier of graphs', () => {
  const encoding = graphEncoding(data, half.train);
  const input = encodeGraphs(data, encoding);
  const options = { hidden: 16, ratio: 0.9, dropout: 0 };
  const make = () => new GraphClassifier({ ...encodedSizes(encoding), classes: 2 }, new Random(1), options);

  test('reads degrees where nodes have no attributes, larger ones as the largest', () => {
    expect(encoding.degrees).toBe(2);
    const star = wholeGraphsFromTables(
      { edges: 'graph,source,target,kind,weight\ns,0,1,weak,0\ns,0,2,weak,0\ns,0,3,weak,0\n' },
      'star',
    );
    expect(Array.from(encodeGraphs(star, encoding).nodes.view().subarray(0, 6))).toEqual([0, 0, 1, 0, 1, 0]);
  });

  test('keeps the weights of the least validation loss', async () => {
    const network = make();
    const losses: number[] = [];
    // The class of each graph is told by the number of its nodes.
    const labels = Int32Array.from({ length: 40 }, (_, g) => Number(g % 3 === 2));
    const { bestEpoch, bestMetric } = await trainClassifier(network, { ...input, labels }, half, new Random(2), {
      epochs: 40,
      batch: 10,
      learningRate: 1e-2,
      onEpoch: ({ metric }) => losses.push(metric as number),
    });
    expect(bestMetric).toBe(Math.min(...losses));
    expect(losses[(bestEpoch as number) - 1]).toBe(bestMetric);
    expect(bestMetric).toBeLessThan(0.2);
  });

  test('chooses the epoch on validation graphs, not on those of training', async () => {
    const network = make();
    // What is learnt in training is wrong of the validation graphs.
    const labels = Int32Array.from({ length: 40 }, (_, g) => Number((g % 3 === 2) !== g >= 30));
    const { bestMetric } = await trainClassifier(network, { ...input, labels }, half, new Random(2), {
      ...{ epochs: 10, batch: 10, learningRate: 1e-2 },
    });
    const loss = (graphs: Int32Array) =>
      crossEntropy(
        network.forward(selectInput(input, graphs), inference),
        tensor(graphs.map((g) => labels[g] as number)),
      );
    expect(loss(half.validation).item()).toBeCloseTo(bestMetric as number, 5);
    expect(Math.abs(loss(half.train).item() - (bestMetric as number))).toBeGreaterThan(1e-3);
  });

  test('comes back from its file, and answers with the edges that it kept', () => {
    const model = new HyperDropModel({ encoding, classes: data.classNames, options }, make());
    const answer = model.predict(data);
    const again = HyperDropModel.load(model.save({ data: 'paths' })).predict(data);
    expect(again).toEqual(answer);
    const whole = model.network.forward(input, inference);
    expectClose(answer.probabilities, softmax(whole).view());
    const { offsets } = data.graphs.edges;
    for (let g = 0; g < 40; g++) {
      const own = Array.from(answer.kept.subarray(offsets[g], offsets[g + 1]));
      // Two drops keep nine tenths each.
      expect(own.reduce((sum, is) => sum + is, 0)).toBe(Math.ceil(0.9 * Math.ceil(0.9 * own.length)));
      expect(answer.scores.subarray(offsets[g], offsets[g + 1]).every((score) => score !== 0)).toBe(true);
    }
  });

  test('refuses other attributes, and files of another kind', () => {
    const model = new HyperDropModel({ encoding, classes: data.classNames, options }, make());
    const odd = wholeGraphsFromTables({ edges: 'graph,source,target,kind,weight\nx,0,1,odd,0\n' }, 'odd');
    expect(() => model.predict(odd)).toThrow('edges of "odd": column "kind" holds "odd"');
    expect(() => HyperClusterModel.load(model.save(), 'm')).toThrow('is a model of "hyperdrop"');
  });
});

describe('clusters of edges', () => {
  const types = ['strong', 'weak'];

  test('come back from their file with the same vectors, one a graph', async () => {
    const network = new EdgeClusterAutoencoder(2, 2, new Random(3), { hidden: 8 });
    const typed = typesOfEdges(data, 'kind', types);
    await trainAutoencoder(network, typed, half, new Random(4), { epochs: 2, batch: 10 });
    const model = new HyperClusterModel({ column: 'kind', types, clusters: 2, options: { hidden: 8 } }, network);
    const vectors = model.embed(data);
    expect(vectors.length).toBe(40 * 16);
    expectClose(HyperClusterModel.load(model.save()).embed(data), vectors, 0);
    // Graphs 1 and 7 are paths of four strong edges… of equal length and types.
    expectClose(vectors.subarray(16, 32), vectors.subarray(7 * 16, 8 * 16));
  });

  test('are learnt without weight decay, with bounded gradients, in the schedule asked for', async () => {
    const typed = typesOfEdges(data, 'kind', types);
    const trained = async (options: GraphTrainingOptions) => {
      const network = new EdgeClusterAutoencoder(2, 2, new Random(3), { hidden: 8 });
      await trainAutoencoder(network, typed, half, new Random(4), { epochs: 3, batch: 10, ...options });
      return Object.values(stateOf(network)).flatMap((weight) => Array.from(weight.view()));
    };
    const usual = await trained({});
    expect(await trained({ weightDecay: 0, maxNorm: 1, schedule: 'cosine' })).toEqual(usual);
    for (const other of [{ weightDecay: 1 }, { maxNorm: 1e-9 }, { schedule: 'constant' as const }])
      expect(await trained(other)).not.toEqual(usual);
    await expect(trained({ schedule: 'linear' as 'cosine' })).rejects.toThrow('schedule');
  });

  test('are learnt from graphs with edges alone', async () => {
    // Graph 1 has two nodes and no edge; a batch of it would have no loss.
    const graphs = new GraphCollection(
      Segments.fromSizes([2, 2, 2]),
      Segments.fromSizes([1, 0, 1]),
      Int32Array.of(0, 4),
      Int32Array.of(1, 5),
    );
    const typed = { graphs, types: Int32Array.of(0, 1) };
    const model = new EdgeClusterAutoencoder(2, 1, new Random(1), { hidden: 4 });
    const split = { train: Int32Array.of(0, 1), validation: Int32Array.of(1, 2) };
    const { bestMetric, history } = await trainAutoencoder(model, typed, split, new Random(2), { epochs: 3, batch: 1 });
    expect(history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(Number.isFinite(bestMetric)).toBe(true);
  });

  test('need a column of categories that training knew', () => {
    expect(() => typesOfEdges(data, 'colour', types)).toThrow(
      'edges of "paths" have no column "colour"; there are kind, weight',
    );
    expect(() => typesOfEdges(data, 'kind', ['strong'])).toThrow('holds "weak" in row 1, which training did not know');
  });
});

describe('molecules', () => {
  const sizes = { atoms: 4, kinds: 3, types: 3 };
  const pairs = atomPairs(4);

  /** Atoms 0-1-2 with a ring 0-2, and atom 3 at 0; bonds of types 1 and 2. */
  const bondOf = new Map([
    ['0 1', 1],
    ['1 2', 2],
    ['0 2', 1],
    ['0 3', 2],
  ]);
  const atoms = [1, 2, 1, 2];
  const oneHot = (codes: readonly number[], width: number) =>
    tensor(
      codes.flatMap((code) => Array.from({ length: width }, (_, j) => Number(j === code))),
      [1, codes.length, width],
    );
  const molecule = {
    atoms: oneHot(atoms, 3),
    bonds: oneHot(
      pairs.map(([u, v]) => bondOf.get(`${u} ${v}`) ?? 0),
      3,
    ),
  };
  const present = pairs.filter(([u, v]) => bondOf.has(`${u} ${v}`));
  const graph = GraphCollection.of([
    Graph.fromEdges(
      4,
      present.map(([u]) => u),
      present.map(([, v]) => v),
    ),
  ]);

  test('the critic of edges is the convolution on the dual hypergraph of the bonds that are there', () => {
    const critic = new EdgeCritic(sizes, 5, new Random(1));
    let edges: Tensor = tensor(
      present.flatMap(([u, v]) => {
        const bond = bondOf.get(`${u} ${v}`) as number;
        const ends = [0, 1, 2].map((kind) => Number(atoms[u] === kind) + Number(atoms[v] === kind));
        return [Number(bond === 0), Number(bond === 1), Number(bond === 2), ...ends];
      }),
      [4, 6],
    );
    for (const layer of critic.layers) {
      const conv = new DualConv(layer.inFeatures, layer.outFeatures, new Random(0));
      conv.theta.weight = layer.weight;
      // The critic's bias is added before a mean of weights that sum to 1 or less at each end.
      conv.bias = layer.bias as Tensor;
      edges = relu(conv.forward(edges, graph));
    }
    // Four bonds over four atoms are a mean; two atoms are of kind 1, two of kind 2.
    const kinds = tensor([0, 0.5, 0.5], [1, 3]);
    const pooled = concatenate([mean(edges, 0, { keepAxes: true }), kinds], 1);
    const [first, last] = critic.head;
    expectClose(critic.forward(molecule).view(), last.forward(first.forward(pooled, 'relu')).view(), 1e-3);
  });

  test('the critic of nodes adds up what R-GCN takes means of', () => {
    const critic = new NodeCritic(sizes, 5, new Random(1));
    const path = {
      atoms: molecule.atoms,
      bonds: oneHot(
        pairs.map(([u, v]) => (u === 0 && v === 1 ? 2 : 0)),
        3,
      ),
    };
    let x = tensor(
      atoms.flatMap((kind) => [0, 1, 2].map((j) => Number(j === kind))),
      [4, 3],
    );
    const single = GraphCollection.of([Graph.fromEdges(4, [0], [1])]);
    critic.own.forEach((own, l) => {
      const conv = new RelationalConv(own.inFeatures, 5, 2, new Random(0));
      conv.own.weight = own.weight;
      conv.own.bias = own.bias;
      conv.relations.weight = critic.relations[l]?.weight as Tensor;
      x = relu(conv.forward(x, single, Int32Array.of(1)));
    });
    const [first, last] = critic.head;
    expectClose(
      critic.forward(path).view(),
      last.forward(first.forward(mean(x, 0, { keepAxes: true }), 'relu')).view(),
      1e-5,
    );
  });

  test('a generator against either critic learns which atoms there are', () => {
    for (const Critic of [EdgeCritic, NodeCritic]) {
      const random = new Random(5);
      const generator = new MoleculeGenerator(sizes, 4, random.split('generator'));
      const share = () => mean(generator.forward(200, new Random(9)).atoms.slice(null, null, [0, 1])).item();
      const before = share();
      const weights = Object.values(stateOf(generator)).map((weight) => keep(weight.clone()));
      const repeat = (x: Tensor, count: number) =>
        tensor(new Array(count).fill([...x.view()]).flat(), [count, ...x.shape.slice(1)]);
      trainAdversarially(
        generator,
        new Critic(sizes, 16, random.split('critic')),
        (count) => ({ atoms: repeat(molecule.atoms, count), bonds: repeat(molecule.bonds, count) }),
        random.split('fit'),
        { steps: 60, batch: 16, criticSteps: 2, learningRate: 3e-3 },
      );
      expect(Object.values(stateOf(generator)).some((weight, i) => weight.view()[0] !== weights[i]?.view()[0])).toBe(
        true,
      );
      // The data have no missing atom.
      expect(share()).toBeLessThan(before);
    }
  });

  test('the penalty brings the slope of a critic to 1 between true and made molecules', () => {
    const repeat = (x: Tensor, count: number) =>
      tensor(new Array(count).fill([...x.view()]).flat(), [count, ...x.shape.slice(1)]);
    const slopeWith = (penalty: number) => {
      const random = new Random(6);
      const critic = new EdgeCritic(sizes, 16, random.split('critic'));
      const generator = new MoleculeGenerator(sizes, 4, random.split('generator'));
      const real = (count: number) => ({ atoms: repeat(molecule.atoms, count), bonds: repeat(molecule.bonds, count) });
      const options = { steps: 1, batch: 16, criticSteps: 60, learningRate: 1e-2, penalty };
      trainAdversarially(generator, critic, real, random.split('fit'), options);
      const fake = generator.forward(16, new Random(7));
      const halfway = (a: Tensor, b: Tensor) => a.add(b).multiply(0.5);
      const at = { atoms: halfway(real(16).atoms, fake.atoms), bonds: halfway(real(16).bonds, fake.bonds) };
      const { atoms: ofAtoms, bonds: ofBonds } = grad((x: typeof at) => critic.forward(x).sum())(at);
      const squares = ofAtoms
        .square()
        .sum([1, 2])
        .add(ofBonds.square().sum([1, 2]));
      return mean(squares.sqrt()).item();
    };
    expect(Math.abs(slopeWith(10) - 1)).toBeLessThan(0.5);
    expect(slopeWith(0)).toBeGreaterThan(2);
  });
});
