// Records what routines would do: a program of kernel calls over buffers that need no place yet.
// Static plans are made of it.
//
// Buffers get addresses beyond any real one, so that an address stays recognisable among the
// arguments of a kernel. Packing of constants is taken out of the program: it is done once, when
// the program is laid out in memory.

import type { Device } from '../device.js';
import { type KernelArguments, packers } from '../generated/arguments.js';
import { foreignError, library } from '../library.js';
import type { Buffer, Region, TypedArray } from '../region.js';
import type { Execution, SegmentKernel } from './execution.js';
import { type ArgumentsOf, type KernelName, runRoutine } from './routines/index.js';
import type { TileRows } from './tiles.js';

/** Real addresses and sizes are below; a buffer's address is a multiple of it. */
export const VIRTUAL = 2 ** 32;

/** One kernel call. Arguments from `VIRTUAL` on are addresses: (buffer + 1)·VIRTUAL + offset. */
export interface Step {
  readonly kernel: string;
  readonly args: readonly number[];
  readonly size: number;
  /**
   * Rough nanoseconds of one step of the loop; 0 where the loop gets one share a thread of `work`.
   */
  readonly cost: number;
  readonly work?: number;
}

/** A buffer of a program. */
export interface PlannedBuffer {
  readonly bytes: number;
  /** What it holds from the start; undefined for one that steps write. */
  readonly contents: Uint8Array | undefined;
}

/** A region as a recorded call names it: a buffer of the program and an offset in bytes. */
export interface RecordedRegion {
  readonly buffer: number;
  readonly byteOffset: number;
}

/** An argument of a recorded call: a region, null where it is left out, a number, or a table. */
export type RecordedArgument =
  | RecordedRegion
  | number
  | null
  | readonly RecordedArgument[]
  | { readonly [name: string]: RecordedArgument };

/** A call of a device's kernel, from which its steps follow. */
export interface RecordedCall {
  readonly kernel: string;
  readonly args: Readonly<Record<string, RecordedArgument>>;
}

/** Kernels that only bring an operand into another order. */
const PACKING = new Set(['packFilters', 'gemmPackB']);

/** A device that notes kernel calls in place of making them. */
export class RecordingDevice implements Device, Execution {
  readonly name = 'plan';
  readonly buffers: PlannedBuffer[] = [];
  readonly steps: Step[] = [];
  /** What the device was asked for; the steps are how it is done. */
  readonly calls: RecordedCall[] = [];
  /** Packing of constants, to be done once. */
  readonly preparation: Step[] = [];
  readonly tiles = { time: (_flop: number, product: (tileRows: TileRows) => void) => product(this.tileRows) };
  readonly #constants = new Map<Buffer, number>();
  readonly #fixed = new Set<number>();

  /** @param contentsOf the bytes of a real buffer. */
  constructor(
    readonly threads: number,
    readonly tileRows: TileRows,
    readonly contentsOf: (buffer: Buffer) => Uint8Array,
  ) {}

  #add(bytes: number, contents?: Uint8Array): number {
    this.buffers.push({ bytes, contents });
    const index = this.buffers.length - 1;
    if (contents) this.#fixed.add(index);
    return (index + 1) * VIRTUAL;
  }

  allocate(bytes: number): Buffer {
    return { library, address: this.#add(bytes), bytes, references: 0 };
  }

  /** A buffer that holds its contents from the start. */
  constant(contents: Uint8Array): Buffer {
    return { library, address: this.#add(contents.length, contents), bytes: contents.length, references: 0 };
  }

  free(): void {}

  watch(): void {}

  write(_region: Region, _data: TypedArray): void {
    throw new Error('plan: an operation writes values from JavaScript while it computes, which a plan cannot repeat');
  }

  async read(): Promise<never> {
    throw new Error('plan: an operation reads values in JavaScript while it computes, which a plan cannot repeat');
  }

  run<Name extends KernelName>(kernel: Name, args: ArgumentsOf<Name>): void {
    const before = this.steps.length + this.preparation.length;
    runRoutine(this, kernel, args);
    if (this.steps.length + this.preparation.length === before) return;
    const entries = Object.entries(args as object).map(([key, value]) => [key, this.#noted(value)] as const);
    this.calls.push({ kernel, args: Object.fromEntries(entries) });
  }

  #noted(value: unknown): RecordedArgument {
    if (value === null || typeof value === 'number') return value;
    if (isRegion(value)) {
      const address = this.#addressOf(value);
      const buffer = Math.floor(address / VIRTUAL) - 1;
      return { buffer, byteOffset: address - (buffer + 1) * VIRTUAL };
    }
    if (Array.isArray(value) || ArrayBuffer.isView(value))
      return Array.from(value as ArrayLike<unknown>, (element) => this.#noted(element));
    const entries = Object.entries(value as object).filter(([, part]) => part !== undefined);
    return Object.fromEntries(entries.map(([key, part]) => [key, this.#noted(part)]));
  }

  /** A region of a real buffer is a constant: its contents become part of the program. */
  readonly #addressOf = (region: Region | null): number => {
    if (region === null) return 0;
    const { buffer, byteOffset } = region;
    if (buffer.library !== library) throw foreignError('plan', buffer.library);
    if (buffer.address >= VIRTUAL) return buffer.address + byteOffset;
    const known = this.#constants.get(buffer) ?? this.#add(buffer.bytes, this.contentsOf(buffer).slice());
    this.#constants.set(buffer, known);
    return known + byteOffset;
  };

  over<Name extends keyof KernelArguments>(kernel: Name, args: KernelArguments[Name], size: number, cost: number) {
    if (size === 0) return;
    const step = { kernel, args: packers[kernel](args, this.#addressOf), size, cost };
    const [source, target] = step.args.map((arg) => Math.floor(arg / VIRTUAL) - 1) as [number, number];
    if (!PACKING.has(kernel) || !this.#fixed.has(source)) {
      this.steps.push(step);
      return;
    }
    this.preparation.push(step);
    this.#fixed.add(target);
  }

  inShares<Name extends keyof KernelArguments>(kernel: Name, args: KernelArguments[Name], size: number, work: number) {
    if (size === 0) return;
    this.steps.push({ kernel, args: packers[kernel](args, this.#addressOf), size, cost: 0, work });
  }

  /** Segments of a plan are taken as equal; rows that differ much even out over the chunks. */
  overSegments<Name extends SegmentKernel>(kernel: Name, args: KernelArguments[Name], rows: number, cost: number) {
    this.over(kernel, args, rows, 4 * cost);
  }

  withScratch(bytes: number, use: (scratch: Region) => void): void {
    use({ buffer: this.allocate(bytes), byteOffset: 0 });
  }

  withScratchEach(bytes: number, use: (scratch: Region) => void): void {
    this.withScratch(bytes * this.threads, use);
  }

  together(body: (steps: this) => void): void {
    body(this);
  }

  withInts(values: readonly number[], use: (table: Region) => void): void {
    const ints = Int32Array.from(values);
    const address = this.#add(ints.byteLength, new Uint8Array(ints.buffer));
    use({ buffer: { library, address, bytes: ints.byteLength, references: 1 }, byteOffset: 0 });
  }
}

function isRegion(value: unknown): value is Region {
  return (
    typeof value === 'object' &&
    value !== null &&
    'buffer' in value &&
    'byteOffset' in value &&
    'address' in Object(value.buffer)
  );
}
