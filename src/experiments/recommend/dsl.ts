// DSL: recommenders that are sparse from the first step on, against dense ones, masks that stay,
// pruning after training, and small dense models of equal weights or bytes.

import { defineExperiment } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import {
  describeRecommendation,
  loadRecommendation,
  recommendationMetrics,
  recommendationTask,
} from '../protocols/recommendation.js';
import {
  armMethod,
  arms,
  armTitles,
  DENSE,
  NEAREST,
  POPULAR,
  type Trained,
  untrained,
} from '../protocols/recommendation-arms.js';
import { listed, recommendationClaims } from '../protocols/recommendation-claims.js';
import { otherKinds } from '../protocols/recommendation-kinds.js';

const options = {
  model: choice(['lightgcn', 'multvae', 'neumf'], 'what is trained, each by its own protocol'),
  densities: choice(['0.5,0.2,0.1', '0.5,0.1', '0.1,0.05', '0.5,0.1,0.05'], 'densities of DSL', { smoke: '0.1,0.05' }),
  rivals: choice(['0.1', '0.1,0.05', 'none'], 'densities of the other sparse and small models', { smoke: '0.1,0.05' }),
  epochs: count(40, 'epochs', { smoke: 6 }),
  trialEpochs: count(10, 'epochs of a trial, which chooses the rate', { smoke: 1 }),
  rates: count(3, 'rates tried on validation', { smoke: 1, maximum: 3 }),
  batch: count(2048, 'interactions, or users of Mult-VAE, in a batch'),
  interval: count(25, 'steps from one exploration to the next', { smoke: 5, minimum: 2 }),
  dim: count(64, 'numbers of an embedding; of NeuMF a quarter'),
  hidden: count(600, 'width of the hidden layers of Mult-VAE'),
  latent: count(200, 'width of its code'),
  negatives: count(100, 'negatives of a positive, NeuMF', { smoke: 4 }),
  kinds: choice(['no', 'yes'], 'whether the other two kinds of models are trained, too, in a study', { smoke: 'yes' }),
};

type Values = OptionValues<typeof options>;

const densitiesOf = ({ densities, rivals }: Values) => [listed(densities), listed(rivals)] as const;

export const experiment = defineExperiment({
  options,
  datasets: ['topics', 'gowalla-3k', 'gowalla'],
  ownData: 'a table of interactions (user, item and maybe rating and time), of which a fifth is the test',
  presets: {
    topics: { densities: '0.5,0.1,0.05', rivals: '0.1,0.05', batch: 1024, kinds: 'yes' },
    gowalla: { batch: 8192, epochs: 100, densities: '0.5,0.1' },
  },
  reproduction: [
    { data: 'topics' },
    { data: 'gowalla-3k' },
    {
      data: 'gowalla-3k',
      set: { model: 'multvae', batch: 16, epochs: 30, trialEpochs: 5, densities: '0.5,0.1', rivals: 'none' },
    },
    { data: 'gowalla-3k', set: { model: 'multvae', batch: 16, epochs: 30, trialEpochs: 30 }, long: true },
    { data: 'gowalla', seeds: 1, set: { rates: 1 }, long: true },
  ],
  metrics: recommendationMetrics,
  methods: (values) => [...armTitles(...densitiesOf(values)), POPULAR, NEAREST],
  notes: ({ epochs, trialEpochs, rates, interval }) => [
    `Every trained model has ${epochs} epochs; the best by NDCG@20 on validation counts. Its rate is the best of ${rates} after ${trialEpochs} epochs, on validation. Test interactions are read once.`,
    `Explorations are ${interval} steps apart. Bytes are those of weights, columns, starts of rows, Adam's moments and a bit for each place, not of activations, which LightGCN has in dense form in any case.`,
    'Multiply-adds are those of products, forward and backward, explorations included; pruning counts the training of the dense model. LightGCN saves in parameters, optimiser and the first and last propagation alone: later layers are dense.',
  ],
  load: loadRecommendation,
  describe: describeRecommendation,
  async runSeed(data, values, context) {
    const task = recommendationTask(data, values.model, context.random.split('task'));
    const [densities, rivals] = densitiesOf(values);
    const once = values.model === 'lightgcn' ? data : undefined;
    const [first, ...others] = arms(task, values, { densities, rivals, random: context.random });
    const method = (make: NonNullable<typeof first>, dense?: Trained) => armMethod(make(dense), task, values, once);
    const before = await runMethods([method(first as NonNullable<typeof first>)], context, { keep: DENSE });
    const after = await runMethods(
      others.map((make) => method(make, before.kept as Trained)),
      context,
    );
    const simple = await runMethods(untrained(task), context);
    return { methods: [...before.methods, ...after.methods, ...simple.methods] };
  },
  studies: otherKinds,
  claims: recommendationClaims,
  unmeasured: { architecture: 'no search for an architecture is run here' },
});
