// The review of hypernetworks: one hypernetwork serves tasks that contradict one another, stores
// less than the network that it makes, knows where it is unsure, and exists in every design by five
// criteria.

import { chunks, Hypernet, type HypernetOptions, mlpTrunk, TaskCondition } from '../../hypernet/index.js';
import { inference, MLP, type Mode, parameterCount } from '../../nn/index.js';
import { Random, type Tensor } from '../../tensor/index.js';
import { atLeast, atMost, below, claimsOf, where } from '../parts/claims.js';
import { defineExperiment, type StudyResults } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, parameters, relabelled } from '../parts/metrics.js';
import { count, type OptionValues } from '../parts/options.js';
import { joinStudies, studyOf } from '../parts/studies.js';
import { designStudy } from '../protocols/designs.js';
import { DigitNetwork, digitAccuracy, drawnDigits, trainOnDigits } from '../protocols/digits.js';
import { uncertaintyStudy } from '../protocols/noisy-sine.js';
import {
  describeTasks,
  drawTasks,
  type Task,
  type TaskModel,
  type TrainedTasks,
  taskMethod,
  taskPredictions,
  taskScores,
} from '../protocols/tasks.js';

const options = {
  points: count(2000, 'points of each task, half of them to test', { smoke: 300, minimum: 10 }),
  steps: count(1500, 'steps of training', { smoke: 150, minimum: 10 }),
  designSteps: count(30, 'steps of each design', { smoke: 4 }),
};

type Options = OptionValues<typeof options>;

const rules = {
  'x₁·x₂ > 0': (a: number, b: number) => a * b > 0,
  'x₁² + x₂² > 1': (a: number, b: number) => a * a + b * b > 1,
};

const OWN = 'a network for each task';
const SHARED = 'one network for both';
const ONCE = 'hypernetwork, all at once';
const CHUNKS = 'hypernetwork, in chunks';

const network = (random: Random) => new MLP([2, 16, 1], random);

function networks(tasks: readonly Task[], random: Random): TaskModel<MLP[]> {
  const model = tasks.map((_, t) => network(random.split(t)));
  return {
    model,
    size: parameterCount(model),
    logits: (live, t, x, mode) => (live[t] as MLP).forward(x, mode),
  };
}

function sharedNetwork(random: Random): TaskModel<MLP> {
  const model = network(random);
  return { model, size: parameterCount(model), logits: (live, _t, x, mode) => live.forward(x, mode) };
}

type TaskHypernet = Hypernet<MLP, readonly number[] | Int32Array>;

function hypernetwork(tasks: readonly Task[], random: Random, own: HypernetOptions): TaskModel<TaskHypernet> {
  const condition = new TaskCondition(tasks.length, 4, random.split('tasks'));
  const model = new Hypernet(network(random.split('target')), condition, random.split('hypernet'), own);
  return {
    model,
    size: model.size,
    logits: (live, t, x, mode) => live.run([t], x, (made, seen) => made.forward(seen, mode)),
  };
}

const methodsOf = (tasks: readonly Task[], { steps }: Options) => [
  taskMethod(OWN, tasks, (random) => networks(tasks, random), { steps, order: 'together' }),
  taskMethod(SHARED, tasks, sharedNetwork, { steps, order: 'turns' }),
  taskMethod(ONCE, tasks, (random) => hypernetwork(tasks, random, { trunk: mlpTrunk([32]) }), {
    steps,
    order: 'turns',
  }),
  taskMethod(
    CHUNKS,
    tasks,
    (random) => hypernetwork(tasks, random, { trunk: mlpTrunk([16]), generator: chunks(8, 4) }),
    { steps, order: 'turns' },
  ),
];

