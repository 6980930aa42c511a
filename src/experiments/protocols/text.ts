// Language modelling: decoders trained with one recipe on the characters or byte pairs of a text,
// and their validation loss.

import { generatedText, splitTokens, type TokenSplit } from '../../data/index.js';
import { fetchDataset, loadText, textNames } from '../../data/node.js';
import {
  decoderOf,
  type LanguageModelConfig,
  type TextTokenizer,
  tokenizerOf,
  trainLanguageModel,
  type Vocabulary,
  validationLoss,
  vocabularyOf,
} from '../../lm/index.js';
import { saveLanguageModel } from '../../lm/node.js';
import type { Decoder } from '../../models/index.js';
import { parameterCount } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Metric, Scores } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { loss, parameters, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues } from '../parts/options.js';

/** The embedded text, made by a grammar, and the known ones. */
export const textSets = ['grammar', ...textNames];
const GRAMMAR_CHARACTERS = 200_000;

export const textOptions = {
  steps: count(400, 'steps of training', { smoke: 12, minimum: 2 }),
  batch: count(16, 'windows per step'),
  length: count(64, 'tokens of a window', { minimum: 8 }),
  pairs: count(0, 'byte pairs to learn as tokens; characters when 0', { minimum: 0 }),
};

type TextValues = OptionValues<typeof textOptions>;

/** A text as tokens: the last tenth is for validation. */
export interface TokenizedText {
  readonly name: string;
  readonly vocabulary: Vocabulary;
  readonly tokenizer: TextTokenizer;
  readonly tokens: TokenSplit;
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
  return { name: source, vocabulary, tokenizer, tokens: splitTokens(Int32Array.from(tokenizer.encode(text))) };
}

export function describeTokens({ name, tokenizer, tokens: { train, validation } }: TokenizedText): string {
  return `${name}: ${train.length} training tokens, ${validation.length} validation tokens, ${tokenizer.size} distinct`;
}

export const textMetrics = {
  loss: relabelled(loss, { label: 'validation loss', unit: 'nats' }),
  parameters: relabelled(parameters, { better: 'neither' }),
  seconds,
} as const satisfies Record<string, Metric>;

/** A decoder with the configuration of its file. */
export interface TrainedDecoder {
  readonly config: LanguageModelConfig;
  readonly model: Decoder;
}

/** A decoder as a method; methods that share a random stream see the same windows. */
export function decoderMethod(
  title: string,
  config: LanguageModelConfig,
  { tokens }: TokenizedText,
  { steps, batch, length }: Pick<TextValues, 'steps' | 'batch' | 'length'>,
): Method<TrainedDecoder> {
  return {
    title,
    train: async ({ random, hooks }) => {
      const model = decoderOf(config, random.split('model'));
      await trainLanguageModel(model, tokens, random.split('fit'), { steps, batch, length, ...hooks });
      return { config, model };
    },
  };
}

export function textScores(model: Decoder, { tokens }: TokenizedText, { length }: Pick<TextValues, 'length'>): Scores {
  return { loss: validationLoss(model, tokens, { length }), parameters: parameterCount(model) };
}

/** The decoder's file, which `gossamer lm generate` reads. */
export function decoderFile({ model, config }: TrainedDecoder, { vocabulary }: TokenizedText): Uint8Array {
  return saveLanguageModel(model, config, vocabulary);
}
