// The inputs of a node as it runs.

import { formatShape, sameShape, Tensor } from '../../../tensor/index.js';
import { isTracing } from '../../graph.js';
import { asInt32, type ImportedValue, type Ints, isInts } from './value.js';

/** A node as errors name it. */
export interface NamedNode {
  readonly label: string;
  fail(reason: string): never;
  requireRoom(shape: readonly number[]): void;
}

/** A value, and whether it depends on what is given to the model. */
export interface Edge {
  readonly value: ImportedValue;
  readonly dependent: boolean;
  /** Whether its integers have 64 bits in the model. */
  readonly long: boolean;
}

/** The inputs of a node, with errors that name the node. */
export class NodeInputs {
  readonly #longs = new Set<Tensor>();

  constructor(
    readonly node: NamedNode,
    readonly edges: readonly (Edge | undefined)[],
  ) {}

  get count(): number {
    return this.edges.length;
  }

  has(index: number): boolean {
    return this.edges[index] !== undefined;
  }

  #edge(index: number): Edge {
    return this.edges[index] ?? this.node.fail(`lacks input ${index}`);
  }

  value(index: number): ImportedValue {
    return this.#edge(index).value;
  }

  /** Whether 64-bit integers are traced in 32 bits, so that arithmetic could overflow unseen. */
  tracesLongs(index: number): boolean {
    const { value, long } = this.#edge(index);
    return long && !isInts(value);
  }

  /** The value as a tensor: 64-bit integers as i32, for which they must fit. */
  tensor(index: number): Tensor {
    const value = this.value(index);
    return isInts(value) ? asInt32(value, this.node.label) : value;
  }

  /** A tensor of floats. */
  floats(index: number): Tensor {
    const value = this.value(index);
    if (isInts(value) || value.dtype !== 'f32')
      return this.node.fail(`has integers as input ${index}, expected floats`);
    return value;
  }

  /** A tensor of floats that may be left out. */
  optionalFloats(index: number): Tensor | undefined {
    return this.has(index) ? this.floats(index) : undefined;
  }

  /**
   * The elements of a tensor in JavaScript.
   *
   * @throws Error where they would be those of the example that a trace runs on.
   */
  #read(index: number): ArrayLike<number> {
    const { value, dependent } = this.#edge(index);
    if (isInts(value)) return value.ints;
    if (dependent && isTracing())
      this.node.fail(`needs the values of input ${index}, which change with the model's inputs: it cannot be traced`);
    return value.view();
  }

  /** Integers. */
  ints(index: number): Ints {
    const value = this.value(index);
    if (isInts(value)) return value;
    if (value.dtype !== 'i32') this.node.fail(`has floats as input ${index}, expected integers`);
    return { ints: Array.from(this.#read(index)), shape: value.shape };
  }

  /** Integers in one list, or none. */
  optionalInts(index: number): readonly number[] | undefined {
    if (!this.has(index)) return undefined;
    const { ints, shape } = this.ints(index);
    if (shape.length > 1) this.node.fail(`has input ${index} of shape [${shape.join(', ')}], expected a list`);
    return ints;
  }

  /** Integers in one list. */
  listed(index: number): readonly number[] {
    return this.optionalInts(index) ?? this.node.fail(`lacks input ${index}`);
  }

  /** Lengths of the axes of a tensor that fits memory. */
  lengths(index: number): readonly number[] {
    const lengths = this.listed(index);
    if (lengths.some((length) => length < 0))
      this.node.fail(`has the impossible lengths ${lengths.join(', ')} as input ${index}`);
    this.node.requireRoom(lengths);
    return lengths;
  }

  /** The floats of an input in JavaScript. */
  readFloats(index: number): readonly number[] {
    this.floats(index);
    return Array.from(this.#read(index));
  }

  /** A result. @throws Error unless it has the shape of the first input. */
  likeFirst(result: Tensor): Tensor {
    const { shape } = this.value(0);
    if (!sameShape(result.shape, shape))
      this.node.fail(`has inputs that do not broadcast to the first, ${formatShape(shape)}`);
    return result;
  }

  /** The one number that an input holds, or nothing where it is left out. */
  scalar(index: number): number | undefined {
    if (!this.has(index)) return undefined;
    const values = this.#read(index);
    if (values.length !== 1) this.node.fail(`has ${values.length} values as input ${index}, expected one`);
    return values[0] as number;
  }

  /** Integers of 64 bits, from positions that a kernel found. */
  long(positions: Tensor): ImportedValue {
    const dependent = this.edges.some((edge) => edge?.dependent);
    if (dependent && isTracing()) {
      this.#longs.add(positions);
      return positions;
    }
    return { ints: Array.from(positions.view<Int32Array>()), shape: positions.shape };
  }

  /** Whether a result is traced in 32 bits, but has 64 in the model. */
  isLong(result: Tensor): boolean {
    return this.#longs.has(result);
  }

  isInteger(index: number): boolean {
    const value = this.value(index);
    return isInts(value) || value.dtype === 'i32';
  }

  /** Whether all inputs are integers. */
  get allIntegers(): boolean {
    return this.allIntegersFrom(0);
  }

  /** Whether all inputs from one on are integers. */
  allIntegersFrom(first: number): boolean {
    return this.edges.every((_, index) => index < first || this.isInteger(index));
  }

  /** Integers in as many bits as an input has. */
  likeIntegers(index: number, result: Ints): ImportedValue {
    return isInts(this.value(index)) ? result : asInt32(result, this.node.label);
  }

  /** Whether an input is a tensor that may be used as it is, as its values cannot be read. */
  isTraced(index: number): boolean {
    const { value, dependent } = this.#edge(index);
    return value instanceof Tensor && dependent && isTracing();
  }
}
