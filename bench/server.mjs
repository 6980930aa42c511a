// How long a request holds the event loop of `gossamer serve`: for each kind of request the longest
// delay of a timer in the server's process and the slowest answer of /health meanwhile. The model has
// 0.5 billion random weights in Q4_0.
//
//   node bench/server.mjs

import { fork } from 'node:child_process';
import { setTimeout as after } from 'node:timers/promises';
import { shapeFile } from '../dist/lm/node.js';

const path = (name) => new URL(name, import.meta.url).pathname;
const server = fork(path('../dist/cli/main.js'), ['serve', shapeFile('qwen2-0.5b'), '--port', '0', '--quiet'], {
  execArgv: ['--import', path('loop-delay.mjs')],
  silent: true,
});
server.stderr.pipe(process.stderr);
const address = await new Promise((resolve, reject) => {
  server.once('exit', () => reject(new Error('the server did not start')));
  server.stdout.on('data', (text) => resolve(/http:\/\/[^/]+/.exec(String(text))?.[0]));
});

const model = (await (await fetch(`${address}/v1/models`)).json()).data[0].id;
const post = async (endpoint, body) =>
  (
    await fetch(address + endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, ...body }),
    })
  ).text();
const words = (count) => Array.from({ length: count }, (_, i) => `w${(i * 7919) % 100}`).join(' ');
const messages = [{ role: 'user', content: words(500) }];
const sampled = { temperature: 1, top_k: 0, top_p: 0.95, max_tokens: 32 };

const kinds = {
  nothing: () => after(2000),
  'a prompt of 2,000 tokens': () => post('/v1/completions', { prompt: words(520), max_tokens: 1 }),
  'a conversation, 32 tokens': () => post('/v1/chat/completions', { messages, max_tokens: 32 }),
  'the same, sampled from the whole vocabulary': () => post('/v1/chat/completions', { messages, ...sampled }),
  'the same with 20 log-probabilities': () =>
    post('/v1/chat/completions', { messages, ...sampled, logprobs: true, top_logprobs: 20 }),
  'four at once': () =>
    Promise.all([1, 2, 3, 4].map((i) => post('/v1/completions', { prompt: `${i} ${words(100)}`, ...sampled }))),
  'an embedding of 2,000 tokens': () => post('/v1/embeddings', { input: words(520) }),
  'a prompt of 900 kB, too long': () => post('/v1/completions', { prompt: words(220_000) }),
  'tokens of 900 kB': () => post('/tokenize', { content: words(220_000) }),
};

/** Asks for /health until the signal aborts. @returns milliseconds of the slowest answer */
async function slowestHealth(signal) {
  let slowest = 0;
  while (!signal.aborted) {
    const began = performance.now();
    await (await fetch(`${address}/health`)).text();
    slowest = Math.max(slowest, performance.now() - began);
    await after(5);
  }
  return slowest;
}

const asked = (message) =>
  new Promise((resolve) => {
    server.once('message', resolve);
    server.send(message);
  });

console.log('| request | seconds | longest delay | slowest /health |\n|---|---|---|---|');
for (const [title, request] of Object.entries(kinds)) {
  await asked('reset');
  const end = new AbortController();
  const health = slowestHealth(end.signal);
  const began = performance.now();
  await request();
  const seconds = (performance.now() - began) / 1000;
  end.abort();
  const slowest = await health;
  const delay = await asked('delay');
  console.log(`| ${title} | ${seconds.toFixed(1)} | ${delay.toFixed(0)} ms | ${slowest.toFixed(0)} ms |`);
}
server.kill();
