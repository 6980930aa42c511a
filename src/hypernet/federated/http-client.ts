// A federation over HTTP, a client's side; by `fetch`, so in Node and in a page. See
// http-server.ts for what passes.

import { pause } from '../../engine/index.js';
import { answerBytes } from './channel.js';
import type { FederatedClient } from './client.js';

/** Options of `joinFederation` and `describeFederation`. */
export interface JoinOptions {
  /** Key of the federation, where the server asks for one. */
  readonly key?: string | undefined;
  /** Token of an earlier join, to come back under the same name. */
  readonly token?: string;
  /** Ends taking part; the server then counts the client as gone. */
  readonly signal?: AbortSignal;
  /** Milliseconds for which a server that cannot be reached is tried again. Default: 60,000. */
  readonly patience?: number;
  /** Milliseconds between signs of life while it works. Default: 5,000. */
  readonly heartbeat?: number;
  /** Called when it has joined, with the token to come back with. */
  readonly onJoin?: (token: string) => void;
  /** Called after each answer, with its number from 1 and the kind of work's bytes. */
  readonly onAnswer?: (answers: number, bytes: { readonly down: number; readonly up: number }) => void;
}

/** A server's refusal, which trying again does not change. */
export class FederationRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Wait before a server is tried again, in ms. */
const FIRST_WAIT = 200;

class Connection {
  readonly #headers: Record<string, string> = {};

  constructor(
    readonly server: string,
    readonly options: JoinOptions,
  ) {
    if (!/^https?:\/\//.test(server))
      throw new Error(`the server must be an address such as http://127.0.0.1:8090, got "${server}"`);
    if (options.key !== undefined) this.#headers.authorization = `Bearer ${options.key}`;
  }

  named(name: string, token: string): void {
    Object.assign(this.#headers, { 'x-client': encodeURIComponent(name), 'x-token': encodeURIComponent(token) });
  }

  /** @throws FederationRefusal for a refusal, the signal's reason, or what the network says */
  async ask(method: 'GET' | 'POST', path: string, body?: Uint8Array | object): Promise<Response> {
    const { signal, patience = 60_000 } = this.options;
    const isBytes = body instanceof Uint8Array;
    const until = Date.now() + patience;
    for (let wait = FIRST_WAIT; ; wait = Math.min(5000, 2 * wait)) {
      signal?.throwIfAborted();
      try {
        const response = await fetch(new URL(path, this.server), {
          method,
          headers: { ...this.#headers, 'content-type': isBytes ? 'application/octet-stream' : 'application/json' },
          ...(body !== undefined && { body: isBytes ? (body as BodyInit) : JSON.stringify(body) }),
          ...(signal && { signal }),
        });
        if (response.ok) return response;
        const text = await response.text();
        throw new FederationRefusal(response.status, refusalOf(text) ?? `${path}: status ${response.status}`);
      } catch (error) {
        const isBusy = error instanceof FederationRefusal && error.status === 503;
        if (signal?.aborted || (error instanceof FederationRefusal && !isBusy)) throw error;
        if (Date.now() + wait > until)
          throw new Error(`the server at ${this.server} cannot be reached: ${causeOf(error as Error)}`);
        await pause(wait, signal);
      }
    }
  }
}

function refusalOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { readonly error?: { readonly message?: string } }).error?.message;
  } catch {
    return undefined;
  }
}

const causeOf = (error: Error) => (error.cause instanceof Error ? error.cause.message : error.message);

/**
 * What a federation learns, as its server tells.
 *
 * @throws Error when the server cannot be reached; FederationRefusal when it refuses
 */
export async function describeFederation(
  server: string,
  options: JoinOptions = {},
): Promise<Readonly<Record<string, unknown>>> {
  const response = await new Connection(server, options).ask('GET', '/federation');
  return (await response.json()) as Record<string, unknown>;
}

/**
 * Takes part in a federation until its server ends it.
 *
 * @returns number of answers given
 * @throws FederationRefusal when the server refuses, such as a name that is taken; Error when it
 * cannot be reached any more
 */
export async function joinFederation(
  server: string,
  client: Pick<FederatedClient, 'name' | 'handle'>,
  options: JoinOptions = {},
): Promise<number> {
  const { heartbeat = 5000, onJoin, onAnswer } = options;
  const connection = new Connection(server, options);
  const join = async (known: string | undefined) => {
    const response = await connection.ask('POST', '/join', { name: client.name, ...(known && { token: known }) });
    const { token } = (await response.json()) as { readonly token: string };
    connection.named(client.name, token);
    onJoin?.(token);
    return token;
  };
  let token = await join(options.token);
  let answers = 0;
  for (;;) {
    try {
      const response = await connection.ask('POST', '/work', {});
      if (response.status === 204) continue;
      const task = response.headers.get('x-task') ?? '';
      const message = new Uint8Array(await response.arrayBuffer());
      const timer = setInterval(() => void connection.ask('POST', '/alive', {}).catch(() => undefined), heartbeat);
      try {
        const answer = await answerBytes(client, message).catch((error: Error) => error);
        if (answer instanceof Error) await connection.ask('POST', `/failed/${task}`, { error: answer.message });
        else {
          await connection.ask('POST', `/answer/${task}`, answer);
          answers += 1;
          onAnswer?.(answers, { down: message.length, up: answer.length });
        }
      } finally {
        clearInterval(timer);
      }
    } catch (error) {
      if (!(error instanceof FederationRefusal)) throw error;
      if (error.status === 410) return answers;
      // Counted as gone meanwhile, or asked again: it comes back.
      if (error.status === 409) token = await join(token);
      else if (error.status !== 404) throw error;
    }
  }
}
