// Estimators of tables, compared by cross-validation.

import { type Command, Option } from 'commander';
import {
  type ColumnTable,
  type LabelledTable,
  labelledTable,
  leftOutOf,
  noteText,
  type RareClasses,
  tableRows,
  type ValuedTable,
  valuedTable,
  withoutGaps,
  withoutRare,
} from '../../data/index.js';
import { interruptSignal, loadTable, writeFileAtomic } from '../../data/node.js';
import { summarize } from '../../experiments/index.js';
import { chooseOptions } from '../../experiments/parts/table-spaces.js';
import {
  crossValidate,
  crossValidateValues,
  type FoldScore,
  type HyperTabOptions,
  type MethodOptions,
  rowsOf,
  type TableMethod,
  TableModel,
  tableMethods,
  type ValueFoldScore,
} from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import { choice, list, number } from '../arguments.js';
import { Bar } from '../bar.js';
import { writeNote } from '../output.js';
import { type TableFlags, tableOptionsOf } from '../tables.js';
import { learners } from './learners.js';
import { chooseValueOptions } from './value-tuning.js';

const names = Object.keys(tableMethods) as TableMethod[];

/** Different whole numbers of a target that are taken for classes. */
const MOST_CLASSES = 20;
/** Rows above which HyperTab must be asked for, and steps of networks are limited. */
const LARGE = 10_000;
/** Optimiser steps of a network that is tuned, or learns a long table. */
const STEPS = 20_000;
/** Rows that methods are compared on. */
const COMPARED = 20_000;

/** Options of HyperTab that are not tuned: columns of text are seen as a whole. */
const fixed = { viewsPerStep: 5, unit: 'column' } as const;
/** Options of HyperTab without tuning: few views, so that each is trained often. */
const usual = { ...fixed, hidden: 50, views: 20, epochs: 80, subsample: 0.5, learningRate: 1e-3 } as const;

/** Flags of `gossamer fit` on a table. */
export interface TableFitFlags extends TableFlags {
  readonly target?: string;
  readonly task?: string;
  readonly out: string;
  readonly methods?: string[];
  readonly model?: string;
  readonly compare: number;
  readonly tune?: number;
  readonly folds: number;
  readonly categorical: string[];
  readonly ignore: string[];
  readonly balance: boolean;
  readonly views?: number;
  readonly epochs?: number;
  readonly subsample?: number;
  readonly learningRate?: number;
  readonly seed: number;
  readonly json: boolean;
  readonly all: boolean;
  readonly rare?: RareClasses;
}

/** Flags that were checked: there is a target, and the task is known. */
interface Flags extends TableFitFlags {
  readonly target: string;
  readonly task?: 'class' | 'number';
}

/** Flags that tables alone take. */
export const tableOnly = [
  'methods',
  'tune',
  'folds',
  'compare',
  'categorical',
  'ignore',
  'all',
  'rare',
  'balance',
  'views',
  'epochs',
  'subsample',
  'learningRate',
] as const satisfies readonly (keyof TableFitFlags)[];

/** Adds the options that tables alone take. */
export function withTableFitOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--methods <list>',
        `tables: some of ${names.join(', ')} (default: all, of more than ${LARGE.toLocaleString('en-US')} rows all but HyperTab)`,
      )
        .argParser(list)
        .conflicts('model'),
    )
    .option('--tune <n>', 'tables: settings that each method may choose from', number(1))
    .option('--folds <n>', 'tables: folds of cross-validation', number(2), 4)
    .option(
      '--compare <n>',
      'tables: rows that methods are compared on at most; the best is trained on all',
      number(10),
      COMPARED,
    )
    .option('--categorical <list>', 'tables: columns of numbers that are codes of categories', list, [])
    .option('--ignore <list>', 'tables: columns to leave out', list, [])
    .option(
      '--all',
      'tables: leave no column out that holds one value, numbers of rows or texts that all differ',
      false,
    )
    .addOption(
      new Option('--rare <how>', 'tables: classes of a single row: drop their rows, or merge them into one').argParser(
        choice('drop', 'merge'),
      ),
    )
    .option('--no-balance', 'tables: do not repeat rows of small classes in training')
    .option('--views <n>', `HyperTab: views (default: ${usual.views})`, number(1))
    .option('--epochs <n>', `HyperTab: epochs (default: ${usual.epochs})`, number(1))
    .option(
      '--subsample <share>',
      `HyperTab: share of the columns in a view (default: ${usual.subsample})`,
      number(0, false),
    )
    .option('--learning-rate <rate>', `HyperTab: learning rate (default: ${usual.learningRate})`, number(0, false));
}

