import { describe, expect, test } from 'vitest';
import { projectedIncidence, StudentModel } from '../../src/hypergraph/index.js';
import { inference, MLP } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Hypergraph } from '../../src/structure/index.js';
import { Random, softmax, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const network = new MLP([2, 6, 3], new Random(1), { norm: 'batch' });
// Running statistics that differ from those of any batch.
network.forward(new Random(2).normal([20, 2], 3, 2), { training: true, random: new Random(3) });
const classes = ['a', 'b', 'c'];
const answers = (rows: number[][]) => softmax(network.forward(tensor(rows), inference)).view();
const again = (model: StudentModel) => StudentModel.load(model.save());

describe('a student as a file', () => {
  test('standardises columns as training did', () => {
    const statistics = { means: Float32Array.of(1, 2), deviations: Float32Array.of(2, 4) };
    const model = again(new StudentModel(classes, network, { scaling: 'columns', statistics }));
    expectClose(model.predictProba({ features: tensor([[3, -2]]) }), answers([[1, -1]]), 1e-6);
    expectClose(model.classify(tensor([[1, -1]])), answers([[1, -1]]), 1e-6);
  });

  test('scales rows to sum 1, dense or sparse, and rows of zeros stay', () => {
    const model = again(new StudentModel(classes, network, { scaling: 'rows' }));
    const rows = [
      [3, -1],
      [0, 0],
    ];
    const expected = answers([
      [0.75, -0.25],
      [0, 0],
    ]);
    expectClose(model.predictProba({ features: tensor(rows) }), expected, 1e-6);
    expectClose(
      model.predictProba({ features: SparseMatrix.fromCoordinates(2, 2, [0, 0], [0, 1], [3, -1]) }),
      expected,
      1e-6,
    );
    expectClose(new StudentModel(classes, network).predictProba({ features: tensor(rows) }), answers(rows), 1e-6);
  });

  test('answers for one vertex as among others', () => {
    const model = new StudentModel(classes, network);
    const both = model.predictProba({
      features: tensor([
        [1, 2],
        [5, -3],
      ]),
    });
    expectClose(model.predictProba({ features: tensor([[5, -3]]) }), both.subarray(3), 1e-6);
  });

  test('refuses other columns, and says why without features', () => {
    const model = again(new StudentModel(classes, network, { columns: ['age', 'size'] }));
    const features = tensor([[1, 2]]);
    expect(() => model.predictProba({ features, featureNames: ['size', 'age'] }, 'new.csv')).toThrow(
      '"new.csv" has "size" where the model expects feature "age"',
    );
    expect(model.predictProba({ features, featureNames: ['age', 'size'] })).toHaveLength(3);
    expect(() => model.predictProba({ features: tensor([[1]]) })).toThrow(
      'has 1 features a vertex, the model expects 2',
    );
    const structural = again(new StudentModel(classes, network, { structural: true }));
    expect(() => structural.predictProba({ features })).toThrow('a new vertex needs its hyperedges');
  });
});

test('projected incidence: log(1 + degree), then the mean of one random vector a hyperedge', () => {
  const hypergraph = new Hypergraph(
    4,
    [
      [0, 1],
      [0, 1, 2],
    ],
    [1, 3],
  );
  const x = projectedIncidence(hypergraph, new Random(4), 5);
  expect(x.shape).toEqual([4, 6]);
  const vectors = new Random(4).normal([2, 5]).view();
  const row = (v: number) => [...x.view().subarray(6 * v, 6 * v + 6)];
  const mixed = Array.from({ length: 5 }, (_, j) => ((vectors[j] as number) + 3 * (vectors[5 + j] as number)) / 4);
  expectClose(row(0), [Math.log(5), ...mixed], 1e-5);
  expectClose(row(1), row(0), 0);
  expectClose(row(2), [Math.log(4), ...vectors.subarray(5)], 1e-5);
  expectClose(row(3), [0, 0, 0, 0, 0, 0], 0);
});
