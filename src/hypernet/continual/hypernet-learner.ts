// A hypernetwork that makes a network for each task from the task's embedding, and is held to what
// it made for earlier tasks.

import {
  Adam,
  crossEntropy,
  gradientsOf,
  minimize,
  type Optimizer,
  parameter,
  parameters,
  stateOf,
  type TrainingHooks,
  type Weights,
  withWeights,
} from '../../nn/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  multiply,
  type Random,
  scope,
  slice,
  stopGradient,
  subtract,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { VectorCondition } from '../condition.js';
import { once } from '../generator.js';
import { Hypernet, type HypernetOptions, weightsOf } from '../hypernet.js';
import type { Layout } from '../layout.js';
import { chunks } from '../part-generators.js';
import { mlpTrunk } from '../trunk.js';
import { change, kept, networksOf } from './generated-weights.js';
import {
  ContinualLearner,
  type LearnerOptions,
  likeliest,
  type Predicted,
  type StoredNumbers,
  surest,
} from './learner.js';
import { TargetNetwork } from './target.js';
import { type ContinualTask, drawRows, type LearnedTask, requireOutputs } from './task.js';

/** Options of learners with a hypernetwork. */
export interface GeneratedOptions extends LearnerOptions {
  /** Dimension of a task's embedding, drawn from N(0, 1). Default: 24. */
  readonly embedding?: number;
  /** β, the strength of the regulariser. Default: 0.01. */
  readonly strength?: number;
  /** Most classes of a task. Default: those of the first. */
  readonly classes?: number;
  /** Earlier tasks that a step is held to, drawn anew each time. Default: all. */
  readonly remembered?: number;
  /**
   * Whether what is made for earlier tasks is held where the step of the task's own loss would
   * lead, at Φ + ΔΦ, not at Φ; about half as much time again. Default: false.
   */
  readonly lookAhead?: boolean;
}

/** A descent on one task. */
export interface Descent {
  /** The task. */
  readonly task: ContinualTask;
  /** Its index. */
  readonly at: number;
  /** Steps of the optimiser. */
  readonly steps: number;
  /** The stream that batches are drawn from. */
  readonly random: Random;
  /** What was made for the earlier tasks before this one, by name, [tasks, …]. */
  readonly recorded: Weights;
  /** Signals and reports. */
  readonly hooks: TrainingHooks;
}

/** A hypernetwork of the weights of one target. */
export interface TaskHypernet {
  /** Names, shapes and offsets of the weights. */
  readonly layout: Layout;
}

/** The hypernetwork with the embeddings of the tasks. */
export interface GeneratedTasks<H extends TaskHypernet> {
  /** H. */
  readonly hypernet: H;
  /** e_t [1, d] of each task; those of learned tasks stay as they are. */
  readonly embeddings: Tensor[];
}

/** Learns by a hypernetwork: F(x; H(e_t; Φ)). */
export abstract class GeneratedLearner<H extends TaskHypernet> extends ContinualLearner {
  /** Φ and the embeddings; undefined before the first task. */
  model: GeneratedTasks<H> | undefined;
  /** The network that is given the weights; its own are not used. */
  protected network: TargetNetwork | undefined;
  protected readonly embedding: number;
  protected readonly strength: number;
  readonly #classes: number | undefined;
  readonly #remembered: number;
  readonly #lookAhead: boolean;

  constructor(
    random: Random,
    {
      embedding = 24,
      strength = 0.01,
      classes,
      remembered = Number.POSITIVE_INFINITY,
      lookAhead = false,
      ...options
    }: GeneratedOptions = {},
  ) {
    super(random, options);
    this.#lookAhead = lookAhead;
    this.embedding = embedding;
    this.strength = strength;
    this.#classes = classes;
    this.#remembered = remembered;
  }

  get stored(): StoredNumbers {
    const { model } = this;
    if (!model) return { rest: 0, training: 0 };
    const embeddings = this.tasks.length * this.embedding;
    const earlier = Math.max(0, this.tasks.length - 1);
    return {
      rest: Object.values(stateOf(model.hypernet)).reduce((total, { size }) => total + size, 0) + embeddings,
      training: earlier * model.hypernet.layout.size,
    };
  }

  /** The hypernetwork, before the first task. */
  protected abstract create(target: TargetNetwork, random: Random): H;

  /** Weights of some tasks, by name, each [tasks, …shape], from their embeddings [tasks, d]. */
  protected abstract generate(hypernet: H, embeddings: Tensor, tasks: readonly number[]): Record<string, Tensor>;

