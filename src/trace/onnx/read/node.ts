// A node of an ONNX graph as its readers see it: attributes at import, inputs when it runs. Both
// note what was read, so that nothing in a file is ignored.

import { sizeOf, type Tensor } from '../../../tensor/index.js';
import { ATTRIBUTE_TYPE, type AttributeProto, type NodeProto, type TensorProto } from '../schema.js';
import type { NodeInputs } from './inputs.js';
import type { ImportedValue } from './value.js';

/** Runs a node on its inputs: gives its output, or its outputs. */
export type Run = (inputs: NodeInputs) => ImportedValue | readonly (ImportedValue | undefined)[];

/** Reads the attributes of a node, at import. */
export type NodeReader = (node: OnnxNode) => Run;

/** How nodes of an operator are read. */
export interface Operator {
  /** Fewest and most inputs. */
  readonly inputs: readonly [least: number, most: number];
  /** Most outputs that are computed. */
  readonly outputs: number;
  readonly read: NodeReader;
}

/** Readers by ONNX operator. */
export type Operators = Readonly<Record<string, Operator>>;

/** An operator of so many inputs, with one output unless told otherwise. */
export function operator(least: number, most: number, read: NodeReader, outputs = 1): Operator {
  return { inputs: [least, most], outputs, read };
}

type Kind = keyof typeof ATTRIBUTE_TYPE;

/** A node's attributes, with errors that name the node. */
export class OnnxNode {
  readonly label: string;
  readonly outputCount: number;
  readonly #attributes: ReadonlyMap<string, AttributeProto>;
  readonly #unread: Set<string>;
  readonly #inputNames: readonly string[];

  /**
   * @param version of the operator set that gives the node its meaning
   * @param mostElements of a tensor that the node may make
   */
  constructor(
    proto: NodeProto,
    readonly version: number,
    readonly mostElements: number,
  ) {
    const output = proto.output ?? [];
    this.label = `${proto.opType ?? '?'} "${proto.name || (output[0] ?? '')}"`;
    this.outputCount = output.length;
    this.#inputNames = proto.input ?? [];
    const attributes = proto.attribute ?? [];
    this.#attributes = new Map(attributes.map((attribute) => [attribute.name ?? '', attribute]));
    if (this.#attributes.size < attributes.length) this.fail('has an attribute twice');
    this.#unread = new Set(this.#attributes.keys());
  }

  fail(reason: string): never {
    throw new Error(`importOnnx: ${this.label} ${reason}`);
  }

  /** @throws Error when a tensor of this shape would be larger than the model's limit. */
  requireRoom(shape: readonly number[]): void {
    if (!(sizeOf(shape) <= this.mostElements))
      this.fail(
        `makes a tensor [${shape.join(', ')}], above the limit of ${this.mostElements} elements: raise mostElements`,
      );
  }

  /** Reads the node. @throws Error for inputs, outputs or attributes that no reader knows. */
  read({ inputs: [least, most], outputs, read }: Operator): Run {
    const count = this.#inputNames.length;
    if (count > most) this.fail(`has ${count} inputs, of which ${most} are supported`);
    for (let at = 0; at < least; at++) if (!this.#inputNames[at]) this.fail(`lacks input ${at}`);
    if (this.outputCount > outputs) this.fail(`has ${this.outputCount} outputs, of which ${outputs} are supported`);
    const run = read(this);
    const [unread] = this.#unread;
    if (unread !== undefined)
      this.fail(`has the attribute "${unread}", which is not supported in opset ${this.version}`);
    return run;
  }

  /** Whether an attribute is given; does not count as reading it. */
  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  #attribute(name: string, kind: Kind): AttributeProto | undefined {
    this.#unread.delete(name);
    const attribute = this.#attributes.get(name);
    if (!attribute) return undefined;
    if (attribute.refAttrName) this.fail(`takes the attribute "${name}" from a function, which is not supported`);
    if (attribute.type !== ATTRIBUTE_TYPE[kind]) this.fail(`has the attribute "${name}", which is no ${kind}`);
    return attribute;
  }

  int(name: string, otherwise: number): number {
    return this.optionalInt(name) ?? otherwise;
  }

  optionalInt(name: string): number | undefined {
    const attribute = this.#attribute(name, 'int');
    return attribute && (attribute.i ?? 0);
  }

  /** An attribute that says yes (1) or no (0). */
  flag(name: string, otherwise = false): boolean {
    const value = this.int(name, Number(otherwise));
    if (value !== 0 && value !== 1) this.fail(`has ${name} ${value}, expected 0 or 1`);
    return value === 1;
  }

  ints(name: string): readonly number[] | undefined {
    const attribute = this.#attribute(name, 'ints');
    return attribute && (attribute.ints ?? []);
  }

  float(name: string, otherwise: number): number {
    return this.optionalFloat(name) ?? otherwise;
  }

  optionalFloat(name: string): number | undefined {
    const attribute = this.#attribute(name, 'float');
    return attribute && (attribute.f ?? 0);
  }

  floats(name: string): readonly number[] | undefined {
    const attribute = this.#attribute(name, 'floats');
    return attribute && (attribute.floats ?? []);
  }

  /** One of several texts. */
  choice<Text extends string>(name: string, choices: readonly Text[], otherwise: Text): Text {
    const attribute = this.#attribute(name, 'string');
    const text = attribute ? new TextDecoder().decode(attribute.s) : otherwise;
    const chosen = choices.find((choice) => choice === text);
    return chosen ?? this.fail(`has ${name} "${text}", of which ${choices.join(', ')} are supported`);
  }

  tensorAttribute(name: string): TensorProto | undefined {
    const attribute = this.#attribute(name, 'tensor');
    return attribute && (attribute.t ?? {});
  }

  /** Integers that are an attribute before opset `since`, and an input from then on. */
  intsSince(since: number, name: string, input: number): (inputs: NodeInputs) => readonly number[] | undefined {
    if (this.version >= since) return (inputs) => inputs.optionalInts(input);
    if (this.#inputNames.length > input)
      this.fail(`has ${this.#inputNames.length} inputs, of which ${input} are supported in opset ${this.version}`);
    const ints = this.ints(name);
    return () => ints;
  }

  /** An attribute that only training uses, or that only outputs which are refused depend on. */
  unused(name: string, kind: Kind): void {
    this.#attribute(name, kind);
  }

  /** Axis counted from the first. @throws Error when a tensor of this rank has no such axis. */
  resolveAxis(axis: number, rank: number): number {
    const at = axis < 0 ? axis + rank : axis;
    if (!Number.isInteger(at) || at < 0 || at >= rank) this.fail(`has axis ${axis}, which rank ${rank} does not have`);
    return at;
  }

  /** Distinct axes counted from the first. */
  resolveAxes(axes: readonly number[], rank: number): number[] {
    const resolved = axes.map((axis) => this.resolveAxis(axis, rank));
    if (new Set(resolved).size < resolved.length) this.fail(`names an axis twice: ${axes.join(', ')}`);
    return resolved;
  }
}

/** An operator of one tensor of floats, without attributes. */
export function unary(fn: (x: Tensor) => Tensor): Operator {
  return operator(1, 1, () => (inputs) => fn(inputs.floats(0)));
}
