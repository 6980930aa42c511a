// Conditioning inputs of a hypernetwork: a task, a vector, an encoding of data, noise, or several
// of these. A condition is a module whose parameters train with the hypernetwork.

import { Embedding, inference, type Layer, type Mode } from '../nn/index.js';
import {
  concatenate,
  cos,
  formatShape,
  multiply,
  type Random,
  sin,
  subtract,
  type Tensor,
  tensor,
} from '../tensor/index.js';

/** Maps an input (task ids, vectors, data, noise) to condition vectors C. */
export interface Condition<Input = Tensor> {
  /** Dimension of a condition vector. */
  readonly size: number;
  /** B inputs → condition vectors [B, size]. */
  forward(input: Input, mode?: Mode): Tensor;
}

/** One of `count` tasks, each with a learnt embedding initialised from N(0, 1). */
export class TaskCondition implements Condition<readonly number[] | Int32Array> {
  /** Task embeddings [count, size]. */
  readonly embedding: Embedding;

  constructor(
    readonly count: number,
    readonly size: number,
    random: Random,
  ) {
    this.embedding = new Embedding(count, size, random);
  }

  /**
   * Task ids [B] → embeddings [B, size].
   *
   * @throws RangeError naming an unknown task
   */
  forward(tasks: readonly number[] | Int32Array): Tensor {
    const ids = Int32Array.from(tasks);
    ids.forEach((id, i) => {
      if (id !== tasks[i] || id < 0 || id >= this.count)
        throw new RangeError(`hypernet: task ${tasks[i]} is not one of 0…${this.count - 1}`);
    });
    return this.embedding.forward(tensor(ids));
  }
}

/** A vector used as it is, e.g. hyperparameters or a task descriptor: [B, size]. */
export class VectorCondition implements Condition {
  constructor(readonly size: number) {}

  forward(vectors: Tensor): Tensor {
    requireSize('VectorCondition', vectors, this.size);
    return vectors;
  }
}

/** A condition computed from data by an encoder: x → [B, size]. */
export class DataCondition implements Condition {
  constructor(
    readonly encoder: Layer,
    readonly size: number,
  ) {}

  forward(x: Tensor, mode: Mode = inference): Tensor {
    const code = this.encoder.forward(x, mode);
    requireSize('DataCondition', code, this.size);
    return code;
  }
}

/** Noise drawn for each pass, which makes the hypernetwork a distribution over networks. */
export class NoiseCondition implements Condition {
  constructor(
    readonly size: number,
    readonly distribution: 'normal' | 'uniform' = 'normal',
  ) {}

  /** Draws B noise vectors [B, size] from N(0, 1) or U(−1, 1). */
  sample(count: number, random: Random): Tensor {
    const shape = [count, this.size];
    return this.distribution === 'normal' ? random.normal(shape) : random.uniform(shape, -1, 1);
  }

  forward(noise: Tensor): Tensor {
    requireSize('NoiseCondition', noise, this.size);
    return noise;
  }
}

/** Several conditions concatenated: [B, Σ sizes]. Their inputs are passed as an array. */
export class JoinedConditions implements Condition<readonly unknown[]> {
  readonly size: number;

  constructor(readonly parts: readonly Condition<unknown>[]) {
    this.size = parts.reduce((total, { size }) => total + size, 0);
  }

  /**
   * One input for each part → [B, Σ sizes].
   *
   * @throws Error when the number of inputs differs from the number of parts, or their batch sizes
   * differ
   */
  forward(inputs: readonly unknown[], mode?: Mode): Tensor {
    if (inputs.length !== this.parts.length)
      throw new Error(`JoinedConditions: expected ${this.parts.length} inputs, got ${inputs.length}`);
    const codes = this.parts.map((part, i) => part.forward(inputs[i], mode));
    const counts = new Set(codes.map(({ shape }) => shape[0]));
    if (counts.size > 1)
      throw new Error(`JoinedConditions: the parts hold ${[...counts].join(' and ')} conditions; they must be as many`);
    return concatenate(codes, 1);
  }
}

function requireSize(name: string, x: Tensor, size: number): void {
  if (x.rank !== 2 || x.shape[1] !== size)
    throw new Error(`${name}: expected conditions [B, ${size}], got ${formatShape(x.shape)}`);
}

/** Encodings of conditions in [0, 1] by vectors of constant norm; see `encodeCondition`. */
export type Encoding = 'none' | 'cos|sin' | 'z|1-z';

/** Dimension of an encoded condition. */
export function encodedSize(size: number, encoding: Encoding): number {
  return encoding === 'none' ? size : 2 * size;
}

/**
 * Encodes conditions γ [B, d] in [0, 1] with constant norm: `cos|sin` is [cos(πγ/2), sin(πγ/2)], of
 * L2 norm √d, `z|1-z` is [γ, 1 − γ], of L1 norm d; both [B, 2d] (Gonzalez Ortiz, Guttag, Dalca,
 * "Magnitude Invariant Parametrizations Improve Hypernetwork Learning", ICLR 2024).
 */
export function encodeCondition(gamma: Tensor, encoding: Encoding): Tensor {
  if (encoding === 'none') return gamma;
  if (encoding === 'z|1-z') return concatenate([gamma, subtract(1, gamma)], 1);
  const angle = multiply(gamma, Math.PI / 2);
  return concatenate([cos(angle), sin(angle)], 1);
}
