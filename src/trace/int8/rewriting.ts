// A graph on its way to int8: which values exist as quanta, and what was added so far.

import {
  type ActivationBits,
  pitchOf,
  type Quantization,
  quantizationOf,
  type Windows,
} from '../../quantized/index.js';
import type { Op } from '../../tensor/index.js';
import type { Graph, GraphNode, Value } from '../graph.js';
import type { Ranges } from './calibrate.js';
import { dequantizeOp, quantaShape, quantizeOp } from './operators.js';

/** A value as NHWC int8, and what its bytes stand for. */
export interface Quanta {
  readonly value: Value;
  readonly quantization: Quantization;
}

/** Rewrites a node, or returns false. */
export type Rule = (rewriting: Int8Rewriting, node: GraphNode) => boolean;

/** A graph under rewriting. */
export class Int8Rewriting {
  readonly nodes: GraphNode[] = [];
  readonly #quanta = new Map<Value, Quanta>();
  /** Values of the old graph that exist as int8 alone so far. */
  readonly #withoutFloats = new Set<Value>();
  readonly #read: ReadonlySet<Value>;

  constructor(
    graph: Graph,
    readonly ranges: Ranges,
    readonly bits: ActivationBits,
  ) {
    this.#read = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs]);
  }

  /** Whether a node reads a value, or the graph gives it. */
  isRead(value: Value): boolean {
    return this.#read.has(value);
  }

  /** Dequantises a value that exists as int8 alone. */
  floats(value: Value): Value {
    const quanta = this.#quanta.get(value);
    if (quanta && this.#withoutFloats.delete(value))
      this.push(dequantizeOp, [quanta.value], value, quanta.quantization);
    return value;
  }

  /** Whether a value exists as int8 alone so far. */
  isQuantized(value: Value): boolean {
    return this.#withoutFloats.has(value);
  }

  /** Adds an operation whose result exists as int8 alone. */
  pushQuanta<A>(op: Op<A>, inputs: readonly Value[], output: Value, quantization: Quantization, attributes: A): void {
    const [images, channels, ...size] = output.shape as [number, number, ...number[]];
    const value: Value = { ...output, id: -1, shape: [images, ...size, pitchOf(channels)], dtype: 'i8' };
    this.push(op, inputs, value, attributes);
    this.#quanta.set(output, { value, quantization });
    this.#withoutFloats.add(output);
  }

  /** Adds an operation. */
  push<A>(op: Op<A>, inputs: readonly Value[], output: Value, attributes: A): void {
    this.nodes.push({ op: op as Op<unknown>, inputs, outputs: [output], attributes });
  }

  /** The quantisation of a value's range, or of what comes before its activation. */
  quantizationOf(value: Value, at: keyof Ranges = 'values'): Quantization {
    const [low, high] = this.ranges[at].get(value) ?? [0, 0];
    return quantizationOf(low, high, this.bits);
  }

  /** Whether a value exists as int8, alone or not. */
  hasQuanta(value: Value): boolean {
    return this.#quanta.has(value);
  }

  /** A value as NHWC int8. */
  quantaOf(value: Value): Quanta {
    const known = this.#quanta.get(value);
    if (known) return known;
    const [height, width] = value.shape.slice(2) as [number, number];
    const made = this.quantize(value, { kernel: [1, 1], stride: [1, 1], padding: [0, 0], output: [height, width] });
    this.#quanta.set(value, made);
    return made;
  }

  /** Quantises windows of a value. */
  quantize(value: Value, windows: Windows): Quanta {
    const quantization = this.quantizationOf(value);
    const made: Value = { ...value, ...quantaShape(value, windows), id: -1, kind: 'computed' };
    this.push(quantizeOp, [value], made, { windows, to: quantization });
    return { value: made, quantization };
  }
}
