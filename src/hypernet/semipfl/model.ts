// Models of SemiPFL as files: personal models of users, and where the server's part is there, what
// a user who comes later needs.

import { type ModelKind, readModelFile, writeModelFile } from '../../data/index.js';
import { stateOf, type Weights } from '../../nn/index.js';
import { Random, type Tensor, tensor } from '../../tensor/index.js';
import { localChannel } from '../federated/channel.js';
import { Federation } from '../federated/federation.js';
import { floatsOf, type NamedArrays } from '../federated/message.js';
import type { NetworkSpec } from '../federated/network.js';
import type { PrivateRows, Standardization } from '../federated/private-rows.js';
import { runRounds } from '../federated/rounds.js';
import { HypernetServer, NewcomerServer } from '../federated/servers.js';
import type { Donor } from './base-models.js';
import { SemiPFLClient } from './client.js';
import { PersonalModel } from './personal.js';
import { personalize, semiPFLOrder } from './server.js';

/** Identifies model files of SemiPFL. */
export const SEMIPFL_MODEL: ModelKind = { system: 'semipfl', version: '1', madeBy: 'gossamer fit --model semipfl' };

/** What a file says beside its numbers. */
export interface SemiPFLDescription {
  /** Columns that are read, in order. */
  readonly columns: readonly string[];
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Column of classes. */
  readonly target: string;
  /** Column that names users. */
  readonly user?: string;
  /** Rows of a window. */
  readonly window: number;
  /** Rows from one window to the next. */
  readonly step: number;
  /** The autoencoder. */
  readonly network: NetworkSpec;
  /** Whether the federation was simulated on one machine. */
  readonly simulated: boolean;
  /** Names of the donors. */
  readonly donors: readonly string[];
  /** Weighted F1 of users on windows that were held out, in %. */
  readonly scores: Readonly<Record<string, number>>;
}

/** The server's part: it makes autoencoders for users who come later. */
export interface ServerPart {
  /** The hypernetwork. */
  readonly server: HypernetServer;
  /** Labelled rows. */
  readonly donors: readonly Donor[];
  /** Statistics that all parties share. */
  readonly shared?: Standardization | undefined;
}

interface Stored extends SemiPFLDescription {
  readonly users: readonly { readonly name: string; readonly logits: readonly number[] }[];
  readonly hypernet?: { readonly clients: number; readonly hidden: number; readonly isShared: boolean };
}

/** Fewer rows do not make an embedding of their own. */
export const LEAST_ROWS_OF_NEWCOMER = 30;
/** Rounds in which a newcomer's embedding is learnt. */
const NEWCOMER_ROUNDS = 30;

/** Personal models by user. */
export class SemiPFLModel {
  constructor(
    readonly description: SemiPFLDescription,
    /** Models by the name of the user. */
    readonly users: ReadonlyMap<string, PersonalModel>,
    /** For users who come later; a personal file has none. */
    readonly serverPart?: ServerPart,
  ) {}

  /**
   * The model of a user: its own; of a file with one user, that one; else one for a newcomer.
   *
   * @param rows of the user, by which a newcomer is known
   * @param note told how a newcomer is answered
   * @throws Error for a newcomer where the file holds no server's part
   */
  async modelFor(
    name: string,
    rows: PrivateRows,
    note: (text: string) => void = () => undefined,
  ): Promise<PersonalModel> {
    const known = this.users.get(name);
    if (known) return known;
    const [only] = this.users.values();
    if (!this.serverPart) {
      if (only && this.users.size === 1 && name === '') return only;
      throw new Error(
        `the model knows ${[...this.users.keys()].map((own) => `"${own}"`).join(', ')}, not the user "${name}"`,
      );
    }
    const { server, donors, shared } = this.serverPart;
    const { classes } = this.description;
    const isEnough = rows.count >= LEAST_ROWS_OF_NEWCOMER;
    note(
      isEnough
        ? `user "${name}" is new: its embedding is learnt from ${rows.count} rows`
        : `user "${name}" is new and has ${rows.count} rows, fewer than ${LEAST_ROWS_OF_NEWCOMER}: it gets the mean of all users`,
    );
    const standardization = shared ?? (isEnough ? undefined : this.#meanStatistics());
    const client = new SemiPFLClient(name, rows, classes.length, new Random(0), standardization && { standardization });
    const newcomer = new NewcomerServer(server);
    const federation = new Federation([localChannel(client)]);
    const rounds = isEnough ? NEWCOMER_ROUNDS : 0;
    await runRounds(newcomer, federation, [name], new Random(0), { rounds, order: semiPFLOrder });
    const order = { ...semiPFLOrder, epochs: isEnough ? semiPFLOrder.epochs : 0 };
    await personalize(newcomer, federation, [name], donors, classes.length, new Random(0).split('base'), {
      round: rounds,
      order,
    });
    return client.model;
  }

  #meanStatistics(): Standardization | undefined {
    const all = [...this.users.values()].map(({ standardization }) => standardization);
    const mean = (pick: (own: Standardization) => Float32Array) =>
      pick(all[0] as Standardization).map(
        (_, j) => all.reduce((sum, own) => sum + (pick(own)[j] as number), 0) / all.length,
      );
    return all.length > 0 ? { means: mean((own) => own.means), deviations: mean((own) => own.deviations) } : undefined;
  }

