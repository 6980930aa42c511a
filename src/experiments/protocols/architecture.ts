// What a network is made of, counted on its traced graph.

import { inference, type Layer, stateOf } from '../../nn/index.js';
import { scope, type Tensor } from '../../tensor/index.js';
import { type Graph, type GraphNode, trace, type Value } from '../../trace/index.js';
import type { Scores } from '../parts/contract.js';

/** Counts of a network's parts. */
export interface Architecture extends Scores {
  /** Operations of several computed operands: shortcuts, gates, products of attention. */
  readonly joins: number;
  /** Softmax and attention operations. */
  readonly attentions: number;
  /** Most layers of weights on a path from input to output, without depthwise convolutions. */
  readonly depth: number;
}

const computed = ({ inputs }: GraphNode): Value[] => inputs.filter(({ kind }) => kind !== 'constant');

/** Whether a node multiplies by weights across channels. */
function isLayer({ op, inputs, attributes }: GraphNode): boolean {
  if (op.name === 'matmul' || op.name === 'linear') return inputs.some(({ kind }) => kind === 'constant');
  const { groups = 1 } = (attributes ?? {}) as { readonly groups?: number };
  return op.name.startsWith('conv') && groups === 1;
}

/** Counts the parts of a graph. */
export function architectureOf({ nodes }: Graph): Architecture {
  const depths = new Map<number, number>();
  let [joins, attentions, depth] = [0, 0, 0];
  for (const node of nodes) {
    const operands = computed(node);
    if (operands.length > 1) joins += 1;
    if (/attention|softmax/i.test(node.op.name)) attentions += 1;
    const before = Math.max(0, ...operands.map(({ id }) => depths.get(id) ?? 0));
    const own = before + Number(isLayer(node));
    for (const { id } of node.outputs) depths.set(id, own);
    depth = Math.max(depth, own);
  }
  return { joins, attentions, depth };
}

/** Counts the parts of a network for inference on an example. */
export function architecture(model: Layer, example: Tensor): Architecture {
  return scope(() => trace((x) => model.forward(x, inference), [example], stateOf(model), architectureOf));
}
