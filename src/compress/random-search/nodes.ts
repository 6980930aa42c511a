// The node space of a network: which hidden nodes (units of linear layers, channels of
// convolutions) of an over-parameterised parent are on. A node that is off loses its incoming and
// outgoing weights and its bias; the others keep the parent's values. A configuration is cut out as
// a smaller dense network, so that it is really smaller and faster.

import { inference, type Layer, stateOf, type Weights } from '../../nn/index.js';
import { multiply, type Random, sizeOf, type Tensor } from '../../tensor/index.js';
import { dependencyGroups, subTensor } from '../../trace/index.js';
import { type Genome, SearchSpace } from '../search/space.js';

/** Hidden nodes that one layer, or layers that depend on each other, have in common. */
export interface NodeLayer {
  /** The layer whose outputs they are, such as `blocks.0.linear`. */
  readonly name: string;
  /** h: number of nodes. */
  readonly nodes: number;
  /** Number of its first node among those of all layers. */
  readonly first: number;
  /** Weights with a slice for each node, as `name:axis`. */
  readonly members: readonly string[];
}

/** Numbers of the nodes that are on, ascending, by layer. */
export type KeptNodes = readonly Int32Array[];

/** How sub-networks are drawn. */
export interface NodeSampling {
  /** p: share of the hidden nodes that are off, in [0, 1). */
  readonly sparsity: number;
  /**
   * `exact`: k = max(1, round((1 − p)·h)) nodes in every layer of h. `composed`: as many nodes in
   * all, spread over the layers at random. Default: `exact`.
   */
  readonly widths?: 'exact' | 'composed';
}

/** The node space of a parent network. */
export class NodeSpace {
  /** The layers whose nodes can be off. */
  readonly layers: readonly NodeLayer[];
  /** A binary gene for each node. */
  readonly space: SearchSpace<KeptNodes>;
  /** By weight and axis: the node of each index, or −1. */
  readonly #owners = new Map<string, Map<number, Int32Array>>();
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  /**
   * @param example an input of the network; only its shape matters
   * @throws Error when no layer has nodes that could go
   */
  constructor(model: Layer, example: Tensor) {
    const state = stateOf(model);
    this.#shapes = new Map(Object.entries(state).map(([name, { shape }]) => [name, shape]));
    const groups = dependencyGroups((x) => model.forward(x, inference), [example], state).filter(
      ({ channels }) => channels.length > 1,
    );
    if (groups.length === 0) throw new Error('the network has no hidden nodes that could be left out');
    let first = 0;
    this.layers = groups.map(({ members, channels }) => {
      channels.forEach((slices, node) => {
        for (const { weight, axis, index } of slices)
          this.#ownersOf(weight, axis, state[weight] as Tensor)[index] = first + node;
      });
      const output = members.find((member) => member.endsWith('weight:0')) ?? (members[0] as string);
      const layer = { name: output.replace(/(\.weight)?:\d+$/, ''), nodes: channels.length, first, members };
      first += channels.length;
      return layer;
    });
    const genes = this.layers.flatMap(({ name, nodes }) =>
      Array.from({ length: nodes }, (_, node) => ({ name: `${name} node ${node}`, choices: 2 })),
    );
    this.space = new SearchSpace(genes, (genome) => this.#decode(genome));
  }

  /** H: number of hidden nodes of the parent. */
  get nodes(): number {
    return this.space.genes.length;
  }

  /** k of each layer. @throws RangeError unless 0 ≤ p < 1 */
  widths(sparsity: number): number[] {
    if (!(sparsity >= 0 && sparsity < 1))
      throw new RangeError(`the share of nodes that are off must be in [0, 1), got ${sparsity}`);
    return this.layers.map(({ nodes }) => Math.max(1, Math.round((1 - sparsity) * nodes)));
  }

  /** Draws a genome with exactly as many nodes as the sparsity says. */
  sample(random: Random, { sparsity, widths = 'exact' }: NodeSampling): Genome {
    const exact = this.widths(sparsity);
    const own = widths === 'exact' ? exact : this.#composed(exact, random);
    const genome = new Int32Array(this.nodes);
    this.layers.forEach(({ first, nodes }, at) => {
      for (const node of random.sample(nodes, own[at] as number)) genome[first + node] = 1;
    });
    return genome;
  }

  /** As many nodes in all as `exact`, spread over the layers: at least one each, at most all. */
  #composed(exact: readonly number[], random: Random): number[] {
    const widths = new Array<number>(exact.length).fill(0);
    let left = exact.reduce((sum, width) => sum + width, 0);
    let room = this.nodes;
    let layers = exact.length;
    for (const at of random.permutation(exact.length)) {
      const { nodes } = this.layers[at] as NodeLayer;
      room -= nodes;
      layers -= 1;
      const [least, most] = [Math.max(1, left - room), Math.min(nodes, left - layers)];
      widths[at] = least + random.integer(most - least + 1);
      left -= widths[at] as number;
    }
    return widths;
  }

