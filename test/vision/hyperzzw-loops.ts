// Terminator by plain loops of doubles over [image][channel][row][column]: an oracle that shares
// nothing with the engine.

import type { Map3, Values } from './naive.js';

/** Images of maps. */
export type Batch = Map3[];
type Rows = number[][];
type WeightsOf = (name: string) => Values;

const at = (values: ArrayLike<number>, i: number) => values[i] as number;
const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const meanOf = (values: readonly number[]) => sumOf(values) / values.length;

/** erf by its series and continued fraction. */
function erf(x: number): number {
  const [a, sign] = [Math.abs(x), Math.sign(x)];
  if (a > 5) return sign;
  let [term, sum] = [a, a];
  for (let n = 1; n < 120; n++) {
    term *= (-a * a) / n;
    sum += term / (2 * n + 1);
  }
  return (sign * 2 * sum) / Math.sqrt(Math.PI);
}
const gelu = (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2));
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

function build(like: Batch, fn: (n: number, c: number, i: number, j: number) => number, channels?: number): Batch {
  return like.map((image, n) => {
    const [plane] = image as [number[][]];
    return Array.from({ length: channels ?? image.length }, (_, c) =>
      plane.map((row, i) => row.map((_, j) => fn(n, c, i, j))),
    );
  });
}
const get = (x: Batch, n: number, c: number, i: number, j: number) => x[n]?.[c]?.[i]?.[j] ?? 0;
const map = (x: Batch, fn: (value: number) => number) => build(x, (n, c, i, j) => fn(get(x, n, c, i, j)));
const zip = (x: Batch, y: Batch, fn: (a: number, b: number) => number) =>
  build(x, (n, c, i, j) => fn(get(x, n, c, i, j), get(y, n, c, i, j)));
const planeOf = (x: Batch, n: number, c: number) => (x[n] as Map3)[c] as number[][];
const flat = (x: Batch, n: number, c: number) => planeOf(x, n, c).flat();

function standardized(value: number, all: readonly number[]): number {
  const mean = meanOf(all);
  return (value - mean) / Math.sqrt(meanOf(all.map((own) => (own - mean) ** 2)) + 1e-5);
}
const instance = (x: Batch) => build(x, (n, c, i, j) => standardized(get(x, n, c, i, j), flat(x, n, c)));
const batch = (x: Batch) =>
  build(x, (n, c, i, j) =>
    standardized(
      get(x, n, c, i, j),
      x.flatMap((_, m) => flat(x, m, c)),
    ),
  );

/** Ŵ·z: rows of Ŵ times columns of z. */
export function matrixProduct(w: Batch, z: Batch): Batch {
  return build(z, (n, c, i, j) => sumOf(planeOf(z, n, c).map((_, k) => get(w, n, c, i, k) * get(z, n, c, k, j))));
}

