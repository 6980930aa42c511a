// Initial weights: networks of held-out architectures trained from several starts, each with the
// learning rate that validation data chooses for it and for the length of the training.

import type { ImageDataset, LabelledImages, TokenSplit } from '../../data/index.js';
import {
  type Architecture,
  type FamilyModule,
  familyMembers,
  graphOf,
  type HypernetTask,
  LoGAH,
  type LoGAHOptions,
  makeNetwork,
  meanUntrained,
  pictureTask,
  scoreOnImages,
  scoreOnText,
  textTask,
  trainHypernet,
} from '../../hypernet/index.js';
import {
  AdamW,
  Clipped,
  disposeWeights,
  fit,
  loadState,
  orthogonal,
  parameters,
  stateOf,
  truncatedNormal,
  type Weights,
} from '../../nn/index.js';
import { ones, type Random, type Tensor, zeros } from '../../tensor/index.js';
import type { RunContext, Scores } from '../parts/contract.js';
import { shrunkImages } from './images.js';

/** A task of networks with its three parts of data. */
export interface WeightProblem {
  /** What the networks of the family have in common. */
  readonly base: Architecture;
  /** Batches and loss on the training part. */
  readonly task: HypernetTask;
  /** Steps of an epoch. */
  readonly epochSteps: number;
  /** What scores mean: accuracy in %, or perplexity. */
  readonly measure: 'accuracy' | 'perplexity';
  /** Score and loss of a network on a part. */
  score(live: FamilyModule, part: 'validation' | 'test'): { readonly score: number; readonly loss: number };
}

/** The rows from `first` on. */
function rowsFrom(images: LabelledImages, first: number, count: number): LabelledImages {
  const size = images.channels * images.height * images.width;
  return {
    ...images,
    count,
    pixels: images.pixels.subarray(first * size, (first + count) * size),
    labels: images.labels.subarray(first, first + count),
  };
}

/** Pictures of half the sides: means of 2 × 2 pixels. */
export const halved = (images: LabelledImages): LabelledImages => shrunkImages(images, 2);

/** Classes of pictures: the last of `rows` training pictures validate, a tenth of them at least. */
export function pictureProblem(
  { classes, train, test, mean, deviation }: ImageDataset,
  base: Architecture,
  { rows, batch }: { readonly rows: number; readonly batch: number },
): WeightProblem {
  const held = Math.max(Math.round(rows / 5), 10);
  const flat = base.family === 'mlp';
  const parts = { train: rowsFrom(train, 0, rows - held), validation: rowsFrom(train, rows - held, held), test };
  const statistics = { mean, deviation };
  return {
    base: { ...base, classes: classes.length } as Architecture,
    task: pictureTask(parts.train, statistics, { flat, batch }),
    epochSteps: Math.ceil(parts.train.count / batch),
    measure: 'accuracy',
    score: (live, part) => {
      const { accuracy, loss } = scoreOnImages(live, parts[part], statistics, flat);
      return { score: 100 * accuracy, loss };
    },
  };
}

/** Next tokens of a text: its last tenth tests, the one before validates. */
export function textProblem(
  tokens: TokenSplit & { readonly test: Int32Array },
  base: Architecture,
  { length, batch, rows }: { readonly length: number; readonly batch: number; readonly rows: number },
): WeightProblem {
  return {
    base,
    task: textTask(tokens.train, { batch, length }),
    // As many windows as pictures elsewhere.
    epochSteps: Math.ceil(rows / batch),
    measure: 'perplexity',
    score: (live, part) => {
      const loss = scoreOnText(live, tokens[part], length);
      return { score: Math.exp(loss), loss };
    },
  };
}

/** Sizes of the hypernetworks of a comparison. */
export interface HypernetSizes {
  readonly steps: number;
  readonly learningRate: number;
  readonly layers: readonly number[];
  readonly widths: readonly number[];
}

/**
 * A hypernetwork that is trained on the family's combinations of depths and widths but those held
 * out; validation data choose the epoch.
 */
export async function trainedHypernet(
  problem: WeightProblem,
  heldOut: readonly Architecture[],
  options: LoGAHOptions,
  { steps, learningRate, layers, widths }: HypernetSizes,
  {
    random,
    signal,
    progress,
  }: { random: Random; signal?: AbortSignal | undefined; progress?: (share: number) => void },
): Promise<LoGAH> {
  const ghn = new LoGAH(random.split('hypernet'), options);
  const held = new Set(heldOut.map((own) => JSON.stringify(own)));
  const all = layers.flatMap((depth) =>
    widths.map((features): Architecture => ({ ...problem.base, layers: depth, features }) as Architecture),
  );
  const members = familyMembers(
    ghn,
    all.filter((own) => !held.has(JSON.stringify(own))),
    random.split('family'),
  );
  await trainHypernet(ghn, random.split('fit'), {
    ...{ members, steps, learningRate, ...problem.task },
    reportEvery: Math.max(1, Math.round(steps / 10)),
    validate: (live) => meanUntrained(live, members, (network) => problem.score(network, 'validation').loss),
    signal,
    onEpoch: ({ epoch, epochs }) => progress?.(epoch / epochs),
  });
  signal?.throwIfAborted();
  return ghn;
}

