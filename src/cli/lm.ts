// `gossamer lm`

import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { splitTokens } from '../data/index.js';
import { interruptSignal, loadText, readJson, readText, requireWritable, writeFileAtomic } from '../data/node.js';
import {
  AnswerText,
  type ChatMessage,
  chatTokens,
  decoderOf,
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
  tokenizerOf,
  trainLanguageModel,
  validationLoss,
  vocabularyOf,
} from '../lm/index.js';
import { saveLanguageModel } from '../lm/node.js';
import { parameterCount } from '../nn/index.js';
import { Random, tensor } from '../tensor/index.js';
import { number } from './arguments.js';
import { compressExpertsCommand } from './compress-experts.js';
import { activation, configOf, type DecoderFlags, withExpertOptions } from './decoder-flags.js';
import { predictInitial } from './initial-weights.js';
import { type ModelFlags, modelsHelp, openLanguageModel, withModel } from './language-model.js';
import { openModelOf } from './models.js';
import { writeNote } from './output.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

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
}

export function lmCommand(): Command {
  return new Command('lm')
    .description('train and run language models')
    .addCommand(trainCommand())
    .addCommand(generateCommand())
    .addCommand(chatCommand())
    .addCommand(compressExpertsCommand());
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
  { model, tokenizer }: LanguageBundle,
  prompt: readonly number[],
  options: GenerateOptions,
  stops: readonly string[],
): Promise<string> {
  const text = new AnswerText(tokenizer, stops);
  const started = performance.now();
  let [written, count, read, prefill] = ['', 0, 0, 0];
  const write = (part: string) => {
    written += part;
    process.stdout.write(part);
  };
  const onPrefill = (tokens: number, seconds: number) => {
    [read, prefill] = [tokens, seconds];
  };
  for await (const token of generate(model, prompt, { stopTokens: tokenizer.stopTokens, ...options, onPrefill })) {
    write(text.push(token));
    count += 1;
    if (text.stopped) break;
  }
  write(text.end());
  const seconds = (performance.now() - started) / 1000 - prefill;
  process.stderr.write(
    `\n${read} tokens read at ${(read / prefill).toFixed(1)} a second, ${count} made at ${(count / Math.max(seconds, 1e-3)).toFixed(1)}\n`,
  );
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
    await stream(bundle, tokens, { ...options, signal }, flags.stop);
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
      const text = await stream(bundle, prompt, { ...options, signal: answering.signal }, flags.stop);
      answering = undefined;
      messages.push({ role: 'assistant', content: text });
    }
    lines.prompt();
  }
  lines.close();
}

interface TrainFlags extends DecoderFlags {
  readonly out: string;
  readonly steps: number;
  readonly vocabulary?: number;
  readonly balanceGroups: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly init?: string;
  readonly seed: number;
  readonly threads?: number;
  readonly resume: boolean;
}

const trainHelp = `
Examples
  gossamer lm train book.txt -o book.safetensors
  gossamer lm train book.txt --vocabulary 1024 --layers 6 --features 256
  gossamer lm train tinyshakespeare --experts 8 --free-experts 4 --tau 0.75
  gossamer lm train book.txt --experts 32 --activation relu --router early --window 256   SmallThinker’s form
  gossamer lm train book.txt --features 64 --layers 3 --init ghn.safetensors   from weights that a hypernetwork predicts
  gossamer lm generate book.safetensors --prompt "Once"

Tokens are characters, or with --vocabulary byte pairs that are learnt from the text. With --experts each layer is a mixture, with --free-experts MoE++: easy tokens then use fewer experts, the fewer the smaller --tau is. --router early lets routers read the input of their layer before attention, so that a model larger than memory reads its experts meanwhile; every fourth layer, from the first, then sees all tokens, without rotary embeddings, and the others those of --window. The last tenth of the text validates. Ctrl-C keeps the steps so far in <out>.checkpoint, and --resume goes on from there.`;

function trainCommand(): Command {
  const command = new Command('train')
    .description('train a decoder on a text')
    .argument('<text>', 'a file in UTF-8, also .gz, or tinyshakespeare, republic')
    .option('-o, --out <file>', 'the model', 'lm.safetensors')
    .option('--steps <n>', 'steps', number(1), 1000)
    .option('--vocabulary <n>', 'learn so many tokens (BPE) from the text; its characters when left out', number(257))
    .option('--features <n>', 'width', number(8), 128)
    .option('--layers <n>', 'layers', number(1), 4)
    .option('--heads <n>', 'heads of attention', number(1), 4)
    .option('--key-heads <n>', 'heads of keys and values; as many as heads when left out', number(1))
    .option('--hidden <n>', 'width of the gated layers, or of an expert; 8/3 of the width when left out', number(1))
    .option('--window <n>', 'tokens that each one sees back; 0 for all', number(0), 0)
    .option('--activation <name>', 'swiglu, relu (ReLU behind the gate, reglu) or relu2', activation, 'swiglu')
    .option('--free-head', 'a matrix of its own for the head, instead of the embedding’s', false);
  return withExpertOptions(command)
    .option('--batch <n>', 'windows a step', number(1), 16)
    .option('--length <n>', 'tokens of a window', number(2), 128)
    .option('--learning-rate <rate>', 'learning rate', number(0, false), 3e-3)
    .option('--init <file>', 'initial weights by a model of gossamer fit TEXT --model logah')
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from <out>.checkpoint', false)
    .addHelpText('after', trainHelp)
    .action(train);
}

async function train(path: string, flags: TrainFlags): Promise<void> {
  useThreads(flags.threads);
  const { steps, batch, length, learningRate, balanceGroups } = flags;
  if (batch % balanceGroups !== 0)
    throw new Error(`--balance-groups ${balanceGroups} does not divide the ${batch} windows of a step`);
  requireWritable(flags.out);
  const text = loadText(path);
  const vocabulary = vocabularyOf(text, flags.vocabulary);
  const tokenizer = tokenizerOf(vocabulary);
  const tokens = splitTokens(Int32Array.from(tokenizer.encode(text)));
  if (tokens.validation.length <= length)
    throw new Error(`"${path}" has ${text.length} characters, too few for windows of ${length}`);
  const random = new Random(flags.seed);
  const config = configOf(flags, tokenizer.size);
  const model = decoderOf(config, random.split('model'));
  if (flags.init !== undefined) predictInitial(flags.init, model, [tensor(new Int32Array(2), [1, 2])], writeNote);
  const kind = flags.vocabulary === undefined ? 'characters' : 'byte pairs';
  process.stderr.write(
    `${parameterCount(model).toLocaleString('en-US')} parameters, ${tokens.train.length} ${kind}, ${tokenizer.size} different\n`,
  );
  let loss = Number.NaN;
  const ended = await trainResumably(
    flags,
    (hooks) =>
      trainLanguageModel(model, tokens, random.split('fit'), {
        ...{ ...hooks, steps, batch, length, learningRate, balanceGroups },
      }),
    () => {
      loss = validationLoss(model, tokens, { length });
      const trained = { data: path, tokens: tokens.train.length, loss };
      writeFileAtomic(flags.out, saveLanguageModel(model, config, vocabulary, trained));
    },
  );
  if (!ended) return;
  const perCharacter = (loss * tokens.validation.length) / tokenizer.decode([...tokens.validation]).length;
  process.stdout.write(
    `${flags.out}: validation loss ${perCharacter.toFixed(3)} nats a character${
      flags.vocabulary === undefined ? '' : `, ${loss.toFixed(3)} a token`
    }\n`,
  );
}
