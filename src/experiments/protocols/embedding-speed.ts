// The time of embeddings: end to end, in turns, after warming up on another graph; how it grows
// with
// the graph; and what a second thread gives.

import { fastRPBytes } from '../../embedding/index.js';
import { memoryUse, secondsInTurns, withOwnPeak } from '../../engine/index.js';
import { Graph, rmat } from '../../structure/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { withThreads } from '../parts/threads.js';

/** Edges for each node of the graphs drawn. */
const DEGREE = 8;
const SIZES = [1 / 4, 1 / 2, 1];
const MIB = 2 ** 20;

type Embed = (graph: Graph) => Tensor | Promise<Tensor>;

/** Edges of the graph that compiles the kernels before anything is timed. */
const WARM_UP = 4000;

async function warmUp(embeds: readonly Embed[]): Promise<void> {
  const graph = drawn(WARM_UP, 7);
  for (const embed of embeds) (await embed(graph)).dispose();
}

/** An undirected R-MAT graph with weights, of about so many edges. */
function drawn(edges: number, seed: number): Graph {
  return rmat(Math.round(Math.log2(edges / DEGREE)), edges, new Random(seed)).undirected();
}

/** The same graph without what was computed of it before, such as degrees. */
function fresh(graph: Graph): Graph {
  const { sources, targets, weights } = graph.edges();
  return Graph.fromEdges(graph.nodeCount, sources, targets, { directed: graph.directed, weights });
}

/** Seconds from a graph that nothing is known of to its vectors. */
async function secondsOf(embed: Embed, graph: Graph): Promise<number> {
  const own = fresh(graph);
  const started = performance.now();
  (await embed(own)).dispose();
  return (performance.now() - started) / 1000;
}

/** Methods that are timed on one graph; the first is compared with each other. */
export type SpeedArms = Readonly<Record<string, Embed>>;

/** Rounds in which each arm is timed once; the short arms have more turns in each. */
const ROUNDS = 3;
const SHORT_TURNS = 5;
/** An arm of fewer seconds is short. */
const SHORT = 0.5;
/** An arm of more seconds is timed in one round alone. */
const LONG = 5;

/**
 * Times methods on one thread, where seconds are CPU time, in turns.
 *
 * @returns the study, with the numbers `seconds <arm>`
 */
export function speedStudy(graph: Graph, arms: SpeedArms): Promise<StudyResults> {
  return withThreads(1, async () => {
    await warmUp(Object.values(arms));
    const times = new Map(Object.keys(arms).map((arm) => [arm, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++)
      for (const [arm, embed] of Object.entries(arms)) {
        const own = times.get(arm) as number[];
        if ((own[0] ?? 0) > LONG) continue;
        own.push(await secondsOf(embed, graph));
        for (let turn = 1; turn < SHORT_TURNS && (own[0] as number) < SHORT; turn++)
          own.push(await secondsOf(embed, graph));
      }
    const rows = Array.from(times, ([arm, own]) => ({ arm, seconds: Math.min(...own), turns: own.length }));
    const first = rows[0]?.seconds ?? Number.NaN;
    return studyOf(
      {
        title: 'Time on one thread',
        note:
          'From the edges to the vectors, with the usual settings; the fastest of the turns, after warming up on another graph. ' +
          `Time of choosing settings is not counted. An arm of more than ${LONG} s has one turn.`,
        columns: ['method', 'seconds', 'turns', 'times the first'],
        rows: rows.map(({ arm, seconds, turns }) => [
          arm,
          seconds.toPrecision(3),
          turns,
          (seconds / first).toLocaleString('en', { maximumSignificantDigits: 3 }),
        ]),
      },
      Object.fromEntries(rows.map(({ arm, seconds }) => [`seconds ${arm}`, seconds])),
    );
  });
}

export interface GrowthOptions {
  /** Name of the method and its settings, for the note. */
  readonly what: string;
  readonly dim: number;
  /** Edges of the largest graph. */
  readonly edges: number;
}

/**
 * Times FastRP on graphs of rising size, in turns, and measures the memory of its tensors.
 *
 * @returns the study, with the numbers `largest` (seconds on the largest graph), `growth` and
 * `memoryGrowth` (its time and memory per edge over those of the smallest)
 */
export async function growthStudy(embed: Embed, { what, dim, edges }: GrowthOptions): Promise<StudyResults> {
  await warmUp([embed]);
  const graphs = SIZES.map((size, at) => drawn(Math.round(size * edges), at + 1));
  const times = graphs.map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, graph] of graphs.entries()) (times[at] as number[]).push(await secondsOf(embed, graph));
  const rows = [];
  for (const [at, graph] of graphs.entries()) {
    const own = fresh(graph);
    const before = memoryUse().bytes;
    const { result, peakBytes } = await withOwnPeak(() => embed(own));
    result.dispose();
    const seconds = Math.min(...(times[at] as number[]));
    rows.push({ graph, seconds, perEdge: seconds / graph.edgeCount, bytes: peakBytes - before });
  }
  const [first, last] = [rows[0], rows.at(-1)] as [(typeof rows)[number], (typeof rows)[number]];
  return studyOf(
    {
      title: 'Time and memory by size',
      note:
        `${what} and ${dim} columns on R-MAT graphs, undirected and weighted, all threads: the fastest of ${ROUNDS} turns, after warming up on ` +
        'another graph. Memory is the peak of all tensors; the estimate is what gossamer embed plans with.',
      columns: ['nodes', 'edges', 'seconds', 'ns an edge and column', 'peak memory (MiB)', 'estimate (MiB)'],
      rows: rows.map(({ graph, seconds, perEdge, bytes }) => [
        graph.nodeCount.toLocaleString('en'),
        graph.edgeCount.toLocaleString('en'),
        seconds.toFixed(3),
        ((1e9 * perEdge) / dim).toFixed(2),
        Math.round(bytes / MIB).toLocaleString('en'),
        Math.round(fastRPBytes(graph, dim) / MIB).toLocaleString('en'),
      ]),
    },
    {
      largest: last.seconds,
      growth: last.perEdge / first.perEdge,
      memoryGrowth: last.bytes / last.graph.edgeCount / (first.bytes / first.graph.edgeCount),
    },
  );
}

/**
 * One thread against two, in turns, and whether both give the same bits.
 *
 * @returns the study, with the numbers `threads` (times faster on two) and `sameBits` (1 or 0)
 */
export async function threadStudy(embed: Embed, edges: number): Promise<StudyResults> {
  await warmUp([embed]);
  const graph = drawn(edges, 5);
  const on = (threads: number) => () =>
    withThreads(threads, async () => {
      const vectors = await embed(graph);
      const bits = vectors.view().slice();
      vectors.dispose();
      return bits;
    });
  const [one, two] = [await on(1)(), await on(2)()];
  const same = one.every((value, at) => Object.is(value, two[at]));
  const run = (threads: number) => async () => void (await on(threads)());
  const seconds = await secondsInTurns({ one: run(1), two: run(2) }, { repeats: 5, warmUp: 1 });
  const faster = seconds.one / seconds.two;
  return studyOf(
    {
      title: 'Threads',
      note: `An R-MAT graph of ${graph.edgeCount.toLocaleString('en')} edges, the fastest of 5 turns.`,
      columns: ['one thread (s)', 'two threads (s)', 'times faster', 'the same bits'],
      rows: [[seconds.one.toFixed(3), seconds.two.toFixed(3), faster.toFixed(2), same ? 'yes' : 'no']],
    },
    { threads: faster, sameBits: Number(same) },
  );
}