/** Initial weights of a network. */
export type Start = (network: FamilyModule, architecture: Architecture, random: Random) => Weights;

/** Weights with two axes or more, scaled by a rule; gains 1, biases 0, embeddings as they are. */
const byRule =
  (draw: (random: Random, shape: readonly number[], name: string) => Tensor): Start =>
  (network, _, random) =>
    Object.fromEntries(
      Object.entries(parameters(network)).map(([name, value]) => {
        if (isTable(name)) return [name, value];
        if (value.rank > 1) return [name, draw(random.split(name), value.shape, name)];
        return [name, /weight$/.test(name) ? ones(value.shape) : zeros(value.shape)];
      }),
    );

function isTable(name: string): boolean {
  return /posEmbed|wte|wpe|embedTokens/.test(name);
}

/** The starts that are drawn: PyTorch's, the field's for transformers, and orthogonal ones. */
export const drawnStarts: Readonly<Record<string, Start>> = {
  default: (network) => parameters(network),
  'truncated normal': byRule((random, shape) => truncatedNormal(random, shape)),
  orthogonal: byRule((random, shape) => orthogonal(random, shape)),
};

/** Weights that a hypernetwork predicts; what it does not predict stays as it was. */
export function predictedStart(ghn: LoGAH): Start {
  return (network, architecture) => {
    const [weights] = ghn.predict([ghn.encode(graphOf(architecture))]);
    return { ...parameters(network), ...weights };
  };
}

/** What a start led to with one learning rate: validation and test after each epoch, 0 before. */
type Curve = readonly { readonly validation: number; readonly test: number; readonly loss: number }[];

/** Trains a network from a start for some epochs. */
async function curveOf(
  problem: WeightProblem,
  architecture: Architecture,
  start: Start,
  { rate, epochs, random, signal }: { rate: number; epochs: number; random: Random; signal?: AbortSignal | undefined },
): Promise<Curve> {
  const network = makeNetwork(architecture, random.split('network'));
  const state = stateOf(network);
  loadState(network, { ...state, ...start(network, architecture, random.split('start')) });
  const curve: { validation: number; test: number; loss: number }[] = [];
  const measure = () => {
    const test = problem.score(network, 'test');
    curve.push({ validation: problem.score(network, 'validation').loss, test: test.score, loss: test.loss });
    return 0;
  };
  measure();
  const { epochSteps, task } = problem;
  await fit<FamilyModule, ReturnType<HypernetTask['draw']>>({
    model: network,
    epochs,
    random: random.split('fit'),
    optimizer: new Clipped(new AdamW({ learningRate: rate }), 5),
    *batches(order) {
      for (let i = 0; i < epochSteps; i++) yield task.draw(order.split(i));
    },
    loss: (live, batch, mode) => task.loss(live, batch, mode),
    validate: measure,
    restoreBest: false,
    nonFinite: 'skip',
    signal,
  });
  signal?.throwIfAborted();
  disposeWeights(stateOf(network));
  return curve;
}

/** Settings of a comparison of starts. */
export interface StartOptions {
  readonly epochs: number;
  readonly rates: readonly number[];
}

/** The smallest of the rates, at which a predicted start should matter most. */
const lowest = (rates: readonly number[]) => Math.min(...rates);

/**
 * Test scores of a start on one architecture: untrained, after one epoch, and at the end, where the
 * best epoch by validation counts; the rate is chosen by validation for each of them. All starts
 * see the same batches.
 */
export async function startScores(
  problem: WeightProblem,
  architecture: Architecture,
  start: Start,
  { epochs, rates }: StartOptions,
  context: Pick<RunContext, 'signal'> & { readonly random: Random },
): Promise<{ untrained: number; first: number; firstLoss: number; third: number; final: number; low: number }> {
  const curves: Curve[] = [];
  for (const rate of rates) curves.push(await curveOf(problem, architecture, start, { rate, epochs, ...context }));
  type Point = Curve[number];
  const best = (points: readonly Point[]) =>
    points.reduce((a, b) => (b.validation < a.validation ? b : a), points[0] as Point);
  const after = (epoch: number) => best(curves.map((curve) => curve[Math.min(epoch, curve.length - 1)] as Point));
  const low = curves[rates.indexOf(lowest(rates))] as Curve;
  return {
    untrained: (low[0] as Point).test,
    first: after(1).test,
    firstLoss: after(1).loss,
    third: after(3).loss,
    final: best(curves.map((curve) => best(curve.slice(1)))).test,
    low: (low[1] as Point).test,
  };
}

/** Scores of a start under the names of metrics: of both architectures, and of a transfer. */
export function namedScores(
  measure: WeightProblem['measure'],
  within: Awaited<ReturnType<typeof startScores>>,
  beyond: Awaited<ReturnType<typeof startScores>>,
): Scores {
  const ending = measure === 'accuracy' ? '' : 'Perplexity';
  const named = (place: string, { untrained, first, final, low }: typeof within) => ({
    [`untrained${place}${ending}`]: untrained,
    [`first${place}${ending}`]: first,
    [`final${place}${ending}`]: final,
    [`low${place}${ending}`]: low,
  });
  return { ...named('Within', within), ...named('Beyond', beyond) };
}
