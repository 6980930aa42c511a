// `gossamer lm merge`

import { Command } from 'commander';
import { modelDescription, readSafetensors, writeModelFile } from '../data/index.js';
import { readBytes, requireWritable, writeFileAtomic } from '../data/node.js';
import { averageWeights } from '../lm/index.js';
import { LANGUAGE_MODEL } from '../lm/node.js';
import { list } from './arguments.js';

const examples = `
Examples
  gossamer lm merge a.safetensors b.safetensors -o both.safetensors
  gossamer lm merge early.safetensors late.safetensors --weights 1,3 -o merged.safetensors

The models are checkpoints of one training, or trained on from one model: files of gossamer lm train of one form, with one vocabulary.`;

interface Flags {
  readonly out: string;
  readonly weights?: readonly string[];
}

export function mergeCommand(): Command {
  return new Command('merge')
    .description('average the weights of models of one form')
    .argument('<models...>', 'files of gossamer lm train')
    .option('-o, --out <file>', 'the model', 'merged.safetensors')
    .option('--weights <numbers>', 'what each counts, with commas; all alike when left out', list)
    .addHelpText('after', examples)
    .action(merge);
}

function merge(paths: readonly string[], { out, weights }: Flags): void {
  requireWritable(out);
  const numbers = weights?.map(Number);
  if (numbers && (numbers.length !== paths.length || numbers.some((one) => !(one >= 0))))
    throw new Error(
      `--weights ${weights?.join(',')}: ${paths.length} numbers of at least 0 are needed, one for each model`,
    );
  const files = paths.map((path) => {
    const { tensors, metadata } = readSafetensors(readBytes(path), path);
    return { path, tensors, description: modelDescription<object>(LANGUAGE_MODEL, metadata, path) };
  });
  const [first, ...others] = files;
  if (!first) return;
  // What a model was trained on may differ, its form and vocabulary may not.
  const formOf = ({ trained: _, ...form }: { readonly trained?: unknown }) => JSON.stringify(form);
  const differing = others.find(({ description }) => formOf(description) !== formOf(first.description));
  if (differing) throw new Error(`"${differing.path}" has another form or vocabulary than "${first.path}"`);
  const { trained: _, ...form } = first.description as { readonly trained?: unknown };
  const averaged = averageWeights(
    files.map(({ tensors }) => tensors),
    numbers,
  );
  writeFileAtomic(out, writeModelFile(LANGUAGE_MODEL, form, averaged));
  process.stdout.write(`${out}: average of ${paths.length} models\n`);
}
