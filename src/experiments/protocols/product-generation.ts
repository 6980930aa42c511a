// Attribute values by generation: a transformer reads the text of a product and writes
// "attribute is value ; …". It stands for the family of generating language models.

import { type AttributeValue, type ProductCatalogue, valueText, wordsOf } from '../../data/index.js';
import { meanAveragePrecision, type ProductScores } from '../../hypergraph/index.js';
import { CopyTransformer } from '../../models/index.js';
import { Adam, Clipped, type FitResult, fit, minibatches, type TrainingHooks } from '../../nn/index.js';
import {
  log,
  maximum,
  mean,
  multiply,
  negate,
  pickColumns,
  type Random,
  reshape,
  scope,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { ProductRun } from './products.js';

const [PADDING, BEGIN, NEXT, END] = [0, 1, 2, 3] as const;
const SPECIAL = 4;

/** Words of all texts of a catalogue by number. */
class Words {
  readonly #numbers = new Map<string, number>();
  readonly #words: string[] = [];

  constructor({ texts, values }: ProductCatalogue) {
    for (const text of [...texts, ...values.map(valueText)]) for (const word of wordsOf(text)) this.#add(word);
  }

  get size(): number {
    return SPECIAL + this.#words.length;
  }

  numbersOf(text: string): number[] {
    return wordsOf(text).map((word) => this.#numbers.get(word) as number);
  }

  textOf(numbers: readonly number[]): string {
    return numbers.map((number) => this.#words[number - SPECIAL] ?? '').join(' ');
  }

  #add(word: string): void {
    if (!this.#numbers.has(word)) this.#numbers.set(word, SPECIAL + this.#words.push(word) - 1);
  }
}

/** Hyperparameters of a generator. */
export interface GenerationOptions extends TrainingHooks {
  readonly epochs: number;
  readonly learningRate: number;
  readonly patience: number;
}

/** Longest text in words; longer ones are cut. */
const LONGEST = 96;
/** Products of a training batch, and of a pass without gradients. */
const [BATCH, AT_ONCE] = [64, 512];

/** Generates values of products, and scores all values by their likelihood. */
export class ValueGenerator {
  readonly network: CopyTransformer;
  readonly #words: Words;
  readonly #sources: readonly (readonly number[])[];
  readonly #targets: readonly (readonly number[])[];
  readonly #byText: ReadonlyMap<string, number>;

  constructor(
    readonly catalogue: ProductCatalogue,
    features: number,
    random: Random,
  ) {
    this.#words = new Words(catalogue);
    this.#sources = catalogue.texts.map((text) => this.#words.numbersOf(text).slice(0, LONGEST));
    this.#targets = catalogue.values.map((value) => this.#words.numbersOf(valueText(value)));
    const textOf = (value: AttributeValue) => wordsOf(valueText(value)).join(' ');
    this.#byText = new Map(catalogue.values.map((value, number) => [textOf(value), number]));
    this.network = new CopyTransformer({ vocabulary: this.#words.size, features, context: 4 * LONGEST }, random);
  }

  /** Trains on the values of training products, listed in another order in each epoch. */
  train({ task, split }: ProductRun, random: Random, options: GenerationOptions): Promise<FitResult> {
    const { labels } = task.graph;
    const { validation } = task;
    const { epochs, learningRate, patience, signal, onEpoch } = options;
    const self = this;
    return fit({
      model: this.network,
      batches: function* (stream: Random) {
        for (const rows of minibatches(split.train.length, BATCH, stream)) {
          const products = rows.map((row) => split.train[row] as number);
          yield { products, lists: Array.from(products, (p) => self.#listOf(labels[p] as Int32Array, stream)) };
        }
      },
      loss: (live: CopyTransformer, { products, lists }: { products: Int32Array; lists: number[][] }) => {
        const [logs, counted] = self.#logs(live, products, lists);
        return multiply(negate(mean(multiply(logs, counted))), counted.size / sum(counted).item());
      },
      optimizer: new Clipped(new Adam({ learningRate }), 1),
      epochs,
      random,
      ...(validation && {
        validate: () =>
          meanAveragePrecision(
            this.score(validation.products, validation.candidates),
            validation.labels,
            validation.candidates,
          ),
        patience,
      }),
      signal,
      onEpoch,
    });
  }

  /** Log-likelihoods of values given the products; −∞ for values that are not candidates. */
  score(products: Int32Array, candidates: Int32Array = Int32Array.from(this.#targets.keys())): ProductScores {
    const values = this.#targets.length;
    const scores = new Float32Array(products.length * values).fill(Number.NEGATIVE_INFINITY);
    const pairs = Array.from(products.keys()).flatMap((at) => Array.from(candidates, (value) => [at, value] as const));
    for (let from = 0; from < pairs.length; from += AT_ONCE) {
      const part = pairs.slice(from, from + AT_ONCE);
      const totals = scope(() => {
        const rows = Int32Array.from(part, ([at]) => products[at] as number);
        const [logs, counted] = this.#logs(
          this.network,
          rows,
          part.map(([, value]) => [...(this.#targets[value] as number[])]),
        );
        return sum(multiply(logs, counted), 1).dataSync<Float32Array>();
      });
      part.forEach(([at, value], row) => {
        scores[at * values + value] = totals[row] as number;
      });
    }
    return { products, scores, values };
  }

  /** The values that greedy decoding writes, by product. */
  emitted(products: Int32Array): ReadonlySet<number>[] {
    const all: ReadonlySet<number>[] = [];
    for (let from = 0; from < products.length; from += AT_ONCE) {
      const rows = products.slice(from, from + AT_ONCE);
      all.push(...this.#decode(rows));
    }
    return all;
  }

  #decode(products: Int32Array): ReadonlySet<number>[] {
    const written = Array.from(products, () => [BEGIN] as number[]);
    const longest = 6 * Math.max(...this.#targets.map((target) => target.length + 1));
    const done = new Set<number>();
    for (let step = 0; step < longest && done.size < written.length; step++)
      scope(() => {
        const source = this.network.encode(padded(Array.from(products, (p) => this.#sources[p] as number[])));
        const chances = this.network.decode(source, padded(written)).dataSync<Float32Array>();
        const size = this.#words.size;
        written.forEach((words, row) => {
          const at = (row * (step + 1) + step) * size;
          const own = chances.subarray(at, at + size);
          const word = own.indexOf(own.reduce((most, chance) => Math.max(most, chance)));
          if (word === END || word === PADDING) done.add(row);
          words.push(done.has(row) ? END : word);
        });
      });
    return written.map((words) => new Set(this.#valuesIn(words.slice(1))));
  }

  /** Values in a generated list. */
  #valuesIn(words: readonly number[]): number[] {
    const end = words.indexOf(END);
    const parts: number[][] = [[]];
    for (const word of end < 0 ? words : words.slice(0, end)) {
      if (word === NEXT) parts.push([]);
      else parts.at(-1)?.push(word);
    }
    return parts.flatMap((part) => this.#byText.get(this.#words.textOf(part)) ?? []);
  }

  /** The words of a list of values in random order, with the end. */
  #listOf(values: Int32Array, random: Random): number[] {
    const order = Array.from(
      random.permutation(values.length),
      (at) => this.#targets[values[at] as number] as number[],
    );
    return [...order.flatMap((words, at) => (at === 0 ? words : [NEXT, ...words])), END];
  }

  /** Log-probabilities of target words, and 1 where there is a word: both [batch, length]. */
  #logs(network: CopyTransformer, products: Int32Array, targets: readonly number[][]): [logs: Tensor, counted: Tensor] {
    const source = network.encode(padded(Array.from(products, (p) => this.#sources[p] as number[])));
    const chances = network.decode(source, padded(targets.map((words) => [BEGIN, ...words.slice(0, -1)])));
    const words = padded(targets);
    const [batch, length, size] = chances.shape as [number, number, number];
    const picked = pickColumns(reshape(chances, [batch * length, size]), reshape(words, [-1]));
    const counted = tensor(
      Float32Array.from(words.view<Int32Array>(), (word) => Number(word !== PADDING)),
      [batch, length],
    );
    return [reshape(log(maximum(picked, 1e-20)), [batch, length]), counted];
  }
}

/** Rows of words with padding at their ends: i32 [rows, longest]. */
function padded(rows: readonly (readonly number[])[]): Tensor {
  const longest = Math.max(...rows.map((row) => row.length));
  const all = new Int32Array(rows.length * longest);
  rows.forEach((row, at) => {
    all.set(row, at * longest);
  });
  return tensor(all, [rows.length, longest]);
}
