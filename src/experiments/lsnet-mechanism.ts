// A task that only a large kernel that steers a small one can do: content moves by one pixel in the direction that a mark up to three pixels away names.

import { Adam, Conv2d, fit, type Layer, meanSquaredError } from '../nn/index.js';
import { Random, type Tensor, tensor } from '../tensor/index.js';
import { LSConv, StaticMixer } from '../vision/index.js';

const SIZE = 14;
const PERIOD = 7;
const PLANE = SIZE * SIZE;
const CONTENT = 8;

const directions = [-1, 0, 1]
  .flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const))
  .filter(([down, right]) => down !== 0 || right !== 0);

export interface MovedContent {
  /** [n, 16, 14, 14]: eight channels of noise, eight with a lattice of marks of period 7, each a 4 in the channel of its direction. */
  readonly x: Tensor;
  /** [n, 8, 14, 14]: the content moved around each mark. */
  readonly y: Tensor;
  /** 1 where the mark lies within the image. */
  readonly known: Tensor;
}

/** Fresh examples. */
export function movedContent(random: Random, count: number): MovedContent {
  const x = random.normal([count, 2 * CONTENT, SIZE, SIZE]).dataSync();
  const y = new Float32Array(count * CONTENT * PLANE);
  const known = new Float32Array(count * CONTENT * PLANE);
  const inside = (row: number, column: number) => row >= 0 && row < SIZE && column >= 0 && column < SIZE;
  for (let image = 0; image < count; image++) {
    const base = image * 2 * CONTENT * PLANE;
    x.fill(0, base + CONTENT * PLANE, base + 2 * CONTENT * PLANE);
    const [top, left] = [random.integer(PERIOD), random.integer(PERIOD)];
    for (let row = top; row < SIZE; row += PERIOD)
      for (let column = left; column < SIZE; column += PERIOD) {
        const direction = random.integer(directions.length);
        const [down, right] = directions[direction] as readonly [number, number];
        x[base + (CONTENT + direction) * PLANE + row * SIZE + column] = 4;
        for (let r = row - 3; r <= row + 3; r++)
          for (let c = column - 3; c <= column + 3; c++) {
            if (!inside(r, c)) continue;
            for (let channel = 0; channel < CONTENT; channel++) {
              const at = (image * CONTENT + channel) * PLANE + r * SIZE + c;
              known[at] = 1;
              if (inside(r + down, c + right))
                y[at] = x[base + channel * PLANE + (r + down) * SIZE + c + right] as number;
            }
          }
      }
  }
  const images = [count, CONTENT, SIZE, SIZE];
  return { x: tensor(x, [count, 2 * CONTENT, SIZE, SIZE]), y: tensor(y, images), known: tensor(known, images) };
}

/** Mean squared error over a mixer's last 50 of `steps` steps, between pointwise convolutions 16 → 32 → 8. */
export async function errorOfMixer(mixer: Layer, steps: number, seed: number): Promise<number> {
  const random = new Random(seed);
  const model = { first: new Conv2d(2 * CONTENT, 32, 1, random), mixer, last: new Conv2d(32, CONTENT, 1, random) };
  const { history } = await fit({
    model,
    loss: (live, { x, y, known }: MovedContent, mode) => {
      const made = live.last.forward(live.mixer.forward(live.first.forward(x), mode));
      return meanSquaredError(made.multiply(known), y.multiply(known));
    },
    *batches(order) {
      for (let step = 0; step < 50; step++) yield movedContent(order.split(step), 16);
    },
    optimizer: new Adam({ learningRate: 3e-3 }),
    epochs: Math.max(1, Math.round(steps / 50)),
    random,
  });
  return history.at(-1)?.loss as number;
}

/** The mixers that are compared. */
export const mixers: Readonly<Record<string, (random: Random) => Layer>> = {
  'LS convolution': (random) => new LSConv(32, random),
  'depthwise 3×3': (random) => new StaticMixer(32, random, { form: 'merged' }),
  'depthwise 7×7': (random) => new StaticMixer(32, random, { kernel: 7, form: 'merged' }),
};
