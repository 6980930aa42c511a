// A network whose widths and depths are sampled at every pass. All maps keep the channels of the
// full network; those beyond a sampled width are zeros, so that
//
// - one convolution of the full weight gives all widths: its first c outputs are those of the
//   first c filters, and zero inputs take no part, as if they were not there;
// - additions of maps of different widths add the narrower one to the first channels of the wider;
// - a linear layer reads the first c columns of its weight.
//
// So no block has to know that it is searched. What follows a convolution takes the sampled widths
// apart, each with a batch norm of its own, interpolates them to the widest and mixes them.

import { type NetworkShape, nothing } from '../../models/index.js';
import {
  BatchNorm,
  BatchNorm2d,
  Conv2d,
  disposeWeights,
  inference,
  type Layer,
  Linear,
  type Mode,
  parameter,
  placesOf,
  randomOf,
  stateOf,
  type Weights,
} from '../../nn/index.js';
import { type Random, scope, slice, softmax, type Tensor } from '../../tensor/index.js';
import { consumers, type Graph, trace } from '../../trace/index.js';
import { DepthMixture, Draws, type WidthDraw, WidthMixture } from './mixtures.js';
import { argmaxOf, perturbed, sampleRow } from './sampling.js';
import { type Searched, type SearchedGroup, type SearchedStage, type ShapeChoices, shapeChoicesOf } from './space.js';

/** Deviation of initial architecture weights. */
const DEVIATION = 0.01;

/** Options of `TransformableNetwork`. */
export interface TransformableOptions {
  /** K: widths that a layer samples in a pass, at least 1. Default: 2. */
  readonly samples?: number;
  /** What is searched. Default: `both`. */
  readonly search?: Searched;
}

/**
 * A network of sampled widths and depths. In training every pass draws K widths of each group of
 * channels and weighs all depths of each stage; in inference the largest logits decide.
 *
 * The network itself is changed in place; `release` puts it back.
 *
 * **Shapes**: those of the network.
 */
export class TransformableNetwork implements Layer {
  /** α by group [candidates]. */
  readonly alpha: Record<string, Tensor> = {};
  /** β by stage [candidates]. */
  readonly beta: Record<string, Tensor> = {};
  /** τ of the Gumbel softmax. */
  temperature = 5;
  readonly #space: ShapeChoices;
  readonly #draws = new Draws();
  readonly #samples: number;
  readonly #undo: (() => void)[] = [];

