// Magnitude-invariant parametrisation (Gonzalez Ortiz, Guttag, Dalca, "Magnitude Invariant
// Parametrizations Improve Hypernetwork Learning", ICLR 2024).
//
// An MLP with ReLU and zero biases is homogeneous: h(2γ) = 2·h(γ). The norm of the condition
// therefore scales all generated weights, and the activations of the target by that factor to the
// power of its depth. Two changes prevent this: conditions are encoded as [cos(πγ/2), sin(πγ/2)],
// of constant norm, and the output is added to trainable weights, θ = θ⁰ + h(E(γ)).

import type { HypernetOptions } from '../hypernet.js';
import { mlpTrunk } from '../trunk.js';

/**
 * Weight decay of a MIP hypernetwork by parameter name, for `Adam`, `AdamW` and `SGD`: θ⁰ stands
 * for the target's own weights and is decayed as they would be, Φ apart from it.
 *
 * @param decay λ of Φ
 * @param baseDecay λ of θ⁰. Default: 0
 */
export function mipDecay(decay: number, baseDecay = 0): (name: string) => number {
  return (name) => (name.startsWith('base.') ? baseDecay : decay);
}

/**
 * Options of `Hypernet` for magnitude-invariant parametrisation with the trunk of the paper, for
 * conditions in [0, 1]; spread them into your own options.
 */
export const MIP_OPTIONS = {
  encoding: 'cos|sin',
  residual: 'fresh',
  init: 'fan-out',
  trunk: mlpTrunk([16, 64, 128], { activation: 'leakyRelu', init: 'fan-out' }),
} as const satisfies HypernetOptions;