/** Compares the methods and keeps the best, trained on all rows. */
export async function fitTable(path: string, given: TableFitFlags): Promise<void> {
  const flags = requireTable(given);
  const asked = flags.model === undefined ? (flags.methods ?? names) : [flags.model];
  const unknown = asked.find((name) => !names.includes(name as TableMethod));
  if (unknown !== undefined)
    throw new Error(
      `unknown model "${unknown}"; of tables: ${names.join(', ')}; of other data: ${Object.keys(learners).join(', ')}`,
    );
  const data = await readTable(path, flags);
  const methods = methodsFor(data, asked as TableMethod[], flags.model !== undefined || flags.methods !== undefined);
  const { signal, release } = interruptSignal();
  const bar = new Bar('cross-validation', 'fits', flags.json);
  try {
    const sample = sampleOf(data, flags.compare, new Random(flags.seed).split('compare'));
    const { rows, best, text, options, scores } = await compare(
      sample,
      methods,
      usualOptions(flags, data.table.rows),
      flags,
      signal,
      bar,
    );
    if (!flags.json) process.stdout.write(`${path}: ${text}`);
    const training = { options, balance: flags.balance, signal };
    const model = await TableModel.train(best, data, flags.target, new Random(flags.seed).split('final'), training);
    writeFileAtomic(flags.out, model.trainedOn({ data: path, rows: data.table.rows, scores }).save());
    if (flags.json) process.stdout.write(`${JSON.stringify({ table: path, rows, best, model: flags.out })}\n`);
    else process.stdout.write(`\n${tableMethods[best].title}, trained on all ${data.table.rows} rows: ${flags.out}\n`);
  } finally {
    bar.close();
    release();
  }
}

/** @throws Error without a target, or for a task that tables do not have */
function requireTable({ target, task, ...flags }: TableFitFlags): Flags {
  if (target === undefined) throw new Error('--target names the column of the table to predict');
  if (task !== undefined && task !== 'class' && task !== 'number')
    throw new Error(`--task ${task}: expected class or number for a table`);
  return { ...flags, target, ...(task !== undefined && { task }) };
}

/** Cross-validates the methods. @returns the best of them, with its options for all rows */
async function compare(
  data: LabelledTable | ValuedTable,
  methods: readonly TableMethod[],
  options: MethodOptions,
  flags: Flags,
  signal: AbortSignal,
  bar: Bar,
) {
  const { balance, folds, tune, seed } = flags;
  const random = new Random(seed);
  const given = givenOf(flags);
  let fits = 0;
  const onProgress = (share: number) => bar.update(share, fits);
  const onScore = () => {
    fits += 1;
  };
  const common = { options, balance, folds, signal, onProgress, onScore };
  const tuning = {
    tuning: 'folds',
    trials: tune ?? 1,
    steps: STEPS,
    given: { hypertab: { ...fixed, ...given } },
  } as const;
  if ('values' in data) {
    const choose = (method: TableMethod, training: ValuedTable, draws: Random) =>
      chooseValueOptions(method, training, tuning, draws, signal);
    const rows = methods.map((method) => ({ method, scores: [] as ValueFoldScore[] }));
    const scores = await crossValidateValues(data, methods, random, {
      ...common,
      ...(tune !== undefined && { choose }),
    });
    bar.close();
    for (const row of rows) row.scores.push(...scores.filter(({ method }) => method === row.method));
    const summaries = rows.map(({ method, scores: own }) => valueSummary(method, own));
    const { method: best, rmse, r2 } = summaries.reduce((a, b) => (b.rmse.mean < a.rmse.mean ? b : a));
    const chosen = tune === undefined ? options : await choose(best, data, random.split('choice'));
    const shown = { 'root mean squared error': rmse.mean.toPrecision(4), 'R²': r2.mean.toFixed(3) };
    return { rows: summaries, best, options: chosen, text: valueTable(data, summaries), scores: shown };
  }
  const choose = (method: TableMethod, training: LabelledTable, draws: Random) =>
    chooseOptions(method, training, tuning, draws, signal);
  const scores = await crossValidate(data, methods, random, {
    ...common,
    ...(tune !== undefined && { choose }),
  });
  bar.close();
  const rows = methods.map((method) => summaryOf(method, scores));
  const { method: best, balanced, accuracy } = rows.reduce((a, b) => (b.balanced.mean > a.balanced.mean ? b : a));
  const chosen = tune === undefined ? options : await choose(best, data, random.split('choice'));
  const percent = ({ mean }: { readonly mean: number }) => `${(100 * mean).toFixed(1)} %`;
  const shown = { 'balanced accuracy': percent(balanced), accuracy: percent(accuracy) };
  return { rows, best, options: chosen, text: table(data, rows), scores: shown };
}

