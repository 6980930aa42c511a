import { describe, expect, test } from 'vitest';
import {
  columnsOf,
  heteroGraphFromTables,
  type NamedHeteroGraph,
  readCsv,
  type TableOfFile,
} from '../../src/data/index.js';
import * as g from '../../src/graph/index.js';
import { Random, scope, softmax } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const table = (file: string, part: string, text: string): TableOfFile => ({
  file,
  part,
  table: columnsOf(readCsv(text, file), {
    categorical: (name) => ['id', 'label', 'paper', 'author', 'source', 'target'].includes(name),
  }),
});

/** Forty papers of two classes; authors write papers of one class alone. */
function library({ shuffled = false, more = '' } = {}): NamedHeteroGraph {
  const order = shuffled ? [...new Random(3).permutation(40)] : Array.from({ length: 40 }, (_, v) => v);
  const papers = order.map((v) => `p${v},${v % 5 === 4 ? '' : v % 2 ? 'red' : 'blue'},${v % 7},${v % 3 ? 'A' : 'B'}`);
  const writes = order.map((v) => `a${v % 8},p${v}`);
  const cites = order.map((v) => `p${v},p${(v + 2) % 40}`);
  const edges = [
    table('edges_writes.csv', 'writes', `author,paper\n${writes.join('\n')}\n${more ? 'a0,new\na2,new\n' : ''}`),
    table(
      'edges_paper_cites_paper.csv',
      'paper_cites_paper',
      `source,target\n${cites.join('\n')}\n${more ? 'new,p6\nnew,p10\n' : ''}`,
    ),
  ];
  return heteroGraphFromTables(
    [table('nodes_paper.csv', 'paper', `id,label,pages,venue\n${papers.join('\n')}\n${more}`)],
    shuffled ? edges.reverse() : edges,
    'library',
  );
}

const data = library();
const labelled = Int32Array.from({ length: 40 }, (_, v) => v).filter((v) => v % 5 !== 4);
const classes = labelled.map((v) => v % 2);
const fitted = g.fitTypedInputs(data, { paper: ['label'] }, { randomWidth: 16 });

async function trained(changes: Partial<g.RpHGNNInputs> = {}): Promise<{ model: g.RpHGNNModel; parts: g.RowGroups[] }> {
  const inputs: g.RpHGNNInputs = {
    type: 'paper',
    classes: ['blue', 'red'],
    inputs: fitted.inputs,
    collection: { iterations: 3 },
    keys: { features: [1, 2], projections: [3, 4] },
    ...changes,
  };
  const { parts, groups } = g.collectInputs(data, inputs, [labelled]);
  const encoder = { hidden: 8, inputDropout: 0.2, dropout: 0.2 };
  const network = new g.RpHGNN(groups, 2, new Random(1), encoder);
  await g.trainGroups(
    network,
    { groups: parts[0] as g.RowGroups, targets: { kind: 'class', values: classes } },
    undefined,
    new Random(2),
    { epochs: 60, learningRate: 0.01 },
  );
  const relations = data.graph.given.map(({ source, name, target }) => [source, name, target] as const);
  const trainedOn = { data: 'library', nodes: 48, edges: 80, labelled: 32 };
  const model = new g.RpHGNNModel(network, {
    ...inputs,
    target: 'label',
    task: 'class',
    relations,
    groups,
    encoder,
    trained: trainedOn,
    scores: {},
  });
  return { model, parts };
}

