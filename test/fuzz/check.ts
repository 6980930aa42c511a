// One damaged file: it is refused with an error of our own or read, and computing is right
// afterwards.

import { ones, Random, scope, type Tensor, tensor } from '../../src/tensor/index.js';
import type { FuzzCase } from './cases.js';
import { mutated } from './mutate.js';

/** What a reader did with a file. */
export type Outcome = 'refused' | 'read';

/** Errors of the language say what code did; ours say what is wrong with the file. */
const ofTheLanguage =
  /is not a function|is not iterable|Cannot (read|convert|mix|set)|undefined|Maximum call stack|Invalid (typed )?array|Invalid (string|count|time)|out of (bounds|range of)|outside the bounds|allocation failed|offset is out|memory access|unreachable|\[object Object\]/;

/**
 * Reads a file and computes known sums.
 *
 * @throws Error when the reader fails as code does that does not expect the file, or when a sum is
 * wrong afterwards.
 */
export async function outcomeOf(fuzzCase: FuzzCase, file: Uint8Array): Promise<Outcome> {
  let outcome: Outcome = 'read';
  try {
    let result: unknown;
    scope(() => {
      result = fuzzCase.read(file);
    });
    await result;
  } catch (error) {
    const { name, message, stack } = error as Error;
    if (['TypeError', 'ReferenceError', 'SyntaxError'].includes(name) || ofTheLanguage.test(message))
      throw new Error(`fails as code does: ${stack}`);
    outcome = 'refused';
  }
  requireKnownSums();
  return outcome;
}

/** The outcome of the damaged file number `index`. */
export async function outcomeAt(fuzzCase: FuzzCase, seeds: readonly Uint8Array[], index: number): Promise<Outcome> {
  return outcomeOf(fuzzCase, mutated(seeds, fuzzCase.name, index));
}

const sizes = [1, 3, 16, 100, 1000, 5000];
const factors = (
  [
    [9, 33],
    [33, 17],
  ] as const
).map(([rows, columns], seed) => {
  const random = new Random(seed);
  return { shape: [rows, columns], values: Float32Array.from({ length: rows * columns }, () => random.float()) };
});
let product: Float32Array | undefined;

/**
 * Sums of fresh buffers of several sizes, and a product that must repeat bit for bit: what a reader
 * leaves behind in memory that is handed out again shows here.
 */
function requireKnownSums(): void {
  scope(() => {
    for (const size of sizes) {
      const [floats, integers] = [ones([size]), tensor(new Int32Array(size).fill(2))];
      const [a, b] = [floats.sum().view()[0], integers.view().reduce((sum, value) => sum + value, 0)];
      if (a !== size || b !== 2 * size) throw new Error(`afterwards, the sum of ${size} ones is ${a}, of twos ${b}`);
    }
    const [left, right] = factors.map(({ values, shape }) => tensor(values, shape)) as [Tensor, Tensor];
    const values = left.matmul(right).view().slice();
    product ??= values;
    const wrong = values.findIndex((value, i) => !Object.is(value, product?.[i]));
    if (wrong >= 0) throw new Error(`afterwards, element ${wrong} of a product is ${values[wrong]}`);
  });
}
