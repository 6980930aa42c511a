// Text in files: UTF-8, or UTF-16 where a byte order mark or zero bytes in the first characters say
// so. Bytes that are neither are an error, since replacement characters would make different names
// equal; tables read them as Windows-1252, which every byte is.

import type { ByteSource } from '../bytes.js';

const marks: readonly { readonly encoding: string; readonly bytes: readonly number[] }[] = [
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];
/** Bytes that tell the encoding: a mark, or two characters of UTF-16. */
const START = 4;

/** The encoding of text that is neither. */
export const WESTERN = 'windows-1252';

/** The mark of a text; UTF-16 without one shows in the zero bytes of its first two characters. */
function markOf(bytes: Uint8Array): (typeof marks)[number] | undefined {
  const mark = marks.find(({ bytes: own }) => own.every((byte, i) => bytes[i] === byte));
  if (mark || bytes.length < START) return mark;
  const zeros = Array.from(bytes.subarray(0, START), (byte) => Number(byte === 0)).join('');
  if (zeros === '0101') return { encoding: 'utf-16le', bytes: [] };
  return zeros === '1010' ? { encoding: 'utf-16be', bytes: [] } : undefined;
}

function notText(name: string, encoding: string): Error {
  return new Error(`"${name}" is not ${encoding.toUpperCase()} text; save it as UTF-8`);
}

/**
 * The text of a file in UTF-8 or UTF-16; the byte order mark is left out.
 *
 * @throws Error naming the file when the bytes are no such text.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const { encoding } = markOf(bytes) ?? { encoding: 'utf-8' };
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    // Text beyond the longest string is a RangeError or Error with a code of its own.
    if (error instanceof TypeError) throw notText(name, encoding);
    throw new Error(`"${name}" cannot be held as one text: ${(error as Error).message}`);
  }
}

/** Bytes that are decoded at a time: what becomes of a piece is dropped while it is young. */
const PIECE = 2 ** 18;

/** Pieces that end with a character of UTF-8, one after the other in the same memory. */
function* piecesOf(source: ByteSource): Generator<Uint8Array> {
  const memory = new Uint8Array(Math.min(PIECE, source.size));
  let end = 0;
  for (let at = 0; at < source.size; at = end) {
    const piece = memory.subarray(0, source.size - at);
    source.read(piece, at);
    end = at + piece.length;
    if (end < source.size) end -= lastCharacter(piece);
    yield piece.subarray(0, end - at);
  }
}

/** Bytes of the last character of UTF-8, which may be cut off. */
function lastCharacter(bytes: Uint8Array): number {
  let length = 1;
  while (length < 4 && ((bytes[bytes.length - length] as number) & 0xc0) === 0x80) length += 1;
  return length;
}

/**
 * The encoding of a text: by its mark, else UTF-8 where it is valid, else that of Windows in the
 * West.
 */
export function encodingOf(source: ByteSource): string {
  const start = new Uint8Array(Math.min(START, source.size));
  source.read(start, 0);
  const mark = markOf(start);
  if (mark) return mark.encoding;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (const piece of piecesOf(source)) decoder.decode(piece);
    return 'utf-8';
  } catch {
    return WESTERN;
  }
}

/**
 * A text in pieces, without its mark.
 *
 * @throws Error naming the file when the bytes are no text of this encoding, or hold zeros
 */
export function* textPieces(source: ByteSource, encoding: string): Generator<string> {
  // Whole pieces of UTF-8 are decoded several times as fast as those of a stream.
  const stream = encoding !== 'utf-8';
  let decoder = new TextDecoder(encoding, { fatal: true });
  try {
    for (const piece of piecesOf(source)) {
      const text = decoder.decode(piece, { stream });
      if (text.includes('\0')) throw new Error(`"${source.name}" holds zero bytes: it is no text`);
      yield text;
      // The mark of order has its meaning at the start alone.
      if (!stream && !decoder.ignoreBOM) decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    }
    if (stream) yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw notText(source.name, encoding);
    throw error;
  }
}

/**
 * Chunks of a text as UTF-8 without a byte order mark, recoded where the mark is that of UTF-16.
 *
 * @throws Error naming the file when UTF-16 is malformed; UTF-8 is passed on unchecked.
 */
export async function* asUtf8(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  let first: Uint8Array | undefined = new Uint8Array(0);
  let decoder: TextDecoder | undefined;
  const recoded = (bytes: Uint8Array, stream: boolean): Uint8Array => {
    if (!decoder) return bytes;
    try {
      return new TextEncoder().encode(decoder.decode(bytes, { stream }));
    } catch {
      throw notText(name, decoder.encoding);
    }
  };
  const begun = (bytes: Uint8Array): Uint8Array => {
    const mark = markOf(bytes);
    if (mark && mark.encoding !== 'utf-8') decoder = new TextDecoder(mark.encoding, { fatal: true });
    first = undefined;
    return recoded(bytes.subarray(mark?.bytes.length ?? 0), true);
  };
  for await (const piece of pieces) {
    if (!first) yield recoded(piece, true);
    else {
      first = joined(first, piece);
      if (first.length >= START) yield begun(first);
    }
  }
  if (first) yield begun(first);
  yield recoded(new Uint8Array(0), false);
}

/** Two byte arrays, one after the other. */
export function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}
