// Continual learners side by side: the same stream of tasks, hyperparameters chosen on validation
// images, every task's test images scored after every task.

import {
  AccuracyMatrix,
  type ContinualLearner,
  type LearnerOptions,
  likeliest,
  shareRight,
  TargetNetwork,
  type TargetOptions,
} from '../../hypernet/index.js';
import type { TrainingHooks } from '../../nn/index.js';
import { Random, scope, type Tensor } from '../../tensor/index.js';
import type { Metric, Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { accuracy, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues } from '../parts/options.js';
import { bestSetting, type Setting } from '../parts/tuning.js';
import { type StreamData, streamOf, streamOptions, type TaskStream } from './continual-streams.js';

/** Options of all experiments on continual learning. */
export const continualOptions = {
  ...streamOptions,
  network: choice(['perceptron', 'convolutions'], 'perceptron: two hidden layers; convolutions: of 16 and 32 channels'),
  hidden: count(50, 'units of each hidden layer of the perceptron', { smoke: 16 }),
  steps: count(300, 'steps of a task', { smoke: 12, minimum: 4 }),
  batch: count(64, 'images of a step'),
  trials: count(4, 'settings that each method may choose from', { smoke: 1, maximum: 8 }),
  tuningTasks: count(3, 'tasks at the beginning of the stream that a trial learns', { smoke: 2, minimum: 2 }),
};

/** Values of the options. */
export type ContinualValues = OptionValues<typeof continualOptions>;

/** Metrics of a method on a stream. */
export const continualMetrics = {
  accuracy: relabelled(accuracy, { label: 'final accuracy' }),
  during: relabelled(accuracy, { label: 'just after each task' }),
  forgetting: { label: 'forgetting', unit: 'points', digits: 1, better: 'smaller' },
  forward: { label: 'forward transfer', unit: 'points', digits: 1, better: 'larger' },
  stored: { label: 'numbers stored', digits: 0, better: 'smaller' },
  working: { label: 'and more while learning', digits: 0, better: 'smaller' },
  seconds: relabelled(seconds, { label: 'learning' }),
} as const satisfies Record<string, Metric>;

/** A method of the comparison. */
export interface ContinualMethod {
  readonly title: string;
  /** What it may choose from, the usual first. */
  readonly settings: readonly Setting[];
  create(setting: Setting, random: Random, options: LearnerOptions, tasks: TaskStream): ContinualLearner;
  /** Uses the setting that another method has chosen, by its title. Default: its own. */
  readonly settingOf?: ContinualMethod;
  /** Scores of this method alone. */
  score?(learned: LearnedStream): Scores;
}

/** A learner after a stream, with what was seen on the way. */
export interface LearnedStream {
  readonly learner: ContinualLearner;
  readonly stream: TaskStream;
  readonly matrix: AccuracyMatrix;
  /** Time of learning alone. */
  readonly seconds: number;
  /** Accuracy of a network with random weights on each task. */
  readonly untrained: readonly number[];
  /** Rows of each task that were certified just after it; of learners that certify. */
  readonly certified: readonly (readonly boolean[])[];
}

/** A learner that tells which rows are right at the worst. */
interface Certifier {
  certified(rows: { x: Tensor; labels: Int32Array }, task: number): boolean[];
}

const isCertifier = (learner: object): learner is Certifier => 'certified' in learner;

/** The network that learns the tasks. */
export const targetOf = ({ network, hidden }: ContinualValues): TargetOptions =>
  network === 'convolutions' ? { channels: [16, 32] } : { hidden: [hidden, hidden] };

/** Options that all learners of a run have. */
export function learnerOptions(values: ContinualValues): LearnerOptions {
  const { scenario, steps, batch } = values;
  return { scenario, steps, batch, target: targetOf(values) };
}

/** Accuracy in % on rows of a task. */
function scored(learner: ContinualLearner, { x, labels }: { x: Tensor; labels: Int32Array }, at: number): number {
  const predicted = learner.predict(x, learner.scenario === 'task' ? at : undefined);
  return 100 * shareRight(predicted, labels, at, learner.scenario);
}

/** Learns tasks one after another; after each, the accuracy on those that can be asked for. */
async function learnStream(
  learner: ContinualLearner,
  stream: TaskStream,
  values: ContinualValues,
  { signal, progress }: { signal: AbortSignal | undefined; progress: (share: number) => void },
): Promise<LearnedStream> {
  const matrix = new AccuracyMatrix();
  const certified: boolean[][] = [];
  const count = stream.train.length;
  let milliseconds = 0;
  for (const [at, task] of stream.train.entries()) {
    const hooks: TrainingHooks = {
      signal,
      onEpoch: ({ epoch, epochs }) => progress((at + epoch / epochs) / count),
    };
    const started = performance.now();
    await learner.learn(task, hooks);
    milliseconds += performance.now() - started;
    // Outputs of tasks to come are there only where tasks share them.
    const known = values.scenario === 'domain' ? stream.test : stream.test.slice(0, at + 1);
    matrix.add(known.map((test, j) => scored(learner, test, j)));
    const own = stream.test[at];
    if (own && isCertifier(learner)) certified[at] = learner.certified(own, at);
  }
  return { learner, stream, matrix, seconds: milliseconds / 1000, certified, untrained: untrainedOn(stream, values) };
}

function untrainedOn({ test }: TaskStream, values: ContinualValues): number[] {
  const [first] = test;
  if (!first) return [];
  const random = new Random(0).split('untrained');
  const network = new TargetNetwork(first.x.shape.slice(1), first.classes.length, random, targetOf(values));
  return test.map(({ x, labels }) =>
    scope(() => 100 * shareRight(likeliest(network.forward(x), 0), labels, 0, 'domain')),
  );
}

/** Settings by data set and method. */
const choices = new WeakMap<object, Map<string, Setting>>();

/**
 * The setting of a method: the best of its first few by the accuracy on validation images of the
 * first tasks, after the last of them. Chosen once, on a stream of its own, for all seeds.
 */
export async function settingFor(
  { title, settings, create, settingOf }: ContinualMethod,
  data: StreamData,
  values: ContinualValues,
  { signal, progress }: { signal?: AbortSignal | undefined; progress?: (share: number) => void } = {},
): Promise<Setting> {
  if (settingOf) return settingFor(settingOf, data, values, { signal });
  const known = choices.get(data)?.get(title);
  if (known) return known;
  const tried = settings.slice(0, values.trials);
  const whole = streamOf(data, values, new Random(0).split('tuning'));
  const stream = { train: whole.train.slice(0, values.tuningTasks), test: whole.test };
  const setting =
    tried.length === 1
      ? (tried[0] as Setting)
      : await bestSetting(tried, async (own, at) => {
          const learner = create(own, new Random(0).split(title), learnerOptions(values), whole);
          for (const task of stream.train) await learner.learn(task, { signal });
          progress?.((at + 1) / (tried.length + 1));
          const shares = stream.train.map(({ validation }, j) => (validation ? scored(learner, validation, j) : 0));
          return shares.reduce((a, b) => a + b, 0) / shares.length;
        });
  choices.set(data, (choices.get(data) ?? new Map()).set(title, setting));
  return setting;
}

/** A method on the stream of a seed. */
export function continualMethod(
  method: ContinualMethod,
  data: StreamData,
  stream: TaskStream,
  values: ContinualValues,
): Method<LearnedStream> {
  const { title, settings, settingOf, create } = method;
  return {
    title,
    async train(run: MethodRun) {
      const { signal } = run.hooks;
      const { progress } = run;
      const setting = await settingFor(method, data, values, { signal, progress });
      if (!settingOf) run.chose({ trials: Math.min(settings.length, values.trials), setting });
      const learner = create(setting, run.random, learnerOptions(values), stream);
      return learnStream(learner, stream, values, { signal, progress });
    },
    score: (learned) => ({ ...scoresOf(learned), ...method.score?.(learned) }),
  };
}

/** Name of the accuracy on task j after task t, both from 1. */
export const cell = (after: number, task: number) => `a(${after},${task})`;

function scoresOf({ learner, matrix, seconds: time, untrained }: LearnedStream): Scores {
  const { average, during, forgetting, rows } = matrix;
  const forward = matrix.forwardTransfer(untrained);
  const { rest, training } = learner.stored;
  const cells = rows.flatMap((row, t) => row.map((value, j) => [cell(t + 1, j + 1), value]));
  return {
    accuracy: average,
    during,
    forgetting,
    ...(Number.isFinite(forward) && { forward }),
    stored: rest,
    working: training,
    seconds: time,
    ...Object.fromEntries(cells),
  };
}
