// Answers to requests: passes are shared by all that are being made, and what a conversation has said is not read again.

import { scope } from '../../tensor/index.js';
import type { LanguageBundle } from '../bundle.js';
import { chatTokens } from '../chat.js';
import {
  Batcher,
  type CacheFormat,
  type FinishReason,
  generate,
  type KeyValueCache,
  logProbabilities,
  type TokenProbability,
} from '../runtime/index.js';
import { AnswerText } from '../stop.js';
import { type CompletionRequest, RequestError } from './requests.js';

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** A token with its probability, as OpenAI writes it. */
export interface TokenReport {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Omit<TokenReport, 'top_logprobs'>[];
}

export interface AnswerPart {
  readonly text: string;
  /** Of the tokens since the part before, where they were asked for. */
  readonly tokens: readonly TokenReport[];
}

/** An answer, part by part, and at the end why it ended. */
export type Answer = AsyncGenerator<AnswerPart, { reason: FinishReason; usage: Usage }>;

/** What was done since the start. */
export interface Totals {
  requests: number;
  promptTokens: number;
  cachedTokens: number;
  answerTokens: number;
}

export interface AnswerOptions {
  /** Most tokens of a conversation, prompt and answer. */
  readonly context?: number | undefined;
  /** Conversations whose keys and values are kept. */
  readonly parallel: number;
  readonly cacheFormat?: CacheFormat | undefined;
}

export class Answers {
  readonly totals: Totals = { requests: 0, promptTokens: 0, cachedTokens: 0, answerTokens: 0 };
  readonly #batcher: Batcher;
  /** Caches that no answer uses, the latest used last. */
  readonly #idle: KeyValueCache[] = [];
  #caches = 0;
  readonly limit: number;

  constructor(
    readonly bundle: LanguageBundle,
    readonly options: AnswerOptions,
  ) {
    const { context } = bundle.model.config;
    this.limit = Math.min(context, options.context ?? context);
    this.#batcher = new Batcher(bundle.model);
  }

  /** The prompt's tokens. @throws RequestError 400 when they cannot be, or are too many. */
  prompt(wanted: CompletionRequest): number[] {
    const { tokenizer } = this.bundle;
    const tokens = asClientError(() =>
      wanted.kind === 'chat' ? chatTokens(tokenizer, wanted.messages) : tokenizer.encode(wanted.prompt),
    );
    const param = wanted.kind === 'chat' ? 'messages' : 'prompt';
    if (tokens.length === 0) throw new RequestError(400, 'the prompt is empty', param);
    if (tokens.length >= this.limit)
      throw new RequestError(
        400,
        `the prompt has ${tokens.length} tokens, the context is ${this.limit}`,
        param,
        'context_length_exceeded',
      );
    return tokens;
  }

  async *answer(wanted: CompletionRequest, prompt: readonly number[], signal: AbortSignal): Answer {
    const { model, tokenizer } = this.bundle;
    const cache = this.#take(prompt);
    const cached = cache.known(prompt);
    const text = new AnswerText(tokenizer, wanted.stop);
    let reports: TokenReport[] = [];
    const tokens = generate(model, prompt, {
      maxTokens: this.limit - prompt.length,
      ...wanted.options,
      stopTokens: tokenizer.stopTokens,
      ...{ cache, signal, read: this.#batcher.read },
      ...(wanted.logprobs !== undefined && {
        onToken: (token, logits) => reports.push(this.#report(logits, token, wanted.logprobs ?? 0)),
      }),
    });
    const part = (own: string): AnswerPart => {
      const since = reports;
      reports = [];
      return { text: own, tokens: since };
    };
    let made = 0;
    let reason: FinishReason = 'stop';
    try {
      for (;;) {
        const { value, done } = await tokens.next();
        if (done) {
          reason = value;
          break;
        }
        made += 1;
        const own = text.push(value);
        if (own !== '') yield part(own);
        if (text.stopped) break;
      }
      const rest = text.end();
      if (rest !== '' || reports.length > 0) yield part(rest);
    } finally {
      await tokens.return('aborted');
      this.#idle.push(cache);
      this.totals.requests += 1;
      this.totals.promptTokens += prompt.length - cached;
      this.totals.cachedTokens += cached;
      this.totals.answerTokens += made;
    }
    const usage = {
      ...{ prompt_tokens: prompt.length, completion_tokens: made, total_tokens: prompt.length + made },
      prompt_tokens_details: { cached_tokens: cached },
    };
    return { reason, usage };
  }

  /** The mean of a text's final states, of length 1. */
  embedding(text: string): { values: Float32Array; tokens: number } {
    const { model, tokenizer } = this.bundle;
    const tokens = asClientError(() => tokenizer.encode(text));
    if (tokens.length === 0 || tokens.length > this.limit)
      throw new RequestError(400, `the input has ${tokens.length} tokens; it must have 1 to ${this.limit}`, 'input');
    const sum = scope(() => model.states(tokens).sum(0).dataSync<Float32Array>());
    const length = Math.hypot(...sum);
    return { values: sum.map((value) => value / length), tokens: tokens.length };
  }

  /** A cache that knows as much of a prompt as any: an idle one, or a copy while there are fewer than answers made at once and another conversation may go on with it. */
  #take(prompt: readonly number[]): KeyValueCache {
    const known = this.#idle.map((cache) => cache.common(prompt));
    const most = known.reduce((a, b) => Math.max(a, b), 0);
    const at = known.indexOf(most);
    const best = this.#idle[at];
    const mayGrow = this.#caches < this.options.parallel;
    if (best && (!mayGrow || most > best.length / 2)) {
      this.#idle.splice(at, 1);
      return best;
    }
    this.#caches += 1;
    if (best && most > 0) return best.fork();
    const { cacheFormat: format = 'f16' } = this.options;
    return this.bundle.model.cache({ limit: this.limit, format });
  }

  #report(logits: Float32Array, token: number, count: number): TokenReport {
    const { top, ...own } = logProbabilities(logits, token, count);
    const one = ({ token: id, logprob }: TokenProbability) => {
      const text = this.bundle.tokenizer.decode([id]);
      return { token: text, logprob, bytes: Array.from(new TextEncoder().encode(text)) };
    };
    return { ...one(own), top_logprobs: top.map(one) };
  }
}

/** What the tokenizer cannot take is the client's fault. */
export function asClientError<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError(400, (error as Error).message);
  }
}
