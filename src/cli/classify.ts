// `gossamer classify`

import { Command } from 'commander';
import { number } from './arguments.js';
import { openModelOf } from './models.js';
import { writeNote } from './output.js';
import { maxPixelsOption } from './pictures.js';
import { writePredictions } from './predict.js';
import { useThreads } from './threads.js';

interface Flags {
  readonly top: number;
  readonly maxPixels?: number;
  readonly out?: string;
  readonly threads?: number;
}

const examples = `
Examples
  gossamer classify model.safetensors cat.jpg dog.png
  gossamer classify model.safetensors photos/ --top 3 -o classes.csv

Pictures are scaled to cover the size that the model was trained for, transparent ones laid on its background. Standard output, or --out, gets picture,rank,class,probability. Pictures that cannot be read are named on standard error and left out, and the exit code is then 2.`;

export function classifyCommand(): Command {
  return new Command('classify')
    .description('name the classes of pictures')
    .argument('<model>', 'model of gossamer train or gossamer compress')
    .argument('<images...>', 'pictures, or folders of pictures')
    .option('--top <k>', 'classes to list for each', number(1), 1)
    .option('-o, --out <file>', 'table; standard output when left out')
    .addOption(maxPixelsOption())
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', examples)
    .action(classify);
}

async function classify(
  modelPath: string,
  paths: readonly string[],
  { top, maxPixels, out, threads }: Flags,
): Promise<void> {
  useThreads(threads);
  const model = await openModelOf(modelPath, 'image-classifier');
  writePredictions(
    await model.predict(paths, { top, note: writeNote, ...(maxPixels !== undefined && { maxPixels }) }),
    out,
  );
}