/** The slow networks and layers of one network, by its weights. */
export function loopsOf(weights: WeightsOf) {
  const linear = (rows: Rows, name: string): Rows => {
    const { data, shape } = weights(`${name}.weight`);
    const [out, inner] = shape as [number, number];
    const bias = weights(`${name}.bias`).data;
    return rows.map((row) =>
      Array.from(
        { length: out },
        (_, o) => sumOf(row.map((value, k) => value * at(data, o * inner + k))) + at(bias, o),
      ),
    );
  };
  const pointwise = (x: Batch, name: string): Batch => {
    const { data, shape } = weights(`${name}.weight`);
    const [out, inner] = shape as [number, number];
    const bias = weights(`${name}.bias`).data;
    return build(
      x,
      (n, o, i, j) => {
        let sum = at(bias, o);
        for (let c = 0; c < inner; c++) sum += at(data, o * inner + c) * get(x, n, c, i, j);
        return sum;
      },
      out,
    );
  };
  const grid = (height: number, width: number, axes: number): Rows => {
    const step = (i: number, count: number) => (count === 1 ? 0 : -1 + (2 * i) / (count - 1));
    return Array.from({ length: height * width }, (_, p) => {
      const [i, j] = [Math.floor(p / width), p % width];
      return axes === 1 ? [step(j, width)] : [step(i, height), step(j, width)];
    });
  };
  /** Rows of a slow network's output; `context` are the rows z of a local one. */
  const slow = (name: string, height: number, width: number, layers: number, context?: Rows): Rows => {
    const axes = at(weights(`${name}.filters.0.weight`).shape, 1);
    const points = grid(height, width, axes);
    const filter = (i: number) => linear(points, `${name}.filters.${i}`).map((row) => row.map(Math.sin));
    const positions = weights(`${name}.positions`).data;
    let h = filter(0);
    for (let i = 1; i <= layers; i++) {
      const [g, mixed] = [filter(i), linear(h, `${name}.mixers.${i - 1}`)];
      h = g.map((row, p) => row.map((value, k) => value * at(mixed[p] as number[], k) + at(positions, p)));
      if (!context) continue;
      const x = linear(context, `${name}.contexts.${i - 1}`);
      const norms = (h[0] as number[]).map((_, k) => Math.hypot(...h.map((row) => at(row, k))));
      h = h.map((row, p) => row.map((value, k) => (value + (0.1 * value) / at(norms, k)) * at(x[p] as number[], k)));
    }
    return linear(h, `${name}.output`);
  };
  const local = (name: string, side: number, x: Batch, z: Batch): Batch => {
    const [size, channels] = [planeOf(x, 0, 0).length, (x[0] as Map3).length];
    const pooled = Array.from({ length: side * side }, (_, p) => {
      const [first, last] = [Math.floor, Math.ceil].map(
        (round, end) => (i: number) => round(((i + end) * size) / side),
      ) as [(i: number) => number, (i: number) => number];
      const [u, v] = [Math.floor(p / side), p % side];
      return Array.from({ length: channels }, (_, c) => {
        const values: number[] = [];
        for (let n = 0; n < x.length; n++)
          for (let i = first(u); i < last(u); i++)
            for (let j = first(v); j < last(v); j++) values.push(get(x, n, c, i, j));
        return meanOf(values);
      });
    });
    const context = linear(linear(pooled, `${name}.slow.reduce`), `${name}.slow.mix`).map((row) => row.map(gelu));
    const kernel = slow(`${name}.slow`, side, side, 2, context);
    const half = (side - 1) / 2;
    const convolved = build(z, (n, c, i, j) =>
      sumOf(kernel.map((row, p) => at(row, c) * get(z, n, c, i + Math.floor(p / side) - half, j + (p % side) - half))),
    );
    const shift = at(weights(`${name}.shift`).data, 0);
    return map(batch(pointwise(convolved, `${name}.mixer`)), (value) => gelu(value) + shift);
  };
  const gate = (x: Batch, name: string): Batch => {
    const gated = zip(
      pointwise(x, `${name}.key`),
      pointwise(pointwise(x, `${name}.value`), `${name}.query`),
      (a, b) => a * b,
    );
    const positions = weights(`${name}.positions`).data;
    const size = planeOf(x, 0, 0).length;
    const own = instance(gated);
    return pointwise(
      build(own, (n, c, i, j) => gelu(get(own, n, c, i, j)) + at(positions, i * size + j)),
      `${name}.output`,
    );
  };
  const channelKernel = (name: string, x: Batch) => slow(name, 1, (x[0] as Map3).length, 2).map((row) => at(row, 0));
  const channelInteraction = (x: Batch, name: string): Batch => {
    const kernel = channelKernel(`${name}.slow`, x);
    return build(x, (n, c, i, j) => get(x, n, c, i, j) * sigmoid(at(kernel, c) * meanOf(flat(x, n, c)) ** 2));
  };
  const interaction = (y: Batch, x: Batch, name: string): Batch => {
    const size = planeOf(x, 0, 0).length;
    const kernel = channelKernel(`${name}.channel`, x);
    const positions = slow(`${name}.spatial`, size, size, 2).map((row) => at(row, 0));
    return build(x, (n, c, i, j) => {
      const mean = meanOf((y[n] as Map3).map((_, k) => get(y, n, k, i, j)));
      const score = at(kernel, c) * meanOf(flat(y, n, c)) ** 2 * at(positions, i * size + j) * mean ** 2;
      return get(x, n, c, i, j) * sigmoid(score);
    });
  };
  const repeated = (x: Batch, channels: number): Batch =>
    build(x, (n, c, i, j) => get(x, n, c % (x[0] as Map3).length, i, j), channels);
  const joined = (parts: readonly Batch[]): Batch =>
    (parts[0] as Batch).map((_, n) => parts.flatMap((part) => part[n] as Map3));

  /** A block with the statistics of the batch and G-IBS of 12 groups. */
  const block = (name: string, x: Batch, earlier: readonly Batch[], layers: number): Batch => {
    const [size, channels] = [planeOf(x, 0, 0).length, (x[0] as Map3).length];
    const kernel = slow(`${name}.slow`, size, size, layers);
    const context = build(x, (n, c, i, j) => get(x, n, c, i, j) * at(kernel[i * size + j] as number[], c));
    const fast = instance(zip(gate(context, `${name}.gates.1`), gate(x, `${name}.gates.0`), (a, b) => a + b));
    const mix = instance(pointwise(x, `${name}.mixer`));
    const hci = instance(channelInteraction(x, `${name}.channelInteraction`));
    const [o, ox, oh] = [fast, mix, hci].map((z) => matrixProduct(context, z)) as [Batch, Batch, Batch];
    const f1 = local(`${name}.locals.0`, 3, x, hci);
    const f2 = local(`${name}.locals.1`, 9, hci, x);
    const f3 = local(`${name}.locals.2`, 5, mix, x);
    const f4 = local(`${name}.locals.3`, 7, x, mix);
    const [first = [], second = []] = earlier.map((y) => [repeated(y, channels)]);
    const hyper = interaction(o, x, `${name}.interaction`);
    const glu = map(o, (value) => sigmoid(value) * value);
    const y = pointwise(
      joined([o, f2, ...first, fast, ox, f1, glu, f3, oh, f4, ...second, hyper]),
      `${name}.bottleneck`,
    );
    const each = (y[0] as Map3).length / 12;
    const [even, odd] = [batch(y), instance(y)];
    const shift = at(weights(`${name}.shift`).data, 0);
    return build(y, (n, c, i, j) => gelu(get(Math.floor(c / each) % 2 === 0 ? even : odd, n, c, i, j)) + shift);
  };
  return { linear, slow, block, repeated };
}
