// Tasks on which mixtures are compressed: next tokens of a text, and classes of texts.

import { hasLabelledTexts, loadLabelledTexts } from '../../data/node.js';
import {
  type LanguageModelConfig,
  type RecoveryTask,
  tokenizerOf,
  trainLanguageModel,
  validationLoss,
  vocabularyOf,
  windowTask,
} from '../../lm/index.js';
import type { Decoder } from '../../models/index.js';
import {
  AdamW,
  Clipped,
  crossEntropy,
  type ExpertContext,
  expertContext,
  fit,
  Linear,
  predictedClasses,
  type TrainingHooks,
  totalLoss,
  warmUpCosine,
} from '../../nn/index.js';
import { add, mean, multiply, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { loadTokens, type TokenizedText } from './text.js';

/** A decoder, with a head of classes where texts are classified. */
export interface TaskModel {
  readonly decoder: Decoder;
  readonly head?: Linear;
}

/** Hyperparameters of the training of a whole model. */
export interface TaskTraining {
  readonly steps: number;
  readonly batch: number;
  readonly length: number;
  readonly balance: number;
}

/** Losses in nats, and the share of classes that are right where there are classes. */
export interface TaskScores {
  readonly loss: number;
  readonly accuracy?: number;
}

/** What a mixture learns, and how it is scored. */
export interface ExpertTask {
  readonly name: string;
  readonly description: string;
  /** Token ids. */
  readonly vocabulary: number;
  /** The text whose tokens the task has, where it has one. */
  readonly text?: TokenizedText;
  /** A head for a decoder of a width, where the task has classes. */
  readonly head?: (features: number, random: Random) => Linear;
  train(model: TaskModel, random: Random, options: TaskTraining, hooks: TrainingHooks): Promise<unknown>;
  /** Batches, logits and labels of the recovery. */
  recovery(batch: number, length: number): RecoveryTask<TaskModel, unknown>;
  /** Runs a model on a batch of training data, for the statistics of its routing. */
  route(model: TaskModel, random: Random, length: number, context: ExpertContext): unknown;
  score(model: TaskModel, part: 'validation' | 'test', length: number): TaskScores;
}

/** The sets: known texts, and one of classes. */
export const classSets = ['r8'];

/** @throws Error when the source is no text. */
export async function loadTask(
  source: string,
  pairs: number,
  onDownload?: (name: string) => void,
): Promise<ExpertTask> {
  if (classSets.includes(source) && hasLabelledTexts(source)) return classTask(source, pairs || 512);
  return textTask(await loadTokens(source, { pairs }, onDownload));
}

function textTask(text: TokenizedText): ExpertTask {
  const { tokens, tokenizer, name } = text;
  return {
    name,
    description: `${name}: ${tokens.train.length} training tokens, ${tokens.validation.length} of validation, ${tokens.test.length} of test, ${tokenizer.size} distinct`,
    vocabulary: tokenizer.size,
    text,
    train: ({ decoder }, random, options, hooks) =>
      trainLanguageModel(decoder, tokens, random, { ...options, ...hooks }),
    recovery: (batch, length) => {
      const task = windowTask(tokens.train, { batch, length });
      return { ...task, logits: ({ decoder }, one) => task.logits(decoder, one as never) } as RecoveryTask<
        TaskModel,
        unknown
      >;
    },
    route: ({ decoder }, random, length, context) =>
      decoder.forward(windowTask(tokens.train, { batch: 16, length }).batch(random).inputs, context),
    score: ({ decoder }, part, length) => ({
      loss: validationLoss(decoder, { validation: tokens[part] }, { length }),
    }),
  };
}

interface Example {
  readonly tokens: Int32Array;
  readonly label: number;
}

interface ClassBatch {
  readonly inputs: Tensor;
  readonly labels: Tensor;
}

/** Texts of a class each: 70 % for training, 10 % for validation, 20 % for tests, drawn once. */
function classTask(source: string, pairs: number): ExpertTask {
  const { texts, labels, classes } = loadLabelledTexts(source);
  const order = Array.from(new Random(0).split('texts').permutation(texts.length));
  const [first, second] = [Math.floor(0.7 * texts.length), Math.floor(0.8 * texts.length)];
  const learnt = order.slice(0, first).map((i) => texts[i] as string);
  const tokenizer = tokenizerOf(vocabularyOf(learnt.join('\n'), pairs));
  const examples = order.map((i): Example => {
    return { tokens: Int32Array.from(tokenizer.encode(texts[i] as string)), label: labels[i] as number };
  });
  const parts = {
    train: examples.slice(0, first),
    validation: examples.slice(first, second),
    test: examples.slice(second),
  };
  const logits = ({ decoder, head }: TaskModel, { inputs }: ClassBatch, context?: ExpertContext) =>
    (head as Linear).forward(mean(decoder.hidden(inputs, context), 1));
  const draw = (random: Random, batch: number, length: number) =>
    classBatch(
      Array.from({ length: batch }, () => parts.train[random.integer(parts.train.length)] as Example),
      length,
    );
  return {
    name: source,
    description: `${source}: ${parts.train.length} training texts, ${parts.validation.length} of validation, ${parts.test.length} of test, ${classes.length} classes, ${tokenizer.size} byte pairs`,
    vocabulary: tokenizer.size,
    head: (features, random) => new Linear(features, classes.length, random),
    train: (model, random, { steps, batch, length, balance }, hooks) =>
      fit<TaskModel, ClassBatch>({
        model,
        epochs: Math.ceil(steps / 50),
        random,
        optimizer: new Clipped(new AdamW({ learningRate: 3e-3, beta2: 0.95 }), 1),
        schedule: warmUpCosine(steps),
        *batches(stream) {
          for (let i = 0; i < Math.min(50, steps); i++) yield scope(() => draw(stream.split(i), batch, length));
        },
        loss: (live, one, mode) => {
          const context = expertContext(mode);
          const loss = crossEntropy(logits(live, one, context), one.labels);
          const terms = totalLoss(context.losses);
          return terms ? add(loss, multiply(terms, balance)) : loss;
        },
        ...hooks,
      }),
    recovery: (batch, length) =>
      ({
        batch: (random) => draw(random, batch, length),
        logits,
        labels: ({ labels: own }) => own,
      }) satisfies RecoveryTask<TaskModel, ClassBatch> as RecoveryTask<TaskModel, unknown>,
    route: (model, random, length, context) => logits(model, draw(random, 16, length), context),
    score: (model, part, length) => classScores(parts[part], length, (batch) => logits(model, batch)),
  };
}

/** The first `length` tokens of each text, from its beginning again where it is shorter. */
function classBatch(examples: readonly Example[], length: number): ClassBatch {
  const inputs = new Int32Array(examples.length * length);
  examples.forEach(({ tokens }, i) => {
    for (let t = 0; t < length; t++) inputs[i * length + t] = tokens[t % tokens.length] ?? 0;
  });
  return {
    inputs: tensor(inputs, [examples.length, length]),
    labels: tensor(Int32Array.from(examples, ({ label }) => label)),
  };
}

function classScores(
  examples: readonly Example[],
  length: number,
  logits: (batch: ClassBatch) => Tensor,
): Required<TaskScores> {
  let [loss, right] = [0, 0];
  for (let first = 0; first < examples.length; first += 64)
    scope(() => {
      const some = examples.slice(first, first + 64);
      const batch = classBatch(some, length);
      const scores = logits(batch);
      loss += crossEntropy(scores, batch.labels).item() * some.length;
      right += predictedClasses(scores).filter((label, i) => label === some[i]?.label).length;
    });
  return { loss: loss / examples.length, accuracy: (100 * right) / examples.length };
}

/** The dense decoder, or the mixture, that a configuration makes; with its head. */
export function taskModel(
  task: ExpertTask,
  decoder: Decoder,
  { features }: LanguageModelConfig,
  random: Random,
): TaskModel {
  return task.head ? { decoder, head: task.head(features, random) } : { decoder };
}
