// Weight initialisation. Shapes are [out, in, …kernel], as PyTorch's. The default gain is 1 unless
// said otherwise.

import { isShapesOnly } from '../engine/index.js';
import { type Random, requireChoice, type Shape, sizeOf, type Tensor, tensor, zeros } from '../tensor/index.js';

/** Fan-in (inputs per output) and fan-out (outputs per input) of a weight. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const [out = 1, inner = 1, ...kernel] = shape;
  return { fanIn: inner * sizeOf(kernel), fanOut: out * sizeOf(kernel) };
}

/**
 * U(−b, b) with b = gain·√(3 / fan-in) (He et al. 2015). Gain √2 suits ReLU; the default 1/√3 is
 * that of PyTorch's layers.
 */
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

/**
 * N(0, gain² / fan) (He et al. 2015). Defaults: gain √2 for ReLU, and `fan-in`, which preserves the
 * variance of activations; `fan-out` preserves that of gradients.
 */
export function kaimingNormal(
  random: Random,
  shape: Shape,
  { gain = Math.SQRT2, mode = 'fan-in' }: { gain?: number; mode?: 'fan-in' | 'fan-out' } = {},
): Tensor {
  requireChoice('kaimingNormal', 'the mode', mode, ['fan-in', 'fan-out']);
  const { fanIn, fanOut } = fans(shape);
  return random.normal(shape, 0, gain / Math.sqrt(mode === 'fan-in' ? fanIn : fanOut));
}

/** N(0, 2·gain² / (fan-in + fan-out)) (Glorot & Bengio 2010). */
export function xavierNormal(random: Random, shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return random.normal(shape, 0, gain * Math.sqrt(2 / (fanIn + fanOut)));
}

/** N(0, deviation²) truncated to ±2 deviations by rejection. Default deviation: 0.02. */
export function truncatedNormal(random: Random, shape: Shape, deviation = 0.02): Tensor {
  if (isShapesOnly()) return zeros(shape);
  const draw = () => {
    for (;;) {
      const value = random.gaussian();
      if (Math.abs(value) <= 2) return deviation * value;
    }
  };
  return tensor(Float32Array.from({ length: sizeOf(shape) }, draw), shape);
}

/**
 * Orthonormal rows or columns, whichever are fewer, of the matrix [out, in·…kernel], times `gain`
 * (Saxe, McClelland, Ganguli 2014): Gram–Schmidt on normal vectors, each orthogonalised twice for
 * accuracy.
 */
export function orthogonal(random: Random, shape: Shape, gain = 1): Tensor {
  const rows = shape[0] ?? 1;
  const columns = sizeOf(shape) / rows;
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  const basis: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, () => random.gaussian());
    for (const other of [...basis, ...basis]) {
      const projection = vector.reduce((total, value, at) => total + value * (other[at] as number), 0);
      for (let at = 0; at < length; at++) vector[at] = (vector[at] as number) - projection * (other[at] as number);
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
