// An HTTP server around some endpoints: who is let in, how long clients may take, and how it ends.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Access, type AccessOptions } from './access.js';
import { Connections } from './connections.js';
import { RequestError, shuttingDown } from './errors.js';
import { fail } from './respond.js';

/** Bytes of the headers of a request. */
const HEADER_BYTES = 16_384;
const HEADER_COUNT = 100;
const WRITE_TIMEOUT = 30_000;

/** Options of `GuardedServer`. */
export interface GuardOptions extends AccessOptions {
  /**
   * Most connections. For one more, the connection that has gone longest without a whole request is
   * closed. Default: 512.
   */
  readonly maxConnections?: number;
  /** Milliseconds for the headers of a request. Default: 10,000. */
  readonly headersTimeout?: number;
  /** Milliseconds for a whole request with its body. Default: 30,000. */
  readonly requestTimeout?: number;
  /** Milliseconds that a client may read nothing of its response. Default: 30,000. */
  readonly writeTimeout?: number;
  /** Called with a line of log after each response: method, URL, status, milliseconds. */
  readonly onRequest?: (line: string) => void;
}

/** Answers one request. The signal aborts when the client leaves or the server shuts down. */
export type Respond = (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => void | Promise<void>;

/** An endpoint. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly respond: Respond;
}

/** The endpoints of a server. */
export interface Endpoints {
  /** The endpoint of a path. @throws RequestError 404 when there is none. */
  at(path: string): Route;
}

/** An HTTP server around some endpoints. */
export class GuardedServer {
  readonly #routes: Endpoints;
  readonly #access: Access;
  readonly #timeout: number;
  /** Requests without a whole response, each with what cancels it. */
  readonly #running = new Map<AbortController, Promise<void>>();
  #isClosing = false;
  #server: Server | undefined;

  /**
   * @param routes makes the endpoints, which are told the time that clients have for reading
   * @throws Error when the API key is empty or an origin of `cors` is none.
   */
  constructor(
    routes: (writeTimeout: number) => Endpoints,
    readonly options: GuardOptions,
  ) {
    this.#timeout = options.writeTimeout ?? WRITE_TIMEOUT;
    this.#access = new Access(options);
    this.#routes = routes(this.#timeout);
  }

  /** The HTTP server, not listening yet. */
  create(): Server {
    const { maxConnections = 512, headersTimeout = 10_000, requestTimeout = 30_000 } = this.options;
    const connections = new Connections(maxConnections);
    const server = createServer(
      {
        ...{ headersTimeout, requestTimeout, maxHeaderSize: HEADER_BYTES },
        connectionsCheckingInterval: Math.min(1000, headersTimeout),
      },
      (request, response) => {
        void connections.serve(request, () => this.#tracked(request, response));
      },
    );
    server.maxHeadersCount = HEADER_COUNT + 1;
    connections.watch(server);
    this.#server = server;
    return server;
  }

  /**
   * Stops listening and lets running answers end for `grace` milliseconds. Those that have not
   * ended then get an error: a 503, or an event of their stream with "[DONE]" after it.
   */
  async close(grace = 10_000): Promise<void> {
    this.#isClosing = true;
    this.#server?.close();
    const timer = setTimeout(() => {
      for (const request of this.#running.keys()) request.abort(shuttingDown());
    }, grace);
    while (this.#running.size > 0) await Promise.all(this.#running.values());
    clearTimeout(timer);
    this.#server?.closeAllConnections();
  }

  async #tracked(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const ended = new AbortController();
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    const answered = this.#answer(request, response, ended.signal)
      .catch((error: unknown) => fail(response, error, this.#timeout))
      .then(() => closed);
    this.#running.set(ended, answered);
    await closed;
    ended.abort();
    const milliseconds = (performance.now() - started).toFixed(0);
    const url = (request.url ?? '').slice(0, 200);
    this.options.onRequest?.(`${request.method} ${url} ${response.statusCode} ${milliseconds} ms`);
    await answered;
    this.#running.delete(ended);
  }

  async #answer(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { method = 'GET' } = request;
    requireHeaders(request);
    const { path, host } = targetOf(request);
    this.#access.requireOrigin(request, response, host);
    if (this.#isClosing) throw shuttingDown();
    if (method === 'OPTIONS') return this.#options(request, response, path);
    if (path !== '/health') this.#access.requireKey(request, response);
    const route = this.#routes.at(path);
    const methods = route.method === 'GET' ? ['GET', 'HEAD'] : ['POST'];
    if (!methods.includes(method)) {
      response.setHeader('Allow', methods.join(', '));
      throw new RequestError(405, `${path} takes ${methods.join(' and ')}`);
    }
    await route.respond(request, response, signal);
  }

  #options(request: IncomingMessage, response: ServerResponse, path: string): void {
    const methods = path === '*' || this.#routes.at(path).method === 'GET' ? 'GET, HEAD' : 'POST';
    response.setHeader('Allow', `${methods}, OPTIONS`);
    this.#access.preflight(request, response, methods);
    response.writeHead(204).end();
  }
}

/**
 * Node leaves out headers beyond the limit, among which an `Origin` could be.
 *
 * @throws RequestError 431 for more headers than the limit, 400 for two hosts (RFC 9112, 3.2).
 */
function requireHeaders({ rawHeaders, headersDistinct }: IncomingMessage): void {
  if (rawHeaders.length > 2 * HEADER_COUNT)
    throw new RequestError(431, `the request has more than ${HEADER_COUNT} headers`);
  if ((headersDistinct.host ?? []).length > 1) throw new RequestError(400, 'the request names two hosts');
}

/** The path of a request, decoded, and the authority that it names. */
function targetOf({ url = '/', headers }: IncomingMessage): { path: string; host: string | undefined } {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  const [path = '/'] = (absolute ? absolute[2] || '/' : url).split('?');
  try {
    return { path: decodeURIComponent(path), host: absolute?.[1] ?? headers.host };
  } catch {
    throw new RequestError(400, `the path "${path.slice(0, 100)}" is not percent-encoded`);
  }
}
