// A federation of SemiPFL on one machine: time and bytes of a round, and of the last exchange, in
// which each user gets its base models; numbers of a personal model; the most memory so far.
//
//   npm run build && node bench/federated.mjs [threads]

import {
  Federation,
  HypernetServer,
  heterogeneityLevels,
  localChannel,
  personalize,
  runRounds,
  SEMIPFL_HIDDEN,
  SemiPFLClient,
  semiPFLNetwork,
  semiPFLOrder,
  sensorUsers,
  standardizationOf,
  standardized,
} from '../dist/hypernet/index.js';
import { Random, setThreads } from '../dist/index.js';

setThreads(Number(process.argv[2] ?? 1));
const ROUNDS = 20;
const [USERS, DONORS, WINDOWS, CLASSES] = [28, 8, 150, 5];

/** The first columns of each row. */
function narrowed({ count, width, values, labels }, columns) {
  const own = new Float32Array(count * columns);
  for (let row = 0; row < count; row++) own.set(values.subarray(row * width, row * width + columns), row * columns);
  return { count, width: columns, values: own, labels };
}

const seconds = (before, started) => {
  const { user, system } = process.cpuUsage(before);
  return `${((performance.now() - started) / 1000).toFixed(2)} s (${((user + system) / 1e6).toFixed(2)} s of processors)`;
};

for (const columns of [43, 180])
  for (const upload of ['float32', 'int8']) {
    const random = new Random(1);
    const people = sensorUsers(USERS + DONORS, WINDOWS, heterogeneityLevels.strong, random).map((rows) =>
      narrowed(rows, columns),
    );
    const donors = people.slice(0, DONORS).map((rows, i) => ({
      ...{ name: `donor ${i}`, x: standardized(rows.values, standardizationOf(rows)), labels: rows.labels },
    }));
    const clients = people.slice(DONORS).map((rows, i) => {
      const labels = rows.labels.map((label, row) => (row < 5 ? label : -1));
      return new SemiPFLClient(`user ${i}`, { ...rows, labels }, CLASSES, random.split(i), { upload });
    });
    const names = clients.map(({ name }) => name);
    const federation = new Federation(clients.map(localChannel));
    const server = new HypernetServer(semiPFLNetwork(columns), USERS, random, { hidden: SEMIPFL_HIDDEN });
    const total = () => {
      const all = names.map((name) => federation.traffic.get(name));
      return [all.reduce((sum, { down }) => sum + down, 0), all.reduce((sum, { up }) => sum + up, 0)];
    };
    const options = { perRound: 4, order: semiPFLOrder };
    await runRounds(server, federation, names, random.split('warm'), { ...options, rounds: 3 });
    let [before, started, bytes] = [process.cpuUsage(), performance.now(), total()];
    await runRounds(server, federation, names, random.split('rounds'), { ...options, rounds: ROUNDS, first: 3 });
    const each = total().map((sum, i) => ((sum - bytes[i]) / (4 * ROUNDS) / 1000).toFixed(1));
    console.log(
      `${columns} columns, ${upload}: ${ROUNDS} rounds of 4 users in ${seconds(before, started)}; ${each[0]} kB down and ${each[1]} kB up a user and round`,
    );
    [before, started, bytes] = [process.cpuUsage(), performance.now(), total()];
    await personalize(server, federation, names, donors, CLASSES, random, { round: ROUNDS + 3 });
    const last = total().map((sum, i) => ((sum - bytes[i]) / USERS / 1000).toFixed(1));
    console.log(
      `  the last exchange of ${USERS} users: ${seconds(before, started)}; ${last[0]} kB down and ${last[1]} kB up a user; a personal model has ${clients[0].model.size} numbers; memory at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
    );
  }
process.exit(0);
