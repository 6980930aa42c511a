// Bags of tokens: ridge regression to the classes on tf-idf weights of token n-grams, what a
// network of programs has to beat.
//
//   w(g) = (1 + ln tf)·(ln((1 + n)/(1 + df)) + 1), rows of unit length, grams of two files or more;
//   scores = K(K + λI)⁻¹(Y − ȳ) + ȳ with K the inner products of training files

import { cholesky } from '../../linalg/index.js';
import { scope, tensor } from '../../tensor/index.js';

/** Weights of the n-grams of a file. */
type Bag = ReadonlyMap<string, number>;

/** n-grams of a file with the times that each occurs. */
function gramsOf(tokens: readonly string[], longest: number): Bag {
  const counts = new Map<string, number>();
  for (let n = 1; n <= longest; n++)
    for (let i = 0; i + n <= tokens.length; i++) {
      const gram = n === 1 ? (tokens[i] as string) : tokens.slice(i, i + n).join('\u0001');
      counts.set(gram, (counts.get(gram) ?? 0) + 1);
    }
  return counts;
}

/** tf-idf weights, with document frequencies of the training files. */
export function tfidf(
  files: readonly (readonly string[])[],
  train: ArrayLike<number>,
  longest: number,
): readonly Bag[] {
  const counts = files.map((tokens) => gramsOf(tokens, longest));
  const documents = new Map<string, number>();
  for (const row of Array.from(train))
    for (const gram of (counts[row] as Bag).keys()) documents.set(gram, (documents.get(gram) ?? 0) + 1);
  return counts.map((own) => {
    const weights = new Map<string, number>();
    let squares = 0;
    for (const [gram, times] of own) {
      const frequency = documents.get(gram) ?? 0;
      if (frequency < 2) continue;
      const weight = (1 + Math.log(times)) * (Math.log((1 + train.length) / (1 + frequency)) + 1);
      weights.set(gram, weight);
      squares += weight * weight;
    }
    const length = Math.sqrt(squares) || 1;
    for (const [gram, weight] of weights) weights.set(gram, weight / length);
    return weights;
  });
}

/** Inner products of every file with each training file [files][train]. */
export function similarities(bags: readonly Bag[], train: ArrayLike<number>): readonly Float64Array[] {
  const postings = new Map<string, { at: number[]; weights: number[] }>();
  for (let at = 0; at < train.length; at++)
    for (const [gram, weight] of bags[train[at] as number] as Bag) {
      const own = postings.get(gram) ?? { at: [], weights: [] };
      own.at.push(at);
      own.weights.push(weight);
      postings.set(gram, own);
    }
  return bags.map((bag) => {
    const row = new Float64Array(train.length);
    for (const [gram, weight] of bag) {
      const found = postings.get(gram);
      found?.at.forEach((at, i) => {
        row[at] = (row[at] as number) + weight * (found.weights[i] as number);
      });
    }
    return row;
  });
}

/**
 * Predicted classes of all files by ridge regression of one-hot classes.
 *
 * @param kernel of `similarities`
 */
export function ridgeClasses(
  kernel: readonly Float64Array[],
  train: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  lambda: number,
): Int32Array {
  const count = train.length;
  const rows = Array.from(train, (row) => kernel[row] as Float64Array);
  const lower = scope(() => {
    const matrix = Float32Array.from(rows.flatMap((row, i) => Array.from(row, (k, j) => (i === j ? k + lambda : k))));
    return cholesky(tensor(matrix, [count, count])).dataSync<Float32Array>();
  });
  const shares = Float64Array.from({ length: classes }, (_, c) => {
    return Array.from(train).filter((row) => labels[row] === c).length / count;
  });
  const weights = Array.from(shares, (share, c) =>
    choleskySolve(
      lower,
      Float64Array.from(Array.from(train), (row) => Number(labels[row] === c) - share),
    ),
  );
  return Int32Array.from(kernel, (row) => {
    const scores = weights.map((own, c) =>
      own.reduce((sum, w, i) => sum + w * (row[i] as number), shares[c] as number),
    );
    return scores.indexOf(Math.max(...scores));
  });
}

/** x of L·Lᵀ·x = b. */
function choleskySolve(lower: Float32Array, b: Float64Array): Float64Array {
  const n = b.length;
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    let sum = x[i] as number;
    for (let j = 0; j < i; j++) sum -= (lower[i * n + j] as number) * (x[j] as number);
    x[i] = sum / (lower[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let j = i + 1; j < n; j++) sum -= (lower[j * n + i] as number) * (x[j] as number);
    x[i] = sum / (lower[i * n + i] as number);
  }
  return x;
}
