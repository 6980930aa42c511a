// Hypergraphs whose vertices have names, from text: hyperedges as a table of incidences, or the
// members of one on each line; vertices with classes and features in a table of their own.

import { Hypergraph } from '../structure/index.js';
import { readCsv, readLines } from './formats/index.js';
import { columnFor } from './formats/node-columns.js';
import { graphStructure } from './hypergraphs.js';
import { namedIncidences, namesIncidences } from './incidence-tables.js';
import { classOf, type TextOptions, type VertexRows } from './vertex-rows.js';

/** A hypergraph of named vertices, some of which may have a class. */
export interface NamedHypergraph {
  /** Of the folder or file. */
  readonly name: string;
  /** The hypergraph of N vertices; a vertex is in a hyperedge at most once. */
  readonly hypergraph: Hypergraph;
  /** Names of the vertices, in order. */
  readonly vertexNames: readonly string[];
  /** The table of vertices, where there is one. */
  readonly rows: VertexRows | undefined;
  /** Class of each vertex, empty where unknown. */
  readonly labels: readonly string[];
  /** Part of the split of each vertex, empty where none is given. */
  readonly parts: readonly string[];
  /** What a person should know about how the data were read. */
  readonly notes: readonly string[];
}

/** Texts of a hypergraph. */
export interface NamedHypergraphTexts {
  /**
   * A header with columns of hyperedges and nodes and maybe `weight`, then an incidence a line; or,
   * without such a header, the members of a hyperedge on each line.
   */
  readonly hyperedges?: string | undefined;
  /** In place of hyperedges the edges of a graph, see `graphStructure`: `source,target`. */
  readonly edges?: string | undefined;
  /** The table of vertices; hyperedges may then name no others. */
  readonly rows?: VertexRows | undefined;
  /** Classes beside it: `vertex,label`. */
  readonly labels?: string | undefined;
}

/** @throws Error naming the table and line of what cannot be read */
export function namedHypergraph(texts: NamedHypergraphTexts, name: string, options: TextOptions = {}): NamedHypergraph {
  const { hyperedges, edges, rows } = texts;
  const notes: string[] = [];
  const numbers = new Map((rows?.names ?? []).map((vertex, v) => [vertex, v]));
  const numberOf = (vertex: string, where: string) => {
    const known = numbers.get(vertex);
    if (known !== undefined) return known;
    if (rows) throw new Error(`hypergraph "${name}", ${where}: "${vertex}" is no vertex of the table of nodes`);
    numbers.set(vertex, numbers.size);
    return numbers.size - 1;
  };
  const hypergraph =
    hyperedges === undefined
      ? graphOf(edges ?? '', name, numberOf, numbers, options)
      : hypergraphOf(hyperedges, name, numberOf, numbers, notes, options);
  const vertexNames = [...numbers.keys()];
  const given = classesOf(texts.labels, name, options);
  const [stray, ...more] = [...given.keys()].filter((vertex) => !numbers.has(vertex));
  if (stray !== undefined)
    notes.push(`${more.length + 1} vertices with a label are in no hyperedge and are left out, the first "${stray}"`);
  const labels = vertexNames.map((vertex, v) => given.get(vertex) ?? rows?.labels?.[v] ?? '');
  const parts = vertexNames.map((_, v) => rows?.parts?.[v] ?? '');
  return { name, hypergraph, vertexNames, rows, labels, parts, notes };
}

type NumberOf = (vertex: string, where: string) => number;

function hypergraphOf(
  text: string,
  name: string,
  numberOf: NumberOf,
  numbers: ReadonlyMap<string, number>,
  notes: string[],
  options: TextOptions,
): Hypergraph {
  const lists = new Map<string, { readonly members: Set<number>; readonly weight: number; readonly line: number }>();
  let repeated = 0;
  const add = (edge: string, node: string, weight: number, line: number) => {
    const own = lists.get(edge) ?? { members: new Set(), weight, line };
    if (own.weight !== weight)
      throw new Error(`hypergraph "${name}": hyperedges, line ${line}: hyperedge "${edge}" has two weights`);
    const vertex = numberOf(node, `hyperedges, line ${line}`);
    if (own.members.has(vertex)) repeated += 1;
    own.members.add(vertex);
    lists.set(edge, own);
  };
  if (namesIncidences(text, name, options))
    for (const { edge, node, weight = 1, line } of namedIncidences(text, `${name}: hyperedges`, options))
      add(edge, node, weight, line);
  else
    for (const [e, members] of readLines(text, `${name}: hyperedges`, options).entries())
      for (const member of members) if (member !== '') add(String(e), member, 1, e + 1);
  if (repeated > 0) notes.push(`${repeated} incidences are given more than once and count once`);
  const all = [...lists.values()];
  return new Hypergraph(
    numbers.size,
    all.map(({ members }) => [...members]),
    all.map(({ weight }) => weight),
  );
}

function graphOf(
  text: string,
  name: string,
  numberOf: NumberOf,
  numbers: ReadonlyMap<string, number>,
  options: TextOptions,
): Hypergraph {
  const { columns, rows } = readCsv(text, `${name}: edges`, options);
  const [source, target] = [columnFor('source', columns), columnFor('target', columns)];
  if (source < 0 || target < 0)
    throw new Error(`hypergraph "${name}": edges need columns source and target, got ${columns.join(', ')}`);
  const pairs = rows.map((row, e): [number, number] => {
    const end = (column: number) => numberOf(row[column] as string, `edges, line ${e + 2}`);
    return [end(source), end(target)];
  });
  return graphStructure(numbers.size, pairs).hypergraph;
}

function classesOf(text: string | undefined, name: string, options: TextOptions): Map<string, string> {
  const classes = new Map<string, string>();
  if (text === undefined) return classes;
  for (const [row, [vertex = '', label = '']] of readCsv(text, `${name}: labels`, options).rows.entries()) {
    const before = classes.get(vertex);
    const own = classOf(label);
    if (before !== undefined && before !== own)
      throw new Error(`hypergraph "${name}": labels, line ${row + 2}: vertex "${vertex}" has two labels`);
    classes.set(vertex, own);
  }
  return classes;
}
