// Experts read from a disk, by when reads begin: before attention, after it, or one by one.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SafetensorsReader } from '../../data/index.js';
import { type FileBytes, openBytes } from '../../data/node.js';
import {
  type Disk,
  decoderConfig,
  decoderOf,
  LanguageModel,
  type StoreOptions,
  safetensorsWeights,
  trainLanguageModel,
  WeightStore,
} from '../../lm/index.js';
import type { Random } from '../../tensor/index.js';
import { scope } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { decoderFile, type TokenizedText } from './text.js';

/** A slow disk, and one whose reads of a layer take less time than its attention. */
const disks: Readonly<Record<string, Disk>> = {
  slow: { latency: 2e-3, bandwidth: 2e8 },
  fast: { latency: 2e-5, bandwidth: 4e9 },
};

const modes: Readonly<Record<string, { readonly share: number; readonly options: StoreOptions }>> = {
  'in memory': { share: 1, options: {} },
  'read before attention': { share: 0.25, options: { readAhead: 'early' } },
  'read after attention': { share: 0.25, options: { readAhead: 'late' } },
  'read one by one': { share: 0.25, options: { readAhead: 'never' } },
  'kept nowhere': { share: 0.25, options: { readAhead: 'late', keep: false } },
};

interface Sizes {
  readonly steps: number;
  readonly experts: number;
  /** Tokens of the prompt, and tokens made after it. */
  readonly prompt: number;
  readonly made: number;
}

/**
 * Scores by disk: `wait early` and `wait late` in ms a token, `different ids`, `order` (the least
 * of the steps of time from mode to mode, in ms), and `hidden`, 1 − wait early / wait late, where
 * attention takes as long as the reads of a layer.
 */
export async function offloadStudy(data: TokenizedText, sizes: Sizes, random: Random): Promise<StudyResults> {
  const { steps, experts: count, prompt, made } = sizes;
  const shape = { vocabulary: data.tokenizer.size, features: 64, layers: 4, heads: 4, headDim: 128, keyHeads: 4 };
  const config = decoderConfig({
    ...{ ...shape, hidden: 64, context: prompt + made + 1, activation: 'reglu' },
    experts: { count, k: 2, normalised: true, early: true },
  });
  const model = decoderOf(config, random.split('model'));
  await trainLanguageModel(model, data.tokens, random.split('fit'), { steps, batch: 8, length: 64 });
  const folder = mkdtempSync(join(tmpdir(), 'gossamer-offload-'));
  try {
    const path = join(folder, 'model.safetensors');
    writeFileSync(path, decoderFile({ model, config }, data));
    const expertBytes = config.layers * count * 3 * config.features * config.hidden * 4;
    const results = Object.entries(disks).map(([name, disk]) => {
      const runs = Object.entries(modes).map(([title, { share, options }]) => {
        const file = openBytes(path);
        const run = decode(file, { disk, ...options }, (all) => all - (1 - share) * expertBytes);
        file.close();
        return { title, ...run };
      });
      return { name, runs };
    });
    return tableOf(results, config.layers);
  } finally {
    rmSync(folder, { recursive: true });
  }

  function decode(file: FileBytes, options: StoreOptions, budget: (bytes: number) => number) {
    const { test } = data.tokens;
    const sourceOf = (store: WeightStore) =>
      new LanguageModel(config, safetensorsWeights([new SafetensorsReader(file)], store));
    const store = new WeightStore(Math.ceil(1.02 * budget(sourceOf(new WeightStore()).bytes)), options);
    const own = sourceOf(store);
    own.load();
    const cache = own.cache();
    const ids: number[] = [];
    let next = scope(() => own.forward(test.subarray(0, prompt), cache).argmax(1).item());
    const before = store.statistics;
    const started = performance.now();
    for (let i = 0; i < made; i++) {
      ids.push(next);
      const token = next;
      next = scope(() => own.forward([token], cache).argmax(1).item());
    }
    const seconds = (performance.now() - started) / 1000;
    const { waitSeconds, aheadSeconds, hits, misses } = store.statistics;
    cache.dispose();
    store.dispose();
    return {
      ids: ids.join(),
      milliseconds: (1000 * seconds) / made,
      wait: (1000 * (waitSeconds - before.waitSeconds)) / made,
      ahead: (1000 * (aheadSeconds - before.aheadSeconds)) / made,
      hits: (hits - before.hits) / Math.max(1, hits - before.hits + misses - before.misses),
    };
  }
}

interface Run {
  readonly title: string;
  readonly ids: string;
  readonly milliseconds: number;
  readonly wait: number;
  readonly ahead: number;
  readonly hits: number;
}

function tableOf(results: readonly { readonly name: string; readonly runs: readonly Run[] }[], layers: number) {
  const scores: Record<string, number> = {};
  const rows = results.flatMap(({ name, runs }) => {
    const [memory, early, late, single, nowhere] = runs as [Run, Run, Run, Run, Run];
    const limit = Math.min(1, early.ahead / single.wait);
    const hidden = 1 - early.wait / late.wait;
    const order = [memory, early, late, nowhere].map(({ milliseconds }) => milliseconds);
    Object.assign(scores, {
      [`wait early ${name}`]: early.wait,
      [`wait late ${name}`]: late.wait,
      [`order ${name}`]: Math.min(...order.slice(1).map((time, i) => time - (order[i] as number))),
      [`different ids ${name}`]: runs.filter(({ ids }) => ids !== memory.ids).length,
      ...(limit === 1 && { [`hidden ${name}`]: hidden }),
    });
    return runs.map(({ title, milliseconds, wait, hits }) => [
      ...[name, title, milliseconds.toFixed(2), wait.toFixed(2), (100 * hits).toFixed(0)],
      ...(title === early.title
        ? [(early.ahead / layers).toFixed(2), (single.wait / layers).toFixed(2), hidden.toFixed(2), limit.toFixed(2)]
        : ['', '', '', '']),
    ]);
  });
  return studyOf(
    {
      title: 'Experts read from a disk',
      note: `A model trained for this, whose heads are as wide as the releases’; memory for a quarter of its experts, the same prompt and text. Disks are emulated: slow, ${1000 * (disks.slow as Disk).latency} ms and 200 MB/s; fast, ${1000 * (disks.fast as Disk).latency} ms and 4 GB/s. Milliseconds a token; attention and reads: of one layer; hidden: 1 − wait before / wait after attention; limit: attention over reads, at most 1.`,
      columns: [
        ...['disk', 'experts', 'a token (ms)', 'waiting (ms)', 'in memory (%)'],
        ...['attention (ms)', 'reads (ms)', 'hidden', 'limit'],
      ],
      rows,
    },
    scores,
  );
}
