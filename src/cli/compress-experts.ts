// `gossamer lm compress`

import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { splitTokens, windowsAt } from '../data/index.js';
import { loadText, requireWritable } from '../data/node.js';
import { tensorMemoryBudget } from '../engine/index.js';
import {
  type CompressedDecoder,
  compactState,
  compressExperts,
  footprint,
  type LanguageModelConfig,
  validationLoss,
} from '../lm/index.js';
import { loadTrainable, type TrainableModel } from '../lm/node.js';
import type { Decoder } from '../models/index.js';
import { groupCount, predictedClasses, stateOf, type Weights } from '../nn/index.js';
import type { QuantizedFormat } from '../quantized/index.js';
import { Random, reshape, scope } from '../tensor/index.js';
import { choice, number } from './arguments.js';
import { localModel } from './hub.js';
import { useThreads } from './threads.js';
import { trainResumably } from './training.js';

interface Flags {
  readonly data: string;
  readonly out: string;
  readonly experts?: number;
  readonly rank?: number;
  readonly rows: number;
  readonly method: 'merge' | 'average' | 'prune';
  readonly align: 'first' | 'dominant' | 'none';
  readonly uniform: boolean;
  readonly recover: string;
  readonly calibration: number;
  readonly batch: number;
  readonly length: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly threads?: number;
  readonly resume: boolean;
  readonly json: boolean;
  readonly quantize?: QuantizedFormat;
}

const help = `
Examples
  gossamer lm train book.txt --experts 32 --top 1 -o moe.safetensors
  gossamer lm compress moe.safetensors --data book.txt --experts 8 -o merged.safetensors
  gossamer lm compress moe.safetensors --data book.txt --experts 8 --rank 32 --rows 0.1 -o small.safetensors
  gossamer lm compress moe.safetensors --data book.txt --rank 16 -o small.safetensors      without merging
  gossamer lm compress qwen3-moe/ --data text.txt --experts 32 --recover 0 -o merged/      without training
  gossamer lm compress hf:owner/small-moe --data text.txt --experts 4 -o merged/
  gossamer lm compress moe.safetensors --data book.txt --experts 8 --quantize Q8_0 -o small.gguf
  gossamer lm generate small.safetensors --prompt "Once"

MC-SMoE (Li et al., ICLR 2024): the hidden units of all experts are aligned, experts that the router uses alike are merged by how often it uses them, and with --rank each matrix becomes low-rank plus a few rows. After each step the model recovers by distillation from the original. Routers stay as they are. The last tenth of the text validates.

The model is a file of gossamer lm train --experts, or a folder with config.json, safetensors and tokenizer.json (Qwen3-MoE), and the result has its form; or it is one GGUF file, which --quantize makes four to seven times smaller. Other programs refuse that file: they have no form for shared experts. It is trained in f32: the original, the smaller model, its gradients and two moments must fit tensor memory. Alignment takes time with the cube of an expert's width: seconds for each expert of width 3,000. Ctrl-C keeps the recovery so far in <out>.checkpoint, and --resume goes on from there.`;

export function compressExpertsCommand(): Command {
  return new Command('compress')
    .description('merge the experts of a mixture, and compress them')
    .argument('<model>', 'a mixture of experts')
    .requiredOption('--data <text>', 'a file in UTF-8, also .gz: text for calibration and recovery')
    .requiredOption('-o, --out <file>', 'the smaller model')
    .option('--experts <m>', 'experts left in a layer, on average', number(1))
    .option('--rank <r>', 'rank of each matrix of an expert; full matrices when left out', number(1))
    .option('--rows <share>', 'rows that a matrix keeps beside its low rank', number(0, false), 0.1)
    .option(
      '--method <name>',
      'merge (by usage), average (groups alike, equal weights) or prune (only the most used stay)',
      choice('merge', 'average', 'prune'),
      'merge',
    )
    .option(
      '--align <to>',
      'align hidden units to the first expert, the dominant one of a group, or none',
      choice('first', 'dominant', 'none'),
      'first',
    )
    .option('--uniform', 'as many experts in every layer', false)
    .option('--recover <steps>', 'steps of recovery after each step; 0 for none, "router" for the router alone', '400')
    .option('--calibration <n>', 'windows of the text that routing is counted on', number(1), 256)
    .option('--batch <n>', 'windows a step', number(1), 16)
    .option('--length <n>', 'tokens of a window', number(2), 64)
    .option('--learning-rate <rate>', 'peak learning rate', number(0, false), 1e-3)
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from <out>.checkpoint', false)
    .option('--quantize <format>', 'format of the matrices of a .gguf: Q8_0 or Q4_0', choice('Q8_0', 'Q4_0'))
    .option('--json', 'print the report as JSON', false)
    .addHelpText('after', help)
    .action(run);
}

/** Steps of the recovery, and whether they train the router alone. */
function recoveryOf({ recover }: Flags): { readonly steps: number; readonly router: boolean } {
  if (recover === 'router') return { steps: 400, router: true };
  const steps = Number(recover);
  if (!(recover.trim() !== '' && Number.isInteger(steps) && steps >= 0))
    throw new Error(`--recover takes a number of steps or "router", not "${recover}"`);
  return { steps, router: false };
}

