// Weights to features of nodes and edges, and back. The way back is exact: with features as they
// were, each weight is what it was, bit for bit. Running statistics are features, but stay those of
// the network.

import type { Weights } from '../../nn/index.js';
import { concatenate, reshape, slice, type Tensor, tensor } from '../../tensor/index.js';
import { absentFeatures, type EdgeSet, featureSlots, type NetworkGraph, type NodeSet } from './graph.js';

/** Features of a network's nodes and edges. */
export interface GraphFeatures {
  /** [nodes, features], the node sets one after the other. */
  readonly nodes: Tensor;
  /** By edge set: [targets, sources, taps], or [targets, 1, taps] of one-to-one edges. */
  readonly edges: readonly Tensor[];
}

/** Position of the features of a node of a branch's weight. */
const slotOf = ({ feature, branch }: NodeSet['values'][number]) =>
  branch * absentFeatures.length + featureSlots[feature];

const sizeOfSet = ({ nodes }: NetworkGraph, set: number) => (nodes[set] as NodeSet).size;

/**
 * The features of a network.
 *
 * @param state parameters and buffers by name: `stateOf(model)`
 */
export function graphFeatures(graph: NetworkGraph, state: Weights): GraphFeatures {
  const width = graph.branches * absentFeatures.length;
  const count = graph.nodes.reduce((sum, { size }) => sum + size, 0);
  const values = Float32Array.from(
    { length: count * width },
    (_, i) => absentFeatures[i % absentFeatures.length] as number,
  );
  for (const set of graph.nodes)
    for (const own of set.values) {
      const given = (state[own.weight] as Tensor).view();
      for (let i = 0; i < set.size; i++) values[(set.start + i) * width + slotOf(own)] = given[own.start + i] as number;
    }
  return {
    nodes: tensor(values, [count, width]),
    edges: graph.edges.map((edges) => edgeFeatures(graph, edges, state)),
  };
}

function edgeFeatures(graph: NetworkGraph, edges: EdgeSet, state: Weights): Tensor {
  const { weight, from, to, pairs, taps, start } = edges;
  const [sources, targets] = [sizeOfSet(graph, from), sizeOfSet(graph, to)];
  if (weight === undefined) {
    if (pairs === 'own') return tensor(new Float32Array(targets).fill(1), [targets, 1, 1]);
    const identity = new Float32Array(targets * sources);
    for (let i = 0; i < sources; i++) identity[(start + i) * sources + i] = 1;
    return tensor(identity, [targets, sources, 1]);
  }
  const kernel = state[weight] as Tensor;
  if (pairs === 'own') return reshape(slice(kernel, [start, start + targets]), [targets, 1, taps]);
  const inputs = kernel.shape[1] as number;
  const flat = reshape(kernel, [targets, inputs, -1]);
  // Positions of a flattened map are inputs of their own in the weight.
  const columns = (sources * taps) / (flat.shape[2] as number);
  return reshape(slice(flat, null, [start, start + columns]), [targets, sources, taps]);
}

/** The trained weights that features stand for, by name; gradients flow to the features. */
export function weightsOfFeatures(graph: NetworkGraph, { nodes, edges }: GraphFeatures): Weights {
  const pieces = new Map<string, { readonly start: number; readonly axis: number; readonly piece: Tensor }[]>();
  const put = (weight: string, start: number, axis: number, piece: () => Tensor) => {
    if (!graph.shapes[weight]) return;
    pieces.set(weight, [...(pieces.get(weight) ?? []), { start, axis, piece: piece() }]);
  };
  for (const { size, start, values } of graph.nodes)
    for (const own of values)
      put(own.weight, own.start, 0, () =>
        reshape(slice(nodes, [start, start + size], [slotOf(own), slotOf(own) + 1]), [size]),
      );
  graph.edges.forEach(({ weight, to, pairs, start }, at) => {
    if (weight === undefined) return;
    const [targets, rest] = [sizeOfSet(graph, to), (graph.shapes[weight] as readonly number[]).slice(2)];
    const shape = pairs === 'own' ? [targets, 1, ...rest] : [targets, -1, ...rest];
    put(weight, start, pairs === 'own' ? 0 : 1, () => reshape(edges[at] as Tensor, shape));
  });
  return Object.fromEntries(
    [...pieces].map(([name, own]) => {
      const parts = own.sort((a, b) => a.start - b.start).map(({ piece }) => piece);
      const whole = parts.length === 1 ? (parts[0] as Tensor) : concatenate(parts, own[0]?.axis);
      return [name, reshape(whole, graph.shapes[name] as readonly number[])];
    }),
  );
}
