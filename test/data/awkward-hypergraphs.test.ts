// Hypergraphs and events as people write them: each form with the reading that is expected of it,
// or the error that refuses it.

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { eventsFromTable, questionsFromTable, type TextOptions, timeOf, vertexRows } from '../../src/data/index.js';
import { loadIncidences, loadNamedHypergraph } from '../../src/data/node.js';

const root = mkdtempSync(join(tmpdir(), 'awkward-'));
let count = 0;

function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** `vertex@hyperedge:label` of each incidence, in the order of the hyperedges. */
function shown(folder: string, target?: string): string {
  const { incidences, labels, names } = loadIncidences(folder, 0, { target, features: false });
  const edges = incidences.hyperedges.ids.view();
  return Array.from(incidences.vertices, (vertex, i) => {
    const label = names.classes[labels[i] as number] ?? '?';
    return `${names.vertices[vertex]}@${names.hyperedges[edges[i] as number]}:${label}`;
  }).join(' ');
}

/** Names of the vertices, in order. */
function namesOf(folder: string, options: TextOptions = {}): readonly string[] {
  return loadIncidences(folder, 0, { ...options, features: false }).names.vertices;
}

const usual = 'ada@p1:first ben@p1:last eve@p2:?';

describe('incidences with labels', () => {
  const forms: Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>> = {
    'columns in another order': { 'hyperedges.csv': 'label,node,edge\nfirst,ada,p1\nlast,ben,p1\n,eve,p2\n' },
    semicolons: { 'hyperedges.csv': 'edge;node;label\np1;ada;first\np1;ben;last\np2;eve;\n' },
    'tabs in a .txt': { 'hyperedges.txt': 'hyperedge\tvertex\trole\np1\tada\tfirst\np1\tben\tlast\np2\teve\t\n' },
    'a .tsv with a byte order mark and Windows line ends': {
      'hyperedges.tsv': '\uFEFFEdge\tNode\tLabel\r\np1\tada\tfirst\r\np1\tben\tlast\r\np2\teve\t\r\n',
    },
    compressed: {
      'hyperedges.csv.gz': gzipSync(new TextEncoder().encode('edge,node,label\np1,ada,first\np1,ben,last\np2,eve,\n')),
    },
    'a further column and unknown labels as ?': {
      'hyperedges.csv': 'group,member,when,class\np1,ada,2024,first\np1,ben,2024,last\np2,eve,2025,?\n',
    },
    'an unknown label as NA, rows of a hyperedge apart': {
      'hyperedges.csv': 'edge,node,label\np1,ada,first\np2,eve,NA\np1,ben,last\n',
    },
  };
  test.each(Object.entries(forms))('%s', (_, files) => {
    expect(shown(folderOf(files))).toBe(usual);
  });

  const lines = {
    'apart by spaces': ['ada ben\neve kim lee\n', 'first last\nfirst ? last\n'],
    'apart by commas': ['ada,ben\neve,kim,lee\n', 'first,last\nfirst,,last\n'],
    'apart by semicolons, with blanks': ['ada; ben\neve; kim; lee\n', 'first; last\nfirst; ; last\n'],
    'filled up with empty fields': ['ada,ben,\neve,kim,lee\n', 'first,last,\nfirst,na,last\n'],
    'apart by several spaces and one tab': ['ada  ben\neve   kim lee\n', 'first\tlast\nfirst\t\tlast\n'],
  };
  test.each(Object.entries(lines))('members of a hyperedge on a line, %s', (_, [hypergraph, labels]) => {
    const folder = folderOf({ 'hypergraph.txt': hypergraph as string, 'labels.txt': labels as string });
    expect(shown(folder)).toBe('ada@0:first ben@0:last eve@1:first kim@1:? lee@1:last');
  });

  test('a column of another name is the label that is asked for; a class called none is a class', () => {
    const folder = folderOf({ 'hyperedges.csv': 'edge,node,job\np1,ada,none\np1,ben,chair\n' });
    expect(shown(folder, 'job')).toBe('ada@p1:none ben@p1:chair');
    expect(() => shown(folder, 'jobs')).toThrow('no column "jobs"; it has edge, node, job');
  });

  test('a delimiter that is given separates tables and lines alike', () => {
    const table = folderOf({ 'hyperedges.csv': 'edge:node:label\np1:ada, b.:first\np1:ben:last\n' });
    expect(namesOf(table, { delimiter: ':' })).toEqual(['ada, b.', 'ben']);
    expect(() => namesOf(table)).toThrow('line 2 has 2 fields, the header 1');
    // Commas win over spaces unless spaces are asked for.
    const lines = { 'hypergraph.txt': 'ada,b ben\neve  kim\n', 'labels.txt': 'x y\nx y\n' };
    expect(namesOf(folderOf(lines), { delimiter: ' ' })).toEqual(['ada,b', 'ben', 'eve', 'kim']);
    expect(() => namesOf(folderOf(lines))).toThrow('line 2: 1 vertices and 2 labels');
  });

  test('names with leading zeros, decimals and commas in quotes stay as they are', () => {
    const folder = folderOf({ 'hyperedges.csv': 'edge,node,label\n007,"Lovelace, Ada",1.0\n007,1e3,2\n' });
    expect(shown(folder)).toBe('Lovelace, Ada@007:1.0 1e3@007:2');
  });

  test.each([
    ['an empty name', { 'hyperedges.csv': 'edge,node,label\np1,,first\n' }, 'line 2: the node has no name'],
    ['no column of hyperedges', { 'hyperedges.csv': 'paper,node,label\np1,a,b\n' }, 'needs columns edge and node'],
    ['labels of another length', { 'hypergraph.txt': 'a b c\n', 'labels.txt': 'x y\n' }, '3 vertices and 2 labels'],
    ['a weight of 0', { 'hyperedges.csv': 'edge,node,weight\np1,a,0\n' }, 'weight "0" is no positive number'],
  ])('%s is refused', (_, files, reason) => {
    expect(() => loadIncidences(folderOf(files))).toThrow(reason);
  });
});

