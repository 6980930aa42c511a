// The published systems, as data: what each is, its paper, what the abstract claims, where its
// experiment is. Lists, pages, the README's table and the smoke tests follow from these records,
// which records/ holds by family. They import nothing but types, so that listing the systems costs
// nothing.

import type { ExperimentRecord, Family, SystemRecord } from './parts/system-record.js';
import { records as comparisons } from './records/comparisons.js';
import { records as compress } from './records/compress.js';
import { records as embedding } from './records/embedding.js';
import { records as graph } from './records/graph.js';
import { records as hypergraph } from './records/hypergraph.js';
import { records as hypernet } from './records/hypernet.js';
import { records as lm } from './records/lm.js';
import { records as recommend } from './records/recommend.js';
import { records as vision } from './records/vision.js';

export type { ExperimentRecord, Family, Paper, SystemRecord } from './parts/system-record.js';
export { comparisons };

/** Families of systems with their headings. */
export const families: Readonly<Record<Family, string>> = {
  hypergraph: 'Hypergraphs',
  graph: 'Graphs',
  embedding: 'Embedding and ranking',
  hypernet: 'Hypernetworks',
  vision: 'Vision',
  compress: 'Compression',
  lm: 'Language models',
  recommend: 'Recommendation',
};

/** All systems, by family. */
export const systems: readonly SystemRecord[] = [
  ...hypergraph,
  ...graph,
  ...embedding,
  ...hypernet,
  ...vision,
  ...compress,
  ...lm,
  ...recommend,
];

/** A system or a comparison by its name. @throws Error naming the known ones. */
export function findSystem(slug: string): ExperimentRecord {
  const all: readonly ExperimentRecord[] = [...systems, ...comparisons];
  const record = all.find((candidate) => candidate.slug === slug);
  if (!record) throw new Error(`unknown system "${slug}"; known: ${all.map((own) => own.slug).join(', ')}`);
  return record;
}
