// One network that all tasks share, with outputs by the scenario: fine-tuning, EWC, SI; and the
// bounds that they are seen between: joint training, and a network for each task.

import { Adam, crossEntropy, minimize, parameterCount, parameters, type TrainingHooks } from '../../nn/index.js';
import { add, gatherKnownRows, multiply, type Random, type Tensor, tensor } from '../../tensor/index.js';
import {
  ContinualLearner,
  type LearnerOptions,
  likeliest,
  type Predicted,
  type StoredNumbers,
  surest,
} from './learner.js';
import { NoPenalty, type Penalty } from './penalties.js';
import { SharedNetwork } from './shared-network.js';
import { TargetNetwork } from './target.js';
import { type ContinualTask, drawRows, type LearnedTask } from './task.js';

/** Learns all tasks with one network. */
export class NetworkLearner extends ContinualLearner {
  /** The network; undefined before the first task. */
  network: SharedNetwork | undefined;

  /** @param penalty that holds earlier tasks; `NoPenalty` is fine-tuning */
  constructor(
    readonly penalty: Penalty,
    random: Random,
    options: LearnerOptions = {},
  ) {
    super(random, options);
  }

  get stored(): StoredNumbers {
    return { rest: (this.network ? parameterCount(this.network) : 0) + this.penalty.size, training: 0 };
  }

  protected add({ classes }: LearnedTask, at: number, shape: readonly number[]): void {
    this.network ??= new SharedNetwork(this.scenario, shape, this.random, this.target);
    this.network.add(classes.length, at);
  }

  protected reserveMemory(): void {
    this.penalty.reserve(parameters(this.network as SharedNetwork));
  }

  protected async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    const network = this.network as SharedNetwork;
    const random = this.random.split(`task ${at}`);
    await minimize(
      network,
      (live, { random: draws }) => {
        const loss = this.lossOf(live, task, at, draws);
        const held = this.penalty.at(parameters(live));
        return held ? add(loss, held) : loss;
      },
      {
        ...hooks,
        steps: this.stepsFor(at),
        random,
        optimizer: this.penalty.watch(new Adam({ learningRate: this.learningRate }), parameters(network)),
      },
    );
    const order = random.split('importance').permutation(task.labels.length);
    this.penalty.consolidate(
      network,
      (live, row) => {
        const own = order.slice(row, row + 1);
        const labels = tensor(own.map((i) => task.labels[i] as number));
        return live.loss(gatherKnownRows(task.x, tensor(own)), labels, at);
      },
      order.length,
    );
  }

  /** Steps of the optimiser for task `at`. */
  protected stepsFor(_at: number): number {
    return this.steps;
  }

  /** Cross-entropy of a batch of the task. */
  protected lossOf(live: SharedNetwork, task: ContinualTask, at: number, draws: Random, rows = this.batch): Tensor {
    const { x, labels } = drawRows(task, rows, draws);
    return live.loss(x, labels, at);
  }

  protected classify(x: Tensor, task: number | undefined): Predicted {
    return (this.network as SharedNetwork).classify(x, task);
  }
}

/**
 * Joint training: keeps the rows of all tasks and trains anew on batches of all of them, the steps
 * of a task for each. An upper bound, since it keeps what continual learners must not.
 */
export class JointLearner extends NetworkLearner {
  readonly #seen: ContinualTask[] = [];

  constructor(random: Random, options: LearnerOptions = {}) {
    super(new NoPenalty(), random, options);
  }

  protected override async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    this.#seen[at] = task;
    this.network = undefined;
    for (const [i, seen] of this.#seen.entries()) this.add(seen, i, this.shape as readonly number[]);
    await super.train(task, at, hooks);
  }

  protected override stepsFor(at: number): number {
    return this.steps * (at + 1);
  }

  protected override lossOf(live: SharedNetwork, _task: ContinualTask, _at: number, draws: Random): Tensor {
    const rows = Math.max(1, Math.round(this.batch / this.#seen.length));
    const losses = this.#seen.map((task, at) => super.lossOf(live, task, at, draws.split(at), rows));
    return multiply(
      losses.reduce((a, b) => add(a, b)),
      1 / losses.length,
    );
  }
}

/** A network of its own for each task; without the task, the surest of them answers. */
export class SeparateLearner extends ContinualLearner {
  /** The networks, in the order of their tasks. */
  readonly networks: TargetNetwork[] = [];

  constructor(random: Random, options: LearnerOptions = {}) {
    super(random, options);
  }

  get stored(): StoredNumbers {
    return { rest: parameterCount(this.networks), training: 0 };
  }

  protected add({ classes }: LearnedTask, at: number, shape: readonly number[]): void {
    this.networks[at] = new TargetNetwork(shape, classes.length, this.random.split(`network ${at}`), this.target);
  }

  protected reserveMemory(): void {}

  protected async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    await minimize(
      this.networks[at] as TargetNetwork,
      (live, { random }) => {
        const { x, labels } = drawRows(task, this.batch, random);
        return crossEntropy(live.forward(x), labels);
      },
      {
        ...hooks,
        steps: this.steps,
        random: this.random.split(`task ${at}`),
        optimizer: new Adam({ learningRate: this.learningRate }),
      },
    );
  }

  protected classify(x: Tensor, task: number | undefined): Predicted {
    if (task !== undefined) return likeliest((this.networks[task] as TargetNetwork).forward(x), task);
    return surest(
      this.networks.map((network, at) => likeliest(network.forward(x), at)),
      this.tasks,
    );
  }
}
