import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { incidencesFromArrays, incidencesFromLines, incidencesFromTables } from '../../src/data/index.js';
import { loadIncidences } from '../../src/data/node.js';
import { Random, Tensor } from '../../src/tensor/index.js';

const random = () => new Random(1);
const hyperedges = [
  'edge,node,label,split',
  'p1,ada,first,train',
  'p1,ben,last,train',
  'p1,ada,last,train',
  'p2,eve,first,validation',
  'p3,ada,first,test',
  'p3,eve,,test',
].join('\n');

describe('a table of incidences', () => {
  test('numbers vertices and classes by name, keeps repeated members, leaves empty labels out of the split', () => {
    const data = incidencesFromTables({ hyperedges }, 'mine', random());
    expect(data.names).toEqual({
      vertices: ['ada', 'ben', 'eve'],
      hyperedges: ['p1', 'p2', 'p3'],
      classes: ['first', 'last'],
    });
    expect([...data.incidences.vertices]).toEqual([0, 1, 0, 2, 0, 2]);
    expect([...data.labels]).toEqual([0, 1, 1, 0, 0, -1]);
    expect(Object.values(data.split).map((rows) => [...rows])).toEqual([[0, 1, 2], [3], [4]]);
  });

  test('joins features in the order of the vertices', () => {
    const nodes = 'node,x,y\neve,5,6\nada,1,2\nben,3,4';
    const { features } = incidencesFromTables({ hyperedges, nodes }, 'mine', random());
    expect(features).toBeInstanceOf(Tensor);
    expect(features).toHaveProperty('shape', [3, 2]);
    expect([...(features as Tensor).view()]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(() => incidencesFromTables({ hyperedges, nodes: 'node,x\nada,1' }, 'mine', random())).toThrow(
      'node "ben" has no line',
    );
  });

  test('names misfits with their line', () => {
    const read = (text: string) => () => incidencesFromTables({ hyperedges: text }, 'mine', random());
    expect(read('edge,label\na,b')).toThrow('needs columns edge and node');
    expect(read('edge,node,split\ne,a,train\ne,b,test')).toThrow('line 3: hyperedge "e" is in two splits');
    expect(read('edge,node,split\ne,a,later')).toThrow('line 2: split "later" is not train');
  });

  test('without a split, hyperedges are divided 60 : 20 : 20', () => {
    const lines = Array.from({ length: 10 }, (_, e) => [`e${e},a,x`, `e${e},b,y`]).flat();
    const { split } = incidencesFromTables({ hyperedges: ['edge,node,label', ...lines].join('\n') }, 'mine', random());
    expect(Object.values(split).map((rows) => rows.length)).toEqual([12, 4, 4]);
    for (const rows of Object.values(split))
      expect(rows.filter((row: number) => row % 2 === 0).length).toBe(rows.length / 2);
  });
});

test('a folder of tables, or of aligned lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'incidences-'));
  expect(() => loadIncidences(folder)).toThrow('neither hyperedges.csv nor hypergraph.txt');
  writeFileSync(join(folder, 'hypergraph.txt'), 'a\tb\tc\nb\td\n');
  writeFileSync(join(folder, 'labels.txt'), '0\t1\t1\n0\t1\n');
  expect(loadIncidences(folder).incidences.count).toBe(5);
  writeFileSync(join(folder, 'hyperedges.csv'), hyperedges);
  expect(loadIncidences(folder).incidences.count).toBe(6);
});

test('aligned lines: misfits named', () => {
  const data = incidencesFromLines('a\tb\tc\nb\td\n', '0\t1\t1\n0\t1\n', 'mine', random());
  expect(data.incidences.count).toBe(5);
  expect(data.names.vertices).toEqual(['a', 'b', 'c', 'd']);
  expect(() => incidencesFromLines('a\tb\n', '0\n', 'mine', random())).toThrow('line 1: 2 vertices and 1 labels');
  expect(() => incidencesFromLines('a\tb\nc\td\n', '0\t1\n', 'mine', random())).toThrow(
    '2 hyperedges and 1 lines of labels',
  );
});

test('archives: misfits named', () => {
  const array = (...values: number[]) => ({
    shape: [values.length],
    values: Int32Array.from(values),
    dtype: 'i32' as const,
  });
  const arrays = {
    he_indptr: array(0, 2, 3),
    he_indices: array(0, 1, 1),
    pin_labels: array(0, 1, -1),
    split: array(0, 2),
  };
  const { split, labels } = incidencesFromArrays(arrays, 'mine');
  expect([...labels]).toEqual([0, 1, -1]);
  expect(split.test.length).toBe(0);
  expect(() => incidencesFromArrays({}, 'mine')).toThrow('array "he_indices" is missing');
  expect(() => incidencesFromArrays({ ...arrays, split: array(0, 3) }, 'mine')).toThrow('hyperedge 1 is in part 3');
  expect(() => incidencesFromArrays({ ...arrays, split: array(0) }, 'mine')).toThrow('a part for 1 of 2 hyperedges');
  expect(() => incidencesFromArrays({ ...arrays, pin_labels: array(0, -2, 1) }, 'mine')).toThrow('has label -2');
});
