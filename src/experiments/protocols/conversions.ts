// Existing networks turned into MIP hypernetworks: at θ⁰ they are the network that they were, bit
// for bit, and they train.

import { drawDigits, readSafetensors, writeSafetensors } from '../../data/index.js';
import { FiLM, Hypernet, MIP_OPTIONS, mlpTrunk, type Selection, VectorCondition } from '../../hypernet/index.js';
import { LeNet, SmallResNet } from '../../models/index.js';
import {
  Adam,
  Conv2d,
  crossEntropy,
  inference,
  Linear,
  loadState,
  type Mode,
  minimize,
  stateOf,
} from '../../nn/index.js';
import { Random, resize, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { summarize } from '../parts/statistics.js';
import { studyOf } from '../parts/studies.js';
import { blend } from './blended-digits.js';
import { type DigitData, DigitNetwork, pixelsOf, trainOnDigits } from './digits.js';

/** A network of digits [n, 64] as its author wrote it. */
interface DigitModel {
  forward(x: Tensor, mode: Mode): Tensor;
}

interface Conversion {
  readonly title: string;
  /** Which weights are generated. Default: all. */
  readonly select?: Selection;
  network(random: Random): DigitModel & object;
  /** The trained network after saving and loading. Default: as it is in memory. */
  reload?(trained: DigitNetwork, random: Random): DigitNetwork;
}

const imagesOf = (x: Tensor) => x.reshape([x.shape[0] as number, 1, 8, 8]);

/** A network of images behind the digits' own shape. */
class OnImages implements DigitModel {
  constructor(
    readonly network: { forward(x: Tensor, mode: Mode): Tensor },
    readonly size = 8,
  ) {}

  forward(x: Tensor, mode: Mode): Tensor {
    return this.network.forward(this.size === 8 ? imagesOf(x) : resize(imagesOf(x), this.size), mode);
  }
}

/** A convolution whose features FiLM modulates. */
class ModulatedCNN implements DigitModel {
  readonly conv: Conv2d;
  readonly film = new FiLM(16);
  readonly linear: Linear;

  constructor(random: Random) {
    this.conv = new Conv2d(1, 16, 3, random, { padding: 1 });
    this.linear = new Linear(16 * 64, 10, random);
  }

  forward(x: Tensor): Tensor {
    const features = this.film.forward(this.conv.forward(imagesOf(x))).relu();
    return this.linear.forward(features.reshape([x.shape[0] as number, 16 * 64]));
  }
}

/** A network of the same make that holds what was written to a file of another one. */
function reloaded(trained: DigitNetwork, random: Random): DigitNetwork {
  const network = new DigitNetwork([64, 64], random);
  loadState(network, readSafetensors(writeSafetensors(stateOf(trained))).tensors);
  return network;
}

const conversions: readonly Conversion[] = [
  { title: 'perceptron, all weights', network: (random) => new DigitNetwork([64, 64], random) },
  {
    title: 'LeNet-5, its convolutions',
    select: { layers: Conv2d },
    network: (random) => new OnImages(new LeNet(random), 28),
  },
  {
    title: 'ResNet-20 with batch norms, all weights',
    network: (random) => new OnImages(new SmallResNet(20, random, { channels: 1 })),
  },
  {
    title: 'checkpoint of a perceptron, weights of its linear layers',
    select: 'layers.*.weight',
    network: (random) => new DigitNetwork([64, 64], random.split('saved')),
    reload: reloaded,
  },
  {
    title: 'CNN, its FiLM layers',
    select: /^film\./,
    network: (random) => new ModulatedCNN(random),
  },
];
/** The most by which logits differ from the original's when the generated part of weights is 0. */
function differenceAtBase(hypernet: Hypernet<DigitModel & object>, network: DigitModel, x: Tensor): number {
  return scope(() => {
    const outputs = hypernet.generator.outputs().map(({ layer }) => layer.weight);
    const values = outputs.map((weight) => weight.dataSync());
    for (const weight of outputs) weight.assign(new Float32Array(weight.size));
    const made = hypernet.run(tensor([[0.3]]), x, (live, seen) => live.forward(seen, inference)).dataSync();
    outputs.forEach((weight, i) => {
      weight.assign(values[i] as Float32Array);
    });
    const original = network.forward(x, inference).dataSync();
    return made.reduce((most, value, i) => Math.max(most, Math.abs(value - (original[i] as number))), 0);
  });
}

/**
 * Trains networks on digits as they are, converts them, compares them at θ⁰ with what they were,
 * and trains them on blended digits.
 */
export async function conversionStudy(
  data: DigitData,
  steps: number,
  { seed, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const trunk = mlpTrunk([16, 16], { activation: 'leakyRelu', init: 'fan-out' });
  const rows: string[][] = [];
  const outcomes: { readonly difference: number; readonly falls: boolean }[] = [];
  for (const [at, { title, select, network, reload }] of conversions.entries()) {
    const random = new Random(seed).split(title);
    const trained = network(random.split('network'));
    await trainOnDigits(trained, (live, x, mode) => live.forward(x, mode), data, {
      steps,
      random: random.split('first'),
    });
    const original = reload ? reload(trained as DigitNetwork, random.split('reloaded')) : trained;
    const options = { ...MIP_OPTIONS, trunk, residual: 'target', ...(select && { select }) } as const;
    // The line of change: the network itself stays as it is.
    const hypernet = new Hypernet(original, new VectorCondition(1), random.split('hypernet'), options);
    const difference = differenceAtBase(hypernet, original, pixelsOf(data.test, Math.min(32, data.test.labels.length)));
    const losses = await minimize(
      hypernet,
      (live, { random: draws, mode }) => {
        const { x, labels } = drawDigits(data.train, 16, draws);
        const gamma = draws.float();
        const logits = live.run(tensor([[gamma]]), blend(x, [gamma]), (own, seen) => own.forward(seen, mode));
        return crossEntropy(logits, labels);
      },
      {
        steps,
        random: random.split('training'),
        signal,
        optimizer: new Adam({ learningRate: 2e-3 }),
        nonFinite: 'skip',
      },
    );
    const third = Math.max(1, Math.floor(steps / 3));
    const [first, last] = [losses.slice(0, third), losses.slice(-third)].map((part) => summarize(part).mean) as [
      number,
      number,
    ];
    outcomes.push({ difference, falls: last <= 0.9 * first });
    rows.push([
      title,
      hypernet.layout.size.toLocaleString('en'),
      String(difference),
      first.toFixed(3),
      last.toFixed(3),
    ]);
    progress('conversions', (at + 1) / conversions.length);
  }
  return studyOf(
    {
      title: 'Existing networks turned into MIP hypernetworks',
      note: `\`new Hypernet(network, new VectorCondition(1), random, { ...MIP_OPTIONS, residual: 'target' })\`, then ${steps} steps of Adam on blended digits. Each network was trained on digits as they are by as many steps. Difference: the most over logits of test images with the generated part at 0.`,
      columns: ['network', 'weights generated', 'difference at θ⁰', 'loss, first third', 'loss, last third'],
      rows,
    },
    {
      conversionDifference: Math.max(...outcomes.map(({ difference }) => difference)),
      conversionFalls: outcomes.filter(({ falls }) => falls).length / outcomes.length,
    },
  );
}
