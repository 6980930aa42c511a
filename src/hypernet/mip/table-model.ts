// A classifier of tables whose weights follow named condition columns: a MIP hypernetwork maps the
// conditions of each row to the weights of a perceptron that classifies its other columns.

import {
  type ColumnTable,
  type LabelledTable,
  type ModelKind,
  readModelFile,
  writeModelFile,
} from '../../data/index.js';
import {
  crossEntropy,
  loadState,
  MLP,
  type Mode,
  minimize,
  type Optimizer,
  stateOf,
  type TrainingHooks,
} from '../../nn/index.js';
import { Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import { Hypernet, type HypernetOptions } from '../hypernet.js';
import { NamedCondition, type NamedValues } from '../named-condition.js';
import {
  encodeTable,
  fitFeatures,
  type Rows,
  type TableFeatures,
  takeRows,
  tensorOf,
  unseenNote,
  widthOf,
} from '../tabular/index.js';
import { mlpTrunk } from '../trunk.js';
import { MIP_OPTIONS } from './options.js';

/** Identifies model files of `ConditionedTable`. */
export const MIP_MODEL: ModelKind = { system: 'mip', version: '1', madeBy: 'gossamer run mip' };

type Range = readonly [number, number];

/** Options of `ConditionedTable.train`. */
export interface ConditionedTableOptions extends TrainingHooks {
  /** Names of the condition columns, which hold numbers. */
  readonly conditions: readonly string[];
  /** Widths of the hidden layers of the target. Default: [32]. */
  readonly hidden?: readonly number[];
  /** Widths of the hidden layers of the hypernetwork. Default: [16, 64, 128]. */
  readonly trunk?: readonly number[];
  /** `mip`, or `default`: no encoding, no θ⁰. Default: `mip`. */
  readonly parametrization?: 'mip' | 'default';
  /** Steps of training. */
  readonly steps: number;
  /** Rows of a step. Default: 64. */
  readonly batch?: number;
  /** Updates the weights. */
  readonly optimizer: Optimizer;
}

interface Description {
  readonly features: TableFeatures;
  readonly classes: readonly string[];
  readonly target: string;
  readonly ranges: Readonly<Record<string, Range>>;
  readonly hidden: readonly number[];
  readonly trunk: readonly number[];
  readonly parametrization: 'mip' | 'default';
}

/** Warnings of a prediction. */
export type TableWarning = (text: string) => void;

/** Rows whose weights are made at once. */
const CHUNK = 256;

/** A classifier of tables with weights generated from condition columns. */
export class ConditionedTable {
  private constructor(
    readonly description: Description,
    readonly hypernet: Hypernet<MLP, NamedValues>,
  ) {}

  static #create(description: Description, random: Random): ConditionedTable {
    const { features, classes, ranges, hidden, trunk, parametrization } = description;
    const sizes = [widthOf(features), ...hidden, classes.length];
    const inputs = Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, { range }]));
    // Values outside are reported once a table, by `probabilities`.
    const condition = new NamedCondition(inputs, { onOutside: () => {} });
    const options: HypernetOptions = {
      ...MIP_OPTIONS,
      ...(parametrization === 'default' && { encoding: 'none', residual: 'none' }),
      trunk: mlpTrunk(trunk, { activation: 'leakyRelu', init: 'fan-out' }),
    };
    const target = new MLP(sizes, random.split('target'));
    return new ConditionedTable(description, new Hypernet(target, condition, random.split('hypernet'), options));
  }

  /**
   * Trains on a labelled table, each row under its own condition.
   *
   * @param target name of the label column, kept in the model file
   * @throws Error when a condition column is missing, holds no numbers, has gaps or one value only
   */
  static async train(
    { table, labels, classes }: LabelledTable,
    target: string,
    random: Random,
    {
      conditions,
      hidden = [32],
      trunk = [16, 64, 128],
      parametrization = 'mip',
      batch = 64,
      ...hooks
    }: ConditionedTableOptions,
  ): Promise<ConditionedTable> {
    const ranges = conditionRanges(table, conditions);
    const features = fitFeatures(without(table, conditions));
    const model = ConditionedTable.#create(
      { features, classes, target, ranges, hidden, trunk, parametrization },
      random,
    );
    const x = encodeTable(features, table);
    const gammas = conditionsOf(table, model.hypernet.condition as NamedCondition);
    await minimize(
      model.hypernet,
      (live, { random: draws, mode }) => {
        const rows = Int32Array.from({ length: batch }, () => draws.integer(table.rows));
        const logits = logitsOf(live, x, gammas, rows, mode);
        return crossEntropy(logits, tensor(rows.map((row) => labels[row] as number)));
      },
      { ...hooks, random: random.split('training') },
    );
    return model;
  }

  /** Smallest and largest value of each condition in training. */
  get ranges(): Readonly<Record<string, Range>> {
    return this.description.ranges;
  }

  /**
   * Class probabilities [rows, classes], row-major.
   *
   * @param warn called for conditions outside their range in training, and for unseen categories
   * @param fixed values that replace condition columns in all rows
   * @throws Error naming columns that are missing or of another kind than in training, a condition
   * without a value, or a fixed one that is unknown
   */
  probabilities(
    given: ColumnTable,
    {
      warn = () => {},
      fixed = {},
    }: { readonly warn?: TableWarning; readonly fixed?: Readonly<Record<string, number>> } = {},
  ): Float64Array {
    const { features, classes, ranges } = this.description;
    const table = withFixed(given, fixed, Object.keys(ranges));
    const gammas = conditionsOf(table, this.hypernet.condition as NamedCondition);
    for (const [name, [low, high]] of Object.entries(ranges)) {
      const outside = (gammas[name] as Float64Array).filter((value) => !(value >= low && value <= high));
      if (outside.length > 0)
        warn(
          `condition "${name}" is ${outside[0]}${outside.length > 1 ? ` and ${outside.length - 1} more` : ''} outside of ${low} … ${high}, the range of training`,
        );
    }
    const x = encodeTable(features, table, (column, categories) => warn(unseenNote(column, categories)));
    const probabilities = new Float64Array(x.count * classes.length);
    for (let from = 0; from < x.count; from += CHUNK)
      scope(() => {
        const rows = Int32Array.from({ length: Math.min(CHUNK, x.count - from) }, (_, i) => from + i);
        const logits = logitsOf(this.hypernet, x, gammas, rows, { training: false });
        probabilities.set(softmax(logits, 1).view(), from * classes.length);
      });
    return probabilities;
  }

  /** The model as a safetensors file. */
  save(): Uint8Array {
    return writeModelFile(MIP_MODEL, this.description, stateOf(this.hypernet));
  }

  /**
   * Reads a file written by `save`.
   *
   * @param name used in error messages
   * @throws Error when the bytes are no such model
   */
  static load(bytes: Uint8Array, name = 'the model'): ConditionedTable {
    const { description, tensors } = readModelFile<Description>(MIP_MODEL, bytes, name);
    const model = ConditionedTable.#create(description, new Random(0));
    loadState(model.hypernet, tensors);
    return model;
  }
}

