// Runs in a browser's worker: loads a saved plan and answers with its outputs for some images.

import { tensor } from '/dist/index.js';
import { loadPlan } from '/dist/trace/index.js';

self.onmessage = ({ data }) => {
  const plan = loadPlan(Uint8Array.from(data.plan));
  postMessage(data.images.map((image) => Array.from(plan.run(tensor(image, [1, 1, 28, 28]))[0].dataSync())));
};
postMessage('ready');
