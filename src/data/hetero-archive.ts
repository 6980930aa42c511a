// Heterogeneous graphs in archives of arrays.

import { HeteroGraph, type RelationEdges } from '../structure/index.js';
import { SPLIT_COLUMN } from './column-names.js';
import { type Arrays, countOf, featuresFromArrays } from './features.js';
import { type NamedArray, toInts } from './formats/index.js';
import { endsOf } from './graphs.js';
import type { NamedHeteroGraph, NodesOfType } from './named-hetero-graph.js';
import type { Column } from './tables.js';

/** Which of an archive's labels and splits are meant. */
export interface HeteroArrayOptions {
  /** Type of the nodes with labels. Default: the one with as many features as there are labels. */
  readonly labelled?: string | undefined;
  /** Of several splits, such as `20` of `train_20`. Default: `idx`. */
  readonly split?: string | undefined;
}

/** Arrays that are no relations. */
const RESERVED = /^(x|num|labels|train|val|test|split)(_|$)/;

/**
 * A heterogeneous graph from an archive's arrays: a relation `<type>_<type>` or
 * `<type>_<name>_<type>` [E, 2] of nodes numbered from 0, features of a type `x_<type>…` (see
 * `featuresFromArrays`), its number of nodes `num_<type>`, and `labels` [n], −1 where unknown, or
 * `labels_<type>`; the split as `train_idx`, `val_idx` and `test_idx`, or with another ending.
 *
 * @throws Error naming an array that is missing or does not fit
 */
export function heteroGraphFromArrays(
  arrays: Arrays,
  name: string,
  { labelled, split = 'idx' }: HeteroArrayOptions = {},
): NamedHeteroGraph {
  const relations = Object.entries(arrays).flatMap(([key, array]) =>
    RESERVED.test(key) || array.shape.length !== 2 ? [] : [relationOf(key, array, name)],
  );
  if (relations.length === 0)
    throw new Error(
      `data set "${name}": no array is a relation, such as author_paper [E, 2]; found ${Object.keys(arrays).join(', ')}`,
    );
  const types = [...new Set(relations.flatMap(({ source, target }) => [source, target]))];
  const labels = labelsOf(arrays, name, types, labelled);
  const counts = Object.fromEntries(types.map((type) => [type, countIn(type, arrays, relations, labels, name)]));
  const graph = HeteroGraph.fromRelations(counts, relations);
  const nodes = new Map<string, NodesOfType>();
  for (const type of types) {
    const rows = counts[type] as number;
    const matrix = featuresFromArrays(partOf(arrays, type), rows, `${name}: ${type}`);
    const columns = labels?.type === type ? labelColumns(arrays, labels.values, split, name) : [];
    const nodeNames = Array.from({ length: rows }, (_, v) => String(v));
    nodes.set(type, { nodeNames, attributes: { rows, columns }, matrix });
  }
  const { duplicateEdges } = graph;
  const notes = duplicateEdges > 0 ? [`${duplicateEdges} edges are given more than once and count once`] : [];
  return { name, graph, nodes, notes };
}

function relationOf(key: string, array: NamedArray, name: string): RelationEdges {
  const parts = key.split('_');
  const [source, middle, last] = parts;
  if (!source || !middle || parts.length > 3)
    throw new Error(`data set "${name}": array "${key}" is called neither <type>_<type> nor <type>_<relation>_<type>`);
  const [sources, targets] = endsOf(array, key);
  if (last === undefined) return { source, target: middle, sources, targets };
  return { source, name: middle, target: last, sources, targets };
}

/** The arrays of the features of a type, without its name. */
function partOf(arrays: Arrays, type: string): Arrays {
  const start = `x_${type}`;
  return Object.fromEntries(
    Object.entries(arrays).flatMap(([key, array]) =>
      key === start || key.startsWith(`${start}_`) ? [[`x${key.slice(start.length)}`, array] as const] : [],
    ),
  );
}

/** Rows of the features of a type; undefined where it has none. */
function featureRows(arrays: Arrays, type: string): number | undefined {
  const own = partOf(arrays, type);
  return own.x_shape ? toInts(own.x_shape, 'x_shape')[0] : own.x?.shape[0];
}

function labelsOf(
  arrays: Arrays,
  name: string,
  types: readonly string[],
  asked: string | undefined,
): { readonly type: string; readonly values: Int32Array } | undefined {
  const own = types.filter((type) => arrays[`labels_${type}`] && (asked === undefined || type === asked));
  if (own.length > 1)
    throw new Error(
      `data set "${name}": nodes of the types ${own.join(', ')} have labels; name the type that is meant`,
    );
  if (own[0]) return { type: own[0], values: toInts(arrays[`labels_${own[0]}`] as NamedArray, 'labels') };
  if (!arrays.labels) return undefined;
  const values = toInts(arrays.labels, 'labels');
  const fitting = asked === undefined ? types.filter((type) => featureRows(arrays, type) === values.length) : [asked];
  if (fitting.length !== 1)
    throw new Error(
      `data set "${name}": the type of the nodes with labels is open; call the array labels_<type>, of ${types.join(', ')}`,
    );
  return { type: fitting[0] as string, values };
}

function countIn(
  type: string,
  arrays: Arrays,
  relations: readonly RelationEdges[],
  labels: { readonly type: string; readonly values: Int32Array } | undefined,
  name: string,
): number {
  const given = arrays[`num_${type}`];
  const stated = given ? toInts(given, `num_${type}`)[0] : featureRows(arrays, type);
  const labelled = labels?.type === type ? labels.values.length : undefined;
  if (stated !== undefined && labelled !== undefined && stated !== labelled)
    throw new Error(`data set "${name}": ${labelled} labels for ${stated} nodes of type "${type}"`);
  if (stated !== undefined || labelled !== undefined) return (stated ?? labelled) as number;
  const ends = relations.flatMap(({ source, target, sources, targets }) => [
    ...(source === type ? [sources] : []),
    ...(target === type ? [targets] : []),
  ]);
  return ends.reduce((most, own) => Math.max(most, countOf(own as Int32Array, `data set "${name}": ${type}`)), 0);
}

/** Columns of the labels and of the split. */
function labelColumns(arrays: Arrays, labels: Int32Array, split: string, name: string): Column[] {
  const classes = Array.from(labels, (label) => (label < 0 ? undefined : String(label)));
  const columns: Column[] = [{ name: 'label', kind: 'category', values: classes }];
  const parts = [
    ['train', 'train'],
    ['val', 'validation'],
    ['test', 'test'],
  ] as const;
  const given = parts.flatMap(([key, part]) => {
    const rows = arrays[`${key}_${split}`];
    return rows ? [[part, toInts(rows, `${key}_${split}`)] as const] : [];
  });
  if (given.length === 0) return columns;
  if (given.length < parts.length)
    throw new Error(`data set "${name}": of train_${split}, val_${split} and test_${split} one is missing`);
  const values = new Array<string | undefined>(labels.length).fill(undefined);
  for (const [part, rows] of given)
    for (const v of rows) {
      if (v < 0 || v >= labels.length)
        throw new RangeError(`data set "${name}": the split names node ${v} of ${labels.length}`);
      values[v] = part;
    }
  columns.push({ name: SPLIT_COLUMN, kind: 'category', values });
  return columns;
}