  /** One user's model as a file of its own. @throws Error for a user that it does not know */
  personal(name: string): SemiPFLModel {
    const own = this.users.get(name);
    if (!own) throw new Error(`the model does not know the user "${name}"`);
    return new SemiPFLModel(this.description, new Map([[name, own]]));
  }

  /** The model as a file. */
  save(): Uint8Array {
    const all = [...this.users];
    const tensors: Record<string, Tensor> = {};
    const put = (prefix: string, arrays: NamedArrays) => {
      for (const [name, own] of Object.entries(arrays)) tensors[`${prefix}.${name}`] = tensor(floatsOf(own), own.shape);
    };
    all.forEach(([, { standardization, encoder, base }], i) => {
      tensors[`users.${i}.means`] = tensor(standardization.means);
      tensors[`users.${i}.deviations`] = tensor(standardization.deviations);
      put(`users.${i}.autoencoder`, encoder);
      put(`users.${i}.base`, base);
    });
    const part = this.serverPart;
    if (part) {
      for (const [name, own] of Object.entries(stateOf(part.server.hypernet))) tensors[`hypernet.${name}`] = own;
      part.donors.forEach(({ x, labels }, k) => {
        tensors[`donors.${k}.x`] = tensor(x, [labels.length, x.length / labels.length]);
        tensors[`donors.${k}.labels`] = tensor(labels);
      });
      if (part.shared) {
        tensors['shared.means'] = tensor(part.shared.means);
        tensors['shared.deviations'] = tensor(part.shared.deviations);
      }
    }
    const stored: Stored = {
      ...this.description,
      users: all.map(([name, { logits }]) => ({ name, logits: [...logits] })),
      ...(part && {
        hypernet: {
          clients: part.server.clients,
          hidden: part.server.options.hidden ?? 100,
          isShared: part.shared !== undefined,
        },
      }),
    };
    return writeModelFile(SEMIPFL_MODEL, stored, tensors);
  }

  /** @throws Error when the bytes are no model of SemiPFL of this version */
  static load(bytes: Uint8Array, file = 'model'): SemiPFLModel {
    const { description, tensors } = readModelFile<Stored>(SEMIPFL_MODEL, bytes, file);
    const { users, hypernet, ...rest } = description;
    const numbers = (name: string) => {
      const own = tensors[name];
      if (!own) throw new Error(`file "${file}" is damaged: it has no "${name}"`);
      return own.dataSync<Float32Array>().slice();
    };
    const models = users.map(({ name, logits }, i): [string, PersonalModel] => [
      name,
      new PersonalModel(
        { means: numbers(`users.${i}.means`), deviations: numbers(`users.${i}.deviations`) },
        rest.network,
        arraysBelow(tensors, `users.${i}.autoencoder.`),
        arraysBelow(tensors, `users.${i}.base.`),
        Float64Array.from(logits),
      ),
    ]);
    if (!hypernet) return new SemiPFLModel(rest, new Map(models));
    const server = new HypernetServer(rest.network, hypernet.clients, new Random(0), { hidden: hypernet.hidden });
    server.restore({ weights: below(tensors, 'hypernet.'), optimizer: { step: 0, tensors: {} } });
    return new SemiPFLModel(rest, new Map(models), {
      server,
      donors: rest.donors.map((name, k) => ({
        name,
        x: numbers(`donors.${k}.x`),
        labels: (tensors[`donors.${k}.labels`] as Tensor).dataSync<Int32Array>().slice(),
      })),
      shared: hypernet.isShared
        ? { means: numbers('shared.means'), deviations: numbers('shared.deviations') }
        : undefined,
    });
  }
}

function below(tensors: Weights, prefix: string): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, own]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), own]] : [],
    ),
  );
}

function arraysBelow(tensors: Weights, prefix: string): NamedArrays {
  return Object.fromEntries(
    Object.entries(below(tensors, prefix)).map(([name, own]) => [
      name,
      { shape: own.shape, values: own.dataSync<Float32Array>().slice() },
    ]),
  );
}
