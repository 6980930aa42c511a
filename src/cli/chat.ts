// Flags of commands that let a team of agents talk, and the connection that they name.

import type { Command } from 'commander';
import { HttpChatModel } from '../hypergraph/index.js';
import { number } from './arguments.js';

/** Where a team talks, and whether it does. */
export interface ChatFlags {
  /** Base address of a server in OpenAI's format. */
  readonly endpoint?: string;
  /** Variable of the environment that holds the key. */
  readonly keyEnv?: string;
  /** Whether nothing is asked: groups and estimated tokens are shown. */
  readonly dryRun: boolean;
  /** Seconds for a reply. */
  readonly timeout?: number;
  /** Calls made at once. */
  readonly parallel?: number;
}

/** Variable that holds the key where `--key-env` names none; `gossamer serve` reads it too. */
const KEY = 'GOSSAMER_API_KEY';

/** Adds the flags. */
export function withChatOptions(command: Command): Command {
  return command
    .option('--endpoint <url>', 'hyperagent: server of the agents’ models in OpenAI’s format, http://127.0.0.1:8080/v1')
    .option(
      '--key-env <name>',
      `hyperagent: variable of the environment with the server’s key (default: ${KEY}, if set)`,
    )
    .option('--dry-run', 'hyperagent: show groups and estimated tokens, and make no call', false)
    .option('--timeout <s>', 'hyperagent: seconds for a reply (default: 120)', number(0.001, false))
    .option('--parallel <n>', 'hyperagent: calls made at once (default: 4)', number(1));
}

/** Names of the flags, for commands that must refuse them with other models. */
export const chatOnly = [
  'endpoint',
  'keyEnv',
  'dryRun',
  'timeout',
  'parallel',
] as const satisfies readonly (keyof ChatFlags)[];

/**
 * The server that the flags name. The key is read from the environment, and kept nowhere.
 *
 * @throws Error without an address, or when the named variable holds no key
 */
export function connect({ endpoint, keyEnv, timeout, parallel }: ChatFlags): HttpChatModel {
  if (endpoint === undefined)
    throw new Error('agents need a server: give --endpoint URL, or see what would be asked with --dry-run');
  const key = process.env[keyEnv ?? KEY];
  if (keyEnv !== undefined && !key) throw new Error(`--key-env ${keyEnv}: the environment has no key under that name`);
  return new HttpChatModel(endpoint, {
    ...(key && { key }),
    ...(timeout !== undefined && { timeout: 1000 * timeout }),
    ...(parallel !== undefined && { concurrency: parallel }),
  });
}
