// The mixture of experts (Shazeer et al. 2017) as a feed-forward layer, and what such layers tell the rest of a network.

import { type Random, reshape, type Tensor } from '../../tensor/index.js';
import { Linear } from '../linear.js';
import { type ExpertActivation, ExpertBank } from './bank.js';
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
  /** The choices i32 [T, k]. */
  readonly experts: Tensor;
  /** The largest probability of each token, its variance over tokens measures how settled routing is. */
  readonly routing: Routing;
}

export function expertContext(): ExpertContext {
  return { losses: [], usage: [] };
}

/** A layer in the place of a transformer's feed-forward part. x [batch, length, d] or [T, d]. */
export interface FeedForward {
  forward(x: Tensor, context?: ExpertContext): Tensor;
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
export class MixtureOfExperts implements FeedForward {
  readonly router: Linear;
  readonly experts: ExpertBank;

  constructor(
    readonly features: number,
    random: Random,
    readonly options: MixtureOptions,
  ) {
    const { experts, hidden, activation } = options;
    this.router = new Linear(features, experts, random, { bias: false });
    this.experts = new ExpertBank(experts, features, hidden, random, activation);
  }

  forward(x: Tensor, context?: ExpertContext): Tensor {
    const { k = 2 } = this.options;
    const tokens = reshape(x, [-1, this.features]);
    const routing = routeTopK(
      this.router.forward(tokens),
      k,
      this.options.gates ?? (k === 1 ? 'softmax' : 'renormalised'),
    );
    const plan = new DispatchPlan(routing.experts, this.experts.count);
    const y = plan.combine(this.experts.forward(plan.gather(tokens), plan), routing.gates);
    context?.losses.push(loadBalanceLoss(routing));
    context?.usage.push(usageOf(routing, plan));
    return reshape(y, x.shape);
  }
}

export function usageOf(routing: Routing, { size, dropped }: DispatchPlan): ExpertUsage {
  return { counts: slotCounts(routing), rows: size, dropped, experts: routing.experts, routing };
}
