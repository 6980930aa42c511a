// Classifiers of tasks that arrive one after another, as files: the method, what was learned, and
// predictions by the names of classes.

import { type ModelKind, readModelFile, writeModelFile } from '../data/index.js';
import { loadState, parameterCount, parameters, stateOf, type TrainingHooks } from '../nn/index.js';
import { gatherKnownRows, Random, scope, type Tensor, tensor } from '../tensor/index.js';
import {
  GeneratedLearner,
  HypernetLearner,
  type HypernetLearnerOptions,
  type TaskHypernet,
} from './continual/hypernet-learner.js';
import { InterContiNet, type InterContiNetOptions } from './continual/intercontinet.js';
import type { ContinualLearner, LearnerOptions } from './continual/learner.js';
import { NetworkLearner } from './continual/network-learner.js';
import {
  type ElasticOptions,
  ElasticWeights,
  NoPenalty,
  PathIntegrals,
  type PathOptions,
} from './continual/penalties.js';
import { type ContinualTask, type LearnedTask, requireTask, withValidation } from './continual/task.js';
import { DependencyHypernet, type DependencyHypernetOptions } from './dp-hypernet/index.js';
import { HyperInterval, type HyperIntervalOptions } from './hyperinterval/index.js';
import { certified } from './interval/propagate.js';

/** Options of all methods; each reads its own. Plain data, kept in the file. */
export interface ContinualMethodOptions
  extends HyperIntervalOptions,
    DependencyHypernetOptions,
    HypernetLearnerOptions,
    InterContiNetOptions,
    ElasticOptions,
    PathOptions,
    LearnerOptions {}

const methods = {
  hyperinterval: (random: Random, options: ContinualMethodOptions) => new HyperInterval(random, options),
  'dp-hypernet': (random: Random, options: ContinualMethodOptions) => new DependencyHypernet(random, options),
  hnet: (random: Random, options: ContinualMethodOptions) => new HypernetLearner(random, options),
  intercontinet: (random: Random, options: ContinualMethodOptions) => new InterContiNet(random, options),
  ewc: (random: Random, options: ContinualMethodOptions) =>
    new NetworkLearner(new ElasticWeights(options), random, options),
  si: (random: Random, options: ContinualMethodOptions) =>
    new NetworkLearner(new PathIntegrals(options), random, options),
  'fine-tuning': (random: Random, options: ContinualMethodOptions) =>
    new NetworkLearner(new NoPenalty(), random, options),
} as const satisfies Record<string, (random: Random, options: ContinualMethodOptions) => ContinualLearner>;

/** Names of the methods. */
export type ContinualMethodName = keyof typeof methods;

/** All methods. */
export const continualMethodNames = Object.keys(methods) as readonly ContinualMethodName[];

/** Identifies model files of `ContinualClassifier`. */
export const CONTINUAL_MODEL: ModelKind = {
  system: 'continual',
  version: '1',
  madeBy: 'gossamer fit --model hyperinterval, or dp-hypernet',
};

/** What a classifier is made with; plain data, kept in its file. */
export interface ContinualClassifierOptions {
  /** Default: `hyperinterval`. */
  readonly method?: ContinualMethodName;
  /** Seed of all random numbers. Default: 0. */
  readonly seed?: number;
  /** Options of the method. Networks that are made have 10 outputs or more, where tasks differ. */
  readonly options?: ContinualMethodOptions;
  /** How examples became rows, for who reads the file. Default: nothing. */
  readonly inputs?: unknown;
}

interface ContinualDescription extends Required<ContinualClassifierOptions> {
  readonly tasks: readonly LearnedTask[];
  readonly shape: readonly number[];
  readonly history: unknown;
}

/** Answers by the names of tasks and classes. */
export interface ContinualAnswers {
  /** Task of each row, given or inferred; undefined where all tasks share one network. */
  readonly tasks: readonly (string | undefined)[];
  /** Class of each row. */
  readonly classes: readonly string[];
  /** Probability of that class. */
  readonly probabilities: Float32Array;
  /** Entropy of the class probabilities, in nats. */
  readonly entropies: Float32Array;
  /**
   * Whether the class is the same for all weights within the bounds of the task; of HyperInterval,
   * where rows have a task.
   */
  readonly certified?: readonly boolean[];
  /** Bounds of the logit of that class, likewise. */
  readonly bounds?: { readonly lower: Float32Array; readonly upper: Float32Array };
}

