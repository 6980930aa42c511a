// Arguments of a kernel call from a file, as the checks of kernels read them: what is not read, or
// has another form, is an error.

import type { RecordedArgument, RecordedCall, RecordedRegion } from '../../engine/index.js';

/** A buffer of a plan file. */
export interface FileBuffer {
  readonly bytes: number;
  /** What it holds from the start; undefined for one that calls write. */
  readonly contents: Uint8Array | undefined;
}

/** What the checks of all calls find out about a plan's buffers. */
export interface BufferUse {
  readonly buffers: readonly FileBuffer[];
  /** Bytes of each buffer that regions reach to. */
  readonly reached: number[];
  /** Buffers that are written before a run. */
  readonly inputs: ReadonlySet<number>;
  /** The positions that buffers hold. */
  readonly positions: Map<number, Positions>;
}

/** Bytes of a buffer that hold positions, and how many places those address. */
export interface Positions {
  readonly start: number;
  readonly end: number;
  readonly places: number;
}

/** Indices in a buffer that must lie in [low, end). */
export interface IndexRange extends RecordedRegion {
  readonly count: number;
  readonly low: number;
  readonly end: number;
}

/** Sizes that fit the kernels' 32 bits, whose sums stay exact. */
const MOST = 2 ** 31 - 1;

function isRegion(value: unknown): value is RecordedRegion {
  if (typeof value !== 'object' || value === null || !('buffer' in value && 'byteOffset' in value)) return false;
  return typeof value.buffer === 'number' && typeof value.byteOffset === 'number';
}

/** The arguments of one call, or of a table in it. */
export class CallArguments {
  readonly #unread: Set<string>;

  constructor(
    readonly call: RecordedCall,
    readonly use: BufferUse,
    readonly values: Readonly<Record<string, RecordedArgument>> = call.args,
  ) {
    this.#unread = new Set(Object.keys(values));
  }

  fail(reason: string): never {
    throw new Error(`plan: a call of "${this.call.kernel}" ${reason}`);
  }

