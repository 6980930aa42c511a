// Nodes and edges of a computational graph, as the rules of operations add them.

import type { Shape, Tensor } from '../../tensor/index.js';
import type { Graph, GraphNode, Value } from '../../trace/index.js';
import type { ArchitectureGraph, ArchitectureNode, UnpredictedParameter } from './graph.js';
import { isNorm, type Primitive } from './primitives.js';

/** Adds the nodes of an operation. @returns the nodes from which its results come */
export type OperationRule = (builder: GraphBuilder, node: GraphNode) => ReadonlySet<number>;

/** What an operation's rule may do: add nodes, and say where values come from. */
export class GraphBuilder {
  readonly #nodes: ArchitectureNode[] = [{ primitive: 'input' }];
  readonly #edges: (readonly [number, number])[] = [];
  /** Nodes from which a value comes, through what leaves no node. */
  readonly #sources = new Map<Value, ReadonlySet<number>>();
  /** Values that were standardised, whose next factor is the gain of a norm. */
  readonly #standard = new Set<Value>();
  /** First node of each parameter, with the operation that used it. */
  readonly #placed = new Map<string, { readonly node: number; readonly op: string }>();
  readonly #unpredicted = new Map<string, string>();

  constructor(
    readonly parameters: Readonly<Record<string, Tensor>>,
    readonly rules: ReadonlyMap<string, OperationRule>,
    readonly operations: Readonly<Record<string, Primitive | 'bridge'>> = {},
  ) {}

  /** Visits all operations. */
  build(graph: Graph): ArchitectureGraph {
    for (const input of graph.inputs) this.#sources.set(input, new Set([0]));
    for (const node of graph.nodes) {
      const rule = this.#ruleOf(node);
      this.setSources(node, rule(this, node));
    }
    const left = Object.keys(this.parameters).filter((name) => !this.#placed.has(name) && !this.#unpredicted.has(name));
    for (const name of left) this.#unpredicted.set(name, 'the traced pass does not use it');
    return { nodes: this.#nodes, edges: this.#edges, unpredicted: [...this.#unpredicted].map(this.#described) };
  }

  readonly #described = ([name, reason]: [string, string]): UnpredictedParameter => {
    return { name, shape: (this.parameters[name] as Tensor).shape, reason };
  };

  #ruleOf({ op, inputs }: GraphNode): OperationRule {
    const registered = this.operations[op.name];
    if (registered === 'bridge') return (builder, node) => builder.bridge(node);
    if (registered !== undefined)
      return (builder, node) => builder.addNode(builder.incoming(node), { primitive: registered });
    const rule = this.rules.get(op.name);
    if (rule) return rule;
    if (op.elementwise && inputs.length === 1) return (builder, node) => builder.bridge(node);
    throw new Error(
      `architectureGraph: the operation "${op.name}" is not known; register it with operations: { ${op.name}: 'bridge' } or a primitive such as 'sum'`,
    );
  }

  /** Nodes from which a value comes. */
  sourcesOf(value: Value): ReadonlySet<number> {
    return this.#sources.get(value) ?? new Set();
  }

  /** Nodes from which the computed operands come. */
  incoming({ inputs }: GraphNode): ReadonlySet<number> {
    return new Set(inputs.flatMap((input) => [...this.sourcesOf(input)]));
  }

  /** Sets where the results of an operation come from. */
  setSources({ outputs }: GraphNode, sources: ReadonlySet<number>): void {
    for (const output of outputs) this.#sources.set(output, sources);
  }

  /** Adds a node behind others. @returns it, as the source of what follows */
  addNode(from: ReadonlySet<number>, node: ArchitectureNode): ReadonlySet<number> {
    const at = this.#nodes.push(node) - 1;
    for (const source of [...from].sort((a, b) => a - b)) this.#edges.push([source, at]);
    return new Set([at]);
  }

  /** Leaves an operation out; parameters that it reads are not predicted. */
  bridge(node: GraphNode): ReadonlySet<number> {
    for (const input of node.inputs) this.leaveOut(input, `no primitive stands for a parameter of "${node.op.name}"`);
    return this.incoming(node);
  }

  /** Notes that the parameters behind an operand keep their values. */
  leaveOut(value: Value | undefined, reason: string): void {
    for (const name of value ? this.parametersOf(value) : [])
      if (!this.#placed.has(name) && !this.#unpredicted.has(name)) this.#unpredicted.set(name, reason);
  }

  /** Names of the parameters that a constant is, or was computed from. */
  parametersOf({ kind, origins }: Value): readonly string[] {
    return kind === 'constant' ? origins.filter((name) => Object.hasOwn(this.parameters, name)) : [];
  }

  /** Whether a buffer, such as a running variance, went into a constant. */
  hasBuffer({ origins }: Value): boolean {
    return origins.some((name) => !Object.hasOwn(this.parameters, name));
  }

  /** Shape of a parameter. */
  shapeOf(name: string): Shape {
    return (this.parameters[name] as Tensor).shape;
  }

  /**
   * Adds the node of the parameter behind an operand; where several went into it, or none, a node
   * without a parameter.
   */
  addParameter(from: ReadonlySet<number>, value: Value, primitive: Primitive, node: GraphNode): ReadonlySet<number> {
    const names = this.parametersOf(value);
    const [name] = names;
    if (name === undefined || names.length > 1) {
      this.leaveOut(value, 'the weight is computed from several parameters');
      return this.addNode(from, { primitive, shape: value.shape });
    }
    const before = this.#placed.get(name);
    if (before) {
      this.#refuseRecurrence(name, before, node.op.name, from);
      return this.addNode(from, { primitive, tied: name, shape: this.shapeOf(name) });
    }
    const added = this.addNode(from, { primitive, parameter: name, shape: this.shapeOf(name) });
    this.#placed.set(name, { node: this.#nodes.length - 1, op: node.op.name });
    return added;
  }

  /** Pairs the bias of a norm with its node. @returns whether the node is a norm without one */
  pairBias(node: number, name: string): boolean {
    const norm = this.#nodes[node];
    if (!norm || !isNorm(norm.primitive) || norm.pairedBias !== undefined || norm.parameter === undefined) return false;
    if (this.#placed.has(name) || ownerOf(name) !== ownerOf(norm.parameter)) return false;
    this.#nodes[node] = { ...norm, pairedBias: name };
    this.#placed.set(name, { node, op: norm.primitive });
    return true;
  }

  /** Marks the first result of an operation as standardised. */
  markStandard({ outputs: [output] }: GraphNode): void {
    if (output) this.#standard.add(output);
  }

  /** Passes the mark on to the result of a change of layout. */
  passStandard({ inputs, outputs: [output] }: GraphNode): void {
    if (output && inputs.some((input) => this.#standard.has(input))) this.#standard.add(output);
  }

  /** Whether an operand was standardised. */
  isStandard(value: Value): boolean {
    return this.#standard.has(value);
  }

  /** @throws Error where a parameter is used again by the same operation on what it gave before */
  #refuseRecurrence(name: string, before: { node: number; op: string }, op: string, from: ReadonlySet<number>): void {
    if (before.op !== op) return;
    const next = Array.from(this.#nodes, (): number[] => []);
    for (const [source, target] of this.#edges) (next[source] as number[]).push(target);
    const reached = new Set([before.node]);
    for (const at of reached) for (const to of next[at] as number[]) reached.add(to);
    if ([...from].some((source) => reached.has(source)))
      throw new Error(
        `architectureGraph: "${name}" is applied again to what it gave before; a recurrent network has no acyclic graph`,
      );
  }
}

/** Path of the layer that holds a parameter. */
function ownerOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}
