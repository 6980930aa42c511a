// What magnitude-invariant parametrisation must show on blended digits, and in the studies of the
// weights' magnitude, of the cost of a step, of other tasks, of networks that are converted and of
// the ablation.

import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { summarize } from '../parts/statistics.js';
import { armTitle, DEFAULT, ENCODING, MIP, NORMED, RESIDUAL, SIGNED } from './blended-arms.js';
import { digitSets } from './digits.js';

/** The options that claims depend on. */
export interface BlendedRun {
  readonly steps: number;
  readonly tuning: 'on' | 'off';
  /** Steps of the other tasks; 0 where they are left out. */
  readonly tasks: number;
  /** Steps of networks that are converted. */
  readonly conversions: number;
  /** Steps of a cell of the ablation; 0 where it is left out. */
  readonly grid: number;
}

const [plain, invariant] = [armTitle(DEFAULT, 'Adam'), armTitle(MIP, 'Adam')];
const [plainSgd, invariantSgd] = [armTitle(DEFAULT, 'SGD'), armTitle(MIP, 'SGD')];
const [plainTuned, invariantTuned] = [armTitle(DEFAULT, 'Adam', true), armTitle(MIP, 'Adam', true)];
const sgdTuned = [armTitle(MIP, 'SGD', true), armTitle(DEFAULT, 'SGD', true)] as const;

/**
 * Steps of the other method to its final loss over those of the method to the same loss, the least
 * of the seeds.
 */
const faster = (e: Evidence<BlendedRun>, method: string, other: string) =>
  e.least((score) => score(other, 'steps') / score(method, 'steps'));

/**
 * MIP's mean final loss less that of the better of its two parts, and one standard error over the
 * seeds less.
 */
function behindParts(e: Evidence<BlendedRun>): number {
  const [encoding, residual] = [armTitle(ENCODING, 'Adam'), armTitle(RESIDUAL, 'Adam')] as const;
  const part = e.mean(encoding, 'loss') < e.mean(residual, 'loss') ? encoding : residual;
  const losses = e.scores(part, 'loss');
  const { mean, sd } = summarize(e.scores(invariant, 'loss').map((value, seed) => value - (losses[seed] as number)));
  return mean - sd / Math.sqrt(losses.length);
}

const { abstract, ours } = claimsOf<BlendedRun>();

/** The claims on blended digits and the studies beside them. */
export const blendedClaims = where<BlendedRun>({ data: digitSets }, [
  abstract('proportionality', 'Default: a doubled γ scales the weights by 2, off by', atMost(1e-3), (e) =>
    Math.abs(e.study('doubling') - 2),
  ),
  abstract('proportionality', 'Default: correlation of γ² and the variance of activations', atLeast(0.99), (e) =>
    e.study('correlation'),
  ),
  ours('Default: spread of the logarithm of the weights’ norm over γ', atLeast(0.85), (e) => e.study('spreadBefore')),
  ours('MIP: spread of the logarithm of the weights’ norm over γ', atMost(0.5), (e) => e.study('spreadAfter')),
  abstract('code', 'Networks converted: the most by which outputs at θ⁰ differ', atMost(0), (e) =>
    e.study('conversionDifference'),
  ),
  ...where({ when: ({ conversions }) => conversions >= 120 }, [
    abstract('code', 'Networks converted whose loss falls by a tenth (share)', atLeast(1), (e) =>
      e.study('conversionFalls'),
    ),
  ]),
  ...where({ when: ({ steps }) => steps >= 800 }, [
    ours('Default after 200 steps: correlation of γ² and the variance of activations', atLeast(0.9), (e) =>
      e.study('correlationTrained'),
    ),
    abstract('unstable', 'SGD: the default, mean accuracy (%, chance is 10)', atMost(20), (e) =>
      e.mean(plainSgd, 'accuracy'),
    ),
    abstract('unstable', 'SGD: MIP at the same rate, mean accuracy (%)', above(20), (e) =>
      e.mean(invariantSgd, 'accuracy'),
    ),
    ours('SGD: MIP, mean accuracy (%)', atLeast(60), (e) => e.mean(invariantSgd, 'accuracy')),
    ours('Adam: MIP above the default, mean (points)', atLeast(5), (e) => e.gain(invariant, plain, 'accuracy')),
    ours('Adam: steps to the default’s final loss, default against MIP, least of the seeds', atLeast(1.2), (e) =>
      faster(e, invariant, plain),
    ),
    ours('Adam: variation of gradient norms in 200 steps, MIP less default, most of the seeds', below(0), (e) =>
      e.most((score) => score(invariant, 'variation') - score(plain, 'variation')),
    ),
    ours('Adam: variation of gradient norms in all steps, MIP less default, most of the seeds', below(0), (e) =>
      e.most((score) => score(invariant, 'variationAll') - score(plain, 'variationAll')),
    ),
    ...[ENCODING, RESIDUAL].map((name) =>
      ours(`Adam: ${name}, final loss less the default’s, mean`, atMost(0), (e) =>
        e.gain(armTitle(name, 'Adam'), plain, 'loss'),
      ),
    ),
    ours('Adam: MIP’s final loss less that of the better of its parts and a standard error', atMost(0), behindParts),
    ours('Time of a step, MIP’s as a share of the default’s', atMost(1.1), (e) => e.study('cost')),
  ]),
  ...where({ when: ({ steps, tuning }) => steps >= 800 && tuning === 'on' }, [
    abstract('tasks', 'Digits, rates chosen: steps to the default’s loss, default against MIP, least', above(1), (e) =>
      faster(e, invariantTuned, plainTuned),
    ),
    ours('Adam, rates chosen: MIP above each form of the default, least of the means (points)', above(0), (e) =>
      Math.min(
        ...[DEFAULT, SIGNED, NORMED].map((name) => e.gain(invariantTuned, armTitle(name, 'Adam', true), 'accuracy')),
      ),
    ),
    ours('SGD, rates chosen: MIP above the default, mean (points)', above(0), (e) => e.gain(...sgdTuned, 'accuracy')),
  ]),
  ...where({ when: ({ tasks }) => tasks >= 300 }, [
    abstract(
      'tasks',
      'Three other tasks and seeds where MIP’s final loss is at most the default’s (share)',
      atLeast(1),
      (e) => e.study('tasksBetter'),
    ),
    abstract('tasks', 'Three other tasks: steps to the default’s loss, default against MIP, least', above(1), (e) =>
      e.study('tasksFaster'),
    ),
  ]),
  ...where({ when: ({ grid }) => grid >= 300 }, [
    abstract(
      'ablation',
      'Cells of the ablation, of 72, where MIP’s final loss is at most the default’s',
      atLeast(72),
      (e) => e.study('cells'),
    ),
    ours('Share of cells of the ablation where MIP is not behind', atLeast(0.8), (e) => e.study('share')),
  ]),
]);
