// Limits of connections. Slow and silent clients may not take the places of others: when all places
// are taken, the connection that has gone longest without a whole request is closed for a new one.

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that one connection may send ahead of their answers. */
const PIPELINED = 16;

/** The connections of a server. */
export class Connections {
  /** Unfinished requests of each connection. */
  readonly #open = new Map<Socket, Promise<void>[]>();
  /** Connections that have not sent a whole request yet, the oldest first. */
  readonly #fresh = new Set<Socket>();
  /** Connections that had an answer and have sent no whole request since, in that order. */
  readonly #kept = new Set<Socket>();

  constructor(readonly limit: number) {}

  /** Open connections. */
  get count(): number {
    return this.#open.size;
  }

  /** Watches the connections of a server. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      if (this.count >= this.limit) {
        const [longest] = this.#fresh.size > 0 ? this.#fresh : this.#kept;
        if (!longest) {
          socket.destroy();
          return;
        }
        this.#forget(longest);
        longest.destroy();
      }
      this.#open.set(socket, []);
      this.#fresh.add(socket);
      socket.once('close', () => this.#forget(socket));
    });
  }

  /**
   * Runs `work`, which may not reject, for a request after those that came before it on its
   * connection: their answers go out first anyway.
   */
  async serve(request: IncomingMessage, work: () => Promise<void>): Promise<void> {
    const { socket, headers } = request;
    const before = this.#open.get(socket);
    if (!before || before.length >= PIPELINED) {
      socket.destroy();
      return;
    }
    const isWhole = () => {
      this.#fresh.delete(socket);
      this.#kept.delete(socket);
    };
    if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) isWhole();
    else request.once('end', isWhole);
    const done = (before.at(-1) ?? Promise.resolve()).then(work);
    before.push(done);
    await done;
    before.splice(before.indexOf(done), 1);
    if (before.length > 0 || !this.#open.has(socket)) return;
    this.#fresh.delete(socket);
    this.#kept.add(socket);
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#fresh.delete(socket);
    this.#kept.delete(socket);
  }
}
