// The server of SemiPFL: a hypernetwork that makes each user's autoencoder, and base models of the
// donors' labelled rows as each user's encoder sees them.

import type { Random } from '../../tensor/index.js';
import { networkOf } from '../federated/client.js';
import type { Federation } from '../federated/federation.js';
import { type NamedArrays, weightsAfter } from '../federated/message.js';
import type { Autoencoder, NetworkSpec } from '../federated/network.js';
import { type RoundOrder, requireUpdate, trainMessage } from '../federated/rounds.js';
import type { UpdateServer } from '../federated/servers.js';
import { type BaseModelOptions, type BaseModels, type Donor, trainBaseModels } from './base-models.js';

/** Width of SemiPFL's hypernetwork, a last layer of which makes every weight of an autoencoder. */
export const SEMIPFL_HIDDEN = 64;

/** What a user does in a round of SemiPFL, as published. */
export const semiPFLOrder: RoundOrder = { objective: 'reconstruct', epochs: 5, batch: 128, learningRate: 1e-3 };

/**
 * Sizes of the autoencoder for rows of d numbers. Up to 100: d, 3d/4, 5d/9, 3d/8 (43, 32, 24, 16),
 * but no less than 6: all ReLUs of a narrower layer may be 0 for good, from the common start of all
 * users. Beyond 100: d, 64, 32, 16.
 */
export function autoencoderSizes(width: number): readonly number[] {
  const part = (share: number) => Math.max(6, Math.round(width * share));
  return width <= 100 ? [width, part(0.744), part(0.558), part(0.372)] : [width, 64, 32, 16];
}

/** The autoencoder of SemiPFL for rows of some width. */
export function semiPFLNetwork(width: number): NetworkSpec {
  return { kind: 'autoencoder', sizes: autoencoderSizes(width) };
}

/** What the last exchange needs. */
export interface PersonalizeOptions {
  /** Number of the round, which each client's draws depend on. */
  readonly round: number;
  /** The last local training. Default: `semiPFLOrder`. */
  readonly order?: RoundOrder;
  /** Of the base models. */
  readonly base?: BaseModelOptions;
}

/**
 * The last exchange with each user: the user trains the autoencoder that the server makes for it
 * and answers Δθ; the server trains base models on donors' rows through θ − Δθ and sends them; the
 * user aggregates them by its own labels. Bytes: 4|θ| + 4K|w| down, 4|θ| up.
 *
 * @returns the names of the users that have a model now
 */
export async function personalize(
  server: UpdateServer,
  federation: Federation,
  names: readonly string[],
  donors: readonly Donor[],
  classes: number,
  random: Random,
  { round, order = semiPFLOrder, base = {} }: PersonalizeOptions,
): Promise<string[]> {
  const present = new Set(federation.available);
  const asked = names.filter((name) => present.has(name));
  const sent = new Map<string, NamedArrays>();
  const answers = await federation.ask(
    round,
    asked,
    (name) => {
      const message = trainMessage(server, names.indexOf(name), round, order);
      sent.set(name, message.arrays);
      return message;
    },
    (message) => requireUpdate(server, message),
  );
  const made = new Map<string, BaseModels>();
  for (const { client, message, age } of answers) {
    if (age > 0) continue;
    const encoder = weightsAfter(sent.get(client) as NamedArrays, message.arrays);
    const autoencoder = networkOf(server.network, server.layout, encoder) as Autoencoder;
    // The same draws for all users: who is asked beside whom changes nothing.
    made.set(client, await trainBaseModels(autoencoder, donors, classes, random.split('base'), base));
  }
  const done = await federation.ask(
    round + 1,
    [...made.keys()],
    (name) => {
      const { arrays, errors } = made.get(name) as BaseModels;
      return { kind: 'aggregate', fields: { errors }, arrays };
    },
    ({ kind }) => {
      if (kind !== 'aggregated') throw new Error(`expected "aggregated", got "${kind.slice(0, 40)}"`);
    },
  );
  return done.filter(({ age }) => age === 0).map(({ client }) => client);
}
