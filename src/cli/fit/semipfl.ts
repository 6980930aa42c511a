// Personal models of users by SemiPFL, in a federation that is simulated on this machine.

import { loadUserTable } from '../../data/node.js';
import {
  Federation,
  HypernetServer,
  localChannel,
  personalize,
  pickRows,
  runRounds,
  SEMIPFL_HIDDEN,
  SemiPFLClient,
  type SemiPFLDescription,
  SemiPFLModel,
  semiPFLNetwork,
  semiPFLOrder,
  splitByTime,
  standardizationOf,
  standardized,
  type UserRows,
  usersOfTable,
} from '../../hypernet/index.js';
import { weightedF1 } from '../../nn/index.js';
import { tableOptionsOf } from '../tables.js';
import type { FitRequest, Fitted } from './learner.js';
import type { semiPFLOptions } from './options.js';

export async function fitSemiPFL(
  path: string,
  { values, target, random, hooks, reading, note }: FitRequest<typeof semiPFLOptions>,
): Promise<Fitted> {
  if (target === undefined) throw new Error('--target: name the column of classes; gaps in it are rows without one');
  const { user, window, step, exchanges, perRound, statistics } = values;
  const names = values.donors
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0)
    throw new Error(`--set donors=…: name users whose labelled rows the server may hold, such as donors=3,7,9`);
  const table = await loadUserTable(path, user, { ...tableOptionsOf(reading), categorical: [user], target });
  const ignore = values.ignore.split(',').filter((name) => name !== '');
  const sizes = { window, step: step === 0 ? window : step };
  const { users: all, columns, classes } = usersOfTable(table, { user, target, ignore, ...sizes });
  if (classes.length < 2)
    throw new Error(`the target "${target}" holds ${classes.length} classes; at least two are needed`);
  const missing = names.find((name) => !all.some((own) => own.name === name));
  if (missing !== undefined)
    throw new Error(
      `--set donors: there is no user "${missing}" in "${user}"; there are ${all.map(({ name }) => name).join(', ')}`,
    );
  const givers = all.filter(({ name }) => names.includes(name));
  const users = all.filter(({ name }) => !names.includes(name));
  if (users.length === 0) throw new Error('--set donors names all users; some must remain');
  const width = (all[0] as UserRows).rows.width;
  const labelled = givers.map(({ name, rows }) => {
    const own = pickRows(
      rows,
      Array.from(rows.labels.keys()).filter((row) => (rows.labels[row] as number) >= 0),
    );
    if (own.count === 0) throw new Error(`donor "${name}" has no labelled rows`);
    return { name, rows: own };
  });
  const shared = statistics === 'donors' ? standardizationOf(...labelled.map(({ rows }) => rows)) : undefined;
  const donors = labelled.map(({ name, rows }) => ({
    name,
    x: standardized(rows.values, shared ?? standardizationOf(rows)),
    labels: rows.labels,
  }));
  // Of labelled rows the later ones test; unlabelled ones are in no test.
  const splits = users.map(({ rows }) => splitByTime(rows.labels, classes.length));
  const clients = users.map(({ name, rows }, i) => {
    const own = pickRows(rows, (splits[i] as (typeof splits)[number]).train);
    return new SemiPFLClient(
      name,
      own,
      classes.length,
      random.split('users').split(name),
      shared && { standardization: shared },
    );
  });
  const server = new HypernetServer(semiPFLNetwork(width), users.length, random.split('server'), {
    ...{ hidden: SEMIPFL_HIDDEN, learningRate: values.learningRate },
  });
  const federation = new Federation(clients.map(localChannel));
  const known = clients.map(({ name }) => name);
  note(`simulated on this machine: ${users.length} users and ${donors.length} donors, ${width} numbers a row`);
  const rounds = Math.max(1, Math.round(exchanges / Math.min(perRound, users.length)));
  try {
    await runRounds(server, federation, known, random.split('rounds'), {
      rounds,
      perRound,
      order: semiPFLOrder,
      ...hooks,
    });
  } catch (error) {
    if (!hooks.signal.aborted) throw error;
    return { lines: [], scores: {}, stopped: 'aborted' };
  }
  await personalize(server, federation, known, donors, classes.length, random.split('base'), { round: rounds });
  const scored = users.flatMap(({ name, rows }, i) => {
    const test = pickRows(rows, (splits[i] as (typeof splits)[number]).test);
    if (test.count === 0) return [];
    const p = (clients[i] as SemiPFLClient).model.predictProba(test.values);
    const guesses = Int32Array.from({ length: test.count }, (_, row) => {
      const own = p.subarray(row * classes.length, (row + 1) * classes.length);
      return own.indexOf(Math.max(...own));
    });
    return [{ name, f1: 100 * weightedF1(guesses, test.labels, classes.length) }];
  });
  const mean = scored.reduce((sum, { f1 }) => sum + f1, 0) / scored.length;
  const worst = scored.reduce((least, own) => (own.f1 < least.f1 ? own : least), {
    name: '',
    f1: Number.POSITIVE_INFINITY,
  });
  const scores: Readonly<Record<string, number>> =
    scored.length > 0 ? { 'weighted F1': mean, 'worst user': worst.f1 } : {};
  const description: SemiPFLDescription = {
    ...{ columns, classes, target, user, ...sizes, network: server.network, simulated: true, donors: names, scores },
  };
  const traffic = known.map(
    (name) => federation.traffic.get(name) as NonNullable<ReturnType<typeof federation.traffic.get>>,
  );
  const bytes = traffic.reduce((sum, { down, up }) => sum + down + up, 0) / users.length;
  return {
    file: () =>
      new SemiPFLModel(description, new Map(clients.map(({ name, model }) => [name, model])), {
        server,
        donors,
        shared,
      }).save(),
    lines: [
      `${path}: ${all.length} users, ${columns.length} columns, ${classes.length} classes; a federation of ${users.length} users, simulated`,
      ...(scored.length > 0
        ? [
            `weighted F1 on later rows: ${mean.toFixed(1)} %, worst user "${worst.name}" ${worst.f1.toFixed(1)} % (${scored.length} users have labels)`,
          ]
        : ['no user has labels, so nothing is scored']),
      `${(bytes / 1e6).toFixed(2)} MB to and from a user in ${rounds} rounds`,
    ],
    scores,
    stopped: 'completed',
  };
}
