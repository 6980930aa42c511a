// Heterogeneous graphs as people write them: a table for each type of nodes, or one with a column
// `type`; a table for each relation, or one with a column `type`.

import { HeteroGraph, type RelationEdges } from '../structure/index.js';
import { textsOrGaps } from './attributed-graph.js';
import { columnFor } from './formats/node-columns.js';
import type { NamedHeteroGraph, NodesOfType } from './named-hetero-graph.js';
import { type Column, type ColumnTable, tableRows } from './tables.js';

/** A table with the file that it was read from. */
export interface TableOfFile {
  /** For messages. */
  readonly file: string;
  /** A type or a relation: what its name says after `nodes_` or `edges_`; '' without either. */
  readonly part: string;
  /** Its columns; those that hold names are texts. */
  readonly table: ColumnTable;
}

/** Names of the column that names nodes, in lower case. */
export const ID_COLUMNS = ['id', 'node', 'node_id', 'nodeid'];
/** Names of the column of types of nodes or of edges, in lower case. */
export const TYPE_COLUMNS = ['type', 'relation', 'rel', 'kind'];
/** Type of the nodes of a table without types. */
const ONLY_TYPE = 'node';

/**
 * A heterogeneous graph from tables.
 *
 * A table of nodes has a column `id` and attributes of any type (see `columnsOf`); one without a
 * type in its file's name has a column `type`, and attributes without any value among the nodes of
 * a type are left out for that type. A table of edges has two columns of ids, named `source` and
 * `target` (or synonyms) or by the types of their nodes; its name, or a column `type`, names the
 * relation. Nodes of a type without a table are those that edges name.
 *
 * @throws Error naming file and line: a node that is named twice, an end that is no node of its
 * type or of any, or whose type is open; also where `HeteroGraph.fromRelations` throws
 */
export function heteroGraphFromTables(
  nodeTables: readonly TableOfFile[],
  edgeTables: readonly TableOfFile[],
  name: string,
): NamedHeteroGraph {
  const registry = new NodeRegistry();
  const notes: string[] = [];
  for (const own of nodeTables) for (const [type, table] of typedParts(own)) registry.addTable(type, table, own.file);
  const relations = new Map<string, Ends>();
  for (const own of edgeTables) readEdges(own, registry, relations, notes);
  const graph = HeteroGraph.fromRelations(registry.counts(), [...relations.values()]);
  if (graph.duplicateEdges > 0) notes.push(`${graph.duplicateEdges} edges are given more than once and count once`);
  return { name, graph, nodes: registry.nodes(), notes };
}

/** The parts of a table of nodes by type. */
function typedParts({ file, part, table }: TableOfFile): [type: string, table: ColumnTable][] {
  if (part !== '') return [[part, table]];
  const column = named(table, TYPE_COLUMNS);
  if (!column) return [[ONLY_TYPE, table]];
  const rowsOf = new Map<string, number[]>();
  textsOrGaps(column).forEach((type, row) => {
    if (type === undefined) throw new Error(`"${file}", line ${row + 2}: the node has no type`);
    rowsOf.set(type, [...(rowsOf.get(type) ?? []), row]);
  });
  const others = { ...table, columns: table.columns.filter((own) => own !== column) };
  return [...rowsOf].map(([type, rows]) => [type, withoutEmpty(tableRows(others, Int32Array.from(rows)))]);
}

function withoutEmpty(table: ColumnTable): ColumnTable {
  const isEmpty = ({ kind, values }: Column) =>
    kind === 'number' ? values.every(Number.isNaN) : values.every((value) => value === undefined);
  return { ...table, columns: table.columns.filter((own) => !isEmpty(own)) };
}

function named({ columns }: ColumnTable, names: readonly string[]): Column | undefined {
  return columns.find((column) => names.includes(column.name.toLowerCase()));
}

/** Nodes of one type while tables are read. */
interface Registered {
  readonly ids: Map<string, number>;
  readonly table: ColumnTable | undefined;
  readonly file: string | undefined;
}

/** The nodes of all types by their names. */
class NodeRegistry {
  readonly #types = new Map<string, Registered>();

  addTable(type: string, table: ColumnTable, file: string): void {
    const other = this.#types.get(type);
    if (other) throw new Error(`nodes of type "${type}" are in two tables, "${other.file}" and "${file}"`);
    const id = named(table, ID_COLUMNS);
    if (!id) throw new Error(`"${file}" has no column "id", only ${table.columns.map((own) => own.name).join(', ')}`);
    const ids = new Map<string, number>();
    textsOrGaps(id).forEach((node, v) => {
      if (node === undefined)
        throw new Error(`"${file}": ${type} ${v + 1} has no ${id.name}, or one that is read as missing, such as NA`);
      if (ids.has(node)) throw new Error(`"${file}": ${type} "${node}" stands twice, at last as ${type} ${v + 1}`);
      ids.set(node, v);
    });
    const columns = table.columns.filter((own) => own !== id);
    this.#types.set(type, { ids, table: { ...table, columns }, file });
  }

