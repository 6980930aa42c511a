// Graphs in the formats of other programs.

import type { EdgeList } from '../edge-list.js';
import { foreignFormat } from '../foreign.js';
import { namesOf } from '../node-names.js';
import { decodeText } from '../unicode.js';
import type { GraphDocument } from './document.js';
import { readGexf } from './gexf.js';
import { readGml } from './gml.js';
import { readGraphML } from './graphml.js';
import { readAdjacencyList, readDictionaryList } from './lists.js';
import { readMatrixMarket } from './matrix-market.js';
import { readMetis } from './metis.js';
import { readNodeLink } from './node-link.js';
import { readPajek } from './pajek.js';

export type { GraphDocument } from './document.js';
export { writeGraphML } from './graphml.js';
export { writeNodeLink } from './node-link.js';

/** Readers by what `foreignFormat` calls the format. */
const readers: Readonly<Record<string, (text: string, name: string) => GraphDocument>> = {
  'a GraphML file': readGraphML,
  'a GEXF file': readGexf,
  'a GML file': readGml,
  'a Pajek file': readPajek,
  'a METIS graph': readMetis,
  'a Matrix Market file': readMatrixMarket,
  'a graph in JSON': readNodeLink,
  'an adjacency list': readAdjacencyList,
  'an edge list with dictionaries': readDictionaryList,
};

/**
 * Whether the bytes, of which the first suffice, or the name are those of a format that `readGraph`
 * reads.
 */
export function isGraphDocument(start: Uint8Array, name: string): boolean {
  const format = foreignFormat(start, name);
  return format !== undefined && Object.hasOwn(readers, format);
}

/**
 * Reads a graph in GraphML, GEXF, GML, Pajek, METIS, Matrix Market or node-link JSON, or as an
 * adjacency list (.adjlist) or an edge list with dictionaries of NetworkX.
 *
 * @throws Error naming the file and what is wrong with it
 */
export function readGraph(bytes: Uint8Array, name: string): GraphDocument {
  const format = foreignFormat(bytes, name);
  const read = format === undefined ? undefined : readers[format];
  if (!read)
    throw new Error(
      `"${name}" is ${format ?? 'of no known format'}; graphs are read from GraphML, GEXF, GML, Pajek, METIS, Matrix Market and node-link JSON`,
    );
  return read(decodeText(bytes, name), name);
}

/** The edges of a document with the names of its nodes. */
export function edgesOfDocument({ directed, nodes, sources, targets, weights }: GraphDocument): EdgeList {
  const names = namesOf(new Map(nodes.rows.map(([id], v) => [id as string, v])));
  return { sources, targets, weights, names, ...(directed !== undefined && { directed }) };
}