  protected add(task: LearnedTask, at: number, shape: readonly number[]): void {
    const classes = this.#classes ?? (this.tasks[0] ?? task).classes.length;
    requireOutputs(task, task.classes.length, classes);
    this.network ??= new TargetNetwork(shape, classes, this.random.split('target'), this.target);
    this.model ??= { hypernet: this.create(this.network, this.random.split('hypernet')), embeddings: [] };
    this.model.embeddings[at] = parameter(this.random.split(`embedding ${at}`).normal([1, this.embedding]));
  }

  /** An embedding is a buffer once its task is learned: no optimiser moves it. */
  protected reserveMemory(at: number): void {
    (this.model?.embeddings[at] as Tensor).role = 'buffer';
  }

  /** Weights of some tasks of a model, or of its live copy, in one pass. */
  protected weightsFor({ hypernet, embeddings }: GeneratedTasks<H>, tasks: readonly number[]): Record<string, Tensor> {
    return this.generate(hypernet, concatenate(tasks.map((at) => embeddings[at] as Tensor)), tasks);
  }

  /** What is made for some tasks and held: their weights, and what else a method holds. */
  protected madeFor(model: GeneratedTasks<H>, tasks: readonly number[]): Record<string, Tensor> {
    return this.weightsFor(model, tasks);
  }

  protected async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    const { steps } = this;
    const random = this.random.split(`task ${at}`);
    await this.holding(at, (recorded) => this.descend({ task, at, steps, random, recorded, hooks }));
    this.reserveMemory(at);
  }

  /** Records what is made for the tasks before `at`, for as long as `learn` takes. */
  protected async holding<T>(at: number, learn: (recorded: Weights) => Promise<T>): Promise<T> {
    const earlier = Array.from({ length: at }, (_, j) => j);
    const recorded = scope(() => (at === 0 ? {} : kept(this.madeFor(this.model as GeneratedTasks<H>, earlier))));
    try {
      return await learn(recorded);
    } finally {
      for (const weight of Object.values(recorded)) weight.dispose();
    }
  }

  /**
   * Some steps on a task, held to what was recorded of the earlier ones.
   *
   * @returns the cross-entropy of each step
   */
  protected async descend({ task, at, steps, random, recorded, hooks }: Descent): Promise<number[]> {
    const losses: number[] = [];
    const optimizer = new Adam({ learningRate: this.learningRate });
    await minimize(
      this.model as GeneratedTasks<H>,
      (live, { random: draws }) => {
        const rows = drawRows(task, this.batch, draws);
        const lossOf = (made: Weights) =>
          crossEntropy(this.#logits(networksOf(made, 0, 1), rows.x, task.classes.length), rows.labels);
        const held = this.#held(at, draws);
        const before = held.length === at ? recorded : rowsAt(recorded, held);
        const change = (made: Weights) =>
          multiply(this.regularizer(made, before, held), this.strength / Math.max(1, held.length));
        if (this.#lookAhead && held.length > 0) {
          const ahead = this.#ahead(live, optimizer, (own) => lossOf(this.madeFor(own, [at])));
          const loss = lossOf(this.madeFor(live, [at]));
          losses.push(loss.item());
          return add(
            loss,
            withWeights(live, ahead, (own) => change(this.madeFor(own, held))),
          );
        }
        // The task's own weights first, those of earlier tasks after them, in one pass.
        const made = this.madeFor(live, [at, ...held]);
        const loss = lossOf(made);
        losses.push(loss.item());
        return held.length === 0 ? loss : add(loss, change(networksOf(made, 1, held.length + 1)));
      },
      { ...hooks, steps, random, optimizer },
    );
    return losses;
  }

  /** Φ + ΔΦ with the step ΔΦ that the optimiser would take down a loss, seen as constant. */
  #ahead(
    live: GeneratedTasks<H>,
    optimizer: Optimizer,
    loss: (own: GeneratedTasks<H>) => Tensor,
  ): Record<string, Tensor> {
    const weights = parameters(live);
    const still = Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, stopGradient(weight)]));
    const step = scope(() => {
      const { gradients } = withWeights(live, still, (own) => gradientsOf(own, loss));
      return kept(candidateStep(optimizer, still, gradients));
    });
    const ahead = Object.fromEntries(
      Object.entries(weights).map(([name, weight]) => [name, add(weight, step[name] as Tensor)]),
    );
    return ahead;
  }

  /** Earlier tasks that a step is held to. */
  #held(at: number, random: Random): number[] {
    if (this.strength === 0) return [];
    if (at <= this.#remembered) return Array.from({ length: at }, (_, j) => j);
    return [...random.split('held').sample(at, this.#remembered)];
  }

  /** Σ_j of how far the weights made for earlier tasks [tasks, …] moved from those recorded. */
  protected regularizer(made: Weights, recorded: Weights, _tasks: readonly number[]): Tensor {
    return change(made, recorded);
  }

  /** Logits under the weights of one task, each [1, …shape]. */
  #logits(weights: Weights, x: Tensor, classes: number): Tensor {
    const { layout } = (this.model as GeneratedTasks<H>).hypernet;
    const own = Object.fromEntries(layout.entries.map(({ name }) => [name, weights[name] as Tensor]));
    const logits = withWeights(this.network as TargetNetwork, weightsOf(own, 0), (live) => live.forward(x));
    return classes === logits.shape[1] ? logits : slice(logits, null, [0, classes]);
  }

  /** The network of a task, as weights by name. */
  weightsOf(task: number | string): Record<string, Tensor> {
    return weightsOf(this.weightsFor(this.model as GeneratedTasks<H>, [this.indexOf(task)]), 0);
  }

  protected classify(x: Tensor, task: number | undefined): Predicted {
    const model = this.model as GeneratedTasks<H>;
    const of = (weights: Weights, at: number) =>
      likeliest(this.#logits(weights, x, (this.tasks[at] as LearnedTask).classes.length), at);
    if (task !== undefined) return of(this.weightsFor(model, [task]), task);
    const made = this.weightsFor(model, [...this.tasks.keys()]);
    return surest(
      this.tasks.map((_task, at) => of(networksOf(made, at, at + 1), at)),
      this.tasks,
    );
  }
}

/** The change that an optimiser would make to weights, which stay as they are, like its state. */
function candidateStep(optimizer: Optimizer, weights: Weights, gradients: Weights): Record<string, Tensor> {
  const { step, tensors } = optimizer.state();
  const state = { step, tensors: clones(tensors) };
  const moved = clones(weights);
  optimizer.update(moved, gradients);
  optimizer.restore(state);
  return Object.fromEntries(
    Object.entries(moved).map(([name, weight]) => [name, subtract(weight, weights[name] as Tensor)]),
  );
}

const clones = (weights: Weights): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight.clone()]));

