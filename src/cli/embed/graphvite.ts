// `gossamer embed --method graphvite`: skip-gram on the grid, within a memory budget, resumable.

import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { readSafetensors, writeSafetensors } from '../../data/index.js';
import {
  filePartStore,
  interruptSignal,
  loadNodeLabels,
  type NamedVectors,
  readBytes,
  requireVectorNames,
  writeFileAtomic,
  writeVectors,
} from '../../data/node.js';
import type { Communicator } from '../../distributed/index.js';
import {
  type GraphViteOptions,
  type GraphViteState,
  type GridTrainer,
  graphViteSettings,
  labelledNodes,
  linearProbe,
  planTraining,
  RankMatrices,
  splitNodes,
  startGraphVite,
} from '../../embedding/index.js';
import { tensorMemoryBudget } from '../../engine/index.js';
import { type Graph, rmat } from '../../structure/index.js';
import { Random, type Tensor, tensor } from '../../tensor/index.js';
import { Bar, compact } from '../bar.js';
import { writeNote } from '../output.js';
import { type GraphViteFlags, type NamedGraph, type Names, optionsOf } from './grid-options.js';

type NodeLabels = ReturnType<typeof loadNodeLabels>;

/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;
/** Milliseconds between two checkpoints. */
const SAVED_EVERY = 120_000;
/** Rows of a block that is written. */
const ROWS = 4096;
/** Pairs that are trained to learn how fast this machine is. */
const TRIAL = { scale: 11, edges: 16_000, epochs: 8, batch: 1000 } as const;

/** Names, edges and weights of a graph in short, so that a training goes on with the same alone. */
function digestOf({ graph, names }: NamedGraph): string {
  const hash = createHash('sha256').update(String(graph.directed));
  for (const values of [graph.successors.indptr, graph.successors.indices, ...(graph.weights ? [graph.weights] : [])])
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice());
  for (let node = 0; node < names.count; node++) hash.update(`${names.of(node)}\n`);
  return hash.digest('hex');
}

/** Trains and writes vectors; a run that was stopped leaves what `--resume` goes on from. */
export async function embedGraphVite(source: NamedGraph, flags: GraphViteFlags, ranks: Communicator): Promise<void> {
  const { graph } = source;
  const { out } = flags;
  const [isFirst, isAlone] = [ranks.rank === 0, ranks.size === 1];
  const memory = isAlone ? (flags.memory ?? tensorMemoryBudget()) : undefined;
  const options = optionsOf(flags, ranks.size);
  const settings = graphViteSettings(graph, options);
  requireVectorNames(out, graph.nodeCount, source.names.of);
  const labels = flags.labels === undefined ? undefined : loadNodeLabels(flags.labels, graph, source.names);
  const plan = planTraining(graph, settings, memory);
  const checkpoint = `${out}.checkpoint${isAlone ? '' : `.${ranks.rank}`}`;
  const folder = `${out}.parts`;
  const identity = JSON.stringify({ ...settings, plan, edges: digestOf(source) });
  const state = flags.resume ? readState(checkpoint, identity) : undefined;
  const { signal, release } = interruptSignal();
  if (isFirst) await announce(graph, settings, plan, options);
  const store = plan.inFiles ? filePartStore(folder) : undefined;
  const trainer = startGraphVite(graph, options, { memory, store, state, ranks });
  const started = performance.now();
  try {
    if (!(await trainWithCheckpoints(trainer, signal, { path: checkpoint, identity, ranks }))) return;
    if (trainer.matrices instanceof RankMatrices)
      for (const side of ['vertices', 'contexts'] as const) trainer.matrices.gather(side);
    if (isFirst) await writeResults(trainer, source, { out, labels }, (performance.now() - started) / 1000);
    rmSync(checkpoint, { force: true });
    store?.close();
    if (store) rmSync(folder, { recursive: true, force: true });
  } finally {
    release();
    store?.close();
    trainer.dispose();
  }
}

async function writeResults(
  trainer: GridTrainer,
  source: NamedGraph,
  { out, labels }: { readonly out: string; readonly labels: NodeLabels | undefined },
  seconds: number,
) {
  const { settings, counts } = trainer;
  await writeVectors(out, vectorsOf(trainer, source.names, out));
  process.stderr.write(
    `${out}: ${source.graph.nodeCount} × ${settings.dim} by graphvite (${settings.form}) in ${seconds.toFixed(2)} s, ${compact(counts.pairs)} pairs\n`,
  );
  if (labels !== undefined) printScores(trainer, labels);
}

