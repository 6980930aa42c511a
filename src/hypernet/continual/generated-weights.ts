// Weights of several networks by name, each [networks, …shape].

import type { Weights } from '../../nn/index.js';
import { add, keep, slice, square, subtract, sum, type Tensor } from '../../tensor/index.js';

/** Keeps all of them beyond the scope. */
export const kept = (weights: Weights): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, keep(weight)]));

/** Those of networks `from` to before `to`. */
export const networksOf = (weights: Weights, from: number, to: number): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, slice(weight, [from, to])]));

/** Σ ‖made − recorded‖² over all weights. */
export const change = (made: Weights, recorded: Weights): Tensor =>
  Object.entries(recorded)
    .map(([name, before]) => sum(square(subtract(made[name] as Tensor, before))))
    .reduce((a, b) => add(a, b));
