// LoGAH's forward pass in plain loops, for tests: shortest paths, features, attention, factors.

import type { ArchitectureGraph } from '../../src/hypernet/logah/index.js';
import { primitives } from '../../src/hypernet/logah/index.js';
import { type SizeTable, shape4d } from '../../src/hypernet/logah/sizes.js';
import type { Tensor } from '../../src/tensor/index.js';

type Matrix = number[][];

/** Shortest paths by Floyd and Warshall; 0 where there is none, or it is longer than the cutoff. */
export function shortestPaths({ nodes, edges }: ArchitectureGraph, cutoff: number): Matrix {
  const n = nodes.length;
  const d = Array.from({ length: n }, () => Array.from({ length: n }, () => Number.POSITIVE_INFINITY));
  for (const [from, to] of edges) (d[from] as number[])[to] = 1;
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const through = (d[i]?.[k] as number) + (d[k]?.[j] as number);
        if (through < (d[i]?.[j] as number)) (d[i] as number[])[j] = through;
      }
  return d.map((row) => row.map((value) => (value <= cutoff ? value : 0)));
}

/** Weights of a module as nested plain arrays, read by name. */
export class Plain {
  constructor(readonly weights: Readonly<Record<string, Tensor>>) {}

  vector(name: string): number[] {
    const weight = this.weights[name];
    if (!weight) throw new Error(`no weight ${name}: ${Object.keys(this.weights).join(' ')}`);
    return Array.from(weight.dataSync<Float32Array>());
  }

  matrix(name: string): Matrix {
    const { shape } = this.weights[name] as Tensor;
    const [rows, columns] = shape as [number, number];
    const values = this.vector(name);
    return Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
  }

  linear(name: string, x: readonly number[]): number[] {
    const bias = this.weights[`${name}.bias`] ? this.vector(`${name}.bias`) : undefined;
    return this.matrix(`${name}.weight`).map(
      (row, i) => row.reduce((sum, w, j) => sum + w * (x[j] as number), 0) + (bias?.[i] ?? 0),
    );
  }

  norm(name: string, x: readonly number[]): number[] {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
    const [gain, bias] = [this.vector(`${name}.weight`), this.vector(`${name}.bias`)];
    return x.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * (gain[i] as number) + (bias[i] as number));
  }
}

const relu = (x: readonly number[]) => x.map((v) => Math.max(0, v));

/** erf by its series, to 10⁻¹² for |x| < 4. */
function erf(x: number): number {
  let [term, total] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

const gelu = (x: readonly number[]) => x.map((v) => 0.5 * v * (1 + erf(v / Math.SQRT2)));
const plus = (a: readonly number[], b: readonly number[]) => a.map((v, i) => v + (b[i] as number));

/** Vectors of all nodes, by definition. */
export function encodedByLoops(
  weights: Plain,
  graph: ArchitectureGraph,
  sizes: SizeTable,
  { layers, heads, cutoff }: { layers: number; heads: number; cutoff: number },
): Matrix {
  const n = graph.nodes.length;
  const a = shortestPaths(graph, cutoff);
  const at = (i: number, j: number) => a[i]?.[j] as number;
  const row = (name: string, index: number) => weights.matrix(`encoder.${name}`)[index] as number[];
  let x = graph.nodes.map((node, v) => {
    const [o, i, h, w] = node.shape ? sizes.rows(shape4d(node.shape)) : sizes.none;
    const shape = [
      ...row('nodes.channels', o),
      ...row('nodes.channels', i),
      ...row('nodes.spatial', h),
      ...row('nodes.spatial', w),
    ];
    const arriving = graph.edges.filter(([, to]) => to === v).length;
    const leaving = graph.edges.filter(([from]) => from === v).length;
    return [
      row('nodes.embed', primitives.indexOf(node.primitive)),
      shape,
      row('nodes.inDegree', arriving),
      row('nodes.outDegree', leaving),
      row('nodes.distance', at(0, v)),
    ].reduce(plus);
  });
  const bias = (i: number, j: number) => {
    const pair = [...row('bias.edges', at(i, j) + 2), ...row('bias.edges', at(j, i) + 2)];
    return weights.linear('encoder.bias.out', relu(weights.linear('encoder.bias.hidden', pair)));
  };
  const biases = x.map((_, i) => x.map((__, j) => bias(i, j)));
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `encoder.layers.${layer}.${part}`;
    const d = (x[0] as number[]).length;
    const depth = d / heads;
    const projected = x.map((v) => weights.linear(name('qkv'), weights.norm(name('ln1'), v)));
    const attended = x.map((_, i) => {
      const joined: number[] = [];
      for (let head = 0; head < heads; head++) {
        const part = (node: number, which: number) =>
          (projected[node] as number[]).slice(which * d + head * depth, which * d + (head + 1) * depth);
        const scores = x.map((__, j) => {
          const dot = part(i, 0).reduce((sum, q, c) => sum + q * (part(j, 1)[c] as number), 0);
          return dot / Math.sqrt(depth) + (biases[i]?.[j]?.[head] as number);
        });
        const top = Math.max(...scores);
        const e = scores.map((s) => Math.exp(s - top));
        const total = e.reduce((p, q) => p + q, 0);
        for (let c = 0; c < depth; c++)
          joined.push(e.reduce((sum, p, j) => sum + (p / total) * (part(j, 2)[c] as number), 0));
      }
      return weights.linear(name('proj'), joined);
    });
    x = x.map((v, i) => plus(v, attended[i] as number[]));
    x = x.map((v) => {
      const hidden = gelu(weights.linear(name('fc1'), weights.norm(name('ln2'), v)));
      return plus(v, weights.linear(name('fc2'), hidden));
    });
    if (x.length !== n) throw new Error('nodes were lost');
  }
  return x;
}

/**
 * A parameter by the definition of the low-rank decoder, with the whole buffer [2r, K]: its numbers
 * in row-major order are A, then B.
 */
export function decodedByLoops(
  weights: Plain,
  x: readonly number[],
  [out, inner, kh, kw]: readonly [number, number, number, number],
  r: number,
  k: number,
): number[] {
  const hidden = relu(weights.linear('decoder.fc2', relu(weights.linear('decoder.fc1', x))));
  const y = relu(weights.linear('decoder.fc3', hidden));
  const buffer: number[] = [];
  for (let i = 0; i < 2 * r; i++) buffer.push(...weights.linear('decoder.expand', y.slice(i * r, (i + 1) * r)));
  const a = (row: number, j: number) => buffer[row * r + j] as number;
  const b = (row: number, j: number) => buffer[(k + row) * r + j] as number;
  const values: number[] = [];
  for (let o = 0; o < out; o++)
    for (let i = 0; i < inner; i++)
      for (let h = 0; h < kh; h++)
        for (let w = 0; w < kw; w++) {
          let sum = 0;
          for (let j = 0; j < r; j++) sum += a(o * kh + h, j) * b(i * kw + w, j);
          values.push(sum);
        }
  return values;
}
