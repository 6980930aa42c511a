// A federation over HTTP, the server's side. Clients ask for work, so that they need no address:
//
//   GET  /federation            what is learnt: columns, classes, statistics
//   POST /join                  {"name": …} → {"token": …}; a name that is known needs its token
//   POST /work                  the next message; 204 where there is none yet, 410 at the end
//   POST /answer/<task>         the answer, a message
//   POST /failed/<task>         {"error": …}: the client could not follow
//   POST /alive                 still working
//
// All but /join carry "X-Client: <name>" and "X-Token: <token>". What a client sends is bounded in
// size and time, and read as a message by the federation, which refuses what it cannot use.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { readBody } from '../../distributed/http/body.js';
import { RequestError } from '../../distributed/http/errors.js';
import { GuardedServer, type GuardOptions, type Route } from '../../distributed/http/guarded-server.js';
import { send } from '../../distributed/http/respond.js';
import type { Channel } from './channel.js';

/** Options of `FederationServer`. */
export interface FederationServerOptions extends GuardOptions {
  /** Most clients that may join. */
  readonly clients: number;
  /** What clients are told before they join, as JSON. */
  readonly description: object;
  /** Largest answer in bytes. */
  readonly answerLimit: number;
  /** Milliseconds without a word after which a client counts as gone. Default: 30,000. */
  readonly silence?: number;
  /** Milliseconds that a request for work waits. Default: 20,000. */
  readonly wait?: number;
  /** Tokens by name of clients of an earlier run, who may come back. Default: none. */
  readonly members?: Readonly<Record<string, string>>;
  /** Called when a client has joined, or has come back. */
  readonly onJoin?: (channel: Channel) => void;
  /** Called when a client has gone. */
  readonly onLeave?: (client: string, reason: string) => void;
}

interface Task {
  readonly id: string;
  readonly message: Uint8Array;
  resolve(answer: Uint8Array): void;
  reject(error: Error): void;
}

interface Member {
  readonly name: string;
  readonly token: Buffer;
  heard: number;
  present: boolean;
  /** The one question that it has, handed out or not. */
  task: Task | undefined;
  isHandedOut: boolean;
  /** Wakes a waiting request for work. */
  wake: (() => void) | undefined;
}

/** Bytes of a request that is no answer. */
const SMALL = 4096;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;

/** The HTTP server of a federation. */
export class FederationServer {
  readonly #members = new Map<string, Member>();
  readonly #guarded: GuardedServer;
  readonly #silence: number;
  readonly #wait: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #writeTimeout = 30_000;
  #hasEnded = false;
  #isPaused = false;

