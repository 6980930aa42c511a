// A thread that passes commands on to a process, one at a time, so that tests can wait for them:
// those of tests come as messages, those of shell scripts (command-client.mjs) through a socket.

import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { main, socket } = workerData;

/** Commands of a process: what they left in memory goes with it. */
const COMMANDS = 25;

let host;
let left = 0;

function ready() {
  if (left === 0) {
    host?.kill();
    host = fork(join(import.meta.dirname, 'command-host.mjs'), [main], { stdio: 'ignore' });
    left = COMMANDS;
  }
  left -= 1;
  return host;
}

function answerTo(request) {
  const own = ready();
  return new Promise((resolve) => {
    const answered = (answer) => {
      own.removeListener('message', answered);
      own.removeListener('exit', ended);
      resolve(answer);
    };
    const ended = (status, signal) => {
      left = 0;
      answered({ status: status ?? 1, stdout: '', stderr: `the process ended with ${signal ?? status}\n` });
    };
    own.on('message', answered);
    own.on('exit', ended);
    own.send(request);
  });
}

let last = Promise.resolve();
function queued(request) {
  const answer = last.then(() => answerTo(request));
  last = answer;
  return answer;
}

parentPort.on('message', async ({ args, folder, done, port }) => {
  port.postMessage(await queued({ args, folder }));
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});

createServer({ allowHalfOpen: true }, (connection) => {
  let text = '';
  connection.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  connection.on('end', async () => connection.end(JSON.stringify(await queued(JSON.parse(text)))));
}).listen(socket);
