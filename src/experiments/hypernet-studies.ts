// Two measurements of the review's experiment: what a distribution over networks doubts, and how much smaller a hypernetwork can be than the network that it makes.

import { DIGIT_CLASSES, DIGIT_PIXELS, drawDigits, glyphDigits } from '../data/index.js';
import { eventTurn } from '../engine/index.js';
import { chunks, Hypernet, mlpTrunk, NoiseCondition, predictiveValues, TaskCondition } from '../hypernet/index.js';
import {
  Adam,
  accuracy,
  crossEntropy,
  inference,
  MLP,
  parameterCount,
  parameters,
  predictedClasses,
  withWeights,
} from '../nn/index.js';
import { keep, Random, scope, type Tensor, tensor, valueAndGrad } from '../tensor/index.js';
import type { RunContext } from './contract.js';

export const forward = (live: MLP, x: Tensor) => live.forward(x, inference);

/** Adam on a module, with progress every fiftieth of the way. */
export async function optimize<M extends object>(
  model: M,
  steps: number,
  loss: (live: M, step: number) => Tensor,
  context: RunContext | undefined,
  method: string,
  learningRate = 5e-3,
): Promise<void> {
  const optimizer = new Adam({ learningRate });
  const every = Math.max(1, Math.floor(steps / 50));
  for (let step = 0; step < steps; step++) {
    if (step % 50 === 0) await eventTurn(context?.signal);
    scope(() => {
      const weights = parameters(model);
      const { value, gradient } = valueAndGrad((w: Record<string, Tensor>) =>
        withWeights(model, w, (live) => loss(live, step)),
      )(weights);
      optimizer.update(weights, gradient);
      if ((step + 1) % every === 0)
        context?.onEpoch(method, {
          epoch: (step + 1) / every,
          epochs: Math.floor(steps / every),
          loss: value.item(),
          seconds: 0,
        });
    });
  }
}

/** Standard deviation of the predictions of a distribution over networks, inside and outside the data of a noisy sine. */
export async function doubt(steps: number, seed: number) {
  const random = new Random(seed).split('doubt');
  const n = 128;
  const inputs = Float32Array.from({ length: n }, () => 2 * random.float() - 1);
  const x = keep(tensor(inputs, [n, 1]));
  const y = keep(
    tensor(
      inputs.map((value) => Math.sin(3 * value) + 0.1 * random.gaussian()),
      [n, 1],
    ),
  );
  const condition = new NoiseCondition(8);
  const hypernet = new Hypernet(new MLP([1, 32, 2], random.split('target')), condition, random.split('hypernet'), {
    trunk: mlpTrunk([32]),
  });
  // Mean and log-variance; the likelihood of a normal distribution, under fresh noise each step.
  const split = (out: Tensor) => ({ mean: out.slice(null, [0, 1]), logVariance: out.slice(null, [1, 2]).clip(-8, 4) });
  await optimize(
    hypernet,
    steps,
    (live, step) => {
      const { mean, logVariance } = split(live.run(condition.sample(1, random.split(step)), x, forward));
      return y.subtract(mean).square().multiply(logVariance.negate().exp()).add(logVariance).mean();
    },
    undefined,
    '',
  );
  const grid = [-2, -1, -0.5, 0, 0.5, 1, 2];
  const { epistemic, total } = predictiveValues((draw) => {
    const { mean, logVariance } = split(
      hypernet.run(condition.sample(1, random.split('test').split(draw)), tensor(grid, [grid.length, 1]), forward),
    );
    return { mean, variance: logVariance.exp() };
  }, 100);
  const deviation = (values: Float64Array) => Array.from(values, Math.sqrt);
  return { grid, epistemic: deviation(epistemic), total: deviation(total) };
}

/** A network trained as it is, and made in chunks by a hypernetwork that stores less: digits of 8 × 8 pixels. */
export async function compression(steps: number, seed: number) {
  const random = new Random(seed).split('compression');
  const [seen, held] = [glyphDigits(4000, random.split('train')), glyphDigits(1000, random.split('test'))];
  const testX = keep(tensor(held.x, [held.labels.length, DIGIT_PIXELS]));
  const make = () => new MLP([DIGIT_PIXELS, 100, 100, DIGIT_CLASSES], random.split('target'));
  const draws = random.split('batches');
  const direct = make();
  const condition = new TaskCondition(1, 8, random.split('task'));
  const hypernet = new Hypernet(make(), condition, random.split('hypernet'), {
    trunk: mlpTrunk([24]),
    generator: chunks(400, 8),
  });
  const train = async <M extends object>(model: M, run: (live: M, x: Tensor) => Tensor) => {
    await optimize(
      model,
      steps,
      (live) => {
        const { x, labels } = drawDigits(seen, 64, draws);
        return crossEntropy(run(live, x), labels);
      },
      undefined,
      '',
      2e-3,
    );
    return (
      100 *
      accuracy(
        scope(() => predictedClasses(run(model, testX))),
        held.labels,
      )
    );
  };
  return {
    direct: { accuracy: await train(direct, forward), size: parameterCount(direct) },
    made: { accuracy: await train(hypernet, (live, x) => live.run([0], x, forward)), size: hypernet.size },
  };
}
