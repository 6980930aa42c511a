// Tables with a line for each vertex as people write them: its name first or in a column of its
// own, and features that are numbers or categories.

import { CLASS_COLUMNS, SPLIT_COLUMN } from './column-names.js';
import { type CsvOptions, readCsv } from './formats/csv.js';
import { type Column, columnsOf, type DecimalMark, noteText } from './tables.js';

/** Lines of a table by the names of the vertices. */
export interface VertexRows {
  /** Names, in the order of the lines. */
  readonly names: readonly string[];
  /** Columns that are features, without gaps. */
  readonly columns: readonly Column[];
  /** Class of each vertex, empty where unknown; undefined without such a column. */
  readonly labels: readonly string[] | undefined;
  /** Part of the split of each vertex, empty where none is given; undefined without a column. */
  readonly parts: readonly string[] | undefined;
  /** What a person should know about how columns were read. */
  readonly notes: readonly string[];
}

/** How tables of hypergraphs are read where their text leaves it open. */
export interface TextOptions extends CsvOptions {
  /**
   * The decimal mark where fields such as 1,234 leave it open. Default: what other fields prove.
   */
  readonly decimal?: DecimalMark;
}

/** What a table of vertices is read for. */
export interface VertexRowsOptions extends TextOptions {
  /** Column of the class. Default: `label` or `class`. */
  readonly target?: string | undefined;
  /** Columns that a model reads, to keep these and no others. Default: all. */
  readonly wanted?: readonly string[];
}

const NAME_COLUMNS = ['id', 'node', 'vertex', 'name', 'node_id', 'vertex_id'];
/** Most distinct texts of a column that become features. */
const MOST_CATEGORIES = 50;

/**
 * Reads a table of vertices. A gap in a column of numbers becomes the mean of the column, and one
 * in a column of categories a category of its own; columns of texts that nearly all differ are left
 * out. Both are noted.
 *
 * @param name what errors call the table
 * @throws Error naming the column that is missing, or the line of a vertex without a name or with
 * that of another
 */
export function vertexRows(text: string, name: string, options: VertexRowsOptions = {}): VertexRows {
  const { target, wanted, decimal } = options;
  const table = readCsv(text, name, options);
  const lower = table.columns.map((column) => column.trim().toLowerCase());
  const at = (names: readonly string[]) => names.map((own) => lower.indexOf(own)).find((found) => found >= 0) ?? -1;
  const id = Math.max(0, at(NAME_COLUMNS));
  const label = target === undefined ? at(CLASS_COLUMNS) : table.columns.indexOf(target);
  if (target !== undefined && label < 0)
    throw new Error(`"${name}" has no column "${target}"; it has ${table.columns.join(', ')}`);
  const part = lower.indexOf(SPLIT_COLUMN);
  const names = table.rows.map((row) => row[id] as string);
  requireNames(names, name);
  const asText = [id, label, part].filter((column) => column >= 0).map((column) => table.columns[column] as string);
  const read = columnsOf(table, {
    categorical: asText,
    ...(target !== undefined && { target }),
    ...(decimal !== undefined && { decimal }),
  });
  const notes = (read.notes ?? []).map(noteText);
  const kept = read.columns.filter((column) => {
    if (asText.includes(column.name) || (wanted && !wanted.includes(column.name))) return false;
    return wanted !== undefined || isFeature(column, names.length, notes);
  });
  const texts = (column: number) => (column < 0 ? undefined : table.rows.map((row) => classOf(row[column] as string)));
  return { names, columns: kept.map((own) => filled(own, notes)), labels: texts(label), parts: texts(part), notes };
}

/** @throws Error naming the line of a vertex without a name, or with that of another */
function requireNames(names: readonly string[], table: string): void {
  const seen = new Map<string, number>();
  for (const [row, name] of names.entries()) {
    if (name === '') throw new Error(`"${table}", line ${row + 2}: the vertex has no name`);
    const before = seen.get(name);
    if (before !== undefined)
      throw new Error(`"${table}", line ${row + 2}: vertex "${name}" is also in line ${before + 2}`);
    seen.set(name, row);
  }
}

/** Spellings of an unknown class. */
const UNKNOWN = new Set(['', '?', 'na', 'n/a', 'nan', '#n/a', '<na>']);

/** A class as it is written; empty for one of the spellings of an unknown one. */
export function classOf(text: string): string {
  return UNKNOWN.has(text.trim().toLowerCase()) ? '' : text.trim();
}

function isFeature(column: Column, rows: number, notes: string[]): boolean {
  if (column.kind === 'number') return true;
  const distinct = new Set(column.values).size;
  if (distinct <= Math.min(MOST_CATEGORIES, Math.max(2, rows / 2))) return true;
  notes.push(`column "${column.name}" is left out: ${distinct} different texts in ${rows} rows`);
  return false;
}

function filled(column: Column, notes: string[]): Column {
  if (column.kind === 'category') return { ...column, values: column.values.map((value) => value ?? '') };
  const known = column.values.filter((value) => !Number.isNaN(value));
  const gaps = column.values.length - known.length;
  if (gaps === 0) return column;
  notes.push(`column "${column.name}" has ${gaps} gaps, which are read as its mean`);
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  return { ...column, values: column.values.map((value) => (Number.isNaN(value) ? mean : value)) };
}

/**
 * The columns of some vertices, in the order of their names.
 *
 * @throws Error naming a vertex that has no line
 */
export function columnsFor(rows: VertexRows, vertices: readonly string[], table: string): Column[] {
  const at = new Map(rows.names.map((name, row) => [name, row]));
  const order = vertices.map((vertex) => {
    const row = at.get(vertex);
    if (row === undefined) throw new Error(`vertex "${vertex}" has no line in "${table}"`);
    return row;
  });
  return rows.columns.map(
    (column): Column =>
      column.kind === 'number'
        ? { ...column, values: Float64Array.from(order, (row) => column.values[row] as number) }
        : { ...column, values: order.map((row) => column.values[row]) },
  );
}
