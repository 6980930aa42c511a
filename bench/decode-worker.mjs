// Gossamer in a page's worker: tokens a second of a GGUF file.

import { readGguf } from '/dist/data/index.js';
import { setThreads } from '/dist/index.js';
import { generate, LanguageModel } from '/dist/lm/index.js';
import { generationRates } from './generation-rates.mjs';

async function measure({ threads, prompt, tokens }) {
  const file = readGguf(new Uint8Array(await (await fetch('/model.gguf')).arrayBuffer()));
  const model = LanguageModel.fromGguf(file);
  model.load();
  const results = [];
  for (const count of threads) {
    setThreads(count);
    results.push(await generationRates(generate, model, prompt, tokens));
  }
  return results;
}

self.onmessage = ({ data }) =>
  measure(data).then(
    (results) => postMessage({ results }),
    (error) => postMessage({ error: error.message }),
  );
// The engine starts before the worker listens.
postMessage({ ready: true });
