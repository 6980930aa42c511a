// What networks read of nodes: attributes of any type as features, prepared as in training, and
// kept as plain data with the model.

import {
  type AttributedGraph,
  allDiffer,
  type ColumnTable,
  encodeTable,
  fitFeatures,
  isCategory,
  leftOutOf,
  type TableFeatures,
  tensorOf,
  textsOrGaps,
  unseenNote,
  widthOf,
} from '../data/index.js';
import { type Features, featureCount } from '../nn/index.js';
import { SparseMatrix } from '../sparse/index.js';
import { powers, scaled } from '../structure/index.js';
import { keep, Random, scope, type Tensor, tensor } from '../tensor/index.js';
import { projectedAdjacency } from './projected.js';

/** How features follow from a graph and the attributes of its nodes. */
export type NodeInputs =
  /** Columns by name: numbers standardised, categories one-hot, gaps marked. */
  | { readonly kind: 'attributes'; readonly features: TableFeatures }
  /** Columns of counts, most of them 0: rows scaled to length 1, kept sparse. */
  | { readonly kind: 'counts'; readonly columns: readonly string[] }
  /** The matrix of an archive; sparse rows scaled to length 1, or columns (x − mean)/deviation. */
  | {
      readonly kind: 'matrix';
      readonly width: number;
      readonly mean?: readonly number[];
      readonly deviation?: readonly number[];
    }
  /** Made from the edges (`projectedAdjacency`). */
  | { readonly kind: 'structure' };

/** The inputs of a graph, and the attributes that they leave out, each with the reason. */
export interface FittedInputs {
  /** How features are made. */
  readonly inputs: NodeInputs;
  /** Reasons by the name of the attribute. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** Columns from which on counts are kept sparse, and the share of zeros among them. */
const [BAG_COLUMNS, BAG_ZEROS] = [32, 0.8];

/**
 * Chooses how features are made: of the matrix where there is one, of the attributes that a network
 * can learn from, or of the edges alone.
 *
 * @param without attributes that are no inputs, such as the class
 */
export function fitInputs(
  { matrix, attributes }: Pick<AttributedGraph, 'matrix' | 'attributes'>,
  without: readonly string[],
): FittedInputs {
  if (matrix) return { inputs: matrixInputs(matrix), leftOut: new Map() };
  const given = attributes.columns.filter(({ name }) => !without.includes(name));
  const leftOut = new Map(leftOutOf({ ...attributes, columns: given }));
  for (const column of given)
    if (column.kind === 'category' && allDiffer(textsOrGaps(column))) leftOut.set(column.name, 'texts that all differ');
  const table = { rows: attributes.rows, columns: given.filter(({ name }) => !leftOut.has(name)) };
  if (table.columns.length === 0) return { inputs: { kind: 'structure' }, leftOut };
  if (isBag(table)) return { inputs: { kind: 'counts', columns: table.columns.map(({ name }) => name) }, leftOut };
  return { inputs: { kind: 'attributes', features: fitFeatures(table) }, leftOut };
}

function isBag({ rows, columns }: ColumnTable): boolean {
  if (columns.length < BAG_COLUMNS) return false;
  let zeros = 0;
  for (const column of columns) {
    if (column.kind !== 'number' || column.from !== undefined) return false;
    for (const value of column.values) {
      if (!(value >= 0)) return false;
      if (value === 0) zeros += 1;
    }
  }
  return zeros >= BAG_ZEROS * rows * columns.length;
}

function matrixInputs(matrix: Features): NodeInputs {
  const width = featureCount(matrix);
  if (matrix instanceof SparseMatrix) return { kind: 'matrix', width };
  const n = matrix.shape[0] as number;
  const values = matrix.view();
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let at = 0; at < values.length; at++)
    mean[at % width] = (mean[at % width] as number) + (values[at] as number) / n;
  for (let at = 0; at < values.length; at++) {
    const gap = (values[at] as number) - (mean[at % width] as number);
    squares[at % width] = (squares[at % width] as number) + (gap * gap) / n;
  }
  const deviation = Array.from(squares, (square) => (square > 0 ? Math.sqrt(square) : 1));
  return { kind: 'matrix', width, mean: Array.from(mean), deviation };
}