const rowsAt = (weights: Weights, rows: readonly number[]) =>
  Object.fromEntries(
    Object.entries(weights).map(([name, weight]) => [name, gatherKnownRows(weight, tensor(Int32Array.from(rows)))]),
  );

/** Options of `HypernetLearner`. */
export interface HypernetLearnerOptions extends GeneratedOptions {
  /** Widths of the hypernetwork. Default: [75, 75]. */
  readonly trunk?: readonly number[];
  /** Weights of a chunk; 0 makes all weights at once. Default: 0. */
  readonly chunk?: number;
  /** Dimension of a chunk's embedding. Default: 8. */
  readonly chunkEmbedding?: number;
}

/**
 * HNET: F(x; H(e_t; Φ)) for each task t, with the loss CE + (β/(t − 1)) Σ_{j<t} ‖H(e_j; Φ) − w*_j‖²
 * where w*_j was made before task t (von Oswald, Henning, Grewe, Sacramento, "Continual Learning
 * with Hypernetworks", ICLR 2020), or at Φ + ΔΦ in place of Φ with `lookAhead`. Without a task, the
 * network of lowest entropy answers.
 */
export class HypernetLearner extends GeneratedLearner<Hypernet<TargetNetwork>> {
  readonly #options: HypernetOptions;

  constructor(
    random: Random,
    { trunk = [75, 75], chunk = 0, chunkEmbedding = 8, ...options }: HypernetLearnerOptions = {},
  ) {
    super(random, options);
    this.#options = { trunk: mlpTrunk(trunk), generator: chunk > 0 ? chunks(chunk, chunkEmbedding) : once() };
  }

  protected create(target: TargetNetwork, random: Random): Hypernet<TargetNetwork> {
    return new Hypernet(target, new VectorCondition(this.embedding), random, this.#options);
  }

  protected generate(hypernet: Hypernet<TargetNetwork>, embeddings: Tensor): Record<string, Tensor> {
    return hypernet.generate(embeddings);
  }
}
