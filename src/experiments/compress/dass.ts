// DASS: cells searched while their operations are sparse, against cells of dense search, random
// cells and networks by hand, all pruned in the same three phases to as many weights.

import type { Layer } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { ImageClassifier } from '../../vision/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { count, type OptionValues, share } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { splitImages } from '../protocols/binary-networks.js';
import { cellMethod, cellNetworks, sparseCosts } from '../protocols/cell-methods.js';
import {
  DASS,
  DENSE,
  foundCells,
  MOBILE,
  ONE_SHOT,
  type PrunedNetwork,
  RESIDUAL,
  randomTitle,
} from '../protocols/cell-networks.js';
import { cellSpeedStudy, chosenAt, PLANTED_KEEP, plantedStudy, SPEED } from '../protocols/cell-studies.js';
import { oneImage, timesInTurns } from '../protocols/image-timings.js';
import { imageArtifacts, imageMetrics, imageTask, loadImageSet, shrunkImages } from '../protocols/images.js';

const options = {
  images: count(800, 'training images, the first ones', { smoke: 64, minimum: 64 }),
  validation: count(400, 'images after them that choose the rates', { smoke: 40, minimum: 20 }),
  tests: count(2000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  shrink: count(1, 'blocks of so many pixels a side are averaged; 2 makes 16×16 of 32×32'),
  keep: share(0.05, 'share of the weights of each layer that is kept', { minimum: 0.001 }),
  searchEpochs: count(3, 'epochs of the first and the last phase of a search', { smoke: 1 }),
  epochs: count(6, 'epochs of the first and the last phase of a training', { smoke: 1 }),
  batch: count(32, 'images per step', { minimum: 2 }),
  trials: count(3, 'settings of the rates tried for each network', { smoke: 1, maximum: 3 }),
  tuning: share(0.5, 'share of the training images that a trial trains on', { minimum: 0.01 }),
  width: count(8, 'channels C of the found cells; the others are as wide as gives as many weights', {
    ...{ smoke: 4, minimum: 2 },
  }),
  cells: count(3, 'cells of a network', { minimum: 3 }),
  nodes: count(3, 'nodes of a cell', { smoke: 1 }),
  draws: count(3, 'random cells', { smoke: 1 }),
  searches: count(5, 'searches on planted cues for each share; 0 leaves the study out', { smoke: 0, minimum: 0 }),
  speedWidth: count(36, 'channels C of the cells that are timed; 0 leaves the study out', { smoke: 0, minimum: 0 }),
};

type Values = OptionValues<typeof options>;
type Run = Evidence<Values>;

const draws = ({ draws: own }: Values) => Array.from({ length: own }, (_, draw) => randomTitle(draw));
const methods = (values: Values) => [DASS, ONE_SHOT, DENSE, ...draws(values), MOBILE, RESIDUAL];

const randomMean = (e: Run) => {
  const own = draws(e.options);
  return own.reduce((sum, title) => sum + e.mean(title, 'accuracy'), 0) / own.length;
};
const dass = (e: Run) => e.mean(DASS, 'accuracy');
const lost = (e: Run, title: string) => e.mean(title, 'dense') - e.mean(title, 'accuracy');
const { abstract, ours } = claimsOf<Values>();

const claims = [
  abstract('ineffective', 'Points lost by pruning: cells of dense search less DASS cells', above(0), (e) => {
    return lost(e, DENSE) - lost(e, DASS);
  }),
  abstract('accuracy', 'DASS above MobileNetV2, both sparse, as many weights (points)', atLeast(7.91), (e) =>
    e.gain(DASS, MOBILE, 'accuracy'),
  ),
  abstract(
    'speed',
    'Times faster than sparse MobileNetV2 of as many weights, plans of sparse kernels',
    atLeast(3.87),
    (e) => e.ratio(MOBILE, DASS, 'latency'),
  ),
  {
    ...abstract('outperform', 'DASS above the best of the others, as many weights (points)', above(0), (e) => {
      const others = [DENSE, MOBILE, RESIDUAL].map((title) => e.mean(title, 'accuracy'));
      return dass(e) - Math.max(randomMean(e), ...others);
    }),
    data: ['cifar10'],
  },
  ours('DASS above cells of dense search (points)', atLeast(0.5), (e) => e.gain(DASS, DENSE, 'accuracy')),
  ours('DASS above random cells, mean of all draws (points)', atLeast(1), (e) => dass(e) - randomMean(e)),
  ours('Scores that are trained above one-shot magnitude (points)', atLeast(0), (e) =>
    e.gain(DASS, ONE_SHOT, 'accuracy'),
  ),
  ours('Weights of the others over those of DASS cells, farthest', atMost(1.25), (e) =>
    Math.max(...methods(e.options).map((title) => Math.exp(Math.abs(Math.log(e.ratio(title, DASS, 'kept')))))),
  ),
  ...where<Values>({ when: ({ searches }) => searches > 0 }, [
    ours('Planted cues: share of dense searches that choose the convolution', atLeast(0.8), (e) =>
      e.study(chosenAt(1)),
    ),
    ours('Planted cues: share of sparse searches that choose it', atMost(0.2), (e) => e.study(chosenAt(PLANTED_KEEP))),
  ]),
  ...where<Values>({ when: ({ speedWidth }) => speedWidth > 0 }, [
    ours('1 % of the weights: 1×1 convolutions of a cell network, times faster than dense', atLeast(2), (e) =>
      e.study(SPEED.pointwise),
    ),
  ]),
];

export const experiment = defineExperiment({
  options,
  ...imageTask,
  ownData: 'none: use gossamer search, gossamer train and gossamer compress',
  async load(source, { images, validation, tests, shrink }, onDownload) {
    const data = await loadImageSet(source, { images: images + validation, tests }, onDownload);
    return { ...data, train: shrunkImages(data.train, shrink), test: shrunkImages(data.test, shrink) };
  },
  reproduction: [
    { data: 'cifar10', set: { shrink: 2 } },
    { data: 'cifar10', set: { images: 8000, validation: 2000, tests: 10_000, epochs: 12 }, long: true },
    { data: 'cifar10', set: { images: 8000, validation: 2000, tests: 10_000, epochs: 12, keep: 0.02 }, long: true },
    { data: 'fashion-mnist', set: { images: 8000, validation: 2000, tests: 10_000, epochs: 6 }, long: true },
  ],
  metrics: {
    ...imageMetrics,
    dense: { label: 'before pruning', unit: '%', digits: 2, better: 'larger' },
    kept: { label: 'non-zero weights of layers', digits: 0, better: 'neither' },
  },
  methods,
  notes: ({ keep, epochs, searchEpochs, trials, images, validation }) => [
    `Every network is trained dense for ${epochs} epochs, then scores for ${Math.ceil(epochs / 2)}, then the ${Number((100 * keep).toPrecision(3))} % of weights that are kept for ${epochs}, in every layer, by AdamW; rates are the best of ${trials} on ${validation} images. Test images are classified before and after pruning, once each, and choose nothing.`,
    `Searches see the ${images} training images, half for weights, half for α; ${searchEpochs}, ${Math.ceil(searchEpochs / 2)} and ${searchEpochs} epochs of the three phases, or as many of one dense phase. Cells are trained from new weights.`,
  ],
  async runSeed(loaded, values, context) {
    const { data, test } = splitImages(loaded, values.validation);
    const search = (keep: number) => foundCells(data, values, keep, context.random.split(`search ${keep}`), context);
    const [sparse, dense] = [await search(values.keep), await search(1)];
    const own = cellNetworks(data, values, sparse.genotype, dense.genotype, context.random.split('cells'));
    const models = new Map<string, Layer>();
    const { methods: scored } = await runMethods<PrunedNetwork>(
      own.map((method) => cellMethod(method, loaded, { ...data, test }, data, values)),
      context,
      {
        score: ({ model, dense: before }, { title }) => {
          models.set(title, model);
          return { ...sparseCosts(model, { ...data, test }), dense: before };
        },
      },
    );
    const arms = [...models].map(([title, model]) => ({
      title,
      model,
      plan: { sparse: { choose: 'measured' } } as const,
    }));
    const times = await timesInTurns(arms, { test }, { latency: oneImage });
    return {
      methods: scored.map((each) => ({ ...each, scores: { ...each.scores, ...times.get(each.method) } })),
      artifacts: () => {
        const { width, cells } = values;
        const classifier = ImageClassifier.create('dass', data, new Random(0), { width, cells }, sparse.genotype);
        return imageArtifacts(new ImageClassifier(classifier.description, models.get(DASS) as Layer), {
          ...data,
          test,
        });
      },
    };
  },
  studies: async (_, { searches, speedWidth }, context) =>
    joinStudies(
      searches > 0 ? await plantedStudy({ searches, images: 256, epochs: 8 }, context) : noStudies,
      speedWidth > 0 ? await cellSpeedStudy(speedWidth) : noStudies,
    ),
  claims,
  unmeasured: { imagenet: 'the images are not at hand' },
});
