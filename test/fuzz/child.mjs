// Reads damaged files of one format, one after the other, and says on descriptor 3 which is next,
// so that whoever watches knows on which one this process hangs or dies.
//   node child.mjs FORMAT FROM TO

import { writeSync } from 'node:fs';
import { createViteServer } from 'vitest/node';

const [name, from, to] = process.argv.slice(2);
/** Milliseconds of processor time of this process, its threads included. */
const processorTime = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const say = (message) => writeSync(3, `${JSON.stringify(message)}\n`);
const server = await createViteServer({
  configFile: false,
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, watch: null },
  optimizeDeps: { noDiscovery: true },
  logLevel: 'error',
});
const { fuzzCases } = await server.ssrLoadModule('/test/fuzz/cases.ts');
const { outcomeAt } = await server.ssrLoadModule('/test/fuzz/check.ts');
const cases = await fuzzCases();
if (name === undefined) say({ names: [...cases.keys()] });
else {
  const fuzzCase = cases.get(name);
  const seeds = await fuzzCase.seeds();
  const count = { refused: 0, read: 0 };
  let slowest = { milliseconds: 0, at: 0 };
  const before = process.resourceUsage().maxRSS;
  let peak = before;
  for (let index = Number(from); index < Number(to); index++) {
    say({ at: index, ...count, slowest, megabytes: (peak - before) / 1024 });
    const start = processorTime();
    try {
      count[await outcomeAt(fuzzCase, seeds, index)] += 1;
    } catch (error) {
      say({ fault: index, message: error.message });
    }
    const milliseconds = processorTime() - start;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, at: index };
    const now = process.resourceUsage().maxRSS;
    // Garbage that waits for its collection grows slowly; a file that makes it jump does not.
    if (now - peak > 256 * 1024) say({ fault: index, message: `takes ${Math.round((now - peak) / 1024)} MiB` });
    peak = now;
  }
  say({ done: true, ...count, slowest, megabytes: (peak - before) / 1024 });
}
process.exit(0);
