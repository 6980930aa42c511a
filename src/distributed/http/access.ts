// Who may ask. A server on the loopback address can be reached by every page that the user's
// browser shows: by DNS rebinding under a name of the page's own (refused by `Host`), or by
// requests from its origin to ours (refused by `Origin` and `Sec-Fetch-Site`: RFC 6454, Fetch
// metadata).

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestError } from './errors.js';

/** Options of `Access`. */
export interface AccessOptions {
  /** Names that `Host` may give beside the loopback ones and the address that is connected to. */
  readonly allowedHosts?: readonly string[];
  /** Origins whose pages may ask, as "https://example.org"; "*" for all. Default: none. */
  readonly cors?: readonly string[];
  /** Bearer token that requests must carry. Default: none. */
  readonly apiKey?: string;
}

const LOOPBACK = /^(localhost|(.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Decides whether a request is let in. */
export class Access {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #key: Buffer | undefined;

  /** @throws Error when an origin is none, or the API key is empty. */
  constructor({ allowedHosts = [], cors = [], apiKey }: AccessOptions) {
    if (apiKey === '') throw new Error('the API key is empty: leave it out, or give one');
    for (const origin of cors)
      if (origin !== '*' && originOf(origin) !== origin)
        throw new Error(`"${origin}" is no origin: expected "*", or scheme and host as https://example.org`);
    this.#hosts = new Set(allowedHosts.map((host) => host.toLowerCase()));
    this.#origins = new Set(cors);
    this.#key = apiKey === undefined ? undefined : digest(apiKey);
  }

  /**
   * Checks the host and the origin, and sets the CORS headers of the response.
   *
   * @param host the authority that the request names
   * @throws RequestError 403 for other hosts and for origins that are not allowed.
   */
  requireOrigin({ headers, socket }: IncomingMessage, response: ServerResponse, host: string | undefined): void {
    const name = hostName(host ?? '');
    const { localAddress = '' } = socket;
    // On an address that is no name nobody can rebind anything.
    const own = localAddress.replace(/^::ffff:/, '');
    const isOwn = name === own || name === `[${own}]`;
    if (name === undefined || !(LOOPBACK.test(name) || isOwn || this.#hosts.has(name)))
      throw new RequestError(
        403,
        `requests for the host "${brief(host)}" are not allowed; name it with --allowed-hosts`,
      );
    if (this.#origins.size > 0) response.setHeader('Vary', 'Origin');
    const { origin, 'sec-fetch-site': site = 'none' } = headers;
    const everyone = this.#origins.has('*');
    if (origin !== undefined && (everyone || this.#origins.has(origin))) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
      return;
    }
    if (origin !== undefined && !(originOf(origin) === origin && new URL(origin).host === host?.toLowerCase()))
      throw new RequestError(403, `requests from the origin "${brief(origin)}" are not allowed; allow it with --cors`);
    if (!everyone && site !== 'none' && site !== 'same-origin')
      throw new RequestError(403, `requests from other sites (Sec-Fetch-Site: ${brief(site)}) are not allowed`);
  }

  /** The headers that answer a preflight request of an allowed origin. */
  preflight({ headers }: IncomingMessage, response: ServerResponse, methods: string): void {
    if (headers['access-control-request-method'] === undefined || !response.hasHeader('Access-Control-Allow-Origin'))
      return;
    response.setHeader('Access-Control-Allow-Methods', methods);
    const asked = headers['access-control-request-headers'];
    if (asked !== undefined) response.setHeader('Access-Control-Allow-Headers', asked);
    if (headers['access-control-request-private-network'] === 'true')
      response.setHeader('Access-Control-Allow-Private-Network', 'true');
    response.setHeader('Access-Control-Max-Age', '600');
  }

  /** @throws RequestError 401 unless the request carries the API key. */
  requireKey({ headers }: IncomingMessage, response: ServerResponse): void {
    if (this.#key === undefined) return;
    const [, given] = /^bearer +(.*)$/i.exec(headers.authorization ?? '') ?? [];
    if (given !== undefined && timingSafeEqual(digest(given.trim()), this.#key)) return;
    response.setHeader('WWW-Authenticate', 'Bearer');
    throw new RequestError(401, 'the API key is missing or wrong', null, 'invalid_api_key');
  }
}

/** Digests have the same length, so that comparing them takes the same time for every key. */
const digest = (text: string) => createHash('sha256').update(text).digest();

const brief = (text = '') => text.slice(0, 100);

/** The name in "name:port", in lower case and without a dot at the end. */
function hostName(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:/@?#\s]+?)\.?(:\d*)?$/i.exec(host)?.[1]?.toLowerCase();
}

function originOf(text: string): string | undefined {
  try {
    return new URL(text).origin;
  } catch {
    return undefined;
  }
}
