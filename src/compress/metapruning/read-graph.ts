// The walk over a trace that finds node sets and edge sets.

import { inference, type Layer, parameters, stateOf } from '../../nn/index.js';
import {
  averagePoolOp,
  channelAffineOp,
  concatenateOp,
  convolutionOp,
  linearOp,
  maxPoolOp,
  type Op,
  padOp,
  reshapeOp,
  resizeOp,
  sliceOp,
  sumOp,
  type Tensor,
} from '../../tensor/index.js';
import { consumers, type Graph, type GraphNode, trace, type Value } from '../../trace/index.js';
import type { EdgeSet, NetworkGraph, NodeFeature, NodeValues } from './graph.js';

/** A node set that is being read. */
interface Channels {
  name: string;
  readonly size: number;
  readonly values: NodeValues[];
  branches: number;
  /** The set that this one was joined to. */
  joined?: Channels;
}

interface Edges extends Omit<EdgeSet, 'from' | 'to'> {
  readonly from: Channels;
  to: Channels;
}

/** A run of positions along an axis: the channels of a node set, each `repeat` times, or zeros. */
interface Part {
  readonly of: Channels | undefined;
  readonly size: number;
  readonly repeat: number;
}

/** How far a layer's norm has been read; a later feature may follow an earlier one. */
const stages: Readonly<Record<NodeFeature, number>> = { bias: 1, mean: 2, variance: 3, scale: 3, shift: 4 };
const [FRESH, DONE] = [0, 4];

/** Which channels the axis 1 of a value holds. */
interface Label {
  readonly parts: readonly Part[];
  /** Whether its channels are those of a layer whose end this is, before any nonlinearity. */
  readonly open: boolean;
  /** The last feature that was read, see `stages`. */
  readonly stage: number;
}

const AXIS = 1;
const lengthOf = ({ parts }: Label) => parts.reduce((sum, { size, repeat }) => sum + size * repeat, 0);
const layerOf = (weight: string) => weight.replace(/\.weight$/, '');
const sizes = ({ shape }: Value) => `[${shape.join(', ')}]`;

/** Reads a trace once. */
class GraphReader {
  readonly #sets: Channels[] = [];
  readonly #edges: Edges[] = [];
  readonly #labels = new Map<Value, Label>();
  readonly #readers: ReadonlyMap<Value, readonly GraphNode[]>;

  constructor(
    readonly graph: Graph,
    readonly state: Readonly<Record<string, Tensor>>,
    readonly trained: ReadonlySet<string>,
  ) {
    this.#readers = consumers(graph);
  }

  /** The graph. @throws Error as `networkGraph` does */
  read(): NetworkGraph {
    const [image] = this.graph.inputs as [Value];
    if (image.shape.length < 2) throw new Error(`metapruning: expected inputs [n, channels, …], got ${sizes(image)}`);
    const of = this.#set('image', image.shape[AXIS] as number);
    this.#labels.set(image, { parts: [{ of, size: of.size, repeat: 1 }], open: false, stage: DONE });
    for (const node of this.graph.nodes) this.#labels.set(node.outputs[0] as Value, this.#visit(node));
    return this.#finished();
  }