async function run(name: string, flags: Flags): Promise<void> {
  useThreads(flags.threads);
  const { experts, rank, rows, length, batch, seed, learningRate, method } = flags;
  if (experts === undefined && rank === undefined) throw new Error('give --experts, --rank, or both');
  if (rows > 1) throw new Error(`--rows is a share from 0 to 1, not ${rows}`);
  const { steps, router } = recoveryOf(flags);
  const path = await localModel(name);
  const original = loadTrainable(path);
  const isFile = path.endsWith('.safetensors');
  const isGguf = flags.out.endsWith('.gguf');
  if (flags.quantize && !isGguf) throw new Error(`--quantize is for a result in GGUF: -o model.gguf`);
  if (isFile || isGguf) requireWritable(flags.out);
  else if (existsSync(flags.out)) throw new Error(`"${flags.out}" exists already; choose another with --out`);
  const tokens = splitTokens(Int32Array.from(original.tokenizer.encode(loadText(flags.data))));
  if (tokens.validation.length <= length)
    throw new Error(
      `"${flags.data}" has ${tokens.train.length} tokens to learn from, too few for windows of ${length}`,
    );
  requireMemory(original.model, steps > 0);
  let small: CompressedDecoder | undefined;
  const ended = await trainResumably(
    flags,
    async (hooks) => {
      small = await compressExperts(original.model, original.config, tokens.train, new Random(seed), {
        ...(experts !== undefined && { experts }),
        ...(rank !== undefined && { rank }),
        ...{ rows, length, batch, windows: flags.calibration, uniform: flags.uniform },
        ...(method === 'prune' ? { members: 'drop' } : { alignTo: flags.align }),
        ...(method === 'average' && { weights: 'uniform' }),
        recovery: steps > 0 && {
          ...hooks,
          ...{ steps, learningRate },
          ...(router && { trains: (name: string) => name.endsWith('.router.weight') }),
        },
      });
      return { stopped: small.ended ? 'completed' : 'aborted' };
    },
    () => {
      const { model, config } = small as CompressedDecoder;
      const loss = validationLoss(model, tokens, { length });
      original.save(flags.out, config, compactState(model), loss, flags.quantize);
    },
  );
  if (!ended || !small) return;
  const report = reportOf(original, small, tokens, length);
  process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${lines(flags.out, report).join('\n')}\n`);
}

/**
 * Copies of the weights in tensor memory: the original, and of the student, gradients, two moments.
 */
const COPIES = { merging: 2, recovery: 5 };

/** @throws Error when compression takes more than tensor memory. */
function requireMemory(model: Decoder, recovers: boolean): void {
  const bytes = Object.values(stateOf(model)).reduce((sum, { size }) => sum + 4 * size, 0);
  const needed = bytes * (recovers ? COPIES.recovery : COPIES.merging);
  const gib = (n: number) => (n < 2 ** 30 ? `${Math.ceil(n / 2 ** 20)} MiB` : `${(n / 2 ** 30).toFixed(1)} GiB`);
  process.stderr.write(`${gib(needed)} of tensor memory at most\n`);
  if (needed > tensorMemoryBudget())
    throw new Error(
      `that may take ${gib(needed)}, and tensors have ${gib(tensorMemoryBudget())}${recovers ? '; --recover 0 merges without training' : ''}`,
    );
}

interface Side {
  readonly loss: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
}

interface Report {
  readonly before: Side;
  readonly after: Side;
  /** Share of the validation tokens for which both models find the same token most probable. */
  readonly agreement: number;
  readonly layers: readonly {
    readonly experts: number;
    readonly groups: readonly number[];
    readonly usage: readonly number[];
  }[];
}

type Tokens = ReturnType<typeof splitTokens>;

function reportOf(original: TrainableModel, small: CompressedDecoder, tokens: Tokens, length: number): Report {
  const side = (model: Decoder, state: Weights, config: LanguageModelConfig): Side => {
    const { parameters, multiplyAdds } = footprint(state, config, length);
    return {
      loss: validationLoss(model, tokens, { length }),
      parameters: parameters.total,
      multiplyAdds: multiplyAdds.total,
    };
  };
  return {
    before: side(original.model, stateOf(original.model), original.config),
    after: side(small.model, compactState(small.model), small.config),
    agreement: agreement(original.model, small.model, tokens.validation, length),
    layers: (small.config.experts?.groups ?? []).map((groups, layer) => ({
      experts: groupCount(groups),
      groups,
      usage: Array.from(small.statistics[layer]?.usage ?? []),
    })),
  };
}

/** Share of tokens in up to 64 windows whose most probable successor is the same. */
function agreement(a: Decoder, b: Decoder, tokens: Int32Array, length: number): number {
  const count = Math.min(64, Math.floor((tokens.length - 1) / length));
  let equal = 0;
  for (let i = 0; i < count; i++)
    equal += scope(() => {
      const { inputs } = windowsAt(tokens, [i * length], length);
      const [one, other] = [a, b].map((model) => predictedClasses(reshape(model.forward(inputs), [length, -1])));
      return (one as Int32Array).filter((token, at) => token === other?.[at]).length;
    });
  return equal / (count * length);
}

function lines(out: string, { before, after, agreement: same, layers }: Report): string[] {
  const fewer = (key: keyof Side) => `${Math.round(100 * (1 - after[key] / before[key]))} % fewer`;
  return [
    `${out}: validation loss ${after.loss.toFixed(3)} nats a token, ${before.loss.toFixed(3)} before; the same most probable token ${(100 * same).toFixed(1)} % of the time`,
    `${after.parameters.toLocaleString('en-US')} numbers (${fewer('parameters')}), ${Math.round(after.multiplyAdds).toLocaleString('en-US')} multiply-adds a token (${fewer('multiplyAdds')})`,
    ...layers.map(
      ({ experts, groups, usage }, layer) =>
        `layer ${layer}: ${experts} of ${groups.length} experts; groups ${groups.join(' ')}; usage in % ${usage.map((share) => Math.round(100 * share)).join(' ')}`,
    ),
  ];
}
