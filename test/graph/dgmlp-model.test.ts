import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModel } from '../../src/cli/models.js';
import { graphFromTables, normalizeRows } from '../../src/data/index.js';
import { writeFileAtomic } from '../../src/data/node.js';
import { DGMLP, DGMLPModel } from '../../src/graph/index.js';
import { inference } from '../../src/nn/index.js';
import { SparseMatrix } from '../../src/sparse/index.js';
import { Graph } from '../../src/structure/index.js';
import { Random, softmax, type Tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const layout = { steps: 4, temperature: 0.5, exponent: 0, depth: 3, hidden: 5 };
const network = new DGMLP(2, 2, new Random(1), layout);
const description = { inFeatures: 2, classes: ['no', 'yes'], scaleRows: false, options: network.layout };
const nodes = 'id,x,y\na,1,0\nb,0,1\nc,1,1\nd,2,-1\n';
const path = 'source,target\na,b\nb,c\n';

test('a file keeps depths, temperature, exponent and classes, and answers for a changed graph', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-dgmlp-'));
  const file = join(folder, 'model.safetensors');
  writeFileAtomic(file, new DGMLPModel(network, { ...description, data: 'mine', validated: 0.5 }).save());
  const opened = await openModel(file);
  expect(opened.describe()).toEqual([
    'DGMLP: classifies nodes (no, yes)',
    expect.stringContaining('steps 4, temperature 0.5, exponent 0'),
    'Attributes  2 features a node',
    'Trained on  mine',
    expect.stringMatching(/^Size {8}\d+ parameters$/),
    'Scores      accuracy 50.0 % on validation nodes',
  ]);
  const answers: string[][] = [];
  for (const [name, edges] of [
    ['same', path],
    ['changed', `${path}c,d\n`],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'nodes.csv'), nodes);
    writeFileSync(join(folder, name, 'edges.csv'), edges);
    const { graph, features } = graphFromTables({ nodes, edges }, name);
    const expected = softmax(network.forward(features as Tensor, graph, inference)).view();
    const { columns, rows } = await opened.predict([join(folder, name)], { note: () => undefined });
    expect(columns).toEqual(['node', 'prediction', 'probability']);
    rows.forEach(([node, prediction, probability], v) => {
      const [no, yes] = [expected[2 * v] as number, expected[2 * v + 1] as number];
      expect([node, prediction]).toEqual(['abcd'[v], yes > no ? 'yes' : 'no']);
      expect(Number(probability)).toBeCloseTo(Math.max(no, yes), 3);
    });
    answers.push(rows.map((row) => String(row[2])));
  }
  expect(answers[0]).not.toEqual(answers[1]);
});

test('rows of sparse features are scaled where training did so; other features are refused', () => {
  const graph = Graph.fromEdges(3, [0, 1], [1, 2]);
  const words = SparseMatrix.fromDense(uniformTensor(1, [3, 2], 0, 1));
  const model = DGMLPModel.load(new DGMLPModel(network, { ...description, scaleRows: true }).save());
  const expected = softmax(network.forward(normalizeRows(words), graph, inference)).view();
  expectClose(model.predictProba(words, graph), expected);
  expect(() => model.predictProba(uniformTensor(1, [3, 5]), graph, 'mine')).toThrow(
    '"mine" has 5 features a node, the model expects 2',
  );
});
