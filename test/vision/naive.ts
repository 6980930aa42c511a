// Networks by plain loops over maps of doubles: an oracle that shares nothing with the engine.

/** Channels of planes: [c][h][w]. */
export type Map3 = number[][][];

/** A tensor's values with its shape. */
export interface Values {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** Values of named weights. */
export type Weights = (name: string) => Values;

export function mapOf(data: ArrayLike<number>, [c, h, w]: readonly [number, number, number]): Map3 {
  const at = (k: number, i: number, j: number) => data[(k * h + i) * w + j] as number;
  return planes(c, h, w, at);
}

function planes(c: number, h: number, w: number, at: (k: number, i: number, j: number) => number): Map3 {
  return Array.from({ length: c }, (_, k) =>
    Array.from({ length: h }, (_, i) => Array.from({ length: w }, (_, j) => at(k, i, j))),
  );
}

const heightOf = (x: Map3) => (x[0] as number[][]).length;
const widthOf = (x: Map3) => ((x[0] as number[][])[0] as number[]).length;

/** A pixel; 0 outside of the map. */
export const pixel = (x: Map3, k: number, i: number, j: number): number => x[k]?.[i]?.[j] ?? 0;

/** The same function of every pixel. */
export function each(x: Map3, value: (own: number, k: number, i: number, j: number) => number): Map3 {
  return planes(x.length, heightOf(x), widthOf(x), (k, i, j) => value(pixel(x, k, i, j), k, i, j));
}

export const plus = (a: Map3, b: Map3): Map3 => each(a, (own, k, i, j) => own + pixel(b, k, i, j));
export const rectified = (x: Map3): Map3 => each(x, (own) => Math.max(0, own));

/** Convolution with weight [out, in/groups, k, k] and zero padding. */
export function convolved(
  x: Map3,
  { data, shape }: Values,
  { bias, stride = 1, padding = 0 }: { bias?: Values | undefined; stride?: number; padding?: number } = {},
): Map3 {
  const [out, inner, kernel] = shape as [number, number, number, number];
  const side = (length: number) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
  const perGroup = out / (x.length / inner);
  return planes(out, side(heightOf(x)), side(widthOf(x)), (o, i, j) => {
    let sum = (bias?.data[o] as number) ?? 0;
    for (let c = 0; c < inner; c++)
      for (let u = 0; u < kernel; u++)
        for (let v = 0; v < kernel; v++)
          sum +=
            (data[((o * inner + c) * kernel + u) * kernel + v] as number) *
            pixel(x, Math.floor(o / perGroup) * inner + c, i * stride + u - padding, j * stride + v - padding);
    return sum;
  });
}

/** Batch norm with running statistics, of the weights under a name. */
export function normed(x: Map3, weights: Weights, name: string, epsilon: number): Map3 {
  const [gain, shift, mean, variance] = ['weight', 'bias', 'runningMean', 'runningVariance'].map(
    (part) => weights(`${name}.${part}`).data,
  ) as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];
  return each(x, (own, k) => {
    const scale = (gain[k] as number) / Math.sqrt((variance[k] as number) + epsilon);
    return (own - (mean[k] as number)) * scale + (shift[k] as number);
  });
}

/** Mean of each channel, as a map of one pixel. */
export function pooled(x: Map3): Map3 {
  const mean = (plane: number[][]) => plane.flat().reduce((sum, value) => sum + value, 0) / plane.flat().length;
  return x.map((plane) => [[mean(plane)]]);
}

/** Max pooling with windows as large as the stride. */
export function maxPooled(x: Map3, stride: number): Map3 {
  return planes(x.length, Math.floor(heightOf(x) / stride), Math.floor(widthOf(x) / stride), (k, i, j) => {
    const window = Array.from({ length: stride ** 2 }, (_, at) =>
      pixel(x, k, i * stride + Math.floor(at / stride), j * stride + (at % stride)),
    );
    return Math.max(...window);
  });
}

/** Which pixels share a window: neighbours, or pixels that are as many windows apart. */
type Pattern = 'close' | 'remote';

/** How `windowAttended` attends. */
export interface WindowsOfAttention {
  readonly heads: number;
  readonly window: number;
  readonly patterns: readonly Pattern[];
  /** Of the values. */
  readonly activate: (value: number) => number;
}

/**
 * Attention over all pixels, masked to those that share a window, for each pattern, summed. The map
 * is padded with zeros at the bottom and on the right; padded pixels have the biases as queries,
 * keys and values.
 */
export function windowAttended(
  x: Map3,
  weights: Weights,
  name: string,
  { heads, window, patterns, activate }: WindowsOfAttention,
): Map3 {
  const channels = x.length;
  const [rows, columns] = [heightOf(x), widthOf(x)].map((side) => Math.ceil(side / window) * window) as [
    number,
    number,
  ];
  const [n1, n2] = [rows / window, columns / window];
  const padded = planes(channels, rows, columns, (k, i, j) => pixel(x, k, i, j));
  const projected = (part: string) =>
    convolved(padded, weights(`${name}.${part}.weight`), { bias: weights(`${name}.${part}.bias`) });
  const [qk, v] = [projected('qk'), each(projected('v'), activate)];
  const [depth, valueDepth] = [channels / heads, v.length / heads];
  const windowOf = (pattern: Pattern, r: number, c: number) =>
    pattern === 'close' ? Math.floor(r / window) * n2 + Math.floor(c / window) : (r % n1) * n2 + (c % n2);
  return planes(v.length, heightOf(x), widthOf(x), (o, i, j) => {
    const head = Math.floor(o / valueDepth);
    const one = (pattern: Pattern) => {
      let [sum, total] = [0, 0];
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          if (windowOf(pattern, r, c) !== windowOf(pattern, i, j)) continue;
          let dot = 0;
          for (let d = head * depth; d < (head + 1) * depth; d++)
            dot += pixel(qk, d, i, j) * pixel(qk, channels + d, r, c);
          const weight = Math.exp(dot / Math.sqrt(depth));
          total += weight;
          sum += weight * pixel(v, o, r, c);
        }
      return sum / total;
    };
    return patterns.reduce((sum, pattern) => sum + one(pattern), 0);
  });
}
