// `gossamer reproduce`

import { Command, Option } from 'commander';
import { interruptSignal } from '../data/node.js';
import {
  claimsOfReproduction,
  comparisons,
  type ExperimentRecord,
  families,
  findSystem,
  reproduce,
  systems,
  writePages,
} from '../experiments/index.js';
import { number } from './arguments.js';
import { ProgressView } from './progress.js';
import { claimText } from './result.js';
import { useThreads } from './threads.js';

interface Flags {
  readonly family?: string;
  readonly seeds?: number;
  readonly long: boolean;
  readonly resume: boolean;
  readonly fresh: boolean;
  readonly pages: boolean;
  readonly folder: string;
  readonly threads?: number;
}

const examples = `
Examples
  gossamer reproduce                        all systems at full size: hours
  gossamer reproduce fastrp mip             some of them
  gossamer reproduce --family graph --seeds 5
  gossamer reproduce fastrp --resume        go on after Ctrl-C
  gossamer reproduce --pages                only write the pages from what is there

In --folder, reproduction/<system>.json keeps what each system gave; REPRODUCTION.md, the README's table and
docs/systems/ are made from these files. The runs themselves stay in runs/reproduce/.`;

export function reproduceCommand(): Command {
  return new Command('reproduce')
    .argument('[systems...]', 'names from `gossamer list`; all when left out')
    .addOption(new Option('--family <name>', 'the systems of a family').choices(Object.keys(families)))
    .option('--seeds <n>', 'seeds of every run; those of the presets when left out', number(1))
    .option('--long', 'also the presets that take hours', false)
    .option('--resume', 'go on with runs that were stopped', false)
    .option('--fresh', 'begin stopped runs again, and replace files that hold more seeds or runs', false)
    .option('--pages', 'write the pages without running anything', false)
    .option('--folder <folder>', 'where the files go', '.')
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .addHelpText('after', examples)
    .action(run);
}

/** @throws Error when no system is meant. */
function chosen(slugs: readonly string[], family: string | undefined): readonly ExperimentRecord[] {
  const named = slugs.length > 0 ? slugs.map(findSystem) : [...systems, ...comparisons];
  const own = named.filter((record) => family === undefined || record.family === family);
  if (own.length === 0) throw new Error(`no system of the family "${family}" among ${slugs.join(', ') || 'all'}`);
  return own;
}

async function run(slugs: readonly string[], flags: Flags): Promise<void> {
  const { folder, seeds, long, resume, fresh } = flags;
  const records = chosen(slugs, flags.family);
  useThreads(flags.threads);
  const { signal, release } = interruptSignal();
  let view: ProgressView | undefined;
  try {
    for (const record of flags.pages ? [] : records) {
      const made = await reproduce(record, {
        ...{ folder, seeds, long, resume, fresh, signal },
        onRun: ({ data }, count) => {
          view?.close();
          process.stderr.write(`${record.slug} on ${data}\n`);
          view = new ProgressView(count);
          return view;
        },
      });
      view?.close();
      const { experiment } = await record.load();
      console.log([record.title, ...claimText(record, experiment, claimsOfReproduction(made)), ''].join('\n'));
    }
    for (const path of await writePages(folder)) process.stderr.write(`${path}\n`);
  } catch (error) {
    view?.close();
    if (signal.aborted) console.error('stopped; the same command with --resume goes on');
    throw error;
  } finally {
    release();
  }
}
