// Digests by which a hub names files: SHA-256, or git's SHA-1 of a blob.

import type { HubFile } from './repository.js';

/** A hash that is fed by pieces. */
export interface Hash {
  update(bytes: Uint8Array): unknown;
  /** In hexadecimal. */
  hex(): string;
}

/** Makes hashes. */
export type Hashing = (algorithm: 'sha256' | 'sha1') => Hash;

/** The hash that gives a file's digest: of its bytes, or of git's header and them. */
export function hashFor({ digest, size }: Pick<HubFile, 'digest' | 'size'>, hashing: Hashing): Hash {
  if (digest.length === 64) return hashing('sha256');
  const hash = hashing('sha1');
  hash.update(new TextEncoder().encode(`blob ${size}\0`));
  return hash;
}
