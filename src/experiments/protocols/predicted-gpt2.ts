// The size claims of LoGAH: a GPT-2 of 774 million parameters, predicted into a file tensor by
// tensor, loaded and run; and how the size of the hypernetwork grows with the widest layer.

import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SafetensorsReader, safetensorsPieces } from '../../data/index.js';
import { writeFileAtomic } from '../../data/node.js';
import {
  graphOf,
  LoGAH,
  type LoGAHOptions,
  logahPresets,
  parameterTotals,
  predictedTensors,
  predictionReport,
} from '../../hypernet/index.js';
import { GPT2, type GPT2Options, gpt2Defaults, gpt2Presets } from '../../models/index.js';
import { crossEntropy, parameters } from '../../nn/index.js';
import { Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';

/** Hypernetwork that covers a vocabulary of 50,257 rows without repeating any. */
const HYPERNET: LoGAHOptions = { ...logahPresets['logah-tiny-gpt'], maxWidth: 4096 };
/** Tokens of the forward pass. */
const TOKENS = 32;

/** Sizes that can be asked for; `small` is for smoke runs. */
export const predictedSizes = ['gpt2-large', 'gpt2', 'small'] as const;

const architectures: Readonly<Record<(typeof predictedSizes)[number], GPT2Options>> = {
  ...{ 'gpt2-large': gpt2Presets['gpt2-large'], gpt2: gpt2Presets.gpt2 },
  small: { vocabulary: 97, context: 32, features: 24, layers: 2, heads: 2 },
};

/** Streams the weights of a GPT-2 into a file, measures memory and time, and runs the file. */
export function predictedGPT2(size: (typeof predictedSizes)[number], { progress }: RunContext): StudyResults {
  const options = architectures[size];
  const ghn = new LoGAH(new Random(0), HYPERNET);
  const path = join(tmpdir(), `gossamer-${process.pid}-${size}.safetensors`);
  const before = process.memoryUsage().rss;
  const started = performance.now();
  let [count, peak] = [0, before];
  try {
    const graph = graphOf({ family: 'gpt2', ...options });
    const report = predictionReport(ghn, graph);
    const tensors = Array.from(predictedTensors(ghn, ghn.encode(graph)), ({ name, shape, values }) => ({
      name,
      shape,
      *values() {
        for (const part of values()) {
          count += part.length;
          peak = Math.max(peak, process.memoryUsage().rss);
          yield part;
        }
        progress('predicting', count / report.predicted);
      },
    }));
    writeFileAtomic(path, safetensorsPieces(tensors, { format: 'pt' }));
    const seconds = (performance.now() - started) / 1000;
    const loss = lossOfFile(path, options);
    const memory = (peak - before) / 1e6;
    return studyOf(
      {
        title: `A GPT-2 predicted into a file: ${size}`,
        note: 'LoGAH-Tiny of width 4096, untrained, with our cap on channels. Memory is the largest resident set of the process while it predicts, less the one before; the loss is that of random tokens.',
        columns: ['parameters', 'predicted', 'repeated tensors', 'file, MB', 'memory, MB', 'seconds', 'loss, nats'],
        rows: [
          [
            ...[report.total, report.predicted].map((value) => value.toLocaleString('en-US')),
            ...[report.tiled.length, Math.round(statSync(path).size / 1e6), Math.round(memory)],
            ...[seconds.toFixed(1), loss.toFixed(2)],
          ],
        ],
      },
      { predicted: count, memory, finite: Number(Number.isFinite(loss)), repeated: report.tiled.length },
    );
  } finally {
    rmSync(path, { force: true });
  }
}

/** Loss of a GPT-2 in a file on random tokens; one block is in memory at a time. */
function lossOfFile(path: string, options: GPT2Options): number {
  const { layers, vocabulary } = gpt2Defaults(options);
  const file = openSync(path, 'r');
  try {
    const reader = new SafetensorsReader({
      name: path,
      size: statSync(path).size,
      read: (target, position) => void readSync(file, target, 0, target.byteLength, position),
    });
    const one = new GPT2(new Random(0), { ...options, layers: 1 });
    const fill = (stored: (name: string) => string, own: (name: string) => boolean) => {
      for (const [name, weight] of Object.entries(parameters(one)))
        if (own(name)) scope(() => weight.assign(reader.tensor(stored(name))));
    };
    const isBlock = (name: string) => name.startsWith('transformer.h.');
    fill(
      (name) => name,
      (name) => !isBlock(name),
    );
    const random = new Random(1);
    const tokens = tensor(
      Int32Array.from({ length: TOKENS }, () => random.integer(vocabulary)),
      [1, TOKENS],
    );
    let x: Tensor = one.embed(tokens);
    for (let layer = 0; layer < layers; layer++) {
      fill((name) => name.replace('.h.0.', `.h.${layer}.`), isBlock);
      x = scope(() => one.transformer.h[0]?.forward(x) as Tensor);
    }
    const logits = reshape(one.logits(x), [TOKENS, vocabulary]);
    return crossEntropy(logits, reshape(tokens, [TOKENS])).item();
  } finally {
    closeSync(file);
  }
}

const GPT2_LARGE = 774_030_080;

/** Totals of hypernetworks beside each other, exact, and their growth with the widest layer. */
export function weightTotals(): StudyResults {
  const widths = [512, 1024, 2048, 4096, 8192];
  const total = (options: LoGAHOptions) => parameterTotals(options).total;
  const lowRank = widths.map((maxWidth) => total({ maxWidth }));
  const blocks = widths.map((block) => total({ decoder: 'tiling', block, classes: 1000 }));
  const [tiny, small] = [total({ maxWidth: 8192 }), total(logahPresets['logah-small'])];
  const full = total({ decoder: 'tiling', block: 2048, classes: 1000 });
  const show = (value: number) => value.toLocaleString('en-US');
  const slope = ((lowRank[4] as number) - (lowRank[3] as number)) / 4096;
  return studyOf(
    {
      title: 'Parameters of hypernetworks by the widest layer that is decoded whole',
      note:
        'As the released code counts them, with parts that it does not use; width 64, rank 32, 3 layers. GHN-3 without repetition decodes blocks of this width. ' +
        `GPT-2 Large has ${(GPT2_LARGE / tiny).toFixed(0)} times the parameters of LoGAH-Tiny at 8192, GHN-3 with blocks of 2048 has ${(full / small).toFixed(0)} times those of LoGAH-Small (${show(small)}). ` +
        `With the vocabularies of language models LoGAH-Tiny has ${show(total(logahPresets['logah-tiny-gpt']))}.`,
      columns: ['widest layer', 'LoGAH', 'GHN-3, whole blocks'],
      rows: widths.map((width, i) => [width, show(lowRank[i] as number), show(blocks[i] as number)]),
      plot: {
        kind: 'line',
        title: 'Parameters by the widest layer',
        x: 'widest layer',
        y: 'parameters, millions',
        logarithmic: true,
        points: widths.flatMap((x, i) => [
          { method: 'LoGAH', x, y: (lowRank[i] as number) / 1e6 },
          { method: 'GHN-3', x, y: (blocks[i] as number) / 1e6 },
        ]),
      },
    },
    {
      ...{ tiny2048: lowRank[2] as number, tiny, small, full, slope },
      toTarget: GPT2_LARGE / tiny,
      toFull: full / small,
      // Doubling the width doubles the growing part of one, and multiplies that of the other by 4.
      quadratic: ((blocks[4] as number) - (blocks[3] as number)) / ((blocks[3] as number) - (blocks[2] as number)),
    },
  );
}
