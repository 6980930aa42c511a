// Tasks of hypernetworks with one number as condition, small: a Bayesian classifier by the weight
// of its prior, a classifier by the factor by which its features are resized, and the registration
// of curves by the weight of smoothness.

import { glyphImages, type ImageDataset, imageTensor, type LabelledImages } from '../../data/index.js';
import { hasImages, loadImages } from '../../data/node.js';
import { Hypernet, type HypernetOptions, MIP_OPTIONS, mlpTrunk, VectorCondition } from '../../hypernet/index.js';
import { Adam, Conv1d, Conv2d, crossEntropy, Linear, minimize, parameter, type Step } from '../../nn/index.js';
import {
  averagePool2d,
  concatenate,
  globalAveragePool,
  Random,
  resize,
  scope,
  slice,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { finalLoss, ordinary, stepsTo } from './magnitudes.js';

type Draw = Pick<Step, 'random'>;
type Part = 'train' | 'validation';

/** A task: what the hypernetwork generates, and its loss on a random batch under one random γ. */
interface ConditionedTask {
  readonly title: string;
  /** Initial θ⁰ of MIP. Default: `fresh`. */
  readonly residual?: 'target';
  target(random: Random): object;
  loss(hypernet: Hypernet<object>, draw: Draw, part: Part): Tensor;
}

const BATCH = 32;

/** Two convolutions and a linear layer on images of 14 × 14 pixels. */
class SmallCNN {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly linear: Linear;

  constructor(random: Random) {
    this.conv1 = new Conv2d(1, 8, 3, random, { padding: 1, stride: 2 });
    this.conv2 = new Conv2d(8, 16, 3, random, { padding: 1 });
    this.linear = new Linear(16, 10, random);
  }

  /** @param size height and width of the first features after resizing, 7 as they are */
  forward(x: Tensor, size = 7): Tensor {
    const first = this.conv1.forward(x).relu();
    const second = this.conv2.forward(size === 7 ? first : resize(first, size)).relu();
    return this.linear.forward(globalAveragePool(second));
  }
}

/**
 * Three convolutions that map two curves to a displacement of one onto the other. The weights of
 * the last one start a hundredth as large, as usual in registration, so that curves first stay.
 */
class RegistrationNetwork {
  readonly layers: readonly Conv1d[];

  constructor(random: Random) {
    this.layers = [2, 16, 16].map(
      (width, i) => new Conv1d(width, i === 2 ? 1 : 16, 5, random.split(i), { padding: 2 }),
    );
    const last = this.layers[2] as Conv1d;
    last.weight = parameter(last.weight.multiply(0.01));
    last.bias = parameter(zeros([1]));
  }

  /** [n, 2, POINTS] → displacements [n, 1, POINTS]. */
  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer, i) => (i === 2 ? layer.forward(y) : layer.forward(y).relu()), x);
  }
}

function imagesOf(images: ImageDataset): (draw: Draw, part: Part) => { x: Tensor; labels: Tensor } {
  const cut = Math.floor(0.8 * images.train.count);
  const { train } = images;
  return ({ random }, part) => {
    const [from, count] = part === 'train' ? [0, cut] : [cut, train.count - cut];
    const rows = Int32Array.from({ length: BATCH }, () => from + random.integer(count));
    const labels = rows.map((row) => train.labels[row] as number);
    return { x: averagePool2d(imageTensor(train as LabelledImages, rows, images), 2), labels: tensor(labels) };
  };
}

/** γ: logarithm of the weight of a Gaussian prior, from 10⁻⁶ to 10⁻³. */
function bayesian(images: ImageDataset): ConditionedTask {
  const draw = imagesOf(images);
  return {
    title: 'Bayesian classifier by the weight of its prior',
    target: (random) => new SmallCNN(random),
    loss(hypernet, step, part) {
      const gamma = step.random.float();
      const { x, labels } = draw(step, part);
      const weights = hypernet.generate(tensor([[gamma]]));
      const logits = hypernet.apply(weights, x, (live, seen) => (live as SmallCNN).forward(seen));
      const prior = Object.values(weights).reduce((sum, w) => sum.add(w.square().sum()), tensor(0));
      return crossEntropy(logits, labels).add(prior.multiply(0.5 * 10 ** (-6 + 3 * gamma)));
    },
  };
}