/** The options of methods that are not tuned, on a table of so many rows. */
function usualOptions(flags: Flags, rows: number): MethodOptions {
  const steps = rows > LARGE && { mlp: { maxSteps: STEPS }, dropout: { maxSteps: STEPS } };
  return { hypertab: { ...usual, ...givenOf(flags) }, ...steps };
}

/** Options of HyperTab that were given. */
function givenOf({ views, epochs, subsample, learningRate }: Flags): HyperTabOptions {
  const all = { views, epochs, subsample, learningRate };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** What reading a table with a target takes. */
export type TableReading = Pick<Flags, 'target' | 'task' | 'categorical' | 'ignore' | 'all' | 'rare'> & TableFlags;

/** The rows of a table with their target, without columns that nothing can be learnt from. */
export async function readTable(path: string, flags: TableReading): Promise<LabelledTable | ValuedTable> {
  const { target, categorical, ignore, rare } = flags;
  const all = await loadTable(path, { ...tableOptionsOf(flags), categorical, target });
  for (const note of all.notes ?? []) writeNote(noteText(note));
  const isNamed = (name: string) => all.columns.some((column) => column.name === name || fromOf(column) === name);
  const unknown = ignore.filter((name) => !isNamed(name));
  if (unknown.length > 0) throw new Error(`--ignore names no column of the table: ${unknown.join(', ')}`);
  const kept = all.columns.filter((column) => !ignore.includes(column.name) && !ignore.includes(fromOf(column) ?? ''));
  const whole = { ...all, columns: kept };
  const { table, left } = withoutGaps(whole, target);
  const known = flags.all ? table : withoutUseless(table, leftOutOf(whole, target));
  if (left > 0) writeNote(`${left} rows have no ${target} and are left out`);
  const task = flags.task ?? taskOf(known, target);
  if (task === 'number') return valuedTable(known, target);
  if (rare === undefined) return labelledTable(known, target);
  const { table: rest, rare: names } = withoutRare(known, target, rare);
  const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`;
  if (names.length > 0)
    writeNote(
      `${names.length} classes of a single row (${shown}) are ${rare === 'drop' ? 'left out' : 'merged into "other"'}`,
    );
  return labelledTable(rest, target);
}

/** What a target holds; a number is said. */
function taskOf({ columns }: ColumnTable, target: string): 'class' | 'number' {
  const column = columns.find(({ name }) => name === target);
  if (column?.kind !== 'number') return 'class';
  const whole = column.values.every(Number.isInteger) && new Set(column.values).size <= MOST_CLASSES;
  if (!whole) writeNote(`"${target}" holds numbers, which are predicted as such (--task class predicts classes)`);
  return whole ? 'class' : 'number';
}

/** The column of dates that a calendar feature comes from. */
const fromOf = (column: ColumnTable['columns'][number]) => (column.kind === 'number' ? column.from : undefined);

/** A table without the columns that nothing can be learnt from, each of which is named. */
function withoutUseless(table: ColumnTable, leftOut: ReadonlyMap<string, string>): ColumnTable {
  for (const [name, reason] of leftOut) writeNote(`column "${name}" is left out: ${reason} (--all keeps it)`);
  return { ...table, columns: table.columns.filter(({ name }) => !leftOut.has(name)) };
}

/** The methods that suit the length of a table, or all that were named. */
function methodsFor(
  { table }: LabelledTable | ValuedTable,
  asked: readonly TableMethod[],
  isNamed: boolean,
): readonly TableMethod[] {
  if (table.rows <= LARGE || !asked.includes('hypertab')) return asked;
  const rows = table.rows.toLocaleString('en-US');
  if (isNamed) {
    writeNote(`HyperTab is meant for fewer than 1,000 rows and is slow on ${rows}`);
    return asked;
  }
  writeNote(`HyperTab is meant for fewer than 1,000 rows and is left out on ${rows} (--methods names it)`);
  return asked.filter((method) => method !== 'hypertab');
}

/** Rows for the comparison: all, or a random part with the same share of each class. */
function sampleOf(data: LabelledTable | ValuedTable, most: number, random: Random): LabelledTable | ValuedTable {
  const { rows } = data.table;
  if (rows <= most) return data;
  const said = (count: number) =>
    writeNote(
      `methods are compared on ${count.toLocaleString('en-US')} of ${rows.toLocaleString('en-US')} rows (--compare), the best is trained on all`,
    );
  if ('values' in data) {
    const kept = random.sample(rows, most).sort();
    said(kept.length);
    return { table: tableRows(data.table, kept), values: Float64Array.from(kept, (row) => data.values[row] as number) };
  }
  // Of each class at least two rows, one to learn and one to test.
  const counts = new Int32Array(data.classes.length);
  for (const label of data.labels) counts[label] = (counts[label] as number) + 1;
  const left = counts.map((count) => Math.min(count, Math.max(2, Math.round((count * most) / rows))));
  const kept = random.permutation(rows).filter((row) => {
    const label = data.labels[row] as number;
    left[label] = (left[label] as number) - 1;
    return (left[label] as number) >= 0;
  });
  said(kept.length);
  return rowsOf(data, kept.sort());
}

function summaryOf(method: TableMethod, scores: readonly FoldScore[]) {
  const folds = scores.filter((score) => score.method === method);
  const over = (key: 'balanced' | 'accuracy' | 'seconds') => summarize(folds.map((score) => score[key]));
  return { method, balanced: over('balanced'), accuracy: over('accuracy'), seconds: over('seconds') };
}

/** Root mean squared error, R² and time of a method over the folds. */
function valueSummary(method: TableMethod, scores: readonly ValueFoldScore[]) {
  const over = (key: 'rmse' | 'r2' | 'seconds') => summarize(scores.map((score) => score[key]));
  return { method, rmse: over('rmse'), r2: over('r2'), seconds: over('seconds') };
}

function valueTable({ table }: ValuedTable, rows: readonly ReturnType<typeof valueSummary>[]): string {
  const lines = rows.map(({ method, rmse, r2, seconds }) =>
    [
      tableMethods[method].title.padEnd(20),
      `${rmse.mean.toPrecision(4)} ± ${rmse.sd.toPrecision(2)}`.padStart(23),
      `${r2.mean.toFixed(3)} ± ${r2.sd.toFixed(3)}`.padStart(16),
      seconds.mean.toFixed(2).padStart(12),
    ].join('  '),
  );
  return [
    `${table.rows} rows, ${table.columns.length} columns, a number`,
    '',
    `${'method'.padEnd(20)}  ${'root mean squared error'}  ${'R²'.padStart(16)}  training (s)`,
    ...lines,
    '',
  ].join('\n');
}

function table({ labels, classes, table }: LabelledTable, rows: readonly ReturnType<typeof summaryOf>[]): string {
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
    `${labels.length} rows, ${table.columns.length} columns, ${classes.length} classes`,
    '',
    `${'method'.padEnd(20)}  ${'balanced accuracy (%)'}  ${'accuracy (%)'.padStart(14)}  training (s)`,
    ...lines,
    '',
  ].join('\n');
}
