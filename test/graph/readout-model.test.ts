import { describe, expect, test } from 'vitest';
import { wholeGraphsFromTables } from '../../src/data/index.js';
import {
  attributeEncoding,
  graphScores,
  graphTask,
  ReadoutModel,
  type ReadoutName,
  readoutNetworks,
  targetsOf,
  trainWholeGraphs,
} from '../../src/graph/index.js';
import { stateOf } from '../../src/nn/index.js';
import { GraphCollection, graphOfPairs } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

/** Rings of five to eight nodes, some of which are N: their share is what is learnt. */
function rings(count: number, withNodes = true) {
  const sizes = Array.from({ length: count }, (_, g) => 5 + (g % 4));
  const heavy = (g: number) => 1 + (g % 3);
  const rows = sizes.flatMap((n, g) => Array.from({ length: n }, (_, i) => ({ g, n, i })));
  const share = (g: number) => heavy(g) / (sizes[g] as number);
  const lines = (header: string, all: readonly string[]) => `${[header, ...all].join('\n')}\n`;
  const tables = {
    graphs: lines(
      'graph,label,share',
      sizes.map((_, g) => `g${g},${share(g) > 0.3 ? 'many' : 'few'},${10 + share(g)}`),
    ),
    edges: lines(
      'graph,source,target',
      rows.map(({ g, n, i }) => `g${g},a${i},a${(i + 1) % n}`),
    ),
    nodes: lines(
      'graph,node,element',
      rows.map(({ g, i }) => `g${g},a${i},${i < heavy(g) ? 'N' : 'C'}`),
    ),
  };
  return wholeGraphsFromTables(withNodes ? tables : { ...tables, nodes: undefined }, 'rings');
}

const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
const data = rings(48);
const [train, validation, held] = [range(0, 28), range(28, 36), range(36, 48)];

function modelOf(network: ReadoutName, targets: readonly string[] | undefined, seed = 1) {
  const task = graphTask(data, targets, train);
  const layout = { hidden: 16, dropout: 0, ...(network === 'gcnii' && { depth: 4 }) };
  return ReadoutModel.create({ encoding: attributeEncoding(data, train), task, network, layout }, new Random(seed));
}

describe('networks of nodes on whole graphs', () => {
  test.each(readoutNetworks)('%s answers for graphs alone as together, and its file answers the same', (name) => {
    for (const targets of [undefined, ['share']]) {
      const model = modelOf(name, targets);
      const all = model.predict(data);
      const width = model.description.task.names.length;
      const alone = model.answers(model.batches(data), Int32Array.of(17));
      expectClose(alone, all.subarray(17 * width, 18 * width), 1e-5);
      expectClose(ReadoutModel.load(model.save()).predict(data), all, 1e-6);
      // Graphs of other sizes or atoms answer differently.
      expect(new Set(Array.from(all, (value) => value.toFixed(5))).size).toBeGreaterThan(3);
    }
  });

  test.each(['gcn', 'sage', 'gat', 'gin'] as const)('%s learns classes and numbers of graphs', async (name) => {
    for (const targets of [undefined, ['share']]) {
      const model = modelOf(name, targets);
      const batches = model.batches(data);
      const { task } = model.description;
      const before = Object.values(stateOf(model.network)).map((x) => x.dataSync());
      await trainWholeGraphs(model.network, batches, targetsOf(data, task), { train, validation }, new Random(2), {
        epochs: 50,
        batch: 10,
        learningRate: 0.01,
      });
      const after = Object.values(stateOf(model.network)).map((x) => x.dataSync());
      expect(after.every((x, i) => x.some((value, j) => value !== before[i]?.[j]))).toBe(true);
      const { accuracy, errors } = graphScores(model.answers(batches, held), data, task, held);
      // The median misses by about 0.1.
      if (targets) expect(errors?.[0]).toBeLessThan(0.04);
      else expect(accuracy).toBeGreaterThan(90);
    }
  });

  test('graphs without attributes are read by the degrees of their nodes', () => {
    const bare = rings(8, false);
    const task = graphTask(bare, undefined, range(0, 8));
    const layout = { hidden: 4 };
    const description = { encoding: attributeEncoding(bare), task, network: 'sage', layout } as const;
    const model = ReadoutModel.create(description, new Random(3));
    const star = graphOfPairs([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    const path = graphOfPairs([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    const graphs = GraphCollection.of([star, path, path]);
    const [a, , b, , c] = model.predict({ ...bare, graphs, graphNames: ['a', 'b', 'c'] });
    expect(a).not.toBeCloseTo(b as number, 3);
    expect(b).toBeCloseTo(c as number, 6);
  });

  test('the union of a collection is its graphs side by side', () => {
    const { union } = GraphCollection.of([graphOfPairs([[0, 1]], 3), graphOfPairs([[1, 2]])]);
    expect([union.nodeCount, union.edgeCount, union.hasEdge(4, 5), union.hasEdge(1, 4)]).toEqual([6, 2, true, false]);
  });

  test('a file of an unknown network is refused', () => {
    const model = modelOf('gcn', undefined);
    const own = new ReadoutModel({ ...model.description, network: 'tgn' as never }, model.network);
    expect(() => ReadoutModel.load(own.save(), 'own')).toThrow('file "own" is a model of an unknown network "tgn"');
  });
});
