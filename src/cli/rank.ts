// `gossamer rank`

import { Command, Option } from 'commander';
import { csvField } from '../data/index.js';
import { readText, requireWritable } from '../data/node.js';
import { type Communicator, shareOf } from '../distributed/index.js';
import { distributedPageRank, type PageRankRows, pageRankBatches, topTargets } from '../embedding/index.js';
import type { Graph } from '../structure/index.js';
import { choice, number } from './arguments.js';
import { type Bar, withBar } from './bar.js';
import { EDGE_FORMS, type EdgeFlags, loadGraphFile, withEdgeOptions } from './embed/index.js';
import { writeOutput } from './output.js';
import { type ItemFlags, rankItemsOf } from './rank-items.js';
import { withRanks } from './ranks.js';
import { useThreads } from './threads.js';
import { fileWalkStore } from './walk-store.js';

interface Flags extends EdgeFlags {
  readonly query: readonly string[];
  readonly seeds?: string;
  readonly top: number;
  readonly walks: number;
  readonly alpha: number;
  readonly out?: string;
  readonly seed: number;
  readonly checkpoint?: string;
  readonly threads?: number;
}

const examples = `
Examples
  gossamer rank edges.csv --seeds ids.txt --top 100              the 100 nodes closest to each of some nodes
  gossamer rank edges.tsv.gz --directed -o related.csv           for every node, along the direction of the edges
  mpirun -n 4 gossamer rank edges.csv -o related.csv             every node, in pipelines over 4 processes
  gossamer rank items.csv --query ambient --top 10               items that match
  gossamer rank items.csv --query ambient --clicks clicks.csv --node me    first what those click who click as I do

Of edges: personalised PageRank by random walks: a walk stops at each node with probability --alpha, and a score is the share of walks that end there; its standard error is √(p(1 − p) / walks).
Standard output, or --out, gets source,rank,node,score.

Of items, with --query: G-Rank. Items are a table with id, title, and creator and tags where there are any (tags between semicolons). Clicks are a table with node, query, item, and sequence where they are not in order. A click counts the similarity of its node to --node, plus --isolation; items that match the query stand above others. Standard output, or --out, gets query,rank,item,score,matches,title. gossamer peer does the same among devices.`;

export function rankCommand(): Command {
  return withEdgeOptions(new Command('rank'))
    .description('rank nodes by personalised PageRank from each node, or from some; rank items by clicks')
    .argument('<data>', `edges: ${EDGE_FORMS}; or a table of items`)
    .option('--seeds <file>', 'nodes to rank from, one a line; all when left out')
    .option('--top <k>', 'nodes or items to list for each', number(1), 100)
    .option('--query <text>', 'rank items for it (repeatable)', (one, all: string[]) => [...all, one], [])
    .option('--clicks <file>', 'clicks on items, a table')
    .option('--node <name>', 'whose ranking of items; of someone new when left out')
    .option('--isolation <f>', 'F: what a click counts that no similarity supports', number(0, false), 1)
    .addOption(
      new Option('--similarity <form>', 'of nodes: (κₜ + κₘ²)/κᵤ, or (κₘ + κₜ²)/κᵤ')
        .argParser(choice('paper', 'notebook'))
        .default('paper'),
    )
    .option('--walks <n>', 'walks from each node', number(1), 1000)
    .option('--alpha <a>', 'probability of stopping at each node', number(0, false), 0.15)
    .option('-o, --out <file>', 'table; standard output when left out')
    .option(
      '--checkpoint <folder>',
      'under mpirun: keep the walks of every 10th round there; the same command goes on from it',
    )
    .option('--seed <n>', 'seed', number(0), 42)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', examples)
    .action(rank);
}

/** Options of the one kind of ranking that the other does not have. */
const onlyItems = ['clicks', 'node', 'isolation', 'similarity'];
const onlyNodes = ['seeds', 'walks', 'alpha', 'checkpoint', 'directed', 'undirected'];

function rank(path: string, flags: Flags & ItemFlags, command: Command): Promise<void> {
  const areItems = flags.query.length > 0;
  const wrong = (areItems ? onlyNodes : onlyItems).find((name) => command.getOptionValueSource(name) === 'cli');
  if (wrong !== undefined)
    throw new Error(areItems ? `--${wrong} is for edges; items are ranked for --query` : `--${wrong} needs a --query`);
  if (areItems) return rankItemsOf(path, flags);
  useThreads(flags.threads);
  if (flags.out !== undefined) requireWritable(flags.out);
  return withRanks((ranks) => rankOn(ranks, path, flags));
}