  /**
   * @param network is changed in place
   * @param example one input; only its shape matters
   * @throws Error where nothing can be searched, or channels that are left out would not stay zeros
   */
  constructor(
    readonly network: Layer,
    example: Tensor,
    random: Random,
    { samples = 2, search = 'both' }: TransformableOptions = {},
  ) {
    if (!(Number.isInteger(samples) && samples >= 1))
      throw new RangeError(`the number of sampled widths must be a whole number of at least 1, got ${samples}`);
    this.#samples = samples;
    this.#space = shapeChoicesOf(network, example, random, search);
    const { groups, stages } = this.#space;
    const row = (name: string, count: number) => parameter(random.split(name).normal([count], 0, DEVIATION));
    for (const { name, candidates } of groups)
      if (candidates.length > 1) this.alpha[name] = row(`width ${name}`, candidates.length);
    for (const { name, candidates } of stages)
      if (candidates.length > 1) this.beta[name] = row(`depth ${name}`, candidates.length);
    const weights = stateOf(network);
    const follows = normsAfter(network, example, weights);
    for (const [at, group] of groups.entries()) if (group.candidates.length > 1) this.#mixWidths(at, group, follows);
    for (const [at, stage] of stages.entries()) if (stage.candidates.length > 1) this.#mixDepths(at, stage);
    try {
      this.#requireZeros(example, weights, random);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** What is searched. */
  get space(): ShapeChoices {
    return this.#space;
  }

  /** Architecture weights by name: α and β. */
  architecture(): Weights {
    const named = (prefix: string, rows: Readonly<Record<string, Tensor>>) =>
      Object.entries(rows).map(([name, own]) => [`${prefix}.${name}`, own] as const);
    return Object.fromEntries([...named('alpha', this.alpha), ...named('beta', this.beta)]);
  }

  /** Draws widths and depths, and runs the network with them. */
  forward(x: Tensor, mode: Mode): Tensor {
    if (mode.training) this.#sample(randomOf(mode, 'TransformableNetwork'));
    else this.#fix(this.shape());
    return this.network.forward(x, mode);
  }

  /** Runs the network with the widths and depths of a shape of candidates, without a draw. */
  forwardAs(shape: NetworkShape, x: Tensor, mode: Mode): Tensor {
    this.#fix(shape);
    return this.network.forward(x, mode);
  }

  /** The widths and depths of the largest logits. */
  shape(): NetworkShape {
    const chosen = (rows: Readonly<Record<string, Tensor>>, { name, candidates }: SearchedGroup | SearchedStage) => {
      const row = rows[name];
      return [name, candidates[row ? argmaxOf(row) : candidates.length - 1] as number] as const;
    };
    return {
      widths: Object.fromEntries(this.#space.groups.map((group) => chosen(this.alpha, group))),
      depths: Object.fromEntries(this.#space.stages.map((stage) => chosen(this.beta, stage))),
    };
  }

  /** Logits of all groups and stages in order; a row of one zero where there is no choice. */
  logits(none: Tensor): { readonly widths: readonly Tensor[]; readonly depths: readonly Tensor[] } {
    return {
      widths: this.#space.groups.map(({ name }) => this.alpha[name] ?? none),
      depths: this.#space.stages.map(({ name }) => this.beta[name] ?? none),
    };
  }

  /** Puts the network back as it was made, with the weights that it has now, and frees the rest. */
  release(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo.length = 0;
    disposeWeights(this.architecture());
  }

  #sample(random: Random): void {
    const { groups, stages } = this.#space;
    this.#draws.widths.length = 0;
    for (const { name, candidates } of groups) {
      const row = this.alpha[name];
      if (!row) this.#draws.widths.push({ chosen: [0], most: candidates[0] as number });
      else {
        const { chosen, weights } = sampleRow(row, this.temperature, this.#samples, random.split(`width ${name}`));
        const most = Math.max(...chosen.map((at) => candidates[at] as number));
        this.#draws.widths.push({ chosen, weights, most });
      }
    }
    for (const [at, { name, blocks }] of stages.entries()) {
      const row = this.beta[name];
      this.#draws.depths[at] = row ? softmax(perturbed(row, this.temperature, random.split(`depth ${name}`))) : blocks;
    }
  }

  #fix({ widths, depths }: NetworkShape): void {
    const { groups, stages } = this.#space;
    this.#draws.widths.length = 0;
    for (const { name, candidates } of groups) {
      const at = candidates.indexOf(widths[name] ?? (candidates.at(-1) as number));
      if (at < 0) throw new RangeError(`"${name}" has the widths ${candidates.join(', ')}, got ${widths[name]}`);
      this.#draws.widths.push({ chosen: [at], most: candidates[at] as number });
    }
    for (const [at, { name, blocks }] of stages.entries()) this.#draws.depths[at] = depths[name] ?? blocks;
  }

  /** Replaces a field of a module until `release`. */
  #replace(owner: Record<string, unknown>, key: string, by: unknown, free: () => void = () => undefined): void {
    const own = owner[key];
    owner[key] = by;
    this.#undo.push(() => {
      owner[key] = own;
      free();
    });
  }

