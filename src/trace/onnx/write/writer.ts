// The ONNX graph while it is being written.

import type { Op, Tensor } from '../../../tensor/index.js';
import type { GraphNode, Value } from '../../graph.js';
import { ATTRIBUTE_TYPE, type AttributeProto, DATA_TYPE, type NodeProto, type TensorProto } from '../schema.js';

/** A value that an attribute can have here. */
export type AttributeValue = number | string | readonly number[];

/** Attributes that are floats though their values may be whole. */
const floatAttributes = new Set(['alpha', 'beta', 'epsilon', 'gamma']);

function attributeProto([name, value]: [string, AttributeValue]): AttributeProto {
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: ATTRIBUTE_TYPE.string };
  if (typeof value !== 'number') return { name, ints: [...value], type: ATTRIBUTE_TYPE.ints };
  return floatAttributes.has(name)
    ? { name, f: value, type: ATTRIBUTE_TYPE.float }
    : { name, i: value, type: ATTRIBUTE_TYPE.int };
}

/** Collects nodes and initializers, and gives values their names. */
export class OnnxWriter {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #names = new Map<Value, string>();
  readonly #weights = new Map<Tensor, string>();
  #count = 0;

  #unusedName(hint: string): string {
    return `${hint}_${this.#count++}`;
  }

  /** Gives a value its name. */
  nameValue(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  /** The name of a value; a constant becomes an initializer. */
  name(value: Value): string {
    const known = this.#names.get(value);
    if (known) return known;
    if (value.kind !== 'constant') throw new Error('exportOnnx: a value is used before it is made');
    const shared = this.#weights.get(value.tensor);
    const name = shared ?? this.#constant(value.tensor, value.origins.length === 1 ? value.origins[0] : undefined);
    this.#weights.set(value.tensor, name);
    this.#names.set(value, name);
    return name;
  }

  #constant(tensor: Tensor, wanted?: string): string {
    const taken = this.initializers.some(({ name }) => name === wanted);
    const name = wanted && !taken ? wanted : this.#unusedName(wanted ?? 'constant');
    const values = tensor.dataSync();
    if (tensor.dtype !== 'f32' && tensor.dtype !== 'i32')
      throw new Error(`exportOnnx: a constant of type ${tensor.dtype} has no ONNX form here`);
    return this.#initializer(name, tensor.shape, tensor.dtype === 'f32' ? DATA_TYPE.float : DATA_TYPE.int32, values);
  }

  #initializer(name: string, dims: readonly number[], dataType: number, values: ArrayBufferView): string {
    const rawData = new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
    this.initializers.push({ name, dims: [...dims], dataType, rawData });
    return name;
  }

  /** A list of 64-bit integers, as ONNX takes shapes, axes and positions. */
  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#initializer(this.#unusedName('sizes'), [values.length], DATA_TYPE.int64, data);
  }

  /** A scalar f32 initializer. */
  scalar(value: number): string {
    return this.#initializer(this.#unusedName('scalar'), [], DATA_TYPE.float, Float32Array.of(value));
  }

  /** An f32 initializer. */
  floats(values: Float32Array, dims: readonly number[]): string {
    return this.#initializer(this.#unusedName('constant'), dims, DATA_TYPE.float, values);
  }

  /** Adds a node with one output, whose name it returns. */
  add(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const output = this.#unusedName(opType.toLowerCase());
    this.nodes.push({
      opType,
      name: output,
      input: [...inputs],
      output: [output],
      attribute: Object.entries(attributes).map(attributeProto),
    });
    return output;
  }

  /** A box of a value: one start, end and maybe step for each of the axes. */
  slice(x: string, box: Readonly<Record<'starts' | 'ends' | 'axes', readonly number[]>>, steps?: readonly number[]) {
    const lists = [box.starts, box.ends, box.axes, ...(steps ? [steps] : [])];
    return this.add('Slice', [x, ...lists.map((values) => this.ints(values))]);
  }
}

/** Writes the nodes for one of our operations; gives the name of its first output. */
export type NodeWriter<A = unknown> = (writer: OnnxWriter, inputs: readonly string[], node: GraphNode<A>) => string;

/** A writer with the record of its operation, as an entry of a table. */
export type WriterEntry = readonly [Op<unknown>, NodeWriter];

/** Pairs a record with its writer, whose attributes it types. */
export function writes<A>(op: Op<A>, write: NodeWriter<NoInfer<A>>): WriterEntry {
  return [op as Op<unknown>, write as NodeWriter];
}

export function inputShape(node: GraphNode, input: number): readonly number[] {
  return (node.inputs[input] as Value).shape;
}

export function outputShape(node: GraphNode): readonly number[] {
  return (node.outputs[0] as Value).shape;
}
