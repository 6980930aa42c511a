// The one door: every computation is an operation record given to `apply`, which checks, allocates,
// runs and informs the observers (gradient tapes, traces, profilers).

import type { Activation, Device, DType } from '../engine/index.js';
import { scope } from './scope.js';
import type { Shape } from './shape.js';
import { emptyTensor, requireTensor, type Tensor } from './tensor.js';

/** Shape and element type of an output. */
export interface Spec {
  /** Shape of the output. */
  readonly shape: Shape;
  /** Element type of the output. */
  readonly dtype: DType;
}

/** What a vector-Jacobian product works with. */
export interface Backward<A> {
  /** Inputs of the forward pass. */
  readonly inputs: readonly Tensor[];
  /** Results of the forward pass. */
  readonly outputs: readonly Tensor[];
  /** Gradient of each output; undefined where none flows. At least one is defined. */
  readonly gradients: readonly (Tensor | undefined)[];
  /** Attributes of the forward pass. */
  readonly attributes: A;
  /** Which inputs need a gradient: others may be skipped. */
  readonly needed: readonly boolean[];
}

/**
 * The multiply-adds of one application, from the shapes of the inputs and of the first output.
 *
 * 0 for what is free by convention, as products alone are counted: elementwise functions,
 * reductions, norms, pooling, interpolation, gathers and layout. `'uncounted'` where shapes and
 * attributes do not tell.
 */
export type MultiplyAdds<A> = 0 | 'uncounted' | ((inputs: readonly Shape[], output: Shape, attributes: A) => number);

/**
 * An operation: what it makes, how it is computed, how gradients flow back, and what rewriters of
 * graphs must know.
 */
export interface Op<A = void> {
  /** Name in error messages, graphs and cost tables. */
  readonly name: string;
  /** Multiply-adds of one application, as `cost` counts them. */
  readonly multiplyAdds: MultiplyAdds<A>;
  /**
   * Whether an element of the output depends on the inputs' elements at its own (broadcast) place
   * alone.
   */
  readonly elementwise?: boolean;
  /**
   * For functions of one tensor that kernels of products can apply to their results: its name
   * there.
   */
  readonly activation?: Activation;
  /** The ONNX operator that gives the same output for the same inputs, without attributes. */
  readonly onnx?: string;
  /**
   * Shapes and types of the outputs.
   *
   * @throws Error naming the operation and the shapes when they do not fit.
   */
  infer(inputs: readonly Tensor[], attributes: A): readonly Spec[];
  /** Writes the outputs. */
  compute?(device: Device, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A): void;
  /** For operations whose outputs share their input's memory: makes the outputs. */
  view?(inputs: readonly Tensor[], attributes: A): readonly Tensor[];
  /** Gradients of the inputs, written in operations so that they can be differentiated again. */
  vjp?(backward: Backward<A>): readonly (Tensor | undefined)[];
}

/** Sees every operation after it ran. */
export interface Observer {
  /** Called after each operation, in the order of execution. */
  record(op: Op<never>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: unknown): void;
}

const observers: Observer[] = [];

/** Shows every operation that `body` applies to `observer`. */
export function observe<T>(observer: Observer, body: () => T): T {
  observers.push(observer);
  try {
    return body();
  } finally {
    observers.splice(observers.lastIndexOf(observer), 1);
  }
}

/** Runs `body` hidden from the observers. */
export function unobserved<T>(body: () => T): T {
  const hidden = observers.splice(0);
  try {
    return body();
  } finally {
    observers.push(...hidden);
  }
}

/**
 * Runs operations inside a computation: hidden from the observers, their results freed at the end.
 */
export function privately(body: () => void): void {
  unobserved(() => scope(body));
}

/** Whether any observer is watching. */
export function isObserved(): boolean {
  return observers.length > 0;
}

/**
 * Applies an operation: checks its inputs, allocates and computes its outputs, and informs the
 * observers.
 *
 * @returns all outputs, as `op.infer` describes them
 * @throws Error naming the operation when an input was disposed or is of another copy of the
 * library, or when the shapes do not fit.
 */
export function applyAll<A>(op: Op<A>, inputs: readonly Tensor[], attributes: A): readonly Tensor[] {
  for (const input of inputs) {
    requireTensor(op.name, input);
    input.assertAlive(op.name);
  }
  const device = (inputs[0] as Tensor).device;
  let outputs: readonly Tensor[];
  if (op.view) {
    outputs = op.view(inputs, attributes);
  } else {
    outputs = op.infer(inputs, attributes).map(({ shape, dtype }) => emptyTensor(shape, dtype, device, op.name));
    op.compute?.(device, inputs, outputs, attributes);
  }
  for (const observer of observers) observer.record(op as Op<never>, inputs, outputs, attributes);
  return outputs;
}

/** Applies an operation with one output. */
export function apply(op: Op<void>, inputs: readonly Tensor[]): Tensor;
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attributes: A): Tensor;
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attributes?: A): Tensor {
  return applyAll(op, inputs, attributes as A)[0] as Tensor;
}

/** The one gradient of an operation with one output. */
export function onlyGradient<A>(backward: Backward<A>): Tensor {
  return backward.gradients[0] as Tensor;
}

/** @throws Error unless every input is a tensor with the element type. */
export function requireDType(operation: string, dtype: DType, ...inputs: readonly Tensor[]): void {
  for (const input of inputs) {
    requireTensor(operation, input);
    if (input.dtype !== dtype)
      throw new Error(`${operation}: expected ${dtype}, got ${input}; convert with cast(x, '${dtype}')`);
  }
}
