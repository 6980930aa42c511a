// `gossamer lm`

import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { interruptSignal, readJson, readText } from '../data/node.js';
import {
  AnswerText,
  type ChatMessage,
  chatTokens,
  type GenerateOptions,
  GrammarError,
  generate,
  type JsonSchema,
  jsonObjectRules,
  type LanguageBundle,
  lookupDraft,
  modelDraft,
  readGbnf,
  schemaRules,
  type TextTokenizer,
  TokenGrammar,
} from '../lm/index.js';
import { number } from './arguments.js';
import { compressExpertsCommand } from './compress-experts.js';
import { type ModelFlags, modelsHelp, openLanguageModel, withModel } from './language-model.js';
import { benchCommand } from './lm-bench.js';
import { counted, statsOf } from './lm-stats.js';
import { trainCommand } from './lm-train.js';
import { mergeCommand } from './merge-models.js';
import { openModelOf } from './models.js';

interface Sampling extends ModelFlags {
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly repeatPenalty?: number;
  readonly seed: number;
  readonly draft?: string;
  readonly json: boolean;
  readonly schema?: string;
  readonly grammar?: string;
  readonly stop: readonly string[];
  readonly stats: boolean;
}

export function lmCommand(): Command {
  return new Command('lm')
    .description('train and run language models')
    .addCommand(trainCommand())
    .addCommand(generateCommand())
    .addCommand(chatCommand())
    .addCommand(compressExpertsCommand())
    .addCommand(mergeCommand())
    .addCommand(benchCommand());
}

function withSampling(command: Command): Command {
  return withModel(command)
    .option('--max-tokens <n>', 'tokens to make at most', number(1), 256)
    .option('--temperature <t>', '0 takes the most probable token (default: the model’s, or 0.8)', number(0, false))
    .option('--top-k <k>', 'draw from so many of the most probable; 0 for all (default: the model’s, or 40)', number(0))
    .option(
      '--top-p <p>',
      'draw from the most probable that reach this sum (default: the model’s, or 0.95)',
      number(0, false),
    )
    .option(
      '--min-p <p>',
      'leave out what is less than so many times as probable as the best (default: the model’s, or 0.05)',
      number(0, false),
    )
    .option(
      '--repeat-penalty <r>',
      'above 1: make the last 64 tokens less likely (default: the model’s, or 1)',
      number(0, false),
    )
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--stop <text>', 'a text that ends the answer (repeatable)', (text, all: string[]) => [...all, text], [])
    .option(
      '--stats',
      'after the text, print what was read of the weights, how many blocks its tokens leave unused, and what guesses gained; with --draft it is made once more without',
      false,
    )
    .option('--json', 'answer with a JSON object', false)
    .option('--schema <file>', 'answer with JSON that satisfies the JSON Schema in a file')
    .option('--grammar <file>', 'answer with a text of the grammar in a file, in GBNF')
    .option(
      '--draft <model>',
      'guess tokens ahead: by a smaller model of the same tokens, or "lookup", by the text so far',
    );
}

function generateCommand(): Command {
  return withSampling(
    new Command('generate')
      .description('complete a text')
      .argument('<model>', 'see below')
      .requiredOption('--prompt <text>', 'the text to go on with')
      .option('--special', 'read control tokens that are spelt in the prompt, as <|im_start|>', false),
  )
    .addHelpText(
      'after',
      `\nExamples\n  gossamer lm generate qwen.gguf --prompt "The sea"\n  gossamer lm generate mine.safetensors --prompt "ROMEO:" --temperature 0.7 --max-tokens 500\n  gossamer lm generate large.gguf --memory 2G --prompt "The sea"\n  gossamer lm generate qwen.gguf --prompt "A cat as JSON: " --schema cat.json --temperature 0\n  gossamer lm generate qwen.gguf --prompt "2 + 2 = " --grammar number.gbnf   number.gbnf: root ::= [0-9]+\n  gossamer lm generate hf:Qwen/Qwen3-0.6B-GGUF --prompt "The sea"   fetched from huggingface.co, once\n${modelsHelp}`,
    )
    .action(generateText);
}

function chatCommand(): Command {
  return withSampling(
    new Command('chat')
      .description('chat with a model, line by line')
      .argument('<model>', 'see below')
      .option('--system <text>', 'system message'),
  )
    .addHelpText(
      'after',
      `\nExamples\n  gossamer lm chat qwen.gguf --system "Answer briefly."\n  gossamer lm chat hf:Qwen/Qwen3-0.6B-GGUF:Q8_0\n\nCtrl-C stops an answer, Ctrl-D or /exit ends. The template is the model's own, or ChatML.\n${modelsHelp}`,
    )
    .action(chat);
}

