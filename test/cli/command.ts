// The built command line, run in a folder of its own.
//
// Loading the command takes longer than most of what the tests ask of it, so that a process that
// has loaded it runs one command after the other, each with arguments, working folder, output and
// exit code of its own. `inNewProcess` starts one anew.

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';

/** The built entry; tests are skipped where there is none. */
export const main = join(import.meta.dirname, '../../dist/cli/main.js');

/** What a command printed, and its exit code. */
export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let started: { readonly relay: Worker; readonly socket: string } | undefined;

/** The thread that passes commands on, and the socket at which it takes those of scripts. */
function commandRelay() {
  if (started) return started;
  const socket = join(mkdtempSync(join(tmpdir(), 'gossamer-command-')), 'socket');
  const relay = new Worker(join(import.meta.dirname, 'command-relay.mjs'), { workerData: { main, socket } });
  relay.unref();
  started = { relay, socket };
  return started;
}

/** Waits for a command in the process that has loaded it. */
function run(folder: string, args: readonly string[]): Answer {
  const { relay } = commandRelay();
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  relay.postMessage({ args, folder, done, port: port2 }, [port2]);
  Atomics.wait(done, 0, 0);
  const answer = receiveMessageOnPort(port1)?.message as Answer | undefined;
  port1.close();
  if (!answer) throw new Error(`no answer of: gossamer ${args.join(' ')}`);
  return answer;
}

/** A command as a function, with a folder as its working folder. */
export function commandIn(folder: string) {
  return (...args: string[]): Answer => run(folder, args);
}

/** The same in a process of its own. */
export function inNewProcess(folder: string, env: Readonly<Record<string, string>> = {}) {
  return (...args: string[]): Answer => {
    const options = { encoding: 'utf8', cwd: folder, env: { ...process.env, ...env } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
    return { status, stdout, stderr };
  };
}

/**
 * Runs a script of `bash` in a folder, in which `gossamer` is the command; one that reads standard
 * input or serves has a process of its own.
 */
export function runScript(folder: string, script: string): Answer {
  const { socket } = commandRelay();
  const node = `"${process.execPath}"`;
  const prelude = `set -e
gossamer() {
  case "$1" in serve | federated) local own=1 ;; esac
  if [ -p /dev/stdin ] || [ -n "$own" ]; then ${node} "${main}" "$@"
  else ${node} "${join(import.meta.dirname, 'command-client.mjs')}" "${socket}" "$@"; fi
}
`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', prelude + script], { encoding: 'utf8', cwd: folder });
  return { status, stdout, stderr };
}

/** A new folder, and the command with it as its working folder. */
export function commandInFolder(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `gossamer-${name}-`));
  return { folder, gossamer: commandIn(folder) };
}
