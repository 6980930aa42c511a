// The cache of Hugging Face's own tools: blobs by digest, and snapshots of commits that link to
// them. What one tool fetches the others find.
//
//   models--owner--name/blobs/<digest>              the content of files
//   models--owner--name/blobs/<digest>.incomplete   the beginning of one that is being fetched
//   models--owner--name/snapshots/<commit>/<path>   symbolic links to blobs
//   models--owner--name/refs/<revision>             the commit of a branch or tag

import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { writeFailure, writeFileAtomic } from '../write.js';
import { type Hash, type Hashing, hashFor } from './digest.js';
import { withLock } from './lock.js';
import { isInside } from './names.js';
import { addressOf, type HubFile, type HubRepository } from './repository.js';
import type { HubAccess } from './requests.js';
import { type Sink, transfer } from './transfer.js';

/** How Hugging Face's tools are set up on this machine. */
export interface HubSettings {
  /** Folder of the cache: HF_HUB_CACHE, or `hub` in HF_HOME. */
  readonly folder: string;
  /** HF_ENDPOINT. */
  readonly endpoint: string | undefined;
  /** HF_TOKEN, or the file that `hf auth login` writes. */
  readonly token: string | undefined;
  /** Whether HF_HUB_OFFLINE forbids requests. */
  readonly offline: boolean;
}

