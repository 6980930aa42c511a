// Known data sets from where they were published, into the per-user cache. What arrives is checked
// against the catalogue before it is kept.

import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type DatasetKind, type DatasetRecord, datasetOf } from './catalogue.js';
import { contentDigest, sha256 } from './digests.js';
import { unpacked } from './files.js';
import { cacheFolder, hasDataset } from './folders.js';
import { type Pickled, readPickle, writeNpz } from './formats/index.js';
import { featureArrays, hyperedgeArrays, labelArray } from './hypergcn.js';
import { writeFileAtomic } from './write.js';

/** Options of `fetchDataset`. */
export interface FetchOptions {
  /** Called with each address before it is fetched. */
  readonly onDownload?: (address: string) => void;
  /** Fetches from here in place of the publisher's address: a mirror with the same files. */
  readonly address?: string;
}

/**
 * Fetches a known data set into the per-user cache. Does nothing where all its files are on this
 * machine, or where the catalogue knows no address to fetch it from.
 *
 * @throws Error when it cannot be fetched, or is not the known content, which is not kept.
 */
export async function fetchDataset(name: string, kind: DatasetKind, options: FetchOptions = {}): Promise<void> {
  const record = datasetOf(name, kind);
  if (!record?.download || hasDataset(name, kind)) return;
  const address = options.address ?? record.download.address;
  const keep = (file: string) => join(cacheFolder(), file);
  switch (record.download.form) {
    case 'hypergcn':
      options.onDownload?.(address);
      return convertHypergraph(record, address, keep(record.files[0]?.path as string));
    case 'text':
      return fetchText(record, address, keep(record.files[0]?.path as string), options);
    case 'files':
      return fetchFiles(record, address, keep, options);
  }
}

/**
 * Fetches a published hypergraph where it is missing; `onDownload` gets its name. See
 * `fetchDataset`.
 */
export async function fetchIfMissing(name: string, onDownload?: (name: string) => void): Promise<void> {
  await fetchDataset(name, 'hypergraph', { onDownload: () => onDownload?.(name) });
}

/**
 * Fetches MNIST or Fashion-MNIST where it is missing; `onDownload` gets each address. See
 * `fetchDataset`.
 */
export async function fetchImages(name: string, onDownload?: (address: string) => void): Promise<void> {
  await fetchDataset(name, 'images', { onDownload });
}

/**
 * Fetches a published hypergraph, checks its content, and writes it as a `.npz` archive.
 *
 * @param address folder of its three pickles; the publisher's when left out
 * @throws Error when it cannot be fetched, or is not the known content.
 */
export async function downloadHypergraph(name: string, path: string, address?: string): Promise<void> {
  const record = datasetOf(name, 'hypergraph');
  if (record?.download?.form !== 'hypergcn') throw new Error(`no address is known for data set "${name}"`);
  await convertHypergraph(record, address ?? record.download.address, path);
}

async function convertHypergraph({ name, files }: DatasetRecord, address: string, path: string): Promise<void> {
  const [hypergraph, labels, features] = await Promise.all(
    ['hypergraph', 'labels', 'features'].map(async (part) => {
      const url = `${address}/${part}.pickle`;
      return readPickle(await fetchBytes(url), url);
    }),
  );
  const arrays = { ...hyperedgeArrays(hypergraph as Pickled), labels: labelArray(labels as Pickled) };
  requireKnown(contentDigest(arrays), files[0]?.sha256, `data set "${name}" from ${address}`);
  writeFileAtomic(path, writeNpz({ ...arrays, ...featureArrays(features as Pickled) }));
}

async function fetchText(
  { files }: DatasetRecord,
  address: string,
  path: string,
  { onDownload }: FetchOptions,
): Promise<void> {
  onDownload?.(address);
  const bytes = await fetchBytes(address);
  requireKnown(sha256(bytes), files[0]?.sha256, address);
  writeFileAtomic(path, gzipSync(bytes));
}

async function fetchFiles(
  { files }: DatasetRecord,
  address: string,
  keep: (file: string) => string,
  { onDownload }: FetchOptions,
): Promise<void> {
  for (const file of files) {
    const url = `${address}/${basename(file.path)}`;
    onDownload?.(url);
    const bytes = await fetchBytes(url);
    requireKnown(sha256(file.digestOf === 'unpacked' ? unpacked(bytes, url) : bytes), file.sha256, url);
    writeFileAtomic(keep(file.path), bytes);
  }
}

async function fetchBytes(url: string): Promise<Uint8Array> {
  try {
    return await get(url).catch((error) => {
      // The server closed a connection that was kept since the last file; a new one is opened.
      if (causeOf(error).code === 'ECONNRESET') return get(url);
      throw error;
    });
  } catch (error) {
    const reason = causeOf(error).message;
    throw new Error(`could not fetch ${url} (${reason}); set GOSSAMER_DATA to a folder that holds the data`);
  }
}

async function get(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** What lies behind the general error of `fetch`. */
function causeOf(error: unknown): NodeJS.ErrnoException {
  const { cause } = error as Error;
  return cause instanceof Error ? cause : (error as Error);
}

function requireKnown(digest: string, known: string | undefined, what: string): void {
  if (digest !== known) throw new Error(`${what} is not the known version: its content has SHA-256 ${digest}`);
}
