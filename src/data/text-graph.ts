// Graphs whose nodes are texts: a table of nodes and a table of edges.

import type { Graph } from '../structure/index.js';
import { readCsv } from './formats/index.js';
import { graphOfTable } from './graph-tables.js';
import { columnFinder } from './node-tables.js';
import { wordsOf } from './text-encoder.js';

/** A graph with a text at each node. */
export interface TextGraph {
  /** Of the folder. */
  readonly name: string;
  /** The graph of n nodes. */
  readonly graph: Graph;
  /** Names of the nodes, in order. */
  readonly nodeNames: readonly string[];
  /** Text of each node, maybe empty. */
  readonly texts: readonly string[];
  /** What each node is about, in other words than its text; undefined without such a column. */
  readonly summaries: readonly string[] | undefined;
  /** What a person should know about how the data were read. */
  readonly notes: readonly string[];
}

/** A class by its name and, where there is one, a description. */
export interface ClassText {
  /** Its name. */
  readonly name: string;
  /** What it is encoded from: the name and the description. */
  readonly text: string;
}

/**
 * @param tables of nodes `id,text` and maybe `summary`, and of edges `source,target` and maybe
 * `weight`
 * @throws Error naming table and line: a column that is missing, a node that is named twice, an
 * edge that names none, or no node with a word
 */
export function textGraphFromTables(
  { nodes, edges }: { readonly nodes: string; readonly edges: string },
  name: string,
): TextGraph {
  const table = readCsv(nodes, 'nodes');
  const at = columnFinder(table);
  const [id, text, summary] = [at('id'), at('text'), at('summary')];
  if (id < 0 || text < 0)
    throw new Error(`graph "${name}": nodes need the columns id and text, got ${table.columns.join(', ')}`);
  const ids = new Map<string, number>();
  table.rows.forEach((row, v) => {
    const node = row[id] as string;
    if (ids.has(node)) throw new Error(`graph "${name}": nodes, line ${v + 2}: node "${node}" is named twice`);
    ids.set(node, v);
  });
  const texts = table.rows.map((row) => row[text] as string);
  const empty = texts.filter((own) => wordsOf(own).length === 0).length;
  if (empty === texts.length)
    throw new Error(`graph "${name}": ${texts.length === 0 ? 'there is no node' : 'no node has a word in its text'}`);
  const unread = table.columns.filter((_, column) => ![id, text, summary].includes(column));
  return {
    name,
    graph: graphOfTable(readCsv(edges, 'edges'), ids, name, false),
    nodeNames: [...ids.keys()],
    texts,
    summaries: summary < 0 ? undefined : table.rows.map((row) => row[summary] as string),
    notes: [
      ...(empty > 0 ? [`${empty} of ${texts.length} nodes of "${name}" have no word in their text`] : []),
      ...(unread.length > 0 ? [`columns of "${name}" that are not read: ${unread.join(', ')}`] : []),
    ],
  };
}

/**
 * Classes of a table `name` and maybe `description`.
 *
 * @throws Error without the column, for fewer than two classes, or naming the line of a class that
 * is given twice or has no word
 */
export function classTexts(csv: string, file: string): ClassText[] {
  const table = readCsv(csv, file);
  const at = columnFinder(table);
  const [name, description] = [at('name'), at('description')];
  if (name < 0) throw new Error(`"${file}": classes need a column name, got ${table.columns.join(', ')}`);
  const seen = new Set<string>();
  const classes = table.rows.map((row, line) => {
    const own = row[name] as string;
    if (seen.has(own)) throw new Error(`"${file}", line ${line + 2}: class "${own}" is given twice`);
    seen.add(own);
    const text = description < 0 || row[description] === '' ? own : `${own}. ${row[description]}`;
    if (wordsOf(text).length === 0) throw new Error(`"${file}", line ${line + 2}: class "${own}" has no word`);
    return { name: own, text };
  });
  if (classes.length < 2) throw new Error(`"${file}" holds ${classes.length} classes; at least two are needed`);
  return classes;
}

/** The halves of a text by words, as two descriptions of one thing. */
export function halvesOf(text: string): [first: string, second: string] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const half = Math.ceil(words.length / 2);
  return [words.slice(0, half).join(' '), words.slice(half).join(' ')];
}

/** What a graph of texts holds, in lines. */
export function textGraphLines({ graph, texts, summaries, notes }: TextGraph): string[] {
  const words = texts.map((text) => wordsOf(text).length).sort((a, b) => a - b);
  return [
    `${graph.nodeCount} nodes with texts, ${graph.edgeCount} edges; gossamer fit --model h4g learns from it`,
    `words       ${words[0]} to ${words.at(-1)} a text, median ${words[words.length >> 1]}`,
    `summaries   ${summaries ? 'of all nodes' : 'none: texts are halved'}`,
    `isolated    ${graph.isolated.length} nodes`,
    ...notes,
  ];
}