  get known(): readonly string[] {
    return [...this.#types.keys()];
  }

  /** The node of a type by its name; of a type without a table a new one. */
  find(type: string, node: string): number | undefined {
    let own = this.#types.get(type);
    if (!own) {
      own = { ids: new Map(), table: undefined, file: undefined };
      this.#types.set(type, own);
    }
    const found = own.ids.get(node);
    if (found !== undefined || own.table) return found;
    own.ids.set(node, own.ids.size);
    return own.ids.size - 1;
  }

  fileOf(type: string): string | undefined {
    return this.#types.get(type)?.file;
  }

  /** The types that have a node of this name. */
  typesOf(node: string): string[] {
    return [...this.#types].filter(([, { ids }]) => ids.has(node)).map(([type]) => type);
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#types].map(([type, { ids }]) => [type, ids.size]));
  }

  nodes(): Map<string, NodesOfType> {
    return new Map(
      [...this.#types].map(([type, { ids, table }]) => [
        type,
        { nodeNames: [...ids.keys()], attributes: table ?? { rows: ids.size, columns: [] } },
      ]),
    );
  }
}

/** Edges of a relation while tables are read. */
interface Ends extends RelationEdges {
  readonly sources: number[];
  readonly targets: number[];
}

/** How a table of edges tells the types of its ends. */
interface EndColumns {
  readonly source: Column;
  readonly target: Column;
  /** Types of the ends; undefined where names of nodes tell them. */
  readonly types: readonly [source: string, target: string] | undefined;
  /** Name of the relation, where there is no column of it. Default: that of the types. */
  readonly relation: string | undefined;
}

function readEdges(own: TableOfFile, registry: NodeRegistry, relations: Map<string, Ends>, notes: string[]): void {
  const { file, table } = own;
  const { source, target, types, relation } = endColumns(own, registry.known);
  const kind = named({ ...table, columns: table.columns.filter((c) => c !== source && c !== target) }, TYPE_COLUMNS);
  const ignored = table.columns.filter((c) => c !== source && c !== target && c !== kind);
  if (ignored.length > 0)
    notes.push(`"${file}": edges have no attributes; left out: ${ignored.map((c) => c.name).join(', ')}`);
  const [sources, targets] = [textsOrGaps(source), textsOrGaps(target)];
  const kinds = kind && textsOrGaps(kind);
  for (let e = 0; e < table.rows; e++) {
    const line = `"${file}", line ${e + 2}`;
    const [from, to] = [sources[e], targets[e]];
    if (from === undefined || to === undefined) throw new Error(`${line}: an end of the edge is missing`);
    const [s, t] = types ?? [typeOf(from, registry, line), typeOf(to, registry, line)];
    const name = kinds ? kinds[e] : (relation ?? `${s}-${t}`);
    if (name === undefined) throw new Error(`${line}: the edge has no ${kind?.name}`);
    const key = JSON.stringify([s, name, t]);
    let ends = relations.get(key);
    if (!ends) {
      ends = { source: s, name, target: t, sources: [], targets: [] };
      relations.set(key, ends);
    }
    ends.sources.push(nodeOf(s, from, registry, line));
    ends.targets.push(nodeOf(t, to, registry, line));
  }
}

function nodeOf(type: string, node: string, registry: NodeRegistry, line: string): number {
  const found = registry.find(type, node);
  if (found === undefined) throw new Error(`${line}: "${node}" is no ${type} of "${registry.fileOf(type)}"`);
  return found;
}

/** @throws Error where no type or several have a node of this name */
function typeOf(node: string, registry: NodeRegistry, line: string): string {
  const [type, other] = registry.typesOf(node);
  if (type === undefined) throw new Error(`${line}: "${node}" is no node of a table of nodes`);
  if (other !== undefined)
    throw new Error(
      `${line}: "${node}" is a node of type ${type} and of type ${other}; name the two columns of ids by their types`,
    );
  return type;
}

/** @throws Error where the columns of ends cannot be told */
function endColumns({ file, part, table }: TableOfFile, known: readonly string[]): EndColumns {
  const { columns } = table;
  const header = columns.map(({ name }) => name);
  const [s, t] = [columnFor('source', header), columnFor('target', header)];
  if (s >= 0 && t >= 0) {
    const [source, target] = [columns[s] as Column, columns[t] as Column];
    return { source, target, ...typesInName(part, known) };
  }
  const others = columns.filter(({ name }) => !TYPE_COLUMNS.includes(name.toLowerCase()));
  const typed = others.filter(({ name }) => known.includes(name));
  const [source, target] = typed.length >= 2 ? typed : others;
  if (!source || !target || (typed.length < 2 && others.length > 2))
    throw new Error(
      `"${file}": the header must name source and target (also from and to, …) or the types of both ends (${known.join(', ')}), got ${header.join(', ')}`,
    );
  const types = [source.name, target.name] as const;
  const usual = part === '' || part.split(/[_-]/).join(' ') === types.join(' ').split(/[_-]/).join(' ');
  return { source, target, types, relation: usual ? undefined : part };
}

/** Types and relation in a name such as `author_paper` or `author_writes_paper`. */
function typesInName(part: string, known: readonly string[]): Pick<EndColumns, 'types' | 'relation'> {
  if (part === '') return { types: undefined, relation: undefined };
  const between = (source: string, target: string) => {
    const middle = part.slice(source.length, part.length - target.length);
    return /^[_-](.+[_-])?$/.test(middle) && part.startsWith(source) && part.endsWith(target)
      ? { types: [source, target] as const, relation: middle.slice(1, -1) || undefined }
      : undefined;
  };
  const found = known.flatMap((source) => known.flatMap((target) => between(source, target) ?? []));
  // The longest types, where one name ends or starts with another.
  const length = ({ types: [a, b] }: { readonly types: readonly [string, string] }) => a.length + b.length;
  found.sort((a, b) => length(b) - length(a));
  if (found[0]) return found[0];
  const parts = part.split(/[_-]/);
  const [first, last] = [parts[0] as string, parts.at(-1) as string];
  const oneKnown = known.includes(first) || known.includes(last) || known.length === 0;
  if (parts.length >= 2 && parts.length <= 3 && oneKnown)
    return { types: [first, last], relation: parts.length === 3 ? parts[1] : undefined };
  return { types: undefined, relation: part };
}
