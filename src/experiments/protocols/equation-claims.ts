// Claims of solvers of differential equations by hypernetworks.

import { above, atLeast, atMost, below, type ClaimSpec, claimsOf, type Evidence, where } from '../parts/claims.js';
import { HYPINO, PHYSICS, PINO, PLAIN, REFINED, SUPERVISED, tunedTitles, UNET, ZERO } from './equation-methods.js';

/** The options that claims look at. */
interface Options {
  readonly reptile: number;
}

const { abstract, ours } = claimsOf<Options>();

const benchmarks = ['heat', 'helmholtz', 'wave', 'poisson_C', 'poisson_L', 'poisson_G', 'helmholtz_G'] as const;

type Found = Evidence<Options>;

/** Mean rank of a method among others over the benchmarks, 1 being the best. */
function meanRank(evidence: Found, method: string, others: readonly string[]): number {
  const ranks = benchmarks.map((name) => {
    const own = evidence.mean(method, name);
    return 1 + others.filter((other) => evidence.mean(other, name) < own).length;
  });
  return ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
}

/** The ratio of errors before and after ten rounds, by benchmark. */
const gains = (evidence: Found) => benchmarks.map((name) => evidence.ratio(HYPINO, PLAIN, name));

export const equationClaims: readonly ClaimSpec<Options>[] = [
  ...where<Options>({ data: ['gentle'] }, [
    ours('Seven benchmarks: mean rank among U-Net and PINO (of 3, by MSE)', atMost(1), (evidence: Found) =>
      meanRank(evidence, HYPINO, [UNET, PINO]),
    ),
    abstract(
      'refinement',
      'Benchmarks (of 7) that ten rounds improve',
      atLeast(6),
      (evidence) => gains(evidence).filter((gain) => gain > 1).length,
    ),
    abstract('refinement', 'Best of the benchmarks: MSE before ten rounds by MSE after', above(100), (evidence) =>
      Math.max(...gains(evidence)),
    ),
  ]),
  ...where<Options>({ data: ['gentle'], when: ({ reptile }) => reptile > 0 }, [
    abstract('tuning', 'Benchmarks (of 7) that end below random and Reptile starts, mean', atLeast(5), (evidence) =>
      evidence.mean(tunedTitles.hypino, 'won'),
    ),
    abstract(
      'tuning',
      'Benchmarks (of 7) that end below them or within a tenth, mean',
      atLeast(7),
      (evidence) => evidence.mean(tunedTitles.hypino, 'won') + evidence.mean(tunedTitles.hypino, 'par'),
    ),
    abstract('tuning', 'Benchmarks (of 7) sooner at the final error of random starts, mean', atLeast(5), (evidence) =>
      evidence.mean(tunedTitles.hypino, 'sooner'),
    ),
  ]),
  ...where<Options>({ data: ['gentle'] }, [
    ...(['elliptic', 'parabolic', 'hyperbolic', 'holes', 'noHoles', 'neumann', 'noNeumann'] as const).flatMap(
      (part) => [
        ours(`Held-out, ${part}: median relative L2, worst seed`, atMost(0.6), (evidence: Found) =>
          evidence.most((score) => score(HYPINO, part)),
        ),
      ],
    ),
    ours('Held-out: median error as a share of that of u = 0', atMost(0.5), (evidence) =>
      evidence.ratio(HYPINO, ZERO, 'error'),
    ),
    ours('Mixed supervision: error on manufactured problems by that of supervised only', atMost(1.1), (evidence) =>
      evidence.ratio(HYPINO, SUPERVISED, 'error'),
    ),
    ours('Mixed supervision: error by that of physics only', below(1), (evidence) =>
      evidence.ratio(HYPINO, PHYSICS, 'error'),
    ),
  ]),
  ...where<Options>({ data: ['waves'] }, [
    ours('Held-out waves: median relative L2, worst seed', atMost(0.1), (evidence) =>
      evidence.most((score) => score(HYPINO, 'error')),
    ),
    ours('Held-out waves: median error less the U-Net’s, mean', below(0), (evidence) =>
      evidence.gain(HYPINO, UNET, 'error'),
    ),
  ]),
  ours('Refinement: share of the discrepancy with equation and data left', below(1), (evidence) =>
    evidence.ratio(REFINED, HYPINO, 'discrepancy'),
  ),
  ours('Refinement that stops by the discrepancy: share of the error left', atMost(0.8), (evidence) =>
    evidence.ratio(REFINED, HYPINO, 'error'),
  ),
];
