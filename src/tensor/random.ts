// Random numbers without hidden state: Philox4x32-10 (Salmon et al., SC 2011) keyed by a seed and a
// path of labels. A stream's n-th draw depends on its key and n alone, so results do not change
// with threads or with what others draw.

import { cpu } from '../engine/index.js';
import { apply, type Op, onlyGradient, requireDType } from './apply.js';
import { requireCount, requireNumber, type Shape } from './shape.js';
import { emptyTensor, type Tensor } from './tensor.js';

/** Two 32-bit words. */
export type Key = readonly [number, number];

/** High and low 32 bits of the product of two unsigned 32-bit integers. */
function multiplyWide(a: number, b: number): [high: number, low: number] {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return [(aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0, Math.imul(a, b) >>> 0];
}

/** One block of Philox4x32-10: four words from a counter of four words and a key of two. */
export function philox(counter: readonly [number, number, number, number], key: Key): [number, number, number, number] {
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiplyWide(x0, 0xd2511f53);
    const [high1, low1] = multiplyWide(x2, 0xcd9e8d57);
    [x0, x1, x2, x3] = [(high1 ^ x1 ^ k0) >>> 0, low1, (high0 ^ x3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [x0, x1, x2, x3];
}

/** Marks counters that derive keys apart from those that make numbers. */
const DERIVE = 0x67_6f_73_73;

function derive(key: Key, a: number, b: number): Key {
  const [k0, k1] = philox([a >>> 0, b >>> 0, 0, DERIVE], key);
  return [k0, k1];
}

function hash(label: string): [number, number] {
  // FNV-1a and a second pass with another basis.
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < label.length; i++) {
    a = Math.imul(a ^ label.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ label.charCodeAt(i), 0x85ebca6b) ^ (b >>> 15);
  }
  return [a >>> 0, b >>> 0];
}

/**
 * A stream of random draws. `split` makes independent streams; each draw advances this one by one
 * step.
 */
export class Random {
  /** Key of the counter-based generator: equal keys give equal streams. */
  readonly key: Key;
  /** Draws made so far; settable to continue a saved stream. */
  position = 0;
  #block: readonly number[] = [];
  #used = 4;
  /** Key of the words, derived once. */
  #words: Key | undefined;

  constructor(seed: number | Key) {
    const words = Array.isArray(seed) && seed.length === 2 && seed.every((word) => word >>> 0 === word);
    if (!words && !(Number.isSafeInteger(seed) && (seed as number) >= 0))
      throw new RangeError(
        `Random: the seed must be a non-negative integer, or a key of two 32-bit words, got ${String(seed)}`,
      );
    this.key = typeof seed === 'number' ? [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] : seed;
  }

  /** An independent stream for a label: the same label gives the same stream. */
  split(label: string | number): Random {
    if (typeof label !== 'string' && label >>> 0 !== label)
      throw new RangeError(`Random.split: a label is a text or an integer below 2³², got ${String(label)}`);
    return new Random(typeof label === 'number' ? derive(this.key, label, 1) : derive(this.key, ...hash(label)));
  }

  /** A new key; advances the stream. */
  next(): Key {
    this.#used = 4;
    return derive(this.key, this.position++, 2);
  }

  /** A uniform 32-bit unsigned integer. */
  word(): number {
    if (this.#used === 4) {
      this.#words ??= derive(this.key, 0, 3);
      this.#block = philox([this.position++ >>> 0, 0, 0, 0], this.#words);
      this.#used = 0;
    }
    return this.#block[this.#used++] as number;
  }

  /** A uniform number in [0, 1). */
  float(): number {
    return this.word() / 2 ** 32;
  }

  /** A uniform integer in [0, n), without bias. */
  integer(n: number): number {
    if (!(Number.isInteger(n) && n > 0 && n <= 2 ** 32))
      throw new RangeError(`Random.integer: expected 1 ≤ n ≤ 2³², got ${n}`);
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const word = this.word();
      if (word < limit) return word % n;
    }
  }

  /** A standard normal number. */
  gaussian(): number {
    return Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float());
  }

  /**
   * A Gamma number of a shape and rate 1, of mean `shape`: divide by another rate (Marsaglia &
   * Tsang 2000).
   */
  gamma(shape: number): number {
    if (!(shape > 0 && shape < Number.POSITIVE_INFINITY))
      throw new RangeError(`Random.gamma: expected a positive shape, got ${shape}`);
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.float()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.gaussian();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(this.float() + 1e-300) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** A Poisson number, by multiplication of uniforms: for means up to 500. */
  poisson(mean: number): number {
    if (!(mean >= 0 && mean <= 500)) throw new RangeError(`Random.poisson: expected 0 ≤ mean ≤ 500, got ${mean}`);
    const limit = Math.exp(-mean);
    let product = this.float();
    let count = 0;
    for (; product > limit; count++) product *= this.float();
    return count;
  }

  /** 0 … n−1 in random order (Fisher–Yates). */
  permutation(n: number): Int32Array {
    requireCount('Random.permutation', 'n', n);
    const order = Int32Array.from({ length: n }, (_, index) => index);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = order[i] as number;
      order[i] = order[j] as number;
      order[j] = held;
    }
    return order;
  }

  /** k distinct integers of [0, n), in random order (Floyd's method, shuffled). */
  sample(n: number, k: number): Int32Array {
    requireCount('Random.sample', 'n', n);
    requireCount('Random.sample', 'k', k);
    if (k > n) throw new RangeError(`Random.sample: cannot take ${k} distinct of ${n}`);
    const chosen = new Set<number>();
    for (let top = n - k; top < n; top++) {
      const pick = this.integer(top + 1);
      chosen.add(chosen.has(pick) ? top : pick);
    }
    const values = Int32Array.from(chosen);
    return this.permutation(k).map((index) => values[index] as number);
  }

  /**
   * Uniform in [low, high), of which f32 has to have a value; `low` where they are equal.
   *
   * @throws RangeError unless low ≤ high and their difference is finite as f32.
   */
  uniform(shape: Shape, low = 0, high = 1): Tensor {
    requireNumber('Random.uniform', 'low', low);
    requireNumber('Random.uniform', 'high', high);
    const width = high - low;
    if (!(width >= 0 && Math.fround(width) < Number.POSITIVE_INFINITY))
      throw new RangeError(`Random.uniform: expected low ≤ high with a finite difference, got ${low} and ${high}`);
    const y = emptyTensor(shape, 'f32', cpu, 'Random.uniform');
    // low + width·u with u below 1 may still round to high.
    const largest = Math.max(Math.fround(low), floatBelow(high));
    y.device.run('randomUniform', { y, key: this.next(), low, width, largest, size: y.size });
    return y;
  }

  /** Normal with mean and standard deviation. */
  normal(shape: Shape, mean = 0, deviation = 1): Tensor {
    requireNumber('Random.normal', 'mean', mean);
    requireNumber('Random.normal', 'deviation', deviation);
    const y = emptyTensor(shape, 'f32', cpu, 'Random.normal');
    y.device.run('randomNormal', { y, key: this.next(), mean, deviation, size: y.size });
    return y;
  }

  /** 1 with the given probability, else 0. */
  bernoulli(shape: Shape, probability: number): Tensor {
    if (!(probability >= 0 && probability <= 1))
      throw new RangeError(`Random.bernoulli: expected 0 ≤ p ≤ 1, got ${probability}`);
    const result = this.uniform(shape);
    const values = result.peek('Random.bernoulli');
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) < probability ? 1 : 0;
    return result;
  }
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The largest f32 below a finite number. */
function floatBelow(x: number): number {
  float[0] = x;
  if ((float[0] as number) < x) return float[0] as number;
  if (float[0] === 0) return -(2 ** -149);
  bits[0] = (bits[0] as number) + ((float[0] as number) > 0 ? -1 : 1);
  return float[0] as number;
}

