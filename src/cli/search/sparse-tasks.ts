// What a search of sub-networks is about: the examples of a table or of pictures, the parent
// network for them, and the file that answers for new data.

import { type Examples, imageExamples, rowExamples } from '../../compress/index.js';
import { encodeTable, fitFeatures, type ImageDataset, tableRows, widthOf } from '../../data/index.js';
import { rowsOf, TableModel, targetScale } from '../../hypernet/index.js';
import { heInitialize, isHeInitializable, type Layer, MLP } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { ImageClassifier } from '../../vision/index.js';
import { kindOf } from '../fit/kinds.js';
import { readTable } from '../fit/table.js';
import { readPictures } from '../pictures.js';
import type { SearchFlags } from './model.js';

/** Flags of the search of sub-networks. */
export interface SubNetworkFlags extends SearchFlags {
  readonly target?: string;
  readonly task?: 'class' | 'number';
  readonly sparsity: number;
  readonly candidates: number;
  readonly searchSet?: number;
  readonly fitness: 'loss' | 'accuracy' | 'steps';
  readonly widths: 'exact' | 'composed';
  readonly rescale: boolean;
  readonly hidden: readonly number[];
  readonly network: string;
  readonly repeats: number;
  readonly trials?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
}

/** Data, parent network and model file of a search. */
export interface SparseTask {
  /** What the parent is. */
  readonly title: string;
  /** Options of the parent, which the file of the search keeps. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly train: Examples;
  /** Examples that are scored once; may be none. */
  readonly test: Examples;
  /** Examples of the search set unless another number is asked for. */
  readonly searchSet: number;
  /** Whether a number is predicted. */
  readonly isNumber: boolean;
  /** The untrained parent. */
  create(random: Random): Layer;
  /** The trained network as a model file. */
  save(model: Layer, score: number | undefined): Uint8Array;
  /** A mean score as text. */
  describeScore(score: number): string;
}

/** A network with He's initial values, as those that are drawn anew have, where it takes them. */
function heInitialized<Network extends Layer>(model: Network, random: Random): Network {
  if (isHeInitializable(model)) heInitialize(model, random.split('he'));
  return model;
}

/** Examples that judge candidates. */
const [ROWS, PICTURES] = [2000, 500];

/** @throws Error for data of another kind, naming what is searched */
export function taskOf(path: string, flags: SubNetworkFlags, random: Random): Promise<SparseTask> {
  const kind = kindOf(path);
  if (kind === 'table') return tableTask(path, flags, random);
  if (kind === 'pictures') return pictureTask(path, flags);
  throw new Error(`"${path}" holds ${kind}; random-search takes a table with --target, or pictures`);
}

async function pictureTask(path: string, flags: SubNetworkFlags): Promise<SparseTask> {
  if (flags.target !== undefined)
    throw new Error(`--target is a column of a table; "${path}" holds pictures, whose classes are their folders`);
  const data: ImageDataset = await readPictures(path, flags, { background: flags.background, silent: flags.json });
  const create = (random: Random) => ImageClassifier.create(flags.network, data, random);
  return {
    title: flags.network,
    asked: { network: flags.network, pictures: [data.train.channels, data.train.height, data.train.width] },
    train: imageExamples(data.train, data),
    test: imageExamples(data.test, data),
    searchSet: PICTURES,
    isNumber: false,
    create: (random) => heInitialized(create(random).model, random),
    save(model, score) {
      const { description } = create(new Random(0));
      return new ImageClassifier(description, model).trainedOn(data, score).save();
    },
    describeScore: (score) => `accuracy ${(100 * score).toFixed(2)} %`,
  };
}

async function tableTask(path: string, flags: SubNetworkFlags, random: Random): Promise<SparseTask> {
  const { target, task, hidden, testShare } = flags;
  if (target === undefined) throw new Error('--target names the column of the table to predict');
  const all = await readTable(path, { target, ...(task && { task }), categorical: [], ignore: [], all: false });
  const order = random.permutation(all.table.rows);
  const held = Math.round(testShare * order.length);
  const [testRows, trainRows] = [order.subarray(0, held).sort(), order.subarray(held).sort()];
  if (trainRows.length < 2)
    throw new Error(`"${path}" leaves ${trainRows.length} rows to train on beside ${held} to test`);
  const features = fitFeatures(tableRows(all.table, trainRows));
  const encode = (rows: Int32Array) => encodeTable(features, tableRows(all.table, rows));
  const common = {
    title: `MLP of ${hidden.join(' and ')} hidden units`,
    asked: { hidden, target },
    searchSet: ROWS,
    isNumber: 'values' in all,
  };
  const network = (outputs: number) => (own: Random) =>
    heInitialized(new MLP([widthOf(features), ...hidden, outputs], own), own);
  if ('values' in all) {
    const scale = targetScale(Float64Array.from(trainRows, (row) => all.values[row] as number));
    const examples = (rows: Int32Array) =>
      rowExamples(encode(rows), {
        values: Float64Array.from(rows, (row) => ((all.values[row] as number) - scale.mean) / scale.deviation),
      });
    return {
      ...common,
      train: examples(trainRows),
      test: examples(testRows),
      create: network(1),
      save: (model) => TableModel.ofNetwork(model as MLP, features, target, scale).save(),
      describeScore: (score) => `root mean squared error ${(Math.sqrt(-score) * scale.deviation).toPrecision(4)}`,
    };
  }
  const { classes } = all;
  const examples = (rows: Int32Array) => rowExamples(encode(rows), { labels: rowsOf(all, rows).labels });
  return {
    ...common,
    train: examples(trainRows),
    test: examples(testRows),
    create: network(classes.length),
    save: (model) => TableModel.ofNetwork(model as MLP, features, target, classes).save(),
    describeScore: (score) => `accuracy ${(100 * score).toFixed(2)} %`,
  };
}
