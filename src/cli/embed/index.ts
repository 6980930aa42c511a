// `gossamer embed`

import { Command, Option } from 'commander';
import { graphOfEdges } from '../../data/index.js';
import {
  interruptSignal,
  loadEdges,
  requireVectorNames,
  requireWritable,
  vectorFormatOf,
  writeVectors,
} from '../../data/node.js';
import type { Communicator } from '../../distributed/index.js';
import {
  deepWalk,
  fastRP,
  fastRPBytes,
  fastRPOutside,
  line,
  node2vec,
  type SkipGramProgress,
} from '../../embedding/index.js';
import { tensorMemoryBudget } from '../../engine/index.js';
import type { Graph } from '../../structure/index.js';
import type { Tensor } from '../../tensor/index.js';
import { bytes, maxBytesOption, number } from '../arguments.js';
import { Bar, compact, withBar } from '../bar.js';
import { systemOfModel } from '../models.js';
import { writeNote } from '../output.js';
import { withRanks } from '../ranks.js';
import { useThreads } from '../threads.js';
import { type GraphViteFlags, requireHeeded } from './grid-options.js';
import type { KnowledgeFlags } from './knowledge.js';

const nodeMethods = ['fastrp', 'deepwalk', 'node2vec', 'line', 'graphvite', 'largevis'] as const;
/** Scores of knowledge graphs. */
const tripleMethods = ['transe', 'distmult', 'complex', 'rotate'] as const;
const methods = [...nodeMethods, ...tripleMethods, 'hypercluster', 'polynomials'] as const;

/** How the edges of a file are read; `embed` and `rank` share these. */
export interface EdgeFlags {
  readonly directed?: boolean;
  readonly undirected?: boolean;
  readonly maxBytes?: number;
}

interface Flags extends EdgeFlags, GraphViteFlags, KnowledgeFlags {
  readonly method: (typeof methods)[number];
  readonly model?: string;
  readonly threads?: number;
  readonly weights?: number[];
  readonly beta?: number;
  readonly walks?: number;
  readonly window?: number;
  readonly degree?: number;
  readonly pairs?: boolean;
}

/** Files of edges, for help. */
export const EDGE_FORMS =
  '.csv, .tsv, .txt, .parquet, GraphML, GEXF, GML, Pajek, METIS, Matrix Market, node-link JSON, .npz of SciPy; also .gz';

const examples = `
Examples
  gossamer embed edges.csv --dim 128 -o vectors.npy               FastRP; names of the rows in vectors.ids.txt
  gossamer embed edges.tsv.gz --method node2vec --p 0.25 --q 4 -o vectors.parquet
  gossamer embed edges.parquet --weights 0,0,1,6.67 --beta -0.5 -o vectors.safetensors
  gossamer embed edges.csv --method graphvite --epochs 2000 --memory 2G --labels labels.csv -o vectors.npy   vectors larger than memory, in parts; F1 of labels (node,label)
  gossamer embed edges.csv --method graphvite --update new.csv --vectors old.safetensors -o all.npy   rows of new nodes alone
  gossamer embed edges.csv --method largevis --labels labels.csv -o graph.svg   a picture of the graph; .csv for its points
  gossamer embed train.tsv --method rotate --test test.tsv -o entities.npy   a knowledge graph: head, relation, tail a line; also transe, distmult, complex
  gossamer embed edges.csv --method polynomials --degree 5 -o counts.parquet   counts at nodes that message passing cannot make
  gossamer embed graphs/ --method hypercluster -o vectors.npy     a vector for each graph of a set, by the types of its edges
  gossamer embed graphs/ --model m.safetensors -o vectors.npy     likewise, by a model of gossamer fit --model hypercluster
  gossamer embed photos/ --model m.safetensors -o vectors.npy     a vector for each picture, by a classifier of gossamer train
  mpirun -n 4 gossamer embed edges.csv -o vectors.npy             FastRP with its rows shared by 4 processes; graphvite likewise

In lists, an edge a line: source, target and maybe weight, separated by commas, tabs or spaces; a header may name them. Nodes are numbers or any text. Edges go both ways unless --directed or the file says otherwise. Repeated edges add up their weights (unweighted ones count once), self-loops are kept.`;

