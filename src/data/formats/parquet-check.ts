// A Parquet file's promises, checked before its pages are decoded: a run or a page of a few bytes
// may declare billions of values, which a decoder then makes.

import { type InflateOptions, inflateLimit, requireInflated } from './inflate.js';
import { type Codec, codecs } from './parquet-codecs.js';
import { numberOf, structsOf, ThriftReader, type ThriftStruct } from './thrift.js';

/** Cells of a table that is never refused, and cells a stored byte of larger ones. */
const [ALWAYS, CELLS_OF_A_BYTE] = [2 ** 22, 16];
/** Bytes of memory that a cell counts as where `maxBytes` is given. */
const BYTES_OF_A_CELL = 16;

const UNCOMPRESSED = 0;
const [DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2] = [0, 2, 3];
const encodings = { plain: 0, plainDictionary: 2, runs: 3, deltas: 5, lengths: 6, prefixes: 7, dictionary: 8 };
/** Parquet's number of the type BOOLEAN. */
const BOOLEAN = 0;
/** Repetitions in the schema. */
const [OPTIONAL, REPEATED] = [1, 2];

/** Decodes so many DELTA_BINARY_PACKED integers and moves the offset past them. */
export type DeltaDecoder = (reader: { view: DataView; offset: number }, count: number, output: Int32Array) => void;

interface Column {
  readonly name: string;
  readonly type: number | undefined;
  readonly optional: boolean;
}

/**
 * Checks that a Parquet file holds a flat table, that its pages hold as many values as its
 * directory says, and that neither they nor what they inflate to exceed the limit.
 *
 * @throws Error saying what is wrong.
 */
export function checkParquet(bytes: Uint8Array, deltas: DeltaDecoder, options: InflateOptions): void {
  const footer = readFooter(bytes);
  const columns = flatColumns(footer);
  const rows = numberOf(footer, 3) ?? -1;
  const groups = structsOf(footer, 4);
  if (groups.reduce((total, group) => total + (numberOf(group, 3) ?? Number.NaN), 0) !== rows || rows < 0)
    throw new Error('has groups of rows that do not add up to its rows');
  const { maxBytes } = options;
  const most =
    maxBytes === undefined ? Math.max(ALWAYS, CELLS_OF_A_BYTE * bytes.length) : Math.floor(maxBytes / BYTES_OF_A_CELL);
  if (rows * columns.length > most)
    throw new Error(
      `declares ${rows} rows of ${columns.length} columns in ${bytes.length} bytes; maxBytes allows more`,
    );
  const check = new PageCheck(bytes, deltas, options);
  for (const group of groups) {
    const chunks = structsOf(group, 1);
    if (chunks.length !== columns.length) throw new Error('has a group of rows without all columns');
    chunks.forEach((chunk, i) => {
      check.chunk(chunk, columns[i] as Column, numberOf(group, 3) as number);
    });
  }
}

function readFooter(bytes: Uint8Array): ThriftStruct {
  const isMagic = (at: number) => [0x50, 0x41, 0x52, 0x31].every((byte, i) => bytes[at + i] === byte);
  if (bytes.length < 12 || !isMagic(0) || !isMagic(bytes.length - 4))
    throw new Error('is no Parquet file, or cut short');
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 8, true);
  if (length > bytes.length - 12) throw new Error('is cut short');
  return new ThriftReader(bytes.subarray(bytes.length - 8 - length, bytes.length - 8)).struct();
}

/** @throws Error for columns of lists or structures. */
function flatColumns(footer: ThriftStruct): Column[] {
  const [root, ...elements] = structsOf(footer, 2);
  const columns = elements.map((element) => {
    const name = new TextDecoder().decode((element.get(4) as Uint8Array | undefined) ?? new Uint8Array(0));
    const repetition = numberOf(element, 3);
    if ((numberOf(element, 5) ?? 0) > 0 || repetition === REPEATED)
      throw new Error(`has the nested column "${name}"; tables have one value a cell`);
    return { name, type: numberOf(element, 1), optional: repetition === OPTIONAL };
  });
  if (!root || numberOf(root, 5) !== columns.length) throw new Error('has a damaged schema');
  const names = new Set(columns.map(({ name }) => name));
  if (names.size < columns.length) throw new Error('has two columns of one name');
  return columns;
}