/** A network trained as it is, and one made in chunks by a hypernetwork that stores less. */
async function compressionStudy(steps: number, seed: number): Promise<StudyResults> {
  const random = new Random(seed).split('compression');
  const data = drawnDigits(random);
  const make = () => new DigitNetwork([100, 100], random.split('target'));
  const train = async <Model extends object>(model: Model, logits: (live: Model, x: Tensor, mode: Mode) => Tensor) => {
    await trainOnDigits(model, logits, data, { steps, random: random.split('training') });
    return digitAccuracy(data.test, (x) => logits(model, x, inference));
  };
  const direct = make();
  const hypernet = new Hypernet(make(), new TaskCondition(1, 8, random.split('task')), random.split('hypernet'), {
    trunk: mlpTrunk([24]),
    generator: chunks(400, 8),
  });
  const [full, stored] = [parameterCount(direct), hypernet.size];
  const trained = await train(direct, (live, x, mode) => live.forward(x, mode));
  const made = await train(hypernet, (live, x, mode) => live.run([0], x, (own, seen) => own.forward(seen, mode)));
  return studyOf(
    {
      title: 'Compression: a perceptron 64-100-100-10 for digits of 8 × 8 pixels',
      note: `${steps} steps of 64 images each; the hypernetwork makes the weights in chunks of 400.`,
      columns: ['network', 'parameters stored', 'accuracy (%)'],
      rows: [
        ['trained as it is', full.toLocaleString('en'), trained.toFixed(1)],
        ['made in chunks', stored.toLocaleString('en'), made.toFixed(1)],
      ],
    },
    { compression: stored / full, kept: made / trained },
  );
}

const { abstract, ours } = claimsOf<Options>();

const claims = [
  ...where({ when: ({ steps }) => steps >= 1500 }, [
    abstract('example', 'One hypernetwork, the worse of two tasks, least of the seeds (%)', atLeast(97), (e) =>
      e.least((score) => score(ONCE, 'worst')),
    ),
    abstract('compression', 'Made in chunks: parameters stored, as a share of the network’s', below(1), (e) =>
      e.study('compression'),
    ),
    abstract('compression', 'Made in chunks: share of the accuracy', atLeast(0.97), (e) => e.study('kept')),
  ]),
  ours('Made in chunks: parameters stored, as a share of the network’s', atMost(0.75), (e) => e.study('compression')),
  ours('One network without a condition, mean accuracy (%)', atMost(80), (e) => e.mean(SHARED, 'accuracy')),
  ours('Predictive deviation outside the data against inside (times)', atLeast(2), (e) => e.study('uncertainty')),
  ...where({ when: ({ designSteps }) => designSteps >= 30 }, [
    abstract('criteria', 'Designs that exist whose loss falls by a fifth (share)', atLeast(1), (e) => e.study('fell')),
  ]),
  ours('Designs whose loss is not finite in the end', atMost(0), (e) => e.study('notFinite')),
];

export const experiment = defineExperiment({
  options,
  datasets: ['two-tasks'],
  ownData: 'none: the tasks are generated',
  reproduction: [{ data: 'two-tasks', seeds: 5 }],
  metrics: {
    accuracy,
    worst: relabelled(accuracy, { label: 'worse task' }),
    parameters: relabelled(parameters, { label: 'parameters stored' }),
  },
  methods: () => [OWN, SHARED, ONCE, CHUNKS],
  notes: () => [
    'Two tasks on the same square whose labels contradict each other: the sign of a product, and inside or outside of a circle. Targets are perceptrons 2-16-1.',
  ],
  load(source, { points }) {
    if (source !== 'two-tasks') throw new Error(`unknown tasks "${source}"; known: two-tasks`);
    return drawTasks(rules, points, new Random(0));
  },
  describe: describeTasks,
  async runSeed(tasks, values, context) {
    const { methods, kept } = await runMethods(methodsOf(tasks, values), context, {
      score: (model) => taskScores(model, tasks),
      keep: ONCE,
    });
    return { methods, artifacts: () => ({ predictions: taskPredictions(kept as TrainedTasks, tasks) }) };
  },
  studies: async (_tasks, { steps, designSteps }, context) =>
    joinStudies(
      await designStudy(designSteps, context),
      await compressionStudy(steps, context.seed),
      await uncertaintyStudy(steps, context),
    ),
  claims,
  unmeasured: {
    flexibility: 'new tasks by their embedding alone, filters by data and weights by step are not measured',
    training: 'steps to a loss with and without a hypernetwork are not counted',
    sharing: 'what tasks gain from one another needs tasks that are alike; these two contradict each other',
    problems: 'of the eight problems, uncertainty alone is measured',
  },
});
