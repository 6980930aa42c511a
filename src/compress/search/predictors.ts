// Predictors of what a configuration measures, from few measurements: ridge regression on one-hot
// genes, and kernel ridge regression with a radial kernel. Kernel ridge stands in the place of the
// ε-support vector regression (ε = 0) of DyNAS-T, α = 1/(2C): the same penalty and kernel, with the
// squared in the place of the absolute loss, so that one eigendecomposition serves all α and folds.

import { symmetricEigen64 } from '../../linalg/index.js';
import type { Random } from '../../tensor/index.js';
import type { Gene } from './space.js';

/** A genome as predictors see it: the choice of each gene, −1 where the gene has no effect. */
export type Features = Int32Array;

/** A fitted predictor. */
export interface Predictor {
  /** What was chosen. */
  readonly kind: 'ridge' | 'kernel-ridge';
  /** α, the weight of the penalty. */
  readonly alpha: number;
  /** Mean absolute percentage error in cross-validation, as a share. */
  readonly error: number;
  /** Predicted values, in the units of the labels. */
  predict(features: readonly Features[]): Float64Array;
}

/** Options of `fitPredictor`. */
export interface PredictorOptions {
  /** Folds of the cross-validation. Default: 5. */
  readonly folds?: number;
  /** What may be chosen. Default: both. */
  readonly kinds?: readonly Predictor['kind'][];
}

/** α of ridge regression: 0.1, 0.2, … 10. */
export const RIDGE_ALPHAS: readonly number[] = Array.from({ length: 100 }, (_, i) => (i + 1) / 10);
/** α of kernel ridge regression: 1/(2C) for C = 1, 2, … 100. */
export const KERNEL_ALPHAS: readonly number[] = Array.from({ length: 100 }, (_, i) => 1 / (2 * (100 - i)));

/** 10^(⌊log₁₀ max |y|⌋ − 1): labels divided by it have two digits before the point. */
export function labelScale(labels: ArrayLike<number>): number {
  const most = Array.from(labels).reduce((max, y) => Math.max(max, Math.abs(y)), 0);
  return most === 0 ? 1 : 10 ** (Math.floor(Math.log10(most)) - 1);
}

/**
 * Fits ridge and kernel ridge regression, each with the α of least mean absolute percentage error
 * in cross-validation, and keeps the better one.
 *
 * @param features [n], the genomes with −1 where a gene has no effect
 * @param labels [n]
 * @param random deals the folds
 * @throws RangeError for fewer than two labels, or one that is not finite
 */
export function fitPredictor(
  genes: readonly Gene[],
  features: readonly Features[],
  labels: ArrayLike<number>,
  random: Random,
  { folds = 5, kinds = ['ridge', 'kernel-ridge'] }: PredictorOptions = {},
): Predictor {
  const n = features.length;
  if (n < 2 || labels.length !== n) throw new RangeError(`predictor: ${labels.length} labels of ${n} configurations`);
  const scale = labelScale(labels);
  const scaled = Float64Array.from(labels, (y) => y / scale);
  if (!scaled.every(Number.isFinite)) throw new RangeError('predictor: a label is not finite');
  const dealt = dealtFolds(n, Math.min(folds, n), random);
  const fitted = kinds.map((kind) => fitKind(kind, genes, features, scaled, dealt));
  const best = fitted.reduce((least, own) => (own.error < least.error ? own : least));
  return { ...best, predict: (rows) => best.predict(rows).map((value) => value * scale) };
}

/** Indices of the labels of each fold. */
function dealtFolds(n: number, folds: number, random: Random): readonly number[][] {
  const parts: number[][] = Array.from({ length: folds }, () => []);
  random.permutation(n).forEach((i, place) => {
    (parts[place % folds] as number[]).push(i);
  });
  return parts;
}

/** Numbers of genes on which two genomes agree, and that have an effect. */
function agreement(a: Features, b: Features): number {
  let count = 0;
  for (let g = 0; g < a.length; g++) if (a[g] === b[g] && (a[g] as number) >= 0) count += 1;
  return count;
}

const sizeOf = (features: Features) => agreement(features, features);

/** A kernel of one-hot features: linear, or radial with γ = 1/(number of features). */
function kernelOf(kind: Predictor['kind'], genes: readonly Gene[]): (agreed: number, sizes: number) => number {
  if (kind === 'ridge') return (agreed) => agreed;
  const gamma = 1 / genes.reduce((sum, { choices }) => sum + choices, 0);
  const table = Float64Array.from({ length: 2 * genes.length + 1 }, (_, square) => Math.exp(-gamma * square));
  return (agreed, sizes) => table[sizes - 2 * agreed] as number;
}