export function embedCommand(): Command {
  return withEdgeOptions(new Command('embed'))
    .description('embed the nodes of a graph, the graphs of a set, or pictures')
    .argument('<edges>', `edges: ${EDGE_FORMS}`)
    .addOption(new Option('--method <name>', 'how').choices(methods).default('fastrp'))
    .option(
      '--model <file>',
      'a model of gossamer fit: hypercluster, in place of learning from the graphs, or of pictures',
    )
    .option('--dim <n>', 'embedding dimension', number(1), 128)
    .requiredOption(
      '-o, --out <file>',
      'vectors: .npy, .csv, .parquet, .safetensors, or of word2vec .txt or .bin; largevis: also .svg',
    )
    .option('--weights <list>', 'fastrp: α₁,α₂,… of the orders', numbers)
    .option('--beta <b>', 'fastrp: exponent of the degree', number(-10, false))
    .option('--walks <n>', 'deepwalk, node2vec: walks a node', number(1))
    .option('--length <n>', 'deepwalk, node2vec: nodes a walk; graphvite: edges a walk', number(2))
    .option('--window <n>', 'deepwalk, node2vec: window', number(1))
    .option('--p <p>', 'node2vec: return parameter', number(0, false))
    .option('--q <q>', 'node2vec: in-out parameter', number(0, false))
    .addOption(new Option('--form <name>', 'graphvite: how pairs are drawn').choices(['line', 'deepwalk', 'node2vec']))
    .option(
      '--epochs <n>',
      'graphvite, largevis, of triples: passes over the edges (default 2000, 300, 200)',
      number(0, false),
    )
    .option('--step <s>', 'graphvite: farthest distance of a pair on its walk, or auto', stepOf)
    .option('--parts <n>', 'graphvite, largevis: parts of the grid (default: at most 8, by their balance)', number(1))
    .option('--memory <size>', 'graphvite: memory for vectors, as 2G; those beyond it are kept in files', bytes)
    .option('--labels <file>', 'graphvite: a table node,label, to print F1 of a linear layer; largevis: for colours')
    .option('--test <file>', 'of triples: others to rank, filtered; prints MRR and Hits@k')
    .option('--resume', 'graphvite: go on where Ctrl-C stopped')
    .option('--update <file>', 'graphvite: new edges, whose new nodes get vectors while all others keep theirs')
    .option('--vectors <file>', 'graphvite: with --update, the .safetensors file of the edges without them')
    .option('--degree <n>', 'polynomials: most edges of a pattern (default 4, of pairs 6)', number(1))
    .option('--pairs', 'polynomials: of pairs of nodes that PPGN cannot compute, as .csv')
    .option('--seed <n>', 'seed', number(0), 42)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', examples)
    .action(embed);
}

function numbers(text: string): number[] {
  return text.split(',').map((part) => number(Number.NEGATIVE_INFINITY, false)(part));
}

function stepOf(text: string): number | 'auto' {
  return text === 'auto' ? text : number(1)(text);
}

/** Adds the options of `EdgeFlags`. */
export function withEdgeOptions(command: Command): Command {
  return command
    .addOption(new Option('--directed', 'edges lead from source to target only').conflicts('undirected'))
    .addOption(new Option('--undirected', 'edges go both ways, which is the default'))
    .addOption(maxBytesOption());
}

/**
 * Loads the graph of a file and describes on standard error what was read: its size, whether
 * directions were kept, whether it has weights.
 */
