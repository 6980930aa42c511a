// What LoGAH claims, on networks that start from its weights, and on sizes.

import { above, atLeast, atMost, below, type ClaimSpec, claimsOf, type Evidence, where } from '../parts/claims.js';
import { LOGAH, TILING } from './initial-weight-problems.js';
import { drawnStarts } from './initial-weights.js';

/** Options that claims depend on. */
interface Options {
  readonly steps: number;
  readonly epochs: number;
  readonly transfer: string;
  readonly large: string;
}

const { abstract, ours } = claimsOf<Options>();
type Run = Evidence<Options>;

const others = [...Object.keys(drawnStarts), TILING];

/** The least of its gains over the other starts, in standard errors of each. */
const leastAhead = (metric: string, sign: 1 | -1) => (e: Run) =>
  Math.min(
    ...others.map((other) => {
      const theirs = e.scores(other, metric);
      const gains = e.scores(LOGAH, metric).map((value, at) => sign * (value - (theirs[at] as number)));
      const mean = gains.reduce((a, b) => a + b, 0) / gains.length;
      const variance = gains.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, gains.length - 1);
      return mean / Math.max(Math.sqrt(variance / gains.length), 1e-9);
    }),
  );

const aheadOf = (other: string, metric: string) => (e: Run) => e.gain(LOGAH, other, metric);
const learnt = ({ steps }: Options) => steps >= 1000;
const isLong = ({ epochs }: Options) => epochs >= 20;

/** How far a study's number is from the one that is published. */
const off = (name: string, published: number) => (e: Run) => Math.abs(e.study(name) - published);

const sizes: readonly ClaimSpec<Options>[] = [
  abstract('hundredth', 'Parameters of GPT-2 Large over those of LoGAH-Tiny', atLeast(100), (e) => e.study('toTarget')),
  abstract('hundredth', 'Parameters of GHN-3 with whole blocks of 2048 over LoGAH-Small’s', atLeast(100), (e) =>
    e.study('toFull'),
  ),
  abstract('excessive', 'Growth of whole blocks from width 4096 to 8192 over that from 2048 to 4096', above(3.5), (e) =>
    e.study('quadratic'),
  ),
  ours('LoGAH-Tiny of width 2048: parameters off 2,540,252', atMost(0), off('tiny2048', 2_540_252)),
  ours('LoGAH-Tiny of width 8192: parameters off 5,784,284', atMost(0), off('tiny', 5_784_284)),
  ours('LoGAH-Small: parameters off 21,412,794', atMost(0), off('small', 21_412_794)),
  ours('GHN-3 with whole blocks of 2048: parameters off 2,160,963,080', atMost(0), off('full', 2_160_963_080)),
  ours('Parameters for a unit of width at rank 32, off 16·33', atMost(0), off('slope', 528)),
  ...where({ when: ({ large }) => large === 'gpt2-large' }, [
    abstract(
      'large',
      'Parameters predicted into a file, off the 774,030,080 of GPT-2 Large',
      atMost(0),
      off('predicted', 774_030_080),
    ),
    abstract('large', 'Memory while they are predicted (MB)', below(600), (e) => e.study('memory')),
    ours('The file is a GPT-2 whose loss is finite (share)', atLeast(1), (e) => e.study('finite')),
    ours('Its tensors that repeat a smaller part', atMost(0), (e) => e.study('repeated')),
  ]),
];

/** Claims on networks and on sizes. */
export const initialWeightClaims: readonly ClaimSpec<Options>[] = [
  ...where({ data: ['mnist'], when: isLong }, [
    abstract(
      'better',
      'Vision, beyond the family: accuracy at the end ahead of every start (standard errors)',
      above(2),
      leastAhead('finalBeyond', 1),
    ),
  ]),
  ...where({ data: ['tinyshakespeare'], when: isLong }, [
    abstract(
      'better',
      'Language, beyond the family: perplexity at the end below every start’s (standard errors)',
      above(2),
      leastAhead('finalBeyondPerplexity', -1),
    ),
  ]),
  ...where({ data: ['mnist', 'republic'], when: (values: Options) => values.transfer !== '' && learnt(values) }, [
    abstract(
      'transfer',
      'On other data: loss after 1 epoch, less the default start’s',
      below(0),
      aheadOf('default', 'transferFirst'),
    ),
    abstract(
      'transfer',
      'On other data: loss after 3 epochs, less the default start’s',
      below(0),
      aheadOf('default', 'transferThird'),
    ),
  ]),
  ...where({ data: ['mnist'], when: learnt }, [
    ours('Accuracy untrained, within the family (%)', atLeast(75), (e) => e.mean(LOGAH, 'untrainedWithin')),
    ours('Accuracy untrained, beyond the family (%)', atLeast(50), (e) => e.mean(LOGAH, 'untrainedBeyond')),
    ours('After 1 epoch, within: ahead of the default start (points)', atLeast(0), aheadOf('default', 'firstWithin')),
    ours(
      'After 1 epoch at rate 1e-4, within: ahead of the default start (points)',
      atLeast(15),
      aheadOf('default', 'lowWithin'),
    ),
    ours('Untrained, within: ahead of repeated blocks (points)', atLeast(10), aheadOf(TILING, 'untrainedWithin')),
  ]),
  ...where({ data: ['tinyshakespeare'], when: learnt }, [
    ours('Perplexity untrained, within: as a share of the default start’s', atMost(0.75), (e) =>
      e.ratio(LOGAH, 'default', 'untrainedWithinPerplexity'),
    ),
  ]),
  ...sizes,
];