async function samplingOf(
  { draft, ...sampling }: Sampling,
  { model, tokenizer, sampling: own }: LanguageBundle,
): Promise<GenerateOptions> {
  const { maxTokens, temperature, topK, topP, minP, repeatPenalty, seed } = sampling;
  const cache = model.cache({ format: sampling.cache });
  const given = Object.entries({ temperature, topK, topP, minP, repeatPenalty }).filter(
    ([, value]) => value !== undefined,
  );
  const options = {
    ...own,
    ...Object.fromEntries(given),
    maxTokens,
    seed,
    cache,
    grammar: grammarOf(sampling, tokenizer),
  };
  if (draft === undefined) return options;
  if (draft === 'lookup') return { ...options, draft: lookupDraft() };
  const small = (await openModelOf(draft, 'language-model', sampling.memory)).load({ memory: sampling.memory }).model;
  if (small.config.vocabulary !== model.config.vocabulary)
    throw new Error(
      `"${draft}" has ${small.config.vocabulary} tokens, the model ${model.config.vocabulary}: it cannot guess for it`,
    );
  return { ...options, draft: modelDraft(small) };
}

/**
 * The grammar that the flags ask for. @throws Error when they ask for two, or it cannot be read.
 */
function grammarOf(
  { json, schema, grammar }: Pick<Sampling, 'json' | 'schema' | 'grammar'>,
  tokenizer: TextTokenizer,
): TokenGrammar | undefined {
  if ([json, schema !== undefined, grammar !== undefined].filter(Boolean).length > 1)
    throw new Error('of --json, --schema and --grammar one is taken at a time');
  if (json) return new TokenGrammar(jsonObjectRules, tokenizer);
  const path = schema ?? grammar;
  if (path === undefined) return undefined;
  try {
    const rules = schema === undefined ? readGbnf(readText(path)) : schemaRules(readJson(path) as JsonSchema);
    return new TokenGrammar(rules, tokenizer);
  } catch (error) {
    throw error instanceof GrammarError ? new Error(`file "${path}": ${error.message}`) : error;
  }
}

/** Streams generated text up to a stop sequence. @returns the text */
async function stream(
  bundle: LanguageBundle,
  prompt: readonly number[],
  options: GenerateOptions,
  { stop: stops, stats }: Pick<Sampling, 'stop' | 'stats'>,
): Promise<string> {
  const { model, tokenizer } = bundle;
  const text = new AnswerText(tokenizer, stops);
  const started = performance.now();
  let [written, read, prefill] = ['', 0, 0];
  const made: number[] = [];
  const counter = stats ? counted(bundle, options) : undefined;
  const write = (part: string) => {
    written += part;
    process.stdout.write(part);
  };
  const onPrefill = (tokens: number, seconds: number) => {
    [read, prefill] = [tokens, seconds];
  };
  const own = { stopTokens: tokenizer.stopTokens, ...(counter?.options ?? options), onPrefill };
  for await (const token of generate(model, prompt, own)) {
    write(text.push(token));
    made.push(token);
    if (text.stopped) break;
  }
  write(text.end());
  const seconds = (performance.now() - started) / 1000 - prefill;
  process.stderr.write(
    `\n${read} tokens read at ${(read / prefill).toFixed(1)} a second, ${made.length} made at ${(made.length / Math.max(seconds, 1e-3)).toFixed(1)}\n`,
  );
  if (counter)
    for (const line of await statsOf(bundle, prompt, made, seconds, counter)) process.stderr.write(`${line}\n`);
  return written;
}

type GenerateFlags = Sampling & { readonly prompt: string; readonly special: boolean };

async function generateText(path: string, { prompt, special, ...flags }: GenerateFlags): Promise<void> {
  const bundle = await openLanguageModel(path, flags);
  const options = await samplingOf(flags, bundle);
  const { signal, release } = interruptSignal();
  try {
    // What keeps to a grammar is for programs: the prompt is no part of it.
    if (options.grammar === undefined) process.stdout.write(prompt);
    const tokens = bundle.tokenizer.encode([{ text: prompt, control: special }]);
    await stream(bundle, tokens, { ...options, signal }, flags);
  } finally {
    release();
  }
}

async function chat(path: string, { system, ...flags }: Sampling & { readonly system?: string }): Promise<void> {
  const bundle = await openLanguageModel(path, flags);
  const options = await samplingOf(flags, bundle);
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
      const prompt = chatTokens(bundle.tokenizer, messages);
      const text = await stream(bundle, prompt, { ...options, signal: answering.signal }, flags);
      answering = undefined;
      messages.push({ role: 'assistant', content: text });
    }
    lines.prompt();
  }
  lines.close();
}
