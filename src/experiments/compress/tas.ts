// TAS: widths and depths of a trained residual network, searched within a budget of multiply-adds,
// against pruning by norms, uniform widths and random shapes of equal multiply-adds.

import type { NetworkShape } from '../../models/index.js';
import type { Layer } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { choice, count, type OptionValues, share } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { splitImages } from '../protocols/binary-networks.js';
import { deployedScores, imageMetrics, imageTask, loadImageSet, shrunkImages } from '../protocols/images.js';
import {
  distilled,
  foundShape,
  GROUP,
  L1,
  randomTitle,
  shapeArms,
  shapeMethod,
  sparselyLearnt,
  TAS,
  TAS_NONE,
  TAS_WEIGHTS,
  TEACHER,
  UNIFORM,
  unpruned,
  variants,
} from '../protocols/pruned-shapes.js';
import { BUDGETS, budgetStudy, PLANTED, plantedWidthStudy } from '../protocols/shape-studies.js';

const options = {
  images: count(1600, 'training images, the first ones', { smoke: 64, minimum: 64 }),
  validation: count(400, 'images after them that choose the rates', { smoke: 40, minimum: 20 }),
  tests: count(2000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  shrink: count(1, 'blocks of so many pixels a side are averaged; 2 makes 16×16 of 32×32', { smoke: 2 }),
  budget: share(0.5, 'share of the multiply-adds of the unpruned network', { minimum: 0.1 }),
  width: count(8, 'channels of the first of three stages of ResNet-14', { smoke: 4, minimum: 4 }),
  searchEpochs: count(10, 'epochs of a search', { smoke: 1 }),
  epochs: count(10, 'epochs of every training', { smoke: 1 }),
  batch: count(32, 'images per step', { minimum: 2 }),
  trials: count(2, 'learning rates tried for each network', { smoke: 1, maximum: 3 }),
  tuning: share(0.5, 'share of the training images that a trial trains on', { minimum: 0.01 }),
  draws: count(3, 'random shapes', { smoke: 1 }),
  variants: choice(['no', 'yes'], 'whether widths alone, depths alone and other K are searched too'),
  studies: choice(['yes', 'no'], 'whether budgets and planted widths are searched', { smoke: 'no' }),
};

type Values = OptionValues<typeof options>;
type Run = Evidence<Values>;

const draws = ({ draws: own }: Values) => Array.from({ length: own }, (_, draw) => randomTitle(draw));
const traditional = [L1, distilled(L1), GROUP, distilled(GROUP)];
const small = (values: Values) => [
  ...[TAS, TAS_WEIGHTS, TAS_NONE, UNIFORM],
  ...draws(values),
  ...traditional,
  ...(values.variants === 'yes' ? Object.keys(variants) : []),
];

const accuracyOf = (e: Run, title: string) => e.mean(title, 'accuracy');
const over = (e: Run, titles: readonly string[]) =>
  accuracyOf(e, TAS) - Math.max(...titles.map((title) => accuracyOf(e, title)));
const randomMean = (e: Run) =>
  draws(e.options).reduce((sum, title) => sum + accuracyOf(e, title), 0) / draws(e.options).length;
const { abstract, ours } = claimsOf<Values>();
const bothTransfers = (e: Run) => over(e, [TAS_WEIGHTS, TAS_NONE]);

const claims = [
  ...where<Values>({ data: ['cifar10'] }, [
    abstract('effective', 'TAS above the best of traditional pruning, equal multiply-adds (points)', above(0), (e) =>
      over(e, traditional),
    ),
  ]),
  abstract(
    'components',
    'Search: TAS above random shapes, mean of all draws, all distilled (points)',
    above(0),
    (e) => accuracyOf(e, TAS) - randomMean(e),
  ),
  abstract(
    'components',
    'Transfer: distillation above weights and above none, TAS shape (points)',
    above(0),
    bothTransfers,
  ),
  ours('TAS above random shapes, mean of all draws (points)', atLeast(0.3), (e) => accuracyOf(e, TAS) - randomMean(e)),
  ours('TAS above uniform width, both distilled (points)', atLeast(-0.2), (e) => over(e, [UNIFORM])),
  ours('Multiply-adds of the others over those of TAS, farthest from 1 (%)', atMost(1), (e) =>
    Math.max(
      ...small(e.options)
        .filter((title) => !Object.hasOwn(variants, title))
        .map((title) => 100 * Math.abs(e.ratio(title, TAS, 'multiplyAdds') - 1)),
    ),
  ),
  ...where<Values>({ when: (values) => values.studies === 'yes' }, [
    ours('Budgets of 30, 50 and 70 %: farthest that a shape ends above (points)', atMost(0), (e) =>
      e.study(BUDGETS.above),
    ),
    ours('Budgets of 30, 50 and 70 %: farthest that a shape ends below (points)', atMost(5), (e) =>
      e.study(BUDGETS.below),
    ),
    ours('Entropy of widths after the search over that after an epoch, largest', below(1), (e) =>
      e.study(BUDGETS.entropy),
    ),
    ours('Four planted patterns: channels that are found without a budget', atLeast(4), (e) => e.study(PLANTED.free)),
    ours('Four planted patterns: channels found at half, less the largest within it, apart', atMost(0), (e) =>
      Math.abs(e.study(PLANTED.half) - 8),
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
    { data: 'cifar10', set: { shrink: 2 }, seeds: 3 },
    { data: 'cifar10', set: { shrink: 2, budget: 0.3, studies: 'no' }, seeds: 3 },
    { data: 'cifar10', set: { shrink: 2, variants: 'yes', studies: 'no' }, seeds: 3, long: true },
    { data: 'cifar10', set: { images: 8000, validation: 2000, width: 16, epochs: 20 }, long: true },
    { data: 'fashion-mnist', set: { images: 8000, validation: 2000, tests: 10_000 }, long: true },
  ],
  metrics: {
    accuracy: imageMetrics.accuracy,
    multiplyAdds: imageMetrics.multiplyAdds,
    parameters: imageMetrics.parameters,
    bytes: imageMetrics.bytes,
    seconds: imageMetrics.seconds,
  },
  methods: (values) => [TEACHER, ...small(values)],
  notes: ({ images, validation, epochs, searchEpochs, trials, budget }) => [
    `The unpruned network is a ResNet-14, trained for ${epochs} epochs, as all smaller networks are, on ${images} images; each learning rate is the best of ${trials} on ${validation} images. The last epoch counts; test images are read once.`,
    `Searches see half of the training images for weights, half for widths and depths, ${searchEpochs} epochs, within ${100 * budget} % of the multiply-adds. All small networks but the variants have those of the found shape, to 1 %.`,
    'Pruned networks keep the weights of the channels of the largest L1 norm, or the largest L2 norm over all weights of a dependency group after sparse learning of as many epochs as a search has, and are fine-tuned; distilled: with the unpruned network as teacher, 0.9 of the loss, T = 4.',
  ],
  async runSeed(loaded, values, context) {
    const { data, test } = splitImages(loaded, values.validation);
    const final = { ...data, test };
    const score = (model: Layer) => deployedScores(model, final);
    const first = { title: TEACHER, start: (random: Random) => unpruned(data, values.width, random) };
    const before = await runMethods([shapeMethod(first, loaded, data, values)], context, { keep: TEACHER, score });
    const teacher = before.kept as Layer;
    const shapes = new Map<string, NetworkShape>();
    const searched = { [TAS]: {}, ...(values.variants === 'yes' ? variants : {}) };
    for (const [title, own] of Object.entries(searched)) {
      const random = context.random.split(title);
      shapes.set(title, (await foundShape(data, values, values.budget, own, random, context)).shape);
    }
    const sparse = await sparselyLearnt(teacher, data, values, context.random.split('sparse learning'), context);
    const arms = shapeArms(data, values, { teacher, sparse }, shapes, context.random.split('random shapes'));
    const order = small(values);
    const own = order.flatMap((title) => arms.filter((arm) => arm.title === title));
    const after = await runMethods(
      own.map((arm) => shapeMethod(arm, loaded, data, values)),
      context,
      { score },
    );
    return { methods: [...before.methods, ...after.methods] };
  },
  studies: async (loaded, values, context) =>
    values.studies === 'yes'
      ? joinStudies(
          await budgetStudy(splitImages(loaded, values.validation).data, values, context),
          await plantedWidthStudy(context),
        )
      : noStudies,
  claims,
  unmeasured: { elsewhere: 'the images are not at hand' },
});
