// `gossamer lm`

import { existsSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { CharacterVocabulary, splitTokens } from '../data/index.js';
import { fileCheckpoint, interruptSignal, loadText, writeFileAtomic } from '../data/node.js';
import { setThreads } from '../engine/index.js';
import {
  type ChatMessage,
  chatTokens,
  type GenerateOptions,
  generate,
  type LanguageBundle,
  TextStream,
  trainLanguageModel,
  validationLoss,
} from '../lm/index.js';
import { loadLanguageModel, saveCharacterModel } from '../lm/node.js';
import { Decoder } from '../models/index.js';
import { parameterCount, progressLine } from '../nn/index.js';
import { Random } from '../tensor/index.js';
import { number } from './arguments.js';

interface Sampling {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repeatPenalty: number;
  readonly seed: number;
  readonly threads?: number;
}

const models = `
A model is a .gguf file (Llama, Qwen2, Qwen3, Qwen3-MoE; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K), a file of gossamer lm train, or a folder with config.json, safetensors and tokenizer.json.`;

export function lmCommand(): Command {
  return new Command('lm')
    .description('train and run language models')
    .addCommand(trainCommand())
    .addCommand(generateCommand())
    .addCommand(chatCommand());
}

function withSampling(command: Command): Command {
  return command
    .option('--max-tokens <n>', 'tokens to make at most', number(1), 256)
    .option('--temperature <t>', '0 takes the most probable token', number(0, false), 0.8)
    .option('--top-k <k>', 'draw from so many of the most probable; 0 for all', number(0), 40)
    .option('--top-p <p>', 'draw from the most probable that reach this sum', number(0, false), 0.95)
    .option('--min-p <p>', 'leave out what is less than so many times as probable as the best', number(0, false), 0.05)
    .option('--repeat-penalty <r>', 'above 1: make the last 64 tokens less likely', number(0, false), 1)
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1));
}

function generateCommand(): Command {
  return withSampling(
    new Command('generate')
      .description('go on with a text')
      .argument('<model>', 'see below')
      .requiredOption('--prompt <text>', 'the text to go on with'),
  )
    .addHelpText(
      'after',
      `\nExamples\n  gossamer lm generate qwen.gguf --prompt "The sea"\n  gossamer lm generate mine.safetensors --prompt "ROMEO:" --temperature 0.7 --max-tokens 500\n${models}`,
    )
    .action(generateText);
}

function chatCommand(): Command {
  return withSampling(
    new Command('chat')
      .description('talk with a model, line by line')
      .argument('<model>', 'see below')
      .option('--system <text>', 'what the model is told first'),
  )
    .addHelpText(
      'after',
      `\nExamples\n  gossamer lm chat qwen.gguf --system "Answer briefly."\n\nCtrl-C stops an answer, Ctrl-D or /exit ends. The template is the model's own, or ChatML.\n${models}`,
    )
    .action(chat);
}

function samplingOf({ threads, ...sampling }: Sampling): GenerateOptions {
  if (threads !== undefined) setThreads(threads);
  const { maxTokens, temperature, topK, topP, minP, repeatPenalty, seed } = sampling;
  return { maxTokens, temperature, topK, topP, minP, repeatPenalty, seed };
}

/** Writes tokens as they come. @returns what was written, and the tokens. */
async function stream(
  { model, tokenizer }: LanguageBundle,
  prompt: readonly number[],
  options: GenerateOptions,
): Promise<{ text: string; tokens: number }> {
  const text = new TextStream(tokenizer);
  const started = performance.now();
  let [written, count, prefill] = ['', 0, 0];
  const write = (part: string) => {
    written += part;
    process.stdout.write(part);
  };
  const onPrefill = (_: number, seconds: number) => {
    prefill = seconds;
  };
  for await (const token of generate(model, prompt, { stopTokens: tokenizer.stopTokens, ...options, onPrefill })) {
    write(text.push(token));
    count += 1;
  }
  write(text.end());
  const seconds = (performance.now() - started) / 1000 - prefill;
  process.stderr.write(
    `\n${prompt.length} tokens read at ${(prompt.length / prefill).toFixed(1)} a second, ${count} made at ${(count / Math.max(seconds, 1e-3)).toFixed(1)}\n`,
  );
  return { text: written, tokens: count };
}

