// Adaptability: a filter that is generated from the data that it is applied with: images filtered
// along an angle that is given with each (as in De Brabandere et al., "Dynamic Filter Networks",
// NeurIPS 2016).

import { DataCondition, Hypernet, mlpTrunk } from '../../../hypernet/index.js';
import { Conv2d, MLP, meanSquaredError } from '../../../nn/index.js';
import { concatenate, type Random, scope, type Tensor, tensor } from '../../../tensor/index.js';
import { type GuideRow, train } from './row.js';

const [SIDE, KERNEL, BATCH] = [12, 5, 32];
const OUT = SIDE - KERNEL + 1;

/** Images with the cosine and sine of an angle each, and the images filtered along it. */
interface Filtered {
  /** [n, 1, SIDE, SIDE] */
  readonly images: Tensor;
  /** [n, 2] */
  readonly angles: Tensor;
  /** [n, 1, OUT, OUT] */
  readonly wanted: Tensor;
}

/** Derivative of a Gaussian (σ = 1) along an angle, at a position from the middle. */
const derivative = (angle: number, row: number, column: number) =>
  (Math.cos(angle) * column + Math.sin(angle) * row) * Math.exp(-(row ** 2 + column ** 2) / 2);

function drawImages(count: number, random: Random): Filtered {
  const images = random.split('images').normal([count, 1, SIDE, SIDE]);
  const pixels = images.view();
  const angles = Float64Array.from({ length: count }, () => 2 * Math.PI * random.float());
  const wanted = new Float32Array(count * OUT * OUT);
  const middle = (KERNEL - 1) / 2;
  for (let at = 0; at < wanted.length; at++) {
    const [image, row, column] = [Math.floor(at / OUT ** 2), Math.floor(at / OUT) % OUT, at % OUT];
    for (let i = 0; i < KERNEL; i++)
      for (let j = 0; j < KERNEL; j++) {
        const pixel = pixels[image * SIDE ** 2 + (row + i) * SIDE + column + j] as number;
        wanted[at] = (wanted[at] as number) + pixel * derivative(angles[image] as number, i - middle, j - middle);
      }
  }
  return {
    images,
    angles: tensor(Array.from(angles, (angle) => [Math.cos(angle), Math.sin(angle)])),
    wanted: tensor(wanted, [count, 1, OUT, OUT]),
  };
}

/** Two convolutions on the image and the angle as two more channels. */
class StaticFilters {
  readonly first: Conv2d;
  readonly second: Conv2d;

  constructor(random: Random) {
    this.first = new Conv2d(3, 8, KERNEL, random.split('first'));
    this.second = new Conv2d(8, 1, 1, random.split('second'));
  }

  forward({ images, angles }: Filtered): Tensor {
    const count = images.shape[0] as number;
    const planes = angles.reshape([count, 2, 1, 1]).broadcastTo([count, 2, SIDE, SIDE]);
    return this.second.forward(this.first.forward(concatenate([images, planes], 1)).relu());
  }
}

export const filters: GuideRow = {
  problem: 'adaptability',
  design: 'DataCondition: the filter from the angle',
  plain: 'two convolutions with the angle as input',
  measure: 'error of images filtered along an angle, root mean square',
  better: 'smaller',
  async run(run) {
    const { random } = run;
    const encoder = new MLP([2, 8, 4], random.split('encoder'));
    const hypernet = new Hypernet(
      new Conv2d(1, 1, KERNEL, random.split('filter')),
      new DataCondition(encoder, 4),
      random.split('hypernet'),
      { trunk: mlpTrunk([8]) },
    );
    const plain = new StaticFilters(random.split('plain'));
    const generated = (live: typeof hypernet, { images, angles }: Filtered) =>
      live.run(angles, images, (own, x) => own.forward(x));
    const fit = <Model extends object>(model: Model, output: (live: Model, data: Filtered) => Tensor) =>
      train(
        model,
        (live, { random: draws }) => {
          const data = drawImages(BATCH, draws);
          return meanSquaredError(output(live, data), data.wanted);
        },
        run,
      );
    await fit(hypernet, generated);
    await fit(plain, (live, data) => live.forward(data));
    const test = drawImages(200, random.split('test'));
    const error = (output: () => Tensor) => Math.sqrt(scope(() => meanSquaredError(output(), test.wanted).item()));
    return { hypernet: error(() => generated(hypernet, test)), plain: error(() => plain.forward(test)) };
  },
};
