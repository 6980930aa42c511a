// `gossamer fit`

import { Command, Option } from 'commander';
import { type LabelledTable, labelledTable } from '../data/index.js';
import { interruptSignal, loadTable, requireWritable, writeFileAtomic } from '../data/node.js';
import { summarize } from '../experiments/index.js';
import { crossValidate, type FoldScore, type TableMethod, TableModel, tableMethods } from '../hypernet/index.js';
import { Random } from '../tensor/index.js';
import { list, maxBytesOption, number } from './arguments.js';
import { Bar } from './bar.js';
import { useThreads } from './threads.js';

const names = Object.keys(tableMethods) as TableMethod[];

interface Flags {
  readonly target: string;
  readonly out: string;
  readonly methods: string[];
  readonly folds: number;
  readonly categorical: string[];
  readonly ignore: string[];
  readonly balance: boolean;
  readonly views: number;
  readonly epochs: number;
  readonly subsample: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly threads?: number;
  readonly json: boolean;
  readonly maxBytes?: number;
}

const examples = `
Examples
  gossamer fit table.csv --target outcome                        compares all methods, keeps the best in model.safetensors
  gossamer fit table.parquet --target species --methods hypertab,forest -o species.safetensors
  gossamer fit table.csv --target y --categorical zip,month --ignore id
  gossamer predict model.safetensors new.csv -o predictions.csv

Gaps are empty fields, NA, N/A, #N/A, NaN, null, none or ?, and in columns of numbers -, . and unknown. Columns of numbers are numbers unless --categorical names them, others are categories. Scores are means over stratified folds; the method of the best balanced accuracy (the mean over
classes of the share of their rows that is right) is then trained on all rows.`;

export function fitCommand(): Command {
  return new Command('fit')
    .description('train classifiers on a table, compare them by cross-validation and keep the best')
    .argument('<table>', '.csv, .tsv or .txt, each also .gz, or .parquet, with a header')
    .requiredOption('--target <column>', 'the column to predict')
    .option('-o, --out <file>', 'the model', 'model.safetensors')
    .addOption(new Option('--methods <list>', `some of ${names.join(', ')}`).argParser(list).default(names, 'all'))
    .option('--folds <n>', 'folds of cross-validation', number(2), 4)
    .option('--categorical <list>', 'columns of numbers that are codes of categories', list, [])
    .option('--ignore <list>', 'columns to leave out', list, [])
    .option('--no-balance', 'do not repeat rows of small classes in training')
    .option('--views <n>', 'HyperTab: views', number(1), 100)
    .option('--epochs <n>', 'HyperTab: epochs', number(1), 30)
    .option('--subsample <share>', 'HyperTab: share of the columns in a view', number(0, false), 0.5)
    .option('--learning-rate <rate>', 'HyperTab: learning rate', number(0, false), 1e-3)
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--json', 'print the result as JSON', false)
    .addOption(maxBytesOption())
    .addHelpText('after', examples)
    .action(fitTable);
}

async function fitTable(path: string, flags: Flags): Promise<void> {
  useThreads(flags.threads);
  const unknown = flags.methods.find((name) => !names.includes(name as TableMethod));
  if (unknown !== undefined) throw new Error(`unknown method "${unknown}"; known: ${names.join(', ')}`);
  const methods = flags.methods as TableMethod[];
  requireWritable(flags.out);
  const data = await readTable(path, flags);
  warnOf(data);
  const { views, epochs, subsample, learningRate, balance, folds } = flags;
  const training = { options: { hypertab: { views, epochs, subsample, learningRate } }, balance };
  const { signal, release } = interruptSignal();
  const bar = new Bar('cross-validation', 'fits', flags.json);
  try {
    const random = new Random(flags.seed);
    const done = { fits: 0 };
    const scores = await crossValidate(data, methods, random, {
      ...training,
      folds,
      signal,
      onScore: () => {
        done.fits += 1;
      },
      onProgress: (share) => bar.update(share, done.fits),
    });
    bar.close();
    const rows = methods.map((method) => summaryOf(method, scores));
    const best = rows.reduce((a, b) => (b.balanced.mean > a.balanced.mean ? b : a));
    if (!flags.json) process.stdout.write(table(path, data, rows));
    const model = await TableModel.train(best.method, data, flags.target, random.split('final'), {
      ...training,
      signal,
    });
    writeFileAtomic(flags.out, model.save());
    if (flags.json)
      process.stdout.write(`${JSON.stringify({ table: path, rows, best: best.method, model: flags.out })}\n`);
    else
      process.stdout.write(
        `\n${tableMethods[best.method].title}, trained on all ${data.labels.length} rows: ${flags.out}\n`,
      );
  } finally {
    bar.close();
    release();
  }
}

async function readTable(path: string, { target, categorical, ignore, maxBytes }: Flags): Promise<LabelledTable> {
  const all = await loadTable(path, { categorical, ...(maxBytes !== undefined && { maxBytes }) });
  const unknown = ignore.filter((name) => !all.columns.some((column) => column.name === name));
  if (unknown.length > 0) throw new Error(`--ignore names no column of the table: ${unknown.join(', ')}`);
  return labelledTable({ ...all, columns: all.columns.filter(({ name }) => !ignore.includes(name)) }, target);
}

/** Reports ignored columns and likely mistakes on standard error. */
function warnOf({ table }: LabelledTable): void {
  const say = (text: string) => process.stderr.write(`note: ${text}\n`);
  for (const { name, kind, values } of table.columns) {
    if (values.every((value) => value === undefined || Number.isNaN(value)))
      say(`column "${name}" holds no values and is left out`);
    const different = new Set<unknown>(values).size;
    if (kind === 'category' && different > 20 && different > table.rows / 2)
      say(
        `column "${name}" has ${different} different texts in ${table.rows} rows: an identifier? --ignore ${name} leaves it out`,
      );
  }
}

function summaryOf(method: TableMethod, scores: readonly FoldScore[]) {
  const folds = scores.filter((score) => score.method === method);
  const over = (key: 'balanced' | 'accuracy' | 'seconds') => summarize(folds.map((score) => score[key]));
  return { method, balanced: over('balanced'), accuracy: over('accuracy'), seconds: over('seconds') };
}

function table(
  path: string,
  { labels, classes, table }: LabelledTable,
  rows: readonly ReturnType<typeof summaryOf>[],
): string {
  const percent = ({ mean, sd }: { mean: number; sd: number }) =>
    `${(100 * mean).toFixed(1)} ± ${(100 * sd).toFixed(1)}`;
  const lines = rows.map(({ method, balanced, accuracy, seconds }) =>
    [
      tableMethods[method].title.padEnd(20),
      percent(balanced).padStart(21),
      percent(accuracy).padStart(14),
      seconds.mean.toFixed(2).padStart(12),
    ].join('  '),
  );
  return [
    `${path}: ${labels.length} rows, ${table.columns.length} columns, ${classes.length} classes`,
    '',
    `${'method'.padEnd(20)}  ${'balanced accuracy (%)'}  ${'accuracy (%)'.padStart(14)}  training (s)`,
    ...lines,
    '',
  ].join('\n');
}
