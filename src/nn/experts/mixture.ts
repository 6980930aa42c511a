// The mixture of experts (Shazeer et al. 2017) as a feed-forward layer, and what such layers tell the rest of a network.

import { type Random, reshape, type Tensor } from '../../tensor/index.js';
import { Linear } from '../linear.js';
import { type ExpertActivation, ExpertBank, type ExpertSet } from './bank.js';
import { DispatchPlan } from './dispatch.js';
import { type GateMode, loadBalanceLoss, type Routing, routeTopK, slotCounts } from './routing.js';

/** What the layers of one pass hand on and report. */
export interface ExpertContext {
  /** Router logits of the layer before [T, N], for layers that build on them. */
  logits?: Tensor;
  /** Balance losses, to be added to the loss with a small factor. */
  readonly losses: Tensor[];
  /** One record a layer. */
  readonly usage: ExpertUsage[];
}

export interface ExpertUsage {
  /** Times each expert was chosen. */
  readonly counts: Int32Array;
  /** Rows that feed-forward experts computed. */
  readonly rows: number;
  readonly dropped: number;
  readonly routing: Routing;
  /** What the layer read [T, d]. */
  readonly tokens: Tensor;
}

export function expertContext(): ExpertContext {
  return { losses: [], usage: [] };
}

/** A layer in the place of a transformer's feed-forward part. x [batch, length, d] or [T, d]. */
export interface FeedForward {
  forward(x: Tensor, context?: ExpertContext): Tensor;
}

/** A layer of experts in its three steps: choose, sort, compute. */
export interface ExpertLayer<E extends ExpertSet = ExpertBank> extends FeedForward {
  readonly experts: E;
  route(tokens: Tensor, context?: ExpertContext): Routing;
  dispatch(routing: Routing): DispatchPlan;
  compute(tokens: Tensor, routing: Routing, plan: DispatchPlan): Tensor;
}

export interface MixtureOptions {
  readonly experts: number;
  /** Experts of a token. */
  readonly k?: number;
  readonly hidden: number;
  readonly activation?: ExpertActivation;
  readonly gates?: GateMode;
}

/** y = Σ over the chosen of gate·Eᵢ(x). The default gates of a single expert are its probability, so that the router learns. */
export class MixtureOfExperts implements ExpertLayer {
  readonly router: Linear;
  readonly experts: ExpertBank;

  constructor(
    readonly features: number,
    readonly options: MixtureOptions,
    random: Random,
  ) {
    const { experts, hidden, activation } = options;
    this.router = new Linear(features, experts, random, { bias: false });
    this.experts = new ExpertBank(experts, features, hidden, random, { activation });
  }

  forward(x: Tensor, context?: ExpertContext): Tensor {
    const tokens = reshape(x, [-1, this.features]);
    const routing = this.route(tokens);
    const plan = this.dispatch(routing);
    context?.losses.push(loadBalanceLoss(routing));
    context?.usage.push(usageOf(tokens, routing, plan));
    return reshape(this.compute(tokens, routing, plan), x.shape);
  }

  route(tokens: Tensor): Routing {
    const { k = 2, gates = k === 1 ? 'softmax' : 'renormalised' } = this.options;
    return routeTopK(this.router.forward(tokens), k, gates);
  }

  dispatch(routing: Routing): DispatchPlan {
    return new DispatchPlan(routing.experts, this.experts.count);
  }

  compute(tokens: Tensor, routing: Routing, plan: DispatchPlan): Tensor {
    return plan.combine(this.experts.forward(plan.gather(tokens), plan), routing.gates);
  }
}

export function usageOf(tokens: Tensor, routing: Routing, { size, dropped }: DispatchPlan): ExpertUsage {
  return { counts: slotCounts(routing), rows: size, dropped, routing, tokens };
}
