// Texts to vectors without a trained model, by what words mean in a corpus: hashed words, pairs of
// words and parts of words, weighted and projected on the leading directions of the corpus.
//
//   x_b = Σ_{terms t in bucket b} ±(1 + ln count(t))·idf(b),  idf(b) = ln((1 + texts)/(1 + df(b)))
// + 1
//   ψ(text) = V_dᵀ x / ‖V_dᵀ x‖, with the right singular vectors V_d of the rows x/‖x‖ of the
// corpus.
//
// Deerwester et al., "Indexing by Latent Semantic Analysis", 1990; Weinberger et al., "Feature
// Hashing for Large Scale Multitask Learning", ICML 2009.

import { SparseMatrix, spmm } from '../sparse/index.js';
import { truncatedSvd } from '../structure/index.js';
import { keep, normalizeRows, Random, scope, type Tensor, tensor } from '../tensor/index.js';
import { type SentenceEncoder, wordsOf } from './text-encoder.js';

/** Layout of a `LatentTextEncoder`. */
export interface LatentTextOptions {
  /** Numbers of a vector. Default: 256. */
  readonly dimension?: number;
  /** Buckets that terms are hashed into. Default: 32768. */
  readonly buckets?: number;
  /** Lengths of the parts of words, none where the first is 0. Default: 3 to 5. */
  readonly parts?: readonly [shortest: number, longest: number];
  /** Seed of the randomised SVD. Default: 0. */
  readonly seed?: number;
}

/** What `LatentTextEncoder` is made of, for a file. */
export interface LatentTextState {
  /** Its layout. */
  readonly options: LatentTextOptions;
  /** Buckets that some text of the corpus has, i32 [seen], ascending. */
  readonly buckets: Tensor;
  /** Their weights [seen]. */
  readonly weights: Tensor;
  /** V [seen, dimension]. */
  readonly directions: Tensor;
}

/** Texts that the directions are taken from, at most; evenly spaced ones of more. */
const MOST_TEXTS = 20_000;

/** Directions whose singular value is below this share of the largest stay 0. */
const NEGLIGIBLE = 1e-3;

/** Encodes texts by latent semantic analysis of a corpus; a text without a known term is 0. */
export class LatentTextEncoder implements SentenceEncoder {
  readonly dimension: number;
  readonly #options: Required<LatentTextOptions>;
  #state: Omit<LatentTextState, 'options'> | undefined;
  /** Column of each bucket, −1 for those that the corpus has not. */
  #columns = new Int32Array(0);

  /** @throws RangeError unless the dimension and the number of buckets are positive integers */
  constructor({ dimension = 256, buckets = 2 ** 15, parts = [3, 5], seed = 0 }: LatentTextOptions = {}) {
    for (const [name, value] of Object.entries({ dimension, buckets }))
      if (!(Number.isInteger(value) && value >= 1))
        throw new RangeError(`LatentTextEncoder: ${name} ${value} is no positive whole number`);
    this.dimension = dimension;
    this.#options = { dimension, buckets, parts, seed };
  }

