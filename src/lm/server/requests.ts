// Parsing and validation of request bodies in OpenAI's format.

import type { ChatMessage } from '../chat.js';
import type { GenerateOptions } from '../runtime/generate.js';

/** A request that cannot be served, with HTTP status and error body. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly param: string | null = null,
    readonly code: string | null = null,
  ) {
    super(message);
  }

  /** The error in OpenAI's format. */
  get body(): object {
    const type = this.status >= 500 || this.status === 429 ? 'server_error' : 'invalid_request_error';
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }
}

/** A validated completion request. */
export interface CompletionRequest {
  readonly kind: 'chat' | 'text';
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly prompt: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly stop: readonly string[];
  /**
   * How many of the most probable tokens to report with each token; undefined for no
   * log-probabilities.
   */
  readonly logprobs: number | undefined;
  readonly options: GenerateOptions;
}

type Fields = Readonly<Record<string, unknown>>;

function wrong(param: string, expected: string): never {
  throw new RequestError(400, `"${param}" must be ${expected}`, param);
}

function numberIn(fields: Fields, param: string, low: number, high: number, whole = false): number | undefined {
  const value = fields[param];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !(value >= low && value <= high) || (whole && !Number.isInteger(value)))
    return wrong(param, `${whole ? 'an integer' : 'a number'} from ${low} to ${high}`);
  return value;
}

function flag(fields: Fields, param: string): boolean {
  const value = fields[param] ?? false;
  return typeof value === 'boolean' ? value : wrong(param, 'true or false');
}

function stopOf(fields: Fields): string[] {
  const { stop } = fields;
  if (stop === undefined || stop === null) return [];
  const list = typeof stop === 'string' ? [stop] : stop;
  if (!Array.isArray(list) || list.length > 4 || !list.every((one) => typeof one === 'string' && one !== ''))
    return wrong('stop', 'a text, or up to four of them');
  return list as string[];
}

const roles = ['system', 'user', 'assistant', 'tool', 'developer'];

/** Content is a string, or a list of parts of type "text". */
function contentOf(content: unknown, at: number): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content) && content.every((part) => part?.type === 'text' && typeof part.text === 'string'))
    return content.map(({ text }) => text).join('');
  return wrong(`messages[${at}].content`, 'a text, or a list of parts of type "text"');
}

export function messagesOf({ messages }: Fields): ChatMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) return wrong('messages', 'a list of at least one message');
  return messages.map((message, at) => {
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown };
    if (!roles.includes(role as string)) wrong(`messages[${at}].role`, `one of ${roles.join(', ')}`);
    return { role: role === 'developer' ? 'system' : (role as ChatMessage['role']), content: contentOf(content, at) };
  });
}

/** Chat requests have a flag and a count, text requests a count alone. */
function logprobsOf(kind: CompletionRequest['kind'], fields: Fields): number | undefined {
  if (kind === 'text') return numberIn(fields, 'logprobs', 0, 20, true);
  const count = numberIn(fields, 'top_logprobs', 0, 20, true);
  return flag(fields, 'logprobs') ? (count ?? 0) : undefined;
}

function biasOf({ logit_bias: bias }: Fields): Record<number, number> | undefined {
  if (bias === undefined || bias === null) return undefined;
  const isBias = ([token, value]: [string, unknown]) =>
    /^\d+$/.test(token) && typeof value === 'number' && Math.abs(value) <= 100;
  if (typeof bias !== 'object' || Array.isArray(bias) || !Object.entries(bias).every(isBias))
    return wrong('logit_bias', 'an object of tokens and numbers from -100 to 100');
  return bias as Record<number, number>;
}

/** Fields that would change the completion and are not supported. */
const unsupported = ['tools', 'functions', 'suffix', 'best_of'];

export function jsonObject(body: unknown): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RequestError(400, 'the body must be a JSON object');
  return body as Fields;
}

/** A string or a list of strings. @throws RequestError 400 otherwise. */
export function textsIn(fields: Fields, param: string): string[] {
  const value = fields[param];
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list) || list.length === 0 || !list.every((one) => typeof one === 'string'))
    return wrong(param, 'a text, or a list of texts');
  return list as string[];
}

/** A list of token ids below `count`. @throws RequestError 400 otherwise. */
export function tokensIn(fields: Fields, param: string, count: number): number[] {
  const list = fields[param];
  if (!Array.isArray(list) || !list.every((one) => Number.isInteger(one) && one >= 0 && one < count))
    return wrong(param, `a list of integers from 0 to ${count - 1}`);
  return list as number[];
}

/** Validates a request body. @throws RequestError 400 naming the field. */
export function parseRequest(kind: CompletionRequest['kind'], body: unknown): CompletionRequest {
  const fields = jsonObject(body);
  if (typeof fields.model !== 'string') wrong('model', 'the name of a model');
  const format = (fields.response_format as Fields | undefined | null)?.type ?? 'text';
  if (format !== 'text')
    throw new RequestError(400, '"response_format" is not supported but for text', 'response_format');
  for (const param of unsupported)
    if (fields[param] !== undefined && fields[param] !== null)
      throw new RequestError(400, `"${param}" is not supported`, param);
  numberIn(fields, 'n', 1, 1, true);
  const { prompt } = fields;
  if (kind === 'text' && typeof prompt !== 'string') wrong('prompt', 'a text');
  const given = {
    maxTokens: numberIn(fields, 'max_completion_tokens', 1, 1e6, true) ?? numberIn(fields, 'max_tokens', 1, 1e6, true),
    temperature: numberIn(fields, 'temperature', 0, 2),
    topP: numberIn(fields, 'top_p', 0, 1),
    topK: numberIn(fields, 'top_k', 0, 1e6, true),
    minP: numberIn(fields, 'min_p', 0, 1),
    repeatPenalty: numberIn(fields, 'repeat_penalty', 0.1, 10),
    frequencyPenalty: numberIn(fields, 'frequency_penalty', -2, 2),
    presencePenalty: numberIn(fields, 'presence_penalty', -2, 2),
    logitBias: biasOf(fields),
    seed: numberIn(fields, 'seed', 0, Number.MAX_SAFE_INTEGER, true) ?? Math.floor(Math.random() * 2 ** 32),
  };
  const usage = (fields.stream_options as Fields | undefined | null)?.include_usage === true;
  return {
    kind,
    model: fields.model as string,
    messages: kind === 'chat' ? messagesOf(fields) : [],
    prompt: kind === 'text' ? (prompt as string) : '',
    stream: flag(fields, 'stream'),
    includeUsage: usage,
    stop: stopOf(fields),
    logprobs: logprobsOf(kind, fields),
    options: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}
