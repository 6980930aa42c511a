// How the norm of generated weights depends on the condition, and where removing this dependence
// helps training: the studies of magnitude-invariant parametrisations.

import type { DigitImages } from '../../data/index.js';
import { type HypernetOptions, MIP_OPTIONS, mlpTrunk, type TrunkActivation } from '../../hypernet/index.js';
import { Adam, globalNorm, type Linear } from '../../nn/index.js';
import { Random, scope, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { type BlendedHypernet, type BlendedSetting, blendedHypernet, trainBlended } from './blended-digits.js';
import { type DigitData, type DigitNorm, pixelsOf } from './digits.js';

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

/**
 * First step from which the mean loss of 20 steps is at most `goal`; the number of steps when it
 * never is.
 */
export function stepsTo(losses: readonly number[], goal: number): number {
  for (let at = 20; at <= losses.length; at++) if (summarize(losses.slice(at - 20, at)).mean <= goal) return at;
  return losses.length;
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
function magnitudes(hypernet: BlendedHypernet, images: DigitImages) {
  const x = pixelsOf(images, Math.min(200, images.labels.length));
  return (gamma: number) =>
    scope(() => {
      const weights = hypernet.generate(tensor([[gamma]]));
      const variance = hypernet.apply(weights, x, (live, seen) =>
        (live.layers[0] as Linear).forward(seen).variance().reshape([1, 1]),
      );
      return { norm: globalNorm(weights), variance: variance.item() };
    });
}

const coarse = [0.1, 0.2, 0.4, 0.8];
const fine = Array.from({ length: 50 }, (_, i) => (i + 1) / 50);

function magnitudesOf(hypernet: BlendedHypernet, images: DigitImages) {
  const at = magnitudes(hypernet, images);
  return {
    norms: coarse.map((gamma) => at(gamma).norm),
    spread: summarize(fine.map((gamma) => Math.log(at(gamma).norm))).sd,
    correlation: correlation(
      fine.map((gamma) => gamma ** 2),
      fine.map((gamma) => at(gamma).variance),
    ),
  };
}

/** Norms of the generated weights by γ, before training, and of the default after some steps. */
export async function magnitudeStudy({ train, test }: DigitData, steps: number, seed: number): Promise<StudyResults> {
  const setting = { options: ordinary };
  const before = magnitudesOf(blendedHypernet(setting, new Random(seed)), test);
  const bare = { ...MIP_OPTIONS, residual: 'none' } as const;
  const after = magnitudesOf(blendedHypernet({ options: bare }, new Random(seed)), test);
  const training = { steps, batch: 64, optimizer: new Adam({ learningRate: 1e-3 }) };
  const { hypernet } = await trainBlended(setting, train, new Random(seed), training);
  const trained = magnitudesOf(hypernet, test);
  const rows = Object.entries({ default: before, [`default, ${steps} steps of Adam`]: trained, MIP: after });
  return studyOf(
    {
      title: 'Norm of the generated weights, before training and early in it',
      note:
        'Norm of all generated weights (without θ⁰) by γ, the standard deviation of its logarithm over γ in 0.02 … 1, ' +
        'and the correlation of γ² with the variance of the target’s first activations.',
      columns: ['parametrisation', ...coarse.map((gamma) => `γ = ${gamma}`), 'spread', 'correlation'],
      rows: rows.map(([name, { norms, spread, correlation: r }]) => [
        name,
        ...norms.map((norm) => norm.toFixed(4)),
        spread.toFixed(2),
        r.toFixed(3),
      ]),
    },
    {
      doubling: (before.norms[3] as number) / (before.norms[2] as number),
      correlation: before.correlation,
      correlationTrained: trained.correlation,
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

/** All combinations of four activations, three sizes of γ, two widths and three norms: 72. */
export const ablationCells: readonly AblationCell[] = (['relu', 'leakyRelu', 'gelu', 'tanh'] as const).flatMap(
  (activation) =>
    [1, 4, 8].flatMap((dims) =>
      [16, 128].flatMap((width) =>
        (['none', 'batch', 'layer'] as const).map((norm) => ({ activation, dims, width, norm })),
      ),
    ),
);

const ABLATION_SEEDS = 2;

/** The mean of final losses; Infinity where one diverged. */
function meanLoss(losses: readonly number[]): number {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return Number.isFinite(mean) ? mean : Number.POSITIVE_INFINITY;
}

/**
 * Final losses of both parametrisations over activations, sizes of conditions, widths and norms of
 * the target, each the mean of two seeds.
 */
export async function ablationStudy(
  images: DigitImages,
  steps: number,
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
  cells = ablationCells,
): Promise<StudyResults> {
  const rows: (string | number)[][] = [];
  let won = 0;
  for (const [at, { activation, width, ...cell }] of cells.entries()) {
    const trunk = mlpTrunk([16, 64, width], { activation, init: 'fan-out' });
    const lossOf = async (options: HypernetOptions) => {
      const setting: BlendedSetting = { ...cell, options: { ...options, trunk } };
      const losses: number[] = [];
      for (let i = 0; i < ABLATION_SEEDS; i++) {
        const optimizer = new Adam({ learningRate: 1e-3 });
        const random = new Random(seed + i);
        losses.push(
          finalLoss((await trainBlended(setting, images, random, { steps, batch: 64, optimizer, signal })).losses),
        );
      }
      return meanLoss(losses);
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
      note: `Mean loss of the last tenth of ${steps} steps with Adam, over ${ABLATION_SEEDS} seeds. MIP is at most the default's in ${won} of ${cells.length} cells.`,
      columns: ['activation', 'size of γ', 'width', 'norm', 'default', 'MIP'],
      rows,
    },
    { cells: won, share: won / cells.length },
  );
}
