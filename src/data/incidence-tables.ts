// Edge-dependent labels as tables of one's own: a row for each vertex in each hyperedge, or aligned
// lines of vertices and labels.

import { IncidenceList } from '../structure/index.js';
import { keep, type Random, type Tensor, tensor } from '../tensor/index.js';
import { CLASS_COLUMNS, partNamed, SPLIT_COLUMN } from './column-names.js';
import { numbersOf } from './columns/numbers.js';
import { type CsvOptions, readCsv, readLines } from './formats/csv.js';
import { byNumberThenText, featuresFromTable } from './hypergraphs.js';
import { type IncidenceDataset, incidenceDataset, randomParts } from './incidences.js';
import { classOf, type TextOptions } from './vertex-rows.js';

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

const edgeNames = ['edge', 'hyperedge', 'edge_id', 'hyperedge_id', 'group'];
const nodeNames = ['node', 'vertex', 'node_id', 'vertex_id', 'member'];
const labelNames = [...CLASS_COLUMNS, 'role'];
/** Parts of a split, in the order of their numbers. */
const parts = ['train', 'validation', 'test'] as const;

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
  /** Weight of the hyperedge; undefined without such a column. */
  readonly weight: number | undefined;
  /** Line in the table, counted from 1. */
  readonly line: number;
}

/** How incidences are read. */
export interface IncidenceReading extends TextOptions {
  /** Column of the class. Default: `label`, `class` or `role`. */
  readonly target?: string | undefined;
}

/**
 * Rows of a table of incidences, in its order.
 *
 * @throws Error naming a column that is missing, or the line of an unknown split or of an empty
 * name.
 */
export function namedIncidences(text: string, name: string, options: IncidenceReading = {}): NamedIncidence[] {
  const { target, decimal } = options;
  const { columns, rows } = readCsv(text, name, options);
  const find = (names: readonly string[]) => columns.findIndex((column) => names.includes(column.toLowerCase()));
  const [edge, node, split] = [edgeNames, nodeNames, [SPLIT_COLUMN]].map(find) as [number, number, number];
  const weight = find(['weight']);
  const label = target === undefined ? find(labelNames) : columns.indexOf(target);
  if (target !== undefined && label < 0)
    throw new Error(`"${name}" has no column "${target}"; it has ${columns.join(', ')}`);
  if (edge < 0 || node < 0)
    throw new Error(
      `"${name}" needs columns edge and node (label and split where known); it has ${columns.join(', ')}`,
    );
  const fields = weight < 0 ? [] : rows.map((row) => row[weight] as string);
  const weights = numbersOf(fields, decimal, `"${name}": column "${columns[weight]}"`);
  return rows.map((row, index) => {
    for (const [column, what] of [
      [edge, 'hyperedge'],
      [node, 'node'],
    ] as const)
      if (row[column] === '') throw new Error(`"${name}" line ${index + 2}: the ${what} has no name`);
    const part = split < 0 ? '' : (row[split] as string);
    const named = partNamed(part);
    if (part !== '' && named === undefined)
      throw new Error(`"${name}" line ${index + 2}: split "${part}" is not train, validation or test`);
    return {
      edge: row[edge] as string,
      node: row[node] as string,
      label: label < 0 ? '' : classOf(row[label] as string),
      part: named && parts.indexOf(named),
      weight: weight < 0 ? undefined : checkedWeight(weights, fields, index, name),
      line: index + 2,
    };
  });
}

/**
 * Labelled incidences from tables. Hyperedges without a split are divided at random 60 : 20 : 20.
 *
 * @throws Error naming table and line.
 */
export function incidencesFromTables(
  tables: IncidenceTables,
  name: string,
  random: Random,
  options: IncidenceReading = {},
): IncidenceDataset {
  const rows = namedIncidences(tables.hyperedges, `${name}: hyperedges`, options);
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
  return assembled(name, [...edges.keys()], lists, parts, tables.nodes, options);
}

function checkedWeight(weights: readonly number[], fields: readonly string[], row: number, name: string): number {
  const weight = weights[row] as number;
  if (!(weight > 0 && Number.isFinite(weight)))
    throw new Error(`"${name}" line ${row + 2}: weight "${fields[row]}" is no positive number`);
  return weight;
}

/** Whether a text has a header with columns of hyperedges and of nodes. */
export function namesIncidences(text: string, name: string, options: CsvOptions = {}): boolean {
  const [header = ''] = text.replace(/^\uFEFF/, '').split(/\r?\n/, 1);
  const fields = (readLines(header || ' -', name, options)[0] ?? []).map((own) => own.toLowerCase());
  return [edgeNames, nodeNames].every((names) => fields.some((own) => names.includes(own)));
}

/**
 * Labelled incidences from two aligned texts, of which each decides its separator: tabs,
 * semicolons, commas or spaces. The vertices of each hyperedge are in one, their labels in the
 * other, `?` or nothing for one that is unknown. Hyperedges are split at random 60 : 20 : 20.
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
  options: CsvOptions = {},
): IncidenceDataset {
  const lists = readLines(hyperedges, name, options);
  const classes = readLines(labels, `${name} labels`, options);
  if (lists.length !== classes.length)
    throw new Error(`data set "${name}": ${lists.length} hyperedges and ${classes.length} lines of labels`);
  const named = lists.map((line, e) => {
    const members = withoutEmptyEnd(line, 0);
    const own = withoutEmptyEnd(classes[e] as readonly string[], members.length);
    if (members.length !== own.length)
      throw new Error(`data set "${name}", line ${e + 1}: ${members.length} vertices and ${own.length} labels`);
    const empty = members.indexOf('');
    if (empty >= 0) throw new Error(`data set "${name}", line ${e + 1}: vertex ${empty + 1} has no name`);
    return members.map((node, i) => ({ node, label: classOf(own[i] as string) }));
  });
  const edgeNumbers = lists.map((_, e) => String(e));
  return assembled(name, edgeNumbers, named, randomParts(lists.length, random), nodes, options);
}

/** A line without the empty fields at its end, down to a length. */
function withoutEmptyEnd(line: readonly string[], length: number): readonly string[] {
  let end = line.length;
  while (end > length && line[end - 1] === '') end -= 1;
  return line.slice(0, end);
}

/** Numbers vertices and classes by name and joins features. */
function assembled(
  name: string,
  hyperedges: readonly string[],
  lists: readonly (readonly Pick<NamedIncidence, 'node' | 'label'>[])[],
  parts: Int32Array,
  nodes: string | undefined,
  options: CsvOptions,
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
  return nodes === undefined ? dataset : { ...dataset, features: joinedFeatures(nodes, vertices, name, options) };
}

/** Features in the order of the vertices. @throws Error naming a vertex without features. */
function joinedFeatures(text: string, vertices: readonly string[], name: string, options: CsvOptions): Tensor {
  const { vertexNames, features } = featuresFromTable(text, `${name}: nodes`, [], options);
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
