// An HTTP server with OpenAI's endpoints (models, chat/completions, completions, embeddings), those
// of llama.cpp's server around them, and Prometheus metrics.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { LanguageBundle } from '../bundle.js';
import { chatText } from '../chat.js';
import type { CacheFormat } from '../runtime/index.js';
import { type Answer, Answers, asClientError } from './answers.js';
import { Completion } from './completion.js';
import { jsonObject, messagesOf, parseRequest, RequestError, textsIn, tokensIn } from './requests.js';
import { Slots } from './slots.js';

/** Options of `LanguageServer`. */
export interface ServerOptions {
  /** Name of the model in requests. */
  readonly name: string;
  /** Concurrent completions; they share forward passes. Default: 4. */
  readonly parallel?: number;
  /** Most requests in the queue; more get status 503. Default: 64. */
  readonly queue?: number;
  /** Largest request body in bytes. Default: 1 MiB. */
  readonly bodyLimit?: number;
  /** Most tokens of prompt and completion together. Default: the model's context. */
  readonly context?: number;
  /** Element type of the key/value caches. Default: 'f16'. */
  readonly cacheFormat?: CacheFormat;
  /** Bearer token that requests must carry. Default: none. */
  readonly apiKey?: string;
  /** Called with a line of log after each response: method, URL, status, milliseconds. */
  readonly onRequest?: (line: string) => void;
}

type Respond = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** An HTTP server for one language model. */
export class LanguageServer {
  readonly #slots: Slots;
  readonly #answers: Answers;
  readonly #created = Math.floor(Date.now() / 1000);
  readonly #routes: Readonly<Record<string, readonly [method: 'GET' | 'POST', respond: Respond]>>;

