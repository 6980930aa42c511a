// Errors of requests, in OpenAI's format.

/** A request that cannot be served, with HTTP status and error body. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly param: string | null = null,
    readonly code: string | null = null,
  ) {
    super(message);
  }

  /** The error in OpenAI's format. */
  get body(): object {
    const type = this.status >= 500 || this.status === 429 ? 'server_error' : 'invalid_request_error';
    return { error: { message: this.message, type, param: this.param, code: this.code } };
  }
}

/** Throws status 400 naming a field. */
export function wrong(param: string, expected: string): never {
  throw new RequestError(400, `"${param}" must be ${expected}`, param);
}

/** Turns errors of `body`, such as those of the tokenizer, into status 400. */
export function asClientError<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError(400, (error as Error).message);
  }
}

/** The error of answers that a shutdown cuts off. */
export function shuttingDown(): RequestError {
  return new RequestError(503, 'the server is shutting down', null, 'shutting_down');
}
