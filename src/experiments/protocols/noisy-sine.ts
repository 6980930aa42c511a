// Regression with a distribution over networks: y = sin 3x + noise on [−1, 1], and the predictive
// uncertainty outside.

import { Hypernet, mlpTrunk, NoiseCondition, predictiveValues } from '../../hypernet/index.js';
import { Adam, inference, MLP, minimize } from '../../nn/index.js';
import { Random, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

const POINTS = 128;
const DRAWS = 100;
const grid = [-2, -1, -0.5, 0, 0.5, 1, 2];

function sample(random: Random): { x: Tensor; y: Tensor } {
  const inputs = Float32Array.from({ length: POINTS }, () => 2 * random.float() - 1);
  const values = inputs.map((value) => Math.sin(3 * value) + 0.1 * random.gaussian());
  return { x: tensor(inputs, [POINTS, 1]), y: tensor(values, [POINTS, 1]) };
}

/** Mean and log-variance of a network's output [n, 2]. */
function gaussianOf(output: Tensor): { mean: Tensor; logVariance: Tensor } {
  return { mean: output.slice(null, [0, 1]), logVariance: output.slice(null, [1, 2]).clip(-8, 4) };
}

/**
 * Predictive standard deviation of networks generated from noise, inside and outside the data
 * range.
 */
export async function uncertaintyStudy(steps: number, { seed, signal, progress }: RunContext): Promise<StudyResults> {
  const random = new Random(seed).split('doubt');
  const { x, y } = sample(random);
  const condition = new NoiseCondition(8);
  const target = new MLP([1, 32, 2], random.split('target'));
  const hypernet = new Hypernet(target, condition, random.split('hypernet'), { trunk: mlpTrunk([32]) });
  const run = (live: typeof hypernet, at: Tensor, noise: Random) =>
    gaussianOf(live.run(condition.sample(1, noise), at, (network, seen) => network.forward(seen, inference)));
  // The negative log-likelihood of a normal distribution, under fresh noise each step.
  await minimize(
    hypernet,
    (live, { random: noise }) => {
      const { mean, logVariance } = run(live, x, noise);
      return y.subtract(mean).square().multiply(logVariance.negate().exp()).add(logVariance).mean();
    },
    {
      steps,
      random: random.split('training'),
      optimizer: new Adam({ learningRate: 5e-3 }),
      signal,
      onEpoch: ({ epoch, epochs }) => progress('uncertainty', epoch / epochs),
    },
  );
  const { epistemic, total } = predictiveValues((draw) => {
    const { mean, logVariance } = run(hypernet, tensor(grid, [grid.length, 1]), random.split('test').split(draw));
    return { mean, variance: logVariance.exp() };
  }, DRAWS);
  const deviations = (values: Float64Array) => Array.from(values, (value) => Math.sqrt(value).toFixed(3));
  const at = (point: number) => Math.sqrt(total[grid.indexOf(point)] as number);
  return studyOf(
    {
      title: 'Uncertainty of a distribution over networks: y = sin 3x + noise, data in −1 … 1',
      note: `Standard deviations over ${DRAWS} networks: of their means (epistemic), and with the noise that they predict (total).`,
      columns: ['x', ...grid.map(String)],
      rows: [
        ['epistemic', ...deviations(epistemic)],
        ['total', ...deviations(total)],
      ],
    },
    { uncertainty: Math.min(at(-2), at(2)) / ((at(-0.5) + at(0) + at(0.5)) / 3) },
  );
}