function fitKind(
  kind: Predictor['kind'],
  genes: readonly Gene[],
  features: readonly Features[],
  labels: Float64Array,
  folds: readonly number[][],
): Predictor {
  const n = labels.length;
  const kernel = kernelOf(kind, genes);
  const sizes = features.map(sizeOf);
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const agreed = agreement(features[i] as Features, features[j] as Features);
      gram[i * n + j] = gram[j * n + i] = kernel(agreed, (sizes[i] as number) + (sizes[j] as number));
    }
  const { centred, means, mean: total } = doublyCentred(gram, n);
  const mean = labels.reduce((sum, y) => sum + y, 0) / n;
  const smoother = smootherOf(
    centred,
    labels.map((y) => y - mean),
  );
  const alphas = kind === 'ridge' ? RIDGE_ALPHAS : KERNEL_ALPHAS;
  const { alpha, error } = leastError(alphas, (own) => heldOutError(smoother, labels, mean, own, folds));
  const dual = dualOf(smoother, alpha);
  // Σ aⱼ·(k(x, xⱼ) − mean of column j − mean of k(x, ·) + mean of all), where Σ aⱼ = 0.
  const shift = mean - dual.reduce((sum, a, j) => sum + a * ((means[j] as number) - total), 0);
  const value = kind === 'ridge' ? ridgeValue(genes, features, dual) : kernelValue(genes, features, dual, kernel);
  return { kind, alpha, error, predict: (rows) => Float64Array.from(rows, (row) => shift + value(row)) };
}

/** Σ aⱼ·k(x, xⱼ); genes are compared by lists of the configurations that have a choice. */
function kernelValue(
  genes: readonly Gene[],
  features: readonly Features[],
  dual: Float64Array,
  kernel: ReturnType<typeof kernelOf>,
): (row: Features) => number {
  const n = features.length;
  const sizes = Int32Array.from(features, sizeOf);
  const holders = genes.map(({ choices }, g) =>
    Array.from({ length: choices }, (_, choice) =>
      Int32Array.from(features.keys()).filter((j) => features[j]?.[g] === choice),
    ),
  );
  const agreed = new Int32Array(n);
  return (row) => {
    agreed.fill(0);
    let size = 0;
    for (let g = 0; g < row.length; g++) {
      const choice = row[g] as number;
      if (choice < 0) continue;
      size += 1;
      const same = holders[g]?.[choice] as Int32Array;
      for (let k = 0; k < same.length; k++) (agreed[same[k] as number] as number)++;
    }
    let value = 0;
    for (let j = 0; j < n; j++) value += (dual[j] as number) * kernel(agreed[j] as number, size + (sizes[j] as number));
    return value;
  };
}

/** K − row means − column means + mean of all: the kernel of features less their means. */
function doublyCentred(gram: Float64Array, n: number) {
  const means = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += gram[i * n + j] as number;
    return sum / n;
  });
  const mean = means.reduce((sum, own) => sum + own, 0) / n;
  const centred = gram.map(
    (value, at) => value - (means[Math.floor(at / n)] as number) - (means[at % n] as number) + mean,
  );
  return { centred, means, mean };
}

/** K = U·diag(λ)·Uᵀ without the eigenvalues of 0, and the labels in it: Uᵀ(y − ȳ). */
interface Smoother {
  readonly n: number;
  /** λ [r]. */
  readonly values: Float64Array;
  /** Uᵀ [r][n]. */
  readonly vectors: readonly Float64Array[];
  /** Uᵀ(y − ȳ) [r]. */
  readonly coordinates: Float64Array;
}

function smootherOf(kernel: Float64Array, centred: Float64Array): Smoother {
  const n = centred.length;
  const { values, vectors } = symmetricEigen64(kernel, n);
  const least = 1e-10 * (values[n - 1] as number);
  const used = Array.from(values.keys()).filter((k) => (values[k] as number) > least);
  const columns = used.map((k) => Float64Array.from({ length: n }, (_, i) => vectors[i * n + k] as number));
  return {
    n,
    values: Float64Array.from(used, (k) => values[k] as number),
    vectors: columns,
    coordinates: Float64Array.from(columns, (column) => product(column, centred)),
  };
}

