// Completions: concurrent generations share forward passes, and caches are reused for common
// prefixes of conversations.

import { RequestError } from '../../distributed/http/errors.js';
import { add, scope, type Tensor, zeros } from '../../tensor/index.js';
import type { LanguageBundle } from '../assemble.js';
import { chatTokens } from '../chat.js';
import { trieOf } from '../grammar/constraint.js';
import { GrammarError, TokenGrammar } from '../grammar/index.js';
import {
  Batcher,
  type CacheFormat,
  type FinishReason,
  generate,
  type KeyValueCache,
  logProbabilities,
  prefillSlice,
  type TokenProbability,
} from '../runtime/index.js';
import { AnswerText } from '../stop.js';
import { textOfBytes } from '../token-bytes.js';
import { type AnswerDelta, CallStream } from '../tools.js';
import type { WantedGrammar } from './grammars.js';
import type { CompletionRequest } from './requests.js';
import { SlicedTokenizer } from './tokenize.js';

/** Token counts of a completion, as OpenAI writes them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** A token with its log-probability, as OpenAI writes it. */
export interface TokenReport {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
  readonly top_logprobs: readonly Omit<TokenReport, 'top_logprobs'>[];
}

/** A piece of generated text. */
export interface AnswerPart {
  readonly text: string;
  /** Log-probabilities of the tokens since the previous part; empty when not requested. */
  readonly tokens: readonly TokenReport[];
  /** Calls of tools that begin, and more of their arguments. */
  readonly calls: readonly CallDelta[];
}

/** What an answer adds to its calls. */
export type CallDelta = Exclude<AnswerDelta, { readonly kind: 'text' }>;

/** The parts of a completion; returns the finish reason and the token counts. */
export type Answer = AsyncGenerator<AnswerPart, { reason: FinishReason | 'tool_calls'; usage: Usage }>;

/** Counters since the start, for monitoring. */
export interface Totals {
  requests: number;
  promptTokens: number;
  cachedTokens: number;
  answerTokens: number;
}

/** Options of `Answers`. */
export interface AnswerOptions {
  /** Most tokens of prompt and completion together. Default: the model's context. */
  readonly context?: number | undefined;
  /** Number of key/value caches. */
  readonly parallel: number;
  readonly cacheFormat?: CacheFormat | undefined;
  /** Awaited between slices of long work. */
  readonly turn: () => Promise<void>;
}

/** Grammars that are kept for further requests. */
const MOST_GRAMMARS = 16;
/** Most tokens of a pass for embeddings. */
const PASS = 256;

