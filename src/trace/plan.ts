// Static inference plans: the kernel calls of a graph with fixed addresses. Weights are packed
// once, and all temporaries share one arena. Plans are saved to files and loaded from them.

import {
  cpu,
  type LoadedProgram,
  type Program,
  type RecordingDevice,
  type TypedArray,
  VIRTUAL,
} from '../engine/index.js';
import { emptyTensor, requireTensor, sameShape, scope, sizeOf, type Tensor, tensor } from '../tensor/index.js';
import type { Graph, Value } from './graph.js';
import {
  checkPlan,
  decodePlan,
  encodePlan,
  followedIndices,
  type IndexRange,
  type Port,
  type RecordedPlan,
  recordCalls,
  withoutUnused,
} from './plan-file/index.js';

/** A plan in memory. */
export interface PlanData {
  /** Texts saved with it, such as the classes of its outputs. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly program: Program;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The calls that the program follows from, as `savePlan` writes them. */
  readonly recorded: RecordedPlan;
  /** Indices among the inputs, which are checked before a run. */
  readonly indices: readonly IndexRange[];
}

/**
 * A compiled model. Inputs are copied to the plan's own buffers, and outputs from them.
 *
 * @example
 * const plan = compile((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])]);
 * const [y] = plan.run(x);
 */
export class Plan {
  readonly #loaded: LoadedProgram;
  /** What was fed last. */
  #fed: readonly Tensor[] | undefined;
  /** Whether a run has used the memory of the inputs for temporaries since. */
  #consumed = false;

  constructor(readonly data: PlanData) {
    const buffers = (ports: readonly Port[]) => ports.map((port) => port.buffer);
    this.#loaded = cpu.load(data.program, buffers(data.inputs), buffers(data.outputs));
  }

  /** Bytes that all temporaries share. */
  get arenaBytes(): number {
    return this.#loaded.arenaBytes;
  }

  /** Bytes of packed weights and other constants. */
  get constantBytes(): number {
    return this.data.program.buffers.reduce((sum, { contents }) => sum + (contents?.length ?? 0), 0);
  }

  /** Kernel calls of one run. */
  get stepCount(): number {
    return this.data.program.steps.length;
  }