describe('hypergraphs with classes of vertices', () => {
  const membersOf = (folder: string) => {
    const { hypergraph, vertexNames, labels } = loadNamedHypergraph(folder);
    const lists = hypergraph.hyperedges().map((own) => Array.from(own, (v) => vertexNames[v]).join('+'));
    return { lists: lists.join(' '), labels: vertexNames.map((name, v) => `${name}:${labels[v]}`).join(' ') };
  };

  test.each([
    ['a table of incidences', 'hyperedge,node\n1,ada\n1,ben\n2,ben\n2,eve\n', 'hyperedges.csv'],
    ['semicolons and another order', 'vertex;edge\nada;1\nben;1\nben;2\neve;2\n', 'hyperedges.csv'],
    ['a hyperedge a line', 'ada ben\nben eve\n', 'hyperedges.txt'],
    ['a hyperedge a line, apart by commas', 'ada,ben\nben,eve\n', 'hypergraph.txt'],
  ])('%s', (_, text, file) => {
    const folder = folderOf({ [file]: text, 'nodes.csv': 'name;class\nada;x\nben;\neve;y\n' });
    expect(membersOf(folder)).toEqual({ lists: 'ada+ben ben+eve', labels: 'ada:x ben: eve:y' });
  });

  test('weights may have decimal commas; those that may be thousands are asked about', () => {
    const weighted = (...weights: string[]) =>
      folderOf({ 'hyperedges.csv': `edge;node;weight\n${weights.map((own, e) => `${e};a;${own}`).join('\n')}\n` });
    const weightsOf = (folder: string, options: TextOptions = {}) => [
      ...loadNamedHypergraph(folder, options).hypergraph.weights,
    ];
    expect(weightsOf(weighted('1,5', '2', '1.000,25'))).toEqual([1.5, 2, 1000.25]);
    const open = weighted('1,500', '2,250');
    expect(() => weightsOf(open)).toThrow('column "weight" may hold thousands or decimals ("1,500")');
    expect(weightsOf(open, { decimal: ',' })).toEqual([1.5, 2.25]);
    expect(weightsOf(open, { decimal: '.' })).toEqual([1500, 2250]);
    expect(() => weightsOf(weighted('1,5', '0,0'))).toThrow('line 3: weight "0,0" is no positive number');
  });

  test('a delimiter and a decimal mark hold for all tables of a folder', () => {
    const folder = folderOf({
      'hyperedges.csv': 'edge/node\n1/a\n1/b\n',
      'nodes.csv': 'id/income\na/1,500\nb/2,250\n',
      'labels.csv': 'vertex/label\na/x\nb/y\n',
    });
    const { rows, labels } = loadNamedHypergraph(folder, { delimiter: '/', decimal: ',' });
    expect([...(rows?.columns[0]?.values ?? [])]).toEqual([1.5, 2.25]);
    expect(labels).toEqual(['x', 'y']);
  });

  test('labels in a table of their own; a member that is named twice counts once, and is said', () => {
    const folder = folderOf({
      'hyperedges.csv': 'edge,node\n1,ada\n1,ben\n1,ada\n',
      'labels.csv': 'vertex,label\nben,x\neve,y\n',
    });
    expect(membersOf(folder)).toEqual({ lists: 'ada+ben', labels: 'ada: ben:x' });
    expect(loadNamedHypergraph(folder).notes).toEqual([
      '1 incidences are given more than once and count once',
      '1 vertices with a label are in no hyperedge and are left out, the first "eve"',
    ]);
  });

  test('columns are numbers with decimal commas, categories, or left out where texts nearly all differ', () => {
    const rows = vertexRows(
      'city;id;income;note;label\nrome;a;1,5;xyz;u\noslo;b;;zyx;v\nrome;c;2,5;yxz;u\nrome;d;2,0;zzz;v\n',
      'nodes',
    );
    expect(rows.names).toEqual(['a', 'b', 'c', 'd']);
    expect(rows.labels).toEqual(['u', 'v', 'u', 'v']);
    expect(rows.columns.map(({ name, kind, values }) => [name, kind, Array.from<unknown>(values)])).toEqual([
      ['city', 'category', ['rome', 'oslo', 'rome', 'rome']],
      ['income', 'number', [1.5, 2, 2.5, 2]],
    ]);
    expect(rows.notes.join('\n')).toContain('"note" is left out: 4 different texts');
    expect(rows.notes.join('\n')).toContain('"income" has 1 gaps');
  });

  test.each([
    [
      'a vertex without a line',
      { 'hyperedges.csv': 'edge,node\n1,ada\n', 'nodes.csv': 'id,x\nben,1\n' },
      '"ada" is no vertex',
    ],
    [
      'a vertex with two lines',
      { 'hyperedges.csv': 'edge,node\n1,a\n', 'nodes.csv': 'id,x\na,1\na,2\n' },
      'line 3: vertex "a" is also in line 2',
    ],
    ['two weights', { 'hyperedges.csv': 'edge,node,weight\n1,a,1\n1,b,2\n' }, 'hyperedge "1" has two weights'],
    ['no hyperedges', { 'nodes.csv': 'id\na\n' }, 'holds no hyperedges.csv'],
  ])('%s is refused', (_, files, reason) => {
    expect(() => loadNamedHypergraph(folderOf(files))).toThrow(reason);
  });
});