/** Number of features of a node; of those made from edges undefined. */
export function inputWidth(inputs: NodeInputs): number | undefined {
  if (inputs.kind === 'attributes') return widthOf(inputs.features);
  if (inputs.kind === 'counts') return inputs.columns.length;
  return inputs.kind === 'matrix' ? inputs.width : undefined;
}

/** Attributes that must be read as texts. */
export function isTextInput(inputs: NodeInputs, column: string): boolean {
  return inputs.kind === 'attributes' && isCategory(inputs.features, column);
}

/** Names of the attributes that are read. */
export function inputNames(inputs: NodeInputs): readonly string[] {
  if (inputs.kind === 'attributes') return inputs.features.encoders.map(({ name }) => name);
  return inputs.kind === 'counts' ? inputs.columns : [];
}

/**
 * The features of a graph [n, d] as in training.
 *
 * @param note called with what is unknown, such as categories that training did not have
 * @throws Error naming the attributes that are missing, or are of another kind
 */
export function featuresOf(inputs: NodeInputs, data: AttributedGraph, note?: (text: string) => void): Features {
  const { graph, nodeNames } = data;
  if (inputs.kind === 'structure') return projectedAdjacency(graph, new Random(0).split('features'), nodeNames);
  return attributeFeatures(inputs, data, note);
}

/** Features of attributes or of a matrix [n, d]; see `featuresOf`. */
export function attributeFeatures(
  inputs: Exclude<NodeInputs, { readonly kind: 'structure' }>,
  { name, attributes, matrix }: Pick<AttributedGraph, 'name' | 'attributes' | 'matrix'>,
  note?: (text: string) => void,
): Features {
  if (inputs.kind === 'attributes') {
    const onUnseen = (column: string, categories: readonly string[]) => note?.(unseenNote(column, categories));
    const rows = within(name, () => encodeTable(inputs.features, attributes, onUnseen));
    return keep(tensorOf(rows));
  }
  if (inputs.kind === 'counts') return within(name, () => unitRows(countsOf(inputs.columns, attributes)));
  if (!matrix) throw new Error(`"${name}" has no matrix of features; the model reads ${inputs.width} numbers a node`);
  const width = featureCount(matrix);
  if (width !== inputs.width)
    throw new Error(`"${name}" has ${width} features a node; the model reads ${inputs.width}`);
  if (matrix instanceof SparseMatrix) return unitRows(matrix);
  return inputs.mean && inputs.deviation ? standardized(matrix, inputs.mean, inputs.deviation) : matrix;
}

/**
 * Rows scaled to length 1. Rows of sum 1, which are usual, have elements so small that any weight
 * decay outweighs what a linear classifier learns from thousands of words.
 */
function unitRows(features: SparseMatrix): SparseMatrix {
  const squares = new SparseMatrix(
    features.pattern,
    features.values && keep(features.values.multiply(features.values)),
  );
  return scaled(features, powers(squares.rowSums(), -0.5));
}

function within<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`"${name}": ${(error as Error).message}`);
  }
}

function standardized(matrix: Tensor, mean: readonly number[], deviation: readonly number[]): Tensor {
  const width = mean.length;
  return keep(
    scope(() => {
      const row = (values: readonly number[]) => tensor(Float32Array.from(values), [1, width]);
      return matrix.subtract(row(mean)).divide(row(deviation));
    }),
  );
}

function countsOf(names: readonly string[], { rows, columns }: ColumnTable): SparseMatrix {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const missing = names.filter((name) => !byName.has(name));
  if (missing.length > 0)
    throw new Error(
      `the nodes lack ${missing
        .slice(0, 10)
        .map((name) => `"${name}"`)
        .join(', ')}`,
    );
  const [rowOf, columnOf, values] = [[] as number[], [] as number[], [] as number[]];
  names.forEach((name, j) => {
    const column = byName.get(name);
    if (column?.kind !== 'number') throw new Error(`attribute "${name}" must hold numbers`);
    column.values.forEach((value, v) => {
      if (!(value > 0)) return;
      rowOf.push(v);
      columnOf.push(j);
      values.push(value);
    });
  });
  return SparseMatrix.fromCoordinates(rows, names.length, rowOf, columnOf, values);
}
