// HyperPAVE: what people viewed and bought says which values a product has, also values that no
// labelled product has.

import { fitProducts } from '../../hypergraph/index.js';
import { Random } from '../../tensor/index.js';
import { above, atLeast, claimsOf, type Evidence } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { macroF1, parameters, relabelled, seconds } from '../parts/metrics.js';
import type { OptionValues } from '../parts/options.js';
import {
  ALL,
  CLASSIFICATION,
  GENERATION,
  GRAPH,
  PAIRS,
  productMethods,
  productOptions,
  productTitles,
  RANDOM,
  TEXT,
  USER,
} from '../protocols/product-methods.js';
import {
  describeProducts,
  GENERATED,
  loadProducts,
  productPredictions,
  productRun,
  productScores,
} from '../protocols/products.js';

type Options = OptionValues<typeof productOptions>;
type Run = Evidence<Options>;

const { abstract, ours } = claimsOf<Options>();
const share = (label: string) => ({ label, unit: '%', digits: 1, better: 'larger' }) as const;

const metricNames = { zeroShot: 'zero-shot mAP', f1: 'zero-shot macro-F1' } as const;

const claims = [
  ...[CLASSIFICATION, GENERATION].flatMap((other) =>
    (['zeroShot', 'f1'] as const).map((metric) =>
      ours(
        `${USER} above ${other.toLowerCase()}, least of the seeds (points of ${metricNames[metric]})`,
        above(0),
        (e: Run) => e.leastGain(USER, other, metric),
      ),
    ),
  ),
  abstract('unseen', `${USER} above random scores, least of the seeds (points of zero-shot mAP)`, above(0), (e: Run) =>
    e.leastGain(USER, RANDOM, 'zeroShot'),
  ),
  ...[TEXT, GRAPH, PAIRS].map((other) =>
    abstract(
      'representations',
      `${USER} above ${other.toLowerCase()} alone, least of the seeds (points of zero-shot mAP)`,
      above(0),
      (e: Run) => e.leastGain(USER, other, 'zeroShot'),
    ),
  ),
  ours(`${USER} as a multiple of classification (zero-shot mAP)`, atLeast(2), (e: Run) =>
    e.ratio(USER, CLASSIFICATION, 'zeroShot'),
  ),
  ours(`${USER} above text (points of zero-shot mAP)`, atLeast(-1), (e: Run) => e.gain(USER, TEXT, 'zeroShot')),
  ...[TEXT, USER, ALL].map((method) =>
    ours(`${method} as a multiple of random scores (zero-shot mAP)`, above(2), (e: Run) =>
      e.ratio(method, RANDOM, 'zeroShot'),
    ),
  ),
  ours(`${USER} above text (points of hit@10)`, atLeast(8), (e: Run) => e.gain(USER, TEXT, 'hit')),
  ours(`${ALL} above text (points of hit@10)`, atLeast(4), (e: Run) => e.gain(ALL, TEXT, 'hit')),
  ours(`${USER} above graph (points of hit@10)`, atLeast(8), (e: Run) => e.gain(USER, GRAPH, 'hit')),
  ours(`${USER} above text on unseen values that texts do not name (points of hit@10)`, atLeast(8), (e: Run) =>
    e.gain(USER, TEXT, 'implicit'),
  ),
];

export const experiment = defineExperiment({
  options: productOptions,
  datasets: [GENERATED],
  ownData:
    'a folder with products.csv (product,title,description,category,also_view,also_buy; lists separated by |) and ' +
    'attributes.csv (product,attribute,value), maybe values.csv and categories.csv; or a CSV with the columns of the ' +
    'release (asin, title&description, category_a, also_view, also_buy, label_text)',
  reproduction: [{ data: GENERATED }],
  metrics: {
    zeroShot: share('zero-shot mAP'),
    f1: relabelled(macroF1, { label: 'zero-shot macro-F1' }),
    support: { label: 'products a value', digits: 1, better: 'neither' },
    map: share('mAP, all values'),
    hit: share('hit@10, all values'),
    explicit: share('hit@10, unseen, in the text'),
    implicit: share('hit@10, unseen, not in the text'),
    seconds,
    parameters,
  },
  methods: () => productTitles,
  notes: ({ trials }) => [
    'Zero-shot: test products, ranked among the 12 % of values that no product of training or validation has. ' +
      '“All values”: seen and unseen ones compete. hit@10 is recall at 10. No label of a test product is seen.',
    `Each method has ${trials === 1 ? 'one learning rate' : `${trials} learning rates to choose from`}; rate and epoch are chosen by mean average precision on unseen values of validation products (of classification, which cannot know them, on all values).`,
    'Macro-F1 is over unseen values at a probability above ½ (of generation: the values that it writes), with the mean number of products of a value beside it.',
    'User behaviour finds unseen values that texts do not name, and costs some of those that they do: compare the two columns of unseen values.',
    'Outputs of classification for unseen values are not trained: they stay near ½, above those of most seen values, so that where all values compete it says little.',
    `“${PAIRS}” has a pair of products for each entry of a list, by the same convolution, where “user” has a hyperedge for each list; “${GRAPH}” has no lists.`,
    'Generation is a transformer that is trained here, not a large language model; the “user, …” rows are ablations: the released network without residual paths, training without episodes, words of equal weight.',
  ],
  load: (source, { products }) => loadProducts(source, products),
  describe: (data) => describeProducts(data, new Random(0).split('catalogue')),
  async runSeed(data, values, context) {
    const run = productRun(data, context.random);
    const { methods, kept } = await runMethods(productMethods(run, values), context, {
      score: (model) => productScores(model, run),
      keep: USER,
    });
    return {
      methods,
      async artifacts() {
        const { epochs, features, learningRate } = values;
        const options = { epochs, learningRate, network: { features } };
        const { model } = await fitProducts(run.catalogue, context.random.split('model'), options);
        return { model: model.save({ data: data.name }), ...(kept && { predictions: productPredictions(kept, run) }) };
      },
    };
  },
  claims,
  unmeasured: {
    outperforms:
      'neither MAVE nor large language models are run; small members of both families, trained here, are compared with as our own claims',
  },
});