  #set(name: string, size: number): Channels {
    const made = { name, size, values: [], branches: 1 };
    this.#sets.push(made);
    return made;
  }

  #finished(): NetworkGraph {
    const sets = this.#sets.filter(({ joined }) => !joined);
    const numbers = new Map(sets.map((set, number) => [set, number]));
    const numberOf = (set: Channels): number => (set.joined ? numberOf(set.joined) : (numbers.get(set) as number));
    let start = 0;
    const nodes = sets.map(({ name, size, values }) => {
      start += size;
      return { name, size, values, start: start - size };
    });
    const edges = this.#edges.map((edge) => ({ ...edge, from: numberOf(edge.from), to: numberOf(edge.to) }));
    const branches = Math.max(...sets.map((set) => set.branches));
    const shapes = Object.fromEntries([...this.trained].map((name) => [name, (this.state[name] as Tensor).shape]));
    const graph = { nodes, edges, branches, shapes };
    requireComplete(graph);
    return graph;
  }

  #visit(node: GraphNode): Label {
    const { op } = node;
    const rule = rules.get(op);
    if (rule) return rule(this, node);
    if (op.elementwise) return this.elementwise(node);
    throw this.refusal(node, 'is an operation without a rule');
  }

  /** An error about an operation. */
  refusal(node: GraphNode, why: string): Error {
    const shapes = `${node.inputs[0] ? sizes(node.inputs[0]) : ''} → ${node.outputs[0] ? sizes(node.outputs[0]) : ''}`;
    return new Error(
      `metapruning: ${node.op.name}${this.#place(node)} ${shapes} ${why}; a graph can be made of convolutions, linear layers, batch norms, additions, products, concatenations and pools`,
    );
  }

  /** The layer of an operation, or the one before. */
  #place({ inputs }: GraphNode): string {
    const [own] = inputs.flatMap(({ origins }) => origins);
    if (own !== undefined) return ` of ${own.replace(/\.[^.]*$/, '')}`;
    const parts = inputs.flatMap((input) => this.#labels.get(input)?.parts ?? []);
    const before = parts.find(({ of }) => of)?.of?.name;
    return before === undefined ? '' : ` after ${before}`;
  }

  /** The channels of a value; of one that is read twice they are at no layer's end. */
  label(node: GraphNode, value: Value): Label {
    const label = this.#labels.get(value);
    if (!label) throw this.refusal(node, 'reads a value without channels');
    const once = this.#readers.get(value)?.length === 1 && !this.graph.outputs.includes(value);
    return once ? label : { ...label, open: false };
  }

  /** The name of a trained weight that an operation reads as it is. */
  weight(node: GraphNode, value: Value): string {
    const [name, ...others] = value.origins;
    if (name === undefined || others.length > 0 || this.state[name]?.size !== value.tensor.size)
      throw this.refusal(node, `has a weight that is made of [${value.origins.join(', ')}]`);
    return name;
  }

  /** A layer that makes new channels of all that it reads. */
  dense(node: GraphNode, taps: number): Label {
    const [x, kernel, bias] = node.inputs as [Value, Value, Value | undefined];
    const label = this.label(node, x);
    const weight = this.weight(node, kernel);
    const made = this.#set(layerOf(weight), kernel.shape[0] as number);
    let start = 0;
    for (const { of, size, repeat } of label.parts) {
      if (!of) throw this.refusal(node, 'reads channels of zeros');
      this.#edges.push({ weight, from: of, to: made, pairs: 'all', taps: taps * repeat, start });
      start += size * repeat;
    }
    const own = { parts: [{ of: made, size: made.size, repeat: 1 }], open: true, stage: FRESH };
    return bias ? this.bind(node, own, { bias: this.weight(node, bias) }) : own;
  }

  /** A filter for each channel. */
  depthwise(node: GraphNode, taps: number): Label {
    const [x, kernel, bias] = node.inputs as [Value, Value, Value | undefined];
    const weight = this.weight(node, kernel);
    const own = this.#oneToOne(node, this.label(node, x), layerOf(weight), { weight, taps });
    return bias ? this.bind(node, own, { bias: this.weight(node, bias) }) : own;
  }

  /** New channels, one for each that a value has. */
  #oneToOne(node: GraphNode, { parts }: Label, name: string, kernel: Pick<EdgeSet, 'weight' | 'taps'>): Label {
    let start = 0;
    const made = parts.map(({ of, size, repeat }) => {
      if (!of || repeat > 1) throw this.refusal(node, 'reads channels of zeros, or several positions of one');
      const set = this.#set(name, size);
      this.#edges.push({ ...kernel, from: of, to: set, pairs: 'own', start: kernel.weight === undefined ? 0 : start });
      start += size;
      return { of: set, size, repeat };
    });
    return { parts: made, open: made.length === 1, stage: FRESH };
  }

  /**
   * Makes weight vectors features of the channels: of those of the layer before, or, where another
   * operation came between, of new ones.
   */
  bind(node: GraphNode, label: Label, weights: Partial<Record<NodeFeature, string>>): Label {
    const given = Object.entries(weights) as [NodeFeature, string][];
    const first = Math.min(...given.map(([feature]) => stages[feature]));
    const [[, named]] = given as [[NodeFeature, string]];
    const follows = label.open && label.stage < first;
    const own = follows ? label : this.#oneToOne(node, label, layerOf(named), { weight: undefined, taps: 1 });
    let start = 0;
    for (const { of, size } of own.parts) {
      for (const [feature, weight] of given) of?.values.push({ weight, feature, branch: 0, start });
      start += size;
    }
    for (const [, weight] of given)
      if (this.state[weight]?.size !== start) throw this.refusal(node, `has ${weight}, not one value a channel`);
    return { ...own, stage: Math.max(...given.map(([feature]) => stages[feature])) };
  }

  /** Names of γ and of the variance that a factor of channels was made of. */
  scaleOf(node: GraphNode, { origins }: Value): Partial<Record<NodeFeature, string>> {
    const [scales, variances] = [true, false].map((wanted) =>
      origins.filter((name) => this.trained.has(name) === wanted),
    ) as [string[], string[]];
    if (scales.length > 1 || variances.length > 1)
      throw this.refusal(node, `has a factor that is made of [${origins.join(', ')}]`);
    return { ...(scales[0] && { scale: scales[0] }), ...(variances[0] && { variance: variances[0] }) };
  }

  /** An operation on each element: of weights of the channels, of two values, or of one. */
  elementwise(node: GraphNode): Label {
    const carriers = node.inputs.filter((input) => this.#labels.has(input));
    const named = node.inputs.filter((input) => input.kind === 'constant' && input.origins.length > 0);
    const [x, y] = carriers as [Value, Value | undefined];
    if (named.length > 0) return this.#withWeights(node, this.label(node, x), named[0] as Value);
    return y ? this.#join(node, this.label(node, x), this.label(node, y)) : { ...this.label(node, x), open: false };
  }

  /** Batch norm of rows and added biases, one operation after the other. */
  #withWeights(node: GraphNode, label: Label, value: Value): Label {
    if (value.tensor.size !== lengthOf(label)) throw this.refusal(node, `has ${value.origins[0]}, not one a channel`);
    if (node.op.name === 'multiply') return this.bind(node, label, this.scaleOf(node, value));
    const weight = this.weight(node, value);
    if (node.op.name === 'subtract' && !this.trained.has(weight)) return this.bind(node, label, { mean: weight });
    if (node.op.name !== 'add') throw this.refusal(node, `has a weight, ${weight}, that is no factor or bias`);
    return this.bind(node, label, label.stage >= stages.scale ? { shift: weight } : { bias: weight });
  }

  /** Two values: an addition ends in the node set of a branch whose end it is. */
  #join(node: GraphNode, a: Label, b: Label): Label {
    if (lengthOf(a) !== lengthOf(b)) throw this.refusal(node, `joins ${lengthOf(a)} channels with ${lengthOf(b)}`);
    const ends = node.op.name === 'add' ? [a, b].filter(({ open }) => open) : [];
    const [main, shortcut] = ends.map(({ parts }) => parts[0]?.of) as [Channels | undefined, Channels | undefined];
    const open = main !== undefined && main !== shortcut;
    if (open && shortcut) this.#unite(main, shortcut);
    const target = open ? main : this.#set(node.op.name, lengthOf(a));
    if (!(open && shortcut))
      for (const label of [a, b]) if (!open || label !== ends[0]) this.#identity(node, label, target);
    return { parts: [{ of: target, size: target.size, repeat: 1 }], open, stage: DONE };
  }

  /** The channels of a shortcut's end become those of the main branch's. */
  #unite(main: Channels, shortcut: Channels): void {
    for (const edge of this.#edges) if (edge.to === shortcut) edge.to = main;
    for (const value of shortcut.values) main.values.push({ ...value, branch: value.branch + main.branches });
    main.branches += shortcut.branches;
    shortcut.joined = main;
  }

  #identity(node: GraphNode, { parts }: Label, target: Channels): void {
    let start = 0;
    for (const { of, size, repeat } of parts) {
      if (repeat > 1) throw this.refusal(node, 'adds flattened maps');
      if (of) this.#edges.push({ weight: undefined, from: of, to: target, pairs: 'all', taps: 1, start });
      start += size;
    }
  }
}

