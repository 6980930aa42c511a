// MoE++: zero-computation experts beside feed-forward ones, so that easy tokens use less compute
// (Jin, Zhu, Yuan, Yan: MoE++: Accelerating Mixture-of-Experts Methods with Zero-Computation
// Experts, ICLR 2025).
//
// Experts, in the order of the authors' checkpoint: feed-forward; constant E(x) = α₁x + α₂v with
// [α₁, α₂] = softmax(W_c x); copy E(x) = x; zero E(x) = 0, the last.
//
// Gating residual: ℓʲ = Wʲx + W_gʲ·ℓʲ⁻¹ adds the router logits of the previous layer.
//
// Load-balance loss: L = N/k·Σ ηᵢ·fᵢ·Pᵢ with η = 1 for feed-forward experts and τ for
// zero-computation ones: the smaller τ, the fewer feed-forward experts a token uses.

import {
  DispatchPlan,
  type ExpertActivation,
  ExpertBank,
  type ExpertContext,
  type ExpertLayer,
  type ExpertSet,
  loadBalanceLoss,
  type Routing,
  renormalised,
  routeTopK,
  usageOf,
} from '../nn/experts/index.js';
import { Linear, parameter } from '../nn/index.js';
import {
  add,
  divide,
  matmul,
  mean,
  multiply,
  putAlong,
  type Random,
  reshape,
  sigmoid,
  slice,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from '../tensor/index.js';

/** Hidden units of a router of two layers, for each expert. */
const HIDDEN_ROUTER = 8;

/** Hyperparameters of `MoEPlusPlus`. */
export interface MoEPlusPlusOptions {
  /** Number of experts by kind. Default: no constant, 1 copy, 1 zero. */
  readonly experts: {
    readonly feedForward: number;
    readonly constant?: number;
    readonly copy?: number;
    readonly zero?: number;
  };
  /** Experts per token. Default: 2. */
  readonly k?: number;
  /** Hidden dimension of a feed-forward expert. */
  readonly hidden: number;
  /** Activation of the feed-forward experts. Default: that of `ExpertBank`. */
  readonly activation?: ExpertActivation;
  /** τ ∈ (0, 1]: weight of zero-computation experts in the load-balance loss. Default: 0.75. */
  readonly tau?: number;
  /**
   * Whether to add the router logits of the previous layer, which must have as many experts.
   * Default: true.
   */
  readonly gatingResidual?: boolean;
  /**
   * Whether the router has a hidden layer of 8N with tanh, W₂·tanh(W₁x), as some of the authors'
   * models do. Default: false.
   */
  readonly twoLayerRouter?: boolean;
  /** Factor of what experts of all kinds read; the authors' models may have k. Default: 1. */
  readonly inputScale?: number;
  /**
   * Standard deviation that each token's logits are scaled to. Default: unscaled. The 7B checkpoint
   * has 1.
   */
  readonly logitScale?: number;
  /**
   * Gate of a chosen zero expert: `renormalise` distributes it over the other chosen experts, as
   * the authors' code does; `keep` loses it from a softmax over the chosen experts (the authors'
   * Mixtral gating); `softmax` loses it from the softmax over all experts. Default: 'renormalise'.
   */
  readonly zeroGate?: 'renormalise' | 'keep' | 'softmax';
  /**
   * γ > 0: in training a feed-forward expert takes at most ⌈γ·k·τ·T/(τ·N_FFN + N_ZC)⌉ slots of T
   * tokens, a zero-computation expert ⌈γ·k·T/(τ·N_FFN + N_ZC)⌉, in token order. A slot beyond adds
   * nothing to its token, whose other gates stay as they are. Default: no limit, which suits small
   * batches; the paper has 1.1.
   */
  readonly capacityFactor?: number;
}

/**
 * A mixture of experts with zero-computation experts, in place of a transformer's feed-forward
 * layer: x [..., d] → [..., d]. Parameters: router [N, d], gating residual [N, N], experts (a new
 * `ExpertBank` unless given), constants. Paper: Jin et al., ICLR 2025.
 */
export class MoEPlusPlus<E extends ExpertSet = ExpertBank> implements ExpertLayer<E> {
  /** W [N, d], without bias; W₂ [N, 8N] behind a hidden layer. */
  readonly router: Linear;
  /** W₁ [8N, d] of a router of two layers. */
  readonly routerHidden: Linear | undefined;
  /** W_g [N, N], initialised to 0; undefined without gating residuals. */
  residual: Tensor | undefined;
  readonly experts: E;
  /** W_c [constants, 2, d]; undefined without constant experts. */
  constantGate: Tensor | undefined;
  /** v [constants, d]; undefined without constant experts. */
  constants: Tensor | undefined;
  /** N: experts of all kinds. */
  readonly count: number;
  /** Index of the first constant, copy and zero expert. */
  readonly #first: { readonly constant: number; readonly copy: number; readonly zero: number };

  constructor(
    readonly features: number,
    readonly options: MoEPlusPlusOptions,
    random: Random,
    { experts }: { readonly experts?: E } = {},
  ) {
    const { feedForward, constant = 0, copy = 1, zero = 1 } = options.experts;
    const { k = 2, tau = 0.75, hidden, activation, gatingResidual = true, capacityFactor = 1 } = options;
    if (feedForward < 1) throw new RangeError('MoE++: at least one feed-forward expert is needed');
    if (!(tau > 0 && tau <= 1)) throw new RangeError(`MoE++: τ must be in (0, 1], got ${tau}`);
    if (!(capacityFactor > 0))
      throw new RangeError(`MoE++: the capacity factor must be positive, got ${capacityFactor}`);
    this.#first = { constant: feedForward, copy: feedForward + constant, zero: feedForward + constant + copy };
    this.count = this.#first.zero + zero;
    if (k > this.count) throw new RangeError(`MoE++: cannot choose ${k} of ${this.count} experts`);
    const { twoLayerRouter = false } = options;
    const hiddenRouter = HIDDEN_ROUTER * this.count;
    if (twoLayerRouter) this.routerHidden = new Linear(features, hiddenRouter, random, { bias: false });
    this.router = new Linear(twoLayerRouter ? hiddenRouter : features, this.count, random, { bias: false });
    if (gatingResidual) this.residual = parameter(zeros([this.count, this.count]));
    this.experts = (experts ?? new ExpertBank(feedForward, features, hidden, random, { activation })) as E;
    if (constant > 0) {
      this.constantGate = parameter(random.uniform([constant, 2, features], -1, 1).multiply(1 / Math.sqrt(features)));
      this.constants = parameter(random.normal([constant, features], 0, 0.02));
    }
  }

  /** η [N]: 1 for feed-forward experts, τ for zero-computation ones. */
  get loadWeights(): Float32Array {
    const { tau = 0.75 } = this.options;
    return Float32Array.from({ length: this.count }, (_, i) => (i < this.experts.count ? 1 : tau));
  }

  forward(x: Tensor, context?: ExpertContext): Tensor {
    const tokens = reshape(x, [-1, this.features]);
    const routing = this.route(tokens, context);
    const plan = this.dispatch(routing, context);
    const y = this.compute(tokens, routing, plan);
    if (context) {
      context.logits = routing.logits;
      context.losses.push(loadBalanceLoss(routing, this.loadWeights));
      context.usage.push(usageOf(tokens, routing, plan));
    }
    return reshape(y, x.shape);
  }

  /**
   * Top-k routing of tokens [T, d]; `context` gives the logits of the previous layer.
   *
   * @throws Error when that layer has another number of experts.
   */
  route(tokens: Tensor, context?: ExpertContext): Routing {
    const own = this.router.forward(this.routerHidden ? tanh(this.routerHidden.forward(tokens)) : tokens);
    const before = context?.logits;
    if (this.residual && before && before.shape[1] !== this.count)
      throw new Error(
        `MoE++: gating residuals need as many experts in every layer; the one before has ${before.shape[1]}, this one ${this.count}`,
      );
    const logits = this.residual && before ? add(own, matmul(before, this.residual, { transposeB: true })) : own;
    const { k = 2, logitScale, zeroGate = 'renormalise' } = this.options;
    const scaled = logitScale === undefined ? logits : standardised(logits, logitScale);
    const routing = routeTopK(scaled, k, zeroGate === 'keep' ? 'renormalised' : 'softmax');
    const open = this.#withoutZeros(routing);
    return { ...routing, gates: zeroGate === 'renormalise' ? renormalised(open) : open, logits };
  }

  /** The gates [T, k] with 0 for zero experts. */
  #withoutZeros({ experts, gates }: Routing): Tensor {
    const ids = experts.view<Int32Array>();
    const kept = new Float32Array(ids.length);
    let closed = false;
    for (let i = 0; i < ids.length; i++)
      if ((ids[i] as number) < this.#first.zero) kept[i] = 1;
      else closed = true;
    return closed ? multiply(gates, tensor(kept, gates.shape)) : gates;
  }

  /** Capacity of each expert [N] for a batch of T tokens; undefined without a limit. */
  capacities(tokens: number): Int32Array | undefined {
    const { capacityFactor, tau = 0.75, k = 2 } = this.options;
    if (capacityFactor === undefined) return undefined;
    const { count } = this.experts;
    const share = (capacityFactor * k * tokens) / (tau * count + this.count - count);
    // What is an integer but for rounding is not raised to the next one.
    return Int32Array.from({ length: this.count }, (_, i) => Math.ceil((i < count ? tau : 1) * share - 1e-9));
  }

  /** Dispatch of tokens to feed-forward experts; in training all experts have their capacity. */
  dispatch(routing: Routing, context?: ExpertContext): DispatchPlan {
    const capacity = context?.training ? this.capacities(routing.experts.shape[0] as number) : undefined;
    return new DispatchPlan(routing.experts, this.experts.count, capacity && { capacity });
  }

  /** Σ gate·E(x) over the chosen experts of each token: [T, d]. */
  compute(x: Tensor, routing: Routing, plan: DispatchPlan): Tensor {
    const { inputScale = 1 } = this.options;
    const tokens = inputScale === 1 ? x : multiply(x, inputScale);
    const light = this.#zeroComputation(tokens, routing, plan);
    if (plan.size === 0 && !this.experts.collective) return light ?? zeros(tokens.shape);
    const heavy = plan.combine(this.experts.forward(plan.gather(tokens), plan), routing.gates);
    return light ? add(heavy, light) : heavy;
  }

  /**
   * Output of constant and copy experts for all tokens at once: a multiple of each token plus a
   * mixture of the constants; undefined when no token chose them. α₁ of the softmax over two logits
   * is the sigmoid of their difference.
   */
  #zeroComputation(
    tokens: Tensor,
    { experts, gates }: Routing,
    { accepted }: Pick<DispatchPlan, 'accepted'>,
  ): Tensor | undefined {
    const { constant, copy, zero } = this.#first;
    if (!hasBetween(experts.view<Int32Array>(), constant, zero)) return undefined;
    const open = accepted ? multiply(gates, tensor(Float32Array.from(accepted), gates.shape)) : gates;
    const dense = putAlong(open, experts, this.count); // (T, N)
    const copied = sum(slice(dense, null, [copy, zero]), 1, { keepAxes: true }); // (T, 1)
    if (!this.constantGate || !this.constants) return multiply(tokens, copied);
    const own = slice(dense, null, [constant, copy]); // (T, C)
    const logit = (at: number) => reshape(slice(this.constantGate as Tensor, null, [at, at + 1]), [-1, this.features]);
    const alpha = sigmoid(matmul(tokens, subtract(logit(0), logit(1)), { transposeB: true })); // (T, C)
    const kept = multiply(own, alpha);
    const factor = add(copied, sum(kept, 1, { keepAxes: true }));
    return add(multiply(tokens, factor), matmul(subtract(own, kept), this.constants));
  }
}

/** Whether any of the numbers is in [low, high). */
function hasBetween(numbers: Int32Array, low: number, high: number): boolean {
  for (let i = 0; i < numbers.length; i++)
    if ((numbers[i] as number) >= low && (numbers[i] as number) < high) return true;
  return false;
}

/** s·(ℓ − mean(ℓ))/std(ℓ) for each token, with the unbiased deviation over experts. */
function standardised(logits: Tensor, scale: number): Tensor {
  const n = logits.shape[1] as number;
  const centred = subtract(logits, mean(logits, 1, { keepAxes: true }));
  const deviation = sqrt(add(multiply(sum(square(centred), 1, { keepAxes: true }), 1 / (n - 1)), 1e-12));
  return multiply(divide(logits, deviation), scale);
}