  #decode(genome: Genome): KeptNodes {
    return this.layers.map(({ first, nodes }) =>
      Int32Array.from({ length: nodes }, (_, node) => node).filter((node) => genome[first + node] === 1),
    );
  }

  /** Indices along an axis of a weight that remain; undefined where all do. */
  keptIndices(weight: string, axis: number, kept: KeptNodes): Int32Array | undefined {
    const owners = this.#owners.get(weight)?.get(axis);
    if (!owners) return undefined;
    const on = this.#on(kept);
    return Int32Array.from(owners.keys()).filter((index) => {
      const node = owners[index] as number;
      return node < 0 || on[node] === 1;
    });
  }

  /**
   * The weights that nodes take part in, without the slices of those that are off: give them to
   * `replaceWeights`.
   *
   * @param state weights of the parent, whose bits are kept
   * @param rescale whether the inputs of layers are scaled by √(h/k), which keeps the variance of
   * pre-activations. Default: false
   * @param except a layer that is left whole
   * @throws RangeError for a layer without a node
   */
  cut(
    state: Weights,
    kept: KeptNodes,
    { rescale = false, except }: { readonly rescale?: boolean; readonly except?: string | undefined } = {},
  ): Record<string, Tensor> {
    const empty = kept.findIndex(({ length }) => length === 0);
    if (empty >= 0) throw new RangeError(`layer "${this.layers[empty]?.name}" would keep no node`);
    const result: Record<string, Tensor> = {};
    for (const [name, axes] of this.#owners) {
      if (except !== undefined && name.startsWith(`${except}.`)) continue;
      const weight = state[name] as Tensor;
      const indices = weight.shape.map((_, axis) => this.keptIndices(name, axis, kept));
      const part = subTensor(weight, indices);
      const factor = rescale && axes.has(1) ? Math.sqrt((weight.shape[1] as number) / (part.shape[1] as number)) : 1;
      result[name] = factor === 1 ? part : multiply(part, factor);
    }
    return result;
  }

  /**
   * The sum over the elements of each node's weights of values by weight, [H].
   *
   * @param values row-major, as the weights; those that are missing count as 0
   */
  sums(values: ReadonlyMap<string, Float32Array>): Float64Array {
    const sums = new Float64Array(this.nodes);
    for (const [name, axes] of this.#owners)
      for (const [axis, owners] of axes) {
        const inner = sizeOf((this.#shapes.get(name) as readonly number[]).slice(axis + 1));
        values.get(name)?.forEach((value, at) => {
          const node = owners[Math.floor(at / inner) % owners.length] as number;
          if (node >= 0) sums[node] = (sums[node] as number) + value;
        });
      }
    return sums;
  }

  /** Number of parameters of a sub-network. @param parameters those of the parent */
  sizeOf(parameters: Weights, kept: KeptNodes): number {
    return Object.entries(parameters).reduce((sum, [name, { shape }]) => {
      const sides = shape.map((length, axis) => this.keptIndices(name, axis, kept)?.length ?? length);
      return sum + sides.reduce((product, side) => product * side, 1);
    }, 0);
  }

  /**
   * The sparsity whose sub-networks have as nearly so many parameters as widths allow, in steps of
   * 0.005 from 0.
   *
   * @param parameters those of the parent
   */
  sparsityOf(parameters: Weights, size: number): number {
    let best = { sparsity: 0, off: Number.POSITIVE_INFINITY };
    for (let step = 0; step < 200; step++) {
      const sparsity = step / 200;
      const kept = this.widths(sparsity).map((width) => Int32Array.from({ length: width }, (_, node) => node));
      const off = Math.abs(this.sizeOf(parameters, kept) - size);
      if (off < best.off) best = { sparsity, off };
    }
    return best.sparsity;
  }

  #on(kept: KeptNodes): Uint8Array {
    const on = new Uint8Array(this.nodes);
    kept.forEach((nodes, at) => {
      for (const node of nodes) on[(this.layers[at] as NodeLayer).first + node] = 1;
    });
    return on;
  }

  #ownersOf(weight: string, axis: number, { shape }: Tensor): Int32Array {
    const axes = this.#owners.get(weight) ?? new Map<number, Int32Array>();
    this.#owners.set(weight, axes);
    const owners = axes.get(axis) ?? new Int32Array(shape[axis] as number).fill(-1);
    axes.set(axis, owners);
    return owners;
  }
}

/** Share of the weights (of two axes or more) that a part of a network lacks. */
export function weightSparsity(parent: Weights, part: Weights): number {
  const weights = (state: Weights) =>
    Object.values(state).reduce((sum, { rank, size }) => sum + (rank > 1 ? size : 0), 0);
  return 1 - weights(part) / weights(parent);
}