describe('events', () => {
  const shownEvents = (text: string, options: TextOptions = {}) => {
    const { graph, nodeNames } = eventsFromTable(text, 'events', options);
    return Array.from(
      graph.sources,
      (u, e) => `${nodeNames[u]}>${nodeNames[graph.targets[e] as number]}@${graph.times[e]}`,
    ).join(' ');
  };
  const day = 86_400;
  test.each([
    ['the usual header', 'source,target,time\na,b,1\nb,c,2\n', 'a>b@1 b>c@2'],
    ['other names in another order', 'when;receiver;sender\n1;b;a\n2;c;b\n', 'a>b@1 b>c@2'],
    ['users and items', 'user_id\titem_id\ttimestamp\na\tb\t1\nb\tc\t2\n', 'a>b@1 b>c@2'],
    ['no header', 'a,b,1\nb,c,2\n', 'a>b@1 b>c@2'],
    ['no header, apart by spaces', '7 8 1\n8  9 2\n', '7>8@1 8>9@2'],
    ['comments of SNAP', '# FromNodeId ToNodeId Time\n# 3 events\n7\t8\t1\n8\t9\t2\n', '7>8@1 8>9@2'],
    [
      'no header, the time in the fourth column',
      '7,8,5,1300000000\n8,9,2,1300000100\n7,9,4,1300000050\n',
      '7>8@1300000000 7>9@1300000050 8>9@1300000100',
    ],
    ['dates', 'source,target,date\na,b,1970-01-02\nb,c,1970-01-03\n', `a>b@${day} b>c@${2 * day}`],
    ['dates and times without a zone, in UTC', 'source,target,date\na,b,1970-01-02 00:00:10\n', `a>b@${day + 10}`],
    ['dates and times with a zone', 'source,target,date\na,b,1970-01-02T01:00:00+01:00\n', `a>b@${day}`],
    ['out of order', 'source,target,t\nb,c,2\na,b,1\n', 'a>b@1 b>c@2'],
    ['times with decimal commas', 'source;target;t\na;b;1,5\nb;c;1.000,25\n', 'a>b@1.5 b>c@1000.25'],
    ['repeated events and loops', 'source,target,t\na,a,1\na,b,2\na,b,2\n', 'a>a@1 a>b@2 a>b@2'],
    ['leading zeros', 'source,target,t\n007,7,1\n', '007>7@1'],
    [
      'rows that are no events',
      'source,target,t\na,b,1\n,b,2\na,,3\nb,c,4\na,c,5\na,d,soon\nb,d,6\n',
      'a>b@1 b>c@4 a>c@5 b>d@6',
    ],
  ])('%s', (_, text, expected) => {
    expect(shownEvents(text)).toBe(expected);
  });

  test('a delimiter and a decimal mark that are given are heeded', () => {
    const text = 'source:target:t:amount\na:b:1,500:1,250\nb:c:2,500:2,250\n';
    expect(shownEvents(text, { delimiter: ':', decimal: ',' })).toBe('a>b@1.5 b>c@2.5');
    expect(shownEvents(text, { delimiter: ':', decimal: '.' })).toBe('a>b@1500 b>c@2500');
    const { graph } = eventsFromTable(text, 'events', { delimiter: ':', decimal: ',' });
    // 1.25 and 2.25 as they are.
    expect([...(graph.features?.view() ?? [])]).toEqual([1.25, 2.25]);
    expect(() => eventsFromTable(text, 'events')).toThrow('line 2 has 3 fields, the header 1');
    expect(shownEvents('a,b 1 5\nb 2 6\n', { delimiter: ' ' })).toBe('a,b>1@5 b>2@6');
    expect(questionsFromTable('source:t\na:1,500\n', 'questions', { delimiter: ':', decimal: ',' }).times).toEqual({
      texts: ['1,500'],
      values: [1.5],
    });
  });

  test('what is left out, sorted, repeated or no feature is said', () => {
    const text =
      'source,target,time,amount,kind\na,b,3,"1,5",pay\nb,b,1,2,gift\na,b,3,,pay\n,c,4,1,pay\na,c,later,1,pay\nc,d,5,3,pay\n';
    const { notes, leftOut, featureNames, graph } = eventsFromTable(text, 'events');
    expect(leftOut).toBe(2);
    expect(featureNames).toEqual(['amount']);
    expect(Array.from(graph.features?.view() ?? [])).toEqual([2, 1.5, Math.fround(13 / 6), 3].map(Math.fround));
    for (const part of [
      '2 of 6 events are left out: 1 with no source (first in row 4), 1 with a time that is neither a number nor an ISO date (first in row 5)',
      'sorted (2 change place)',
      'column "kind" does not hold numbers and is left out',
      'column "amount" has 1 gaps',
      '1 events repeat',
      '1 events join a node with itself',
    ])
      expect(notes.join('\n')).toContain(part);
  });

  test.each([
    ['a header without a time', 'source,target,day\na,b,1\n', 'no column for the time'],
    ['two columns', 'a,b\nb,c\n', 'no column for the source and the target and the time'],
    ['no header and two columns that may be times', 'a,b,1,1\nb,c,2,2\n', 'more than one column after the first two'],
    ['no header and no time among four columns', 'a,b,2,9\nb,c,1,8\n', 'no column after the first two'],
    [
      'dates beside numbers',
      'source,target,t\na,b,1970-01-02\na,b,5\n',
      'holds dates (row 1: 1970-01-02) and numbers (row 2: 5)',
    ],
    ['mostly no events', 'source,target,t\na,b,x\na,b,y\na,b,1\n', '2 of 3 rows are no events'],
    ['times that may be thousands', 'source;target;t\na;b;1,500\n', 'column "t" may hold thousands or decimals'],
    ['dates that may be read in two ways', 'source,target,t\na,b,01/02/2024\n', '1 of 1 rows are no events'],
  ])('%s is refused', (_, text, reason) => {
    expect(() => eventsFromTable(text, 'events')).toThrow(reason);
  });

  test('a time that does not exist is no time', () => {
    for (const text of ['2024-13-01', '', 'NaN', 'Infinity', '1:30', '-']) expect(timeOf(text)).toBeNaN();
    expect(timeOf('2024-05-01T12:30:00Z')).toBe(Date.UTC(2024, 4, 1, 12, 30) / 1000);
  });

  test('questions: pairs with or without a time, sources alone, with or without a header', () => {
    expect(questionsFromTable('a,b\nb,c\n', 'pairs')).toEqual({
      sources: ['a', 'b'],
      targets: ['b', 'c'],
      times: undefined,
    });
    expect(questionsFromTable('to;from;t\nb;a;5\n', 'pairs')).toEqual({
      sources: ['a'],
      targets: ['b'],
      times: { texts: ['5'], values: [5] },
    });
    expect(questionsFromTable('source\na\n', 'pairs')).toMatchObject({ sources: ['a'], targets: undefined });
    expect(() => questionsFromTable('source,target\na,\n', 'pairs')).toThrow('row 1: column "target" is empty');
    expect(() => questionsFromTable('source,target,t\na,b,x\n', 'pairs')).toThrow('the time "x"');
  });
});
