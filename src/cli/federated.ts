// `gossamer federated serve` and `gossamer federated join`: SemiPFL among machines, over HTTP.

import { Command, Option } from 'commander';
import { interruptSignal, loadTable, loadUserTable, requireWritable, writeFileAtomic } from '../data/node.js';
import {
  chained,
  clipUpdate,
  describeFederation,
  Federation,
  type FederationEvent,
  gaussianNoise,
  HypernetServer,
  joinFederation,
  personalize,
  pickRows,
  runRounds,
  SEMIPFL_HIDDEN,
  SemiPFLClient,
  SemiPFLModel,
  semiPFLNetwork,
  semiPFLOrder,
  standardizationOf,
  standardized,
  type UpdateTransform,
  usersOfTable,
} from '../hypernet/index.js';
import { FederationServer } from '../hypernet/node.js';
import { Random } from '../tensor/index.js';
import { list, number } from './arguments.js';
import { ClientState, ServerState } from './federation-state.js';
import { LOOPBACK, listen, urlOf } from './listening.js';
import { writeNote } from './output.js';
import { type TableFlags, tableOptionsOf, withTableOptions } from './tables.js';
import { useThreads } from './threads.js';

const serveExamples = `
Examples
  gossamer federated serve donors.csv --target activity --user subject --clients 4 --rounds 40
  GOSSAMER_FEDERATION_KEY="$KEY" gossamer federated serve donors.csv --target activity --host 0.0.0.0 -o federation.safetensors
  gossamer federated serve donors.csv --target activity --user subject --clients 4 --rounds 40 --resume   go on after Ctrl-C

The table holds the labelled rows of donors, who have agreed to it; without --user they count as one. Rounds begin once --clients have joined, or after --wait seconds with fewer. A round closes when all have answered or --deadline is over; who is late, silent or sends what cannot be used is left out of it, and standard error says so. After each round the state is kept beside the model; with --resume, and the same options, a server goes on, and its clients find it if they are still trying. HTTP is not encrypted: outside of one machine or a trusted network, put a proxy with TLS in front.`;

const joinExamples = `
Examples
  gossamer federated join --server http://192.168.1.5:8090 --data mine.csv --name anna -o anna.safetensors
  gossamer federated join --server http://127.0.0.1:8090 --data mine.csv --clip 1 --noise 0.01 --upload int8
  gossamer predict anna.safetensors new.csv -o answers.csv

The table has the columns that the server names; a column of classes may be there, with gaps or whole. Rows and classes stay on this machine: what is sent are the name, the number of rows, a mean loss, and changes of weights.`;

export function federatedCommand(): Command {
  const serve = withTableOptions(new Command('serve'))
    .description('hold the donors’ rows and the hypernetwork, and let clients join')
    .argument('<donors>', 'a table of labelled rows of numbers, or a folder with one for each donor')
    .requiredOption('--target <column>', 'column of classes')
    .option('--user <column>', 'column that names the donor of a row')
    .option('--ignore <columns>', 'columns to leave out, separated by commas', list, [])
    .option('--window <n>', 'consecutive rows that make a window', number(1), 1)
    .option('--step <n>', 'rows from one window to the next; the window when left out', number(1))
    .option('--clients <n>', 'clients of the federation', number(1), 2)
    .option('--wait <s>', 'seconds after which rounds begin with fewer; 0 waits for all', number(0, false), 0)
    .option('--rounds <n>', 'rounds', number(1), 40)
    .option('--deadline <s>', 'seconds after which a round closes', number(0.01, false), 60)
    .option('--silence <s>', 'seconds without a word after which a client counts as gone', number(0.01, false), 30)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port; 0 takes a free one', number(0), 8090)
    .addOption(new Option('--key <key>', 'what clients must know').env('GOSSAMER_FEDERATION_KEY'))
    .option('--allowed-hosts <names>', 'names, with commas, under which clients reach the server', list, [])
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('-o, --out <file>', 'the server’s part, for users who come later', 'federation.safetensors')
    .option('--resume', 'go on from the last round of an interrupted run', false)
    .addHelpText('after', serveExamples)
    .action(serveFederation);
  const join = withTableOptions(new Command('join'))
    .description('take part with rows of one’s own, and get a model of one’s own')
    .requiredOption('--server <url>', 'address of the server')
    .requiredOption('--data <table>', 'rows of one’s own')
    .option('--name <name>', 'name in the federation; drawn when left out')
    .option('--resume', 'come back under the name and token of an interrupted run', false)
    .option('--patience <s>', 'seconds for which a server that is away is tried again', number(0, false), 60)
    .option('-o, --out <file>', 'the personal model', 'personal.safetensors')
    .addOption(new Option('--key <key>', 'key of the federation').env('GOSSAMER_FEDERATION_KEY'))
    .addOption(new Option('--upload <kind>', 'numbers of an update').choices(['float32', 'int8']).default('float32'))
    .option('--clip <norm>', 'largest norm of an update', number(1e-9, false))
    .option('--noise <deviation>', 'deviation of noise on every number of an update', number(0, false))
    .option('--most-epochs <n>', 'most epochs of a round, for slow devices', number(1))
    .option('--most-rows <n>', 'most rows of a round, for small devices', number(1))
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', joinExamples)
    .action(joinWith);
  return new Command('federated')
    .description('learn personal models with others, whose rows stay with them')
    .addCommand(serve)
    .addCommand(join);
}

