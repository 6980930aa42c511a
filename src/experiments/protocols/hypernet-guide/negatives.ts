// Adaptability where it is not needed: digits and their negatives, by filters that are generated
// from each image or by filters of the network's own.

import { DIGIT_CLASSES, DIGIT_PIXELS, glyphDigits } from '../../../data/index.js';
import { DataCondition, Hypernet, mlpTrunk } from '../../../hypernet/index.js';
import { accuracy, Conv2d, crossEntropy, Linear, MLP, predictedClasses } from '../../../nn/index.js';
import { type Random, scope, type Tensor, tensor } from '../../../tensor/index.js';
import { type GuideRow, train } from './row.js';

const [SIDE, KERNEL, BATCH] = [8, 3, 64];
const OUT = (SIDE - KERNEL + 1) ** 2;
/** Filters that give both about 5,560 parameters. */
const [GENERATED, OWN] = [8, 15];

/** Digits, each as it is or with dark and light exchanged. */
function drawDigits(count: number, random: Random): { readonly x: Tensor; readonly labels: Int32Array } {
  const { x, labels } = glyphDigits(count, random.split('digits'));
  const flips = random.split('flips');
  for (let i = 0; i < count; i++)
    if (flips.float() < 0.5)
      for (let at = i * DIGIT_PIXELS; at < (i + 1) * DIGIT_PIXELS; at++) x[at] = 1 - (x[at] as number);
  return { x: tensor(x, [count, DIGIT_PIXELS]), labels };
}

const headFor = (filters: number, random: Random) => new Linear(filters * OUT, DIGIT_CLASSES, random.split('head'));

/** Features of a convolution → logits [n, 10]. */
const classify = (features: Tensor, head: Linear) =>
  head.forward(features.relu().reshape([features.shape[0] as number, -1]));

const imagesOf = (x: Tensor) => x.reshape([x.shape[0] as number, 1, SIDE, SIDE]);

export const negatives: GuideRow = {
  problem: 'adaptability to negatives',
  design: 'DataCondition: the filters from the image',
  plain: 'a convolution, as large',
  measure: 'accuracy on digits and their negatives (%)',
  better: 'larger',
  async run(run) {
    const { random } = run;
    const encoder = new MLP([DIGIT_PIXELS, 16, 8], random.split('encoder'));
    const filters = new Hypernet(
      new Conv2d(1, GENERATED, KERNEL, random.split('filters')),
      new DataCondition(encoder, 8),
      random.split('hypernet'),
      { trunk: mlpTrunk([16]) },
    );
    const adaptive = { filters, head: headFor(GENERATED, random.split('adaptive')) };
    const plain = {
      filters: new Conv2d(1, OWN, KERNEL, random.split('plain filters')),
      head: headFor(OWN, random.split('plain')),
    };
    const generated = (live: typeof adaptive, x: Tensor) =>
      classify(
        live.filters.run(x, imagesOf(x), (own, seen) => own.forward(seen)),
        live.head,
      );
    const fixed = (live: typeof plain, x: Tensor) => classify(live.filters.forward(imagesOf(x)), live.head);
    const test = drawDigits(1000, random.split('test'));
    const scored = async <Model extends object>(model: Model, logits: (live: Model, x: Tensor) => Tensor) => {
      await train(
        model,
        (live, { random: draws }) => {
          const { x, labels } = drawDigits(BATCH, draws);
          return crossEntropy(logits(live, x), tensor(labels));
        },
        run,
      );
      return (
        100 *
        accuracy(
          scope(() => predictedClasses(logits(model, test.x))),
          test.labels,
        )
      );
    };
    return { hypernet: await scored(adaptive, generated), plain: await scored(plain, fixed) };
  },
};
