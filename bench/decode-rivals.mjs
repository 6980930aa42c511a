// The same GGUF file (0.5 billion random weights in Q4_0) in Gossamer, in llama.cpp compiled to
// WebAssembly (wllama, in Chromium) and in llama.cpp as native code (node-llama-cpp): a prompt of
// 256 tokens, then tokens one by one; the best of three rounds, but for wllama, which takes too
// long.
//
//   npm install --prefix bench --ignore-scripts && node bench/decode-rivals.mjs [--threads 1,2]
//   [--tokens 48] [--file model.gguf]
//
// --file takes another model, such as that of `gossamer lm bench --shape`; one of more than 2 GB does not
// fit wllama.

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { rolldown } from 'rolldown';
import { setThreads } from '../dist/index.js';
import { generate } from '../dist/lm/index.js';
import { loadLanguageModel, shapeFile } from '../dist/lm/node.js';
import { best, generationRates } from './generation-rates.mjs';
import { columns } from './in-turns.mjs';

const { values: flags } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2' },
    tokens: { type: 'string', default: '48' },
    file: { type: 'string' },
  },
});
const threads = flags.threads.split(',').map(Number);
const tokens = Number(flags.tokens);
const path = flags.file ?? shapeFile('qwen2-0.5b');
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const prompt = Array.from({ length: 256 }, (_, i) => 65 + ((i * 7) % 26));
const rows = [];
const report = (name, count, prefill, decode) =>
  rows.push([name, String(count), prefill.toFixed(1), decode.toFixed(1)]);

async function gossamerInNode() {
  const { model, close } = loadLanguageModel(path, { onProgress: () => {} });
  for (const count of threads) {
    setThreads(count);
    report(
      `Gossamer, Node ${process.versions.node}`,
      count,
      ...(await generationRates(generate, model, prompt, tokens)),
    );
  }
  close();
}

async function llamaNative() {
  const found = await import('node-llama-cpp').catch(() => undefined);
  if (!found) return console.error('node-llama-cpp is not installed');
  const llama = await found.getLlama({ gpu: false, build: 'never', logLevel: 'error' });
  const model = await llama.loadModel({ modelPath: path });
  for (const count of threads) {
    const context = await model.createContext({ contextSize: 1024, threads: count });
    const sequence = context.getSequence();
    const rates = await best(async () => {
      await sequence.clearHistory();
      const started = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt);
      const read = performance.now();
      let made = 0;
      for await (const _ of sequence.evaluate([65], { temperature: 0 })) if (++made >= tokens) break;
      return [(1000 * prompt.length) / (read - started), (1000 * made) / (performance.now() - read)];
    });
    report('llama.cpp, native', count, ...rates);
    await context.dispose();
  }
}

/** Prompts after which both find the same of 151,936 tokens most probable. */
async function agreement(count) {
  const found = await import('node-llama-cpp').catch(() => undefined);
  if (!found) return;
  const llama = await found.getLlama({ gpu: false, build: 'never', logLevel: 'error' });
  const context = await (await llama.loadModel({ modelPath: path })).createContext({ contextSize: 256 });
  const sequence = context.getSequence();
  const { model, close } = loadLanguageModel(path);
  let same = 0;
  for (let k = 0; k < count; k++) {
    const own = Array.from({ length: 3 + k }, (_, i) => (i * 7919 + k * 104729 + 13) % 150_000);
    await sequence.clearHistory();
    const theirs = await sequence.evaluate(own, { temperature: 0 }).next();
    const ours = await generate(model, own, { maxTokens: 1, temperature: 0 }).next();
    same += Number(theirs.value === ours.value);
  }
  close();
  console.log(`next tokens as llama.cpp's: ${same} of ${count}`);
}

const types = { js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' };

/** Serves wllama, the model and a script to an isolated page. */
async function serve(script) {
  const server = createServer((request, response) => {
    const url = request.url.split('?')[0];
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Content-Type', types[url.split('.').at(-1)] ?? 'text/html');
    if (url === '/') return response.end('<!doctype html><title>bench</title>');
    if (url === '/worker.mjs') return response.end(script);
    const file = url === '/model.gguf' ? path : join(root, 'bench/node_modules/@wllama/wllama/esm', url);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('Content-Length', statSync(file).size);
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function inChromium() {
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
    (file) => file && existsSync(file),
  );
  if (!executablePath) return console.error('there is no Chromium');
  const bundle = await rolldown({
    input: join(root, 'bench/decode-worker.mjs'),
    platform: 'browser',
    external: [/^node:/],
    logLevel: 'silent',
    plugins: [{ name: 'dist', resolveId: (id) => (id.startsWith('/dist/') ? join(root, id) : undefined) }],
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  const server = await serve(output[0].code);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-background-networking'] });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const ours = await page.evaluate(
    (order) =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/worker.mjs', { type: 'module' });
        worker.onmessage = ({ data: { ready, results, error } }) => {
          if (ready) worker.postMessage(order);
          else if (error) reject(new Error(error));
          else resolve(results);
        };
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
    { threads, prompt, tokens },
  );
  ours.forEach((rates, i) => {
    report('Gossamer, Chromium', threads[i], ...rates);
  });
  if (!existsSync(join(root, 'bench/node_modules/@wllama/wllama'))) console.error('wllama is not installed');
  else if (statSync(path).size > 2 ** 31) console.error('wllama takes no file of more than 2 GiB');
  else
    for (const count of threads) {
      const timings = await page.evaluate(
        async ({ text, tokens, count }) => {
          const { Wllama } = await import('/index.js');
          const wllama = new Wllama({ default: '/wasm/wllama.wasm' }, { suppressNativeLog: true });
          const blob = await (await fetch('/model.gguf')).blob();
          await wllama.loadModel([blob], { n_threads: count, n_ctx: 1024, n_gpu_layers: 0 });
          const { timings } = await wllama.createCompletion({
            ...{ prompt: text, max_tokens: tokens, temperature: 0, ignore_eos: true },
          });
          await wllama.exit();
          return timings;
        },
        { text: String.fromCharCode(...prompt), tokens, count },
      );
      report('llama.cpp, wllama in Chromium', count, timings.prompt_per_second, timings.predicted_per_second);
    }
  await browser.close();
  server.close();
}

await gossamerInNode();
await llamaNative();
await inChromium();
await agreement(20);
console.log(columns([['', 'threads', 'prompt (tokens/s)', 'answer (tokens/s)'], ...rows]));
process.exit(0);
