// MoE++: experts that cost nothing beside those that compute, so that easy tokens use fewer (Jin, Zhu, Yuan, Yan: MoE++: Accelerating Mixture-of-Experts Methods with Zero-Computation Experts, ICLR 2025).
//
// Experts, in the order of the authors' checkpoint: feed-forward ones; constants E(x) = α₁x + α₂v with [α₁, α₂] = softmax(W_c x); copy E(x) = x; zero E(x) = 0, the last.
// Gating residual: ℓʲ = Wʲx + W_gʲ·ℓʲ⁻¹, the logits of a layer build on those of the layer before.
// Balance: L = N/k·Σ ηᵢ·fᵢ·Pᵢ with η = 1 for feed-forward experts and τ for the others: the smaller τ, the fewer tokens are computed.

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
  tensor,
  zeros,
} from '../tensor/index.js';

export interface MoEPlusPlusOptions {
  /** Feed-forward experts, constants, copies and zeros. */
  readonly experts: {
    readonly feedForward: number;
    readonly constant?: number;
    readonly copy?: number;
    readonly zero?: number;
  };
  /** Experts of a token. */
  readonly k?: number;
  readonly hidden: number;
  readonly activation?: ExpertActivation;
  /** τ ∈ (0, 1]: what the load of an expert that costs nothing counts in the balance. */
  readonly tau?: number;
  /** Whether logits build on those of the layer before, which must have as many experts. */
  readonly gatingResidual?: boolean;
  /** Standardises each token's logits, times this; left out, they stay as they are. The 7B checkpoint has 1. */
  readonly logitScale?: number;
  /** What becomes of the weight of a chosen zero expert: `renormalise` gives it to the others, as the authors' code does; `keep` loses it. */
  readonly zeroGate?: 'renormalise' | 'keep';
  /** γ: experts take at most γ·τ·k·T/(τ·N_FFN + N_ZC) tokens of a batch in training, those that cost nothing 1/τ times as many; no limit when left out. */
  readonly capacityFactor?: number;
}

/** A feed-forward layer of a transformer. Parameters: router [N, d], gating residual [N, N], experts (a new bank unless given), constants. */
export class MoEPlusPlus<E extends ExpertSet = ExpertBank> implements ExpertLayer<E> {
  readonly router: Linear;
  /** W_g [N, N], 0 at the start: a plain mixture. */
  residual: Tensor | undefined;
  readonly experts: E;
  /** W_c [constants, 2, d] */
  constantGate: Tensor | undefined;
  /** v [constants, d] */
  constants: Tensor | undefined;
  readonly count: number;
  /** First number of the constants, the copies and the zeros. */
  readonly #first: { readonly constant: number; readonly copy: number; readonly zero: number };

  constructor(
    readonly features: number,
    readonly options: MoEPlusPlusOptions,
    random: Random,
    { experts }: { readonly experts?: E } = {},
  ) {
    const { feedForward, constant = 0, copy = 1, zero = 1 } = options.experts;
    const { k = 2, tau = 0.75, hidden, activation, gatingResidual = true } = options;
    if (feedForward < 1) throw new RangeError('MoE++: at least one feed-forward expert is needed');
    if (!(tau > 0 && tau <= 1)) throw new RangeError(`MoE++: τ must be in (0, 1], got ${tau}`);
    this.#first = { constant: feedForward, copy: feedForward + constant, zero: feedForward + constant + copy };
    this.count = this.#first.zero + zero;
    if (k > this.count) throw new RangeError(`MoE++: cannot choose ${k} of ${this.count} experts`);
    this.router = new Linear(features, this.count, random, { bias: false });
    if (gatingResidual) this.residual = parameter(zeros([this.count, this.count]));
    this.experts = (experts ?? new ExpertBank(feedForward, features, hidden, random, { activation })) as E;
    if (constant > 0) {
      this.constantGate = parameter(random.uniform([constant, 2, features], -1, 1).multiply(1 / Math.sqrt(features)));
      this.constants = parameter(random.normal([constant, features], 0, 0.02));
    }
  }

  /** η: 1 for experts that compute, τ for the others. */
  get loadWeights(): Float32Array {
    const { tau = 0.75 } = this.options;
    return Float32Array.from({ length: this.count }, (_, i) => (i < this.experts.count ? 1 : tau));
  }

