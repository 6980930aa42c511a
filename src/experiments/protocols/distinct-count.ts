// Distinct count: how many classes occur among the tokens of an example? No token and no pair of
// tokens tells; groups do.

import {
  Adam,
  type FitResult,
  fit,
  huberLoss,
  hyperedgeUsage,
  inference,
  type Layer,
  LayerNorm,
  Linear,
  type Mode,
  minibatches,
  parameterCount,
  SoftHGNN,
  type SoftHGNNOptions,
} from '../../nn/index.js';
import { concatenate, max, mean, type Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, Scores, SeedOutcome } from '../parts/contract.js';
import { type Method, type MethodRun, runMethods } from '../parts/methods.js';
import { ATTENTION, type ContextMaker, contextOf, NONE, PERCEPTRON, SES, SOFT, STATIC } from './token-contexts.js';

/** Features of a token. */
const INPUTS = 16;
/** Classes, and the largest answer. */
const CLASSES = 12;
const TOKENS = 64;
const WIDTH = 32;
/** Deviation of a token from its prototype in each feature. */
const NOISE = 0.7;

/** Examples with the number of classes that occur in each. */
export interface DistinctExamples {
  /** [count, 64, 16] */
  readonly tokens: Float32Array;
  /** 1 … 12 [count] */
  readonly answers: Float32Array;
}

/** Training and test examples of the same prototypes. */
export interface DistinctData {
  /** Of the classes: [12, 16]. */
  readonly prototypes: Float32Array;
  readonly train: DistinctExamples;
  readonly test: DistinctExamples;
}

/** The classes of an example's tokens: k of them, each at least once, one of them more often. */
function classesOf(k: number, random: Random): Int32Array {
  const present = random.permutation(CLASSES).subarray(0, k);
  const weights = Array.from(present, (_, i) => 0.1 + random.float() + (i === 0 ? 1.5 * random.float() * k : 0));
  const total = weights.reduce((a, b) => a + b, 0);
  const drawn = Int32Array.from({ length: TOKENS }, () => {
    let left = random.float() * total;
    const at = weights.findIndex((weight) => (left -= weight) < 0);
    return present[at < 0 ? k - 1 : at] as number;
  });
  const places = random.permutation(TOKENS);
  present.forEach((label, i) => {
    drawn[places[i] as number] = label;
  });
  return drawn;
}

function drawExamples(count: number, prototypes: Float32Array, random: Random): DistinctExamples {
  const tokens = new Float32Array(count * TOKENS * INPUTS);
  const answers = Float32Array.from({ length: count }, (_, example) => {
    const k = 1 + random.integer(CLASSES);
    classesOf(k, random).forEach((label, n) => {
      for (let d = 0; d < INPUTS; d++)
        tokens[(example * TOKENS + n) * INPUTS + d] =
          (prototypes[label * INPUTS + d] as number) + NOISE * random.gaussian();
    });
    return k;
  });
  return { tokens, answers };
}

/** Draws a data set with prototypes of its own. */
export function drawDistinct(train: number, test: number, random: Random): DistinctData {
  const own = random.split('prototypes');
  const prototypes = Float32Array.from({ length: CLASSES * INPUTS }, () => own.gaussian());
  return {
    prototypes,
    train: drawExamples(train, prototypes, random.split('train')),
    test: drawExamples(test, prototypes, random.split('test')),
  };
}

/** What is read of all tokens: the mean of each channel, or also the largest. */
type ReadOut = 'mean' | 'mean and max';

/** Two linear layers on each token, a context, a read-out, and a linear layer to the answer. */
class DistinctCounter {
  readonly embed: Linear;
  readonly mix: Linear;
  readonly context: Layer | undefined;
  readonly norm: LayerNorm;
  readonly head: Linear;

  constructor(
    readonly readOut: ReadOut,
    random: Random,
    { context }: { readonly context?: ContextMaker | undefined } = {},
  ) {
    const width = readOut === 'mean' ? WIDTH : 2 * WIDTH;
    this.embed = new Linear(INPUTS, WIDTH, random.split('embed'));
    this.mix = new Linear(WIDTH, WIDTH, random.split('mix'));
    this.context = context?.(WIDTH, random.split('context'));
    this.norm = new LayerNorm(width);
    this.head = new Linear(width, 1, random.split('head'));
  }

  /** What the context reads: [n, 64, 32]. */
  embedded(x: Tensor): Tensor {
    return this.mix.forward(this.embed.forward(x).gelu());
  }

  /** [n, 64, 16] → [n] */
  forward(x: Tensor, mode: Mode): Tensor {
    const tokens = this.embedded(x);
    const mixed = this.context ? this.context.forward(tokens, mode) : tokens;
    const read = this.readOut === 'mean' ? mean(mixed, 1) : concatenate([mean(mixed, 1), max(mixed, 1)], 1);
    return reshape(this.head.forward(this.norm.forward(read)), [x.shape[0] as number]);
  }
}

