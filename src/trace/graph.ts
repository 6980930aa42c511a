// Captured computations: the operations that a function applied, as a graph with shapes. Costs,
// plans, ONNX files and pruning groups are all derived from it.

import { leaves, type Op, observe, scope, Tensor, unobserved, watchReads, whileRecording } from '../tensor/index.js';

/** A tensor of the graph. */
export interface Value {
  /** Unique within the graph. */
  readonly id: number;
  /** Shape of the traced tensor; batch sizes are those of the traced example. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: Tensor['dtype'];
  /**
   * Given from outside, constant (weights and what is computed from them alone), or computed by a
   * node.
   */
  readonly kind: 'input' | 'constant' | 'computed';
  /** The constant, or the value that the traced call computed. */
  readonly tensor: Tensor;
  /** Names of the weights that a constant is, or was computed from. */
  readonly origins: readonly string[];
}

/** One operation of the graph; `A` are its attributes, where a reader knows them. */
export interface GraphNode<A = unknown> {
  /** The operation that is applied. */
  readonly op: Op<unknown>;
  /** Operands, in order. */
  readonly inputs: readonly Value[];
  /** Results, in order. */
  readonly outputs: readonly Value[];
  /** Attributes of the operation, such as axes or strides. */
  readonly attributes: A;
}

/** A computation in topological order, without nodes that no output depends on. */
export interface Graph {
  /** Arguments of the traced function, in order. */
  readonly inputs: readonly Value[];
  /** Operations in topological order. */
  readonly nodes: readonly GraphNode[];
  /** Results of the traced function, in order. */
  readonly outputs: readonly Value[];
  /**
   * Methods by which the function read values that depend on its inputs. What followed from them in
   * JavaScript is that of the example.
   */
  readonly reads: readonly string[];
}

class Recorder {
  readonly nodes: GraphNode[] = [];
  readonly reads: string[] = [];
  readonly #values = new Map<Tensor, Value>();
  readonly #names: ReadonlyMap<Tensor, string>;

  constructor(weights: Readonly<Record<string, Tensor>>) {
    this.#names = new Map(Object.entries(weights).map(([name, tensor]) => [tensor, name]));
  }

  add(tensor: Tensor, kind: Value['kind'], origins: readonly string[] = []): Value {
    const { shape, dtype } = tensor;
    const value = { id: this.#values.size, shape, dtype, kind, tensor, origins };
    this.#values.set(tensor, value);
    return value;
  }

  /** A tensor that is neither an input nor computed by a node is a constant. */
  valueOf(tensor: Tensor): Value {
    const name = this.#names.get(tensor);
    return this.#values.get(tensor) ?? this.add(tensor, 'constant', name === undefined ? [] : [name]);
  }

  record(op: Op<never>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: unknown): void {
    const from = inputs.map((input) => this.valueOf(input));
    // Constant folding: the result of constants has just been computed.
    const fixed = from.every((value) => value.kind === 'constant');
    const origins = fixed ? [...new Set(from.flatMap((value) => value.origins))] : [];
    const to = outputs.map((output) => this.add(output, fixed ? 'constant' : 'computed', origins));
    if (!fixed) this.nodes.push({ op: op as Op<unknown>, inputs: from, outputs: to, attributes });
  }

  noteRead(tensor: object, operation: string): void {
    const value = this.#values.get(tensor as Tensor);
    if (value && value.kind !== 'constant') this.reads.push(`${operation}() of ${tensor}`);
  }
}

let tracing = 0;

/**
 * Whether a function is being traced: what it reads in JavaScript would be fixed to the example.
 */
export function isTracing(): boolean {
  return tracing > 0;
}

function whileTracing<T>(body: () => T): T {
  tracing += 1;
  try {
    return body();
  } finally {
    tracing -= 1;
  }
}

/**
 * Runs `fn` on example inputs and passes the graph of its operations to `use`, while every tensor
 * of the run is alive. The graph holds for inputs of the same shapes, with the branches that `fn`
 * took.
 *
 * @param weights names for the tensors of a module: `stateOf(model)`.
 */
export function trace<T>(
  fn: (...inputs: Tensor[]) => unknown,
  inputs: readonly Tensor[],
  weights: Readonly<Record<string, Tensor>>,
  use: (graph: Graph) => T,
): T {
  return unobserved(() =>
    scope(() => {
      const recorder = new Recorder(weights);
      const given = inputs.map((input) => recorder.add(input, 'input'));
      const watched = () =>
        watchReads(
          (tensor, operation) => recorder.noteRead(tensor, operation),
          () => fn(...inputs),
        );
      const result = whileTracing(() => whileRecording(() => observe(recorder, watched)));
      const outputs = leaves(result).map((leaf) => {
        if (!(leaf instanceof Tensor)) throw new Error(`trace: the function must return tensors, got ${String(leaf)}`);
        return recorder.valueOf(leaf);
      });
      const { nodes, reads } = recorder;
      return use(withoutDeadNodes({ inputs: given, nodes, outputs, reads }));
    }),
  );
}

/**
 * @throws Error naming the operation where a graph holds for the values of its example alone, as
 * the function read some in JavaScript.
 */
export function requireAllValues(operation: string, { reads: [read] }: Graph): void {
  if (read !== undefined)
    throw new Error(
      `${operation}: the function reads values that depend on its inputs (${read}); what follows from them would be that of the example`,
    );
}

/** Dead code elimination: drops nodes that no output depends on. */
export function withoutDeadNodes(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes = [...graph.nodes].reverse().filter((node) => {
    if (!node.outputs.some((output) => needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return { ...graph, nodes: nodes.reverse() };
}

/** The nodes that read each value. */
export function consumers(graph: Graph): Map<Value, GraphNode[]> {
  const found = new Map<Value, GraphNode[]>();
  for (const node of graph.nodes)
    for (const input of new Set(node.inputs)) found.set(input, [...(found.get(input) ?? []), node]);
  return found;
}
