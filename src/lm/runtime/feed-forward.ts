// Feed-forward layers of a decoder on weights of any format: dense, a mixture of experts, or MoE++
// with zero-computation experts.

import {
  DispatchPlan,
  type ExpertActivation,
  type ExpertContext,
  groupCount,
  openLogits,
  type Routing,
  regrouped,
  routeTopK,
} from '../../nn/experts/index.js';
import { keep, Random, reshape, type Tensor } from '../../tensor/index.js';
import { MoEPlusPlus, type MoEPlusPlusOptions } from '../moepp.js';
import { loadBlocks } from './block-feed-forward.js';
import { gateModeOf, type LanguageModelConfig } from './config.js';
import { bytesOf, type GatedWeights, gated, MatrixExperts, matricesOf, type Wanted } from './expert-set.js';
import type { Loader } from './loader.js';
import type { WeightMatrix } from './matrix.js';

/** A feed-forward layer for inference. */
export interface RuntimeFeedForward {
  /** Weight matrices in the order of their use. */
  readonly matrices: readonly WeightMatrix[];
  /** Bytes of weights that one token reads. */
  readonly bytesPerToken: number;
  /** Neurons behind gates in passes of one token, and those whose gate was closed. */
  readonly neurons?: { readonly all: number; readonly closed: number };
  /**
   * Experts and gates of an early router, from the layer's input before its attention [tokens,
   * features]; kept until `release`. Undefined for all others.
   */
  routeEarly(input: Tensor): EarlyRouting | undefined;
  /**
   * x [tokens, features] → [tokens, features]. `context` carries router logits from layer to layer.
   *
   * @param early what `routeEarly` gave
   */
  forward(x: Tensor, context: ExpertContext, early?: EarlyRouting): Tensor;
}

/** Experts and gates of tokens, known before attention. */
export interface EarlyRouting extends Pick<Routing, 'experts' | 'gates'> {
  /** Experts that are read ahead, if any are. */
  readonly wanted: Wanted | undefined;
  /** Frees them, and what was read ahead for them. */
  release(): void;
}

class Dense implements RuntimeFeedForward {
  readonly matrices: readonly WeightMatrix[];

  constructor(
    readonly weights: GatedWeights,
    readonly activation: ExpertActivation,
  ) {
    this.matrices = matricesOf(weights);
  }

  get bytesPerToken(): number {
    return bytesOf(this.matrices);
  }

  routeEarly(): undefined {}

  forward(x: Tensor): Tensor {
    return gated(this.weights, x, this.activation);
  }
}

/** A mixture of experts of which a token reads k. */
abstract class Mixture implements RuntimeFeedForward {
  constructor(
    readonly experts: MatrixExperts,
    readonly k: number,
  ) {}

  get matrices(): WeightMatrix[] {
    return this.experts.weights.flatMap(matricesOf);
  }

  get neurons() {
    return this.experts.neurons;
  }

  get bytesPerToken(): number {
    return bytesOf(this.experts.weights.slice(0, this.k).flatMap(matricesOf));
  }

  routeEarly(_input: Tensor): EarlyRouting | undefined {
    return undefined;
  }

  abstract forward(x: Tensor, context: ExpertContext, early?: EarlyRouting): Tensor;
}

class TopK extends Mixture {
  /** @param groups group of each router output; each output has its own expert when left out */
  constructor(
    experts: MatrixExperts,
    readonly router: WeightMatrix,
    readonly options: NonNullable<LanguageModelConfig['experts']>,
    readonly groups?: readonly number[],
  ) {
    super(experts, options.k);
  }

  override get matrices(): WeightMatrix[] {
    return [this.router, ...super.matrices];
  }

  override routeEarly(input: Tensor): EarlyRouting | undefined {
    if (!this.options.early) return undefined;
    const { experts, gates } = this.#route(input);
    for (const one of [experts, gates]) keep(one);
    const wanted = this.experts.readAhead === 'early' ? this.experts.want(experts) : undefined;
    const release = () => {
      wanted?.end();
      experts.dispose();
      gates.dispose();
    };
    return { experts, gates, wanted, release };
  }

