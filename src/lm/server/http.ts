// An HTTP server with OpenAI's endpoints: /v1/models, /v1/chat/completions, /v1/completions, and /health.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { LanguageBundle } from '../bundle.js';
import { chatTokens } from '../chat.js';
import { type FinishReason, generate } from '../runtime/generate.js';
import { TextStream } from '../tokenizer.js';
import { type CompletionRequest, parseRequest, RequestError } from './requests.js';
import { Slots } from './slots.js';
import { StopFilter } from './stop.js';

export interface ServerOptions {
  /** What clients call the model. */
  readonly name: string;
  /** Answers made at once, a token of each in turn. */
  readonly parallel?: number;
  /** Requests that wait for their turn. */
  readonly queue?: number;
  /** Largest body in bytes. */
  readonly bodyLimit?: number;
  /** Most tokens of a conversation, prompt and answer. */
  readonly context?: number;
  /** What clients must send as a bearer token. */
  readonly apiKey?: string;
  readonly onRequest?: (line: string) => void;
}

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** An answer, part by part, and at the end why it ended. */
interface Answer {
  readonly parts: AsyncGenerator<string, { reason: FinishReason; usage: Usage }>;
}

export class LanguageServer {
  readonly #slots: Slots;
  readonly #created = Math.floor(Date.now() / 1000);
  #next = 0;

  constructor(
    readonly bundle: LanguageBundle,
    readonly options: ServerOptions,
  ) {
    this.#slots = new Slots(options.parallel ?? 4, options.queue ?? 64);
  }