  constructor(
    readonly bundle: LanguageBundle,
    readonly options: ServerOptions,
  ) {
    const { parallel = 4, queue = 64, context, cacheFormat, name } = options;
    this.#slots = new Slots(parallel, queue);
    this.#answers = new Answers(bundle, { context, parallel, cacheFormat });
    this.#routes = {
      '/v1/models': ['GET', (_, response) => send(response, 200, { object: 'list', data: [this.#model] })],
      [`/v1/models/${encodeURIComponent(name)}`]: ['GET', (_, response) => send(response, 200, this.#model)],
      '/v1/chat/completions': ['POST', (...both) => this.#complete('chat', ...both)],
      '/v1/completions': ['POST', (...both) => this.#complete('text', ...both)],
      '/v1/embeddings': ['POST', (...both) => this.#embed(...both)],
      '/tokenize': ['POST', (...both) => this.#tokenize(...both)],
      '/detokenize': ['POST', (...both) => this.#detokenize(...both)],
      '/apply-template': ['POST', (...both) => this.#applyTemplate(...both)],
      '/props': ['GET', (_, response) => send(response, 200, this.#properties)],
      '/slots': ['GET', (_, response) => send(response, 200, this.#state)],
      '/metrics': ['GET', (_, response) => send(response, 200, this.#metrics)],
    };
  }

  /** The HTTP server, not listening yet. */
  create(): Server {
    return createServer((request, response) => {
      const started = performance.now();
      response.on('close', () =>
        this.options.onRequest?.(
          `${request.method} ${request.url} ${response.statusCode} ${(performance.now() - started).toFixed(0)} ms`,
        ),
      );
      this.#serve(request, response).catch((error: unknown) => fail(response, error));
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/'] = (request.url ?? '/').split('?');
    if (path === '/health') return send(response, 200, { status: 'ok', ...this.#state });
    this.#authorise(request);
    const [method, respond] = this.#routes[path] ?? [];
    if (!respond) throw new RequestError(404, `there is no ${path}`);
    if (request.method !== method) throw new RequestError(405, `${path} takes ${method}`);
    await respond(request, response);
  }

  get #model(): object {
    return { id: this.options.name, object: 'model', created: this.#created, owned_by: 'gossamer' };
  }

  #authorise({ headers }: IncomingMessage): void {
    const { apiKey } = this.options;
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`)
      throw new RequestError(401, 'the API key is missing or wrong', null, 'invalid_api_key');
  }

  get #state() {
    return { running: this.#slots.running, waiting: this.#slots.waiting };
  }

  get #properties(): object {
    const { model, tokenizer } = this.bundle;
    const { config } = model;
    return {
      ...{ model: this.options.name, context: this.#answers.limit, parallel: this.#slots.parallel },
      ...{ config, weight_bytes: model.bytes, chat_template: tokenizer.chatTemplate ?? null },
    };
  }

  /** Counters in Prometheus text format. */
  get #metrics(): string {
    const { requests, promptTokens, cachedTokens, answerTokens } = this.#answers.totals;
    const lines: [name: string, kind: string, about: string, value: number][] = [
      ['requests_total', 'counter', 'Completions that ended.', requests],
      ['prompt_tokens_total', 'counter', 'Tokens of prompts that were read.', promptTokens],
      ['prompt_tokens_cached_total', 'counter', 'Tokens of prompts that were known from before.', cachedTokens],
      ['answer_tokens_total', 'counter', 'Tokens that were made.', answerTokens],
      ['requests_running', 'gauge', 'Answers that are being made.', this.#slots.running],
      ['requests_waiting', 'gauge', 'Requests that wait for their turn.', this.#slots.waiting],
    ];
    return lines
      .map(([name, kind, about, value]) => {
        const full = `gossamer_${name}`;
        return `# HELP ${full} ${about}\n# TYPE ${full} ${kind}\n${full} ${value}\n`;
      })
      .join('');
  }

  async #body(request: IncomingMessage) {
    return jsonObject(await readJsonBody(request, this.options.bodyLimit ?? 2 ** 20));
  }

  #requireModel(name: unknown): void {
    if (name !== this.options.name)
      throw new RequestError(
        404,
        `the model "${name}" does not exist; there is "${this.options.name}"`,
        'model',
        'model_not_found',
      );
  }

  async #complete(kind: 'chat' | 'text', request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wanted = parseRequest(kind, await this.#body(request));
    this.#requireModel(wanted.model);
    const prompt = this.#answers.prompt(wanted);
    await this.#inSlot(response, async (signal) => {
      const answer: Answer = this.#answers.answer(wanted, prompt, signal);
      const completion = new Completion(this.options.name, wanted);
      if (wanted.stream) await completion.stream(answer, response);
      else send(response, 200, await completion.whole(answer));
    });
  }

  /**
   * Runs `work` in a slot, unless the client disconnects first; disconnecting aborts the signal.
   */
  async #inSlot(response: ServerResponse, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const client = new AbortController();
    response.on('close', () => client.abort());
    await this.#slots.run(client.signal, async () => {
      if (!client.signal.aborted) await work(client.signal);
    });
  }

  async #embed(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = await this.#body(request);
    this.#requireModel(fields.model);
    const texts = textsIn(fields, 'input');
    await this.#inSlot(response, async () => {
      let total = 0;
      const data = texts.map((text, index) => {
        const { values, tokens } = this.#answers.embedding(text);
        total += tokens;
        const embedding =
          fields.encoding_format === 'base64' ? Buffer.from(values.buffer).toString('base64') : Array.from(values);
        return { object: 'embedding', index, embedding };
      });
      const usage = { prompt_tokens: total, total_tokens: total };
      send(response, 200, { object: 'list', model: this.options.name, data, usage });
    });
  }

  async #tokenize(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [text = ''] = textsIn(await this.#body(request), 'content');
    send(response, 200, { tokens: asClientError(() => this.bundle.tokenizer.encode(text, false)) });
  }

  async #detokenize(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { tokenizer } = this.bundle;
    const tokens = tokensIn(await this.#body(request), 'tokens', tokenizer.size);
    send(response, 200, { content: tokenizer.decode(tokens) });
  }

  async #applyTemplate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const messages = messagesOf(await this.#body(request));
    send(response, 200, { prompt: asClientError(() => chatText(this.bundle.tokenizer, messages)) });
  }
}

async function readJsonBody(request: IncomingMessage, limit: number): Promise<unknown> {
  const tooLarge = () => new RequestError(413, `the body is larger than ${limit} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limit) throw tooLarge();
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    throw new RequestError(400, 'the body is not JSON');
  }
}

function send(response: ServerResponse, status: number, body: object | string): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'Content-Type': `${isText ? 'text/plain' : 'application/json'}; charset=utf-8` });
  response.end(isText ? body : JSON.stringify(body));
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed || (error as Error).name === 'AbortError') {
    response.destroy();
    return;
  }
  const known = error instanceof RequestError ? error : new RequestError(500, (error as Error).message);
  if (response.headersSent) {
    response.end(`data: ${JSON.stringify(known.body)}\n\n`);
    return;
  }
  if (known.status === 503) response.setHeader('Retry-After', '1');
  // The rest of the request body is not read.
  if (known.status === 413) response.setHeader('Connection', 'close');
  send(response, known.status, known.body);
}
