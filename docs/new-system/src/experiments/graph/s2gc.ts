// S²GC: the mean of many propagations, under a linear classifier, keeps what the last propagation
// loses.

import { type Recipe, type RecipeName, recipes, SGC } from '../../graph/index.js';
import { S2GC } from '../../graph/s2gc.js';
import { Random } from '../../tensor/index.js';
import { above, atLeast, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { accuracy, macroF1, parameters, seconds } from '../parts/metrics.js';
import { count, number, type OptionValues, rate, share } from '../parts/options.js';
import {
  describeNodes,
  loadNodes,
  type NodeModel,
  type NodeTask,
  nodeMethod,
  nodePredictions,
  nodeScores,
  nodeTask,
} from '../protocols/nodes.js';

const options = {
  steps: count(16, 'propagations K', { minimum: 3 }),
  alpha: share(0.05, 'share α of a node’s own features'),
  learningRate: rate(0.2, "Adam's learning rate"),
  weightDecay: number(5e-5, 'L2 weight decay', { minimum: 0 }),
  epochs: count(100, 'epochs of S²GC', { smoke: 40 }),
  baselineEpochs: count(400, 'epochs at most of the baselines', { smoke: 40 }),
};

type Options = OptionValues<typeof options>;

const S2GC_TITLE = 'S²GC';
const baselines: readonly RecipeName[] = ['mlp', 'gcn', 'sgc', 'appnp'];
const titleOf = (name: RecipeName) => recipes[name].title;
const deepSgc = (steps: number) => `SGC, K = ${steps}`;

function methodsOf(task: NodeTask, values: Options): Method<NodeModel>[] {
  const { steps, alpha, learningRate, weightDecay, epochs, baselineEpochs } = values;
  const baseline = (title: string, { create, training }: Recipe) =>
    nodeMethod(title, create, task, { ...training, epochs: Math.min(training.epochs ?? 200, baselineEpochs) });
  return [
    ...baselines.map((name) => baseline(titleOf(name), recipes[name])),
    baseline(deepSgc(steps), {
      ...recipes.sgc,
      create: (inFeatures, classes, random) => new SGC(inFeatures, classes, random, { steps }),
    }),
    nodeMethod(
      S2GC_TITLE,
      (inFeatures, classes, random) => new S2GC(inFeatures, classes, random, { steps, alpha }),
      task,
      { epochs, learningRate, weightDecay },
    ),
  ];
}

const aboveBest = (e: Evidence<Options>) =>
  Math.min(...baselines.map((name) => e.gain(S2GC_TITLE, titleOf(name), 'accuracy')));

const { abstract, paper, ours } = claimsOf<Options>();
const claims = [
  ...where({ data: ['cora', 'citeseer'] }, [
    abstract('competitive', 'Node classification: above the best baseline (points)', atLeast(-0.5), aboveBest),
    paper('Above SGC (points)', above(0), (e) => e.gain(S2GC_TITLE, titleOf('sgc'), 'accuracy')),
  ]),
  ...where({ when: ({ steps }) => steps >= 16 }, [
    abstract('oversmoothing', 'Above SGC after as many propagations (points)', above(0), (e) =>
      e.gain(S2GC_TITLE, deepSgc(e.options.steps), 'accuracy'),
    ),
  ]),
  ours('Above an MLP, which sees no graph, least of the seeds (points)', atLeast(5), (e) =>
    e.leastGain(S2GC_TITLE, titleOf('mlp'), 'accuracy'),
  ),
];

export const experiment = defineExperiment({
  options,
  datasets: ['blocks', 'cora', 'citeseer'],
  ownData: 'a .npz archive with edges [E, 2], labels, and x or x_indptr/x_indices/x_shape',
  reproduction: [{ data: 'blocks' }, { data: 'cora', seeds: 5 }, { data: 'citeseer', seeds: 5 }],
  metrics: { accuracy, macroF1, seconds, parameters },
  methods: ({ steps }) => [...baselines.map(titleOf), deepSgc(steps), S2GC_TITLE],
  notes: ({ steps, alpha }) => [
    `S²GC averages ${steps} propagations with α = ${alpha}. Baselines have the settings of their papers.`,
    'Transductive: all nodes and edges are seen while training, the labels of test nodes are not.',
  ],
  load: (source) => loadNodes(source, new Random(0)),
  describe: describeNodes,
  async runSeed(data, values, context) {
    const task = nodeTask(data, context.random);
    const { methods, kept } = await runMethods(methodsOf(task, values), context, {
      score: (model) => nodeScores(model, task),
      keep: S2GC_TITLE,
    });
    return { methods, artifacts: () => ({ predictions: kept && nodePredictions(kept, data) }) };
  },
  claims,
  unmeasured: { clustering: 'no protocol clusters nodes yet' },
});
