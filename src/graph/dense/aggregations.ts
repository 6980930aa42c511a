// Aggregations and poolings of node-based subgraph networks, by the names of the paper's code.
// h(u, v) is the feature of node v in the subgraph whose root is u.

/** What an aggregation delivers to cell (u, v). */
export const aggregations = {
  vu: 'h(v, u)',
  uu: 'h(u, u)',
  vv: 'h(v, v)',
  uG: 'Σ over w of h(u, w)',
  vG: 'Σ over w of h(w, v)',
  uL: 'Σ over neighbours w of v of h(u, w): messages inside a subgraph',
  vL: 'Σ over neighbours w of u of h(w, v): messages across subgraphs',
} as const;

/** An aggregation; h(u, v) itself is part of every layer. */
export type Aggregation = keyof typeof aggregations;

/** All aggregations, in a fixed order. */
export const aggregationNames = Object.keys(aggregations) as readonly Aggregation[];

/**
 * How cells become one vector of a graph. `VS`: each subgraph over its nodes, then the subgraphs;
 * `SV`: each node over the subgraphs, then the nodes.
 */
export type Pooling = 'VS' | 'SV';

/** All poolings. */
export const poolings: readonly Pooling[] = ['VS', 'SV'];

/** Names of aggregations in their fixed order, each once. @throws Error naming one that is none */
export function aggregationList(names: readonly string[]): Aggregation[] {
  const unknown = names.find((name) => !Object.hasOwn(aggregations, name));
  if (unknown !== undefined) throw new Error(`aggregations: "${unknown}" is none of ${aggregationNames.join(', ')}`);
  return aggregationNames.filter((name) => names.includes(name));
}
