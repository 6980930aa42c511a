// What contexts of tokens are trained with, and what is claimed of soft hypergraphs among them.

import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { choice, count, type OptionValues, rate, share } from '../parts/options.js';
import { PLAIN_NECK, SOFT_NECK } from './canvas-detection.js';
import { BALANCED, DETACHED, UNBALANCED } from './distinct-count.js';
import { ATTENTION, NONE, rivals, SES, SOFT } from './token-contexts.js';

export const contextOptions = {
  task: choice(['distinct', 'classify', 'count', 'detect'], 'what is learnt; the data set decides'),
  images: count(2000, 'training examples, images or canvases', { smoke: 100, minimum: 40 }),
  validation: count(300, 'canvases that choose learning rate and epoch', { smoke: 20 }),
  tests: count(600, 'test examples, images or canvases', { smoke: 40 }),
  epochs: count(15, 'epochs', { smoke: 2 }),
  batch: count(50, 'examples, images or canvases in a step', { minimum: 2 }),
  learningRate: rate(3e-3, "Adam's learning rate where it is not chosen"),
  trials: count(3, 'learning rates tried for each method', { smoke: 1, maximum: 3 }),
  tuning: share(0.3, 'share of the training images or canvases that a trial trains on', { minimum: 0.01 }),
  tokens: count(4096, 'tokens of the measurement of speed; 0 leaves it out', { smoke: 64, minimum: 0 }),
};

export type ContextValues = OptionValues<typeof contextOptions>;

/** Names of the data sets that are drawn. */
export const [GENERATED, COUNTS, BOXES] = ['distinct-count', 'digit-counts', 'digit-boxes'] as const;

type Run = Evidence<ContextValues>;
const { abstract, ours } = claimsOf<ContextValues>();
const leastAbove = (e: Run, title: string, metric: string) =>
  Math.min(...rivals.map((other) => e.gain(title, other, metric)));
/** The largest ratio of two methods' errors among the seeds. */
const mostRatio = (e: Run, title: string, other: string) =>
  e.most((score) => score(title, 'mae') / score(other, 'mae'));

/** Claims on each run. */
export const contextClaims = [
  ...where({ data: [GENERATED] }, [
    ours(`Mean error of ${SOFT} over none’s, most of the seeds`, atMost(0.5), (e) => mostRatio(e, SOFT, NONE)),
    ours(`Mean error of ${SOFT} over self-attention’s, most of the seeds`, atMost(1), (e) =>
      mostRatio(e, SOFT, ATTENTION),
    ),
    ours(`Mean error of ${SES} over none’s, most of the seeds`, atMost(0.6), (e) => mostRatio(e, SES, NONE)),
    abstract('balance', 'Entropy of use with load balance above without, least of the seeds', atLeast(0.2), (e) =>
      e.leastGain(BALANCED, UNBALANCED, 'entropy'),
    ),
    abstract('balance', 'Hyperedges that no example uses, with load balance, most of the seeds', atMost(0), (e) =>
      e.most((score) => score(BALANCED, 'dead')),
    ),
    ours('Entropy of use: the term without gradient less none at all, most of the seeds', atMost(0), (e) =>
      e.most((score) => Math.abs(score(DETACHED, 'entropy') - score(UNBALANCED, 'entropy'))),
    ),
  ]),
  ...where({ data: [GENERATED], when: ({ tokens }) => tokens > 0 }, [
    abstract('efficient', 'Slope of time over tokens on logarithmic axes', atMost(1.25), (e) => e.study('softSlope')),
    ours('Slope of self-attention', atLeast(1.6), (e) => e.study('attentionSlope')),
    abstract('efficient', 'Self-attention’s time over SoftHGNN’s at all tokens', atLeast(5), (e) =>
      e.study('overAttention'),
    ),
    abstract('efficient', 'HGNN’s time, search included, over SoftHGNN’s at all tokens', above(1), (e) =>
      e.study('overNearest'),
    ),
    ours('Slope of memory over tokens on logarithmic axes', atMost(1.25), (e) => e.study('memorySlope')),
    abstract('selection', 'Time of 256 hyperedges over that of 16 chosen of 256', atLeast(2.5), (e) =>
      e.study('saved'),
    ),
  ]),
  ...where({ data: ['cifar10'] }, [
    ...[SOFT, SES].map((title) =>
      abstract(
        'improvements',
        `${title} above the best of none, self-attention and HGNN (points)`,
        above(0),
        (e: Run) => leastAbove(e, title, 'accuracy'),
      ),
    ),
    ours(`${SOFT} above none (points)`, atLeast(-0.5), (e) => e.gain(SOFT, NONE, 'accuracy')),
  ]),
  ...where({ data: [COUNTS] }, [
    abstract('improvements', `Counting: mean error of ${SOFT} less none’s`, below(0), (e) => e.gain(SOFT, NONE, 'mae')),
  ]),
  ...where({ data: [BOXES] }, [
    abstract(
      'improvements',
      'Detection: AP50 with soft hypergraphs in the neck above without (points)',
      above(0),
      (e) => e.gain(SOFT_NECK, PLAIN_NECK, 'ap50'),
    ),
  ]),
];