export async function loadGraphFile(path: string, { directed, undirected, maxBytes }: EdgeFlags, silent: boolean) {
  const bar = new Bar('reading', 'B', silent);
  const list = await loadEdges(path, {
    onProgress: (read, total) => bar.update(read / total, read),
    ...(maxBytes !== undefined && { maxBytes }),
  });
  bar.close();
  const graph = graphOfEdges(list, undirected ? false : directed);
  if (!silent) {
    const hint = list.directed === undefined && !directed ? ' (--directed keeps directions)' : '';
    const kind = graph.directed ? 'directed edges' : `undirected edges${hint}`;
    const loops = graph.selfLoopCount > 0 ? `, ${compact(graph.selfLoopCount)} self-loops` : '';
    process.stderr.write(
      `${compact(graph.nodeCount)} nodes, ${compact(graph.edgeCount)} ${kind}${graph.weights ? ', weighted' : ''}${loops}\n`,
    );
  }
  return { graph, names: list.names };
}

function embed(path: string, flags: Flags): Promise<void> {
  if (!(flags.method === 'largevis' && flags.out.endsWith('.svg'))) vectorFormatOf(flags.out);
  requireWritable(flags.out);
  useThreads(flags.threads);
  if (flags.method === 'hypercluster' || flags.model !== undefined) return embedByModel(path, flags);
  if (flags.method === 'polynomials') return embedCounts(path, flags);
  requireOwn(flags);
  const triples = tripleMethods.find((name) => name === flags.method);
  if (triples) return embedFacts(path, triples, flags);
  if (flags.method === 'largevis') return embedInPlane(path, flags);
  if (flags.method === 'graphvite') return withRanks((ranks) => embedOnGrid(path, flags, ranks));
  return withRanks((ranks) => embedOn(ranks, path, flags));
}

/** Options of graphvite alone. */
const gridOptions = [
  'form',
  'step',
  'memory',
  'resume',
  'update',
  'vectors',
  'labels',
  'epochs',
  'parts',
  'test',
] as const;
/** Those that other methods take, which graphvite has not. */
const sharedOptions: Readonly<Record<string, readonly string[]>> = {
  largevis: ['labels', 'epochs', 'parts'],
  ...Object.fromEntries(tripleMethods.map((name) => [name, ['epochs', 'parts', 'test']])),
};

/** @throws Error naming an option of graphvite that is given to another method */
function requireOwn(flags: Flags): void {
  if (flags.method === 'graphvite' && flags.test === undefined) return;
  const own =
    flags.method === 'graphvite' ? gridOptions.filter((name) => name !== 'test') : (sharedOptions[flags.method] ?? []);
  const strange = gridOptions.find((name) => flags[name] !== undefined && !own.includes(name));
  if (strange)
    throw new Error(
      `--${strange} is of --method ${strange === 'test' ? 'rotate and its like' : 'graphvite'}, not of ${flags.method}`,
    );
}

async function embedFacts(path: string, method: (typeof tripleMethods)[number], flags: Flags): Promise<void> {
  const { embedTriples } = await import('./knowledge.js');
  await embedTriples(path, method, flags);
}

async function embedInPlane(path: string, flags: Flags): Promise<void> {
  const { embedLayout } = await import('./layout.js');
  await embedLayout(await loadGraphFile(path, flags, false), flags);
}

async function embedOnGrid(path: string, flags: Flags, ranks: Communicator): Promise<void> {
  requireHeeded(flags, ranks);
  const source = await loadGraphFile(path, flags, ranks.rank > 0);
  if (flags.update !== undefined) return (await import('./update.js')).updateVectors(source, flags);
  const { embedGraphVite } = await import('./graphvite.js');
  return embedGraphVite(source, flags, ranks);
}

async function embedCounts(path: string, flags: Flags): Promise<void> {
  const { embedPolynomials } = await import('./polynomials.js');
  const { graph, names } = await loadGraphFile(path, { ...flags, undirected: true }, false);
  const { pairs = false, degree = pairs ? 6 : 4, out } = flags;
  if (degree > 7) throw new Error(`embed: --degree ${degree}: at most 7, beyond which there are too many patterns`);
  await embedPolynomials(graph, names.of, { degree, pairs, out });
}