/** The pages of one file; what they inflate to counts together. */
class PageCheck {
  #inflated = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly deltas: DeltaDecoder,
    readonly options: InflateOptions,
  ) {}

  chunk(chunk: ThriftStruct, column: Column, rows: number): void {
    const meta = chunk.get(3);
    if (!(meta instanceof Map)) throw new Error(`has no description of column "${column.name}"`);
    const codec = numberOf(meta, 4);
    if (codec === undefined || (codec !== UNCOMPRESSED && !codecs[codec]))
      throw new Error(`is compressed by codec ${codec ?? 'none'}; supported are none, Snappy, gzip and ZSTD`);
    const [first, dictionary, length] = [9, 11, 7].map((field) => numberOf(meta, field) ?? 0) as [
      number,
      number,
      number,
    ];
    const start = dictionary > 0 ? Math.min(dictionary, first) : first;
    if (!(start >= 4 && length >= 0 && start + length <= this.bytes.length))
      throw new Error(`has column "${column.name}" outside the file`);
    const reader = new ThriftReader(this.bytes.subarray(0, start + length), start);
    let [values, entries] = [0, 0];
    while (values < rows) {
      const header = reader.struct();
      const size = numberOf(header, 3) ?? -1;
      if (!(size >= 0 && reader.at + size <= start + length))
        throw new Error(`has a page of column "${column.name}" that is cut short`);
      const content = this.bytes.subarray(reader.at, reader.at + size);
      reader.at += size;
      if (numberOf(header, 1) === DICTIONARY_PAGE) entries = this.#dictionary(header, content, codec);
      else values += this.#dataPage(header, content, codec, column, entries);
      if (values > rows) throw new Error(`has more values in column "${column.name}" than rows`);
    }
  }

  /** The bytes of a page, which are counted before they are made. */
  #inflate(content: Uint8Array, size: number, codec: number): Uint8Array {
    if (codec === UNCOMPRESSED) {
      if (size !== content.length) throw new Error('has a page of another size than it declares');
      return content;
    }
    if (!(size >= 0)) throw new Error('has a page without a size');
    this.#inflated += size;
    requireInflated(this.#inflated, this.bytes.length, this.options);
    const page = (codecs[codec] as Codec).decompress(content, size);
    if (page.length !== size) throw new Error('has a page of another size than it declares');
    return page;
  }

  #dictionary(header: ThriftStruct, content: Uint8Array, codec: number): number {
    const page = this.#inflate(content, numberOf(header, 2) ?? -1, codec);
    const own = header.get(7);
    const entries = own instanceof Map ? (numberOf(own, 1) ?? -1) : -1;
    if (!(entries >= 0 && entries <= 8 * page.length)) throw new Error('has a dictionary of more values than bits');
    return entries;
  }

  /** @returns how many values the page holds */
  #dataPage(header: ThriftStruct, content: Uint8Array, codec: number, column: Column, entries: number): number {
    const type = numberOf(header, 1);
    const own = header.get(type === DATA_PAGE ? 5 : 8);
    if ((type !== DATA_PAGE && type !== DATA_PAGE_V2) || !(own instanceof Map))
      throw new Error('has a page of unknown type');
    const count = numberOf(own, 1) ?? -1;
    if (!(count >= 0)) throw new Error('has a page without values');
    const size = numberOf(header, 2) ?? -1;
    const isOld = type === DATA_PAGE;
    const levels = isOld ? 0 : (numberOf(own, 5) ?? 0);
    if (!isOld && ((numberOf(own, 6) ?? 0) !== 0 || !(levels >= 0 && levels <= content.length)))
      throw new Error('has damaged levels');
    const encoding = numberOf(own, isOld ? 2 : 4);
    if (!isOld) {
      if (column.optional) checkRuns(content, 0, levels, 1, count);
      const compressed = own.get(7) !== false && size - levels > 0;
      const page = compressed
        ? this.#inflate(content.subarray(levels), size - levels, codec)
        : content.subarray(levels);
      this.#values(page, 0, encoding, count - (numberOf(own, 2) ?? 0), column, entries);
      return count;
    }
    const page = this.#inflate(content, size, codec);
    let at = 0;
    if (column.optional) {
      const length = lengthAt(page, 0);
      at = 4 + length;
      checkRuns(page, 4, at, 1, count);
    }
    this.#values(page, at, encoding, count, column, entries);
    return count;
  }

  /** Checks the encoded values from `at` on; `most` bounds their number, since nulls have none. */
  #values(
    page: Uint8Array,
    at: number,
    encoding: number | undefined,
    most: number,
    column: Column,
    entries: number,
  ): void {
    if (!(most >= 0)) throw new Error('has a page with more nulls than values');
    if (encoding === encodings.plainDictionary || encoding === encodings.dictionary) {
      const width = page[at] ?? 0;
      if (width > 32) throw new Error('has dictionary indices of more than 32 bits');
      if (at < page.length) checkRuns(page, at + 1, page.length, width, most, entries);
    } else if (encoding === encodings.runs && column.type === BOOLEAN) {
      if (most > 0) checkRuns(page, at + 4, at + 4 + lengthAt(page, at), 1, most);
    } else if (encoding === encodings.deltas || encoding === encodings.lengths) checkDeltas(page, at, most);
    else if (encoding === encodings.prefixes) this.#prefixes(page, at, most);
  }

  /** Each text repeats the beginning of the one before, so that a few bytes may stand for many. */
  #prefixes(page: Uint8Array, at: number, most: number): void {
    const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
    let offset = at;
    for (let part = 0; part < 2; part++) {
      const count = checkDeltas(page, offset, most);
      const lengths = new Int32Array(count);
      const reader = { view, offset };
      this.deltas(reader, count, lengths);
      this.#inflated += lengths.reduce((total, length) => total + length, 0);
      offset = reader.offset;
    }
    if (this.#inflated > inflateLimit(this.bytes.length, this.options))
      requireInflated(this.#inflated, this.bytes.length, this.options);
  }
}

