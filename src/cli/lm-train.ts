// `gossamer lm train`

import { Command } from 'commander';
import { splitTokens } from '../data/index.js';
import { loadText, requireWritable, writeFileAtomic } from '../data/node.js';
import {
  decoderOf,
  documentLoss,
  documentSampler,
  splitDocuments,
  type TextTokenizer,
  tokenizerOf,
  trainHeadPredictor,
  trainLanguageModel,
  validationLoss,
  vocabularyOf,
} from '../lm/index.js';
import { saveLanguageModel } from '../lm/node.js';
import type { Decoder } from '../models/index.js';
import { parameterCount, stateOf } from '../nn/index.js';
import { Random, type Tensor, tensor } from '../tensor/index.js';
import { number } from './arguments.js';
import { type BlockFlags, objectiveOf, sparsityOf, withBlockOptions, withSparsity } from './block-training.js';
import { activation, configOf, type DecoderFlags, withExpertOptions } from './decoder-flags.js';
import { predictInitial } from './initial-weights.js';
import { writeNote } from './output.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

interface TrainFlags extends DecoderFlags, BlockFlags {
  readonly out: string;
  readonly steps: number;
  readonly vocabulary?: number;
  readonly batch: number;
  readonly balanceGroups: number;
  readonly headPredictor?: number;
  readonly learningRate: number;
  readonly documentSeparator?: string;
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
  gossamer lm train book.txt --experts 32 --router relu --chunk-sparsity 0.05 --locality 1.5e-3   BlockFFN’s form
  gossamer lm train letters/*.txt --experts 32 --router relu   each file a document; --document-separator cuts one file
  gossamer lm train book.txt --features 64 --layers 3 --init ghn.safetensors   from weights that a hypernetwork predicts
  gossamer lm generate book.safetensors --prompt "Once"

Tokens are characters, or with --vocabulary byte pairs that are learnt from the text. With --experts each layer is a mixture, with --free-experts MoE++: easy tokens then use fewer experts, the fewer the smaller --tau is. --router early lets routers read the input of their layer before attention, so that a model larger than memory reads its experts meanwhile; every fourth layer, from the first, then sees all tokens, without rotary embeddings, and the others those of --window. --router relu lets each token choose how many of many narrow blocks it uses, and losses make neighbouring tokens choose the same few, so that several tokens at once, as with --draft, still read few weights; the log has the share of blocks that a token (TLS) and eight tokens in a row (CLS8) leave unused on validation tokens, the weight κ, and blocks that none of them uses. Of several files each is a document: windows stay inside one, and shorter ones are padded. The last tenth of the text validates. Ctrl-C keeps the steps so far in <out>.checkpoint, and --resume goes on from there.`;

/** `gossamer lm train`. */
export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a decoder on a text')
    .argument('<text...>', 'files in UTF-8, also .gz, or tinyshakespeare, republic')
    .option('-o, --out <file>', 'the model', 'lm.safetensors')
    .option('--steps <n>', 'steps', number(1), 1000)
    .option('--vocabulary <n>', 'learn so many tokens (BPE) from the text; its characters when left out', number(257))
    .option('--features <n>', 'width', number(8), 128)
    .option('--layers <n>', 'layers', number(1), 4)
    .option('--heads <n>', 'heads of attention', number(1), 4)
    .option('--key-heads <n>', 'heads of keys and values; as many as heads when left out', number(1))
    .option(
      '--hidden <n>',
      'width of the gated layers, of an expert, or of a block; when left out 8/3 of the width, of all blocks together 8 times',
      number(1),
    )
    .option('--window <n>', 'tokens that each one sees back; 0 for all', number(0), 0)
    .option('--activation <name>', 'swiglu, relu (ReLU behind the gate, reglu) or relu2', activation, 'swiglu')
    .option('--free-head', 'a matrix of its own for the head, instead of the embedding’s', false);
  return withBlockOptions(withExpertOptions(command))
    .option('--head-predictor <rank>', 'train a predictor of the head’s rows too, for --sparse-head', number(1))
    .option('--batch <n>', 'windows a step', number(1), 16)
    .option('--length <n>', 'tokens of a window', number(2), 128)
    .option('--learning-rate <rate>', 'learning rate', number(0, false), 3e-3)
    .option('--document-separator <text>', 'what separates documents within a file, \\n for a new line')
    .option('--init <file>', 'initial weights by a model of gossamer fit TEXT --model logah')
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from <out>.checkpoint', false)
    .addHelpText('after', trainHelp)
    .action(train);
}

/** What is learnt from and validated on. */
interface Texts {
  readonly train: readonly Int32Array[];
  readonly validation: readonly Int32Array[];
  /** Whether windows stay inside documents, of which some may be shorter. */
  readonly isCut: boolean;
}

