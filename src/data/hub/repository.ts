// What a repository of models holds.

import { isInside } from './names.js';
import { Attempts, ask, endpointOf, type HubAccess } from './requests.js';

/** A file of a repository. */
export interface HubFile {
  /** Path in the repository. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of large files, git's SHA-1 of others, in hexadecimal; names the file in caches. */
  readonly digest: string;
}

/** A repository at one commit. */
export interface HubRepository {
  /** `owner/name`. */
  readonly repository: string;
  /** The commit's hash. */
  readonly commit: string;
  /** All its files. */
  readonly files: readonly HubFile[];
}

interface Sibling {
  readonly rfilename: string;
  readonly size?: number;
  readonly blobId?: string;
  readonly lfs?: { readonly sha256: string; readonly size: number };
}

/** Whether a text is a digest; it becomes the name of a file. */
const isDigest = (text: unknown): text is string =>
  typeof text === 'string' && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(text);

/**
 * The files of a repository: `GET /api/models/{repository}/revision/{revision}?blobs=true`.
 *
 * @throws Error when it does not exist, may not be read or answers something else.
 */
export async function listRepository(repository: string, revision: string, access: HubAccess): Promise<HubRepository> {
  const url = `${endpointOf(access)}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const what = revision === 'main' ? repository : `${repository} at ${revision}`;
  const attempts = new Attempts(what, access);
  for (;;) {
    try {
      const response = await ask(url, what, access, { Accept: 'application/json' });
      return repositoryOf(repository, await response.text());
    } catch (error) {
      await attempts.failed(error);
    }
  }
}

/** @throws Error when it is no listing. */
function repositoryOf(repository: string, json: string): HubRepository {
  const wrong = (): never => {
    throw new Error(`${repository}: what the hub answered is no listing of a model`);
  };
  let listing: { readonly sha?: unknown; readonly siblings?: unknown };
  try {
    listing = JSON.parse(json) ?? {};
  } catch {
    return wrong();
  }
  const { sha, siblings } = listing;
  if (typeof sha !== 'string' || !isDigest(sha) || !Array.isArray(siblings)) return wrong();
  const files = (siblings as readonly Sibling[]).map(({ rfilename: path, size, blobId, lfs }) => {
    const digest = lfs?.sha256 ?? blobId;
    const bytes = lfs?.size ?? size;
    if (typeof path !== 'string' || !isInside(path) || !isDigest(digest) || !Number.isSafeInteger(bytes))
      return wrong();
    return { path, size: bytes as number, digest };
  });
  return { repository, commit: sha, files };
}

/** The address of a file at a commit. */
export function addressOf(repository: string, commit: string, path: string, access: HubAccess): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `${endpointOf(access)}/${repository}/resolve/${commit}/${encoded}`;
}
