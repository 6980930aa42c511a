// Parsing and validation of completion requests in OpenAI's format.

import { RequestError, wrong } from '../../distributed/http/errors.js';
import type { GenerateOptions } from '../runtime/generate.js';
import {
  type Fields,
  flag,
  inputsIn,
  isAbsent,
  isObject,
  isText,
  jsonObject,
  numberIn,
  requireKnown,
  unsupported,
} from './fields.js';
import { grammarIn, toolsIn, type WantedGrammar, type WantedTools } from './grammars.js';
import { messagesOf, type TemplateMessage } from './messages.js';

/** A validated completion request. */
export interface CompletionRequest {
  readonly kind: 'chat' | 'text';
  readonly model: string;
  readonly messages: readonly TemplateMessage[];
  /** Texts or token ids to complete; each has its choice. Empty for chats. */
  readonly prompts: readonly (string | readonly number[])[];
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly stop: readonly string[];
  /**
   * How many of the most probable tokens to report with each token; undefined for no
   * log-probabilities.
   */
  readonly logprobs: number | undefined;
  /** What the answer must be. */
  readonly grammar: WantedGrammar | undefined;
  /** Functions that the model may call. */
  readonly tools: WantedTools | undefined;
  readonly options: GenerateOptions;
}

/** What requests are checked against. */
export interface ModelFacts {
  /** Tokens that have logits. */
  readonly vocabulary: number;
  /** The chat template, empty for ChatML. */
  readonly template: string;
}

/** Sorting by `top_k` takes time in proportion to it. */
const MOST_TOP_K = 1000;

const SHARED = [
  ...['model', 'stream', 'stream_options', 'stop', 'logprobs', 'logit_bias', 'seed', 'n', 'max_tokens'],
  ...['temperature', 'top_p', 'top_k', 'min_p', 'repeat_penalty', 'frequency_penalty', 'presence_penalty', 'grammar'],
  // Labels that change nothing in the answer.
  ...['user', 'metadata', 'service_tier', 'safety_identifier', 'prompt_cache_key'],
];
const KNOWN = {
  chat: new Set([
    ...SHARED,
    ...['messages', 'max_completion_tokens', 'top_logprobs', 'response_format'],
    ...['tools', 'tool_choice', 'parallel_tool_calls', 'store'],
  ]),
  text: new Set([...SHARED, 'prompt', 'best_of', 'echo', 'suffix']),
} as const;

/** Values of fields that ask for what is done anyway; others are refused. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  store: [false],
  echo: [false],
  suffix: [''],
};

function stopOf({ stop }: Fields): string[] {
  if (isAbsent(stop)) return [];
  const list = typeof stop === 'string' ? [stop] : stop;
  if (!Array.isArray(list) || list.length > 4 || !list.every((one) => isText(one) && one !== ''))
    return wrong('stop', 'a text, or up to four of them');
  return list;
}

/** Chat requests have a flag and a count, text requests a count alone. */
function logprobsOf(kind: CompletionRequest['kind'], fields: Fields): number | undefined {
  if (kind === 'text') return numberIn(fields, 'logprobs', 0, 20, 'integer');
  const count = numberIn(fields, 'top_logprobs', 0, 20, 'integer');
  if (flag(fields, 'logprobs')) return count ?? 0;
  if (count !== undefined) throw new RequestError(400, '"top_logprobs" needs "logprobs": true', 'top_logprobs');
  return undefined;
}

function biasOf({ logit_bias: bias }: Fields, vocabulary: number): Record<number, number> | undefined {
  if (isAbsent(bias)) return undefined;
  const isBias = ([token, value]: [string, unknown]) =>
    /^(0|[1-9]\d*)$/.test(token) && Number(token) < vocabulary && typeof value === 'number' && Math.abs(value) <= 100;
  if (!isObject(bias) || !Object.entries(bias).every(isBias))
    return wrong('logit_bias', `an object of token ids from 0 to ${vocabulary - 1} and numbers from -100 to 100`);
  return bias as Record<number, number>;
}

function includesUsage(fields: Fields, stream: boolean): boolean {
  const options = fields.stream_options;
  if (isAbsent(options)) return false;
  if (!stream) throw new RequestError(400, '"stream_options" needs "stream": true', 'stream_options');
  if (!isObject(options)) return wrong('stream_options', 'an object');
  requireKnown(options, new Set(['include_usage']), 'stream_options.');
  return flag(options, 'include_usage');
}

/**
 * Validates a request body.
 *
 * @throws RequestError 400 naming the field, also where a field is not known or not supported.
 */
export function parseRequest(kind: CompletionRequest['kind'], body: unknown, facts: ModelFacts): CompletionRequest {
  const fields = jsonObject(body);
  const { model } = fields;
  if (!isText(model)) return wrong('model', 'the name of a model');
  requireKnown(fields, KNOWN[kind]);
  for (const [param, values] of Object.entries(NEUTRAL))
    if (!isAbsent(fields[param]) && !values.includes(fields[param])) throw unsupported(param);
  const tools = toolsIn(fields, facts.template);
  for (const param of ['n', 'best_of']) numberIn(fields, param, 1, 1, 'integer');
  const tokens = (param: string) => numberIn(fields, param, 1, 1e6, 'integer');
  const given = {
    maxTokens: tokens('max_completion_tokens') ?? tokens('max_tokens'),
    temperature: numberIn(fields, 'temperature', 0, 2),
    topP: numberIn(fields, 'top_p', 0, 1),
    topK: numberIn(fields, 'top_k', 0, MOST_TOP_K, 'integer'),
    minP: numberIn(fields, 'min_p', 0, 1),
    repeatPenalty: numberIn(fields, 'repeat_penalty', 0.1, 10),
    frequencyPenalty: numberIn(fields, 'frequency_penalty', -2, 2),
    presencePenalty: numberIn(fields, 'presence_penalty', -2, 2),
    logitBias: biasOf(fields, facts.vocabulary),
    seed: numberIn(fields, 'seed', 0, Number.MAX_SAFE_INTEGER, 'integer') ?? Math.floor(Math.random() * 2 ** 32),
  };
  const stream = flag(fields, 'stream');
  return {
    ...{ kind, model, stream },
    messages: kind === 'chat' ? messagesOf(fields, facts.template) : [],
    prompts: kind === 'text' ? inputsIn(fields, 'prompt', facts.vocabulary) : [],
    includeUsage: includesUsage(fields, stream),
    stop: stopOf(fields),
    logprobs: logprobsOf(kind, fields),
    grammar: tools?.grammar ?? grammarIn(fields),
    tools,
    options: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}
