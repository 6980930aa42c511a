// Buffers of the heap, and what happens to those that nobody frees by hand.
//
// JavaScript does not see how much memory a buffer stands for, and tells of collected objects only
// when the event loop turns. A loop that never turns it would fill the heap with dead buffers. When
// the heap is full, contents of watched buffers therefore move to arrays of JavaScript's own,
// newest first, where the collector finds the dead ones at once; a living one moves back when it is
// used.

import { foreignError, type Library, library, libraryOf } from './library.js';
import type { Heap } from './memory.js';
import { arrayTypes, type Buffer, type DType, type Region, type TypedArray } from './region.js';

/** Share of the heap that must be in use before watched buffers can move out. */
const CROWDED = 1 / 2;
/** Share of the heap that moves out at a time, and that is kept free for buffers that move back. */
const RELIEF = 1 / 16;

/**
 * The way from the store to a buffer. A WeakRef keeps its target until the running job ends, so it
 * refers to this link, which is cut when the buffer moves out.
 */
interface Link {
  buffer: HeapBuffer | undefined;
}

/** A watched buffer: where its block lies, without keeping the buffer alive. */
interface Watched {
  readonly address: number;
  readonly bytes: number;
  readonly link: WeakRef<Link> | undefined;
}

/** A block of the heap, shared by the tensors that view it. */
export class HeapBuffer implements Buffer {
  references = 0;
  /** Whether a live view was given out, so that the block must stay where it is. */
  viewed = false;
  /** The store's count of allocations when the address was last asked for. */
  addressed = 0;
  /** Set while the block is freed when the buffer is collected. */
  watched: Watched | undefined;
  /** The store's way here, or the contents while they are out of the heap. */
  moving: Link | Uint8Array | undefined;

  constructor(
    readonly bytes: number,
    /** Byte offset of the block; 0 while it has none. */
    public place: number,
    readonly store: BufferStore,
  ) {}

  get library(): Library {
    return library;
  }

  /** @throws Error when the buffer was freed. */
  get address(): number {
    this.addressed = this.store.allocations;
    return this.place || this.store.restore(this);
  }
}

/** Most bytes that a buffer without memory remembers: enough for scalars. */
const REMEMBERED = 64;

/** Zeros, as many as were asked for at once. */
let zeros = new ArrayBuffer(0);

/** Gives the shared zeros back. */
export function dropZeros(): void {
  zeros = new ArrayBuffer(0);
}

/**
 * A buffer without memory, where shapes are all that is asked for. It remembers a few bytes, or the
 * word that it was filled with.
 */
export class ShapeBuffer implements Buffer {
  references = 0;
  readonly #contents = new Uint8Array(REMEMBERED);
  #word = 0;

  constructor(readonly bytes: number) {}

  get library(): Library {
    return library;
  }

  /** @throws Error, as there is no memory. */
  get address(): number {
    throw new Error('engine: a tensor made where shapes alone count has no values');
  }

