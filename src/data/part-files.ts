// Matrices in files, one a part, for those that do not fit into memory.

import { closeSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { writeFailure } from './write.js';

/** Parts of named matrices of f32 values in the files of a folder. */
export interface FilePartStore {
  /** Reads floats of a part, from a float on. @throws Error for a file that is too short */
  read(matrix: string, part: number, into: Float32Array, from?: number): void;
  /** Writes a whole part. */
  write(matrix: string, part: number, values: Float32Array): void;
  /** Closes the files, which stay. */
  close(): void;
}

/** @throws Error when a file cannot be written: a full disk, a read-only folder */
export function filePartStore(folder: string): FilePartStore {
  const files = new Map<string, number>();
  const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const fileOf = (matrix: string, part: number) => {
    const path = join(folder, `${matrix}-${part}.f32`);
    const known = files.get(path);
    if (known !== undefined) return { path, file: known };
    mkdirSync(folder, { recursive: true });
    const file = openSync(path, 'a+');
    closeSync(file);
    const opened = openSync(path, 'r+');
    files.set(path, opened);
    return { path, file: opened };
  };
  return {
    read(matrix, part, into, from = 0) {
      const { path, file } = fileOf(matrix, part);
      const bytes = bytesOf(into);
      for (let at = 0; at < bytes.length; ) {
        const count = readSync(file, bytes, at, bytes.length - at, 4 * from + at);
        if (count === 0) throw new Error(`file "${path}" ends early: it was cut off, or is of another training`);
        at += count;
      }
    },
    write(matrix, part, values) {
      const { path, file } = fileOf(matrix, part);
      const bytes = bytesOf(values);
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at);
      } catch (error) {
        throw writeFailure(path, error);
      }
    },
    close() {
      for (const file of files.values()) closeSync(file);
      files.clear();
    },
  };
}
