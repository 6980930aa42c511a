// InterContiNet: one network whose weights have intervals that start wide and only contract.

import {
  accuracy,
  buffer,
  crossEntropy,
  minimize,
  parameter,
  parameters,
  predictedClasses,
  SGD,
  type TrainingHooks,
  type Weights,
  withWeights,
} from '../../nn/index.js';
import {
  abs,
  add,
  divide,
  full,
  multiply,
  type Random,
  scope,
  sigmoid,
  subtract,
  type Tensor,
  tanh,
  zeros,
} from '../../tensor/index.js';
import { type Interval, type IntervalWeights, propagate, worstCase } from '../interval/propagate.js';
import { ContinualLearner, type LearnerOptions, type Predicted, type StoredNumbers } from './learner.js';
import { SharedNetwork, sideBySide } from './shared-network.js';
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
    this.#network ??= new SharedNetwork(this.scenario, shape, this.random, this.target);
    this.#network.add(classes.length, at);
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
    const network = this.#network as SharedNetwork;
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
        return withWeights(network, this.#centres(live), (own) => own.loss(x, labels, at));
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
        const own = network.outputsOf(labels, at);
        const worst = worstCase(logits, own);
        const right = (value: Tensor) => accuracy(predictedClasses(value), own.view<Int32Array>());
        recent.push({ plain: right(logits.middle), worst: right(worst) });
        const last = recent.slice(-WINDOW);
        const mean = (key: 'plain' | 'worst') => last.reduce((total, each) => total + each[key], 0) / last.length;
        return multiply(crossEntropy(worst, own), Number(mean('worst') < this.#threshold * mean('plain')));
      },
      { steps: contraction, random: random.split('scales'), learningRate: this.#scaleRate },
      { signal: hooks.signal },
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

  #centres(live: IntervalParameters): Weights {
    return Object.fromEntries(Object.keys(live.centres).map((name) => [name, this.#interval(live, name)[0]]));
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

  /** Bounds of the logits of a task, or of all tasks so far side by side. */
  #logits(weights: IntervalWeights, x: Tensor, at: number): Interval {
    const network = this.#network as SharedNetwork;
    const of = (head: number) => propagate(network, weights, x, `heads.${head}`);
    const all = network.headsFor(at).map(of);
    const side = (key: keyof Interval) => sideBySide(all.map((each) => each[key]));
    return { lower: side('lower'), middle: side('middle'), upper: side('upper') };
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
    return withWeights(this.#network as SharedNetwork, this.weights.centres, (own) => own.classify(x, task));
  }
}
