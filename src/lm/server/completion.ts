// A completion in OpenAI's response format: whole, or as server-sent events.

import type { ServerResponse } from 'node:http';
import { shuttingDown } from '../../distributed/http/errors.js';
import { finish, write } from '../../distributed/http/respond.js';
import type { Answer, AnswerPart, CallDelta, TokenReport, Usage } from './answers.js';
import type { CompletionRequest } from './requests.js';

let count = 0;

/** Formats the answers to one request: one choice for each prompt, made one after another. */
export class Completion {
  readonly #head: object;
  readonly #chat: boolean;
  readonly #reported: boolean;

  constructor(
    model: string,
    readonly wanted: CompletionRequest,
  ) {
    this.#chat = wanted.kind === 'chat';
    this.#reported = wanted.logprobs !== undefined;
    this.#head = {
      id: `${this.#chat ? 'chatcmpl' : 'cmpl'}-${Date.now().toString(36)}${(count++).toString(36)}`,
      object: this.#chat ? (wanted.stream ? 'chat.completion.chunk' : 'chat.completion') : 'text_completion',
      created: Math.floor(Date.now() / 1000),
      model,
    };
  }

  /** Chat completions list objects by token; text completions have one array for each property. */
  #logprobs(tokens: readonly TokenReport[]): object | null {
    if (!this.#reported) return null;
    if (this.#chat) return { content: tokens };
    return {
      tokens: tokens.map(({ token }) => token),
      token_logprobs: tokens.map(({ logprob }) => logprob),
      top_logprobs: tokens.map(({ top_logprobs: top }) =>
        Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
      ),
    };
  }

  /** @throws RequestError 503 when a shutdown cuts an answer off. */
  async whole(answers: readonly Answer[]): Promise<object> {
    const choices: object[] = [];
    const usages: Usage[] = [];
    for (const [index, answer] of answers.entries()) {
      let text = '';
      const tokens: TokenReport[] = [];
      const calls = new Calls();
      let next = await answer.next();
      for (; !next.done; next = await answer.next()) {
        text += next.value.text;
        tokens.push(...next.value.tokens);
        for (const delta of next.value.calls) calls.add(delta);
      }
      const { reason, usage } = next.value;
      if (reason === 'aborted') throw shuttingDown();
      const content = this.#chat
        ? { message: { role: 'assistant', content: calls.none || text !== '' ? text : null, ...calls.field } }
        : { text };
      choices.push({ index, ...content, logprobs: this.#logprobs(tokens), finish_reason: reason });
      usages.push(usage);
    }
    return { ...this.#head, choices, usage: total(usages) };
  }

  #choice(index: number, part: AnswerPart | undefined, reason: string | null, role?: string): object {
    const text = part?.text;
    const content = this.#chat
      ? { delta: { ...(role && { role }), ...(text !== undefined && { content: text }), ...callsField(part?.calls) } }
      : { text: text ?? '' };
    return { index, ...content, logprobs: part ? this.#logprobs(part.tokens) : null, finish_reason: reason };
  }

  /**
   * Streams server-sent events with backpressure: a slow client slows generation down, and one that
   * reads nothing for `timeout` ms is disconnected.
   *
   * @throws RequestError 503 when a shutdown cuts an answer off.
   */
  async stream(answers: readonly Answer[], response: ServerResponse, timeout: number): Promise<void> {
    const { includeUsage } = this.wanted;
    const event = (choices: readonly object[], usage: Usage | null = null) =>
      `data: ${JSON.stringify({ ...this.#head, choices, ...(includeUsage && { usage }) })}\n\n`;
    const usages: Usage[] = [];
    for (const [index, answer] of answers.entries()) {
      // The first part is generated before the head is sent, so that errors still have their HTTP
      // status.
      let next = await answer.next();
      if (!response.headersSent && !response.destroyed)
        response.writeHead(200, {
          'Content-Type': 'text/event-stream; charset=utf-8',
          'Cache-Control': 'no-cache',
        });
      const choice = (...rest: [AnswerPart | undefined, string | null, string?]) =>
        write(response, event([this.#choice(index, ...rest)]), timeout);
      if (this.#chat) await choice({ text: '', tokens: [], calls: [] }, null, 'assistant');
      for (; !next.done; next = await answer.next()) await choice(next.value, null);
      const { reason, usage } = next.value;
      if (reason === 'aborted') throw shuttingDown();
      await choice(undefined, reason);
      usages.push(usage);
    }
    const last = includeUsage ? event([], total(usages)) : '';
    finish(response, `${last}data: [DONE]\n\n`, timeout);
  }
}

/** A call, as OpenAI writes it. */
interface Call {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; arguments: string };
}

/** The calls of a whole answer. */
class Calls {
  readonly #calls: Call[] = [];

  get none(): boolean {
    return this.#calls.length === 0;
  }

  get field(): object {
    return this.none ? {} : { tool_calls: this.#calls };
  }

  add(delta: CallDelta): void {
    if (delta.kind === 'call')
      this.#calls.push({ id: callId(), type: 'function', function: { name: delta.name, arguments: '' } });
    else (this.#calls[delta.index] as Call).function.arguments += delta.text;
  }
}

/** A name that a tool's result gives back. */
const callId = () => `call_${Math.random().toString(36).slice(2, 11).padEnd(9, '0')}`;

/** Calls within a chunk of a stream. */
function callsField(deltas: readonly CallDelta[] = []): object {
  if (deltas.length === 0) return {};
  return {
    tool_calls: deltas.map((delta) =>
      delta.kind === 'call'
        ? { index: delta.index, id: callId(), type: 'function', function: { name: delta.name, arguments: '' } }
        : { index: delta.index, function: { arguments: delta.text } },
    ),
  };
}

/** Token counts of all choices together. */
function total(usages: readonly Usage[]): Usage {
  const sum = (of: (usage: Usage) => number) => usages.reduce((all, usage) => all + of(usage), 0);
  return {
    prompt_tokens: sum((usage) => usage.prompt_tokens),
    completion_tokens: sum((usage) => usage.completion_tokens),
    total_tokens: sum((usage) => usage.total_tokens),
    prompt_tokens_details: { cached_tokens: sum((usage) => usage.prompt_tokens_details.cached_tokens) },
  };
}
