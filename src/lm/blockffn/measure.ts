// Sparsity of models with layers of blocks on a text.

import { windowsAt } from '../../data/index.js';
import type { Decoder } from '../../models/index.js';
import { expertContext } from '../../nn/experts/index.js';
import { scope } from '../../tensor/index.js';
import type { LanguageModel } from '../runtime/model.js';
import { BlockUsage } from './usage.js';

/**
 * The blocks that the tokens of adjacent windows use; each window is a document of its own, so that
 * chunks stay inside. Undefined for a decoder without layers of blocks.
 *
 * @param windows windows at most
 * @throws Error when the text is shorter than a window.
 */
export function decoderUsage(
  model: Decoder,
  tokens: Int32Array,
  { length = 64, windows = 64, batch = 32 } = {},
): BlockUsage | undefined {
  const count = Math.min(windows, Math.floor((tokens.length - 1) / length));
  if (count < 1) throw new Error(`a text of ${tokens.length} tokens is shorter than a window of ${length + 1}`);
  let usage: BlockUsage | undefined;
  for (let first = 0; first < count; first += batch)
    scope(() => {
      const starts = Array.from({ length: Math.min(batch, count - first) }, (_, i) => (first + i) * length);
      let layer = 0;
      const context = expertContext({
        onGates: ({ gates }) => {
          const experts = gates.shape.at(-1) as number;
          usage ??= new BlockUsage(model.model.layers.length, experts);
          const values = gates.view();
          for (let i = 0; i < starts.length; i++)
            usage.add(layer, values.subarray(i * length * experts, (i + 1) * length * experts));
          layer += 1;
        },
      });
      model.hidden(windowsAt(tokens, starts, length).inputs, context);
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
