// `gossamer predict`

import { Command } from 'commander';
import { featuresFromTable, readSafetensors, writeCsv } from '../data/index.js';
import { readBytes, readText, writeFileAtomic } from '../data/node.js';
import { perceptronFrom } from '../hypergraph/index.js';
import { inference } from '../nn/index.js';
import { scope, softmax } from '../tensor/index.js';

const examples = `
Examples
  gossamer predict runs/mine/model.safetensors new-vertices.csv
  gossamer predict model.safetensors features.csv --out predictions.csv

The table has a header \`vertex,…\` and the same feature columns as in training; no hypergraph is needed.`;

export function predictCommand(): Command {
  return new Command('predict')
    .description('classify vertices by their features with the student that a run of lighthgnn saved')
    .argument('<model>', 'model.safetensors of a run')
    .argument('<features>', 'table of features')
    .option('--out <file>', 'file for the predictions; standard output when left out')
    .addHelpText('after', examples)
    .action(predict);
}

function predict(modelPath: string, featuresPath: string, { out }: { readonly out?: string }): void {
  const { tensors, metadata } = readSafetensors(readBytes(modelPath), modelPath);
  const student = perceptronFrom(tensors);
  const { vertexNames, features } = featuresFromTable(readText(featuresPath), featuresPath);
  const expected = student.blocks[0]?.linear.inFeatures;
  if (features.shape[1] !== expected) {
    throw new Error(`"${featuresPath}" has ${features.shape[1]} features a vertex, the model expects ${expected}`);
  }
  const classes: string[] = JSON.parse(metadata.classes ?? '[]');
  const probabilities = scope(() => softmax(student.forward(features, inference)).dataSync());
  const count = student.head.outFeatures;
  const rows = vertexNames.map((vertex, v) => {
    const own = probabilities.subarray(v * count, (v + 1) * count);
    const best = own.indexOf(Math.max(...own));
    return [vertex, classes[best] ?? best, (own[best] as number).toFixed(4)];
  });
  const table = writeCsv(['vertex', 'prediction', 'probability'], rows);
  if (out) writeFileAtomic(out, table);
  else process.stdout.write(table);
}
