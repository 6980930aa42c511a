// Damages valid files of every format that the project reads and reads them in a child process:
// each must be refused with an error of our own or read, in time and memory, and computing must be
// right afterwards.
//   npm run fuzz                         all formats
//   npm run fuzz npz png                 some
//   npm run fuzz npz -- --mutations 1000 --from 0

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { mutations: { type: 'string', default: '100000' }, from: { type: 'string', default: '0' } },
});
const [from, mutations] = [Number(values.from), Number(values.mutations)];
/** Seconds by the clock after which a file counts as one that hangs, on a busy machine too. */
const LIMIT = 60;
/** Seconds of processor time above which a file counts as slow. */
const SLOW = 1;
/** Files that one process reads. */
const SLICE = 25_000;

/** Runs a child and gives each of its messages; it is killed when they cease. @returns how it ended */
function run(args, onMessage) {
  const child = spawn(process.execPath, [new URL('../test/fuzz/child.mjs', import.meta.url).pathname, ...args], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors = (errors + text).slice(-2000);
  });
  return new Promise((resolve) => {
    let timer;
    let hung = false;
    const watch = (seconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, 1000 * seconds);
    };
    watch(LIMIT);
    createInterface({ input: child.stdio[3] }).on('line', (line) => {
      watch(LIMIT);
      onMessage(JSON.parse(line));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(hung ? `takes more than ${LIMIT} s` : `ends the process (${signal ?? code}): ${errors.trim()}`);
    });
  });
}

let names = positionals;
if (names.length === 0)
  await run([], (message) => {
    names = message.names;
  });
const rows = [];
let faults = 0;
for (const name of names) {
  const total = { refused: 0, read: 0, faults: 0, seconds: 0, megabytes: 0 };
  const report = (index, message) => {
    total.faults += 1;
    console.error(`${name}, file ${index}: ${message}`);
  };
  for (let start = from; start < from + mutations; ) {
    const end = Math.min(from + mutations, start + SLICE);
    let last;
    let ended = false;
    const how = await run([name, start, end], (message) => {
      if (message.fault !== undefined) report(message.fault, message.message);
      else last = message;
      ended ||= message.done === true;
    });
    // Without a word, the child did not come as far as reading.
    if (last === undefined) throw new Error(how);
    total.refused += last.refused ?? 0;
    total.read += last.read ?? 0;
    total.seconds = Math.max(total.seconds, (last.slowest?.milliseconds ?? 0) / 1000);
    total.megabytes = Math.max(total.megabytes, last.megabytes ?? 0);
    if (total.seconds > SLOW) report(last.slowest.at, `takes more than ${SLOW} s`);
    if (!ended) report(last.at, how);
    start = ended ? end : last.at + 1;
  }
  faults += total.faults;
  rows.push(
    `| ${name} | ${mutations.toLocaleString('en-US')} | ${total.refused.toLocaleString('en-US')} | ${total.read.toLocaleString('en-US')} | ${total.faults} | ${(1000 * total.seconds).toFixed(0)} ms | ${total.megabytes.toFixed(0)} MiB |`,
  );
  console.error(rows.at(-1));
}
console.log('| format | damaged files | refused | read | faults | slowest | memory |\n|---|---|---|---|---|---|---|');
for (const row of rows) console.log(row);
process.exitCode = faults > 0 ? 1 : 0;
