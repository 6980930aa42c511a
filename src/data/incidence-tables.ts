// Edge-dependent labels as tables of one's own: a row for each vertex in each hyperedge, or aligned
// lines of vertices and labels.

import { IncidenceList } from '../structure/index.js';
import { keep, type Random, type Tensor, tensor } from '../tensor/index.js';
import { readCsv, readLines } from './formats/index.js';
import { byNumberThenText, featuresFromTable } from './hypergraphs.js';
import { type IncidenceDataset, incidenceDataset, randomParts } from './incidences.js';

/** Incidences as text, each table as CSV or TSV. */
export interface IncidenceTables {
  /**
   * A header `edge,node` with `label` and `split` where known, then a line for each incidence; an
   * empty label is to be predicted, and `split` is train, validation or test, one for a hyperedge.
   */
  readonly hyperedges: string;
  /** A header `node,…`, then a node and its numbers on each line. */
  readonly nodes?: string;
}

const edgeNames = ['edge', 'hyperedge'];
const nodeNames = ['node', 'vertex'];
const partNames = [['train'], ['validation', 'val', 'valid'], ['test']];

/** A vertex in a hyperedge, by name. */
export interface NamedIncidence {
  /** Name of the hyperedge. */
  readonly edge: string;
  /** Name of the vertex. */
  readonly node: string;
  /** Class of the vertex in the hyperedge, where it is known. */
  readonly label: string;
  /** Part of the split, where it is given. */
  readonly part: number | undefined;
  /** Line in the table, counted from 1. */
  readonly line: number;
}

/**
 * Rows of a table of incidences, in its order.
 *
 * @throws Error naming a column that is missing, or the line of an unknown split.
 */
export function namedIncidences(text: string, name: string): NamedIncidence[] {
  const { columns, rows } = readCsv(text, name);
  const find = (names: readonly string[]) => columns.findIndex((column) => names.includes(column.toLowerCase()));
  const [edge, node, label, split] = [edgeNames, nodeNames, ['label'], ['split']].map(find) as [
    number,
    number,
    number,
    number,
  ];
  if (edge < 0 || node < 0)
    throw new Error(
      `"${name}" needs columns edge and node (label and split where known); it has ${columns.join(', ')}`,
    );
  return rows.map((row, index) => {
    const part = split < 0 ? '' : (row[split] as string).toLowerCase();
    const found = partNames.findIndex((names) => names.includes(part));
    if (part !== '' && found < 0)
      throw new Error(`"${name}" line ${index + 2}: split "${part}" is not train, validation or test`);
    return {
      edge: row[edge] as string,
      node: row[node] as string,
      label: label < 0 ? '' : (row[label] as string),
      part: found < 0 ? undefined : found,
      line: index + 2,
    };
  });
}

/**
 * Labelled incidences from tables. Hyperedges without a split are divided at random 60 : 20 : 20.
 *
 * @throws Error naming table and line.
 */
export function incidencesFromTables(tables: IncidenceTables, name: string, random: Random): IncidenceDataset {
  const rows = namedIncidences(tables.hyperedges, `${name}: hyperedges`);
  const edges = new Map<string, NamedIncidence[]>();
  for (const row of rows) {
    const own = edges.get(row.edge);
    if (own) own.push(row);
    else edges.set(row.edge, [row]);
  }
  const lists = [...edges.values()];
  const parts = randomParts(lists.length, random);
  lists.forEach((own, e) => {
    const [first] = own as [NamedIncidence];
    const other = own.find(({ part }) => part !== first.part);
    if (other) throw new Error(`data set "${name}" line ${other.line}: hyperedge "${first.edge}" is in two splits`);
    if (first.part !== undefined) parts[e] = first.part;
  });
  return assembled(name, [...edges.keys()], lists, parts, tables.nodes);
}

/**
 * Labelled incidences from two aligned texts of tab- or comma-separated lines: the vertices of each
 * hyperedge in one, their labels in the other. Hyperedges are split at random 60 : 20 : 20.
 *
 * @param nodes features of the vertices, as in `IncidenceTables`
 * @throws Error naming the first line whose labels do not match its vertices.
 */
export function incidencesFromLines(
  hyperedges: string,
  labels: string,
  name: string,
  random: Random,
  nodes?: string,
): IncidenceDataset {
  const lists = readLines(hyperedges, name);
  const classes = readLines(labels, `${name} labels`);
  if (lists.length !== classes.length)
    throw new Error(`data set "${name}": ${lists.length} hyperedges and ${classes.length} lines of labels`);
  const named = lists.map((line, e) => {
    if (line.length !== classes[e]?.length)
      throw new Error(`data set "${name}", line ${e + 1}: ${line.length} vertices and ${classes[e]?.length} labels`);
    return line.map((node, i) => ({ node, label: classes[e]?.[i] as string }));
  });
  const edgeNumbers = lists.map((_, e) => String(e));
  return assembled(name, edgeNumbers, named, randomParts(lists.length, random), nodes);
}

/** Numbers vertices and classes by name and joins features. */
function assembled(
  name: string,
  hyperedges: readonly string[],
  lists: readonly (readonly Pick<NamedIncidence, 'node' | 'label'>[])[],
  parts: Int32Array,
  nodes: string | undefined,
): IncidenceDataset {
  const ids = new Map<string, number>();
  const members = lists.map((own) =>
    own.map(({ node }) => {
      const id = ids.get(node) ?? ids.size;
      ids.set(node, id);
      return id;
    }),
  );
  const labels = lists.flatMap((own) => own.map(({ label }) => label));
  const classes = [...new Set(labels.filter((label) => label !== ''))].sort(byNumberThenText);
  const classOf = new Map(classes.map((label, c) => [label, c]));
  const vertices = [...ids.keys()];
  const dataset = incidenceDataset(
    name,
    IncidenceList.fromLists(ids.size, members),
    Int32Array.from(labels, (label) => classOf.get(label) ?? -1),
    parts,
    { vertices, hyperedges, classes },
  );
  return nodes === undefined ? dataset : { ...dataset, features: joinedFeatures(nodes, vertices, name) };
}

/** Features in the order of the vertices. @throws Error naming a vertex without features. */
function joinedFeatures(text: string, vertices: readonly string[], name: string): Tensor {
  const { vertexNames, features } = featuresFromTable(text, `${name}: nodes`);
  const width = features.shape[1] as number;
  const values = features.view();
  const rows = new Map(vertexNames.map((vertex, row) => [vertex, row]));
  const table = new Float32Array(vertices.length * width);
  vertices.forEach((vertex, v) => {
    const row = rows.get(vertex);
    if (row === undefined) throw new Error(`data set "${name}": node "${vertex}" has no line in the table of nodes`);
    table.set(values.subarray(row * width, (row + 1) * width), v * width);
  });
  return keep(tensor(table, [vertices.length, width]));
}