const lengthOf = (documents: readonly Int32Array[]) => documents.reduce((sum, { length }) => sum + length, 0);

/** The texts as documents: each file is one, or several with a separator between them. */
function textsOf(paths: readonly string[], { documentSeparator: separator }: Pick<TrainFlags, 'documentSeparator'>) {
  if (separator === '') throw new Error('--document-separator is empty');
  const texts = paths.map((path) => loadText(path));
  const cut = separator === undefined ? texts : texts.flatMap((text) => text.split(unescaped(separator)));
  return cut.filter((text) => text.length > 0);
}

/** `\n` and `\t` as a shell hands them on. */
const unescaped = (text: string) => text.replaceAll('\\n', '\n').replaceAll('\\t', '\t');

function splitOf(texts: readonly string[], tokenizer: TextTokenizer): Texts {
  const documents = texts.map((text) => Int32Array.from(tokenizer.encode(text)));
  const [only] = documents;
  if (only && documents.length === 1) {
    const { train, validation } = splitTokens(only);
    return { train: [train], validation: [validation], isCut: false };
  }
  return { ...splitDocuments(documents), isCut: true };
}

/** Mean loss of a validation token, in nats. */
function lossOf(model: Decoder, { validation, isCut }: Texts, length: number): number {
  const [only] = validation;
  return isCut || !only
    ? documentLoss(model, validation, { length })
    : validationLoss(model, { validation: only }, { length });
}

async function train(paths: readonly string[], flags: TrainFlags): Promise<void> {
  useThreads(flags.threads);
  const { steps, batch, length, learningRate, balanceGroups } = flags;
  if (batch % balanceGroups !== 0)
    throw new Error(`--balance-groups ${balanceGroups} does not divide the ${batch} windows of a step`);
  requireWritable(flags.out);
  const documents = textsOf(paths, flags);
  const vocabulary = vocabularyOf(documents.join('\n'), flags.vocabulary);
  const tokenizer = tokenizerOf(vocabulary);
  const texts = splitOf(documents, tokenizer);
  const name = paths.join(', ');
  if (!texts.isCut && lengthOf(texts.validation) <= length)
    throw new Error(`"${name}" has ${documents[0]?.length ?? 0} characters, too few for windows of ${length}`);
  if (texts.isCut && !texts.validation.some((document) => document.length > 1))
    throw new Error(`"${name}" has ${documents.length} documents, the last of which are too short to validate on`);
  const random = new Random(flags.seed);
  const config = configOf(flags, tokenizer.size);
  const objective = objectiveOf(flags, config);
  const model = decoderOf(config, random.split('model'));
  if (flags.init !== undefined) predictInitial(flags.init, model, [tensor(new Int32Array(2), [1, 2])], writeNote);
  const kind = flags.vocabulary === undefined ? 'characters' : 'byte pairs';
  const count = lengthOf(texts.train);
  process.stderr.write(
    `${parameterCount(model).toLocaleString('en-US')} parameters, ${count} ${kind}${
      texts.isCut ? ` in ${texts.train.length} documents` : ''
    }, ${tokenizer.size} different\n`,
  );
  const { headPredictor } = flags;
  let predictor: Tensor | undefined;
  let loss = Number.NaN;
  const ended = await trainResumably(
    flags,
    async (given) => {
      const hooks = objective ? withSparsity(given, model, texts.validation, objective, length) : given;
      const own = texts.train[0] as Int32Array;
      const result = await trainLanguageModel(model, { train: own }, random.split('fit'), {
        ...{ ...hooks, steps, batch, length, learningRate, balanceGroups, objective },
        ...(texts.isCut && { windows: documentSampler(texts.train, batch, length) }),
      });
      if (headPredictor !== undefined && !hooks.signal?.aborted) {
        const from = { tokens: own, random: random.split('head') };
        predictor = await trainHeadPredictor(model, from, { rank: headPredictor, batch, length, signal: hooks.signal });
      }
      return result;
    },
    () => {
      loss = lossOf(model, texts, length);
      const trained = { data: name, tokens: count, loss };
      const state = { ...stateOf(model), ...(predictor && { 'lm_head_profiler.weight': predictor }) };
      writeFileAtomic(flags.out, saveLanguageModel(state, config, vocabulary, trained));
    },
  );
  if (!ended) return;
  const tokens = lengthOf(texts.validation);
  const characters = texts.validation.reduce((sum, document) => sum + tokenizer.decode([...document]).length, 0);
  process.stdout.write(
    `${flags.out}: validation loss ${((loss * tokens) / characters).toFixed(3)} nats a character${
      flags.vocabulary === undefined ? '' : `, ${loss.toFixed(3)} a token`
    }${objective ? `; ${sparsityOf(model, texts.validation, objective, length)}` : ''}\n`,
  );
}
