// Continual learning with a hypernetwork that keeps the dependencies between layers.
//
// Chandra, Varshney, Srijith, Gupta, "Continual Learning with Dependency Preserving
// Hypernetworks", WACV 2023. The abstract says what there is; the formulas of the regulariser and
// of growth are a reconstruction.

import { buffer, crossEntropy, parameterOwners, type TrainingHooks, type Weights } from '../../nn/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  keep,
  multiply,
  type Random,
  reshape,
  scope,
  square,
  subtract,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { GeneratedLearner, type GeneratedOptions, type GeneratedTasks } from '../continual/hypernet-learner.js';
import type { StoredNumbers } from '../continual/learner.js';
import { fisher } from '../continual/penalties.js';
import type { TargetNetwork } from '../continual/target.js';
import type { ContinualTask, LearnedTask } from '../continual/task.js';
import { weightsOf } from '../hypernet.js';
import { Layout } from '../layout.js';
import { RecurrentHypernet, type RecurrentHypernetOptions } from './hypernet.js';

export { RecurrentHypernet, type RecurrentHypernetOptions } from './hypernet.js';

/** Options of `DependencyHypernet`. */
export interface DependencyHypernetOptions extends GeneratedOptions, RecurrentHypernetOptions {
  /**
   * What the regulariser weighs changes by: `full` the importance of each weight, `step` the mean
   * of each step, `none` all alike. Default: `full`.
   */
  readonly importance?: 'none' | 'step' | 'full';
  /** a: share of the importance that all weights have alike. Default: 0.5. */
  readonly floor?: number;
  /**
   * λ_h/β: how firmly the outputs of the units are held at every step, beside the weights. Default:
   * 0.
   */
  readonly coupling?: number;
  /** Rows that importances are taken from, at most. Default: 200. */
  readonly samples?: number;
  /** Tasks after which units are added; 0 never does. Default: 0. */
  readonly growEvery?: number;
  /**
   * Adds units when the cross-entropy after a quarter of a task's steps is more than this many
   * times that of earlier tasks at their ends. Default: never.
   */
  readonly growAbove?: number;
  /** Units that are added at once. Default: half of `units`. */
  readonly growUnits?: number;
  /** Additions at most. Default: 3. */
  readonly growths?: number;
  /** Whether all that was there before an addition stops training. Default: false. */
  readonly freezeOld?: boolean;
}

/** What a file keeps of the growth. */
interface History {
  /** Units of each addition, and the first task that they serve. */
  readonly growths: readonly { readonly task: number; readonly units: number }[];
  /** Cross-entropy at the end of each task. */
  readonly ends: readonly number[];
}

/** Outputs of the units among what is held, by the number of the addition. */
const STATES = 'states ';

/** Steps at the end of a task whose mean cross-entropy stands for it. */
const LAST_STEPS = 10;

/**
 * Makes the weights of each task's network by a recurrent hypernetwork from the task's embedding:
 * `RecurrentHypernet`. Earlier tasks are held by
 *
 *   (β/(t − 1)) Σ_{j<t} Σ_i F̂_{j,i}·(H(e_j; Φ)_i − w*_{j,i})²,  F̂ = a + (1 − a)·F/mean F
 *
 * with the mean squared gradient F_{j,i} of the log-likelihood of task j's rows by the weights made
 * for it at its end, and by (λ_h/(t − 1)) Σ_{j<t} Σ_s ‖h_s(e_j; Φ) − h*_{j,s}‖² of the units'
 * outputs where steps are coupled. Where capacity is short, units are added that no earlier task
 * sees.
 */
export class DependencyHypernet extends GeneratedLearner<RecurrentHypernet> {
  /** F̂ of each learned task [N], or of each of its steps [S]. */
  readonly importances: Tensor[] = [];
  readonly #options: Required<Omit<DependencyHypernetOptions, keyof GeneratedOptions>>;
  readonly #ends: number[] = [];
  #steps: Int32Array | undefined;
  #learning = false;

