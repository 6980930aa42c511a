// A completion in OpenAI's response format: whole, or as server-sent events.

import type { ServerResponse } from 'node:http';
import type { Answer, AnswerPart, TokenReport } from './answers.js';
import type { CompletionRequest } from './requests.js';

let count = 0;

/** Formats one completion. */
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

  async whole(answer: Answer): Promise<object> {
    let text = '';
    const tokens: TokenReport[] = [];
    for (;;) {
      const { value, done } = await answer.next();
      if (!done) {
        text += value.text;
        tokens.push(...value.tokens);
        continue;
      }
      const content = this.#chat ? { message: { role: 'assistant', content: text } } : { text };
      const choice = { index: 0, ...content, logprobs: this.#logprobs(tokens), finish_reason: value.reason };
      return { ...this.#head, choices: [choice], usage: value.usage };
    }
  }

  #choice(part: AnswerPart | undefined, reason: string | null, role?: string): object {
    const text = part?.text;
    const content = this.#chat
      ? { delta: { ...(role && { role }), ...(text !== undefined && { content: text }) } }
      : { text: text ?? '' };
    return { index: 0, ...content, logprobs: part ? this.#logprobs(part.tokens) : null, finish_reason: reason };
  }

  /** Streams server-sent events with backpressure: a slow client slows generation down. */
  async stream(answer: Answer, response: ServerResponse): Promise<void> {
    const write = async (choices: readonly object[], more: object = {}) => {
      if (response.destroyed) return;
      const room = response.write(`data: ${JSON.stringify({ ...this.#head, choices, ...more })}\n\n`);
      if (!room)
        await new Promise<void>((resolve) => {
          response.once('drain', resolve);
          response.once('close', resolve);
        });
    };
    // The first part is generated before the head is sent, so that errors still have their HTTP
    // status.
    let next = await answer.next();
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      Connection: 'keep-alive',
    });
    if (this.#chat) await write([this.#choice({ text: '', tokens: [] }, null, 'assistant')]);
    while (!next.done) {
      await write([this.#choice(next.value, null)]);
      next = await answer.next();
    }
    await write([this.#choice(undefined, next.value.reason)]);
    if (this.wanted.includeUsage) await write([], { usage: next.value.usage });
    response.end('data: [DONE]\n\n');
  }
}