/** Reads the settings from the environment. */
export function hubSettings(environment: NodeJS.ProcessEnv = process.env): HubSettings {
  const set = (...names: readonly string[]) => names.map((name) => environment[name]?.trim()).find((value) => value);
  const home = set('HF_HOME') ?? join(set('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  const file = set('HF_TOKEN_PATH') ?? join(home, 'token');
  const written = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return {
    folder: set('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub'),
    endpoint: set('HF_ENDPOINT'),
    token: set('HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN') ?? (written || undefined),
    offline: ['1', 'ON', 'YES', 'TRUE'].includes((set('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE') ?? '').toUpperCase()),
  };
}

const folderOf = (cache: string, repository: string) => join(cache, `models--${repository.replace('/', '--')}`);

/** A snapshot in the cache. */
export interface CachedSnapshot {
  /** Where it lies. */
  readonly folder: string;
  /** Its files, all of them whole. */
  readonly files: readonly Pick<HubFile, 'path' | 'size'>[];
}

/** The snapshot of a revision, as far as it is in the cache; undefined when nothing is. */
export function cachedSnapshot(cache: string, repository: string, revision: string): CachedSnapshot | undefined {
  const folder = folderOf(cache, repository);
  const reference = join(folder, 'refs', revision);
  const commit = existsSync(reference) ? readFileSync(reference, 'utf8').trim() : revision;
  const snapshot = join(folder, 'snapshots', commit);
  if (!isInside(commit) || !existsSync(snapshot)) return undefined;
  const files = readdirSync(snapshot, { recursive: true, encoding: 'utf8' }).flatMap((path) => {
    const stats = statSync(join(snapshot, path), { throwIfNoEntry: false });
    return stats?.isFile() ? [{ path: path.replaceAll('\\', '/'), size: stats.size }] : [];
  });
  return files.length > 0 ? { folder: snapshot, files } : undefined;
}

/** Options of `fetchFiles`. */
export interface FetchFilesOptions extends HubAccess {
  /** Folder of the cache. */
  readonly cache: string;
  /** Branch or tag that led to the commit; remembered for later. */
  readonly revision: string;
  /** Called with bytes that are there, of all that are needed, and the file at hand. */
  readonly onProgress?: ((done: number, total: number, path: string) => void) | undefined;
  /** Called when another process is fetching a file. */
  readonly onWait?: ((path: string) => void) | undefined;
}

/**
 * Fetches files of a repository into the cache, where they are not there.
 *
 * @returns the folder of the snapshot
 * @throws Error when one cannot be fetched, is not what its digest says, or does not fit the disk.
 */
export async function fetchFiles(
  { repository, commit }: Pick<HubRepository, 'repository' | 'commit'>,
  files: readonly HubFile[],
  options: FetchFilesOptions,
): Promise<string> {
  const folder = folderOf(options.cache, repository);
  const snapshot = join(folder, 'snapshots', commit);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const file of files) {
    const onBytes = (bytes: number) => options.onProgress?.(done + bytes, total, file.path);
    const pointer = join(snapshot, file.path);
    if (!existsSync(pointer)) {
      const blob = join(folder, 'blobs', file.digest);
      const lock = join(options.cache, '.locks', `models--${repository.replace('/', '--')}`, `${file.digest}.gossamer`);
      const onWait = () => options.onWait?.(file.path);
      await withLock(
        lock,
        async () => {
          const url = addressOf(repository, commit, file.path, options);
          if (!existsSync(pointer) && !existsSync(blob))
            await fetchBlob(url, { ...file, path: `${repository}/${file.path}` }, blob, { ...options, onBytes });
          if (!existsSync(pointer)) place(blob, pointer);
        },
        { onWait, signal: options.signal },
      );
    }
    done += file.size;
    onBytes(0);
  }
  // A revision is remembered when what was asked of it is there.
  if (options.revision !== commit) writeFileAtomic(join(folder, 'refs', options.revision), commit);
  return snapshot;
}

/** Links a blob into a snapshot; where the file system has no links, the file itself goes there. */
export function place(blob: string, pointer: string, link: typeof symlinkSync = symlinkSync): void {
  mkdirSync(dirname(pointer), { recursive: true });
  // A link whose blob was deleted.
  rmSync(pointer, { force: true });
  try {
    link(relative(dirname(pointer), blob), pointer);
  } catch {
    renameSync(blob, pointer);
  }
}

const nodeHashing: Hashing = (algorithm) => {
  const hash = createHash(algorithm);
  return { update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') };
};

/** Attempts at a file whose content is not what its digest says. */
const WHOLE_ATTEMPTS = 2;

async function fetchBlob(
  url: string,
  file: HubFile,
  blob: string,
  options: FetchFilesOptions & { readonly onBytes: (bytes: number) => void },
): Promise<void> {
  mkdirSync(dirname(blob), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const sink = await FileSink.open(`${blob}.incomplete`, file);
    try {
      requireSpace(dirname(blob), file.size - sink.size, file.path);
      await transfer(url, file, sink, options);
    } finally {
      sink.close();
    }
    if (sink.hash.hex() === file.digest) break;
    rmSync(sink.path, { force: true });
    if (attempt === WHOLE_ATTEMPTS)
      throw new Error(`${file.path} has another digest than the hub says, ${attempt} times; nothing of it is kept`);
  }
  renameSync(`${blob}.incomplete`, blob);
}

/** @throws Error when a disk has less room than a file needs. */
function requireSpace(folder: string, bytes: number, path: string): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < bytes)
    throw new Error(
      `${path} needs ${gibibytes(bytes)} more on disk, and "${folder}" has ${gibibytes(bavail * bsize)}; make room, or set HF_HUB_CACHE to another folder`,
    );
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** A file that grows, with the hash of what is there. */
class FileSink implements Sink {
  readonly #file: number;

  private constructor(
    readonly path: string,
    readonly known: HubFile,
    public size: number,
    public hash: Hash,
  ) {
    this.#file = openSync(path, 'a');
  }

  /** Opens a file that may hold a beginning. */
  static async open(path: string, known: HubFile): Promise<FileSink> {
    const hash = hashFor(known, nodeHashing);
    let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > known.size) {
      truncateSync(path);
      size = 0;
    }
    if (size > 0) for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return new FileSink(path, known, size, hash);
  }

  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw writeFailure(this.path, error);
    }
    this.size += bytes.length;
    this.hash.update(bytes);
  }

  restart(): void {
    if (this.size === 0) return;
    truncateSync(this.path);
    this.size = 0;
    this.hash = hashFor(this.known, nodeHashing);
  }

  close(): void {
    closeSync(this.#file);
  }
}
