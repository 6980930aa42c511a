import { describe, expect, test } from 'vitest';
import { hasDataset, loadWholeGraphs } from '../../src/data/node.js';
import { edgeTypes, irrelevantEdges, validMolecules } from '../../src/experiments/protocols/edge-sets.js';
import { dualStudy } from '../../src/experiments/protocols/edge-studies.js';
import { graphAccuracy, partsOfSeed } from '../../src/experiments/protocols/whole-graphs.js';
import { Graph, GraphCollection } from '../../src/structure/index.js';
import { Random } from '../../src/tensor/index.js';

const dots = (count: number) => GraphCollection.of(Array.from({ length: count }, () => Graph.fromEdges(1, [], [])));

describe('the parts of a seed', () => {
  const set = (count: number, folds: Int32Array | undefined, labels = new Int32Array(count)) => ({
    ...{ name: 'mine', graphs: dots(count), labels, folds, split: undefined },
  });

  test('are folds: the seed is tested, the one before validates, graphs in none train', () => {
    const folds = Int32Array.of(0, 1, 2, 0, 1, 2, -1);
    const at = (seed: number) =>
      Object.values(partsOfSeed(set(7, folds), seed)).map((part: Int32Array) => Array.from(part));
    expect(at(0)).toEqual([
      [0, 3],
      [2, 5],
      [1, 4, 6],
    ]);
    expect(at(1)).toEqual([
      [1, 4],
      [0, 3],
      [2, 5, 6],
    ]);
  });

  test('are eight, one and one tenth without folds, disjoint, of each class, another for another seed', () => {
    const labels = Int32Array.from({ length: 100 }, (_, g) => g % 2);
    const { train, validation, test: tested } = partsOfSeed(set(100, undefined, labels), 3);
    expect([train.length, validation.length, tested.length]).toEqual([80, 10, 10]);
    expect(new Set([...train, ...validation, ...tested]).size).toBe(100);
    expect(tested.filter((g) => labels[g] === 1).length).toBe(5);
    expect(partsOfSeed(set(100, undefined, labels), 4).test).not.toEqual(tested);
    const unknown = partsOfSeed(set(50, undefined, new Int32Array(50).fill(-1)), 0);
    expect([unknown.train.length, unknown.validation.length, unknown.test.length]).toEqual([40, 5, 5]);
  });

  test('may not be empty', () => {
    expect(() => partsOfSeed(set(3, Int32Array.of(-1, -1, 0)), 0)).toThrow('has 1 folds');
    expect(() => partsOfSeed(set(3, Int32Array.of(0, 2, 2)), 1)).toThrow('no graph is left for test');
  });
});

test('accuracy is over the graphs that are asked for', () => {
  const logits = Float32Array.of(1, 0, 0, 1, 1, 0);
  expect(graphAccuracy(logits, Int32Array.of(9, 0, 1, 1), Int32Array.of(1, 2, 3))).toBeCloseTo(200 / 3);
});

