// One row of the guide: a problem, the settings of the hypernetwork for it, and a number beside a
// plain network's.

import { Adam, binaryCrossEntropy, inference, MLP, minimize, type Step } from '../../../nn/index.js';
import { type Random, scope, type Tensor, tensor } from '../../../tensor/index.js';

/** What a row is given: both networks take the same number of steps. */
export interface GuideRun {
  readonly steps: number;
  readonly random: Random;
  readonly signal: AbortSignal | undefined;
}

/** The same number of both. */
export interface Beside {
  readonly hypernet: number;
  readonly plain: number;
}

/** A setting of deep learning, and how a hypernetwork serves it. */
export interface GuideRow {
  /** In the words of the abstract. */
  readonly problem: string;
  /** What the hypernetwork is conditioned on, and what else matters. */
  readonly design: string;
  readonly plain: string;
  readonly measure: string;
  readonly better: 'larger' | 'smaller';
  run(run: GuideRun): Promise<Beside>;
}

/** Takes the row's steps with Adam. */
export async function train<Model extends object>(
  model: Model,
  loss: (live: Model, step: Step) => Tensor,
  { steps, random, signal }: GuideRun,
  learningRate = 5e-3,
): Promise<readonly number[]> {
  return minimize(model, loss, { steps, random, signal, optimizer: new Adam({ learningRate }) });
}

/** What one setting of a method scores, the more the better. */
export interface Scored {
  /** On points that the setting is chosen by. */
  readonly validation: number;
  readonly test: number;
}

/** The test score of the setting that is best on validation; the first of equal ones. */
export async function tested<Setting>(
  grid: readonly Setting[],
  score: (setting: Setting) => Promise<Scored>,
): Promise<number> {
  let best: Scored = { validation: Number.NEGATIVE_INFINITY, test: Number.NaN };
  for (const setting of grid) {
    const scored = await score(setting);
    if (scored.validation > best.validation) best = scored;
  }
  return best.test;
}

/** Points [n, 2] and their classes [n, 1]. */
export interface Labelled {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Accuracy of logits [n, 1], in %. */
export function binaryAccuracy(logits: () => Tensor, { y }: Labelled): number {
  const values = scope(() => logits().dataSync());
  return (100 * y.dataSync().filter((label, i) => (values[i] as number) > 0 === label > 0.5).length) / values.length;
}

/** A module's forward pass at inference. */
export const forward = <Input>(live: { forward(x: Input, mode: typeof inference): Tensor }, x: Input): Tensor =>
  live.forward(x, inference);

export const classifier = (random: Random) => new MLP([2, 16, 1], random);
export const lossOf = (logits: Tensor, { y }: Labelled) => binaryCrossEntropy(logits, y);

/** Points of [−2, 2]² by the side of a wave at an angle: tasks that are alike. */
export function waveTask(angle: number, count: number, random: Random): Labelled {
  const x = random.uniform([count, 2], -2, 2);
  const values = x.view();
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const labels = Float32Array.from({ length: count }, (_, i) => {
    const [a, b] = [values[2 * i] as number, values[2 * i + 1] as number];
    return Number(cos * b - sin * a > Math.sin(2 * (cos * a + sin * b)));
  });
  return { x, y: tensor(labels, [count, 1]) };
}