interface ServeFlags extends TableFlags {
  readonly target: string;
  readonly user?: string;
  readonly ignore: readonly string[];
  readonly window: number;
  readonly step?: number;
  readonly clients: number;
  readonly wait: number;
  readonly rounds: number;
  readonly deadline: number;
  readonly silence: number;
  readonly host: string;
  readonly port: number;
  readonly key?: string;
  readonly allowedHosts: readonly string[];
  readonly seed: number;
  readonly threads?: number;
  readonly out: string;
  readonly resume: boolean;
}

/** Donors, columns and classes of the server's table. */
async function loadDonors(path: string, { target, user, ignore, window, step = window, ...reading }: ServeFlags) {
  const table = await loadUserTable(path, user, {
    ...tableOptionsOf(reading),
    target,
    categorical: user === undefined ? [] : [user],
  });
  const { users, columns, classes } = usersOfTable(table, { target, user, ignore, window, step });
  if (classes.length < 2)
    throw new Error(`the target "${target}" holds ${classes.length} classes; at least two are needed`);
  const labelled = users.map(({ name, rows }) => ({
    name,
    rows: pickRows(
      rows,
      Array.from(rows.labels.keys()).filter((row) => (rows.labels[row] as number) >= 0),
    ),
  }));
  const without = labelled.find(({ rows }) => rows.count === 0);
  if (without) throw new Error(`donor "${without.name}" has no labelled rows`);
  const width = window * columns.length;
  const values = Float32Array.from(labelled.flatMap(({ rows }) => [...rows.values]));
  const shared = standardizationOf({ count: values.length / width, width, values });
  const donors = labelled.map(({ name, rows }) => ({
    name,
    x: standardized(rows.values, shared),
    labels: rows.labels,
  }));
  return { donors, columns, classes, shared, width, window, step };
}

async function serveFederation(path: string, flags: ServeFlags): Promise<void> {
  useThreads(flags.threads);
  requireWritable(flags.out);
  const { donors, columns, classes, shared, width, window, step } = await loadDonors(path, flags);
  const random = new Random(flags.seed);
  const server = new HypernetServer(semiPFLNetwork(width), flags.clients, random.split('server'), {
    hidden: SEMIPFL_HIDDEN,
  });
  const state = new ServerState(flags.out);
  const kept = flags.resume ? state.restore(server) : { round: 0, tokens: {} };
  const names = Object.keys(kept.tokens);
  let { round } = kept;
  if (flags.resume) writeNote(`goes on after round ${round} of ${flags.rounds}; known: ${names.join(', ')}`);
  const federation = new Federation([], {
    deadline: 1000 * flags.deadline,
    onEvent: (event) => log(event, flags.rounds),
  });
  let arrived: () => void = () => undefined;
  const http = new FederationServer({
    clients: flags.clients,
    members: kept.tokens,
    description: {
      ...{ columns, classes, target: flags.target, window, step, network: server.network },
      shared: { means: [...shared.means], deviations: [...shared.deviations] },
      donors: donors.length,
    },
    answerLimit: 8 * server.layout.size + 65_536,
    silence: 1000 * flags.silence,
    allowedHosts: [...flags.allowedHosts, flags.host],
    ...(flags.key !== undefined && { apiKey: flags.key }),
    onJoin: (channel) => {
      writeNote(`"${channel.name}" has ${names.includes(channel.name) ? 'come back' : 'joined'}`);
      if (!names.includes(channel.name)) {
        names.push(channel.name);
        state.saveClients(names, http.members);
      }
      federation.add(channel);
      arrived();
    },
    onLeave: (name, reason) => {
      writeNote(`"${name}" is gone: ${reason}`);
      federation.remove(name);
    },
  });
  const port = await listenFor(http, flags);
  process.stdout.write(`federation of ${flags.clients} on ${urlOf(flags.host, port)} (Ctrl-C ends)\n`);
  const { signal, release } = interruptSignal();
  /** Waits until so many clients are there. */
  const present = async (count: number, seconds: number) => {
    const until = seconds > 0 ? Date.now() + 1000 * seconds : Number.POSITIVE_INFINITY;
    while (
      federation.available.length < count &&
      !signal.aborted &&
      (Date.now() < until || federation.available.length === 0)
    ) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
        setTimeout(resolve, 100);
      });
    }
    signal.throwIfAborted();
  };
  try {
    await present(flags.clients, flags.wait);
    for (; round < flags.rounds; round++) {
      await present(1, 0);
      await runRounds(server, federation, names, random.split('rounds'), {
        ...{ rounds: 1, first: round, order: semiPFLOrder, signal },
        onEpoch: ({ loss }) => writeNote(`round ${round + 1} of ${flags.rounds}: loss ${loss.toFixed(4)}`),
      });
      state.save(server, round + 1);
    }
    const done = await personalize(server, federation, names, donors, classes.length, random.split('base'), { round });
    writeFileAtomic(flags.out, serverModel());
    state.remove();
    process.stdout.write(
      `${done.length} of ${names.length} clients have a model of their own; server's part: ${flags.out}\n`,
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('stopped; the same command with --resume goes on\n');
    process.exitCode = 130;
  } finally {
    release();
    await (signal.aborted ? http.pause() : http.close());
  }

  function serverModel(): Uint8Array {
    const description = {
      ...{ columns, classes, target: flags.target, window, step, network: server.network, simulated: false },
      ...{ ...(flags.user !== undefined && { user: flags.user }), donors: donors.map(({ name }) => name), scores: {} },
    };
    return new SemiPFLModel(description, new Map(), { server, donors, shared }).save();
  }
}