  constructor(readonly options: FederationServerOptions) {
    const { silence = 30_000, wait = 20_000 } = options;
    this.#silence = silence;
    this.#wait = wait;
    this.#guarded = new GuardedServer((writeTimeout) => {
      this.#writeTimeout = writeTimeout;
      return { at: (path) => this.#route(path) };
    }, options);
    this.#timer = setInterval(() => this.#check(), Math.max(20, Math.min(1000, silence / 4)));
    this.#timer.unref?.();
    for (const [name, token] of Object.entries(options.members ?? {}))
      this.#members.set(name, { ...freshMember(name, Buffer.from(token)), present: false });
  }

  /** Tokens by name, with which clients come back, also to a later run: keep them secret. */
  get members(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#members].map(([name, { token }]) => [name, token.toString()]));
  }

  /** The HTTP server, not listening yet. */
  create(): Server {
    return this.#guarded.create();
  }

  /**
   * Stops without an end of the federation: clients try again for a while, and find a server that
   * goes on with their `members`.
   */
  async pause(): Promise<void> {
    clearInterval(this.#timer);
    this.#isPaused = true;
    for (const member of this.#members.values()) {
      member.task?.reject(new Error('the server pauses'));
      member.wake?.();
    }
    await this.#guarded.close(0);
  }

  /** Tells all clients that the federation has ended, and stops. @param grace milliseconds */
  async close(grace = 5000): Promise<void> {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    for (const member of this.#members.values()) {
      member.task?.reject(new Error('the federation has ended'));
      member.wake?.();
    }
    // Clients that are between two requests learn of the end by their next one.
    const until = Date.now() + grace;
    const told = () => [...this.#members.values()].every(({ present }) => !present);
    while (!told() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    await this.#guarded.close(0);
  }

  #route(path: string): Route {
    const [, name = '', task] = path.split('/');
    const post = (
      respond: (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => Promise<void>,
    ) => ({ method: 'POST', respond }) as const;
    const routes: Readonly<Record<string, Route>> = {
      health: { method: 'GET', respond: (_, response) => this.#json(response, { status: 'ok' }) },
      federation: { method: 'GET', respond: (_, response) => this.#json(response, this.options.description) },
      join: post((request, response) => this.#join(request, response)),
      work: post((request, response, signal) => this.#work(request, response, signal)),
      alive: post(async (request, response) => {
        await readBody(request, SMALL);
        this.#memberOf(request);
        empty(response, 204);
      }),
      answer: post((request, response) => this.#answer(request, response, task)),
      failed: post((request, response) => this.#failed(request, response, task)),
    };
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (!route) throw new RequestError(404, `there is no ${path.slice(0, 100)}`);
    return route;
  }

  #json(response: ServerResponse, body: object): void {
    send(response, 200, body, this.#writeTimeout);
  }

  async #join(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { name, token } = parsed(await readBody(request, SMALL));
    if (this.#hasEnded) throw new RequestError(410, 'the federation has ended');
    if (typeof name !== 'string' || !NAME.test(name))
      throw new RequestError(400, '"name" must have 1 to 64 letters, digits, spaces, dots, hyphens or underscores');
    const known = this.#members.get(name);
    if (known) {
      if (typeof token !== 'string' || !equal(Buffer.from(token), known.token))
        throw new RequestError(409, `there is a client "${name}" already; choose another name, or give its token`);
      known.task?.reject(new Error(`client "${name}" has started again`));
    } else if (this.#members.size >= this.options.clients)
      throw new RequestError(403, `the federation has its ${this.options.clients} clients`);
    const member = freshMember(name, known?.token ?? Buffer.from(randomBytes(24).toString('hex')));
    this.#members.set(name, member);
    this.#json(response, { token: member.token.toString() });
    this.options.onJoin?.({ name, request: (message) => this.#ask(member, message) });
  }

  /** The member that a request names. @throws RequestError 401 for a wrong token */
  #memberOf({ headers }: IncomingMessage): Member {
    const [name, token] = [headers['x-client'], headers['x-token']].map((one) => decoded(one));
    const member = this.#members.get(name ?? '');
    if (!member || token === undefined || !equal(Buffer.from(token), member.token))
      throw new RequestError(401, 'X-Client and X-Token do not name a client that has joined');
    member.heard = Date.now();
    if (this.#hasEnded) {
      member.present = false;
      throw new RequestError(410, 'the federation has ended');
    }
    if (!member.present)
      throw new RequestError(409, `client "${member.name}" counts as gone: join again with the token`);
    return member;
  }

  async #work(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    await readBody(request, SMALL);
    const member = this.#memberOf(request);
    if (!member.task || member.isHandedOut) await this.#untilWork(member, signal);
    if (signal.aborted) return;
    member.heard = Date.now();
    if (this.#hasEnded) {
      member.present = false;
      throw new RequestError(410, 'the federation has ended');
    }
    const { task } = member;
    if (!task || member.isHandedOut) {
      empty(response, 204);
      return;
    }
    member.isHandedOut = true;
    response.writeHead(200, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': task.message.length,
      'X-Task': task.id,
    });
    response.end(task.message);
    response.socket?.setTimeout(this.#writeTimeout);
  }

  #untilWork(member: Member, signal: AbortSignal): Promise<void> {
    member.wake?.();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        if (member.wake === end) member.wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, this.#wait);
      signal.addEventListener('abort', end, { once: true });
      member.wake = end;
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, id: string | undefined): Promise<void> {
    const member = this.#memberOf(request);
    const body = await readBody(request, this.options.answerLimit, () => {
      member.heard = Date.now();
    });
    const task = this.#taken(member, id);
    empty(response, 204);
    task.resolve(Uint8Array.from(body));
  }

  async #failed(request: IncomingMessage, response: ServerResponse, id: string | undefined): Promise<void> {
    const member = this.#memberOf(request);
    const { error } = parsed(await readBody(request, SMALL));
    const task = this.#taken(member, id);
    empty(response, 204);
    task.reject(new Error(`it could not follow: ${String(error).slice(0, 300)}`));
  }

  #taken(member: Member, id: string | undefined): Task {
    const { task } = member;
    if (!task || task.id !== id || !member.isHandedOut)
      throw new RequestError(404, `client "${member.name}" has no such task; it may have been asked again since`);
    member.task = undefined;
    member.isHandedOut = false;
    return task;
  }

  #ask(member: Member, message: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (!member.present || this.#members.get(member.name) !== member || this.#hasEnded || this.#isPaused) {
        reject(new Error(`client "${member.name}" is gone`));
        return;
      }
      member.task = { id: randomBytes(8).toString('hex'), message, resolve, reject };
      member.isHandedOut = false;
      member.wake?.();
    });
  }

  /** Clients that have been silent for too long are gone. */
  #check(): void {
    for (const member of this.#members.values()) {
      if (!member.present || member.wake || Date.now() - member.heard < this.#silence) continue;
      member.present = false;
      const reason = `not heard of for ${(this.#silence / 1000).toFixed(1)} s`;
      member.task?.reject(new Error(reason));
      member.task = undefined;
      this.options.onLeave?.(member.name, reason);
    }
  }
}

const freshMember = (name: string, token: Buffer): Member => ({
  ...{ name, token, heard: Date.now(), present: true },
  ...{ task: undefined, isHandedOut: false, wake: undefined },
});

function empty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0 }).end();
}

/** Names in headers are percent-encoded, so that they may hold any letter. */
function decoded(header: string | string[] | undefined): string | undefined {
  try {
    return typeof header === 'string' ? decodeURIComponent(header) : undefined;
  } catch {
    return undefined;
  }
}

const equal = (a: Buffer, b: Buffer) => a.length === b.length && timingSafeEqual(a, b);

/** @throws RequestError 400 when the bytes are no JSON object */
function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  throw new RequestError(400, 'the body must be a JSON object');
}
