// HyperInterval (HINT): each task has a box of target weights, made from a box of embeddings.
//
// Krukowski, Bielawska, Książek, Wawrzyński, Batorski, Spurek, "HINT: Hypernetwork Approach to
// Training Weight Interval Regions in Continual Learning", 2024.

import {
  Adam,
  crossEntropy,
  minimize,
  parameter,
  parameterCount,
  type TrainingHooks,
  type Weights,
  withWeights,
} from '../../nn/index.js';
import {
  add,
  concatenate,
  cos,
  multiply,
  type Random,
  scope,
  softmax,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import { change, kept, networksOf } from '../continual/generated-weights.js';
import {
  amongAll,
  ContinualLearner,
  type LearnerOptions,
  likeliest,
  type Predicted,
  type StoredNumbers,
  surest,
} from '../continual/learner.js';
import { TargetNetwork } from '../continual/target.js';
import { type ContinualTask, drawRows, type LearnedTask, requireOutputs, type TaskRows } from '../continual/task.js';
import { weightsOf } from '../hypernet.js';
import { type Box, intersection } from '../interval/boxes.js';
import { IntervalHypernet, intervalWeightsOf } from '../interval/hypernet.js';
import { certified, type Interval, type IntervalWeights, propagate, worstCase } from '../interval/propagate.js';

/** Options of `HyperInterval`. */
export interface HyperIntervalOptions extends LearnerOptions {
  /**
   * Whether the boxes of all tasks intersect by construction. Default: where tasks share outputs.
   */
  readonly nested?: boolean;
  /** d: dimension of an embedding. Default: 24. */
  readonly embedding?: number;
  /** Hidden widths of the hypernetwork. Default: [75, 75]. */
  readonly hidden?: readonly number[];
  /** ε: the radii of a box add up to it. Default: 5 nested, 0.5 otherwise. */
  readonly epsilon?: number;
  /** β: strength of the regulariser. Default: 0.01. */
  readonly strength?: number;
  /**
   * κ at the end: share of the cross-entropy that the middle has, not the worst case. Default: 0.5.
   */
  readonly kappa?: number;
  /**
   * Whether the regulariser of task t is divided by t twice, as in the published code. Default:
   * true.
   */
  readonly dividedTwice?: boolean;
  /**
   * Outputs of the networks: most classes of a task; nested with scenario `class` those of all
   * tasks to come. Default: the classes of the first.
   */
  readonly classes?: number;
}

/** The hypernetwork and the boxes of the tasks. */
interface IntervalTasks {
  readonly hypernet: IntervalHypernet;
  /** e_t [1, d]; those of learned tasks stay as they are. */
  readonly embeddings: Tensor[];
  /** ρ_t [1, d], from which the radii follow; likewise. */
  readonly radii: Tensor[];
}

/** How far the schedules of a task have come: ε for its box, κ for its loss. */
interface Progress {
  readonly epsilon: number;
  readonly kappa: number;
}

/** Rows with their classes, as a step takes them. */
interface Batch {
  readonly x: Tensor;
  readonly labels: Tensor;
}

const batchOf = ({ x, labels }: TaskRows): Batch => ({ x, labels: tensor(labels) });

/** κ falls by this in a step of the first half. */
const KAPPA_STEP = 5e-5;

/**
 * Learns a box of weights for each task.
 *
 * A task's embedding e_t has radii r_t with Σ r_t = ε. Without nesting the box is e_t ± ε·softmax
 * ρ_t. With nesting it is σ·cos e_t ± ε/d with σ = ε/(2d), so that all boxes have at least ε/d of
 * each coordinate in common. The hypernetwork maps boxes to bounds θ^L ≤ θ^M ≤ θ^U of the weights
 * (`IntervalHypernet`), the target network those to bounds of the logits (`propagate`). Loss of
 * task t: κ·CE(z^M) + (1 − κ)·CE(z^worst) + β·R, with R the squared change of what is made for
 * earlier tasks (of θ^M, nested of all three).
 *
 * **One network for all tasks** (nested): the weights made from the intersection of all boxes lie
 * within the bounds of each task, so that a row that is right at its worst is right under it, too.
 */
export class HyperInterval extends ContinualLearner {
  /** Φ and the boxes; undefined before the first task. */
  model: IntervalTasks | undefined;
  /** Whether the boxes intersect by construction. */
  readonly nested: boolean;
  readonly #options: Required<Omit<HyperIntervalOptions, keyof LearnerOptions | 'nested' | 'classes'>>;
  readonly #classes: number | undefined;
  #network: TargetNetwork | undefined;

  /** @throws RangeError unless ε ≥ 0 and κ is a share */
  constructor(
    random: Random,
    {
      nested,
      embedding = 24,
      hidden = [75, 75],
      epsilon,
      strength = 0.01,
      kappa = 0.5,
      dividedTwice = true,
      classes,
      ...options
    }: HyperIntervalOptions = {},
  ) {
    super(random, options);
    this.nested = nested ?? this.scenario === 'domain';
    const width = epsilon ?? (this.nested ? 5 : 0.5);
    if (!(width >= 0)) throw new RangeError(`HyperInterval: ε must be at least 0, got ${width}`);
    if (!(kappa >= 0 && kappa <= 1)) throw new RangeError(`HyperInterval: κ must be between 0 and 1, got ${kappa}`);
    this.#options = { embedding, hidden, epsilon: width, strength, kappa, dividedTwice };
    this.#classes = classes;
  }

  get stored(): StoredNumbers {
    const { model } = this;
    if (!model) return { rest: 0, training: 0 };
    const boxes = this.tasks.length * this.#options.embedding * (this.nested ? 1 : 2);
    const earlier = Math.max(0, this.tasks.length - 1) * model.hypernet.layout.size;
    return {
      rest: parameterCount(model.hypernet) + boxes,
      training: earlier * (this.nested ? 3 : 1),
    };
  }

  protected add(task: LearnedTask, at: number, shape: readonly number[]): void {
    const classes = this.#classes ?? (this.tasks[0] ?? task).classes.length;
    requireOutputs(task, this.#firstOutput(at) + task.classes.length, classes);
    const { embedding, hidden } = this.#options;
    this.#network ??= new TargetNetwork(shape, classes, this.random.split('target'), this.target);
    this.model ??= {
      hypernet: new IntervalHypernet(this.#network, embedding, this.random.split('hypernet'), {
        hidden,
        centred: this.nested,
      }),
      embeddings: [],
      radii: [],
    };
    const { embeddings, radii } = this.model;
    // Nested tasks start where the one before them ended.
    const start = this.nested && at > 0 ? (embeddings[at - 1] as Tensor).clone() : undefined;
    embeddings[at] = parameter(start ?? this.random.split(`embedding ${at}`).normal([1, embedding]));
    radii[at] = parameter(tensor(new Float32Array(embedding).fill(1 / embedding), [1, embedding]));
    if (this.nested) (radii[at] as Tensor).role = 'buffer';
  }

  /** Output of a task's first class: 0, or behind the tasks before it where one network has all. */
  #firstOutput(at: number): number {
    if (!(this.nested && this.scenario === 'class')) return 0;
    return this.tasks.slice(0, at).reduce((total, { classes }) => total + classes.length, 0);
  }

  protected reserveMemory(at: number): void {
    const { embeddings, radii } = this.model as IntervalTasks;
    for (const field of [embeddings, radii]) (field[at] as Tensor).role = 'buffer';
  }

  /** Centre and radius [1, d] of a box, in a model or its live copy. */
  #box({ embeddings, radii }: IntervalTasks, at: number, epsilon = this.#options.epsilon): [Tensor, Tensor] {
    const [embedding, raw] = [embeddings[at] as Tensor, radii[at] as Tensor];
    const { embedding: d } = this.#options;
    if (this.nested) return [multiply(cos(embedding), epsilon / (2 * d)), multiply(raw, epsilon)];
    return [embedding, multiply(softmax(raw), epsilon)];
  }

  /** Bounds of the weights of some tasks in one pass; `epsilon` is that of the first. */
  #generate(model: IntervalTasks, tasks: readonly number[], epsilon?: number): IntervalWeights {
    const boxes = tasks.map((at, i) => this.#box(model, at, i === 0 ? epsilon : undefined));
    return model.hypernet.generate(concatenate(boxes.map(([c]) => c)), concatenate(boxes.map(([, r]) => r)));
  }

  protected async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    const model = this.model as IntervalTasks;
    const { strength, dividedTwice } = this.#options;
    const earlier = Array.from({ length: at }, (_, j) => j);
    const sides = this.nested ? (['lower', 'middle', 'upper'] as const) : (['middle'] as const);
    const recorded = scope(() => {
      const made = at === 0 ? undefined : this.#generate(model, earlier);
      return sides.map((side) => kept(made?.[side] ?? {}));
    });
    const share = strength / (Math.max(1, at) * sides.length * (dividedTwice ? Math.max(1, at) : 1));
    const half = Math.max(1, this.steps / 2 - 1);
    const progress = (step: number): Progress => ({
      epsilon: this.#options.epsilon * Math.min(1, step / half),
      kappa: step < this.steps / 2 ? Math.max(1 - KAPPA_STEP * step, this.#options.kappa) : this.#options.kappa,
    });
    const objective = (live: IntervalTasks, { x, labels }: Batch, { epsilon, kappa }: Progress): Tensor => {
      const made = this.#generate(live, [at, ...earlier], epsilon);
      const loss = this.#loss(intervalWeightsOf(made, 0), x, labels, kappa);
      if (at === 0 || strength === 0) return loss;
      const moved = sides.map((side, i) => change(networksOf(made[side], 1, at + 1), recorded[i] as Weights));
      return add(
        loss,
        multiply(
          moved.reduce((a, b) => add(a, b)),
          share,
        ),
      );
    };
    let now = 0;
    const own = this.#withOutputs(task, at);
    const validation = task.validation && batchOf(this.#withOutputs(task.validation, at));
    const whole = { epsilon: this.#options.epsilon, kappa: this.#options.kappa };
    try {
      await minimize(
        model,
        (live, { step, random }) => {
          now = step;
          return objective(live, drawRows(own, this.batch, random), progress(step));
        },
        {
          ...hooks,
          steps: this.steps,
          random: this.random.split(`task ${at}`),
          optimizer: new Adam({ learningRate: this.learningRate }),
          // Until ε has its full value, no state can be the best. What earlier tasks lose counts.
          ...(validation && {
            better: 'smaller' as const,
            validate: (live: IntervalTasks) =>
              now < half ? Number.POSITIVE_INFINITY : objective(live, validation, whole).item(),
          }),
        },
      );
    } finally {
      for (const side of recorded) for (const weight of Object.values(side)) weight.dispose();
    }
    this.reserveMemory(at);
  }

  /** Rows with their classes as outputs of the networks. */
  #withOutputs({ x, labels }: TaskRows, at: number): TaskRows {
    const first = this.#firstOutput(at);
    return { x, labels: labels.map((label) => label + first) };
  }

  #loss(weights: IntervalWeights, x: Tensor, labels: Tensor, kappa: number): Tensor {
    const logits = propagate(this.#network as TargetNetwork, weights, x);
    return add(
      multiply(crossEntropy(logits.middle, labels), kappa),
      multiply(crossEntropy(worstCase(logits, labels), labels), 1 - kappa),
    );
  }

  /** Bounds of a task's weights, by name. */
  weightsOf(task: number | string): IntervalWeights {
    return intervalWeightsOf(this.#generate(this.model as IntervalTasks, [this.indexOf(task)]), 0);
  }

  /** Bounds of the logits of rows under a task's weights. */
  logits(x: Tensor, task: number | string): Interval {
    return propagate(this.#network as TargetNetwork, this.weightsOf(task), x);
  }

  /** Which rows are right whatever weights are chosen within the task's bounds. */
  certified(rows: TaskRows, task: number | string): boolean[] {
    const { x, labels } = this.#withOutputs(rows, this.indexOf(task));
    return scope(() => certified(this.logits(x, task), labels));
  }

  /** The boxes of the learned tasks. */
  get boxes(): readonly Box[] {
    const model = this.model as IntervalTasks;
    return this.tasks.map((_task, at) =>
      scope(() => {
        const [centre, radius] = this.#box(model, at);
        return { centre: Float64Array.from(centre.view()), radius: Float64Array.from(radius.view()) };
      }),
    );
  }

  /**
   * One network for all tasks: the middle of the weights made from the intersection of all boxes,
   * or from its middle alone.
   *
   * @param from what the weights are made from. Default: `box`
   */
  universal(from: 'box' | 'point' = 'box'): Record<string, Tensor> {
    return scope(() => kept(this.#universal(from)));
  }

  #universal(from: 'box' | 'point'): Record<string, Tensor> {
    const { hypernet } = this.model as IntervalTasks;
    const { centre, radius } = intersection(this.boxes);
    const vector = (values: Float64Array) => tensor(Float32Array.from(values), [1, values.length]);
    const made =
      from === 'point' ? hypernet.weights(vector(centre)) : hypernet.generate(vector(centre), vector(radius)).middle;
    return weightsOf(made, 0);
  }

  protected classify(x: Tensor, task: number | undefined): Predicted {
    const forward = (weights: Weights) =>
      withWeights(this.#network as TargetNetwork, weights, (live) => live.forward(x));
    const of = (weights: Weights, at: number) => {
      const [first, { length }] = [this.#firstOutput(at), (this.tasks[at] as LearnedTask).classes];
      return likeliest(forward(weights).slice(null, [first, first + length]), at);
    };
    if (task !== undefined) return of(this.weightsOf(task).middle, task);
    if (this.nested && this.scenario !== 'task') {
      const logits = forward(this.#universal('box'));
      if (this.scenario === 'domain') return likeliest(logits, -1);
      const sizes = this.tasks.map(({ classes }) => classes.length);
      return amongAll(logits.slice(null, [0, sizes.reduce((a, b) => a + b)]), sizes);
    }
    const { middle } = this.#generate(this.model as IntervalTasks, [...this.tasks.keys()]);
    return surest(
      this.tasks.map((_task, at) => of(weightsOf(middle, at), at)),
      this.tasks,
    );
  }
}
