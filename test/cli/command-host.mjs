// A process that runs the command line again and again: each command has its own arguments, working
// folder, output, exit code and number of threads.

import { pathToFileURL } from 'node:url';

const [, , main] = process.argv;
const { setThreads, threads } = await import(new URL('../index.js', pathToFileURL(main)));
const usual = threads();
const own = ['message', 'disconnect', 'exit'];
let count = 0;

class Exit extends Error {}

process.exit = (code) => {
  process.exitCode = code ?? process.exitCode;
  throw new Exit('the command ended');
};

/** Collects what is written to a stream. */
function captured(stream) {
  const pieces = [];
  stream.write = (piece, encoding, callback) => {
    pieces.push(
      typeof piece === 'string' ? Buffer.from(piece, typeof encoding === 'string' ? encoding : 'utf8') : piece,
    );
    const then = typeof encoding === 'function' ? encoding : callback;
    if (then) queueMicrotask(then);
    return true;
  };
  return () => Buffer.concat(pieces).toString('utf8');
}

process.on('message', async ({ args, folder }) => {
  process.chdir(folder);
  process.argv = [process.execPath, main, ...args];
  process.exitCode = undefined;
  const [stdout, stderr] = [captured(process.stdout), captured(process.stderr)];
  let status;
  try {
    count += 1;
    await import(`${pathToFileURL(main)}?${count}`);
    status = process.exitCode ?? 0;
  } catch (error) {
    if (!(error instanceof Exit)) process.stderr.write(`${error.stack}\n`);
    status = error instanceof Exit ? (process.exitCode ?? 0) : 1;
  }
  for (const name of process.eventNames()) if (!own.includes(name)) process.removeAllListeners(name);
  setThreads(usual);
  process.send({ status, stdout: stdout(), stderr: stderr() });
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
