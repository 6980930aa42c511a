// The options of a server.

import type { GuardOptions } from '../../distributed/http/guarded-server.js';
import type { CacheFormat } from '../runtime/index.js';

/** Options of `LanguageServer`. */
export interface ServerOptions extends GuardOptions {
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
}
