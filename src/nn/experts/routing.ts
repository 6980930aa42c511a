// Which experts a token goes to, and with what weight.

import {
  add,
  divide,
  logSumExp,
  maximum,
  mean,
  multiply,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
  topK,
} from '../../tensor/index.js';

/** How the weights of the chosen follow from the logits: `renormalised`: softmax over all, then divided by the sum of the chosen, which is the softmax over the chosen alone (Mixtral); `softmax`: as they are, so that one chosen expert still learns. */
export type GateMode = 'renormalised' | 'softmax';

/** The choice of a batch of T tokens among N experts. */
export interface Routing {
  readonly k: number;
  /** i32 [T, k], the most probable first. */
  readonly experts: Tensor;
  /** [T, k] */
  readonly gates: Tensor;
  /** Softmax of the logits [T, N]. */
  readonly probabilities: Tensor;
  readonly logits: Tensor;
}

/** The k most probable experts of each token; of equals the first. Gradients flow through the chosen probabilities. logits [T, N]. */
export function routeTopK(logits: Tensor, k: number, mode: GateMode = 'renormalised'): Routing {
  const experts = logits.shape[1] as number;
  if (k > experts) throw new RangeError(`routing: cannot choose ${k} of ${experts} experts`);
  const probabilities = softmax(logits);
  const [chosen, positions] = topK(probabilities, k);
  const gates = mode === 'softmax' ? chosen : renormalised(chosen);
  return { k, experts: positions, gates, probabilities, logits };
}

/** Rows divided by their sums, where those are not 0. */
export function renormalised(gates: Tensor): Tensor {
  return divide(gates, maximum(sum(gates, 1, { keepAxes: true }), 1e-9));
}

/** Times that each expert was chosen: Σ is T·k. */
export function slotCounts({ experts, probabilities }: Pick<Routing, 'experts' | 'probabilities'>): Int32Array {
  const counts = new Int32Array(probabilities.shape[1] as number);
  for (const expert of experts.view<Int32Array>()) counts[expert] = (counts[expert] as number) + 1;
  return counts;
}

/**
 * The load-balance loss (Shazeer et al. 2017; Fedus et al. 2022): N/k · Σᵢ ηᵢ·fᵢ·Pᵢ, with fᵢ the share of tokens that choose expert i (no gradient) and Pᵢ its mean probability; 1 when all are used alike and η = 1.
 *
 * @param weights η [N]: what an expert's load counts; 1 when left out
 */
export function loadBalanceLoss(routing: Routing, weights?: ArrayLike<number>): Tensor {
  const [tokens, experts] = routing.probabilities.shape as [number, number];
  const share = Float32Array.from(slotCounts(routing), (count, i) => ((weights?.[i] ?? 1) * count) / tokens);
  const products = multiply(mean(routing.probabilities, 0), tensor(share));
  return multiply(sum(products), experts / routing.k);
}

/** mean (log Σ exp ℓ)² (Zoph et al. 2022): keeps logits small. */
export function routerZLoss(logits: Tensor): Tensor {
  return mean(square(logSumExp(logits, 1)));
}

/** Adds up losses; undefined for none. */
export function totalLoss(losses: readonly Tensor[]): Tensor | undefined {
  return losses.length === 0 ? undefined : losses.reduce((a, b) => add(a, b));
}
