// Rounds of a federation: who is asked, what for, and what the server learns from the answers.

import type { TrainingHooks } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { TrainingOrder } from './client.js';
import type { Answer, Federation } from './federation.js';
import { type Message, vectorOf } from './message.js';
import type { UpdateServer } from './servers.js';

/** What is asked of clients in every round. */
export type RoundOrder = Omit<TrainingOrder, 'round' | 'network'>;

/** Options of `runRounds`. */
export interface RoundsOptions extends TrainingHooks {
  /** Number of rounds. */
  readonly rounds: number;
  /** What clients are asked: all the same, or each its own. */
  readonly order: RoundOrder | ((client: string) => RoundOrder);
  /** Clients of a round, drawn at random. Default: all that are available. */
  readonly perRound?: number;
  /** Weight of an update that is a rounds late: discount^a. Default: 0.9. */
  readonly discount?: number;
  /** The first round, after earlier ones. Default: 0. */
  readonly first?: number;
  /** Awaited before each round, such as until clients are there. */
  readonly before?: (round: number) => Promise<void> | void;
}

/** The message that asks a client to train. */
export function trainMessage(server: UpdateServer, client: number, round: number, order: RoundOrder): Message {
  const fields = { ...order, round, network: server.network };
  return { kind: 'train', fields, arrays: server.weightsFor(client) };
}

/** @throws Error where an answer is no update that the server can use */
export function requireUpdate(server: UpdateServer, { kind, fields, arrays }: Message): void {
  if (kind !== 'update') throw new Error(`expected an update, got "${kind.slice(0, 40)}"`);
  const { rows, loss } = fields;
  if (!(Number.isSafeInteger(rows) && (rows as number) >= 0))
    throw new Error(`the update: its number of rows is ${String(rows).slice(0, 40)}`);
  if (!(typeof loss === 'number' && Number.isFinite(loss))) throw new Error('the update: its loss is not finite');
  vectorOf(server.layout, arrays);
}

/**
 * Lets a server learn from its clients for a number of rounds. A run that goes on from a checkpoint
 * ends like an unbroken one where clients keep nothing from round to round but their rows.
 *
 * @param names of the clients, in the order of the server's numbers
 * @param random draws the clients of each round
 * @throws the signal's reason when it aborts
 */
export async function runRounds(
  server: UpdateServer,
  federation: Federation,
  names: readonly string[],
  random: Random,
  { rounds, order, perRound, discount = 0.9, first = 0, before, signal, checkpoint, onEpoch }: RoundsOptions,
): Promise<void> {
  const numbers = new Map(names.map((name, i) => [name, i]));
  const stored = checkpoint?.load();
  if (stored) server.restore?.(stored);
  const save = (round: number) => {
    const state = server.state?.();
    if (state) checkpoint?.save({ ...state, epoch: round, step: round, best: undefined, history: [] });
  };
  let saved = Date.now();
  for (let round = stored?.epoch ?? first; round < first + rounds; round++) {
    if (signal?.aborted || Date.now() - saved > SAVE_EVERY) {
      save(round);
      saved = Date.now();
    }
    signal?.throwIfAborted();
    await before?.(round);
    const started = performance.now();
    const present = federation.available.filter((name) => numbers.has(name));
    const asked = drawn(present, perRound, random.split(round));
    const answers = await federation.ask(
      round,
      asked,
      (name) =>
        trainMessage(server, numbers.get(name) as number, round, typeof order === 'function' ? order(name) : order),
      (message) => requireUpdate(server, message),
    );
    server.apply(
      answers.map(({ client, message, age }) => ({
        client: numbers.get(client) as number,
        difference: message.arrays,
        rows: message.fields.rows as number,
        factor: discount ** age,
      })),
    );
    const seconds = (performance.now() - started) / 1000;
    onEpoch?.({ epoch: round + 1, epochs: first + rounds, loss: meanLoss(answers), seconds });
  }
}

/** Milliseconds between two checkpoints. */
const SAVE_EVERY = 10_000;

/** Some of the clients, or all. */
function drawn(names: readonly string[], count: number | undefined, random: Random): string[] {
  if (count === undefined || count >= names.length) return [...names];
  return Array.from(random.permutation(names.length).subarray(0, count), (at) => names[at] as string);
}

/** Mean loss of the answers, each row counting once; 0 without rows. */
function meanLoss(answers: readonly Answer[]): number {
  const rows = answers.reduce((sum, { message }) => sum + (message.fields.rows as number), 0);
  const total = answers.reduce(
    (sum, { message }) => sum + (message.fields.rows as number) * (message.fields.loss as number),
    0,
  );
  return rows > 0 ? total / rows : 0;
}
