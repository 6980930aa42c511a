// Chat models behind HTTP in OpenAI's format: POST {base}/chat/completions. Servers of many kinds
// speak it, `gossamer serve` among them.

import { pause } from '../../engine/index.js';
import { ChatError, type ChatModel, type ChatReply, type ChatRequest, estimateTokens } from './chat.js';

/** Options of `HttpChatModel`. */
export interface HttpChatOptions {
  /** Bearer token. It is sent to `base` alone, and neither shown nor stored. Default: none. */
  readonly key?: string;
  /** Milliseconds for a whole reply. Default: 120 000. */
  readonly timeout?: number;
  /** Further tries after status 429 or 5xx. Default: 3. */
  readonly retries?: number;
  /** Milliseconds before the first further try; doubled for each next one. Default: 500. */
  readonly backoff?: number;
  /** Calls made at once; others wait. Default: 4. */
  readonly concurrency?: number;
  /** Longest reply in bytes, with all that the server wraps it in. Default: 4 MiB. */
  readonly maxBytes?: number;
  /** Counts tokens where the server does not. Default: four characters a token. */
  readonly countTokens?: (text: string) => number;
}

/** Longest wait in milliseconds that a server's Retry-After is granted. */
const LONGEST_WAIT = 30_000;

/** Statuses that every other call would get too. */
const REFUSED = [401, 403, 404];

/** A model at an address. */
export class HttpChatModel implements ChatModel {
  readonly #address: URL;
  readonly #key: string | undefined;
  readonly #options: Required<Omit<HttpChatOptions, 'key'>>;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * @param base such as `http://127.0.0.1:8080/v1`
   * @throws Error when it is no HTTP address, or holds a password
   */
  constructor(base: string, { key, ...options }: HttpChatOptions = {}) {
    this.#address = addressOf(base);
    this.#key = key;
    this.#options = {
      timeout: 120_000,
      retries: 3,
      backoff: 500,
      concurrency: 4,
      maxBytes: 2 ** 22,
      countTokens: estimateTokens,
      ...options,
    };
  }

  async complete(request: ChatRequest): Promise<ChatReply> {
    await this.#enter(request.signal);
    try {
      return await this.#attempts(request);
    } finally {
      this.#leave();
    }
  }

  async #attempts(request: ChatRequest): Promise<ChatReply> {
    const { retries, backoff } = this.#options;
    for (let attempt = 0; ; attempt++) {
      request.signal?.throwIfAborted();
      const { status, text, retryAfter } = await this.#post(request);
      if (status >= 200 && status < 300) return this.#reply(text, request);
      const again = status === 429 || status >= 500;
      if (!again || attempt >= retries) throw this.#statusError(status, text);
      await pause(retryAfter ?? backoff * 2 ** attempt, request.signal);
    }
  }

  /** One request, from sending to the last byte, within the time limit. */
  async #post({ signal, ...request }: ChatRequest) {
    const { timeout, maxBytes } = this.#options;
    const limit = AbortSignal.timeout(timeout);
    try {
      const response = await fetch(this.#address, {
        method: 'POST',
        redirect: 'error',
        headers: { 'content-type': 'application/json', ...(this.#key && { authorization: `Bearer ${this.#key}` }) },
        body: JSON.stringify({
          model: request.model,
          messages: request.messages,
          temperature: request.temperature,
          max_tokens: request.maxTokens,
          ...(request.seed !== undefined && { seed: request.seed }),
        }),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const text = await boundedText(response, maxBytes);
      return { status: response.status, text, retryAfter: waitOf(response.headers.get('retry-after')) };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof ChatError) throw error;
      if (limit.aborted) throw new ChatError('failed', `${this.#where()}: no whole reply within ${timeout / 1000} s`);
      const { cause, message } = error as Error & { readonly cause?: { readonly code?: string; message?: string } };
      throw new ChatError('failed', `${this.#where()}: ${cause?.code ?? cause?.message ?? message}`);
    }
  }

  #reply(body: string, { messages }: ChatRequest): ChatReply {
    const parsed = parseJson(body);
    if (parsed === undefined)
      throw new ChatError('failed', `${this.#where()}: the reply is not JSON: ${excerpt(body)}`);
    const text = textOf(parsed);
    if (text === undefined)
      throw new ChatError('failed', `${this.#where()}: the reply has no text in choices[0].message.content`);
    const usage = usageOf(parsed);
    if (usage) return { text, ...usage };
    const { countTokens } = this.#options;
    const promptTokens = messages.reduce((sum, { content }) => sum + countTokens(content), 0);
    return { text, promptTokens, completionTokens: countTokens(text), estimated: true };
  }

  #statusError(status: number, body: string): ChatError {
    const kind = REFUSED.includes(status) ? 'refused' : 'failed';
    const key = status === 401 || status === 403 ? (this.#key ? ' (the key was sent)' : ' (no key was sent)') : '';
    const said = this.#key ? body.replaceAll(this.#key, '…') : body;
    return new ChatError(kind, `${this.#where()}: status ${status}${key}: ${excerpt(said)}`);
  }

  #where(): string {
    return `${this.#address.origin}${this.#address.pathname}`;
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    if (this.#running < this.#options.concurrency) {
      this.#running += 1;
      return;
    }
    // The one that leaves hands its place on, so `running` stays.
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason);
      };
      const enter = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(enter);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}

function addressOf(base: string): URL {
  const address = URL.canParse(base) ? new URL(base) : undefined;
  if (!address || !['http:', 'https:'].includes(address.protocol))
    throw new Error(`endpoint "${base}" is no HTTP address; expected one such as http://127.0.0.1:8080/v1`);
  if (address.username || address.password)
    throw new Error('the endpoint holds a user name or password; give the key in the environment');
  address.pathname = `${address.pathname.replace(/\/+$/, '')}/chat/completions`;
  return address;
}

/** A body as text. @throws ChatError when it is longer than `most` bytes */
async function boundedText(response: Response, most: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    size += part.value.length;
    parts.push(part.value);
    if (size > most) {
      await reader?.cancel();
      throw new ChatError('failed', `the reply is longer than ${most} bytes`);
    }
  }
  const all = new Uint8Array(size);
  parts.reduce((at, part) => {
    all.set(part, at);
    return at + part.length;
  }, 0);
  return new TextDecoder().decode(all);
}

/** Milliseconds of a Retry-After header: seconds, or a date. */
function waitOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header.trim()) ? 1000 * Number(header) : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_WAIT) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A field of something that may be no object. */
function field(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[name] : undefined;
}

function textOf(reply: unknown): string | undefined {
  const content = field(field(field(field(reply, 'choices'), 0), 'message'), 'content');
  return typeof content === 'string' ? content : undefined;
}

function usageOf(reply: unknown): Pick<ChatReply, 'promptTokens' | 'completionTokens'> | undefined {
  const count = (name: string) => {
    const value = field(field(reply, 'usage'), name);
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
  };
  const [promptTokens, completionTokens] = [count('prompt_tokens'), count('completion_tokens')];
  return promptTokens === undefined || completionTokens === undefined ? undefined : { promptTokens, completionTokens };
}

/** The start of a foreign text on one line, printable. */
function excerpt(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 160)}…` : line || 'nothing';
}
