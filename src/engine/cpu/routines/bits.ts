// Products and sums of numbers of one bit: see kernels/binary.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution } from '../execution.js';

/** y[f, p] = sums of signed bit planes. */
export type SumPlanesArguments = Omit<KernelArguments['sumPlanes'], 'scratch' | 'vectors'> & {
  /** Planes that are added, over all filters. */
  readonly stored: number;
};

function sumPlanes(run: Execution, args: SumPlanesArguments): void {
  const { bits, indptr, offsets, totals, y, planes, filters, pixels, slices, stored } = args;
  const vectors = Math.ceil(pixels / 128);
  run.withScratchEach((planes + 1) * 16, (scratch) =>
    run.over(
      'sumPlanes',
      { bits, indptr, offsets, totals, y, planes, filters, vectors, pixels, slices, scratch },
      filters * vectors,
      (stored / filters) * 1.2 + 100,
    ),
  );
}

/** A binary convolution of planes, all channels of a vector of pixels at a time. */
export type PlaneTreeArguments = Omit<KernelArguments['planeTree'], 'scratch'> & {
  /** Planes that are added, over all channels. */
  readonly stored: number;
};

function planeTree(run: Execution, { stored, ...args }: PlaneTreeArguments): void {
  const { channels, filters, kernel, stride, phases, vectors, slices } = args;
  const taps = channels * kernel * kernel;
  run.withScratchEach((2 * taps + 1 + filters * slices) * 16, (scratch) =>
    run.over(
      'planeTree',
      { ...args, scratch },
      (phases / stride) ** 2 * vectors,
      1.5 * stored + 3 * taps + filters * (args.sums ? 200 : 12),
    ),
  );
}

/** A binary convolution of planes, all channels of one depth at a time. */
export type PlaneLevelsArguments = Omit<KernelArguments['planeTree'], 'scratch'> & {
  readonly stored: number;
  /** Positions at which depths end, from 0 on. */
  readonly ends: readonly number[];
};

function planeLevels(run: Execution, args: PlaneLevelsArguments): void {
  const { bits, channels, filters, kernel, stride, phases, pitch, vectors, guard, slices, sums, stored, ends } = args;
  const { indptr, offsets, parents, targets, limits, mask, y } = args;
  const taps = channels * kernel * kernel;
  const outPhases = (phases / stride) ** 2;
  const tasks = outPhases * vectors;
  const tileBytes = tasks * (2 * taps + 1) * 16;
  run.withScratch(tileBytes, (tiles) =>
    run.withScratch(tasks * filters * slices * 16, (states) => {
      run.over('planeTiles', { bits, tiles, channels, kernel, stride, phases, pitch, vectors, guard }, tasks, 3 * taps);
      const lists = { indptr, offsets, parents, targets, limits, mask, y };
      const sizes = { taps, filters, outPhases, vectors, guard, slices, sums };
      for (let level = 0; level + 1 < ends.length; level++) {
        const first = ends[level] as number;
        const count = (ends[level + 1] as number) - first;
        const cost = (1.5 * stored) / filters + (sums ? 200 : 12);
        run.over('planeLevel', { tiles, states, ...lists, ...sizes, first, count }, tasks * count, cost);
      }
    }),
  );
}

export const bitRoutines = {
  /** y = low for x < 0, else high. */
  signs: (run: Execution, args: KernelArguments['signs'] & { readonly n: number }): void =>
    run.over('signs', args, args.n, 0.25),
  /** y = g where |x| ≤ 1, else 0. */
  signsGradient: (run: Execution, args: KernelArguments['signsGradient'] & { readonly n: number }): void =>
    run.over('signsGradient', args, args.n, 0.3),
  /** Signs of maps as planes of bits, which hold ones before. */
  signPlanes: (run: Execution, args: KernelArguments['signPlanes']): void =>
    run.over(
      'signPlanes',
      args,
      args.channels * args.phases ** 2,
      (args.images * args.height * args.width * 2.5) / args.phases ** 2,
    ),
  planeTree,
  planeLevels,
  /** Signs of `rows` rows of x as bits. */
  packSigns: (run: Execution, args: KernelArguments['packSigns'] & { readonly rows: number }): void =>
    run.over('packSigns', args, args.rows, args.k * 0.4),
  /** y = A·Bᵀ for matrices of signs. */
  matmulBits: (run: Execution, args: KernelArguments['matmulBits']): void =>
    run.over('matmulBits', args, Math.ceil(args.m / 2), args.n * args.k * 0.015),
  sumPlanes,
};
