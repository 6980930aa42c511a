// Activations by name, and as layers of a sequence.

import { gelu, hardSigmoid, hardSwish, relu, relu6, sigmoid, silu, type Tensor, tanh } from '../tensor/index.js';
import type { Layer } from './layer.js';

const functions = { gelu, hardSigmoid, hardSwish, relu, relu6, sigmoid, silu, tanh } satisfies Record<
  string,
  (x: Tensor) => Tensor
>;

/** Name of an elementwise activation; `none` is the identity. */
export type ActivationName = keyof typeof functions | 'none';

/** Applies an activation by name. */
export function activate(x: Tensor, name: ActivationName): Tensor {
  return name === 'none' ? x : functions[name](x);
}

/** An activation as a layer without weights. */
export class Activation implements Layer {
  constructor(readonly name: ActivationName) {}

  forward(x: Tensor): Tensor {
    return activate(x, this.name);
  }
}