  #value(name: string): RecordedArgument {
    this.#unread.delete(name);
    return Object.hasOwn(this.values, name) ? (this.values[name] as RecordedArgument) : this.fail(`lacks ${name}`);
  }

  /** @throws Error when an argument was not read. */
  finish(): void {
    const [unread] = this.#unread;
    if (unread !== undefined) this.fail(`has the argument ${unread}, which it does not take`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.values, name);
  }

  /** A number of any value. */
  number(name: string): number {
    const value = this.#value(name);
    return typeof value === 'number' ? value : this.fail(`has ${name} that is no number`);
  }

  /** An integer in [low, high]. */
  integer(name: string, low: number, high = MOST): number {
    const value = this.number(name);
    if (!Number.isInteger(value) || value < low || value > high)
      this.fail(`has ${name} ${value}, expected ${low} to ${high}`);
    return value;
  }

  /** A size, of at least one. */
  size(name: string): number {
    return this.integer(name, 1);
  }

  flag(name: string): number {
    return this.integer(name, 0, 1);
  }

  /** A factor 1 or −1. */
  sign(name: string): void {
    if (Math.abs(this.number(name)) !== 1) this.fail(`has a ${name} that is neither 1 nor −1`);
  }

  /** A list of lists of numbers, or of numbers. */
  list(name: string): readonly RecordedArgument[] {
    const value = this.#value(name);
    return Array.isArray(value) ? value : this.fail(`has ${name} that is no list`);
  }

  /** A list of integers in [low, high], of a length where one is given. */
  integers(name: string, low: number, { high = MOST, length }: { high?: number; length?: number } = {}): number[] {
    return this.#integersIn(name, this.list(name), low, high, length);
  }

  #integersIn(name: string, values: readonly RecordedArgument[], low: number, high: number, length?: number): number[] {
    const valid = values.every(
      (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
    );
    if (!valid || (length !== undefined && values.length !== length))
      this.fail(
        `has ${name} ${JSON.stringify(values.slice(0, 8))}, expected ${length ?? 'any number of'} from ${low} to ${high}`,
      );
    return values as number[];
  }

  /** A list of rows of numbers; `check` looks at each. @returns their count */
  rows(name: string, width: number, check: (row: readonly number[]) => boolean): number {
    const values = this.list(name);
    for (const row of values) {
      const valid = Array.isArray(row) && row.length === width && row.every((value) => typeof value === 'number');
      if (!valid || !check(row as number[])) this.fail(`has ${name} with the impossible entry ${JSON.stringify(row)}`);
    }
    if (values.length === 0) this.fail(`has ${name} without entries`);
    return values.length;
  }

  /** A table of named values. */
  table(name: string): CallArguments {
    const value = this.#value(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || isRegion(value))
      return this.fail(`has ${name} that is no table`);
    return new CallArguments(this.call, this.use, value as Readonly<Record<string, RecordedArgument>>);
  }

  /** A region of elements [first, end) around its start, which must lie in its buffer. */
  #region(name: string, first: number, end: number, width: number): RecordedRegion {
    const value = this.#value(name);
    if (!isRegion(value)) return this.fail(`has ${name} that is no region`);
    const { buffer, byteOffset } = value;
    const found = this.use.buffers[buffer];
    if (!found) return this.fail(`names buffer ${buffer} of ${this.use.buffers.length}`);
    const [from, to] = [byteOffset + first * width, byteOffset + end * width];
    if (!Number.isInteger(byteOffset) || byteOffset % width !== 0 || from < 0 || !(to <= found.bytes))
      this.fail(`takes bytes ${from} to ${to} as ${name}, of a buffer of ${found.bytes}`);
    this.use.reached[buffer] = Math.max(this.use.reached[buffer] ?? 0, to);
    return value;
  }

  /** A region that is read. */
  read(name: string, elements: number, width = 4): RecordedRegion {
    return this.#region(name, 0, elements, width);
  }

  /** A region of which elements before its start may be read too. */
  readSpan(name: string, first: number, end: number): void {
    this.#region(name, first, end, 4);
  }

  /** Where a region lies, undefined for one that is left out. Does not count as reading it. */
  place(name: string): RecordedRegion | undefined {
    const value = this.values[name];
    return isRegion(value) ? value : undefined;
  }

  isNull(name: string): boolean {
    return this.has(name) && this.values[name] === null;
  }

  /** A region that is read, or null. */
  optionalRead(name: string, elements: number, width = 4): void {
    if (this.isNull(name)) this.#unread.delete(name);
    else this.read(name, elements, width);
  }

  /** A region that is written: not one of a constant or of an input. */
  write(name: string, elements: number, width = 4): RecordedRegion {
    return this.writeSpan(name, 0, elements, width);
  }

  writeSpan(name: string, first: number, end: number, width = 4): RecordedRegion {
    const value = this.#value(name);
    if (isRegion(value) && this.use.buffers[value.buffer]?.contents) this.fail(`writes to a constant as ${name}`);
    if (isRegion(value) && this.use.inputs.has(value.buffer)) this.fail(`writes to an input as ${name}`);
    const region = this.#region(name, first, end, width);
    this.use.positions.delete(region.buffer);
    return region;
  }

  optionalWrite(name: string, elements: number): void {
    if (this.isNull(name)) this.#unread.delete(name);
    else this.write(name, elements);
  }

  /** A region that receives positions among `places`. */
  writePositions(name: string, elements: number, places: number): void {
    const { buffer, byteOffset: start } = this.write(name, elements);
    this.use.positions.set(buffer, { start, end: start + 4 * elements, places });
  }

  /** Bytes from the start of a region to the end of its buffer. */
  bytesBehind(name: string): number {
    const region = this.read(name, 0);
    return (this.use.buffers[region.buffer]?.bytes ?? 0) - region.byteOffset;
  }

  /** The integers of a constant. */
  constantInts(name: string, count: number): Int32Array {
    const { buffer, byteOffset } = this.read(name, count);
    const { contents } = this.use.buffers[buffer] as FileBuffer;
    if (!contents) return this.fail(`has ${name} that is no constant`);
    return new Int32Array(contents.slice(byteOffset, byteOffset + 4 * count).buffer);
  }

  /** Ends of segments: ascending from 0, in a constant. @returns the last */
  segmentEnds(name: string, segments: number): number {
    const ends = this.constantInts(name, segments + 1);
    if (ends[0] !== 0 || ends.some((end, i) => i > 0 && end < (ends[i - 1] as number)))
      this.fail(`has ${name} that does not ascend from 0`);
    return ends[segments] as number;
  }

  /**
   * Indices in [low, end): constants are checked now, inputs when they are given, and others must
   * be positions that one call found, among at most as many places.
   */
  indices(name: string, count: number, end: number, low = 0): void {
    const region = this.read(name, count);
    if (this.use.buffers[region.buffer]?.contents) {
      const outside = this.constantInts(name, count).find((index) => index < low || index >= end);
      if (outside !== undefined) this.fail(`has the index ${outside} of ${end} in ${name}`);
    } else if (!this.use.inputs.has(region.buffer) && !this.#holdsPositions(region, count, end)) {
      this.fail(`has computed indices that may lie outside of ${end} in ${name}`);
    }
  }

  #holdsPositions({ buffer, byteOffset }: RecordedRegion, count: number, most: number): boolean {
    const held = this.use.positions.get(buffer);
    return !!held && held.places <= most && held.start <= byteOffset && byteOffset + 4 * count <= held.end;
  }
}
