// A network that generates the weights of another one: Θ = H(C; Φ).
//
//   condition → [encoding] → tokens (one for each part, with its embedding) → trunk → generator →
//   named weights [+ θ⁰]
//
// The design choices follow Chauhan, Zhou, Lu, Molaei, Clifton, "A Brief Review of Hypernetworks in
// Deep Learning", 2023: the condition, how weights are generated, whether conditions vary, whether
// targets vary, and the trunk. The target is any module, unchanged: its weights are substituted for
// the call.

import {
  Conv2d,
  inference,
  LayerNorm,
  Linear,
  type Mode,
  parameter,
  parameterCount,
  parameterOwners,
  type Weights,
  withWeights,
} from '../nn/index.js';
import {
  add,
  concatenate,
  formatShape,
  type Random,
  reshape,
  type Shape,
  slice,
  type Tensor,
} from '../tensor/index.js';
import { type Condition, type Encoding, encodeCondition, encodedSize } from './condition.js';
import { type Generator, once, type Strategy } from './generator.js';
import { freshBase, type HypernetInit, initializeOutputs } from './init.js';
import { Layout, type Selection, selectParameters } from './layout.js';
import { mlpTrunk, type Trunk, type TrunkFactory } from './trunk.js';

/** Options of `Hypernet`. */
export interface HypernetOptions {
  /** Default: an MLP of widths [100, 100]. */
  readonly trunk?: TrunkFactory;
  /** Default: `once()`, all weights with one output layer. */
  readonly generator?: Strategy;
  /** Initialisation of the output layers. Default: `hyperfan-in`. */
  readonly init?: HypernetInit;
  /** Encoding of conditions in [0, 1]. Default: `none`. */
  readonly encoding?: Encoding;
  /**
   * θ⁰, trainable weights added to the generated ones: `fresh` initial values, the `target`'s
   * current values, or `none`. θ⁰ takes the place of the biases of the output layers, which are
   * left out. Default: `none`.
   */
  readonly residual?: 'none' | 'fresh' | 'target';
  /** Which weights are generated; the target's other weights are trained directly. Default: all. */
  readonly select?: Selection;
}

/** Layers that support a batch of weight sets in one call. */
const batchable = [Linear, Conv2d, LayerNorm];

/**
 * A network H that generates the weights of a target from a condition: Θ = H(C; Φ), or θ⁰ + H(C;
 * Φ). Ha, Dai, Le, "HyperNetworks", ICLR 2017.
 */
export class Hypernet<Target extends object, Input = Tensor> {
  /** Maps inputs to condition vectors. */
  readonly condition: Condition<Input>;
  /** Tokens [B, K, d + e] → features [B, K, h]. */
  readonly trunk: Trunk;
  /** Features [B, K, h] → weights. */
  readonly generator: Generator;
  /** θ⁰ by name; undefined without a residual. */
  readonly base: Record<string, Tensor> | undefined;
  /** Weights of the target that are not generated but trained directly. */
  readonly rest: Record<string, Tensor>;
  /** Encoding of the condition vectors. */
  readonly encoding: Encoding;
  /** Names, shapes and offsets of the generated weights. */
  readonly layout: Layout;
  readonly #target: Target;
  readonly #batched: boolean;

