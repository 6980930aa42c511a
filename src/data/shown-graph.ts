// Graphs as a profile shows them: with the directions that a file says, and all attributes.

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { loadAttributedGraph } from './attributed-files.js';
import { columnNamed, givenSplit, textsOrGaps } from './attributed-graph.js';
import { CLASS_COLUMNS, SPLIT_COLUMN } from './column-names.js';
import { isGraphFile, loadEdges, loadGraphDocument } from './edges.js';
import { openBytes } from './files.js';
import { isFolder } from './graph-folder.js';
import { graphFromDocument, type NamedGraph } from './graph-tables.js';
import { graphOfEdges } from './graphs.js';

/** A comment of SNAP or KONECT, which no header of a table looks like. */
const COMMENT = /^[#%][^,;|\t]*$/;
/** Endings of lists of edges. */
const LISTS = /\.(txt|csv|tsv|edges)$/i;

/**
 * The graph at a path for a profile: a folder as `loadAttributedGraph` reads it, a file as
 * `readGraph` does, with the directions that it says, a sparse matrix of SciPy, or a list of edges
 * that begins with a comment.
 *
 * @returns undefined for any other path or name
 * @throws Error naming the file and what is wrong with it
 */
export async function loadShownGraph(path: string): Promise<NamedGraph | undefined> {
  if (!existsSync(path)) return undefined;
  if (isFolder(path)) return fromFolder(path);
  if (!path.endsWith('.npz') && isGraphFile(path)) {
    const document = loadGraphDocument(path);
    return graphFromDocument(document, basename(path), document.directed ?? false);
  }
  const isList = path.endsWith('.npz') || (LISTS.test(path) && COMMENT.test(firstLineOf(path)));
  if (!isList) return undefined;
  const graph = graphOfEdges(await loadEdges(path));
  const labels = new Int32Array(graph.nodeCount).fill(-1);
  return { ...bare, name: basename(path), graph, labels };
}

/** What nothing is known of. */
const bare = {
  ...{ features: undefined, classes: 0, split: undefined },
  ...{ nodeNames: [], classNames: [], featureNames: [], leftOut: [] },
};

/** A folder of tables, whose features are all attributes but classes and split. */
async function fromFolder(folder: string): Promise<NamedGraph> {
  const data = await loadAttributedGraph(folder);
  const { name, graph, nodeNames, attributes } = data;
  const known = CLASS_COLUMNS.map((wanted) => columnNamed(attributes, wanted)).find((column) => column);
  const texts = known ? textsOrGaps(known) : nodeNames.map(() => undefined);
  const classNames = [...new Set(texts.filter((text) => text !== undefined))].sort();
  const labels = Int32Array.from(texts, (text) => (text === undefined ? -1 : classNames.indexOf(text)));
  const others = attributes.columns.filter((column) => column !== known && column.name.toLowerCase() !== SPLIT_COLUMN);
  return {
    ...{ ...bare, name, graph, nodeNames, labels, classNames, classes: classNames.length },
    split: givenSplit(data, labels),
    featureNames: others.map((column) =>
      column.kind === 'number'
        ? column.name
        : `${column.name} (${new Set(column.values.filter((value) => value !== undefined)).size} categories)`,
    ),
  };
}

function firstLineOf(path: string): string {
  const file = openBytes(path);
  try {
    const start = new Uint8Array(Math.min(4096, file.size));
    file.read(start, 0);
    return new TextDecoder().decode(start).split(/\r?\n/, 1)[0] as string;
  } finally {
    file.close();
  }
}
