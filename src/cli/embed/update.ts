// `gossamer embed --method graphvite --update`: vectors of new nodes beside those that are known.

import { graphOfEdges, readSafetensors } from '../../data/index.js';
import { loadEdges, readBytes, writeVectors } from '../../data/node.js';
import { embedNewNodes } from '../../embedding/index.js';
import type { Graph } from '../../structure/index.js';
import { type GraphViteFlags, type NamedGraph, optionsOf } from './grid-options.js';

/** Adds new edges, trains the rows of their new nodes, and writes the vectors of all nodes. */
export async function updateVectors({ graph, names }: NamedGraph, flags: GraphViteFlags): Promise<void> {
  const { update, vectors: path, out, dim } = flags;
  if (path === undefined)
    throw new Error('--update needs --vectors: a .safetensors file that gossamer embed --method graphvite wrote');
  const { tensors, metadata } = readSafetensors(readBytes(path), path);
  const { vectors, contexts } = tensors;
  if (!vectors || !contexts)
    throw new Error(
      `"${path}" holds no vectors with their contexts; gossamer embed --method graphvite -o ${path} writes them`,
    );
  if (vectors.shape[1] !== dim)
    throw new Error(
      `"${path}" holds vectors of ${vectors.shape[1]} dimensions, not ${dim}; give --dim ${vectors.shape[1]}`,
    );
  const joined = withNewEdges(
    { graph, names },
    JSON.parse(metadata.ids ?? '[]') as string[],
    await loadEdges(update as string),
    path,
  );
  const started = performance.now();
  const known = { vertices: vectors.dataSync<Float32Array>(), contexts: contexts.dataSync<Float32Array>() };
  const added = embedNewNodes(joined.graph, known, optionsOf(flags));
  const all = (old: Float32Array, own: Float32Array) => {
    const values = new Float32Array(old.length + own.length);
    values.set(old);
    values.set(own, old.length);
    return { shape: [joined.graph.nodeCount, dim], view: () => values };
  };
  await writeVectors(out, {
    vectors: all(known.vertices, added.vertices),
    ...(out.endsWith('.safetensors') && { contexts: all(known.contexts, added.contexts) }),
    nameOf: joined.nameOf,
    metadata,
  });
  process.stderr.write(
    `${out}: ${added.vertices.length / dim} new nodes beside ${known.vertices.length / dim} in ${((performance.now() - started) / 1000).toFixed(2)} s\n`,
  );
}

/** The graph with new edges, its nodes in the order of the vectors, then the new ones. */
function withNewEdges(
  { graph, names }: NamedGraph,
  ids: readonly string[],
  list: Awaited<ReturnType<typeof loadEdges>>,
  path: string,
): { graph: Graph; nameOf(node: number): string } {
  const numbers = new Map(ids.map((name, node) => [name, node]));
  const strange = Array.from({ length: names.count }, (_, v) => names.of(v)).find((name) => !numbers.has(name));
  if (strange !== undefined || names.count !== ids.length)
    throw new Error(
      `"${path}" holds vectors of ${ids.length} nodes and the edges name ${names.count}${strange === undefined ? '' : `, "${strange}" among them`}; give the edges that they were trained on`,
    );
  const numberOf = (name: string) => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  };
  const old = graph.edges();
  const both = (side: 'sources' | 'targets') => {
    const ends = new Int32Array(old[side].length + list[side].length);
    old[side].forEach((v, i) => {
      ends[i] = numberOf(names.of(v));
    });
    list[side].forEach((v, i) => {
      ends[old[side].length + i] = numberOf(list.names.of(v));
    });
    return ends;
  };
  const weighted = old.weights ?? list.weights;
  const weights = weighted && new Float32Array(old.sources.length + list.sources.length).fill(1);
  if (old.weights) weights?.set(old.weights);
  if (list.weights) weights?.set(list.weights, old.sources.length);
  const [sources, targets] = [both('sources'), both('targets')];
  const all = [...numbers.keys()];
  return {
    graph: graphOfEdges(
      {
        sources,
        targets,
        weights,
        names: { count: all.length, of: (v) => all[v] as string, find: (name) => numbers.get(name) },
      },
      graph.directed,
    ),
    nameOf: (node) => all[node] as string,
  };
}