function batchOf({ tokens, answers }: DistinctExamples, rows: ArrayLike<number>): { x: Tensor; y: Tensor } {
  const size = TOKENS * INPUTS;
  const values = new Float32Array(rows.length * size);
  const wanted = Float32Array.from(rows, (row) => answers[row] as number);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    values.set(tokens.subarray(row * size, (row + 1) * size), i * size);
  }
  return { x: tensor(values, [rows.length, TOKENS, INPUTS]), y: tensor(wanted) };
}

/** Parts of the test examples that are answered at once. */
function partsOf({ answers }: DistinctExamples): Int32Array[] {
  const all = Int32Array.from(answers, (_, i) => i);
  return Array.from({ length: Math.ceil(all.length / 100) }, (_, i) => all.subarray(100 * i, 100 * (i + 1)));
}

/** Mean absolute error on the test examples, and how the hyperedges of a selection are used. */
function scoresOf(model: DistinctCounter, { test }: DistinctData): Scores {
  let error = 0;
  const used: number[] = [];
  const { context } = model;
  const selection = context instanceof SoftHGNN ? context.selection : undefined;
  for (const rows of partsOf(test))
    scope(() => {
      const { x, y } = batchOf(test, rows);
      const answers = model.forward(x, inference).dataSync();
      error += y.dataSync().reduce((sum, wanted, i) => sum + Math.abs(wanted - (answers[i] as number)), 0);
      if (context instanceof SoftHGNN && selection)
        used.push(...context.participation(model.embedded(x)).hyperedges.dataSync<Int32Array>());
    });
  const usage = context instanceof SoftHGNN && selection && hyperedgeUsage(used, context.fixed, selection.dynamic);
  return { mae: error / test.answers.length, parameters: parameterCount(model), ...usage };
}

/** Hyperparameters of the task. */
export interface DistinctValues {
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
}

async function trainDistinct(
  model: DistinctCounter,
  { train }: DistinctData,
  { epochs, batch, learningRate }: DistinctValues,
  { random, hooks }: MethodRun,
): Promise<FitResult> {
  const result = await fit({
    ...hooks,
    model,
    epochs,
    random: random.split('fit'),
    optimizer: new Adam({ learningRate }),
    batches: (order) => minibatches(train.answers.length, batch, order),
    loss: (live: DistinctCounter, rows: Int32Array, mode) => {
      const { x, y } = batchOf(train, rows);
      return huberLoss(live.forward(x, mode), y);
    },
  });
  hooks.signal?.throwIfAborted();
  return result;
}

/** Without a context, read out by the mean and the largest of each channel. */
export const NONE_MAX = 'none, mean and max read out';
/** Weight of the load balance in the study of it. */
const HEAVY = 3;
/** Sparse selection without load balance, with it, and with it as the release has it. */
export const [UNBALANCED, BALANCED, DETACHED] = [
  'SeS, balance 0',
  `SeS, balance ${HEAVY}`,
  `SeS, balance ${HEAVY} without gradient`,
] as const;

const soft: SoftHGNNOptions = { hyperedges: 16, heads: 4 };
const selection = { dynamic: 32, k: 8 };
const sparse: SoftHGNNOptions = { hyperedges: 8, heads: 4, selection };
const sizes = { heads: 4, nearest: 8, soft, sparse };

/** SeS with another load balance. */
const balanced =
  (balance: number, gradient: 'straight-through' | 'none' = 'straight-through'): ContextMaker =>
  (features, random) =>
    new SoftHGNN(features, random, { ...sparse, selection: { ...selection, balance, gradient } });

const arms: Readonly<Record<string, { readonly context?: ContextMaker | undefined; readonly readOut?: ReadOut }>> = {
  [NONE]: {},
  [NONE_MAX]: { readOut: 'mean and max' },
  ...Object.fromEntries(
    ([ATTENTION, PERCEPTRON, STATIC, SOFT, SES] as const).map((title) => [title, { context: contextOf(title, sizes) }]),
  ),
  [UNBALANCED]: { context: balanced(0) },
  [BALANCED]: { context: balanced(HEAVY) },
  [DETACHED]: { context: balanced(HEAVY, 'none') },
};

/** Titles of the methods of this task. */
export const distinctTitles = Object.keys(arms);

/** Trains and scores all methods of a seed from the same initial weights and batches. */
export function runDistinct(data: DistinctData, values: DistinctValues, context: RunContext): Promise<SeedOutcome> {
  const methods = Object.entries(arms).map(
    ([title, { context: make, readOut = 'mean' }]): Method<DistinctCounter> => ({
      title,
      async train(run) {
        const model = new DistinctCounter(readOut, run.random.split('model'), { context: make });
        await trainDistinct(model, data, values, run);
        return model;
      },
      score: (model) => scoresOf(model, data),
    }),
  );
  return runMethods(methods, context, { stream: 'shared' });
}
