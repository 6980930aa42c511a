import { describe, expect, test } from 'vitest';
import * as h from '../../src/hypergraph/index.js';
import { inference } from '../../src/nn/index.js';
import { IncidenceList } from '../../src/structure/index.js';
import { Random, softmax, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const lists = [
  [0, 1, 2],
  [1, 3],
  [3, 4, 0],
  [2, 4],
];
const vertices = ['ada', 'ben', 'eve', 'kim', 'lee'];
const incidences = IncidenceList.fromLists(5, lists);
const raw = uniformTensor(1, [5, 3], 2, 5);
const train = Int32Array.from({ length: incidences.count }, (_, i) => i);
const { features, statistics } = h.standardizedFeatures(raw, incidences, train);
const options = { hidden: 8, layers: 2, positions: 4 };
const network = new h.CoNHD(3, 2, new Random(2), options);
const model = new h.IncidenceModel({ classes: ['no', 'yes'], vertices, options: network.options }, network, {
  incidences,
  features,
  centralities: h.centralities(incidences),
  statistics,
});

describe('a model of CoNHD', () => {
  test('given features have mean 0 and deviation 1 over the vertices of training', () => {
    const columns = [0, 1, 2].map((j) => Array.from({ length: 5 }, (_, v) => features.view()[v * 3 + j] as number));
    for (const column of columns) {
      expect(column.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 4);
      expect(column.reduce((a, b) => a + b * b, 0) / 5).toBeCloseTo(1, 4);
    }
  });

  test('answers for new hyperedges of known vertices as the network does with them joined', () => {
    const joined = IncidenceList.fromLists(5, [...lists, [1, 4, 2]]);
    const input = { features, incidences: joined, positions: h.positionsOf(joined, h.centralities(incidences)) };
    const expected = softmax(network.forward(input, inference)).view().slice(-6);
    expectClose(model.predictProba([['ben', 'lee', 'eve']]), expected, 1e-5);
  });

  test('answers for new vertices from their features, standardised as in training', () => {
    const twin = { vertexNames: ['new'], features: tensor(raw.view().slice(9, 12), [1, 3]) };
    const plain = new h.CoNHD(3, 2, new Random(2), { hidden: 8, layers: 1 });
    const known = { incidences, features, centralities: [], statistics };
    const own = new h.IncidenceModel({ classes: ['no', 'yes'], vertices, options: plain.options }, plain, known);
    const probabilities = own.predictProba([['new']], twin);
    const single = { features: features.slice([3, 4]), incidences: IncidenceList.fromLists(1, [[0]]) };
    expectClose(probabilities, softmax(plain.forward(single, inference)).view(), 1e-5);
    expect(() => own.predictProba([['new']])).toThrow('vertex "new" is new and has no features');
    expect(() => own.predictProba([['new']], { ...twin, features: tensor([[1, 2]]) })).toThrow('has 2 features a node');
  });

  test('without features of its own it names a vertex that it does not know', () => {
    const { statistics: _, ...known } = model.known;
    const structural = new h.IncidenceModel(model.description, network, known);
    expect(() => structural.predictProba([['ada', 'max']])).toThrow('does not know vertex "max"');
  });

  test('is the same after saving', () => {
    const read = h.IncidenceModel.load(model.save({ data: 'mine' }));
    expect(read.description.vertices).toEqual(vertices);
    expectClose(read.predictProba([['ada', 'kim']]), model.predictProba([['ada', 'kim']]), 1e-6);
  });
});
