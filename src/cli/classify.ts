// `gossamer classify`

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { decodePicture, isPicture, writeCsv } from '../data/index.js';
import { readBytes, writeFileAtomic } from '../data/node.js';
import { setThreads } from '../engine/index.js';
import { ImagePredictor } from '../vision/index.js';
import { number } from './arguments.js';

interface Flags {
  readonly top: number;
  readonly out?: string;
  readonly threads?: number;
}

const examples = `
Examples
  gossamer classify model.safetensors cat.jpg dog.png
  gossamer classify model.safetensors photos/ --top 3 -o classes.csv

Pictures are scaled to cover the size that the model was trained for. Standard output, or --out, gets picture,rank,class,probability. Pictures that cannot be read are named on standard error and left out, and the exit code is then 2.`;

export function classifyCommand(): Command {
  return new Command('classify')
    .description('name the classes of pictures')
    .argument('<model>', 'model of gossamer train or gossamer compress')
    .argument('<images...>', 'pictures, or folders of pictures')
    .option('--top <k>', 'classes to list for each', number(1), 1)
    .option('-o, --out <file>', 'table; standard output when left out')
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', examples)
    .action(classify);
}

async function classify(modelPath: string, paths: readonly string[], { top, out, threads }: Flags): Promise<void> {
  if (threads !== undefined) setThreads(threads);
  const predictor = ImagePredictor.load(readBytes(modelPath), modelPath);
  const { classes, height, width } = predictor.description;
  const files = paths.flatMap(picturesIn);
  if (files.length === 0) throw new Error(`${paths.join(', ')}: no pictures there`);
  const rows: (string | number)[][] = [];
  for (const file of files) {
    const picture = await decodePicture(readBytes(file), { height, width }).catch((error: Error) => {
      process.stderr.write(`"${file}" is left out: ${error.message.replace('decodePicture: ', '')}\n`);
      process.exitCode = 2;
    });
    if (!picture) continue;
    const probabilities = predictor.predictProba(picture);
    const order = Array.from(classes.keys()).sort(
      (a, b) => (probabilities[b] as number) - (probabilities[a] as number),
    );
    order.slice(0, top).forEach((code, rank) => {
      rows.push([file, rank + 1, classes[code] as string, (probabilities[code] as number).toFixed(4)]);
    });
  }
  const table = writeCsv(['picture', 'rank', 'class', 'probability'], rows);
  if (out) writeFileAtomic(out, table);
  else process.stdout.write(table);
}

function picturesIn(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return picturesIn(join(path, entry.name));
      return isPicture(entry.name) ? [join(path, entry.name)] : [];
    });
}
