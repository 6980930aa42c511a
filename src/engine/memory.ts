// The heap: one growable WebAssembly memory and an allocator of size classes over it.
//
// A request is rounded up to a class (four classes an octave, so at most a quarter is wasted; large
// blocks sixteen, so at most a sixteenth) and served from that class's free list, else from the
// untouched end of memory. When the end is reached, or memory would have to grow while much of it
// is free, adjacent free blocks are merged and split again: batches of varying sizes would
// otherwise fill the whole of it, class by class.

const PAGE = 65536;
const ALIGNMENT = 64;
/** The first page holds the thread pool's control block. */
export const RESERVED_BYTES = PAGE;
/**
 * Readable bytes after the last block: kernels load whole vectors across the end of a row and mask
 * the foreign lanes.
 */
const GUARD_BYTES = 4096;
/**
 * Bytes from which classes are finer: weights are such blocks, activations of batches that vary in
 * size seldom.
 */
const LARGE_BYTES = 2 ** 19;
/** Share of memory that must have been freed before free blocks are merged in place of growth. */
const MERGE_SHARE = 1 / 2;

interface Span {
  address: number;
  bytes: number;
}

/** Smallest size class that holds `bytes`. */
export function sizeClass(bytes: number): number {
  if (bytes <= 4 * ALIGNMENT) return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  const step = 2 ** (Math.floor(Math.log2(bytes)) - (bytes < LARGE_BYTES ? 2 : 4));
  return Math.ceil(bytes / step) * step;
}

/** The allocator of the kernels' memory: addresses are byte offsets into it. */
export class Heap {
  /** Bytes handed out, in whole size classes. */
  bytesInUse = 0;
  buffersInUse = 0;
  peakBytes = 0;
  #end = RESERVED_BYTES;
  #free = new Map<number, number[]>();
  #spans: Span[] = [];
  /** Bytes that were taken back since free blocks were last merged. */
  #releasedBytes = 0;
  /** Called when memory runs out: frees some if it can. */
  relieve: ((bytes: number) => boolean) | undefined;

  constructor(
    readonly memory: WebAssembly.Memory,
    readonly maximumBytes: number,
  ) {}

  /**
   * @returns the byte offset of a block aligned to 64 bytes.
   * @throws RangeError unless the size is a whole number of bytes that fits.
   */
  allocate(bytes: number): number {
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) {
      if (bytes > Number.MAX_SAFE_INTEGER) throw this.#outOfMemory(bytes);
      throw new RangeError(`allocate: expected a whole number of bytes, got ${bytes}`);
    }
    const size = sizeClass(bytes);
    let address = this.#find(size);
    while (address === undefined) {
      if (!this.relieve?.(bytes)) throw this.#outOfMemory(bytes);
      address = this.#find(size);
    }
    this.bytesInUse += size;
    this.buffersInUse += 1;
    this.peakBytes = Math.max(this.peakBytes, this.bytesInUse);
    return address;
  }

  #find(size: number): number | undefined {
    const found = this.#free.get(size)?.pop() ?? this.#fromSpans(size);
    if (found !== undefined) return found;
    return (this.#shouldMerge(size) ? undefined : this.#fromEnd(size)) ?? this.#afterMerge(size);
  }

  /**
   * Whether memory would have to grow, though as much as a part of it was freed since free blocks
   * were last merged: what a merge costs is spread over the work on those bytes.
   */
  #shouldMerge(size: number): boolean {
    const held = this.memory.buffer.byteLength;
    return this.#end + size + GUARD_BYTES > held && this.#releasedBytes > MERGE_SHARE * held;
  }

  /** Takes back a block of `bytes` as asked for. */
  release(address: number, bytes: number): void {
    const size = sizeClass(bytes);
    const list = this.#free.get(size);
    if (list) list.push(address);
    else this.#free.set(size, [address]);
    this.#releasedBytes += size;
    this.bytesInUse -= size;
    this.buffersInUse -= 1;
  }

  #fromEnd(size: number): number | undefined {
    const address = this.#end;
    if (address + size + GUARD_BYTES > this.maximumBytes) return undefined;
    const missing = address + size + GUARD_BYTES - this.memory.buffer.byteLength;
    if (missing > 0 && !this.#grow(missing)) return undefined;
    this.#end += size;
    return address;
  }

  /** Grows by at least `bytes`, in steps of an eighth of what is held so that growth stays rare. */
  #grow(bytes: number): boolean {
    const held = this.memory.buffer.byteLength;
    const wanted = Math.max(bytes, held / 8);
    for (const step of [Math.min(wanted, this.maximumBytes - held), bytes]) {
      try {
        this.memory.grow(Math.ceil(step / PAGE));
        return true;
      } catch {
        // The smaller step may still fit; if none does, the caller reports what was asked for.
      }
    }
    return false;
  }

  #fromSpans(size: number): number | undefined {
    const index = this.#spans.findIndex((span) => span.bytes >= size);
    const span = this.#spans[index];
    if (!span) return undefined;
    const { address } = span;
    span.address += size;
    span.bytes -= size;
    if (span.bytes === 0) this.#spans.splice(index, 1);
    return address;
  }

  /** Merges every free block with its free neighbours, then looks once more. */
  #afterMerge(size: number): number | undefined {
    const blocks = [...this.#spans];
    for (const [bytes, addresses] of this.#free) for (const address of addresses) blocks.push({ address, bytes });
    blocks.sort((a, b) => a.address - b.address);
    this.#free.clear();
    this.#releasedBytes = 0;
    this.#spans = [];
    for (const block of blocks) {
      const last = this.#spans.at(-1);
      if (last && last.address + last.bytes === block.address) last.bytes += block.bytes;
      else this.#spans.push({ ...block });
    }
    const last = this.#spans.at(-1);
    if (last && last.address + last.bytes === this.#end) {
      this.#end = last.address;
      this.#spans.pop();
    }
    return this.#fromSpans(size) ?? this.#fromEnd(size);
  }

  #outOfMemory(bytes: number): RangeError {
    return new RangeError(
      `out of memory: ${mebibytes(bytes)} asked for, ${mebibytes(this.bytesInUse)} in use in ${this.buffersInUse} buffers, ` +
        `limit ${mebibytes(this.maximumBytes)}; run each step of a loop in scope(() => …), which frees what the step made`,
    );
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 3 : 0)} MiB`;
}
