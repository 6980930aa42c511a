// `gossamer lm bench`

import { Command, Option } from 'commander';
import { setThreads, threads } from '../engine/index.js';
import { type DecodeSpeed, decodeSpeed, type ModelShape, modelShapes } from '../lm/index.js';
import { shapeFile } from '../lm/node.js';
import { ones, scope, sum } from '../tensor/index.js';
import { list, number } from './arguments.js';
import { Bar } from './bar.js';
import { gigabytes, type ModelFlags, modelsHelp, openLanguageModel, withModel } from './language-model.js';
import { percent } from './lm-stats.js';
import { textTable } from './result.js';

const examples = `
Examples
  gossamer lm bench qwen.gguf
  gossamer lm bench qwen.gguf --on 1,2,4 --prompt 512 --tokens 128
  gossamer lm bench --shape smallthinker-4b --memory 1G

Prints tokens a second of a prompt and one by one; the share of what memory allows, which is the bandwidth of reads over the bytes of weights that a token reads; for weights on demand the share of chosen experts in memory and the time waited; and the peak of the process's memory. Tokens are drawn at random. --shape writes a file of random weights in Q4_0 once; its routing is near uniform, the worst case of a cache of experts.
${modelsHelp}`;

interface Flags extends ModelFlags {
  readonly shape?: ModelShape;
  readonly prompt: number;
  readonly tokens: number;
  readonly on?: readonly number[];
  readonly json: boolean;
}

/** The command. */
export function benchCommand(): Command {
  return withModel(
    new Command('bench').description('measure how fast a model runs here').argument('[model]', 'see below'),
  )
    .addOption(
      new Option('--shape <name>', 'random weights with the sizes of a known model, in place of a model').choices(
        Object.keys(modelShapes),
      ),
    )
    .option('--prompt <n>', 'tokens of the prompt', number(1), 256)
    .option('--tokens <n>', 'tokens made one by one', number(1), 48)
    .option('--on <list>', 'numbers of threads to measure with, as 1,2 (default: those of --threads)', (text) =>
      list(text).map(number(1)),
    )
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(bench);
}

/** The file of a shape, with progress where it has to be written. */
function fileOf(shape: ModelShape): string {
  let bar: Bar | undefined;
  try {
    return shapeFile(shape, (done, all, path) => {
      if (!bar) process.stderr.write(`writing ${gigabytes(all)} of random weights to ${path}, once\n`);
      bar ??= new Bar('writing', 'B');
      bar.update(done / all, done);
    });
  } finally {
    bar?.close();
  }
}

/** Floats that are read to measure bandwidth: far more than caches hold. */
const READ = 2 ** 26;

/** Bytes a second that sums read of memory. */
function bandwidth(): number {
  return scope(() => {
    const values = ones([READ]);
    const times = Array.from({ length: 5 }, () => {
      const started = performance.now();
      scope(() => void sum(values).dataSync());
      return (performance.now() - started) / 1000;
    });
    return (4 * READ) / Math.min(...times);
  });
}

async function bench(given: string | undefined, flags: Flags): Promise<void> {
  const { shape, prompt, tokens, cache } = flags;
  if ((given === undefined) === (shape === undefined))
    throw new Error('give a model, or --shape with the name of one, and not both');
  const bundle = await openLanguageModel(shape === undefined ? (given as string) : fileOf(shape), flags);
  const { model, store } = bundle;
  const counted = flags.on ?? [flags.threads ?? threads()];
  const measured: (DecodeSpeed & { readonly threads: number })[] = [];
  const bar = new Bar('measuring', 'passes');
  try {
    for (const count of counted) {
      setThreads(count);
      const onPass = (done: number, all: number) => bar.update(done / all, done);
      measured.push({ threads: count, ...decodeSpeed(model, { prompt, tokens, cache, store, onPass }) });
    }
  } finally {
    bar.close();
    bundle.close();
  }
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const { bytesPerToken, bytes } = model;
  const rows = measured.map((speed) => {
    setThreads(speed.threads);
    const read = bandwidth();
    return { ...speed, bandwidth: read, limit: read / bytesPerToken };
  });
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ model: shape ?? given, bytes, bytesPerToken, peakBytes, rows })}\n`);
    return;
  }
  const isOnDemand = rows.some(({ bytesRead, hitShare }) => bytesRead > 0 || hitShare !== undefined);
  const columns = ['threads', 'prompt tokens/s', 'tokens/s', 'memory allows', 'share'];
  const table = textTable(
    isOnDemand ? [...columns, 'experts in memory', 'read a token', 'waited a token'] : columns,
    rows.map(({ threads: count, promptRate, rate, limit, hitShare, bytesRead, waited }) => [
      ...[String(count), promptRate.toFixed(1), rate.toFixed(1), limit.toFixed(1), percent(rate / limit)],
      ...(isOnDemand
        ? [hitShare === undefined ? '–' : percent(hitShare), gigabytes(bytesRead), `${waited.toFixed(1)} ms`]
        : []),
    ]),
  );
  process.stdout.write(
    `${table}\n${gigabytes(bytesPerToken)} of weights a token; peak of the process ${gigabytes(peakBytes)}\n`,
  );
}
