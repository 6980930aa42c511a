// SoftHGNN: groups of tokens, found anew in each picture, are seen at a cost linear in the tokens.

import { Random } from '../../tensor/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { accuracy, latency, parameters, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, number, type OptionValues, rate, share } from '../parts/options.js';
import { noStudies } from '../parts/studies.js';
import { runCounting } from '../protocols/canvas-counting.js';
import { neckTitles, PLAIN_NECK, runDetection, SOFT_NECK } from '../protocols/canvas-detection.js';
import { BATCH, runClassification } from '../protocols/context-classification.js';
import { speedStudy } from '../protocols/context-speed.js';
import { canvasData } from '../protocols/digit-canvases.js';
import {
  BALANCED,
  DETACHED,
  distinctTitles,
  drawDistinct,
  NONE_MAX,
  runDistinct,
  UNBALANCED,
} from '../protocols/distinct-count.js';
import { loadImageSet } from '../protocols/images.js';
import { ATTENTION, contextTitles, NONE, rivals, SES, SOFT } from '../protocols/token-contexts.js';

const options = {
  task: choice(['distinct', 'classify', 'count', 'detect'], 'what is learnt; the data set decides'),
  images: count(2000, 'training examples, images or canvases', { smoke: 100, minimum: 40 }),
  validation: count(300, 'canvases that choose learning rate and epoch', { smoke: 20 }),
  tests: count(600, 'test examples, images or canvases', { smoke: 40 }),
  epochs: count(15, 'epochs', { smoke: 2 }),
  batch: count(50, 'examples, images or canvases in a step', { minimum: 2 }),
  learningRate: rate(3e-3, "Adam's learning rate where it is not chosen"),
  trials: count(3, 'learning rates tried for each method', { smoke: 1, maximum: 3 }),
  tuning: share(0.5, 'share of the training images or canvases that a trial trains on', { minimum: 0.01 }),
  tokens: number(4096, 'tokens of the measurement of speed; 0 leaves it out', { smoke: 64, minimum: 0, integer: true }),
};

type Options = OptionValues<typeof options>;
type Run = Evidence<Options>;

const GENERATED = 'distinct-count';
const COUNTS = 'digit-counts';
const BOXES = 'digit-boxes';

const methodsOf: Readonly<Record<Options['task'], readonly string[]>> = {
  distinct: distinctTitles,
  classify: contextTitles,
  count: contextTitles,
  detect: neckTitles,
};

const { abstract, ours } = claimsOf<Options>();
const leastAbove = (e: Run, title: string, metric: string) =>
  Math.min(...rivals.map((other) => e.gain(title, other, metric)));
/** The largest ratio of two methods' errors among the seeds. */
const mostRatio = (e: Run, title: string, other: string) =>
  e.most((score) => score(title, 'mae') / score(other, 'mae'));

