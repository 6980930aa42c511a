// The CPU device: WebAssembly kernels on one shared memory, run by the calling thread and the pool.

import { addressOf, BufferStore, dropZeros, HeapBuffer, ShapeBuffer } from '../buffers.js';
import type { HostDevice } from '../device.js';
import {
  createMemory,
  environment,
  type FeatureLevel,
  featureLevel,
  type KernelMemory,
  loadModule,
} from '../kernels.js';
import { Heap } from '../memory.js';
import { Pool } from '../pool.js';
import { type Buffer, bytesPerElement, type DType, type Region, type TypedArray } from '../region.js';
import { LoadedProgram, type Program, prepare } from './program.js';
import { RecordingDevice } from './recorder.js';
import { type ArgumentsOf, type KernelName, runRoutine } from './routines/index.js';
import { Runner } from './runner.js';
import { TileChoice } from './tiles.js';

/** Tensor memory in use, in bytes of whole size classes. */
export interface MemoryUse {
  /** Bytes in use now. */
  readonly bytes: number;
  /** Buffers alive. */
  readonly buffers: number;
  /** The most bytes that were in use at once. */
  readonly peakBytes: number;
}

/** The device that computes with WebAssembly, at once, on the calling thread and the pool. */
export class CpuDevice implements HostDevice {
  readonly name = 'cpu';
  readonly #heap: Heap;
  readonly #store: BufferStore;
  readonly #pool: Pool;
  readonly #runner: Runner;
  /** Views of the whole memory, made again when it has grown. */
  #floats = new Float32Array(0);
  #ints = new Int32Array(0);
  /** Whether shapes alone count, so that nothing is allocated or run. */
  #shapesOnly = false;

  private constructor(
    readonly featureLevel: FeatureLevel,
    module: WebAssembly.Module,
    { memory, maximumBytes }: KernelMemory,
  ) {
    const threads = environment('GOSSAMER_THREADS');
    this.#heap = new Heap(memory, maximumBytes);
    this.#store = new BufferStore(this.#heap);
    this.#pool = new Pool(module, memory, threads === undefined ? undefined : Number(threads));
    this.#runner = new Runner(this.#heap, this.#pool, new TileChoice(featureLevel));
  }

  static async create(): Promise<CpuDevice> {
    const level = featureLevel();
    const memory = createMemory();
    return new CpuDevice(level, await loadModule(level, memory.shared), memory);
  }

  /** Threads that kernels use, the calling one included. */
  get threads(): number {
    return this.#pool.threads;
  }

  setThreads(n: number): void {
    this.#pool.setThreads(n);
  }

