import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  hypergraphFromArrays,
  hypergraphFromTables,
  type NamedArray,
  plantedDataset,
  splitPerClass,
  writeNpz,
} from '../../src/data/index.js';
import { hasHypergraph, loadHypergraph } from '../../src/data/node.js';
import { hypergraphFromTypes } from '../../src/data/typed-hypergraphs.js';
import type { SparseMatrix } from '../../src/sparse/index.js';
import { Random, type Tensor } from '../../src/tensor/index.js';

const ints = (...values: number[]): NamedArray => ({ shape: [values.length], values: Int32Array.from(values) });
const base = { he_indptr: ints(0, 2, 5), he_indices: ints(0, 1, 1, 2, 3), labels: ints(0, 1, 1, 0) };
const folder = mkdtempSync(join(tmpdir(), 'gossamer-hypergraphs-'));

describe('archives', () => {
  test('dense and compressed features', () => {
    const dense = hypergraphFromArrays(
      { ...base, x: { shape: [4, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) } },
      'd',
    );
    expect((dense.features as Tensor).shape).toEqual([4, 2]);
    const sparse = hypergraphFromArrays(
      { ...base, x_indptr: ints(0, 1, 1, 2, 4), x_indices: ints(2, 0, 0, 1), x_shape: ints(4, 3) },
      's',
    );
    expect([...(sparse.features as SparseMatrix).toDense().view()]).toEqual([0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0]);
  });

  test('a graph becomes its edges and neighbourhoods', () => {
    const edges = { shape: [2, 2], values: Int32Array.of(0, 1, 1, 2) };
    const { hypergraph, pairs } = hypergraphFromArrays({ edges, labels: ints(0, 1, 0) }, 'g');
    expect(new Set(hypergraph.hyperedges().map((e) => e.join()))).toEqual(new Set(['0,1', '1,2', '0,1,2']));
    expect(pairs?.hyperedges().map((e) => e.join())).toEqual(['0,1', '1,2']);
  });

  test.each([
    ['a missing array', { labels: undefined }, 'array "labels" is missing; found'],
    ['an empty hyperedge', { he_indptr: ints(0, 0, 2, 5) }, 'hyperedge 0 is empty'],
    ['a vertex out of range', { he_indices: ints(0, 1, 1, 2, 9) }, 'hyperedge 1 holds vertex 9, outside 0…3'],
    ['offsets that do not fit', { he_indptr: ints(0, 2, 4) }, 'he_indptr does not describe the 5 elements'],
    ['a label out of range', { labels: ints(0, -2, 1, 0) }, 'vertex 1 has label -2'],
    [
      'a NaN among the features',
      { x: { shape: [4, 1], values: Float32Array.of(0, 1, Number.NaN, 2) } },
      'a feature of vertex 2 is NaN',
    ],
    [
      'features for other vertices',
      { x: { shape: [3, 1], values: Float32Array.of(0, 1, 2) } },
      'features for 3 vertices, the hypergraph has 4',
    ],
  ])('%s is refused', (_name, change, message) => {
    const arrays = Object.fromEntries(Object.entries({ ...base, ...change }).filter(([, array]) => array)) as Record<
      string,
      NamedArray
    >;
    expect(() => hypergraphFromArrays(arrays, 'bad')).toThrow(message);
  });
});

describe('typed graphs', () => {
  const pairs = (...values: number[]): NamedArray => ({
    shape: [values.length / 2, 2],
    values: Int32Array.from(values),
  });
  const arrays = {
    labels: ints(0, 1, 1),
    paper_author: pairs(0, 0, 0, 1, 1, 1, 2, 2),
    paper_term: pairs(0, 0, 1, 0, 2, 1, 1, 2),
    author_town: pairs(0, 0, 2, 0),
    x_author_indptr: ints(0, 1, 1, 2),
    x_author_indices: ints(1, 0),
    x_author_shape: ints(3, 2),
  };
  const lists = (...paths: string[][]) =>
    hypergraphFromTypes(arrays, 'typed', { vertices: 'author', paths })
      .hypergraph.hyperedges()
      .map((e) => e.join());

  test('a hyperedge holds the vertices that a path of relations reaches, each once', () => {
    expect(lists(['paper'])).toEqual(['0,1', '1', '2']);
    expect(lists(['paper', 'term'])).toEqual(['0,1', '2', '1']);
    expect(lists(['town'], ['paper'])).toEqual(['0,2', '0,1', '1', '2']);
    expect(() => lists(['film'])).toThrow('array "film_author" is missing');
  });

  test('features are those of the vertices', () => {
    const { features } = hypergraphFromTypes(arrays, 'typed', { vertices: 'author', paths: [['paper']] });
    expect([...(features as SparseMatrix).toDense().view()]).toEqual([0, 1, 0, 0, 1, 0]);
  });
});