  /** Takes weights and directions from a corpus. @throws Error when no text has a word */
  fit(corpus: readonly string[]): this {
    const { buckets, dimension, seed } = this.#options;
    const every = Math.ceil(corpus.length / MOST_TEXTS);
    const counted = corpus.filter((_, i) => i % every === 0).map((text) => this.#counts(text));
    const documents = new Int32Array(buckets);
    for (const counts of counted) for (const b of counts.keys()) documents[b] = (documents[b] as number) + 1;
    const seen = Int32Array.from(documents.keys()).filter((b) => (documents[b] as number) > 0);
    if (seen.length === 0) throw new Error('LatentTextEncoder: no text of the corpus has a word');
    const weights = Float32Array.from(seen, (b) => Math.log((1 + counted.length) / (1 + (documents[b] as number))) + 1);
    this.#take(tensor(seen), tensor(weights), tensor(new Float32Array(0), [0, dimension]));
    const random = new Random(seed).split('directions');
    const { vectors, values } = truncatedSvd(this.#matrix(counted).transpose(), dimension, random);
    const found = vectors.view();
    const rank = values.findLastIndex((value) => value > NEGLIGIBLE * (values[0] as number)) + 1;
    const directions = new Float32Array(seen.length * dimension);
    for (let i = 0; i < seen.length; i++)
      directions.set(found.subarray(i * values.length, i * values.length + rank), i * dimension);
    vectors.dispose();
    this.#take(tensor(seen), tensor(weights), tensor(directions, [seen.length, dimension]));
    return this;
  }

  encode(texts: readonly string[]): Tensor {
    if (!this.#state) throw new Error('LatentTextEncoder: fit it on a corpus first');
    const { directions } = this.#state;
    return keep(
      scope(() => normalizeRows(spmm(this.#matrix(texts.map((text) => this.#counts(text))), directions), 1e-9)),
    );
  }

  /** Whether a word of the text is one of the corpus, or shares its bucket. */
  knows(text: string): boolean {
    const { buckets } = this.#options;
    return wordsOf(text).some((word) => (this.#columns[(hashOf(word) >>> 1) % buckets] ?? -1) >= 0);
  }

  /** All that `restore` needs. @throws Error before it is fitted */
  state(): LatentTextState {
    if (!this.#state) throw new Error('LatentTextEncoder: fit it on a corpus first');
    return { options: this.#options, ...this.#state };
  }

  /** The encoder of a state; it encodes the same texts to the same vectors. */
  static restore({ options, buckets, weights, directions }: LatentTextState): LatentTextEncoder {
    const encoder = new LatentTextEncoder(options);
    encoder.#take(buckets, weights, directions);
    return encoder;
  }

  #take(buckets: Tensor, weights: Tensor, directions: Tensor): void {
    this.#columns = new Int32Array(this.#options.buckets).fill(-1);
    buckets.view<Int32Array>().forEach((bucket, column) => {
      this.#columns[bucket] = column;
    });
    this.#state = { buckets: keep(buckets), weights: keep(weights), directions: keep(directions) };
  }

  /** Weighted rows of unit length [texts, seen]; 0 for a text without a known term. */
  #matrix(counted: readonly ReadonlyMap<number, number>[]): SparseMatrix {
    const { weights } = this.#state as Omit<LatentTextState, 'options'>;
    const scale = weights.view();
    const rows: number[] = [];
    const columns: number[] = [];
    const values: number[] = [];
    counted.forEach((counts, row) => {
      const start = values.length;
      let squares = 0;
      for (const [bucket, count] of counts) {
        const column = this.#columns[bucket] as number;
        if (column < 0) continue;
        const value = count * (scale[column] as number);
        squares += value * value;
        rows.push(row);
        columns.push(column);
        values.push(value);
      }
      for (let i = start; i < values.length && squares > 0; i++) values[i] = (values[i] as number) / Math.sqrt(squares);
    });
    return SparseMatrix.fromCoordinates(counted.length, scale.length, rows, columns, values);
  }

  /** Signed sums of 1 + ln count by bucket. */
  #counts(text: string): Map<number, number> {
    const { buckets } = this.#options;
    const counts = new Map<string, number>();
    for (const term of this.#terms(text)) counts.set(term, (counts.get(term) ?? 0) + 1);
    const sums = new Map<number, number>();
    for (const [term, count] of counts) {
      const hash = hashOf(term);
      const bucket = (hash >>> 1) % buckets;
      sums.set(bucket, (sums.get(bucket) ?? 0) + (hash & 1 ? 1 : -1) * (1 + Math.log(count)));
    }
    return sums;
  }

  *#terms(text: string): Generator<string> {
    const words = wordsOf(text);
    const [shortest, longest] = this.#options.parts;
    for (const [i, word] of words.entries()) {
      yield word;
      if (i > 0) yield `${words[i - 1]} ${word}`;
      if (shortest < 1) continue;
      const padded = `^${word}$`;
      for (let length = shortest; length <= longest; length++)
        for (let at = 0; at + length <= padded.length; at++) yield `#${padded.slice(at, at + length)}`;
    }
  }
}

/** A 32-bit hash (FNV-1a with a final mix), the same on every machine. */
function hashOf(term: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < term.length; i++) h = Math.imul(h ^ term.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
