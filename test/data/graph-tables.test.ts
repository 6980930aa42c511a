import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { graphFromTables } from '../../src/data/index.js';
import { loadGraphFolder, loadMultiLabelGraph } from '../../src/data/node.js';
import type { Tensor } from '../../src/tensor/index.js';

const nodes = 'id,age,label,height,split\nann,30,b,1.5,train\nbob,40,a,1.7,val\ncy,50,,1.8,\ndee,20,a,1.6,test\n';
const edges = 'source,target,weight\nann,bob,2\nbob,ann,3\ncy,dee,1\n';
const read = (tables: { nodes?: string; edges?: string }) => graphFromTables({ nodes, edges, ...tables }, 'mine');

describe('graphs from tables', () => {
  test('names, features, labels, split and weights', () => {
    const graph = read({});
    expect(graph.nodeNames).toEqual(['ann', 'bob', 'cy', 'dee']);
    expect(graph.featureNames).toEqual(['age', 'height']);
    expect([...(graph.features as Tensor).view()].map((value) => Math.round(10 * value))).toEqual([
      300, 15, 400, 17, 500, 18, 200, 16,
    ]);
    expect(graph.classNames).toEqual(['a', 'b']);
    expect([...graph.labels]).toEqual([1, 0, -1, 0]);
    expect(graph.split).toEqual({ train: Int32Array.of(0), validation: Int32Array.of(1), test: Int32Array.of(3) });
    expect(graph.graph.edges()).toEqual({
      sources: Int32Array.of(0, 2),
      targets: Int32Array.of(1, 3),
      weights: Float32Array.of(2, 1),
    });
  });

  test.each([
    [{ nodes: 'name,x\na,1' }, 'no column "id"'],
    [{ nodes: 'id,x\na,1\na,2' }, 'line 3: node "a" is named twice'],
    [{ nodes: 'id,x\nann,1\nbob,\ncy,1\ndee,1' }, 'line 3: feature "x" is ""'],
    [{ nodes: 'id,x,label,split\nann,1,a,spare' }, 'split "spare" is none of'],
    [{ nodes: 'id,x,label,split\nann,1,,train' }, 'has no label'],
    [{ nodes: 'id,x,label,split\nann,1,a,train' }, 'no line is in split "validation"'],
    [{ edges: 'one,other\nann,bob' }, 'must name source and target'],
    [{ edges: 'source,target\nann,eve' }, 'line 2: "eve" is no node'],
    [{ edges: 'source,target,weight\nann,bob,-1' }, 'line 2: weight "-1" is no positive number'],
  ])('refused: %o', (tables, message) => {
    expect(() => read(tables)).toThrow(message);
  });

  test('without columns of features; ends by other names; a class column', () => {
    const graph = read({ nodes: 'id,class\nann,b\nbob,a\ncy,\ndee,a', edges: 'from,to\nann,bob\n' });
    expect([graph.features, graph.classNames, graph.graph.edgeCount]).toEqual([undefined, ['a', 'b'], 1]);
  });

  test('several labels a node, in a table of nodes or in rows', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-labels-'));
    writeFileSync(join(folder, 'edges.csv'), 'source,target\n5,7\n7,9\n');
    writeFileSync(join(folder, 'nodes.csv'), 'id,label\n5,red; green\n7,\n9,green|blue\n');
    const expected = { indptr: Int32Array.of(0, 2, 2, 4), count: 3 };
    const byNodes = await loadMultiLabelGraph(folder);
    expect(byNodes.labels).toEqual({ ...expected, labels: Int32Array.of(2, 1, 1, 0) });
    writeFileSync(join(folder, 'labels.csv'), 'node,label\n9,green\n5,red\n5,green\n9,blue\n5,red\n');
    const byRows = await loadMultiLabelGraph(folder);
    expect(byRows.labels).toEqual({ ...expected, labels: Int32Array.of(2, 1, 1, 0) });
    expect(byRows.graph.edgeCount).toBe(2);
    writeFileSync(join(folder, 'labels.csv'), 'node,label\n6,green\n');
    await expect(loadMultiLabelGraph(folder)).rejects.toThrow('line 2: no edge names node "6"');
  });

  test('a folder of the two tables', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gossamer-graph-'));
    writeFileSync(join(folder, 'nodes.csv'), nodes);
    expect(() => loadGraphFolder(folder)).toThrow('holds no edges.csv');
    writeFileSync(join(folder, 'edges.tsv'), edges.replaceAll(',', '\t'));
    expect(loadGraphFolder(folder).graph.edgeCount).toBe(2);
  });
});
