// Regression with a distribution over networks: y = sin 3x + noise on [−1, 1], and the predictive
// uncertainty outside. The noise that generates the networks is drawn afresh at every step.

import { Hypernet, mlpTrunk, NoiseCondition, predictiveValues } from '../../hypernet/index.js';
import { Adam, cosine, inference, MLP, minimize } from '../../nn/index.js';
import { concatenate, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

const TRAINING_POINTS = 128;
const TEST_POINTS = 512;
/** S: networks drawn at each training step. */
const STEP_DRAWS = 16;
/** Networks drawn for predictions. */
const DRAWS = 100;
const grid = [-2, -1.5, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1.5, 2];
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

  /** −log (1/S) Σ_s p(y | x, Θ_s), mean over the points: of the mixture, not of each network. */
  loss({ x, y }: Points, draws: number, noise: Random): Tensor {
    const each = concatenate(Array.from({ length: draws }, () => y));
    const terms = negativeLogLikelihood(this.forward(x, draws, noise), each);
    return terms.reshape([draws, -1]).negate().logSumExp(0).subtract(Math.log(draws)).mean().negate();
  }
}

const network = (random: Random) => new MLP([1, 32, 2], random);

/** What one seed shows of the hypernetwork and of a plain network. */
export interface NoisySine {
  /** Standard deviation at each point of the grid, over networks and with predicted noise. */
  readonly epistemic: readonly number[];
  readonly total: readonly number[];
  /** Smaller total deviation at ±2, over the mean inside the data. */
  readonly ratio: number;
  /** Mean epistemic deviation inside. */
  readonly inside: number;
  /** Test NLL inside the data: the hypernetwork's less the plain network's. */
  readonly excess: number;
  /** Test NLL at 1 ≤ |x| < 2, where there are no data. */
  readonly outside: { readonly hypernet: number; readonly plain: number };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Trains both networks on the same points, by the same number of steps and the same schedule. */
export async function trainNoisySine(
  steps: number,
  random: Random,
  { signal, onEpoch }: { signal?: AbortSignal | undefined; onEpoch?: (share: number) => void } = {},
): Promise<NoisySine> {
  const points = drawPoints(TRAINING_POINTS, random.split('training points'));
  const model = new NoiseNetwork(random.split('model'));
  const plain = network(random.split('plain'));
  const training = () => ({ steps, optimizer: new Adam({ learningRate: 5e-3 }), schedule: cosine(steps), signal });
  await minimize(model, (live, { random: noise }) => live.loss(points, STEP_DRAWS, noise), {
    ...training(),
    random: random.split('training'),
    onEpoch: ({ epoch, epochs }) => onEpoch?.(epoch / epochs),
  });
  await minimize(plain, (live) => negativeLogLikelihood(live.forward(points.x, inference), points.y).mean(), {
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
  const likelihoods = (test: Points) => ({
    hypernet: scope(() => model.loss(test, DRAWS, noise.split('mixture')).item()),
    plain: scope(() => negativeLogLikelihood(plain.forward(test.x, inference), test.y).mean().item()),
  });
  const inside = likelihoods(drawPoints(TEST_POINTS, random.split('test points')));
  return {
    ...own,
    ratio: Math.min(own.total[0] as number, own.total.at(-1) as number) / insideOf(own.total),
    inside: insideOf(own.epistemic),
    excess: inside.hypernet - inside.plain,
    outside: likelihoods(drawPoints(TEST_POINTS, random.split('points outside'), { from: 1, to: 2 })),
  };
}

/** Predictive uncertainty inside and outside the data range, over several seeds. */
export async function uncertaintyStudy(
  { steps, seeds }: { readonly steps: number; readonly seeds: number },
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const runs: NoisySine[] = [];
  for (let at = 0; at < seeds; at++) {
    const onEpoch = (share: number) => progress('uncertainty', (at + share) / seeds);
    runs.push(await trainNoisySine(steps, new Random(seed + at).split('uncertainty'), { signal, onEpoch }));
  }
  const row = (title: string, values: (run: NoisySine) => readonly number[]) => [
    title,
    ...grid.map((_, i) => mean(runs.map((run) => values(run)[i] as number)).toFixed(3)),
  ];
  return studyOf(
    {
      title: 'Uncertainty of a distribution over networks: y = sin 3x + noise, data in −1 … 1',
      note:
        `Standard deviations over ${DRAWS} networks, means over ${seeds} seeds: of their means (epistemic), and with the noise that ` +
        `they predict (total). Each step draws ${STEP_DRAWS} new networks and maximises the likelihood of their mixture. ` +
        `Outside over inside, by seed: ${runs.map(({ ratio }) => ratio.toFixed(1)).join(', ')}; excess of the test NLL inside over a plain network's: ${runs.map(({ excess }) => excess.toFixed(3)).join(', ')}.`,
      columns: ['x', ...grid.map(String)],
      rows: [row('epistemic', ({ epistemic }) => epistemic), row('total', ({ total }) => total)],
    },
    {
      unsure: runs.filter(({ ratio }) => ratio >= 2).length / seeds,
      epistemic: Math.min(...runs.map(({ inside }) => inside)),
      excess: Math.max(...runs.map(({ excess }) => excess)),
      'uncertainty quantification, hypernetwork': mean(runs.map(({ outside }) => outside.hypernet)),
      'uncertainty quantification, plain': mean(runs.map(({ outside }) => outside.plain)),
    },
  );
}
