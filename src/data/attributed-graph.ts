// Graphs whose nodes have names and attributes of any type, and the classes among them.

import type { SparseMatrix } from '../sparse/index.js';
import type { Graph } from '../structure/index.js';
import type { Tensor } from '../tensor/index.js';
import { CLASS_COLUMNS, partNamed, SPLIT_COLUMN } from './column-names.js';
import type { Split } from './splits.js';
import type { Column, ColumnTable } from './tables.js';

/** A graph with a table of what is known of its nodes. */
export interface AttributedGraph {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The graph of n nodes. */
  readonly graph: Graph;
  /** Names of the nodes, in order. */
  readonly nodeNames: readonly string[];
  /** A row for each node, without its name; no columns where only edges are known. */
  readonly attributes: ColumnTable;
  /** Features that an archive holds as a matrix [n, d]. */
  readonly matrix?: Tensor | SparseMatrix | undefined;
}

/** Classes of nodes. */
export interface NodeClasses {
  /** The attribute that holds them. */
  readonly target: string;
  /** Class of each node [n], −1 where unknown. */
  readonly labels: Int32Array;
  /** Names of the classes: in the order of their numbers, else of their texts. */
  readonly classNames: readonly string[];
}

/** Classes that a model tells apart, at most. */
const MOST_CLASSES = 1000;

/** Finds a column by its name in any case of letters, exact matches first. */
export function columnNamed({ columns }: Pick<ColumnTable, 'columns'>, wanted: string): Column | undefined {
  return (
    columns.find(({ name }) => name === wanted) ??
    columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  );
}

/** The texts of a column, undefined where there is none. */
export function textsOrGaps(column: Column): (string | undefined)[] {
  if (column.kind === 'category') return [...column.values];
  return Array.from(column.values, (value) => (Number.isNaN(value) ? undefined : String(value)));
}

/** Whether no text stands twice. */
export function allDiffer(texts: readonly (string | undefined)[]): boolean {
  const present = texts.filter((text) => text !== undefined);
  return present.length > 1 && new Set(present).size === present.length;
}

/**
 * The attribute of classes or labels.
 *
 * @param target its name. Default: `label` or `class`, whose values are not names of nodes.
 * @throws Error where there is none
 */
export function classColumn(
  { name, attributes }: Pick<AttributedGraph, 'name' | 'attributes'>,
  target?: string,
): Column {
  const column = target === undefined ? usualClass(attributes) : columnNamed(attributes, target);
  if (column) return column;
  throw new Error(
    target === undefined
      ? `"${name}" has no attribute "label" or "class" of classes; name one by --target: ${namesOf(attributes)}`
      : `"${name}" has no attribute "${target}"; there are ${namesOf(attributes)}`,
  );
}

const namesOf = ({ columns }: ColumnTable) => columns.map(({ name }) => name).join(', ') || 'none';

/**
 * The classes of the nodes, which some may lack.
 *
 * @param target the attribute. Default: `label` or `class`, whose values are not names of nodes.
 * @throws Error where there is none, or fewer than two classes or more than a thousand
 */
export function nodeClasses(data: Pick<AttributedGraph, 'name' | 'attributes'>, target?: string): NodeClasses {
  const column = classColumn(data, target);
  const { name, attributes } = data;
  const texts = textsOrGaps(column);
  const classNames = [...new Set(texts.filter((text) => text !== undefined))].sort(
    (a, b) => Number(a) - Number(b) || (a < b ? -1 : 1),
  );
  if (classNames.length < 2)
    throw new Error(`"${name}": "${column.name}" names ${classNames.length} classes; learning takes two`);
  if (allDiffer(texts) || classNames.length > MOST_CLASSES)
    throw new Error(
      `"${name}": "${column.name}" holds ${classNames.length} different values, which are no classes; name the attribute by --target: ${namesOf(attributes)}`,
    );
  const codes = new Map(classNames.map((text, code) => [text, code]));
  return {
    target: column.name,
    labels: Int32Array.from(texts, (text) => (text === undefined ? -1 : (codes.get(text) as number))),
    classNames,
  };
}

/** Formats of other programs call the name of a node its label, too. */
function usualClass(attributes: ColumnTable): Column | undefined {
  const found = CLASS_COLUMNS.flatMap((wanted) => columnNamed(attributes, wanted) ?? []);
  return found.find((column) => !allDiffer(textsOrGaps(column))) ?? found[0];
}

/** A split that is given, whose parts may be empty. */
export interface GivenSplit extends Split {
  /** Nodes of a part without a label, which no part holds. */
  readonly unlabelled: number;
}

/**
 * The split that the attribute `split` gives: `train`, `validation` or `test` for labelled nodes.
 *
 * @param labels class of each node, −1 where unknown
 * @returns undefined without such an attribute
 * @throws Error naming the node of another part, or where no labelled node is in `train`
 */
export function givenSplit(
  { name, nodeNames, attributes }: Pick<AttributedGraph, 'name' | 'nodeNames' | 'attributes'>,
  labels: Int32Array,
): GivenSplit | undefined {
  const column = columnNamed(attributes, SPLIT_COLUMN);
  if (!column) return undefined;
  const rows = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  let unlabelled = 0;
  textsOrGaps(column).forEach((text, v) => {
    if (text === undefined) return;
    const part = partNamed(text);
    if (!part)
      throw new Error(
        `"${name}": node "${nodeNames[v]}" is in split "${text}", which is none of train, validation and test`,
      );
    if ((labels[v] as number) < 0) unlabelled += 1;
    else rows[part].push(v);
  });
  if (rows.train.length === 0) throw new Error(`"${name}": no node with a label is in split "train"`);
  return {
    train: Int32Array.from(rows.train),
    validation: Int32Array.from(rows.validation),
    test: Int32Array.from(rows.test),
    unlabelled,
  };
}
