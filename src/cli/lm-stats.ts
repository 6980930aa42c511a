// What `--stats` prints after a text: how sparse its tokens are, and what guessing ahead gained.

import { type GenerateOptions, generate, type LanguageBundle, textUsage } from '../lm/index.js';
import { scope } from '../tensor/index.js';
import { gigabytes } from './language-model.js';

/** Counts the passes of a generation, and times it. */
export interface PassCounter {
  /** Options with a reader that counts. */
  readonly options: GenerateOptions;
  /** Passes after the prompt. */
  passes: number;
  /** Tokens that were guessed. */
  drafted: number;
}

/** Options of `generate` that count its passes. */
export function counted({ model }: Pick<LanguageBundle, 'model'>, given: GenerateOptions): PassCounter {
  const counter = { passes: 0, drafted: 0 };
  const read: NonNullable<GenerateOptions['read']> = async (tokens, cache, all) => {
    if (all) {
      counter.passes += 1;
      counter.drafted += tokens.length - 1;
    }
    return scope(() => model.forward(tokens, cache, { all }).dataSync<Float32Array>());
  };
  return Object.assign(counter, { options: { ...given, read } });
}

/** Tokens a second after the prompt of the same generation without guesses. */
async function speedWithoutDraft(
  { model, tokenizer }: LanguageBundle,
  prompt: readonly number[],
  count: number,
  { draft: _, cache, ...options }: GenerateOptions,
): Promise<number> {
  const own = model.cache({ format: cache?.format ?? 'f32' });
  let prefill = 0;
  const started = performance.now();
  const onPrefill = (_tokens: number, seconds: number) => {
    prefill = seconds;
  };
  const { read: _read, ...plain } = options;
  const tokens = generate(model, prompt, {
    ...{ stopTokens: tokenizer.stopTokens, ...plain, maxTokens: count, cache: own, onPrefill },
  });
  let made = 0;
  for await (const _token of tokens) made += 1;
  own.dispose();
  return made / Math.max(1e-3, (performance.now() - started) / 1000 - prefill);
}

/** A share in percent. */
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** TLS and CLS of a text; undefined for a model without blocks. */
export function sparsityLine({ model }: Pick<LanguageBundle, 'model'>, tokens: readonly number[]): string | undefined {
  const usage = textUsage(model, tokens);
  if (!usage) return undefined;
  const chunks = [8, 32].filter((length) => tokens.length >= length);
  return `${tokens.length} tokens: TLS ${percent(usage.tls)}${chunks
    .map((length) => `, CLS${length} ${percent(usage.cls(length))}`)
    .join('')}`;
}

/** What `--stats` tells of a model whose weights are read on demand. */
function statisticsOf({ model, store }: Pick<LanguageBundle, 'model' | 'store'>): string | undefined {
  if (!store) return undefined;
  const { hits, misses, bytesRead, waitSeconds } = store.statistics;
  const shares = model.closedNeurons.filter((share) => !Number.isNaN(share));
  const parts = [
    `${gigabytes(bytesRead)} of weights read, waited ${waitSeconds.toFixed(2)} s for them`,
    ...(hits + misses > 0 ? [`${percent(hits / (hits + misses))} of the chosen experts were in memory`] : []),
    ...(shares.length > 0
      ? [`neurons with a closed gate: ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} by layer`]
      : []),
    ...(model.headShare < 1 ? [`${percent(model.headShare)} of the head’s rows computed`] : []),
  ];
  return parts.join('; ');
}

/** What `--stats` prints. @param made tokens that were made, in `seconds` after the prompt */
export async function statsOf(
  bundle: LanguageBundle,
  prompt: readonly number[],
  made: readonly number[],
  seconds: number,
  { options, passes, drafted }: PassCounter,
): Promise<string[]> {
  const sparsity = sparsityLine(bundle, [...prompt, ...made]);
  const lines = [sparsity, statisticsOf(bundle)].filter((line) => line !== undefined);
  if (lines.length === 0) lines.push('each token uses all weights, which are in memory');
  if (!options.draft) return lines;
  // The prompt's own pass gives the first token, each other pass one more than it accepts.
  const accepted = Math.max(0, made.length - 1 - passes);
  lines.push(
    `${passes} passes for ${made.length} tokens, ${accepted} of ${drafted} guessed ones accepted: ${(made.length / (passes + 1)).toFixed(2)} a pass`,
  );
  const plain = await speedWithoutDraft(bundle, prompt, made.length, options);
  const own = made.length / Math.max(1e-3, seconds);
  lines.push(
    `${own.toFixed(1)} tokens a second with guesses, ${plain.toFixed(1)} without: ${(own / plain).toFixed(2)} times as fast`,
  );
  return lines;
}