  /** @throws RangeError unless the floor is a share */
  constructor(
    random: Random,
    {
      cell = 'lstm',
      units = 32,
      chunk = 0,
      position = 8,
      cut = false,
      importance = 'full',
      floor = 0.5,
      coupling = 0,
      samples = 200,
      growEvery = 0,
      growAbove = Number.POSITIVE_INFINITY,
      growUnits = Math.max(1, Math.round(units / 2)),
      growths = 3,
      freezeOld = false,
      ...options
    }: DependencyHypernetOptions = {},
  ) {
    super(random, options);
    if (!(floor >= 0 && floor <= 1)) throw new RangeError(`DependencyHypernet: the floor ${floor} is no share`);
    if (!(coupling >= 0)) throw new RangeError(`DependencyHypernet: the coupling must be at least 0, got ${coupling}`);
    const own = { cell, units, chunk, position, cut, coupling };
    this.#options = { ...own, importance, floor, samples, growEvery, growAbove, growUnits, growths, freezeOld };
  }

  override get stored(): StoredNumbers {
    const { rest, training } = super.stored;
    return { rest: rest + this.importances.reduce((total, { size }) => total + size, 0), training };
  }

  protected create(target: TargetNetwork, random: Random): RecurrentHypernet {
    return new RecurrentHypernet(Layout.of(target), this.embedding, random, this.#options);
  }

  protected generate(
    hypernet: RecurrentHypernet,
    embeddings: Tensor,
    tasks: readonly number[],
  ): Record<string, Tensor> {
    return hypernet.generate(embeddings, tasks);
  }

  protected override madeFor(
    model: GeneratedTasks<RecurrentHypernet>,
    tasks: readonly number[],
  ): Record<string, Tensor> {
    if (this.#options.coupling === 0) return super.madeFor(model, tasks);
    const { hypernet, embeddings } = model;
    const states = hypernet.states(concatenate(tasks.map((at) => embeddings[at] as Tensor)));
    return {
      ...hypernet.weightsFrom(states, tasks),
      ...Object.fromEntries(states.map((h, g) => [`${STATES}${g}`, h])),
    };
  }

  /**
   * Adds units for the tasks to come; what is made for learned tasks stays as it is.
   *
   * @throws Error before the first task, and while a task is being learned
   */
  grow(units = this.#options.growUnits): void {
    if (!this.model) throw new Error('DependencyHypernet: there is nothing to grow before the first task');
    if (this.#learning) throw new Error('DependencyHypernet: a task is being learned; grow before or after it');
    this.#grow(units);
  }

  #grow(units = this.#options.growUnits): void {
    const { hypernet } = this.#made;
    hypernet.grow(
      units,
      this.tasks.length,
      this.random.split(`growth ${hypernet.since.length}`),
      this.#options.freezeOld,
    );
  }

  /** Units added, and the cross-entropies that tasks ended at. */
  override get history(): History {
    const { since = [], units = [] } = this.model?.hypernet ?? {};
    const growths = since.map((task, g) => ({ task, units: units[g + 1]?.cell.hidden ?? 0 }));
    return { growths, ends: [...this.#ends] };
  }

  override reserveAll(tasks: readonly LearnedTask[], shape: readonly number[], history?: unknown): void {
    super.reserveAll(tasks, shape);
    const { growths = [], ends = [] } = (history ?? {}) as Partial<History>;
    this.#ends.push(...ends);
    for (const { task, units } of growths)
      this.#made.hypernet.grow(units, task, this.random.split('growth'), this.#options.freezeOld);
  }

  /** The hypernetwork and the embeddings, once there is a task. */
  get #made(): GeneratedTasks<RecurrentHypernet> {
    return this.model as GeneratedTasks<RecurrentHypernet>;
  }

  #canGrow(): boolean {
    return this.#made.hypernet.since.length < this.#options.growths;
  }

  protected override async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    this.#learning = true;
    try {
      await this.#train(task, at, hooks);
    } finally {
      this.#learning = false;
    }
  }

  async #train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    const { growEvery, growAbove } = this.#options;
    const random = this.random.split(`task ${at}`);
    if (growEvery > 0 && at > 0 && at % growEvery === 0 && this.#canGrow()) this.#grow();
    const trial = at > 0 && Number.isFinite(growAbove) && this.#canGrow() ? Math.ceil(this.steps / 4) : 0;
    const losses = await this.holding(at, async (recorded) => {
      const descent = { task, at, random, recorded, hooks };
      if (trial > 0) {
        const tried = { ...descent, steps: trial, random: random.split('trial'), hooks: { signal: hooks.signal } };
        const usual = this.#ends.reduce((a, b) => a + b, 0) / this.#ends.length;
        if (lastOf(await this.descend(tried)) > growAbove * usual) this.#grow();
      }
      return this.descend({ ...descent, steps: this.steps - trial });
    });
    this.#ends.push(lastOf(losses));
    super.reserveMemory(at);
    if (this.#options.importance !== 'none')
      this.importances[at] = buffer(keep(scope(() => this.#importance(task, at, random))));
  }

  protected override reserveMemory(at: number): void {
    super.reserveMemory(at);
    const { hypernet } = this.#made;
    const { importance } = this.#options;
    if (importance === 'none') return;
    const size = importance === 'full' ? hypernet.layout.size : hypernet.sizes.length;
    this.importances[at] = buffer(keep(zeros([size])));
  }

  /** F̂, by the generated weights, which the target network takes for it. */
  #importance(task: ContinualTask, at: number, random: Random): Tensor {
    const { floor, samples, importance } = this.#options;
    const { hypernet } = this.#made;
    const network = this.network as TargetNetwork;
    const made = weightsOf(this.weightsFor(this.#made, [at]), 0);
    for (const { name, tensor: weight } of parameterOwners(network)) weight.assign(made[name] as Tensor);
    const order = random.split('importance').permutation(task.labels.length);
    const rows = Math.min(order.length, samples);
    const found = fisher(
      network,
      (live, row) => {
        const own = order.slice(row, row + 1);
        const logits = live.forward(gatherKnownRows(task.x, tensor(own)));
        return crossEntropy(
          logits.slice(null, [0, task.classes.length]),
          tensor(own.map((i) => task.labels[i] as number)),
        );
      },
      rows,
    );
    const values = hypernet.layout.pack(found);
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    const weighed = values.map((value) => floor + ((1 - floor) * value) / (average || 1));
    if (importance === 'full') return tensor(weighed);
    let from = 0;
    return tensor(
      Float32Array.from(hypernet.sizes, (size) => {
        from += size;
        return weighed.subarray(from - size, from).reduce((a, b) => a + b, 0) / size;
      }),
    );
  }

  /** F̂ of some tasks by the names of the weights, [tasks, …shape]. */
  #importancesOf(tasks: readonly number[]): Weights {
    const { layout, sizes } = this.#made.hypernet;
    if (this.#options.importance === 'step')
      this.#steps ??= Int32Array.from(sizes.flatMap((size, step) => new Array<number>(size).fill(step)));
    const rows = tasks.map((at) => {
      const own = this.importances[at] as Tensor;
      const each = this.#steps ? gatherKnownRows(own, tensor(this.#steps)) : own;
      return reshape(each, [1, layout.size]);
    });
    return layout.unpack(concatenate(rows));
  }

  protected override regularizer(made: Weights, recorded: Weights, tasks: readonly number[]): Tensor {
    const { importance, coupling } = this.#options;
    const isState = (name: string) => name.startsWith(STATES);
    const importances = importance === 'none' ? undefined : this.#importancesOf(tasks);
    return Object.entries(recorded)
      .map(([name, before]) => {
        const moved = square(subtract(made[name] as Tensor, before));
        if (isState(name)) return multiply(sum(moved), coupling);
        return sum(importances ? multiply(importances[name] as Tensor, moved) : moved);
      })
      .reduce((a, b) => add(a, b));
  }
}

const lastOf = (losses: readonly number[]) => {
  const last = losses.slice(-LAST_STEPS);
  return last.reduce((a, b) => a + b, 0) / last.length;
};