describe('generated sets', () => {
  const sizes = { train: 60, validation: 10, test: 30 };

  test('edge types are as frequent as said, and graphs as large', () => {
    const { graphs, edgeColumns } = edgeTypes(sizes, new Random(1));
    expect(graphs.count).toBe(100);
    const values = edgeColumns[0]?.values as readonly string[];
    const share = (type: string) => values.filter((own) => own === type).length / values.length;
    expect(Math.abs(share('0') - 0.55)).toBeLessThan(0.04);
    expect(Math.abs(share('2') - 0.05)).toBeLessThan(0.02);
    for (let g = 0; g < 100; g++) {
      const own = graphs.graph(g);
      expect(own.nodeCount).toBeGreaterThanOrEqual(10);
      expect(own.nodeCount).toBeLessThanOrEqual(18);
      expect(own.edgeCount).toBe(own.nodeCount + 2);
    }
  });

  test('relevant edges are a third; among them, and not among others, colours tell the class', () => {
    const { graphs, edgeColumns, nodeColumns, labels, relevant } = irrelevantEdges(sizes, new Random(1));
    for (let g = 0; g < graphs.count; g++)
      for (const [of, count] of [
        [1, 20],
        [0, 40],
      ] as const) {
        const own = relevant.subarray(graphs.edges.offsets[g], graphs.edges.offsets[g + 1]);
        expect(own.filter((is) => is === of).length).toBe(count);
      }
    expect(graphs.sources.every((u, e) => u < (graphs.targets[e] as number))).toBe(true);
    const colour = nodeColumns[0]?.values as readonly string[];
    const same = (label: number, isRelevant: number) => {
      const own = Array.from(relevant.keys()).filter(
        (e) => relevant[e] === isRelevant && labels[Math.floor(e / 60)] === label,
      );
      return (
        own.filter((e) => colour[graphs.sources[e] as number] === colour[graphs.targets[e] as number]).length /
        own.length
      );
    };
    expect(Math.abs(same(1, 1) - 0.8)).toBeLessThan(0.04);
    expect(Math.abs(same(0, 1) - 0.2)).toBeLessThan(0.04);
    expect(Math.abs(same(1, 0) - same(0, 0))).toBeLessThan(0.1);
    const first = edgeColumns[0]?.values as Float64Array;
    const meanOf = (isRelevant: number) => {
      const own = Array.from(first).filter((_, e) => relevant[e] === isRelevant);
      return own.reduce((a, b) => a + b, 0) / own.length;
    };
    expect(meanOf(1)).toBeCloseTo(1.5, 0);
    expect(meanOf(0)).toBeCloseTo(-1.5, 0);
  });
});

describe('valid molecules', () => {
  const carbon = { element: ['6', '6'], charge: [0, 0] };
  const pair = GraphCollection.of([Graph.fromEdges(2, [0], [1])]);

  test('have no more bonds than their atoms allow, with charges', () => {
    expect(validMolecules(pair, carbon, ['triple'], [0])).toEqual([true]);
    expect(validMolecules(pair, { element: ['6', '8'], charge: [0, 0] }, ['triple'], [0])).toEqual([false]);
    expect(validMolecules(pair, { element: ['6', '8'], charge: [-1, 1] }, ['triple'], [0])).toEqual([true]);
    expect(validMolecules(pair, { element: ['9', '6'], charge: [0, 0] }, ['double'], [0])).toEqual([false]);
  });

  test('count aromatic bonds once, and once more at a carbon', () => {
    const centre = GraphCollection.of([Graph.fromEdges(5, [0, 0, 0, 0], [1, 2, 3, 4])]);
    const atoms = (element: string) => ({ element: [element, '6', '6', '6', '6'], charge: [0, 0, 0, 0, 0] });
    expect(validMolecules(centre, atoms('6'), ['aromatic', 'aromatic', 'aromatic', 'single'], [0])).toEqual([false]);
    expect(validMolecules(centre, atoms('6'), ['single', 'single', 'single', 'single'], [0])).toEqual([true]);
  });

  test.skipIf(!hasDataset('esol', 'whole-graphs'))('are all those of ESOL', () => {
    const { graphs, nodeColumns, edgeColumns } = loadWholeGraphs('esol');
    const column = (name: string) => nodeColumns.find((own) => own.name === name)?.values;
    const atoms = { element: column('element') as string[], charge: column('charge') as Float64Array };
    const all = Array.from({ length: graphs.count }, (_, g) => g);
    const valid = validMolecules(graphs, atoms, edgeColumns[0]?.values as string[], all);
    expect(valid.filter((is) => !is).length).toBe(0);
  });
});

test('the study of the dual measures a star of 100,000 edges', () => {
  const { scores } = dualStudy();
  expect(scores.inverse).toBe(1);
  expect(scores.dualBytes).toBeLessThan(20);
});
