// Regression with a distribution over networks: y = sin 3x + noise on [−1, 1], and the predictive
// uncertainty outside, beside one plain network and an ensemble of them (Lakshminarayanan et al.,
// "Simple and scalable predictive uncertainty estimation using deep ensembles", NeurIPS 2017). The
// noise that generates the networks is drawn afresh at every step.

import { Hypernet, mlpTrunk, NoiseCondition, predictiveValues } from '../../hypernet/index.js';
import { Adam, cosine, inference, MLP, minimize } from '../../nn/index.js';
import { concatenate, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';

const TRAINING_POINTS = 128;
const TEST_POINTS = 512;
/** S: networks drawn at each training step. */
export const STEP_DRAWS = 16;
/** Networks drawn for predictions. */
export const DRAWS = 100;
/** Plain networks of the ensemble. */
export const MEMBERS = 5;
/** Inputs at which deviations are shown. */
export const grid = [-2, -1.5, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1.5, 2];
const insideGrid = grid.filter((x) => Math.abs(x) < 1);

interface Points {
  /** [n, 1] */
  readonly x: Tensor;
  /** [n, 1] */
  readonly y: Tensor;
}

/** Points of sin 3x + N(0, 0.1²), x uniform in [from, to) or mirrored. */
function drawPoints(count: number, random: Random, { from = 0, to = 1 } = {}): Points {
  const inputs = Float32Array.from({ length: count }, () => {
    const size = from + (to - from) * random.float();
    return random.float() < 0.5 ? -size : size;
  });
  const values = inputs.map((value) => Math.sin(3 * value) + 0.1 * random.gaussian());
  return { x: tensor(inputs, [count, 1]), y: tensor(values, [count, 1]) };
}

/** Mean and log-variance of a network's output [n, 2]. */
function gaussianOf(output: Tensor): { mean: Tensor; logVariance: Tensor } {
  return { mean: output.slice(null, [0, 1]), logVariance: output.slice(null, [1, 2]).clip(-8, 4) };
}

/** −log p(y) of each row under N(mean, exp(logVariance)). */
function negativeLogLikelihood(output: Tensor, y: Tensor): Tensor {
  const { mean, logVariance } = gaussianOf(output);
  const squares = y.subtract(mean).square().multiply(logVariance.negate().exp());
  return squares
    .add(logVariance)
    .add(Math.log(2 * Math.PI))
    .multiply(0.5);
}

/** −log (1/S) Σ_s p(y | x, Θ_s), mean over the points, of the outputs [S · n, 2] of S networks. */
function mixtureLoss(outputs: Tensor, { y }: Points, count: number): Tensor {
  const each = concatenate(Array.from({ length: count }, () => y));
  const terms = negativeLogLikelihood(outputs, each);
  return terms.reshape([count, -1]).negate().logSumExp(0).subtract(Math.log(count)).mean().negate();
}

/** A hypernetwork that turns noise into networks x → (mean, log-variance). */
export class NoiseNetwork {
  readonly condition = new NoiseCondition(4);
  readonly hypernet: Hypernet<MLP>;

  constructor(random: Random) {
    this.hypernet = new Hypernet(network(random.split('target')), this.condition, random.split('hypernet'), {
      trunk: mlpTrunk([32]),
      init: 'bias',
    });
  }

  /** Outputs of `draws` networks on all of x [n, 1]: [draws · n, 2]. */
  forward(x: Tensor, draws: number, noise: Random): Tensor {
    const each = concatenate(Array.from({ length: draws }, () => x));
    return this.hypernet.run(this.condition.sample(draws, noise), each, (live, own) => live.forward(own, inference));
  }

  /** The loss of the mixture of networks, not of each. */
  loss(points: Points, draws: number, noise: Random): Tensor {
    return mixtureLoss(this.forward(points.x, draws, noise), points, draws);
  }
}

const network = (random: Random) => new MLP([1, 32, 2], random);

/** NLL on test points. */
export interface Likelihoods {
  readonly hypernet: number;
  /** One plain network. */
  readonly plain: number;
  readonly ensemble: number;
}

/** What one seed shows of the hypernetwork and of plain networks. */
export interface NoisySine {
  /** Standard deviation at each point of the grid, over networks and with predicted noise. */
  readonly epistemic: readonly number[];
  readonly total: readonly number[];
  /** Smaller total deviation at ±2, over the mean inside the data. */
  readonly ratio: number;
  /** Mean epistemic deviation inside. */
  readonly inside: number;
  /** Inside the data. */
  readonly within: Likelihoods;
  /** At 1 ≤ |x| < 2, where there are no data. */
  readonly outside: Likelihoods;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Trains all networks on the same points, by the same number of steps and the same schedule. */
export async function trainNoisySine(
  steps: number,
  random: Random,
  { signal, onEpoch }: { signal?: AbortSignal | undefined; onEpoch?: (share: number) => void } = {},
): Promise<NoisySine> {
  const points = drawPoints(TRAINING_POINTS, random.split('training points'));
  const model = new NoiseNetwork(random.split('model'));
  const plain = Array.from({ length: MEMBERS }, (_, member) => network(random.split('plain').split(member)));
  const training = () => ({ steps, optimizer: new Adam({ learningRate: 5e-3 }), schedule: cosine(steps), signal });
  await minimize(model, (live, { random: noise }) => live.loss(points, STEP_DRAWS, noise), {
    ...training(),
    random: random.split('training'),
    onEpoch: ({ epoch, epochs }) => onEpoch?.(epoch / epochs),
  });
  for (const member of plain)
    await minimize(member, (live) => negativeLogLikelihood(live.forward(points.x, inference), points.y).mean(), {
      ...training(),
      random: random.split('training'),
    });
  const noise = random.split('test noise');
  const { epistemic, total } = predictiveValues((draw) => {
    const { mean: center, logVariance } = gaussianOf(
      model.forward(tensor(grid, [grid.length, 1]), 1, noise.split(draw)),
    );
    return { mean: center, variance: logVariance.exp() };
  }, DRAWS);
  const deviations = (variances: Float64Array) => Array.from(variances, Math.sqrt);
  const insideOf = (values: readonly number[]) => mean(insideGrid.map((x) => values[grid.indexOf(x)] as number));
  const own = { epistemic: deviations(epistemic), total: deviations(total) };
  const ofPlain = (members: readonly MLP[], test: Points) =>
    scope(() => {
      const outputs = concatenate(members.map((member) => member.forward(test.x, inference)));
      return mixtureLoss(outputs, test, members.length).item();
    });
  const likelihoods = (test: Points): Likelihoods => ({
    hypernet: scope(() => model.loss(test, DRAWS, noise.split('mixture')).item()),
    plain: ofPlain(plain.slice(0, 1), test),
    ensemble: ofPlain(plain, test),
  });
  return {
    ...own,
    ratio: Math.min(own.total[0] as number, own.total.at(-1) as number) / insideOf(own.total),
    inside: insideOf(own.epistemic),
    within: likelihoods(drawPoints(TEST_POINTS, random.split('test points'))),
    outside: likelihoods(drawPoints(TEST_POINTS, random.split('points outside'), { from: 1, to: 2 })),
  };
}
