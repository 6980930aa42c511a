// SoftHGNN by loops over images, tokens, hyperedges and heads, in double precision.

import { type SoftHGNN, stateOf } from '../../src/nn/index.js';
import type { Tensor } from '../../src/tensor/index.js';

type Matrix = readonly (readonly number[])[];

/** What the loops give for one image. */
export interface NaiveImage {
  /** [N][D] */
  readonly y: Matrix;
  /** A [N][m], of the hyperedges used. */
  readonly participation: Matrix;
  /** Numbers of the hyperedges used. */
  readonly hyperedges: readonly number[];
  /** s [N][M] */
  readonly similarities: Matrix;
  /** u [M] */
  readonly scores: readonly number[];
}

/** Abramowitz and Stegun's series of the error function, summed until it stands still. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200 && Math.abs(term) > 1e-18; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

function rowsOf(tensor: Tensor): Matrix {
  const [rows, columns] = tensor.shape as [number, number];
  const values = tensor.dataSync();
  return range(rows).map((r) => range(columns).map((c) => values[r * columns + c] as number));
}

/** x·Wᵀ + b of each row. */
function affine(rows: Matrix, weight: Matrix, bias: readonly number[]): Matrix {
  return rows.map((x) => weight.map((w, o) => total(w.map((v, i) => v * (x[i] as number))) + (bias[o] as number)));
}

/** A layer in inference on one image [N][D]. */
export function naiveSoftHGNN(layer: SoftHGNN, heads: number, x: Matrix): NaiveImage {
  const state = stateOf(layer);
  const weights = (name: string) => rowsOf(state[`${name}.weight`] as Tensor);
  const bias = (name: string) => [...(state[`${name}.bias`] as Tensor).dataSync()];
  const D = layer.features;
  const depth = D / heads;
  const means = range(D).map((d) => total(x.map((row) => row[d] as number)) / x.length);
  const peaks = range(D).map((d) => Math.max(...x.map((row) => row[d] as number)));
  const base = rowsOf(layer.prototypes);
  let offsets: readonly number[] = [...means, ...peaks];
  layer.context.forEach((_, at) => {
    offsets = affine([offsets], weights(`context.${at}`), bias(`context.${at}`))[0] as readonly number[];
  });
  const P = base.map((row, m) =>
    row.map((value, d) => value + (layer.context.length > 0 ? (offsets[m * D + d] as number) : 0)),
  );
  const Z = affine(x, weights('project'), bias('project'));
  const similarity = (n: number, m: number) => {
    const perHead = range(heads).map((head) => {
      const own = range(depth).map((i) => head * depth + i);
      return total(own.map((d) => (Z[n]?.[d] as number) * (P[m]?.[d] as number))) / Math.sqrt(depth);
    });
    return total(perHead) / heads;
  };
  const s = x.map((_, n) => P.map((_, m) => similarity(n, m)));
  const scores = P.map((_, m) => total(s.map((row) => row[m] as number)));
  const dynamic = range(P.length).slice(layer.fixed);
  const ranked = dynamic.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  const hyperedges = [...range(layer.fixed), ...ranked.slice(0, layer.selection?.k ?? 0)];
  const sums = hyperedges.map((m) => total(s.map((row) => Math.exp(row[m] as number))));
  const A = s.map((row) => hyperedges.map((m, i) => Math.exp(row[m] as number) / (sums[i] as number)));
  const E = hyperedges.map((_, i) =>
    range(D).map((d) => total(x.map((row, n) => (A[n]?.[i] as number) * (row[d] as number)))),
  );
  const M = affine(E, weights('edge'), bias('edge')).map((row) => row.map(gelu));
  const spread = A.map((row) => range(D).map((d) => total(row.map((a, i) => a * (M[i]?.[d] as number)))));
  const gate = layer.gate?.dataSync()[0] ?? 1;
  const y = affine(spread, weights('vertex'), bias('vertex')).map((row, n) =>
    row.map((value, d) => (x[n]?.[d] as number) + gate * gelu(value)),
  );
  return { y, participation: A, hyperedges, similarities: s, scores };
}

/** The images of a tensor [B, N, D] as lists. */
export function imagesOf(x: Tensor): Matrix[] {
  const [batch, tokens, features] = x.shape as [number, number, number];
  const values = x.dataSync();
  const at = (b: number, n: number, d: number) => values[(b * tokens + n) * features + d] as number;
  return range(batch).map((b) => range(tokens).map((n) => range(features).map((d) => at(b, n, d))));
}