/** By a model of a file, or by one that is learnt from the graphs. */
async function embedByModel(path: string, flags: Flags): Promise<void> {
  const { model, out } = flags;
  if (model === undefined || (await systemOfModel(model)) !== 'image-classifier') return embedSet(path, flags);
  const { embedPictures } = await import('./pictures.js');
  return embedPictures(path, { model, out });
}

async function embedSet(path: string, { model, out, seed }: Flags): Promise<void> {
  const { embedGraphs } = await import('./graphs.js');
  const { signal, release } = interruptSignal();
  try {
    await embedGraphs(path, { model, out, seed, signal });
  } finally {
    release();
  }
}

async function embedOn(ranks: Communicator, path: string, flags: Flags): Promise<void> {
  const first = ranks.rank === 0;
  if (ranks.size > 1 && flags.method !== 'fastrp')
    throw new Error(`under mpirun only fastrp and graphvite run; ${flags.method} uses the threads of one process`);
  const { graph, names } = await loadGraphFile(path, flags, !first);
  requireVectorNames(flags.out, graph.nodeCount, names.of);
  if (first && flags.method === 'fastrp') noteSparse(graph, flags);
  const outside = flags.method === 'fastrp' && fastRPBytes(graph, flags.dim) > tensorMemoryBudget();
  const silent = !first || (flags.method === 'fastrp' && !outside);
  const started = performance.now();
  await withBar([flags.method, outside ? 'columns' : 'pairs', silent], async (bar, signal) => {
    const vectors = outside
      ? await runOutside(graph, flags, signal, (done) => bar.update(done, done * 2 * flags.dim))
      : await run(graph, flags, ranks, signal, ({ done, pairs }) => bar.update(done, pairs));
    bar.close();
    if (!first) return;
    const metadata = { method: flags.method, dim: String(flags.dim), seed: String(flags.seed) };
    await writeVectors(flags.out, { vectors, nameOf: names.of, metadata });
    process.stderr.write(
      `${flags.out}: ${vectors.shape.join(' × ')} by ${flags.method} in ${((performance.now() - started) / 1000).toFixed(2)} s\n`,
    );
  });
}

/** Mean degree below which the orders of the paper's defaults reach few nodes. */
const SPARSE = 12;

/** Notes settings that suit sparse graphs better than the defaults, where these are used. */
function noteSparse(graph: Graph, { weights, beta }: Flags): void {
  const meanDegree = graph.successors.nnz / Math.max(1, graph.nodeCount);
  if (weights !== undefined || beta !== undefined || meanDegree >= SPARSE) return;
  writeNote(
    `the graph is sparse (mean degree ${meanDegree.toFixed(1)}); --weights 0,0,0,1,1,1,1,1 --beta 0 look further, and gossamer fit --model fastrp chooses by labels or links`,
  );
}

/** Embeddings that exceed tensor memory, computed column by column. */
async function runOutside(
  graph: Graph,
  { dim, seed, weights, beta }: Flags,
  signal: AbortSignal,
  onProgress: (done: number) => void,
) {
  const values = await fastRPOutside(graph, {
    dim,
    seed,
    signal,
    onProgress,
    ...(weights && { weights }),
    ...(beta !== undefined && { degreeExponent: beta }),
  });
  return { shape: [graph.nodeCount, dim], view: () => values };
}

function run(
  graph: Graph,
  { method, dim, seed, weights, beta, walks, length, window, p, q }: Flags,
  communicator: Communicator,
  signal: AbortSignal,
  onProgress: (progress: SkipGramProgress) => void,
): Promise<Tensor> {
  const given = <T extends object>(options: T) =>
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
  const common = { dim, seed, signal, onProgress };
  const walking = given({ walks, length, window });
  if (method === 'deepwalk') return deepWalk(graph, { ...common, ...walking });
  if (method === 'node2vec') return node2vec(graph, { ...common, ...walking, ...given({ p, q }) });
  if (method === 'line') return line(graph, common);
  return Promise.resolve(fastRP(graph, { dim, seed, communicator, ...given({ weights, degreeExponent: beta }) }));
}
