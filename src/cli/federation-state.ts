// What the two sides of a federation keep beside their model until it is written, so that
// `--resume` goes on: the server its hypernetwork and its clients, a client its name and token.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileCheckpoint, writeFileAtomic } from '../data/node.js';
import type { HypernetServer } from '../hypernet/index.js';

/** Tokens let their holder act as a client: for the owner's eyes alone. */
const SECRET = 0o600;

function writeSecret(path: string, value: object): void {
  // A file that is replaced keeps its mode.
  if (!existsSync(path)) writeFileSync(path, '', { mode: SECRET });
  writeFileAtomic(path, `${JSON.stringify(value)}\n`);
}

function readSecret(path: string): unknown {
  if (!existsSync(path)) throw new Error(`there is no "${path}" to go on from`);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Error(`file "${path}" is damaged: it is no JSON`);
  }
}

/** The server's state: `<out>.checkpoint`, and tokens by name in `<out>.clients`. */
export class ServerState {
  readonly #checkpoint: string;
  readonly #clients: string;

  constructor(out: string) {
    this.#checkpoint = `${out}.checkpoint`;
    this.#clients = `${out}.clients`;
  }

  /**
   * Restores a server.
   *
   * @returns rounds that are done, and clients in the order of their embeddings
   * @throws Error when there is nothing to go on from, or it is of other options
   */
  restore(server: HypernetServer): { readonly round: number; readonly tokens: Readonly<Record<string, string>> } {
    const state = fileCheckpoint(this.#checkpoint).load();
    if (!state) throw new Error(`there is no "${this.#checkpoint}" to go on from`);
    const tokens = readSecret(this.#clients) as Record<string, string>;
    try {
      server.restore(state);
    } catch (error) {
      const { message } = error as Error;
      throw new Error(
        `"${this.#checkpoint}" is of another federation, or of other options; give those again, or leave --resume out (${message})`,
        { cause: error },
      );
    }
    return { round: state.epoch, tokens };
  }

  /** Keeps what is learnt after so many rounds. */
  save(server: HypernetServer, round: number): void {
    const { weights, optimizer } = server.state();
    fileCheckpoint(this.#checkpoint).save({
      ...{ weights, optimizer, epoch: round, step: round, best: undefined, history: [] },
    });
  }

  /** Keeps the clients, in the order of their embeddings. */
  saveClients(names: readonly string[], tokens: Readonly<Record<string, string>>): void {
    writeSecret(this.#clients, Object.fromEntries(names.map((name) => [name, tokens[name]])));
  }

  /** Removes all. */
  remove(): void {
    for (const path of [this.#checkpoint, this.#clients]) rmSync(path, { force: true });
  }
}

/** A client's name and token in `<out>.token`. */
export class ClientState {
  readonly #path: string;

  constructor(out: string) {
    this.#path = `${out}.token`;
  }

  /** @throws Error when there is nothing to go on from */
  load(): { readonly name: string; readonly token: string } {
    return readSecret(this.#path) as { name: string; token: string };
  }

  save(name: string, token: string): void {
    writeSecret(this.#path, { name, token });
  }

  /** Removes it. */
  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
