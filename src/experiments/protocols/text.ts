// Language modelling: decoders trained with one recipe on the characters or byte pairs of a text,
// with a learning rate chosen on validation tokens, and their loss on test tokens.

import { generatedText, splitTokens, type TokenSplit } from '../../data/index.js';
import { fetchDataset, loadText, textNames } from '../../data/node.js';
import {
  decoderOf,
  type LanguageModelConfig,
  type LanguageTrainingOptions,
  type TextTokenizer,
  tokenizerOf,
  trainLanguageModel,
  type Vocabulary,
  validationLoss,
  vocabularyOf,
} from '../../lm/index.js';
import { saveLanguageModel } from '../../lm/node.js';
import type { Decoder } from '../../models/index.js';
import { disposeWeights, parameterCount, stateOf, type Weights } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Metric, Scores } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { loss, parameters, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';

/** The embedded text, made by a grammar, and the known ones. */
export const textSets = ['grammar', ...textNames];
const GRAMMAR_CHARACTERS = 200_000;
/** Learning rates to choose from, the usual one first. */
const LEARNING_RATES = [3e-3, 1e-3];

export const textOptions = {
  steps: count(300, 'steps of training', { smoke: 12, minimum: 2 }),
  batch: count(16, 'windows per step'),
  length: count(64, 'tokens of a window', { minimum: 8 }),
  pairs: count(0, 'byte pairs to learn as tokens; characters when 0', { minimum: 0 }),
  trials: count(2, 'learning rates that each method chooses from on validation tokens', {
    smoke: 1,
    maximum: LEARNING_RATES.length,
  }),
};

type TextValues = OptionValues<typeof textOptions>;

/**
 * A text as tokens: of the text in order, 80 % for training, 10 % for validation, 10 % for tests.
 */
export interface TokenizedText {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  readonly tokenizer: TextTokenizer;
  readonly tokens: TokenSplit & { readonly test: Int32Array };
}

/** @throws Error when the source is neither a known text nor a file in UTF-8. */
export async function loadTokens(
  source: string,
  { pairs }: Pick<TextValues, 'pairs'>,
  onDownload?: (name: string) => void,
): Promise<TokenizedText> {
  if (source !== 'grammar') await fetchDataset(source, 'text', { onDownload });
  const text =
    source === 'grammar' ? generatedText(GRAMMAR_CHARACTERS, new Random(0).split('grammar')) : loadText(source);
  const vocabulary = vocabularyOf(text, pairs === 0 ? undefined : pairs);
  const tokenizer = tokenizerOf(vocabulary);
  const { train: known, validation: test } = splitTokens(Int32Array.from(tokenizer.encode(text)), 0.1);
  return { name: source, vocabulary, tokenizer, tokens: { ...splitTokens(known, 1 / 9), test } };
}

export function describeTokens({ name, tokenizer, tokens: { train, validation, test } }: TokenizedText): string {
  return `${name}: ${train.length} training tokens, ${validation.length} of validation, ${test.length} of test, ${tokenizer.size} distinct`;
}

export const textMetrics = {
  loss: relabelled(loss, { label: 'test loss', unit: 'nats' }),
  parameters: relabelled(parameters, { better: 'neither' }),
  seconds,
} as const satisfies Record<string, Metric>;

/** A decoder with the configuration of its file. */
export interface TrainedDecoder {
  readonly config: LanguageModelConfig;
  readonly model: Decoder;
}

/**
 * A decoder as a method; methods that share a random stream see the same windows. The split of the
 * text is the same for all seeds, so the learning rate is chosen once.
 */
export function decoderMethod(
  title: string,
  config: LanguageModelConfig,
  data: TokenizedText,
  { trials, ...values }: Pick<TextValues, 'steps' | 'batch' | 'length' | 'trials'>,
  training: Pick<LanguageTrainingOptions, 'balance'> = {},
): Method<TrainedDecoder> {
  const { tokens } = data;
  return tuned({
    title,
    once: data,
    settings: settingsOf({ learningRate: LEARNING_RATES }, trials, new Random(0)),
    train: async ({ learningRate }, { random, hooks }) => {
      const model = decoderOf(config, random.split('model'));
      await trainLanguageModel(model, tokens, random.split('fit'), { ...values, ...training, learningRate, ...hooks });
      return { config, model };
    },
    validation: ({ model }) => -validationLoss(model, tokens, values),
    discard: ({ model }) => disposeWeights(stateOf(model)),
  });
}

/** Loss on the test tokens, and the number of parameters. */
export function textScores(model: Decoder, { tokens }: TokenizedText, { length }: Pick<TextValues, 'length'>): Scores {
  return { loss: validationLoss(model, { validation: tokens.test }, { length }), parameters: parameterCount(model) };
}

/**
 * The decoder's file, which `gossamer lm generate` reads.
 *
 * @param state weights, where others are saved
 */
export function decoderFile(
  { model, config }: TrainedDecoder,
  { vocabulary }: TokenizedText,
  state: Weights = stateOf(model),
): Uint8Array {
  return saveLanguageModel(state, config, vocabulary);
}
