import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { alone, type Communicator } from '../../src/distributed/index.js';

// The programs are JavaScript: ranks run them from the built package.
const { exercise, graphVite, pageRank, train } = (await import(String(new URL('./suite.mjs', import.meta.url)))) as {
  exercise: (communicator: Communicator) => unknown;
  graphVite: (communicator: Communicator) => Promise<GraphViteRows>;
  pageRank: (communicator: Communicator) => Walked;
  train: (communicator: Communicator) => Promise<number[]>;
};

interface Exercised {
  readonly rank: number;
  readonly size: number;
  readonly ring: number[];
  readonly broadcast: number[];
  readonly sum: number[];
  readonly max: number[];
  readonly min: number;
  readonly gathered: number[][];
  readonly swapped: { data: number[]; counts: number[] };
  readonly tensor: number[];
}

interface WalkedRows {
  readonly sources: number[];
  readonly indptr: number[];
  readonly targets: number[];
  readonly counts: number[];
  readonly largestUnit: number;
}

interface GraphViteRows {
  readonly stopped: string;
  readonly ended: string;
  readonly vertices: number[];
  readonly contexts: number[];
  readonly moved: number;
}

interface Walked {
  readonly plain: WalkedRows;
  readonly cut: WalkedRows;
}

const folder = import.meta.dirname;
// The ranks are processes or threads of the built package.
const { runOnThreads } = await import('gossamer/distributed');
const suiteUrl = new URL('./suite.mjs', import.meta.url);
const hasMpi = spawnSync('mpirun', ['--version']).status === 0;

function mpirun<T>(ranks: number, program: string): T {
  const args = [
    '--allow-run-as-root',
    '--oversubscribe',
    '-n',
    String(ranks),
    process.execPath,
    join(folder, 'mpi-main.mjs'),
    program,
  ];
  return JSON.parse(
    execFileSync('mpirun', args, { encoding: 'utf8', cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }),
  ) as T;
}

function expectExercised(results: readonly Exercised[]): void {
  const size = results.length;
  const ranks = results.map((_, r) => r);
  const sines = (i: number) => ranks.reduce((total, r) => total + Math.sin(i + r), 0);
  for (const [rank, result] of results.entries()) {
    expect([result.rank, result.size]).toEqual([rank, size]);
    // 7, 8, 9 goes round, each rank adding its number.
    const added = rank === 0 ? ranks.reduce((a, b) => a + b, 0) : ranks.slice(0, rank).reduce((a, b) => a + b, 0);
    if (size > 1) expect(result.ring).toEqual([7 + added, 8 + added, 9 + added]);
    expect(result.broadcast).toEqual([1.5, -2, 3]);
    for (const [at, i] of [0, 50_000, 100_002].entries()) expect(result.sum[at]).toBeCloseTo(sines(i), 12);
    expect(result.sum).toEqual(results[0]?.sum);
    expect(result.max).toEqual([size - 1, 0]);
    expect(result.min).toBe(0.5);
    expect(result.gathered).toEqual(ranks.map((r) => new Array(r + 1).fill(r)));
    expect(result.swapped.counts).toEqual(ranks.map((r) => (r + 1) * (rank + 1)));
    expect(result.swapped.data).toEqual(ranks.flatMap((r) => new Array((r + 1) * (rank + 1)).fill(100 * r + rank)));
    expect(result.tensor).toEqual([(size * (size + 1)) / 2, size * (size + 1)]);
  }
}

function alike(a: readonly number[], b: readonly number[]): void {
  for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i] as number, 5);
}

describe('one interface on', () => {
  test('one rank', () => {
    const { ring: _, ...result } = exercise(alone()) as Exercised;
    expect(result.gathered).toEqual([[0]]);
    expect(result.swapped).toEqual({ data: [0], counts: [1] });
  });

  test.each([2, 3])('%i threads (needs a build)', async (size) => {
    expectExercised(await runOnThreads<Exercised>(size, suiteUrl, 'exercise'));
  });

  test.skipIf(!hasMpi).each([2, 3])('%i MPI processes (needs mpirun and a build)', (size) => {
    expectExercised(mpirun<Exercised[]>(size, 'exercise'));
  });
});

describe('data-parallel training equals one process on the combined batch:', () => {
  test('threads (needs a build)', async () => {
    const single = await train(alone());
    for (const weights of await runOnThreads<number[]>(3, suiteUrl, 'train')) alike(weights, single);
  });

  test.skipIf(!hasMpi)('MPI (needs mpirun and a build)', async () => {
    const single = await train(alone());
    for (const weights of mpirun<number[][]>(2, 'train')) alike(weights, single);
  });
});

test('a rank that dies ends the job with its name and reason (needs a build)', async () => {
  await expect(runOnThreads(2, suiteUrl, 'fail')).rejects.toThrow('rank 1 of 2 failed: this rank gives up');
});

describe('personalised PageRank is the same on any number of ranks, bit for bit:', () => {
  /** Rows of all ranks, one after another. */
  const joined = (parts: readonly WalkedRows[]) => ({
    sources: parts.flatMap((part) => part.sources),
    rows: parts.flatMap(({ indptr, targets, counts }) =>
      indptr.slice(1).map((end, i) => [targets.slice(indptr[i], end), counts.slice(indptr[i], end)]),
    ),
  });
  const check = (results: readonly Walked[]) => {
    const single = pageRank(alone());
    expect(joined(results.map(({ plain }) => plain))).toEqual(joined([single.plain]));
    expect(joined(results.map(({ cut }) => cut))).toEqual(joined([single.cut]));
    for (const { cut } of results) expect(cut.largestUnit).toBeLessThanOrEqual(8);
  };

  test.each([2, 4])('%i threads (needs a build)', async (size) => {
    check(await runOnThreads<Walked>(size, suiteUrl, 'pageRank'));
  });

  test.skipIf(!hasMpi)('3 MPI processes (needs mpirun and a build)', () => {
    check(mpirun<Walked[]>(3, 'pageRank'));
  });
});

describe('GraphVite on ranks gives the bits of one process:', () => {
  const check = async (results: readonly GraphViteRows[]) => {
    const single = await graphVite(alone());
    const [first] = results as [GraphViteRows];
    expect(first.vertices).toEqual(single.vertices);
    expect(first.contexts).toEqual(single.contexts);
    for (const { stopped, ended, moved } of results) {
      expect([stopped, ended]).toEqual(['aborted', 'finished']);
      // A part of 15 rows of 8 floats after every group.
      expect(moved > 0 && moved % (15 * 8 * 4) === 0).toBe(true);
    }
  };

  test.each([2, 3])('%i threads (needs a build)', async (size) => {
    await check(await runOnThreads<GraphViteRows>(size, suiteUrl, 'graphVite'));
  });

  test.skipIf(!hasMpi)('2 MPI processes (needs mpirun and a build)', async () => {
    await check(mpirun<GraphViteRows[]>(2, 'graphVite'));
  });
});
