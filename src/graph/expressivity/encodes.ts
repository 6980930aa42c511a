// Whether the colours of a test determine a property of nodes or of pairs of nodes.

import { cutsOf, type GraphCollection, hopDistances } from '../../structure/index.js';
import { resistanceNumbers } from './node-tests.js';
import { type Labels, pairOffsets } from './pair-tests.js';
import { type Colouring, type ColourTest, colourGraphs } from './tests.js';

/** Properties that `encodes` knows. */
export const properties = {
  distance: 'hops of a shortest path between two nodes',
  resistance: 'resistance distance of two nodes',
  eccentricity: 'largest distance of a node from another',
  'cut node': 'whether a node disconnects its component',
  'cut edge': 'whether two nodes are joined by an edge that disconnects its component',
} as const;

/** A property of nodes or of pairs of nodes. */
export type GraphProperty = keyof typeof properties;

/** What `encodes` finds. */
export interface Encoding {
  /** Whether units of equal colour never differ in the property. */
  readonly holds: boolean;
  /** Two units of equal colour that differ. */
  readonly witness?: readonly [Unit, Unit];
}

/** A node or pair of nodes of a graph. */
export interface Unit {
  /** Number of the graph. */
  readonly graph: number;
  /** The node, or the pair, numbered in its graph. */
  readonly nodes: readonly number[];
  /** The property. */
  readonly value: number;
}

/**
 * Whether a test's stable colours determine a property over a whole collection: no two nodes (or
 * ordered pairs of nodes), of one graph or of two, have the same colour and differ in it. The
 * colour of a pair, for a test of nodes, is the pair of colours; that of a node, for a test of
 * pairs, is what its pooling gives.
 *
 * @throws Error for an unknown property or test
 */
export function encodes(
  test: ColourTest,
  property: GraphProperty,
  graphs: GraphCollection,
  labels: Labels = {},
): Encoding {
  return determines(colourGraphs(test, graphs, labels), property, graphs);
}

/** `encodes` for colours that are known. */
export function determines(colouring: Colouring, property: GraphProperty, graphs: GraphCollection): Encoding {
  if (!Object.hasOwn(properties, property))
    throw new Error(`encodes: there is no property "${property}"; there are ${Object.keys(properties).join(', ')}`);
  const ofNodes = property === 'eccentricity' || property === 'cut node';
  const values = ofNodes ? nodeValues(property, graphs) : pairValues(property, graphs);
  const colourOf = ofNodes
    ? (_: number, unit: number) => colouring.nodes.of[unit] as number
    : colouring.units === 'pairs'
      ? (_: number, unit: number) => colouring.colours.of[unit] as number
      : pairOfNodeColours(colouring, graphs);
  const first = new Map<number, number>();
  const offsets = ofNodes ? Float64Array.from(graphs.nodes.offsets) : pairOffsets(graphs);
  for (let g = 0; g < graphs.count; g++)
    for (let unit = offsets[g] as number; unit < (offsets[g + 1] as number); unit++) {
      const colour = colourOf(g, unit);
      const known = first.get(colour);
      if (known === undefined) {
        first.set(colour, unit);
        continue;
      }
      if (values[known] === values[unit]) continue;
      const named = (at: number) => unitAt(at, offsets, graphs, ofNodes, values);
      return { holds: false, witness: [named(known), named(unit)] };
    }
  return { holds: true };
}

/** The pair of its nodes' colours, as one number. */
function pairOfNodeColours({ colours }: Colouring, graphs: GraphCollection) {
  const offsets = pairOffsets(graphs);
  return (g: number, unit: number) => {
    const first = graphs.nodes.offsets[g] as number;
    const n = (graphs.nodes.offsets[g + 1] as number) - first;
    const at = unit - (offsets[g] as number);
    const colour = (node: number) => colours.of[first + node] as number;
    return colour(Math.floor(at / n)) * colours.count + colour(at % n);
  };
}

function unitAt(
  unit: number,
  offsets: Float64Array,
  { nodes }: GraphCollection,
  ofNodes: boolean,
  values: ArrayLike<number>,
): Unit {
  let graph = 0;
  while (unit >= (offsets[graph + 1] as number)) graph += 1;
  const at = unit - (offsets[graph] as number);
  const n = (nodes.offsets[graph + 1] as number) - (nodes.offsets[graph] as number);
  return { graph, nodes: ofNodes ? [at] : [Math.floor(at / n), at % n], value: values[unit] as number };
}

function nodeValues(property: 'eccentricity' | 'cut node' | string, graphs: GraphCollection): Int32Array {
  const values = new Int32Array(graphs.nodeCount);
  for (let g = 0; g < graphs.count; g++) {
    const graph = graphs.graph(g);
    const n = graph.nodeCount;
    const distances = property === 'eccentricity' ? hopDistances(graph) : undefined;
    const own = distances
      ? Int32Array.from({ length: n }, (_, u) => Math.max(...distances.subarray(u * n, (u + 1) * n)))
      : cutsOf(graph).nodes;
    values.set(own, graphs.nodes.offsets[g]);
  }
  return values;
}

function pairValues(property: string, graphs: GraphCollection): Int32Array {
  if (property === 'resistance') return resistanceNumbers(graphs);
  const offsets = pairOffsets(graphs);
  const values = new Int32Array(offsets[graphs.count] as number);
  for (let g = 0; g < graphs.count; g++) {
    const graph = graphs.graph(g);
    const start = offsets[g] as number;
    if (property === 'distance') {
      values.set(hopDistances(graph), start);
      continue;
    }
    const { sources, targets } = graph.edges();
    const { edges } = cutsOf(graph);
    sources.forEach((u, e) => {
      const v = targets[e] as number;
      values[start + u * graph.nodeCount + v] = edges[e] as number;
      values[start + v * graph.nodeCount + u] = edges[e] as number;
    });
  }
  return values;
}