/** What learning takes. */
export interface LearningSize {
  /** Weights of the network of a task. */
  readonly weights: number;
  /** Numbers that are trained. */
  readonly numbers: number;
  /** Bytes of those numbers, and of the two moments of each while Adam trains them. */
  readonly bytes: number;
}

/** Rows below which none are kept apart to choose a state. */
const FEW_ROWS = 20;

/** Outputs where later tasks may have more classes than the first. */
const OUTPUTS = 10;

/** Learns tasks one after another, answers for all of them, and is kept in a file in between. */
export class ContinualClassifier {
  /** The method; undefined before the first task. */
  learner: ContinualLearner | undefined;
  readonly #options: Required<ContinualClassifierOptions>;

  /** @throws Error naming the methods when it is unknown */
  constructor({ method = 'hyperinterval', seed = 0, options = {}, inputs = null }: ContinualClassifierOptions = {}) {
    if (!Object.hasOwn(methods, method))
      throw new Error(`continual: there is no method "${method}"; known: ${continualMethodNames.join(', ')}`);
    this.#options = { method, seed, options, inputs };
  }

  /** What it was made with. */
  get options(): Required<ContinualClassifierOptions> {
    return this.#options;
  }

  /** The tasks learned so far, in order. */
  get tasks(): readonly LearnedTask[] {
    return this.learner?.tasks ?? [];
  }

