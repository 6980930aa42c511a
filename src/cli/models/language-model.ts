// Language models: files of `gossamer lm train`, GGUF, and folders of Hugging Face's.

import { type LoadOptions, loadLanguageModel, type StoredBundle } from '../../lm/node.js';
import { groupCount } from '../../nn/index.js';
import type { Predictor } from './predictor.js';

export interface LanguageModelFile extends Predictor {
  /** The model and its tokenizer. */
  load(options?: LoadOptions): StoredBundle;
}

export function open(path: string): LanguageModelFile {
  return {
    load: (options) => loadLanguageModel(path, options),
    describe: () => {
      const bundle = loadLanguageModel(path);
      try {
        return descriptionOf(bundle);
      } finally {
        bundle.close();
      }
    },
    predict: async () => {
      throw new Error(`"${path}" is a language model: gossamer lm generate continues a text with it`);
    },
  };
}

function descriptionOf({ model, tokenizer, trained }: StoredBundle): string[] {
  const { architecture, layers, features, heads, keyHeads, context, experts, blocks, hidden } = model.config;
  const shared = keyHeads === heads ? '' : `, ${keyHeads} of keys`;
  const merged = experts?.groups ? ` merged to ${experts.groups.map(groupCount).join(', ')} by layer` : '';
  const rank = experts?.rank === undefined ? '' : ` of rank ${experts.rank}`;
  const blocksOf = blocks ? `, ${blocks.count} blocks of ${hidden}, as many a token as it chooses (BlockFFN)` : '';
  const mixture = experts ? `, ${experts.count} experts${merged}${rank}, ${experts.k} a token` : '';
  return [
    `Language model: continues a text (gossamer lm generate, gossamer serve)`,
    `Network     ${architecture}: ${layers} layers of ${features}, ${heads} heads${shared}${mixture}${blocksOf}`,
    `Reads       up to ${context} tokens, ${tokenizer.size} different`,
    ...(trained ? [`Trained on  ${trained.data}: ${trained.tokens.toLocaleString('en')} tokens`] : []),
    `Size        ${(model.bytes / 2 ** 20).toFixed(1)} MiB of weights`,
    ...(trained ? [`Scores      validation loss ${trained.loss.toFixed(3)} nats a token`] : []),
  ];
}