/** γ: factor from 2/7 to 1 by which features are resized between two convolutions. */
function resizing(images: ImageDataset): ConditionedTask {
  const draw = imagesOf(images);
  return {
    title: 'Classifier by the factor that its features are resized by',
    target: (random) => new SmallCNN(random),
    loss(hypernet, step, part) {
      const size = 2 + step.random.integer(6);
      const { x, labels } = draw(step, part);
      const logits = hypernet.run(tensor([[size / 7]]), x, (live, seen) => (live as SmallCNN).forward(seen, size));
      return crossEntropy(logits, labels);
    },
  };
}

const POINTS = 48;
const WAVES = 3;

/** Curves Σ aₖ·sin(kx + φₖ) at x [n, POINTS], differentiable in x. */
function curvesAt(x: Tensor, amplitudes: Tensor, phases: Tensor): Tensor {
  return Array.from({ length: WAVES }, (_, k) => {
    const [a, p] = [amplitudes, phases].map((all) => slice(all, null, [k, k + 1])) as [Tensor, Tensor];
    return x
      .multiply(k + 1)
      .add(p)
      .sin()
      .multiply(a);
  }).reduce((sum, wave) => sum.add(wave));
}

/**
 * γ: share λ of smoothness in (1 − λ)·‖m(x + u) − f‖² + λ·‖u′‖², where the fixed curve f is the
 * moving one m at x + a smooth displacement; curves are
 * drawn afresh. The network's output counts in tenths, so that it starts near the identity.
 */
const registration: ConditionedTask = {
  title: 'Registration of curves by the weight of smoothness',
  residual: 'target',
  target: (random) => new RegistrationNetwork(random),
  loss(hypernet, { random }) {
    const gamma = random.float();
    const step = (2 * Math.PI) / POINTS;
    const x = tensor(Float32Array.from({ length: POINTS }, (_, i) => i * step)).reshape([1, POINTS]);
    const amplitudes = random.normal([BATCH, WAVES]);
    const phases = random.uniform([BATCH, WAVES], 0, 2 * Math.PI);
    const moved = x
      .add(random.uniform([BATCH, 1], 0, 2 * Math.PI))
      .sin()
      .multiply(random.uniform([BATCH, 1], 0, 0.6));
    const moving = curvesAt(x, amplitudes, phases);
    const fixed = curvesAt(x.add(moved), amplitudes, phases);
    const pair = [moving, fixed].map((curve) => curve.reshape([BATCH, 1, POINTS]));
    const u = hypernet
      .run(tensor([[gamma]]), concatenate(pair, 1), (live, seen) => (live as RegistrationNetwork).forward(seen))
      .reshape([BATCH, POINTS])
      .multiply(0.1);
    const similarity = curvesAt(x.add(u), amplitudes, phases).subtract(fixed).square().mean();
    const slope = slice(u, null, [1, POINTS])
      .subtract(slice(u, null, [0, POINTS - 1]))
      .multiply(1 / step);
    return similarity.multiply(1 - gamma).add(slope.square().mean().multiply(gamma));
  },
};

const trunk = mlpTrunk([16, 64, 64], { activation: 'leakyRelu', init: 'fan-out' });
const arms = { default: { ...ordinary, trunk }, MIP: { ...MIP_OPTIONS, trunk } } as const;
type Arm = keyof typeof arms;

const RATES = [1e-3, 3e-3, 1e-2, 3e-2];
const SEEDS = 3;

interface Training {
  readonly steps: number;
  readonly signal: AbortSignal | undefined;
}