function lengthAt(page: Uint8Array, at: number): number {
  if (at + 4 > page.length) throw new Error('has a page that is cut short');
  const length = new DataView(page.buffer, page.byteOffset).getUint32(at, true);
  if (at + 4 + length > page.length) throw new Error('has a page that is cut short');
  return length;
}

/**
 * Checks runs of repeated and bit-packed values: they must be those of the page, and indices lie
 * below `entries`.
 */
function checkRuns(
  page: Uint8Array,
  start: number,
  end: number,
  width: number,
  most: number,
  entries = Number.POSITIVE_INFINITY,
): void {
  const reader = new ThriftReader(page.subarray(0, end), start);
  let seen = 0;
  while (seen < most && reader.at < end) {
    const header = Number(reader.integer());
    const packed = header % 2 === 1;
    const count = packed ? 8 * Math.floor(header / 2) : header / 2;
    // The last packed run may be filled up.
    if (count > most - seen + (packed ? 511 : 0)) throw new Error(`has a run of ${count} values in a page of ${most}`);
    const bytes = packed ? (count * width) / 8 : Math.ceil(width / 8);
    if (!packed) {
      let value = 0;
      for (let i = 0; i < bytes; i++) value += reader.byte() * 256 ** i;
      if (count > 0 && value >= entries) throw new Error(`refers to entry ${value} of a dictionary of ${entries}`);
    } else {
      if (entries < 2 ** width) requireBelow(page, reader.at, end, width, Math.min(count, most - seen), entries);
      reader.at += bytes;
    }
    seen += count;
  }
}

/** Checks bit-packed values, lowest bit first. */
function requireBelow(page: Uint8Array, at: number, end: number, width: number, count: number, entries: number): void {
  for (let i = 0; i < count; i++) {
    let value = 0;
    for (let bit = 0; bit < width; bit++) {
      const position = i * width + bit;
      const byte = at + (position >> 3);
      // Nulls leave fewer values than the page declares.
      if (byte >= end) return;
      if (((page[byte] as number) >> (position & 7)) & 1) value += 2 ** bit;
    }
    if (value >= entries) throw new Error(`refers to entry ${value} of a dictionary of ${entries}`);
  }
}

/** Checks the blocks of DELTA_BINARY_PACKED. @returns how many values they declare */
function checkDeltas(page: Uint8Array, start: number, most: number): number {
  const reader = new ThriftReader(page, start);
  const [block, parts, count] = [reader.integer(), reader.integer(), reader.integer()].map(Number) as [
    number,
    number,
    number,
  ];
  reader.integer();
  const each = block / parts;
  if (!(parts > 0 && each >= 8 && each % 8 === 0 && each <= 2 ** 20))
    throw new Error('has damaged blocks of differences');
  if (count > most) throw new Error(`has ${count} differences in a page of ${most} values`);
  for (let seen = 1; seen < count; ) {
    reader.integer();
    const widths = Array.from({ length: Math.min(parts, page.length) }, () => reader.byte());
    for (const width of widths) {
      if (seen >= count) break;
      if (width > 64) throw new Error('has differences of more than 64 bits');
      seen += each;
      reader.at += (each * width) / 8;
    }
  }
  return count;
}
