// The mixture of experts (Shazeer et al. 2017) as a feed-forward layer, and the record that such
// layers share in a forward pass.

import { type Random, reshape, type Tensor } from '../../tensor/index.js';
import { Linear } from '../linear.js';
import { type ExpertActivation, ExpertBank, type ExpertSet } from './bank.js';
import { DispatchPlan } from './dispatch.js';
import { type GateMode, groupedBalanceLoss, type Routing, routeTopK, slotCounts } from './routing.js';

/** What a layer routed whose tokens choose how many blocks they use; 0 stands for an unused one. */
export interface BlockGates {
  /** Router logits r […, E]. */
  readonly logits: Tensor;
  /** Gates before their learned scale […, E]. */
  readonly normalised: Tensor;
  /** Factors of the blocks' outputs […, E]. */
  readonly gates: Tensor;
}

/** Shared record of the expert layers in one forward pass. */
export interface ExpertContext {
  /** Whether the pass is one of training; capacities hold in training alone. Default: false. */
  readonly training?: boolean;
  /** Router logits of the previous expert layer [T, N], for routers that add to them. */
  logits?: Tensor;
  /** Input of the current layer before its attention […, d], for routers that read it. */
  input?: Tensor;
  /**
   * Parts of the batch, of equal numbers of sequences in their order, over each of which load
   * balance is measured; its loss is their mean. Default: 1.
   */
  readonly balanceGroups?: number | undefined;
  /** Load-balance losses, to be added to the training loss with a small coefficient. */
  readonly losses: Tensor[];
  /** One entry per expert layer, in order. */
  readonly usage: ExpertUsage[];
  /** Takes the gates of each layer of blocks, in order. Default: they are not reported. */
  readonly onGates?: ((gates: BlockGates) => void) | undefined;
}

/** Routing of one expert layer in one forward pass. */
export interface ExpertUsage {
  /** Number of slots routed to each expert. */
  readonly counts: Int32Array;
  /** Rows processed by feed-forward experts. */
  readonly rows: number;
  /** Slots dropped at full capacity, by expert; experts without a capacity may be left out. */
  readonly dropped: Int32Array;
  /** Experts, gates and router logits of the tokens. */
  readonly routing: Routing;
  /** Input of the layer [T, d]. */
  readonly tokens: Tensor;
}

/** An empty record for a forward pass, of inference unless `training`. */
export function expertContext({
  training = false,
  balanceGroups,
  onGates,
}: Pick<ExpertContext, 'training' | 'balanceGroups' | 'onGates'> = {}): ExpertContext {
  return { training, balanceGroups, losses: [], usage: [], onGates };
}

/** A feed-forward layer of a transformer block. */
export interface FeedForward {
  /** x [batch, length, d] or [T, d] → the same shape. Expert layers read and extend `context`. */
  forward(x: Tensor, context?: ExpertContext): Tensor;
}

/** An expert layer in its three steps: `route`, `dispatch`, `compute`. */
export interface ExpertLayer<E extends ExpertSet = ExpertBank> extends FeedForward {
  /** The feed-forward experts. */
  readonly experts: E;
  /** Experts and gates of each token: tokens [T, d]. */
  route(tokens: Tensor, context?: ExpertContext): Routing;
  /** Sorts the routed slots by expert, within capacities in a pass of training. */
  dispatch(routing: Routing, context?: ExpertContext): DispatchPlan;
  /** Gated sum of the expert outputs: tokens [T, d] → [T, d]. */
  compute(tokens: Tensor, routing: Routing, plan: DispatchPlan): Tensor;
}

/** Hyperparameters of a mixture of experts. */
export interface MixtureOptions {
  /** Number of experts N. */
  readonly experts: number;
  /** Experts per token. Default: 2. */
  readonly k?: number;
  /** Hidden dimension f of each expert. */
  readonly hidden: number;
  /** Feed-forward function of the experts. Default: `swiglu`. */
  readonly activation?: ExpertActivation;
  /**
   * Normalisation of the gates. Default: `softmax` for k = 1, so that the router gets a gradient,
   * else `renormalised`.
   */
  readonly gates?: GateMode;
  /**
   * Whether the router reads the layer's input before its attention, `input` of the context
   * (SmallThinker). Default: false.
   */
  readonly early?: boolean | undefined;
}

/** Top-k mixture of experts: y = Σ over the chosen experts i of gateᵢ·Eᵢ(x). */
export class MixtureOfExperts implements ExpertLayer {
  /** Router without bias: weight [N, d]. */
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
    const routing = this.route(tokens, context);
    const plan = this.dispatch(routing);
    context?.losses.push(groupedBalanceLoss(routing, context.balanceGroups));
    context?.usage.push(usageOf(tokens, routing, plan));
    return reshape(this.compute(tokens, routing, plan), x.shape);
  }

  /** @throws Error when an early router gets no input of the layer. */
  route(tokens: Tensor, context?: ExpertContext): Routing {
    const { k = 2, gates = k === 1 ? 'softmax' : 'renormalised', early } = this.options;
    if (early && !context?.input) throw new Error('MixtureOfExperts: an early router needs the input of its layer');
    const read = early ? reshape(context?.input as Tensor, [-1, this.features]) : tokens;
    return routeTopK(this.router.forward(read), k, gates);
  }

  dispatch(routing: Routing): DispatchPlan {
    return new DispatchPlan(routing.experts, this.experts.count);
  }

  compute(tokens: Tensor, routing: Routing, plan: DispatchPlan): Tensor {
    return plan.combine(this.experts.forward(plan.gather(tokens), plan), routing.gates);
  }
}

/** The usage entry of a layer's routing and plan. */
export function usageOf(tokens: Tensor, routing: Routing, { size, dropped }: DispatchPlan): ExpertUsage {
  return { counts: slotCounts(routing), rows: size, dropped, routing, tokens };
}
