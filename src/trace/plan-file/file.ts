// The bytes of a plan file: the length of a JSON header (u32, little endian), the header, the
// constants one after another, and a checksum of all before it (u32).

import type { RecordedCall } from '../../engine/index.js';
import type { Port, RecordedPlan } from './recorded.js';

/** A plan with the texts saved with it. */
export interface SavedPlan extends RecordedPlan {
  readonly metadata: Readonly<Record<string, string>>;
}

interface Header {
  readonly format: 'gossamer-plan';
  readonly version: 2;
  readonly calls: readonly RecordedCall[];
  /** Sizes of the buffers, and whether their contents follow the header. */
  readonly buffers: readonly (readonly [bytes: number, stored: 0 | 1])[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of the length before the header, and of the checksum at the end. */
const WORD = 4;

/** Largest buffer: more than the memory of a WebAssembly module. */
const MOST_BYTES = 2 ** 32;

const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** CRC-32 (ISO 3309). */
export function checksum(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ (remainders[(crc ^ byte) & 255] as number);
  return ~crc >>> 0;
}

/** Numbers that JSON has no form for, by the texts that stand for them. */
const unusual: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['-0', -0],
]);

function numberToJson(_: string, value: unknown): unknown {
  if (typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { number: Object.is(value, -0) ? '-0' : String(value) };
}

function numberFromJson(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('number' in value)) return value;
  return unusual.get(String(value.number)) ?? value;
}

/** A plan as a file. */
export function encodePlan(plan: SavedPlan): Uint8Array {
  const { calls, buffers, inputs, outputs } = plan;
  const header: Header = {
    format: 'gossamer-plan',
    version: 2,
    calls,
    buffers: buffers.map(({ bytes, contents }) => [bytes, contents ? 1 : 0]),
    inputs,
    outputs,
    metadata: plan.metadata,
  };
  const text = new TextEncoder().encode(JSON.stringify(header, numberToJson));
  const stored = buffers.flatMap(({ contents }) => contents ?? []);
  const constants = stored.reduce((sum, { length }) => sum + length, 0);
  const file = new Uint8Array(WORD + text.length + constants + WORD);
  const words = new DataView(file.buffer);
  words.setUint32(0, text.length, true);
  file.set(text, WORD);
  let at = WORD + text.length;
  for (const contents of stored) {
    file.set(contents, at);
    at += contents.length;
  }
  words.setUint32(at, checksum(file.subarray(0, at)), true);
  return file;
}

/**
 * Reads the form of a plan file; `checkPlan` looks at what it says.
 *
 * @throws Error when it is no plan, was cut short or changed.
 */
export function decodePlan(file: Uint8Array): SavedPlan {
  const fail = (reason: string): never => {
    throw new Error(`loadPlan: the file ${reason}`);
  };
  if (file.length < 2 * WORD) fail('is too short');
  const words = new DataView(file.buffer, file.byteOffset, file.length);
  const end = file.length - WORD;
  let at = WORD + words.getUint32(0, true);
  if (at > end) fail('is no plan of this version, or cut short');
  const header = headerOf(file.subarray(WORD, at)) ?? fail('is no plan of this version');
  const buffers = header.buffers.map(([bytes, stored]) => {
    if (!stored) return { bytes, contents: undefined };
    at += bytes;
    if (at > end) fail('is cut short');
    // A copy of its own, which `slice` of a Node Buffer is not.
    return { bytes, contents: new Uint8Array(file.subarray(at - bytes, at)) };
  });
  if (at < end) fail(`has ${end - at} bytes behind its end`);
  if (checksum(file.subarray(0, end)) !== words.getUint32(end, true)) fail('was changed: its checksum differs');
  const { calls, inputs, outputs, metadata } = header;
  return { calls, buffers, inputs, outputs, metadata };
}

function headerOf(bytes: Uint8Array): Header | undefined {
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes), numberFromJson);
    return isHeader(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHeader(value: unknown): value is Header {
  if (!isRecord(value) || value.format !== 'gossamer-plan' || value.version !== 2) return false;
  const { calls, buffers, inputs, outputs, metadata } = value;
  return (
    listOf(calls, (call) => isRecord(call) && typeof call.kernel === 'string' && isRecord(call.args)) &&
    listOf(buffers, isBuffer) &&
    listOf(inputs, isRecord) &&
    listOf(outputs, isRecord) &&
    isRecord(metadata) &&
    Object.values(metadata).every((text) => typeof text === 'string')
  );
}

function listOf(value: unknown, check: (element: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(check);
}

function isBuffer(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [bytes, stored] = value as readonly unknown[];
  const whole = Number.isInteger(bytes) && (bytes as number) >= 0 && (bytes as number) <= MOST_BYTES;
  return whole && (stored === 0 || stored === 1);
}
