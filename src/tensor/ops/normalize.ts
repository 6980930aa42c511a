// Row standardisation, the core of layer norm and RMS norm.

import { apply, applyAll, type Op, requireDType } from '../apply.js';
import { requireNumber } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, multiply, subtract } from './binary.js';
import { mean, sum } from './reduce.js';

interface Attributes {
  readonly epsilon: number;
  readonly center: boolean;
}

function rowsOf(x: Tensor): [rows: number, n: number] {
  const n = x.shape.at(-1) as number;
  return [x.size / Math.max(n, 1), n];
}

/** The operation behind `standardize`; a second output holds 1/deviation for the backward pass. */
export const standardizeOp: Op<Attributes> = {
  name: 'standardize',
  multiplyAdds: 0,
  infer: ([x]) => {
    requireDType('standardize', 'f32', x as Tensor);
    const { shape } = x as Tensor;
    if (shape.at(-1) === 0 && !shape.slice(0, -1).includes(0))
      throw new Error(`standardize: the rows of ${x} are empty`);
    return [
      { shape, dtype: 'f32' },
      { shape: [...shape.slice(0, -1), 1], dtype: 'f32' },
    ];
  },
  compute(device, [x], [y, inverse], { epsilon, center }) {
    const [rows, n] = rowsOf(x as Tensor);
    device.run('standardize', {
      x: x as Tensor,
      y: y as Tensor,
      inverseDeviation: inverse as Tensor,
      gamma: null,
      beta: null,
      rows,
      n,
      epsilon,
      center: Number(center),
    });
  },
  vjp: ({ outputs, gradients, attributes }) => {
    const [y, inverse] = outputs as [Tensor, Tensor];
    const [gradientY, gradientInverse] = gradients;
    const n = y.shape.at(-1) as number;
    const rowMean = (x: Tensor) => mean(x, -1, { keepAxes: true });
    const parts: Tensor[] = [];
    if (gradientY) {
      // ∂y: s·(g − mean g − y·mean(g·y)); RMS norm has no mean to subtract.
      const centred = attributes.center ? subtract(gradientY, rowMean(gradientY)) : gradientY;
      parts.push(multiply(inverse, subtract(centred, multiply(y, rowMean(multiply(gradientY, y))))));
    }
    // ∂s/∂xᵢ = −s²·yᵢ/n.
    if (gradientInverse)
      parts.push(multiply(multiply(gradientInverse, multiply(inverse, inverse)), multiply(y, -1 / n)));
    return [parts.reduce(add)];
  },
};

/**
 * Standardises rows: y = (x − mean)·s with s = 1/√(mean((x − mean)²) + ε), without the mean where
 * `center` is false.
 *
 * @param x [·, n]
 * @returns y [·, n] and s [·, 1]
 */
export function standardize(x: Tensor, epsilon = 1e-5, center = true): [y: Tensor, inverseDeviation: Tensor] {
  requireNumber('standardize', 'epsilon', epsilon);
  return applyAll(standardizeOp, [x], { epsilon, center }) as [Tensor, Tensor];
}

/** The operation behind `layerNorm` and `rmsNorm`. */
export const layerNormOp: Op<Attributes> = {
  name: 'layerNorm',
  multiplyAdds: 0,
  infer: ([x, ...weights]) => {
    requireDType('layerNorm', 'f32', x as Tensor, ...weights);
    const n = (x as Tensor).shape.at(-1);
    for (const weight of weights)
      if (weight.size !== n) throw new Error(`layerNorm: expected ${n} weights, got ${weight}`);
    return [{ shape: (x as Tensor).shape, dtype: 'f32' }];
  },
  compute(device, [x, gamma, beta], [y], { epsilon, center }) {
    const [rows, n] = rowsOf(x as Tensor);
    device.run('standardize', {
      x: x as Tensor,
      y: y as Tensor,
      inverseDeviation: null,
      gamma: gamma ?? null,
      beta: beta ?? null,
      rows,
      n,
      epsilon,
      center: Number(center),
    });
  },
  vjp: ({ inputs, gradients, attributes, needed }) => {
    const [x, gamma] = inputs as [Tensor, Tensor];
    const [g] = gradients as [Tensor];
    const leading = x.shape.slice(0, -1).map((_, axis) => axis);
    const [y, inverse] = standardize(x, attributes.epsilon, attributes.center);
    const backward = {
      inputs: [x],
      outputs: [y, inverse],
      gradients: [multiply(g, gamma), undefined],
      attributes,
      needed: [true],
    };
    return [
      needed[0] ? standardizeOp.vjp?.(backward)[0] : undefined,
      needed[1] ? sum(multiply(g, y), leading) : undefined,
      needed[2] ? sum(g, leading) : undefined,
    ];
  },
};

/**
 * Layer norm over the last axis: (x − mean)/√(var + ε)·γ + β. x [·, n], γ and β [n] → [·, n].
 *
 * @see Ba, Kiros, Hinton: Layer Normalization, 2016
 */
export function layerNorm(x: Tensor, gamma: Tensor, beta?: Tensor, epsilon = 1e-5): Tensor {
  requireNumber('layerNorm', 'epsilon', epsilon);
  return apply(layerNormOp, beta ? [x, gamma, beta] : [x, gamma], { epsilon, center: true });
}

/**
 * RMS norm over the last axis: x/√(mean x² + ε)·γ. x [·, n], γ [n] → [·, n].
 *
 * @see Zhang, Sennrich: Root Mean Square Layer Normalization, NeurIPS 2019
 */
export function rmsNorm(x: Tensor, gamma: Tensor, epsilon = 1e-6): Tensor {
  requireNumber('rmsNorm', 'epsilon', epsilon);
  return apply(layerNormOp, [x, gamma], { epsilon, center: false });
}
