// Labelled hypergraphs with vertex features: the container, the archive format, hand-written
// tables, and the embedded default.

import { SparseMatrix } from '../sparse/index.js';
import { Hypergraph, type PlantedOptions, plantedHypergraph } from '../structure/index.js';
import { keep, Random, type Tensor, tensor } from '../tensor/index.js';
import { countOf, featuresFromArrays, normalizeRows, requiredArrays } from './features.js';
import type { CsvOptions } from './formats/csv.js';
import { type NamedArray, readCsv, readLines, toInts } from './formats/index.js';
import { endsOf } from './graphs.js';
import type { Split } from './splits.js';

/** A hypergraph with a class and features for each vertex. */
export interface HypergraphDataset {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The hypergraph of N vertices. */
  readonly hypergraph: Hypergraph;
  /** Of a set that is a graph: its edges alone, as hyperedges of two vertices. */
  readonly pairs?: Hypergraph;
  /** Vertex features [N, F]; undefined where a data set has none. */
  readonly features: Tensor | SparseMatrix | undefined;
  /** Class of each vertex, −1 where unknown. */
  readonly labels: Int32Array;
  /** A split that comes with the data. */
  readonly split?: Split;
  /** Names of the features, where they have some. */
  readonly featureNames?: readonly string[];
  /** Name of each class. */
  readonly classNames: readonly string[];
  /** Name of each vertex. */
  readonly vertexNames: readonly string[];
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

/** Checks that labels and features fit the hypergraph. @throws Error naming the first mismatch. */
function checked(dataset: HypergraphDataset): HypergraphDataset {
  const { name, hypergraph, features, labels, classNames } = dataset;
  const fail = (reason: string): never => {
    throw new Error(`data set "${name}": ${reason}`);
  };
  if (labels.length !== hypergraph.vertexCount) fail(`${labels.length} labels for ${hypergraph.vertexCount} vertices`);
  const wrong = labels.findIndex((label) => label < -1 || label >= classNames.length);
  if (wrong >= 0)
    fail(`vertex ${wrong} has label ${labels[wrong]}, outside 0…${classNames.length - 1} (−1 for unknown)`);
  if (!features) return dataset;
  const rows = features instanceof SparseMatrix ? features.rows : (features.shape[0] as number);
  if (rows !== hypergraph.vertexCount)
    fail(`features for ${rows} vertices, the hypergraph has ${hypergraph.vertexCount}`);
  const values = (features instanceof SparseMatrix ? features.values : features)?.view() ?? [];
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    fail(
      `a feature of vertex ${features instanceof SparseMatrix ? features.pattern.segments.ids.view()[bad] : Math.floor(bad / (values.length / rows))} is ${values[bad]}`,
    );
  return dataset;
}

/**
 * A labelled hypergraph from an archive's arrays: `labels` [N], −1 for unknown; `he_indptr` [M + 1]
 * and `he_indices`, or a graph's `edges` [E, 2], whose hyperedges are its edges and the closed
 * neighbourhood of each vertex, as in LightHGNN; features as `featuresFromArrays` reads them.
 *
 * @throws Error naming an array that is missing or does not fit.
 */
export function hypergraphFromArrays(arrays: Readonly<Record<string, NamedArray>>, name: string): HypergraphDataset {
  const need = requiredArrays(arrays, name);
  const labels = toInts(need('labels'), 'labels');
  const n = labels.length;
  const features = featuresFromArrays(arrays, n, name);
  if (arrays.edges && !arrays.he_indptr)
    return numberedDataset({ name, ...graphStructure(n, pairsOf(arrays.edges)), features, labels });
  const [indptr, indices] = [need('he_indptr'), need('he_indices')];
  const hypergraph = fromOffsets(name, n, toInts(indptr, 'he_indptr'), toInts(indices, 'he_indices'));
  return numberedDataset({ name, hypergraph, features, labels });
}

/** A graph as LightHGNN reads it, and its edges alone. */
export function graphStructure(vertexCount: number, edges: readonly [number, number][]) {
  const hypergraph = Hypergraph.fromGraph(vertexCount, edges);
  const distinct = edges.filter(([u, v]) => u !== v);
  return { hypergraph, pairs: new Hypergraph(vertexCount, distinct).mergeDuplicates() };
}

function pairsOf(edges: NamedArray): [number, number][] {
  const [sources, targets] = endsOf(edges);
  return Array.from(sources, (source, e) => [source, targets[e] as number]);
}

/** A data set whose classes and vertices are named by their numbers. */
export function numberedDataset(dataset: Omit<HypergraphDataset, 'classNames' | 'vertexNames'>): HypergraphDataset {
  const classes = countOf(dataset.labels, `data set "${dataset.name}": class`);
  return checked({ ...dataset, classNames: numbered(classes), vertexNames: numbered(dataset.labels.length) });
}

function fromOffsets(name: string, vertices: number, indptr: Int32Array, indices: Int32Array): Hypergraph {
  if (indptr.at(-1) !== indices.length || indptr.some((start, e) => e > 0 && start < (indptr[e - 1] as number))) {
    throw new Error(`data set "${name}": he_indptr does not describe the ${indices.length} elements of he_indices`);
  }
  return Hypergraph.fromCompressed(vertices, indptr, indices);
}

/** The tables of a hypergraph, each as CSV or TSV text. */
export interface HypergraphTables {
  /**
   * One incidence a line below the header `hyperedge,vertex`; without that header, the vertices of
   * one hyperedge a line.
   */
  readonly hyperedges: string;
  /** A header `vertex,…`, then a vertex and its numbers on each line. */
  readonly features?: string;
  /** A header `vertex,label`; a vertex without a line or with an empty label is unlabelled. */
  readonly labels?: string;
}

/**
 * A labelled hypergraph from tables, in which any text names a vertex.
 *
 * @throws Error naming table and line.
 */
export function hypergraphFromTables(tables: HypergraphTables, name: string): HypergraphDataset {
  const ids = new Map<string, number>();
  const numberOf = (vertex: string) => {
    const known = ids.get(vertex) ?? ids.size;
    ids.set(vertex, known);
    return known;
  };
  const featureTable = tables.features === undefined ? undefined : readCsv(tables.features, 'features');
  const featureRows = featureTable?.rows.map(([vertex = '', ...values]) => ({ vertex: numberOf(vertex), values }));
  const labelRows =
    tables.labels === undefined
      ? []
      : readCsv(tables.labels, 'labels').rows.map(([vertex = '', label = '']) => ({ vertex: numberOf(vertex), label }));
  const hyperedges = listsOf(tables.hyperedges).map((members) => members.map(numberOf));
  const classNames = [...new Set(labelRows.map(({ label }) => label).filter((label) => label !== ''))].sort(
    byNumberThenText,
  );
  const labels = new Int32Array(ids.size).fill(-1);
  for (const { vertex, label } of labelRows) {
    const code = classNames.indexOf(label);
    if ((labels[vertex] as number) >= 0 && labels[vertex] !== code)
      throw new Error(`data set "${name}": vertex "${[...ids.keys()][vertex]}" has two labels`);
    labels[vertex] = code;
  }
  const features = featureRows && denseFeatures(featureRows, ids.size, name);
  return checked({
    name,
    hypergraph: new Hypergraph(ids.size, hyperedges),
    features,
    labels,
    classNames,
    vertexNames: [...ids.keys()],
    ...(featureTable && { featureNames: featureTable.columns.slice(1) }),
  });
}

/** Order of class names: by number where both are numbers, else by text. */
export function byNumberThenText(a: string, b: string): number {
  return Number(a) - Number(b) || (a < b ? -1 : 1);
}

function listsOf(text: string): string[][] {
  const lines = readLines(text, 'hyperedges');
  const [header] = lines;
  const isPairs =
    header?.length === 2 && header[0]?.toLowerCase() === 'hyperedge' && header[1]?.toLowerCase() === 'vertex';
  if (!isPairs) return lines.map((members) => members.filter((member) => member !== ''));
  const lists = new Map<string, string[]>();
  for (const [hyperedge = '', vertex = ''] of lines.slice(1))
    lists.set(hyperedge, [...(lists.get(hyperedge) ?? []), vertex]);
  return [...lists.values()];
}

function denseFeatures(
  rows: readonly { vertex: number; values: readonly string[] }[],
  vertices: number,
  name: string,
): Tensor {
  const width = rows[0]?.values.length ?? 0;
  const features = new Float32Array(vertices * width);
  const seen = new Uint8Array(vertices);
  rows.forEach(({ vertex, values }, line) => {
    if (seen[vertex])
      throw new Error(`data set "${name}": features line ${line + 2} describes a vertex that an earlier line has`);
    seen[vertex] = 1;
    values.forEach((value, column) => {
      const number = value === '' ? Number.NaN : Number(value);
      if (!Number.isFinite(Math.fround(number)))
        throw new Error(
          `data set "${name}": features line ${line + 2}, column ${column + 2} is "${value}", not a finite number`,
        );
      features[vertex * width + column] = number;
    });
  });
  const missing = seen.indexOf(0);
  if (missing >= 0) throw new Error(`data set "${name}": vertex number ${missing} has no line in the features`);
  return keep(tensor(features, [vertices, width]));
}

/**
 * Vertex names, and names and values of features [N, F], from a table with a header `vertex,…` and
 * one line of numbers a vertex.
 *
 * @param ignored columns that are no features. Default: none
 * @throws Error naming line and column of a value that is not a finite number.
 */
export function featuresFromTable(
  text: string,
  name: string,
  ignored: readonly string[] = [],
  options: CsvOptions = {},
): { vertexNames: string[]; featureNames: string[]; features: Tensor } {
  const table = readCsv(text, name, options);
  const kept = Array.from(table.columns.keys()).filter(
    (at) => at > 0 && !ignored.includes((table.columns[at] as string).toLowerCase()),
  );
  const rows = table.rows.map((row, vertex) => ({ vertex, values: kept.map((at) => row[at] as string) }));
  return {
    vertexNames: table.rows.map(([vertex = '']) => vertex),
    featureNames: kept.map((at) => table.columns[at] as string),
    features: denseFeatures(rows, rows.length, name),
  };
}

/** The embedded default: a planted partition (see `plantedHypergraph`), determined by the seed. */
export function plantedDataset(seed = 0, options: PlantedOptions = {}): HypergraphDataset {
  const { hypergraph, labels, words, wordCount } = plantedHypergraph(new Random(seed).split('planted'), options);
  const rowOf = words.flatMap((row, vertex) => Array.from(row, () => vertex));
  const columnOf = words.flatMap((row) => [...row]);
  const features = normalizeRows(SparseMatrix.fromCoordinates(labels.length, wordCount, rowOf, columnOf));
  return numberedDataset({ name: 'planted', hypergraph, features, labels });
}
