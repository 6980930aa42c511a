// Magnitude-invariant parametrisation (Gonzalez Ortiz, Guttag, Dalca, "Magnitude Invariant Parametrizations Improve Hypernetwork Learning", ICLR 2024).
//
// A perceptron with rectifiers and zero biases is homogeneous: h(2γ) = 2·h(γ), so the size of a condition scales all weights that it makes, and activations of the target by that factor to the power of its
// depth. Two changes undo it: conditions are written as [cos(πγ/2), sin(πγ/2)], of constant norm, and the output is added to free weights, θ = θ⁰ + h(E(γ)).

import type { HypernetOptions } from './hypernet.js';
import { mlpTrunk } from './trunk.js';

/** What makes a hypernetwork magnitude-invariant, with the paper's trunk: spread it into the options of `Hypernet`, for conditions in [0, 1]. */
export const MIP_OPTIONS = {
  encoding: 'cos|sin',
  residual: 'fresh',
  init: 'fan-out',
  trunk: mlpTrunk([16, 64, 128], { activation: 'leakyRelu', init: 'fan-out' }),
} as const satisfies HypernetOptions;
