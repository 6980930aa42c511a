// How the server reaches a client: bytes there, bytes back. In one process a channel calls the
// client, or posts to the thread that it runs in; over HTTP see http.ts.

import type { FederatedClient } from './client.js';
import { decodeMessage, encodeMessage } from './message.js';

/** The server's way to one client. */
export interface Channel {
  /** Name of the client. */
  readonly name: string;
  /**
   * Sends a message and waits for the answer.
   *
   * @throws Error when the client is gone, or could not follow
   */
  request(message: Uint8Array): Promise<Uint8Array>;
  /** Ends what the channel keeps open. */
  close?(): void | Promise<void>;
}

/** What answers on the client's side of a channel. */
type Answering = Pick<FederatedClient, 'name' | 'handle'>;

/** The answer of a client to the bytes of a message. */
export async function answerBytes(client: Answering, message: Uint8Array): Promise<Uint8Array> {
  return encodeMessage(await client.handle(decodeMessage(message, `the message to "${client.name}"`)));
}

/** A channel to a client in the same thread; what passes are the bytes of the wire all the same. */
export function localChannel(client: Answering): Channel {
  return { name: client.name, request: (message) => answerBytes(client, message) };
}

/** One end of a pair of ports, as of `MessageChannel`, a `Worker` or a worker's `self`. */
export interface Port {
  /** Sends a value by structured clone. */
  postMessage(value: unknown): void;
  /** Of a page. */
  addEventListener?(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  /** Of Node. */
  on?(type: 'message', listener: (value: unknown) => void): void;
}

interface Envelope {
  readonly id: number;
  readonly bytes?: Uint8Array;
  readonly error?: string;
}

function listen(port: Port, listener: (envelope: Envelope) => void): void {
  if (port.on) port.on('message', (value) => listener(value as Envelope));
  else port.addEventListener?.('message', ({ data }) => listener(data as Envelope));
}

/** Lets a client answer what comes in at a port, in the thread that calls this. */
export function answerOnPort(port: Port, client: Answering): void {
  listen(port, ({ id, bytes = new Uint8Array() }) => {
    void answerBytes(client, bytes).then(
      (answer) => port.postMessage({ id, bytes: answer }),
      (error: unknown) => port.postMessage({ id, error: (error as Error).message }),
    );
  });
}

/** A channel to a client behind a port, such as one in a worker thread. */
export function portChannel(name: string, port: Port): Channel & { fail(reason: string): void } {
  const waiting = new Map<number, { resolve(bytes: Uint8Array): void; reject(error: Error): void }>();
  let last = 0;
  let failed: string | undefined;
  listen(port, ({ id, bytes, error }) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (bytes) one?.resolve(bytes);
    else one?.reject(new Error(error ?? `client "${name}" answered nothing`));
  });
  return {
    name,
    request: (bytes) =>
      new Promise((resolve, reject) => {
        if (failed !== undefined) {
          reject(new Error(failed));
          return;
        }
        last += 1;
        waiting.set(last, { resolve, reject });
        port.postMessage({ id: last, bytes });
      }),
    fail(reason) {
      failed = reason;
      for (const { reject } of waiting.values()) reject(new Error(reason));
      waiting.clear();
    },
  };
}

/**
 * Starts a worker thread for each client, with memory of its own: an exported function `create` of
 * a module makes the client from its data, in its thread.
 *
 * @param module URL of the module
 * @param create name of the function: (data) → a client, maybe later
 * @param clients name and data of each, which go there by structured clone
 */
export async function threadChannels(
  module: string | URL,
  create: string,
  clients: readonly { readonly name: string; readonly data: unknown }[],
): Promise<Channel[]> {
  const { Worker } = await import('node:worker_threads');
  // By the package's name, since bundling moves this file and renames its exports.
  const self = import.meta.resolve('gossamer/hypernet');
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const ready = Promise.all([import(workerData.self), import(workerData.module)]).then(
      async ([{ answerOnPort }, program]) => {
        const client = await program[workerData.create](workerData.data);
        answerOnPort(parentPort, client);
        parentPort.postMessage({ id: 0 });
      });`;
  return Promise.all(
    clients.map(async ({ name, data }) => {
      const worker = new Worker(code, { eval: true, workerData: { self, module: String(module), create, data } });
      const channel = portChannel(name, worker);
      await new Promise<void>((resolve, reject) => {
        worker.once('message', () => resolve());
        worker.once('error', (error) => reject(new Error(`the thread of client "${name}" failed: ${error.message}`)));
      });
      worker.on('error', ({ message }) => channel.fail(`the thread of client "${name}" failed: ${message}`));
      worker.on('exit', () => channel.fail(`the thread of client "${name}" has ended`));
      return { ...channel, close: async () => void (await worker.terminate()) };
    }),
  );
}
