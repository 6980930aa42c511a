// Sparsity of models with layers of blocks on a text.

import type { Decoder } from '../../models/index.js';
import { type BlockGates, expertContext } from '../../nn/experts/index.js';
import { scope } from '../../tensor/index.js';
import type { LanguageModel } from '../runtime/model.js';
import { adjacentWindows, documentBatch } from './documents.js';
import { BlockUsage } from './usage.js';

/**
 * The blocks that the tokens of documents use in adjacent windows; chunks stay inside a window.
 * Undefined for a decoder without layers of blocks.
 *
 * @param windows windows at most
 */
export function decoderUsage(
  model: Decoder,
  documents: readonly Int32Array[],
  { length = 64, windows = 64, batch = 32 } = {},
): BlockUsage | undefined {
  const all = adjacentWindows(documents, length).slice(0, windows);
  let usage: BlockUsage | undefined;
  for (let first = 0; first < all.length; first += batch)
    scope(() => {
      const own = all.slice(first, first + batch);
      let layer = 0;
      const onGates = ({ gates }: BlockGates) => {
        const experts = gates.shape.at(-1) as number;
        usage ??= new BlockUsage(model.model.layers.length, experts);
        const values = gates.view();
        for (const [i, { document, start }] of own.entries()) {
          const tokens = Math.min(length, document.length - start);
          usage.add(layer, values.subarray(i * length * experts, (i * length + tokens) * experts));
        }
        layer += 1;
      };
      model.hidden(documentBatch(own, length).inputs, expertContext({ onGates }));
    });
  return usage;
}

/**
 * The blocks that a model uses for the tokens of one text; undefined for a model without blocks.
 * Texts longer than the context are cut into parts.
 */
export function textUsage(model: LanguageModel, tokens: readonly number[]): BlockUsage | undefined {
  const { blocks, layers, context } = model.config;
  if (!blocks) return undefined;
  const usage = new BlockUsage(layers, blocks.count);
  for (let from = 0; from < tokens.length; from += context)
    for (const [layer, gates] of model.blockGates(tokens.slice(from, from + context)).entries())
      usage.add(layer, gates);
  return usage;
}