  #route(x: Tensor): Routing {
    const logits = this.router.multiply(x);
    const open = this.groups ? openLogits(logits, this.groups) : logits;
    const chosen = routeTopK(open, this.options.k, gateModeOf(this.options));
    return this.groups ? regrouped(chosen, this.groups) : chosen;
  }

  forward(x: Tensor, _: ExpertContext, early?: EarlyRouting): Tensor {
    const { experts, gates } = early ?? this.#route(x);
    const wanted = early?.wanted ?? this.experts.want(experts);
    try {
      if (x.shape[0] === 1 && this.experts.isSparse)
        return this.experts.forwardOne(x, experts.view<Int32Array>(), gates.view<Float32Array>(), wanted);
      const plan = new DispatchPlan(experts, this.experts.count);
      return plan.combine(this.experts.forward(plan.gather(x), plan, wanted), gates);
    } finally {
      wanted.end();
    }
  }
}

class ZeroComputation extends Mixture {
  readonly #layer: MoEPlusPlus<MatrixExperts>;

  constructor(loader: Loader, layer: number, features: number, experts: MatrixExperts, options: MoEPlusPlusOptions) {
    super(experts, options.k ?? 2);
    const mixture = new MoEPlusPlus(features, options, new Random(0), { experts });
    const { weight } = mixture.router;
    mixture.router.weight = reshape(loader.vector('router', layer, weight.size), weight.shape);
    if (mixture.routerHidden)
      mixture.routerHidden.weight = reshape(
        loader.vector('routerHidden', layer, mixture.routerHidden.weight.size),
        mixture.routerHidden.weight.shape,
      );
    if (mixture.residual)
      mixture.residual = reshape(loader.vector('residual', layer, mixture.count ** 2), [mixture.count, mixture.count]);
    const { constant = 0 } = options.experts;
    if (constant > 0) {
      mixture.constantGate = reshape(loader.vector('constantGate', layer, 2 * constant * features), [
        constant,
        2,
        features,
      ]);
      mixture.constants = reshape(loader.vector('constants', layer, constant * features), [constant, features]);
    }
    this.#layer = mixture;
  }

  forward(x: Tensor, context: ExpertContext): Tensor {
    const routing = this.#layer.route(x, context);
    context.logits = routing.logits;
    return this.#layer.compute(x, routing, this.#layer.dispatch(routing));
  }
}

/** Loads the feed-forward part of a layer. @throws Error naming a missing weight. */
export function loadFeedForward(loader: Loader, config: LanguageModelConfig, layer: number): RuntimeFeedForward {
  const { features, hidden, experts, activation = 'swiglu' } = config;
  const hasGate = activation !== 'relu2';
  if (config.blocks) return loadBlocks(loader, config, layer);
  if (!experts) {
    const weights = {
      gate: hasGate ? loader.matrix('gate', layer, [hidden, features]) : undefined,
      up: loader.matrix('up', layer, [hidden, features]),
      down: loader.matrix('down', layer, [features, hidden]),
    };
    return new Dense(weights, activation);
  }
  const groups = experts.groups?.[layer];
  const count = groups ? groupCount(groups) : experts.count;
  // ReLU behind the gate leaves most neurons at 0: they need single rows.
  const sparse = activation === 'reglu' && !experts.groups && !experts.zeroComputation;
  const all = (role: 'gate' | 'up' | 'down') => loader.experts(role, layer, count, sparse);
  const gates = hasGate ? all('gate') : undefined;
  const [ups, downs] = [all('up'), all('down')];
  const weights = ups.map((up, i): GatedWeights => ({ gate: gates?.[i], up, down: downs[i] as WeightMatrix }));
  const set = new MatrixExperts(weights, features, activation, experts.k);
  if (experts.zeroComputation) return new ZeroComputation(loader, layer, features, set, experts.zeroComputation);
  return new TopK(set, loader.matrix('router', layer, [experts.count, features]), experts, groups);
}
