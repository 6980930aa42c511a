// The endpoints: OpenAI's (models, chat/completions, completions, embeddings), those of llama.cpp's
// server around them, and Prometheus metrics.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { asClientError, RequestError } from '../../distributed/http/errors.js';
import type { Endpoints, Route } from '../../distributed/http/guarded-server.js';
import { send, sendText } from '../../distributed/http/respond.js';
import type { LanguageBundle } from '../assemble.js';
import { chatText } from '../chat.js';
import type { StoreStatistics } from '../runtime/store.js';
import { Answers } from './answers.js';
import { readFields, requireJson } from './body.js';
import { Completion } from './completion.js';
import { type Fields, inputsIn, isText, requireKnown, textIn, tokensIn } from './fields.js';
import { messagesOf } from './messages.js';
import type { ServerOptions } from './options.js';
import { parseRequest } from './requests.js';
import { Slots } from './slots.js';
import { Turns } from './turns.js';

const EMBEDDING_FIELDS = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user']);

type Metric = readonly [name: string, kind: string, about: string, value: number];

/** Counters of weights that are read from files. */
function weightMetrics(statistics: StoreStatistics | undefined): Metric[] {
  if (!statistics) return [];
  const { hits, misses, bytesRead, waitSeconds } = statistics;
  return [
    ['expert_matrices_in_memory_total', 'counter', 'Chosen matrices of experts that were in memory.', hits],
    ['expert_matrices_read_total', 'counter', 'Chosen matrices of experts that had to be read.', misses],
    ['weight_bytes_read_total', 'counter', 'Bytes of weights read from files.', bytesRead],
    ['weight_wait_seconds_total', 'counter', 'Seconds that passes waited for weights.', waitSeconds],
  ];
}

