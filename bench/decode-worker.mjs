// Gossamer in a page's worker: tokens a second of a GGUF file.

import { readGguf } from '/dist/data/index.js';
import { setThreads } from '/dist/index.js';
import { generate, LanguageModel } from '/dist/lm/index.js';

async function measure({ threads, prompt, tokens }) {
  const file = readGguf(new Uint8Array(await (await fetch('/model.gguf')).arrayBuffer()));
  const model = LanguageModel.fromGguf(file);
  model.load();
  const results = [];
  for (const count of threads) {
    setThreads(count);
    const best = { threads: count, prefill: 0, decode: 0 };
    for (let round = 0; round < 3; round++) {
      const cache = model.cache({ limit: 1024, format: 'f16' });
      let prefill = 0;
      const options = { maxTokens: tokens, temperature: 0, cache, onPrefill: (_, seconds) => (prefill = seconds) };
      const started = performance.now();
      let made = 0;
      for await (const _ of generate(model, prompt, options)) made += 1;
      const seconds = (performance.now() - started) / 1000 - prefill;
      best.prefill = Math.max(best.prefill, prompt.length / prefill);
      best.decode = Math.max(best.decode, made / seconds);
      cache.dispose();
    }
    results.push(best);
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
