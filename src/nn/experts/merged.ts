// A mixture whose experts are shared by groups of router outputs (Li et al., "Merge, Then
// Compress", ICLR 2024): the router keeps its E outputs, output e leads to expert group(e).

import { add, putAlong, type Random, reshape, type Tensor, takeAlong, tensor } from '../../tensor/index.js';
import { Linear } from '../linear.js';
import { buffer } from '../module.js';
import type { ExpertSet } from './bank.js';
import { DispatchPlan } from './dispatch.js';
import { type ExpertContext, type FeedForward, usageOf } from './mixture.js';
import { type GateMode, type Routing, routeTopK } from './routing.js';

/** The group of a router output that no expert serves any more. */
export const PRUNED = -1;

/** Logit of a pruned output, of which a softmax in f32 is 0. */
const NEVER = -1e30;

/** Number of groups: one more than the largest. */
export const groupCount = (groups: readonly number[]): number => Math.max(PRUNED, ...groups) + 1;

/** Logits [T, E] with those of pruned outputs out of reach. */
export function openLogits(logits: Tensor, groups: readonly number[]): Tensor {
  if (!groups.includes(PRUNED)) return logits;
  const closed = Float32Array.from(groups, (group) => (group === PRUNED ? NEVER : 0));
  return add(logits, tensor(closed, [1, groups.length]));
}

/**
 * A routing to E outputs as one to groups: gates of outputs that share a group are added, so that
 * its expert runs once for a token; the other slots lead to no expert, with group number m.
 *
 * @param groups group of each output, from 0 to m − 1
 */
export function regrouped(routing: Routing, groups: readonly number[]): Routing {
  const count = groupCount(groups);
  const { k } = routing;
  const chosen = Int32Array.from(routing.experts.view<Int32Array>(), (expert) => groups[expert] as number);
  let repeats = false;
  const unique = chosen.map((group, slot) => {
    const first = slot - (slot % k);
    const isRepeat = chosen.subarray(first, slot).includes(group);
    repeats ||= isRepeat;
    return isRepeat ? count : group;
  });
  const { shape } = routing.experts;
  const experts = tensor(unique, shape);
  if (!repeats) return { ...routing, experts };
  // Slot m of the sums stays 0, which is the gate of a slot that leads nowhere.
  const sums = putAlong(routing.gates, tensor(chosen, shape), count + 1);
  return { ...routing, experts, gates: takeAlong(sums, experts) };
}

/** Hyperparameters of a merged mixture. */
export interface MergedMixtureOptions {
  /** Group of each router output; −1 where none is left. */
  readonly groups: readonly number[];
  /** Outputs per token. Default: 2. */
  readonly k?: number;
  /** Normalisation of the gates. Default: as in `MixtureOfExperts`. */
  readonly gates?: GateMode;
}

/**
 * y = Σ over groups g of (Σ over chosen outputs e of g of gateₑ)·E_g(x). The router is a buffer: it
 * is saved, but neither trained nor decayed.
 */
export class MergedMixture<E extends ExpertSet> implements FeedForward {
  /** Router without bias: weight [E, d]. */
  readonly router: Linear;

  /**
   * @param experts one for each group
   * @throws RangeError when the experts are not as many as the groups, or when k exceeds the
   * outputs that are left.
   */
  constructor(
    readonly features: number,
    readonly experts: E,
    readonly options: MergedMixtureOptions,
    random: Random,
  ) {
    const { groups, k = 2 } = options;
    const left = groups.filter((group) => group !== PRUNED).length;
    if (experts.count !== groupCount(groups))
      throw new RangeError(`MergedMixture: ${experts.count} experts for ${groupCount(groups)} groups`);
    if (k > left) throw new RangeError(`MergedMixture: cannot choose ${k} of the ${left} outputs that are left`);
    this.router = new Linear(features, groups.length, random, { bias: false });
    this.router.weight = buffer(this.router.weight);
  }

  forward(x: Tensor, context?: ExpertContext): Tensor {
    const tokens = reshape(x, [-1, this.features]);
    const routing = this.route(tokens);
    const merged = this.merge(routing);
    const plan = this.dispatch(merged);
    context?.usage.push(usageOf(tokens, routing, plan));
    return reshape(this.compute(tokens, merged, plan), x.shape);
  }

  /** The routing to router outputs, before groups. */
  route(tokens: Tensor): Routing {
    const { groups, k = 2, gates = k === 1 ? 'softmax' : 'renormalised' } = this.options;
    return routeTopK(openLogits(this.router.forward(tokens), groups), k, gates);
  }

  /** A routing to router outputs as one to groups, as `dispatch` and `compute` take it. */
  merge(routing: Routing): Routing {
    return regrouped(routing, this.options.groups);
  }

  /** Sorts the slots of a routing to groups by expert. */
  dispatch({ experts }: Routing): DispatchPlan {
    return new DispatchPlan(experts, this.experts.count);
  }

  /** Gated sum of the experts' outputs by a routing to groups: tokens [T, d] → [T, d]. */
  compute(tokens: Tensor, { gates }: Routing, plan: DispatchPlan): Tensor {
    return plan.combine(this.experts.forward(plan.gather(tokens), plan), gates);
  }
}
