// SoftHGNN: groups of tokens, found anew in each picture, are seen at a cost linear in the tokens.

import { defineExperiment } from '../parts/contract.js';
import { accuracy, latency, parameters, relabelled, seconds } from '../parts/metrics.js';
import { noStudies } from '../parts/studies.js';
import { runCounting } from '../protocols/canvas-counting.js';
import { neckTitles, runDetection } from '../protocols/canvas-detection.js';
import {
  BOXES,
  COUNTS,
  type ContextValues,
  contextClaims,
  contextOptions,
  GENERATED,
} from '../protocols/context-claims.js';
import { BATCH, runClassification } from '../protocols/context-classification.js';
import { speedStudy } from '../protocols/context-speed.js';
import { canvasData } from '../protocols/digit-canvases.js';
import { distinctTitles, drawDistinct, NONE_MAX, runDistinct } from '../protocols/distinct-count.js';
import { loadImageSet } from '../protocols/images.js';
import { contextTitles } from '../protocols/token-contexts.js';

const methodsOf: Readonly<Record<ContextValues['task'], readonly string[]>> = {
  distinct: distinctTitles,
  classify: contextTitles,
  count: contextTitles,
  detect: neckTitles,
};

/** Canvases: digits as they fall, to be counted, or apart, to be found. */
const kinds = { count: { most: 20, overlapping: true }, detect: { most: 6, overlapping: false } } as const;

/** The task of each data set. */
const tasks: Readonly<Record<string, ContextValues['task']>> = {
  [GENERATED]: 'distinct',
  cifar10: 'classify',
  [COUNTS]: 'count',
  [BOXES]: 'detect',
};

async function loadTask(source: string, values: ContextValues, onDownload?: (name: string) => void) {
  const task = Object.hasOwn(tasks, source) ? tasks[source] : undefined;
  if (!task) throw new Error(`data set "${source}" is not known; there are ${Object.keys(tasks).join(', ')}`);
  if (values.task !== task) throw new Error(`data set "${source}" is for the task ${task}, not ${values.task}`);
  if (task === 'distinct') return { task, data: undefined };
  if (task === 'classify') return { task, data: await loadImageSet(source, values, onDownload) };
  const digits = await loadImageSet('mnist', { images: 60_000, tests: 10_000 }, onDownload);
  return { task, data: canvasData(digits, values, kinds[task]) };
}

export const experiment = defineExperiment({
  options: contextOptions,
  datasets: Object.keys(tasks),
  ownData: 'none: use gossamer train --model vit-softhgnn, and gossamer fit --model count-softhgnn',
  presets: {
    [GENERATED]: { trials: 1 },
    cifar10: { task: 'classify', images: 1500, tests: 2000, epochs: 5, batch: 32 },
    [COUNTS]: { task: 'count', images: 600, tests: 500, epochs: 7, batch: 16 },
    [BOXES]: { task: 'detect', images: 600, tests: 400, epochs: 10, batch: 16 },
  },
  reproduction: [
    { data: GENERATED },
    { data: 'cifar10' },
    { data: COUNTS },
    { data: BOXES },
    { data: 'cifar10', set: { images: 5000, epochs: 20 }, long: true },
    { data: COUNTS, set: { images: 1500, epochs: 30 }, long: true },
    { data: BOXES, set: { images: 1500, epochs: 40 }, long: true },
  ],
  metrics: {
    accuracy: relabelled(accuracy, { digits: 2 }),
    gain: { label: 'over none', unit: 'points', digits: 2, better: 'larger' },
    mae: { label: 'MAE', digits: 3, better: 'smaller' },
    rmse: { label: 'RMSE', digits: 3, better: 'smaller' },
    ap50: { label: 'AP50', unit: '%', digits: 1, better: 'larger' },
    entropy: { label: 'entropy of use', digits: 2, better: 'larger' },
    dead: { label: 'unused hyperedges', digits: 1, better: 'smaller' },
    megaflops: { label: 'operations', unit: 'MFLOP', digits: 1, better: 'smaller' },
    parameters,
    latency: latency('one image'),
    batched: latency(`an image of ${BATCH}`),
    memory: { label: 'memory, one image', unit: 'MiB', digits: 1, better: 'smaller' },
    batchMemory: { label: `memory, ${BATCH} images`, unit: 'MiB', digits: 1, better: 'smaller' },
    seconds,
  },
  methods: ({ task }) => methodsOf[task],
  notes: ({ task, epochs, trials }) =>
    ({
      distinct: [
        `“${NONE_MAX}”: the largest of each channel sees by itself which classes occur, so that this control may win.`,
        'Entropy of use: of the shares of test examples that use each of 32 dynamic hyperedges; at most ln 32 = 3.47.',
      ],
      classify: [
        `One backbone, initial weights, batches and ${epochs} epochs for all. Learning rate (${trials} tried; of HGNN two more sizes of hyperedges) and epoch are chosen on a tenth of the training images; “over none” is paired by seed.`,
      ],
      count: [
        'RMSE is what the literature on crowds calls MSE. Learning rate and epoch are chosen on validation canvases.',
      ],
      detect: [
        'AP50: all-point average precision at an overlap of ½, the mean over classes. Operations of one canvas.',
      ],
    })[task],
  load: loadTask,
  describe: ({ task, data }) =>
    task === 'distinct'
      ? 'distinct count: 64 tokens of 12 classes, of which 1 … 12 occur'
      : task === 'classify'
        ? `${data.name}: ${data.train.count} training images, a tenth of them for validation, ${data.test.count} test images`
        : `${data.train.length} canvases of 96×96 with digits, ${data.validation.length} to choose on, ${data.test.length} to test`,
  runSeed(loaded, values, context) {
    if (loaded.task === 'distinct')
      return runDistinct(drawDistinct(values.images, values.tests, context.random.split('data')), values, context);
    if (loaded.task === 'classify') return runClassification(loaded.data, values, context);
    return loaded.task === 'count'
      ? runCounting(loaded.data, values, context)
      : runDetection(loaded.data, values, context);
  },
  studies: ({ task }, { tokens }, context) =>
    task === 'distinct' && tokens > 0 ? speedStudy(tokens, context) : noStudies,
  claims: contextClaims,
  unmeasured: {
    semantics: 'no set here says which tokens belong together in meaning; participation maps are in the report',
  },
});
