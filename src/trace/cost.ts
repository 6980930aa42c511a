// What a captured computation costs: parameters, multiply-adds and activation bytes, node by node.

import { bytesPerElement } from '../engine/index.js';
import { sizeOf, type Tensor } from '../tensor/index.js';
import { type Graph, type GraphNode, trace } from './graph.js';

/** The cost of one operation of a graph. */
export interface NodeCost {
  /** The module path of the node's weights, else the operation's name. */
  readonly name: string;
  /** Name of the operation. */
  readonly operation: string;
  /** Shape of the first output. */
  readonly shape: readonly number[];
  /** Trainable values that this node is the first to use. */
  readonly parameters: number;
  /**
   * Multiply-adds of products: convolutions, matrix products, attention, scans, sparse products and
   * transforms. Elementwise functions, reductions, norms and layout are free, as is usual. 0 for an
   * uncounted operation.
   */
  readonly multiplyAdds: number;
  /** Whether the operation tells its multiply-adds. */
  readonly counted: boolean;
  /** Bytes written; 0 for views. */
  readonly activationBytes: number;
}

/** The cost of a graph: its nodes, and their sums. */
export interface Cost {
  /** Costs by node, in topological order. */
  readonly nodes: readonly NodeCost[];
  /** Trainable values of the graph; shared ones count once. */
  readonly parameters: number;
  /** A lower bound where there are uncounted operations. */
  readonly multiplyAdds: number;
  /** Bytes of all outputs of the nodes together. */
  readonly activationBytes: number;
  /** Names of the operations whose multiply-adds are not known, each once. */
  readonly uncounted: readonly string[];
}

/** Counts a graph. `parameters` are the module's trainable tensors by name. */
export function graphCost(graph: Graph, parameters: Readonly<Record<string, Tensor>>): Cost {
  const seen = new Set<string>();
  const nodes = graph.nodes.map((node) => nodeCost(node, parameters, seen));
  const total = (field: 'parameters' | 'multiplyAdds' | 'activationBytes') =>
    nodes.reduce((sum, node) => sum + node[field], 0);
  return {
    nodes,
    parameters: total('parameters'),
    multiplyAdds: total('multiplyAdds'),
    activationBytes: total('activationBytes'),
    uncounted: [...new Set(nodes.flatMap((node) => (node.counted ? [] : [node.operation])))],
  };
}

function nodeCost(node: GraphNode, parameters: Readonly<Record<string, Tensor>>, seen: Set<string>): NodeCost {
  const origins = [...new Set(node.inputs.flatMap((input) => input.origins))];
  const first = origins.filter((name) => parameters[name] && !seen.has(name));
  for (const name of first) seen.add(name);
  const multiplyAdds = multiplyAddsOf(node);
  return {
    name: origins[0]?.replace(/\.[^.]*$/, '') ?? node.op.name,
    operation: node.op.name,
    shape: node.outputs[0]?.shape ?? [],
    parameters: first.reduce((sum, name) => sum + (parameters[name] as Tensor).size, 0),
    multiplyAdds: multiplyAdds ?? 0,
    counted: multiplyAdds !== undefined,
    activationBytes: node.op.view
      ? 0
      : node.outputs.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * bytesPerElement[dtype], 0),
  };
}

/** The count that the operation's record states, if it states one. */
function multiplyAddsOf({ op, inputs, outputs, attributes }: GraphNode): number | undefined {
  if (op.multiplyAdds === 0) return 0;
  if (typeof op.multiplyAdds !== 'function') return undefined;
  return op.multiplyAdds(
    inputs.map((input) => input.shape),
    outputs[0]?.shape ?? [],
    attributes,
  );
}

/**
 * Cost of a function of tensors: traces it on example inputs and counts.
 *
 * @param parameters the module's trainable tensors by name: `parameters(model)`
 * @example cost((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])],
 * parameters(model)).multiplyAdds
 */
export function cost(
  fn: (...inputs: Tensor[]) => unknown,
  inputs: readonly Tensor[],
  parameters: Readonly<Record<string, Tensor>> = {},
): Cost {
  return trace(fn, inputs, parameters, (graph) => graphCost(graph, parameters));
}

/**
 * A table of the nodes and their sums, for people, and the names of uncounted operations below it.
 *
 * Nodes that have neither products nor parameters, and are counted, are left out unless `all`.
 */
export function formatCost(cost: Cost, { all = false }: { all?: boolean } = {}): string {
  const rows = cost.nodes.filter((node) => all || node.parameters > 0 || node.multiplyAdds > 0 || !node.counted);
  const group = (value: number) => value.toLocaleString('en-US');
  const cells = [
    ['layer', 'operation', 'output', 'parameters', 'multiply-adds', 'activation bytes'],
    ...rows.map((node) => [
      node.name,
      node.operation,
      node.shape.join('×'),
      group(node.parameters),
      node.counted ? group(node.multiplyAdds) : 'uncounted',
      group(node.activationBytes),
    ]),
    ['total', '', '', group(cost.parameters), group(cost.multiplyAdds), group(cost.activationBytes)],
  ];
  const widths = (cells[0] as string[]).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] as string).length)),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, i) => (i < 3 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  );
  if (cost.uncounted.length > 0) lines.push(`multiply-adds without those of ${cost.uncounted.join(', ')}`);
  return lines.join('\n');
}
