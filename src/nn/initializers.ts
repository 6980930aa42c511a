// Initial weights. Shapes are [out, in, …kernel], as PyTorch's.

import { type Random, type Shape, sizeOf, type Tensor, tensor } from '../tensor/index.js';

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

/** N(0, gain² / fan) (He et al. 2015); `fan-out` keeps the variance of gradients. */
export function kaimingNormal(
  random: Random,
  shape: Shape,
  { gain = Math.SQRT2, mode = 'fan-in' }: { gain?: number; mode?: 'fan-in' | 'fan-out' } = {},
): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return random.normal(shape, 0, gain / Math.sqrt(mode === 'fan-in' ? fanIn : fanOut));
}

/** N(0, 2·gain² / (fan-in + fan-out)) (Glorot & Bengio 2010). */
export function xavierNormal(random: Random, shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return random.normal(shape, 0, gain * Math.sqrt(2 / (fanIn + fanOut)));
}

/** N(0, deviation²) with values beyond two deviations drawn again. */
export function truncatedNormal(random: Random, shape: Shape, deviation = 0.02): Tensor {
  const draw = () => {
    for (;;) {
      const value = random.gaussian();
      if (Math.abs(value) <= 2) return deviation * value;
    }
  };
  return tensor(Float32Array.from({ length: sizeOf(shape) }, draw), shape);
}

/**
 * A matrix [out, the rest] with orthonormal rows or columns, whichever are fewer, times `gain` (Saxe, McClelland, Ganguli 2014): the Gram–Schmidt process on normal vectors, twice for accuracy.
 */
export function orthogonal(random: Random, shape: Shape, gain = 1): Tensor {
  const rows = shape[0] ?? 1;
  const columns = sizeOf(shape) / rows;
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const basis: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, () => random.gaussian());
    for (const other of [...basis, ...basis]) {
      const along = vector.reduce((total, value, at) => total + value * (other[at] as number), 0);
      for (let at = 0; at < length; at++) vector[at] = (vector[at] as number) - along * (other[at] as number);
    }
    const norm = Math.hypot(...vector);
    basis.push(vector.map((value) => value / norm));
  }
  const values = new Float32Array(rows * columns);
  basis.forEach((vector, i) => {
    vector.forEach((value, j) => {
      values[rows <= columns ? i * columns + j : j * columns + i] = gain * value;
    });
  });
  return tensor(values, shape);
}