/** @throws Error unless each trained weight is in the graph with all its values, once */
function requireComplete({ nodes, edges, shapes }: NetworkGraph): void {
  const held = new Map<string, number>();
  const hold = (weight: string, count: number) => held.set(weight, (held.get(weight) ?? 0) + count);
  for (const { size, values } of nodes) for (const { weight } of values) hold(weight, size);
  for (const { weight, from, to, pairs, taps } of edges) {
    const [sources, targets] = [from, to].map((set) => nodes[set]?.size ?? 0) as [number, number];
    if (weight !== undefined) hold(weight, targets * taps * (pairs === 'all' ? sources : 1));
  }
  const wrong = Object.entries(shapes).flatMap(([name, shape]) => {
    const [size, count] = [shape.reduce((a, b) => a * b, 1), held.get(name) ?? 0];
    if (count === size) return [];
    return [`${name} ${count === 0 ? 'is not in it' : 'is used more than once'}`];
  });
  if (wrong.length > 0) throw new Error(`metapruning: the graph does not hold each weight once: ${wrong.join('; ')}`);
}

type Rule<A> = (reader: GraphReader, node: GraphNode<A>) => Label;

const follows = <A>(op: Op<A>, rule: Rule<NoInfer<A>>) => [op as Op<unknown>, rule as Rule<unknown>] as const;

