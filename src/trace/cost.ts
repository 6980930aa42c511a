// What a captured computation costs: parameters, multiply-adds and activation bytes, node by node.

import { bytesPerElement } from '../engine/index.js';
import { sizeOf, type Tensor } from '../tensor/index.js';
import { type Graph, type GraphNode, trace } from './graph.js';

export interface NodeCost {
  /** The module path of the node's weights, else the operation's name. */
  readonly name: string;
  readonly operation: string;
  readonly shape: readonly number[];
  /** Trainable values that this node is the first to use. */
  readonly parameters: number;
  /** Multiply-adds of products: convolutions, matrix products, attention, sparse products. Elementwise work is not counted, as is usual. */
  readonly multiplyAdds: number;
  /** Bytes written; 0 for views. */
  readonly activationBytes: number;
}

export interface Cost {
  readonly nodes: readonly NodeCost[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly activationBytes: number;
}

type Shapes = readonly (readonly number[])[];

/** Multiply-adds by operation, from the shapes of inputs and the first output. */
const products: Readonly<Record<string, (inputs: Shapes, output: readonly number[], attributes: unknown) => number>> = {
  convolution: ([, weight], output) => sizeOf(output) * sizeOf((weight as number[]).slice(1)),
  transposedConvolution: ([x, weight]) => sizeOf(x as number[]) * sizeOf((weight as number[]).slice(1)),
  matmul: ([a], output, attributes) => {
    const { transposeA } = attributes as { transposeA: boolean };
    return sizeOf(output) * ((a as number[]).at(transposeA ? -2 : -1) as number);
  },
  linear: ([x], output) => sizeOf(output) * ((x as number[]).at(-1) as number),
  attention: ([q, k, v]) => {
    const [batch, heads, queries, depth] = q as [number, number, number, number];
    return batch * heads * queries * ((k as number[])[2] as number) * (depth + ((v as number[])[3] as number));
  },
  spmm: (_, output, attributes) => (attributes as { pattern: { nnz: number } }).pattern.nnz * (output.at(-1) as number),
  aggregation: (_, output) => 9 * sizeOf(output),
  groupedMatmul: ([x], output) => sizeOf(output) * ((x as number[])[1] as number),
};

/** Counts a graph. `parameters` are the module's trainable tensors by name. */
export function graphCost(graph: Graph, parameters: Readonly<Record<string, Tensor>>): Cost {
  const counted = new Set<string>();
  const nodes = graph.nodes.map((node) => nodeCost(node, parameters, counted));
  const total = (field: 'parameters' | 'multiplyAdds' | 'activationBytes') =>
    nodes.reduce((sum, node) => sum + node[field], 0);
  return {
    nodes,
    parameters: total('parameters'),
    multiplyAdds: total('multiplyAdds'),
    activationBytes: total('activationBytes'),
  };
}

function nodeCost(node: GraphNode, parameters: Readonly<Record<string, Tensor>>, counted: Set<string>): NodeCost {
  const origins = [...new Set(node.inputs.flatMap((input) => input.origins))];
  const fresh = origins.filter((name) => parameters[name] && !counted.has(name));
  for (const name of fresh) counted.add(name);
  const [output] = node.outputs;
  const shape = output?.shape ?? [];
  const count = products[node.op.name];
  return {
    name: origins[0]?.replace(/\.[^.]*$/, '') ?? node.op.name,
    operation: node.op.name,
    shape,
    parameters: fresh.reduce((sum, name) => sum + (parameters[name] as Tensor).size, 0),
    multiplyAdds:
      count?.(
        node.inputs.map((input) => input.shape),
        shape,
        node.attributes,
      ) ?? 0,
    activationBytes: node.op.view
      ? 0
      : node.outputs.reduce((sum, { shape: s, dtype }) => sum + sizeOf(s) * bytesPerElement[dtype], 0),
  };
}

/**
 * Cost of a function of tensors: traces it on example inputs and counts.
 *
 * @example cost((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])], parameters(model)).multiplyAdds
 */
export function cost(
  fn: (...inputs: Tensor[]) => unknown,
  inputs: readonly Tensor[],
  parameters: Readonly<Record<string, Tensor>> = {},
): Cost {
  return trace(fn, inputs, parameters, (graph) => graphCost(graph, parameters));
}

/** A table of the nodes and their sum, for people. Nodes without products or parameters are left out unless `all`. */
export function formatCost(counted: Cost, { all = false }: { all?: boolean } = {}): string {
  const rows = counted.nodes.filter((node) => all || node.parameters > 0 || node.multiplyAdds > 0);
  const group = (value: number) => value.toLocaleString('en-US');
  const cells = [
    ['layer', 'operation', 'output', 'parameters', 'multiply-adds', 'activation bytes'],
    ...rows.map((node) => [
      node.name,
      node.operation,
      node.shape.join('×'),
      group(node.parameters),
      group(node.multiplyAdds),
      group(node.activationBytes),
    ]),
    ['total', '', '', group(counted.parameters), group(counted.multiplyAdds), group(counted.activationBytes)],
  ];
  const widths = (cells[0] as string[]).map((_, column) =>
    Math.max(...cells.map((row) => (row[column] as string).length)),
  );
  return cells
    .map((row) =>
      row
        .map((cell, i) => (i < 3 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
