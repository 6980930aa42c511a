// Ways to learn a classifier for each user of a federation, with the same donors, the same users
// and as many exchanges with users: SemiPFL and its variants, and what stands beside it.

import {
  type AggregateOptions,
  AverageServer,
  type BaseModelOptions,
  type ClientOptions,
  classify,
  FederatedClient,
  Federation,
  type FederationOptions,
  HypernetServer,
  layoutOf,
  localChannel,
  type NamedArrays,
  networkOf,
  personalize,
  type RoundOrder,
  runRounds,
  SEMIPFL_HIDDEN,
  SemiPFLClient,
  semiPFLNetwork,
  semiPFLOrder,
  standardized,
  trainMessage,
  type UpdateServer,
  weightsAfter,
} from '../../hypernet/index.js';
import { type MLP, macroF1, type TrainingHooks, weightedF1 } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import type { DrawnFederation, DrawnUser } from './federated-data.js';

/** What a federation has come to. */
export interface TrainedFederation {
  /** Classes of a user's raw rows. */
  predict(user: number, values: Float32Array): Int32Array;
  /** Bytes of arrays to and from all users. */
  readonly bytes: { readonly down: number; readonly up: number };
  /** Multiply-adds of all users. */
  readonly multiplyAdds: number;
}

/** What all methods have in common. */
export interface FederatedBudget {
  /** Exchanges with users in all. */
  readonly exchanges: number;
  /** Users of a round. */
  readonly perRound: number;
}

/** Where a user's autoencoder comes from. */
export type AutoencoderSource = 'hypernetwork' | 'global' | 'own' | 'untrained hypernetwork';

/** Options of `trainAutoencoders` and `giveModels`. */
export interface SemiPFLSettings extends FederatedBudget {
  readonly source: AutoencoderSource;
  /** Learning rate of the hypernetwork. */
  readonly learningRate: number;
  readonly base?: BaseModelOptions;
  readonly aggregation?: AggregateOptions;
  readonly simulate?: FederationOptions['simulate'];
  readonly client?: (user: number) => ClientOptions;
  /** Local epochs before the base models, where the autoencoder is global. */
  readonly lastEpochs?: number;
}

/** Autoencoders in training. */
export class SemiPFLRun {
  readonly clients: readonly SemiPFLClient[];
  readonly names: readonly string[];
  readonly federation: Federation;
  readonly #server: UpdateServer;
  #round = 0;

  constructor(
    readonly drawn: DrawnFederation,
    readonly settings: SemiPFLSettings,
    readonly random: Random,
  ) {
    this.clients = drawn.users.map((user, i) => clientOf(user, drawn, random, settings.client?.(i)));
    this.names = drawn.users.map(({ name }) => name);
    this.federation = new Federation(this.clients.map(localChannel), { simulate: settings.simulate });
    const network = semiPFLNetwork(drawn.width);
    const { source, learningRate } = settings;
    const own = random.split('server');
    if (source === 'global') this.#server = new AverageServer(network, own);
    else if (source !== 'own')
      this.#server = new HypernetServer(network, drawn.users.length, own, { learningRate, hidden: SEMIPFL_HIDDEN });
    else {
      const starts = drawn.users.map((_, i) => new AverageServer(network, own.split(i)).weightsFor());
      const layout = layoutOf(network);
      this.#server = { network, layout, weightsFor: (i) => starts[i] as NamedArrays, apply: () => undefined };
    }
  }

  /** Trains by a share of the exchanges. */
  async train(share: number, hooks: TrainingHooks = {}): Promise<void> {
    const { source, exchanges, perRound } = this.settings;
    if (source === 'own' || source === 'untrained hypernetwork') return;
    const rounds = Math.round((share * exchanges) / Math.min(perRound, this.names.length));
    await runRounds(this.#server, this.federation, this.names, this.random.split('rounds'), {
      ...{ rounds, first: this.#round, perRound, order: semiPFLOrder },
      signal: hooks.signal,
      onEpoch: hooks.onEpoch,
    });
    this.#round += rounds;
  }

