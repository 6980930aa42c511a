// Computational graphs of networks, as graph hypernetworks read them: a node for each parameter
// tensor and for each operation that joins or pools, edges in the direction of the forward pass.

import type { Shape } from '../../tensor/index.js';
import type { Primitive } from './primitives.js';

/** A node: a parameter tensor, or an operation without parameters. */
export interface ArchitectureNode {
  /** What it is. */
  readonly primitive: Primitive;
  /** Name of the parameter that is predicted from the node; of norms the gain. */
  readonly parameter?: string;
  /** Of norms: name of the bias, which has no node of its own. */
  readonly pairedBias?: string;
  /** Name of the parameter of an earlier node that this one uses again. */
  readonly tied?: string;
  /** Shape of the parameter, or [1, 1, kh, kw] of a pooling window; none for other operations. */
  readonly shape?: Shape;
}

/** A parameter that no node predicts, and why. */
export interface UnpredictedParameter {
  /** Name of the parameter. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  /** In words. */
  readonly reason: string;
}

/** A network as a directed acyclic graph; nodes are in topological order, the input first. */
export interface ArchitectureGraph {
  /** Nodes; the first is the input. */
  readonly nodes: readonly ArchitectureNode[];
  /** Edges from → to with from < to. */
  readonly edges: readonly (readonly [from: number, to: number])[];
  /** Parameters that keep their initial values. */
  readonly unpredicted: readonly UnpredictedParameter[];
}

/**
 * Adjacency with virtual edges [n·n], row after row: the number of edges of a shortest directed
 * path from i to j where it is at most `cutoff`, 0 where there is none; so 1 is a real edge and the
 * matrix is upper triangular.
 *
 * @throws RangeError unless the cutoff is a whole number from 1 to 254
 */
export function virtualEdges({ nodes, edges }: ArchitectureGraph, cutoff = 50): Uint16Array {
  if (!(Number.isInteger(cutoff) && cutoff >= 1 && cutoff <= 254))
    throw new RangeError(`virtualEdges: the cutoff must be from 1 to 254, got ${cutoff}`);
  const n = nodes.length;
  const next = Array.from({ length: n }, (): number[] => []);
  for (const [from, to] of edges) (next[from] as number[]).push(to);
  const distances = new Uint16Array(n * n);
  const queue = new Int32Array(n);
  for (let root = 0; root < n; root++) {
    const own = distances.subarray(root * n, (root + 1) * n);
    queue[0] = root;
    for (let head = 0, tail = 1; head < tail; head++) {
      const at = queue[head] as number;
      const distance = (own[at] as number) + 1;
      if (distance > cutoff) break;
      for (const to of next[at] as number[]) {
        if (own[to] !== 0) continue;
        own[to] = distance;
        queue[tail++] = to;
      }
    }
  }
  return distances;
}

/**
 * The same graph for other sizes: the topology of a network with few channels serves one with many,
 * which need not be made.
 *
 * @param shapes of all parameters by name
 * @throws Error when names differ
 */
export function withShapes(graph: ArchitectureGraph, shapes: Readonly<Record<string, Shape>>): ArchitectureGraph {
  const shapeOf = (name: string): Shape => {
    const shape = shapes[name];
    if (!shape) throw new Error(`withShapes: there is no shape of "${name}"`);
    return shape;
  };
  const named = new Set<string>();
  const nodes = graph.nodes.map((node) => {
    const name = node.parameter ?? node.tied;
    if (node.parameter !== undefined) named.add(node.parameter);
    if (node.pairedBias !== undefined) named.add(node.pairedBias);
    return name === undefined ? node : { ...node, shape: shapeOf(name) };
  });
  const unpredicted = graph.unpredicted.map((one) => ({ ...one, shape: shapeOf(one.name) }));
  for (const { name } of unpredicted) named.add(name);
  const missing = Object.keys(shapes).find((name) => !named.has(name));
  if (missing !== undefined) throw new Error(`withShapes: the graph has no parameter "${missing}"`);
  return { nodes, edges: graph.edges, unpredicted };
}
