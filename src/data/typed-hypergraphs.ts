// Hypergraphs from graphs of typed nodes: vertices are the nodes of one type, and a hyperedge holds
// those that a node of another type is linked to.

import { Hypergraph } from '../structure/index.js';
import type { TypedPaths } from './catalogue/record.js';
import { type Arrays, countOf, featuresFromArrays, requiredArrays } from './features.js';
import { type NamedArray, toInts } from './formats/index.js';
import { type HypergraphDataset, numberedDataset } from './hypergraphs.js';

/** Neighbours of each node of one type among those of another. */
type Links = readonly (readonly number[])[];

/**
 * A labelled hypergraph from an archive of a typed graph: `labels` of the vertices, features
 * `x_<type>_…`, and relations `<type>_<other>` [pairs, 2]. A path of types leads from the vertices
 * to the nodes that become hyperedges; those of all paths are taken.
 *
 * @throws Error naming an array that is missing or does not fit.
 */
export function hypergraphFromTypes(arrays: Arrays, name: string, { vertices, paths }: TypedPaths): HypergraphDataset {
  const need = requiredArrays(arrays, name);
  const labels = toInts(need('labels'), 'labels');
  const own = Object.entries(arrays).flatMap(([key, array]): [string, NamedArray][] =>
    key.startsWith(`x_${vertices}_`) ? [[key.replace(`_${vertices}`, ''), array]] : [],
  );
  const hyperedges = paths.flatMap((path) => reached([vertices, ...path], arrays, name, labels.length));
  return numberedDataset({
    name,
    hypergraph: new Hypergraph(labels.length, hyperedges),
    features: featuresFromArrays(Object.fromEntries(own), labels.length, name),
    labels,
  });
}

/** The vertices that each node at the end of a path is linked to, nodes without any left out. */
function reached(path: readonly string[], arrays: Arrays, name: string, vertexCount: number): number[][] {
  let from: Links = Array.from({ length: vertexCount }, (_, v) => [v]);
  for (let hop = 1; hop < path.length; hop++) {
    const links = linksOf(arrays, name, path[hop - 1] as string, path[hop] as string);
    from = links.map((nodes) => [...new Set(nodes.flatMap((node) => from[node] ?? []))]);
  }
  return from.filter((members) => members.length > 0).map((members) => [...members]);
}

/** For each node of type `to`, the nodes of type `from` that a relation links it to. */
function linksOf(arrays: Arrays, name: string, from: string, to: string): Links {
  const forward = arrays[`${from}_${to}`];
  const pairs = forward ?? requiredArrays(arrays, name)(`${to}_${from}`);
  const ends = toInts(pairs, `${from}_${to}`);
  const side = (second: boolean) => ends.filter((_, at) => (at % 2 === 1) === second);
  const [sources, targets] = [side(!forward), side(forward !== undefined)];
  const links = Array.from({ length: countOf(targets, `data set "${name}": ${to}`) }, () => [] as number[]);
  targets.forEach((target, at) => {
    links[target]?.push(sources[at] as number);
  });
  return links;
}
