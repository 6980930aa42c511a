// Runs in a browser's worker: opens a model of a hub in the page's storage, and goes on with a text.

import { generate, openHubModel } from '/dist/lm/index.js';

self.onmessage = async ({ data: { name, options, prompt } }) => {
  try {
    const progress = [];
    const bundle = await openHubModel(name, { ...options, onProgress: (done) => progress.push(done) });
    const made = [];
    for await (const token of generate(bundle.model, prompt, { temperature: 0, maxTokens: 8 })) made.push(token);
    bundle.close();
    postMessage({ made, progress });
  } catch (error) {
    postMessage({ error: error.message });
  }
};
postMessage('ready');
