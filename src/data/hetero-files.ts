// Heterogeneous graphs by name, from an archive, or from a folder of tables.

import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { namesOf } from './catalogue.js';
import { CLASS_COLUMNS, SPLIT_COLUMN } from './column-names.js';
import { readBytes } from './files.js';
import { hasDataset, locateDataset } from './folders.js';
import { readNpz } from './formats/index.js';
import { isFolder } from './graph-folder.js';
import { heteroGraphFromArrays } from './hetero-archive.js';
import { heteroGraphFromTables, ID_COLUMNS, type TableOfFile, TYPE_COLUMNS } from './hetero-tables.js';
import type { NamedHeteroGraph } from './named-hetero-graph.js';
import { loadTable, type TableFileOptions } from './table-files.js';
import { noteText } from './tables.js';

/** Names that `loadHeteroGraph` knows. */
export const heteroGraphNames: readonly string[] = namesOf('hetero-graph');

/** Whether a known heterogeneous graph lies on this machine. */
export function hasHeteroGraph(name: string): boolean {
  return hasDataset(name, 'hetero-graph');
}

/** Options of `loadHeteroGraph`. */
export interface HeteroFileOptions extends TableFileOptions {
  /** The attribute of classes, which is read as text; as `type.attribute` or alone. */
  readonly target?: string | undefined;
  /** Columns of a type that are read as categories, in place of `categorical`. Default: none. */
  readonly categoricalOf?: ((type: string, column: string) => boolean) | undefined;
}

/** Files of tables: `nodes_author.csv`, `edges.tsv.gz`. */
const TABLE = /^(nodes|edges)(?:[_-](.+?))?\.(csv|tsv|txt|parquet)(\.gz)?$/i;

/** Whether a folder has tables of several types of nodes or relations by their names. */
export function hasTypedTables(folder: string): boolean {
  return readdirSync(folder).some((file) => TABLE.exec(file)?.[2] !== undefined);
}

/**
 * Loads a heterogeneous graph: a known name; a `.npz` archive as `heteroGraphFromArrays` reads it;
 * or a folder of tables as `heteroGraphFromTables` does, `nodes_<type>` and `edges_<relation>` or
 * `nodes` and `edges`, each .csv, .tsv, .txt or .parquet, text also as .gz.
 *
 * @throws Error for an unknown name, or saying what is wrong with a file
 */
export async function loadHeteroGraph(source: string, options: HeteroFileOptions = {}): Promise<NamedHeteroGraph> {
  if (isFolder(source)) return fromFolder(source, options);
  const { path, record } = locateDataset(source, 'hetero-graph');
  if (!path.endsWith('.npz'))
    throw new Error(`"${path}" is neither a folder of tables of nodes and edges nor a .npz archive`);
  const { target } = options;
  const type = target?.includes('.') ? target.slice(0, target.indexOf('.')) : undefined;
  const name = record ? source : basename(source).replace(/\.npz$/, '');
  return heteroGraphFromArrays(readNpz(readBytes(path), source), name, record?.hetero ?? { labelled: type });
}

async function fromFolder(
  folder: string,
  { target, categorical, categoricalOf, ...options }: HeteroFileOptions,
): Promise<NamedHeteroGraph> {
  const files = readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const [, kind, part = ''] = TABLE.exec(file) ?? [];
      return kind === undefined ? [] : [{ file, kind: kind.toLowerCase(), part }];
    });
  const attribute = target?.slice(target.indexOf('.') + 1);
  const texts = [...ID_COLUMNS, ...TYPE_COLUMNS, ...CLASS_COLUMNS, SPLIT_COLUMN];
  const isAsked = typeof categorical === 'function' ? categorical : (name: string) => categorical?.includes(name);
  const isText = (type: string) => (name: string) =>
    texts.includes(name.toLowerCase()) ||
    name === target ||
    name === attribute ||
    isAsked(name) === true ||
    categoricalOf?.(type, name) === true;
  const notes: string[] = [];
  const read = async (kind: 'nodes' | 'edges'): Promise<TableOfFile[]> => {
    const tables: TableOfFile[] = [];
    for (const { file, part, kind: own } of files) {
      if (own !== kind) continue;
      const reading =
        kind === 'edges'
          ? { categorical: () => true }
          : { categorical: isText(part), target: attribute ?? CLASS_COLUMNS[0] };
      const table = await loadTable(join(folder, file), { ...options, ...reading });
      if (kind === 'nodes') for (const note of table.notes ?? []) notes.push(`"${file}": ${noteText(note)}`);
      tables.push({ file, part, table });
    }
    return tables;
  };
  const edges = await read('edges');
  if (edges.length === 0)
    throw new Error(`folder "${folder}" holds no table of edges, such as edges_author_paper.csv or edges.csv`);
  const graph = heteroGraphFromTables(await read('nodes'), edges, basename(resolve(folder)));
  return { ...graph, notes: [...notes, ...graph.notes] };
}