/** Says on standard error what memory and about what time a training will take. */
async function announce(
  graph: Graph,
  settings: ReturnType<typeof graphViteSettings>,
  plan: ReturnType<typeof planTraining>,
  options: GraphViteOptions,
): Promise<void> {
  const pairs = plan.batches * settings.batch;
  const perSecond = await trialSpeed(options);
  const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`;
  const rows = plan.inFiles
    ? `${mib(plan.matrixBytes)} of ${mib(8 * graph.nodeCount * plan.width)} of vectors, the rest in files`
    : `${mib(plan.matrixBytes)} of vectors`;
  process.stderr.write(
    `step ${settings.step}, ${plan.parts} parts; memory: ${rows}, ${mib(plan.poolBytes)} of pairs, ${mib(plan.graphBytes)} of the graph\n` +
      `${settings.epochs} epochs: ${compact(pairs)} pairs at about ${compact(perSecond)} a second, about ${duration(pairs / perSecond)}\n`,
  );
  if (plan.balance > 1.5 && plan.parts > 1)
    writeNote(
      `blocks of the grid differ by ${plan.balance.toFixed(1)} times in their edges, and some pairs are dropped; fewer --parts even them out`,
    );
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Pairs a second on a small graph. */
async function trialSpeed({ dim, form, p, q }: GraphViteOptions): Promise<number> {
  const graph = rmat(TRIAL.scale, TRIAL.edges, new Random(1)).undirected();
  const { scale: _, edges: __, ...training } = TRIAL;
  const trainer = startGraphVite(graph, {
    ...training,
    parts: 4,
    ...(dim && { dim }),
    ...(form && { form }),
    ...(p && { p }),
    ...(q && { q }),
  });
  let rate = 1;
  await trainer.train({ onProgress: ({ pairsPerSecond }) => (rate = pairsPerSecond) });
  trainer.dispose();
  return rate;
}

/** @returns whether the training ended; false after Ctrl-C */
async function trainWithCheckpoints(
  trainer: GridTrainer,
  signal: AbortSignal,
  { path, identity, ranks }: { readonly path: string; readonly identity: string; readonly ranks: Communicator },
): Promise<boolean> {
  const bar = new Bar('graphvite', 'pairs', ranks.rank > 0);
  // Parts in files are overwritten as they train: only where it stops is a state of them all.
  const periodic = !trainer.plan.inFiles;
  if (!periodic) rmSync(path, { force: true });
  let current = new AbortController();
  signal.addEventListener('abort', () => current.abort(), { once: true });
  try {
    for (let saved = performance.now(); ; saved = performance.now()) {
      current = new AbortController();
      if (signal.aborted) current.abort();
      const ended = await trainer.train({
        signal: current.signal,
        onProgress: ({ done, pairs }) => {
          bar.update(done, pairs);
          if (periodic && performance.now() - saved > SAVED_EVERY) current.abort();
        },
      });
      if (ended === 'finished') return true;
      writeState(path, trainer.state, identity);
      const stop = Int32Array.of(Number(signal.aborted));
      ranks.allReduce(stop, 'max');
      if (stop[0] === 1) break;
    }
  } finally {
    bar.close();
  }
  if (ranks.rank === 0) process.stderr.write('\nstopped; the same command with --resume goes on\n');
  process.exitCode = INTERRUPTED;
  return false;
}

function writeState(path: string, { episode, group, vertices, contexts }: GraphViteState, identity: string): void {
  const tensors: Readonly<Record<string, Tensor>> =
    vertices && contexts ? { vertices: tensor(vertices), contexts: tensor(contexts) } : {};
  writeFileAtomic(path, writeSafetensors(tensors, { episode: String(episode), group: String(group), identity }));
  for (const held of Object.values(tensors)) held.dispose();
}

/** @throws Error when there is no checkpoint, or it is of another training */
function readState(path: string, identity: string): GraphViteState {
  if (!existsSync(path))
    throw new Error(
      `there is no "${path}" to go on from${existsSync(path.replace(/\.checkpoint$/, '.parts')) ? '; a run whose parts are in files can go on only where Ctrl-C stopped it' : ''}`,
    );
  const { tensors, metadata } = readSafetensors(readBytes(path), path);
  if (metadata.identity !== identity)
    throw new Error(`"${path}" is of other edges or options; give those again, or leave --resume out`);
  const { vertices, contexts } = tensors;
  const at = { episode: Number(metadata.episode), group: Number(metadata.group) };
  if (!vertices || !contexts) return at;
  const state = { ...at, vertices: vertices.dataSync<Float32Array>(), contexts: contexts.dataSync<Float32Array>() };
  vertices.dispose();
  contexts.dispose();
  return state;
}

const nodesFrom = (first: number, count: number) => Int32Array.from({ length: count }, (_, i) => first + i);

/**
 * Vectors in the order of nodes, a block at a time; with their contexts where the format has them.
 */
function vectorsOf(trainer: GridTrainer, names: Names, out: string): NamedVectors {
  const { settings } = trainer;
  const n = trainer.grid.nodes.length;
  const shape = [n, settings.dim];
  const all = (side: 'vertices' | 'contexts') => ({
    shape,
    view: () => trainer.rows(side, nodesFrom(0, n)),
    *blocks() {
      for (let from = 0; from < n; from += ROWS) yield trainer.rows(side, nodesFrom(from, Math.min(ROWS, n - from)));
    },
  });
  const { form, dim, seed } = settings;
  return {
    vectors: all('vertices'),
    nameOf: names.of,
    metadata: { method: 'graphvite', form, dim: String(dim), seed: String(seed) },
    ...(out.endsWith('.safetensors') && { contexts: all('contexts') }),
  };
}

/** F1 of a linear layer on the vectors, for shares of the labelled nodes. */
function printScores(trainer: GridTrainer, labels: NodeLabels): void {
  const n = trainer.grid.nodes.length;
  const vectors = tensor(trainer.rows('vertices', nodesFrom(0, n)), [n, trainer.settings.dim]);
  const nodes = labelledNodes(labels);
  for (const share of [0.1, 0.5, 0.9]) {
    const split = splitNodes(nodes, share, new Random(trainer.settings.seed).split('labels'));
    const { microF1, macroF1 } = linearProbe(vectors, labels, split);
    process.stdout.write(
      `${Math.round(100 * share)} % of ${nodes.length} labelled nodes: micro-F1 ${(100 * microF1).toFixed(2)}, macro-F1 ${(100 * macroF1).toFixed(2)}\n`,
    );
  }
  vectors.dispose();
}
