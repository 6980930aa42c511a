// Static inference plans: a model for inputs of one shape, compiled to kernel calls with fixed
// addresses. Batch norms are folded into convolutions, activations and residual additions are fused
// into the kernels before them, weights are packed once, and all temporaries share one arena.

import { cpu, type LoadedProgram, type Program, type TypedArray, VIRTUAL } from '../engine/index.js';
import { emptyTensor, sameShape, scope, sizeOf, type Tensor, tensor } from '../tensor/index.js';
import { fuse, pixelsAsRows } from './fuse.js';
import { type Graph, trace, type Value } from './graph.js';
import { type Int8Options, rangesOf, useInt8Kernels } from './quantize.js';
import { type SparseOptions, useSparseKernels } from './sparse-kernels.js';

/** An input or output: its shape, and where in the program's buffers it lies. */
interface Port {
  readonly shape: readonly number[];
  readonly dtype: Tensor['dtype'];
  readonly buffer: number;
  readonly byteOffset: number;
}

/** A plan as data, as `savePlan` writes it. */
export interface PlanData {
  /** Texts saved with it, such as the classes of its outputs. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly program: Program;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
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
    this.#loaded.run();
    return this.data.outputs.map((port) => tensor(this.#view(port), port.shape, port.dtype));
  }

  /** Copies inputs to where the program reads them, without running it. */
  feed(inputs: readonly Tensor[]): void {
    if (inputs.length !== this.data.inputs.length)
      throw new Error(`plan: expected ${this.data.inputs.length} inputs, got ${inputs.length}`);
    this.data.inputs.forEach((port, index) => {
      const input = inputs[index] as Tensor;
      if (!sameShape(input.shape, port.shape) || input.dtype !== port.dtype)
        throw new Error(
          `plan: input ${index} is ${input}, the plan was made for ${port.dtype}[${port.shape.join(', ')}]`,
        );
      this.#view(port).set(input.view<TypedArray>());
    });
  }

  #view({ buffer, byteOffset, dtype, shape }: Port): TypedArray {
    return cpu.peek(this.#loaded.region(buffer, byteOffset), dtype, sizeOf(shape));
  }

  /** Frees the arena and the constants. */
  dispose(): void {
    this.#loaded.dispose();
  }
}

/**
 * Compiles a function of tensors for inputs of the examples' shapes. Scratch memory is laid out for
 * the current number of threads.
 *
 * @example
 * const plan = compile((x) => model.forward(x, inference), [zeros([1, 3, 224, 224])]);
 * const [y] = plan.run(x);
 * @throws Error when an operation reads or writes values from JavaScript, which a plan cannot
 * repeat.
 */
export function compile(
  fn: (...inputs: Tensor[]) => unknown,
  examples: readonly Tensor[],
  { sparse = true, int8, weights = {} }: CompileOptions = {},
): Plan {
  return trace(fn, examples, weights, (graph) => {
    const fused = pixelsAsRows(fuse(graph));
    const ranges = int8 && rangesOf(fused, int8.calibration);
    const choosing = sparse === true ? { choose: 'rule' as const } : sparse;
    const sparser = choosing ? useSparseKernels(fused, choosing) : fused;
    return new Plan(planOf(ranges ? useInt8Kernels(sparser, ranges, int8?.bits) : sparser));
  });
}

/** Options of `compile`. */
export interface CompileOptions {
  /**
   * Whether layers with mostly zero weights run on sparse kernels; true (the default) decides by
   * the share of zeros.
   */
  readonly sparse?: boolean | SparseOptions;
  /** Names of the weights, for reports on layers: `stateOf(model)`. */
  readonly weights?: Readonly<Record<string, Tensor>>;
  /** Quantises convolutions and linear layers to int8; left out, all is float32. */
  readonly int8?: Int8Options;
}

function planOf(graph: Graph): PlanData {
  let inputs: Port[] = [];
  let outputs: Port[] = [];
  const program = cpu.record((device) =>
    scope(() => {
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
  return { program, inputs, outputs };
}

function outputTensor(value: Value, placed: Tensor): Tensor {
  if (value.kind === 'constant') throw new Error('plan: an output does not depend on the inputs');
  return placed;
}

function portOf({ shape, dtype, buffer, byteOffset }: Tensor): Port {
  return { shape, dtype, buffer: buffer.address / VIRTUAL - 1, byteOffset };
}

interface SavedStep {
  readonly kernel: string;
  readonly args: readonly number[];
  readonly size: number;
  readonly cost: number;
  readonly work?: number;
}

interface SavedHeader {
  readonly format: 'gossamer-plan';
  readonly version: 1;
  readonly threads: number;
  readonly steps: readonly SavedStep[];
  /** Sizes of the buffers, and whether their contents follow the header. */
  readonly buffers: readonly (readonly [bytes: number, stored: 0 | 1])[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Serialises a plan: the length of a JSON header (u32, little endian), the header, then the
 * constants.
 *
 * @param metadata texts to save with it
 */
export function savePlan({ data }: Plan, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const { program, inputs, outputs } = data;
  const header: SavedHeader = {
    format: 'gossamer-plan',
    version: 1,
    threads: program.threads,
    steps: program.steps,
    buffers: program.buffers.map(({ bytes, contents }) => [bytes, contents ? 1 : 0]),
    inputs,
    outputs,
    metadata,
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const stored = program.buffers.flatMap(({ contents }) => contents ?? []);
  const file = new Uint8Array(4 + text.length + stored.reduce((sum, { length }) => sum + length, 0));
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(text, 4);
  let at = 4 + text.length;
  for (const contents of stored) {
    file.set(contents, at);
    at += contents.length;
  }
  return file;
}

/**
 * Reads a plan that this version of the library saved. A plan calls kernels with addresses from the
 * file, so load only files that you trust.
 *
 * @throws Error when the file is not a plan or is cut short.
 */
export function loadPlan(file: Uint8Array): Plan {
  const fail = (reason: string): never => {
    throw new Error(`loadPlan: the file ${reason}`);
  };
  if (file.length < 4) fail('is too short');
  const length = new DataView(file.buffer, file.byteOffset, 4).getUint32(0, true);
  let header: SavedHeader | undefined;
  try {
    header = JSON.parse(new TextDecoder().decode(file.slice(4, 4 + length)));
  } catch {
    // Reported below.
  }
  if (header?.format !== 'gossamer-plan' || header.version !== 1) return fail('is no plan of this version');
  let at = 4 + length;
  const buffers = header.buffers.map(([bytes, stored]) => {
    if (!stored) return { bytes, contents: undefined };
    at += bytes;
    if (at > file.length) fail('is cut short');
    return { bytes, contents: file.slice(at - bytes, at) };
  });
  const { steps, threads, inputs, outputs, metadata = {} } = header;
  return new Plan({ program: { buffers, steps, threads }, inputs, outputs, metadata });
}
