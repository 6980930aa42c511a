// The review of hypernetworks: one hypernetwork serves tasks that contradict one another, exists in
// every design by five criteria, and has a setting for each problem of the abstract, each beside a
// plain network.

import type { TaskTable } from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import { above, atLeast, atMost, below, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment, type RunContext } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { accuracy, parameters, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import { designStudy } from '../protocols/designs.js';
import { compressionStudy } from '../protocols/hypernet-compression.js';
import { abilityRows, guideStudy, problemRows } from '../protocols/hypernet-guide/index.js';
import { propertyTable } from '../protocols/hypernet-guide/properties.js';
import type { GuideRow } from '../protocols/hypernet-guide/row.js';
import { CHUNKS, ONCE, OWN, SHARED, taskArtifacts, taskNetworks } from '../protocols/task-networks.js';
import { describeTasks, drawTasks, loadTasks, splitTasks, type TrainedTasks, taskScores } from '../protocols/tasks.js';
import { ENSEMBLE, ONE_NETWORK, uncertaintyStudy } from '../protocols/uncertainty-study.js';

const options = {
  points: count(2000, 'points of each of the two tasks, half of them to test', { smoke: 300, minimum: 20 }),
  steps: count(1500, 'steps of training on the tasks', { smoke: 60, minimum: 10 }),
  trials: count(3, 'learning rates tried for each method', { smoke: 1 }),
  hidden: count(16, 'hidden units of the network for a task'),
  designSteps: count(30, 'steps of each design', { smoke: 2 }),
  digits: choice(['glyphs', 'mnist'], 'digits of the study of compression'),
  studySteps: count(1000, 'steps of the studies of compression and of uncertainty', { smoke: 20, minimum: 10 }),
  guideSteps: count(400, 'steps of a row of the guide', { smoke: 3 }),
  studySeeds: count(5, 'seeds of the studies', { smoke: 2, minimum: 2 }),
  guideSeeds: count(5, 'seeds of a row of the guide', { smoke: 2, minimum: 2 }),
};

type Options = OptionValues<typeof options>;

const rules = {
  'x₁·x₂ > 0': (a: number, b: number) => a * b > 0,
  'x₁² + x₂² > 1': (a: number, b: number) => a * a + b * b > 1,
};

const EXAMPLE = 'two-tasks';

/** The studies, which are not about the tasks of a file. */
async function studiesOf({ taskNames }: TaskTable, values: Options, context: RunContext) {
  if (!isExample(taskNames)) return noStudies;
  const { designSteps, digits, studySteps: steps, studySeeds: seeds, guideSteps, guideSeeds } = values;
  const guide = { steps: guideSteps, seeds: guideSeeds };
  const results = joinStudies(
    await designStudy(designSteps, context),
    await guideStudy({ title: 'The guide: problems of the abstract', rows: problemRows, ...guide }, context),
    await guideStudy({ title: 'What the abstract says hypernetworks give', rows: abilityRows, ...guide }, context),
    await compressionStudy({ digits, steps, seeds }, context),
    await uncertaintyStudy({ steps, seeds }, context),
  );
  return joinStudies(propertyTable(results.scores), results);
}

const isExample = (taskNames: readonly string[]) => taskNames.join() === Object.keys(rules).join();

const { abstract, ours } = claimsOf<Options>();
type Run = Evidence<Options>;
type Row = Pick<GuideRow, 'problem' | 'measure' | 'plain'>;

/** A gain within one standard error is a tie, and a tie holds no claim. */
const ahead = ({ problem, measure, plain }: Row) =>
  ours(`${problem}: ${measure}, ahead of ${plain}, less a standard error`, above(0), (e: Run) => {
    return e.study(`${problem}, gain`) - e.study(`${problem}, error`);
  });

const NO_BOUND = 'the abstract gives neither a measure nor a bound; among our own claims stand';

const measure = 'negative log-likelihood outside the data';

const claims = where({ data: [EXAMPLE] }, [
  ...where({ when: ({ steps }) => steps >= 1500 }, [
    abstract('example', 'One hypernetwork, the worse of two tasks, least of the seeds (%)', atLeast(97), (e) =>
      e.least((score) => score(ONCE, 'worst')),
    ),
  ]),
  ours('One network without a condition, mean accuracy (%)', atMost(80), (e) => e.mean(SHARED, 'accuracy')),
  abstract(
    'criteria',
    'Combinations of the five criteria, built as named or refused with a reason (share)',
    atLeast(1),
    (e) => e.study('covered'),
  ),
  ours('Designs whose loss is not finite in the end', atMost(0), (e) => e.study('notFinite')),
  ...where({ when: ({ designSteps }) => designSteps >= 30 }, [
    ours('Designs that exist whose loss falls by a fifth (share)', atLeast(1), (e) => e.study('fell')),
  ]),
  abstract('compression', 'In chunks: parameters stored, as a share of the network’s', below(1), (e) =>
    e.study('compression'),
  ),
  ours('In chunks: parameters stored, as a share of the network’s', atMost(0.75), (e) => e.study('compression')),
  ...where({ when: ({ studySteps }) => studySteps >= 1000 }, [
    abstract('compression', 'In chunks: share of the accuracy, least of the seeds', atLeast(0.97), (e) =>
      e.study('kept'),
    ),
    ours('Seeds whose deviation doubles outside the data (share)', atLeast(0.8), (e) => e.study('unsure')),
    ours('Epistemic deviation inside the data, least of the seeds', above(0.005), (e) => e.study('epistemic')),
    ours('Test NLL inside the data above a plain network’s, most of the seeds', atMost(0.1), (e) => e.study('excess')),
    ahead({ problem: ENSEMBLE, measure, plain: 'an ensemble of plain networks' }),
    ahead({ problem: ONE_NETWORK, measure, plain: 'a plain network' }),
  ]),
  ...where({ when: ({ guideSteps }) => guideSteps >= 400 }, [...[...problemRows, ...abilityRows].map(ahead)]),
]);

export const experiment = defineExperiment({
  options,
  datasets: [EXAMPLE],
  ownData: 'a table (.csv, .tsv, .gz, .parquet) with the columns "target" and "task"',
  reproduction: [
    { data: EXAMPLE, seeds: 5 },
    // Compression of a network for real digits; the other studies are those of the first run.
    {
      data: EXAMPLE,
      seeds: 1,
      set: { digits: 'mnist', studySteps: 2000, designSteps: 1, guideSteps: 1, guideSeeds: 2 },
    },
  ],
  metrics: {
    accuracy,
    worst: relabelled(accuracy, { label: 'worse task' }),
    parameters: relabelled(parameters, { label: 'parameters stored' }),
    seconds,
  },
  methods: () => [OWN, SHARED, ONCE, CHUNKS],
  notes: ({ trials, guideSteps }) => [
    'The two tasks of the example contradict each other on the same square: the sign of a product, and inside or outside of a circle.',
    `Every step sees the training rows of all tasks. Each method chooses one of ${trials} learning rates on a fifth of the rows that are not for the test.`,
    `Rows of the guide have Adam at the same rate and ${guideSteps} steps or the same multiple of them, for both networks; where a rate or a penalty is chosen, each chooses from its grid on other points than those of the test.`,
  ],
  load: (source, { points }) => (source === EXAMPLE ? drawTasks(rules, points, new Random(0)) : loadTasks(source)),
  describe: describeTasks,
  async runSeed(data, values, context) {
    const tasks = splitTasks(data, context.random.split('split'));
    const { methods, kept } = await runMethods(taskNetworks(tasks, values, context.random), context, {
      score: (model) => taskScores(model, tasks),
      keep: ONCE,
    });
    return { methods, artifacts: () => taskArtifacts(kept as TrainedTasks, tasks, values) };
  },
  studies: studiesOf,
  claims,
  unmeasured: {
    flexibility: `${NO_BOUND}: a new task by its embedding, filters from the data and weights for each character`,
    training: `${NO_BOUND}: steps to a loss, with and without shared weights`,
    sharing: `${NO_BOUND}: eight tasks of 40 examples each, and two tasks by one hypernetwork`,
    problems: `${NO_BOUND}: a small row for each of the eight problems`,
  },
});
