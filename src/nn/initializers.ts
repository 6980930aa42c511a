// Initial weights. Shapes are [out, in, …kernel], as PyTorch's.

import { type Random, type Shape, sizeOf, type Tensor } from '../tensor/index.js';

/** Values that one output sees (fan-in) and outputs that one input reaches (fan-out). */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const [out = 1, inner = 1, ...kernel] = shape;
  return { fanIn: inner * sizeOf(kernel), fanOut: out * sizeOf(kernel) };
}

/** U(−b, b) with b = gain·√(3 / fan-in) (He et al. 2015). Gain √2 suits ReLU; the default 1/√3 is what PyTorch's layers start from. */
export function kaimingUniform(random: Random, shape: Shape, gain = 1 / Math.sqrt(3)): Tensor {
  const bound = gain * Math.sqrt(3 / fans(shape).fanIn);
  return random.uniform(shape, -bound, bound);
}

/** U(−b, b) with b = gain·√(6 / (fan-in + fan-out)) (Glorot & Bengio 2010). */
export function xavierUniform(random: Random, shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return random.uniform(shape, -bound, bound);
}
