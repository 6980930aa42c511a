// `gossamer embed triples.tsv --method transe | distmult | complex | rotate`.

import { loadTriples, writeVectors } from '../../data/node.js';
import { embedKnowledge, filteredRanks, type KnowledgeModelName } from '../../embedding/index.js';
import { withBar } from '../bar.js';

/** Options of the command. */
export interface KnowledgeFlags {
  readonly out: string;
  readonly dim: number;
  readonly seed: number;
  readonly epochs?: number;
  readonly parts?: number;
  readonly test?: string;
}

/** Path of the relations beside that of the entities: v.npy → v.relations.npy. */
const relationsPath = (out: string): string => out.replace(/(\.[^./]+)$/, '.relations$1');

/**
 * Trains embeddings of a knowledge graph, writes those of entities and relations, and ranks the
 * triples of a test file.
 */
export async function embedTriples(path: string, model: KnowledgeModelName, flags: KnowledgeFlags): Promise<void> {
  const { out, dim, seed, epochs, parts, test } = flags;
  const triples = loadTriples(path);
  const { entityNames, relationNames } = triples;
  const asked = test === undefined ? undefined : loadTriples(test, triples);
  process.stderr.write(
    `${triples.heads.length} triples of ${entityNames.length} entities and ${relationNames.length} relations\n`,
  );
  const started = performance.now();
  await withBar([model, 'triples'], async (bar, signal) => {
    const trained = await embedKnowledge(
      triples,
      { entities: entityNames.length, relations: relationNames.length },
      {
        model,
        dim,
        seed,
        signal,
        ...(epochs !== undefined && { epochs }),
        ...(parts !== undefined && { parts }),
        onProgress: ({ done, pairs }) => bar.update(done, pairs),
      },
    );
    bar.close();
    const metadata = { method: model, dim: String(dim), seed: String(seed) };
    await writeVectors(out, { vectors: trained.entities, nameOf: (v) => entityNames[v] as string, metadata });
    const beside = relationsPath(out);
    await writeVectors(beside, { vectors: trained.relations, nameOf: (r) => relationNames[r] as string, metadata });
    process.stderr.write(
      `${out}, ${beside}: ${dim} dimensions by ${model} in ${((performance.now() - started) / 1000).toFixed(2)} s\n`,
    );
    if (asked) {
      const { mrr, meanRank, hits1, hits3, hits10 } = filteredRanks(trained, asked, [triples]);
      const hits = [hits1, hits3, hits10].map((share) => (100 * share).toFixed(1));
      process.stdout.write(
        `${asked.heads.length} test triples, filtered: MRR ${mrr.toFixed(3)}, mean rank ${meanRank.toFixed(1)}, Hits@1 ${hits[0]} %, Hits@3 ${hits[1]} %, Hits@10 ${hits[2]} %\n`,
      );
    }
    trained.dispose();
  });
}