  /**
   * Runs on inputs of the shapes and types that it was compiled for.
   *
   * @returns the outputs, as new tensors
   * @throws Error naming the input that does not fit.
   */
  run(...inputs: readonly Tensor[]): Tensor[] {
    this.feed(inputs);
    this.execute();
    return this.data.outputs.map((port) => tensor(this.#view(port), port.shape, port.dtype));
  }

  /**
   * Runs on the inputs that were fed last, which are copied again where an earlier run has used
   * their memory. The outputs stay in the plan: for timing kernels.
   *
   * @throws Error when nothing was fed, or what was fed is disposed of
   */
  execute(): void {
    if (!this.#fed) throw new Error('plan: feed inputs before it runs');
    if (this.#consumed) this.#copy(this.#fed);
    this.#consumed = true;
    this.#loaded.run();
  }

  /** Copies inputs to where the program reads them, without running it. @throws as `run` does */
  feed(inputs: readonly Tensor[]): void {
    if (inputs.length !== this.data.inputs.length)
      throw new Error(`plan: expected ${this.data.inputs.length} inputs, got ${inputs.length}`);
    this.data.inputs.forEach((port, index) => {
      const input = inputs[index] as Tensor;
      requireTensor('plan', input);
      if (!sameShape(input.shape, port.shape) || input.dtype !== port.dtype)
        throw new Error(
          `plan: input ${index} is ${input}, the plan was made for ${port.dtype}[${port.shape.join(', ')}]`,
        );
      this.#checkIndices(index, port.buffer, input);
    });
    this.#copy(inputs);
    this.#fed = inputs;
  }

  #copy(inputs: readonly Tensor[]): void {
    this.data.inputs.forEach((port, index) => {
      this.#view(port).set((inputs[index] as Tensor).view<TypedArray>());
    });
    this.#consumed = false;
  }

  /** @throws RangeError when an input holds an index that a kernel must not follow. */
  #checkIndices(index: number, buffer: number, input: Tensor): void {
    for (const { byteOffset, count, low, end } of this.data.indices.filter((range) => range.buffer === buffer)) {
      const from = (byteOffset - (this.data.inputs[index] as Port).byteOffset) / 4;
      const values = input.view<TypedArray>().subarray(from, from + count);
      const outside = values.findIndex((value) => value < low || value >= end);
      if (outside >= 0)
        throw new RangeError(
          `plan: input ${index} holds the index ${values[outside]} at position ${from + outside}, outside ${low}…${end - 1}`,
        );
    }
  }

  #view({ buffer, byteOffset, dtype, shape }: Port): TypedArray {
    return cpu.peek(this.#loaded.region(buffer, byteOffset), dtype, sizeOf(shape));
  }

  /** Frees the arena and the constants. */
  dispose(): void {
    this.#fed = undefined;
    this.#loaded.dispose();
  }
}

/** Records a graph as kernel calls with fixed addresses. */
export function planOf(graph: Graph): PlanData {
  let inputs: Port[] = [];
  let outputs: Port[] = [];
  let recording: Pick<RecordingDevice, 'calls' | 'buffers'> = { calls: [], buffers: [] };
  const program = cpu.record((device) =>
    scope(() => {
      recording = device;
      const tensors = new Map<Value, Tensor>();
      const placed = (value: Value): Tensor => {
        const known = tensors.get(value);
        if (known) return known;
        if (value.kind === 'constant') return value.tensor;
        throw new Error('plan: a value is used before it is made');
      };
      for (const value of graph.inputs) tensors.set(value, emptyTensor(value.shape, value.dtype, device));
      inputs = graph.inputs.map((value) => portOf(placed(value)));
      for (const node of graph.nodes) {
        const from = node.inputs.map(placed);
        const to = node.op.view
          ? node.op.view(from, node.attributes)
          : node.outputs.map(({ shape, dtype }) => emptyTensor(shape, dtype, device));
        node.op.compute?.(device, from, to, node.attributes);
        node.outputs.forEach((value, index) => {
          tensors.set(value, to[index] as Tensor);
        });
      }
      outputs = graph.outputs.map((value) => portOf(outputTensor(value, placed(value))));
    }),
  );
  const recorded = { calls: recording.calls, buffers: recording.buffers, inputs, outputs };
  return { program, inputs, outputs, recorded, indices: followedIndices(recorded) };
}

function outputTensor(value: Value, placed: Tensor): Tensor {
  if (value.kind === 'constant') throw new Error('plan: an output does not depend on the inputs');
  return placed;
}

function portOf({ shape, dtype, buffer, byteOffset }: Tensor): Port {
  return { shape, dtype, buffer: buffer.address / VIRTUAL - 1, byteOffset };
}

/**
 * Serialises a plan: a JSON header of kernel calls, and the constants. Steps and scratch follow
 * from the calls where it is loaded, for the threads and kernels there.
 *
 * @param metadata texts to save with it
 * @throws Error naming the kernel that a file cannot call.
 */
export function savePlan({ data }: Plan, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const recorded = withoutUnused(data.recorded);
  checkPlan(recorded);
  return encodePlan({ ...recorded, metadata });
}

/**
 * Reads a plan that this version of the library saved. Every region, size and index of its calls is
 * checked against its buffers first, so that no file makes a kernel leave them.
 *
 * @throws Error when the file is not a plan, was cut short or changed, or has an impossible call.
 */
export function loadPlan(file: Uint8Array): Plan {
  const saved = decodePlan(file);
  checkPlan(saved);
  const { program, inputs, outputs, recorded } = recordCalls(saved);
  const { metadata } = saved;
  return new Plan({ metadata, program, inputs, outputs, recorded, indices: followedIndices(recorded) });
}
