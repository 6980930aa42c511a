// The frames of a pull: one request with the last known click of each author, frames of entries of
// at most 64 KB, and one that says that there are no more. Each is JSON.

import type { ClickEntry } from './click-log.js';

/** Bytes of a frame. */
export const FRAME_BYTES = 65_536;
/** Bytes of a request, which names every author. */
export const REQUEST_BYTES = 2 ** 20;
/** Entries that one pull brings; the rest comes with the next ones. */
export const PULL_ENTRIES = 5000;
/** Frames of entries that are read of one pull. */
export const PULL_FRAMES = 512;
/** Authors that a request names. */
const AUTHORS = 10_000;

const VERSION = 1;

/** The frame that asks for what follows the last known clicks. */
export function requestFrame(vector: Readonly<Record<string, number>>): Uint8Array {
  const since = Object.fromEntries(Object.entries(vector).slice(0, AUTHORS));
  return encoded({ v: VERSION, since });
}

/**
 * The last known clicks that a request names.
 *
 * @throws Error for anything else
 */
export function readRequest(frame: Uint8Array): Record<string, number> {
  const { v, since } = decoded(frame);
  if (v !== VERSION) throw new Error(`a request of version ${VERSION} was expected`);
  if (typeof since !== 'object' || since === null || Array.isArray(since))
    throw new Error('"since" must be numbers of clicks by author');
  for (const sequence of Object.values(since))
    if (!(Number.isSafeInteger(sequence) && sequence >= 0)) throw new Error('"since" must hold numbers of clicks');
  return since as Record<string, number>;
}

/** Entries in frames, at most `PULL_ENTRIES`, and the frame that ends them. */
export function* entryFrames(entries: Iterable<ClickEntry>): Generator<Uint8Array> {
  let parts: string[] = [];
  let size = 0;
  let count = 0;
  const flush = () => new TextEncoder().encode(`{"entries":[${parts.join(',')}]}`);
  for (const entry of entries) {
    if (count++ >= PULL_ENTRIES) break;
    const part = JSON.stringify(entry);
    const bytes = new TextEncoder().encode(part).length + 1;
    if (parts.length > 0 && size + bytes > FRAME_BYTES - 64) {
      yield flush();
      parts = [];
      size = 0;
    }
    parts.push(part);
    size += bytes;
  }
  if (parts.length > 0) yield flush();
  yield encoded({ done: true });
}

/**
 * What a frame of entries holds; undefined at the end.
 *
 * @throws Error for anything else
 */
export function readEntries(frame: Uint8Array): readonly unknown[] | undefined {
  const { entries, done } = decoded(frame);
  if (done === true) return undefined;
  if (!Array.isArray(entries)) throw new Error('a frame must hold entries, or say that it is the last');
  return entries;
}

const encoded = (value: object) => new TextEncoder().encode(JSON.stringify(value));

function decoded(frame: Uint8Array): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(frame));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('a frame must be an object');
  return value as Record<string, unknown>;
}
