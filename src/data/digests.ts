// Digests of known data sets: what is fetched must have the known content; what lies on this
// machine may be verified.

import { createHash } from 'node:crypto';
import { catalogue, type DatasetFile, type DatasetKind, datasetsNamed } from './catalogue.js';
import { readBytes, readUnpacked } from './files.js';
import { findData } from './folders.js';
import { type NamedArray, readNpz, toInts } from './formats/index.js';

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * SHA-256 of `he_indptr`, `he_indices` and `labels` as 32-bit integers: order within a hyperedge
 * does not count.
 */
export function contentDigest(arrays: Readonly<Record<'he_indptr' | 'he_indices' | 'labels', NamedArray>>): string {
  const indptr = toInts(arrays.he_indptr, 'he_indptr');
  const indices = toInts(arrays.he_indices, 'he_indices');
  const sorted = indices.slice();
  for (let e = 0; e + 1 < indptr.length; e++) sorted.subarray(indptr[e], indptr[e + 1]).sort();
  const digest = createHash('sha256');
  for (const ints of [indptr, sorted, toInts(arrays.labels, 'labels')])
    digest.update(new Uint8Array(ints.buffer, ints.byteOffset, ints.byteLength));
  return digest.digest('hex');
}

function digestAt(path: string, { digestOf = 'bytes' }: DatasetFile): string {
  if (digestOf === 'bytes') return sha256(readBytes(path));
  if (digestOf === 'unpacked') return sha256(readUnpacked(path));
  return contentDigest(readNpz(readBytes(path), path) as Parameters<typeof contentDigest>[0]);
}

/** A file of a known data set compared with the catalogue. */
export interface VerifiedFile {
  /** The entry of the catalogue. */
  readonly file: DatasetFile;
  /** undefined when no data folder has it. */
  readonly path: string | undefined;
  /** Digest of the file at `path`. */
  readonly sha256: string | undefined;
  /** `differs` need not be wrong: a corrected copy differs, and is read as it is. */
  readonly state: 'known' | 'differs' | 'absent';
}

/**
 * Compares the files of a known data set, in `GOSSAMER_DATA` or the per-user cache, with the
 * catalogue.
 *
 * @param kind which set of that name; all of them when left out
 * @throws Error naming the known sets for an unknown name, or a file that cannot be read.
 */
export function verifyDataset(name: string, kind?: DatasetKind): VerifiedFile[] {
  const records = datasetsNamed(name, kind);
  if (records.length === 0) {
    const known = catalogue.filter(({ kinds }) => !kind || kinds.includes(kind)).map((record) => record.name);
    throw new Error(`data set "${name}" is not known; there are ${[...new Set(known)].join(', ')}`);
  }
  return records
    .flatMap(({ files }) => files)
    .map((file) => {
      const path = findData(file.path);
      if (!path) return { file, path, sha256: undefined, state: 'absent' };
      const found = digestAt(path, file);
      return { file, path, sha256: found, state: found === file.sha256 ? 'known' : 'differs' };
    });
}
