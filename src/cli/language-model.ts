// Shared by the commands that run language models: options, loading with progress, and a summary
// line.

import type { Command } from 'commander';
import { type CacheFormat, llamaCppDiffers } from '../lm/index.js';
import type { StoredBundle } from '../lm/node.js';
import type { QuantizedFormat } from '../quantized/index.js';
import { bytes, choice, number } from './arguments.js';
import { Bar } from './bar.js';
import { openModelOf } from './models.js';
import { useThreads } from './threads.js';

export interface ModelFlags {
  readonly memory?: number;
  readonly quantize?: QuantizedFormat;
  readonly cache: CacheFormat;
  readonly threads?: number;
}

export const modelsHelp = `
A model is a .gguf file (the first, if it is split; Llama, Qwen2, Qwen3, Qwen3-MoE, SmallThinker; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K), a file of gossamer lm train, or a folder with config.json, safetensors and tokenizer.json. One that is larger than --memory stays in its file: what a pass needs is read when it is needed. A name hf:owner/name is a model of huggingface.co: the best quantisation that fits --memory is fetched into the cache of Hugging Face's tools, whole or from where a download broke off. hf:owner/name:Q4_K_M or hf:owner/name:file.gguf names one, hf:owner/name@revision a branch, tag or commit. HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE mean what they mean there.`;

export function withModel(command: Command): Command {
  return command
    .option(
      '--memory <size>',
      'memory for weights at most, as 800M (default: three quarters of tensor memory, 3G)',
      bytes,
    )
    .option('--quantize <format>', 'quantise float weights to Q8_0 or Q4_0', choice('Q8_0', 'Q4_0'))
    .option('--cache <format>', 'element type of the key/value cache: f16 or f32', choice('f16', 'f32'), 'f16')
    .option('--threads <n>', 'threads, the calling one among them', number(1));
}

export const gigabytes = (size: number) =>
  size >= 1e9 ? `${(size / 1e9).toFixed(2)} GB` : `${(size / 1e6).toFixed(size < 1e7 ? 1 : 0)} MB`;

/** Opens a model, preloads weights within the memory budget, and describes it on standard error. */
export async function openLanguageModel(
  path: string,
  { memory, quantize, cache, threads }: ModelFlags,
): Promise<StoredBundle> {
  useThreads(threads);
  const started = performance.now();
  const bundle = (await openModelOf(path, 'language-model', memory)).load({ memory, quantize });
  const { model, store } = bundle;
  const { architecture, layers, features, context, experts, blocks, hidden } = model.config;
  const mixture = experts
    ? `, ${experts.count} experts of which ${experts.k} work`
    : blocks
      ? `, ${blocks.count} blocks of ${hidden} that tokens choose from`
      : '';
  process.stderr.write(
    `${architecture}: ${layers} layers of ${features}${mixture}, ${gigabytes(model.bytes)} of weights${
      model.bytes > store.budget
        ? `, more than ${gigabytes(store.budget)} of memory for them: the rest is read from the file in every pass`
        : ''
    }; ${gigabytes(model.cacheBytes(context, cache))} for all ${context} tokens of its context\n`,
  );
  const difference = llamaCppDiffers(model.config);
  if (difference !== undefined) process.stderr.write(`${difference}\n`);
  const bar = new Bar('reading weights', 'B');
  try {
    model.load((share) => bar.update(share, store.used));
  } catch (error) {
    bundle.close();
    throw error;
  } finally {
    bar.close();
  }
  if (store.used > 0)
    process.stderr.write(`read ${gigabytes(store.used)} in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  return bundle;
}
