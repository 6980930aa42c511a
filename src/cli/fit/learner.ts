// What `gossamer fit` asks of a system that learns from a person's own data.

import type { OptionTable, OptionValues } from '../../experiments/parts/options.js';
import type { FitResult, TrainingHooks } from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import type { ChatFlags } from '../chat.js';
import type { ClassifierFlags } from '../pictures.js';
import type { TableFlags } from '../tables.js';

/** Kinds of data that commands tell apart; see `kindOf`. */
export type DataKind =
  | 'table'
  | 'pictures'
  | 'points'
  | 'graph'
  | 'hetero-graph'
  | 'graphs'
  | 'hypergraph'
  | 'events'
  | 'products'
  | 'sources'
  | 'sounds'
  | 'problems'
  | 'interactions'
  | 'team'
  | 'tasks';

/** What the command line says about a training. */
export interface FitRequest<Options extends OptionTable = OptionTable> {
  /** Values of `--set`, or the defaults. */
  readonly values: OptionValues<Options>;
  /** Further data, for models that learn from several. Default: none. */
  readonly more?: readonly string[];
  /** File of a model that goes on learning; none when left out. */
  readonly continued?: string | undefined;
  /** Files of trained networks, for models that learn from them. Default: none. */
  readonly models?: readonly string[] | undefined;
  /** File of a sentence model, for models that encode texts. */
  readonly encoder?: string | undefined;
  /** Attribute or column to learn. Default: what the form of the data names, such as `label`. */
  readonly target?: string | undefined;
  /** Of graphs, whether edges have a direction. Default: what is usual for the model. */
  readonly directed?: boolean | undefined;
  /** What is predicted, where the data leave it open. */
  readonly task?: string | undefined;
  /** Keyed by `--seed`. */
  readonly random: Random;
  /** The number behind `random`, for loaders that draw splits. */
  readonly seed: number;
  /** How tables are read. */
  readonly reading: TableFlags;
  /** How pictures are read. */
  readonly pictures?: ClassifierFlags;
  /** Of models that talk: where, and the questions that they learn from. */
  readonly chat?: ChatFlags & { readonly data?: string | undefined };
  /** Signal of Ctrl-C, the checkpoint beside the model, and the progress line. */
  readonly hooks: Required<TrainingHooks>;
  /** File of a graph hypernetwork that predicts the initial weights of a network. */
  readonly init?: string | undefined;
  /** Called with what a person should know about the data. */
  readonly note: (text: string) => void;
}

/** A trained model. */
export interface Fitted {
  /** The model file; none after a dry run. */
  readonly file?: () => Uint8Array;
  /** Lines for the terminal: what was learnt, from what, and how well. */
  readonly lines: readonly string[];
  /** Lines below the last one, such as a table of what was confused. Default: none. */
  readonly details?: readonly string[];
  /** The scores, by name, for `--json`. */
  readonly scores: Readonly<Record<string, number>>;
  /** Why the training ended; after `aborted` the model is not kept. */
  readonly stopped: FitResult['stopped'];
}

/** Trains on the data at a path. */
export type Fit<Options extends OptionTable = OptionTable> = (
  path: string,
  request: FitRequest<Options>,
) => Promise<Fitted>;

/** A model that `--model` names. */
export interface Learner {
  /** For help, one line. */
  readonly about: string;
  /** What it learns from. */
  readonly data: DataKind;
  /** Tasks that `--task` may choose from, the default first; none when there is one alone. */
  readonly tasks?: readonly string[];
  /** Whether it learns by talking to models at an endpoint. Default: false. */
  readonly talks?: boolean;
  /** Whether it learns from several data of its kind. Default: false. */
  readonly several?: boolean;
  /** Whether it goes on learning from a file of its own. Default: false. */
  readonly continues?: boolean;
  /** Whether it learns about networks of pictures, not the classes of pictures. Default: false. */
  readonly ofNetworks?: boolean;
  /** Whether it learns from trained networks. Default: false. */
  readonly takesModels?: boolean;
  /** Whether it encodes texts, maybe by a sentence model. Default: false. */
  readonly encodes?: boolean;
  /** Hyperparameters that `--set` changes. */
  readonly options: OptionTable;
  /** Imports the training. */
  readonly load: () => Promise<Fit>;
  /** Where it also learns from sets of graphs: its options and training there. */
  readonly ofGraphs?: Pick<Learner, 'options' | 'load'>;
}

/** A learner with the type of its options erased, as the table of learners keeps it. */
export function defineLearner<const Options extends OptionTable>(
  learner: Omit<Learner, 'options' | 'load'> & {
    readonly options: Options;
    readonly load: () => Promise<Fit<Options>>;
  },
): Learner {
  return learner as unknown as Learner;
}
