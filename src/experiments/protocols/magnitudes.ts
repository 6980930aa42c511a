// How the norm of generated weights depends on the condition, and where removing this dependence
// helps training: the studies of magnitude-invariant parametrisations.

import type { DigitImages } from '../../data/index.js';
import { type HypernetOptions, MIP_OPTIONS, mlpTrunk, type TrunkActivation } from '../../hypernet/index.js';
import { Adam, globalNorm, type Linear } from '../../nn/index.js';
import { Random, scope, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { type BlendedSetting, blendedHypernet, trainBlended } from './blended-digits.js';
import { type DigitNorm, pixelsOf } from './digits.js';

/** The ordinary parametrisation, with the same trunk and initialisation as `MIP_OPTIONS`. */
export const ordinary = {
  encoding: 'none',
  residual: 'none',
  init: 'fan-out',
  trunk: MIP_OPTIONS.trunk,
} as const satisfies HypernetOptions;

/** Mean loss over the last tenth of the steps. */
export function finalLoss(losses: readonly number[]): number {
  return summarize(losses.slice(-Math.max(1, Math.floor(losses.length / 10)))).mean;
}

/** Pearson's correlation. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [a, b].map((values) => {
    const { mean } = summarize(values);
    return values.map((value) => value - mean);
  }) as [number[], number[]];
  const dot = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, i) => sum + value * (q[i] as number), 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

/**
 * ‖h(γ)‖ over all generated weights, without θ⁰, and the variance of the classifier's first
 * activations.
 */
function magnitudes(options: HypernetOptions, images: DigitImages, seed: number) {
  const hypernet = blendedHypernet({ options: { ...options, residual: 'none' } }, new Random(seed));
  return (gamma: number) =>
    scope(() => {
      const weights = hypernet.generate(tensor([[gamma]]));
      const variance = hypernet.apply(weights, pixelsOf(images, Math.min(200, images.labels.length)), (live, x) =>
        (live.layers[0] as Linear).forward(x).variance().reshape([1, 1]),
      );
      return { norm: globalNorm(weights), variance: variance.item() };
    });
}

/** Norms of the generated weights by γ, before training. */
export function magnitudeStudy(images: DigitImages, seed: number): StudyResults {
  const gammas = [0.1, 0.2, 0.4, 0.8];
  const fine = Array.from({ length: 50 }, (_, i) => (i + 1) / 50);
  const measured = (
    [
      ['default', ordinary],
      ['MIP', MIP_OPTIONS],
    ] as const
  ).map(([name, options]) => {
    const at = magnitudes(options, images, seed);
    return {
      name,
      norms: gammas.map((gamma) => at(gamma).norm),
      spread: summarize(fine.map((gamma) => Math.log(at(gamma).norm))).sd,
      correlation: correlation(
        fine.map((gamma) => gamma ** 2),
        fine.map((gamma) => at(gamma).variance),
      ),
    };
  });
  const [before, after] = measured as [(typeof measured)[number], (typeof measured)[number]];
  return studyOf(
    {
      title: 'Norm of the generated weights, before training',
      note:
        'Norm of all generated weights (without θ⁰) by γ, the standard deviation of its logarithm over γ in 0.02 … 1, ' +
        'and the correlation of γ² with the variance of the target’s first activations.',
      columns: ['parametrisation', ...gammas.map((gamma) => `γ = ${gamma}`), 'spread', 'correlation'],
      rows: measured.map(({ name, norms, spread, correlation: r }) => [
        name,
        ...norms.map((norm) => norm.toFixed(4)),
        spread.toFixed(2),
        r.toFixed(3),
      ]),
    },
    {
      doubling: (before.norms[3] as number) / (before.norms[2] as number),
      correlation: before.correlation,
      spreadBefore: before.spread,
      spreadAfter: after.spread,
    },
  );
}

interface AblationCell {
  readonly activation: TrunkActivation;
  readonly dims: number;
  readonly width: number;
  readonly norm: DigitNorm;
}

const cells: readonly AblationCell[] = (['relu', 'leakyRelu', 'gelu', 'tanh'] as const).flatMap((activation) =>
  [1, 4, 8].flatMap((dims) =>
    [16, 128].flatMap((width) =>
      (['none', 'batch', 'layer'] as const).map((norm) => ({ activation, dims, width, norm })),
    ),
  ),
);

/**
 * Final losses of both parametrisations over activations, sizes of conditions, widths and norms of
 * the target.
 */
export async function ablationStudy(
  images: DigitImages,
  steps: number,
  { seed, signal, progress }: RunContext,
): Promise<StudyResults> {
  const rows: (string | number)[][] = [];
  let won = 0;
  for (const [at, { activation, width, ...cell }] of cells.entries()) {
    const trunk = mlpTrunk([16, 64, width], { activation, init: 'fan-out' });
    const lossOf = async (options: HypernetOptions) => {
      const setting: BlendedSetting = { ...cell, options: { ...options, trunk } };
      const optimizer = new Adam({ learningRate: 1e-3 });
      return finalLoss(
        (await trainBlended(setting, images, new Random(seed), { steps, batch: 64, optimizer, signal })).losses,
      );
    };
    const [plain, invariant] = [await lossOf(ordinary), await lossOf(MIP_OPTIONS)];
    // A diverged run does not count as better.
    if (Number.isFinite(invariant) && invariant <= plain) won += 1;
    rows.push([activation, cell.dims, width, cell.norm, plain.toFixed(3), invariant.toFixed(3)]);
    progress('ablation', (at + 1) / cells.length);
  }
  return studyOf(
    {
      title: 'Ablation: activations, conditions, widths, norms of the target',
      note: `Mean loss of the last tenth of ${steps} steps with Adam. MIP is at most the default's in ${won} of ${cells.length} cells.`,
      columns: ['activation', 'size of γ', 'width', 'norm', 'default', 'MIP'],
      rows,
    },
    { cells: won / cells.length },
  );
}
