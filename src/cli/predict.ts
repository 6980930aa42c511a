// `gossamer predict`

import { Command } from 'commander';
import { featuresFromTable, readSafetensors, writeCsv } from '../data/index.js';
import { loadTable, readBytes, readText, writeFileAtomic } from '../data/node.js';
import { perceptronFrom } from '../hypergraph/index.js';
import { classesOf, TableModel } from '../hypernet/index.js';
import { inference } from '../nn/index.js';
import { scope, softmax } from '../tensor/index.js';

const examples = `
Examples
  gossamer predict model.safetensors new.csv -o predictions.csv          rows of a table, by a model of gossamer fit
  gossamer predict runs/mine/model.safetensors new-vertices.csv          vertices, by a student of lighthgnn

A table has the columns of training, in any order and maybe others; the result holds the class of each row and the probability of all classes. A table of vertices has a header \`vertex,…\` and the same feature columns as in training; no
hypergraph is needed.`;

export function predictCommand(): Command {
  return new Command('predict')
    .description('classify the rows of a table with a saved model')
    .argument('<model>', 'model of gossamer fit, or model.safetensors of a run of lighthgnn')
    .argument('<table>', '.csv, .tsv or .txt, for models of fit also .gz and .parquet')
    .option('-o, --out <file>', 'file for the predictions; standard output when left out')
    .addHelpText('after', examples)
    .action(predict);
}

async function predict(modelPath: string, tablePath: string, { out }: { readonly out?: string }): Promise<void> {
  const bytes = readBytes(modelPath);
  const { metadata } = readSafetensors(bytes, modelPath);
  const table = metadata.table ? await rowsOf(bytes, modelPath, tablePath) : verticesOf(bytes, modelPath, tablePath);
  if (out) writeFileAtomic(out, table);
  else process.stdout.write(table);
}

/** Classes of the rows of a table, by a model of `gossamer fit`. */
async function rowsOf(bytes: Uint8Array, modelPath: string, tablePath: string): Promise<string> {
  const model = TableModel.load(bytes, modelPath);
  const { encoders } = model.features;
  const categorical = (column: string) => encoders.some(({ kind, name }) => kind === 'category' && name === column);
  const table = await loadTable(tablePath, { categorical });
  const probabilities = model.predictProba(table, (column, categories) =>
    process.stderr.write(
      `note: column "${column}" holds ${categories.slice(0, 5).join(', ')}${categories.length > 5 ? ', …' : ''}, which training did not know\n`,
    ),
  );
  const count = model.classes.length;
  const codes = classesOf(probabilities, count);
  return writeCsv(
    ['row', model.target, 'probability', ...model.classes.map((name) => `p(${name})`)],
    Array.from(codes, (code, row) => {
      const own = Array.from(probabilities.subarray(row * count, (row + 1) * count), (p) => p.toFixed(4));
      return [row + 1, model.classes[code] as string, own[code] as string, ...own];
    }),
  );
}

/** Classes of vertices, by a student of lighthgnn. */
function verticesOf(bytes: Uint8Array, modelPath: string, featuresPath: string): string {
  const { tensors, metadata } = readSafetensors(bytes, modelPath);
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
  return writeCsv(['vertex', 'prediction', 'probability'], rows);
}
