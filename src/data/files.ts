// Files in Node: reading with errors that name the file, writing that leaves the old file or the new one, never half of one.

import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ByteSource } from './bytes.js';

/** @throws Error naming the file and what is wrong. */
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

/** @throws Error naming the file and what is wrong. */
export function readBytes(path: string): Uint8Array {
  const { buffer, byteOffset, byteLength } = naming(path, () => readFileSync(path));
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A file that is read by ranges, of any size, and open until closed. */
export interface FileBytes extends ByteSource {
  close(): void;
}

/** Bytes that one call to the system reads at most. */
const MOST_READ = 2 ** 30;

/** @throws Error naming the file and what is wrong. */
export function openBytes(path: string): FileBytes {
  const file = naming(path, () => openSync(path, 'r'));
  const { size } = fstatSync(file);
  return {
    name: path,
    size,
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

/** The content of bytes that may be gzipped. @throws Error naming them when they cannot be unpacked. */
export function unpacked(bytes: Uint8Array, name: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new Error(`"${name}" cannot be unpacked: ${(error as Error).message}`);
  }
}

/** The content of a file, unpacked where it is gzipped. @throws Error naming the file and what is wrong. */
export function readUnpacked(path: string): Uint8Array {
  return unpacked(readBytes(path), path);
}

export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

/** @throws Error naming the file when it is not JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Error(`file "${path}" is not JSON: ${error.message}`);
    throw error;
  }
}

/** Writes a file whole or not at all, making its folder. */
export function writeFileAtomic(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, contents, { flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
