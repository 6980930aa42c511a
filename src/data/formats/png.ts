// Writes PNG: 8 bits a channel, grey or RGB, one compressed block, no filters.

import { zlibSync } from 'fflate';
import type { Picture } from '../pictures.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const RGB = 2;

/** CRC-32 of each byte. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function bigEndian(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values.entries()) view.setUint32(4 * at, value);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function chunk(type: string, content: Uint8Array): Uint8Array {
  const named = joined(
    Uint8Array.from(type, (letter) => letter.charCodeAt(0)),
    content,
  );
  return joined(bigEndian(content.length), named, bigEndian(crc32(named)));
}

/** A picture as a PNG file. */
export function writePng({ height, width, pixels }: Picture): Uint8Array {
  const row = 3 * width;
  if (pixels.length !== height * row)
    throw new Error(`writePng: ${pixels.length} bytes are not ${height}×${width} pixels of RGB`);
  const filtered = new Uint8Array(height * (row + 1));
  for (let y = 0; y < height; y++) filtered.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = joined(bigEndian(width, height), Uint8Array.of(8, RGB, 0, 0, 0));
  return joined(SIGNATURE, chunk('IHDR', header), chunk('IDAT', zlibSync(filtered)), chunk('IEND', new Uint8Array(0)));
}