/** a = U·diag(1/(λ + α))·Uᵀ(y − ȳ). */
const dualOf = (smoother: Smoother, alpha: number) => combined(smoother, (value) => 1 / (value + alpha));

/** U·diag(f(λ))·Uᵀ(y − ȳ). */
function combined({ n, values, vectors, coordinates }: Smoother, factor: (value: number) => number): Float64Array {
  const sum = new Float64Array(n);
  vectors.forEach((column, k) => {
    const own = factor(values[k] as number) * (coordinates[k] as number);
    for (let i = 0; i < n; i++) sum[i] = (sum[i] as number) + own * (column[i] as number);
  });
  return sum;
}

/**
 * Mean absolute percentage error of the labels of each fold under a fit without it. The fit is
 * linear in the labels, ŷ = H·y with H = 1/n + U·diag(λ/(λ + α))·Uᵀ, so that the errors of a fold F
 * left out are (I − H_FF)⁻¹(y − ŷ)_F, without another fit.
 */
function heldOutError(
  smoother: Smoother,
  labels: Float64Array,
  mean: number,
  alpha: number,
  folds: readonly number[][],
): number {
  const { n, values, vectors } = smoother;
  const fitted = combined(smoother, (value) => value / (value + alpha));
  const roots = values.map((value) => Math.sqrt(value / (value + alpha)));
  let total = 0;
  for (const fold of folds) {
    // Rows U_F·diag(√(λ/(λ + α))): H_FF = 1/n + rows·rowsᵀ.
    const rows = fold.map((i) => roots.map((root, k) => root * (vectors[k]?.[i] as number)));
    const left = rows.map((row, a) =>
      Float64Array.from(rows, (other, b) => (b > a ? 0 : Number(a === b) - 1 / n - product(row, other))),
    );
    const residual = Float64Array.from(fold, (i) => (labels[i] as number) - mean - (fitted[i] as number));
    solveInPlace(left, residual).forEach((error, a) => {
      total += Math.abs(error) / Math.max(Math.abs(labels[fold[a] as number] as number), 1e-12);
    });
  }
  return total / n;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] as number) * (b[k] as number);
  return sum;
}

/** Solves L·Lᵀ·x = b for a matrix given by its lower triangle, by Cholesky's factor. */
function solveInPlace(lower: readonly Float64Array[], b: Float64Array): Float64Array {
  const n = b.length;
  const entry = (i: number, j: number) => (lower[i] as Float64Array)[j] as number;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = entry(i, j);
      for (let k = 0; k < j; k++) sum -= entry(i, k) * entry(j, k);
      (lower[i] as Float64Array)[j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / entry(j, j);
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i] = (b[i] as number) - entry(i, k) * (b[k] as number);
    b[i] = (b[i] as number) / entry(i, i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i] = (b[i] as number) - entry(k, i) * (b[k] as number);
    b[i] = (b[i] as number) / entry(i, i);
  }
  return b;
}

/** The least error: of every tenth value, then of the values around the best of them. */
function leastError(
  alphas: readonly number[],
  errorOf: (alpha: number) => number,
): { readonly alpha: number; readonly error: number } {
  const errors = new Map<number, number>();
  const best = (places: readonly number[]) => {
    for (const place of places)
      if (!errors.has(place) && alphas[place] !== undefined) errors.set(place, errorOf(alphas[place] as number));
    return [...errors].reduce((least, own) => (own[1] < least[1] ? own : least));
  };
  const coarse = Array.from({ length: Math.ceil(alphas.length / 10) }, (_, i) => 10 * i);
  const [centre] = best([...coarse, alphas.length - 1]);
  const [place, error] = best(Array.from({ length: 19 }, (_, i) => centre + i - 9));
  return { alpha: alphas[place] as number, error };
}

/** w·φ(x) with w = Σ aⱼ·φ(xⱼ). */
function ridgeValue(genes: readonly Gene[], features: readonly Features[], dual: Float64Array) {
  const weights = genes.map(({ choices }) => new Float64Array(choices));
  features.forEach((row, j) => {
    row.forEach((choice, g) => {
      const own = weights[g] as Float64Array;
      if (choice >= 0) own[choice] = (own[choice] as number) + (dual[j] as number);
    });
  });
  return (row: Features) => {
    let sum = 0;
    for (let g = 0; g < row.length; g++)
      if ((row[g] as number) >= 0) sum += (weights[g] as Float64Array)[row[g] as number] as number;
    return sum;
  };
}
