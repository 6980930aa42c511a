// Texts to vectors without a trained model: every word has a fixed random vector that follows from
// the word and a seed, and a text is the weighted sum of its words' vectors. Texts that share words
// are alike, also words that no training text held.
//
//   t(text) = Σ_{w ∈ text} idf(w) · r(w),  idf(w) = ln((1 + texts) / (1 + df(w))) + 1,
//   or without smoothing ln(texts / max(1, df(w)))
//
// Random indexing (Kanerva, Kristoferson, Holst, CogSci 2000).

import { keep, Random, type Tensor, tensor } from '../tensor/index.js';

/** What turns texts into vectors; models of sentences implement it too. */
export interface SentenceEncoder {
  /** Numbers of a vector. */
  readonly dimension: number;
  /** A row for each text: [texts, dimension]. @throws Error for a text without a word */
  encode(texts: readonly string[]): Tensor;
}

/** Layout of a `HashedTextEncoder`. */
export interface HashedTextOptions {
  /** Numbers of a vector. Default: 256. */
  readonly dimension?: number;
  /** Seed of the words' vectors. Default: 0. */
  readonly seed?: number;
  /** Entries of the words' vectors: standard normal, or ±1. Default: `normal`. */
  readonly entries?: 'normal' | 'signs';
  /**
   * Weight of a word that df of the counted texts hold: `smoothed`, or `plain` ln(texts / df), with
   * which a word of every text weighs nothing. Default: `smoothed`.
   */
  readonly idf?: 'smoothed' | 'plain';
  /** Whether the groups of three characters of a word count beside it. Default: false. */
  readonly trigrams?: boolean;
  /**
   * Length of the vectors: 1, or √dimension, so that entries have unit root mean square. Default:
   * `unit`.
   */
  readonly scale?: 'unit' | 'rms';
}

/** What `HashedTextEncoder` is made of, for a file. */
export interface HashedTextState {
  /** Its layout. */
  readonly options: HashedTextOptions;
  /** Number of texts that weights were counted on, 0 without weights. */
  readonly texts: number;
  /** In how many of them each word occurs. */
  readonly documents: Readonly<Record<string, number>>;
}

/** Words of a text: runs of letters and digits, in lower case. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Encodes texts by fixed random vectors of their words; the same on every machine. */
export class HashedTextEncoder implements SentenceEncoder {
  readonly dimension: number;
  readonly #options: HashedTextOptions;
  readonly #random: Random;
  readonly #vectors = new Map<string, Float32Array>();
  #documents: ReadonlyMap<string, number> = new Map();
  #texts = 0;

  constructor(options: HashedTextOptions = {}) {
    this.dimension = options.dimension ?? 256;
    if (!(Number.isInteger(this.dimension) && this.dimension > 0))
      throw new RangeError(`HashedTextEncoder: dimension ${this.dimension} is no positive whole number`);
    this.#options = options;
    this.#random = new Random(options.seed ?? 0).split('words');
  }

  /** Counts in how many texts each word occurs; rare words weigh more from then on. */
  fit(texts: readonly string[]): this {
    const documents = new Map<string, number>();
    for (const text of texts)
      for (const term of new Set(this.#terms(text))) documents.set(term, (documents.get(term) ?? 0) + 1);
    this.#documents = documents;
    this.#texts = texts.length;
    return this;
  }

  encode(texts: readonly string[]): Tensor {
    const { dimension } = this;
    const values = new Float32Array(texts.length * dimension);
    texts.forEach((text, row) => {
      this.#add(text, values.subarray(row * dimension, (row + 1) * dimension));
    });
    return keep(tensor(values, [texts.length, dimension]));
  }

  /** All that `restore` needs. */
  state(): HashedTextState {
    return { options: this.#options, texts: this.#texts, documents: Object.fromEntries(this.#documents) };
  }

  /** The encoder of a state; it encodes the same texts to the same vectors. */
  static restore({ options, texts, documents }: HashedTextState): HashedTextEncoder {
    const encoder = new HashedTextEncoder(options);
    encoder.#texts = texts;
    encoder.#documents = new Map(Object.entries(documents));
    return encoder;
  }

  #add(text: string, row: Float32Array): void {
    const terms = this.#terms(text);
    if (terms.length === 0) throw new Error(`text ${JSON.stringify(text.slice(0, 40))} has no word to encode`);
    for (const term of terms) {
      const weight = this.#weight(term);
      this.#vector(term).forEach((value, k) => {
        row[k] = (row[k] as number) + weight * value;
      });
    }
    const length = Math.hypot(...row) / (this.#options.scale === 'rms' ? Math.sqrt(this.dimension) : 1);
    if (length === 0)
      throw new Error(`text ${JSON.stringify(text.slice(0, 40))} has no word that tells it from other texts`);
    row.forEach((value, k) => {
      row[k] = value / length;
    });
  }

  #terms(text: string): string[] {
    const words = wordsOf(text);
    if (!this.#options.trigrams) return words;
    return words.flatMap((word) => {
      const padded = `^${word}$`;
      return [word, ...Array.from({ length: padded.length - 2 }, (_, i) => padded.slice(i, i + 3))];
    });
  }

  #weight(term: string): number {
    if (this.#texts === 0) return 1;
    const documents = this.#documents.get(term) ?? 0;
    if (this.#options.idf === 'plain') return Math.log(this.#texts / Math.max(1, documents));
    return Math.log((1 + this.#texts) / (1 + documents)) + 1;
  }

  #vector(term: string): Float32Array {
    const known = this.#vectors.get(term);
    if (known) return known;
    const stream = this.#random.split(term);
    const signs = this.#options.entries === 'signs';
    const vector = Float32Array.from({ length: this.dimension }, () =>
      signs ? (stream.float() < 0.5 ? -1 : 1) : stream.gaussian(),
    );
    this.#vectors.set(term, vector);
    return vector;
  }
}