  /** Base models for all users. */
  async finish(
    { base, aggregation = {} }: Pick<SemiPFLSettings, 'base' | 'aggregation'> = this.settings,
  ): Promise<TrainedFederation> {
    const { source, exchanges, lastEpochs = source === 'global' ? 0 : semiPFLOrder.epochs } = this.settings;
    // Alone, a user trains as many epochs as it would in the federation.
    const epochs =
      source === 'own' ? Math.round((exchanges / this.names.length + 1) * semiPFLOrder.epochs) : lastEpochs;
    for (const client of this.clients) client.aggregation = aggregation;
    const everyone = new Federation(this.clients.map(localChannel));
    await personalize(
      this.#server,
      everyone,
      this.names,
      this.drawn.donors,
      this.drawn.classes,
      this.random.split('base'),
      {
        ...{ round: this.#round, order: { ...semiPFLOrder, epochs }, base },
      },
    );
    const models = this.clients.map(({ model }) => model);
    return {
      predict: (user, values) => bestOf(models[user]?.predictProba(values) as Float32Array, this.drawn.classes),
      bytes: bytesOf(this.names, [this.federation, everyone]),
      multiplyAdds: this.clients.reduce((sum, own) => sum + own.multiplyAdds, 0),
    };
  }
}

function clientOf(user: DrawnUser, drawn: DrawnFederation, random: Random, options: ClientOptions = {}): SemiPFLClient {
  const { shared, classes } = drawn;
  return new SemiPFLClient(user.name, user.train, classes, random.split('users').split(user.name), {
    ...options,
    ...(shared && { standardization: shared }),
  });
}

function bytesOf(names: readonly string[], federations: readonly Federation[]): { down: number; up: number } {
  const own = federations.flatMap(({ traffic }) => names.flatMap((name) => traffic.get(name) ?? []));
  return { down: own.reduce((sum, { down }) => sum + down, 0), up: own.reduce((sum, { up }) => sum + up, 0) };
}

/** The likeliest class of each row. */
function bestOf(probabilities: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

/** SemiPFL, or a variant by its settings. */
export async function trainSemiPFL(
  drawn: DrawnFederation,
  settings: SemiPFLSettings,
  random: Random,
  hooks: TrainingHooks = {},
): Promise<TrainedFederation> {
  const run = new SemiPFLRun(drawn, settings, random);
  await run.train(1, hooks);
  return run.finish();
}

/** Options of `trainClassifiers`. */
export interface ClassifierSettings extends FederatedBudget {
  /** One network for all, one for each by a hypernetwork, or each user's own. */
  readonly server: 'average' | 'hypernetwork' | 'none';
  /** Whether donors take part as clients. */
  readonly donors: boolean;
  /** Whether users do; where not, they get what donors have learnt. */
  readonly users: boolean;
  /** What users train for. */
  readonly objective: 'classify' | 'pseudo';
  /** Least probability of a pseudo-label. */
  readonly confidence?: number;
  /** Epochs of local tuning at the end, on a user's labels. */
  readonly tuning: number;
  /** Learning rate of clients. */
  readonly learningRate: number;
}

/** Classifiers of raw rows, learnt by federated averaging, by pFedHN or by each user alone. */
export async function trainClassifiers(
  drawn: DrawnFederation,
  settings: ClassifierSettings,
  random: Random,
  hooks: TrainingHooks = {},
): Promise<TrainedFederation> {
  const { classes, width, users, donorRows, shared } = drawn;
  const network = { kind: 'classifier', sizes: [...semiPFLNetwork(width).sizes, classes] } as const;
  const clients = users.map((user) => clientOf(user, drawn, random));
  const givers = donorRows.map((rows, i) => {
    const own = random.split('donors').split(i);
    return new FederatedClient(`donor ${i}`, rows, classes, own, shared && { standardization: shared });
  });
  const all = [...(settings.users ? clients : []), ...(settings.donors ? givers : [])];
  const names = all.map(({ name }) => name);
  const start = random.split('server');
  const server =
    settings.server === 'hypernetwork'
      ? new HypernetServer(network, all.length, start, { hidden: SEMIPFL_HIDDEN, learningRate: 5e-3 })
      : new AverageServer(network, start);
  const order: RoundOrder = { objective: 'classify', epochs: 5, batch: 128, learningRate: settings.learningRate };
  const own: RoundOrder = { ...order, objective: settings.objective, confidence: settings.confidence ?? 0.9 };
  const federation = new Federation(all.map(localChannel));
  if (settings.server !== 'none') {
    // As many exchanges with users as the others have; donors come on top.
    const share = settings.users ? users.length / all.length : 1;
    await runRounds(server, federation, names, random.split('rounds'), {
      rounds: Math.round(settings.exchanges / (Math.min(settings.perRound, all.length) * share)),
      perRound: settings.perRound,
      order: (name) => (name.startsWith('donor ') ? order : own),
      signal: hooks.signal,
      onEpoch: hooks.onEpoch,
    });
  }
  const layout = layoutOf(network);
  const networks = await Promise.all(
    clients.map(async (client, i) => {
      const sent = server.weightsFor(settings.users ? i : 0);
      const asked: RoundOrder = { ...order, epochs: settings.tuning };
      const message = trainMessage(
        { ...server, network, layout, weightsFor: () => sent, apply: () => undefined },
        i,
        1e6,
        asked,
      );
      const answer = await client.handle(message);
      return networkOf(network, layout, weightsAfter(sent, answer.arrays)) as MLP;
    }),
  );
  const size = 4 * layout.size * users.length;
  const { down, up } = bytesOf(
    clients.map(({ name }) => name),
    [federation],
  );
  return {
    predict: (user, values) => {
      const { standardization } = clients[user] as SemiPFLClient;
      return classify(networks[user] as MLP, standardized(values, standardization), width).codes;
    },
    bytes: { down: down + (settings.server === 'none' ? 0 : size), up },
    multiplyAdds: clients.reduce((sum, client) => sum + client.multiplyAdds, 0),
  };
}

/** Weighted F1 of each user on its test rows, in %. */
export function userScores(trained: TrainedFederation, { users, classes }: DrawnFederation): number[] {
  return users.map(({ test }, i) => 100 * weightedF1(trained.predict(i, test.values), test.labels, classes));
}

/** Scores of all users: mean and worst weighted F1, mean macro F1, and what it cost. */
export function federatedScores(trained: TrainedFederation, drawn: DrawnFederation): Scores {
  const { users, classes } = drawn;
  const scores = userScores(trained, drawn);
  const macro = users.map(({ test }, i) => 100 * macroF1(trained.predict(i, test.values), test.labels, classes));
  const { bytes, multiplyAdds } = trained;
  return {
    f1: mean(scores),
    worst: Math.min(...scores),
    macro: mean(macro),
    megabytes: (bytes.down + bytes.up) / users.length / 1e6,
    work: multiplyAdds / users.length / 1e9,
  };
}

export const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of differences less two of its standard errors. */
export function surely(differences: readonly number[]): number {
  const middle = mean(differences);
  const squares = differences.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return middle - 2 * Math.sqrt(squares / Math.max(1, differences.length - 1) / differences.length);
}
