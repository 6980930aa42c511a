// What commands that serve have in common: listening, and ending at Ctrl-C or SIGTERM.

import type { Server } from 'node:http';

/** Host names under which only this machine reaches a server. */
export const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Starts listening.
 *
 * @param backlog connections that the system holds until they are accepted
 * @returns the port
 * @throws Error when the port is taken
 */
export async function listen(
  server: Server,
  { host, port, backlog = 511 }: { readonly host: string; readonly port: number; readonly backlog?: number },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken; choose another with --port`) : error),
    );
    server.listen({ port, host, backlog }, resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/** The URL of a server. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Resolves at the next SIGINT or SIGTERM. */
export function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      for (const signal of SIGNALS) process.off(signal, end);
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, end);
  });
}
