// Files of a hub in the storage of a page: the origin private file system, whose files a worker
// reads by ranges as a process reads those on disk.
//
//   hub/<digest>          content, complete when hub/<digest>.whole is there beside it

import type { ByteSource } from '../bytes.js';
import { addressOf, type HubFile, type HubRepository } from './repository.js';
import type { HubAccess } from './requests.js';
import { Sha256 } from './sha256.js';
import { type Sink, transfer } from './transfer.js';

/** A file in the storage of a page. */
export interface PageBytes extends ByteSource {
  /** Releases the file; later reads throw. */
  close(): void;
}

/** Options of `fetchIntoPage`. */
export interface PageFetchOptions extends HubAccess {
  /** Bytes of a request. Default: 16 MiB. */
  readonly slice?: number | undefined;
  /** Called with bytes that are there, of all that are needed, and the file at hand. */
  readonly onProgress?: ((done: number, total: number, path: string) => void) | undefined;
}

/** `FileSystemSyncAccessHandle`, which TypeScript knows in workers alone. */
interface SyncHandle {
  read(target: Uint8Array, options: { readonly at: number }): number;
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  getSize(): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** What workers can do with a file beside what pages can. */
interface WorkerFile {
  createSyncAccessHandle(options?: { readonly mode: 'read-only' | 'readwrite' }): Promise<SyncHandle>;
}

const SLICE = 16 * 2 ** 20;
/** Bytes that are hashed at a time. */
const PIECE = 4 * 2 ** 20;

/**
 * Fetches files of a repository into the page's storage, range by range, where they are not there.
 * Runs in a worker: only there can files be read by ranges without waiting.
 *
 * @returns opens a file by its path
 * @throws Error when one cannot be fetched, is not what its digest says, or does not fit the
 * storage.
 */
export async function fetchIntoPage(
  { repository, commit }: Pick<HubRepository, 'repository' | 'commit'>,
  files: readonly HubFile[],
  { slice = SLICE, onProgress, ...access }: PageFetchOptions = {},
): Promise<ReadonlyMap<string, PageBytes>> {
  const folder = await storageFolder();
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const opened = new Map<string, PageBytes>();
  let done = 0;
  try {
    for (const file of files) {
      const onBytes = (bytes: number) => onProgress?.(done + bytes, total, file.path);
      const url = addressOf(repository, commit, file.path, access);
      // One tab fetches, others wait for it.
      await navigator.locks.request(`gossamer-hub-${file.digest}`, async () => {
        if (await isWhole(folder, file)) return;
        await fetchWhole(folder, url, { ...file, path: `${repository}/${file.path}` }, { ...access, slice, onBytes });
      });
      done += file.size;
      onBytes(0);
      opened.set(file.path, await openStored(folder, file));
    }
  } catch (error) {
    for (const bytes of opened.values()) bytes.close();
    throw error;
  }
  return opened;
}

async function storageFolder(): Promise<FileSystemDirectoryHandle> {
  if (typeof navigator === 'undefined' || !navigator.storage?.getDirectory || !('FileSystemFileHandle' in globalThis))
    throw new Error('this page has no storage for files: it needs a secure origin (https or localhost), and a worker');
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle('hub', { create: true });
}

const nameOfWhole = ({ digest }: HubFile) => `${digest}.whole`;

async function isWhole(folder: FileSystemDirectoryHandle, file: HubFile): Promise<boolean> {
  try {
    await folder.getFileHandle(nameOfWhole(file));
    const stored = await (await folder.getFileHandle(file.digest)).getFile();
    return stored.size === file.size;
  } catch (error) {
    if ((error as DOMException).name === 'NotFoundError') return false;
    throw error;
  }
}

async function fetchWhole(
  folder: FileSystemDirectoryHandle,
  url: string,
  file: HubFile,
  options: Parameters<typeof transfer>[3],
): Promise<void> {
  await requireRoom(file);
  const stored = await folder.getFileHandle(file.digest, { create: true });
  const handle = await (stored as unknown as WorkerFile).createSyncAccessHandle();
  try {
    await transfer(url, file, new HandleSink(handle, file.path), options);
    handle.flush();
    if ((await digestOf(handle, file)) !== file.digest) {
      handle.truncate(0);
      throw new Error(`${file.path} has another digest than the hub says; nothing of it is kept`);
    }
  } finally {
    handle.close();
  }
  await folder.getFileHandle(nameOfWhole(file), { create: true });
}

/** @throws Error when the browser grants less room than a file needs. */
async function requireRoom({ path, size }: HubFile): Promise<void> {
  const { quota = Number.POSITIVE_INFINITY, usage = 0 } = await navigator.storage.estimate();
  if (quota - usage < size)
    throw new Error(`${path} has ${size} bytes, and the browser grants this page ${Math.max(0, quota - usage)} more`);
}

class HandleSink implements Sink {
  constructor(
    readonly handle: SyncHandle,
    readonly path: string,
  ) {}

  get size(): number {
    return this.handle.getSize();
  }

  write(bytes: Uint8Array): void {
    const at = this.size;
    for (let done = 0; done < bytes.length; ) {
      const count = this.handle.write(bytes.subarray(done), { at: at + done });
      if (count === 0) throw new Error(`${this.path} cannot be stored: the browser takes no more`);
      done += count;
    }
  }

  restart(): void {
    this.handle.truncate(0);
  }
}

async function digestOf(handle: SyncHandle, { digest, size, path }: HubFile): Promise<string> {
  const source = bytesOf(handle, path);
  if (digest.length === 64) {
    const hash = new Sha256();
    const piece = new Uint8Array(Math.min(PIECE, size));
    for (let at = 0; at < size; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, size - at));
      source.read(part, at);
      hash.update(part);
    }
    return hash.hex();
  }
  // Only small files lie in git itself.
  const head = new TextEncoder().encode(`blob ${size}\0`);
  const blob = new Uint8Array(head.length + size);
  blob.set(head);
  source.read(blob.subarray(head.length), 0);
  const sha1 = new Uint8Array(await crypto.subtle.digest('SHA-1', blob));
  return Array.from(sha1, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function openStored(folder: FileSystemDirectoryHandle, file: HubFile): Promise<PageBytes> {
  const stored = (await folder.getFileHandle(file.digest)) as unknown as WorkerFile;
  // Several tabs may read at once, where the browser knows the mode.
  return bytesOf(await stored.createSyncAccessHandle({ mode: 'read-only' }), file.path);
}

function bytesOf(handle: SyncHandle, name: string): PageBytes {
  return {
    name,
    size: handle.getSize(),
    read(target, position) {
      for (let done = 0; done < target.length; ) {
        const rest = target.subarray(done);
        const count = handle.read(rest, { at: position + done });
        if (count === 0) throw new Error(`file "${name}" ends before byte ${position + target.length}`);
        done += count;
      }
    },
    close: () => handle.close(),
  };
}
