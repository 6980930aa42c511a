// HyperInterval: boxes of weights, made from boxes of embeddings, in which each task stays solved;
// one network in all of them.

import { HyperInterval, type HyperIntervalOptions } from '../../hypernet/index.js';
import { above, atLeast, below, claimsOf, type Evidence, overallClaimsOf, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { count, type OptionValues } from '../parts/options.js';
import { type ContinualMethod, continualMetrics, continualOptions } from '../protocols/continual.js';
import { leadOver, surely } from '../protocols/continual-claims.js';
import { guaranteeScores } from '../protocols/continual-guarantees.js';
import {
  baselines,
  EWC,
  FINE_TUNING,
  HNET,
  hnet,
  INTERCONTINET,
  JOINT,
  outputsOf,
  SI,
} from '../protocols/continual-methods.js';
import { secondsTo } from '../protocols/continual-speed.js';
import { loadStreamData } from '../protocols/continual-streams.js';
import { continualTask, runContinual } from '../protocols/continual-task.js';

const HYPERINTERVAL = 'HyperInterval';
const NESTED = 'HyperInterval, nested';
const NO_WORST = 'HyperInterval, κ = 1';
const NOT_HELD = 'HyperInterval, β = 0';
const ownTitles = [HYPERINTERVAL, NESTED, NO_WORST, NOT_HELD];

/** Settings by ε, β and the learning rate. */
const settings = (...values: readonly (readonly [epsilon: number, strength: number, learningRate: number])[]) =>
  values.map(([epsilon, strength, learningRate]) => ({ epsilon, strength, learningRate }));

const apart = [
  ...settings([0.1, 0.01, 1e-3], [0.02, 0.01, 1e-3], [0.05, 0.1, 1e-3], [0.5, 0.01, 1e-3]),
  ...settings([0.02, 0.01, 3e-3], [0.02, 0.1, 1e-3], [0.1, 0.001, 1e-3], [0.1, 0.1, 1e-3]),
];
// Every weight is a sum over the last hidden layer, so that a step of Adam moves it by many times
// its rate: nested tasks, which share a network, need small rates and strong regularisers.
const nested = [
  ...settings([0.1, 0.03, 3e-4], [0.02, 0.03, 1e-3], [0.1, 0.1, 3e-4], [0.02, 0.1, 1e-3]),
  ...settings([0.02, 0.01, 1e-3], [0.005, 0.03, 1e-3], [1, 0.1, 3e-4], [0.1, 0.03, 1e-3]),
];

/** Dimension of an embedding. */
const DIMENSION = 24;

/** Options of the comparison. */
const options = {
  ...continualOptions,
  width: count(24, 'units of each of the two hidden layers of hypernetworks', { smoke: 12 }),
};

type Values = OptionValues<typeof options>;

function hyperInterval(
  { width }: Values,
  title: string,
  own: HyperIntervalOptions,
  settingOf?: ContinualMethod,
): ContinualMethod {
  const intervals = own.nested ? DIMENSION : 2 * DIMENSION;
  return {
    title,
    settings: own.nested ? nested : apart,
    ...(settingOf && { settingOf }),
    create: (setting, random, learner, tasks) =>
      new HyperInterval(random, {
        ...{ ...learner, ...setting, ...own },
        ...{ embedding: DIMENSION, hidden: [width, width] },
        classes: outputsOf(tasks, own.nested && learner.scenario === 'class'),
      }),
    score: (learned) => ({ ...guaranteeScores(learned), intervals }),
  };
}

const interContiNet: ContinualMethod = {
  ...baselines[INTERCONTINET],
  score: ({ learner }) => ({ intervals: learner.stored.rest }),
};

/** The method by scenario, with what is left out of it. */
function ownMethods(values: Values): readonly ContinualMethod[] {
  const { scenario } = values;
  const main = hyperInterval(values, HYPERINTERVAL, { nested: scenario === 'domain' });
  if (scenario === 'task') return [main, hyperInterval(values, NO_WORST, { nested: false, kappa: 1 }, main)];
  if (scenario === 'domain') return [main, hyperInterval(values, NOT_HELD, { nested: true, strength: 0 }, main)];
  return [main, hyperInterval(values, NESTED, { nested: true })];
}

const rivals = ({ width }: Values): readonly ContinualMethod[] => [
  interContiNet,
  hnet(HNET, { trunk: [width, width], embedding: DIMENSION }),
  ...([EWC, SI, FINE_TUNING, JOINT] as const).map((title) => baselines[title]),
];

const methodsOf = (values: Values) => [...ownMethods(values), ...rivals(values)];

const { abstract, ours } = claimsOf<Values>();
const overall = overallClaimsOf<Values>();
const inScenario = (...scenarios: readonly Values['scenario'][]) => ({
  when: ({ scenario }: Values) => scenarios.includes(scenario),
});
const isBest = (e: Evidence<Values>) => leadOver(e, HYPERINTERVAL, ownTitles) > 0;

export const experiment = defineExperiment({
  options,
  ...continualTask,
  ownData: 'none; gossamer fit --model hyperinterval learns tasks of your own, pictures or tables',
  presets: { cifar10: { network: 'convolutions', steps: 150 } },
  reproduction: [
    { data: 'mnist', set: { stream: 'split' } },
    { data: 'mnist', set: { tasks: 5 } },
    { data: 'mnist', set: { scenario: 'task', stream: 'split' } },
    { data: 'mnist', set: { scenario: 'task', tasks: 5 } },
    { data: 'mnist', set: { scenario: 'class', stream: 'split' } },
    { data: 'fashion-mnist', set: { stream: 'split' } },
    { data: 'cifar10', set: { scenario: 'task', stream: 'split' }, long: true },
    {
      data: 'mnist',
      set: { tasks: 10, pool: 1, hidden: 100, width: 75, steps: 500, tests: 10_000, trials: 8 },
      long: true,
    },
  ],
  metrics: {
    ...continualMetrics,
    certified: { label: 'certified', unit: '%', digits: 1, better: 'larger' },
    kept: { label: 'certified and right under one network', unit: '%', digits: 2, better: 'larger' },
    later: { label: 'certified just after and right at the end', unit: '%', digits: 1, better: 'larger' },
    single: { label: 'best network of a single task', unit: '%', digits: 1, better: 'larger' },
    intervals: { label: 'numbers of a box', digits: 0, better: 'smaller' },
  },
  methods: (values) => methodsOf(values).map(({ title }) => title),
  notes: ({ scenario, trials, tuningTasks, rows }) => [
    `Scenario "${scenario}"; every method is told the same. Each chooses from ${trials} settings by its accuracy on the last tenth of the ${rows} training images of the first ${tuningTasks} tasks, once for all seeds; test images are scored after each task and choose nothing.`,
    'Final accuracy: mean over the tasks after the last. Certified: right whatever weights are chosen within the bounds of the task. Joint training keeps all images. Forward transfer is over a network with random weights; the number of a box counts embeddings and radii, of InterContiNet centres and radii of all weights.',
  ],
  load: (source, values, onDownload) => loadStreamData(source, values, onDownload),
  runSeed: (data, values, context) => runContinual(methodsOf(values), data, values, context),
  studies: (data, values, context) => {
    const [main] = methodsOf(values) as [ContinualMethod];
    return secondsTo(main, interContiNet, data, values, context);
  },
  claims: [
    abstract('significant', 'Accuracy above InterContiNet’s, less two standard errors (points)', above(0), (e) =>
      surely(e, HYPERINTERVAL, INTERCONTINET),
    ),
    abstract('faster', 'Seconds of learning as a share of InterContiNet’s, as many steps', below(1), (e) =>
      e.ratio(HYPERINTERVAL, INTERCONTINET, 'seconds'),
    ),
    abstract('faster', 'Seconds to InterContiNet’s accuracy as a share of its own (∞: not reached)', below(1), (e) =>
      e.study('secondsTo'),
    ),
    abstract('manageable', 'Numbers of a task’s box as a share of InterContiNet’s', below(0.1), (e) =>
      e.ratio(HYPERINTERVAL, INTERCONTINET, 'intervals'),
    ),
    ...where(inScenario('domain'), [
      abstract(
        'guarantee',
        'Certified images that the one network has right, least of the seeds (%)',
        atLeast(100),
        (e) => e.least((score) => score(HYPERINTERVAL, 'kept')),
      ),
      abstract('universal', 'One network above the best network of a single task (points)', above(0), (e) =>
        e.least((score) => score(HYPERINTERVAL, 'accuracy') - score(HYPERINTERVAL, 'single')),
      ),
      abstract('universal', 'One network above fine-tuning (points)', above(0), (e) =>
        e.gain(HYPERINTERVAL, FINE_TUNING, 'accuracy'),
      ),
      ours('Above HyperInterval with β = 0 (points)', atLeast(10), (e) => e.gain(HYPERINTERVAL, NOT_HELD, 'accuracy')),
    ]),
    ...where(inScenario('task'), [
      ours('Accuracy above HNET’s (points)', atLeast(-2), (e) => e.gain(HYPERINTERVAL, HNET, 'accuracy')),
      ours('Certified above κ = 1 (points)', atLeast(20), (e) => e.gain(HYPERINTERVAL, NO_WORST, 'certified')),
    ]),
    ...where({ when: ({ scenario, stream }: Values) => scenario === 'task' && stream === 'split' }, [
      ours('Certified (%)', atLeast(50), (e) => e.mean(HYPERINTERVAL, 'certified')),
    ]),
  ],
  overall: [
    overall.abstract(
      'sota',
      'Streams on which it is the best of all that keep no images',
      atLeast(2),
      (runs) => runs.filter(isBest).length,
    ),
  ],
});