function log({ round, client, outcome, detail }: FederationEvent, rounds: number): void {
  if (outcome === 'answered') return;
  const when = round < rounds ? `round ${round + 1}` : 'the last exchange';
  writeNote(`${when}: "${client}" ${outcome}${detail === undefined ? '' : `: ${detail}`}`);
}

async function listenFor(http: FederationServer, { host, port, key }: ServeFlags): Promise<number> {
  const taken = await listen(http.create(), { host, port });
  if (!LOOPBACK.includes(host) && key === undefined)
    process.stderr.write('warning: everyone who reaches the server can join; set GOSSAMER_FEDERATION_KEY\n');
  return taken;
}

interface JoinFlags extends TableFlags {
  readonly server: string;
  readonly data: string;
  readonly name?: string;
  readonly out: string;
  readonly resume: boolean;
  readonly patience: number;
  readonly key?: string;
  readonly upload: 'float32' | 'int8';
  readonly clip?: number;
  readonly noise?: number;
  readonly mostEpochs?: number;
  readonly mostRows?: number;
  readonly seed: number;
  readonly threads?: number;
}

/** What `serve` tells of its federation. */
interface Described {
  readonly columns: readonly string[];
  readonly classes: readonly string[];
  readonly target: string;
  readonly window: number;
  readonly step: number;
  readonly network: ReturnType<typeof semiPFLNetwork>;
  readonly shared: { readonly means: readonly number[]; readonly deviations: readonly number[] };
}

async function joinWith(flags: JoinFlags): Promise<void> {
  useThreads(flags.threads);
  requireWritable(flags.out);
  const { key, upload, mostEpochs, mostRows } = flags;
  const state = new ClientState(flags.out);
  const known = flags.resume ? state.load() : undefined;
  const name = known?.name ?? flags.name ?? `client-${crypto.randomUUID().slice(0, 8)}`;
  const patience = 1000 * flags.patience;
  const told = (await describeFederation(flags.server, { key, patience })) as unknown as Described;
  const { columns, classes, target, window, step, network } = told;
  const table = await loadTable(flags.data, { ...tableOptionsOf(flags), target });
  const hasTarget = table.columns.some((own) => own.name === target);
  const { users } = usersOfTable(table, { columns, classes, window, step, ...(hasTarget && { target }) });
  const rows = (users[0] as (typeof users)[number]).rows;
  const labelled = rows.labels.filter((label) => label >= 0).length;
  writeNote(`${rows.count} rows, ${labelled} with a class; they stay on this machine`);
  const random = new Random(flags.seed).split(name);
  const transformUpdate = transformOf(flags, random);
  const client = new SemiPFLClient(name, rows, classes.length, random, {
    upload,
    standardization: {
      means: Float32Array.from(told.shared.means),
      deviations: Float32Array.from(told.shared.deviations),
    },
    ...(transformUpdate && { transformUpdate }),
    ...(mostEpochs !== undefined && { mostEpochs }),
    ...(mostRows !== undefined && { mostRows }),
  });
  const { signal, release } = interruptSignal();
  try {
    const answers = await joinFederation(flags.server, client, {
      ...{ key, signal, patience, ...(known && { token: known.token }) },
      onJoin: (token) => {
        writeNote(`joined as "${name}"`);
        state.save(name, token);
      },
      onAnswer: (count, { down, up }) => writeNote(`answer ${count}: ${down} bytes down, ${up} up`),
    });
    const description = { columns, classes, target, window, step, network, simulated: false, donors: [], scores: {} };
    writeFileAtomic(flags.out, new SemiPFLModel(description, new Map([[name, client.model]])).save());
    state.remove();
    process.stdout.write(`${answers} answers; model: ${flags.out}\n`);
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
  } finally {
    release();
  }
}

function transformOf({ clip, noise }: JoinFlags, random: Random): UpdateTransform | undefined {
  const all = [
    ...(clip === undefined ? [] : [clipUpdate(clip)]),
    ...(noise === undefined ? [] : [gaussianNoise(noise, random.split('noise'))]),
  ];
  return all.length > 0 ? chained(...all) : undefined;
}
