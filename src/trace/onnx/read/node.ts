// A node of an ONNX graph as its readers see it, with the values of its inputs.

import { Tensor, tensor } from '../../../tensor/index.js';
import type { NodeProto, TensorProto } from '../schema.js';

/**
 * 64-bit integers are shapes, axes and indices: plain numbers, with the shape they are stored in.
 */
export interface Ints {
  readonly ints: readonly number[];
  readonly shape: readonly number[];
}

/** What an edge of the graph holds. */
export type ImportedValue = Tensor | Ints;

/** Whether a value is a list of 64-bit integers. */
export function isInts(value: ImportedValue | undefined): value is Ints {
  return value !== undefined && !(value instanceof Tensor);
}

/** A node's attributes and inputs, with errors that name the node. */
export class OnnxNode {
  readonly label: string;
  readonly #attributes: ReadonlyMap<string, NonNullable<NodeProto['attribute']>[number]>;

  constructor(
    readonly proto: NodeProto,
    readonly inputs: readonly (ImportedValue | undefined)[],
  ) {
    this.label = `${proto.opType ?? '?'} "${proto.name ?? proto.output?.[0] ?? ''}"`;
    this.#attributes = new Map((proto.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute]));
  }

  fail(reason: string): never {
    throw new Error(`importOnnx: ${this.label} ${reason}`);
  }

  /** An input; integers become f32. */
  tensor(index: number): Tensor {
    const value = this.inputs[index];
    if (value instanceof Tensor) return value;
    if (value) return tensor(Float32Array.from(value.ints), value.shape);
    return this.fail(`lacks input ${index}`);
  }

  /** A tensor that may be left out. */
  optional(index: number): Tensor | undefined {
    return this.inputs[index] === undefined ? undefined : this.tensor(index);
  }

  /** Integers from an attribute or, in later opsets, an input. */
  intsOf(name: string, input?: number): readonly number[] | undefined {
    const value = input === undefined ? undefined : this.inputs[input];
    if (isInts(value)) return value.ints;
    if (value) return [...value.view()];
    return this.#attributes.get(name)?.ints;
  }

  int(name: string, otherwise: number): number {
    return this.#attributes.get(name)?.i ?? otherwise;
  }

  /** The attribute `axis`, counted from the first. */
  axis(rank: number, otherwise = 0): number {
    const axis = this.int('axis', otherwise);
    return axis < 0 ? axis + rank : axis;
  }

  float(name: string, otherwise: number): number {
    return this.#attributes.get(name)?.f ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    const bytes = this.#attributes.get(name)?.s;
    return bytes ? new TextDecoder().decode(bytes) : otherwise;
  }

  tensorAttribute(name: string): TensorProto | undefined {
    return this.#attributes.get(name)?.t;
  }

  floatAttributes(name: string): readonly number[] | undefined {
    return this.#attributes.get(name)?.floats;
  }
}

/** Runs a node: gives its output, or its outputs. */
export type NodeReader = (node: OnnxNode) => ImportedValue | readonly ImportedValue[];

/** Readers by ONNX operator. */
export type NodeReaders = Readonly<Record<string, NodeReader>>;