async function generateText(path: string, { prompt, ...flags }: Sampling & { readonly prompt: string }): Promise<void> {
  const options = samplingOf(flags);
  const bundle = loadLanguageModel(path);
  const { signal, release } = interruptSignal();
  try {
    process.stdout.write(prompt);
    await stream(bundle, bundle.tokenizer.encode(prompt), { ...options, signal });
  } finally {
    release();
  }
}

async function chat(path: string, { system, ...flags }: Sampling & { readonly system?: string }): Promise<void> {
  const options = samplingOf(flags);
  const bundle = loadLanguageModel(path);
  const messages: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  let answering: AbortController | undefined;
  lines.on('SIGINT', () => (answering ? answering.abort() : lines.close()));
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() === '/exit') break;
    if (line.trim() !== '') {
      messages.push({ role: 'user', content: line });
      answering = new AbortController();
      const { text } = await stream(bundle, chatTokens(bundle.tokenizer, messages), {
        ...options,
        signal: answering.signal,
      });
      answering = undefined;
      messages.push({ role: 'assistant', content: text });
    }
    lines.prompt();
  }
  lines.close();
}

interface TrainFlags {
  readonly out: string;
  readonly steps: number;
  readonly features: number;
  readonly layers: number;
  readonly heads: number;
  readonly batch: number;
  readonly length: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly threads?: number;
  readonly resume: boolean;
}

function trainCommand(): Command {
  return new Command('train')
    .description('train a decoder on the characters of a text')
    .argument('<text>', 'a file in UTF-8, also .gz, or tinyshakespeare, republic')
    .option('-o, --out <file>', 'the model', 'lm.safetensors')
    .option('--steps <n>', 'steps', number(1), 1000)
    .option('--features <n>', 'width', number(8), 128)
    .option('--layers <n>', 'layers', number(1), 4)
    .option('--heads <n>', 'heads of attention', number(1), 4)
    .option('--batch <n>', 'windows a step', number(1), 16)
    .option('--length <n>', 'characters of a window', number(2), 128)
    .option('--learning-rate <rate>', 'learning rate', number(0, false), 3e-3)
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from <out>.checkpoint', false)
    .addHelpText(
      'after',
      '\nExamples\n  gossamer lm train book.txt -o book.safetensors\n  gossamer lm generate book.safetensors --prompt "Once"\n\nThe last tenth of the text validates. Ctrl-C keeps the steps so far in <out>.checkpoint, and --resume goes on from there.',
    )
    .action(train);
}

async function train(path: string, flags: TrainFlags): Promise<void> {
  if (flags.threads !== undefined) setThreads(flags.threads);
  const text = loadText(path);
  const vocabulary = new CharacterVocabulary(text);
  const tokens = splitTokens(vocabulary.encode(text));
  if (tokens.validation.length <= flags.length)
    throw new Error(`"${path}" has ${text.length} characters, too few for windows of ${flags.length}`);
  const { features, layers, heads, steps, batch, length, learningRate } = flags;
  const random = new Random(flags.seed);
  const options = { vocabulary: vocabulary.size, features, layers, heads };
  const model = new Decoder(options, random.split('model'));
  process.stderr.write(
    `${parameterCount(model).toLocaleString('en-US')} parameters, ${tokens.train.length} characters, ${vocabulary.size} different\n`,
  );
  const checkpointPath = `${flags.out}.checkpoint`;
  if (flags.resume && !existsSync(checkpointPath)) throw new Error(`there is no "${checkpointPath}" to go on from`);
  const store = fileCheckpoint(checkpointPath);
  const { signal, release } = interruptSignal();
  try {
    const { stopped } = await trainLanguageModel(model, tokens, random.split('fit'), {
      ...{ steps, batch, length, learningRate, signal },
      checkpoint: flags.resume ? store : { load: () => undefined, save: (state) => store.save(state) },
      onEpoch: progressLine(process.stderr),
    });
    if (stopped === 'aborted') {
      process.stderr.write('\nstopped; the same command with --resume goes on\n');
      process.exitCode = 130;
      return;
    }
  } finally {
    release();
  }
  writeFileAtomic(flags.out, saveCharacterModel(model, options, vocabulary.characters, 16 * length));
  rmSync(checkpointPath, { force: true });
  process.stdout.write(
    `${flags.out}: validation loss ${validationLoss(model, tokens, { length }).toFixed(3)} nats a character\n`,
  );
}
