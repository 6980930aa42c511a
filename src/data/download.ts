// Known data sets from where they were published, into the per-user cache. What arrives is checked against the known content before it is kept.

import { createHash } from 'node:crypto';
import { writeFileAtomic } from './files.js';
import { type NamedArray, type Pickled, type PickledObject, readPickle, toInts, writeNpz } from './formats/index.js';

/** HyperGCN's repository (Yadati et al., NeurIPS 2019; Apache-2.0). */
const OFFICIAL = 'https://raw.githubusercontent.com/malllabiisc/HyperGCN/master/data';

interface Source {
  readonly folder: string;
  /** SHA-256 of the hyperedges (each sorted) and labels, as 32-bit integers. */
  readonly digest: string;
}

const sources: Readonly<Record<string, Source>> = {
  'coauthorship-cora': {
    folder: 'coauthorship/cora',
    digest: '62cdac199a68868dc33bfdc9b082e2ea462e7000f6b49899aba3a215c8288c13',
  },
  'coauthorship-dblp': {
    folder: 'coauthorship/dblp',
    digest: '4899e07724d656faea8f51335178160d6a870b97d3bfb54810ac19debc6c5836',
  },
  'cocitation-citeseer': {
    folder: 'cocitation/citeseer',
    digest: '2c644185b7b2d348178e7c7882e60282108b891bc207e2f4dc3e23047a27e065',
  },
  'cocitation-cora': {
    folder: 'cocitation/cora',
    digest: '859429f76aefab2833150df3fba170680ff4762c4c05d373835039005228c67c',
  },
  'cocitation-pubmed': {
    folder: 'cocitation/pubmed',
    digest: 'a4ed0748912e624bc25623dd33db87618ad6d0b84bd19251793229518b0415fd',
  },
};

/** Whether `downloadHypergraph` knows where the set is published. */
export function isPublished(name: string): boolean {
  return name in sources;
}

/**
 * Fetches a published hypergraph, checks its content, and writes it as a `.npz` archive.
 *
 * @param base where the publisher's folder tree starts.
 * @throws Error when it cannot be fetched, or is not the known content.
 */
export async function downloadHypergraph(name: string, path: string, base = OFFICIAL): Promise<void> {
  const source = sources[name];
  if (!source) throw new Error(`no address is known for data set "${name}"`);
  const [hypergraph, labels, features] = await Promise.all(
    ['hypergraph', 'labels', 'features'].map((part) => fetchPickle(`${base}/${source.folder}/${part}.pickle`)),
  );
  const arrays = { ...hyperedgeArrays(hypergraph as Pickled), labels: labelArray(labels as Pickled) };
  const digest = contentDigest(arrays);
  if (digest !== source.digest) {
    throw new Error(
      `data set "${name}" from ${base}/${source.folder} is not the known version: its content has SHA-256 ${digest}`,
    );
  }
  writeFileAtomic(path, writeNpz({ ...arrays, ...featureArrays(features as Pickled) }));
}

async function fetchPickle(url: string): Promise<Pickled> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  } catch (error) {
    const cause = (error as { cause?: Error }).cause ?? (error as Error);
    throw new Error(`could not fetch ${url} (${cause.message}); set GOSSAMER_DATA to a folder that holds the data`);
  }
  if (!response.ok) throw new Error(`could not fetch ${url}: the server answered ${response.status}`);
  return readPickle(new Uint8Array(await response.arrayBuffer()), url);
}

/** Content digest of `he_indptr`, `he_indices` and `labels`: order within a hyperedge does not count. */
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

function ints(values: readonly number[]): NamedArray {
  return { shape: [values.length], values: Int32Array.from(values) };
}

function isArray(value: Pickled): value is NamedArray {
  return typeof value === 'object' && value !== null && 'shape' in value;
}

/** A list, tuple, set or NumPy array of numbers. */
function numbers(value: Pickled): number[] {
  if (isArray(value)) return Array.from(value.values);
  if (value instanceof Set || Array.isArray(value)) return Array.from(value as Iterable<number>, Number);
  throw new Error('expected a collection of numbers in the published file');
}

/** The hyperedges: a dictionary from names to collections of vertices. */
function hyperedgeArrays(value: Pickled): { he_indptr: NamedArray; he_indices: NamedArray } {
  if (!(value instanceof Map)) throw new Error('expected a dictionary of hyperedges in the published file');
  const lists = [...value.values()].map(numbers);
  let end = 0;
  return { he_indptr: ints([0, ...lists.map((list) => (end += list.length))]), he_indices: ints(lists.flat()) };
}

/** Labels as class numbers, or as one row of zeros and a one a vertex. */
function labelArray(value: Pickled): NamedArray {
  if (!isArray(value) || value.shape.length === 1) return ints(numbers(value));
  const [rows = 0, classes = 0] = value.shape;
  return ints(
    Array.from({ length: rows }, (_, row) => value.values.subarray(row * classes, (row + 1) * classes).indexOf(1)),
  );
}

/** A SciPy CSR matrix. */
function featureArrays(value: Pickled): Record<string, NamedArray> {
  const fields = (value as PickledObject | null)?.fields;
  const part = (name: string): Pickled => {
    const found = fields?.get(name) ?? null;
    if (found === null) throw new Error(`expected a sparse matrix with "${name}" in the published features`);
    return found;
  };
  return {
    x_indptr: ints(numbers(part('indptr'))),
    x_indices: ints(numbers(part('indices'))),
    x_data: { shape: [numbers(part('data')).length], values: Float32Array.from(numbers(part('data'))) },
    x_shape: ints(numbers(part('_shape'))),
  };
}
