// Hypergraphs of named vertices in a folder, or in a file of hyperedges.

import { basename, resolve } from 'node:path';
import { readUnpackedText } from './files.js';
import type { InflateOptions } from './formats/inflate.js';
import { isFolder, tableIn } from './graph-folder.js';
import { textEndings } from './incidence-sets.js';
import { type NamedHypergraph, namedHypergraph } from './named-hypergraph.js';
import { type VertexRowsOptions, vertexRows } from './vertex-rows.js';

/**
 * Reads a folder with `hyperedges` or `hypergraph` (or `edges` of a graph), and maybe `nodes` or
 * `features` and `labels`, each .csv, .tsv or .txt, also .gz; or a file of hyperedges.
 *
 * @throws Error naming the file that is missing, or the line that cannot be read
 */
export function loadNamedHypergraph(path: string, options: VertexRowsOptions & InflateOptions = {}): NamedHypergraph {
  const name = basename(resolve(path));
  if (!isFolder(path)) return namedHypergraph({ hyperedges: readUnpackedText(path, options) }, name, options);
  const fileOf = (...names: readonly string[]) =>
    names.map((own) => tableIn(path, own, textEndings)).find((file) => file !== undefined);
  const read = (file: string | undefined) => (file === undefined ? undefined : readUnpackedText(file, options));
  const hyperedges = read(fileOf('hyperedges', 'hypergraph'));
  const edges = hyperedges === undefined ? read(fileOf('edges')) : undefined;
  if (hyperedges === undefined && edges === undefined)
    throw new Error(`folder "${path}" holds no hyperedges.csv (or .tsv, .txt), nor edges.csv`);
  const nodes = fileOf('nodes', 'features');
  const rows = nodes === undefined ? undefined : vertexRows(readUnpackedText(nodes, options), nodes, options);
  const named = namedHypergraph({ hyperedges, edges, rows, labels: read(fileOf('labels')) }, name, options);
  return { ...named, notes: [...(rows?.notes ?? []), ...named.notes] };
}