  write(offset: number, data: TypedArray): void {
    this.#word = 0;
    if (offset + data.byteLength > REMEMBERED) return;
    this.#contents.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  }

  /** Fills all words with the same bits. */
  fill(word: number): void {
    new Int32Array(this.#contents.buffer).fill(word);
    this.#word = word;
  }

  /**
   * What was written or filled, where it is remembered; zeros elsewhere, which all readers share.
   */
  read(offset: number, dtype: DType, length: number): TypedArray {
    const Values = arrayTypes[dtype];
    const bytes = length * Values.BYTES_PER_ELEMENT;
    if (offset + bytes <= REMEMBERED) return new Values(this.#contents.slice(offset, offset + bytes).buffer);
    if (this.#word !== 0) return new Values(new Int32Array(Math.ceil(bytes / 4)).fill(this.#word).buffer, 0, length);
    if (zeros.byteLength < bytes) zeros = new ArrayBuffer(bytes);
    return new Values(zeros, 0, length);
  }
}

/** The buffers of one heap. */
export class BufferStore {
  readonly #watched = new Set<Watched>();
  readonly #collected = new FinalizationRegistry<Watched>((watched) => {
    this.#watched.delete(watched);
    this.heap.release(watched.address, watched.bytes);
  });
  /** Set when nothing could move out, until another buffer is watched. */
  #exhausted = false;
  /** Buffers made so far. A buffer that was addressed since the last one may be in use just now. */
  allocations = 0;

  constructor(readonly heap: Heap) {
    heap.relieve = (bytes) => this.#moveOut(bytes);
  }

  /** @throws RangeError naming the size asked for and what is in use when memory runs out. */
  allocate(bytes: number): HeapBuffer {
    this.allocations += 1;
    this.#exhausted &&= this.#watched.size === 0;
    if (this.heap.bytesInUse > (1 - RELIEF) * this.heap.maximumBytes) this.#moveOut(bytes);
    return new HeapBuffer(bytes, this.heap.allocate(bytes), this);
  }

  /** Frees the block now. */
  free(buffer: HeapBuffer): void {
    this.#unwatch(buffer);
    if (buffer.place) this.heap.release(buffer.place, buffer.bytes);
    buffer.place = 0;
    buffer.moving = undefined;
  }

  /** Frees the block when JavaScript collects the buffer. */
  watch(buffer: HeapBuffer): void {
    if (buffer.watched || !buffer.place) return;
    let link: WeakRef<Link> | undefined;
    if (this.heap.bytesInUse > CROWDED * this.heap.maximumBytes) {
      buffer.moving = { buffer };
      link = new WeakRef(buffer.moving);
      this.#exhausted = false;
    }
    buffer.watched = { address: buffer.place, bytes: buffer.bytes, link };
    if (link) this.#watched.add(buffer.watched);
    this.#collected.register(buffer, buffer.watched, buffer);
  }

  #unwatch(buffer: HeapBuffer): void {
    if (!buffer.watched) return;
    this.#collected.unregister(buffer);
    this.#watched.delete(buffer.watched);
    buffer.watched = undefined;
    if (buffer.moving && 'buffer' in buffer.moving) buffer.moving = undefined;
  }

  /** Moves out so much that `bytes` fit and there is some room to spare. */
  #moveOut(bytes: number): boolean {
    if (this.#exhausted) return false;
    const wanted = bytes + RELIEF * this.heap.maximumBytes;
    let freed = 0;
    for (const watched of [...this.#watched].reverse()) {
      const link = watched.link?.deref();
      const buffer = link?.buffer;
      if (buffer?.viewed) this.#watched.delete(watched);
      if (!link || !buffer || buffer.viewed || buffer.addressed === this.allocations) continue;
      const contents = this.#copyOf(buffer);
      if (!contents) break;
      link.buffer = undefined;
      this.free(buffer);
      buffer.moving = contents;
      freed += buffer.bytes;
      if (freed >= wanted) break;
    }
    this.#exhausted = freed === 0;
    return freed > 0;
  }

  /** The contents, or undefined where JavaScript has no memory left either. */
  #copyOf(buffer: HeapBuffer): Uint8Array | undefined {
    try {
      return new Uint8Array(this.heap.memory.buffer, buffer.place, buffer.bytes).slice();
    } catch {
      return undefined;
    }
  }

  /** Moves the contents back and gives their address. */
  restore(buffer: HeapBuffer): number {
    const contents = buffer.moving;
    if (!(contents instanceof Uint8Array)) throw new Error('engine: a buffer is used after it was freed');
    const place = this.heap.allocate(buffer.bytes);
    new Uint8Array(this.heap.memory.buffer, place, buffer.bytes).set(contents);
    buffer.place = place;
    buffer.moving = undefined;
    this.watch(buffer);
    return place;
  }
}

/** Where a region lies in memory; 0 for one that is left out. */
export function addressOf(region: Region | null): number {
  if (region === null) return 0;
  const { buffer } = region;
  if (buffer.library !== library) throw foreignError('engine', libraryOf(region));
  return buffer.address + region.byteOffset;
}
