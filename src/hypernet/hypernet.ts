// A network that makes the weights of another one: Θ = H(C; Φ).
//
//   condition → [encoding] → tokens (one a part, with its embedding) → trunk → generator → named weights [+ θ⁰]
//
// The five choices are those by which Chauhan, Zhou, Lu, Molaei, Clifton order the field ("A Brief Review of Hypernetworks in Deep Learning", 2023): what conditions it, how weights are made, whether conditions vary,
// whether targets vary, and the hypernetwork's own architecture. The target is any module, unchanged: weights are values.

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

export interface HypernetOptions {
  /** A perceptron [100, 100] when left out. */
  readonly trunk?: TrunkFactory;
  /** All weights at once when left out. */
  readonly generator?: Strategy;
  readonly init?: HypernetInit;
  /** How conditions in [0, 1] are written. */
  readonly encoding?: Encoding;
  /** θ⁰, added to what is generated: `fresh` weights, the `target`'s own, or `none`. */
  readonly residual?: 'none' | 'fresh' | 'target';
  /** Which weights are generated; the target's others train as they are. */
  readonly select?: Selection;
}

/** Layers that take several sets of weights at once. */
const batchable = [Linear, Conv2d, LayerNorm];

export class Hypernet<Target extends object, Input = Tensor> {
  readonly condition: Condition<Input>;
  readonly trunk: Trunk;
  readonly generator: Generator;
  /** θ⁰ by name; undefined without a residual. */
  readonly base: Record<string, Tensor> | undefined;
  /** Weights of the target that are not generated. */
  readonly rest: Record<string, Tensor>;
  readonly encoding: Encoding;
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
    initializeOutputs(this.generator.outputs(), this.layout, values, init, random.split('init'));
    this.base =
      residual === 'none'
        ? undefined
        : residual === 'fresh'
          ? freshBase(this.layout, random.split('base'))
          : Object.fromEntries(Object.entries(values).map(([name, value]) => [name, parameter(value.clone())]));
  }

  /** Trainable numbers of Φ, with θ⁰ and the condition's; the target's other weights apart. */
  get size(): number {
    return parameterCount(this) - parameterCount(this.rest);
  }

  /**
   * Weights for B conditions, each [B, …shape].
   *
   * @param shapes of another target, for generators that make weights of any (`described`)
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
   * Runs the target with generated weights: for one condition as an ordinary network; for B, each on its own rows of x.
   *
   * @param x [rows, …]; with B conditions [B·n, …], rows of the first condition first
   * @param fn what the target does with x
   */
  run(input: Input, x: Tensor, fn: (live: Target, x: Tensor) => Tensor, mode: Mode = inference): Tensor {
    return this.apply(this.generate(input, { mode }), x, fn);
  }

  /** The same with weights that were generated before. */
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

/** The weights of one of B networks, without the leading axis. */
export function weightsOf(weights: Weights, network: number): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [
      name,
      reshape(slice(weight, [network, network + 1]), weight.shape.slice(1)),
    ]),
  );
}
