// An HTTP server for one language model. The endpoints are in routes.ts.

import { GuardedServer } from '../../distributed/http/guarded-server.js';
import type { LanguageBundle } from '../assemble.js';
import type { ServerOptions } from './options.js';
import { Routes } from './routes.js';

/** An HTTP server for one language model. */
export class LanguageServer extends GuardedServer {
  /** @throws Error when the API key is empty or an origin of `cors` is none. */
  constructor(
    readonly bundle: LanguageBundle,
    options: ServerOptions,
  ) {
    super((writeTimeout) => new Routes(bundle, { ...options, writeTimeout }), options);
  }
}