/** The label of the first input, after an operation on the pixels of each channel. */
const carry: Rule<unknown> = (reader, node) => ({ ...reader.label(node, node.inputs[0] as Value), open: false });

const rules: ReadonlyMap<Op<unknown>, Rule<unknown>> = new Map([
  follows(convolutionOp, (reader, node) => {
    const [x, { shape }] = node.inputs as [Value, Value];
    const taps = shape.slice(2).reduce((a, b) => a * b, 1);
    const { groups } = node.attributes;
    if (groups === 1) return reader.dense(node, taps);
    if (groups === shape[0] && groups === x.shape[AXIS]) return reader.depthwise(node, taps);
    throw reader.refusal(node, `has ${groups} groups; expected one, or one for each channel`);
  }),
  follows(linearOp, (reader, node) => {
    const label = reader.dense(node, 1);
    return { ...label, open: label.open && !node.attributes.relu };
  }),
  follows(channelAffineOp, (reader, node) => {
    const [x, scale, shift, center] = node.inputs as [Value, Value, Value, Value | undefined];
    const weights = {
      ...reader.scaleOf(node, scale),
      shift: reader.weight(node, shift),
      ...(center && { mean: reader.weight(node, center) }),
    };
    const label = reader.bind(node, reader.label(node, x), weights);
    return { ...label, open: label.open && node.attributes.activation === 'none' };
  }),
  follows(maxPoolOp, carry),
  follows(averagePoolOp, carry),
  follows(resizeOp, carry),
  follows(sumOp, (reader, node) => {
    if (node.attributes.axes.includes(AXIS)) throw reader.refusal(node, 'sums over channels');
    if (node.attributes.axes.includes(0)) throw reader.refusal(node, 'sums over images');
    return carry(reader, node);
  }),
  follows(reshapeOp, (reader, node) => {
    const [from, to] = [node.inputs[0] as Value, node.outputs[0] as Value];
    const label = reader.label(node, from);
    if (to.shape[0] !== from.shape[0]) throw reader.refusal(node, 'mixes images');
    if (to.shape[AXIS] === from.shape[AXIS]) return { ...label, open: false };
    const pixels = from.shape.slice(2).reduce((a, b) => a * b, 1);
    if (to.shape.length !== 2) throw reader.refusal(node, 'spreads channels over axes');
    return { ...label, parts: label.parts.map((part) => ({ ...part, repeat: part.repeat * pixels })), open: false };
  }),
  follows(sliceOp, (reader, node) => {
    if (node.attributes.sizes[AXIS] !== node.inputs[0]?.shape[AXIS]) throw reader.refusal(node, 'takes some channels');
    return carry(reader, node);
  }),
  follows(padOp, (reader, node) => {
    const { before, after, value } = node.attributes;
    const label = reader.label(node, node.inputs[0] as Value);
    const zeros = ([size]: readonly [number | undefined]): Part[] => (size ? [{ of: undefined, size, repeat: 1 }] : []);
    const parts = [...zeros([before[AXIS]]), ...label.parts, ...zeros([after[AXIS]])];
    if (parts.length > label.parts.length && value !== 0) throw reader.refusal(node, `adds channels of ${value}`);
    return { ...label, parts, open: false };
  }),
  follows(concatenateOp, (reader, node) => {
    if (node.attributes.axis !== AXIS) throw reader.refusal(node, 'joins along another axis than that of channels');
    const labels = node.inputs.map((input) => reader.label(node, input));
    return { parts: labels.flatMap(({ parts }) => parts), open: false, stage: DONE };
  }),
]);

/**
 * Reads the graph of a network.
 *
 * @param example an input; only its shape matters
 * @throws Error naming an operation that has no rule, or weights that are not in the graph or in it
 * twice
 */
export function networkGraph(model: Layer, example: Tensor): NetworkGraph {
  const state = stateOf(model);
  const trained = parameters(model);
  return trace(
    (x) => model.forward(x, inference),
    [example],
    state,
    (graph) => new GraphReader(graph, state, new Set(Object.keys(trained))).read(),
  );
}