  forward(x: Tensor, context?: ExpertContext): Tensor {
    const tokens = reshape(x, [-1, this.features]);
    const routing = this.route(tokens, context);
    const plan = this.dispatch(routing);
    const y = this.compute(tokens, routing, plan);
    if (context) {
      context.logits = routing.logits;
      context.losses.push(loadBalanceLoss(routing, this.loadWeights));
      context.usage.push(usageOf(tokens, routing, plan));
    }
    return reshape(y, x.shape);
  }

  /** The choice for tokens [T, d]. */
  route(tokens: Tensor, context?: ExpertContext): Routing {
    const own = this.router.forward(tokens);
    const before = context?.logits;
    if (this.residual && before && before.shape[1] !== this.count)
      throw new Error(
        `MoE++: gating residuals need as many experts in every layer; the one before has ${before.shape[1]}, this one ${this.count}`,
      );
    const logits = this.residual && before ? add(own, matmul(before, this.residual, { transposeB: true })) : own;
    const { k = 2, logitScale, zeroGate = 'renormalise' } = this.options;
    const scaled = logitScale === undefined ? logits : standardised(logits, logitScale);
    const lost = zeroGate === 'keep';
    const routing = routeTopK(scaled, k, lost ? 'renormalised' : 'softmax');
    const open = this.#withoutZeros(routing);
    return { ...routing, gates: lost ? open : renormalised(open), logits };
  }

  /** Gates of zero experts are 0. */
  #withoutZeros({ experts, gates }: Routing): Tensor {
    const ids = experts.view<Int32Array>();
    const kept = new Float32Array(ids.length);
    let closed = false;
    for (let i = 0; i < ids.length; i++)
      if ((ids[i] as number) < this.#first.zero) kept[i] = 1;
      else closed = true;
    return closed ? multiply(gates, tensor(kept, gates.shape)) : gates;
  }

  /** Rows for the experts that compute: no token of a zero-computation expert is among them. */
  dispatch(routing: Routing): DispatchPlan {
    const { capacityFactor, tau = 0.75, k = 2 } = this.options;
    if (capacityFactor === undefined) return new DispatchPlan(routing.experts, this.experts.count);
    const tokens = routing.experts.shape[0] as number;
    const free = this.count - this.experts.count;
    const capacity = Math.ceil((capacityFactor * tau * k * tokens) / (tau * this.experts.count + free));
    return new DispatchPlan(routing.experts, this.experts.count, { capacity });
  }

  /** Σ over each token's choices of gate·E(x). */
  compute(tokens: Tensor, routing: Routing, plan: DispatchPlan): Tensor {
    const light = this.#zeroComputation(tokens, routing);
    if (plan.size === 0) return light ?? zeros(tokens.shape);
    const heavy = plan.combine(this.experts.forward(plan.gather(tokens), plan), routing.gates);
    return light ? add(heavy, light) : heavy;
  }

  /** What constants and copies give, for all tokens in a few thin products: a factor of each token's own vector, plus its shares of the constants; undefined when nobody chose them. α of two is the sigmoid of the difference of their logits. */
  #zeroComputation(tokens: Tensor, { experts, gates }: Routing): Tensor | undefined {
    const { constant, copy, zero } = this.#first;
    if (!hasBetween(experts.view<Int32Array>(), constant, zero)) return undefined;
    const dense = putAlong(gates, experts, this.count); // (T, N)
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

/** Whether one of some numbers is in [low, high). */
function hasBetween(numbers: Int32Array, low: number, high: number): boolean {
  for (let i = 0; i < numbers.length; i++)
    if ((numbers[i] as number) >= low && (numbers[i] as number) < high) return true;
  return false;
}

/** (ℓ − 0)/(std(ℓ)/s) for each token, by the unbiased deviation over experts. */
function standardised(logits: Tensor, scale: number): Tensor {
  const n = logits.shape[1] as number;
  const centred = subtract(logits, mean(logits, 1, { keepAxes: true }));
  const deviation = sqrt(add(multiply(sum(square(centred), 1, { keepAxes: true }), 1 / (n - 1)), 1e-12));
  return multiply(divide(logits, deviation), scale);
}
