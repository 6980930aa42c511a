// Requests to a hub: which failures are tried again, and what the others mean.

import { pause } from '../../engine/index.js';

/** How a hub is reached. */
export interface HubAccess {
  /** Address of the hub. Default: https://huggingface.co. */
  readonly endpoint?: string | undefined;
  /** Token of a user, for private and gated models. It is sent to the hub alone. Default: none. */
  readonly token?: string | undefined;
  /** Cancels. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. Default: 30000. */
  readonly patience?: number | undefined;
  /** Attempts in a row without a byte, before it is given up. Default: 5. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt; they double with each one. Default: 500. */
  readonly pause?: number | undefined;
}

/** A failure that the same request may not meet again. */
export class TransientError extends Error {
  /** @param after milliseconds that the server asks to wait */
  constructor(
    message: string,
    readonly after = 0,
  ) {
    super(message);
  }
}

/** The hub cannot be reached, or answers nothing: what the cache holds may do instead. */
export class UnreachableError extends Error {}

/** Most milliseconds that are waited because a server asks for it. */
const LONGEST_WAIT = 300_000;

/** The address of the hub, without a slash at its end. */
export const endpointOf = ({ endpoint = 'https://huggingface.co' }: HubAccess): string => endpoint.replace(/\/+$/, '');

/**
 * One request. `fetch` follows redirects, to a content network too, where it drops the token since
 * the origin is another.
 *
 * @throws TransientError where another attempt may succeed, an Error that says what to do
 * otherwise.
 */
export async function ask(
  url: string,
  what: string,
  { token, signal, patience = 30_000, ...access }: HubAccess,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), patience);
  const authorization = token === undefined ? undefined : { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(url, {
      headers: { ...authorization, ...headers },
      signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      throw failureOf(response, what, token !== undefined, endpointOf(access));
    }
    return response;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TypeError) throw new TransientError(causeOf(error));
    if (timeout.signal.aborted) throw new TransientError(`no answer in ${patience / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** What lies behind the general error of `fetch`. */
function causeOf({ cause, message }: TypeError): string {
  if (!(cause instanceof Error)) return message;
  return cause.message || ((cause as { code?: string }).code ?? message);
}

function failureOf(response: Response, what: string, hasToken: boolean, endpoint: string): Error {
  const { status, headers } = response;
  const code = headers.get('X-Error-Code');
  // Addresses in a content network are made anew with each request.
  if (new URL(response.url).origin !== new URL(endpoint).origin)
    return new TransientError(`${new URL(response.url).host} answered ${status}`, waitOf(headers));
  const page = `${endpoint}/${what.split(/[ /]/).slice(0, 2).join('/')}`;
  if (status === 429 || status >= 500 || status === 408) {
    const reason = status === 429 ? 'it has had too many requests (429)' : `it answered ${status}`;
    return new TransientError(reason, waitOf(headers));
  }
  if (status === 416) return new TransientError('it does not have the rest that was asked for');
  if (code === 'GatedRepo' || status === 403)
    return new Error(`${what} is gated (${status}): accept its conditions on ${page}, and set HF_TOKEN`);
  if (status === 401)
    return new Error(
      hasToken
        ? `${what}: the hub refuses the token (401); set HF_TOKEN to one that may read it`
        : `${what} does not exist, or is private (401): check the name, or set HF_TOKEN`,
    );
  if (code === 'RevisionNotFound') return new Error(`${what} has no such revision (404)`);
  if (status === 404) return new Error(`${what} does not exist (404); see ${page}`);
  return new Error(`${what} cannot be fetched: the hub answered ${status}`);
}

/** Milliseconds of Retry-After, which gives seconds or a date. */
function waitOf(headers: Headers): number {
  const value = headers.get('Retry-After') ?? '';
  const wait = /^\d+$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return wait > 0 ? Math.min(LONGEST_WAIT, wait) : 0;
}

/**
 * Counts failures in a row, and waits between attempts.
 *
 * @throws UnreachableError when there were too many.
 */
export class Attempts {
  #failed = 0;

  constructor(
    readonly what: string,
    readonly access: HubAccess,
  ) {}

  /** Something arrived: failures count from zero again. */
  progress(): void {
    this.#failed = 0;
  }

  async failed(error: unknown): Promise<void> {
    if (!(error instanceof TransientError)) throw error;
    const { attempts = 5, pause: first = 500, signal } = this.access;
    this.#failed += 1;
    if (this.#failed >= attempts)
      throw new UnreachableError(
        `${this.what} cannot be fetched from ${endpointOf(this.access)}: ${error.message}, ${attempts} times; the same command goes on from here`,
      );
    await pause(Math.max(error.after, first * 2 ** (this.#failed - 1)), signal);
  }
}
