// A classifier of source files as a file: the network, its vocabulary, and how sources are read.

import { type ModelKind, readModelFile, writeModelFile } from '../../data/index.js';
import { inference, loadState, stateOf } from '../../nn/index.js';
import { mean, Random, scope, softmax } from '../../tensor/index.js';
import {
  type Anonymisation,
  type LanguageName,
  languages,
  type SourceParser,
  type SyntaxHypergraph,
  sourceHypergraph,
} from '../ast/index.js';
import { batchOf, encodeProgram } from './batch.js';
import { HDHGN, type HDHGNOptions } from './network.js';
import { programProbabilities } from './training.js';
import { ProgramVocabulary, type VocabularyState } from './vocabulary.js';

/** Name and version of the model file. */
export const HDHGN_MODEL: ModelKind = { system: 'hdhgn', version: '1', madeBy: 'gossamer fit --model hdhgn' };

/** What the file says beside its tensors. */
export interface ProgramModelDescription {
  /** The language of all sources. */
  readonly language: LanguageName;
  /** The grammar that the vocabulary follows. */
  readonly grammar: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Layout of the network. */
  readonly options: HDHGNOptions;
  /** What is replaced in sources. */
  readonly anonymise?: Anonymisation | undefined;
  /** Whether hyperedges are split into pairs. Default: false. */
  readonly pairwise?: boolean;
  /** Values of vertices and types of hyperedges by number. */
  readonly vocabulary: VocabularyState;
}

/** What decided about a program. */
export interface Explanation {
  /** Probability of each class. */
  readonly probabilities: Float32Array;
  /** Attention of the read-out on each vertex, the mean over heads; it sums to 1. */
  readonly attention: Float32Array;
}

/** Classifies sources of one language. */
export class ProgramModel {
  /** Numbers of values and types, as in training. */
  readonly vocabulary: ProgramVocabulary;

  constructor(
    readonly description: ProgramModelDescription,
    readonly network: HDHGN,
  ) {
    this.vocabulary = new ProgramVocabulary(description.vocabulary);
  }

  /**
   * The hypergraph of a source, read as in training.
   *
   * @throws Error for another language or an empty source; ParseError for one with syntax errors
   */
  read(parser: SourceParser, source: string, name: string): SyntaxHypergraph {
    const { language, anonymise } = this.description;
    if (parser.language !== language)
      throw new Error(
        `file "${name}" is ${languages[parser.language].title}, the model was trained on ${languages[language].title}`,
      );
    return sourceHypergraph(parser, source, name, { anonymise });
  }

  /** Probability of each class of each program. */
  predictProba(programs: readonly SyntaxHypergraph[]): readonly Float32Array[] {
    return programProbabilities(
      this.network,
      programs.map((program) => this.#encode(program)),
    );
  }

  /** The classes of a program and the attention on its vertices. */
  explain(program: SyntaxHypergraph): Explanation {
    return scope(() => {
      const batch = batchOf([this.#encode(program)]);
      const x = this.network.vertices(batch);
      const { readOut, head } = this.network;
      return {
        probabilities: softmax(head.forward(readOut.forward(x, batch.vertices), inference)).dataSync<Float32Array>(),
        attention: mean(readOut.attention(x, batch.vertices), -1).dataSync<Float32Array>(),
      };
    });
  }

  /**
   * The model as a file.
   *
   * @param more kept in its description, such as the data that it was trained on
   */
  save(more: Readonly<Record<string, unknown>> = {}): Uint8Array {
    return writeModelFile(HDHGN_MODEL, { ...more, ...this.description }, stateOf(this.network));
  }

  /** @throws Error when the file is of another system or version */
  static load(bytes: Uint8Array, name = 'model'): ProgramModel {
    const { description, tensors } = readModelFile<ProgramModelDescription>(HDHGN_MODEL, bytes, name);
    const { vocabulary, classes, options } = description;
    if (!Object.hasOwn(languages, description.language))
      throw new Error(`file "${name}" is for the language "${description.language}", which this version cannot read`);
    const { valueCounts, typeCount } = new ProgramVocabulary(vocabulary);
    const sizes = { values: valueCounts, types: typeCount, classes: classes.length };
    const network = new HDHGN(sizes, new Random(0), options);
    loadState(network, tensors);
    return new ProgramModel(description, network);
  }

  #encode(program: SyntaxHypergraph) {
    return encodeProgram(program, this.vocabulary, this.description.pairwise);
  }
}
