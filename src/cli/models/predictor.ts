// The interface of models that predict for data in files.

import type { AttributedGraph } from '../../data/index.js';
import type { TableFileOptions } from '../../data/node.js';
import type { ChatFlags } from '../chat.js';
import type { TableFlags } from '../tables.js';

export interface Predictions {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** The graph whose nodes the rows are about, one each in order. */
  readonly graph?: AttributedGraph;
  /** Of models that score edges: a row for each edge. */
  readonly edges?: Predictions;
  /** What decided, as a page in HTML, where it was asked for and the model can tell. */
  readonly page?: string;
}

export interface PredictOptions {
  /** Classes listed for each picture or source file, by default 1; values for each product. */
  readonly top?: number;
  /** Most pixels of a picture. Default: 2²⁶. */
  readonly maxPixels?: number;
  /** How tables are read. Default: as `loadTable`. */
  readonly table?: TableFileOptions;
  /** Values of conditions that hold for all rows, by name, in place of columns. */
  readonly conditions?: Readonly<Record<string, number>>;
  /** Whether to tell what each column contributes, where a model can. Default: false. */
  readonly explain?: boolean;
  /** A table of values that no product has yet, for models of products. */
  readonly values?: string;
  /** Whether products have only attributes that are known for their categories. Default: false. */
  readonly withinCategory?: boolean;
  /** A table of classes to choose from, for models that know none. */
  readonly classes?: string;
  /** Least probability of a known class. Default: that of the model. */
  readonly threshold?: number;
  /** File of the sentence model that the model was trained with. */
  readonly encoder?: string;
  /** Of models that talk: where, within which budget, and by whom. */
  readonly talk?: TalkFlags;
  /** Task of all rows, for models of several tasks. Default: a column of the table. */
  readonly task?: string;
  /** Of recommenders: names of the users to answer for. Default: all. */
  readonly users?: readonly string[];
  /** Of recommenders: a table of further interactions, also of new users. */
  readonly history?: string;
  /** Folder for a map of each picture, of models that draw them. */
  readonly maps?: string;
  /** Called with warnings about the data. */
  readonly note: (text: string) => void;
}

/** How a team answers. */
export interface TalkFlags extends ChatFlags {
  /** Most tokens of a question, by estimate. Default: no limit. */
  readonly maxTokens?: number;
  /** File of another team. Default: the one that was learnt with. */
  readonly agents?: string;
  /** Model of agents that name none. Default: the one that was learnt with. */
  readonly chatModel?: string;
}

/** How predicted weights are written. */
export interface WeightOptions {
  /** Type of the numbers. */
  readonly type: 'F32' | 'BF16';
  /** Called with the share that is written. */
  readonly onProgress: (share: number) => void;
}

export interface Predictor {
  /** Whether it answers by talking to models at an endpoint. Default: false. */
  readonly talks?: boolean;
  /** Flags of reading tables that it takes, where it does not take all. */
  readonly reads?: readonly (keyof TableFlags)[];
  /** Names of the conditions that its weights follow; none when left out. */
  readonly conditions?: readonly string[];
  /** Names of the tasks that it was trained on; none when left out. */
  readonly tasks?: readonly string[];
  /** Whether it is told the classes to choose from. Default: false. */
  readonly takesClasses?: boolean;
  /** Whether it may have been trained with a sentence model of the user's. Default: false. */
  readonly takesEncoder?: boolean;
  /** Whether it takes a table of values. Default: false. */
  readonly takesValues?: boolean;
  /** Whether it recommends items to users, and needs no data. Default: false. */
  readonly recommends?: boolean;
  /** Whether it draws maps of pictures. Default: false. */
  readonly maps?: boolean;
  /** Whether its predictions have a row for each edge. Default: false. */
  readonly edges?: boolean;
  /**
   * Of models that write weights of networks: predicts them for an architecture, into a file.
   *
   * @returns lines on what was predicted and what was not
   */
  writeWeights?(architecture: string, out: string, options: WeightOptions): readonly string[];
  /** Lines on what the model predicts, from what, what it was trained on, its size and scores. */
  describe(): readonly string[];
  /** @throws Error when the model cannot read the data */
  predict(paths: readonly string[], options: PredictOptions): Promise<Predictions>;
  /**
   * Of models that make networks: that of a task, or without one that of all tasks, as a model file
   * of its own.
   */
  extract?(task: string | undefined): Uint8Array;
  /**
   * Of models with a state: takes in the events of a table.
   *
   * @returns the model as a file
   */
  observe?(events: string, note?: (text: string) => void, options?: TableFileOptions): Promise<Uint8Array>;
}

/** The most probable class of a row, and the probabilities of all as text. */
export function classOfRow(
  probabilities: Float32Array | Float64Array,
  classes: number,
  row: number,
): { readonly code: number; readonly probability: string; readonly all: readonly string[] } {
  const own = probabilities.subarray(row * classes, (row + 1) * classes);
  const code = own.indexOf(Math.max(...own));
  const all = Array.from(own, (p) => p.toFixed(4));
  return { code, probability: all[code] as string, all };
}

/** The one file of data that a model reads. @throws Error when there are more */
export function onlyPath(paths: readonly string[]): string {
  const [path, second] = paths;
  if (path === undefined || second !== undefined)
    throw new Error(`the model reads one table, got ${paths.length}: ${paths.join(', ')}`);
  return path;
}

/** The scores on test data that a model file keeps, in %. */
export function scoresLine(scores: Readonly<Record<string, number>>): string {
  const all = Object.entries(scores).map(([name, value]) => `${name} ${value.toFixed(1)} %`);
  return `Test scores   ${all.join(', ')}`;
}
