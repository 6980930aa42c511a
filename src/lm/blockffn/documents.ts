// Documents as tokens: windows that stay inside one, padded where it is shorter.

import { PADDING, type TokenBatch } from '../../data/index.js';
import type { Decoder } from '../../models/index.js';
import { type Random, scope, tensor } from '../../tensor/index.js';
import { nextTokenLoss } from '../training.js';

/** Windows of `length` tokens, each of one document. */
export interface DocumentWindow {
  /** The document. */
  readonly document: Int32Array;
  /** Index of the first token. */
  readonly start: number;
}

/**
 * A batch of windows. Positions behind the end of a document are padding: token 0, target
 * `PADDING`, mask 0. The last token of a document has no target, but a mask of 1.
 */
export function documentBatch(windows: readonly DocumentWindow[], length: number): TokenBatch {
  const size = windows.length * length;
  const [inputs, targets] = [new Int32Array(size), new Int32Array(size).fill(PADDING)];
  const mask = new Float32Array(size);
  windows.forEach(({ document, start }, i) => {
    const own = document.subarray(start, start + length);
    inputs.set(own, i * length);
    targets.set(document.subarray(start + 1, start + 1 + length), i * length);
    mask.fill(1, i * length, i * length + own.length);
  });
  return { inputs: tensor(inputs, [windows.length, length]), targets: tensor(targets), mask };
}

/**
 * Windows at uniformly random positions of documents; a document is as likely as it is long.
 *
 * @throws Error when no document has two tokens.
 */
export function documentSampler(documents: readonly Int32Array[], batch: number, length: number) {
  const useful = documents.filter((document) => document.length > 1);
  const ends: number[] = [];
  for (const document of useful) ends.push((ends.at(-1) ?? 0) + document.length);
  const total = ends.at(-1);
  if (total === undefined) throw new Error('no document has two tokens, so that there is nothing to predict');
  return (random: Random): TokenBatch =>
    documentBatch(
      Array.from({ length: batch }, () => {
        const at = random.integer(total);
        const document = useful[ends.findIndex((end) => at < end)] as Int32Array;
        return { document, start: random.integer(Math.max(1, document.length - length)) };
      }),
      length,
    );
}

/**
 * Splits documents for training and validation: of one document the last tenth, of several the last
 * ones, which have at least a tenth of the tokens.
 */
export function splitDocuments(documents: readonly Int32Array[], validationShare = 0.1) {
  const total = documents.reduce((sum, { length }) => sum + length, 0);
  let left = Math.floor(total * (1 - validationShare));
  const train: Int32Array[] = [];
  const validation: Int32Array[] = [];
  for (const document of documents) {
    // A document at the cut is cut itself: parts of it are documents then.
    const own = Math.min(document.length, left);
    if (own > 0) train.push(document.subarray(0, own));
    if (own < document.length) validation.push(document.subarray(own));
    left -= own;
  }
  return { train, validation };
}

/** Adjacent windows of documents with a token to predict; the last of a document may be shorter. */
export function adjacentWindows(documents: readonly Int32Array[], length: number): DocumentWindow[] {
  return documents.flatMap((document) =>
    Array.from({ length: Math.ceil((document.length - 1) / length) }, (_, i) => ({ document, start: i * length })),
  );
}

/** Mean cross-entropy of the next token over the first `windows` adjacent windows, in nats. */
export function documentLoss(
  model: Decoder,
  documents: readonly Int32Array[],
  { length = 64, windows = 512, batch = 32 } = {},
): number {
  const all = adjacentWindows(documents, length).slice(0, windows);
  let [total, count] = [0, 0];
  for (let first = 0; first < all.length; first += batch) {
    const own = all.slice(first, first + batch);
    const targets = own.reduce((sum, { document, start }) => sum + Math.min(length, document.length - start - 1), 0);
    total += targets * scope(() => nextTokenLoss(model, documentBatch(own, length)).item());
    count += targets;
  }
  return total / count;
}
