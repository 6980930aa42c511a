// Conditions with names: numbers or vectors, each with a range that is rescaled to [0, 1], as the
// encodings of constant norm expect.

import {
  concatenate,
  formatShape,
  multiply,
  reshape,
  type Shape,
  sizeOf,
  subtract,
  Tensor,
  tensor,
} from '../tensor/index.js';
import type { Condition } from './condition.js';
import { requireNames } from './layout.js';

/** One input of a `NamedCondition`. */
export interface NamedInput {
  /** Shape of a value. Default: [], a number. */
  readonly shape?: Shape;
  /** Values that become 0 and 1. Default: [0, 1]. */
  readonly range?: readonly [number, number];
}

/** Values by name: a number, or a tensor with or without a leading batch axis. */
export type NamedValues = Readonly<Record<string, number | readonly number[] | Tensor>>;

/** Options of `NamedCondition`. */
export interface NamedConditionOptions {
  /**
   * Called with the values of an input that lie outside its range, where the encoding has not been
   * trained and is not unique. Default: a warning on the console.
   */
  readonly onOutside?: (name: string, values: readonly number[], range: readonly [number, number]) => void;
}

/**
 * Named inputs as one condition vector: each is flattened and rescaled to [0, 1] by its range, γ =
 * (v − low) / (high − low), and they are concatenated in the order of their sorted names.
 *
 * **Shapes**: values of shape S, or [B, …S] for B conditions → [B, Σ numel(S)].
 *
 * @example new NamedCondition({ angle: { range: [-30, 30] }, scale: { range: [0.5, 2] } })
 */
export class NamedCondition implements Condition<NamedValues> {
  /** Sorted names. */
  readonly names: readonly string[];
  readonly size: number;
  readonly #onOutside: NonNullable<NamedConditionOptions['onOutside']>;

  /** @throws RangeError when there are no inputs, or a range is empty or not finite */
  constructor(
    readonly inputs: Readonly<Record<string, NamedInput>>,
    { onOutside = warnOutside }: NamedConditionOptions = {},
  ) {
    this.names = Object.keys(inputs).sort();
    if (this.names.length === 0) throw new RangeError('NamedCondition: there are no inputs');
    for (const name of this.names) {
      const [low, high] = this.rangeOf(name);
      if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
        throw new RangeError(`NamedCondition: the range of "${name}" must be [low, high], got [${low}, ${high}]`);
    }
    this.size = this.names.reduce((total, name) => total + sizeOf(this.#shapeOf(name)), 0);
    this.#onOutside = onOutside;
  }

  /** Range of an input. */
  rangeOf(name: string): readonly [number, number] {
    return this.inputs[name]?.range ?? [0, 1];
  }

  /**
   * @throws Error naming missing and unexpected inputs, one of another shape, or several batch
   * sizes
   */
  forward(values: NamedValues): Tensor {
    requireNames('NamedCondition', this.names, Object.keys(values), 'inputs');
    const codes = this.names.map((name) => this.#coded(name, values[name] as NamedValues[string]));
    const counts = new Set(codes.map(({ shape }) => shape[0]));
    if (counts.size > 1)
      throw new Error(
        `NamedCondition: inputs hold several batch sizes: ${this.names.map((name, i) => `${name} ${codes[i]?.shape[0]}`).join(', ')}`,
      );
    return concatenate(codes, 1);
  }

  #shapeOf(name: string): Shape {
    return this.inputs[name]?.shape ?? [];
  }

  #coded(name: string, given: NamedValues[string]): Tensor {
    const value = given instanceof Tensor ? given : tensor(given as number[]);
    const shape = this.#shapeOf(name);
    const single = value.shape.join() === shape.join();
    if (!single && (value.rank !== shape.length + 1 || value.shape.slice(1).join() !== shape.join()))
      throw new Error(
        `NamedCondition: "${name}" is ${formatShape(value.shape)}, expected ${formatShape(shape)}, or ${`[${['B', ...shape].join(', ')}]`} for a batch`,
      );
    const [low, high] = this.rangeOf(name);
    const outside = Array.from(value.view()).filter((v) => !(v >= Math.fround(low) && v <= Math.fround(high)));
    if (outside.length > 0) this.#onOutside(name, outside, [low, high]);
    const flat = reshape(value, [single ? 1 : (value.shape[0] as number), sizeOf(shape)]);
    return multiply(subtract(flat, low), 1 / (high - low));
  }
}

function warnOutside(name: string, values: readonly number[], [low, high]: readonly [number, number]): void {
  console.warn(`condition "${name}": ${values.slice(0, 5).join(', ')} outside of ${low} … ${high}`);
}