const claims = [
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

/** Canvases: digits as they fall, to be counted, or apart, to be found. */
const kinds = { count: { most: 20, overlapping: true }, detect: { most: 6, overlapping: false } } as const;

async function loadTask(source: string, values: Options, onDownload?: (name: string) => void) {
  const { task, images, tests } = values;
  if (source === GENERATED) return { task: 'distinct', data: undefined } as const;
  if (source === 'cifar10') {
    return { task: 'classify', data: await loadImageSet(source, { images, tests }, onDownload) } as const;
  }
  if (source !== COUNTS && source !== BOXES)
    throw new Error(`data set "${source}" is not known; there are ${[GENERATED, 'cifar10', COUNTS, BOXES].join(', ')}`);
  const digits = await loadImageSet('mnist', { images: 60_000, tests: 10_000 }, onDownload);
  const own = task === 'detect' ? 'detect' : 'count';
  return { task: own, data: canvasData(digits, values, kinds[own]) } as const;
}

export const experiment = defineExperiment({
  options,
  datasets: [GENERATED, 'cifar10', COUNTS, BOXES],
  ownData: 'none: use gossamer train --model vit-softhgnn, and gossamer fit --model count-softhgnn',
  presets: {
    [GENERATED]: { trials: 1 },
    cifar10: { task: 'classify', images: 2000, tests: 2000, epochs: 6, batch: 32 },
    [COUNTS]: { task: 'count', images: 800, tests: 500, epochs: 8, batch: 16 },
    [BOXES]: { task: 'detect', images: 800, tests: 400, epochs: 12, batch: 16 },
  },
  reproduction: [
    { data: GENERATED },
    { data: 'cifar10' },
    { data: COUNTS },
    { data: BOXES },
    { data: 'cifar10', set: { images: 5000, epochs: 20 }, long: true },
    { data: COUNTS, set: { images: 1500, epochs: 30 }, long: true },
    { data: BOXES, set: { images: 1500, epochs: 40 }, long: true },
  ],
  metrics: {
    accuracy: relabelled(accuracy, { digits: 2 }),
    gain: { label: 'over none', unit: 'points', digits: 2, better: 'larger' },
    mae: { label: 'MAE', digits: 3, better: 'smaller' },
    rmse: { label: 'RMSE', digits: 3, better: 'smaller' },
    ap50: { label: 'AP50', unit: '%', digits: 1, better: 'larger' },
    entropy: { label: 'entropy of use', digits: 2, better: 'larger' },
    dead: { label: 'unused hyperedges', digits: 1, better: 'smaller' },
    megaflops: { label: 'operations', unit: 'MFLOP', digits: 1, better: 'smaller' },
    parameters,
    latency: latency('one image'),
    batched: latency(`an image of ${BATCH}`),
    memory: { label: 'memory, one image', unit: 'MiB', digits: 1, better: 'smaller' },
    batchMemory: { label: `memory, ${BATCH} images`, unit: 'MiB', digits: 1, better: 'smaller' },
    seconds,
  },
  methods: ({ task }) => methodsOf[task],
  notes: ({ task, epochs, trials }) =>
    ({
      distinct: [
        `“${NONE_MAX}”: the largest of each channel sees by itself which classes occur, so that this control may win.`,
        'Entropy of use: of the shares of test examples that use each of 32 dynamic hyperedges; at most ln 32 = 3.47.',
      ],
      classify: [
        `One backbone, initial weights, batches and ${epochs} epochs for all. Learning rate (${trials} tried; of HGNN two more sizes of hyperedges) and epoch are chosen on a tenth of the training images; “over none” is paired by seed.`,
      ],
      count: [
        'RMSE is what the literature on crowds calls MSE. Learning rate and epoch are chosen on validation canvases.',
      ],
      detect: [
        'AP50: all-point average precision at an overlap of ½, the mean over classes. Operations of one canvas.',
      ],
    })[task],
  load: loadTask,
  describe: ({ task, data }) =>
    task === 'distinct'
      ? 'distinct count: 64 tokens of 12 classes, of which 1 … 12 occur'
      : task === 'classify'
        ? `${data.name}: ${data.train.count} training images, a tenth of them for validation, ${data.test.count} test images`
        : `${data.train.length} canvases of 96×96 with digits, ${data.validation.length} to choose on, ${data.test.length} to test`,
  runSeed(loaded, values, context) {
    if (loaded.task === 'distinct')
      return runDistinct(drawDistinct(values.images, values.tests, context.random.split('data')), values, context);
    if (loaded.task === 'classify') return runClassification(loaded.data, values, context);
    return loaded.task === 'count'
      ? runCounting(loaded.data, values, context)
      : runDetection(loaded.data, values, context);
  },
  studies: ({ task }, { tokens }, context) =>
    task === 'distinct' && tokens > 0 ? speedStudy(tokens, context) : noStudies,
  claims,
  unmeasured: {
    semantics: 'no set here says which tokens belong together in meaning; participation maps are in the report',
  },
});