  constructor(
    target: Target,
    condition: Condition<Input>,
    random: Random,
    {
      trunk = mlpTrunk([100, 100]),
      generator = once(),
      init = 'hyperfan-in',
      encoding = 'none',
      residual = 'none',
      select,
    }: HypernetOptions = {},
  ) {
    const values = selectParameters(target, select);
    const names = new Set(Object.keys(values));
    const owners = parameterOwners(target);
    this.#target = target;
    this.#batched = owners.every(
      ({ name, owner }) => !names.has(name) || batchable.some((layer) => owner instanceof layer),
    );
    this.layout = new Layout(Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, shape])));
    this.rest = Object.fromEntries(
      owners.filter(({ name }) => !names.has(name)).map(({ name, tensor }) => [name, tensor]),
    );
    this.condition = condition;
    this.encoding = encoding;
    this.trunk = trunk(encodedSize(condition.size, encoding) + generator.embeddingSize, random.split('trunk'));
    this.generator = generator.create(this.layout, this.trunk.outFeatures, random.split('generator'));
    const outputs = this.generator.outputs();
    initializeOutputs(outputs, this.layout, values, init, random.split('init'));
    // θ⁰ is the bias of the output layers: with both it would count twice, and move twice a step.
    if (residual !== 'none') for (const { layer } of outputs) layer.bias = undefined;
    this.base =
      residual === 'none'
        ? undefined
        : residual === 'fresh'
          ? freshBase(this.layout, random.split('base'))
          : Object.fromEntries(Object.entries(values).map(([name, value]) => [name, parameter(value.clone())]));
  }

  /** Number of trainable parameters: Φ, θ⁰ and those of the condition, without `rest`. */
  get size(): number {
    return parameterCount(this) - parameterCount(this.rest);
  }

  /**
   * Replaces the values of θ⁰, e.g. by those of a checkpoint.
   *
   * @throws Error without a residual, or listing names that are missing or unknown, or a tensor of
   * another shape
   */
  setBase(weights: Weights): void {
    const base = this.#requireBase();
    this.layout.pack(weights);
    for (const [name, weight] of Object.entries(base)) weight.assign(weights[name] as Tensor);
  }

  /**
   * Whether θ⁰ is kept as it is while the rest trains; it stays part of the state.
   *
   * @throws Error without a residual
   */
  freezeBase(frozen = true): void {
    for (const weight of Object.values(this.#requireBase())) weight.role = frozen ? 'buffer' : 'parameter';
  }

  #requireBase(): Record<string, Tensor> {
    if (!this.base) throw new Error("hypernet: there is no θ⁰; create it with residual: 'fresh' or 'target'");
    return this.base;
  }

  /**
   * Generates weights for B conditions, by name, each [B, …shape].
   *
   * @param shapes of another target, for generators that support it (`described`)
   * @throws Error when `shapes` are given and the generator does not support them, or θ⁰ exists
   */
  generate(input: Input, { mode = inference, shapes }: { mode?: Mode; shapes?: Readonly<Record<string, Shape>> } = {}) {
    const layout = shapes && new Layout(shapes);
    const code = encodeCondition(this.condition.forward(input, mode), this.encoding);
    const features = this.trunk.forward(this.generator.tokens(code, layout));
    const made = this.generator.weights(features, layout);
    const { base } = this;
    if (!base) return made;
    if (shapes) throw new Error('hypernet: θ⁰ has the shapes of the first target; leave the residual out for others');
    return Object.fromEntries(Object.entries(made).map(([name, weight]) => [name, add(weight, base[name] as Tensor)]));
  }

  /**
   * Runs the target with generated weights; with B conditions, each network is applied to its own n
   * rows of x.
   *
   * @param x [B·n, …], the rows of the first condition first
   * @param fn forward pass of the target, e.g. `(live, x) => live.forward(x)`
   * @throws Error when the rows are not divisible by the number of conditions
   */
  run(input: Input, x: Tensor, fn: (live: Target, x: Tensor) => Tensor, mode: Mode = inference): Tensor {
    return this.apply(this.generate(input, { mode }), x, fn);
  }

  /** Like `run`, with weights that were generated before. */
  apply(weights: Weights, x: Tensor, fn: (live: Target, x: Tensor) => Tensor): Tensor {
    const networks = this.#networksOf(weights);
    const target = this.#target;
    const rows = x.shape[0] as number;
    if (rows % networks !== 0)
      throw new Error(
        `hypernet: ${formatShape(x.shape)} holds ${rows} rows, which do not divide among ${networks} conditions`,
      );
    if (networks > 1 && this.#batched)
      return withWeights(target, { ...this.rest, ...weights }, (live) => fn(live, x), networks);
    const each = rows / networks;
    const results = Array.from({ length: networks }, (_, i) =>
      withWeights(target, { ...this.rest, ...weightsOf(weights, i) }, (live) =>
        fn(live, slice(x, [i * each, (i + 1) * each])),
      ),
    );
    return results.length === 1 ? (results[0] as Tensor) : concatenate(results);
  }

  #networksOf(weights: Weights): number {
    const first = Object.values(weights)[0];
    const networks = first?.shape[0];
    if (!networks) throw new Error('hypernet: no weights were given');
    return networks;
  }
}

/** The weights of one of B networks: [B, …shape] → […shape]. */
export function weightsOf(weights: Weights, network: number): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [
      name,
      reshape(slice(weight, [network, network + 1]), weight.shape.slice(1)),
    ]),
  );
}