/** The endpoints of a server for one language model. */
export class Routes implements Endpoints {
  readonly #turns = new Turns();
  readonly #slots: Slots;
  /** Tokenisation beside completions. */
  readonly #readers: Slots;
  readonly #answers: Answers;
  readonly #created = Math.floor(Date.now() / 1000);
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(
    readonly bundle: LanguageBundle,
    readonly options: ServerOptions & { readonly writeTimeout: number },
  ) {
    const { parallel = 4, queue = 64, context, cacheFormat, name } = options;
    this.#slots = new Slots(parallel, queue);
    this.#readers = new Slots(parallel, queue);
    this.#answers = new Answers(bundle, { context, parallel, cacheFormat, turn: this.#turns.next });
    const get = (value: () => object | string): Route => ({
      method: 'GET',
      respond: (_, response) => this.#send(response, value()),
    });
    const post = (
      respond: (fields: Fields, response: ServerResponse, signal: AbortSignal) => Promise<void>,
    ): Route => ({
      method: 'POST',
      respond: async (request, response, signal) => respond(await this.#fields(request), response, signal),
    });
    this.#routes = new Map([
      ['/health', get(() => ({ status: 'ok', ...this.#state }))],
      ['/v1/models', get(() => ({ object: 'list', data: [this.#model] }))],
      [`/v1/models/${name}`, get(() => this.#model)],
      ['/v1/chat/completions', post((...all) => this.#complete('chat', ...all))],
      ['/v1/completions', post((...all) => this.#complete('text', ...all))],
      ['/v1/embeddings', post((...all) => this.#embed(...all))],
      ['/tokenize', post((...all) => this.#tokenize(...all))],
      ['/detokenize', post(async (fields, response) => this.#detokenize(fields, response))],
      ['/apply-template', post((...all) => this.#applyTemplate(...all))],
      ['/props', get(() => this.#properties)],
      ['/slots', get(() => this.#state)],
      ['/metrics', get(() => this.#metrics)],
    ]);
  }

  /** The endpoint of a path. @throws RequestError 404 when there is none. */
  at(path: string): Route {
    const route = this.#routes.get(path);
    if (!route) throw new RequestError(404, `there is no ${path.slice(0, 100)}`);
    return route;
  }

  #send(response: ServerResponse, body: object | string): void {
    send(response, 200, body, this.options.writeTimeout);
  }

  get #state() {
    return { running: this.#slots.running, waiting: this.#slots.waiting };
  }

  get #model(): object {
    return { id: this.options.name, object: 'model', created: this.#created, owned_by: 'gossamer' };
  }

  get #template(): string {
    return this.bundle.tokenizer.chatTemplate ?? '';
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
    const lines: Metric[] = [
      ['requests_total', 'counter', 'Completions that ended.', requests],
      ['prompt_tokens_total', 'counter', 'Tokens of prompts that were read.', promptTokens],
      ['prompt_tokens_cached_total', 'counter', 'Tokens of prompts that were known from before.', cachedTokens],
      ['answer_tokens_total', 'counter', 'Tokens that were made.', answerTokens],
      ['requests_running', 'gauge', 'Answers that are being made.', this.#slots.running],
      ['requests_waiting', 'gauge', 'Requests that wait for their turn.', this.#slots.waiting],
      ...weightMetrics(this.bundle.store?.statistics),
    ];
    return lines
      .map(([name, kind, about, value]) => {
        const full = `gossamer_${name}`;
        return `# HELP ${full} ${about}\n# TYPE ${full} ${kind}\n${full} ${value}\n`;
      })
      .join('');
  }

  #fields(request: IncomingMessage): Promise<Fields> {
    requireJson(request.headers);
    return readFields(request, this.options.bodyLimit ?? 2 ** 20, this.#turns.next);
  }

  #requireModel({ model }: Fields): void {
    if (model === this.options.name) return;
    const given = isText(model) ? model.slice(0, 100) : '';
    throw new RequestError(
      404,
      `the model "${given}" does not exist; there is "${this.options.name}"`,
      'model',
      'model_not_found',
    );
  }

  async #complete(kind: 'chat' | 'text', fields: Fields, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const facts = { vocabulary: this.bundle.model.config.vocabulary, template: this.#template };
    const wanted = parseRequest(kind, fields, facts);
    this.#requireModel(fields);
    await this.#slots.run(signal, async () => {
      const prompts = await this.#answers.prompts(wanted, signal);
      const answers = prompts.map((prompt) => this.#answers.answer(wanted, prompt, signal));
      const completion = new Completion(this.options.name, wanted);
      if (wanted.stream) await completion.stream(answers, response, this.options.writeTimeout);
      else this.#send(response, await completion.whole(answers));
    });
  }

  async #embed(fields: Fields, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { vocabulary, features } = this.bundle.model.config;
    this.#requireModel(fields);
    requireKnown(fields, EMBEDDING_FIELDS);
    const { encoding_format: format = 'float', dimensions = features } = fields;
    if (format !== 'float' && format !== 'base64')
      throw new RequestError(400, '"encoding_format" must be "float" or "base64"', 'encoding_format');
    if (dimensions !== features)
      throw new RequestError(400, `"dimensions" is not supported: embeddings have ${features}`, 'dimensions');
    const inputs = inputsIn(fields, 'input', vocabulary);
    await this.#slots.run(signal, async () => {
      let total = 0;
      // Each vector is formatted when it is made: all of them together would take too long.
      const data: string[] = [];
      for (const [index, input] of inputs.entries()) {
        const param = inputs.length === 1 ? 'input' : `input[${index}]`;
        const { values, tokens } = await this.#answers.embedding(input, param, signal);
        total += tokens;
        const embedding = format === 'base64' ? Buffer.from(values.buffer).toString('base64') : Array.from(values);
        data.push(JSON.stringify({ object: 'embedding', index, embedding }));
      }
      const usage = { prompt_tokens: total, total_tokens: total };
      const rest = JSON.stringify({ object: 'list', model: this.options.name, usage }).slice(1);
      sendText(response, 200, `{"data":[${data.join(',')}],${rest}`, 'application/json', this.options.writeTimeout);
    });
  }

  async #tokenize(fields: Fields, response: ServerResponse, signal: AbortSignal): Promise<void> {
    requireKnown(fields, new Set(['content']));
    const content = textIn(fields, 'content');
    await this.#readers.run(signal, async () => {
      const tokens = await this.#answers.encoded(content, signal, { special: false });
      this.#send(response, { tokens });
    });
  }

  #detokenize(fields: Fields, response: ServerResponse): void {
    requireKnown(fields, new Set(['tokens']));
    const { tokenizer } = this.bundle;
    const tokens = tokensIn(fields, 'tokens', tokenizer.size);
    if (tokens.length > this.#answers.limit)
      throw new RequestError(400, `"tokens" must have at most ${this.#answers.limit}, the context`, 'tokens');
    this.#send(response, { content: tokenizer.decode(tokens) });
  }

  async #applyTemplate(fields: Fields, response: ServerResponse, signal: AbortSignal): Promise<void> {
    requireKnown(fields, new Set(['messages', 'model']));
    const messages = messagesOf(fields, this.#template);
    await this.#readers.run(signal, async () => {
      await this.#turns.next();
      this.#send(response, { prompt: asClientError(() => chatText(this.bundle.tokenizer, messages)) });
    });
  }
}