const dropoutOp: Op<{ key: Key; probability: number }> = {
  name: 'dropout',
  multiplyAdds: 0,
  elementwise: true,
  infer: ([x]) => {
    requireDType('dropout', 'f32', x as Tensor);
    return [{ shape: (x as Tensor).shape, dtype: 'f32' }];
  },
  compute(device, [x], [y], { key, probability }) {
    const threshold = Math.min(2 ** 32 - 1, Math.round(probability * 2 ** 32)) | 0;
    device.run('dropout', {
      x: x as Tensor,
      y: y as Tensor,
      size: (x as Tensor).size,
      key,
      threshold,
      scale: 1 / (1 - probability),
    });
  },
  // Linear in x, with a mask that the key reproduces.
  vjp: (backward) => [apply(dropoutOp, [onlyGradient(backward)], backward.attributes)],
};

/**
 * Zeroes each element with the given probability and scales the rest by 1/(1 − p). The mask follows
 * from the key.
 */
export function dropout(x: Tensor, probability: number, key: Key): Tensor {
  requireDType('dropout', 'f32', x);
  if (!(probability >= 0 && probability < 1)) throw new RangeError(`dropout: expected 0 ≤ p < 1, got ${probability}`);
  if (!Array.isArray(key) || key.length !== 2 || !key.every((word) => word >>> 0 === word))
    throw new TypeError(`dropout: expected a key of two 32-bit words, as random.next() gives, got ${String(key)}`);
  return probability === 0 ? x : apply(dropoutOp, [x], { key, probability });
}
