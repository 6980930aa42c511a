// `gossamer run`

import { join } from 'node:path';
import { Command, Option } from 'commander';
import { interruptSignal } from '../data/node.js';
import { findSystem, type RunRequest, type RunResult, runExperiment } from '../experiments/index.js';
import { number } from './arguments.js';
import { ProgressView } from './progress.js';
import { printResult } from './result.js';
import { useThreads } from './threads.js';

interface Flags {
  readonly data?: string;
  readonly set: readonly string[];
  readonly seed: number;
  readonly seeds?: number;
  readonly threads?: number;
  readonly smoke: boolean;
  readonly out?: string;
  readonly resume: boolean;
  readonly json: boolean;
}

const examples = `
Examples
  gossamer run                                            lighthgnn on embedded data
  gossamer run lighthgnn --data coauthorship-cora         a known set, from the folder in GOSSAMER_DATA
  gossamer run lighthgnn --data my-hypergraph/ --set trainPerClass=5 --set validationPerClass=10   nodes.csv, hyperedges.csv
  gossamer run lighthgnn --set setting=production --seeds 3 --json
  gossamer run lighthgnn --out runs/mine --resume         go on after Ctrl-C

Results go to runs/<time>-<system>/: report.html, result.json, metrics.jsonl, model.safetensors, predictions.csv.`;

export function runCommand(): Command {
  return new Command('run')
    .argument('[system]', 'name from `gossamer list`', 'lighthgnn')
    .option(
      '--data <name|path>',
      'data set: a known name, or your own (see `gossamer info`); embedded data when left out',
    )
    .option(
      '--set <name=value>',
      'set an option (repeatable)',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option('--seed <n>', 'first seed', number(0), 0)
    .option('--seeds <n>', 'number of seeds: 3 on embedded data, else 5', number(1))
    .addOption(new Option('--threads <n>', 'threads, the calling one among them').argParser(number(1)))
    .option('--smoke', 'a few seconds on small settings and one seed', false)
    .option('--out <folder>', 'folder for the results')
    .option('--resume', 'continue the run in --out', false)
    .option('--json', 'print the result as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');
}

async function run(system: string, flags: Flags): Promise<void> {
  const record = findSystem(system);
  if (flags.resume && !flags.out) throw new Error('--resume needs --out, the folder of the run to continue');
  useThreads(flags.threads);
  const { experiment } = await record.load();
  const data = flags.data ?? (experiment.datasets[0] as string);
  const count = flags.seeds ?? (flags.smoke ? 1 : flags.data === undefined ? 3 : 5);
  const { signal, release } = interruptSignal();
  const out = flags.out ?? join('runs', `${timestamp()}-${system}`);
  const request: RunRequest = {
    data,
    seeds: Array.from({ length: count }, (_, index) => flags.seed + index),
    set: flags.set,
    smoke: flags.smoke,
    out,
    resume: flags.resume,
    signal,
  };
  const view = new ProgressView(request.seeds.length);
  try {
    const result: RunResult = await runExperiment(record, request, view);
    view.close();
    if (flags.json) console.log(JSON.stringify(jsonResult(result)));
    else await printResult(record, result, out);
  } catch (error) {
    view.close();
    if (signal.aborted) console.error(`stopped; continue with: gossamer run ${system} ${continuation(flags, out)}`);
    throw error;
  } finally {
    release();
  }
}

/** The result as programs read it. */
function jsonResult({ system, data, seeds, rows, claims }: RunResult) {
  return { system, data, seeds, rows: rows.map(({ method, metrics }) => ({ method, ...metrics })), claims };
}

/** A word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function continuation({ data, set, seed, seeds, smoke, threads }: Flags, out: string): string {
  const parts = [
    data && `--data ${quoted(data)}`,
    ...set.map((assignment) => `--set ${quoted(assignment)}`),
    seed && `--seed ${seed}`,
    seeds && `--seeds ${seeds}`,
    threads && `--threads ${threads}`,
    smoke && '--smoke',
  ];
  return [...parts.filter(Boolean), `--out ${quoted(out)}`, '--resume'].join(' ');
}
