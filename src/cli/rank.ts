// `gossamer rank`

import { Command } from 'commander';
import { csvField } from '../data/index.js';
import { interruptSignal, readText, writeFileAtomic } from '../data/node.js';
import { type Communicator, shareOf } from '../distributed/index.js';
import { distributedPageRank, type PageRankRows, pageRankBatches, topTargets } from '../embedding/index.js';
import { setThreads } from '../engine/index.js';
import type { Graph } from '../structure/index.js';
import { number } from './arguments.js';
import { Bar } from './bar.js';
import { loadGraphFile } from './embed.js';
import { withRanks } from './ranks.js';
import { fileWalkStore } from './walk-store.js';

interface Flags {
  readonly seeds?: string;
  readonly top: number;
  readonly walks: number;
  readonly alpha: number;
  readonly out?: string;
  readonly undirected: boolean;
  readonly seed: number;
  readonly checkpoint?: string;
  readonly threads?: number;
}

const examples = `
Examples
  gossamer rank edges.csv --seeds ids.txt --top 100              the 100 nodes closest to each of some nodes
  gossamer rank edges.tsv.gz --undirected -o related.csv         for every node
  mpirun -n 4 gossamer rank edges.csv -o related.csv             every node, in pipelines over 4 processes

Personalised PageRank by random walks: a walk stops at each node with probability --alpha, and a score is the share of walks that end there; its standard error is √(p(1 − p) / walks).
Standard output, or --out, gets source,rank,node,score.`;

export function rankCommand(): Command {
  return new Command('rank')
    .description('rank nodes by personalised PageRank from each node, or from some')
    .argument('<edges>', 'edges: .csv, .tsv, .txt, each also .gz, or .parquet')
    .option('--seeds <file>', 'nodes to rank from, one a line; all when left out')
    .option('--top <k>', 'nodes to list for each', number(1), 100)
    .option('--walks <n>', 'walks from each node', number(1), 1000)
    .option('--alpha <a>', 'probability of stopping at each node', number(0, false), 0.15)
    .option('-o, --out <file>', 'table; standard output when left out')
    .option('--undirected', 'edges go both ways', false)
    .option(
      '--checkpoint <folder>',
      'under mpirun: keep the walks of every 10th round there; the same command goes on from it',
    )
    .option('--seed <n>', 'seed', number(0), 42)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', examples)
    .action(rank);
}

function rank(path: string, flags: Flags): Promise<void> {
  if (flags.threads !== undefined) setThreads(flags.threads);
  return withRanks((ranks) => rankOn(ranks, path, flags));
}

async function rankOn(ranks: Communicator, path: string, flags: Flags): Promise<void> {
  const first = ranks.rank === 0;
  const { graph, names } = await loadGraphFile(path, !flags.undirected, !first);
  const sources = flags.seeds === undefined ? undefined : seedsOf(flags.seeds, names.find);
  const { signal, release } = interruptSignal();
  const bar = new Bar('walking', 'nodes', !first);
  const lines: string[] = [];
  try {
    for await (const rows of rowsOf(graph, sources, flags, ranks, bar, signal))
      for (let i = 0; i < rows.sources.length; i++)
        topTargets(rows, i, flags.top).forEach(({ node, score }, at) => {
          lines.push(
            `${csvField(names.of(rows.sources[i] as number))},${at + 1},${csvField(names.of(node))},${score}\n`,
          );
        });
    bar.close();
    const parts = ranks.allGather(new TextEncoder().encode(lines.join('')));
    if (!first) return;
    const table = `source,rank,node,score\n${parts.map((part) => new TextDecoder().decode(part)).join('')}`;
    if (flags.out) writeFileAtomic(flags.out, table);
    else process.stdout.write(table);
  } finally {
    bar.close();
    release();
  }
}

/** This rank's rows: a share of the seeds, or of all nodes in pipelines when there are several ranks. */
async function* rowsOf(
  graph: Graph,
  seeds: Int32Array | undefined,
  { walks, alpha, seed, checkpoint }: Flags,
  ranks: Communicator,
  bar: Bar,
  signal: AbortSignal,
): AsyncGenerator<PageRankRows> {
  if (ranks.size > 1 && !seeds) {
    const identity = JSON.stringify({
      nodes: graph.nodeCount,
      entries: graph.successors.nnz,
      walks,
      alpha,
      seed,
      ranks: ranks.size,
    });
    const store =
      checkpoint === undefined ? undefined : { every: 10, store: fileWalkStore(checkpoint, ranks.rank, identity) };
    yield distributedPageRank(graph, ranks, { walks, alpha, seed, checkpoint: store }).rows;
    return;
  }
  const all = seeds ?? Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
  const sources = all.subarray(...shareOf(all.length, ranks));
  yield* pageRankBatches(graph, {
    walks,
    alpha,
    seed,
    sources,
    signal,
    onProgress: ({ done, sources: count }) => bar.update(done, count),
  });
}

function seedsOf(path: string, find: (name: string) => number | undefined): Int32Array {
  const names = readText(path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (names.length === 0) throw new Error(`"${path}" names no nodes`);
  return Int32Array.from(names, (name, line) => {
    const node = find(name);
    if (node === undefined) throw new Error(`"${path}", line ${line + 1}: "${name}" is in no edge`);
    return node;
  });
}
