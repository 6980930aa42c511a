// Top-k routing of tokens to experts, and the losses of routers.

import {
  add,
  divide,
  logSumExp,
  maximum,
  mean,
  multiply,
  sigmoid,
  slice,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
  topK,
} from '../../tensor/index.js';

/**
 * Normalisation of the chosen experts' gates: `renormalised` divides their softmax probabilities by
 * their sum, which equals a softmax over the chosen experts alone (Mixtral); `softmax` keeps the
 * probabilities, so that the router gets a gradient for k = 1 too; `sigmoid` divides σ of the
 * chosen logits by their sum (SmallThinker).
 */
export type GateMode = 'renormalised' | 'softmax' | 'sigmoid';

/** Routing of T tokens among N experts. */
export interface Routing {
  /** Experts per token. */
  readonly k: number;
  /** i32 [T, k], most probable first. */
  readonly experts: Tensor;
  /** Weights of the chosen experts [T, k]. */
  readonly gates: Tensor;
  /** Softmax of the logits [T, N]. */
  readonly probabilities: Tensor;
  /** Router logits [T, N]. */
  readonly logits: Tensor;
}

/**
 * The k most probable experts of each token, ties to the lower number. Gradients flow through the
 * chosen probabilities. logits [T, N].
 *
 * @throws RangeError when k exceeds N.
 */
export function routeTopK(logits: Tensor, k: number, mode: GateMode = 'renormalised'): Routing {
  const experts = logits.shape[1] as number;
  if (k > experts) throw new RangeError(`routing: cannot choose ${k} of ${experts} experts`);
  const probabilities = softmax(logits);
  const [chosen, positions] = topK(mode === 'sigmoid' ? logits : probabilities, k);
  const gates = mode === 'softmax' ? chosen : renormalised(mode === 'sigmoid' ? sigmoid(chosen) : chosen);
  return { k, experts: positions, gates, probabilities, logits };
}

/** Rows divided by their sums (at least 1e-9): gates [T, k] → [T, k]. */
export function renormalised(gates: Tensor): Tensor {
  return divide(gates, maximum(sum(gates, 1, { keepAxes: true }), 1e-9));
}

/** Number of slots routed to each expert [N]; they sum to T·k. */
export function slotCounts({ experts, probabilities }: Pick<Routing, 'experts' | 'probabilities'>): Int32Array {
  const counts = new Int32Array(probabilities.shape[1] as number);
  for (const expert of experts.view<Int32Array>()) counts[expert] = (counts[expert] as number) + 1;
  return counts;
}

/**
 * The load-balance loss (Shazeer et al. 2017; Fedus et al. 2022): N/k · Σᵢ ηᵢ·fᵢ·Pᵢ, with fᵢ the
 * number of slots of expert i per token (no gradient) and Pᵢ its mean probability; 1 for uniform
 * routing and η = 1.
 *
 * @param weights η [N], load weight of each expert. Default: 1.
 */
export function loadBalanceLoss(routing: Routing, weights?: ArrayLike<number>): Tensor {
  const [tokens, experts] = routing.probabilities.shape as [number, number];
  const share = Float32Array.from(slotCounts(routing), (count, i) => ((weights?.[i] ?? 1) * count) / tokens);
  const products = multiply(mean(routing.probabilities, 0), tensor(share));
  return multiply(sum(products), experts / routing.k);
}

/**
 * The load-balance loss over equal parts of the tokens in their order, mean over the parts
 * (SmallThinker's groups of data-parallel ranks): fᵢ and Pᵢ are those of a part.
 *
 * @throws RangeError when the parts are not equal.
 */
export function groupedBalanceLoss(routing: Routing, groups = 1): Tensor {
  if (groups === 1) return loadBalanceLoss(routing);
  const [tokens] = routing.probabilities.shape as [number];
  if (!Number.isInteger(tokens / groups))
    throw new RangeError(`balance loss: ${tokens} tokens do not divide into ${groups} groups`);
  const size = tokens / groups;
  const losses = Array.from({ length: groups }, (_, group) => {
    const rows = [group * size, (group + 1) * size] as const;
    const [experts, probabilities] = [slice(routing.experts, [...rows]), slice(routing.probabilities, [...rows])];
    return loadBalanceLoss({ ...routing, experts, probabilities });
  });
  return multiply(totalLoss(losses) as Tensor, 1 / groups);
}

/**
 * The router z-loss (Zoph et al. 2022): mean over tokens of (log Σ exp ℓ)², which keeps logits
 * small. logits [T, N].
 */
export function routerZLoss(logits: Tensor): Tensor {
  return mean(square(logSumExp(logits, 1)));
}

/** Sum of scalar losses; undefined for an empty list. */
export function totalLoss(losses: readonly Tensor[]): Tensor | undefined {
  return losses.length === 0 ? undefined : losses.reduce((a, b) => add(a, b));
}
