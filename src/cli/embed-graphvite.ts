// `gossamer embed --method graphvite`: skip-gram on the grid, within a memory budget, resumable.

import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { graphOfEdges, readSafetensors, writeSafetensors } from '../data/index.js';
import {
  filePartStore,
  interruptSignal,
  loadEdges,
  loadNodeLabels,
  type NamedVectors,
  readBytes,
  requireVectorNames,
  writeFileAtomic,
  writeVectors,
} from '../data/node.js';
import type { Communicator } from '../distributed/index.js';
import {
  embedNewNodes,
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
} from '../embedding/index.js';
import { tensorMemoryBudget } from '../engine/index.js';
import { type Graph, rmat } from '../structure/index.js';
import { Random, type Tensor, tensor } from '../tensor/index.js';
import { Bar, compact } from './bar.js';
import { writeNote } from './output.js';

/** Options of the command. */
export interface GraphViteFlags {
  readonly out: string;
  readonly dim: number;
  readonly seed: number;
  readonly form?: GraphViteOptions['form'];
  readonly epochs?: number;
  readonly step?: number | 'auto';
  readonly length?: number;
  readonly p?: number;
  readonly q?: number;
  readonly parts?: number;
  readonly memory?: number;
  readonly resume?: boolean;
  readonly labels?: string;
  readonly update?: string;
  readonly vectors?: string;
}

type Names = { readonly count: number; of(node: number): string; find(name: string): number | undefined };
type NodeLabels = ReturnType<typeof loadNodeLabels>;
type NamedGraph = { readonly graph: Graph; readonly names: Names };

/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;
/** Milliseconds between two checkpoints. */
const SAVED_EVERY = 120_000;
/** Rows of a block that is written. */
const ROWS = 4096;
/** Pairs that are trained to learn how fast this machine is. */
const TRIAL = { scale: 11, edges: 16_000, epochs: 8, batch: 1000 } as const;

/** Parts where several ranks share them, about. */
const PARTS = 8;

/** The options of the library that flags give; parts are a multiple of the ranks. */
function optionsOf(flags: GraphViteFlags, ranks = 1): GraphViteOptions {
  const { dim, seed, form, epochs, step, length, p, q } = flags;
  const parts = flags.parts ?? (ranks > 1 ? ranks * Math.max(1, Math.round(PARTS / ranks)) : undefined);
  const given = { form, epochs, step, walkLength: length, p, q, parts };
  return { dim, seed, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

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
  if (!isAlone && (flags.memory ?? flags.update) !== undefined)
    throw new Error('under mpirun the parts are shared by the ranks, in memory; leave --memory and --update out');
  if (flags.update === undefined && flags.vectors !== undefined) throw new Error('--vectors is for --update');
  const unheeded = (['labels', 'resume', 'memory', 'parts'] as const).find((name) => flags[name] !== undefined);
  if (flags.update !== undefined && unheeded) throw new Error(`--${unheeded} is not for --update`);
  if (flags.update !== undefined) return updateVectors(source, flags);
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

/**
 * Vectors in the order of nodes, a block at a time; with their contexts where the format has them.
 */
function vectorsOf(trainer: GridTrainer, names: Names, out: string): NamedVectors {
  const { settings } = trainer;
  const n = trainer.grid.nodes.length;
  const shape = [n, settings.dim];
  const all = (side: 'vertices' | 'contexts') => ({
    shape,
    view: () =>
      trainer.rows(
        side,
        Int32Array.from({ length: n }, (_, v) => v),
      ),
    *blocks() {
      for (let from = 0; from < n; from += ROWS)
        yield trainer.rows(
          side,
          Int32Array.from({ length: Math.min(ROWS, n - from) }, (_, i) => from + i),
        );
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
  const vectors = tensor(
    trainer.rows(
      'vertices',
      Int32Array.from({ length: n }, (_, v) => v),
    ),
    [n, trainer.settings.dim],
  );
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

/** Adds new edges, trains the rows of their new nodes, and writes the vectors of all nodes. */
async function updateVectors({ graph, names }: NamedGraph, flags: GraphViteFlags): Promise<void> {
  const { update, vectors: path, out, dim } = flags;
  if (path === undefined)
    throw new Error('--update needs --vectors: a .safetensors file that gossamer embed --method graphvite wrote');
  const { tensors, metadata } = readSafetensors(readBytes(path), path);
  const { vectors, contexts } = tensors;
  if (!vectors || !contexts)
    throw new Error(
      `"${path}" holds no vectors with their contexts; gossamer embed --method graphvite -o ${path} writes them`,
    );
  if (vectors.shape[1] !== dim)
    throw new Error(
      `"${path}" holds vectors of ${vectors.shape[1]} dimensions, not ${dim}; give --dim ${vectors.shape[1]}`,
    );
  const joined = withNewEdges(
    { graph, names },
    JSON.parse(metadata.ids ?? '[]') as string[],
    await loadEdges(update as string),
    path,
  );
  const started = performance.now();
  const known = { vertices: vectors.dataSync<Float32Array>(), contexts: contexts.dataSync<Float32Array>() };
  const added = embedNewNodes(joined.graph, known, optionsOf(flags));
  const all = (old: Float32Array, own: Float32Array) => {
    const values = new Float32Array(old.length + own.length);
    values.set(old);
    values.set(own, old.length);
    return { shape: [joined.graph.nodeCount, dim], view: () => values };
  };
  await writeVectors(out, {
    vectors: all(known.vertices, added.vertices),
    ...(out.endsWith('.safetensors') && { contexts: all(known.contexts, added.contexts) }),
    nameOf: joined.nameOf,
    metadata,
  });
  process.stderr.write(
    `${out}: ${added.vertices.length / dim} new nodes beside ${known.vertices.length / dim} in ${((performance.now() - started) / 1000).toFixed(2)} s\n`,
  );
}

/** The graph with new edges, its nodes in the order of the vectors, then the new ones. */
function withNewEdges(
  { graph, names }: NamedGraph,
  ids: readonly string[],
  list: Awaited<ReturnType<typeof loadEdges>>,
  path: string,
): { graph: Graph; nameOf(node: number): string } {
  const numbers = new Map(ids.map((name, node) => [name, node]));
  const strange = Array.from({ length: names.count }, (_, v) => names.of(v)).find((name) => !numbers.has(name));
  if (strange !== undefined || names.count !== ids.length)
    throw new Error(
      `"${path}" holds vectors of ${ids.length} nodes and the edges name ${names.count}${strange === undefined ? '' : `, "${strange}" among them`}; give the edges that they were trained on`,
    );
  const numberOf = (name: string) => {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  };
  const old = graph.edges();
  const both = (side: 'sources' | 'targets') => {
    const ends = new Int32Array(old[side].length + list[side].length);
    old[side].forEach((v, i) => {
      ends[i] = numberOf(names.of(v));
    });
    list[side].forEach((v, i) => {
      ends[old[side].length + i] = numberOf(list.names.of(v));
    });
    return ends;
  };
  const weighted = old.weights ?? list.weights;
  const weights = weighted && new Float32Array(old.sources.length + list.sources.length).fill(1);
  if (old.weights) weights?.set(old.weights);
  if (list.weights) weights?.set(list.weights, old.sources.length);
  const [sources, targets] = [both('sources'), both('targets')];
  const all = [...numbers.keys()];
  return {
    graph: graphOfEdges(
      {
        sources,
        targets,
        weights,
        names: { count: all.length, of: (v) => all[v] as string, find: (name) => numbers.get(name) },
      },
      graph.directed,
    ),
    nameOf: (node) => all[node] as string,
  };
}
