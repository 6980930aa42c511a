// Writing files in Node: the one function through which every output goes.

import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** What is written: text, bytes, or pieces of either, made one at a time. */
export type Contents = string | Uint8Array | Iterable<string | Uint8Array>;

/** Most symbolic links in a row that are followed, as in Linux. */
const MOST_LINKS = 40;

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it would exceed the largest size of a file',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EPIPE: 'nobody reads it any more',
};

/** An error of a system call as one that names the file. */
export function writeFailure(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error as Error;
  return Object.assign(new Error(`file "${path}" cannot be written: ${reasons[code] ?? message}`), { code });
}

/**
 * Writes a file whole or not at all: into a temporary file beside it, which then takes its place.
 * Its folder is created. Symbolic links are followed, so that the file they lead to is replaced; a
 * file keeps its mode. Devices and FIFOs are written into and never replaced.
 *
 * @throws Error naming the file and the cause: a folder, a read-only file, a full disk.
 */
export function writeFileAtomic(path: string, contents: Contents): void {
  try {
    const target = targetOf(path);
    if (target.isStream) writeInto(openSync(target.path, 'a'), contents);
    else replace(target, contents);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/**
 * Checks that `writeFileAtomic` may write there, so that hours of computing are not lost to a wrong
 * path.
 *
 * @throws Error as `writeFileAtomic` does for a folder, a read-only file, or where none can be made
 */
export function requireWritable(path: string): void {
  try {
    const { path: end, isStream } = targetOf(path);
    if (isStream) return;
    // Folders that are missing are made.
    let folder = dirname(end);
    while (!existsSync(folder)) folder = dirname(folder);
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

interface Target {
  /** Where symbolic links lead. */
  readonly path: string;
  /** Of the file that is there. */
  readonly stats: Stats | undefined;
  /** Whether it is written into in place: a device, a FIFO, or a descriptor such as /dev/stdout. */
  readonly isStream: boolean;
}

function targetOf(path: string): Target {
  const absolute = resolve(path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats?.isDirectory()) throw new Error(`"${path}" is a folder; give the name of a file`);
  if (stats?.isSocket()) throw new Error(`"${path}" is a socket, into which nothing is written`);
  if (stats && !stats.isFile()) return { path: absolute, stats, isStream: true };
  const end = linked(absolute);
  // The file behind a descriptor is written where the descriptor stands.
  if (/^\/(dev|proc)\//.test(absolute) || /^\/(dev|proc)\//.test(end)) return { path: absolute, stats, isStream: true };
  // The superuser may write where nobody is meant to.
  if (stats && (stats.mode & 0o222) === 0) throw new Error(`file "${path}" is read-only and is left as it is`);
  return { path: end, stats, isStream: false };
}

/** Where a chain of symbolic links ends, whether or not there is a file. */
function linked(path: string): string {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    if (!lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return at;
    at = resolve(dirname(at), readlinkSync(at));
  }
  throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' });
}

let written = 0;

function replace({ path, stats }: Target, contents: Contents): void {
  mkdirSync(dirname(path), { recursive: true });
  written += 1;
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${process.pid}-${written}.tmp`);
  const file = openSync(temporary, 'wx');
  try {
    writeInto(file, contents, true);
    if (stats) keepOwner(temporary, stats);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** The mode of the file that is replaced and, where one may set it, its owner. */
function keepOwner(path: string, { mode, uid, gid }: Stats): void {
  const own = statSync(path);
  if (process.getuid?.() === 0 && (own.uid !== uid || own.gid !== gid)) chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
}

/** Writes all contents to a descriptor and closes it. */
function writeInto(file: number, contents: Contents, flush = false): void {
  try {
    const pieces = typeof contents === 'string' || contents instanceof Uint8Array ? [contents] : contents;
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    }
    if (flush) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