  /** A server that is not listening yet. */
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
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/health')
      return send(response, 200, { status: 'ok', running: this.#slots.running, waiting: this.#slots.waiting });
    this.#authorise(request);
    if (path === '/v1/models')
      return this.#only('GET', request, () => send(response, 200, { object: 'list', data: [this.#model] }));
    if (path === `/v1/models/${encodeURIComponent(this.options.name)}`)
      return this.#only('GET', request, () => send(response, 200, this.#model));
    if (path === '/v1/chat/completions')
      return this.#only('POST', request, () => this.#complete('chat', request, response));
    if (path === '/v1/completions') return this.#only('POST', request, () => this.#complete('text', request, response));
    throw new RequestError(404, `there is no ${path}`);
  }

  get #model(): object {
    return { id: this.options.name, object: 'model', created: this.#created, owned_by: 'gossamer' };
  }

  #authorise({ headers }: IncomingMessage): void {
    const { apiKey } = this.options;
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`)
      throw new RequestError(401, 'the API key is missing or wrong', null, 'invalid_api_key');
  }

  #only<T>(method: string, request: IncomingMessage, work: () => T): T {
    if (request.method !== method) throw new RequestError(405, `${request.url} takes ${method}`);
    return work();
  }

  async #complete(kind: CompletionRequest['kind'], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wanted = parseRequest(kind, await readJsonBody(request, this.options.bodyLimit ?? 2 ** 20));
    if (wanted.model !== this.options.name)
      throw new RequestError(
        404,
        `the model "${wanted.model}" does not exist; there is "${this.options.name}"`,
        'model',
        'model_not_found',
      );
    const client = new AbortController();
    response.on('close', () => client.abort());
    await this.#slots.run(client.signal, async () => {
      if (client.signal.aborted) return;
      const answer = this.#answer(wanted, client.signal);
      await (wanted.stream ? this.#stream(wanted, answer, response) : this.#whole(wanted, answer, response));
    });
  }

  #answer(wanted: CompletionRequest, signal: AbortSignal): Answer {
    const { model, tokenizer } = this.bundle;
    const limit = Math.min(model.config.context, this.options.context ?? model.config.context);
    const prompt = asClientError(() =>
      wanted.kind === 'chat' ? chatTokens(tokenizer, wanted.messages) : tokenizer.encode(wanted.prompt),
    );
    if (prompt.length === 0)
      throw new RequestError(400, 'the prompt is empty', wanted.kind === 'chat' ? 'messages' : 'prompt');
    if (prompt.length >= limit)
      throw new RequestError(
        400,
        `the prompt has ${prompt.length} tokens, the context is ${limit}`,
        'messages',
        'context_length_exceeded',
      );
    const cache = model.cache({ limit: limit });
    const run = async function* (): AsyncGenerator<string, { reason: FinishReason; usage: Usage }> {
      const text = new TextStream(tokenizer);
      const filter = new StopFilter(wanted.stop);
      const tokens = generate(model, prompt, {
        maxTokens: limit - prompt.length,
        ...wanted.options,
        stopTokens: tokenizer.stopTokens,
        cache,
        signal,
      });
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
          const part = filter.push(text.push(value));
          if (part !== '') yield part;
          if (filter.stopped) break;
        }
        const rest = filter.stopped ? '' : filter.push(text.end()) + filter.end();
        if (rest !== '') yield rest;
      } finally {
        cache.dispose();
      }
      return {
        reason,
        usage: { prompt_tokens: prompt.length, completion_tokens: made, total_tokens: prompt.length + made },
      };
    };
    return { parts: run() };
  }

  #head({ kind, stream }: CompletionRequest) {
    const chat = kind === 'chat';
    return {
      id: `${chat ? 'chatcmpl' : 'cmpl'}-${Date.now().toString(36)}${(this.#next++).toString(36)}`,
      object: chat ? (stream ? 'chat.completion.chunk' : 'chat.completion') : 'text_completion',
      created: Math.floor(Date.now() / 1000),
      model: this.options.name,
    };
  }

  async #whole(wanted: CompletionRequest, { parts }: Answer, response: ServerResponse): Promise<void> {
    let text = '';
    for (;;) {
      const { value, done } = await parts.next();
      if (!done) {
        text += value;
        continue;
      }
      const content = wanted.kind === 'chat' ? { message: { role: 'assistant', content: text } } : { text };
      const choice = { index: 0, ...content, logprobs: null, finish_reason: value.reason };
      return send(response, 200, { ...this.#head(wanted), choices: [choice], usage: value.usage });
    }
  }

  /** Server-sent events; a client that reads slowly slows its answer down. */
  async #stream(wanted: CompletionRequest, { parts }: Answer, response: ServerResponse): Promise<void> {
    const head = this.#head(wanted);
    const chat = wanted.kind === 'chat';
    const write = async (choices: readonly object[], more: object = {}) => {
      if (response.destroyed) return;
      const room = response.write(`data: ${JSON.stringify({ ...head, choices, ...more })}\n\n`);
      if (!room)
        await new Promise<void>((resolve) => {
          response.once('drain', resolve);
          response.once('close', resolve);
        });
    };
    const choice = (part: string | undefined, reason: string | null, role?: string) => ({
      index: 0,
      ...(chat
        ? { delta: { ...(role && { role }), ...(part !== undefined && { content: part }) } }
        : { text: part ?? '' }),
      logprobs: null,
      finish_reason: reason,
    });
    // The first part is made before the head is sent, so that what is wrong with a request still has its status.
    let next = await parts.next();
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      Connection: 'keep-alive',
    });
    if (chat) await write([choice('', null, 'assistant')]);
    while (!next.done) {
      await write([choice(next.value, null)]);
      next = await parts.next();
    }
    await write([choice(undefined, next.value.reason)]);
    if (wanted.includeUsage) await write([], { usage: next.value.usage });
    response.end('data: [DONE]\n\n');
  }
}

/** What the tokenizer cannot take is the client's fault. */
function asClientError<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new RequestError(400, (error as Error).message);
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

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
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
  // What is left of the request is not read.
  if (known.status === 413) response.setHeader('Connection', 'close');
  send(response, known.status, known.body);
}