describe('tables', () => {
  const features = 'vertex,f\nann,1\nbob,2\ncid,3\n';

  test('hyperedges as lists or as pairs, names of any text, unknown labels', () => {
    const labels = 'vertex,label\nann,cat\nbob,dog\ncid,\n';
    const lists = hypergraphFromTables({ hyperedges: 'ann,bob\nbob,cid,ann\n', features, labels }, 't');
    const pairs = hypergraphFromTables(
      { hyperedges: 'hyperedge,vertex\nx,ann\nx,bob\ny,bob\ny,cid\ny,ann\n', features, labels },
      't',
    );
    expect(pairs.hypergraph.members).toEqual(lists.hypergraph.members);
    expect(lists.vertexNames).toEqual(['ann', 'bob', 'cid']);
    expect([...lists.labels]).toEqual([0, 1, -1]);
    expect(lists.classNames).toEqual(['cat', 'dog']);
  });

  test('errors name the place', () => {
    expect(() => hypergraphFromTables({ hyperedges: 'ann,bob', features: 'vertex,f\nann,1\nbob,x\n' }, 't')).toThrow(
      'features line 3, column 2 is "x", not a finite number',
    );
    expect(() => hypergraphFromTables({ hyperedges: 'ann,zoe', features }, 't')).toThrow(
      'vertex number 3 has no line in the features',
    );
    expect(() => hypergraphFromTables({ hyperedges: 'ann,ann', features }, 't')).toThrow('holds vertex 0 twice');
  });
});

test('folders, archives and unknown names', () => {
  writeFileSync(join(folder, 'hyperedges.csv'), 'a,b\n');
  writeFileSync(join(folder, 'features.csv'), 'vertex,f\na,1\nb,2\n');
  expect(loadHypergraph(folder).hypergraph.vertexCount).toBe(2);
  writeFileSync(join(folder, 'd.npz'), writeNpz(base));
  expect(loadHypergraph(join(folder, 'd.npz')).name).toBe('d');
  expect(() => loadHypergraph(join(folder, 'none'))).toThrow(
    'is neither a file or folder nor a known set (planted, coauthorship-cora',
  );
});

test('splits take the counts asked for from each class, apart from one another', () => {
  const labels = Int32Array.from({ length: 60 }, (_, i) => (i < 50 ? i % 2 : -1));
  const { train, validation, test: rest } = splitPerClass(labels, 2, { train: 5, validation: 8 }, new Random(1));
  expect([train.length, validation.length, rest.length]).toEqual([10, 16, 24]);
  expect(new Set([...train, ...validation, ...rest]).size).toBe(50);
  expect(() => splitPerClass(labels, 2, { train: 20, validation: 5 }, new Random(1))).toThrow(
    'class 0 has 25 rows, too few for 20 to train, 5 to validate',
  );
});

test('the planted set has the documented shape', () => {
  const { hypergraph, labels, features } = plantedDataset();
  expect([hypergraph.vertexCount, hypergraph.hyperedgeCount, new Set(labels).size]).toEqual([2000, 1500, 5]);
  expect((features as SparseMatrix).rowSums().every((sum) => Math.abs(sum - 1) < 1e-5)).toBe(true);
});

test.skipIf(!hasHypergraph('coauthorship-cora'))(
  'co-authorship Cora has its published size (needs GOSSAMER_DATA)',
  () => {
    const { hypergraph, features, classNames } = loadHypergraph('coauthorship-cora');
    expect([hypergraph.vertexCount, hypergraph.hyperedgeCount, hypergraph.nnz, classNames.length]).toEqual([
      2708, 1072, 4585, 7,
    ]);
    expect((features as SparseMatrix).columns).toBe(1433);
    const prepared = hypergraph.mergeDuplicates();
    expect(prepared.hyperedgeCount).toBe(970);
    expect(prepared.withSelfLoops().hyperedgeCount).toBe(970 + 320);
  },
);
