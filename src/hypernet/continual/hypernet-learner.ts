// A hypernetwork that makes a network for each task from the task's embedding, and is held to what
// it made for earlier tasks.

import {
  Adam,
  crossEntropy,
  minimize,
  type Optimizer,
  parameter,
  type TrainingHooks,
  type Weights,
} from '../../nn/index.js';
import {
  add,
  concatenate,
  keep,
  multiply,
  type Random,
  reshape,
  scope,
  slice,
  square,
  subtract,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import { VectorCondition } from '../condition.js';
import { once } from '../generator.js';
import { Hypernet, type HypernetOptions } from '../hypernet.js';
import { chunks } from '../part-generators.js';
import { mlpTrunk } from '../trunk.js';
import {
  ContinualLearner,
  type LearnerOptions,
  likeliest,
  type Predicted,
  type StoredNumbers,
  surest,
} from './learner.js';
import { TargetNetwork } from './target.js';
import { type ContinualTask, drawRows, type LearnedTask } from './task.js';

/** Options of learners with a hypernetwork. */
export interface GeneratedOptions extends LearnerOptions {
  /** Dimension of a task's embedding, drawn from N(0, 1). Default: 24. */
  readonly embedding?: number;
  /** β, the strength of the regulariser. Default: 0.01. */
  readonly strength?: number;
  /** Most classes of a task. Default: those of the first. */
  readonly classes?: number;
}

/** The hypernetwork with the embeddings of the tasks. */
export interface GeneratedTasks {
  /** H with the network that it makes. */
  readonly hypernet: Hypernet<TargetNetwork>;
  /** e_t [1, d] of each task; those of learned tasks stay as they are. */
  readonly embeddings: Tensor[];
}

/** Learns by a hypernetwork: F(x; H(e_t; Φ)). */
export abstract class GeneratedLearner extends ContinualLearner {
  /** Φ and the embeddings; undefined before the first task. */
  model: GeneratedTasks | undefined;
  protected readonly embedding: number;
  protected readonly strength: number;
  readonly #classes: number | undefined;

  constructor(random: Random, { embedding = 24, strength = 0.01, classes, ...options }: GeneratedOptions = {}) {
    super(random, options);
    this.embedding = embedding;
    this.strength = strength;
    this.#classes = classes;
  }

  get stored(): StoredNumbers {
    const { model } = this;
    if (!model) return { rest: 0, training: 0 };
    const embeddings = model.embeddings.reduce((total, { size }) => total + size, 0);
    const earlier = Math.max(0, this.tasks.length - 1);
    return { rest: model.hypernet.size + embeddings, training: earlier * model.hypernet.layout.size };
  }

  /** The parts of the hypernetwork between embedding and weights. */
  protected abstract parts(): HypernetOptions;

  protected add(task: LearnedTask, at: number, shape: readonly number[]): void {
    const classes = this.#classes ?? (this.tasks[0] ?? task).classes.length;
    if (task.classes.length > classes)
      throw new Error(
        `continual: task "${task.name}" has ${task.classes.length} classes, the networks have ${classes} outputs; ask for as many with the option classes before the first task`,
      );
    this.model ??= {
      hypernet: new Hypernet(
        new TargetNetwork(shape, classes, this.random.split('target'), this.target),
        new VectorCondition(this.embedding),
        this.random.split('hypernet'),
        this.parts(),
      ),
      embeddings: [],
    };
    this.model.embeddings[at] = parameter(this.random.split(`embedding ${at}`).normal([1, this.embedding]));
  }

  protected reserveMemory(at: number): void {
    this.#freeze(at);
  }

  /** An embedding is a buffer once its task is learned: no optimiser moves it. */
  #freeze(at: number): void {
    (this.model?.embeddings[at] as Tensor).role = 'buffer';
  }

  protected async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    const model = this.model as GeneratedTasks;
    const recorded = scope(() =>
      at === 0 ? {} : kept(model.hypernet.generate(concatenate(model.embeddings.slice(0, at)))),
    );
    try {
      await minimize(
        model,
        ({ hypernet, embeddings }, { random }) => {
          const { x, labels } = drawRows(task, this.batch, random);
          // The task's own weights first, those of earlier tasks after them, in one pass.
          const made = hypernet.generate(concatenate([embeddings[at] as Tensor, ...embeddings.slice(0, at)]));
          const loss = crossEntropy(this.#logits(hypernet, rowsFrom(made, 0, 1), x, task.classes.length), labels);
          if (at === 0 || this.strength === 0) return loss;
          return add(loss, multiply(this.regularizer(rowsFrom(made, 1, at + 1), recorded), this.strength / at));
        },
        { ...hooks, steps: this.steps, random: this.random.split(`task ${at}`), optimizer: this.optimizer() },
      );
    } finally {
      for (const weight of Object.values(recorded)) weight.dispose();
    }
    this.#freeze(at);
  }

  /** A new optimiser for each task. */
  protected optimizer(): Optimizer {
    return new Adam({ learningRate: this.learningRate });
  }

  /** Σ_{j<t} of how far the weights made for earlier tasks [t, …] moved from those recorded. */
  protected regularizer(made: Weights, recorded: Weights): Tensor {
    return Object.entries(recorded)
      .map(([name, before]) => sum(square(subtract(made[name] as Tensor, before))))
      .reduce((a, b) => add(a, b));
  }

  #logits(hypernet: Hypernet<TargetNetwork>, weights: Weights, x: Tensor, classes: number): Tensor {
    const logits = hypernet.apply(weights, x, (live, rows) => live.forward(rows));
    return classes === logits.shape[1] ? logits : slice(logits, null, [0, classes]);
  }

  /** The network of a task, as weights by name. */
  weightsOf(task: number | string): Record<string, Tensor> {
    const { hypernet, embeddings } = this.model as GeneratedTasks;
    const made = hypernet.generate(embeddings[this.indexOf(task)] as Tensor);
    return Object.fromEntries(Object.entries(made).map(([name, w]) => [name, reshape(w, w.shape.slice(1))]));
  }

  protected classify(x: Tensor, task: number | undefined): Predicted {
    const { hypernet, embeddings } = this.model as GeneratedTasks;
    const of = (weights: Weights, at: number) =>
      likeliest(this.#logits(hypernet, weights, x, (this.tasks[at] as LearnedTask).classes.length), at);
    if (task !== undefined) return of(hypernet.generate(embeddings[task] as Tensor), task);
    const made = hypernet.generate(concatenate(embeddings.slice(0, this.tasks.length)));
    return surest(
      this.tasks.map((_task, at) => of(rowsFrom(made, at, at + 1), at)),
      this.tasks,
    );
  }
}

const kept = (weights: Weights) =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, keep(weight)]));

/** Weights of some of the networks: [B, …] → [to − from, …]. */
const rowsFrom = (weights: Weights, from: number, to: number) =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, slice(weight, [from, to])]));

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
 * with Hypernetworks", ICLR 2020; one step, without look-ahead). Without a task, the network of
 * lowest entropy answers.
 */
export class HypernetLearner extends GeneratedLearner {
  readonly #parts: HypernetOptions;

  constructor(
    random: Random,
    { trunk = [75, 75], chunk = 0, chunkEmbedding = 8, ...options }: HypernetLearnerOptions = {},
  ) {
    super(random, options);
    this.#parts = {
      trunk: mlpTrunk(trunk),
      generator: chunk > 0 ? chunks(chunk, chunkEmbedding) : once(),
    };
  }

  protected parts(): HypernetOptions {
    return this.#parts;
  }
}
