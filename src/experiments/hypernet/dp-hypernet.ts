// Dependency-preserving hypernetworks: a recurrent hypernetwork makes the layers of each task's
// network one after another. The formulas of regulariser and growth are our reconstruction.

import { above, atLeast, atMost, claimsOf, type Evidence, overallClaimsOf, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { continualMetrics } from '../protocols/continual.js';
import { leadOver, surely } from '../protocols/continual-claims.js';
import { dependencyStudy, growthStudy } from '../protocols/continual-growth.js';
import { FINE_TUNING, SEPARATE } from '../protocols/continual-methods.js';
import { loadStreamData } from '../protocols/continual-streams.js';
import { continualTask, runContinual } from '../protocols/continual-task.js';
import {
  FULL,
  IMPORTANCE,
  NOT_HELD,
  PLAIN,
  type RecurrentValues,
  recurrent,
  recurrentMethods,
  recurrentOptions,
  recurrentTitles,
} from '../protocols/recurrent-methods.js';

type Run = Evidence<RecurrentValues>;
const { abstract, ours } = claimsOf<RecurrentValues>();
const overall = overallClaimsOf<RecurrentValues>();

/** How far the full method is above the best baseline of at most as many numbers. */
const lead = (e: Run) =>
  leadOver(e, FULL, recurrentTitles, (method) => e.mean(method, 'stored') <= e.mean(FULL, 'stored'));
/** Numbers without the importances that the regulariser keeps. */
const made = (e: Run) => e.mean(PLAIN, 'stored');

export const experiment = defineExperiment({
  options: recurrentOptions,
  ...continualTask,
  ownData: 'none; gossamer fit --model dp-hypernet learns tasks of your own, pictures or tables',
  presets: { cifar10: { network: 'convolutions', units: 16, chunk: 200, steps: 150 } },
  reproduction: [
    { data: 'mnist', set: { scenario: 'task' } },
    { data: 'mnist', set: { growth: 0, stream: 'split' } },
    { data: 'mnist', set: { growth: 0, scenario: 'class', stream: 'split' } },
    { data: 'fashion-mnist', set: { growth: 0 } },
    { data: 'cifar10', set: { growth: 0, scenario: 'task', stream: 'split' }, long: true },
    {
      data: 'mnist',
      set: {
        scenario: 'task',
        tasks: 10,
        pool: 1,
        hidden: 64,
        units: 64,
        chunk: 600,
        steps: 500,
        tests: 10_000,
        trials: 8,
        growth: 500,
      },
      long: true,
    },
  ],
  metrics: continualMetrics,
  methods: (values) => recurrentMethods(values).map(({ title }) => title),
  notes: ({ scenario, trials, tuningTasks, rows }) => [
    'Our reconstruction: the abstract names a regulariser and growth for recurrent hypernetworks, their formulas are ours.',
    `Scenario "${scenario}"; every method is told the same, and hypernetworks that are not told the task take the network of lowest entropy. Each chooses from ${trials} settings by its accuracy on the last tenth of the ${rows} training images of the first ${tuningTasks} tasks, once for all seeds; test images are scored after each task and choose nothing.`,
    'Joint training keeps all images. Stored numbers count hypernetworks, embeddings, importances and anchors.',
  ],
  load: (source, values, onDownload) => loadStreamData(source, values, onDownload),
  runSeed: (data, values, context) => runContinual(recurrentMethods(values), data, values, context),
  studies: async (data, values, context) =>
    joinStudies(
      dependencyStudy(data, values),
      values.growth > 0
        ? await growthStudy((title, own) => recurrent(values, title, own), data, values, context)
        : noStudies,
    ),
  claims: [
    abstract(
      'efficient',
      'Numbers stored, without importances, over those of one network',
      atMost(1.5),
      (e) => made(e) / e.study('target'),
    ),
    abstract(
      'efficient',
      'The same over those of a network for each task',
      atMost(0.25),
      (e) => made(e) / e.mean(SEPARATE, 'stored'),
    ),
    abstract('dependencies', 'Steps whose weights follow an earlier step’s embedding (share)', atLeast(1), (e) =>
      e.study('follows'),
    ),
    abstract('dependencies', 'Steps whose weights follow a later step’s embedding (share)', atMost(0), (e) =>
      e.study('precedes'),
    ),
    abstract('regularisation', 'Importance above the plain regulariser (points)', atLeast(0), (e) =>
      e.gain(IMPORTANCE, PLAIN, 'accuracy'),
    ),
    abstract(
      'regularisation',
      'Forgetting less than with the plain regulariser (points)',
      above(0),
      (e) => -e.gain(IMPORTANCE, PLAIN, 'forgetting'),
    ),
    ...where({ when: ({ growth }: RecurrentValues) => growth > 0 }, [
      abstract('growth', 'Growth above none, less two standard errors (points)', above(0), (e) => e.study('growth')),
      abstract('growth', 'The same just after each of the last four tasks (points)', above(0), (e) =>
        e.study('growthLast'),
      ),
    ]),
    ours('Forgetting of the full method (points)', atMost(3), (e) => e.mean(FULL, 'forgetting')),
    ours('Full method above fine-tuning, less two standard errors (points)', above(0), (e) =>
      surely(e, FULL, FINE_TUNING),
    ),
    ...where({ when: ({ stream }: RecurrentValues) => stream === 'permuted' }, [
      ours('Plain regulariser above β = 0 (points)', atLeast(20), (e) => e.gain(PLAIN, NOT_HELD, 'accuracy')),
    ]),
  ],
  overall: [
    overall.abstract(
      'outperforms',
      'Above the best baseline of at most as many numbers, least of all streams (points)',
      above(0),
      (runs) => Math.min(...runs.map(lead)),
    ),
  ],
});
