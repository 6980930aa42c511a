// What `gossamer search` asks of everything that can be searched.

import type { Option } from 'commander';
import type { PictureTrainingFlags } from '../pictures.js';

/** Flags that every search takes. */
export interface SearchFlags extends PictureTrainingFlags {
  /** Model file, or a folder where a search writes several files. */
  readonly out: string;
  readonly threads?: number;
  readonly resume: boolean;
  readonly json: boolean;
}

/** Flags of searches that train what they found. */
export interface TrainingSearchFlags extends SearchFlags {
  readonly searchEpochs: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
}

/** Something that can be searched: a name for --model, its options, its help, the search. */
export interface SearchModel<Flags extends SearchFlags = SearchFlags> {
  readonly name: string;
  /**
   * Options beside those of every search. One that several models take is one object of
   * `options.ts`; those that a model lacks are refused where they are given.
   */
  readonly options: readonly Option[];
  /** Commands with a remark behind each, without indentation. */
  readonly examples: readonly string[];
  /** A paragraph: what is searched, how, and which files are written. */
  readonly notes: string;
  /** Lines on what the file of this search says was found, and how to use it. */
  readonly tell?: (found: never, path: string) => readonly string[];
  /** Whether `out` is a folder. Default: a file. */
  readonly writesFolder?: boolean;
  run(data: string, flags: Flags): Promise<void>;
}