async function rankOn(ranks: Communicator, path: string, flags: Flags): Promise<void> {
  const first = ranks.rank === 0;
  if (ranks.size > 1 && flags.seeds === undefined && !first) {
    // This rank receives the edges of its nodes from rank 0.
    sendTop(topOf(pipelines(undefined, flags, ranks), flags.top), ranks);
    return;
  }
  const { graph, names } = await loadGraphFile(path, flags, !first);
  const sources = flags.seeds === undefined ? undefined : seedsOf(flags.seeds, names.find);
  await withBar(['walking', 'nodes', !first], async (bar, signal) => {
    const own: Top[] = [];
    for await (const rows of rowsOf(graph, sources, flags, ranks, bar, signal)) own.push(topOf(rows, flags.top));
    bar.close();
    const mine = concatenate(own);
    if (!first) {
      sendTop(mine, ranks);
      return;
    }
    writeOutput(tableOf([mine, ...receiveTops(ranks)], names.of), flags.out);
  });
}

/**
 * This rank's rows: a share of the seeds, or of all nodes in pipelines when there are several
 * ranks.
 */
async function* rowsOf(
  graph: Graph,
  seeds: Int32Array | undefined,
  flags: Flags,
  ranks: Communicator,
  bar: Bar,
  signal: AbortSignal,
): AsyncGenerator<PageRankRows> {
  if (ranks.size > 1 && !seeds) {
    yield pipelines(graph, flags, ranks);
    return;
  }
  const all = seeds ?? Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
  const { walks, alpha, seed } = flags;
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

/** The rows of this rank's nodes, sent by rank 0, which reads the graph. */
function pipelines(graph: Graph | undefined, flags: Flags, ranks: Communicator): PageRankRows {
  const { walks, alpha, seed, checkpoint } = flags;
  const counts = Int32Array.of(graph?.nodeCount ?? 0, graph?.successors.nnz ?? 0);
  ranks.broadcast(counts);
  const [nodes, entries] = counts;
  const identity = JSON.stringify({ nodes, entries, walks, alpha, seed, ranks: ranks.size });
  const store =
    checkpoint === undefined ? undefined : { every: 10, store: fileWalkStore(checkpoint, ranks.rank, identity) };
  return distributedPageRank(graph, ranks, { walks, alpha, seed, checkpoint: store }).rows;
}

/** The top entries of rows, row by row: (source, position, node), and the scores. */
interface Top {
  readonly entries: Int32Array;
  readonly scores: Float64Array;
}

function topOf(rows: PageRankRows, top: number): Top {
  const entries: number[] = [];
  const scores: number[] = [];
  rows.sources.forEach((source, i) => {
    topTargets(rows, i, top).forEach(({ node, score }, at) => {
      entries.push(source, at + 1, node);
      scores.push(score);
    });
  });
  return { entries: Int32Array.from(entries), scores: Float64Array.from(scores) };
}

function concatenate(tops: readonly Top[]): Top {
  const entries = new Int32Array(tops.reduce((total, top) => total + top.entries.length, 0));
  const scores = new Float64Array(entries.length / 3);
  let at = 0;
  for (const top of tops) {
    entries.set(top.entries, 3 * at);
    scores.set(top.scores, at);
    at += top.scores.length;
  }
  return { entries, scores };
}

function sendTop({ entries, scores }: Top, ranks: Communicator): void {
  ranks.send(Int32Array.of(scores.length), 0);
  ranks.send(entries, 0);
  ranks.send(scores, 0);
}

function* receiveTops(ranks: Communicator): Generator<Top> {
  for (let rank = 1; rank < ranks.size; rank++) {
    const count = new Int32Array(1);
    ranks.receive(count, rank);
    const [length = 0] = count;
    const top = { entries: new Int32Array(3 * length), scores: new Float64Array(length) };
    ranks.receive(top.entries, rank);
    ranks.receive(top.scores, rank);
    yield top;
  }
}

function* tableOf(tops: readonly Top[], nameOf: (node: number) => string): Generator<string> {
  let text = 'source,rank,node,score\n';
  for (const { entries, scores } of tops)
    for (const [i, score] of scores.entries()) {
      const [source = 0, place, node = 0] = entries.subarray(3 * i, 3 * i + 3);
      text += `${csvField(nameOf(source))},${place},${csvField(nameOf(node))},${score}\n`;
      if (text.length < 1 << 20) continue;
      yield text;
      text = '';
    }
  yield text;
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
