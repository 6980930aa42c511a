import { describe, expect, test } from 'vitest';
import { namedHypergraph, vertexRows } from '../../src/data/index.js';
import {
  inputsOf,
  projectedNeighbours,
  StudentModel,
  VertexModel,
  vertexInputsOf,
} from '../../src/hypergraph/index.js';
import { MLP } from '../../src/nn/index.js';
import { Hypergraph, randomSigns } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

describe('projected neighbours', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const hypergraph = new Hypergraph(5, [[0, 1, 2], [0, 3], [4]]);
  const features = projectedNeighbours(hypergraph, names, new Random(1), 3).view();
  const signs = (name: string) => Array.from(randomSigns([name], new Random(1), 3));
  const mean = (rows: readonly number[][]) =>
    [0, 1, 2].map((k) => rows.reduce((sum, row) => sum + (row[k] as number), 0) / rows.length);

  test('are log(1 + degree) and the mean over hyperedges of the mean vector of the other members', () => {
    const expected = [Math.log(3), ...mean([mean([signs('b'), signs('c')]), signs('d')])];
    expectClose(features.subarray(0, 4), expected, 1e-6);
    expectClose(features.subarray(4, 8), [Math.log(2), ...mean([signs('a'), signs('c')])], 1e-6);
  });

  test('of a vertex alone are zeros', () => {
    expectClose(features.subarray(16, 20), [Math.log(2), 0, 0, 0], 1e-6);
  });

  test('follow from names, not from numbers', () => {
    // The same hyperedges among d, b, e, a, c.
    const renamed = new Hypergraph(5, [[3, 1, 4], [3, 0], [2]]);
    const other = projectedNeighbours(renamed, ['d', 'b', 'e', 'a', 'c'], new Random(1), 3).view();
    expectClose(other.subarray(3 * 4, 4 * 4), features.subarray(0, 4), 1e-6);
  });
});

describe('a vertex model', () => {
  const rows = (text: string) => vertexRows(text, 'nodes');
  const text = 'id,x,colour\na,1,red\nb,3,blue\nc,5,red\nd,7,red\n';
  const data = namedHypergraph({ hyperedges: 'edge,node\n1,a\n1,b\n2,c\n2,d\n', rows: rows(text) }, 'mine');

  test('scales numbers by the training vertices and encodes categories', () => {
    const inputs = vertexInputsOf(data, Int32Array.of(0, 1), 8);
    // Of 1 and 3 the mean is 2 and the deviation 1; then blue, red.
    expectClose(inputsOf(data, inputs).view(), [-1, 0, 1, 1, 1, 0, 3, 0, 1, 5, 0, 1], 1e-6);
  });

  test('is kept in its file with what training saw, and refuses what it did not see', () => {
    const inputs = vertexInputsOf(data, Int32Array.of(0, 1), 8);
    const training = { data: 'mine', vertices: 4, hyperedges: 2, teacher: 'hgnn', scores: { accuracy: 90 } };
    const student = new StudentModel(['u', 'v'], new MLP([3, 4, 2], new Random(2), { norm: 'batch' }));
    const model = VertexModel.load(new VertexModel(student, inputs, training).save());
    expect(model.training).toEqual(training);
    const fresh = (own: string) => namedHypergraph({ hyperedges: 'edge,node\n1,z\n', rows: rows(own) }, 'new');
    const [p] = model.predictProba(fresh('colour,id,x\nred,z,5\n'));
    expect(p).toBeCloseTo(model.predictProba(data)[4] as number, 6);
    expect(() => model.predictProba(fresh('id,colour\nz,red\n'))).toThrow('no column "x"');
    expect(() => model.predictProba(fresh('id,x,colour\nz,1,green\n'))).toThrow('holds "green" in row 1');
  });

  test('without columns takes projections', () => {
    const bare = namedHypergraph({ hyperedges: 'a b\nb c\n' }, 'bare');
    const inputs = vertexInputsOf(bare, Int32Array.of(0), 5);
    expect(inputs).toEqual({ projections: 5 });
    expect(inputsOf(bare, inputs).shape).toEqual([3, 6]);
  });
});