async function trained(
  task: ConditionedTask,
  options: HypernetOptions,
  rate: number,
  random: Random,
  training: Training,
) {
  const { residual = options.residual } = task;
  const own = options.residual === 'none' ? options : { ...options, residual };
  const condition = new VectorCondition(1);
  const hypernet = new Hypernet(task.target(random.split('target')), condition, random.split('hypernet'), own);
  const losses = await minimize(hypernet, (live, step) => task.loss(live, step, 'train'), {
    ...training,
    optimizer: new Adam({ learningRate: rate }),
    random,
    nonFinite: 'skip',
  });
  return { hypernet, losses };
}

/** The learning rate of the least loss on 20 validation batches; diverged runs never win. */
async function chosenRate(task: ConditionedTask, options: HypernetOptions, random: Random, training: Training) {
  let best = { rate: RATES[0] as number, loss: Number.POSITIVE_INFINITY };
  for (const rate of RATES) {
    const { hypernet } = await trained(task, options, rate, new Random(random.key), training);
    const losses = Array.from({ length: 20 }, (_, i) =>
      scope(() => task.loss(hypernet, { random: new Random(1000 + i) }, 'validation').item()),
    );
    const loss = losses.reduce((sum, value) => sum + value, 0) / losses.length;
    if (loss < best.loss) best = { rate, loss };
  }
  return best.rate;
}

/**
 * Final losses of both parametrisations on three tasks and three seeds, each with the learning rate
 * that suits it best, and the steps to the default's final loss.
 */
export async function taskStudy(
  embedded: boolean,
  steps: number,
  { signal, progress }: Pick<RunContext, 'signal' | 'progress'>,
): Promise<StudyResults> {
  const fashion = !embedded && hasImages('fashion-mnist');
  const images = fashion ? loadImages('fashion-mnist') : glyphImages(4000, 10, new Random(0).split('tasks'));
  const tasks = [bayesian(images), resizing(images), registration];
  const rows: string[][] = [];
  const outcomes: { readonly better: boolean; readonly faster: number }[] = [];
  for (const [at, task] of tasks.entries()) {
    const rates = await bothArms((options) =>
      chosenRate(task, options, new Random(0).split('trials'), { steps, signal }),
    );
    const runs: Record<Arm, readonly number[]>[] = [];
    for (let seed = 0; seed < SEEDS; seed++)
      runs.push(
        await bothArms(async (options, arm) => {
          return (await trained(task, options, rates[arm], new Random(seed + 1), { steps, signal })).losses;
        }),
      );
    const own = runs.map(({ default: plain, MIP: invariant }) => ({
      plain: finalLoss(plain),
      invariant: finalLoss(invariant),
      faster: stepsTo(plain, finalLoss(plain)) / stepsTo(invariant, finalLoss(plain)),
    }));
    outcomes.push(...own.map(({ plain, invariant, faster }) => ({ better: invariant <= plain, faster })));
    const mean = (key: keyof (typeof own)[number]) => summarize(own.map((run) => run[key])).mean;
    rows.push([
      task.title,
      String(rates.default),
      String(rates.MIP),
      mean('plain').toFixed(4),
      mean('invariant').toFixed(4),
      Math.min(...own.map(({ faster }) => faster)).toFixed(2),
    ]);
    progress('tasks', (at + 1) / tasks.length);
  }
  return studyOf(
    {
      title: 'Tasks with one number as condition',
      note:
        `${steps} steps of Adam, the learning rate of each parametrisation chosen from ${RATES.length} on validation batches, ` +
        `means of ${SEEDS} seeds; images: ${images.name}. Times: steps of the default to its final loss over those of MIP, the least of the seeds.`,
      columns: ['task', 'rate, default', 'rate, MIP', 'final loss, default', 'final loss, MIP', 'times'],
      rows,
    },
    {
      tasksBetter: outcomes.filter(({ better }) => better).length / outcomes.length,
      tasksFaster: Math.min(...outcomes.map(({ faster }) => faster)),
    },
  );
}

async function bothArms<T>(run: (options: HypernetOptions, arm: Arm) => Promise<T>): Promise<Record<Arm, T>> {
  return { default: await run(arms.default, 'default'), MIP: await run(arms.MIP, 'MIP') };
}