/** Generates completions and embeddings for the server. */
export class Answers {
  readonly totals: Totals = { requests: 0, promptTokens: 0, cachedTokens: 0, answerTokens: 0 };
  readonly #batcher: Batcher;
  /** Grammars of late requests, the oldest first. */
  readonly #grammars = new Map<string, TokenGrammar>();
  /** Caches not in use, the most recently used last. */
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
    // Otherwise the first request with a grammar would hold the event loop for it.
    trieOf(bundle.tokenizer);
  }

  /**
   * Tokenises the conversation or the prompts.
   *
   * @throws RequestError 400 when that fails or a prompt is empty or does not fit the context.
   */
  async prompts({ kind, messages, prompts, tools }: CompletionRequest, signal: AbortSignal): Promise<number[][]> {
    if (kind === 'chat') {
      const sliced = this.#sliced(signal);
      const tokens = await asClientErrors(
        sliced.run((tokenizer) => chatTokens(tokenizer, messages, { ...(tools && { tools: tools.given }) })),
      );
      return [this.#fitting(tokens, 'messages')];
    }
    const all: number[][] = [];
    for (const prompt of prompts) {
      const tokens = typeof prompt === 'string' ? await this.encoded(prompt, signal) : [...prompt];
      all.push(this.#fitting(tokens, prompts.length === 1 ? 'prompt' : `prompt[${all.length}]`));
    }
    return all;
  }

  /** The tokens of a text. @throws RequestError 400 when it cannot be tokenised. */
  encoded(text: string, signal: AbortSignal, { special = true } = {}): Promise<number[]> {
    return asClientErrors(this.#sliced(signal).encode(text, special));
  }

  /** The tokenizer, in slices that end when the signal aborts. */
  #sliced(signal: AbortSignal): SlicedTokenizer {
    return new SlicedTokenizer(this.bundle.tokenizer, async () => {
      await this.options.turn();
      signal.throwIfAborted();
    });
  }

  #fitting(tokens: number[], param: string): number[] {
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

  /** @throws RequestError 400 when the grammar cannot be used. */
  #grammar({ key, rules, param }: WantedGrammar): TokenGrammar {
    const known = this.#grammars.get(key);
    this.#grammars.delete(key);
    try {
      const grammar = known ?? new TokenGrammar(rules, this.bundle.tokenizer);
      this.#grammars.set(key, grammar);
      const [oldest] = this.#grammars.keys();
      if (this.#grammars.size > MOST_GRAMMARS && oldest !== undefined) this.#grammars.delete(oldest);
      return grammar;
    } catch (error) {
      throw asGrammarError(error, param);
    }
  }

  async *answer(wanted: CompletionRequest, prompt: readonly number[], signal: AbortSignal): Answer {
    const { model, tokenizer } = this.bundle;
    const grammar = wanted.grammar && this.#grammar(wanted.grammar);
    const calls = wanted.tools && new CallStream(wanted.tools.form);
    const cache = this.#take(prompt);
    const cached = cache.known(prompt);
    const text = new AnswerText(tokenizer, wanted.stop);
    let reports: TokenReport[] = [];
    const tokens = generate(model, prompt, {
      maxTokens: this.limit - prompt.length,
      ...this.bundle.sampling,
      ...wanted.options,
      stopTokens: tokenizer.stopTokens,
      ...{ grammar, cache, signal, read: (...read) => this.#batcher.readUntil(signal, ...read) },
      ...(wanted.logprobs !== undefined && {
        onToken: (token, logits) => reports.push(this.#report(logits, token, wanted.logprobs ?? 0)),
      }),
    });
    const part = (deltas: readonly AnswerDelta[]): AnswerPart => {
      const since = reports;
      reports = [];
      const own = deltas.map((delta) => (delta.kind === 'text' ? delta.text : '')).join('');
      return { text: own, tokens: since, calls: deltas.filter((delta) => delta.kind !== 'text') };
    };
    const deltasOf = (own: string): readonly AnswerDelta[] =>
      calls ? calls.push(own) : own === '' ? [] : [{ kind: 'text', text: own }];
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
        const deltas = deltasOf(text.push(value));
        if (deltas.length > 0) yield part(deltas);
        if (text.stopped) break;
      }
      const rest = [...deltasOf(text.end()), ...(calls?.end() ?? [])];
      if (rest.length > 0 || reports.length > 0) yield part(rest);
    } catch (error) {
      throw asGrammarError(error, wanted.grammar?.param ?? null);
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
    return { reason: reason === 'stop' && calls && calls.calls > 0 ? 'tool_calls' : reason, usage };
  }

  /**
   * Mean-pooled final hidden states of a text or of tokens, L2-normalised.
   *
   * @param param the field that errors name
   * @throws RequestError 400 when there are no tokens, or more than the context.
   */
  async embedding(
    input: string | readonly number[],
    param: string,
    signal: AbortSignal,
  ): Promise<{ values: Float32Array; tokens: number }> {
    const { model } = this.bundle;
    const tokens = typeof input === 'string' ? await this.encoded(input, signal) : input;
    if (tokens.length === 0 || tokens.length > this.limit)
      throw new RequestError(400, `the input has ${tokens.length} tokens; it must have 1 to ${this.limit}`, param);
    const cache = model.cache({ limit: this.limit });
    let sum = zeros([model.config.features]);
    try {
      for (let at = 0; at < tokens.length; ) {
        await this.options.turn();
        signal.throwIfAborted();
        const count = prefillSlice(model.config, at, Math.min(PASS, tokens.length - at));
        const part = { tokens: tokens.slice(at, at + count), cache };
        sum = added(sum, await model.statesInTurns(part, this.options.turn));
        at += count;
      }
      const values = sum.dataSync<Float32Array>();
      const length = Math.hypot(...values);
      return { values: values.map((value) => value / length), tokens: tokens.length };
    } finally {
      sum.dispose();
      cache.dispose();
    }
  }

  /**
   * The idle cache with the longest common prefix; copied instead when it holds mainly another
   * conversation and fewer than `parallel` caches exist.
   */
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
    const { tokenizer } = this.bundle;
    const { top, ...own } = logProbabilities(logits, token, count);
    const one = ({ token: id, logprob }: TokenProbability) => {
      const bytes = tokenizer.bytesOf?.(id) ?? Array.from(new TextEncoder().encode(tokenizer.decode([id])));
      return { token: textOfBytes(bytes), logprob, bytes };
    };
    return { ...one(own), top_logprobs: top.map(one) };
  }
}

/** A grammar that cannot be kept as status 400; other errors as they are. */
function asGrammarError(error: unknown, param: string | null): unknown {
  return error instanceof GrammarError ? new RequestError(400, error.message, param) : error;
}

/** Adds the sum of rows to a sum; frees both. */
function added(sum: Tensor, rows: Tensor): Tensor {
  const next = scope(() => add(sum, rows.sum(0)));
  sum.dispose();
  rows.dispose();
  return next;
}

/** Turns errors of tokenisation into status 400. */
async function asClientErrors<T>(tokenised: Promise<T>): Promise<T> {
  try {
    return await tokenised;
  } catch (error) {
    if (error instanceof RequestError || (error as Error).name === 'AbortError') throw error;
    throw new RequestError(400, (error as Error).message);
  }
}
