// Dense prediction that needs a large receptive field and local precision: content moves by one
// pixel in the direction that a mark up to three pixels away encodes. A static kernel cannot do
// this, whatever its size.

import {
  Adam,
  Conv2d,
  fit,
  inference,
  type Layer,
  type Mode,
  meanSquaredError,
  parameterCount,
  type TrainingHooks,
} from '../../nn/index.js';
import { Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

const SIZE = 14;
const PLANE = SIZE * SIZE;
/** Distance between marks; each encodes the direction of the 7×7 pixels around it. */
const PERIOD = 7;
const REACH = 3;
/** Channels of content, and as many for marks: one for each direction. */
const CONTENT = 8;
const MARK = 4;
/** Input and output channels of a mixer. */
export const MIXED_CHANNELS = 32;
const STEPS_PER_EPOCH = 50;

const directions = [-1, 0, 1]
  .flatMap((down) => [-1, 0, 1].map((right) => [down, right] as const))
  .filter(([down, right]) => down !== 0 || right !== 0);

export interface MovedContent {
  /** [n, 16, 14, 14]: eight channels of noise, then eight of marks. */
  readonly x: Tensor;
  /** [n, 8, 14, 14]: the content moved around each mark. */
  readonly y: Tensor;
  /** [n, 8, 14, 14]: 1 where the mark lies within the image, else 0. */
  readonly known: Tensor;
}

const inside = (row: number, column: number) => row >= 0 && row < SIZE && column >= 0 && column < SIZE;

/** Places of a lattice of marks with a random offset. */
function latticeOf(random: Random): (readonly [row: number, column: number])[] {
  const [top, left] = [random.integer(PERIOD), random.integer(PERIOD)];
  const along = (first: number) =>
    Array.from({ length: Math.ceil((SIZE - first) / PERIOD) }, (_, i) => first + i * PERIOD);
  return along(top).flatMap((row) => along(left).map((column) => [row, column] as const));
}

/** Pixels of the image around a mark. */
function pixelsAround(row: number, column: number): (readonly [row: number, column: number])[] {
  const offsets = Array.from({ length: 2 * REACH + 1 }, (_, i) => i - REACH);
  return offsets
    .flatMap((down) => offsets.map((right) => [row + down, column + right] as const))
    .filter(([r, c]) => inside(r, c));
}

/** Draws new examples. */
export function movedContent(random: Random, count: number): MovedContent {
  const x = random.normal([count, 2 * CONTENT, SIZE, SIZE]).dataSync();
  const y = new Float32Array(count * CONTENT * PLANE);
  const known = new Float32Array(count * CONTENT * PLANE);
  for (let image = 0; image < count; image++) {
    const from = 2 * image * CONTENT * PLANE;
    const to = image * CONTENT * PLANE;
    x.fill(0, from + CONTENT * PLANE, from + 2 * CONTENT * PLANE);
    for (const [row, column] of latticeOf(random)) {
      const direction = random.integer(directions.length);
      const [down, right] = directions[direction] as readonly [number, number];
      x[from + (CONTENT + direction) * PLANE + row * SIZE + column] = MARK;
      for (const [r, c] of pixelsAround(row, column))
        for (let plane = 0; plane < CONTENT * PLANE; plane += PLANE) {
          known[to + plane + r * SIZE + c] = 1;
          if (inside(r + down, c + right))
            y[to + plane + r * SIZE + c] = x[from + plane + (r + down) * SIZE + c + right] as number;
        }
    }
  }
  const shape = [count, CONTENT, SIZE, SIZE];
  return { x: tensor(x, [count, 2 * CONTENT, SIZE, SIZE]), y: tensor(y, shape), known: tensor(known, shape) };
}

/** A mixer of 32 channels between pointwise convolutions. */
export class Mover {
  readonly first: Conv2d;
  readonly last: Conv2d;

  constructor(
    readonly mixer: Layer,
    random: Random,
  ) {
    this.first = new Conv2d(2 * CONTENT, MIXED_CHANNELS, 1, random);
    this.last = new Conv2d(MIXED_CHANNELS, CONTENT, 1, random);
  }

  /** Mean squared error where the mark lies within the image. */
  error({ x, y, known }: MovedContent, mode: Mode): Tensor {
    const moved = this.last.forward(this.mixer.forward(this.first.forward(x), mode));
    return meanSquaredError(moved.multiply(known), y.multiply(known));
  }
}

/** Fresh examples on which a trained mixer is scored. */
const SCORED = 512;

/** What training a mixer gave. */
export interface MoverScore {
  /** Mean squared error on fresh examples; the content has variance 1. */
  readonly error: number;
  /** Parameters with the pointwise convolutions. */
  readonly parameters: number;
}

/**
 * Trains a mixer of 32 channels between pointwise convolutions, each step on fresh examples.
 *
 * @param steps steps of training, rounded to a multiple of 50
 */
export async function movedContentScore(
  mixer: Layer,
  steps: number,
  random: Random,
  hooks: Pick<TrainingHooks, 'signal' | 'onEpoch'> = {},
): Promise<MoverScore> {
  const model = new Mover(mixer, random);
  await fit({
    ...hooks,
    model,
    loss: (live, examples: MovedContent, mode) => live.error(examples, mode),
    *batches(order) {
      for (let step = 0; step < STEPS_PER_EPOCH; step++) yield movedContent(order.split(step), 16);
    },
    optimizer: new Adam({ learningRate: 3e-3 }),
    epochs: Math.max(1, Math.round(steps / STEPS_PER_EPOCH)),
    random,
  });
  hooks.signal?.throwIfAborted();
  return scope(() => ({
    error: model.error(movedContent(random.split('scored'), SCORED), inference).item(),
    parameters: parameterCount(model),
  }));
}

/** Names of the scores of a mixer: its largest and its least error among the seeds. */
export const errorScores = (title: string) => [`${title}, most`, `${title}, least`] as const;

/** The errors of some mixers over seeds, the largest and the least of each as scores. */
export async function movedContentStudy(
  mixers: Readonly<Record<string, (random: Random) => Layer>>,
  { steps, seeds }: { readonly steps: number; readonly seeds: number },
  { seed: first, signal, progress }: Pick<RunContext, 'seed' | 'signal' | 'progress'>,
): Promise<StudyResults> {
  const rows: [title: string, parameters: number, errors: number[]][] = [];
  for (const [title, make] of Object.entries(mixers)) {
    const errors: number[] = [];
    let parameters = 0;
    for (let i = 0; i < seeds; i++) {
      const random = new Random(first + i);
      const onEpoch: TrainingHooks['onEpoch'] = ({ epoch, epochs }) => progress(title, (i + epoch / epochs) / seeds);
      const own = await movedContentScore(make(random.split(title)), steps, random, { signal, onEpoch });
      errors.push(own.error);
      parameters = own.parameters;
    }
    rows.push([title, parameters, errors]);
  }
  return studyOf(
    {
      title: 'Content that moves as marks at a distance say',
      note:
        `Mean squared error on ${SCORED} fresh examples after ${steps} steps, by seed; the content has variance 1. Every ` +
        'pixel sees one mark within 7×7 pixels; the direction that it names moves eight channels by one pixel.',
      columns: ['mixer', 'parameters', 'errors'],
      rows: rows.map(([title, count, errors]) => [title, count, errors.map((error) => error.toFixed(3)).join(', ')]),
    },
    Object.fromEntries(
      rows.flatMap(([title, , errors]) => {
        const [most, least] = errorScores(title);
        return [
          [most, Math.max(...errors)],
          [least, Math.min(...errors)],
        ];
      }),
    ),
  );
}
