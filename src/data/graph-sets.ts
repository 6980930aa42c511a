// Labelled graphs by name or from an archive.

import { basename } from 'node:path';
import { readBytes } from './files.js';
import { knownArchive } from './folders.js';
import { readNpz } from './formats/index.js';
import { type GraphDataset, graphFromArrays } from './graphs.js';

/** Archives by name: where they lie, and whether edges have a direction. */
const archives: Readonly<Record<string, { readonly file: string; readonly directed?: boolean }>> = {
  cora: { file: 'planetoid/cora.npz' },
  citeseer: { file: 'planetoid/citeseer.npz' },
  pubmed: { file: 'planetoid/pubmed_nofeat.npz' },
  'coauthor-cs': { file: 'directed-attributed/coauthor_cs.npz' },
  'amazon-computers': { file: 'directed-attributed/amazon_computers.npz', directed: true },
  'amazon-photo': { file: 'directed-attributed/amazon_photo.npz', directed: true },
  'cora-ml': { file: 'directed-attributed/cora_ml.npz', directed: true },
};

/** Names that `loadGraph` knows. */
export const graphNames: readonly string[] = Object.keys(archives);

/**
 * Loads a labelled graph: a known name, or a `.npz` archive with `edges` [E, 2], `labels` and features as `featuresFromArrays` reads them.
 *
 * @param directed whether to keep directions, where the set has them
 * @param scaleRows whether rows of sparse features are scaled to sum 1
 */
export function loadGraph(
  source: string,
  { directed = false, scaleRows = true }: { readonly directed?: boolean; readonly scaleRows?: boolean } = {},
): GraphDataset {
  const known = archives[source];
  const path = known ? knownArchive(source, known.file) : source;
  const name = known ? source : basename(source).replace(/\.npz$/, '');
  return graphFromArrays(readNpz(readBytes(path), basename(path)), name, {
    directed: known?.directed ?? true,
    keep: directed,
    scaleRows,
  });
}
