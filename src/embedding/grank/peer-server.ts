// A peer over HTTP, for an application or a browser on the same device:
//
//   GET  /                      the search page
//   GET  /search?q=…&top=10     {"term", "seenBefore", "results":
//                                [{"id", "title", "tags", "score", "matches"}]}
//   POST /click                 {"query", "item"} → the entry
//   GET  /status                {"id", "items", "clicks", "authors", "peers", "addresses"}

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { readBody } from '../../distributed/http/body.js';
import { asClientError, RequestError, wrong } from '../../distributed/http/errors.js';
import { GuardedServer, type GuardOptions, type Route } from '../../distributed/http/guarded-server.js';
import { send, sendText } from '../../distributed/http/respond.js';
import { PAGE_POLICY, searchPage } from './search-page.js';
import type { PeerService } from './service.js';

/** Options of `PeerServer`. */
export interface PeerServerOptions extends GuardOptions {
  /** Addresses at which other peers reach this one, for /status. */
  readonly addresses?: () => readonly string[];
}

const BODY_BYTES = 16_384;
const MOST = 1000;

/** Serves a peer over HTTP. */
export class PeerServer {
  readonly #guarded: GuardedServer;

  /**
   * @param service what is served
   * @param options who is let in, and how long clients may take
   */
  constructor(
    readonly service: PeerService,
    readonly options: PeerServerOptions = {},
  ) {
    this.#guarded = new GuardedServer((timeout) => {
      const routes = this.#routes(timeout);
      return {
        at(path) {
          const route = routes.get(path);
          if (!route) throw new RequestError(404, `there is no ${path}; there are ${[...routes.keys()].join(', ')}`);
          return route;
        },
      };
    }, options);
  }

  /** The HTTP server, not listening yet. */
  create(): Server {
    return this.#guarded.create();
  }

  /** Stops listening once running answers have ended. */
  close(): Promise<void> {
    return this.#guarded.close(1000);
  }

  #routes(timeout: number): ReadonlyMap<string, Route> {
    const get = (answer: (request: IncomingMessage) => object): Route => ({
      method: 'GET',
      respond: (request, response) => send(response, 200, answer(request), timeout),
    });
    return new Map<string, Route>([
      ['/', { method: 'GET', respond: (_, response) => page(response, timeout) }],
      ['/search', get((request) => this.#search(request))],
      ['/status', get(() => this.#status())],
      ['/health', get(() => ({ status: 'ok' }))],
      [
        '/click',
        {
          method: 'POST',
          respond: async (request, response) => send(response, 200, await this.#click(request), timeout),
        },
      ],
    ]);
  }

  #search({ url = '' }: IncomingMessage): object {
    const parameters = new URLSearchParams(url.slice(url.indexOf('?') + 1));
    const query = parameters.get('q') ?? wrong('q', 'a query, as in /search?q=ambient');
    const top = Number(parameters.get('top') ?? 10);
    if (!(Number.isInteger(top) && top >= 1 && top <= MOST)) wrong('top', `an integer from 1 to ${MOST}`);
    const { term, seenBefore, shown } = this.service.search(query);
    return { term, seenBefore, results: shown.slice(0, top) };
  }

  async #click(request: IncomingMessage): Promise<object> {
    const body = await readBody(request, BODY_BYTES);
    const asked = asClientError(() => JSON.parse(body.toString('utf8')) as unknown);
    if (typeof asked !== 'object' || asked === null) throw new RequestError(400, 'the body must be {"query", "item"}');
    const { query, item } = asked as Readonly<Record<string, unknown>>;
    if (typeof query !== 'string') wrong('query', 'a text');
    if (typeof item !== 'string') wrong('item', 'the identifier of an item');
    try {
      return await this.service.click(query, item);
    } catch (error) {
      throw new RequestError(400, (error as Error).message);
    }
  }

  #status(): object {
    const { peer } = this.service.options;
    return {
      id: peer.id,
      items: peer.library.size,
      clicks: peer.log.size,
      authors: [...peer.log.authors].length,
      peers: peer.known.length,
      addresses: this.options.addresses?.() ?? [],
    };
  }
}

function page(response: ServerResponse, timeout: number): void {
  response.setHeader('Content-Security-Policy', PAGE_POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  sendText(response, 200, searchPage, 'text/html', timeout);
}
