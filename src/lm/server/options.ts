// The options of a server.

import type { CacheFormat } from '../runtime/index.js';
import type { AccessOptions } from './access.js';

/** Options of `LanguageServer`. */
export interface ServerOptions extends AccessOptions {
  /** Name of the model in requests. */
  readonly name: string;
  /** Concurrent completions; they share forward passes. Default: 4. */
  readonly parallel?: number;
  /** Most requests in the queue; more get status 503. Default: 64. */
  readonly queue?: number;
  /** Largest request body in bytes. Default: 1 MiB. */
  readonly bodyLimit?: number;
  /** Most tokens of prompt and completion together. Default: the model's context. */
  readonly context?: number;
  /** Element type of the key/value caches. Default: 'f16'. */
  readonly cacheFormat?: CacheFormat;
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
