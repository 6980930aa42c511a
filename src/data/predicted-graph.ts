// A graph with what a model says of its nodes, as a document that other programs read.

import { type AttributedGraph, textsOrGaps } from './attributed-graph.js';
import type { GraphDocument } from './formats/graphs/index.js';

/**
 * The graph with its attributes and with further ones, such as predictions. Calendar features that
 * reading made of dates are left out.
 *
 * @param columns names of the further attributes; one that the graph has becomes `predicted …`
 * @param rows their values, a row for each node in order
 */
export function predictedGraph(
  { graph, nodeNames, attributes }: AttributedGraph,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): GraphDocument {
  const own = attributes.columns.filter((column) => column.kind === 'category' || column.from === undefined);
  const texts = own.map((column) => textsOrGaps(column));
  const taken = new Set(own.map(({ name }) => name));
  const free = (name: string) => (taken.has(name) ? `predicted ${name}` : name);
  const { sources, targets, weights } = graph.edges();
  return {
    directed: graph.directed,
    nodes: {
      columns: ['id', ...own.map(({ name }) => name), ...columns.map(free)],
      rows: nodeNames.map((name, v) => [
        name,
        ...texts.map((values) => values[v] ?? ''),
        ...(rows[v] ?? []).map((value) => String(value)),
      ]),
    },
    sources,
    targets,
    weights,
  };
}
