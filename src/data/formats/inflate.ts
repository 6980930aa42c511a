// Gzip streams and zip archives, inflated no further than a limit. Sizes in their headers are
// compared with what comes out, and so are the checksums.

import { Gunzip, Inflate } from 'fflate';

/** Limit on what a compressed file may hold. */
export interface InflateOptions {
  /**
   * Most bytes that may come out. Default: 64 MiB, and beyond that a hundred times the bytes that
   * went in, which data never reaches and small files made to fill the memory do.
   */
  readonly maxBytes?: number;
}

/** Bytes that any file may inflate to. */
const ALWAYS = 2 ** 26;
/** Inflated bytes a stored one, beyond those. Deflate reaches 1032. */
const RATIO = 100;
/** Compressed bytes inflated at a time, which become at most 4 MiB. */
const CHUNK = 2 ** 12;

/** Most bytes that may come out of so many compressed ones. */
export function inflateLimit(stored: number, { maxBytes }: InflateOptions = {}): number {
  return maxBytes ?? Math.max(ALWAYS, RATIO * stored);
}

/** @throws Error when more has come out of a file than the limit. */
export function requireInflated(inflated: number, stored: number, options: InflateOptions = {}): void {
  const limit = inflateLimit(stored, options);
  if (inflated > limit)
    throw new Error(
      `would inflate to more than ${limit} bytes, ${Math.round(inflated / Math.max(1, stored))} times what is stored; maxBytes allows more`,
    );
}

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Inflates a gzip stream of one or several members.
 *
 * @throws Error when it is corrupt, or would exceed the limit.
 */
export function gunzip(bytes: Uint8Array, options: InflateOptions = {}): Uint8Array {
  const output = new Output();
  let member = new Checksum();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const finish = (end: number) => {
    if (end < 18 || view.getUint32(end - 8, true) !== member.value || view.getUint32(end - 4, true) !== member.length)
      throw new Error('is damaged or cut short: its checksum differs');
    member = new Checksum();
  };
  let taken = 0;
  const stream = new Gunzip((part) => {
    member.add(part);
    output.add(part);
    requireInflated(output.length, taken, options);
  });
  stream.onmember = finish;
  while (taken < bytes.length) {
    const from = taken;
    taken = Math.min(bytes.length, from + CHUNK);
    stream.push(bytes.subarray(from, taken), taken === bytes.length);
  }
  finish(bytes.length);
  return output.finish();
}

/** A file of an archive, as its directory describes it. */
interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly stored: number;
  readonly size: number;
  readonly position: number;
}

const [END, DIRECTORY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
/** Bytes of the three records without their names and comments. */
const [END_BYTES, DIRECTORY_BYTES, LOCAL_BYTES] = [22, 46, 30];
/** What a 32-bit field holds where the size stands in a ZIP64 record. */
const ELSEWHERE = 0xffffffff;

/**
 * The files of a zip archive by name.
 *
 * @throws Error when it is damaged, encrypted, larger than 4 GiB, holds a name twice, or would
 * exceed the limit, for which all its files count together.
 */
export function unzip(bytes: Uint8Array, options: InflateOptions = {}): Map<string, Uint8Array> {
  const entries = readDirectory(bytes);
  requireInflated(
    entries.reduce((total, { size }) => total + size, 0),
    bytes.length,
    options,
  );
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (files.has(entry.name)) throw new Error(`holds "${entry.name}" twice`);
    files.set(entry.name, readEntry(bytes, entry));
  }
  return files;
}

function readDirectory(bytes: Uint8Array): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  const first = Math.max(0, end - 0xffff);
  while (end >= first && view.getUint32(end, true) !== END) end -= 1;
  if (end < first) throw new Error('has no directory; is it cut short?');
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (at === ELSEWHERE || count === 0xffff) throw new Error('is a ZIP64 archive, larger than can be read');
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_BYTES > end || view.getUint32(at, true) !== DIRECTORY)
      throw new Error(`has a damaged directory at entry ${i + 1} of ${count}`);
    const lengths = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [number, number, number];
    const name = new TextDecoder().decode(bytes.subarray(at + DIRECTORY_BYTES, at + DIRECTORY_BYTES + lengths[0]));
    if (view.getUint16(at + 8, true) & 1) throw new Error(`holds "${name}" encrypted`);
    const entry = {
      name,
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      stored: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      position: view.getUint32(at + 42, true),
    };
    if ([entry.stored, entry.size, entry.position].includes(ELSEWHERE))
      throw new Error(`holds "${name}" of 4 GiB or more, which cannot be read`);
    entries.push(entry);
    at += DIRECTORY_BYTES + lengths[0] + lengths[1] + lengths[2];
  }
  return entries;
}

function readEntry(bytes: Uint8Array, { name, method, checksum, stored, size, position }: ZipEntry): Uint8Array {
  const fail = (reason: string): never => {
    throw new Error(`holds "${name}", which ${reason}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (position + LOCAL_BYTES > bytes.length || view.getUint32(position, true) !== LOCAL)
    fail(`does not begin at byte ${position}, where the directory says`);
  const start = position + LOCAL_BYTES + view.getUint16(position + 26, true) + view.getUint16(position + 28, true);
  if (start + stored > bytes.length) fail('is cut short');
  const content = bytes.subarray(start, start + stored);
  if (method !== 0 && method !== 8) fail(`is compressed by method ${method}; supported are 0 (none) and 8 (deflate)`);
  const file = method === 0 ? content.slice() : inflate(content, size, fail);
  if (file.length !== size) fail(`declares ${size} bytes but holds ${file.length}`);
  const sum = new Checksum();
  sum.add(file);
  if (sum.value !== checksum) fail('is damaged: its checksum differs');
  return file;
}

function inflate(content: Uint8Array, size: number, fail: (reason: string) => never): Uint8Array {
  const output = new Output();
  const stream = new Inflate((part) => {
    output.add(part);
    if (output.length > size) fail(`declares ${size} bytes but holds more`);
  });
  for (let from = 0; from < content.length; from += CHUNK)
    stream.push(content.subarray(from, from + CHUNK), from + CHUNK >= content.length);
  return output.finish();
}

/** Parts of a file as they come out. */
class Output {
  length = 0;
  readonly #parts: Uint8Array[] = [];

  add(part: Uint8Array): void {
    if (part.length > 0) this.#parts.push(part);
    this.length += part.length;
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** CRC-32 of successive bytes, four at a time. */
class Checksum {
  length = 0;
  #state = -1;

  add(bytes: Uint8Array): void {
    let crc = this.#state;
    let i = 0;
    for (; i + 4 <= bytes.length; i += 4) {
      crc ^=
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24);
      crc =
        (tables[768 + (crc & 255)] as number) ^
        (tables[512 + ((crc >>> 8) & 255)] as number) ^
        (tables[256 + ((crc >>> 16) & 255)] as number) ^
        (tables[crc >>> 24] as number);
    }
    for (; i < bytes.length; i++) crc = (tables[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
    this.#state = crc;
    // Gzip stores the length modulo 2³².
    this.length = (this.length + bytes.length) % 2 ** 32;
  }

  get value(): number {
    return ~this.#state >>> 0;
  }
}

/** The remainders of each byte, followed by 0 to 3 zero bytes. */
const tables = remainders();

function remainders(): Int32Array {
  const all = new Int32Array(1024);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    all[byte] = crc;
  }
  for (let i = 256; i < 1024; i++) {
    const before = all[i - 256] as number;
    all[i] = (before >>> 8) ^ (all[before & 255] as number);
  }
  return all;
}