  /** Memory in use now, and the peak so far. */
  get memoryUse(): MemoryUse {
    return { bytes: this.#heap.bytesInUse, buffers: this.#heap.buffersInUse, peakBytes: this.#heap.peakBytes };
  }

  /** Runs `body` and tells the most bytes that were in use at once while it ran. */
  async withOwnPeak<Result>(body: () => Result | Promise<Result>): Promise<{ result: Result; peakBytes: number }> {
    const before = this.#heap.peakBytes;
    this.#heap.peakBytes = this.#heap.bytesInUse;
    try {
      const result = await body();
      return { result, peakBytes: this.#heap.peakBytes };
    } finally {
      this.#heap.peakBytes = Math.max(before, this.#heap.peakBytes);
    }
  }

  /** Bytes to which memory may grow: 4 GiB, `GOSSAMER_MEMORY_MIB`, or what the host grants. */
  get memoryLimit(): number {
    return this.#heap.maximumBytes;
  }

  /** Whether tensors have shapes and no values just now. */
  get isShapesOnly(): boolean {
    return this.#shapesOnly;
  }

  /**
   * Runs a synchronous body in which new tensors take no memory and kernels do nothing.
   *
   * @throws Error when the body is asynchronous
   */
  shapesOnly<Result>(body: () => Result): Result {
    const before = this.#shapesOnly;
    this.#shapesOnly = true;
    try {
      const result = body();
      if (result instanceof Promise) throw new Error('shapesOnly: the body must not be asynchronous');
      return result;
    } finally {
      this.#shapesOnly = before;
      if (!before) dropZeros();
    }
  }

  allocate(bytes: number): Buffer {
    if (this.#shapesOnly) return new ShapeBuffer(bytes);
    return this.#store.allocate(bytes);
  }

  free(buffer: Buffer): void {
    if (buffer instanceof HeapBuffer) this.#store.free(buffer);
  }

  watch(buffer: Buffer): void {
    if (buffer instanceof HeapBuffer) this.#store.watch(buffer);
  }

  /**
   * Byte offset of a part of a buffer.
   *
   * @throws RangeError when it does not lie within the buffer.
   */
  #placeOf(region: Region, bytes: number): number {
    const end = region.byteOffset + bytes;
    if (!(region.byteOffset >= 0 && end <= region.buffer.bytes))
      throw new RangeError(
        `cpu: bytes ${region.byteOffset} to ${end} do not lie within a buffer of ${region.buffer.bytes}`,
      );
    return addressOf(region);
  }

  write(region: Region, data: TypedArray): void {
    if (this.#shapesOnly) {
      if (region.buffer instanceof ShapeBuffer) region.buffer.write(region.byteOffset, data);
      return;
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const place = this.#placeOf(region, data.byteLength);
    new Uint8Array(this.#heap.memory.buffer, place, data.byteLength).set(bytes);
  }

  peek(region: Region, dtype: DType, length: number): TypedArray {
    if (this.#shapesOnly && region.buffer instanceof ShapeBuffer)
      return region.buffer.read(region.byteOffset, dtype, length);
    const start = this.#placeOf(region, length * bytesPerElement[dtype]);
    const { buffer } = this.#heap.memory;
    if (dtype === 'f32') {
      if (this.#floats.buffer !== buffer) this.#floats = new Float32Array(buffer);
      return this.#floats.subarray(start / 4, start / 4 + length);
    }
    if (dtype === 'i32') {
      if (this.#ints.buffer !== buffer) this.#ints = new Int32Array(buffer);
      return this.#ints.subarray(start / 4, start / 4 + length);
    }
    return dtype === 'u8' ? new Uint8Array(buffer, start, length) : new Int8Array(buffer, start, length);
  }

  view(region: Region, dtype: DType, length: number): TypedArray {
    if (region.buffer instanceof HeapBuffer) region.buffer.viewed = true;
    return this.peek(region, dtype, length);
  }

  async read(region: Region, dtype: DType, length: number): Promise<TypedArray> {
    return this.peek(region, dtype, length).slice();
  }

  run<Name extends KernelName>(kernel: Name, args: ArgumentsOf<Name>): void {
    if (!this.#shapesOnly) runRoutine(this.#runner, kernel, args);
    else if (kernel === 'fill') {
      const { y, bits } = args as ArgumentsOf<'fill'>;
      if (y.buffer instanceof ShapeBuffer) y.buffer.fill(bits);
    }
  }

  /**
   * Records what `body` runs on the device it is given, instead of running it. Regions of this
   * device become constants of the program.
   */
  record(body: (device: RecordingDevice) => void): Program {
    const recording = new RecordingDevice(
      this.threads,
      this.#runner.tiles.choice,
      ({ address, bytes }) => new Uint8Array(this.#heap.memory.buffer, address, bytes),
    );
    body(recording);
    return prepare(recording, this.#heap, this.#runner);
  }

  /**
   * Lays a program out in memory. `inputs` and `outputs` are buffers that the caller writes before
   * and reads after a run.
   */
  load(program: Program, inputs: readonly number[], outputs: readonly number[]): LoadedProgram {
    return new LoadedProgram(program, inputs, outputs, this.#heap, this.#runner);
  }
}