/**
 * Smallest and largest value of condition columns.
 *
 * @throws Error when there are none, or one is unknown, holds no numbers, has gaps or one value
 * only
 */
export function conditionRanges(table: ColumnTable, conditions: readonly string[]): Record<string, Range> {
  if (conditions.length === 0) throw new Error('name at least one condition column');
  return Object.fromEntries(
    conditions.map((name) => {
      const values = numbersOf(table, name);
      const [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
      if (low === high) throw new Error(`condition "${name}" is ${low} in all rows; a condition must vary`);
      return [name, [low, high] as const];
    }),
  );
}

function numbersOf({ columns }: ColumnTable, name: string): Float64Array {
  const column = columns.find((candidate) => candidate.name === name);
  if (!column)
    throw new Error(`condition "${name}" is no column of the table; it has ${columns.map((c) => c.name).join(', ')}`);
  if (column.kind !== 'number') throw new Error(`condition "${name}" must hold numbers; categories are features`);
  const gap = column.values.findIndex(Number.isNaN);
  if (gap >= 0) throw new Error(`condition "${name}" has no value in row ${gap + 1}`);
  return column.values;
}

function conditionsOf(table: ColumnTable, { names }: NamedCondition): Record<string, Float64Array> {
  return Object.fromEntries(names.map((name) => [name, numbersOf(table, name)]));
}

function without({ rows, columns }: ColumnTable, names: readonly string[]): ColumnTable {
  return { rows, columns: columns.filter(({ name }) => !names.includes(name)) };
}

/** The table with some conditions the same in all rows. */
function withFixed(
  table: ColumnTable,
  fixed: Readonly<Record<string, number>>,
  conditions: readonly string[],
): ColumnTable {
  const names = Object.keys(fixed);
  const unknown = names.find((name) => !conditions.includes(name));
  if (unknown !== undefined)
    throw new Error(`"${unknown}" is no condition of the model; it has ${conditions.join(', ')}`);
  const columns = names.map((name) => ({
    name,
    kind: 'number' as const,
    values: new Float64Array(table.rows).fill(fixed[name] as number),
  }));
  return { rows: table.rows, columns: [...without(table, names).columns, ...columns] };
}

/** Logits of rows, each by the network of its own condition. */
function logitsOf(
  hypernet: Hypernet<MLP, NamedValues>,
  x: Rows,
  gammas: Readonly<Record<string, Float64Array>>,
  rows: Int32Array,
  mode: Mode,
): Tensor {
  const condition = Object.fromEntries(
    Object.entries(gammas).map(([name, values]) => [
      name,
      tensor(Float32Array.from(rows, (row) => values[row] as number)),
    ]),
  );
  return hypernet.run(condition, tensorOf(takeRows(x, rows)), (live, seen) => live.forward(seen, mode), mode);
}
