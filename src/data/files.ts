// Files in Node: reads whose errors name the file.

import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { ByteSource } from './bytes.js';
import { gunzip, type InflateOptions, isGzip } from './formats/inflate.js';
import { decodeText } from './formats/unicode.js';

/** Runs a system call. @throws Error naming the file and the cause. */
function naming<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`;
    throw new Error(`file "${path}" ${reason}`);
  }
}

/** The content of a file, or of a descriptor. @throws Error naming the file and the cause. */
export function readBytes(path: string | number): Uint8Array {
  const { buffer, byteOffset, byteLength } = naming(String(path), () => readFileSync(path));
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A file of any size that is read by ranges; its descriptor stays open until `close`. */
export interface FileBytes extends ByteSource {
  /** Closes the descriptor; later reads throw. */
  close(): void;
}

/** Most bytes that one system call reads. */
const MOST_READ = 2 ** 30;

/** Opens a file for reading by ranges. @throws Error naming the file and the cause. */
export function openBytes(path: string): FileBytes {
  const file = naming(path, () => openSync(path, 'r'));
  const { size } = fstatSync(file);
  return {
    name: path,
    size,
    descriptor: file,
    read(target, position) {
      for (let done = 0; done < target.length; ) {
        const count = naming(path, () =>
          readSync(file, target, done, Math.min(MOST_READ, target.length - done), position + done),
        );
        if (count === 0) throw new Error(`file "${path}" ends before byte ${position + target.length}`);
        done += count;
      }
    },
    close: () => closeSync(file),
  };
}

/**
 * Decompresses gzip; other bytes are returned as they are.
 *
 * @throws Error with `name` when the gzip stream is corrupt or would exceed the limit.
 */
export function unpacked(bytes: Uint8Array, name: string, options: InflateOptions = {}): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzip(bytes, options);
  } catch (error) {
    throw new Error(`"${name}" cannot be decompressed: it ${(error as Error).message}`);
  }
}

/**
 * The content of a file, decompressed where it is gzipped.
 *
 * @throws Error naming the file and the cause.
 */
export function readUnpacked(path: string, options: InflateOptions = {}): Uint8Array {
  return unpacked(readBytes(path), path, options);
}

/**
 * The text of a file, gzipped or not, in UTF-8 or, with a byte order mark, UTF-16.
 *
 * @throws Error naming the file and the cause.
 */
export function readUnpackedText(path: string, options: InflateOptions = {}): string {
  return decodeText(readUnpacked(path, options), path);
}

/**
 * The text of a file in UTF-8 or, with a byte order mark, UTF-16.
 *
 * @throws Error naming the file and the cause.
 */
export function readText(path: string): string {
  return decodeText(readBytes(path), path);
}

/** The value of a JSON file. @throws Error naming the file when it cannot be read or parsed. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`file "${path}" is not JSON: ${error.message}`);
    throw error;
  }
}