describe('inputs of types', () => {
  test('attributes are encoded and divided by √d, texts that all differ left out, others random by name', () => {
    const named = library({ shuffled: true });
    const [a, b] = [data, named].map((own) => g.typedFeatures(fitted.inputs, own, new Random(5)));
    expect(fitted.inputs.types.author).toEqual({ kind: 'random', width: 16 });
    expect(fitted.inputs.types.paper?.kind).toBe('attributes');
    const rowOf = (features: g.TypedFeatures | undefined, own: NamedHeteroGraph, type: string, name: string) => {
      const x = features?.get(type);
      if (!x || !('view' in x)) return expect.unreachable();
      const v = own.nodes.get(type)?.nodeNames.indexOf(name) as number;
      const width = x.shape[1] as number;
      return x.view().slice(v * width, (v + 1) * width);
    };
    expect(rowOf(a, data, 'author', 'a3')).toEqual(rowOf(b, named, 'author', 'a3'));
    const row = rowOf(a, data, 'paper', 'p1');
    expect(row.length).toBe(3);
    // Pages, standardised over 40 papers; venue A.
    const pages = Array.from({ length: 40 }, (_, v) => v % 7);
    const mean = pages.reduce((sum, value) => sum + value, 0) / 40;
    const deviation = Math.sqrt(pages.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 40);
    expectClose(
      row,
      [(1 - mean) / deviation, 1, 0].map((value) => value / Math.sqrt(3)),
      1e-5,
    );
  });

  test('wide features are projected where asked', () => {
    const inputs = { ...fitted.inputs, projectTo: 2 };
    const x = g.typedFeatures(inputs, data, new Random(5)).get('paper');
    expect(x && 'view' in x && x.shape).toEqual([40, 2]);
  });
});

describe('a trained model', () => {
  test('streams: the same answers as the collected tensors give', async () => {
    const { model, parts } = await trained();
    const all = model.predictProba(data);
    const collected = scope(() =>
      softmax(g.predictGroups(model.network, parts[0] as g.RowGroups)).dataSync<Float32Array>(),
    );
    expectClose(
      Array.from(labelled, (v) => all.slice(2 * v, 2 * v + 2)).flatMap((row) => [...row]),
      collected,
      1e-4,
    );
  });

  test('survives a file, answers alike for other orders of nodes and relations, and for new nodes', async () => {
    const { model } = await trained();
    const loaded = g.RpHGNNModel.load(model.save());
    const before = model.predictProba(data);
    expectClose(loaded.predictProba(data), before, 1e-6);
    const moved = library({ shuffled: true });
    const after = loaded.predictProba(moved);
    moved.nodes.get('paper')?.nodeNames.forEach((name, v) => {
      const at = 2 * Number(name.slice(1));
      expectClose(after.subarray(2 * v, 2 * v + 2), before.subarray(at, at + 2), 1e-3);
    });
    const later = loaded.predictProba(library({ more: 'new,,4,A\n' }));
    // Written by authors of blue papers, and citing some.
    expect(later[80]).toBeGreaterThan(0.5);
    const right = labelled.filter((v) => Number((before[2 * v + 1] as number) > 0.5) === v % 2).length;
    expect(right / labelled.length).toBeGreaterThan(0.9);
  });

  test('names a relation that is missing, and leaves out one that training did not have', async () => {
    const { model } = await trained();
    const notes: string[] = [];
    const without = { ...data, graph: data.graph.withRelations(data.graph.given.slice(0, 1)) };
    expect(() => model.predictProba(without)).toThrow(
      '"library" has no relation "cites" from paper to paper, which the model reads; there are "author writes paper"',
    );
    const { model: part } = await trained();
    const less = new g.RpHGNNModel(part.network, part.description);
    const other = heteroGraphFromTables(
      [table('n', 'paper', 'id,label,pages,venue\np1,red,1,A\np2,,2,B\n')],
      [
        table('e', 'writes', 'author,paper\na1,p1\n'),
        table('f', 'paper_cites_paper', 'source,target\np1,p2\n'),
        table('h', 'edits', 'author,paper\na1,p2\n'),
      ],
      'other',
    );
    expect(less.predictProba(other, (text) => notes.push(text)).length).toBe(4);
    expect(notes).toEqual(['relation "author edits paper" was not there in training and is left out']);
  });

  test('known classes travel with it, by the names of their nodes', async () => {
    const known = Object.fromEntries(Array.from(labelled, (v) => [`p${v}`, v % 2]));
    const { model } = await trained({ known });
    expect(model.description.groups.map(({ name }) => name).slice(-3)).toEqual([
      'label even paper rev_writes author',
      'label odd paper cites paper',
      'label even paper cites paper',
    ]);
    const before = model.predictProba(data);
    const { model: other } = await trained({
      known: Object.fromEntries(Object.entries(known).map(([name, code]) => [name, 1 - code])),
    });
    const swapped = new g.RpHGNNModel(model.network, { ...model.description, known: other.description.known });
    expect(swapped.predictProba(data)).not.toEqual(before);
    expectClose(g.RpHGNNModel.load(model.save()).predictProba(data), before, 1e-6);
  });
});