  /**
   * Learns a task. HyperInterval keeps a tenth of 20 or more rows apart, which choose the state.
   *
   * @throws Error for a task that cannot follow those before: without rows, with a class twice, of
   * another shape; the signal's reason when it aborts
   */
  async learn(task: ContinualTask, hooks: TrainingHooks = {}): Promise<void> {
    const { method, options } = this.#options;
    requireTask(task, options.scenario ?? 'task', this.tasks, this.learner?.shape);
    this.learner ??= this.#create(task.classes.length);
    const own =
      method === 'hyperinterval' && !task.validation && task.labels.length >= FEW_ROWS
        ? withValidation(shuffled(task, new Random(this.#options.seed).split(`rows ${this.tasks.length}`)))
        : task;
    await this.learner.learn(own, hooks);
  }

  /** What it takes to learn tasks like this one; nothing is learned. */
  sizeFor({ name, classes, x }: ContinualTask): LearningSize {
    const learner = this.#create(classes.length);
    learner.reserveAll([{ name, classes }], x.shape.slice(1));
    const numbers = parameterCount(learner);
    const made = 'model' in learner ? (learner.model as MadeWeights | undefined)?.hypernet.layout.size : undefined;
    return { weights: made ?? numbers, numbers, bytes: 12 * numbers };
  }

  /**
   * The plain network of a task as a classifier of its own, without the hypernetwork; of nested
   * HyperInterval without a task the one network for all of them, which it is thrown away for.
   *
   * @throws Error for an unknown task, or without one where no network is for all tasks; for
   * methods that have one network anyway
   */
  extract(task?: string): ContinualClassifier {
    const { learner } = this;
    if (!learner) throw new Error('continual: no task was learned');
    const { method, seed, inputs, options } = this.#options;
    if (!(learner instanceof HyperInterval || learner instanceof GeneratedLearner))
      throw new Error(`continual: ${method} makes no networks of tasks; hyperinterval, dp-hypernet and hnet do`);
    const shared = learner instanceof HyperInterval && learner.nested && learner.scenario === 'domain';
    if (task === undefined && !shared)
      throw new Error(
        `continual: no network of ${method} with scenario "${learner.scenario}" is for all tasks; say which task: ${this.tasks.map(({ name }) => name).join(', ')}`,
      );
    const at = task === undefined ? 0 : learner.indexOf(task);
    const { name, classes } = this.tasks[at] as LearnedTask;
    const { target = {} } = options;
    const plain = new ContinualClassifier({
      ...{ method: 'fine-tuning', seed, inputs },
      options: { scenario: 'domain', target },
    });
    const made = plain.#create(classes.length) as NetworkLearner;
    made.reserveAll([{ name: task === undefined ? 'all tasks' : name, classes }], learner.shape ?? []);
    const weights = weightsOfTask(learner, task);
    for (const [own, weight] of Object.entries(parameters(made.network as object))) {
      const from = weights[own.replace(/^heads\.0/, 'head')] as Tensor;
      weight.assign(from.slice([0, weight.shape[0] as number]));
    }
    plain.learner = made;
    return plain;
  }

  #create(classes: number): ContinualLearner {
    const { method, seed, options } = this.#options;
    const outputs = options.scenario === 'domain' ? classes : Math.max(classes, OUTPUTS);
    return methods[method](new Random(seed).split('learner'), { classes: outputs, ...options });
  }

  /**
   * Classes of rows.
   *
   * @param task name of the task of all rows. Default: unknown
   * @throws Error before the first task, for an unknown task, and without one where each has its
   * own outputs and the method cannot tell tasks apart
   */
  predict(x: Tensor, task?: string): ContinualAnswers {
    const { learner } = this;
    if (!learner) throw new Error('continual: no task was learned');
    const { tasks, labels, probabilities, entropies } = learner.predict(x, task);
    const own = (row: number) => learner.tasks[Math.max(0, tasks[row] as number)] as LearnedTask;
    const bounds = learner instanceof HyperInterval ? boundsOf(learner, x, tasks, labels) : undefined;
    return {
      tasks: Array.from(tasks, (at) => learner.tasks[at]?.name),
      classes: Array.from(labels, (label, row) => own(row).classes[label] as string),
      probabilities,
      entropies,
      ...bounds,
    };
  }

  /** @throws Error before the first task */
  save(): Uint8Array {
    const { learner } = this;
    if (!learner) throw new Error('continual: no task was learned');
    const { tasks, shape = [], history = null } = learner;
    const description: ContinualDescription = { ...this.#options, tasks, shape, history };
    return writeModelFile(CONTINUAL_MODEL, description, stateOf(learner));
  }

  /** @throws Error when the file holds another model, or one of another version */
  static load(bytes: Uint8Array, name = 'model'): ContinualClassifier {
    const { description, tensors } = readModelFile<ContinualDescription>(CONTINUAL_MODEL, bytes, name);
    const { tasks, shape, history, ...options } = description;
    const model = new ContinualClassifier(options);
    const [first] = tasks;
    const learner = model.#create(first?.classes.length ?? 0);
    learner.reserveAll(tasks, shape, history);
    loadState(learner, tensors);
    model.learner = learner;
    return model;
  }
}

/** The rows of a task in another order. */
function shuffled(task: ContinualTask, random: Random): ContinualTask {
  const order = random.permutation(task.labels.length);
  return {
    ...task,
    x: gatherKnownRows(task.x, tensor(order)),
    labels: order.map((row) => task.labels[row] as number),
  };
}

/** Which answers hold within the bounds of their tasks, and those; nothing where rows have none. */
function boundsOf(
  learner: HyperInterval,
  x: Tensor,
  tasks: Int32Array,
  labels: Int32Array,
): Pick<ContinualAnswers, 'certified' | 'bounds'> | undefined {
  if (tasks.some((at) => at < 0)) return undefined;
  const sure = new Array<boolean>(labels.length);
  const bounds = { lower: new Float32Array(labels.length), upper: new Float32Array(labels.length) };
  for (const at of new Set(tasks)) {
    const rows = Int32Array.from(tasks.keys()).filter((row) => tasks[row] === at);
    const own = { x: gatherKnownRows(x, tensor(rows)), labels: rows.map((row) => labels[row] as number) };
    scope(() => {
      const logits = learner.logits(own.x, at);
      const classes = logits.lower.shape[1] as number;
      const within = certified(logits, own.labels);
      for (const [i, row] of rows.entries()) {
        const top = i * classes + (own.labels[i] as number);
        sure[row] = within[i] as boolean;
        bounds.lower[row] = logits.lower.view()[top] as number;
        bounds.upper[row] = logits.upper.view()[top] as number;
      }
    });
  }
  return { certified: sure, bounds };
}

/** A hypernetwork with the layout of what it makes. */
interface MadeWeights {
  readonly hypernet: { readonly layout: { readonly size: number } };
}

/** Weights of the network of a task, or of the one for all tasks, by name. */
function weightsOfTask(
  learner: HyperInterval | GeneratedLearner<TaskHypernet>,
  task: string | undefined,
): Record<string, Tensor> {
  if (!(learner instanceof HyperInterval)) return learner.weightsOf(task as string);
  return task === undefined ? learner.universal() : { ...learner.weightsOf(task).middle };
}
