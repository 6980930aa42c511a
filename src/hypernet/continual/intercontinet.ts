// InterContiNet: one network whose weights have intervals that start wide and only contract.

import {
  accuracy,
  buffer,
  crossEntropy,
  Linear,
  minimize,
  parameter,
  parameters,
  predictedClasses,
  SGD,
  type TrainingHooks,
} from '../../nn/index.js';
import {
  abs,
  add,
  concatenate,
  divide,
  full,
  multiply,
  type Random,
  scope,
  sigmoid,
  subtract,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { type Interval, type IntervalWeights, propagate, worstCase } from '../interval/propagate.js';
import {
  amongAll,
  ContinualLearner,
  type LearnerOptions,
  likeliest,
  type Predicted,
  type StoredNumbers,
} from './learner.js';
import type { SharedNetwork } from './network-learner.js';
import { TargetBody } from './target.js';
import { type ContinualTask, drawRows, type LearnedTask } from './task.js';

/** Options of `InterContiNet`. */
export interface InterContiNetOptions extends LearnerOptions {
  /** ρ at the start: how far a weight may move at most, over all tasks. Default: 1. */
  readonly radius?: number;
  /** Share of the plain accuracy that is to hold at the worst. Default: 0.9. */
  readonly threshold?: number;
  /** Learning rate of b. Default: 10 times that of the weights. */
  readonly scaleRate?: number;
  /** b at the start of a task; the radius is σ(b) of what is left. Default: 5. */
  readonly scale?: number;
}

/** What trains: centres w, shifts a and scales b, by the names of the network's parameters. */
interface IntervalParameters {
  readonly centres: Record<string, Tensor>;
  readonly shifts: Record<string, Tensor>;
  readonly scales: Record<string, Tensor>;
}

/** Batches that the accuracies of the contraction are averaged over. */
const WINDOW = 10;

/**
 * Each weight has a centre w and a radius ρ. A task moves it to w + sρ with s = tanh(a/ρ) and
 * leaves it the interval w + sρ ± qρ, q = σ(b)·(1 − |s|), which lies within the last one. The
 * first task trains w, later ones a; the last third of the steps trains b alone, by the
 * cross-entropy at the worst while its accuracy is below a share of the plain one. Wołczyk, Piczak,
 * Wójcik, Pustelnik, Morawiecki, Tabor, Trzciński, Spurek, "Continual Learning with Guarantees via
 * Weight Interval Constraints", ICML 2022.
 */
export class InterContiNet extends ContinualLearner {
  /** ρ by parameter name. */
  readonly radii: Record<string, Tensor> = {};
  /** What trains. */
  readonly weights: IntervalParameters = { centres: {}, shifts: {}, scales: {} };
  readonly #radius: number;
  readonly #threshold: number;
  readonly #scale: number;
  readonly #scaleRate: number;
  #network: SharedNetwork | undefined;

  /** @throws RangeError unless the radius is positive */
  constructor(
    random: Random,
    { radius = 1, threshold = 0.9, scale = 5, scaleRate, ...options }: InterContiNetOptions = {},
  ) {
    super(random, options);
    if (!(radius > 0)) throw new RangeError(`InterContiNet: the radius must be positive, got ${radius}`);
    this.#radius = radius;
    this.#threshold = threshold;
    this.#scale = scale;
    this.#scaleRate = scaleRate ?? 10 * this.learningRate;
  }

  get stored(): StoredNumbers {
    const numbers = Object.values(this.radii).reduce((total, { size }) => total + size, 0);
    return { rest: 2 * numbers, training: 2 * numbers };
  }

  protected add({ classes }: LearnedTask, at: number, shape: readonly number[]): void {
    this.#network ??= { body: new TargetBody(shape, this.random.split('body'), this.target), heads: [] };
    const { body, heads } = this.#network;
    if (this.scenario !== 'domain' || at === 0)
      heads[at] = new Linear(body.outFeatures, classes.length, this.random.split(`head ${at}`));
    const { centres, shifts, scales } = this.weights;
    for (const [name, weight] of Object.entries(parameters(this.#network))) {
      if (name in this.radii) continue;
      this.radii[name] = buffer(full(weight.shape, this.#radius));
      centres[name] = buffer(weight.clone());
      shifts[name] = buffer(zeros(weight.shape));
      scales[name] = buffer(full(weight.shape, this.#scale));
    }
  }

  protected reserveMemory(): void {}

  protected async train(task: ContinualTask, at: number, hooks: TrainingHooks): Promise<void> {
    const { centres, shifts, scales } = this.weights;
    const contraction = Math.floor(this.steps / 3);
    const random = this.random.split(`task ${at}`);
    const batch = (draws: Random) => drawRows(task, this.batch, draws);
    // Weights that came with this task, its output layer or all, are trained as they are.
    const fresh = Object.keys(centres).filter((name) => at === 0 || name.startsWith(`heads.${at}.`));
    const phase = { steps: this.steps - contraction, random: random.split('centres'), learningRate: this.learningRate };
    await this.#minimize(
      [...fresh.map((name) => centres[name]), ...(at === 0 ? [] : Object.values(shifts))] as Tensor[],
      (live, draws) => {
        const { x, labels } = batch(draws);
        return this.#crossEntropy(this.#logits(this.#intervals(live), x, at).middle, labels, at);
      },
      phase,
      hooks,
    );
    const recent: { plain: number; worst: number }[] = [];
    await this.#minimize(
      Object.values(scales),
      (live, draws) => {
        const { x, labels } = batch(draws);
        const logits = this.#logits(this.#intervals(live), x, at);
        const own = this.#outputsOf(labels, at);
        const worst = worstCase(logits, own);
        const right = (value: Tensor) => accuracy(predictedClasses(value), own.view<Int32Array>());
        recent.push({ plain: right(logits.middle), worst: right(worst) });
        const last = recent.slice(-WINDOW);
        const mean = (key: 'plain' | 'worst') => last.reduce((total, each) => total + each[key], 0) / last.length;
        return multiply(crossEntropy(worst, own), Number(mean('worst') < this.#threshold * mean('plain')));
      },
      { steps: contraction, random: random.split('scales'), learningRate: this.#scaleRate },
      {},
    );
    this.#contract();
  }

  async #minimize(
    trained: readonly Tensor[],
    loss: (live: IntervalParameters, draws: Random) => Tensor,
    { steps, random, learningRate }: { steps: number; random: Random; learningRate: number },
    hooks: TrainingHooks,
  ): Promise<void> {
    for (const weight of trained) parameter(weight);
    try {
      await minimize(this.weights, (live, { random: draws }) => loss(live, draws), {
        ...hooks,
        steps,
        random,
        optimizer: new SGD({ learningRate }),
      });
    } finally {
      for (const weight of trained) buffer(weight);
    }
  }

  /** Centre and radius of one weight's interval. */
  #interval({ centres, shifts, scales }: IntervalParameters, name: string): [centre: Tensor, radius: Tensor] {
    const radius = this.radii[name] as Tensor;
    // A radius of 0 leaves no room for a shift.
    const shift = tanh(divide(shifts[name] as Tensor, add(radius, 1e-12)));
    const left = multiply(sigmoid(scales[name] as Tensor), subtract(1, abs(shift)));
    return [add(centres[name] as Tensor, multiply(shift, radius)), multiply(left, radius)];
  }

  #intervals(live: IntervalParameters): IntervalWeights {
    const [lower, middle, upper]: Record<string, Tensor>[] = [{}, {}, {}];
    for (const name of Object.keys(live.centres)) {
      const [centre, radius] = this.#interval(live, name);
      (lower as Record<string, Tensor>)[name] = subtract(centre, radius);
      (middle as Record<string, Tensor>)[name] = centre;
      (upper as Record<string, Tensor>)[name] = add(centre, radius);
    }
    return { lower, middle, upper } as IntervalWeights;
  }

  /** Bounds of the logits of a task, or of all tasks up to it side by side. */
  #logits(weights: IntervalWeights, x: Tensor, at: number): Interval {
    const network = this.#network as SharedNetwork;
    const of = (head: number) => propagate(network, weights, x, `heads.${head}`);
    if (this.scenario !== 'class') return of(this.scenario === 'domain' ? 0 : at);
    const all = network.heads.slice(0, at + 1).map((_head, i) => of(i));
    const side = (key: keyof Interval) =>
      concatenate(
        all.map((each) => each[key]),
        1,
      );
    return { lower: side('lower'), middle: side('middle'), upper: side('upper') };
  }

  #outputsOf(labels: Tensor, at: number): Tensor {
    if (this.scenario !== 'class') return labels;
    const before = (this.#network as SharedNetwork).heads
      .slice(0, at)
      .reduce((n, { outFeatures }) => n + outFeatures, 0);
    return tensor(labels.view<Int32Array>().map((label) => label + before));
  }

  #crossEntropy(logits: Tensor, labels: Tensor, at: number): Tensor {
    return crossEntropy(logits, this.#outputsOf(labels, at));
  }

  /** Takes the intervals that the task left as those of the next: w ← w + sρ, ρ ← qρ, a ← 0. */
  #contract(): void {
    const { centres, shifts, scales } = this.weights;
    for (const [name, radius] of Object.entries(this.radii))
      scope(() => {
        const [centre, left] = this.#interval(this.weights, name);
        (centres[name] as Tensor).assign(centre);
        radius.assign(left);
        (shifts[name] as Tensor).assign(zeros(radius.shape));
        (scales[name] as Tensor).assign(full(radius.shape, this.#scale));
      });
  }

  /** Bounds that all weights of tasks to come keep, by parameter name. */
  get bounds(): IntervalWeights {
    const { centres } = this.weights;
    const shifted = (sign: number) =>
      Object.fromEntries(
        Object.entries(centres).map(([name, centre]) => [
          name,
          add(centre, multiply(this.radii[name] as Tensor, sign)),
        ]),
      );
    return { lower: shifted(-1), middle: centres, upper: shifted(1) };
  }

  protected classify(x: Tensor, task: number | undefined): Predicted {
    const { centres } = this.weights;
    const point = { lower: centres, middle: centres, upper: centres };
    const last = this.tasks.length - 1;
    if (this.scenario === 'domain') return likeliest(this.#logits(point, x, last).middle, task ?? -1);
    if (task !== undefined) {
      const network = this.#network as SharedNetwork;
      return likeliest(propagate(network, point, x, `heads.${task}`).middle, task);
    }
    if (this.scenario === 'task')
      throw new Error('continual: each task has outputs of its own; say which task the rows belong to');
    return amongAll(
      this.#logits(point, x, last).middle,
      this.tasks.map(({ classes }) => classes.length),
    );
  }
}