  /**
   * Mixes the widths of a group where its channels are made: in the place of norms, and after
   * layers that no norm of the group follows.
   */
  #mixWidths(at: number, group: SearchedGroup, follows: ReadonlyMap<string, string>): void {
    const members = new Set(group.slices.flat().flatMap(({ axis, weight }) => (axis === 0 ? [pathOf(weight)] : [])));
    for (const { name, owner, key, layer } of placesOf(this.network, isMaker)) {
      if (!members.has(name)) continue;
      if (layer instanceof BatchNorm) {
        const norms = group.candidates.map((width) => normOf(layer, width));
        const free = () => disposeWeights(stateOf(norms));
        this.#replace(owner, key, new WidthMixture(this.#draws, group, at, undefined, norms), free);
      } else if (!members.has(follows.get(name) ?? ''))
        this.#replace(owner, key, new WidthMixture(this.#draws, group, at, layer, undefined));
    }
  }

  #mixDepths(at: number, stage: SearchedStage): void {
    const { layers, first, blocks, candidates, outputs, paths } = stage;
    if (candidates.length === 1) return;
    const own = layers.slice(first, first + blocks);
    const crossings = paths.map((path) => this.#space.crossings.find(({ name }) => name === path));
    const widthOf = (block: number): number => {
      const group = outputs[block];
      if (group === undefined) return Number.POSITIVE_INFINITY;
      const made = (this.#draws.widths[group] as WidthDraw).most;
      const crossing = crossings[block];
      if (!crossing) return made;
      const { kind, at: number } = crossing.input;
      const before =
        block > 0
          ? widthOf(block - 1)
          : kind === 'stage'
            ? (this.#draws.given[number] as number)
            : (this.#draws.widths[number] as WidthDraw).most;
      return Math.max(before, made);
    };
    const mixture = new DepthMixture(this.#draws, stage, at, own, widthOf);
    const fields = layers as unknown as Record<string, unknown>;
    this.#replace(fields, String(first), 'forward' in (own[0] as object) ? mixture : [mixture]);
    for (let block = 1; block < blocks; block++) this.#replace(fields, String(first + block), nothing);
  }

  /**
   * Runs the narrowest network and looks at what layers read.
   *
   * @throws Error naming a layer that reads something else than zeros where channels are left out
   */
  #requireZeros({ shape }: Tensor, weights: Weights, random: Random): void {
    const { groups, stages } = this.#space;
    const narrow = {
      widths: Object.fromEntries(groups.map(({ name, candidates }) => [name, candidates[0] as number])),
      depths: Object.fromEntries(stages.map(({ name, blocks }) => [name, blocks])),
    };
    const left = new Map<string, number[]>();
    for (const { slices, candidates } of groups)
      for (const { weight, axis, index } of slices.slice(candidates[0]).flat())
        if (axis === 1) left.set(weight, [...(left.get(weight) ?? []), index]);
    scope(() => {
      const x = random.split('example').normal(shape);
      trace(
        (input) => this.forwardAs(narrow, input, inference),
        [x],
        weights,
        (graph) => requireZeros(graph, left),
      );
    });
  }
}

function requireZeros({ nodes }: Graph, left: ReadonlyMap<string, readonly number[]>): void {
  for (const { inputs } of nodes) {
    const [x, weight] = inputs;
    const [name] = weight?.origins ?? [];
    const channels = name === undefined ? undefined : left.get(name);
    if (!x || !weight || name === undefined || !channels || weight.tensor.rank < 2 || x.shape.length < 2) continue;
    const axis = weight.tensor.rank === 2 ? x.shape.length - 1 : 1;
    const inner = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const outer = x.shape.slice(0, axis).reduce((a, b) => a * b, 1);
    const length = x.shape[axis] as number;
    const values = x.tensor.dataSync<Float32Array>();
    for (let o = 0; o < outer; o++)
      for (const channel of channels) {
        const start = (o * length + channel) * inner;
        if (values.subarray(start, start + inner).some((value) => value !== 0))
          throw new Error(
            `the channels that "${pathOf(name)}" reads cannot change: what is left out of them does not stay zero on the way, as after an activation f with f(0) ≠ 0`,
          );
      }
  }
}

const isMaker = (value: unknown): value is Conv2d | Linear | BatchNorm =>
  value instanceof Conv2d || value instanceof Linear || value instanceof BatchNorm;

/** The path of the layer that holds a weight. */
const pathOf = (weight: string) => weight.slice(0, Math.max(0, weight.lastIndexOf('.')));

/** A norm of the first channels of another. */
function normOf(norm: BatchNorm, width: number): BatchNorm {
  const { epsilon, momentum } = norm;
  const made = new (norm instanceof BatchNorm2d ? BatchNorm2d : BatchNorm)(width, { epsilon, momentum });
  scope(() => {
    for (const field of ['weight', 'bias', 'runningMean', 'runningVariance'] as const)
      made[field].assign(slice(norm[field], [0, width]));
  });
  return made;
}

/** The norm that alone reads what a layer gives, by layer. */
function normsAfter(model: Layer, example: Tensor, weights: Weights): Map<string, string> {
  const norms = new Set(placesOf(model, (own): own is BatchNorm => own instanceof BatchNorm).map(({ name }) => name));
  return trace(
    (x) => model.forward(x, inference),
    [example],
    weights,
    (graph) => {
      const readers = consumers(graph);
      const found = new Map<string, string>();
      for (const node of graph.nodes) {
        const name = node.inputs.flatMap(({ origins }) => origins).map(pathOf)[0];
        const [output] = node.outputs;
        const next = output ? (readers.get(output) ?? []) : [];
        const norm = next[0]?.inputs.flatMap(({ origins }) => origins.map(pathOf)).find((own) => norms.has(own));
        if (name !== undefined && next.length === 1 && norm !== undefined) found.set(name, norm);
      }
      return found;
    },
  );
}
