// Runs in a browser's worker: goes on with a prompt by a GGUF file.

import { readGguf } from '/dist/data/index.js';
import { generate, LanguageModel } from '/dist/lm/index.js';

self.onmessage = async ({ data: { file, prompt } }) => {
  const model = LanguageModel.fromGguf(readGguf(Uint8Array.from(file)));
  const made = [];
  for await (const token of generate(model, prompt, { temperature: 0, maxTokens: 12 })) made.push(token);
  postMessage(made);
};
postMessage('ready');
